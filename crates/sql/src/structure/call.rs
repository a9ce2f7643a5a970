//! Calls of functions, and the windows they range over.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, NamedWindowExpr, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};

use super::expr::case_node;
use super::node::Node;
use super::query::directed;
use super::scope::{Results, Scope};
use super::{Builder, Result, refuse, unsupported};

impl Builder<'_> {
    pub(super) fn call(
        &mut self,
        call: &Function,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Node> {
        refuse(call.uses_odbc_syntax, "`{fn …}`")?;
        refuse(
            call.parameters != FunctionArguments::None,
            "parameters of a function",
        )?;
        refuse(call.null_treatment.is_some(), "IGNORE NULLS")?;
        refuse(!call.within_group.is_empty(), "WITHIN GROUP")?;
        let name = call.name.0.last().and_then(|part| part.as_ident());
        let Some(name) = name.map(|name| name.value.to_ascii_lowercase()) else {
            return unsupported("this function");
        };
        let mut children = Vec::new();
        let mut distinct = "";
        match &call.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(_) => return unsupported("a query as arguments"),
            FunctionArguments::List(list) => {
                if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
                    distinct = " distinct";
                }
                children = self.arguments(&list.args, scope, results)?;
                for clause in &list.clauses {
                    let FunctionArgumentClause::OrderBy(terms) = clause else {
                        return unsupported("a clause of arguments");
                    };
                    let mut order = Vec::new();
                    for term in terms {
                        order.push(directed(term, self.expr(&term.expr, scope, results)?)?);
                    }
                    children.push(Node::list("order", order));
                }
            }
        }
        let mut node = plain_call(&name, distinct, children);
        if let Some(filter) = &call.filter {
            let filter = self.expr(filter, scope, results)?;
            node = Node::list("filter", vec![node, filter]);
        }
        if let Some(window) = &call.over {
            let window = match window {
                WindowType::WindowSpec(window) => self.window(window, scope, results)?,
                WindowType::NamedWindow(name) => self.named_window(name, scope, results)?,
            };
            node = Node::list("over", vec![node, window.node()]);
        }
        Ok(node)
    }

    pub(super) fn arguments(
        &mut self,
        arguments: &[FunctionArg],
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Vec<Node>> {
        let argument = |argument: &FunctionArg| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.expr(expr, scope, results),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Ok(Node::leaf("*")),
            _ => unsupported("this argument"),
        };
        arguments.iter().map(argument).collect()
    }

    fn named_window(
        &mut self,
        name: &Ident,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Window> {
        let found = scope
            .windows
            .iter()
            .find(|window| window.0.value.eq_ignore_ascii_case(&name.value));
        match found.map(|window| &window.1) {
            Some(NamedWindowExpr::WindowSpec(window)) => {
                self.deeper(|this| this.window(window, scope, results))
            }
            Some(NamedWindowExpr::NamedWindow(name)) => {
                self.deeper(|this| this.named_window(name, scope, results))
            }
            None => unsupported("a window that is not there"),
        }
    }

    fn window(
        &mut self,
        window: &WindowSpec,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Window> {
        let mut whole = match &window.window_name {
            Some(base) => self.named_window(base, scope, results)?,
            None => Window::default(),
        };
        for term in &window.partition_by {
            whole.partition.push(self.expr(term, scope, results)?);
        }
        for term in &window.order_by {
            whole
                .order
                .push(directed(term, self.expr(&term.expr, scope, results)?)?);
        }
        if let Some(frame) = &window.window_frame {
            let start = self.bound(&frame.start_bound, scope, results)?;
            let end = match &frame.end_bound {
                Some(bound) => self.bound(bound, scope, results)?,
                None => Node::leaf("current row"),
            };
            let units = match frame.units {
                WindowFrameUnits::Rows => "rows",
                WindowFrameUnits::Range => "range",
                WindowFrameUnits::Groups => "groups",
            };
            whole.frame = Some(Node::list(units, vec![start, end]));
        }
        Ok(whole)
    }

    fn bound(
        &mut self,
        bound: &WindowFrameBound,
        scope: &Scope<'_>,
        results: Results,
    ) -> Result<Node> {
        let (side, distance): (_, &Option<Box<Expr>>) = match bound {
            WindowFrameBound::CurrentRow => return Ok(Node::leaf("current row")),
            WindowFrameBound::Preceding(distance) => ("preceding", distance),
            WindowFrameBound::Following(distance) => ("following", distance),
        };
        let distance = match distance {
            Some(distance) => vec![self.expr(distance, scope, results)?],
            None => Vec::new(),
        };
        Ok(Node::list(side, distance))
    }
}

/// A window with what it takes from the one it is built on.
#[derive(Default)]
struct Window {
    partition: Vec<Node>,
    order: Vec<Node>,
    frame: Option<Node>,
}

impl Window {
    fn node(self) -> Node {
        let mut children = vec![
            Node::set("partition", self.partition),
            Node::list("order", self.order),
        ];
        children.extend(self.frame);
        Node::list("window", children)
    }
}

/// A call in the one spelling of its function.
fn plain_call(name: &str, distinct: &str, mut children: Vec<Node>) -> Node {
    let name = match (name, children.as_slice()) {
        ("iif" | "if", [_, _] | [_, _, _]) => return case_node(children),
        // A constant is counted in every row.
        ("count", [only]) if distinct.is_empty() && is_constant(only) => {
            children = vec![Node::leaf("*")];
            name
        }
        ("ifnull", [_, _]) => "coalesce",
        ("substring", _) => "substr",
        ("ceiling", _) => "ceil",
        _ => name,
    };
    Node::list(format!("{name}(){distinct}"), children)
}

/// Whether a node is a literal other than NULL.
fn is_constant(node: &Node) -> bool {
    let first = node.label.chars().next();
    node.children.is_empty() && first.is_some_and(|c| c == '\'' || c == '-' || c.is_ascii_digit())
}
