//! `harness data fetch`: a data set as its authors release it, unpacked where its layout is looked for.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, anyhow, bail, ensure};
use harness_data::fetch::{
    Download, FetchError, File, Place, RELEASES, Release, Unpack, check_hash, download, unpack,
};

use crate::cli::FetchArgs;
use crate::progress::Bytes;

/// Fetches one release; what is whole already is not fetched again.
pub fn fetch(arguments: &FetchArgs) -> Result<()> {
    let Some(release) = Release::named(&arguments.name) else {
        bail!(
            "there is no release `{}`; there are: {}",
            arguments.name,
            RELEASES.map(|release| release.name).join(", ")
        );
    };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| Path::new("data").join(release.folder));
    let is_whole = || release.leaves.iter().all(|leaf| out.join(leaf).exists());
    if is_whole() {
        println!("{} is there already: {}", release.name, out.display());
    } else {
        eprintln!("{}: licence {}", release.name, release.licence);
        for file in release.files {
            get(file, &out).map_err(|error| by_hand(&error, release, &out))?;
        }
        ensure!(
            is_whole(),
            "{}: the archive does not hold all of {}; its layout has changed",
            out.display(),
            release.leaves.join(", ")
        );
        println!("{}: {}", release.name, out.display());
    }
    for (path, sha256) in release.hashes {
        check_hash(&out.join(path), sha256)?;
    }
    Ok(())
}

/// Gets a file and unpacks it if it is an archive. An archive that a user has put there is not fetched.
fn get(file: &File, out: &Path) -> Result<()> {
    let to: PathBuf = out.join(file.name);
    if to.is_file() {
        if let Some(sha256) = file.sha256 {
            check_hash(&to, sha256)?;
        }
    } else {
        let url = url(file)?;
        let mut bytes = Bytes::new(format!("fetching {}", file.name));
        let what = Download {
            url: &url,
            to: &to,
            sha256: file.sha256,
        };
        download(&what, &mut |now| bytes.set(now.done, now.total))?;
    }
    let Some(limit) = file.unpacks_to else {
        return Ok(());
    };
    let mut bytes = Bytes::new(format!("unpacking {}", file.name));
    let what = Unpack {
        archive: &to,
        folder: out,
        unwrap: |name| {
            matches!(name, "spider_data" | "spider" | "dev") || name.starts_with("dev_2")
        },
        limit,
    };
    unpack(&what, &mut |now| bytes.set(now.done, now.total))?;
    drop(bytes);
    std::fs::remove_file(&to).with_context(|| format!("cannot remove {}", to.display()))?;
    Ok(())
}

fn url(file: &File) -> Result<String> {
    Ok(match file.place {
        Place::Site(url) => url.to_owned(),
        Place::Hub { repo, revision } => {
            harness_model::source::hub_dataset_url(repo, revision, file.name)?
        }
    })
}

/// The error in a line, and the way without a network.
fn by_hand(error: &Error, release: &Release, out: &Path) -> Error {
    let words = match error.downcast_ref::<FetchError>() {
        Some(FetchError::NoConnection { .. } | FetchError::Status { .. }) => format!(
            "\nby hand: {}, put it into {} under that name, and run this again",
            release.by_hand,
            out.display()
        ),
        _ => String::new(),
    };
    anyhow!("{}: {error}{words}", release.name)
}
