//! What a node of a parse tree is called once names, aliases, types and literals are gone.

use std::borrow::Cow;
use std::fmt::{self, Debug, Write as _};

use sqlparser::ast::{
    Distinct, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    GroupByExpr, JoinConstraint, JoinOperator, LimitClause, OrderByExpr, OrderBySort, Query,
    Select, SelectItem, SetExpr, UnaryOperator, Value,
};

/// Common tables, set operators and the limit of a query; its blocks are its children.
pub(super) fn query(query: &Query) -> String {
    let mut label = "query".to_owned();
    if let Some(with) = &query.with {
        let _ = write!(label, " WITH {}", with.cte_tables.len());
    }
    // A list of work instead of recursion, because chains of UNION lean to the left.
    let mut work = vec![query.body.as_ref()];
    while let Some(next) = work.pop() {
        match next {
            SetExpr::SetOperation {
                op,
                set_quantifier,
                left,
                right,
            } => {
                let _ = write!(label, " {op} {set_quantifier}");
                work.extend([right.as_ref(), left.as_ref()]);
            }
            SetExpr::Values(_) => label += " VALUES",
            _ => {}
        }
    }
    label += match &query.limit_clause {
        None => "",
        Some(LimitClause::LimitOffset { offset: None, .. }) => " LIMIT",
        Some(_) => " LIMIT OFFSET",
    };
    label
}

/// DISTINCT and the stars of a block; its items, tables and clauses are its children.
pub(super) fn select(select: &Select) -> String {
    let mut label = "SELECT".to_owned();
    if matches!(&select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
        label += " DISTINCT";
    }
    for item in &select.projection {
        if matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        ) {
            label += " *";
        }
    }
    label
}

/// The kind of a join without INNER and OUTER, which change nothing, and what ties it.
pub(super) fn join(operator: &JoinOperator) -> (&'static str, Option<&JoinConstraint>) {
    use JoinOperator as J;
    let (names, constraint) = match operator {
        J::Join(on) | J::Inner(on) | J::StraightJoin(on) => {
            (["JOIN", "JOIN USING", "NATURAL JOIN"], on)
        }
        J::CrossJoin(on) => (["CROSS JOIN", "CROSS JOIN USING", "NATURAL CROSS JOIN"], on),
        J::Left(on) | J::LeftOuter(on) => {
            (["LEFT JOIN", "LEFT JOIN USING", "NATURAL LEFT JOIN"], on)
        }
        J::Right(on) | J::RightOuter(on) => {
            (["RIGHT JOIN", "RIGHT JOIN USING", "NATURAL RIGHT JOIN"], on)
        }
        J::FullOuter(on) => (["FULL JOIN", "FULL JOIN USING", "NATURAL FULL JOIN"], on),
        J::Semi(on) | J::LeftSemi(on) | J::RightSemi(on) => (["SEMI JOIN"; 3], on),
        J::Anti(on) | J::LeftAnti(on) | J::RightAnti(on) => (["ANTI JOIN"; 3], on),
        J::AsOf { constraint, .. } => (["ASOF JOIN"; 3], constraint),
        J::CrossApply | J::OuterApply => return ("APPLY", None),
        J::ArrayJoin | J::LeftArrayJoin | J::InnerArrayJoin => return ("ARRAY JOIN", None),
    };
    let name = match constraint {
        JoinConstraint::On(_) | JoinConstraint::None => names[0],
        JoinConstraint::Using(_) => names[1],
        JoinConstraint::Natural => names[2],
    };
    (name, Some(constraint))
}

/// Whether there is a GROUP BY.
pub(super) fn groups(group: &GroupByExpr) -> bool {
    match group {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(expressions, _) => !expressions.is_empty(),
    }
}

/// The direction of an ORDER BY item; ASC is the one that is meant without a word.
pub(super) fn order(order: &OrderByExpr) -> &'static str {
    if order.options.sort == Some(OrderBySort::Desc) {
        "ORDER BY DESC"
    } else {
        "ORDER BY"
    }
}

/// What an expression is, and whether it is a mere name or literal.
pub(super) fn expr(expr: &Expr) -> (Cow<'static, str>, bool) {
    const OPERAND: (Cow<'static, str>, bool) = (Cow::Borrowed(""), true);
    let label = match expr {
        Expr::Value(value) if value.value == Value::Null => return (Cow::Borrowed("NULL"), true),
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::TypedString(_)
        | Expr::Value(_) => return OPERAND,
        Expr::BinaryOp { op, .. } => Cow::Owned(op.to_string()),
        Expr::UnaryOp { op, expr } => {
            // The sign of a number belongs to it (R12): it is seen, but weighs no more than the number does.
            let sign = matches!(op, UnaryOperator::Plus | UnaryOperator::Minus);
            let number = matches!(expr.as_ref(), Expr::Value(value) if matches!(value.value, Value::Number(..)));
            if sign && number {
                return (Cow::Borrowed("sign"), true);
            }
            Cow::Owned(format!("unary {op}"))
        }
        Expr::Function(call) => Cow::Owned(function(call)),
        Expr::Case {
            operand,
            conditions,
            else_result,
            ..
        } => Cow::Owned(format!(
            "CASE {} {} {}",
            operand.is_some(),
            conditions.len(),
            else_result.is_some()
        )),
        Expr::InList { negated, .. }
        | Expr::InSubquery { negated, .. }
        | Expr::Between { negated, .. }
        | Expr::Like { negated, .. }
        | Expr::ILike { negated, .. }
        | Expr::RLike { negated, .. }
        | Expr::Exists { negated, .. } => Cow::Owned(format!("{} {negated}", variant(expr))),
        other => Cow::Owned(variant(other)),
    };
    (label, false)
}

/// The name of a call, what its arguments are besides expressions, and its window.
fn function(call: &Function) -> String {
    let mut label = "call".to_owned();
    if let Some(name) = call.name.0.last().and_then(|part| part.as_ident()) {
        let _ = write!(label, " {}", name.value.to_ascii_uppercase());
    }
    if let FunctionArguments::List(list) = &call.args {
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
            label += " DISTINCT";
        }
        let stars = list.args.iter().filter(|argument| {
            !matches!(
                argument,
                FunctionArg::Unnamed(FunctionArgExpr::Expr(_))
                    | FunctionArg::Named {
                        arg: FunctionArgExpr::Expr(_),
                        ..
                    }
            )
        });
        label += &" *".repeat(stars.count());
    }
    if call.over.is_some() {
        label += " OVER";
    }
    if call.filter.is_some() {
        label += " FILTER";
    }
    label
}

/// The name of an enum's variant, as its derived `Debug` writes it before the fields.
pub(super) fn variant(node: &impl Debug) -> String {
    struct Name(String);
    impl fmt::Write for Name {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric());
            self.0 += &text[..end.unwrap_or(text.len())];
            // An error ends the writing: the fields, which may be a large tree, are never reached.
            end.map_or(Ok(()), |_| Err(fmt::Error))
        }
    }
    let mut name = Name(String::new());
    let _ = write!(name, "{node:?}");
    name.0
}
