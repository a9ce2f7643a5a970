//! The digest under which an answer is kept.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::{Job, Limits};

/// Raised whenever the sandbox or the form of replies changes so that the same query may get another answer.
const VERSION: &[u8] = b"outcome 1";

/// Bytes read at once: few enough to stay in the processor's own memory.
const CHUNK: usize = 64 << 10;

/// SHA-256 of all that determines an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// All of it.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its first 8 bytes, by which it is looked up.
    pub fn id(&self) -> i64 {
        self.0
            .first_chunk()
            .map_or(0, |bytes| i64::from_le_bytes(*bytes))
    }
}

/// Makes the keys of one run: what they have in common is digested once.
#[derive(Debug, Clone)]
pub struct Keys(Sha256);

impl Keys {
    /// For queries with these limits.
    pub fn new(limits: &Limits) -> Self {
        let mut common = Sha256::new();
        // Numbers always have a JSON form.
        let limits = serde_json::to_vec(limits).unwrap_or_default();
        for part in [VERSION, rusqlite::version().as_bytes(), &limits] {
            common.update((part.len() as u64).to_le_bytes());
            common.update(part);
        }
        Self(common)
    }

    /// The key of a job on a database of this content.
    pub fn key(&self, content: &[u8; 32], job: &Job) -> Key {
        let mut digest = self.0.clone();
        digest.update(content);
        digest.update([u8::from(job.reverse)]);
        // The last part needs no length.
        digest.update(job.sql.as_bytes());
        Key(digest.finalize().into())
    }
}

/// SHA-256 of a file.
pub fn content(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK.min(length.saturating_add(1))];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(digest.finalize().into()),
            count => digest.update(&chunk[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_each_part() {
        let limits = Limits::default();
        let other = Limits { rows: 7, ..limits };
        let job = Job::new("a", "SELECT 1");
        let reversed = Job {
            reverse: true,
            ..job.clone()
        };
        let keys = [
            Keys::new(&limits).key(&[1; 32], &job),
            Keys::new(&other).key(&[1; 32], &job),
            Keys::new(&limits).key(&[2; 32], &job),
            Keys::new(&limits).key(&[1; 32], &reversed),
            Keys::new(&limits).key(&[1; 32], &Job::new("a", "SELECT 2")),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
        }
        // Where the database is does not matter.
        let elsewhere = Job::new("b", "SELECT 1");
        assert_eq!(Keys::new(&limits).key(&[1; 32], &elsewhere), keys[0]);
    }

    #[test]
    fn the_content_of_a_file_is_digested() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        // From FIPS 180-4's examples.
        std::fs::write(&file, "abc").unwrap();
        let digest = content(&file).unwrap();
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        std::fs::write(&file, vec![b'a'; 3 * CHUNK + 7]).unwrap();
        let whole = Sha256::digest(vec![b'a'; 3 * CHUNK + 7]);
        assert_eq!(content(&file).unwrap()[..], whole[..]);
    }
}
