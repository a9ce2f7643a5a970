//! One query a line: Spider's files, and plain ones.

use super::{Predicted, PredictionFile, PredictionFormat};
use crate::error::Place;

/// Spider's lines, trimmed and cut at the first tab.
pub(super) fn spider(text: &str) -> PredictionFile {
    let mut file = PredictionFile::new(PredictionFormat::Spider);
    // A query may hold a tab by accident, so what follows one is a database only where every line has one.
    let mut lines: Vec<(usize, &str, Option<&str>)> = Vec::new();
    for (before, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            file.blank_lines += 1;
            continue;
        }
        let (sql, rest) = match line.split_once('\t') {
            Some((sql, rest)) => (sql, rest.rsplit('\t').next()),
            None => (line, None),
        };
        lines.push((before + 1, sql, rest.map(str::trim)));
    }
    let with_database = lines.iter().all(|(_, _, rest)| rest.is_some());
    file.rows = lines
        .into_iter()
        .map(|(line, sql, rest)| Predicted {
            id: None,
            db_id: rest.filter(|_| with_database).map(str::to_owned),
            sql: sql.to_owned(),
            place: Place::Line(line),
        })
        .collect();
    file
}

/// Every line is a prediction, a blank one an empty prediction.
pub(super) fn plain(text: &str) -> PredictionFile {
    let mut file = PredictionFile::new(PredictionFormat::Plain);
    file.rows = text
        .lines()
        .enumerate()
        .map(|(before, line)| Predicted {
            id: None,
            db_id: None,
            sql: line.trim().to_owned(),
            place: Place::Line(before + 1),
        })
        .collect();
    file
}
