//! The card as text: Markdown that also reads well in a terminal.

use std::fmt::Write as _;

use harness_align::select::{Gap, HeldOut};
use harness_align::{Card, Interval};

/// Characters of a template that a line shows.
const WIDTH: usize = 90;

pub fn page(card: &Card, pool_sha256: &[String], target_sha256: &str) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut page, card, pool_sha256, target_sha256);
    page
}

fn write_page(
    out: &mut String,
    card: &Card,
    pool_sha256: &[String],
    target_sha256: &str,
) -> std::fmt::Result {
    let options = &card.options;
    writeln!(out, "# {} examples for {}\n", card.n, card.target)?;
    writeln!(
        out,
        "Method {}, seed {}, l_max {}, alpha {}.",
        options.method.name(),
        options.seed,
        options.scores.l_max,
        options.scores.alpha
    )?;
    writeln!(
        out,
        "Target: {} queries, sha256 {target_sha256}.",
        card.target_size
    )?;
    writeln!(out, "Pool: {} examples.\n", card.pool_size)?;
    for ((name, chosen), sha256) in card.pool.iter().zip(&card.chosen_of).zip(pool_sha256) {
        writeln!(out, "- {name}: {chosen} chosen, sha256 {sha256}")?;
    }
    let removed = &card.removed;
    writeln!(
        out,
        "\n{} could be chosen; left out: {} with a query or question of the target, {} repeated, {} without a template.",
        card.candidates, removed.leaks, removed.duplicates, removed.no_template
    )?;
    if card.n < options.n {
        writeln!(
            out,
            "\n**Only {} of {} were chosen: the constraints leave no more. Loosen them, or add a set.**",
            card.n, options.n
        )?;
    }
    for warning in &card.warnings {
        writeln!(out, "\nNote: {warning}.")?;
    }
    scores(out, card)?;
    if let Some(found) = &card.held_out {
        held_out(out, found)?;
    } else {
        writeln!(
            out,
            "\nThe target is too small to choose for one half and judge by the other: whether this serves queries not \
             seen here is not known."
        )?;
    }
    writeln!(
        out,
        "\n## Missing\n\nThe template of {:.1} % of the target's queries is in the chosen set, of {:.1} % in the pool.",
        100.0 * card.coverage.chosen,
        100.0 * card.coverage.pool
    )?;
    gaps(out, &card.missing)?;
    writeln!(out, "\n## First chosen\n")?;
    for pick in &card.first {
        let template = shortened(&pick.template);
        writeln!(
            out,
            "{}. {} of {}: `{template}`; {}",
            pick.order, pick.id, pick.set, pick.why
        )?;
    }
    Ok(())
}

fn scores(out: &mut String, card: &Card) -> std::fmt::Result {
    writeln!(out, "\n## Against the target it was chosen for\n")?;
    writeln!(
        out,
        "| {:<16} | {:>6} | A(S,T) | A(T,S) | {:>5} | templates | n-grams | different | databases |",
        "set", "n", "JS"
    )?;
    writeln!(
        out,
        "| {:-<16} | -----: | -----: | -----: | ----: | --------: | ------: | --------: | --------: |",
        ""
    )?;
    for arm in &card.arms {
        writeln!(
            out,
            "| {:<16} | {:>6} | {:>6.3} | {:>6.3} | {:>5.3} | {:>7.1} % | {:>5.1} % | {:>9.0} | {:>9.0} |",
            arm.name,
            arm.n,
            arm.a_kl,
            arm.a_kl_rev,
            arm.js,
            100.0 * arm.ovlp_template,
            100.0 * arm.ovlp_ngram,
            arm.templates,
            arm.databases
        )?;
    }
    writeln!(
        out,
        "\ntemplates, n-grams: share of the target's that the set has; different: its own templates. Lower JS is closer."
    )
}

fn held_out(out: &mut String, found: &HeldOut) -> std::fmt::Result {
    let halves = if found.by_database {
        "halves without a common database"
    } else {
        "random halves"
    };
    writeln!(
        out,
        "\n## On queries it was not chosen for\n\nChosen for one half of the target, judged by the other: mean of {} \
         splits into {halves}.\n",
        found.splits
    )?;
    writeln!(
        out,
        "| set              | A(S,T) | A(T,S) |    JS | templates |"
    )?;
    writeln!(
        out,
        "| ---------------- | -----: | -----: | ----: | --------: |"
    )?;
    for (name, arm) in [("chosen", found.chosen), ("random, same n", found.random)] {
        writeln!(
            out,
            "| {name:<16} | {:>6.3} | {:>6.3} | {:>5.3} | {:>7.1} % |",
            arm.a_kl,
            arm.a_kl_rev,
            arm.js,
            100.0 * arm.ovlp_template
        )?;
    }
    let range = |interval: &Option<Interval>| {
        interval.map_or_else(
            || "unknown".to_owned(),
            |found| format!("{:+.3} to {:+.3}", found.low, found.high),
        )
    };
    writeln!(
        out,
        "\nBetter than random by (95 %): JS {}, A(T,S) {}.",
        range(&found.js_gain),
        range(&found.a_rev_gain)
    )?;
    if found.js_gain.is_some_and(|gain| gain.low <= 0.0) {
        writeln!(
            out,
            "**Not surely better than a random set of the same size on queries it has not seen.**"
        )?;
    }
    Ok(())
}

/// Templates of a target that are lacking, with what may be done about each.
pub fn gaps(out: &mut String, gaps: &[Gap]) -> std::fmt::Result {
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "Commonest templates of the target that are lacking:\n")?;
    for gap in gaps {
        let place = if gap.in_pool {
            "is in the pool"
        } else {
            "not in the pool"
        };
        writeln!(
            out,
            "- {} queries, {place}: `{}`, such as `{}`",
            gap.queries,
            shortened(&gap.template),
            shortened(&gap.example)
        )?;
    }
    Ok(())
}

/// One line of at most so many characters.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDTH {
        return line;
    }
    line.chars().take(WIDTH - 1).chain(['…']).collect()
}
