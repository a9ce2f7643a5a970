//! Which policies are asked for, and which are usual.

use anyhow::Result;
use harness_data::DatasetKind;
use harness_eval::{Metric, metric};

/// The policies of these names, each once.
pub fn by_name(names: &[impl AsRef<str>]) -> Result<Vec<Metric>> {
    let mut found: Vec<Metric> = Vec::new();
    for name in names {
        let metric = metric(name.as_ref().trim())?;
        if found.iter().all(|other| other.name != metric.name) {
            found.push(metric);
        }
    }
    Ok(found)
}

/// What the field reports for a data set, then ours.
pub const fn usual(dataset: DatasetKind) -> &'static [&'static str] {
    match dataset {
        DatasetKind::Spider => &["spider_exec", "spider_exact", "ordered_if_gold_orders"],
        DatasetKind::Bird => &["bird_ex", "soft_f1", "ordered_if_gold_orders"],
        DatasetKind::Gretel | DatasetKind::Classic | DatasetKind::Jsonl => MIXED,
    }
}

/// What is usual where queries and databases are of no released data set.
pub const MIXED: &[&str] = &["ordered_if_gold_orders", "bird_ex", "spider_exec"];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn experiments_have_every_metric_that_is_no_measure_of_time() {
        use harness_experiment::spec::Metric as Named;
        for metric in harness_eval::METRICS {
            let named: Result<Named, _> = serde_json::from_value(metric.name.into());
            assert_eq!(named.is_ok(), !metric.timed(), "{}", metric.name);
            assert!(named.is_err() || named.unwrap().as_str() == metric.name);
        }
    }

    #[test]
    fn usual_policies_exist_and_a_repeated_one_counts_once() {
        for dataset in DatasetKind::ALL {
            let usual = usual(dataset);
            assert_eq!(by_name(usual).unwrap().len(), usual.len());
        }
        assert_eq!(by_name(&["bird_ex", " bird_ex"]).unwrap().len(), 1);
        assert!(by_name(&["bird_x"]).is_err());
    }
}
