//! Is there an order of columns in which two tables are equal, with their rows in order or in any?
//!
//! The official script tries all orders, which never ends for twelve equal columns. With rows in order the answer is to
//! sort the columns. With rows in any order the question is the isomorphism of two coloured graphs (a node for each row
//! and column, a coloured edge for each cell), and is answered as such: colours are refined until they are stable, and
//! where columns still share one, each candidate is tried. The colours are hashes, but only what can't match is ruled
//! out by them: a match is always confirmed on the cells.
//!
//! It knows nothing of values: cells are numbers, equal where the values are.

use std::collections::BTreeMap;

/// Whether the order of rows counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The tables must have their rows in the same order.
    Counts,
    /// The tables must have the same rows equally often.
    Free,
}

/// Cells that may be visited in search of a match, a second or two's worth. Queries do not come near; tables made to
/// be hard do, and those are called different when it is spent, so that the search always ends.
const BUDGET: u64 = 1 << 30;

/// Whether the tables are equal up to the order of columns. Both have rows of equal length, and equally many.
pub fn agree(left: &[Vec<u32>], right: &[Vec<u32>], order: Order) -> bool {
    let (left_columns, right_columns) = (transpose(left), transpose(right));
    if order == Order::Counts {
        return sorted(left_columns) == sorted(right_columns);
    }
    // Nearly all right answers have their columns in the gold's order.
    if sorted(left.to_vec()) == sorted(right.to_vec()) {
        return true;
    }
    // Equal columns and equal rows are counted instead of kept: what is left is smaller and has less symmetry.
    let (left, right) = (Table::new(left_columns), Table::new(right_columns));
    let mut budget = BUDGET;
    match_tables(
        &left,
        &right,
        left.first_colours(),
        right.first_colours(),
        &mut budget,
    )
}

fn transpose(rows: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns)
        .map(|column| rows.iter().map(|row| row[column]).collect())
        .collect()
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items
}

/// How often each item occurs, by item.
fn counted<T: Ord>(items: Vec<T>) -> Vec<(T, u64)> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// Different rows of different columns, with the number of times each stood in the table.
struct Table {
    rows: Vec<(Vec<u32>, u64)>,
    columns: Vec<u64>,
}

/// The colours of rows and columns.
#[derive(Clone)]
struct Colours {
    rows: Vec<u64>,
    columns: Vec<u64>,
}

impl Table {
    fn new(columns: Vec<Vec<u32>>) -> Self {
        let (columns, counts): (Vec<_>, Vec<_>) = counted(columns).into_iter().unzip();
        Self {
            rows: counted(transpose(&columns)),
            columns: counts,
        }
    }

    fn first_colours(&self) -> Colours {
        Colours {
            rows: self.rows.iter().map(|(_, count)| mix(*count)).collect(),
            columns: self.columns.iter().map(|count| mix(*count)).collect(),
        }
    }

    /// One round of refinement: the colour of a row takes up those of its cells and of the columns they are in, and then
    /// the other way round. Sums do not depend on the order of the table.
    fn refine(&self, colours: &Colours) -> Colours {
        let mut columns: Vec<u64> = colours.columns.iter().map(|colour| mix(*colour)).collect();
        let rows = self
            .rows
            .iter()
            .zip(&colours.rows)
            .map(|((row, _), colour)| {
                let mut sum = mix(*colour);
                for (cell, column) in row.iter().zip(&colours.columns) {
                    sum = sum.wrapping_add(mix(column ^ mix(u64::from(*cell))));
                }
                sum
            });
        let rows: Vec<u64> = rows.collect();
        for ((row, _), colour) in self.rows.iter().zip(&rows) {
            for (cell, column) in row.iter().zip(&mut columns) {
                *column = column.wrapping_add(mix(colour ^ mix(u64::from(*cell))));
            }
        }
        Colours { rows, columns }
    }

    /// The rows with their columns sorted by colour.
    fn arranged(&self, colours: &[u64]) -> Vec<(Vec<u32>, u64)> {
        let order = sorted(
            colours
                .iter()
                .copied()
                .enumerate()
                .map(|(at, colour)| (colour, at))
                .collect(),
        );
        let arrange = |(row, count): &(Vec<u32>, u64)| {
            (order.iter().map(|(_, at)| row[*at]).collect(), *count)
        };
        sorted(self.rows.iter().map(arrange).collect())
    }
}

