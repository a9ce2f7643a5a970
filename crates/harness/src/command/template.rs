//! `harness template`: queries in, templates out.

use std::io::{BufRead, Write};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Query {
    sql: String,
}

pub fn template() -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.context("cannot read standard input")?;
        if line.trim().is_empty() {
            continue;
        }
        let query: Query = serde_json::from_str(&line).with_context(|| {
            format!(
                "standard input, line {}: a row is {{\"sql\": …}}",
                number + 1
            )
        })?;
        let answer = match harness_sql::template(&query.sql) {
            Ok(template) => json!({ "template": template.to_string() }),
            Err(excluded) => json!({ "error": excluded.as_str() }),
        };
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    Ok(())
}
