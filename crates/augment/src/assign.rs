//! Which tables and columns of a database take the places of a skeleton's.
//!
//! Different tables of the skeleton become different tables, different columns of one become different columns. Tables
//! that the skeleton joins are joined by a foreign key, and a column that is calculated with has numbers. Among what
//! fits, the choice is random, and what a person would ask for is more likely.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::database::{Column, Database, Kind};
use crate::skeleton::{Needs, Skeleton};

/// Choices that are tried before a database is given up.
const MOST_STEPS: usize = 400;

/// A column of a database, as table and column.
type Place = (usize, usize);

/// A choice for every class of a skeleton.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Table class → table.
    pub tables: Vec<usize>,
    /// Column class → column of its class's table.
    pub columns: Vec<usize>,
}

impl Assignment {
    /// The column of a class.
    pub fn place(&self, skeleton: &Skeleton, class: usize) -> Place {
        (
            self.tables[skeleton.columns[class].table],
            self.columns[class],
        )
    }
}

/// Chooses tables and columns; none if the database has none of the shape.
pub fn assign(
    skeleton: &Skeleton,
    database: &Database,
    rng: &mut ChaCha8Rng,
) -> Option<Assignment> {
    if skeleton.tables > database.tables.len() {
        return None;
    }
    let mut search = Search {
        skeleton,
        database,
        order: order(skeleton),
        tables: vec![None; skeleton.tables],
        columns: vec![None; skeleton.columns.len()],
        steps: 0,
    };
    if !search.table(0, rng) || !search.rest(rng) {
        return None;
    }
    Some(Assignment {
        tables: search.tables.into_iter().collect::<Option<_>>()?,
        columns: search.columns.into_iter().collect::<Option<_>>()?,
    })
}

/// Table classes in an order in which each is linked to an earlier one, if it is to any.
fn order(skeleton: &Skeleton) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < skeleton.tables {
        let table = |class: usize| skeleton.columns[class].table;
        let linked = skeleton
            .links
            .iter()
            .filter(|link| link.key)
            .find_map(|link| {
                let [a, b] = link.columns.map(table);
                match (order.contains(&a), order.contains(&b)) {
                    (true, false) => Some(b),
                    (false, true) => Some(a),
                    _ => None,
                }
            });
        let next = linked.or_else(|| (0..skeleton.tables).find(|it| !order.contains(it)));
        order.extend(next);
    }
    order
}

struct Search<'a> {
    skeleton: &'a Skeleton,
    database: &'a Database,
    order: Vec<usize>,
    tables: Vec<Option<usize>>,
    columns: Vec<Option<usize>>,
    steps: usize,
}

