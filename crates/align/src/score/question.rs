//! Likeness of the questions by their words: for each question of the target the nearest one of the source.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use crate::sum::sum;

/// Saturation of a word's count, and weight of a question's length (Robertson and Zaragoza 2009).
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The words of a question: runs of letters and digits, in lower case.
pub(crate) fn words(question: &str) -> Vec<String> {
    question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Mean over the target's questions of the largest cosine with a question of the source. Weights are counts times
/// `ln((1 + N)/(1 + df)) + 1`, with N and df over both sets (scikit-learn's smooth idf). None without words on a side.
pub(crate) fn tfidf(source: &[Vec<String>], target: &[Vec<String>]) -> Option<f64> {
    let n = (source.len() + target.len()) as f64;
    let idf: HashMap<&str, f64> = document_frequencies(&[source, target])
        .into_iter()
        .map(|(word, df)| (word, ((1.0 + n) / (1.0 + df)).ln() + 1.0))
        .collect();
    let unit = |question: &'_ Vec<String>| -> Vec<(String, f64)> {
        let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
        for word in question {
            *weights.entry(word).or_insert(0.0) += idf.get(word.as_str()).copied().unwrap_or(0.0);
        }
        let length = sum(weights.values().map(|w| w * w)).sqrt();
        let weights = weights.into_iter();
        weights
            .map(|(word, w)| (word.to_owned(), w / length))
            .collect()
    };
    let index = Index::new(source.iter().map(unit));
    best(&index, target, |question| (unit(question), 1.0))
}

/// Mean over the target's questions of the best BM25 score of a question of the source, by what the question scores
/// against itself, at most 1. idf is `ln(1 + (N − df + ½)/(df + ½))` over the source. None without words on a side.
pub(crate) fn bm25(source: &[Vec<String>], target: &[Vec<String>]) -> Option<f64> {
    let n = source.len() as f64;
    let df = document_frequencies(&[source]);
    let idf = |word: &str| {
        let df = df.get(word).copied().unwrap_or(0.0);
        (1.0 + (n - df + 0.5) / (df + 0.5)).ln()
    };
    let mean_length = sum(source.iter().map(|question| question.len() as f64)) / n.max(1.0);
    let saturated = |question: &[String]| -> Vec<(String, f64)> {
        let norm = K1 * (1.0 - B + B * question.len() as f64 / mean_length.max(1e-9));
        let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
        for word in question {
            *counts.entry(word).or_insert(0.0) += 1.0;
        }
        let counts = counts.into_iter();
        counts
            .map(|(word, count)| (word.to_owned(), count * (K1 + 1.0) / (count + norm)))
            .collect()
    };
    let index = Index::new(source.iter().map(|question| saturated(question)));
    best(&index, target, |question| {
        let distinct: BTreeSet<&String> = question.iter().collect();
        let query: Vec<(String, f64)> = distinct
            .into_iter()
            .map(|word| (word.clone(), idf(word)))
            .collect();
        let own: BTreeMap<String, f64> = saturated(question).into_iter().collect();
        let itself = sum(query
            .iter()
            .map(|(word, idf)| idf * own.get(word).copied().unwrap_or(0.0)));
        (query, itself)
    })
}

fn document_frequencies<'a>(sets: &[&'a [Vec<String>]]) -> HashMap<&'a str, f64> {
    let mut frequencies = HashMap::new();
    for question in sets.iter().flat_map(|set| set.iter()) {
        let distinct: BTreeSet<&str> = question.iter().map(String::as_str).collect();
        for word in distinct {
            *frequencies.entry(word).or_insert(0.0) += 1.0;
        }
    }
    frequencies
}

/// For each word the documents that have it, with its weight there.
struct Index {
    postings: HashMap<String, Vec<(u32, f64)>>,
    documents: usize,
}

