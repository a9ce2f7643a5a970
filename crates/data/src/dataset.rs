//! One split of one data set, filtered and sampled.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use harness_record::{Example, Schema};
use serde::{Deserialize, Serialize};

use crate::chosen::read_ids;
use crate::defect::Exclusions;
use crate::error::DataError;
use crate::file::SourceFile;
use crate::nearest::nearest;
use crate::notes::Notes;
use crate::row_database::Rows;
use crate::sample::{sample, sample_where};
use crate::schema;
use crate::source::{DatasetKind, Source};

/// What to load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetRef {
    /// The layout of the files.
    pub dataset: DatasetKind,
    /// Folder of the data set, as its official release is unpacked.
    pub root: PathBuf,
    /// Name of the split (`train`, `dev`, …); [`DatasetKind::splits`] says which exist.
    pub split: String,
    /// Keep the questions about these databases only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub databases: Option<Vec<String>>,
    /// Keep the examples only whose identifiers this file lists, as `harness select` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
    /// Draw this many examples of those that pass the filters, without replacement and without
    /// regard to database or difficulty. If fewer pass, all are taken and the notes say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Seed of that draw: with the same files and filters it gives the same examples, and a smaller
    /// limit gives a part of what a larger one gives.
    #[serde(default)]
    pub seed: u64,
    /// Leave out the questions whose database file is absent.
    #[serde(default)]
    pub require_database: bool,
    /// Keep the rows whose gold query SQLite refuses, or which is not one reading query. They are
    /// listed in the notes either way. A row whose context is refused has no schema, and is always left
    /// out. Golds are looked at only where a database is made of each row ([`DatasetKind::Gretel`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_refused: bool,
    /// Read what BIRD's `database_description` folders say of the columns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descriptions: bool,
    /// Folder for the databases that are made of rows; they are named by the hash of what they are made
    /// of, and used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
}

impl DatasetRef {
    /// All of a split: no filter, no draw.
    pub fn new(dataset: DatasetKind, root: impl Into<PathBuf>, split: impl Into<String>) -> Self {
        Self {
            dataset,
            root: root.into(),
            split: split.into(),
            databases: None,
            ids: None,
            limit: None,
            seed: 0,
            require_database: false,
            keep_refused: false,
            descriptions: false,
            cache: None,
        }
    }
}

/// The examples of one split, with all that is needed to prompt and to run them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The examples, in the order of the files.
    pub examples: Vec<Example>,
    /// The schema of every database that an example is about.
    pub schemas: BTreeMap<String, Schema>,
    /// The SQLite file of every such database; `None` where it is absent.
    pub databases: BTreeMap<String, Option<PathBuf>>,
    /// What was left out, and why.
    pub notes: Notes,
    /// The text files that were read (database files are hashed by [`Dataset::hash_databases`]).
    pub files: Vec<SourceFile>,
    /// The folder that the paths of `files` are relative to.
    pub root: PathBuf,
    /// Whether the databases were made of the rows, and so are told by `files`.
    pub made: bool,
}

impl Dataset {
    /// Hashes the database files that are present, in the order of their names. This reads all of
    /// them, which for BIRD is more than a gigabyte; hence it is not part of [`load`]. Databases that
    /// were made of the rows are no sources.
    pub fn hash_databases(&self) -> Result<Vec<SourceFile>, DataError> {
        if self.made {
            return Ok(Vec::new());
        }
        self.databases
            .values()
            .flatten()
            .map(|path| SourceFile::of(&self.root, path))
            .collect()
    }
}

/// Loads one split: reads, filters by database, drops what has no database file if that is asked
/// for, draws, and finds the schemas.
///
/// # Errors
/// [`DataError`], with the file, the record and the field; also when nothing is left.
pub fn load(reference: &DatasetRef) -> Result<Dataset, DataError> {
    load_without(reference, &Exclusions::default())
}

/// The examples of a whole split as the files tell them: no filter, no draw, and no database is looked at. This is all
/// that the comparison of query texts needs.
///
/// # Errors
/// [`DataError`], with the file, the record and the field; also when the split is empty.
pub fn read_examples(reference: &DatasetRef) -> Result<Vec<Example>, DataError> {
    let mut examples = reference.dataset.examples(reference)?;
    make_ids_unique(reference, &mut examples)?;
    if examples.is_empty() {
        return Err(DataError::Empty {
            dataset: reference.dataset.name(),
            split: reference.split.clone(),
            read: 0,
            why: String::new(),
        });
    }
    Ok(examples)
}

