//! Expressions, by `SQLite`'s precedence.

use harness_sql::lex::Kind;

use super::{Reader, Result};
use crate::tree::{Expr, LiteralKind, Window};

/// Binary operators from the loosest to the tightest, those of equality left out: they share a level with IN, LIKE …
const COMPARISONS: &[&str] = &["<", "<=", ">", ">="];
const BITS: &[&str] = &["&", "|", "<<", ">>"];
const SUMS: &[&str] = &["+", "-"];
const PRODUCTS: &[&str] = &["*", "/", "%"];
const JOINS: &[&str] = &["||"];

const TIGHTER: [&[&str]; 5] = [COMPARISONS, BITS, SUMS, PRODUCTS, JOINS];

impl Reader<'_, '_> {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.deeper(Self::or)
    }

    fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        while self.word("OR") {
            left = binary("OR", left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        while self.word("AND") {
            left = binary("AND", left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr> {
        if self.word("NOT") {
            return Ok(Expr::Not(Box::new(self.deeper(Self::not)?)));
        }
        self.equality()
    }

    /// `=`, IS, IN, LIKE, BETWEEN and the like.
    fn equality(&mut self) -> Result<Expr> {
        let mut left = self.tighter(0)?;
        loop {
            let op = self.peek(0).map(|piece| piece.text);
            if let Some(op @ ("=" | "==" | "!=" | "<>")) = op {
                self.at += 1;
                let op = match op {
                    "==" => "=",
                    "<>" => "!=",
                    other => other,
                };
                let right = text_if_quoted(self.tighter(0)?, self);
                left = binary(op, left, right);
                continue;
            }
            if self.word("ISNULL") {
                left = is_null(left, false);
                continue;
            }
            if self.word("NOTNULL") {
                left = is_null(left, true);
                continue;
            }
            if self.word("IS") {
                let not = self.word("NOT");
                left = if self.word("NULL") {
                    is_null(left, not)
                } else {
                    let op = if not { "IS NOT" } else { "IS" };
                    binary(op, left, self.tighter(0)?)
                };
                continue;
            }
            let not = self.is_word(0, "NOT")
                && ["IN", "LIKE", "GLOB", "BETWEEN", "NULL"]
                    .iter()
                    .any(|word| self.is_word(1, word));
            self.at += usize::from(not);
            if not && self.word("NULL") {
                left = is_null(left, true);
            } else if self.word("IN") {
                left = self.membership(left, not)?;
            } else if self.is_any(&["LIKE", "GLOB"]) {
                self.at += 1;
                let pattern = text_if_quoted(self.tighter(0)?, self);
                if self.is_word(0, "ESCAPE") {
                    return self.fail("no ESCAPE");
                }
                left = Expr::Like {
                    expr: Box::new(left),
                    not,
                    pattern: Box::new(pattern),
                };
            } else if self.word("BETWEEN") {
                let low = text_if_quoted(self.tighter(0)?, self);
                self.expect_word("AND", "AND")?;
                let high = text_if_quoted(self.tighter(0)?, self);
                left = Expr::Between {
                    expr: Box::new(left),
                    not,
                    low: Box::new(low),
                    high: Box::new(high),
                };
            } else {
                return Ok(left);
            }
        }
    }

    fn membership(&mut self, left: Expr, not: bool) -> Result<Expr> {
        self.expect(Kind::Open, "a list or a query")?;
        let expr = Box::new(left);
        let found = if self.is_any(&["SELECT", "WITH"]) {
            let query = Box::new(self.query()?);
            Expr::InQuery { expr, not, query }
        } else {
            let list = self.list(|it| Ok(text_if_quoted(it.expr()?, it)))?;
            Expr::InList { expr, not, list }
        };
        self.expect(Kind::Close, "a closing parenthesis")?;
        Ok(found)
    }

    fn tighter(&mut self, level: usize) -> Result<Expr> {
        let Some(operators) = TIGHTER.get(level) else {
            return self.unary();
        };
        let mut left = self.tighter(level + 1)?;
        while let Some(op) = self.peek(0).map(|piece| piece.text)
            && self.kind(0) == Some(Kind::Operator)
            && operators.contains(&op)
        {
            self.at += 1;
            let mut right = self.tighter(level + 1)?;
            if level == 0 {
                right = text_if_quoted(right, self);
            }
            left = binary(op, left, right);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr> {
        let sign = self.peek(0).map(|piece| piece.text);
        if let Some("-" | "+" | "~") = sign {
            let at = self.at;
            self.at += 1;
            if self.kind(0) == Some(Kind::Number) && sign != Some("~") {
                self.at += 1;
                return Ok(literal(at + 1, LiteralKind::Number, Some(at)));
            }
            return Ok(Expr::Unary(at, Box::new(self.deeper(Self::unary)?)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr> {
        let at = self.at;
        let Some(piece) = self.peek(0) else {
            return self.fail("an expression");
        };
        match piece.kind {
            Kind::Number => {
                self.at += 1;
                Ok(literal(at, LiteralKind::Number, None))
            }
            Kind::String => {
                self.at += 1;
                Ok(literal(at, LiteralKind::Text, None))
            }
            Kind::Open => self.parenthesis(),
            Kind::Word if piece.is_word("NULL") => {
                self.at += 1;
                Ok(literal(at, LiteralKind::Null, None))
            }
            Kind::Word if piece.is_word("CASE") => self.case(),
            Kind::Word if piece.is_word("EXISTS") => {
                self.at += 1;
                self.expect(Kind::Open, "a query")?;
                let query = Box::new(self.query()?);
                self.expect(Kind::Close, "a closing parenthesis")?;
                Ok(Expr::Exists(query))
            }
            Kind::Word if self.is_any(&["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"]) => {
                self.at += 1;
                Ok(literal(at, LiteralKind::Now, None))
            }
            Kind::Word if self.kind(1) == Some(Kind::Open) => self.call(),
            Kind::Word if self.is_any(&["TRUE", "FALSE"]) && self.kind(1) != Some(Kind::Dot) => {
                self.at += 1;
                Ok(literal(at, LiteralKind::Truth, None))
            }
            Kind::Word | Kind::Quoted => self.column(),
            _ => self.fail("an expression"),
        }
    }

    fn column(&mut self) -> Result<Expr> {
        let first = self.name("the name of a column")?;
        if !self.token(Kind::Dot) {
            return Ok(Expr::Column {
                qualifier: None,
                name: first,
            });
        }
        // Behind a dot every word is a name.
        if !matches!(self.kind(0), Some(Kind::Word | Kind::Quoted)) {
            return self.fail("the name of a column");
        }
        self.at += 1;
        if self.kind(0) == Some(Kind::Dot) {
            return self.fail("a table of this database");
        }
        Ok(Expr::Column {
            qualifier: Some(first),
            name: self.at - 1,
        })
    }

    fn parenthesis(&mut self) -> Result<Expr> {
        self.at += 1;
        let inner = if self.is_any(&["SELECT", "WITH"]) {
            Expr::Scalar(Box::new(self.query()?))
        } else {
            Expr::Paren(Box::new(self.expr()?))
        };
        self.expect(Kind::Close, "a closing parenthesis")?;
        Ok(inner)
    }

    fn case(&mut self) -> Result<Expr> {
        self.at += 1;
        let operand = if self.is_word(0, "WHEN") {
            None
        } else {
            Some(Box::new(self.expr()?))
        };
        let mut branches = Vec::new();
        while self.word("WHEN") {
            let mut when = self.expr()?;
            if operand.is_some() {
                when = text_if_quoted(when, self);
            }
            self.expect_word("THEN", "THEN")?;
            let then = text_if_quoted(self.expr()?, self);
            branches.push((when, then));
        }
        let otherwise = if self.word("ELSE") {
            Some(Box::new(text_if_quoted(self.expr()?, self)))
        } else {
            None
        };
        self.expect_word("END", "END")?;
        if branches.is_empty() {
            return self.fail("WHEN");
        }
        Ok(Expr::Case {
            operand,
            branches,
            otherwise,
        })
    }

    fn call(&mut self) -> Result<Expr> {
        let name = self.at;
        let cast = self.is_word(0, "CAST");
        self.at += 2;
        if cast {
            let expr = Box::new(self.expr()?);
            self.expect_word("AS", "AS")?;
            let kind = self.at;
            self.cast_type()?;
            self.expect(Kind::Close, "a closing parenthesis")?;
            return Ok(Expr::Cast { expr, kind });
        }
        let distinct = self.word("DISTINCT");
        let star = self.peek(0).is_some_and(|piece| piece.text == "*");
        self.at += usize::from(star);
        let arguments = if star || self.kind(0) == Some(Kind::Close) {
            Vec::new()
        } else {
            self.list(Self::expr)?
        };
        self.expect(Kind::Close, "a closing parenthesis")?;
        if self.is_word(0, "FILTER") && self.kind(1) == Some(Kind::Open) {
            return self.fail("no FILTER");
        }
        let over = if self.word("OVER") {
            Some(Box::new(self.window()?))
        } else {
            None
        };
        Ok(Expr::Call {
            name,
            distinct,
            star,
            arguments,
            over,
        })
    }

    /// A type: words, maybe with sizes.
    fn cast_type(&mut self) -> Result<()> {
        let begin = self.at;
        while self.kind(0) == Some(Kind::Word) {
            self.at += 1;
        }
        if self.at == begin {
            return self.fail("a type");
        }
        if self.token(Kind::Open) {
            while matches!(self.kind(0), Some(Kind::Number | Kind::Comma)) {
                self.at += 1;
            }
            self.expect(Kind::Close, "a closing parenthesis")?;
        }
        Ok(())
    }

    fn window(&mut self) -> Result<Window> {
        let mut window = Window::default();
        self.expect(Kind::Open, "a window")?;
        if self.word("PARTITION") {
            self.expect_word("BY", "BY")?;
            window.partition = self.list(Self::expr)?;
        }
        if self.word("ORDER") {
            self.expect_word("BY", "BY")?;
            window.order = self.list(Self::order)?;
        }
        self.expect(Kind::Close, "a window without a frame")?;
        Ok(window)
    }
}

fn binary(op: &str, left: Expr, right: Expr) -> Expr {
    Expr::Binary {
        op: op.to_owned(),
        left: Box::new(left),
        right: Box::new(right),
    }
}

fn is_null(expr: Expr, not: bool) -> Expr {
    Expr::IsNull {
        expr: Box::new(expr),
        not,
    }
}

fn literal(at: usize, kind: LiteralKind, sign: Option<usize>) -> Expr {
    Expr::Literal { at, kind, sign }
}

/// A word in double quotes is text where a value is expected, as data sets write it and `SQLite` lets them.
fn text_if_quoted(expr: Expr, reader: &Reader<'_, '_>) -> Expr {
    match expr {
        Expr::Column {
            qualifier: None,
            name,
        } if reader.tokens[name].text.starts_with('"') => literal(name, LiteralKind::Text, None),
        other => other,
    }
}
