//! The question that a query answers, composed from the query's own structure in plain English.
//!
//! Every literal and every condition is said; equalities of keys, which only bring rows of two tables together, are said
//! by naming the tables. A few turns of phrase vary with the seed.

mod condition;
mod core;
mod value;

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::assign::Assignment;
use crate::database::{Database, Kind};
use crate::reason::Reason;
use crate::skeleton::{Name, Skeleton, Target, inner_text};
use crate::tree::{At, Expr, Item, Query};
use crate::words;
use crate::write::Texts;

type Told = Result<String, Reason>;

/// Asks for what the query returns.
pub fn ask(
    skeleton: &Skeleton,
    assignment: &Assignment,
    database: &Database,
    texts: &Texts,
    rng: &mut ChaCha8Rng,
) -> Told {
    let mut teller = Teller {
        skeleton,
        assignment,
        database,
        texts,
        results: BTreeMap::new(),
        blocks: Vec::new(),
        variant: rng.random_range(0..3),
    };
    teller.question(&skeleton.query)
}

struct Teller<'a> {
    skeleton: &'a Skeleton,
    assignment: &'a Assignment,
    database: &'a Database,
    texts: &'a Texts,
    /// What is said for a named result.
    results: BTreeMap<usize, String>,
    /// The sources of the blocks that are being told, from the outside in.
    blocks: Vec<Vec<usize>>,
    /// Which turns of phrase are taken.
    variant: usize,
}

impl<'a> Teller<'a> {
    fn question(&mut self, query: &'a Query) -> Told {
        let mut sentences = Vec::new();
        for cte in &query.ctes {
            let name = self.text(cte.name).to_owned();
            let told = self.body(&cte.query)?;
            sentences.push(format!("Let {name} be {told}."));
        }
        let verb = ["Show", "List", "Give"][self.variant];
        let told = self.body_without_parts(query)?;
        sentences.push(
            match counts(query).then(|| told.strip_prefix("the number of ")) {
                Some(Some(rest)) if self.variant == 1 => match rest.split_once(" where ") {
                    Some((what, condition)) => {
                        format!("How many {what} are there where {condition}?")
                    }
                    None => format!("How many {rest} are there?"),
                },
                _ => format!("{verb} {told}."),
            },
        );
        Ok(sentences.join(" "))
    }

    /// A whole query as what it returns.
    fn body(&mut self, query: &'a Query) -> Told {
        let mut parts = Vec::new();
        for cte in &query.ctes {
            let name = self.text(cte.name).to_owned();
            let told = self.body(&cte.query)?;
            parts.push(format!("{name} being {told}"));
        }
        let told = self.body_without_parts(query)?;
        Ok(match parts.as_slice() {
            [] => told,
            parts => format!("{told} ({})", parts.join("; ")),
        })
    }

    fn body_without_parts(&mut self, query: &'a Query) -> Told {
        let [first, others @ ..] = query.cores.as_slice() else {
            return Err(Reason::NoQuestion);
        };
        if others.is_empty() {
            return self.core(first, Some(query));
        }
        let mut told = self.core(first, None)?;
        for core in others {
            let next = self.core(core, None)?;
            told = match core.op {
                Some(crate::tree::SetOp::Union) => {
                    format!("{told}, together with {next}, without duplicates")
                }
                Some(crate::tree::SetOp::UnionAll) => {
                    format!("{told}, together with {next}, with duplicates")
                }
                Some(crate::tree::SetOp::Intersect) => {
                    format!("what is found both in {told} and in {next}")
                }
                Some(crate::tree::SetOp::Except) => {
                    format!("{told}, but leave out {next}")
                }
                None => return Err(Reason::NoQuestion),
            };
        }
        if !query.order.is_empty() {
            told = format!("{told}, all {}", self.ordered(query, &first.items)?);
        }
        Ok(match self.rows_kept(query)? {
            Some(kept) => format!("{told}, keeping only {kept}"),
            None => told,
        })
    }

    /// What is written in the query for a token.
    fn text(&self, at: At) -> &str {
        match self.texts.get(&at) {
            Some(text) => text,
            None => &self.skeleton.tokens[at].1,
        }
    }

    fn function(&self, name: At) -> String {
        self.skeleton.tokens[name].1.to_ascii_uppercase()
    }

