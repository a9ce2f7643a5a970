//! The data set layouts: one file each, and one line each in the table below.
//!
//! A source knows which files a split is in and what a row looks like. It does not filter, draw or
//! open a database; [`load`](crate::load) does that for all of them.

pub(crate) mod bird;
pub(crate) mod classic;
pub(crate) mod gretel;
pub(crate) mod jsonl;
#[cfg(feature = "parquet")]
mod parquet_rows;
pub(crate) mod spider;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness_record::{Example, Schema};
use serde::{Deserialize, Serialize};

use crate::dataset::DatasetRef;
use crate::error::DataError;
use crate::field::Record;
use crate::file::{SourceFile, locate, parse_list, read_content, read_list};
use crate::nearest::nearest;
use crate::schema;

/// The layout of a data set's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetKind {
    /// Spider as officially released (`train_spider.json`, `tables.json`, `database/`), with the splits
    /// `dk`, `syn`, `syn-train` and `realistic` for what others made of it.
    Spider,
    /// BIRD as officially released (`dev.json`, `dev_tables.json`, `dev_databases/`; `train…`; mini-dev).
    Bird,
    /// Gretel's synthetic text-to-SQL as officially released (`synthetic_text_to_sql_train.snappy.parquet`),
    /// or its rows as `train.jsonl` and `test.jsonl`. A database is made of each row's `sql_context`.
    Gretel,
    /// The eight older sets of one database each in the form of Finegan-Dollak et al. (ACL 2018):
    /// `geography.json`, `geography-schema.csv`, …; a split is a set's name, or `geography-test`.
    Classic,
    /// The user's own JSON Lines, one file `SPLIT.jsonl` for each split; each line has
    ///
    /// - `question`: the question (text);
    /// - `sql`: the gold query (text);
    /// - `db_id`: the name of the database (text without `/`), the same for all questions about it;
    /// - `db`: the path of its SQLite file, relative to the folder of the `.jsonl` file; or
    /// - `ddl`: the statements that make its tables. They tell the schema; without `db` there is nothing
    ///   to run a query on. Both may stand on one line of a database only;
    /// - optionally `id` (text; else the split and the number of the line, from 0), `evidence` (text) and
    ///   `difficulty` (text). Other fields are passed over.
    Jsonl,
}

/// A line of the table of layouts.
struct Entry {
    name: &'static str,
    /// The splits that the layout has (for some that depends on the folder).
    splits: fn(root: &Path) -> Vec<String>,
    read: fn(&DatasetRef) -> Result<Source, DataError>,
    /// The examples alone, for those who want nothing of the databases.
    examples: fn(&DatasetRef) -> Result<Vec<Example>, DataError>,
}

impl DatasetKind {
    /// All layouts.
    pub const ALL: [Self; 5] = [
        Self::Spider,
        Self::Bird,
        Self::Gretel,
        Self::Classic,
        Self::Jsonl,
    ];

    /// The table of layouts.
    const fn entry(self) -> &'static Entry {
        match self {
            Self::Spider => &spider::ENTRY,
            Self::Bird => &bird::ENTRY,
            Self::Gretel => &gretel::ENTRY,
            Self::Classic => &classic::ENTRY,
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

    pub(crate) fn examples(self, reference: &DatasetRef) -> Result<Vec<Example>, DataError> {
        (self.entry().examples)(reference)
    }

    fn unknown_split(self, reference: &DatasetRef) -> DataError {
        let known = self.splits(&reference.root);
        DataError::UnknownSplit {
            dataset: self.name(),
            root: reference.root.clone(),
            split: reference.split.clone(),
            nearest: nearest(&reference.split, known.iter().map(String::as_str)),
            known,
        }
    }
}

/// The names of the folder's files with an extension, without it, sorted.
fn stems(root: &Path, extension: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// All rows of one split, before any filter.
#[derive(Default)]
pub(crate) struct Source {
    /// The rows, in the order of the files.
    pub(crate) examples: Vec<Example>,
    /// The database files that exist, and `None` for those looked for in vain.
    pub(crate) databases: BTreeMap<String, Option<PathBuf>>,
    /// The schemas that a tables file tells.
    pub(crate) schemas: BTreeMap<String, Schema>,
    /// The schemas that come as DDL text with the rows.
    pub(crate) ddl: BTreeMap<String, String>,
    /// Whether `ddl` is all there is of the databases, so that they have to be made of it.
    pub(crate) make_databases: bool,
    /// Folders that may hold `DB/database_description/TABLE.csv`.
    pub(crate) descriptions: Vec<PathBuf>,
    /// Which of several releases the files are, in words.
    pub(crate) release: Option<String>,
    /// What was read.
    pub(crate) files: Vec<SourceFile>,
    /// Where a schema was looked for, for the message if there is none.
    pub(crate) schema_places: Vec<PathBuf>,
}

/// Where one split of a released data set lies; all paths are relative to its root, first found wins.
struct Layout {
    /// What this is, for the message if its questions are missing.
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
    fn examples(
        &self,
        root: &Path,
        example: impl Fn(&str, &Record<'_>) -> Result<Example, DataError>,
    ) -> Result<Vec<Example>, DataError> {
        let mut examples = Vec::new();
        for questions in self.questions {
            let path = locate(root, questions.places, &self.sought())?;
            let content = read_content(&path)?;
            let rows = parse_list(&path, &content, |row| example(questions.prefix, row))?;
            examples.extend(rows);
        }
        Ok(examples)
    }

    /// What its questions are called if they are not found.
    fn sought(&self) -> String {
        format!("the questions of {}", self.what)
    }

    fn read(
        &self,
        root: &Path,
        example: impl Fn(&str, &Record<'_>) -> Result<Example, DataError>,
    ) -> Result<Source, DataError> {
        let mut examples = Vec::new();
        let mut files = Vec::new();
        for questions in self.questions {
            let path = locate(root, questions.places, &self.sought())?;
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
            descriptions: self.databases.iter().map(|it| root.join(it)).collect(),
            files,
            schema_places,
            ..Source::default()
        })
    }
}
