//! Tables of files, and arbitrary bytes.

use std::path::Path;

use harness_record::Example;
use proptest::prelude::*;

use super::*;

fn parse(name: &str, text: &str) -> Result<PredictionFile, PredictionError> {
    parse_predictions(Path::new(name), text.as_bytes(), None)
}

/// Rows as `id|database|query`, with `-` for what is not stated.
fn told(file: &PredictionFile) -> Vec<String> {
    let text = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".into());
    file.rows
        .iter()
        .map(|row| format!("{}|{}|{}", text(&row.id), text(&row.db_id), row.sql))
        .collect()
}

#[track_caller]
fn check(name: &str, text: &str, format: PredictionFormat, rows: &[&str]) -> PredictionFile {
    let file = parse(name, text).unwrap();
    assert_eq!(file.format, format);
    assert_eq!(told(&file), rows);
    file
}

#[test]
fn the_formats_are_told_apart_and_read() {
    use PredictionFormat::{Bird, Csv, Json, Jsonl, Spider};
    let file = check(
        "p.json",
        "\u{feff}{\"0\": \"SELECT 'a\\n'\\t----- bird -----\\tpond\", \"7\": 0,\n\"9\": \"SELECT 2\", \"x\": \"\\t----- bird -----\\t\"}",
        Bird,
        &["0|pond|SELECT 'a\n'", "7|-|", "9|-|SELECT 2", "x|-|"],
    );
    assert_eq!(
        (file.not_text, file.without_separator),
        (vec!["7".to_owned()], vec!["9".to_owned()])
    );
    // A query may quote the separator; only the last one parts it from the database.
    check(
        "p.json",
        r#"{"1": "a\t----- bird -----\tb\t----- bird -----\tc"}"#,
        Bird,
        &["1|c|a\t----- bird -----\tb"],
    );
    let file = check(
        "p.txt",
        "SELECT 1;\r\n  select\t2 \n\n\nSELECT 3",
        Spider,
        &["-|-|SELECT 1;", "-|-|select", "-|-|SELECT 3"],
    );
    assert_eq!((file.blank_lines, file.rows[2].place), (2, Place::Line(5)));
    check("p", "a\tx\nb\t\tpond", Spider, &["-|x|a", "-|pond|b"]);
    check(
        "p.csv",
        "NLQ,PREDICTED SQL,GOLD SQL,DATABASE\n\"a, \"\"b\"\"\",\"SELECT\n1\",g,pond\nq,,g,pond\n",
        Csv,
        &["-|pond|SELECT\n1", "-|pond|"],
    );
    check(
        "p.csv",
        "sql,pred,id\r\ngold,mine,4\r\n",
        Csv,
        &["4|-|mine"],
    );
    let file = check(
        "p.jsonl",
        "{\"id\": \"a\", \"db_id\": \"d\", \"sql\": \"S\", \"raw\": \"\"}\n\n{\"question_id\": 3, \"pred\": null, \"sql\": \"gold\"}",
        Jsonl,
        &["a|d|S", "3|-|"],
    );
    assert_eq!(file.not_text, ["3"]);
    check(
        "p.json",
        "{\"sql\": \"S\"}\n{\"sql\": \"T\"}",
        Jsonl,
        &["-|-|S", "-|-|T"],
    );
    check(
        "p.json",
        "[{\"pred\": \"S\"},\n{\"pred\": \"T\"}]",
        Json,
        &["-|-|S", "-|-|T"],
    );
    let plain = parse_predictions(
        Path::new("p"),
        b"a\tb\n\nc\n",
        Some(PredictionFormat::Plain),
    );
    assert_eq!(told(&plain.unwrap()), ["-|-|a\tb", "-|-|", "-|-|c"]);
}

