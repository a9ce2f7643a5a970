//! SQL text to the tree: recursive descent over the scanner's tokens.
//!
//! It reads queries as `SQLite` does, but for what no slot can be told of: VALUES, column lists of common tables,
//! frames, FILTER, COLLATE, row values, USING and NATURAL, parameters. Those are refused by name.

mod expr;
mod query;

use harness_sql::lex::{Kind, Piece};

use crate::tree::{At, Query};

/// Deepest nesting that is read; the tree is walked by recursion.
const MAX_DEPTH: usize = 60;
/// Longest query in tokens.
const MAX_TOKENS: usize = 1_500;

/// Why a text is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The token where reading stopped.
    pub at: At,
    /// What was expected there, or is not known.
    pub what: &'static str,
}

/// Reads one query.
pub fn read(tokens: &[Piece<'_>]) -> Result<Query, Unread> {
    let mut reader = Reader {
        tokens,
        at: 0,
        depth: 0,
    };
    if tokens.len() > MAX_TOKENS {
        return reader.fail("a shorter query");
    }
    let query = reader.query()?;
    if reader.at < tokens.len() {
        return reader.fail("the end of the query");
    }
    Ok(query)
}

type Result<T, E = Unread> = std::result::Result<T, E>;

struct Reader<'a, 't> {
    tokens: &'a [Piece<'t>],
    at: At,
    depth: usize,
}

impl<'a, 't> Reader<'a, 't> {
    fn fail<T>(&self, what: &'static str) -> Result<T> {
        Err(Unread { at: self.at, what })
    }

    fn peek(&self, ahead: usize) -> Option<&'a Piece<'t>> {
        self.tokens.get(self.at + ahead)
    }

    fn kind(&self, ahead: usize) -> Option<Kind> {
        self.peek(ahead).map(|piece| piece.kind)
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead).is_some_and(|piece| piece.is_word(word))
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(0, word))
    }

    /// Takes a word if it stands here.
    fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    /// Takes a token of a class if it stands here.
    fn token(&mut self, kind: Kind) -> bool {
        let found = self.kind(0) == Some(kind);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str, what: &'static str) -> Result<()> {
        if self.word(word) {
            Ok(())
        } else {
            self.fail(what)
        }
    }

    fn expect(&mut self, kind: Kind, what: &'static str) -> Result<()> {
        if self.token(kind) {
            Ok(())
        } else {
            self.fail(what)
        }
    }

    /// Takes a name: a quoted one, or a word that is no keyword.
    fn name(&mut self, what: &'static str) -> Result<At> {
        if self.is_name(0) {
            self.at += 1;
            Ok(self.at - 1)
        } else {
            self.fail(what)
        }
    }

    fn is_name(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|piece| match piece.kind {
            Kind::Quoted => true,
            Kind::Word => !harness_sql::is_keyword(piece.text) && !is_join_word(piece),
            _ => false,
        })
    }

    fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return self.fail("less nesting");
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    /// Reads things with commas between them.
    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut list = vec![one(self)?];
        while self.token(Kind::Comma) {
            list.push(one(self)?);
        }
        Ok(list)
    }
}

/// Words that `SQLite` lets be names but that begin a join where an alias could stand.
fn is_join_word(piece: &Piece<'_>) -> bool {
    ["LEFT", "RIGHT", "FULL"]
        .iter()
        .any(|word| piece.is_word(word))
}

#[cfg(test)]
mod tests;
