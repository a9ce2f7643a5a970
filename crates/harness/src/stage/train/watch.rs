//! What a person sees of a run of training: the memory and the time it will take, how it goes, and how to go on.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;
use harness_experiment::spec::{self, Method, Precision};
use harness_model::ModelConfig;
use harness_model::memory::{Workload, memory};
use harness_train::{
    Event, Objective, Outcome, Run, StepLog, StepRecord, Summary, TrainError, train,
};

use crate::command::for_a_shell;
use crate::machine::{available, bytes, duration, resident};
use crate::progress::Progress;

/// Steps that are timed before the time of the whole run is told.
const TIMED: usize = 3;

/// The work was ended by Ctrl-C at a good place. It is no fault, and what is done is kept where that was asked for.
#[derive(Debug)]
pub struct Interrupted {
    /// What to tell.
    said: String,
}

impl Interrupted {
    /// The work was ended; `said` tells what is kept and how to go on.
    pub fn new(said: String) -> Self {
        Self { said }
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Interrupted {}

/// Trains, shows how it goes, and logs it. A first Ctrl-C ends it after the step that is being computed.
pub fn follow(name: &str, objective: &dyn Objective, run: &Run<'_>, log: &Path) -> Result<Summary> {
    let mut log = StepLog::open(log)?;
    let mut failure = None;
    let mut shown = Shown::new(name);
    let outcome = train(objective, run, &mut |event| {
        if let Err(error) = log.record(&event) {
            // The loop ends after this step; the error is told below.
            run.stop.store(true, Ordering::Relaxed);
            failure.get_or_insert(error);
        }
        shown.show(&event);
    });
    drop(shown);
    if let Some(error) = failure {
        return Err(error.into());
    }
    let saves = run.checkpoints.is_some();
    match outcome {
        Ok(Outcome::Finished(summary)) => Ok(summary),
        Ok(Outcome::Stopped(summary)) => {
            let saved =
                saves.then_some("a checkpoint is saved; to go on from it, run the same again:");
            Err(interrupted(summary.steps, saved).into())
        }
        Err(TrainError::Score { step, .. }) if run.stop.load(Ordering::Relaxed) => {
            let saved = saves.then_some(
                "its measurement was not finished; to go on from the checkpoint before, run the same again:",
            );
            Err(interrupted(step, saved).into())
        }
        Err(error) => Err(error.into()),
    }
}

fn interrupted(step: usize, saved: Option<&str>) -> Interrupted {
    let what = saved.unwrap_or(
        "no checkpoint was asked for (checkpoint_every is 0), so it begins anew if you run the same again:",
    );
    let command: Vec<String> = std::env::args().collect();
    Interrupted::new(format!(
        "stopped after step {step}; {what}\n    {}",
        for_a_shell(&command)
    ))
}

/// Tells how much memory the run will take and how much there is, and what to change where it will not fit.
pub fn tell_memory(train: &spec::Train, precision: Precision, model: &ModelConfig, longest: usize) {
    // A micro-batch is as long as its budget, or as its one example that is longer.
    let tokens = train
        .micro_batch_tokens
        .max(longest)
        .min(longest.saturating_mul(train.batch_size).max(1));
    let workload = Workload {
        length: tokens.min(longest.max(1)),
        batch: tokens.div_ceil(longest.max(1)),
        rank: train.lora.as_ref().map_or(0, |lora| lora.rank),
        precision: match precision {
            Precision::F32 => harness_model::Precision::F32,
            Precision::Bf16 => harness_model::Precision::Bf16,
        },
        base: super::settings::base(train),
    };
    let needed = memory(model, &workload);
    let needed = match train.method {
        Method::Lora if train.recompute => needed.lora_recomputed,
        Method::Lora => needed.lora,
        Method::Full => needed.full,
    };
    let Some(there) = available() else {
        eprintln!("memory: some {} will be needed", bytes(needed));
        return;
    };
    // What is loaded already is part of what will be needed.
    let there = there + resident().unwrap_or(0);
    eprintln!(
        "memory: some {} will be needed, {} are there",
        bytes(needed),
        bytes(there)
    );
    if needed > there {
        eprintln!("{}", remedies(train, precision, longest));
    }
}

/// What makes a run smaller, the mildest first.
fn remedies(train: &spec::Train, precision: Precision, longest: usize) -> String {
    let lora = train.method == Method::Lora;
    let mut ways = Vec::new();
    if train.micro_batch_tokens > longest {
        ways.push((
            format!("train.micro_batch_tokens={longest}"),
            "the result stays the same but for rounding",
        ));
    }
    if lora && !train.recompute {
        let why = "a third more time; the result stays the same";
        ways.push(("train.recompute=true".to_owned(), why));
    }
    if lora && train.base == spec::Base::Plain {
        let why = "frozen weights in four bits";
        ways.push(("train.base=nf4".to_owned(), why));
    }
    if lora && precision == Precision::F32 {
        let why = "half the memory of the frozen weights";
        ways.push(("generate.precision=bf16".to_owned(), why));
    }
    ways.push((
        format!("train.max_length={}", longest / 2),
        "longer examples are left out, and counted",
    ));
    if !lora {
        let why = "an adapter beside frozen weights";
        ways.push(("train.method=lora".to_owned(), why));
    }
    let width = ways.iter().map(|(way, _)| way.len()).max().unwrap_or(0);
    let lines: Vec<String> = ways
        .iter()
        .map(|(way, why)| format!("\n    --set {way:<width$}  {why}"))
        .collect();
    format!(
        "it may not fit, and then the system slows it down or ends it; what makes it smaller:{}",
        lines.concat()
    )
}

/// The progress of one run on the screen.
struct Shown {
    name: String,
    progress: Option<Progress>,
    /// When the step that is being computed began.
    since: Instant,
    /// The steps of this process: their time without measurements and checkpoints, their number and their tokens.
    spent: Duration,
    steps: usize,
    tokens: usize,
    /// Whether something was measured on held-out examples.
    measured: bool,
}

impl Shown {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            progress: None,
            since: Instant::now(),
            spent: Duration::ZERO,
            steps: 0,
            tokens: 0,
            measured: false,
        }
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Started {
                examples,
                left_out,
                steps,
                done,
                trainable_parameters,
                ..
            } => {
                eprintln!(
                    "training on {examples} examples ({} too long, {} without a target token left out), \
                     {steps} steps, {trainable_parameters} trainable parameters",
                    left_out.too_long.len(),
                    left_out.no_target.len()
                );
                if *done > 0 {
                    eprintln!("going on from the checkpoint after step {done}");
                }
                let label = format!("training {}", self.name);
                self.progress = Some(Progress::new(label, "steps", *steps, *done));
            }
            Event::Step(step) => self.step(step),
            Event::DevLoss(dev) => {
                self.measured = true;
                let score = dev
                    .score
                    .map(|score| format!(", {:.1} % right", 100.0 * score))
                    .unwrap_or_default();
                self.say(&format!(
                    "  development loss after step {}: {:.4}{score}",
                    dev.step, dev.loss
                ));
            }
            Event::Damaged { path, reason } => eprintln!(
                "warning: the checkpoint {} is damaged, an older one is used: {reason}",
                path.display()
            ),
            Event::EarlyStop { step, best } => self.say(&format!(
                "  training ends after step {step}: the measure no longer gets better; it was best after step {}",
                best.step
            )),
            Event::Checkpoint { .. } => {}
        }
        self.since = Instant::now();
    }

    fn step(&mut self, step: &StepRecord) {
        self.steps += 1;
        self.tokens += step.tokens;
        self.spent += self.since.elapsed();
        let seconds = self.spent.as_secs_f64();
        let memory = resident()
            .map(|held| format!(", {}", bytes(held)))
            .unwrap_or_default();
        let note = format!(
            "loss {:.4}, lr {:.2e}, |g| {:.2}, {:.0} tokens/s, {:.0} % trained{memory}",
            step.loss,
            step.learning_rate,
            step.grad_norm,
            self.tokens as f64 / seconds.max(1e-9),
            100.0 * step.target_tokens as f64 / step.tokens.max(1) as f64,
        );
        if let Some(progress) = &mut self.progress {
            progress.set(step.step, &note);
        }
        if self.steps == TIMED && step.of > step.step {
            let each = seconds / TIMED as f64;
            let left = each * (step.of - step.step) as f64;
            self.say(&format!(
                "time: {each:.2} s a step at first, so some {} for the {} steps left{}",
                duration(left),
                step.of - step.step,
                if self.measured {
                    ", measurements not counted"
                } else {
                    ""
                }
            ));
        }
    }

    /// A line above the bar.
    fn say(&self, line: &str) {
        match &self.progress {
            Some(progress) => progress.say(line),
            None => eprintln!("{line}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Result;
    use harness_experiment::spec::{Env, load_text};

    use super::*;

    #[test]
    fn what_would_help_is_told_and_nothing_else() -> Result<()> {
        let told = |train: &str, precision| -> Result<String> {
            let text = format!(
                "model: {{name: m, source: [{{local: w}}]}}\ntargets: {{t: {{dataset: spider, split: dev}}}}\n\
                 train: {{{train}}}\n"
            );
            let spec = load_text(Path::new("x.yaml"), &text, None, &[], &Env::default())?;
            let text = remedies(&spec.train, precision, 500);
            Ok(text
                .split_once('\n')
                .map_or("", |(_, rest)| rest)
                .to_owned())
        };
        let all = told("micro_batch_tokens: 2048", Precision::F32)?;
        assert_eq!(
            all,
            "    --set train.micro_batch_tokens=500  the result stays the same but for rounding\n    \
             --set train.recompute=true          a third more time; the result stays the same\n    \
             --set train.base=nf4                frozen weights in four bits\n    \
             --set generate.precision=bf16       half the memory of the frozen weights\n    \
             --set train.max_length=250          longer examples are left out, and counted"
        );
        let full = told("method: full, micro_batch_tokens: 300", Precision::F32)?;
        assert!(full.starts_with("    --set train.max_length=250"), "{full}");
        assert!(full.ends_with("an adapter beside frozen weights"), "{full}");
        Ok(())
    }
}
