//! Which name a word stands for: tables, columns, and aliases of the whole text.

use std::collections::BTreeMap;

use super::super::names::{Name, Names};

/// The names a query can use.
///
/// Aliases hold in the whole text: if two subqueries give one alias to two tables, both mean the last.
pub struct Scope<'a> {
    names: &'a Names,
    aliases: BTreeMap<&'a str, &'a str>,
}

impl<'a> Scope<'a> {
    /// Any `x as y` in the tokens makes `y` an alias of `x`, whatever they are; `None` if a table has the name `y` already.
    pub fn new(tokens: &'a [String], names: &'a Names) -> Option<Self> {
        let mut aliases = BTreeMap::new();
        for (at, _) in tokens.iter().enumerate().filter(|(_, word)| *word == "as") {
            let (named, alias) = (tokens.get(at.checked_sub(1)?)?, tokens.get(at + 1)?);
            if names.has_table(alias) {
                return None;
            }
            aliases.insert(alias.as_str(), named.as_str());
        }
        Some(Self { names, aliases })
    }

    /// A word after `from` or `join`: what it stands for, and the text of that.
    pub fn table(&self, word: &'a str) -> Option<(Name, &'a str)> {
        let text = self.expand(word)?;
        Some((self.names.find(text)?, text))
    }

    /// `*`, `table.column`, or a column of the first of these tables that has it.
    pub fn column(&self, word: &'a str, tables: &[&'a str]) -> Option<Name> {
        if word == "*" {
            return Some(Name::All);
        }
        if let Some((table, column)) = word.split_once('.') {
            let table = self.expand(table).filter(|_| !column.contains('.'))?;
            return self.names.column(table, column);
        }
        for table in tables {
            let table = self.expand(table)?;
            // What stands after `from` by way of an alias need not be a table, but has no columns then.
            if !self.names.has_table(table) {
                return None;
            }
            if let Some(column) = self.names.column(table, word) {
                return Some(column);
            }
        }
        None
    }

    /// The table or the text behind an alias.
    fn expand(&self, word: &'a str) -> Option<&'a str> {
        let alias = self.aliases.get(word).copied();
        alias.or_else(|| self.names.has_table(word).then_some(word))
    }
}
