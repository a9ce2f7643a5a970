//! One SELECT block as what it returns: items, tables, conditions, groups, order.

use super::{Teller, Told};
use crate::database::Kind;
use crate::reason::Reason;
use crate::skeleton::{Name, Target, is_aggregate};
use crate::tree::{Core, Expr, Item, Join, Query, Source};
use crate::words::{listed, plural};

impl<'a> Teller<'a> {
    /// A block; `query` is the one around it if the block is all of it, for its ORDER BY and LIMIT.
    pub(super) fn core(&mut self, core: &'a Core, query: Option<&'a Query>) -> Told {
        let derived = self.derived(core)?;
        let block = self.sources(core);
        self.blocks.push(block);
        let told = self.core_inside(core, query, &derived);
        self.blocks.pop();
        told
    }

    /// What is said of the queries in FROM, each of which is told before the block that reads it.
    fn derived(&mut self, core: &'a Core) -> Result<Vec<Option<String>>, Reason> {
        let told = core.from.iter().map(|joined| match &joined.source {
            Source::Query { query, .. } => self.body(query).map(Some),
            Source::Table { .. } => Ok(None),
        });
        told.collect()
    }

    /// The numbers of a block's sources.
    fn sources(&self, core: &Core) -> Vec<usize> {
        let places = &self.skeleton.places;
        let known = core
            .from
            .iter()
            .filter_map(|joined| places.get(&joined.source.place()));
        known.copied().collect()
    }

    fn core_inside(
        &mut self,
        core: &'a Core,
        query: Option<&'a Query>,
        derived: &[Option<String>],
    ) -> Told {
        self.name_results(core)?;
        let entity = self.entity(core, derived);
        let grouped = !core.group.is_empty();
        let aggregated = core.items.iter().any(|item| match item {
            Item::Expr { expr, .. } => self.has_aggregate(expr),
            _ => false,
        });
        let mut items: Vec<(String, Option<String>)> = Vec::new();
        let mut counts_last = false;
        for item in &core.items {
            counts_last = false;
            items.push(match item {
                Item::Star => ("all details".to_owned(), None),
                Item::TableStar(at) => match self.skeleton.names.get(at) {
                    Some(Name::Source { source }) => {
                        ("all details".to_owned(), Some(self.noun(*source)))
                    }
                    _ => return Err(Reason::NoQuestion),
                },
                Item::Expr { expr, .. } => {
                    counts_last = matches!(expr.bare(), Expr::Call { star: true, .. });
                    self.item(expr)?
                }
            });
        }
        let mut items = joined_items(&items);
        if core.distinct {
            items = match items.strip_prefix("the ") {
                Some(rest) => format!("the different {rest}"),
                None => format!("the different {items}"),
            };
        }
        let mut told = if core.from.is_empty() {
            items
        } else if grouped {
            let mut keys = Vec::new();
            for key in &core.group {
                let key = self.group_key(key, &core.items)?;
                keys.push(key.strip_prefix("the ").unwrap_or(&key).to_owned());
            }
            let keys = listed(&keys, "and");
            if self.alone() {
                format!("{items} for each {keys} among {entity}")
            } else {
                format!("{items} for each different {keys}, over {entity}")
            }
        } else if counts_last && core.items.len() == 1 && !core.distinct {
            items
        } else if aggregated && self.alone() {
            format!("{items} over all {entity}")
        } else if aggregated {
            format!("{items} over {entity}")
        } else if self.alone() {
            format!("{items} of {entity}")
        } else {
            format!("{items} for {entity}")
        };
        if let Some(filter) = &core.filter
            && let Some(condition) = self.conditions(&filter.condition)?
        {
            told.push_str(" where ");
            told.push_str(&condition);
        }
        // A condition of a join that is more than its keys.
        for joined in &core.from {
            if let Some(on) = &joined.on
                && let Some(condition) = self.conditions(on)?
            {
                told.push_str(", matched where ");
                told.push_str(&condition);
            }
        }
        if let Some(having) = &core.having {
            let condition = self.condition(having)?;
            told.push_str(", keeping only groups where ");
            told.push_str(&condition);
        }
        if let Some(query) = query {
            self.tail(&mut told, query, core)?;
        }
        Ok(told)
    }

    /// What is said for the names of results, which stand for their expressions.
    fn name_results(&mut self, core: &'a Core) -> Result<(), Reason> {
        for item in &core.items {
            if let Item::Expr {
                expr,
                alias: Some(alias),
            } = item
                && let Some(Name::Result(number)) = self.skeleton.names.get(alias)
            {
                let told = self.value(expr)?;
                self.results.insert(*number, told);
            }
        }
        Ok(())
    }

    /// A selected value, and whose it is where that can be said for several at once.
    fn item(&mut self, expr: &'a Expr) -> Result<(String, Option<String>), Reason> {
        let told = self.value(expr)?;
        if let Some((source, _)) = self.column_of(expr) {
            let noun = self.noun(source);
            if let Some(words) = told.strip_suffix(&format!(" of the {noun}")) {
                return Ok((words.to_owned(), Some(noun)));
            }
        }
        Ok((told, None))
    }

    fn group_key(&mut self, key: &'a Expr, items: &'a [Item]) -> Told {
        if let Expr::Literal { at, .. } = key.bare() {
            let number = self.text(*at).parse::<usize>().ok();
            return match number.and_then(|it| items.get(it.checked_sub(1)?)) {
                Some(Item::Expr { expr, .. }) => self.value(expr),
                _ => Err(Reason::NoQuestion),
            };
        }
        self.value(key)
    }

