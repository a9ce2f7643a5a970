//! Where databases and their schemas are: for a loaded data set, and for names to be looked up below a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use harness_data::schema;
use harness_eval::Place;
use harness_record::Schema;

/// A layout of released databases below a folder.
struct Layout {
    /// Folder that holds `DB/DB.sqlite`.
    databases: &'static str,
    /// The file that tells the schemas.
    tables: &'static str,
    /// Whether further SQLite files of a database's folder are its test suite.
    suites: bool,
}

const LAYOUTS: [Layout; 3] = [
    Layout {
        databases: "spider/database",
        tables: "spider/tables.json",
        suites: true,
    },
    Layout {
        databases: "bird/dev_databases",
        tables: "bird/dev_tables.json",
        suites: false,
    },
    Layout {
        databases: "database",
        tables: "tables.json",
        suites: true,
    },
];

/// The databases below a folder, looked up by name.
pub struct Lookup<'a> {
    root: &'a Path,
    /// By layout, as far as a tables file was needed.
    schemas: BTreeMap<&'static str, BTreeMap<String, Schema>>,
    found: BTreeMap<String, Place>,
}

impl<'a> Lookup<'a> {
    /// Nothing is read yet.
    pub fn new(root: &'a Path) -> Result<Self> {
        if !root.is_dir() {
            bail!("{} is no folder", root.display());
        }
        Ok(Self {
            root,
            schemas: BTreeMap::new(),
            found: BTreeMap::new(),
        })
    }

    /// The places that a database was looked for in, for messages.
    pub fn tried(db: &str) -> String {
        let places = LAYOUTS.map(|layout| format!("{}/{db}/{db}.sqlite", layout.databases));
        places.join(", ")
    }

    /// What there is of a database; a place without files if nothing.
    pub fn place(&mut self, db: &str) -> Result<Place> {
        if let Some(place) = self.found.get(db) {
            return Ok(place.clone());
        }
        let candidates: Vec<_> = LAYOUTS
            .iter()
            .map(|layout| (layout, self.file(layout, db)))
            .filter(|(_, file)| file.is_file())
            .collect();
        let place = match candidates.as_slice() {
            [] => Place::default(),
            [(layout, file)] => Place {
                files: if layout.suites {
                    suite(file)?
                } else {
                    vec![file.clone()]
                },
                schema: self.schema(layout, file, db)?.map(Arc::new),
            },
            [(_, one), (_, other), ..] => bail!(
                "there are two databases `{db}`: {} and {}; give a --root that holds one of them",
                one.display(),
                other.display()
            ),
        };
        self.found.insert(db.to_owned(), place.clone());
        Ok(place)
    }

    fn file(&self, layout: &Layout, db: &str) -> PathBuf {
        let folder = self.root.join(layout.databases).join(db);
        folder.join(format!("{db}.sqlite"))
    }

    /// The schema by the tables file where that knows the database, else by the database; `None` if neither can be read:
    /// that is for the execution to tell.
    fn schema(&mut self, layout: &Layout, file: &Path, db: &str) -> Result<Option<Schema>> {
        if !self.schemas.contains_key(layout.tables) {
            let tables = self.root.join(layout.tables);
            let schemas = if tables.is_file() {
                schema::from_tables_file(&tables)?
            } else {
                BTreeMap::new()
            };
            self.schemas.insert(layout.tables, schemas);
        }
        let told = self.schemas[layout.tables].get(db);
        Ok(told.cloned().or_else(|| schema::from_sqlite(file, db).ok()))
    }
}

/// A database's file, and behind it the others of its folder, sorted: its test suite, if there is one.
pub fn suite(file: &Path) -> Result<Vec<PathBuf>> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let fault = || format!("cannot list {}", folder.display());
    let mut others = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(fault)? {
        let path = entry.with_context(fault)?.path();
        if path.extension().is_some_and(|it| it == "sqlite") && path != file && path.is_file() {
            others.push(path);
        }
    }
    others.sort();
    others.insert(0, file.to_owned());
    Ok(others)
}
