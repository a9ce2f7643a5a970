//! Some thousands of made-up and mutated inputs through everything that reads a query or a worker's reply;
//! `examples/fuzz` runs as many as are wanted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_cmp,
    clippy::format_push_string,
    clippy::trivially_copy_pass_by_ref,
    missing_docs
)]

#[path = "../examples/fuzz/draw.rs"]
mod draw;
#[path = "../examples/fuzz/generate.rs"]
mod generate;
#[path = "../examples/fuzz/mutate.rs"]
mod mutate;
#[path = "../examples/fuzz/target.rs"]
mod target;
#[path = "../examples/fuzz/world.rs"]
mod world;

use std::collections::BTreeMap;

use draw::Draw;
use target::{TARGETS, Target};
use world::World;

#[test]
fn no_input_causes_a_panic() {
    let world = World::new();
    for (number, target) in (0..).zip(TARGETS) {
        let mut draw = Draw::of(11, 0, number);
        let mut seeds = (target.seeds)();
        for _ in 0..2 * target.share {
            let input = if draw.once_in(3) {
                (target.make)(&mut draw)
            } else {
                mutate::mutated(&seeds, &mut draw)
            };
            (target.run)(&world, &input);
            // Without counters that say what is new, a few are kept by chance.
            if draw.once_in(20) {
                seeds.push(input);
            }
        }
    }
}

/// The generated queries are near enough to good ones to get past the parser, and reach what is behind it.
#[test]
fn generated_queries_are_answered_in_every_way() {
    let world = World::new();
    let sandbox = |target: &&Target| target.name == "sandbox";
    let target = TARGETS.iter().find(sandbox).expect("it is one of them");
    let mut draw = Draw::of(5, 0, 0);
    let mut said: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..2000 {
        let answer = (target.run)(&world, &(target.make)(&mut draw));
        let kind = answer.split(' ').next().unwrap_or_default();
        *said.entry(kind.to_owned()).or_default() += 1;
    }
    for kind in ["rows", "Error", "Refused", "TooLarge", "Timeout", "Empty"] {
        assert!(said.contains_key(kind), "never {kind}: {said:?}");
    }
    // One in four is run by the engine, to its end or to a limit.
    let run = said["rows"] + said["TooLarge"] + said["Timeout"];
    assert!(run > 500, "{said:?}");
}
