//! Predictions and examples, brought together by id.

use std::collections::{BTreeMap, BTreeSet};

use harness_record::{Example, Prediction};

use crate::{Place, Row};

/// A prediction, as far as it has to be brought together with an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Identifier of the example.
    pub id: &'a str,
    /// Name of the database, where it is stated.
    pub db_id: Option<&'a str>,
    /// The query.
    pub sql: &'a str,
}

impl<'a> From<&'a Prediction> for Answer<'a> {
    fn from(prediction: &'a Prediction) -> Self {
        Self {
            id: &prediction.id,
            db_id: Some(&prediction.db_id),
            sql: &prediction.sql,
        }
    }
}

/// Why predictions and examples do not fit together: all faults at once, each with the ids it concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct JoinError {
    /// Ids that several examples have.
    pub repeated_examples: Vec<String>,
    /// Ids that several predictions have.
    pub repeated_predictions: Vec<String>,
    /// Ids of examples without a prediction.
    pub missing: Vec<String>,
    /// Ids of predictions without an example.
    pub surplus: Vec<String>,
    /// Ids of predictions for another database than their example's.
    pub other_database: Vec<String>,
}

impl std::fmt::Display for JoinError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 5;
        f.write_str("the predictions do not fit the examples:")?;
        for (ids, fault) in [
            (&self.repeated_examples, "id(s) of several examples"),
            (&self.repeated_predictions, "id(s) of several predictions"),
            (&self.missing, "example(s) without a prediction"),
            (&self.surplus, "prediction(s) without an example"),
            (
                &self.other_database,
                "prediction(s) for another database than the example's",
            ),
        ] {
            if ids.is_empty() {
                continue;
            }
            let shown = ids[..ids.len().min(SHOWN)].join(", ");
            let more = if ids.len() > SHOWN { ", …" } else { "" };
            write!(f, "\n  {} {fault}: {shown}{more}", ids.len())?;
        }
        Ok(())
    }
}

/// The rows to evaluate, in the order of the examples; `place` says what there is of a database.
pub fn join<'a>(
    answers: impl IntoIterator<Item = Answer<'a>>,
    examples: &[Example],
    place: impl Fn(&str) -> Place,
) -> Result<Vec<Row>, JoinError> {
    let mut faults = JoinError::default();
    let mut by_id: BTreeMap<&str, Answer<'_>> = BTreeMap::new();
    for answer in answers {
        if by_id.insert(answer.id, answer).is_some() {
            faults.repeated_predictions.push(answer.id.to_owned());
        }
    }
    let mut asked = BTreeSet::new();
    let mut rows = Vec::with_capacity(examples.len());
    for example in examples {
        if !asked.insert(example.id.as_str()) {
            faults.repeated_examples.push(example.id.clone());
            continue;
        }
        match by_id.get(example.id.as_str()) {
            None => faults.missing.push(example.id.clone()),
            Some(answer) if answer.db_id.is_some_and(|db_id| db_id != example.db_id) => {
                faults.other_database.push(example.id.clone());
            }
            Some(answer) => rows.push(Row {
                id: example.id.clone(),
                db_id: example.db_id.clone(),
                place: place(&example.db_id),
                gold: example.gold.clone(),
                predicted: answer.sql.to_owned(),
            }),
        }
    }
    let surplus = by_id.keys().filter(|id| !asked.contains(**id));
    faults.surplus = surplus.map(|id| (*id).to_owned()).collect();
    if faults == JoinError::default() {
        Ok(rows)
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use harness_record::Finish;

    use super::*;

    fn prediction(id: &str, db_id: &str) -> Prediction {
        Prediction {
            id: id.into(),
            db_id: db_id.into(),
            sql: format!("SELECT '{id}'"),
            raw: String::new(),
            finish: Finish::EndOfText,
            prompt_tokens: 1,
            completion_tokens: 1,
            mean_logprob: None,
            sample: None,
            votes: None,
        }
    }

    fn example(id: &str) -> Example {
        Example {
            id: id.into(),
            db_id: "d".into(),
            question: "?".into(),
            evidence: None,
            gold: "SELECT 1".into(),
            difficulty: None,
        }
    }

    #[test]
    fn rows_come_in_the_order_of_the_examples() {
        let predictions = [prediction("a", "d"), prediction("b", "d")];
        let rows = join(
            predictions.iter().map(Answer::from),
            &[example("b"), example("a")],
            |db_id| Place::from(Some(db_id.into())),
        );
        let rows = rows.unwrap();
        assert_eq!(rows[0].predicted, "SELECT 'b'");
        assert_eq!(rows[1].id, "a");
        assert_eq!(rows[1].place.files, [PathBuf::from("d")]);
    }

    #[test]
    fn every_fault_is_named() {
        let predictions = [
            prediction("a", "d"),
            prediction("a", "d"),
            prediction("x", "d"),
            prediction("b", "other"),
        ];
        let examples = [example("a"), example("b"), example("c"), example("c")];
        let message = join(predictions.iter().map(Answer::from), &examples, |_| {
            Place::default()
        })
        .unwrap_err()
        .to_string();
        assert_eq!(
            message,
            "the predictions do not fit the examples:\n  \
             1 id(s) of several examples: c\n  \
             1 id(s) of several predictions: a\n  \
             1 example(s) without a prediction: c\n  \
             1 prediction(s) without an example: x\n  \
             1 prediction(s) for another database than the example's: b"
        );
    }
}
