//! Looking up: connections of their own, so that sessions do not wait for each other or for what is being written.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension};

use super::super::rows::Answer;
use super::super::wire;
use super::Key;
use super::store::{checksum, connect};

/// What was found under a key.
pub enum Found {
    /// The answer.
    Answer(Answer),
    /// No row, or no key.
    Nothing,
    /// A row that is not as it was written.
    Damage,
}

/// Open connections that nobody uses at the moment.
#[derive(Debug, Default)]
pub struct Readers(Mutex<Idle>);

#[derive(Debug, Default)]
struct Idle {
    connections: Vec<Connection>,
    /// How often the file was begun anew: connections from before belong to a file that is gone.
    generation: u64,
}

impl Readers {
    /// What the file has under each of the keys.
    pub fn find(&self, file: &Path, keys: &[Option<Key>]) -> rusqlite::Result<Vec<Found>> {
        let (generation, idle) = {
            let mut idle = self.idle();
            (idle.generation, idle.connections.pop())
        };
        let connection = match idle {
            Some(connection) => connection,
            None => connect(file)?,
        };
        let found = find_all(&connection, keys);
        let mut idle = self.idle();
        if idle.generation != generation {
            return Ok(keys.iter().map(|_| Found::Nothing).collect());
        }
        let found = found?;
        idle.connections.push(connection);
        Ok(found)
    }

    /// Closes them: their file is no more.
    pub fn close(&self) {
        let mut idle = self.idle();
        idle.connections.clear();
        idle.generation += 1;
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All lookups in one transaction: beginning one costs as much as a lookup.
fn find_all(connection: &Connection, keys: &[Option<Key>]) -> rusqlite::Result<Vec<Found>> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let mut select =
        connection.prepare_cached("SELECT key, sum, payload FROM outcome WHERE id = ?1")?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.push(match key {
            Some(key) => {
                let row = select.query_row([key.id()], |row| {
                    let parts = (row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?);
                    let (Ok(kept), Ok(sum), Ok(payload)) =
                        (parts.0.as_blob(), parts.1.as_blob(), parts.2.as_blob())
                    else {
                        return Ok(Found::Damage);
                    };
                    let whole = kept == key.bytes() && sum == checksum(key, payload);
                    let answer = if whole { wire::decode(payload) } else { None };
                    Ok(answer.map_or(Found::Damage, Found::Answer))
                });
                row.optional()?.unwrap_or(Found::Nothing)
            }
            None => Found::Nothing,
        });
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(found)
}
