//! What can be wrong with data files, each fault with its file, its record, and what to do.

use std::fmt;
use std::path::PathBuf;

/// Where in a file a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Position in a JSON list, from 0.
    Record(usize),
    /// Line of a text file, from 1.
    Line(usize),
    /// Row of a Parquet file, from 0.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(index) => write!(f, "record {index} (counted from 0)"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row} (counted from 0)"),
        }
    }
}

/// A fault in the data, or in what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// None of the places a file may sit in has it.
    #[error(
        "{what} not found; looked for {}. Set the data path to the folder that holds the unpacked official release",
        list(tried.iter().map(|path| path.display()))
    )]
    MissingFile {
        /// What the file is, in words.
        what: String,
        /// All places that were tried, in order.
        tried: Vec<PathBuf>,
    },
    /// The file is there and can't be read.
    #[error("{}: can't be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A text file holds bytes that are no text.
    #[error("{}: line {line} is not UTF-8: convert the file", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// A file of queries holds none.
    #[error("{} holds no query: write one a line, or JSON Lines with a field `sql`", path.display())]
    NoQueries {
        /// The file.
        path: PathBuf,
    },
    /// The text is not JSON.
    #[error("{}:{line}:{column}: not valid JSON: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1 (0: the file ended).
        column: usize,
        /// The parser's own words.
        message: String,
    },
    /// The file holds another JSON value than a list of records.
    #[error("{}: holds {found} where a list of records is expected; is this the right file?", path.display())]
    NotAList {
        /// The file.
        path: PathBuf,
        /// What it holds instead, in words.
        found: &'static str,
    },
    /// A field is missing, or has the wrong type or value.
    #[error("{}: {place}: field `{field}`: expected {expected}, found {found}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The record.
        place: Place,
        /// The field; empty for the record itself.
        field: String,
        /// What was expected, in words.
        expected: String,
        /// What was found, shortened.
        found: String,
    },
    /// Two records have one identifier, so that predictions could not be told apart.
    #[error(
        "{dataset} split `{split}`: records {first} and {second} (counted from 0) have the same id `{id}`"
    )]
    DuplicateId {
        /// The data set.
        dataset: &'static str,
        /// The split.
        split: String,
        /// The identifier both have.
        id: String,
        /// Position of the first record.
        first: usize,
        /// Position of the second record.
        second: usize,
    },
    /// The data set has no such split.
    #[error(
        "{dataset} in {} has no split `{split}`{}; it has {}", root.display(), hint(nearest.as_deref()), list(known)
    )]
    UnknownSplit {
        /// The data set.
        dataset: &'static str,
        /// The folder of the data set.
        root: PathBuf,
        /// The split that was asked for.
        split: String,
        /// The nearest split that exists.
        nearest: Option<String>,
        /// The splits that exist.
        known: Vec<String>,
    },
    /// The filter names a database that no question of the split is about.
    #[error(
        "{dataset} split `{split}`: no question is about a database `{name}`{}; {known} databases have questions",
        hint(nearest.as_deref())
    )]
    UnknownDatabase {
        /// The data set.
        dataset: &'static str,
        /// The split.
        split: String,
        /// The name in the filter.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
        /// How many databases the split has.
        known: usize,
    },
    /// Nothing is left to work on.
    #[error("{dataset} split `{split}`: no example is left of {read} read: {why}")]
    Empty {
        /// The data set.
        dataset: &'static str,
        /// The split.
        split: String,
        /// How many records the files hold.
        read: usize,
        /// Which filter took them, in words.
        why: String,
    },
    /// A file has the name of a database and is none.
    #[error("{}: not a SQLite database: {found}", path.display())]
    NotSqlite {
        /// The file.
        path: PathBuf,
        /// What it is instead, in words.
        found: &'static str,
    },
    /// SQLite can't read the schema of a database file.
    #[error("{}: SQLite can't read the schema: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The engine's own words.
        source: rusqlite::Error,
    },
    /// The rows of a table can't be read.
    #[error(
        "{}: table `{table}`: can't be read for the prompt: {source}. Does the file belong to this release of the data set?",
        path.display()
    )]
    Content {
        /// The database file.
        path: PathBuf,
        /// The table.
        table: String,
        /// The engine's own words.
        source: rusqlite::Error,
    },
    /// SQLite refuses a schema that is given as text.
    #[error("database `{db_id}`: SQLite refuses its DDL: {}", words_of(source))]
    Ddl {
        /// The database.
        db_id: String,
        /// The engine's own words.
        source: rusqlite::Error,
    },
    /// The file is not the Parquet file that it should be.
    #[error("{}: can't be read as Parquet: {message}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong, in the reader's words.
        message: String,
    },
    /// A table of columns lacks one, or has one of another type.
    #[error("{}: expected a column `{column}` of {expected}, found {found}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The type that was expected, in words.
        expected: &'static str,
        /// The column's type, or the columns that there are.
        found: String,
    },
    /// The lines of a CSV file can't be told apart.
    #[error("{}: not a CSV file: {message}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The parser's own words, with the line.
        message: String,
    },
    /// The data set's databases have to be made, and there is no folder for them.
    #[error(
        "{dataset}: a database is made of each row, and no folder is given for them; set HARNESS_CACHE to one"
    )]
    NoCache {
        /// The data set.
        dataset: &'static str,
    },
    /// A database that was made can't be put into the folder for them.
    #[error("{}: a database can't be written: {message}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's or the engine's own words.
        message: String,
    },
    /// A key of a tables file points to a column that does not exist.
    #[error("{}: database `{db_id}`: `{field}`: expected {expected}, found {found}", path.display())]
    Key {
        /// The tables file.
        path: PathBuf,
        /// The database.
        db_id: String,
        /// The entry (`foreign_keys[3]`).
        field: String,
        /// What was expected, in words.
        expected: String,
        /// The entry as it stands, shortened.
        found: String,
    },
    /// Neither a tables file, nor a database file, nor DDL tells the schema.
    #[error("database `{db_id}` has no schema: it is not in a tables file, has no SQLite file, and comes without DDL; looked for {}", list(tried.iter().map(|path| path.display())))]
    NoSchema {
        /// The database.
        db_id: String,
        /// All places that were tried.
        tried: Vec<PathBuf>,
    },
}

/// The engine's message without the statement, which may be as long as the file.
pub(crate) fn words_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. }
        | rusqlite::Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        other => other.to_string(),
    }
}

fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    if quoted.is_empty() {
        "nothing".to_owned()
    } else {
        quoted.join(", ")
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}