/// A bijection that scatters the bits (the finaliser of splitmix64).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn match_tables(
    left: &Table,
    right: &Table,
    mut left_colours: Colours,
    mut right_colours: Colours,
    budget: &mut u64,
) -> bool {
    let mut kinds = 0;
    let columns = loop {
        let columns = sorted(left_colours.columns.clone());
        let rows = sorted(left_colours.rows.clone());
        if columns != sorted(right_colours.columns.clone())
            || rows != sorted(right_colours.rows.clone())
        {
            return false;
        }
        let now = counted(columns.clone()).len() + counted(rows).len();
        if now == kinds {
            break columns;
        }
        kinds = now;
        let visits = 4 * (left.rows.len() * left.columns.len()) as u64;
        let Some(left_over) = budget.checked_sub(visits) else {
            return false;
        };
        *budget = left_over;
        left_colours = left.refine(&left_colours);
        right_colours = right.refine(&right_colours);
    };
    // The smallest set of columns that share a colour leaves the fewest candidates.
    let shared = counted(columns)
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .min_by_key(|(_, count)| *count);
    let Some((colour, _)) = shared else {
        return left.arranged(&left_colours.columns) == right.arranged(&right_colours.columns);
    };
    let places = |colours: &Colours| -> Vec<usize> {
        let all = colours.columns.iter().enumerate();
        all.filter(|(_, other)| **other == colour)
            .map(|(at, _)| at)
            .collect()
    };
    let single_out = |colours: &Colours, at: usize| {
        let mut colours = colours.clone();
        colours.columns[at] = mix(!colour);
        colours
    };
    let Some(&chosen) = places(&left_colours).first() else {
        return false;
    };
    let left_colours = single_out(&left_colours, chosen);
    places(&right_colours).into_iter().any(|candidate| {
        let right_colours = single_out(&right_colours, candidate);
        match_tables(left, right, left_colours.clone(), right_colours, budget)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All orders of columns, as the official script tries them.
    fn by_brute_force(left: &[Vec<u32>], right: &[Vec<u32>], order: Order) -> bool {
        fn orders(columns: usize) -> Vec<Vec<usize>> {
            let Some(last) = columns.checked_sub(1) else {
                return vec![vec![]];
            };
            let insert = |order: Vec<usize>| {
                (0..=last).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, last);
                    order
                })
            };
            orders(last).into_iter().flat_map(insert).collect()
        }
        orders(left[0].len()).into_iter().any(|columns| {
            let arrange = |row: &Vec<u32>| columns.iter().map(|at| row[*at]).collect::<Vec<_>>();
            let right: Vec<_> = right.iter().map(arrange).collect();
            match order {
                Order::Counts => left == right,
                Order::Free => sorted(left.to_vec()) == sorted(right),
            }
        })
    }

    proptest! {
        #[test]
        fn agrees_with_all_orders(
            (left, right) in (1..5_usize, 1..6_usize).prop_flat_map(|(columns, rows)| {
                let table = prop::collection::vec(prop::collection::vec(0..3_u32, columns), rows);
                (table.clone(), table)
            })
        ) {
            for order in [Order::Counts, Order::Free] {
                prop_assert_eq!(agree(&left, &right, order), by_brute_force(&left, &right, order));
            }
        }

        #[test]
        fn finds_a_hidden_order(
            (left, columns, rows) in (1..8_usize, 1..12_usize).prop_flat_map(|(columns, rows)| (
                prop::collection::vec(prop::collection::vec(0..2_u32, columns), rows),
                Just((0..columns).collect::<Vec<_>>()).prop_shuffle(),
                Just((0..rows).collect::<Vec<_>>()).prop_shuffle(),
            ))
        ) {
            let row = |at: &usize| columns.iter().map(|column| left[*at][*column]).collect::<Vec<_>>();
            let right: Vec<_> = rows.iter().map(row).collect();
            prop_assert!(agree(&left, &right, Order::Free));
            let mut other = right.clone();
            other[0][0] = 7;
            prop_assert!(!agree(&left, &other, Order::Free));
        }
    }

    #[test]
    fn many_equal_or_alike_columns_do_not_hang() {
        let equal = |columns| vec![vec![1; columns]];
        assert!(agree(&equal(12), &equal(12), Order::Free));
        assert!(agree(&equal(2000), &equal(2000), Order::Free));
        // All columns alike but none equal: each has one 1, in a row of its own.
        let unit = |rows: &[usize]| -> Vec<Vec<u32>> {
            rows.iter()
                .map(|row| (0..100).map(|column| u32::from(column == *row)).collect())
                .collect()
        };
        let forward: Vec<usize> = (0..100).collect();
        let turned: Vec<usize> = (0..100).map(|row| (row * 37 + 5) % 100).collect();
        assert!(agree(&unit(&forward), &unit(&turned), Order::Free));
    }

    #[test]
    fn cycles_that_refinement_alone_can_not_tell_apart() {
        // Rows are the edges of a ring of 12, and of two rings of 6: all columns and rows look alike in both.
        let ring = |edges: &[(usize, usize)]| -> Vec<Vec<u32>> {
            let edge =
                |(a, b): &(usize, usize)| (0..12).map(|c| u32::from(c == *a || c == *b)).collect();
            edges.iter().map(edge).collect()
        };
        let one: Vec<_> = (0..12).map(|at| (at, (at + 1) % 12)).collect();
        let two: Vec<_> = (0..12).map(|at| (at, at / 6 * 6 + (at + 1) % 6)).collect();
        let jumbled: Vec<_> = one.iter().map(|(a, b)| (a * 5 % 12, b * 5 % 12)).collect();
        assert!(!agree(&ring(&one), &ring(&two), Order::Free));
        assert!(agree(&ring(&one), &ring(&jumbled), Order::Free));
    }
}
