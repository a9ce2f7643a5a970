//! Where the schema of a database comes from: a tables file, the database file, DDL text, or the lists
//! of columns of the older sets; and what BIRD says of columns.
//!
//! SQLite's own tables (`sqlite_sequence`, …) are never part of a schema, whatever the source: nobody
//! may create them, so they would make a DDL prompt that is no DDL.

mod classic_csv;
mod ddl;
mod descriptions;
mod sqlite;
mod tables_json;

pub use ddl::from_ddl;
pub use sqlite::from_sqlite;
pub use tables_json::from_tables_file;

pub(crate) use classic_csv::from_classic_csv;
pub(crate) use ddl::build;
pub(crate) use descriptions::{describe, parse as parse_descriptions};
pub(crate) use sqlite::{open, open_checked, refuse_non_sqlite};
pub(crate) use tables_json::from_tables_record;

/// Whether SQLite keeps the name for itself.
fn is_internal(table: &str) -> bool {
    table
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}
