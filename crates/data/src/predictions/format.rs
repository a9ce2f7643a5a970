//! The formats of prediction files, and how to tell one from its beginning.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::json::{SQL_FIELDS, object};

/// How a file of predictions is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionFormat {
    /// BIRD's: one JSON object, `{"0": "SELECT …\t----- bird -----\tDB", …}`. The keys are the ids.
    Bird,
    /// Spider's: one query a line, with anything after a tab cut off, as the official script does. If every line has a
    /// tab, what follows the last one is the database. Blank lines part sessions and are no predictions.
    Spider,
    /// One query a line and nothing else; a blank line is an empty prediction.
    Plain,
    /// A table with a header (RFC 4180).
    Csv,
    /// One JSON list of objects.
    Json,
    /// One JSON object a line, such as the program's own predictions.
    Jsonl,
}

impl PredictionFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [
        Self::Bird,
        Self::Spider,
        Self::Plain,
        Self::Csv,
        Self::Json,
        Self::Jsonl,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bird => "bird",
            Self::Spider => "spider",
            Self::Plain => "plain",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
        }
    }

    /// The format by the extension where that settles it (`.csv`, `.jsonl`), else by the first characters. Whatever is
    /// neither JSON nor a table is taken for Spider's lines; [`Self::Plain`] has to be asked for.
    pub(super) fn detect(path: &Path, text: &str) -> Self {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        if extension == "csv" {
            return Self::Csv;
        }
        if extension == "jsonl" || extension == "ndjson" {
            return Self::Jsonl;
        }
        let text = text.trim_start();
        if text.starts_with('[') {
            return Self::Json;
        }
        if !text.starts_with('{') {
            return Self::Spider;
        }
        // An object of one line is a row if it has a query by one of the names that rows give it.
        let row = text.lines().next().and_then(|line| object(line).ok());
        let is_row = row.is_some_and(|fields| {
            let mut names = fields.iter().map(|(name, _)| name.as_str());
            names.any(|name| SQL_FIELDS.contains(&name))
        });
        if is_row { Self::Jsonl } else { Self::Bird }
    }
}

impl fmt::Display for PredictionFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