    /// Order and number of rows.
    fn tail(&mut self, told: &mut String, query: &'a Query, core: &'a Core) -> Result<(), Reason> {
        let kept = self.rows_kept(query)?;
        if let ([order], Some(_), None) = (query.order.as_slice(), &kept, &query.offset) {
            let by_size = match self.kind(&order.expr) {
                Some(Kind::Number) => Some(("lowest", "highest")),
                Some(Kind::Date) => Some(("earliest", "latest")),
                Some(_) => None,
                None if matches!(order.expr.bare(), Expr::Literal { .. }) => None,
                None => Some(("lowest", "highest")),
            };
            let limit = query.limit.as_ref().map(super::Expr::bare);
            if let (Some((up, down)), Some(Expr::Literal { at, .. })) = (by_size, limit) {
                let value = self.value(&order.expr)?;
                let which = if order.descending { down } else { up };
                let number = self.text(*at).to_owned();
                let count = if number == "1" {
                    "only the one".to_owned()
                } else {
                    format!("only the {number}")
                };
                let value = value.strip_prefix("the ").unwrap_or(&value);
                for part in [", ", &count, " with the ", which, " ", value] {
                    told.push_str(part);
                }
                return Ok(());
            }
        }
        if !query.order.is_empty() {
            let ordered = self.ordered(query, &core.items)?;
            told.push_str(", ");
            told.push_str(&ordered);
        }
        if let Some(kept) = kept {
            told.push_str(", keeping only ");
            told.push_str(&kept);
        }
        Ok(())
    }

    /// The rows that a block reads, in words.
    fn entity(&self, core: &Core, derived: &[Option<String>]) -> String {
        let block = self.sources(core);
        if let ([source], [told]) = (block.as_slice(), derived) {
            return match (told, self.skeleton.sources[*source].cte) {
                (Some(told), _) => format!("the list of {told}"),
                (None, Some(number)) => format!("part{}", number + 1),
                (None, None) => plural(&self.noun(*source)),
            };
        }
        let mut nouns = Vec::new();
        let mut maybe = Vec::new();
        for ((joined, source), told) in core.from.iter().zip(&block).zip(derived) {
            let noun = match told {
                Some(told) => format!("row of the list of {told}"),
                None => self.noun(*source),
            };
            if joined.join == Join::Left {
                maybe.push(format!("its {noun} if there is one"));
            } else {
                nouns.push(noun);
            }
        }
        let first = match nouns.as_slice() {
            [] => return String::new(),
            [one] => format!("each {one}"),
            [first, rest @ ..] => {
                let rest: Vec<String> = rest.iter().map(|it| format!("its {it}")).collect();
                format!("each {first} with {}", listed(&rest, "and"))
            }
        };
        if maybe.is_empty() {
            first
        } else {
            format!("{first}, with {}", listed(&maybe, "and"))
        }
    }

    /// What is counted when rows are.
    pub(super) fn counted(&self) -> String {
        let Some(block) = self.blocks.last() else {
            return "rows".to_owned();
        };
        match block.as_slice() {
            [one] if self.skeleton.sources[*one].table.is_some() => plural(&self.noun(*one)),
            [] | [_] => "rows".to_owned(),
            several => {
                // The table that refers to the others has a row for each row of the join.
                let refers = several.iter().copied().find(|source| {
                    self.skeleton.joins.iter().all(|[a, b]| {
                        let ends = [a, b];
                        let own = ends.iter().find(|end| end.0 == *source);
                        let other = ends.iter().find(|end| end.0 != *source);
                        match (own, other) {
                            (Some(own), Some(other)) if several.contains(&other.0) => {
                                self.is_reference(own.1, other.1)
                            }
                            _ => false,
                        }
                    })
                });
                if let Some(source) = refers {
                    return plural(&self.noun(source));
                }
                let nouns: Vec<String> = several.iter().map(|it| self.noun(*it)).collect();
                format!("matching combinations of {}", listed(&nouns, "and"))
            }
        }
    }

    /// Whether the column of one class refers to that of another.
    fn is_reference(&self, from: usize, to: usize) -> bool {
        let place = |class| self.assignment.place(self.skeleton, class);
        self.database.keys.contains(&[place(from), place(to)])
    }

    pub(super) fn has_aggregate(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Call { over: Some(_), .. } => false,
            Expr::Call {
                name,
                arguments,
                star,
                ..
            } if *star || is_aggregate(&self.function(*name), arguments.len()) => true,
            other => crate::skeleton::parts(other)
                .into_iter()
                .any(|part| self.has_aggregate(part)),
        }
    }

    /// The source and the column class of a plain column.
    pub(super) fn column_of(&self, expr: &Expr) -> Option<(usize, usize)> {
        let Expr::Column { name, .. } = expr.bare() else {
            return None;
        };
        match self.skeleton.names.get(name)? {
            Name::Column {
                source,
                target: Target::Column(class),
                ..
            } => Some((*source, *class)),
            _ => None,
        }
    }
}

/// Selected values in their order, the owner said once behind those that follow each other.
fn joined_items(items: &[(String, Option<String>)]) -> String {
    let runs = items.chunk_by(|a, b| a.1 == b.1 && a.1.is_some());
    let told: Vec<String> = runs
        .map(|run| {
            let words: Vec<String> = run.iter().map(|(words, _)| words.clone()).collect();
            match run.first().and_then(|(_, owner)| owner.as_ref()) {
                Some(owner) => format!("{} of the {owner}", listed(&words, "and")),
                None => words.concat(),
            }
        })
        .collect();
    listed(&told, "and")
}
