//! `harness diff`: the first thing in which two folders of results differ, and what follows from it.

use anyhow::{Result, ensure};
use harness_experiment::StageId;
use harness_experiment::store::{About, StageDifference, diff as between};
use serde_json::{Map, Value, json};

use crate::cli::RunDiffArgs;

pub fn diff(arguments: &RunDiffArgs) -> Result<()> {
    let (first, second) = (&arguments.first, &arguments.second);
    let found = between(first, second)?;
    for folder in [first, second] {
        let any = std::fs::read_dir(folder)?.flatten().any(|entry| {
            harness_experiment::StageKind::ALL
                .iter()
                .any(|kind| entry.file_name() == kind.as_str())
        });
        ensure!(
            any,
            "{} holds no results: give the folder that `out` of an experiment names",
            folder.display()
        );
    }
    if arguments.json {
        let rows: Vec<Value> = found.iter().map(row).collect::<Result<_>>()?;
        println!(
            "{}",
            serde_json::to_string_pretty(&json!({ "stages": rows }))?
        );
        return Ok(());
    }
    let Some((id, cause)) = found
        .iter()
        .find(|(_, it)| !matches!(it, StageDifference::Follows { .. }))
        .or(found.first())
    else {
        println!("the same results, from the same data, models and code");
        return Ok(());
    };
    println!("first: {id}: {}", said(cause));
    println!();
    for (id, difference) in &found {
        println!("  {:<44} {}", id.to_string(), said(difference));
    }
    Ok(())
}

fn row((id, difference): &(StageId, StageDifference)) -> Result<Value> {
    let mut row = Map::new();
    row.insert("stage".to_owned(), json!(id.to_string()));
    if let Value::Object(fields) = serde_json::to_value(difference)? {
        row.extend(fields);
    }
    Ok(Value::Object(row))
}

fn said(difference: &StageDifference) -> String {
    match difference {
        StageDifference::OnlyFirst => "only in the first".to_owned(),
        StageDifference::OnlySecond => "only in the second".to_owned(),
        StageDifference::Parameter {
            about,
            path,
            first,
            second,
        } => format!(
            "{}: {path} is {first}, in the second {second}",
            name(*about)
        ),
        StageDifference::Input { about, name: input } => {
            format!("{}: another {input}", name(*about))
        }
        StageDifference::CodeVersion { first, second } => {
            format!("code: version {first}, in the second {second}")
        }
        StageDifference::Follows { from } => format!("follows from {from}"),
        StageDifference::Result { file } => {
            format!("the same data, model and code gave another {file}")
        }
    }
}

fn name(about: About) -> &'static str {
    match about {
        About::Data => "data",
        About::Prompt => "prompt",
        About::Decoding => "decoding",
        About::Weights => "weights",
        About::Training => "training",
        About::Scoring => "scoring",
    }
}
