//! The account of an augmentation, as text, as Markdown and as one document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use harness_align::Comparison;
use harness_augment::{Augmented, Options, Reason};
use serde_json::{Value, json};

/// Templates that could not be made which a card lists.
const LISTED: usize = 20;
/// Examples that a card shows.
const SHOWN: usize = 8;

/// Scores against the target.
pub struct Scores {
    /// Of the source.
    pub before: Comparison,
    /// Of the source and the examples, each query counted once.
    pub after: Comparison,
    /// Of the examples alone, if there are any.
    pub examples: Option<Comparison>,
}

/// What was wanted, made and not made.
pub struct Card {
    pub source: String,
    pub target: String,
    pub options: Options,
    /// Databases that queries could be made for.
    pub databases: usize,
    /// Templates that the source lacks.
    pub wanted: usize,
    pub made: Augmented,
    pub scores: Scores,
}

impl Card {
    /// Reasons of attempts that came to nothing, over all templates, the most frequent first.
    fn rejected(&self) -> Vec<(Reason, usize)> {
        let mut all: BTreeMap<Reason, usize> = BTreeMap::new();
        for (reason, count) in self.made.templates.iter().flat_map(|it| &it.rejected) {
            *all.entry(*reason).or_insert(0) += count;
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }

    /// Templates of which nothing was made, each with the reason that came up most.
    fn failed(&self) -> Vec<(&str, f64, String)> {
        let without = self.made.templates.iter().filter(|it| it.made == 0);
        without
            .map(|it| {
                let most = it.rejected.iter().max_by_key(|(_, count)| **count);
                let reason = most.map_or("nothing was tried".to_owned(), |(it, _)| it.words());
                (it.template.as_str(), it.lack, reason)
            })
            .collect()
    }

    /// How many templates failed for each reason.
    fn failures(&self) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (_, _, reason) in self.failed() {
            *counts.entry(reason).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    fn templates_made(&self) -> usize {
        self.made.templates.iter().filter(|it| it.made > 0).count()
    }

    /// The scores by name, with a value for each column.
    fn rows(&self) -> Vec<(&'static str, [Option<f64>; 3])> {
        type Pick = fn(&Comparison) -> f64;
        let picks: [(&str, Pick); 5] = [
            ("A(S, T)", |it| it.a_kl),
            ("A(T, S)", |it| it.a_kl_rev),
            ("JS", |it| it.js),
            ("OVLP of templates", |it| it.ovlp_template),
            ("OVLP of n-grams", |it| it.ovlp_ngram),
        ];
        let scores = &self.scores;
        picks
            .into_iter()
            .map(|(name, pick)| {
                let alone = scores.examples.as_ref().map(pick);
                let values = [Some(pick(&scores.before)), Some(pick(&scores.after)), alone];
                (name, values)
            })
            .collect()
    }

    /// Everything, for programs.
    pub fn document(&self) -> Value {
        let rejected: BTreeMap<String, usize> = self
            .rejected()
            .into_iter()
            .map(|(reason, count)| (reason.words(), count))
            .collect();
        json!({
            "source": self.source,
            "target": self.target,
            "options": self.options,
            "databases": self.databases,
            "wanted": self.wanted,
            "not_asked": self.made.not_asked,
            "lack": self.made.lack,
            "lack_met": self.made.lack_met,
            "made": self.made.examples.len(),
            "templates_made": self.templates_made(),
            "rejected": rejected,
            "failed": self.failures().into_iter().collect::<BTreeMap<_, _>>(),
            "templates": self.made.templates,
            "before": self.scores.before,
            "after": self.scores.after,
            "synthetic_alone": self.scores.examples,
        })
    }

    /// The figures in a few lines.
    fn summary(&self) -> String {
        let made = &self.made;
        let asked: usize = made.templates.iter().map(|it| it.asked).sum();
        let mut text = format!(
            "{} templates are lacking, {:.1} % of the target's queries; examples were asked of {}\n\
             {} of {asked} examples made, of {} templates: {:.1} % of what is lacking\n",
            self.wanted,
            100.0 * made.lack,
            made.templates.len(),
            made.examples.len(),
            self.templates_made(),
            if made.lack > 0.0 {
                100.0 * made.lack_met / made.lack
            } else {
                0.0
            },
        );
        if made.not_asked > 0 {
            let _ = writeln!(
                text,
                "{} wanted templates came too late: raise --n to have examples of them",
                made.not_asked
            );
        }
        text
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{} for {}\n", self.source, self.target);
        text.push_str(&self.summary());
        let _ = writeln!(
            text,
            "\n{:<20}{:>9}{:>9}{:>12}",
            "", "before", "after", "made alone"
        );
        for (name, values) in self.rows() {
            let [before, after, alone] = values.map(figure);
            let _ = writeln!(text, "{name:<20}{before:>9}{after:>9}{alone:>12}");
        }
        let failures = self.failures();
        if !failures.is_empty() {
            text.push_str("\ntemplates of which nothing was made, by reason\n");
            for (reason, count) in failures {
                let _ = writeln!(text, "{count:>6}  {reason}");
            }
        }
        text
    }

    /// For people who get the folder.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# Synthetic examples\n\nMade for the templates that {} has and {} lacks, on {} databases of the latter; \
             seed {}. Questions are composed from the queries and read like it: mark what is trained on them.\n\n{}\n",
            self.target,
            self.source,
            self.databases,
            self.options.seed,
            self.summary().replace('\n', "\n\n").trim_end()
        );
        text.push_str("\n| | before | after | made alone |\n| --- | ---: | ---: | ---: |\n");
        for (name, values) in self.rows() {
            let [before, after, alone] = values.map(figure);
            let _ = writeln!(text, "| {name} | {before} | {after} | {alone} |");
        }
        text.push_str(
            "\n## Attempts that came to nothing\n\n| attempts | reason |\n| ---: | --- |\n",
        );
        for (reason, count) in self.rejected() {
            let _ = writeln!(text, "| {count} | {} |", reason.words());
        }
        let failed = self.failed();
        if !failed.is_empty() {
            let _ = writeln!(
                text,
                "\n## Templates of which nothing was made\n\n{} in all{}.\n\n| lacking | template | reason |\n| ---: | --- | --- |",
                failed.len(),
                if failed.len() > LISTED {
                    format!(", the first {LISTED}")
                } else {
                    String::new()
                }
            );
            for (template, lack, reason) in failed.iter().take(LISTED) {
                let _ = writeln!(text, "| {:.2} % | `{template}` | {reason} |", 100.0 * lack);
            }
        }
        text.push_str("\n## Some of them\n\n");
        let examples = &self.made.examples;
        let step = examples.len().div_ceil(SHOWN).max(1);
        for example in examples.iter().step_by(step) {
            let _ = writeln!(
                text,
                "- {} (`{}`)\n\n      {}\n",
                example.question,
                example.db_id,
                example.sql.replace('\n', " ")
            );
        }
        text
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.4}"))
}
