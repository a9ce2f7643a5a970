//! `harness model check`: everything of a model opened and read, and all that is wrong with it.

use anyhow::{Result, bail};
use harness_model::check::{Report, check as check_files};
use serde::Serialize;

use super::named::files;
use crate::cli::ModelCheckArgs;

/// The result as JSON.
#[derive(Serialize)]
struct Checked<'a> {
    name: &'a str,
    path: String,
    ok: bool,
    #[serde(flatten)]
    report: &'a Report,
}

/// Checks a model; fails if there are faults.
pub fn check(arguments: &ModelCheckArgs) -> Result<()> {
    let (name, files) = files(&arguments.model)?;
    let report = check_files(&files.path);
    let count = report.faults.len();
    if arguments.json {
        let checked = Checked {
            name: &name,
            path: files.path.display().to_string(),
            ok: count == 0,
            report: &report,
        };
        println!("{}", serde_json::to_string_pretty(&checked)?);
    } else {
        for fault in &report.faults {
            println!("{}: {}", fault.file.display(), fault.at);
            println!("  expected {}", fault.expected);
            println!("  found    {}", fault.found);
        }
        let tokens = report
            .tokens
            .map_or_else(|| "no tokenizer".to_owned(), |n| format!("{n} tokens"));
        let chat = if report.chat {
            "a chat template"
        } else {
            "no chat template"
        };
        println!(
            "{}: read {} tensors of {} values; {tokens}; {chat}",
            files.path.display(),
            report.tensors,
            report.values
        );
    }
    if count > 0 {
        let s = if count == 1 { "" } else { "s" };
        bail!("{count} fault{s} in {name}");
    }
    Ok(())
}
