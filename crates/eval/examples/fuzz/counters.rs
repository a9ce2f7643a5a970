//! Which counters of the instrumented code an execution moved.
//!
//! A program built with `-C instrument-coverage` counts in its own memory how often each region of code ran. This crate
//! has no `unsafe` code, so the counters are read as a file: through the process's own `/proc/self/mem`, at the place that
//! its program file tells. A program that was built without them has none, and is then guided by what targets answer.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// The section in which the compiler keeps the counters.
const SECTION: &str = "__llvm_prf_cnts";

/// The counters of this process.
#[derive(Debug)]
pub struct Counters {
    memory: File,
    address: u64,
    now: Vec<u8>,
    before: Vec<u8>,
}

impl Counters {
    /// Finds them; `None` if the program has none.
    pub fn find() -> Option<Self> {
        let program = fs::read("/proc/self/exe").ok()?;
        let (offset, size) = section(&program, SECTION)?;
        let maps = fs::read_to_string("/proc/self/maps").ok()?;
        // The first mapping is that of the program file's beginning.
        let base = u64::from_str_radix(maps.split('-').next()?, 16).ok()?;
        let mut counters = Self {
            memory: File::open("/proc/self/mem").ok()?,
            address: base + offset,
            now: vec![0; size],
            before: vec![0; size],
        };
        counters.start();
        Some(counters)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.now.len() / 8
    }

    /// What counts from now on is of the next execution.
    pub fn start(&mut self) {
        self.read();
        std::mem::swap(&mut self.now, &mut self.before);
    }

    /// Calls back with the number of every counter that has moved, and by how much.
    pub fn moved(&mut self, mut each: impl FnMut(usize, u64)) {
        self.read();
        let pairs = self.now.chunks_exact(8).zip(self.before.chunks_exact(8));
        for (number, (now, before)) in pairs.enumerate() {
            if now != before {
                each(number, word(now).wrapping_sub(word(before)));
            }
        }
    }

    fn read(&mut self) {
        let read = self.memory.read_exact_at(&mut self.now, self.address);
        read.expect("a process can read its own memory");
    }
}

/// Address and size of a section of an ELF file of 64 bits.
fn section(file: &[u8], name: &str) -> Option<(u64, usize)> {
    let number = |at: usize, bytes: usize| {
        let mut number = [0; 8];
        number[..bytes].copy_from_slice(file.get(at..at + bytes)?);
        usize::try_from(u64::from_le_bytes(number)).ok()
    };
    let (table, size, count) = (number(0x28, 8)?, number(0x3a, 2)?, number(0x3c, 2)?);
    let names = number(table + number(0x3e, 2)? * size + 0x18, 8)?;
    (0..count).map(|it| table + it * size).find_map(|header| {
        let text = file.get(names + number(header, 4)?..)?;
        let found = text.starts_with(name.as_bytes()) && text.get(name.len()) == Some(&0);
        found.then_some(())?;
        Some((number(header + 0x10, 8)? as u64, number(header + 0x20, 8)?))
    })
}

fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
