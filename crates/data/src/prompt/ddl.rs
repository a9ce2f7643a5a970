//! The schema as `CREATE TABLE` statements that SQLite accepts, one column a line.

use harness_record::{Schema, Table};

use super::PromptOptions;
use super::identifier::{quoted, quoted_list};

pub(super) fn schema_text(options: &PromptOptions, schema: &Schema) -> String {
    schema
        .tables
        .iter()
        .map(|table| table_text(options, schema, table))
        .collect()
}

fn table_text(options: &PromptOptions, schema: &Schema, table: &Table) -> String {
    let mut lines: Vec<String> = Vec::new();
    for column in &table.columns {
        let words: Vec<&str> = column.data_type.split_whitespace().collect();
        let data_type = words.join(" ");
        lines.push(
            format!("{} {data_type}", quoted(&column.name))
                .trim_end()
                .to_owned(),
        );
    }
    if !table.primary_key.is_empty() {
        lines.push(format!("PRIMARY KEY ({})", quoted_list(&table.primary_key)));
    }
    if options.foreign_keys {
        for key in schema
            .foreign_keys
            .iter()
            .filter(|key| key.table == table.name)
        {
            lines.push(format!(
                "FOREIGN KEY ({}) REFERENCES {}({})",
                quoted_list(&key.columns),
                quoted(&key.foreign_table),
                quoted_list(&key.foreign_columns)
            ));
        }
    }
    format!(
        "CREATE TABLE {} (\n  {}\n);\n",
        quoted(&table.name),
        lines.join(",\n  ")
    )
}
