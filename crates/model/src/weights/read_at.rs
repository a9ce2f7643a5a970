//! Reading a stretch of an open file from several threads at once.

use std::fs::File;
use std::io;

/// Fills `buffer` with the bytes of `file` from `start` on; the place that other readers are at is left alone.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, start)
}

/// Fills `buffer` with the bytes of `file` from `start` on.
#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut start: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, start)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[read..];
        start += read as u64;
    }
    Ok(())
}
