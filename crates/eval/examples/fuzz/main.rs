//! Runs made-up and mutated inputs through everything that reads a query or a worker's reply, and fails if something
//! panics or does not hold.
//!
//!     cargo run --release --workspace --example fuzz_sql -- --corpus target/fuzz --seed 1 --seconds 600
//!
//! Built with counters of coverage (`scripts/bench/covered`), it keeps the inputs that reach code, or reach it more
//! often, than those before, and mutates them further; without them, the inputs that are answered in a new way. What it
//! keeps lies in the folder, with how far it has come: a second run goes on there, and the figures are of all runs. The
//! inputs are determined by the seed and by what is kept. An input on which the process itself dies is the file `current`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::float_cmp,
    clippy::trivially_copy_pass_by_ref,
    reason = "a program for developers, which may stop at what it does not expect"
)]

mod counters;
mod draw;
mod generate;
mod kept;
mod mutate;
mod target;
mod world;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;
use std::{env, fs};

use serde::{Deserialize, Serialize};

use counters::Counters;
use draw::Draw;
use kept::Kept;
use target::{TARGETS, Target};
use world::World;

/// What one target has done, in all runs on a folder.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Done {
    rounds: u64,
    executions: u64,
    panics: u64,
    seconds: f64,
    slowest_ms: f64,
}

/// What all executions need.
struct Fuzz {
    world: World,
    folder: PathBuf,
    current: File,
    counters: Option<Counters>,
}

fn main() {
    let number = |name| argument(name).map(|it| it.parse::<u64>().expect("a number"));
    let (seed, seconds) = (
        number("--seed").unwrap_or(0),
        number("--seconds").unwrap_or(60),
    );
    let only = argument("--target");
    let folder = PathBuf::from(argument("--corpus").unwrap_or_else(|| "target/fuzz".to_owned()));
    fs::create_dir_all(&folder).expect("the folder can be made");
    // The message of a panic is told with its input, once.
    std::panic::set_hook(Box::new(|_| ()));
    let mut fuzz = Fuzz {
        world: World::new(),
        current: File::create(folder.join("current")).expect("the folder can be written to"),
        counters: Counters::find(),
        folder,
    };
    let record = fuzz.folder.join("done.json");
    let earlier = fs::read(&record)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok());
    let mut all: BTreeMap<String, Done> = earlier.unwrap_or_default();
    let mut chosen: Vec<(u64, &Target, Kept)> = (0..)
        .zip(TARGETS)
        .filter(|(_, target)| only.as_ref().is_none_or(|only| only == target.name))
        .map(|(number, target)| {
            let kept = Kept::open(&fuzz.folder.join(target.name), (target.seeds)());
            (number, target, kept)
        })
        .collect();
    let start = Instant::now();
    // What earlier runs kept says what is known, and must still hold.
    for (_, target, kept) in &mut chosen {
        let done = all.entry(target.name.to_owned()).or_default();
        for input in kept.inputs.clone() {
            fuzz.execute(target, &input, kept, done);
        }
    }
    while start.elapsed().as_secs() < seconds {
        for (number, target, kept) in &mut chosen {
            let done = all.entry(target.name.to_owned()).or_default();
            let mut draw = Draw::of(seed, done.rounds, *number);
            for _ in 0..target.share {
                let input = if draw.once_in(3) {
                    (target.make)(&mut draw)
                } else {
                    mutate::mutated(&kept.inputs, &mut draw)
                };
                if fuzz.execute(target, &input, kept, done) {
                    kept.keep(&input);
                }
            }
            done.rounds += 1;
        }
        let text = serde_json::to_vec_pretty(&all).expect("numbers have a JSON form");
        fs::write(&record, text).expect("the folder can be written to");
    }
    report(&chosen, &all, fuzz.counters.as_ref());
    let panics: u64 = all.values().map(|done| done.panics).sum();
    std::process::exit(i32::from(panics > 0));
}

impl Fuzz {
    /// Runs one input; returns whether it did something new.
    fn execute(&mut self, target: &Target, input: &[u8], kept: &mut Kept, done: &mut Done) -> bool {
        // If the process itself dies, this is what it died of.
        let noted = self
            .current
            .set_len(0)
            .and_then(|()| self.current.write_all_at(input, 0));
        noted.expect("the folder can be written to");
        if let Some(counters) = &mut self.counters {
            counters.start();
        }
        let start = Instant::now();
        let said = catch_unwind(AssertUnwindSafe(|| (target.run)(&self.world, input)));
        let seconds = start.elapsed().as_secs_f64();
        done.executions += 1;
        done.seconds += seconds;
        if 1e3 * seconds > done.slowest_ms {
            done.slowest_ms = 1e3 * seconds;
            let file = self.folder.join(format!("slowest-{}", target.name));
            fs::write(file, input).expect("the folder can be written to");
        }
        match said {
            Ok(said) => kept.is_new(self.counters.as_mut(), said),
            Err(payload) => {
                done.panics += 1;
                let words = payload.downcast_ref::<String>().map(String::as_str);
                let words = words.or_else(|| payload.downcast_ref::<&str>().copied());
                if done.panics <= 5 {
                    let words = words.unwrap_or("a panic");
                    println!("{}: {words}: {}", target.name, input.escape_ascii());
                }
                false
            }
        }
    }
}

fn report(
    chosen: &[(u64, &Target, Kept)],
    all: &BTreeMap<String, Done>,
    counters: Option<&Counters>,
) {
    let of = counters.map_or(0, Counters::len);
    println!("target      executions    kept  counters of {of:6}  panics  seconds  slowest ms");
    let mut total = Done::default();
    for (_, target, kept) in chosen {
        let done = &all[target.name];
        println!(
            "{:10} {:11} {:7} {:19} {:7} {:8.1} {:11.1}",
            target.name,
            done.executions,
            kept.inputs.len(),
            kept.reached(),
            done.panics,
            done.seconds,
            done.slowest_ms
        );
        total.executions += done.executions;
        total.panics += done.panics;
        total.seconds += done.seconds;
    }
    println!(
        "{} executions of {:.0} s, {} panics",
        total.executions, total.seconds, total.panics
    );
}

/// The word after a name on the command line.
fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|it| it != name).nth(1)
}
