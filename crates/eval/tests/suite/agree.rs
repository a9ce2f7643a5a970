//! Which of several queries return the same.

use harness_eval::{Candidates, Limits, agreeing};

use crate::support::{options, small_database};

pub fn queries_of_equal_results_are_a_group() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let queries = [
        // The same bag in another order of rows and of columns, and the same text again.
        "SELECT id, name FROM fruit",
        "SELECT nothing FROM fruit",
        "SELECT name, id FROM fruit ORDER BY id DESC",
        "SELECT name FROM fruit WHERE id < 3",
        "SELECT id, name FROM fruit",
        "DELETE FROM fruit",
        "",
        "SELECT 'pear' UNION ALL SELECT 'apple'",
        "SELECT 0.1 + 0.2",
        "SELECT 0.3",
    ];
    let expected = [
        Some(0),
        None,
        Some(0),
        Some(1),
        Some(0),
        None,
        None,
        Some(1),
        Some(2),
        Some(2),
    ];
    let of = |database| Candidates {
        database,
        queries: queries.map(str::to_owned).to_vec(),
    };
    let questions = [
        of(Some(database.clone())),
        of(None),
        of(Some(folder.path().join("absent.sqlite"))),
        Candidates {
            database: Some(database),
            queries: Vec::new(),
        },
    ];
    for workers in [1, 3] {
        let mut done = Vec::new();
        let groups = agreeing(
            &questions,
            &options(workers, Limits::default()),
            &mut |count| done.push(count),
        );
        let nothing = vec![None; queries.len()];
        assert_eq!(
            groups.unwrap(),
            [expected.to_vec(), nothing.clone(), nothing, Vec::new()]
        );
        assert_eq!(done, [1, 2, 3, 4]);
    }
    assert!(!folder.path().join("absent.sqlite").exists());
}
