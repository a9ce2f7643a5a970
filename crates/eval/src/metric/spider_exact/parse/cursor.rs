//! A place in a list of tokens, and the words that end things.

/// A place in a list of tokens. It may lie behind the end.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// The tokens.
    pub tokens: &'a [String],
    /// The index of the next one.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// The next token.
    pub fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    /// The next token, which is passed.
    pub fn next(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Passes the next token if it is this word, and says whether it was.
    pub fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    /// Passes this word; `None` if it is not the next.
    pub fn expect(&mut self, word: &str) -> Option<()> {
        self.take(word).then_some(())
    }

    /// Passes semicolons.
    pub fn skip_semicolons(&mut self) {
        while self.take(";") {}
    }

    /// Whether a clause goes on here: there is a token, and it begins no other clause and ends no query.
    pub fn in_clause(&self) -> bool {
        self.peek()
            .is_some_and(|token| !begins_clause(token) && !ends_query(token))
    }
}

/// The words that begin a clause. `having` is not among them.
pub fn begins_clause(word: &str) -> bool {
    matches!(
        word,
        "select"
            | "from"
            | "where"
            | "group"
            | "order"
            | "limit"
            | "intersect"
            | "union"
            | "except"
    )
}

/// The words of joins.
pub fn is_of_join(word: &str) -> bool {
    matches!(word, "join" | "on" | "as")
}

/// The marks behind a query.
pub fn ends_query(word: &str) -> bool {
    matches!(word, ")" | ";")
}
