//! Tables and joins. Inner joins become a bag of tables and conditions, left joins hang beside them; neither keeps an
//! order, since every condition names the tables it is about.

use std::rc::Rc;

use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor,
    TableWithJoins,
};

use super::node::Node;
use super::query::{CommonTables, rename};
use super::scope::{Has, Origin, Results, Scope, Source, reference};
use super::{Builder, Result, refuse, unsupported};

/// What stands in FROM; sources are known by their place in the scope.
#[derive(Default)]
pub struct Tree<'q> {
    parts: Vec<Part<'q>>,
    /// What is joined from the left, each with its conditions.
    left: Vec<(Tree<'q>, Vec<Condition<'q>>)>,
    conditions: Vec<Condition<'q>>,
    /// Whether columns of several tables are one, by USING or NATURAL.
    pub merged: bool,
}

enum Part<'q> {
    Source(usize),
    Full(Box<(Tree<'q>, Tree<'q>)>, Vec<Condition<'q>>),
}

enum Condition<'q> {
    On(&'q Expr),
    /// Columns of this name are equal in a source of the first list and one of the second.
    Using(String, Vec<usize>, Vec<usize>),
    /// All columns of the same name are equal in these sources and those before.
    Natural(Vec<usize>),
}

/// The parts of a FROM clause in canonical form.
pub struct Joined {
    /// The bag of tables, and the bag of left joins.
    pub node: Node,
    /// What the inner joins ask for.
    pub conditions: Vec<Node>,
}

impl<'q> Tree<'q> {
    /// The places of all sources.
    fn sources(&self) -> Vec<usize> {
        let mut all = Vec::new();
        for part in &self.parts {
            match part {
                Part::Source(at) => all.push(*at),
                Part::Full(sides, _) => {
                    all.extend(sides.0.sources());
                    all.extend(sides.1.sources());
                }
            }
        }
        all.extend(self.left.iter().flat_map(|(tree, _)| tree.sources()));
        all
    }

    /// Joins another tree by an inner join. What either has joined from the left stays beside all of it.
    fn absorb(&mut self, other: Tree<'q>) {
        self.parts.extend(other.parts);
        self.left.extend(other.left);
        self.conditions.extend(other.conditions);
        self.merged |= other.merged;
    }

    fn join(mut self, right: Tree<'q>, operator: &'q JoinOperator) -> Result<Self> {
        use JoinOperator as Op;
        let (Op::Join(constraint)
        | Op::Inner(constraint)
        | Op::CrossJoin(constraint)
        | Op::Left(constraint)
        | Op::LeftOuter(constraint)
        | Op::Right(constraint)
        | Op::RightOuter(constraint)
        | Op::FullOuter(constraint)) = operator
        else {
            return unsupported("this kind of join");
        };
        let conditions = self.conditions_of(&right, constraint);
        let merged = self.merged
            || right.merged
            || matches!(
                constraint,
                JoinConstraint::Using(_) | JoinConstraint::Natural
            );
        let mut joined = match operator {
            Op::Left(_) | Op::LeftOuter(_) => {
                self.left.push((right, conditions));
                self
            }
            Op::Right(_) | Op::RightOuter(_) => {
                let mut right = right;
                right.left.push((self, conditions));
                right
            }
            Op::FullOuter(_) => Tree {
                parts: vec![Part::Full(Box::new((self, right)), conditions)],
                ..Tree::default()
            },
            _ => {
                self.absorb(right);
                self.conditions.extend(conditions);
                self
            }
        };
        joined.merged = merged;
        Ok(joined)
    }

    fn conditions_of(&self, right: &Tree<'q>, on: &'q JoinConstraint) -> Vec<Condition<'q>> {
        match on {
            JoinConstraint::On(condition) => vec![Condition::On(condition)],
            JoinConstraint::Using(columns) => {
                let condition = |column: &ObjectName| {
                    Condition::Using(last_part(column), self.sources(), right.sources())
                };
                columns.iter().map(condition).collect()
            }
            JoinConstraint::Natural => vec![Condition::Natural(right.sources())],
            JoinConstraint::None => Vec::new(),
        }
    }
}

