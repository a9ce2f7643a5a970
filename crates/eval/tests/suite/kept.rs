//! Outcomes that are kept between runs, and what is left of them when processes are killed at any time.

use std::path::Path;
use std::process::{self, Command};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use harness_eval::exec::{Answer, Cache, FailureKind, Job, Pool, PoolError, Session};
use harness_eval::{Limits, WorkerCommand};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::processes::{SLOW_INSTRUCTION, answers, pool, workers_of};
use crate::support::{FILL, small_database};

/// Jobs that each take some milliseconds.
fn some_work(database: &Path) -> Vec<Job> {
    let sql = |at| format!("SELECT {at}, count(*) FROM number a, number b WHERE a.x < b.x + {at}");
    (0..60).map(|at| Job::new(database, sql(at))).collect()
}

/// Runs them in a process of its own, with a cache, and says so when it is done.
pub fn fill(database: &str, cache: &str) -> ! {
    let cache = Arc::new(Cache::open(Path::new(cache)).unwrap());
    let pool = pool(Limits::default(), 2).with_cache(cache);
    let run = |session: &mut Session<'_>, job: &Job| session.execute(job);
    let jobs = some_work(Path::new(database));
    pool.run(&jobs, run, &mut |_| {}).unwrap();
    process::exit(0);
}

pub fn kills_lose_nothing_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let kept = folder.path().join("kept");
    let jobs = some_work(&database);
    let fresh = answers(&pool(Limits::default(), 1), jobs.clone());
    let program = std::env::current_exe().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let mut before = 0;
    for round in 0..12 {
        let mut parent = Command::new(&program)
            .args([FILL, database.to_str().unwrap(), kept.to_str().unwrap()])
            .spawn()
            .unwrap();
        // In turns the parent and, some time before it, one of its workers.
        for worker in [true, false] {
            thread::sleep(Duration::from_millis(u64::from(
                1 + random.next_u32() % 150,
            )));
            let id = match workers_of(parent.id()).first() {
                Some(id) if worker => *id,
                _ => parent.id(),
            };
            let status = Command::new("kill").args(["-9", &id.to_string()]).output();
            assert!(status.is_ok());
        }
        parent.wait().unwrap();
        // What is kept is whole and right, and nothing that was kept is lost.
        let cache = Cache::open(&kept).unwrap();
        assert_eq!(cache.take_events(), [], "round {round}");
        let cache = Arc::new(cache);
        let held = pool(Limits::default(), 1).with_cache(Arc::clone(&cache));
        if round == 11 {
            assert_results(&answers(&held, jobs.clone()), &fresh);
        }
        let hits = held_by(&cache, &jobs, &fresh);
        assert!(hits >= before, "round {round}: {hits}, {before}");
        before = hits;
    }
    assert_eq!(before, jobs.len());
}

/// How many of the jobs the cache has, which is found out with a worker program that does not exist.
fn held_by(cache: &Arc<Cache>, jobs: &[Job], fresh: &[Answer]) -> usize {
    let nobody = WorkerCommand {
        program: "no-such-program".into(),
        args: vec![],
    };
    let mut held = 0;
    for (job, fresh) in jobs.iter().zip(fresh) {
        let pool = Pool::new(nobody.clone(), Limits::default(), 1).with_cache(Arc::clone(cache));
        let run = |session: &mut Session<'_>, job: &Job| session.execute(job);
        if let Ok(answer) = pool.run(std::slice::from_ref(job), run, &mut |_| {}) {
            assert_eq!(answer[0].result, fresh.result);
            held += 1;
        }
    }
    held
}

fn assert_results(answers: &[Answer], expected: &[Answer]) {
    for (answer, expected) in answers.iter().zip(expected) {
        assert_eq!(answer.result, expected.result);
    }
}

pub fn what_can_be_repeated_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let cache = Arc::new(Cache::open(&folder.path().join("kept")).unwrap());
    let limits = Limits {
        wall_ms: 500,
        ..Limits::default()
    };
    let missing = folder.path().join("missing.sqlite");
    let job = |sql: &str| Job::new(&database, sql);
    let kept = [
        job("SELECT name FROM fruit"),
        Job {
            reverse: true,
            ..job("SELECT name FROM fruit")
        },
        job("SELECT nothing"),
        job("DELETE FROM fruit"),
        job(""),
        job("SELECT zeroblob(1000000000)"),
        job("SELECT strftime('%Y', '2020-02-02')"),
        job("SELECT CAST(x'ff00' AS TEXT), 9e999, -0.0, x''"),
    ];
    let not_kept = [
        job("SELECT random()"),
        job("SELECT name FROM fruit ORDER BY random()"),
        job("SELECT hex(randomblob(8))"),
        job("SELECT date('now')"),
        job("SELECT time()"),
        job("SELECT CURRENT_TIMESTAMP"),
        job(SLOW_INSTRUCTION),
        Job::new(missing, "SELECT 1"),
    ];
    let with_cache = |pool: Pool| pool.with_cache(Arc::clone(&cache));
    let all: Vec<Job> = kept.iter().chain(&not_kept).cloned().collect();
    let first = answers(&with_cache(pool(limits, 1)), all);
    assert_eq!(cache.counts().stored, kept.len() as u64);
    // Nothing is run for what is kept: this program is no worker.
    let nobody = WorkerCommand {
        program: "no-such-program".into(),
        args: vec![],
    };
    let alone = with_cache(Pool::new(nobody, limits, 1));
    let again = answers(&alone, kept.to_vec());
    assert_eq!(again, first[..kept.len()]);
    for job in &not_kept[..7] {
        let run = |session: &mut Session<'_>, job: &Job| session.execute(job);
        let found = alone.run(std::slice::from_ref(job), run, &mut |_| {});
        assert!(matches!(found, Err(PoolError::Start { .. })), "{}", job.sql);
    }
    // Another limit, and another content of the database, are other questions.
    let other = Limits { rows: 1, ..limits };
    let result = answers(&with_cache(pool(other, 1)), kept[..1].to_vec()).remove(0);
    assert_eq!(result.result.unwrap_err().kind, FailureKind::TooLarge);
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("DELETE FROM fruit WHERE id > 1")
        .unwrap();
    let changed = answers(&with_cache(pool(limits, 1)), kept[..1].to_vec()).remove(0);
    assert_eq!(changed.result.unwrap().rows.len(), 1);
}
