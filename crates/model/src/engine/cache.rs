//! Who uses which page of keys and values. A page may belong to several sequences that begin alike; it is written by the one
//! that filled it, and by others never.

use harness_kernel::{KvPages, KvShape, PAGE};

/// Pages, and how many tables hold each.
#[derive(Debug)]
pub(super) struct Cache {
    pub(super) pages: KvPages,
    users: Vec<usize>,
    free: Vec<usize>,
    /// Pages that may be in use at a time.
    limit: usize,
    /// Pages that were promised and not taken yet.
    promised: usize,
}

/// The pages of a sequence, in the order of its positions.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) pages: Vec<usize>,
    /// Pages that it may still take.
    promised: usize,
}

impl Cache {
    /// Room for `limit` pages; memory is taken as they are needed.
    pub(super) fn new(shape: KvShape, limit: usize) -> Self {
        Self {
            pages: KvPages::new(shape),
            users: Vec::new(),
            free: Vec::new(),
            limit,
            promised: 0,
        }
    }

    /// A table that begins with the pages `shared` and may grow to `positions`, if that many pages are left, or if it `must` be.
    pub(super) fn open(&mut self, shared: &[usize], positions: usize, must: bool) -> Option<Table> {
        let promised = positions.div_ceil(PAGE).saturating_sub(shared.len());
        let used = self.users.len() - self.free.len();
        if used + self.promised + promised > self.limit && !must {
            return None;
        }
        for &page in shared {
            self.users[page] += 1;
        }
        self.promised += promised;
        Some(Table {
            pages: shared.to_vec(),
            promised,
        })
    }

    /// Lets the table reach to `positions`, which is no more than was promised.
    pub(super) fn reach(&mut self, table: &mut Table, positions: usize) {
        while table.pages.len() * PAGE < positions {
            debug_assert!(table.promised > 0);
            let page = self.free.pop().unwrap_or_else(|| {
                self.users.push(0);
                self.pages.push()
            });
            self.users[page] = 1;
            table.pages.push(page);
            let own = table.promised.min(1);
            table.promised -= own;
            self.promised -= own;
        }
    }

    /// Another table of the same first pages, which may not grow.
    pub(super) fn share(&mut self, pages: &[usize]) -> Table {
        for &page in pages {
            self.users[page] += 1;
        }
        Table {
            pages: pages.to_vec(),
            promised: 0,
        }
    }

    /// Gives back what the table holds.
    pub(super) fn close(&mut self, table: Table) {
        self.promised -= table.promised;
        for page in table.pages {
            self.users[page] -= 1;
            if self.users[page] == 0 {
                self.free.push(page);
            }
        }
    }

    /// Pages in use.
    pub(super) fn used(&self) -> usize {
        self.users.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_shared_promised_and_given_back() {
        let shape = KvShape {
            layers: 1,
            heads: 1,
            kv_heads: 1,
            head_dim: 4,
        };
        let mut cache = Cache::new(shape, 5);
        let mut first = cache.open(&[], 4 * PAGE, false).unwrap();
        assert_eq!(cache.used(), 0);
        cache.reach(&mut first, 2 * PAGE + 1);
        assert_eq!((cache.used(), first.pages.len()), (3, 3));
        // Of five pages four are promised: there is room for one more behind the shared one.
        assert!(cache.open(&first.pages[..1], 3 * PAGE, false).is_none());
        let mut second = cache.open(&first.pages[..1], 2 * PAGE, false).unwrap();
        cache.reach(&mut second, 2 * PAGE);
        assert_eq!(second.pages[0], first.pages[0]);
        let kept = cache.share(&first.pages[..2]);
        cache.close(first);
        assert_eq!(cache.used(), 3);
        cache.close(second);
        cache.close(kept);
        assert_eq!(cache.used(), 0);
        let mut long = cache.open(&[], 9 * PAGE, true).unwrap();
        cache.reach(&mut long, 9 * PAGE);
        assert_eq!(cache.used(), 9);
        assert!(cache.open(&[], 1, false).is_none());
    }
}
