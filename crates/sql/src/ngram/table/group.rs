//! Features that always occur together.

use super::sort::LongestRun;
use crate::ngram::{Run, Step, TokenClass};

/// The features that are beginnings of the same longest runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// The first rank of those runs, and the one behind the last.
    pub ranks: (u32, u32),
    /// How many features there are, at least one.
    pub size: u32,
    /// Where one of these runs begins.
    place: usize,
    /// The features have more tokens than this …
    above: usize,
    /// … and at most so many.
    length: usize,
}

impl Group {
    /// The tokens of the nth of its features.
    pub fn feature<'a>(
        &self,
        nth: usize,
        text: &'a [u32],
        class: impl Fn(u32) -> TokenClass,
        filters: bool,
    ) -> Option<&'a [u32]> {
        let tokens = &text[self.place..self.place + self.length];
        let classes = tokens.iter().map(|token| class(*token));
        let length = lengths(classes, filters)
            .filter(|length| *length > self.above)
            .nth(nth)?;
        Some(&tokens[..length])
    }
}

/// The groups of all runs, which are different and sorted; by the last of their ranks, longer features first.
pub(super) fn groups(
    runs: &[LongestRun],
    text: &[u32],
    classes: &[TokenClass],
    filters: bool,
) -> Vec<Group> {
    let mut found = Vec::new();
    // The beginnings of the last run at which another run ends or goes another way, shortest first: length and first rank.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for rank in 0..=runs.len() {
        let last = rank
            .checked_sub(1)
            .map_or(&[][..], |last| runs[last].tokens(text));
        let tokens = runs.get(rank).map_or(&[][..], |run| run.tokens(text));
        let shared = last.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        let mut begin = rank;
        while let Some((length, first)) = open.pop_if(|(length, _)| *length > shared) {
            begin = first;
            let above = open.last().map_or(0, |(length, _)| *length).max(shared);
            let place = runs[first].place();
            let classes = text[place..place + length]
                .iter()
                .map(|token| classes[*token as usize]);
            let size = lengths(classes, filters)
                .filter(|length| *length > above)
                .count();
            if size > 0 {
                found.push(Group {
                    ranks: (first as u32, rank as u32),
                    size: size as u32,
                    place,
                    above,
                    length,
                });
            }
        }
        if open.last().map_or(0, |(length, _)| *length) < shared {
            open.push((shared, begin));
        }
        if tokens.len() > shared {
            open.push((tokens.len(), rank));
        }
    }
    found
}

/// The lengths at which a run is a feature.
fn lengths(
    classes: impl Iterator<Item = TokenClass>,
    filters: bool,
) -> impl Iterator<Item = usize> {
    let mut run = Run::default();
    classes
        .map(move |class| run.push(class, filters))
        .take_while(|step| *step != Step::Over)
        .enumerate()
        .filter(|(_, step)| *step == Step::Feature)
        .map(|(before, _)| before + 1)
}