impl Index {
    fn new(documents: impl Iterator<Item = Vec<(String, f64)>>) -> Self {
        let mut postings: HashMap<String, Vec<(u32, f64)>> = HashMap::new();
        let mut count = 0;
        for document in documents {
            for (word, weight) in document {
                postings
                    .entry(word)
                    .or_default()
                    .push((count as u32, weight));
            }
            count += 1;
        }
        Self {
            postings,
            documents: count,
        }
    }

    /// The largest product of `query` with a document; words are added up in the order of the query.
    fn largest(&self, query: &[(String, f64)]) -> f64 {
        let mut scores = vec![0.0; self.documents];
        for (word, weight) in query {
            for &(document, own) in self.postings.get(word).map_or(&[][..], Vec::as_slice) {
                scores[document as usize] += weight * own;
            }
        }
        scores.into_iter().fold(0.0, f64::max)
    }
}

/// The mean over `target` of the largest product by the number beside the query, at most 1.
fn best(
    index: &Index,
    target: &[Vec<String>],
    query: impl Fn(&Vec<String>) -> (Vec<(String, f64)>, f64) + Sync,
) -> Option<f64> {
    let asked: Vec<&Vec<String>> = target
        .iter()
        .filter(|question| !question.is_empty())
        .collect();
    if index.postings.is_empty() || asked.is_empty() {
        return None;
    }
    let scores: Vec<f64> = asked
        .par_iter()
        .map(|question| {
            let (query, itself) = query(question);
            (index.largest(&query) / itself).min(1.0)
        })
        .collect();
    Some(sum(scores.iter().copied()) / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::{bm25, tfidf, words};

    fn set(questions: &[&str]) -> Vec<Vec<String>> {
        questions.iter().map(|question| words(question)).collect()
    }

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(
            words("How many singers' names, in 2014?"),
            ["how", "many", "singers", "names", "in", "2014"]
        );
    }

    /// Figures of `scripts/reference/alignment_rivals.py`.
    #[test]
    fn agrees_with_numpy() {
        let source = set(&[
            "How many singers are there?",
            "List the name of each singer, and the names of their songs.",
            "What is the average age of the players?",
            "Which airports have no flights?",
        ]);
        let target = set(&[
            "How many players are there in each team?",
            "What is the name of the oldest singer?",
            "Name the songs, songs, songs!",
            "Größte Städte?",
        ]);
        for (found, expected) in [
            (tfidf(&source, &target), 0.391_042_419_668_414_35),
            (tfidf(&target, &source), 0.417_531_916_267_842_2),
            (bm25(&source, &target), 0.399_129_861_773_255_7),
            (bm25(&target, &source), 0.326_371_627_991_597_6),
        ] {
            let found = found.unwrap();
            assert!(
                (found - expected).abs() < 1e-12,
                "{found}, expected {expected}"
            );
        }
    }

    #[test]
    fn ends_and_a_case_by_hand() {
        let asked = set(&["how many singers", "list names"]);
        for score in [tfidf, bm25] {
            assert!((score(&asked, &asked).unwrap() - 1.0).abs() < 1e-12);
            assert_eq!(score(&set(&["nothing alike"]), &asked), Some(0.0));
            assert_eq!(score(&asked, &set(&["?"])), None);
        }
        // idf of `a` (in both): ln(3/3) + 1 = 1; of `b` and `c` (in one): ln(3/2) + 1.
        let (a, b) = (1.0, 1.5_f64.ln() + 1.0);
        let found = tfidf(&set(&["a b"]), &set(&["a c"])).unwrap();
        assert!((found - a * a / (a * a + b * b)).abs() < 1e-12);
        // One document of two words: no saturation by length. idf(a) = ln(1 + 0.5/1.5), idf(c) = ln(1 + 1.5/0.5).
        let (a, c) = ((4.0_f64 / 3.0).ln(), 4.0_f64.ln());
        let found = bm25(&set(&["a b"]), &set(&["a c"])).unwrap();
        assert!((found - a / (a + c)).abs() < 1e-12);
    }
}