/// [`load`] without the examples that a list of defects takes out. They go before the draw, so that a limit is filled
/// with sound ones; the notes count them.
pub fn load_without(reference: &DatasetRef, exclusions: &Exclusions) -> Result<Dataset, DataError> {
    let Source {
        mut examples,
        mut databases,
        mut schemas,
        ddl,
        make_databases,
        descriptions,
        release,
        mut files,
        schema_places,
    } = reference.dataset.read(reference)?;
    let repeated = make_ids_unique(reference, &mut examples)?;

    let mut notes = Notes {
        read: examples.len(),
        repeated,
        release,
        ..Notes::default()
    };
    if let Some(wanted) = &reference.databases {
        refuse_unknown_databases(reference, wanted, &examples)?;
        examples.retain(|example| wanted.contains(&example.db_id));
        notes.other_databases = notes.read - examples.len();
    }
    if let Some(path) = &reference.ids {
        let wanted = read_ids(path)?;
        let before = examples.len();
        examples.retain(|example| wanted.contains(&example.id));
        notes.not_chosen = before - examples.len();
        // A list may be of several sets, or what it lists may have gone before.
        notes.chosen_elsewhere = wanted.len() - examples.len();
    }
    // Databases that are made of the rows are made of those that are drawn: none is absent before.
    if reference.require_database && !make_databases {
        notes.no_database = count_by_database(
            examples
                .iter()
                .filter(|example| is_absent(&databases, example)),
        );
        examples.retain(|example| !is_absent(&databases, example));
    }
    examples.retain(|example| {
        let reason = exclusions.reason(reference.dataset, example);
        if let Some(kind) = reason {
            *notes.defective.entry(kind).or_insert(0) += 1;
        }
        reason.is_none()
    });
    let before = examples.len();
    let count = reference.limit.unwrap_or(before);
    let drawn = if make_databases {
        let mut rows = Rows::new(reference, &ddl)?;
        let drawn = sample_where(before, count, reference.seed, |position| {
            rows.accept(position, &examples[position])
        })?;
        let made = rows.finish();
        databases = made.databases;
        notes.refused = made.refused;
        notes.refused_left_out = made.left_out;
        drawn
    } else {
        sample(before, count, reference.seed)
    };
    notes.not_drawn = before - notes.refused_left_out - drawn.len();
    notes.limit_not_reached = reference.limit.filter(|limit| *limit > drawn.len());
    let mut position = 0;
    examples.retain(|_| {
        position += 1;
        drawn.binary_search(&(position - 1)).is_ok()
    });
    if examples.is_empty() {
        return Err(DataError::Empty {
            dataset: reference.dataset.name(),
            split: reference.split.clone(),
            read: notes.read,
            why: notes.losses(),
        });
    }
    notes.kept = examples.len();
    let without = examples.iter().filter(|it| is_absent(&databases, it));
    notes.kept_without_database = count_by_database(without);

    let used: BTreeSet<&str> = examples
        .iter()
        .map(|example| example.db_id.as_str())
        .collect();
    let mut used_schemas = BTreeMap::new();
    let mut used_databases = BTreeMap::new();
    for db_id in used {
        let database = databases.get(db_id).cloned().flatten();
        if let Some(path) = &database {
            schema::refuse_non_sqlite(path)?;
        }
        let mut schema = if let Some(schema) = schemas.remove(db_id) {
            schema
        } else if let Some(path) = &database {
            schema::from_sqlite(path, db_id)?
        } else if let Some(ddl) = ddl.get(db_id) {
            schema::from_ddl(ddl, db_id)?
        } else {
            return Err(DataError::NoSchema {
                db_id: db_id.to_owned(),
                tried: schema_places,
            });
        };
        if reference.descriptions {
            files.extend(schema::describe(
                &reference.root,
                &descriptions,
                &mut schema,
            )?);
        }
        used_schemas.insert(db_id.to_owned(), schema);
        used_databases.insert(db_id.to_owned(), database);
    }
    Ok(Dataset {
        examples,
        schemas: used_schemas,
        databases: used_databases,
        notes,
        files,
        root: reference.root.clone(),
        made: make_databases,
    })
}

fn is_absent(databases: &BTreeMap<String, Option<PathBuf>>, example: &Example) -> bool {
    !matches!(databases.get(&example.db_id), Some(Some(_)))
}

/// BIRD's mini-dev holds two questions twice, and its official score counts them twice: a record that
/// repeats another in all its fields stays, with `-2` (`-3`, …) after its identifier. Records that
/// differ may not share one.
fn make_ids_unique(
    reference: &DatasetRef,
    examples: &mut [Example],
) -> Result<Vec<String>, DataError> {
    let fault = |id: &str, first, second| DataError::DuplicateId {
        dataset: reference.dataset.name(),
        split: reference.split.clone(),
        id: id.to_owned(),
        first,
        second,
    };
    let ids: HashSet<&str> = examples.iter().map(|it| it.id.as_str()).collect();
    if ids.len() == examples.len() {
        return Ok(Vec::new());
    }
    // Position of the first record with an identifier, and how many have it.
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut repeated = Vec::new();
    for second in 0..examples.len() {
        let id = examples[second].id.clone();
        let Some((first, times)) = seen.get_mut(&id) else {
            seen.insert(id, (second, 1));
            continue;
        };
        if examples[*first] != examples[second] {
            return Err(fault(&id, *first, second));
        }
        *times += 1;
        let id = format!("{id}-{times}");
        if let Some((first, _)) = seen.insert(id.clone(), (second, 1)) {
            return Err(fault(&id, first, second));
        }
        examples[second].id.clone_from(&id);
        repeated.push(id);
    }
    Ok(repeated)
}

fn refuse_unknown_databases(
    reference: &DatasetRef,
    wanted: &[String],
    examples: &[Example],
) -> Result<(), DataError> {
    let known: BTreeSet<&str> = examples
        .iter()
        .map(|example| example.db_id.as_str())
        .collect();
    match wanted.iter().find(|name| !known.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(DataError::UnknownDatabase {
            dataset: reference.dataset.name(),
            split: reference.split.clone(),
            name: name.clone(),
            nearest: nearest(name, known.iter().copied()),
            known: known.len(),
        }),
    }
}

fn count_by_database<'a>(examples: impl Iterator<Item = &'a Example>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for example in examples {
        *counts.entry(example.db_id.clone()).or_insert(0) += 1;
    }
    counts
}
