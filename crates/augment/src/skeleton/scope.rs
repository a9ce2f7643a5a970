//! Which source an alias or a column means.

use std::collections::{BTreeMap, BTreeSet};

use harness_record::Schema;
use harness_sql::lex::{Kind, Piece};

use super::names::{Name, Target};
use super::{ColumnClass, Needs, SourceInfo};
use crate::reason::Reason;
use crate::tree::{At, Core, Expr, Item, Query, Source};

/// A source while names are resolved.
pub struct Resolved {
    pub info: SourceInfo,
    /// What a derived table shows, by name.
    exports: Vec<(String, Target)>,
    /// Sources whose columns a derived table shows with `*`.
    stars: Vec<usize>,
}

/// The sources of one SELECT block, and the names of its results.
#[derive(Default)]
struct Scope {
    sources: Vec<usize>,
    names: BTreeMap<String, usize>,
    results: BTreeMap<String, usize>,
}

/// What a query shows to the one around it.
#[derive(Clone, Default)]
struct Shown {
    exports: Vec<(String, Target)>,
    stars: Vec<usize>,
}

/// Walks a query and says what each name is.
pub struct Resolver<'a, 't> {
    tokens: &'a [Piece<'t>],
    known: Option<BTreeMap<String, BTreeSet<String>>>,
    scopes: Vec<Scope>,
    ctes: Vec<(String, Shown)>,
    results: usize,
    pub names: BTreeMap<At, Name>,
    pub places: BTreeMap<At, usize>,
    pub sources: Vec<Resolved>,
    pub tables: Vec<String>,
    pub columns: Vec<ColumnClass>,
}

/// Name of a token without its quotes, in lower case.
fn plain(piece: &Piece<'_>) -> String {
    let text = match piece.kind {
        Kind::Quoted | Kind::String => &piece.text[1..piece.text.len() - 1],
        _ => piece.text,
    };
    text.to_ascii_lowercase()
}

