//! Templates of many queries, each different one kept once.
//!
//! Queries come one at a time and their texts are not kept: memory grows with the number of different templates and not
//! with that of queries.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault};

use super::reduce::reduce;
use super::symbol::{Names, Symbol};
use super::{Excluded, Template};
use crate::hash::NumberHasher;

/// Numbers templates in the order in which they first come up.
#[derive(Clone, Debug, Default)]
pub struct TemplateTable {
    names: Names,
    /// The symbols of all different templates, one after another.
    symbols: Vec<Symbol>,
    /// Where each template ends in `symbols`.
    ends: Vec<usize>,
    /// The last template with each hash.
    last: HashMap<u64, u32, BuildHasherDefault<NumberHasher>>,
    /// For each template an earlier one with the same hash.
    earlier: Vec<Option<u32>>,
    read: Vec<Symbol>,
}

impl TemplateTable {
    /// The number of the template of the first statement in `sql`, or why it has none.
    pub fn read(&mut self, sql: &str) -> Result<u32, Excluded> {
        let mut read = std::mem::take(&mut self.read);
        let number = reduce(sql, &mut self.names, &mut read).map(|()| self.number(&read));
        self.read = read;
        number
    }

    /// Takes the templates of another table: for each of its numbers the number here.
    pub fn merge(&mut self, other: &Self) -> Vec<u32> {
        let mut read = std::mem::take(&mut self.read);
        let numbers = (0..other.len() as u32).map(|number| {
            read.clear();
            let symbols = other.symbols_of(number).iter();
            read.extend(symbols.map(|symbol| self.names.adopt(*symbol, &other.names)));
            self.number(&read)
        });
        let numbers = numbers.collect();
        self.read = read;
        numbers
    }

    /// How many different templates there are; their numbers are `0..len()`.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no query had a template yet.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All templates, in the order of their numbers.
    pub fn templates(&self) -> impl Iterator<Item = Template> + '_ {
        (0..self.len() as u32).map(|number| Template::of(self.symbols_of(number), &self.names))
    }

    fn symbols_of(&self, number: u32) -> &[Symbol] {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.symbols[start..self.ends[number]]
    }

    fn number(&mut self, symbols: &[Symbol]) -> u32 {
        let hash = self.last.hasher().hash_one(symbols);
        let mut seen = self.last.get(&hash).copied();
        while let Some(number) = seen {
            if self.symbols_of(number) == symbols {
                return number;
            }
            seen = self.earlier[number as usize];
        }
        let number = self.ends.len() as u32;
        self.symbols.extend_from_slice(symbols);
        self.ends.push(self.symbols.len());
        self.earlier.push(self.last.insert(hash, number));
        number
    }
}

#[cfg(test)]
mod tests {
    use super::TemplateTable;
    use crate::template::{Excluded, template};

    #[test]
    fn templates_are_those_of_the_queries() {
        let queries = [
            "SELECT max(a) FROM t",
            "no",
            "select MAX (b) from u",
            "VALUES (1)",
            "SELECT min(a) FROM t",
        ];
        let mut table = TemplateTable::default();
        let numbers: Vec<_> = queries.iter().map(|sql| table.read(sql)).collect();
        assert_eq!(numbers, [Ok(0), Err(Excluded::Empty), Ok(0), Ok(1), Ok(2)]);
        let expected: Vec<_> = [0, 3, 4].map(|i| template(queries[i]).unwrap()).to_vec();
        assert_eq!(table.templates().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn tables_are_merged_by_what_templates_say() {
        let (mut one, mut other) = (TemplateTable::default(), TemplateTable::default());
        for sql in ["SELECT f(a)", "SELECT g(a)"] {
            one.read(sql).unwrap();
        }
        for sql in ["SELECT h(a)", "SELECT g(a)", "SELECT f(a)"] {
            other.read(sql).unwrap();
        }
        assert_eq!(one.merge(&other), [2, 1, 0]);
        assert_eq!(one.len(), 3);
        assert_eq!(one.read("SELECT h(b)"), Ok(2));
    }
}
