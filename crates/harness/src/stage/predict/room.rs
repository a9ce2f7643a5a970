//! The memory that answering will take, told before the weights are loaded.

use harness_experiment::spec::{self, Generate, MaxNewTokens};
use harness_model::room;
use harness_model::weights::Base;

use crate::machine::{available, bytes, resident};
use crate::model::Model;

/// What loading and threads leave behind.
const LEFT: u64 = 48 << 20;

/// Tells how much memory answering `prompts` will take and how much there is, and what to change where it will not fit. The
/// bound for keys and values: the user's, or what is left once all else is taken.
pub fn tell(
    generate: &Generate,
    model: &Model,
    prompts: &[Vec<u32>],
    longest: usize,
) -> Option<u64> {
    let asked = generate.cache_bytes();
    if prompts.is_empty() {
        return asked;
    }
    let base = match generate.base {
        spec::Base::Blocks => Base::Codes,
        spec::Base::Plain | spec::Base::Nf4 => Base::Plain,
    };
    let room = room(
        &model.weights,
        model.precision(),
        base,
        prompts,
        generate.batch_size,
        longest,
    );
    // Of what is loaded already the program, its data and the tokenizer are needed beside the model.
    let loaded = resident().unwrap_or(0);
    let weights = if model.is_loaded(generate.base) {
        0
    } else {
        room.weights
    };
    let fixed = loaded + weights + room.rest + LEFT;
    let there = available().map(|left| left + loaded);
    let bound = match (asked, there) {
        (Some(asked), _) => Some(asked),
        (None, Some(there)) => Some(there.saturating_sub(fixed)),
        (None, None) => None,
    };
    let cache = bound.map_or(room.cache, |bound| bound.min(room.cache));
    let needed = fixed + cache;
    eprintln!(
        "memory: up to {} will be needed ({} of weights, {} of keys and values){}",
        bytes(needed),
        bytes(room.weights),
        bytes(cache),
        there.map_or(String::new(), |there| format!(
            ", {} are there",
            bytes(there)
        )),
    );
    if cache < room.cache {
        eprintln!(
            "prompts wait for one another: keys and values of {} at once would take {}",
            generate.batch_size,
            bytes(room.cache)
        );
    }
    if there.is_some_and(|there| needed > there) {
        eprintln!("{}", remedies(generate, longest));
    }
    bound
}

/// What makes it smaller, the mildest first.
fn remedies(generate: &Generate, longest: usize) -> String {
    let mut ways = Vec::new();
    if generate.batch_size > 1 {
        ways.push("--set generate.batch_size=1 (slower, the same answers)".to_owned());
    }
    if generate.precision == spec::Precision::F32 && generate.base == spec::Base::Plain {
        ways.push("--set generate.precision=bf16".to_owned());
    }
    if generate.base == spec::Base::Plain {
        ways.push("--set generate.base=blocks, with a GGUF file".to_owned());
    }
    if matches!(generate.max_new_tokens, MaxNewTokens::Count(_)) && longest > 64 {
        ways.push("a smaller generate.max_new_tokens".to_owned());
    }
    ways.push("a smaller model".to_owned());
    format!("it may not fit; what takes less: {}", ways.join("; "))
}
