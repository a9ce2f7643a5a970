//! What a query can name: the tables and columns of a schema, and which columns are one by foreign keys.

use std::collections::{BTreeMap, BTreeSet};

use harness_record::Schema;

/// A table or a column by its place in the schema, or `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// `*`.
    All,
    /// A table.
    Table(usize),
    /// A column of a table.
    Column(usize, usize),
}

/// The names of a schema without their case.
#[derive(Debug)]
pub struct Names {
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<String>,
}

impl Names {
    /// The names of a schema.
    pub fn new(schema: &Schema) -> Self {
        let table = |table: &harness_record::Table| Table {
            name: table.name.to_lowercase(),
            columns: table
                .columns
                .iter()
                .map(|column| column.name.to_lowercase())
                .collect(),
        };
        Self {
            tables: schema.tables.iter().map(table).collect(),
        }
    }

    /// Whether a table has this name.
    pub fn has_table(&self, name: &str) -> bool {
        self.table(name).is_some()
    }

    /// What `*`, `table` or `table.column` stands for.
    pub fn find(&self, name: &str) -> Option<Name> {
        match name.split_once('.') {
            Some((table, column)) => self.column(table, column),
            None if name == "*" => Some(Name::All),
            None => self.table(name).map(Name::Table),
        }
    }

    /// The column of a table, both by name.
    pub fn column(&self, table: &str, column: &str) -> Option<Name> {
        let at = self.table(table)?;
        let mut columns = self.tables[at].columns.iter();
        let column = columns.position(|name| name == column)?;
        Some(Name::Column(at, column))
    }

    fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name == name)
    }
}

/// For each column at an end of a foreign key, the one that stands for all that are bound to it: the first of the schema.
///
/// As in `build_foreign_key_map`: a key joins the first group that has one of its ends, and two groups that a later key
/// would bring together stay apart.
pub fn representatives(schema: &Schema, names: &Names) -> BTreeMap<Name, Name> {
    let mut groups: Vec<BTreeSet<Name>> = Vec::new();
    for key in &schema.foreign_keys {
        let (table, foreign_table) = (key.table.to_lowercase(), key.foreign_table.to_lowercase());
        for (column, foreign_column) in key.columns.iter().zip(&key.foreign_columns) {
            let ends = [
                names.column(&table, &column.to_lowercase()),
                names.column(&foreign_table, &foreign_column.to_lowercase()),
            ];
            let [Some(from), Some(to)] = ends else {
                continue;
            };
            let known = groups
                .iter_mut()
                .find(|group| group.contains(&from) || group.contains(&to));
            match known {
                Some(group) => group.extend([from, to]),
                None => groups.push(BTreeSet::from([from, to])),
            }
        }
    }
    // A column can be in two groups; the later one counts.
    let mut map = BTreeMap::new();
    for group in groups {
        if let Some(&first) = group.first() {
            map.extend(group.into_iter().map(|name| (name, first)));
        }
    }
    map
}