impl Search<'_> {
    /// Chooses the tables from the `depth`-th of the order on, and the columns that link them.
    fn table(&mut self, depth: usize, rng: &mut ChaCha8Rng) -> bool {
        let Some(&class) = self.order.get(depth) else {
            return true;
        };
        let mut candidates: Vec<usize> = (0..self.database.tables.len())
            .filter(|table| !self.tables.contains(&Some(*table)))
            .collect();
        candidates.shuffle(rng);
        for table in candidates {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return false;
            }
            let named = self.skeleton.columns.iter().filter(|it| it.table == class);
            if named.count() > self.database.tables[table].columns.len() {
                continue;
            }
            let before = self.columns.clone();
            self.tables[class] = Some(table);
            if self.links(rng) && self.table(depth + 1, rng) {
                return true;
            }
            self.tables[class] = None;
            self.columns = before;
        }
        false
    }

    /// Chooses the columns of the links whose tables are both chosen.
    fn links(&mut self, rng: &mut ChaCha8Rng) -> bool {
        for link in &self.skeleton.links {
            let [a, b] = link.columns;
            let (Some(table_a), Some(table_b)) = (self.table_of(a), self.table_of(b)) else {
                continue;
            };
            if !link.key || self.columns[a].is_some() && self.columns[b].is_some() {
                continue;
            }
            let mut options = self.key_options(table_a, table_b);
            options.retain(|(x, y)| self.fits(a, *x) && self.fits(b, *y));
            options.shuffle(rng);
            let Some((x, y)) = options.first() else {
                return false;
            };
            self.columns[a] = Some(*x);
            self.columns[b] = Some(*y);
        }
        self.skeleton
            .links
            .iter()
            .filter(|link| link.key)
            .all(|link| {
                let [a, b] = link.columns;
                match (self.place(a), self.place(b)) {
                    (Some(a), Some(b)) => self.are_keys(a, b),
                    _ => true,
                }
            })
    }

    fn table_of(&self, class: usize) -> Option<usize> {
        self.tables[self.skeleton.columns[class].table]
    }

    fn place(&self, class: usize) -> Option<Place> {
        Some((self.table_of(class)?, self.columns[class]?))
    }

    /// Pairs of columns by which two tables can be joined: keys, else two columns that refer to the same third.
    fn key_options(&self, a: usize, b: usize) -> Vec<(usize, usize)> {
        let mut options = Vec::new();
        for [from, to] in &self.database.keys {
            if from.0 == a && to.0 == b {
                options.push((from.1, to.1));
            }
            if from.0 == b && to.0 == a {
                options.push((to.1, from.1));
            }
        }
        if options.is_empty() {
            for [one, of_one] in &self.database.keys {
                for [other, of_other] in &self.database.keys {
                    if of_one == of_other && one.0 == a && other.0 == b && one != other {
                        options.push((one.1, other.1));
                    }
                }
            }
        }
        options.sort_unstable();
        options.dedup();
        options
    }

    fn are_keys(&self, a: Place, b: Place) -> bool {
        a == b || self.key_options(a.0, b.0).contains(&(a.1, b.1))
    }

    /// Whether a column can stand for a class: free or its own already.
    fn fits(&self, class: usize, column: usize) -> bool {
        if let Some(chosen) = self.columns[class] {
            return chosen == column;
        }
        let table = self.skeleton.columns[class].table;
        let taken = (0..self.columns.len()).any(|other| {
            self.skeleton.columns[other].table == table && self.columns[other] == Some(column)
        });
        let Some(at) = self.tables[table] else {
            return false;
        };
        let needs = self.skeleton.columns[class].needs;
        !taken && allowed(needs, &self.database.tables[at].columns[column], true)
    }

    /// Chooses the columns that no link decides.
    fn rest(&mut self, rng: &mut ChaCha8Rng) -> bool {
        // The hardest to please choose first.
        let mut classes: Vec<usize> = (0..self.columns.len())
            .filter(|class| self.columns[*class].is_none())
            .collect();
        classes.sort_by_key(|class| {
            let needs = self.skeleton.columns[*class].needs;
            let hard = needs.numeric || needs.date || needs.measure;
            (!hard, !(needs.text || needs.compared), !needs.grouped)
        });
        for class in classes {
            let Some(table) = self.table_of(class) else {
                return false;
            };
            let needs = self.skeleton.columns[class].needs;
            let partner = self.partner(class);
            let options: Vec<(usize, u32)> = (0..self.database.tables[table].columns.len())
                .filter(|column| {
                    let found = &self.database.tables[table].columns[*column];
                    self.fits(class, *column)
                        && allowed(needs, found, false)
                        && partner.is_none_or(|it| alike(self.database.column(it), found))
                })
                .map(|column| {
                    let found = &self.database.tables[table].columns[column];
                    let named = partner.is_some_and(|it| {
                        self.database
                            .column(it)
                            .name
                            .eq_ignore_ascii_case(&found.name)
                    });
                    (column, weight(needs, found) * if named { 20 } else { 1 })
                })
                .collect();
            let Some(column) = draw(&options, rng) else {
                return false;
            };
            self.columns[class] = Some(column);
        }
        true
    }

    /// The column that one of the same kind is wanted for.
    fn partner(&self, class: usize) -> Option<Place> {
        self.skeleton
            .links
            .iter()
            .find_map(|link| match link.columns {
                [a, b] if a == class => self.place(b),
                [a, b] if b == class => self.place(a),
                _ => None,
            })
    }
}

fn alike(a: &Column, b: &Column) -> bool {
    a.kind == b.kind && a.identifier == b.identifier
}

/// Whether a column can be used so at all. Of a column that links tables less is asked.
fn allowed(needs: Needs, column: &Column, linking: bool) -> bool {
    let kind = column.kind;
    let measurable = matches!(kind, Kind::Number | Kind::Date);
    !(needs.numeric && kind != Kind::Number
        || needs.text && kind != Kind::Text
        || needs.date && kind != Kind::Date
        || needs.measure && (!measurable || column.identifier && !linking)
        || needs.numeric && column.identifier && !linking && !needs.compared
        || needs.summed && column.time
        || needs.unique && (column.repeats || column.values.is_empty())
        || needs.compared && (column.values.is_empty() || column.length > 60)
        || needs.grouped && !linking && column.values.is_empty())
}

/// How likely a column is used so, among those that can.
fn weight(needs: Needs, column: &Column) -> u32 {
    let mut weight = 4;
    if needs.shown && column.identifier {
        weight = 1;
    }
    if needs.shown && column.kind == Kind::Text && column.length <= 60 {
        weight *= 3;
    }
    if needs.grouped && !needs.unique {
        weight = match (column.repeats, column.values.len() > 1) {
            (true, true) => 24,
            (false, _) => 3,
            (true, false) => 1,
        };
    }
    if needs.ordered {
        let ordered = matches!(column.kind, Kind::Number | Kind::Date) && !column.identifier;
        weight *= if ordered { 6 } else { 1 };
    }
    if needs.compared {
        weight *= if column.values.len() > 1 { 4 } else { 1 };
        weight *= if column.identifier { 1 } else { 4 };
    }
    if column.kind == Kind::Other {
        weight = 1;
    }
    if needs.maybe && column.nulls {
        weight *= 50;
    }
    weight
}

fn draw(options: &[(usize, u32)], rng: &mut ChaCha8Rng) -> Option<usize> {
    let all: u32 = options.iter().map(|(_, weight)| weight).sum();
    if all == 0 {
        return None;
    }
    let mut left = rng.random_range(0..all);
    for (column, weight) in options {
        if left < *weight {
            return Some(*column);
        }
        left -= weight;
    }
    None
}
