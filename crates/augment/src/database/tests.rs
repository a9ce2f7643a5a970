use harness_record::{Content, Scalar, Schema, Table};

use super::{Database, Kind, is_date, order};

#[test]
fn kinds_and_identifiers() {
    let names = ["singer_id", "name", "born", "size", "mixed", "empty"];
    let schema = Schema {
        db_id: "d".to_owned(),
        tables: ["singer", "gone"]
            .map(|name| Table {
                name: name.to_owned(),
                columns: names
                    .map(|name| harness_record::Column {
                        name: name.to_owned(),
                        ..harness_record::Column::default()
                    })
                    .to_vec(),
                primary_key: vec!["Singer_ID".to_owned()],
            })
            .to_vec(),
        foreign_keys: Vec::new(),
    };
    let text = |text: &str| Scalar::Text(text.to_owned());
    let row = |id: i64, name: &str, mixed: Scalar| {
        vec![
            Scalar::Integer(id),
            text(name),
            text("2001-02-03"),
            Scalar::Real(id as f64),
            mixed,
            Scalar::Null,
        ]
    };
    let mut content = Content::default();
    content.tables.insert(
        "singer".to_owned(),
        vec![row(1, "Ann", text("x")), row(2, "Ann", Scalar::Integer(3))],
    );
    let database = Database::new(&schema, &content);
    assert_eq!(database.tables.len(), 1);
    let columns = &database.tables[0].columns;
    let kinds: Vec<Kind> = columns.iter().map(|it| it.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Number,
            Kind::Text,
            Kind::Date,
            Kind::Number,
            Kind::Other,
            Kind::Other
        ]
    );
    let identifiers: Vec<bool> = columns.iter().map(|it| it.identifier).collect();
    assert_eq!(identifiers, [true, false, false, false, false, false]);
    assert!(columns[1].repeats && !columns[3].repeats && columns[5].nulls);
    assert_eq!((columns[1].values.len(), columns[1].length), (1, 3));
}

#[test]
fn dates_and_the_order_of_values() {
    for (text, expected) in [
        ("2001-02-03", true),
        ("2001-02-03 10:11:12", true),
        ("2001-2-3", false),
        ("2001-02-03x", false),
        ("", false),
    ] {
        assert_eq!(is_date(text), expected, "{text}");
    }
    let big = i64::MAX;
    let mut values = vec![
        Scalar::Text("a".to_owned()),
        Scalar::Integer(big),
        Scalar::Real(big as f64),
        Scalar::Integer(big - 1),
        Scalar::Null,
    ];
    values.sort_by(order);
    assert_eq!(
        values,
        [
            Scalar::Null,
            Scalar::Integer(big - 1),
            Scalar::Integer(big),
            Scalar::Real(big as f64),
            Scalar::Text("a".to_owned()),
        ]
    );
}
