//! The tokens of templates as numbers: those that the rules know have fixed ones, names of functions are numbered as they
//! come.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::keyword::{Keyword, N_KEYWORDS, spelling};

/// A token of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Symbol(u32);

/// Operators in their one spelling (R12), then punctuation.
const SIGNS: [&str; 23] = [
    "=", "<", ">", "+", "-", "*", "/", "!=", "<=", ">=", "||", "%", "->", "->>", "&", "|", "~",
    "<<", ">>", "::", "(", ")", ",",
];

/// The number of the first name.
const NAMES: u32 = (N_KEYWORDS + SIGNS.len()) as u32;

impl Symbol {
    pub const OPEN: Self = Self::sign(20);
    pub const CLOSE: Self = Self::sign(21);
    pub const COMMA: Self = Self::sign(22);

    const fn sign(place: usize) -> Self {
        Self((N_KEYWORDS + place) as u32)
    }

    pub fn keyword(keyword: Keyword) -> Self {
        Self(u32::from(keyword.place))
    }

    /// An operator of the scanner.
    pub fn operator(text: &str) -> Self {
        let spelling = match text {
            "<>" => "!=",
            "==" => "=",
            text => text,
        };
        // The scanner knows no operator that is not in the list.
        let place = SIGNS.iter().position(|known| *known == spelling);
        Self::sign(place.unwrap_or_default())
    }
}

/// The names of functions that were seen, in upper case (ASCII letters only).
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<Box<str>, Symbol>,
    texts: Vec<Box<str>>,
    upper: String,
}

impl Names {
    /// The symbol of a name, which is no keyword.
    pub fn intern(&mut self, name: &str) -> Symbol {
        self.upper.clear();
        self.upper.push_str(name);
        self.upper.make_ascii_uppercase();
        if let Some(symbol) = self.numbers.get(self.upper.as_str()) {
            return *symbol;
        }
        let symbol = Symbol(NAMES + self.texts.len() as u32);
        self.texts.push(self.upper.as_str().into());
        self.numbers.insert(self.upper.as_str().into(), symbol);
        symbol
    }

    /// How a symbol is printed; a name must be of this list.
    pub fn text(&self, symbol: Symbol) -> Cow<'static, str> {
        let place = symbol.0 as usize;
        let sign = || SIGNS.get(place.wrapping_sub(N_KEYWORDS)).copied();
        if let Some(known) = spelling(place).or_else(sign) {
            return Cow::Borrowed(known);
        }
        let name = self.texts.get(place.wrapping_sub(NAMES as usize));
        Cow::Owned(name.map(ToString::to_string).unwrap_or_default())
    }

    /// R14: whether a query may begin with this token.
    pub fn begins_statement(&self, first: Symbol) -> bool {
        matches!(
            self.text(first).as_ref(),
            "(" | "SELECT"
                | "WITH"
                | "VALUES"
                | "INSERT"
                | "UPDATE"
                | "DELETE"
                | "REPLACE"
                | "CREATE"
                | "ALTER"
                | "DROP"
        )
    }

    /// The symbol in this list of a symbol in another.
    pub fn adopt(&mut self, symbol: Symbol, from: &Self) -> Symbol {
        match from
            .texts
            .get((symbol.0 as usize).wrapping_sub(NAMES as usize))
        {
            Some(name) => self.intern(name),
            None => symbol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMES, Names, SIGNS, Symbol};

    #[test]
    fn known_symbols_print_as_they_are_written() {
        let names = Names::default();
        let printed = |symbol| names.text(symbol).into_owned();
        assert_eq!(printed(Symbol::OPEN), "(");
        assert_eq!(printed(Symbol::CLOSE), ")");
        assert_eq!(printed(Symbol::COMMA), ",");
        for operator in &SIGNS[..20] {
            assert_eq!(printed(Symbol::operator(operator)), *operator);
        }
        assert_eq!(Symbol::operator("<>"), Symbol::operator("!="));
        assert_eq!(Symbol::operator("=="), Symbol::operator("="));
    }

    #[test]
    fn names_are_numbered_once() {
        let (mut names, mut others) = (Names::default(), Names::default());
        assert_eq!(names.intern("max"), Symbol(NAMES));
        assert_eq!(names.intern("Gr\u{f6}\u{df}e"), Symbol(NAMES + 1));
        assert_eq!(names.intern("MAX"), Symbol(NAMES));
        assert_eq!(names.text(Symbol(NAMES + 1)), "GR\u{f6}\u{df}E");
        let min = others.intern("min");
        assert_eq!(names.adopt(min, &others), Symbol(NAMES + 2));
        assert_eq!(names.adopt(Symbol::OPEN, &others), Symbol::OPEN);
    }
}
