//! One SELECT: what it returns, from where, under which conditions, in which groups and order.

use std::collections::BTreeMap;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, OrderByExpr, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

use super::from::Tree;
use super::node::Node;
use super::query::{CommonTables, directed, ordinal};
use super::scope::{Origin, Relation, Results, Scope, Source};
use super::{Builder, MAX_NUMBERINGS, Result, refuse, unsupported};

/// What a SELECT is for.
#[derive(Clone, Copy)]
pub enum Use<'q> {
    /// It stands for itself: its columns are in no order, its rows perhaps in one.
    Free {
        /// The terms of its ORDER BY.
        order: &'q [OrderByExpr],
    },
    /// It is a side of a set operation: its columns are paired with the other side's by place.
    Side,
}

/// Place of the result columns among the children of a SELECT.
pub const ITEMS: usize = 0;

impl Builder<'_> {
    pub(super) fn select(
        &mut self,
        select: &Select,
        role: Use<'_>,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
    ) -> Result<Relation> {
        refuse_others(select)?;
        let mut sources = Vec::new();
        let tree = self.from(&select.from, outer, common, &mut sources)?;
        let same = identify(&mut sources);
        let mut scope = Scope {
            sources,
            merged: tree.merged,
            results: named_results(&select.projection),
            windows: &select.named_window,
            outer,
            common,
        };
        let ways = numberings(&same, scope.sources.len(), MAX_NUMBERINGS / self.numberings);
        self.numberings *= ways.len();
        let mut best: Option<Relation> = None;
        for numbers in &ways {
            for (source, number) in scope.sources.iter_mut().zip(numbers) {
                source.number = *number;
            }
            let relation = self.clauses(select, role, &tree, &scope)?;
            if best.as_ref().is_none_or(|best| relation.node < best.node) {
                best = Some(relation);
            }
        }
        self.numberings /= ways.len();
        match best {
            Some(relation) => Ok(relation),
            None => unsupported("nothing"),
        }
    }

    /// The form of a SELECT whose sources have their numbers.
    fn clauses(
        &mut self,
        select: &Select,
        role: Use<'_>,
        tree: &Tree<'_>,
        scope: &Scope<'_>,
    ) -> Result<Relation> {
        let mut items = Vec::new();
        // The name of each column in the order of the text, and its form.
        let mut columns = Vec::new();
        let mut open = false;
        for item in &select.projection {
            let (expr, name) = match item {
                SelectItem::UnnamedExpr(expr) => (expr, own_name(expr)),
                SelectItem::ExprWithAlias { expr, alias } => {
                    (expr, Some(alias.value.to_ascii_lowercase()))
                }
                SelectItem::ExprWithAliases { .. } => return unsupported("a list of aliases"),
                SelectItem::Wildcard(options) => {
                    refuse_options(options)?;
                    open = true;
                    // Where columns are merged, the whole has less than the sum of the tables.
                    if tree.merged {
                        items.push(Node::leaf("*"));
                    } else {
                        items.extend(scope.sources.iter().map(star));
                    }
                    continue;
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    refuse_options(options)?;
                    open = true;
                    let SelectItemQualifiedWildcardKind::ObjectName(table) = kind else {
                        return unsupported("`.*` behind an expression");
                    };
                    let table = table.0.last().and_then(|part| part.as_ident());
                    let table = table.map(|ident| ident.value.to_ascii_lowercase());
                    let found = scope.sources.iter().find(|source| source.alias == table);
                    items.push(found.map_or_else(|| Node::leaf("?.*"), star));
                    continue;
                }
            };
            let node = self.expr(expr, scope, Results::Never)?;
            columns.push((name, node.clone()));
            items.push(node);
        }
        let (items, order) = match role {
            Use::Free { order } => (Node::bag("columns", items), order),
            Use::Side => (Node::list("columns", items), &[][..]),
        };
        let columns = columns.into_iter().enumerate().map(|(at, (name, node))| {
            let place = match role {
                // Equal columns share the first place.
                Use::Free { .. } => items.children.iter().position(|item| *item == node),
                Use::Side => Some(at),
            };
            (name, place.unwrap_or(at))
        });
        let columns = columns.collect();
        let joined = self.joined(tree, scope)?;
        let mut conditions = joined.conditions;
        if let Some(condition) = &select.selection {
            conditions.push(self.expr(condition, scope, Results::Last)?);
        }
        let having = match &select.having {
            Some(condition) => vec![self.expr(condition, scope, Results::Last)?],
            None => Vec::new(),
        };
        let children = vec![
            items,
            joined.node,
            Node::list("where", vec![Node::and(conditions)]),
            self.groups(select, scope)?,
            Node::list("having", having),
            self.order(select, order, scope)?,
            Node::leaf(match &select.distinct {
                None | Some(Distinct::All) => "all",
                Some(Distinct::Distinct) => "distinct",
                Some(Distinct::On(_)) => return unsupported("DISTINCT ON"),
            }),
        ];
        Ok(Relation {
            node: Node::list("select", children),
            columns,
            open,
        })
    }

    fn groups(&mut self, select: &Select, scope: &Scope<'_>) -> Result<Node> {
        let GroupByExpr::Expressions(terms, modifiers) = &select.group_by else {
            return unsupported("GROUP BY ALL");
        };
        refuse(!modifiers.is_empty(), "WITH behind GROUP BY")?;
        let mut nodes = Vec::new();
        for term in terms {
            nodes.push(self.term(term, select, scope, Results::Last)?);
        }
        Ok(Node::set("group", nodes))
    }

    fn order(&mut self, select: &Select, terms: &[OrderByExpr], scope: &Scope<'_>) -> Result<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        for term in terms {
            let node = self.term(&term.expr, select, scope, Results::First)?;
            nodes.push(directed(term, node)?);
        }
        Ok(Node::list("order", nodes))
    }

    /// A term of GROUP BY or ORDER BY, which may be the number of a result column.
    fn term(
        &mut self,
        term: &Expr,
        select: &Select,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Node> {
        // Behind a `*` the numbers of columns are not known.
        let mut known = select.projection.iter().map_while(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        });
        let column = ordinal(term).and_then(|ordinal| known.nth(ordinal.checked_sub(1)?));
        match column {
            Some(column) => self.expr(column, scope, Results::Never),
            None => self.expr(term, scope, results),
        }
    }
}

