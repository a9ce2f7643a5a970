//! `harness template`: queries in, templates out.

use std::borrow::Cow;
use std::io::{BufRead, Read, Write};
use std::thread;

use anyhow::{Context as _, Result};
use harness_sql::{Excluded, Template};
use serde::{Deserialize, Serialize};

/// Bytes that one thread reads at a time, at least: a part goes on to the end of its last line.
const PART: u64 = 1 << 20;

#[derive(Deserialize)]
struct Query<'a> {
    #[serde(borrow)]
    sql: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Template(Template),
    Error(Excluded),
}

pub fn template() -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut lines = 0;
    loop {
        let mut parts = Vec::new();
        while parts.len() < threads {
            let Some(part) = next_part(&mut input).context("cannot read standard input")? else {
                break;
            };
            let before = lines;
            lines += part.split(|byte| *byte == b'\n').count() - 1;
            parts.push((part, before));
        }
        if parts.is_empty() {
            return Ok(());
        }
        let answered: Vec<(Vec<u8>, Result<()>)> = thread::scope(|scope| {
            let threads: Vec<_> = parts
                .iter()
                .map(|(part, before)| scope.spawn(|| answers(part, *before)))
                .collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        for (answers, end) in answered {
            output.write_all(&answers)?;
            end?;
        }
        output.flush()?;
    }
}

/// Whole lines from what is ready to be read.
fn next_part(input: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut part = Vec::new();
    input.by_ref().take(PART).read_to_end(&mut part)?;
    if part.last().is_some_and(|last| *last != b'\n') {
        input.read_until(b'\n', &mut part)?;
    }
    Ok((!part.is_empty()).then_some(part))
}

/// An answer a line, as far as the lines are good; `before` counts the lines before them.
fn answers(part: &[u8], before: usize) -> (Vec<u8>, Result<()>) {
    let mut answers = Vec::new();
    let end = part
        .split(|byte| *byte == b'\n')
        .enumerate()
        .try_for_each(|(number, line)| {
            if line.trim_ascii().is_empty() {
                return Ok(());
            }
            let query: Query<'_> = serde_json::from_slice(line).with_context(|| {
                format!(
                    "standard input, line {}: a row is {{\"sql\": …}}",
                    before + number + 1
                )
            })?;
            let answer = match harness_sql::template(&query.sql) {
                Ok(template) => Answer::Template(template),
                Err(excluded) => Answer::Error(excluded),
            };
            serde_json::to_writer(&mut answers, &answer)?;
            answers.push(b'\n');
            Ok(())
        });
    (answers, end)
}