    /// A literal as a reader sees it: texts in double quotes.
    fn literal(&self, at: At, sign: Option<At>) -> String {
        let text = self.text(at);
        if text.starts_with(['\'', '"']) {
            format!("\"{}\"", inner_text(text))
        } else if text.eq_ignore_ascii_case("NULL") {
            "nothing".to_owned()
        } else if text.to_ascii_uppercase().starts_with("CURRENT_") {
            words::phrase(text)
        } else {
            let minus = sign.is_some_and(|at| self.skeleton.tokens[at].1 == "-");
            let kept = !self.skeleton.literals.contains_key(&at);
            format!("{}{text}", if minus && kept { "-" } else { "" })
        }
    }

    /// The kind of the column that an expression is.
    fn kind(&self, expr: &Expr) -> Option<Kind> {
        let Expr::Column { name, .. } = expr.bare() else {
            return None;
        };
        match self.skeleton.names.get(name)? {
            Name::Column {
                target: Target::Column(class),
                ..
            } => {
                let place = self.assignment.place(self.skeleton, *class);
                Some(self.database.column(place).kind)
            }
            _ => None,
        }
    }

    /// One row of a source in words, told apart from another of the same table.
    fn noun(&self, source: usize) -> String {
        let info = &self.skeleton.sources[source];
        let Some(class) = info.table else {
            return match info.cte {
                Some(number) => format!("row of part{}", number + 1),
                None => "listed row".to_owned(),
            };
        };
        let noun = words::singular(&self.database.tables[self.assignment.tables[class]].name);
        let block = self
            .blocks
            .iter()
            .rev()
            .find(|block| block.contains(&source));
        let same: Vec<usize> = block
            .into_iter()
            .flatten()
            .copied()
            .filter(|other| self.skeleton.sources[*other].table == Some(class))
            .collect();
        let ordinal = ["first", "second", "third", "fourth"];
        match same.iter().position(|other| *other == source) {
            Some(at) if same.len() > 1 => {
                format!("{} {noun}", ordinal.get(at).copied().unwrap_or("further"))
            }
            _ => noun,
        }
    }

    /// Whether the block that is being told reads one source.
    fn alone(&self) -> bool {
        self.blocks.last().is_some_and(|block| block.len() == 1)
    }

    /// How many rows are kept, if not all.
    fn rows_kept(&self, query: &Query) -> Result<Option<String>, Reason> {
        let number = |expr: &Expr| match expr.bare() {
            Expr::Literal { at, sign, .. } => Ok(self.literal(*at, *sign)),
            _ => Err(Reason::NoQuestion),
        };
        let Some(limit) = &query.limit else {
            return Ok(None);
        };
        let limit = number(limit)?;
        let kept = if limit == "1" {
            "the first one".to_owned()
        } else {
            format!("the first {limit}")
        };
        Ok(Some(match &query.offset {
            Some(offset) => format!("{kept} after leaving out the first {}", number(offset)?),
            None => kept,
        }))
    }

    /// `ordered by …`.
    fn ordered(&mut self, query: &'a Query, items: &'a [Item]) -> Told {
        let mut terms = Vec::new();
        for order in &query.order {
            let told = match order.expr.bare() {
                Expr::Literal { at, .. } => {
                    // ORDER BY 2 means the second thing that is selected.
                    let number = self.text(*at).parse::<usize>().ok();
                    match number.and_then(|it| items.get(it.checked_sub(1)?)) {
                        Some(Item::Expr { expr, .. }) => self.value(expr)?,
                        _ => return Err(Reason::NoQuestion),
                    }
                }
                expr => self.value(expr)?,
            };
            let (up, down) = match self.kind(&order.expr) {
                Some(Kind::Text | Kind::Other) => {
                    ("in alphabetical order", "in reverse alphabetical order")
                }
                Some(Kind::Date) => ("from earliest to latest", "from latest to earliest"),
                _ => ("from lowest to highest", "from highest to lowest"),
            };
            terms.push(format!(
                "{told} {}",
                if order.descending { down } else { up }
            ));
        }
        Ok(format!("ordered by {}", words::listed(&terms, "and then")))
    }
}

/// Whether a query counts rows and does nothing else.
fn counts(query: &Query) -> bool {
    let [core] = query.cores.as_slice() else {
        return false;
    };
    let counted = |item: &Item| matches!(item, Item::Expr { expr, .. } if matches!(expr.bare(), Expr::Call { star: true, over: None, .. }));
    core.items.len() == 1 && counted(&core.items[0]) && core.group.is_empty()
}
