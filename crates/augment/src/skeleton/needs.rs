//! What columns and literals are used for, from the places where they stand.

use std::collections::BTreeMap;

use super::literals::{Slot, is_date_modifier, is_format, is_punctuation};
use super::names::{Name, Target};
use super::scope::parts;
use super::{Link, Skeleton};
use crate::reason::Reason;
use crate::tree::{At, Core, Expr, Item, LiteralKind, Query};

/// What a column is used for. Each use narrows what can take its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "facts that hold or not, each by itself"
)]
pub struct Needs {
    /// Calculated with: numbers.
    pub numeric: bool,
    /// A text: compared with one, or handed to a function of texts.
    pub text: bool,
    /// A date or a time in `SQLite`'s forms.
    pub date: bool,
    /// Compared by size, or taken the greatest of: numbers, dates, no identifiers.
    pub measure: bool,
    /// Compared with a literal: it must have values.
    pub compared: bool,
    /// Shown as it is.
    pub shown: bool,
    /// Grouped by.
    pub grouped: bool,
    /// Ordered by.
    pub ordered: bool,
    /// Asked whether it is NULL.
    pub maybe: bool,
    /// Summed or averaged: no years.
    pub summed: bool,
    /// The key of groups of which other columns are shown as they are: one row for each value.
    pub unique: bool,
}

/// How the place of an expression is used.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Any,
    Shown,
    Number,
    Measure,
    Text,
    Date,
    Group,
    Order,
}

/// Fills in the needs of columns, the links between them, and the uses of literals.
pub fn gather(query: &Query, skeleton: &mut Skeleton) -> Result<(), Reason> {
    let mut gatherer = Gatherer {
        skeleton,
        labels: BTreeMap::new(),
    };
    gatherer.query(query)
}

struct Gatherer<'s> {
    skeleton: &'s mut Skeleton,
    /// Texts that name cases.
    labels: BTreeMap<String, usize>,
}

