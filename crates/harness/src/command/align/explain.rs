//! `harness align explain`: what carries the divergence.

use anyhow::Result;
use harness_align::explain::{NgramRow, TemplateRow, WordRow};
use harness_align::{Explanation, explain as explanation};
use serde::Serialize;

use super::sets::Pair;
use crate::cli::ExplainArgs;

/// What `--json` prints.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    of_source: Explanation,
    /// The same for what the model writes.
    of_predictions: Option<Explanation>,
}

pub fn explain(arguments: &ExplainArgs) -> Result<()> {
    let pair = Pair::read(&arguments.pair, arguments.spec.data.as_deref())?;
    let options = arguments.scores.options();
    let against = |set| explanation(set, &pair.target, &options, arguments.top);
    let found = Explained {
        of_source: against(&pair.source)?,
        of_predictions: match &pair.predicted {
            Some(predicted) => Some(against(&predicted.workload)?),
            None => None,
        },
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    print(&found.of_source);
    if let Some(own) = &found.of_predictions {
        println!();
        print(own);
    }
    Ok(())
}

fn print(found: &Explanation) {
    println!(
        "{} against {}: D(S,T) {:.3}, D(T,S) {:.3} nats",
        found.source, found.target, found.d_kl, found.d_kl_rev
    );
    words(
        "Words it lacks or has too little of, with all n-grams that hold them:",
        &found.words_too_little,
    );
    words("Words it has too much of:", &found.words_too_much);
    ngrams(
        "N-grams it lacks or has too little of (terms of D(T,S)):",
        &found.too_little,
    );
    ngrams(
        "N-grams it has too much of (terms of D(S,T)):",
        &found.too_much,
    );
    templates(
        "Templates it has too little of:",
        &found.templates_too_little,
    );
    templates("Templates it has too much of:", &found.templates_too_much);
}

fn words(title: &str, rows: &[WordRow]) {
    println!("\n{title}");
    println!("     sum  of D    in source  in target  word");
    for row in rows {
        println!(
            "  {:6.3} {:5.1} %  {:>9}  {:>9}  {}",
            row.sum,
            100.0 * row.share,
            row.n_source,
            row.n_target,
            row.word
        );
    }
}

fn ngrams(title: &str, rows: &[NgramRow]) {
    println!("\n{title}");
    println!("    term  of D    in source  in target  n-gram");
    for row in rows {
        println!(
            "  {:6.4} {:4.1} %  {:>9}  {:>9}  {}  ({})",
            row.term,
            100.0 * row.share,
            row.n_source,
            row.n_target,
            row.ngram,
            row.examples.join(", ")
        );
    }
}

fn templates(title: &str, rows: &[TemplateRow]) {
    println!("\n{title}");
    println!("  source          target          template");
    for row in rows {
        let cell = |n: usize, share: f64| format!("{n} ({:.1} %)", 100.0 * share);
        println!(
            "  {:<14}  {:<14}  {}  ({})",
            cell(row.n_source, row.p),
            cell(row.n_target, row.q),
            row.template,
            row.examples.join(", ")
        );
    }
}
