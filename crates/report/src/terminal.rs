//! The report's main tables as plain text for a terminal.

use crate::ReportInput;
use crate::number::{coefficient, percent, points, ratio, score};
use crate::table::{Table, one_line};

/// Widest line.
const WIDTH: usize = 100;

/// Accuracy, alignment, correlation and conclusion as aligned text, at most 100 columns wide.
pub fn terminal_table(input: &ReportInput) -> String {
    let mut parts = vec![wrapped(&format!("{}: {}", input.experiment, input.model))];
    if !input.cells.is_empty() {
        parts.push(accuracy(input));
        parts.push(alignment(input));
    }
    if !input.correlations.is_empty() {
        parts.push(correlations(input));
    }
    if !input.conclusion.trim().is_empty() {
        parts.push(wrapped(&input.conclusion));
    }
    parts.join("\n")
}

fn accuracy(input: &ReportInput) -> String {
    let head = [
        "train set",
        "target",
        "n",
        "EX before, %",
        "EX after, %",
        "gain, points",
    ];
    let mut table = Table::new(2, &head);
    for cell in &input.cells {
        table.row(vec![
            one_line(&cell.train_set),
            one_line(&cell.target),
            cell.n.to_string(),
            percent(cell.ex_before),
            percent(cell.ex_after),
            points(cell.gain),
        ]);
    }
    table.plain(WIDTH)
}

fn alignment(input: &ReportInput) -> String {
    let head = [
        "train set",
        "target",
        "A_KL",
        "A_KL rev",
        "OVLP",
        "OVLP ratio",
        "AR",
        "AR, same size",
    ];
    let mut table = Table::new(2, &head);
    for cell in &input.cells {
        table.row(vec![
            one_line(&cell.train_set),
            one_line(&cell.target),
            score(cell.a_kl),
            score(cell.a_kl_rev),
            score(cell.ovlp_template),
            score(cell.ovlp_ratio_template),
            score(cell.ar),
            ratio(cell.ar_rarefied, cell.ar_rarefied_interval),
        ]);
    }
    table.plain(WIDTH)
}

fn correlations(input: &ReportInput) -> String {
    let head = ["score with gain", "n", "Pearson", "Spearman", "Kendall"];
    let mut table = Table::new(1, &head);
    for row in &input.correlations {
        table.row(vec![
            one_line(&row.score),
            row.n.to_string(),
            coefficient(row.pearson),
            coefficient(row.spearman),
            coefficient(row.kendall),
        ]);
    }
    let mut text = table.plain(WIDTH);
    // The same note on every row is said once.
    let mut said: Vec<String> = Vec::new();
    for row in &input.correlations {
        let note = one_line(&row.note);
        if !note.is_empty() && !said.contains(&note) {
            text.push_str(&wrapped(&note));
            said.push(note);
        }
    }
    text
}

/// Words in lines of at most [`WIDTH`] columns; a longer word is cut into such lines.
fn wrapped(words: &str) -> String {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let chars: Vec<char> = one_line(word).chars().collect();
        for piece in chars.chunks(WIDTH) {
            let piece: String = piece.iter().collect();
            let last = lines.len() - 1;
            let used = lines[last].chars().count();
            if used == 0 {
                lines[last] = piece;
            } else if used + 1 + piece.chars().count() <= WIDTH {
                lines[last].push(' ');
                lines[last].push_str(&piece);
            } else {
                lines.push(piece);
            }
        }
    }
    lines.join("\n") + "\n"
}
