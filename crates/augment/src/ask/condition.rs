//! Conditions in words.

use super::{Teller, Told};
use crate::database::Kind;
use crate::reason::Reason;
use crate::skeleton::Slot;
use crate::tree::{Expr, LiteralKind};
use crate::words::listed;

impl<'a> Teller<'a> {
    /// The conditions of a WHERE or ON without the equalities of keys; none if there are no others.
    pub(super) fn conditions(&mut self, expr: &'a Expr) -> Result<Option<String>, Reason> {
        let mut told = Vec::new();
        for condition in operands("AND", expr) {
            if !self.is_key_equality(condition) {
                told.push(self.operand(condition, "AND")?);
            }
        }
        Ok((!told.is_empty()).then(|| listed(&told, "and")))
    }

    /// Whether the condition only says which rows of two tables of this block belong together.
    fn is_key_equality(&self, condition: &Expr) -> bool {
        let Expr::Binary { op, left, right } = condition.bare() else {
            return false;
        };
        let (Some(a), Some(b)) = (self.column_of(left), self.column_of(right)) else {
            return false;
        };
        let here = self.blocks.last();
        let inside = |source| here.is_some_and(|block| block.contains(&source));
        let link = self
            .skeleton
            .links
            .iter()
            .any(|link| link.key && (link.columns == [a.1, b.1] || link.columns == [b.1, a.1]));
        op == "=" && a.0 != b.0 && inside(a.0) && inside(b.0) && link
    }

    pub(super) fn condition(&mut self, expr: &'a Expr) -> Told {
        match expr {
            Expr::Paren(inner) => self.condition(inner),
            Expr::Binary { op, left, right } => match op.as_str() {
                "AND" | "OR" => {
                    let mut told = Vec::new();
                    for one in operands(op, expr) {
                        told.push(self.operand(one, op)?);
                    }
                    let either = if op == "OR" { "either " } else { "" };
                    let last = if op == "OR" { "or" } else { "and" };
                    Ok(format!("{either}{}", listed(&told, last)))
                }
                op => self.comparison(op, left, right),
            },
            Expr::Not(inner) => match inner.bare() {
                Expr::Exists(query) => Ok(format!("there is no {}", self.existing(query)?)),
                inner => Ok(format!("it is not true that {}", self.condition(inner)?)),
            },
            Expr::Exists(query) => Ok(format!("there is some {}", self.existing(query)?)),
            Expr::IsNull { expr, not } => {
                let value = self.value(expr)?;
                Ok(format!(
                    "{value} is {}",
                    if *not { "not missing" } else { "missing" }
                ))
            }
            Expr::Between {
                expr,
                not,
                low,
                high,
            } => {
                let (value, low, high) = (self.value(expr)?, self.value(low)?, self.value(high)?);
                Ok(format!(
                    "{value} is{} between {low} and {high}",
                    negation(*not)
                ))
            }
            Expr::InList { expr, not, list } => {
                let value = self.value(expr)?;
                let list: Result<Vec<String>, Reason> =
                    list.iter().map(|it| self.value(it)).collect();
                let is = if *not { "is none of" } else { "is one of" };
                Ok(format!("{value} {is} {}", listed(&list?, "and")))
            }
            Expr::InQuery { expr, not, query } => {
                let value = self.value(expr)?;
                Ok(format!(
                    "{value} is{} among {}",
                    negation(*not),
                    self.body(query)?
                ))
            }
            Expr::Like { expr, not, pattern } => self.likeness(expr, *not, pattern),
            other => Ok(format!("{} is true", self.value(other)?)),
        }
    }

    /// A condition beside others, such that what belongs together is plain.
    fn operand(&mut self, condition: &'a Expr, beside: &str) -> Told {
        let told = self.condition(condition)?;
        Ok(match condition.bare() {
            Expr::Binary { op, .. } if op == "AND" && beside == "OR" => format!("both {told}"),
            _ => told,
        })
    }

    fn existing(&mut self, query: &'a crate::tree::Query) -> Told {
        let told = self.body(query)?;
        Ok(format!("entry in {told}"))
    }

    fn comparison(&mut self, op: &str, left: &'a Expr, right: &'a Expr) -> Told {
        if let Expr::Literal {
            kind: LiteralKind::Number | LiteralKind::Text,
            ..
        } = left.bare()
            && !matches!(right.bare(), Expr::Literal { .. })
        {
            let turned = match op {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                other => other,
            };
            return self.comparison(turned, right, left);
        }
        let dates = [left, right]
            .iter()
            .any(|it| self.kind(it) == Some(Kind::Date));
        let says = match (op, dates) {
            ("=" | "IS", _) => "is",
            ("!=" | "IS NOT", _) => "is not",
            ("<", true) => "is before",
            ("<=", true) => "is no later than",
            (">", true) => "is after",
            (">=", true) => "is no earlier than",
            ("<", false) => ["is less than", "is below", "is less than"][self.variant],
            ("<=", false) => "is at most",
            (">", false) => ["is greater than", "is above", "is more than"][self.variant],
            (">=", false) => "is at least",
            _ => {
                let calculated = self.calculation(op, left, right)?;
                return Ok(format!("{calculated} is not 0"));
            }
        };
        Ok(format!(
            "{} {says} {}",
            self.value(left)?,
            self.value(right)?
        ))
    }

    fn likeness(&mut self, expr: &'a Expr, not: bool, pattern: &'a Expr) -> Told {
        let value = self.value(expr)?;
        let Expr::Literal { at, .. } = pattern.bare() else {
            return Err(Reason::NoQuestion);
        };
        let Some(Slot::Pattern {
            open_start,
            open_end,
            ..
        }) = self.skeleton.literals.get(at)
        else {
            return Err(Reason::NoQuestion);
        };
        let text = self.literal(*at, None).replace('%', "");
        let says = match (open_start, open_end, not) {
            (true, true, false) => "contains",
            (true, true, true) => "does not contain",
            (false, true, false) => "starts with",
            (false, true, true) => "does not start with",
            (true, false, false) => "ends with",
            (true, false, true) => "does not end with",
            (false, false, false) => "is, in any case of letters,",
            (false, false, true) => "is not, in any case of letters,",
        };
        Ok(format!("{value} {says} {text}"))
    }
}

fn negation(not: bool) -> &'static str {
    if not { " not" } else { "" }
}

/// The operands of a chain of one operator.
fn operands<'e>(wanted: &str, expr: &'e Expr) -> Vec<&'e Expr> {
    match expr.bare() {
        Expr::Binary { op, left, right } if op == wanted => {
            let mut all = operands(wanted, left);
            all.extend(operands(wanted, right));
            all
        }
        other => vec![other],
    }
}
