//! The commands: each parses nothing and computes nothing, it calls and prints.

mod advise;
mod align;
mod augment;
mod config;
mod correlate;
mod data;
mod diff;
mod eval;
mod find_lr;
mod gc;
mod measure;
mod mix;
mod model;
mod plan;
mod predict;
mod run;
mod select;
#[cfg(feature = "serve")]
mod serve;
mod template;
mod tokenizer;
mod train;
mod verify;

use std::path::Path;

use anyhow::Result;
use harness_experiment::store::Shared;
use harness_experiment::{Plan, Resolved, StageKind, Store};

use crate::cli::{Command, SpecArgs, StageArgs};
use crate::context::{Context, load_spec};
use crate::made;
use crate::stage;

/// Does what the command line says.
pub fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Gc(arguments) => gc::gc(&arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Config(command) => config::config(&command),
        Command::Data(command) => data::data(command),
        Command::Model(command) => model::model(command),
        Command::Predict(arguments) => predict::predict(&arguments),
        Command::Advise(arguments) => advise::advise(&arguments),
        Command::Augment(arguments) => augment::run(&arguments),
        Command::Align(arguments) => align::align(*arguments),
        Command::Measure(arguments) => measure::measure(&arguments),
        Command::Select(arguments) => select::select(&arguments),
        Command::Mix(arguments) => mix::mix(&arguments),
        Command::Report(arguments) => run::stages(&arguments, StageKind::Report),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::serve(&arguments),
        Command::Eval(arguments) => eval::eval(&arguments),
        Command::Train(arguments) => train::train(&arguments),
        Command::Tokenizer(command) => tokenizer::tokenizer(&command),
        Command::Correlate(arguments) => correlate::correlate(&arguments),
        Command::Template => template::template(),
        Command::ExecWorker => harness_eval::worker_main(),
    }
}

/// An experiment with its plan and its results' folder, opened for work.
struct Opened {
    context: Context,
    plan: Plan,
    store: Store,
}

fn open(path: &Path, arguments: &SpecArgs) -> Result<Opened> {
    open_spec(load_spec(path, arguments)?, path, arguments)
}

fn open_spec(spec: Resolved, path: &Path, arguments: &SpecArgs) -> Result<Opened> {
    made::ensure(&spec)?;
    let plan = Plan::new(&spec);
    let store = Store::open(&spec.out)?;
    let mut context = Context::new(spec);
    context.command = Some(command_again(path, arguments));
    Ok(Opened {
        context,
        plan,
        store,
    })
}

/// The command that does an experiment again, to be typed in the folder that it was typed in. Where data lies and
/// results go is the user's own affair and not said, nor is the way to an experiment outside that folder.
fn command_again(path: &Path, arguments: &SpecArgs) -> String {
    let shown = if path.is_absolute() {
        path.file_name().map_or(path, Path::new)
    } else {
        path
    };
    let mut words = vec![shown.display().to_string()];
    if let Some(cell) = &arguments.cell {
        words.extend(["--cell".to_owned(), cell.clone()]);
    }
    for set in &arguments.sets {
        if !set.starts_with("out=") && !set.starts_with("data.") {
            words.extend(["--set".to_owned(), set.clone()]);
        }
    }
    format!("harness run {}", for_a_shell(&words))
}

/// Words as one would type them in a shell.
pub fn for_a_shell(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn open_stage(arguments: &StageArgs) -> Result<Opened> {
    open(&arguments.config, &arguments.spec)
}

impl Opened {
    fn run(&self, kinds: &[StageKind]) -> Result<usize> {
        self.run_beside(kinds, &Shared::default())
    }

    /// As `run`, with what neighbours have done already.
    fn run_beside(&self, kinds: &[StageKind], others: &Shared) -> Result<usize> {
        stage::run(&self.context, &self.store, &self.plan, kinds, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_one_for_a_shell() {
        let again = |path: &str, sets: &[&str]| {
            let arguments = SpecArgs {
                cell: None,
                sets: sets.iter().map(|&set| set.to_owned()).collect(),
                data: None,
            };
            command_again(Path::new(path), &arguments)
        };
        assert_eq!(again("a/b.yaml", &["out=x"]), "harness run a/b.yaml");
        assert_eq!(again("/far/b.yaml", &[]), "harness run b.yaml");
        assert_eq!(
            again("b c.yaml", &["train.steps=3", "name=it's"]),
            r"harness run 'b c.yaml' --set train.steps=3 --set 'name=it'\''s'"
        );
    }
}
