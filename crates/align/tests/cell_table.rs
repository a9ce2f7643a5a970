//! Tables of runs: what is read, and what is refused with which words.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use harness_align::correlate::table::{Origin, Spot, collect, csv};

const HEAD: &str = "model,train_set,target,seed,before,after,n,gain_low,gain_high,ar,js\n";

fn refused(text: &str) -> String {
    let cells = csv("runs.csv", text).and_then(collect);
    cells.unwrap_err().to_string()
}

#[test]
fn a_table_is_read() {
    let text = format!(
        "\u{feff}{HEAD}\"m, \"\"large\"\"\",s,t,1,0.2,0.35,120,0.1,0.2,1.05,\r\n\nm,s,t,2, 0.2 ,0.1,,,,0.9,0.3"
    );
    let cells = csv("runs.csv", &text).unwrap();
    let lines: Vec<Spot> = cells.iter().map(|(at, _)| at.place).collect();
    assert_eq!(lines, [Spot::Line(2), Spot::Line(4)]);
    let cells = collect(cells).unwrap();
    let (first, second) = (&cells[0], &cells[1]);
    assert_eq!(
        (first.model.as_str(), first.n, first.gain_interval),
        ("m, \"large\"", 120, Some((0.1, 0.2)))
    );
    assert_eq!(first.scores.keys().collect::<Vec<_>>(), ["ar"]);
    assert_eq!((second.seed, second.n, second.gain_interval), (2, 0, None));
    assert!((second.scores["js"] - 0.3).abs() < 1e-15 && (second.gain() + 0.1).abs() < 1e-15);
}

#[test]
fn faults_are_told_with_their_place() {
    let row = |fields: &str| format!("{HEAD}{fields}\n");
    for (text, words) in [
        (String::new(), "runs.csv, line 1: no column model"),
        (
            "model,train_set,target,seed,before\n".to_owned(),
            "no column after",
        ),
        (HEAD.replace("js", "ar"), "column 11 is named `ar`"),
        (
            row("m,s,t,1,0.2"),
            "runs.csv, line 2: 5 fields, expected 11",
        ),
        (row("m,\"s,t,1,0.2,0.3,1,,,,"), "line 2: a quoted field"),
        (
            row("m,s,t,x,0.2,0.3,1,,,,"),
            "line 2: seed is `x`, expected a whole number",
        ),
        (row("m,s,t,1,,0.3,1,,,,"), "before is ``"),
        (
            row("m,s,t,1,0.2,0.3,1,,,good,"),
            "ar is `good`, expected a finite number",
        ),
        (
            row("m,s,t,1,0.2,0.3,1,,,inf,"),
            "ar is `inf`, expected a finite number",
        ),
        (row(",s,t,1,0.2,0.3,1,,,,"), "model is ``, expected a name"),
        (
            row("m,s,t,1,0.2,35.5,1,,,,"),
            "after is 35.5, expected a share from 0 to 1; divide percentages by 100",
        ),
        (row("m,s,t,1,0.2,0.3,1,0.1,,,"), "needs both ends"),
        (row("m,s,t,1,0.2,0.3,1,0.2,0.1,,"), "the lower one first"),
        (
            row("m,s,t,1,0.2,0.3,1,,,,\nm,s,t,1,0.2,0.3,1,,,,"),
            "line 3: model m, training set s, target t, seed 1 stands in runs.csv, line 2 already",
        ),
    ] {
        let said = refused(&text);
        assert!(said.contains(words), "{said}\nlacks {words}");
    }
}

#[test]
fn files_are_put_together() {
    let one = csv("a.csv", &format!("{HEAD}m,s,t,1,0.2,0.3,1,,,,\n")).unwrap();
    let mut two = one.clone();
    two[0].0 = Origin {
        file: "b.json".to_owned(),
        place: Spot::Cell(7),
    };
    let said = collect(one.clone().into_iter().chain(two.clone()))
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with("b.json, cell 7") && said.contains("a.csv, line 2"),
        "{said}"
    );
    two[0].1.seed = 2;
    assert_eq!(collect(one.into_iter().chain(two)).unwrap().len(), 2);
}
