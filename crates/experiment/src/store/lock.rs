//! One run at a time in a folder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::StoreError;

/// The lock's name in the results' folder. The file stays; what counts is the lock on it, which the system
/// takes away when its process ends in whatever way.
const NAME: &str = ".lock";

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing alone would not do: a process that is just being started has the file open too until it is.
    fn drop(&mut self) {
        // The system unlocks when all have closed it; nothing else can be done here.
        let _ = self.file.unlock();
    }
}

/// Locks `root` for this process.
pub(super) fn acquire(root: &Path) -> Result<Lock, StoreError> {
    let path = root.join(NAME);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(StoreError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The number only helps the reader of the message; without it the message is as true.
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            return Err(StoreError::Locked {
                root: root.to_owned(),
                holder: holder.parse::<u32>().ok().map(|pid| pid.to_string()),
            });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path)(error)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(StoreError::io("write", &path))?;
    Ok(Lock { file })
}
