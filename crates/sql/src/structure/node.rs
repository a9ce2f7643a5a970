//! The canonical form: labels with children, in order or sorted.

use std::fmt;

/// A node. Where the order of children means nothing, they are sorted when it is made, so that equal means equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// What it is; names and values are part of it.
    pub label: String,
    /// Its children.
    pub children: Vec<Node>,
}

impl Node {
    /// A node without children.
    pub fn leaf(label: impl Into<String>) -> Self {
        Self::list(label, Vec::new())
    }

    /// A node whose children are in order.
    pub fn list(label: impl Into<String>, children: Vec<Node>) -> Self {
        Self {
            label: label.into(),
            children,
        }
    }

    /// A node whose children are in no order.
    pub fn bag(label: impl Into<String>, mut children: Vec<Node>) -> Self {
        children.sort_unstable();
        Self::list(label, children)
    }

    /// A node whose children are in no order and count once.
    pub fn set(label: impl Into<String>, mut children: Vec<Node>) -> Self {
        children.sort_unstable();
        children.dedup();
        Self::list(label, children)
    }

    /// Text that is a value.
    pub fn text(value: &str) -> Self {
        Self::leaf(format!("'{value}'"))
    }

    /// The conjunction of some conditions; that of none is always true.
    pub fn and(conditions: Vec<Node>) -> Self {
        joined("and", conditions)
    }

    /// The disjunction of some conditions; that of none is never true.
    pub fn or(conditions: Vec<Node>) -> Self {
        joined("or", conditions)
    }

    /// The number of nodes in it.
    pub fn size(&self) -> usize {
        1 + self.children.iter().map(Self::size).sum::<usize>()
    }

    /// The opposite of a condition, with NOT as far inside as it goes. Right for SQL's three values, too.
    pub fn negated(self) -> Self {
        let Self {
            label,
            mut children,
        } = self;
        match label.as_str() {
            "and" | "or" => {
                let opposite = if label == "and" { "or" } else { "and" };
                joined(opposite, children.into_iter().map(Self::negated).collect())
            }
            "<" | "<=" => {
                children.reverse();
                Self::list(if label == "<" { "<=" } else { "<" }, children)
            }
            _ => match OPPOSITES.iter().find_map(|(one, other)| {
                let found = [(one, other), (other, one)].into_iter();
                found.into_iter().find(|(from, _)| **from == label)
            }) {
                Some((_, opposite)) => Self::list(*opposite, children),
                None => Self::list("not", vec![Self::list(label, children)]),
            },
        }
    }
}

/// Conditions and their opposites; `<` and `<=` change sides instead.
const OPPOSITES: [(&str, &str); 10] = [
    ("=", "!="),
    ("is", "is not"),
    ("is null", "is not null"),
    ("in", "not in"),
    ("exists", "not exists"),
    ("like", "not like"),
    ("glob", "not glob"),
    ("regexp", "not regexp"),
    ("is true", "is not true"),
    ("is false", "is not false"),
];

fn joined(operator: &str, conditions: Vec<Node>) -> Node {
    let mut operands = Vec::with_capacity(conditions.len());
    for condition in conditions {
        if condition.label == operator {
            operands.extend(condition.children);
        } else {
            operands.push(condition);
        }
    }
    let mut node = Node::set(operator, operands);
    match node.children.pop() {
        Some(only) if node.children.is_empty() => only,
        Some(last) => {
            node.children.push(last);
            node
        }
        None => node,
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        if self.children.is_empty() {
            return Ok(());
        }
        f.write_str("(")?;
        for (at, child) in self.children.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            child.fmt(f)?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(a: &str, b: &str) -> Node {
        Node::bag("=", vec![Node::leaf(a), Node::leaf(b)])
    }

    #[test]
    fn conditions_are_flat_and_have_their_opposites_inside() {
        let condition = Node::and(vec![
            Node::or(vec![equal("b", "c")]),
            Node::and(vec![
                Node::list("<", vec![Node::leaf("a"), Node::leaf("b")]),
                equal("c", "b"),
            ]),
        ]);
        assert_eq!(condition.to_string(), "and(<(a, b), =(b, c))");
        assert_eq!(
            condition.clone().negated().to_string(),
            "or(!=(b, c), <=(b, a))"
        );
        assert_eq!(condition.clone().negated().negated(), condition);
        assert_eq!(Node::leaf("a").negated().to_string(), "not(a)");
        assert_eq!(Node::or(Vec::new()).negated(), Node::and(Vec::new()));
    }
}
