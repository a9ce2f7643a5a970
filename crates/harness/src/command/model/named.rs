//! Which model is meant by a name on the command line.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use harness_experiment::{Env, spec};
use harness_model::source::{Candidate, ModelSource, ResolvedModel};

use crate::model;

/// A model's files, fetched where they are not there yet, with its name.
pub(super) fn files(model: &str) -> Result<(String, ResolvedModel)> {
    let (name, source) = named(model)?;
    let (files, _) = model::resolve(&source).with_context(|| format!("model {name}"))?;
    Ok((name, files))
}

/// A model's name and where it may come from: a part of `configs/model`, a YAML file like those, or a path.
pub(super) fn named(model: &str) -> Result<(String, ModelSource)> {
    let path = Path::new(model);
    let is_yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    if path.exists() && !is_yaml {
        let candidates = vec![Candidate::Local(path.to_owned().into())];
        return Ok((model.to_owned(), ModelSource { candidates }));
    }
    let is_path = model.contains(['/', '\\']) || path.extension().is_some();
    if is_path && !is_yaml && !path.exists() && !in_configs(model) {
        bail!(
            "{model}: there is no such file or folder; a model of a hub is named in a YAML file like those in configs/model"
        );
    }
    let targets = "targets: {any: {dataset: jsonl, split: any}}\n";
    let env = Env::default();
    // A specification has to have something to do; this one is only asked for its model.
    let spec = if is_yaml {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {model}"))?;
        spec::load_text(
            path,
            &format!("{}{targets}", below_model(&text)),
            None,
            &[],
            &env,
        )?
    } else {
        let text = format!("model: {model}\n{targets}");
        let configs = Path::new("configs");
        spec::load_text(Path::new("MODEL"), &text, Some(configs), &[], &env)?
    };
    let source = serde_json::from_value(spec.model.source.clone())
        .with_context(|| format!("the `source` of model {}", spec.model.name))?;
    Ok((spec.model.name, source))
}

/// Whether a part has this name, which may have dots in it.
fn in_configs(model: &str) -> bool {
    Path::new("configs/model")
        .join(format!("{model}.yaml"))
        .is_file()
}

/// The text of a part as the value of the key `model`, with its lines where they were if the first one says nothing.
fn below_model(part: &str) -> String {
    let mut lines = part.lines().peekable();
    let says_nothing = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    let mut text = "model:\n".to_owned();
    let _ = lines.next_if(says_nothing);
    for line in lines {
        text.push(' ');
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::below_model;

    #[test]
    fn lines_of_a_part_stay_where_they_were() {
        assert_eq!(below_model("# A model.\na:\n  b\n"), "model:\n a:\n   b\n");
        assert_eq!(below_model("a: b"), "model:\n a: b\n");
    }
}
