//! `harness data probe`: whether a model has seen a data set. It gets the first half of a gold's tokens, nothing else,
//! and goes on greedily; how often is the rest the gold's own?
//!
//! SQL repeats itself, so some of that is knowledge of the language. The control tells how much: the same golds with
//! the names of tables and columns exchanged, which no model can have seen.

use anyhow::{Context as _, Result, ensure};
use harness_data::leak::swap_names;
use harness_data::prompt::normalize_sql;
use harness_data::{Dataset, sample};
use harness_eval::{Interval, wilson};
use harness_model::{Engine, GenerateOptions};
use harness_record::Schema;
use serde::Serialize;

use super::model_spec;
use crate::cli::ProbeArgs;
use crate::context::Context;
use crate::model::Model;
use crate::progress::Progress;
use crate::set::named_sets;

/// Golds of fewer tokens say nothing: their second half is a word or two.
const LEAST_TOKENS: usize = 12;
/// Rows that are completed together, a matter of speed.
const BATCH: usize = 8;

/// What came of one set.
#[derive(Debug, Serialize)]
struct Probe {
    set: String,
    model: String,
    /// Golds that were drawn and too short.
    too_short: usize,
    golds: Completions,
    /// The golds with exchanged names.
    control: Completions,
}

/// How often the second half came as it is.
#[derive(Debug, Serialize)]
struct Completions {
    /// Golds that were completed.
    n: usize,
    /// All tokens are the gold's.
    exact: Rate,
    /// At least the first half of them is.
    long: Rate,
    /// Mean share of tokens before the first that is another.
    mean_share: f64,
}

/// A count in `n` with its interval (95 %).
#[derive(Debug, Serialize)]
struct Rate {
    count: usize,
    share: f64,
    low: f64,
    high: f64,
}

/// Probes each set.
pub fn probe(arguments: &ProbeArgs) -> Result<()> {
    ensure!(arguments.n > 0, "--n: expected 1 or more, found 0");
    let spec = model_spec(&arguments.sets, arguments.model.as_deref())?
        .context("no model is given: name a part of configs/model with --model")?;
    let sets = named_sets(&arguments.sets)?;
    let context = Context::new(spec);
    let mut probes = Vec::new();
    for set in sets {
        let dataset =
            harness_data::load(&set.reference).with_context(|| format!("set {}", set.name))?;
        let golds = draw(&dataset, arguments.n, arguments.seed);
        let swapped: Vec<String> = {
            let golds: Vec<(&str, &Schema)> = golds
                .iter()
                .map(|(gold, schema)| (gold.as_str(), *schema))
                .collect();
            swap_names(&golds, arguments.seed)
        };
        let golds: Vec<String> = golds.into_iter().map(|(gold, _)| gold).collect();
        let model = context.model()?;
        let (too_short, known) = completions(model, &golds, &set.name)?;
        let (_, control) = completions(model, &swapped, &format!("{} (control)", set.name))?;
        let probe = Probe {
            set: set.name,
            model: context.spec.model.name.clone(),
            too_short,
            golds: known,
            control,
        };
        if !arguments.json {
            print(&probe);
        }
        probes.push(probe);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&probes)?);
    }
    Ok(())
}

fn print(probe: &Probe) {
    println!(
        "{}, {} ({} golds too short):",
        probe.set, probe.model, probe.too_short
    );
    for (name, found) in [("golds", &probe.golds), ("names exchanged", &probe.control)] {
        let rate = |rate: &Rate| {
            format!(
                "{}/{} = {:.1} % [{:.1}, {:.1}]",
                rate.count,
                found.n,
                100.0 * rate.share,
                100.0 * rate.low,
                100.0 * rate.high
            )
        };
        println!(
            "  {name:<16} second half exact {}; its first half {}; mean share {:.1} %",
            rate(&found.exact),
            rate(&found.long),
            100.0 * found.mean_share
        );
    }
}

/// Golds on one line and without the final semicolon, which not every writer sets.
fn draw(dataset: &Dataset, n: usize, seed: u64) -> Vec<(String, &Schema)> {
    sample(dataset.examples.len(), n, seed)
        .into_iter()
        .map(|place| {
            let example = &dataset.examples[place];
            let gold = normalize_sql(&example.gold);
            let gold = gold.trim_end_matches(';').to_owned();
            (gold, &dataset.schemas[&example.db_id])
        })
        .collect()
}

/// Completes each gold from its first half; also how many were too short.
fn completions(model: &Model, golds: &[String], label: &str) -> Result<(usize, Completions)> {
    let decoder = model.decoder()?;
    let add_bos = decoder.config().add_bos;
    let (mut begun, mut rests) = (Vec::new(), Vec::new());
    for gold in golds {
        let whole = model.tokenizer.encode_plain(gold, false)?;
        if whole.len() < LEAST_TOKENS {
            continue;
        }
        let half = whole.len().div_ceil(2);
        let mut prompt = Vec::with_capacity(half + 1);
        prompt.extend(model.tokenizer.bos().filter(|_| add_bos));
        prompt.extend(&whole[..half]);
        begun.push(prompt);
        rests.push(whole[half..].to_vec());
    }
    let options = GenerateOptions {
        batch_size: BATCH,
        max_new_tokens: rests.iter().map(Vec::len).max().unwrap_or(1),
        end_tokens: model.end_tokens().to_vec(),
        cache_bytes: None,
    };
    let mut shares = vec![0.0; rests.len()];
    let mut progress = Progress::new(format!("completing {label}"), "golds", begun.len(), 0);
    let mut done = 0;
    Engine::new(decoder, None).generate::<anyhow::Error>(
        &begun,
        &options,
        &|_| false,
        &mut |index, answer| {
            let rest = &rests[index];
            let same = rest.iter().zip(&answer.tokens).take_while(|(a, b)| a == b);
            shares[index] = same.count() as f64 / rest.len() as f64;
            done += 1;
            progress.set(done, "");
            Ok(())
        },
    )?;
    let n = rests.len();
    let rate = |least: f64| {
        let count = shares.iter().filter(|share| **share >= least).count();
        let Interval { low, high } = wilson(count, n);
        Rate {
            count,
            share: count as f64 / n.max(1) as f64,
            low,
            high,
        }
    };
    let found = Completions {
        n,
        exact: rate(1.0),
        long: rate(0.5),
        mean_share: shares.iter().sum::<f64>() / n.max(1) as f64,
    };
    Ok((golds.len() - n, found))
}
