//! The walk that keeps of a statement what belongs to its template (R4–R14).

use super::Excluded;
use super::symbol::{Names, Symbol};
use crate::keyword::{Keyword, Role, lookup};
use crate::lex::{Kind, Piece, lex};

/// Puts the template of the first statement in `sql` into `kept`, which is emptied first.
pub(super) fn reduce(sql: &str, names: &mut Names, kept: &mut Vec<Symbol>) -> Result<(), Excluded> {
    kept.clear();
    let pieces = lex(sql).map_err(|_| Excluded::Unterminated)?;
    Reducer::new(&pieces, names, kept).run();
    match kept.first() {
        None => Err(Excluded::Empty),
        Some(first) if names.begins_statement(*first) => Ok(()),
        Some(_) => Err(Excluded::NotSql),
    }
}

/// What the word before a parenthesis makes of the inside.
#[derive(Clone, Copy, PartialEq)]
enum Opener {
    Cast,
    Over,
    Other,
}

/// One walk over the tokens of a statement.
struct Reducer<'a> {
    names: &'a mut Names,
    kept: &'a mut Vec<Symbol>,
    pieces: &'a [Piece<'a>],
    /// The keyword that each piece is, aligned with `pieces`.
    keywords: Vec<Option<Keyword>>,
    /// Who opened each parenthesis that is open now.
    open: Vec<Opener>,
    /// CASE kept so far, less the END that closed one.
    open_cases: usize,
    /// Whether an operand ends at the last token that is no dot (R12).
    after_operand: bool,
}

