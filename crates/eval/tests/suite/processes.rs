//! Workers that are no workers, that hang, that are killed, and whose parent is.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, process};

use harness_eval::exec::{Answer, FailureKind, Job, Pool, PoolError, Race, Session, Value};
use harness_eval::{EvalError, Limits, Options, Row, WorkerCommand, evaluate};
use harness_record::Outcome;

use crate::support::{HOLD, SERVE, metrics, options, row, small_database, verdicts};

/// Spends its time inside of one instruction of the virtual machine, where no step is counted.
pub const SLOW_INSTRUCTION: &str =
    "SELECT instr(hex(zeroblob(8000000)), hex(zeroblob(2000000)) || '1')";
const ENDLESS: &str =
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

/// The ids of the workers that are children of a process.
pub fn workers_of(parent: u32) -> Vec<u32> {
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
pub fn hold(database: &str, sql: &str) -> ! {
    let rows = [row(0, Path::new(database), "SELECT 1", sql)];
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
    let wait = |what: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(30), "waited in vain");
            thread::sleep(Duration::from_millis(20));
        }
    };
    // Between two steps of the engine, and inside of one.
    for sql in [ENDLESS, SLOW_INSTRUCTION] {
        let mut parent = Command::new(&program)
            .args([HOLD, database.to_str().unwrap(), sql])
            .spawn()
            .unwrap();
        wait(&|| !workers_of(parent.id()).is_empty());
        // Time for the worker to be deep in the query.
        thread::sleep(Duration::from_millis(300));
        let worker = workers_of(parent.id())[0];
        assert!(is_worker(worker));
        parent.kill().unwrap();
        parent.wait().unwrap();
        wait(&|| !is_worker(worker));
    }
}

/// A pool of this program.
pub fn pool(limits: Limits, workers: usize) -> Pool {
    Pool::new(options(workers, limits).worker, limits, workers)
}

/// What a pool of one worker makes of jobs that are handed over together.
pub fn answers(pool: &Pool, jobs: Vec<Job>) -> Vec<Answer> {
    let run = |session: &mut Session<'_>, jobs: &Vec<Job>| session.execute_all(jobs);
    pool.run(&[jobs], run, &mut |_| {}).unwrap().remove(0)
}

pub fn many_queries_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let limits = Limits {
        wall_ms: 1_000,
        ..Limits::default()
    };
    // Requests and replies far longer than what a pipe holds, so that each side must read while it writes.
    let mut queries = Vec::new();
    for at in 0..30 {
        queries.push(format!("SELECT {at} /* {} */", "x".repeat(300_000)));
        queries.push(format!("SELECT hex(zeroblob(2000000)), {at}"));
    }
    queries.push("SELECT nothing".to_owned());
    queries.push(SLOW_INSTRUCTION.to_owned());
    queries.push("SELECT 7".to_owned());
    let jobs = queries.iter().map(|sql| Job::new(&database, sql)).collect();
    let mut answers = answers(&pool(limits, 1), jobs);
    let kind = |answer: Answer| answer.result.unwrap_err().kind;
    let last = answers.split_off(60);
    for (at, pair) in answers.chunks(2).enumerate() {
        let at = Value::Int(i64::try_from(at).unwrap());
        assert_eq!(pair[0].result.as_ref().unwrap().rows, [[at.clone()]]);
        let row = &pair[1].result.as_ref().unwrap().rows[0];
        assert!(row[1] == at && matches!(&row[0], Value::Text(text) if text.len() == 4_000_000));
    }
    let [failing, slow, good] = last.try_into().unwrap();
    assert_eq!(kind(failing), FailureKind::Error);
    assert_eq!(kind(slow), FailureKind::TimeoutWall);
    assert_eq!(good.result.unwrap().rows, [[Value::Int(7)]]);
}

pub fn races() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let race = |predicted: &str| {
        let race = Race {
            database: database.clone(),
            gold: "SELECT 1".to_owned(),
            predicted: predicted.to_owned(),
            repeats: 5,
        };
        let limits = Limits {
            wall_ms: 1_000,
            ..Limits::default()
        };
        let run = |session: &mut Session<'_>, race: &Race| session.race(race);
        let mut times = pool(limits, 1).run(&[race], run, &mut |_| {}).unwrap();
        times.remove(0)
    };
    let times = race("SELECT count(*) FROM number a, number b").unwrap();
    assert_eq!(times.len(), 5);
    // A million pairs take longer than one row, on any machine.
    assert!(
        times.iter().all(|(gold, predicted)| gold < predicted),
        "{times:?}"
    );
    assert_eq!(race("SELECT nothing").unwrap_err().kind, FailureKind::Error);
    assert_eq!(
        race(SLOW_INSTRUCTION).unwrap_err().kind,
        FailureKind::TimeoutWall
    );
}

pub fn workers_confine_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let look = |session: &mut Session<'_>, (): &()| {
        session.execute(&Job::new(&database, "SELECT 1"))?;
        let worker = workers_of(process::id())[0];
        Ok(fs::read_to_string(format!("/proc/{worker}/limits")).unwrap())
    };
    let limits = Limits::default();
    let table = pool(limits, 1)
        .run(&[()], look, &mut |_| {})
        .unwrap()
        .remove(0);
    let soft = |name: &str| -> Option<u64> {
        let line = table.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    assert_eq!(soft("Max file size"), Some(0), "{table}");
    assert_eq!(soft("Max core file size"), Some(0), "{table}");
    assert!(soft("Max open files").unwrap() <= 64, "{table}");
    assert!(
        soft("Max cpu time").unwrap() <= limits.wall_ms / 1000 + 5,
        "{table}"
    );
    let address_space = soft("Max address space").unwrap();
    assert!(
        address_space > limits.heap_bytes && address_space < limits.heap_bytes * 8,
        "{table}"
    );
}

pub fn one_slow_prediction_delays_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let limits = Limits {
        wall_ms: 1_500,
        steps: 30_000_000,
        ..Limits::default()
    };
    for (sql, outcome) in [
        (ENDLESS, Outcome::Timeout),
        (SLOW_INSTRUCTION, Outcome::TimeoutWall),
        (
            "SELECT replace(hex(zeroblob(5000000)), '0', hex(zeroblob(5000000)))",
            Outcome::TooLarge,
        ),
    ] {
        let mut rows: Vec<Row> = (0..60)
            .map(|id| {
                row(
                    id,
                    &database,
                    "SELECT name FROM fruit",
                    "SELECT name FROM fruit",
                )
            })
            .collect();
        sql.clone_into(&mut rows[5].predicted);
        let start = Instant::now();
        let mut times = Vec::new();
        let judgements = evaluate(&rows, &metrics(), &options(2, limits), &mut |_| {
            times.push(start.elapsed());
        });
        let whole = start.elapsed();
        let verdicts: Vec<_> = judgements
            .unwrap()
            .into_iter()
            .map(|one| one.verdict)
            .collect();
        assert_eq!(verdicts[5].outcome, outcome);
        for (id, verdict) in verdicts.iter().enumerate() {
            assert!(id == 5 || verdict.outcome == Outcome::Executed);
        }
        // Its neighbours do not wait for it; and it has its limit twice, the second time alone. A busy machine gets
        // a second for all the rest.
        let second = Duration::from_secs(1);
        assert!(times[58] < limits.wall() + second, "{times:?}");
        assert!(whole < 2 * limits.wall() + second, "{whole:?}");
    }
}