impl<'a, 't> Resolver<'a, 't> {
    pub fn new(tokens: &'a [Piece<'t>], schema: Option<&Schema>) -> Self {
        let known = schema.map(|schema| {
            let columns = |table: &harness_record::Table| {
                let names = table.columns.iter();
                names.map(|it| it.name.to_ascii_lowercase()).collect()
            };
            let tables = schema.tables.iter();
            tables
                .map(|table| (table.name.to_ascii_lowercase(), columns(table)))
                .collect()
        });
        Self {
            tokens,
            known,
            scopes: Vec::new(),
            ctes: Vec::new(),
            results: 0,
            names: BTreeMap::new(),
            places: BTreeMap::new(),
            sources: Vec::new(),
            tables: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// A whole query.
    pub fn query(&mut self, query: &Query) -> Result<(), Reason> {
        self.shown(query).map(|_| ())
    }

    fn shown(&mut self, query: &Query) -> Result<Shown, Reason> {
        let outer = self.ctes.len();
        for cte in &query.ctes {
            let shown = self.shown(&cte.query)?;
            let number = self.ctes.len();
            self.names.insert(cte.name, Name::Cte(number));
            self.ctes.push((plain(&self.tokens[cte.name]), shown));
        }
        let mut first = None;
        for core in &query.cores {
            let alone = query.cores.len() == 1;
            let shown = self.core(core, alone.then_some(query))?;
            if first.is_none() {
                if !alone {
                    self.compound_order(query, &shown)?;
                }
                first = Some(shown);
            }
        }
        // Numbers of common tables are those of the list, so the ones that end here keep their places.
        for (name, _) in &mut self.ctes[outer..] {
            name.clear();
        }
        first.ok_or(Reason::Unread("SELECT"))
    }

    /// The ORDER BY behind a set operation names results of its first block.
    fn compound_order(&mut self, query: &Query, shown: &Shown) -> Result<(), Reason> {
        for order in &query.order {
            match order.expr.bare() {
                Expr::Column {
                    qualifier: None,
                    name,
                } => {
                    let wanted = plain(&self.tokens[*name]);
                    let target = shown.exports.iter().find(|(shown, _)| *shown == wanted);
                    let Some((_, target)) = target else {
                        return Err(Reason::Unresolved);
                    };
                    let found = match *target {
                        Target::Result(number) => Name::Result(number),
                        Target::Column(_) => Name::Column {
                            source: 0,
                            target: *target,
                            qualify: false,
                        },
                    };
                    self.names.insert(*name, found);
                }
                Expr::Literal { .. } => {}
                _ => return Err(Reason::Unresolved),
            }
        }
        Ok(())
    }

    fn core(&mut self, core: &Core, query: Option<&Query>) -> Result<Shown, Reason> {
        let mut scope = Scope::default();
        for joined in &core.from {
            let (alias, resolved) = match &joined.source {
                Source::Table { name, alias } => (*alias, self.table(*name, *alias)),
                Source::Query { query, alias } => {
                    let shown = self.shown(query)?;
                    let info = SourceInfo {
                        table: None,
                        alias: alias.is_some(),
                        cte: None,
                    };
                    (*alias, derived(info, shown))
                }
            };
            let source = self.sources.len();
            self.sources.push(resolved);
            self.places.insert(joined.source.place(), source);
            scope.sources.push(source);
            if let Some(alias) = alias {
                self.names.insert(alias, Name::Source { source });
            }
            let called = alias.or(match &joined.source {
                Source::Table { name, .. } => Some(*name),
                Source::Query { .. } => None,
            });
            if let Some(called) = called {
                scope.names.insert(plain(&self.tokens[called]), source);
            }
        }
        for item in &core.items {
            if let Item::Expr {
                alias: Some(alias), ..
            } = item
            {
                let number = self.results;
                self.results += 1;
                self.names.insert(*alias, Name::Result(number));
                scope.results.insert(plain(&self.tokens[*alias]), number);
            }
        }
        self.scopes.push(scope);
        let shown = self.inside(core, query);
        self.scopes.pop();
        shown
    }

    /// All expressions of a block whose scope is the last; those of the query's own clauses too if it is alone.
    fn inside(&mut self, core: &Core, query: Option<&Query>) -> Result<Shown, Reason> {
        let mut shown = Shown::default();
        for item in &core.items {
            match item {
                Item::Star => shown.stars.extend(self.here().sources.clone()),
                Item::TableStar(at) => {
                    let source = self.source_named(*at)?;
                    self.names.insert(*at, Name::Source { source });
                    shown.stars.push(source);
                }
                Item::Expr { expr, alias } => {
                    // The names of results are not yet known where they are made.
                    let results = std::mem::take(&mut self.here_mut().results);
                    self.expr(expr)?;
                    self.here_mut().results = results;
                    let target = match alias.map(|at| (at, &self.names[&at])) {
                        Some((at, Name::Result(number))) => {
                            Some((plain(&self.tokens[at]), Target::Result(*number)))
                        }
                        _ => self.column_shown(expr),
                    };
                    shown.exports.extend(target);
                }
            }
        }
        for joined in &core.from {
            if let Some(on) = &joined.on {
                self.expr(on)?;
            }
        }
        if let Some(filter) = &core.filter {
            self.expr(&filter.condition)?;
        }
        for expr in core.group.iter().chain(&core.having) {
            self.expr(expr)?;
        }
        if let Some(query) = query {
            for order in &query.order {
                self.expr(&order.expr)?;
            }
        }
        Ok(shown)
    }

    fn column_shown(&self, expr: &Expr) -> Option<(String, Target)> {
        let Expr::Column { name, .. } = expr.bare() else {
            return None;
        };
        match self.names.get(name) {
            Some(Name::Column { target, .. }) => Some((plain(&self.tokens[*name]), *target)),
            _ => None,
        }
    }

    fn table(&mut self, name: At, alias: Option<At>) -> Resolved {
        let wanted = plain(&self.tokens[name]);
        let mut info = SourceInfo {
            table: None,
            alias: alias.is_some(),
            cte: None,
        };
        if let Some(number) = self.ctes.iter().rposition(|(cte, _)| *cte == wanted) {
            self.names.insert(name, Name::Cte(number));
            info.cte = Some(number);
            return derived(info, self.ctes[number].1.clone());
        }
        let known = self.tables.iter().position(|known| *known == wanted);
        let class = known.unwrap_or_else(|| {
            self.tables.push(wanted);
            self.tables.len() - 1
        });
        self.names.insert(name, Name::Table(class));
        info.table = Some(class);
        Resolved {
            info,
            exports: Vec::new(),
            stars: Vec::new(),
        }
    }

    fn here(&self) -> &Scope {
        // A block's scope is pushed before anything in it is looked at.
        &self.scopes[self.scopes.len() - 1]
    }

    fn here_mut(&mut self) -> &mut Scope {
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    fn source_named(&self, at: At) -> Result<usize, Reason> {
        let wanted = plain(&self.tokens[at]);
        let mut scopes = self.scopes.iter().rev();
        scopes
            .find_map(|scope| scope.names.get(&wanted).copied())
            .ok_or(Reason::Unresolved)
    }

    fn expr(&mut self, expr: &Expr) -> Result<(), Reason> {
        match expr {
            Expr::Column { qualifier, name } => self.column(*qualifier, *name),
            Expr::Literal { .. } => Ok(()),
            Expr::Scalar(query) | Expr::Exists(query) => self.shown(query).map(|_| ()),
            Expr::InQuery { expr, query, .. } => {
                self.expr(expr)?;
                self.shown(query).map(|_| ())
            }
            other => {
                for part in parts(other) {
                    self.expr(part)?;
                }
                Ok(())
            }
        }
    }

    fn column(&mut self, qualifier: Option<At>, name: At) -> Result<(), Reason> {
        let wanted = plain(&self.tokens[name]);
        if let Some(at) = qualifier {
            let source = self.source_named(at)?;
            self.names.insert(at, Name::Source { source });
            let target = self
                .target(source, &wanted, true)
                .ok_or(Reason::Unresolved)?;
            let qualify = false;
            self.names.insert(
                name,
                Name::Column {
                    source,
                    target,
                    qualify,
                },
            );
            return Ok(());
        }
        // From the inside out: results by name, then sources that are known to have the column.
        for depth in (0..self.scopes.len()).rev() {
            if let Some(number) = self.scopes[depth].results.get(&wanted) {
                let number = *number;
                self.names.insert(name, Name::Result(number));
                return Ok(());
            }
            for source in self.scopes[depth].sources.clone() {
                if let Some(target) = self.target(source, &wanted, false) {
                    self.bind(name, depth, source, target);
                    return Ok(());
                }
            }
        }
        if self.tokens[name].text.starts_with('"') {
            self.names.insert(name, Name::Text);
            return Ok(());
        }
        // Nothing is known of the tables: the nearest source that is a table.
        for depth in (0..self.scopes.len()).rev() {
            for source in self.scopes[depth].sources.clone() {
                if self.sources[source].info.table.is_some()
                    && let Some(target) = self.target(source, &wanted, true)
                {
                    self.bind(name, depth, source, target);
                    return Ok(());
                }
            }
        }
        Err(Reason::Unresolved)
    }

    fn bind(&mut self, name: At, depth: usize, source: usize, target: Target) {
        let nested = depth + 1 < self.scopes.len();
        let qualify = nested || self.scopes[depth].sources.len() > 1;
        self.names.insert(
            name,
            Name::Column {
                source,
                target,
                qualify,
            },
        );
    }

    /// The column of a source that a name means. Unless it is `believed`, a table must be known to have it, or be known
    /// to have been asked for it with its name before.
    fn target(&mut self, source: usize, wanted: &str, believed: bool) -> Option<Target> {
        let resolved = &self.sources[source];
        if let Some(table) = resolved.info.table {
            let found = self
                .columns
                .iter()
                .position(|column| column.table == table && column.name == wanted);
            let known = self
                .known
                .as_ref()
                .and_then(|it| it.get(&self.tables[table]));
            let has = known.is_some_and(|columns| columns.contains(wanted));
            if !has && !believed && (known.is_some() || found.is_none()) {
                return None;
            }
            let class = found.unwrap_or_else(|| {
                self.columns.push(ColumnClass {
                    table,
                    name: wanted.to_owned(),
                    needs: Needs::default(),
                });
                self.columns.len() - 1
            });
            return Some(Target::Column(class));
        }
        let shown = resolved.exports.iter().find(|(name, _)| name == wanted);
        if let Some((_, target)) = shown {
            return Some(*target);
        }
        for star in resolved.stars.clone() {
            if let Some(target) = self.target(star, wanted, believed) {
                return Some(target);
            }
        }
        None
    }
}

fn derived(info: SourceInfo, shown: Shown) -> Resolved {
    Resolved {
        info,
        exports: shown.exports,
        stars: shown.stars,
    }
}

/// The expressions right below one, queries left out.
pub fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Column { .. } | Expr::Literal { .. } | Expr::Exists(_) | Expr::Scalar(_) => {
            Vec::new()
        }
        Expr::Unary(_, inner)
        | Expr::Not(inner)
        | Expr::Paren(inner)
        | Expr::IsNull { expr: inner, .. }
        | Expr::InQuery { expr: inner, .. }
        | Expr::Cast { expr: inner, .. } => vec![inner],
        Expr::Binary { left, right, .. } => vec![left, right],
        Expr::Between {
            expr, low, high, ..
        } => vec![expr, low, high],
        Expr::InList { expr, list, .. } => {
            let mut all: Vec<&Expr> = vec![expr];
            all.extend(list);
            all
        }
        Expr::Like { expr, pattern, .. } => vec![expr, pattern],
        Expr::Case {
            operand,
            branches,
            otherwise,
        } => {
            let mut all: Vec<&Expr> = operand.iter().map(AsRef::as_ref).collect();
            for (when, then) in branches {
                all.extend([when, then]);
            }
            all.extend(otherwise.iter().map(AsRef::as_ref));
            all
        }
        Expr::Call {
            arguments, over, ..
        } => {
            let mut all: Vec<&Expr> = arguments.iter().collect();
            if let Some(window) = over {
                all.extend(&window.partition);
                all.extend(window.order.iter().map(|order| &order.expr));
            }
            all
        }
    }
}