#[test]
fn faults_have_their_place() {
    for (name, text, message) in [
        (
            "p.json",
            "{\"0\": \"a\",\n\"0\": \"b\"}",
            "p.json: record 1 (counted from 0): the key `0` stands here for the second time in one object",
        ),
        (
            "p.json",
            "{\"0\": \"a\",\n oops}",
            "p.json:2:2: not the JSON of the format bird: key must be a string",
        ),
        (
            "p.json",
            "{\"0\": \"a\"} x",
            "p.json:1:12: not the JSON of the format bird: trailing characters",
        ),
        (
            "p.json",
            "[{\"sql\": \"a\"},\n3]",
            "p.json:2:1: not the JSON of the format json: invalid type: integer `3`, expected an object",
        ),
        (
            "p.jsonl",
            "{\"sql\": \"a\"}\n{\"sql\": 1}",
            "p.jsonl: line 2: field `sql`: expected a text, or null, found a number",
        ),
        (
            "p.jsonl",
            "{\"sql\": \"a\", \"sql\": \"b\"}",
            "p.jsonl: line 1: the key `sql` stands here for the second time in one object",
        ),
        (
            "p.jsonl",
            "{\"id\": \"a\"}",
            "p.jsonl: line 1: no query here: expected one of predicted_sql, pred_sql, predicted_query, pred_query, prediction, predicted, pred, sql, found id",
        ),
        (
            "p.jsonl",
            "{\"id\": \" \", \"sql\": \"\"}",
            "p.jsonl: line 1: field `id`: expected a whole number or a text that is not empty, found an empty text",
        ),
        (
            "p.jsonl",
            "{\"id\": 1, \"sql\": \"\"}\n\n{\"sql\": \"\"}",
            "p.jsonl: line 3: no id here, while 1 of 2 rows have one",
        ),
        (
            "p.jsonl",
            "\n{",
            "p.jsonl:2:1: not the JSON of the format jsonl: EOF while parsing an object",
        ),
        (
            "p.csv",
            "a,b\n1,2\n",
            "p.csv: line 1: no query here: expected one of predicted_sql, pred_sql, predicted_query, pred_query, prediction, predicted, pred, sql, found a, b",
        ),
        (
            "p.csv",
            "sql\n\"a\nb\n",
            "p.csv: line 3: not CSV: the file ends within quotes (their number is odd)",
        ),
        (
            "p.csv",
            "sql,id\na,1\nb\n",
            "p.csv: line 3: not CSV: CSV error: record 2 (line: 3, byte: 11): found record with 1 fields, but the previous record has 2 fields",
        ),
        (
            "p.txt",
            "\n \n",
            "p.txt: no prediction in it, read as the format spider",
        ),
        (
            "p.json",
            "{}",
            "p.json: no prediction in it, read as the format bird",
        ),
    ] {
        assert_eq!(
            parse(name, text).unwrap_err().to_string(),
            message,
            "{text}"
        );
    }
    let error = parse_predictions(Path::new("p"), b"a\nb\n\xff", None).unwrap_err();
    assert_eq!(error.to_string(), "p: line 3: not UTF-8");
    let error = read_predictions(Path::new("no-such-file"), None).unwrap_err();
    assert!(error.to_string().starts_with("no-such-file: can't be read"));
}

fn examples(ids: &[&str]) -> Vec<Example> {
    ids.iter()
        .map(|id| Example {
            id: (*id).to_owned(),
            db_id: "d".into(),
            question: "?".into(),
            evidence: None,
            gold: "SELECT 1".into(),
            difficulty: None,
        })
        .collect()
}

