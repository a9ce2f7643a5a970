//! A query as a tree whose names and literals are places of tokens.
//!
//! A parser of its own, and not the one that counts features, because every name must be found again in the text to be
//! replaced there, and because what is read here is `SQLite`'s grammar and nothing else.

/// The place of a token in the list that [`harness_sql::lex::lex`] gives.
pub type At = usize;

/// A query with all its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Its first token.
    pub begin: At,
    /// Common tables.
    pub ctes: Vec<Cte>,
    /// SELECT blocks, joined by set operations from the left.
    pub cores: Vec<Core>,
    /// ORDER BY.
    pub order: Vec<Order>,
    /// LIMIT.
    pub limit: Option<Expr>,
    /// OFFSET.
    pub offset: Option<Expr>,
}

/// A common table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cte {
    /// Its name.
    pub name: At,
    /// What it stands for.
    pub query: Query,
}

/// How a SELECT block is joined to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// UNION
    Union,
    /// UNION ALL
    UnionAll,
    /// INTERSECT
    Intersect,
    /// EXCEPT
    Except,
}

/// One SELECT block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Core {
    /// The operation that joins it to the blocks before; the first has none.
    pub op: Option<SetOp>,
    /// DISTINCT
    pub distinct: bool,
    /// What is selected.
    pub items: Vec<Item>,
    /// Sources in their order; none for a block without FROM.
    pub from: Vec<Joined>,
    /// WHERE
    pub filter: Option<Filter>,
    /// GROUP BY
    pub group: Vec<Expr>,
    /// HAVING
    pub having: Option<Expr>,
}

/// A WHERE clause: the tokens `begin..end`, the word WHERE included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The condition.
    pub condition: Expr,
    /// The word WHERE.
    pub begin: At,
    /// The token behind the condition.
    pub end: At,
}

/// One selected thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `*`
    Star,
    /// `t.*`
    TableStar(At),
    /// An expression, maybe with a name.
    Expr {
        /// The expression.
        expr: Expr,
        /// The name given to it.
        alias: Option<At>,
    },
}

/// How a source is joined to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// The first source.
    First,
    /// A comma, JOIN, INNER JOIN or CROSS JOIN.
    Inner,
    /// LEFT JOIN
    Left,
    /// RIGHT or FULL JOIN.
    Other,
}

/// A source with the way it is joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The way.
    pub join: Join,
    /// The source.
    pub source: Source,
    /// Its ON condition.
    pub on: Option<Expr>,
}

/// A table or a query in FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A table or a common table.
    Table {
        /// Its name.
        name: At,
        /// Its other name.
        alias: Option<At>,
    },
    /// A query in parentheses.
    Query {
        /// The query.
        query: Box<Query>,
        /// Its name.
        alias: Option<At>,
    },
}

impl Source {
    /// The token by which it is known: the name of its table, or the first token of its query.
    pub fn place(&self) -> At {
        match self {
            Self::Table { name, .. } => *name,
            Self::Query { query, .. } => query.begin,
        }
    }
}

/// A term of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub expr: Expr,
    /// Whether DESC is written.
    pub descending: bool,
}

/// The class of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// A number.
    Number,
    /// A text, in single quotes or, where no name can be meant, in double quotes.
    Text,
    /// NULL
    Null,
    /// TRUE or FALSE.
    Truth,
    /// `CURRENT_DATE`, `CURRENT_TIME` or `CURRENT_TIMESTAMP`.
    Now,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A column, maybe behind a table and a dot.
    Column {
        /// What stands before the dot.
        qualifier: Option<At>,
        /// The column.
        name: At,
    },
    /// A literal; `sign` is the minus or plus before a number.
    Literal {
        /// The literal.
        at: At,
        /// Its class.
        kind: LiteralKind,
        /// Its sign.
        sign: Option<At>,
    },
    /// A minus, plus or `~` before an operand.
    Unary(At, Box<Expr>),
    /// An operator between two operands; AND, OR, IS and IS NOT are operators too.
    Binary {
        /// The operator, in upper case, `==` as `=` and `<>` as `!=`.
        op: String,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// NOT
    Not(Box<Expr>),
    /// BETWEEN
    Between {
        /// What lies between.
        expr: Box<Expr>,
        /// NOT BETWEEN
        not: bool,
        /// Lower bound.
        low: Box<Expr>,
        /// Upper bound.
        high: Box<Expr>,
    },
    /// IN with a list.
    InList {
        /// What is in it.
        expr: Box<Expr>,
        /// NOT IN
        not: bool,
        /// The list.
        list: Vec<Expr>,
    },
    /// IN with a query.
    InQuery {
        /// What is in it.
        expr: Box<Expr>,
        /// NOT IN
        not: bool,
        /// The query.
        query: Box<Query>,
    },
    /// EXISTS
    Exists(Box<Query>),
    /// LIKE, GLOB
    Like {
        /// What is compared.
        expr: Box<Expr>,
        /// NOT LIKE
        not: bool,
        /// The pattern.
        pattern: Box<Expr>,
    },
    /// IS NULL, IS NOT NULL, ISNULL, NOTNULL
    IsNull {
        /// What may be NULL.
        expr: Box<Expr>,
        /// Whether it must not be.
        not: bool,
    },
    /// CASE
    Case {
        /// What the branches are compared with.
        operand: Option<Box<Expr>>,
        /// WHEN and THEN.
        branches: Vec<(Expr, Expr)>,
        /// ELSE
        otherwise: Option<Box<Expr>>,
    },
    /// CAST; the type keeps its words.
    Cast {
        /// What is cast.
        expr: Box<Expr>,
        /// First word of the type.
        kind: At,
    },
    /// A call.
    Call {
        /// The function.
        name: At,
        /// DISTINCT
        distinct: bool,
        /// `(*)`
        star: bool,
        /// Arguments.
        arguments: Vec<Expr>,
        /// OVER
        over: Option<Box<Window>>,
    },
    /// A query in parentheses that gives one value.
    Scalar(Box<Query>),
    /// Parentheses.
    Paren(Box<Expr>),
}

/// What stands in the parentheses of OVER, but for a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// PARTITION BY
    pub partition: Vec<Expr>,
    /// ORDER BY
    pub order: Vec<Order>,
}

impl Expr {
    /// The expression without parentheses around it.
    pub fn bare(&self) -> &Self {
        match self {
            Self::Paren(inner) => inner.bare(),
            other => other,
        }
    }
}