/// Fails on the clauses of other dialects.
fn refuse_others(select: &Select) -> Result<()> {
    let odd = select.top.is_some()
        || select.exclude.is_some()
        || select.into.is_some()
        || !select.lateral_views.is_empty()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || select.qualify.is_some()
        || select.value_table_mode.is_some()
        || select.select_modifiers.is_some()
        || select.flavor != SelectFlavor::Standard;
    refuse(odd, "a clause of this SELECT")
}

fn refuse_options(options: &WildcardAdditionalOptions) -> Result<()> {
    let odd = options.opt_ilike.is_some()
        || options.opt_exclude.is_some()
        || options.opt_except.is_some()
        || options.opt_replace.is_some()
        || options.opt_rename.is_some()
        || options.opt_alias.is_some();
    refuse(odd, "what stands behind `*`")
}

fn star(source: &Source<'_>) -> Node {
    Node::leaf(format!("{}.*", source.name()))
}

/// The name a result column has without an alias.
fn own_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.to_ascii_lowercase()),
        Expr::CompoundIdentifier(parts) => {
            parts.last().map(|ident| ident.value.to_ascii_lowercase())
        }
        _ => None,
    }
}

fn named_results(items: &[SelectItem]) -> Vec<(String, &Expr)> {
    let named = items.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } => Some((alias.value.to_ascii_lowercase(), expr)),
        _ => None,
    });
    named.collect()
}

/// Gives each source its canonical name, and returns the places of sources that share one.
fn identify(sources: &mut [Source<'_>]) -> Vec<Vec<usize>> {
    let mut queries: Vec<Node> = sources
        .iter()
        .filter_map(|source| match &source.origin {
            Origin::Query(relation) => Some(relation.node.clone()),
            Origin::Table { .. } => None,
        })
        .collect();
    queries.sort_unstable();
    queries.dedup();
    let mut same: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, source) in sources.iter_mut().enumerate() {
        source.identity = match &source.origin {
            Origin::Table { name, .. } => name.clone(),
            Origin::Query(relation) => {
                format!(
                    "({})",
                    queries.partition_point(|node| *node < relation.node)
                )
            }
        };
        same.entry(source.identity.clone()).or_default().push(at);
    }
    same.into_values()
        .filter(|places| places.len() > 1)
        .collect()
}

/// The ways to number sources of which some are the same, or one way if there are more than `limit`.
fn numberings(same: &[Vec<usize>], sources: usize, limit: usize) -> Vec<Vec<usize>> {
    let mut first = vec![0; sources];
    for places in same {
        for (number, at) in places.iter().enumerate() {
            first[*at] = number;
        }
    }
    let mut ways = vec![first.clone()];
    for places in same {
        let orders = orders(places.len(), limit / ways.len());
        if orders.is_empty() {
            return vec![first];
        }
        let mut more = Vec::new();
        for way in &ways {
            for order in &orders {
                let mut way = way.clone();
                for (at, number) in places.iter().zip(order) {
                    way[*at] = *number;
                }
                more.push(way);
            }
        }
        ways = more;
    }
    ways
}

/// All orders of 0 to n - 1, or none if they are more than `limit`.
fn orders(n: usize, limit: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..n {
        let longer = |order: &Vec<usize>| {
            (0..=order.len())
                .map(|at| [&order[..at], &[next], &order[at..]].concat())
                .collect()
        };
        all = all
            .iter()
            .flat_map(|order| -> Vec<Vec<usize>> { longer(order) })
            .collect();
        if all.len() > limit {
            return Vec::new();
        }
    }
    all
}