/// Ids of the examples that the rows of a JSON Lines file with these ids answer, or the message.
fn identified(ids: &[&str], asked: &[&str], by_position: bool) -> String {
    let line = |id: &&str| match *id {
        "" => "{\"sql\": \"\"}\n".to_owned(),
        id => format!("{{\"id\": \"{id}\", \"sql\": \"\"}}\n"),
    };
    let file = parse("p.jsonl", &ids.iter().map(line).collect::<String>()).unwrap();
    match identify(file, &examples(asked), by_position) {
        Ok(rows) => {
            let ids: Vec<_> = rows.into_iter().map(|row| row.id).collect();
            ids.join(" ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn rows_are_identified_by_id_or_by_position() {
    let dev = ["x-7", "x-12", "x-7-2"];
    for (ids, by_position, expected) in [
        (&["12", "x-7", "x-7-2"][..], false, "x-12 x-7 x-7-2"),
        (&["2", "007", "y"], false, "2 007 y"),
        (
            &["", ""],
            false,
            "the predictions have no ids (format jsonl, 2 rows): pair them with the examples in order, with --by-position",
        ),
        (&["", "", ""], true, "x-7 x-12 x-7-2"),
        (&["0", "1", "2"], true, "x-7 x-12 x-7-2"),
        (&["7", "x-12", "mine"], true, "x-7 x-12 x-7-2"),
        (
            &["0", "2", "1"],
            true,
            "the order of the predictions is not that of the examples: 3 row(s) have the id of another place: line 1 has `0` where x-7 belongs, line 2 has `2` where x-12 belongs, line 3 has `1` where x-7-2 belongs",
        ),
        (
            &["x-12", "x-7", "a"],
            true,
            "the order of the predictions is not that of the examples: 2 row(s) have the id of another place: line 1 has `x-12` where x-7 belongs, line 2 has `x-7` where x-12 belongs",
        ),
        (
            &["0", "1"],
            true,
            "2 predictions for 3 examples: they can't be paired by position",
        ),
    ] {
        assert_eq!(identified(ids, &dev, by_position), expected, "{ids:?}");
    }
    let lines = parse("p.txt", "a\nb\nc").unwrap();
    let rows = identify(lines, &examples(&dev), false).unwrap();
    assert_eq!(rows[2].id, "x-7-2");
    let file = parse("p.txt", "a\n\nb").unwrap();
    assert_eq!(
        identify(file, &examples(&dev), false)
            .unwrap_err()
            .to_string(),
        "2 predictions for 3 examples: they can't be paired by position (1 blank lines were passed over; if they are \
         empty predictions, read the file as the format plain)"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        content in prop::collection::vec(any::<u8>(), 0..200),
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", "\"", "\"sql\"", "\"id\"", ":", ",", "\n", "\t", "\r", "1", "null", "é",
                "\\t----- bird -----\\t", "SELECT 1", "sql,id\n", "\\u0000", "\u{feff}",
            ]),
            0..40,
        ),
    ) {
        let text = pieces.concat();
        for format in PredictionFormat::ALL.into_iter().map(Some).chain([None]) {
            for bytes in [content.as_slice(), text.as_bytes()] {
                if let Ok(file) = parse_predictions(Path::new("p"), bytes, format) {
                    prop_assert!(!file.rows.is_empty());
                    let asked = examples(&["x-0", "x-1", "x-2"]);
                    let _ = identify(file.clone(), &asked, true);
                    let _ = identify(file, &asked, false);
                }
            }
        }
    }

    /// What is written is what is read, whatever the queries are made of.
    #[test]
    fn every_format_gives_back_what_was_written(
        queries in prop::collection::vec("[a-z '\"\\\\,\té\u{2028}]{0,12}|x\n\r?y", 1..6),
    ) {
        let entries: serde_json::Map<_, _> = queries
            .iter()
            .enumerate()
            .map(|(at, sql)| (at.to_string(), format!("{sql}\t----- bird -----\td").into()))
            .collect();
        let rows: Vec<_> = queries
            .iter()
            .map(|sql| serde_json::json!({"id": 1, "sql": sql}).to_string())
            .collect();
        let rows = rows.join("\n");
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["sql", "n"]).unwrap();
        for sql in &queries {
            table.write_record([sql.as_str(), "1"]).unwrap();
        }
        let table = String::from_utf8(table.into_inner().unwrap()).unwrap();
        let bird = serde_json::Value::from(entries).to_string();
        for (name, text) in [("p.json", bird), ("p.jsonl", rows), ("p.csv", table)] {
            let file = parse(name, &text).unwrap();
            let read: Vec<_> = file.rows.iter().map(|row| &row.sql).collect();
            prop_assert_eq!(read, queries.iter().collect::<Vec<_>>(), "{}", name);
        }
    }
}
