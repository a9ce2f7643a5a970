//! `harness verify`: are the results what they say they are?

use anyhow::{Result, bail};
use serde_json::json;

use super::{Plan, Store, load_spec, made};
use crate::cli::VerifyArgs;
use crate::context::Context;
use crate::stage::verify::{Found, verify as look};

pub fn verify(arguments: &VerifyArgs) -> Result<()> {
    let spec = load_spec(&arguments.config, &arguments.spec)?;
    made::ensure(&spec)?;
    let (plan, store) = (Plan::new(&spec), Store::read(&spec.out));
    let out = spec.out.clone();
    let context = Context::new(spec);
    let found = look(&context, &store, &plan, !arguments.digests, &mut |id| {
        tracing::info!(stage = %id, "looked at");
    })?;
    if arguments.json {
        let list: Vec<_> = found
            .iter()
            .map(|(id, found)| json!({ "stage": id.to_string(), "result": found }))
            .collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
    } else {
        for (id, found) in &found {
            println!("  {:<44} {}", id.to_string(), said(found));
        }
    }
    let bad: Vec<_> = found.iter().filter(|(_, it)| !it.is_good()).collect();
    if let Some((id, first)) = bad.first() {
        bail!(
            "{} of {} stages in {} are not what the experiment says, the first {id}: {}",
            bad.len(),
            found.len(),
            out.display(),
            said(first)
        );
    }
    if !arguments.json {
        let again = found.iter().filter(|(_, it)| *it == Found::Same).count();
        println!(
            "all {} stages are whole, made from what the experiment says; {again} were computed again and are the same",
            found.len()
        );
    }
    Ok(())
}

fn said(found: &Found) -> String {
    match found {
        Found::Whole => "whole".to_owned(),
        Found::Same => "computed again: the same".to_owned(),
        Found::Differs(file) => format!("computed again: another {file}"),
        Found::Damaged(what) => what.clone(),
        Found::Stale(what) => format!("made from something else: {what}"),
        Found::Missing => "missing".to_owned(),
    }
}
