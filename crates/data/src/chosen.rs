//! A list of identifiers that says which examples of a set are wanted, as `harness select` writes it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::DataError;
use crate::file::{parse_lines, read};
use crate::query_file::{is_json_lines, not_utf8};

/// Reads the identifiers of a file: of JSON Lines, which a name that ends in `.jsonl` tells, the field `id`; of any
/// other file each line that is not blank.
///
/// # Errors
/// [`DataError`], with the file, the line and the field.
pub fn read_ids(path: &Path) -> Result<BTreeSet<String>, DataError> {
    let root = path.parent().unwrap_or(Path::new("."));
    let (content, _) = read(root, path)?;
    if is_json_lines(path) {
        let ids = parse_lines(path, &content, |row| row.identifier("id"))?;
        return Ok(ids.into_iter().collect());
    }
    let text =
        std::str::from_utf8(&content).map_err(|error| not_utf8(path, 0, &content, &error))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}
