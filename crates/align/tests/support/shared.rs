//! The folder of shared data and golden figures, which lies outside the repository.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A JSON file of the shared folder; none, with a line that says so, where it is not there.
pub fn read(file: &str) -> Option<Value> {
    Some(serde_json::from_str(&text(file)?).unwrap())
}

/// The text of a file of the shared folder, in the same way.
pub fn text(file: &str) -> Option<String> {
    let root = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(file);
    if !path.exists() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is missing; set HARNESS_SHARED",
            path.display()
        );
        println!("skipped: {} is missing", path.display());
        return None;
    }
    Some(std::fs::read_to_string(path).unwrap())
}

/// The texts of a list of strings, or of one field of a list of records.
pub fn strings(list: &Value, field: Option<&str>) -> Vec<String> {
    let text = |v: &Value| field.map_or(v, |f| &v[f]).as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}
