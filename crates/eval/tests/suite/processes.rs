//! Workers that are no workers, that hang, that are killed, and whose parent is.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, process};

use harness_eval::exec::PoolError;
use harness_eval::{EvalError, Limits, Options, Row, WorkerCommand, evaluate};
use harness_record::Outcome;

use crate::support::{HOLD, SERVE, metrics, options, row, small_database, verdicts};

/// Spends its time inside of one instruction of the virtual machine, where no step is counted.
const SLOW_INSTRUCTION: &str =
    "SELECT instr(hex(zeroblob(8000000)), hex(zeroblob(2000000)) || '1')";
const ENDLESS: &str =
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

/// The ids of the workers that are children of a process.
fn workers_of(parent: u32) -> Vec<u32> {
    let mut ids = Vec::new();
    let Ok(tasks) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return ids;
    };
    for task in tasks.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        ids.extend(
            children
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    ids.retain(|id| is_worker(*id));
    ids
}

fn is_worker(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(SERVE))
}

pub fn a_program_that_is_no_worker() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row(
        0,
        &small_database(folder.path()),
        "SELECT 1",
        "SELECT 1",
    )];
    let run = |program: &str| {
        let options = Options {
            worker: WorkerCommand {
                program: program.into(),
                args: vec![],
            },
            ..options(1, Limits::default())
        };
        evaluate(&rows, &metrics(), &options, &mut |_| {})
    };
    assert!(matches!(
        run("true"),
        Err(EvalError::Pool(PoolError::NotAWorker { .. }))
    ));
    assert!(matches!(
        run("no-such-program"),
        Err(EvalError::Pool(PoolError::Start { .. }))
    ));
}

pub fn killed_workers_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let sql = "SELECT count(*) FROM number a, number b WHERE a.x < b.x";
    let rows: Vec<Row> = (0..40)
        .map(|id| row(id, &database, sql, &format!("{sql} + {}", id % 2)))
        .collect();
    let expected = verdicts(&rows, 2, Limits::default());
    let done = AtomicUsize::new(0);
    let mut killed = 0;
    thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut killed = 0;
            loop {
                thread::sleep(Duration::from_millis(60));
                // A row that was hit has its second turn after all others, and must be left in peace then.
                if killed == 5 || done.load(Ordering::Relaxed) >= rows.len() / 2 {
                    return killed;
                }
                if let Some(id) = workers_of(process::id()).first() {
                    let status = Command::new("kill").args(["-9", &id.to_string()]).status();
                    killed += usize::from(status.unwrap().success());
                }
            }
        });
        let options = options(2, Limits::default());
        let verdicts = evaluate(&rows, &metrics(), &options, &mut |progress| {
            done.store(progress.done, Ordering::Relaxed);
        });
        killed = killer.join().unwrap();
        let verdicts: Vec<_> = verdicts
            .unwrap()
            .into_iter()
            .map(|one| one.verdict)
            .collect();
        assert_eq!(verdicts, expected);
    });
    assert!(killed > 0);
    // None is left, not even as a zombie (which would have no command line but still be a child).
    assert!(workers_of(process::id()).is_empty());
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    for task in tasks {
        assert_eq!(
            fs::read_to_string(task.path().join("children")).unwrap_or_default(),
            ""
        );
    }
}

pub fn wall_limit() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let rows = [
        row(0, &database, "SELECT 1", "SELECT 1"),
        row(1, &database, "SELECT 1", SLOW_INSTRUCTION),
        row(2, &database, SLOW_INSTRUCTION, "SELECT 1"),
        row(3, &database, "SELECT 1", "SELECT 1"),
    ];
    let start = Instant::now();
    let verdicts = verdicts(
        &rows,
        1,
        Limits {
            wall_ms: 500,
            ..Limits::default()
        },
    );
    assert!(start.elapsed() < Duration::from_secs(20));
    let outcomes: Vec<_> = verdicts.iter().map(|verdict| verdict.outcome).collect();
    let expected = [
        Outcome::Executed,
        Outcome::TimeoutWall,
        Outcome::GoldError,
        Outcome::Executed,
    ];
    assert_eq!(outcomes, expected, "{verdicts:?}");
}

/// Evaluates, in a process of its own, a query that only the end of the process ends.
pub fn hold(database: &str) -> ! {
    let rows = [row(0, Path::new(database), "SELECT 1", ENDLESS)];
    let limits = Limits {
        steps: u64::MAX,
        wall_ms: 3_600_000,
        ..Limits::default()
    };
    let _ = evaluate(&rows, &metrics(), &options(1, limits), &mut |_| {});
    process::exit(1);
}

pub fn workers_end_with_their_parent() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let program = std::env::current_exe().unwrap();
    let mut parent = Command::new(program)
        .arg(HOLD)
        .arg(&database)
        .spawn()
        .unwrap();
    let wait = |what: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(30), "waited in vain");
            thread::sleep(Duration::from_millis(20));
        }
    };
    wait(&|| !workers_of(parent.id()).is_empty());
    // Time for the worker to be deep in the endless query.
    thread::sleep(Duration::from_millis(300));
    let worker = workers_of(parent.id())[0];
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait(&|| !is_worker(worker));
}
