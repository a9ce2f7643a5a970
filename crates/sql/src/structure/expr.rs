//! Expressions.

use sqlparser::ast::{
    BinaryOperator as Op, CaseWhen, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, Query,
    UnaryOperator, Value,
};

use super::node::Node;
use super::scope::{Name, Results, Scope, qualified};
use super::select::ITEMS;
use super::{Builder, Result, refuse, unsupported};

impl Builder<'_> {
    /// An expression where a name in double quotes is more likely a column.
    pub(super) fn expr(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Node> {
        self.spend(1)?;
        match expr {
            Expr::Nested(inner) => self.deeper(|this| this.expr(inner, scope, results)),
            Expr::Identifier(ident) => {
                let name = Name {
                    ident,
                    value: false,
                    results,
                };
                self.unqualified(name, scope)
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., table, column] => Ok(qualified(&table.value, &column.value, scope)),
                _ => unsupported("this name"),
            },
            Expr::Value(value) => literal(&value.value),
            Expr::BinaryOp {
                left,
                op: op @ (Op::And | Op::Or),
                right,
            } => {
                let mut operands = vec![self.deeper(|this| this.expr(right, scope, results))?];
                // Chains of conditions lean to the left and may be long.
                let mut rest = left.as_ref();
                while let Expr::BinaryOp {
                    left,
                    op: other,
                    right,
                } = rest
                    && other == op
                {
                    operands.push(self.deeper(|this| this.expr(right, scope, results))?);
                    rest = left;
                }
                operands.push(self.deeper(|this| this.expr(rest, scope, results))?);
                Ok(if *op == Op::And {
                    Node::and(operands)
                } else {
                    Node::or(operands)
                })
            }
            _ => self.deeper(|this| this.compound(expr, scope, results)),
        }
    }

    /// An expression where a name in double quotes is more likely text.
    pub(super) fn value(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Node> {
        match expr {
            Expr::Identifier(ident) => {
                let name = Name {
                    ident,
                    value: true,
                    results,
                };
                self.unqualified(name, scope)
            }
            _ => self.expr(expr, scope, results),
        }
    }

    fn exprs(&mut self, all: &[Expr], scope: &Scope<'_>, results: Results) -> Result<Vec<Node>> {
        all.iter()
            .map(|expr| self.expr(expr, scope, results))
            .collect()
    }

    fn compound(&mut self, expr: &Expr, scope: &Scope<'_>, results: Results) -> Result<Node> {
        let mut get = |inner: &Expr| self.expr(inner, scope, results);
        Ok(match expr {
            Expr::IsNull(inner) => Node::list("is null", vec![get(inner)?]),
            Expr::IsNotNull(inner) => Node::list("is null", vec![get(inner)?]).negated(),
            Expr::IsTrue(inner) => Node::list("is true", vec![get(inner)?]),
            Expr::IsNotTrue(inner) => Node::list("is true", vec![get(inner)?]).negated(),
            Expr::IsFalse(inner) => Node::list("is false", vec![get(inner)?]),
            Expr::IsNotFalse(inner) => Node::list("is false", vec![get(inner)?]).negated(),
            Expr::IsNotDistinctFrom(left, right) => Node::bag("is", vec![get(left)?, get(right)?]),
            Expr::IsDistinctFrom(left, right) => {
                Node::bag("is", vec![get(left)?, get(right)?]).negated()
            }
            Expr::UnaryOp { op, expr } => unary(*op, get(expr)?)?,
            Expr::Collate { expr, collation } => {
                let name = collation.to_string().to_ascii_lowercase();
                Node::list(format!("collate {name}"), vec![get(expr)?])
            }
            Expr::Cast {
                kind: CastKind::Cast,
                expr,
                data_type,
                format: None,
            } => Node::list(format!("cast {}", affinity(data_type)), vec![get(expr)?]),
            Expr::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Node::list("ceil()", vec![get(expr)?]),
            Expr::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Node::list("floor()", vec![get(expr)?]),
            Expr::Tuple(parts) => Node::list("row", self.exprs(parts, scope, results)?),
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                special: true,
                ..
            } => {
                let parts = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
                let parts = parts.into_iter().flatten();
                Node::list(
                    "substr()",
                    parts.map(|part| get(part)).collect::<Result<_>>()?,
                )
            }
            Expr::Trim {
                trim_where: None,
                trim_what: None,
                expr,
                trim_characters,
            } => {
                let mut arguments = vec![get(expr)?];
                for characters in trim_characters.iter().flatten() {
                    arguments.push(self.value(characters, scope, results)?);
                }
                Node::list("trim()", arguments)
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope, results)?,
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let node = self.expr(expr, scope, results)?;
                let low = self.value(low, scope, results)?;
                let high = self.value(high, scope, results)?;
                let both = Node::and(vec![
                    Node::list("<=", vec![low, node.clone()]),
                    Node::list("<=", vec![node, high]),
                ]);
                opposite_if(*negated, both)
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let node = self.expr(expr, scope, results)?;
                let mut equals = Vec::new();
                for item in list {
                    self.spend(node.size())?;
                    let item = self.value(item, scope, results)?;
                    equals.push(Node::bag("=", vec![node.clone(), item]));
                }
                opposite_if(*negated, Node::or(equals))
            }
            Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => {
                let node = self.expr(expr, scope, results)?;
                let subquery = self.subquery(subquery, scope)?;
                opposite_if(*negated, Node::list("in", vec![node, subquery]))
            }
            Expr::Exists { subquery, negated } => {
                let mut subquery = self.subquery(subquery, scope)?;
                forget_plain_columns(&mut subquery);
                opposite_if(*negated, Node::list("exists", vec![subquery]))
            }
            Expr::Subquery(query) => self.subquery(query, scope)?,
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let mut parts = vec![
                    self.expr(expr, scope, results)?,
                    self.value(pattern, scope, results)?,
                ];
                if let Some(escape) = escape_char {
                    parts.push(self.value(escape, scope, results)?);
                }
                opposite_if(*negated, Node::list("like", parts))
            }
            Expr::RLike {
                negated,
                expr,
                pattern,
                regexp: true,
            } => {
                let parts = vec![
                    self.expr(expr, scope, results)?,
                    self.value(pattern, scope, results)?,
                ];
                opposite_if(*negated, Node::list("regexp", parts))
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let (operand, otherwise) = (operand.as_deref(), else_result.as_deref());
                self.case(operand, conditions, otherwise, scope, results)?
            }
            Expr::Function(call) => self.call(call, scope, results)?,
            _ => return unsupported("this expression"),
        })
    }

    fn binary(
        &mut self,
        left: &Expr,
        op: &Op,
        right: &Expr,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Node> {
        let left = self.expr(left, scope, results)?;
        let right = if matches!(
            op,
            Op::Eq
                | Op::NotEq
                | Op::Lt
                | Op::LtEq
                | Op::Gt
                | Op::GtEq
                | Op::Glob
                | Op::Regexp
                | Op::StringConcat
        ) {
            self.value(right, scope, results)?
        } else {
            self.expr(right, scope, results)?
        };
        let both = vec![left, right];
        let turned = |mut both: Vec<Node>| {
            both.reverse();
            both
        };
        Ok(match op {
            Op::Eq => Node::bag("=", both),
            Op::NotEq => Node::bag("!=", both),
            Op::Plus => Node::bag("+", both),
            Op::Multiply => Node::bag("*", both),
            Op::Lt => Node::list("<", both),
            Op::LtEq => Node::list("<=", both),
            Op::Gt => Node::list("<", turned(both)),
            Op::GtEq => Node::list("<=", turned(both)),
            Op::Minus => Node::list("-", both),
            Op::Divide => Node::list("/", both),
            Op::Modulo => Node::list("%", both),
            Op::StringConcat => Node::list("||", both),
            Op::BitwiseAnd => Node::bag("&", both),
            Op::BitwiseOr => Node::bag("|", both),
            Op::PGBitwiseShiftLeft => Node::list("<<", both),
            Op::PGBitwiseShiftRight => Node::list(">>", both),
            Op::Glob => Node::list("glob", both),
            Op::Regexp => Node::list("regexp", both),
            Op::Match => Node::list("match", both),
            Op::Arrow => Node::list("->", both),
            Op::LongArrow => Node::list("->>", both),
            _ => return unsupported("this operator"),
        })
    }

    /// CASE with its conditions written out, and without an ELSE NULL.
    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Node> {
        let operand = operand.map(|operand| self.expr(operand, scope, results));
        let operand = operand.transpose()?;
        let mut branches = Vec::new();
        for CaseWhen { condition, result } in conditions {
            let condition = match &operand {
                Some(operand) => {
                    self.spend(operand.size())?;
                    let value = self.value(condition, scope, results)?;
                    Node::bag("=", vec![operand.clone(), value])
                }
                None => self.expr(condition, scope, results)?,
            };
            branches.push(condition);
            branches.push(self.value(result, scope, results)?);
        }
        if let Some(otherwise) = otherwise {
            branches.push(self.value(otherwise, scope, results)?);
        }
        Ok(case_node(branches))
    }

    fn subquery(&mut self, query: &Query, scope: &Scope<'_>) -> Result<Node> {
        Ok(self.query(query, Some(scope), scope.common)?.node)
    }
}

