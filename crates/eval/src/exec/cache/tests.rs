use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::super::rows::{Failure, FailureKind, Job};
use super::super::{Limits, wire};
use super::store::{BATCH_NS, FILE};
use super::*;

/// The key and the reply of a made-up query of a number.
fn outcome(number: u64) -> (Key, Vec<u8>) {
    let job = Job::new("d", format!("SELECT {number}"));
    let key = Keys::new(&Limits::default()).key(&[0; 32], &job);
    let reply = wire::Reply {
        result: Err(Failure::new(FailureKind::Error, format!("{number}"))),
        ns: number,
        repeatable: true,
    };
    (key, reply.encode())
}

fn fill(store: &Cache, count: u64) {
    for number in 0..count {
        let (key, payload) = outcome(number);
        store.put(key, &payload, number);
    }
}

/// How many of so many outcomes are there, each checked for being the right one.
fn held(store: &Cache, count: u64) -> usize {
    let held = |number: &u64| {
        let (key, payload) = outcome(*number);
        let answer = store.get(&[Some(key)]).remove(0);
        assert!(answer.is_none() || answer == wire::decode(&payload));
        answer.is_some()
    };
    (0..count).filter(held).count()
}

#[test]
fn what_is_kept_is_there_at_once_and_later() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("made/when/needed");
    let store = Cache::open(&below).unwrap();
    fill(&store, 10);
    assert_eq!(held(&store, 12), 10);
    drop(store);
    let store = Cache::open(&below).unwrap();
    assert_eq!(held(&store, 12), 10);
    let counts = CacheCounts {
        hits: 10,
        misses: 2,
        stored: 0,
    };
    assert_eq!(store.counts(), counts);
    assert_eq!(store.take_events(), []);
}

#[test]
fn what_took_long_is_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Cache::open(folder.path()).unwrap();
    let (key, payload) = outcome(3);
    store.put(key, &payload, BATCH_NS);
    let other = Cache::open(folder.path()).unwrap();
    assert_eq!(held(&other, 12), 1);
}

#[test]
fn several_processes_write_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let store = Cache::open(folder.path()).unwrap();
                for number in 0..50 {
                    let (key, payload) = outcome(number);
                    store.put(key, &payload, 0);
                    store.flush();
                }
                assert_eq!(store.take_events(), []);
            });
        }
    });
    assert_eq!(held(&Cache::open(folder.path()).unwrap(), 50), 50);
}

#[test]
fn a_damaged_row_is_found_out_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let store = Cache::open(folder.path()).unwrap();
    fill(&store, 4);
    store.flush();
    let file = folder.path().join(FILE);
    let damage = "UPDATE outcome SET payload = payload || x'00' WHERE id IN (SELECT id FROM outcome LIMIT 2)";
    let other = Connection::open(&file).unwrap();
    assert_eq!(other.execute(damage, []).unwrap(), 2);
    assert_eq!(held(&store, 4), 2);
    let bad = CacheEvent::BadRow {
        file: store.store().file().unwrap().to_owned(),
    };
    assert_eq!(store.take_events(), [bad.clone(), bad]);
    fill(&store, 4);
    store.flush();
    assert_eq!(held(&store, 4), 4);
    assert_eq!(store.take_events(), []);
}

#[test]
fn a_damaged_file_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let make = || {
        let store = Cache::open(folder.path()).unwrap();
        fill(&store, 3000);
        store.flush();
        store
    };
    let ruins: [fn(&mut Vec<u8>); 4] = [
        Vec::clear,
        |bytes| *bytes = b"no database, whatever its name says ".repeat(10),
        |bytes| bytes.truncate(bytes.len() / 3),
        |bytes| bytes[4096..].fill(0xa5),
    ];
    for (at, ruin) in ruins.iter().enumerate() {
        drop(make());
        let mut bytes = fs::read(&file).unwrap();
        ruin(&mut bytes);
        fs::write(&file, bytes).unwrap();
        let store = Cache::open(folder.path()).unwrap();
        let left = held(&store, 3000);
        assert!(left < 3000, "{at}");
        // An empty file is an empty cache.
        let events = store.take_events();
        let rebuilt = |event: &CacheEvent| matches!(event, CacheEvent::Rebuilt { .. });
        assert!(at == 0 || events.iter().any(rebuilt), "{at}: {events:?}");
        drop(store);
        let store = make();
        assert_eq!(held(&store, 3000), 3000, "{at}");
        assert_eq!(store.take_events(), [], "{at}");
    }
}

#[test]
fn a_table_that_is_another_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch("CREATE TABLE outcome (a)")
        .unwrap();
    drop(connection);
    let store = Cache::open(folder.path()).unwrap();
    assert!(matches!(
        store.take_events()[..],
        [CacheEvent::Rebuilt { .. }]
    ));
    fill(&store, 3);
    store.flush();
    assert_eq!(store.counts().stored, 3);
}

#[test]
fn a_full_disk_turns_the_keeping_off_and_what_is_there_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Cache::open(folder.path()).unwrap();
    fill(&store, 10);
    store.flush();
    // The engine's own error for a disk that is full.
    store.store().allow_no_more_pages();
    fill(&store, 3000);
    store.flush();
    assert!(matches!(store.take_events()[..], [CacheEvent::Off { .. }]));
    assert_eq!(held(&store, 10), 10);
    fill(&store, 3000);
    store.flush();
    assert_eq!(store.take_events(), []);
}

#[test]
fn a_folder_that_can_not_be_had_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Cache::open(&file), Err(CacheError::Folder { .. })));
    let read_only = folder.path().join("read-only");
    fs::create_dir(&read_only).unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o555)).unwrap();
    // A superuser may write there all the same.
    if fs::write(read_only.join("probe"), "").is_err() {
        assert!(matches!(
            Cache::open(&read_only),
            Err(CacheError::File { .. })
        ));
    }
}