impl Builder<'_> {
    /// Reads a FROM clause and adds what is in it to `sources`.
    pub(super) fn from<'q>(
        &mut self,
        from: &'q [TableWithJoins],
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
        sources: &mut Vec<Source<'q>>,
    ) -> Result<Tree<'q>> {
        let mut tree = Tree::default();
        for item in from {
            tree.absorb(self.item(item, outer, common, sources)?);
        }
        Ok(tree)
    }

    fn item<'q>(
        &mut self,
        item: &'q TableWithJoins,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
        sources: &mut Vec<Source<'q>>,
    ) -> Result<Tree<'q>> {
        let mut tree = self.factor(&item.relation, outer, common, sources)?;
        for Join {
            relation,
            global,
            join_operator,
        } in &item.joins
        {
            refuse(*global, "GLOBAL JOIN")?;
            let right = self.factor(relation, outer, common, sources)?;
            tree = tree.join(right, join_operator)?;
        }
        Ok(tree)
    }

    fn factor<'q>(
        &mut self,
        factor: &'q TableFactor,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
        sources: &mut Vec<Source<'q>>,
    ) -> Result<Tree<'q>> {
        self.spend(1)?;
        let (origin, alias, name) = match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                let odd = !with_hints.is_empty()
                    || version.is_some()
                    || *with_ordinality
                    || !partitions.is_empty()
                    || json_path.is_some()
                    || sample.is_some()
                    || !index_hints.is_empty();
                refuse(odd, "what stands behind a table")?;
                let arguments = args.as_ref().map_or(&[][..], |args| &args.args);
                let name = table_name(name);
                let found = common.iter().rev().find(|(table, _)| *table == name);
                let origin = match found {
                    Some((_, relation)) if args.is_none() => Origin::Query(Rc::clone(relation)),
                    _ => Origin::Table {
                        name: name.clone(),
                        arguments,
                    },
                };
                (origin, alias, Some(name))
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                sample,
            } => {
                refuse(*lateral || sample.is_some(), "LATERAL")?;
                let relation = self.query(subquery, outer, common)?;
                (Origin::Query(Rc::new(relation)), alias, None)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                refuse(alias.is_some(), "an alias of a join")?;
                return self.deeper(|this| this.item(table_with_joins, outer, common, sources));
            }
            _ => return unsupported("this kind of table"),
        };
        sources.push(source(origin, alias.as_ref(), name)?);
        Ok(Tree {
            parts: vec![Part::Source(sources.len() - 1)],
            ..Tree::default()
        })
    }

    /// The canonical form of a FROM clause: its tables, and apart from them the conditions of its inner joins.
    pub(super) fn joined(&mut self, tree: &Tree<'_>, scope: &Scope<'_>) -> Result<Joined> {
        self.spend(1)?;
        let mut parts = Vec::new();
        for part in &tree.parts {
            parts.push(match part {
                Part::Source(at) => self.source(&scope.sources[*at], scope)?,
                Part::Full(sides, on) => {
                    let sides = vec![self.nested(&sides.0, scope)?, self.nested(&sides.1, scope)?];
                    let on = Node::and(self.conditions(on, scope)?);
                    Node::list("full join", vec![Node::bag("sides", sides), on])
                }
            });
        }
        let mut left = Vec::new();
        for (tree, on) in &tree.left {
            let on = Node::and(self.conditions(on, scope)?);
            left.push(Node::list("left join", vec![self.nested(tree, scope)?, on]));
        }
        let parts = Node::bag("tables", parts);
        Ok(Joined {
            node: Node::list("from", vec![parts, Node::bag("left joins", left)]),
            conditions: self.conditions(&tree.conditions, scope)?,
        })
    }

    /// A side of an outer join, with the conditions inside it.
    fn nested(&mut self, tree: &Tree<'_>, scope: &Scope<'_>) -> Result<Node> {
        let Joined { node, conditions } = self.joined(tree, scope)?;
        Ok(Node::list("side", vec![node, Node::and(conditions)]))
    }

    fn source(&mut self, source: &Source<'_>, scope: &Scope<'_>) -> Result<Node> {
        let children = match &source.origin {
            Origin::Table { arguments, .. } => self.arguments(arguments, scope, Results::Never)?,
            Origin::Query(relation) => {
                self.spend(relation.node.size())?;
                vec![relation.node.clone()]
            }
        };
        Ok(Node::list(source.name(), children))
    }

    fn conditions(&mut self, all: &[Condition<'_>], scope: &Scope<'_>) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        for condition in all {
            nodes.push(match condition {
                Condition::On(condition) => self.expr(condition, scope, Results::Never)?,
                Condition::Using(column, left, right) => {
                    let sides = [left, right].map(|places| self.holder(column, places, scope));
                    match sides {
                        [Some(left), Some(right)] => Node::bag(
                            "=",
                            vec![reference(0, left, column), reference(0, right, column)],
                        ),
                        _ => names(&format!("using {column}"), right, scope),
                    }
                }
                Condition::Natural(right) => names("natural", right, scope),
            });
        }
        Ok(nodes)
    }

    /// The source that has a column, of those in some places; `None` if that can't be told.
    fn holder<'s>(
        &self,
        column: &str,
        places: &[usize],
        scope: &'s Scope<'_>,
    ) -> Option<&'s Source<'s>> {
        let sources = || places.iter().map(|at| &scope.sources[*at]);
        let that = |has: Has| sources().filter(move |source| self.has(source, column) == has);
        let known = that(Has::Yes).min_by_key(|source| source.name());
        known.or_else(|| {
            let mut unknown = that(Has::Unknown);
            unknown.next().filter(|_| unknown.next().is_none())
        })
    }
}

fn names(label: &str, places: &[usize], scope: &Scope<'_>) -> Node {
    let name = |at: &usize| Node::leaf(scope.sources[*at].name());
    Node::bag(label, places.iter().map(name).collect())
}

fn source<'q>(
    mut origin: Origin<'q>,
    alias: Option<&TableAlias>,
    name: Option<String>,
) -> Result<Source<'q>> {
    if let Some(alias) = alias {
        match &mut origin {
            Origin::Query(relation) if !alias.columns.is_empty() => {
                rename(Rc::make_mut(relation), alias)?;
            }
            _ => refuse(!alias.columns.is_empty(), "columns behind an alias")?,
        }
    }
    Ok(Source {
        alias: alias
            .map(|alias| alias.name.value.to_ascii_lowercase())
            .or(name),
        origin,
        identity: String::new(),
        number: 0,
    })
}

/// The name of a table; that of the main database is left out.
fn table_name(name: &ObjectName) -> String {
    let parts: Vec<String> = name
        .0
        .iter()
        .map(|part| match part.as_ident() {
            Some(Ident { value, .. }) => value.to_ascii_lowercase(),
            None => part.to_string(),
        })
        .collect();
    match parts.as_slice() {
        [main, table] if main == "main" => table.clone(),
        _ => parts.join("."),
    }
}

fn last_part(name: &ObjectName) -> String {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.map_or_else(String::new, |ident| ident.value.to_ascii_lowercase())
}