impl Gatherer<'_> {
    fn query(&mut self, query: &Query) -> Result<(), Reason> {
        for cte in &query.ctes {
            self.query(&cte.query)?;
        }
        for core in &query.cores {
            self.core(core)?;
        }
        if let [first, rest @ ..] = query.cores.as_slice() {
            for other in rest {
                for (a, b) in first.items.iter().zip(&other.items) {
                    if let (Item::Expr { expr: a, .. }, Item::Expr { expr: b, .. }) = (a, b) {
                        self.link(a, b, false);
                    }
                }
            }
        }
        for order in &query.order {
            self.expr(&order.expr, Use::Order)?;
        }
        for (number, slot) in [(&query.limit, Slot::Limit), (&query.offset, Slot::Offset)] {
            if let Some(Expr::Literal { at, .. }) = number {
                self.skeleton.literals.insert(*at, slot);
            }
        }
        Ok(())
    }

    fn core(&mut self, core: &Core) -> Result<(), Reason> {
        for joined in &core.from {
            if let crate::tree::Source::Query { query, .. } = &joined.source {
                self.query(query)?;
            }
            if let Some(on) = &joined.on {
                self.expr(on, Use::Any)?;
            }
        }
        for item in &core.items {
            if let Item::Expr { expr, .. } = item {
                self.expr(expr, Use::Shown)?;
            }
        }
        if let Some(filter) = &core.filter {
            self.expr(&filter.condition, Use::Any)?;
        }
        for expr in &core.group {
            self.expr(expr, Use::Group)?;
        }
        self.keys_of_groups(core);
        if let Some(having) = &core.having {
            self.expr(having, Use::Any)?;
        }
        Ok(())
    }

    /// Groups by a column of which others of the same source are shown.
    fn keys_of_groups(&mut self, core: &Core) {
        let plain = |teller: &Self, expr: &Expr| match expr.bare() {
            Expr::Column { .. } => teller.column(expr),
            _ => None,
        };
        let keys: Vec<(usize, usize)> =
            core.group.iter().filter_map(|it| plain(self, it)).collect();
        let [key] = keys.as_slice() else { return };
        let others = core.items.iter().any(|item| match item {
            Item::Expr { expr, .. } => {
                plain(self, expr).is_some_and(|shown| shown.0 == key.0 && shown.1 != key.1)
            }
            Item::Star | Item::TableStar(_) => true,
        });
        if others {
            self.skeleton.columns[key.1].needs.unique = true;
        }
    }

    /// The source and class of the column that an expression is, casts and parentheses left aside.
    fn column(&self, expr: &Expr) -> Option<(usize, usize)> {
        match expr.bare() {
            Expr::Column { name, .. } => match self.skeleton.names.get(name) {
                Some(Name::Column {
                    source,
                    target: Target::Column(class),
                    ..
                }) => Some((*source, *class)),
                _ => None,
            },
            Expr::Call {
                name, arguments, ..
            } if arguments.len() == 1
                && ["MAX", "MIN"].contains(&self.function(*name).as_str()) =>
            {
                self.column(&arguments[0])
            }
            _ => None,
        }
    }

    fn function(&self, name: At) -> String {
        self.skeleton.tokens[name].1.to_ascii_uppercase()
    }

    fn link(&mut self, a: &Expr, b: &Expr, key: bool) {
        if let (Some(a), Some(b)) = (self.column(a), self.column(b)) {
            if key && a.0 != b.0 {
                self.skeleton.joins.push([a, b]);
            }
            if a.1 != b.1 {
                let columns = [a.1, b.1];
                self.skeleton.links.push(Link { columns, key });
            }
        }
    }

    fn need(&mut self, class: usize, use_: Use) {
        let needs = &mut self.skeleton.columns[class].needs;
        match use_ {
            Use::Any => {}
            Use::Shown => needs.shown = true,
            Use::Number => needs.numeric = true,
            Use::Measure => needs.measure = true,
            Use::Text => needs.text = true,
            Use::Date => needs.date = true,
            Use::Group => needs.grouped = true,
            Use::Order => needs.ordered = true,
        }
    }

    fn expr(&mut self, expr: &Expr, use_: Use) -> Result<(), Reason> {
        match expr {
            Expr::Column { name, .. } => {
                match self.skeleton.names.get(name).cloned() {
                    Some(Name::Column {
                        target: Target::Column(class),
                        ..
                    }) => self.need(class, use_),
                    Some(Name::Text) => self.label(*name),
                    _ => {}
                }
                Ok(())
            }
            Expr::Literal { at, kind, .. } => {
                self.lone(*at, *kind);
                Ok(())
            }
            Expr::Paren(inner) => self.expr(inner, use_),
            Expr::Unary(_, inner) => self.expr(inner, Use::Number),
            Expr::Not(inner) => self.expr(inner, Use::Any),
            Expr::IsNull { expr: inner, .. } => {
                if let Some((_, class)) = self.column(inner) {
                    self.skeleton.columns[class].needs.maybe = true;
                }
                self.expr(inner, Use::Any)
            }
            Expr::Cast { expr: inner, kind } => {
                let kind = self.function(*kind);
                let text = ["CHAR", "TEXT", "CLOB", "DATE"]
                    .iter()
                    .any(|it| kind.contains(it));
                let inside = if text { Use::Any } else { Use::Number };
                self.expr(inner, inside)
            }
            Expr::Scalar(query) | Expr::Exists(query) => self.query(query),
            Expr::InQuery { expr, query, .. } => {
                self.expr(expr, Use::Any)?;
                if let Some(Item::Expr { expr: item, .. }) =
                    query.cores.first().and_then(|core| core.items.first())
                {
                    self.link(expr, item, true);
                }
                self.query(query)
            }
            Expr::Binary { op, left, right } => self.binary(op, left, right),
            Expr::Between {
                expr, low, high, ..
            } => {
                self.expr(expr, Use::Measure)?;
                for (bound, is_low) in [(low, true), (high, false)] {
                    match bound.bare() {
                        Expr::Literal { at, kind, .. } if is_value(*kind) => {
                            self.compared(expr, "<", *kind);
                            let slot = Slot::Bound {
                                expr: (**expr).clone(),
                                low: is_low,
                            };
                            self.skeleton.literals.insert(*at, slot);
                        }
                        other => self.expr(other, Use::Any)?,
                    }
                }
                Ok(())
            }
            Expr::InList { expr, list, .. } => {
                self.expr(expr, Use::Any)?;
                for (place, item) in list.iter().enumerate() {
                    match item.bare() {
                        Expr::Literal { at, kind, .. } if is_value(*kind) => {
                            self.compared(expr, "=", *kind);
                            let expr = (**expr).clone();
                            let slot = Slot::Listed { expr, place };
                            self.skeleton.literals.insert(*at, slot);
                        }
                        other => self.expr(other, Use::Any)?,
                    }
                }
                Ok(())
            }
            Expr::Like { expr, pattern, .. } => {
                self.expr(expr, Use::Text)?;
                let Expr::Literal {
                    at,
                    kind: LiteralKind::Text,
                    ..
                } = pattern.bare()
                else {
                    return Err(Reason::Literal);
                };
                if let Some((_, class)) = self.column(expr) {
                    self.skeleton.columns[class].needs.compared = true;
                }
                let text = inner_text(&self.skeleton.tokens[*at].1);
                let slot = Slot::Pattern {
                    expr: (**expr).clone(),
                    open_start: text.starts_with(['%', '*']),
                    open_end: text.ends_with(['%', '*']),
                };
                self.skeleton.literals.insert(*at, slot);
                Ok(())
            }
            Expr::Case {
                operand,
                branches,
                otherwise,
            } => {
                if let Some(operand) = operand {
                    self.expr(operand, Use::Any)?;
                }
                for (when, then) in branches {
                    match (operand, when.bare()) {
                        (Some(operand), Expr::Literal { at, kind, .. }) if is_value(*kind) => {
                            self.compare_with(operand, "=", *at, *kind);
                        }
                        _ => self.expr(when, Use::Any)?,
                    }
                    self.expr(then, inner_use(use_))?;
                }
                match otherwise {
                    Some(otherwise) => self.expr(otherwise, inner_use(use_)),
                    None => Ok(()),
                }
            }
            Expr::Call {
                name,
                arguments,
                over,
                ..
            } => {
                if let Some(window) = over {
                    for expr in &window.partition {
                        self.expr(expr, Use::Group)?;
                    }
                    for order in &window.order {
                        self.expr(&order.expr, Use::Order)?;
                    }
                }
                self.call(&self.function(*name), arguments, use_)
            }
        }
    }

    fn binary(&mut self, op: &str, left: &Expr, right: &Expr) -> Result<(), Reason> {
        match op {
            "AND" | "OR" | "||" => {
                self.expr(left, Use::Any)?;
                self.expr(right, Use::Any)
            }
            "=" | "!=" | "<" | "<=" | ">" | ">=" | "IS" | "IS NOT" => {
                let by_size = !matches!(op, "=" | "!=" | "IS" | "IS NOT");
                let use_ = if by_size { Use::Measure } else { Use::Any };
                for (side, other, op) in [(left, right, op), (right, left, turned(op))] {
                    if let Expr::Literal { at, kind, .. } = other.bare()
                        && is_value(*kind)
                    {
                        self.expr(side, use_)?;
                        self.compare_with(side, op, *at, *kind);
                        return Ok(());
                    }
                }
                self.expr(left, use_)?;
                self.expr(right, use_)?;
                let shown = |expr: &Expr| match expr.bare() {
                    Expr::Scalar(query) => match query.cores.first()?.items.first()? {
                        Item::Expr { expr, .. } => Some(expr.clone()),
                        _ => None,
                    },
                    other => Some(other.clone()),
                };
                if let (Some(a), Some(b)) = (shown(left), shown(right)) {
                    self.link(&a, &b, op == "=");
                }
                Ok(())
            }
            _ => {
                self.expr(left, Use::Number)?;
                self.expr(right, Use::Number)
            }
        }
    }

    /// A literal right of an operator.
    fn compare_with(&mut self, expr: &Expr, op: &str, at: At, kind: LiteralKind) {
        let slot = if self.has_aggregate(expr) {
            Slot::Aggregate {
                expr: expr.clone(),
                op: op.to_owned(),
            }
        } else {
            self.compared(expr, op, kind);
            Slot::Compare {
                expr: expr.clone(),
                op: op.to_owned(),
                kind,
            }
        };
        self.skeleton.literals.insert(at, slot);
    }

    /// A column that is compared with a literal has values of its class.
    fn compared(&mut self, expr: &Expr, op: &str, kind: LiteralKind) {
        let Some((_, class)) = self.column(expr) else {
            return;
        };
        let by_size = op.starts_with(['<', '>']);
        let needs = &mut self.skeleton.columns[class].needs;
        needs.compared = true;
        match kind {
            LiteralKind::Number => needs.numeric = true,
            LiteralKind::Text if by_size => needs.date = true,
            LiteralKind::Text if !needs.date => needs.text = true,
            _ => {}
        }
    }

    fn has_aggregate(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Call {
                name,
                arguments,
                star,
                ..
            } if *star || is_aggregate(&self.function(*name), arguments.len()) => true,
            other => parts(other)
                .into_iter()
                .any(|part| self.has_aggregate(part)),
        }
    }

    /// A literal that is compared with nothing.
    fn lone(&mut self, at: At, kind: LiteralKind) {
        if kind == LiteralKind::Text {
            let text = inner_text(&self.skeleton.tokens[at].1);
            if !is_punctuation(&text) {
                self.label(at);
            }
        }
    }

    fn label(&mut self, at: At) {
        let text = inner_text(&self.skeleton.tokens[at].1);
        let next = self.labels.len();
        let number = *self.labels.entry(text).or_insert(next);
        self.skeleton.literals.insert(at, Slot::Label(number));
    }

    fn call(&mut self, function: &str, arguments: &[Expr], use_: Use) -> Result<(), Reason> {
        let inside = match function {
            "COUNT" | "GROUP_CONCAT" | "ROW_NUMBER" | "RANK" | "DENSE_RANK" | "NTILE" | "LAG"
            | "LEAD" | "FIRST_VALUE" | "LAST_VALUE" | "TYPEOF" => Use::Any,
            "SUM" | "AVG" | "TOTAL" => {
                if let [only] = arguments
                    && let Some((_, class)) = self.column(only)
                {
                    self.need(class, Use::Measure);
                    self.skeleton.columns[class].needs.summed = true;
                }
                Use::Number
            }
            "MIN" | "MAX" => Use::Measure,
            "ABS" | "ROUND" => Use::Number,
            "LENGTH" | "UPPER" | "LOWER" | "TRIM" | "LTRIM" | "RTRIM" | "SUBSTR" | "SUBSTRING"
            | "INSTR" | "REPLACE" => Use::Text,
            "DATE" | "TIME" | "DATETIME" | "JULIANDAY" | "STRFTIME" => {
                return self.date_call(function, arguments);
            }
            "IIF" | "COALESCE" | "IFNULL" | "NULLIF" => inner_use(use_),
            _ => return Err(Reason::Function),
        };
        for (place, argument) in arguments.iter().enumerate() {
            if let Expr::Literal { at, kind, .. } = argument.bare() {
                let text = inner_text(&self.skeleton.tokens[*at].1);
                if *kind == LiteralKind::Text && inside == Use::Text && !is_punctuation(&text) {
                    return Err(Reason::Literal);
                }
            }
            let here = match function {
                "IIF" if place == 0 => Use::Any,
                "SUBSTR" | "SUBSTRING" | "ROUND" if place > 0 => Use::Number,
                _ => inside,
            };
            self.expr(argument, here)?;
        }
        Ok(())
    }

    fn date_call(&mut self, function: &str, arguments: &[Expr]) -> Result<(), Reason> {
        for (place, argument) in arguments.iter().enumerate() {
            let format = function == "STRFTIME" && place == 0;
            let (Expr::Literal {
                at,
                kind: LiteralKind::Text,
                ..
            }
            | Expr::Column {
                qualifier: None,
                name: at,
            }) = argument.bare()
            else {
                self.expr(argument, Use::Date)?;
                continue;
            };
            let quoted = &self.skeleton.tokens[*at].1;
            if quoted.starts_with(['\'', '"']) {
                let text = inner_text(quoted);
                let kept = is_format(&text) && format || is_date_modifier(&text) && !format;
                if !kept {
                    return Err(Reason::Literal);
                }
            } else {
                self.expr(argument, Use::Date)?;
            }
        }
        Ok(())
    }
}

/// What a use asks of the branches of CASE and the like: a result that is shown asks nothing of them.
fn inner_use(use_: Use) -> Use {
    match use_ {
        Use::Number | Use::Measure => Use::Number,
        Use::Text => Use::Text,
        Use::Date => Use::Date,
        Use::Any | Use::Shown | Use::Group | Use::Order => Use::Any,
    }
}

/// Whether a function of so many arguments is an aggregate.
pub fn is_aggregate(function: &str, arguments: usize) -> bool {
    match function {
        "COUNT" | "SUM" | "AVG" | "TOTAL" | "GROUP_CONCAT" => true,
        "MIN" | "MAX" => arguments == 1,
        _ => false,
    }
}

fn is_value(kind: LiteralKind) -> bool {
    matches!(kind, LiteralKind::Number | LiteralKind::Text)
}

/// The operator with its operands exchanged.
fn turned(op: &str) -> &str {
    match op {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

/// The text inside a quoted token, or the token itself.
pub fn inner_text(token: &str) -> String {
    let Some(quote) = token.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        return token.to_owned();
    };
    let inside = &token[1..token.len().max(2) - 1];
    inside.replace(&format!("{quote}{quote}"), &quote.to_string())
}