/// A CASE from its conditions and results in turn, and perhaps what is left.
pub fn case_node(mut branches: Vec<Node>) -> Node {
    if branches.len() % 2 == 1 && branches.last().is_some_and(|last| last.label == "null") {
        branches.pop();
    }
    Node::list("case", branches)
}

fn opposite_if(negated: bool, node: Node) -> Node {
    if negated { node.negated() } else { node }
}

/// For EXISTS any column is as good as another, but an aggregate makes a row where there is none.
fn forget_plain_columns(query: &mut Node) {
    if query.label != "select" {
        return;
    }
    if let Some(items) = query.children.get_mut(ITEMS)
        && items.children.iter().all(|item| item.children.is_empty())
    {
        items.children.clear();
    }
}

fn unary(operator: UnaryOperator, node: Node) -> Result<Node> {
    Ok(match operator {
        UnaryOperator::Not => node.negated(),
        UnaryOperator::Plus => node,
        UnaryOperator::Minus => {
            let number =
                node.children.is_empty() && node.label.starts_with(|c: char| c.is_ascii_digit());
            if number {
                Node::leaf(format!("-{}", node.label))
            } else {
                Node::list("negative", vec![node])
            }
        }
        UnaryOperator::BitwiseNot => Node::list("~", vec![node]),
        _ => return unsupported("this operator"),
    })
}

