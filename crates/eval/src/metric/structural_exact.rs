//! Our own comparison of how two queries are written: equal up to what has no meaning.
//!
//! The rules are those of [`harness_sql::structure`]; they ask for more than Spider's exact match where that looks away
//! (values, DISTINCT, LIMIT, conditions of joins) and read all of SQLite's queries where it gives up. With a schema a
//! column without a table is read as the one it can only be, and text in double quotes is told from a name.
//!
//! A prediction that can't be parsed scores 0. Where the gold can't be, nothing can be said. Nothing is run: two queries
//! that are equal here return the same rows on any database, but for what SQL leaves open, and queries that return the
//! same rows need not be equal.

use harness_record::Schema;
use harness_sql::structure::{Tables, canonical};

use super::{Kind, Metric, Texts};

pub const METRIC: Metric = Metric {
    name: "structural_exact",
    summary: "equal queries but for spelling, aliases, and orders and forms without meaning",
    graded: false,
    kind: Kind::Text(score),
};

fn score(texts: &Texts<'_>) -> Option<f64> {
    let tables = texts.schema.map(tables);
    let gold = canonical(texts.gold, tables.as_ref()).ok()?;
    let equal = canonical(texts.predicted, tables.as_ref()).is_ok_and(|other| other == gold);
    Some(f64::from(u8::from(equal)))
}

fn tables(schema: &Schema) -> Tables {
    let mut tables = Tables::new();
    for table in &schema.tables {
        let columns = table.columns.iter().map(|column| column.name.as_str());
        tables.add(&table.name, columns);
    }
    tables
}

#[cfg(test)]
mod tests {
    use harness_record::{Column, Table};

    use super::*;

    #[track_caller]
    fn check(gold: &str, predicted: &str, schema: Option<&Schema>, expected: Option<f64>) {
        let texts = Texts {
            gold,
            predicted,
            schema,
        };
        assert_eq!(score(&texts), expected, "{gold}\n{predicted}");
    }

    #[test]
    fn equal_or_not_or_unknown() {
        let gold = "SELECT name FROM fruit WHERE price > 1 AND id IN (1, 2)";
        check(gold, gold, None, Some(1.0));
        let other = "select F.name from Fruit as F where F.id in (2, 1) and 1 < F.price";
        check(gold, other, None, Some(1.0));
        check(gold, &gold.replace("(1, 2)", "(1, 3)"), None, Some(0.0));
        check(gold, "SELECT name FROM", None, Some(0.0));
        check(gold, "", None, Some(0.0));
        check("SELECT name FROM", gold, None, None);
        check("SELECT name FROM", "SELECT name FROM", None, None);
    }

    #[test]
    fn the_schema_says_whose_a_column_is() {
        let table = |name: &str, columns: &[&str]| Table {
            name: name.into(),
            columns: columns
                .iter()
                .map(|name| Column {
                    name: (*name).into(),
                    ..Column::default()
                })
                .collect(),
            primary_key: Vec::new(),
        };
        let schema = Schema {
            db_id: "d".into(),
            tables: vec![
                table("Fruit", &["id", "Name"]),
                table("sale", &["fruit_id", "day"]),
            ],
            foreign_keys: Vec::new(),
        };
        let gold = "SELECT day FROM fruit JOIN sale ON fruit_id = id WHERE name = \"fig\"";
        let predicted =
            "SELECT S.day FROM fruit F JOIN sale S ON S.fruit_id = F.id WHERE F.name = 'fig'";
        check(gold, predicted, Some(&schema), Some(1.0));
        check(gold, predicted, None, Some(0.0));
    }
}
