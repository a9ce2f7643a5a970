//! `harness`: will fine-tuning this model on that data raise its text-to-SQL accuracy, and did it?
//!
//! The command line: parse, resolve, call, print. Everything else is in the libraries; this crate is the only one
//! that prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod command;
mod context;
mod files;
mod hint;
mod machine;
mod made;
mod model;
mod progress;
#[cfg(feature = "serve")]
mod serve;
mod set;
mod stage;
mod workload;

use std::process::ExitCode;

use clap::Parser;

/// Fresh memory is the main cost of a training step with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a shell says of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 128 + 2;

fn main() -> ExitCode {
    end_quietly_on_a_closed_pipe();
    harness_model::keep_candle_on_one_thread();
    let cli = cli::Cli::parse();
    start_log(cli.verbose);
    harness_model::keep_freed_memory();
    match command::dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.root_cause().is::<stage::Interrupted>() => {
            eprintln!("{}", error.root_cause());
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            eprintln!("error: {}", told(&error));
            if let Some(hint) = hint::of(&error) {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// A reader that has seen enough, such as `head`, closes the pipe; that is no fault to be told of.
fn end_quietly_on_a_closed_pipe() {
    // What a shell says of a program that the signal for it has ended.
    const STATUS: i32 = 128 + 13;
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(STATUS);
        }
        tell(panic);
    }));
}

/// An error with its causes. Many libraries end their own text with that of the cause, which is then not said twice.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("HARNESS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    // The first writes out every byte that is sent, tokens too; the second tells whether signed addresses are shown.
    let filter = ["ureq_proto::util=off", "ureq::util=off"]
        .iter()
        .filter_map(|never| never.parse().ok())
        .fold(filter, tracing_subscriber::EnvFilter::add_directive);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