/// A literal: whole numbers and reals each in their one spelling, text in quotes.
pub fn literal(value: &Value) -> Result<Node> {
    Ok(match value {
        Value::Number(digits, long) => {
            refuse(*long, "`L` behind a number")?;
            Node::leaf(number(&digits.replace('_', "")))
        }
        Value::SingleQuotedString(text) => Node::text(text),
        Value::HexStringLiteral(digits) => {
            Node::leaf(format!("x'{}'", digits.to_ascii_uppercase()))
        }
        Value::Boolean(value) => Node::leaf(u8::from(*value).to_string()),
        Value::Null => Node::leaf("null"),
        Value::Placeholder(name) => Node::leaf(format!("?{name}")),
        _ => return unsupported("this literal"),
    })
}

fn number(digits: &str) -> String {
    match (digits.parse::<u64>(), digits.parse::<f64>()) {
        (Ok(whole), _) => whole.to_string(),
        (Err(_), Ok(real)) => format!("{real:?}"),
        (Err(_), Err(_)) => digits.to_ascii_lowercase(),
    }
}

/// What a CAST to a type does, by SQLite's rules for the name of a type.
fn affinity(data_type: &DataType) -> &'static str {
    let name = data_type.to_string().to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match () {
        () if has(&["INT"]) => "integer",
        () if has(&["CHAR", "CLOB", "TEXT"]) => "text",
        () if name.is_empty() || has(&["BLOB"]) => "blob",
        () if has(&["REAL", "FLOA", "DOUB"]) => "real",
        () => "numeric",
    }
}
