//! One process at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// Holds a lock until the file is dropped or the process ends, however it ends. The file stays.
pub(super) fn hold(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::options().create(true).append(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            tracing::warn!(lock = %path.display(), "another process is fetching the same; waiting for it");
            file.lock()?;
            Ok(file)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
