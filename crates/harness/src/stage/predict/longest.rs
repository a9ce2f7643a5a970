//! How long an answer may become, in tokens.

use anyhow::{Context as _, Result};
use harness_data::prompt;
use harness_experiment::spec::MaxNewTokens;
use harness_record::Example;

use crate::context::Context;

/// The number that `generate.max_new_tokens` stands for; a rule goes by the answers of the training sets `sets`, and never
/// looks at a target.
pub fn max_new_tokens<'a>(
    context: &Context,
    sets: impl IntoIterator<Item = &'a str>,
) -> Result<usize> {
    let times = match context.spec.generate.max_new_tokens {
        MaxNewTokens::Count(count) => return Ok(count),
        MaxNewTokens::Rule {
            times_longest_trained,
        } => times_longest_trained,
    };
    let model = context.model()?;
    let mut longest = 0;
    for name in sets {
        let (options, sources) = context.prompt_sources(name)?;
        let examples: Vec<&Example> = context.dataset(name)?.examples.iter().collect();
        for (example, pair) in examples
            .iter()
            .zip(prompt::training_pairs(&options, &sources, &examples)?)
        {
            let tokens = model
                .completion_ids(&pair)
                .with_context(|| format!("example {}", example.id))?;
            longest = longest.max(tokens.len());
        }
    }
    Ok(((times * longest as f64).ceil() as usize).max(1))
}
