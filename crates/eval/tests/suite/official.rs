//! The prediction files that there are official verdicts for.

use std::collections::BTreeMap;
use std::path::Path;

use harness_record::{Column, ForeignKey, Schema, Table};
use serde_json::Value;

use crate::support::read;

/// The systems whose predictions on Spider dev have verdicts, and their files.
pub const SPIDER_SYSTEMS: &[(&str, &str)] = &[
    ("DAIL-SQL+GPT-4", "DAIL-SQL/DAIL-SQL+GPT-4.txt"),
    (
        "DAIL-SQL+GPT-4+self-consistency",
        "DAIL-SQL/DAIL-SQL+GPT-4+self-consistency.txt",
    ),
    ("DIN-SQL-CodeX", "DIN-SQL/CodeX/DIN-SQL.csv"),
    ("DIN-SQL-CodeX-few-shot", "DIN-SQL/CodeX/CodeX_few-shot.csv"),
    ("DIN-SQL-GPT4", "DIN-SQL/GPT4_results/DIN-SQL.csv"),
    (
        "DIN-SQL-GPT4-few-shot",
        "DIN-SQL/GPT4_results/GPT4_few_shot.csv",
    ),
    (
        "DIN-SQL-GPT4-zero-shot",
        "DIN-SQL/GPT4_results/GPT4_zero_shot.csv",
    ),
    ("C3SQL", "C3SQL/predicted_sql.txt"),
    ("CodeS-1b", "CodeS/pred_sqls-codes-1b-spider.txt"),
    ("CodeS-7b", "CodeS/pred_sqls-codes-7b-spider.txt"),
];

/// The predictions of a file as the official script reads them: a line each, up to the first tab.
pub fn spider_predictions(data: &Path, file: &str) -> Vec<String> {
    let text = read(data.join("predictions/spider").join(file));
    let predictions: Vec<String> = if file.starts_with("DIN-SQL") {
        let records = csv(&text).into_iter().skip(1);
        records.map(|record| record[1].replace('\n', " ")).collect()
    } else {
        text.lines().map(str::to_owned).collect()
    };
    let read = |line: &String| line.trim().split('\t').next().unwrap().to_owned();
    predictions.iter().map(read).collect()
}

/// The schemas of a tables file, by database.
pub fn schemas(path: &Path) -> BTreeMap<String, Schema> {
    let entries: Vec<Value> = serde_json::from_str(&read(path)).unwrap();
    let schema = |entry: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |key: &str| entry[key].as_array().unwrap().clone();
        let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let tables = list("table_names_original");
        let columns = list("column_names_original");
        let end = |at: &Value| {
            let column = &columns[index(at)];
            (text(&tables[index(&column[0])]), vec![text(&column[1])])
        };
        let table = |(at, name): (usize, &Value)| Table {
            name: text(name),
            columns: columns
                .iter()
                .filter(|column| column[0] == at)
                .map(|column| Column {
                    name: text(&column[1]),
                    ..Column::default()
                })
                .collect(),
            primary_key: Vec::new(),
        };
        let key = |pair: &Value| {
            let ((table, columns), (foreign_table, foreign_columns)) =
                (end(&pair[0]), end(&pair[1]));
            ForeignKey {
                table,
                columns,
                foreign_table,
                foreign_columns,
            }
        };
        Schema {
            db_id: text(&entry["db_id"]),
            tables: tables.iter().enumerate().map(table).collect(),
            foreign_keys: list("foreign_keys").iter().map(key).collect(),
        }
    };
    let schemas = entries.iter().map(schema);
    schemas
        .map(|schema| (schema.db_id.clone(), schema))
        .collect()
}

/// The records of a CSV file: fields may be quoted, with quotes doubled and line breaks inside.
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                record.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => records.push(std::mem::replace(&mut record, vec![String::new()])),
            _ => record.last_mut().unwrap().push(letter),
        }
    }
    if record.iter().any(|field| !field.is_empty()) {
        records.push(record);
    }
    records
}
