//! A set of queries that is too large to hold: what is kept of each query is the number of its template.

use harness_sql::{Excluded, TemplateTable};
use rayon::prelude::*;

use crate::query_set::QuerySet;

/// Reads queries one at a time into a [`QuerySet`].
///
/// A query costs eight bytes, a different template its tokens. Tallies of parts of a file, each made by a thread of its
/// own, are put together with [`Self::append`].
#[derive(Clone, Debug, Default)]
pub struct Tally {
    table: TemplateTable,
    slots: Vec<Result<u32, Excluded>>,
}

impl Tally {
    /// Reads one more query.
    pub fn add(&mut self, sql: &str) {
        let slot = self.table.read(sql);
        self.slots.push(slot);
    }

    /// Reads the queries of many parts, such as those of a file, in their order, on all threads; `read` adds those of one
    /// part. A few parts exist at a time.
    ///
    /// # Errors
    /// That of the first part that has one.
    pub fn of_parts<P: Send, E: Send>(
        parts: impl IntoIterator<Item = Result<P, E>>,
        read: impl Fn(P, &mut Self) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let mut parts = parts.into_iter();
        let mut all = Self::default();
        loop {
            let some: Vec<_> = parts.by_ref().take(rayon::current_num_threads()).collect();
            if some.is_empty() {
                return Ok(all);
            }
            let read = |part: Result<P, E>| {
                let mut tally = Self::default();
                read(part?, &mut tally)?;
                Ok(tally)
            };
            let tallies: Vec<Result<Self, E>> = some.into_par_iter().map(read).collect();
            for tally in tallies {
                all.append(tally?);
            }
        }
    }

    /// Puts the queries of `next` behind those of this one.
    pub fn append(&mut self, next: Self) {
        if self.slots.is_empty() {
            *self = next;
            return;
        }
        let numbers = self.table.merge(&next.table);
        let slots = next.slots.into_iter();
        self.slots
            .extend(slots.map(|slot| slot.map(|number| numbers[number as usize])));
    }

    /// Number of queries so far, those without a template included.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no query yet.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The set of all queries that were added, in their order.
    pub fn finish(self) -> QuerySet {
        let mut sorted: Vec<_> = self.table.templates().zip(0_u32..).collect();
        sorted.sort_unstable();
        let mut places = vec![0; sorted.len()];
        for (place, (_, seen)) in sorted.iter().enumerate() {
            places[*seen as usize] = place as u32;
        }
        let distinct = sorted.into_iter().map(|(template, _)| template).collect();
        QuerySet::renumbered(distinct, self.slots, &places)
    }
}
