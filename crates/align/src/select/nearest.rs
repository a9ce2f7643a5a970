//! The nearest by question: cosine of TF-IDF vectors of words.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Task;

/// For each candidate the cosine to the target's question that is nearest to its own; 0 without a question.
pub(super) fn scores(task: &Task) -> Vec<f64> {
    let of_pool: Vec<Option<&str>> = (0..task.candidates.len())
        .map(|c| {
            task.pool.workload().queries()[task.candidates.place(c)]
                .question
                .as_deref()
        })
        .collect();
    let of_target: Vec<Option<&str>> = task
        .target
        .queries()
        .iter()
        .map(|q| q.question.as_deref())
        .collect();
    let mut vocabulary = BTreeMap::new();
    let mut read = |questions: &[Option<&str>]| -> Vec<Vec<(usize, f64)>> {
        questions
            .iter()
            .map(|question| counts(question.unwrap_or_default(), &mut vocabulary))
            .collect()
    };
    let (mut of_pool, mut of_target) = (read(&of_pool), read(&of_target));
    let mut documents = vec![0.0_f64; vocabulary.len()];
    for (word, _) in of_pool.iter().chain(&of_target).flatten() {
        documents[*word] += 1.0;
    }
    let all = (of_pool.len() + of_target.len()) as f64;
    for vector in of_pool.iter_mut().chain(&mut of_target) {
        for (word, times) in vector.iter_mut() {
            *times *= (all / documents[*word]).ln();
        }
        let norm = vector.iter().map(|(_, x)| x * x).sum::<f64>().sqrt();
        for (_, x) in vector.iter_mut().filter(|_| norm > 0.0) {
            *x /= norm;
        }
    }
    // For each word the questions of the target that have it.
    let mut index: Vec<Vec<(usize, f64)>> = vec![Vec::new(); vocabulary.len()];
    for (question, vector) in of_target.iter().enumerate() {
        for &(word, x) in vector {
            index[word].push((question, x));
        }
    }
    let nearest = |vector: &Vec<(usize, f64)>| {
        let mut cosine = vec![0.0_f64; of_target.len()];
        for &(word, x) in vector {
            for &(question, y) in &index[word] {
                cosine[question] += x * y;
            }
        }
        cosine.into_iter().fold(0.0, f64::max)
    };
    of_pool.par_iter().map(nearest).collect()
}

/// The words of a question with their occurrences, by number.
fn counts(question: &str, vocabulary: &mut BTreeMap<String, usize>) -> Vec<(usize, f64)> {
    let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
    let words = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    for word in words {
        let next = vocabulary.len();
        let word = *vocabulary.entry(word.to_lowercase()).or_insert(next);
        *counts.entry(word).or_insert(0.0) += 1.0;
    }
    counts.into_iter().collect()
}
