//! The data set layouts: one file each, and one line each in the table below.
//!
//! A source knows which files a split is in and what a row looks like. It does not filter, draw or
//! open a database; [`load`](crate::load) does that for all of them.

mod bird;
mod jsonl;
mod spider;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness_record::{Example, Schema};
use serde::{Deserialize, Serialize};

use crate::dataset::DatasetRef;
use crate::error::DataError;
use crate::field::Record;
use crate::file::{SourceFile, locate, read_list};
use crate::nearest::nearest;
use crate::schema;

/// The layout of a data set's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetKind {
    /// Spider as officially released (`train_spider.json`, `tables.json`, `database/`).
    Spider,
    /// BIRD as officially released (`dev.json`, `dev_tables.json`, `dev_databases/`; `train…`; mini-dev).
    Bird,
    /// The user's own JSON Lines, one file `SPLIT.jsonl` for each split: `question`, `sql`, `db_id`, and
    /// optionally `id`, `evidence`, `db` (path of a SQLite file, relative to the file), `ddl`.
    Jsonl,
}

/// A line of the table of layouts.
struct Entry {
    name: &'static str,
    /// The splits that the layout has (for some that depends on the folder).
    splits: fn(root: &Path) -> Vec<String>,
    read: fn(&DatasetRef) -> Result<Source, DataError>,
}

impl DatasetKind {
    /// All layouts.
    pub const ALL: [Self; 3] = [Self::Spider, Self::Bird, Self::Jsonl];

    /// The table of layouts.
    const fn entry(self) -> &'static Entry {
        match self {
            Self::Spider => &spider::ENTRY,
            Self::Bird => &bird::ENTRY,
            Self::Jsonl => &jsonl::ENTRY,
        }
    }

    /// Name as configurations write it.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// The splits that can be asked for, given the folder of the data set.
    pub fn splits(self, root: &Path) -> Vec<String> {
        (self.entry().splits)(root)
    }

    pub(crate) fn read(self, reference: &DatasetRef) -> Result<Source, DataError> {
        (self.entry().read)(reference)
    }

    fn unknown_split(self, reference: &DatasetRef) -> DataError {
        let known = self.splits(&reference.root);
        DataError::UnknownSplit {
            dataset: self.name(),
            split: reference.split.clone(),
            nearest: nearest(&reference.split, known.iter().map(String::as_str)),
            known,
        }
    }
}

/// All rows of one split, before any filter.
pub(crate) struct Source {
    /// The rows, in the order of the files.
    pub(crate) examples: Vec<Example>,
    /// The database files that exist, and `None` for those looked for in vain.
    pub(crate) databases: BTreeMap<String, Option<PathBuf>>,
    /// The schemas that a tables file tells.
    pub(crate) schemas: BTreeMap<String, Schema>,
    /// The schemas that come as DDL text with the rows.
    pub(crate) ddl: BTreeMap<String, String>,
    /// What was read.
    pub(crate) files: Vec<SourceFile>,
    /// Where a schema was looked for, for the message if there is none.
    pub(crate) schema_places: Vec<PathBuf>,
}

/// Where one split of a released data set lies; all paths are relative to its root, first found wins.
struct Layout {
    /// What the questions are, for the message if they are missing.
    what: &'static str,
    /// The files of questions, each as the places it may be in.
    questions: &'static [Questions],
    /// Places of the tables file.
    tables: &'static [&'static str],
    /// Folders that may hold `DB/DB.sqlite`.
    databases: &'static [&'static str],
}

struct Questions {
    /// What the identifiers of its rows begin with.
    prefix: &'static str,
    places: &'static [&'static str],
}

impl Layout {
    fn read(
        &self,
        root: &Path,
        example: fn(&str, &Record<'_>) -> Result<Example, DataError>,
    ) -> Result<Source, DataError> {
        let mut examples = Vec::new();
        let mut files = Vec::new();
        for questions in self.questions {
            let path = locate(root, questions.places, self.what)?;
            let (rows, file) = read_list(root, &path, |row| example(questions.prefix, row))?;
            examples.extend(rows);
            files.push(file);
        }
        let mut schemas = BTreeMap::new();
        // Without a tables file the database files tell the schemas; if one of them is absent too,
        // the error for that database names all these places.
        if let Ok(path) = locate(root, self.tables, "the tables file") {
            let (listed, file) = read_list(root, &path, schema::from_tables_record)?;
            schemas.extend(
                listed
                    .into_iter()
                    .map(|schema| (schema.db_id.clone(), schema)),
            );
            files.push(file);
        }
        let mut databases = BTreeMap::new();
        for Example { db_id, .. } in &examples {
            if !databases.contains_key(db_id) {
                let file = format!("{db_id}/{db_id}.sqlite");
                let places = self
                    .databases
                    .iter()
                    .map(|folder| root.join(folder).join(&file));
                databases.insert(
                    db_id.clone(),
                    places.into_iter().find(|path| path.is_file()),
                );
            }
        }
        let schema_places = self
            .tables
            .iter()
            .chain(self.databases)
            .map(|place| root.join(place))
            .collect();
        Ok(Source {
            examples,
            databases,
            schemas,
            ddl: BTreeMap::new(),
            files,
            schema_places,
        })
    }
}
