//! Queries: common tables, SELECT blocks, sources.

use harness_sql::lex::Kind;

use super::{Reader, Result};
use crate::tree::{Core, Cte, Filter, Item, Join, Joined, Order, Query, SetOp, Source};

impl Reader<'_, '_> {
    pub(super) fn query(&mut self) -> Result<Query> {
        self.deeper(Self::query_here)
    }

    fn query_here(&mut self) -> Result<Query> {
        let mut query = Query {
            begin: self.at,
            ..Query::default()
        };
        if self.word("WITH") {
            if self.is_word(0, "RECURSIVE") {
                return self.fail("no recursion");
            }
            query.ctes = self.list(Self::cte)?;
        }
        let mut op = None;
        loop {
            query.cores.push(self.core(op)?);
            op = if self.word("UNION") {
                Some(if self.word("ALL") {
                    SetOp::UnionAll
                } else {
                    SetOp::Union
                })
            } else if self.word("INTERSECT") {
                Some(SetOp::Intersect)
            } else if self.word("EXCEPT") {
                Some(SetOp::Except)
            } else {
                break;
            };
        }
        if self.word("ORDER") {
            self.expect_word("BY", "BY")?;
            query.order = self.list(Self::order)?;
        }
        if self.word("LIMIT") {
            let first = self.expr()?;
            if self.word("OFFSET") {
                query.offset = Some(self.expr()?);
                query.limit = Some(first);
            } else if self.token(Kind::Comma) {
                query.limit = Some(self.expr()?);
                query.offset = Some(first);
            } else {
                query.limit = Some(first);
            }
        }
        Ok(query)
    }

    fn cte(&mut self) -> Result<Cte> {
        let name = self.name("the name of a common table")?;
        if self.kind(0) == Some(Kind::Open) {
            return self.fail("no column list of a common table");
        }
        self.expect_word("AS", "AS")?;
        self.expect(Kind::Open, "a parenthesis")?;
        let query = self.query()?;
        self.expect(Kind::Close, "a closing parenthesis")?;
        Ok(Cte { name, query })
    }

    fn core(&mut self, op: Option<SetOp>) -> Result<Core> {
        self.expect_word("SELECT", "SELECT")?;
        let distinct = self.word("DISTINCT");
        if !distinct {
            self.word("ALL");
        }
        let mut core = Core {
            op,
            distinct,
            items: self.list(Self::item)?,
            ..Core::default()
        };
        if self.word("FROM") {
            self.sources(&mut core.from)?;
        }
        let begin = self.at;
        if self.word("WHERE") {
            let condition = self.expr()?;
            core.filter = Some(Filter {
                condition,
                begin,
                end: self.at,
            });
        }
        if self.word("GROUP") {
            self.expect_word("BY", "BY")?;
            core.group = self.list(Self::expr)?;
        }
        if self.word("HAVING") {
            core.having = Some(self.expr()?);
        }
        Ok(core)
    }

    fn item(&mut self) -> Result<Item> {
        if self.peek(0).is_some_and(|piece| piece.text == "*") {
            self.at += 1;
            return Ok(Item::Star);
        }
        let star = self.peek(2).is_some_and(|piece| piece.text == "*");
        if self.is_name(0) && self.kind(1) == Some(Kind::Dot) && star {
            self.at += 3;
            return Ok(Item::TableStar(self.at - 3));
        }
        let expr = self.expr()?;
        let alias = if self.word("AS") || self.is_name(0) {
            Some(self.name_or_text()?)
        } else {
            None
        };
        Ok(Item::Expr { expr, alias })
    }

    /// The name of a result, which `SQLite` lets be a text.
    fn name_or_text(&mut self) -> Result<usize> {
        if self.token(Kind::String) {
            Ok(self.at - 1)
        } else {
            self.name("the name of a result")
        }
    }

    fn sources(&mut self, from: &mut Vec<Joined>) -> Result<()> {
        let source = self.source()?;
        from.push(Joined {
            join: Join::First,
            source,
            on: None,
        });
        while let Some(join) = self.join()? {
            let source = self.source()?;
            if self.is_word(0, "USING") {
                return self.fail("no USING");
            }
            let on = if self.word("ON") {
                Some(self.expr()?)
            } else {
                None
            };
            from.push(Joined { join, source, on });
        }
        Ok(())
    }

    fn join(&mut self) -> Result<Option<Join>> {
        if self.token(Kind::Comma) {
            return Ok(Some(Join::Inner));
        }
        if self.is_word(0, "NATURAL") {
            return self.fail("no NATURAL JOIN");
        }
        let join = if self.word("LEFT") {
            self.word("OUTER");
            Join::Left
        } else if self.word("RIGHT") || self.word("FULL") {
            self.word("OUTER");
            Join::Other
        } else if self.word("INNER") || self.word("CROSS") || self.is_word(0, "JOIN") {
            Join::Inner
        } else {
            return Ok(None);
        };
        self.expect_word("JOIN", "JOIN")?;
        Ok(Some(join))
    }

    fn source(&mut self) -> Result<Source> {
        if self.token(Kind::Open) {
            if !self.is_any(&["SELECT", "WITH"]) {
                return self.fail("no joins in parentheses");
            }
            let query = Box::new(self.query()?);
            self.expect(Kind::Close, "a closing parenthesis")?;
            let alias = self.alias()?;
            return Ok(Source::Query { query, alias });
        }
        let name = self.name("the name of a table")?;
        if matches!(self.kind(0), Some(Kind::Dot | Kind::Open)) {
            return self.fail("the plain name of a table");
        }
        let alias = self.alias()?;
        Ok(Source::Table { name, alias })
    }

    fn alias(&mut self) -> Result<Option<usize>> {
        if self.word("AS") || self.is_name(0) {
            Ok(Some(self.name("an alias")?))
        } else {
            Ok(None)
        }
    }

    pub(super) fn order(&mut self) -> Result<Order> {
        let expr = self.expr()?;
        let descending = self.word("DESC");
        if !descending {
            self.word("ASC");
        }
        if self.word("NULLS") && !self.word("FIRST") {
            self.expect_word("LAST", "FIRST or LAST")?;
        }
        Ok(Order { expr, descending })
    }
}