impl<'a> Reducer<'a> {
    fn new(pieces: &'a [Piece<'a>], names: &'a mut Names, kept: &'a mut Vec<Symbol>) -> Self {
        let keyword = |p: &Piece<'_>| {
            if p.kind == Kind::Word {
                lookup(p.text)
            } else {
                None
            }
        };
        Self {
            names,
            kept,
            pieces,
            keywords: pieces.iter().map(keyword).collect(),
            open: Vec::new(),
            open_cases: 0,
            after_operand: false,
        }
    }

    fn run(mut self) {
        let mut at = 0;
        while at < self.pieces.len() {
            let piece = self.pieces[at];
            match piece.kind {
                Kind::Word if self.begins_cast_type(at) => {
                    at = self.end_of_cast(at);
                    continue;
                }
                Kind::Word => {
                    let kept = self.keep_word(at);
                    // R12: dropped words are names, and four kinds of kept words are values.
                    self.after_operand = kept.is_none()
                        || matches!(
                            self.spelling(at),
                            "END" | "NULL" | "CURRENT_DATE" | "CURRENT_TIME" | "CURRENT_TIMESTAMP"
                        );
                    self.kept.extend(kept);
                }
                Kind::Operator => {
                    if !self.is_sign(at) {
                        self.kept.push(Symbol::operator(piece.text));
                    }
                    self.after_operand = false;
                }
                Kind::Open => {
                    self.open.push(self.opener(at));
                    self.kept.push(Symbol::OPEN);
                    self.after_operand = false;
                }
                Kind::Close => {
                    self.open.pop();
                    self.kept.push(Symbol::CLOSE);
                    self.after_operand = true;
                }
                Kind::Comma => {
                    self.kept.push(Symbol::COMMA);
                    self.after_operand = false;
                }
                // A dot is passed over: what stands before it decides whether an operand ended (R12).
                Kind::Dot => {}
                // R4; comments and semicolons do not come this far.
                _ => self.after_operand = true,
            }
            at += 1;
        }
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.pieces.get(at).map(|p| p.kind)
    }

    /// The spelling of the keyword at a place; "" for any other token or none.
    fn spelling(&self, at: usize) -> &'static str {
        self.keywords
            .get(at)
            .copied()
            .flatten()
            .map_or("", |k| k.spelling)
    }

    fn spelling_before(&self, at: usize) -> &'static str {
        at.checked_sub(1).map_or("", |before| self.spelling(before))
    }

    fn kind_before(&self, at: usize) -> Option<Kind> {
        at.checked_sub(1).and_then(|before| self.kind(before))
    }

    /// Who opens the parenthesis at `at`: the word before it, kept or dropped.
    fn opener(&self, at: usize) -> Opener {
        match self.spelling_before(at) {
            "CAST" | "TRY_CAST" => Opener::Cast,
            "OVER" => Opener::Over,
            _ => Opener::Other,
        }
    }

    /// R5: part of a dotted name, or a type after `::`.
    fn is_dotted(&self, at: usize) -> bool {
        let after_cast_operator = at > 0 && self.pieces[at - 1].text == "::";
        self.kind_before(at) == Some(Kind::Dot)
            || self.kind(at + 1) == Some(Kind::Dot)
            || after_cast_operator
    }

    /// R6: whether this AS stands directly in a CAST, so that a type follows.
    fn begins_cast_type(&self, at: usize) -> bool {
        self.spelling(at) == "AS" && self.open.last() == Some(&Opener::Cast) && !self.is_dotted(at)
    }

    /// The place of the parenthesis that closes the innermost open one, or the end of the text.
    fn end_of_cast(&self, from: usize) -> usize {
        let mut depth = 0_usize;
        for (at, piece) in self.pieces.iter().enumerate().skip(from) {
            match piece.kind {
                Kind::Open => depth += 1,
                Kind::Close if depth == 0 => return at,
                Kind::Close => depth -= 1,
                _ => {}
            }
        }
        self.pieces.len()
    }

    /// R5–R11, the first that fits: the word as it is printed, or nothing.
    fn keep_word(&mut self, at: usize) -> Option<Symbol> {
        let keyword = self.keywords[at];
        let role = keyword.map_or(Role::Named, |k| k.role);
        let spelling = self.spelling(at);
        if self.is_dotted(at) || spelling == "AS" {
            return None;
        }
        if self.spelling_before(at) == "AS" && role != Role::Reserved {
            return None;
        }
        let in_place = match role {
            Role::Reserved | Role::Plain => true,
            Role::Placed => self.is_in_place(at, spelling),
            Role::Named => false,
        };
        if in_place {
            match spelling {
                "CASE" => self.open_cases += 1,
                "END" => self.open_cases -= 1,
                _ => {}
            }
            return keyword.map(Symbol::keyword);
        }
        self.is_function(at).then(|| match keyword {
            Some(keyword) => Symbol::keyword(keyword),
            None => self.names.intern(self.pieces[at].text),
        })
    }

    /// R9: the words that are keywords in one place and names in all others.
    fn is_in_place(&self, at: usize, spelling: &str) -> bool {
        let before = self.spelling_before(at);
        let after = self.spelling(at + 1);
        match spelling {
            "END" => self.open_cases > 0,
            "LEFT" | "RIGHT" | "FULL" => matches!(after, "JOIN" | "OUTER"),
            "NULLS" => matches!(after, "FIRST" | "LAST"),
            "FIRST" | "LAST" => before == "NULLS",
            "PARTITION" => after == "BY",
            "OVER" => self.kind_before(at) == Some(Kind::Close),
            "CURRENT" | "FOLLOWING" | "GROUPS" | "PRECEDING" | "RANGE" | "ROW" | "ROWS"
            | "UNBOUNDED" => self.open.last() == Some(&Opener::Over),
            "RECURSIVE" => before == "WITH",
            "REPLACE" => after == "INTO",
            "IF" => matches!(after, "NOT" | "EXISTS"),
            "VIEW" => matches!(before, "CREATE" | "DROP" | "ALTER"),
            "COLUMN" => matches!(before, "ADD" | "DROP" | "ALTER"),
            "KEY" => matches!(before, "PRIMARY" | "FOREIGN"),
            "INTERVAL" => matches!(self.kind(at + 1), Some(Kind::String | Kind::Number)),
            _ => false,
        }
    }

    /// R10: a word before a parenthesis is a function, unless the parenthesis is a column list.
    fn is_function(&self, at: usize) -> bool {
        let names_columns = matches!(
            self.spelling_before(at),
            "EXISTS" | "INTO" | "RECURSIVE" | "REFERENCES" | "TABLE" | "WITH"
        );
        self.kind(at + 1) == Some(Kind::Open) && !names_columns
    }

    /// R12: a plus or minus that belongs to the number behind it.
    fn is_sign(&self, at: usize) -> bool {
        matches!(self.pieces[at].text, "+" | "-")
            && self.kind(at + 1) == Some(Kind::Number)
            && !self.after_operand
    }
}
