//! The inputs of one target that did something new, in memory and in a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::counters::Counters;

/// The most inputs that are kept.
const MOST: usize = 20_000;

/// The inputs that a target's mutations start from.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    /// The inputs.
    pub inputs: Vec<Vec<u8>>,
    /// For each counter, one bit for each order of magnitude it has moved by in one execution.
    seen: Vec<u8>,
    said: BTreeSet<String>,
}

impl Kept {
    /// The inputs that an earlier run left in a folder; the seeds are always among them.
    pub fn open(folder: &Path, seeds: Vec<Vec<u8>>) -> Self {
        fs::create_dir_all(folder).expect("a folder can be made");
        let entries = fs::read_dir(folder).expect("a folder can be read");
        let mut files: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
        files.sort();
        let left = files.iter().filter_map(|file| fs::read(file).ok());
        Self {
            folder: folder.to_owned(),
            inputs: seeds.into_iter().chain(left).collect(),
            seen: Vec::new(),
            said: BTreeSet::new(),
        }
    }

    /// Takes note of what an execution moved and said; returns whether any of it was new.
    pub fn is_new(&mut self, counters: Option<&mut Counters>, said: String) -> bool {
        let mut new = self.said.insert(said);
        let Some(counters) = counters else {
            return new;
        };
        self.seen.resize(counters.len(), 0);
        counters.moved(|number, by| {
            let bit = 1 << by.ilog2().min(7);
            new |= self.seen[number] & bit == 0;
            self.seen[number] |= bit;
        });
        new
    }

    /// Keeps an input.
    pub fn keep(&mut self, input: &[u8]) {
        if self.inputs.len() < MOST {
            let name = format!("{:06}", self.inputs.len());
            fs::write(self.folder.join(name), input).expect("the folder can be written to");
            self.inputs.push(input.to_vec());
        }
    }

    /// How many counters have ever moved.
    pub fn reached(&self) -> usize {
        self.seen.iter().filter(|bits| **bits != 0).count()
    }
}
