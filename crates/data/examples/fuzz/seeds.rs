//! Good inputs of every reader, made up here: what the mutations start from.

/// The seeds of the reader called `name`.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let texts: &[&str] = match name {
        "spider" => &[
            r#"[{"db_id": "pond", "question": "How many fish?", "query": "SELECT count(*) FROM Fish", "sql": {"from": [1, null]}}, {"db_id": "lake", "question": "ü?", "query": "SELECT 1"}]"#,
        ],
        "bird" => &[
            r#"[{"question_id": 3, "db_id": "pond", "question": "q", "evidence": "", "SQL": "SELECT 1", "difficulty": "simple"}, {"question_id": 4, "db_id": "p", "question": "q", "evidence": null, "SQL": "S"}]"#,
        ],
        "tables" => &[
            r#"[{"db_id": "pond", "table_names_original": ["Fish", "pond", "sqlite_sequence"], "column_names_original": [[-1, "*"], [0, "Id"], [0, "pond_id"], [1, "id"], [1, "part"], [2, "seq"]], "column_types": ["text", "number", "number", "number", "text", "number"], "primary_keys": [1, [3, 4]], "foreign_keys": [[2, 3], [2, 3]]}]"#,
        ],
        "descriptions" => &[
            "\u{feff}original_column_name,column_name,column_description,data_format,value_description\nid,,the number,integer,\n\"a, b\",\"words \"\"x\"\"\",,text,\"one\ntwo\"\n",
            "original_column_name,column_description\r\nid ,caf\u{e9}\r\n",
        ],
        "queries" => &[
            "{\"sql\": \"SELECT 1\"}\n\n{\"id\": 7, \"sql\": \"\", \"question\": \"q\", \"db_id\": \"d\"}\r\n",
        ],
        "query-lines" => &["SELECT 1\r\n \nSELECT caf\u{e9} FROM t;\n"],
        "gretel-jsonl" => &[
            "{\"id\": 7, \"domain\": \"d\", \"sql_complexity\": \"basic SQL\", \"sql_prompt\": \"q\", \"sql_context\": \"CREATE TABLE t (a INT);\", \"sql\": \"SELECT a FROM t;\", \"sql_explanation\": \"e\"}\n\n{\"id\": \"x\", \"sql_prompt\": \"\", \"sql_context\": \"\", \"sql\": \"\"}\n",
        ],
        "jsonl" => &[
            "{\"id\": \"a\", \"question\": \"q\", \"sql\": \"SELECT 1\", \"db_id\": \"a\", \"db\": \"a.sqlite\"}\n{\"question\": \"q\", \"sql\": \"SELECT 1\", \"db_id\": \"b\", \"ddl\": \"CREATE TABLE t (x INT)\", \"evidence\": null}\r\n",
        ],
        "classic" => &[
            r#"[{"sql": ["SELECT A FROM T WHERE N = \"name0\" AND M LIKE '%name1%' ;"], "query-split": "test", "variables": [{"name": "name0", "example": "x", "type": "n"}, {"name": "name1", "example": "y'"}], "sentences": [{"text": "where is name0 ?", "question-split": "train", "variables": {"name0": "o'neill"}}]}]"#,
        ],
        "classic-schema" => &[
            "Table Name, Field Name, Is Primary Key, Is Foreign Key, Type\npond, id, y, n, int(11)\npond, depth, n, n, \"decimal(1,1)\"\n-, -, -, -, -\n\nfish, id, Y, -, INT(11) NOT NULL\n",
            "Table Name, Field Name, Type, Is Foreign Key, Is Primary Key\nPOND, ID, int(11), NO, PRI, 0, -\n",
        ],
        "ddl" => &[
            "CREATE TABLE a (x INT PRIMARY KEY, \"y z\" TEXT DEFAULT 'q'); CREATE TABLE b (x REFERENCES a, y, FOREIGN KEY (x, y) REFERENCES a (x, [y z])); INSERT INTO a VALUES (1, 'b');",
            "CREATE VIEW v AS SELECT 1; CREATE TABLE t (a INT, b INT AS (a + 1)) STRICT; CREATE INDEX i ON t (a);",
        ],
        "predictions" => &[
            "{\"0\": \"SELECT 1\\t----- bird -----\\tpond\", \"1\": \"SELECT 'a\\\"b'\\t----- bird -----\\tlake\", \"2\": 0}",
            "SELECT count(*) FROM fish\tpond\nSELECT 1\tpond\n\nSELECT 2\tlake\n",
            "{\"id\": \"a\", \"sql\": \"SELECT 1\", \"db_id\": \"pond\"}\n{\"id\": \"b\", \"sql\": \"SELECT 2\"}\n",
            "[{\"id\": 1, \"predicted_sql\": \"SELECT 1\"}, {\"id\": 2, \"predicted_sql\": null}]",
        ],
        "predictions-csv" => &[
            "NLQ,PREDICTED SQL,GOLD SQL,DATABASE\n\"How many, then?\",\"SELECT \"\"a\"\",\n b FROM t\",SELECT 1,pond\r\nq,SELECT 2,SELECT 2,lake\n",
        ],
        _ => &[],
    };
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
