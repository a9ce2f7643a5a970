//! A YAML document as a tree whose every node knows where it was written.
//!
//! Configuration comes from several places (an experiment file, the parts it names, `--set` on the command
//! line). They are laid together as trees, before anything is typed, so that a fault found at any later
//! moment can still point to the line that caused it.

mod de;
mod edit;
mod parse;
mod source;

pub(crate) use de::{Problem, from_tree};
pub(crate) use parse::parse;
pub(crate) use source::{Origin, Place, Sources};

/// A value with the place it was written at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub place: Place,
    pub value: Value,
}

/// What a YAML node may hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Only numbers above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub value: Node,
}

impl Node {
    /// The value under `key`, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == key).map(|e| &e.value),
            Value::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// What this is, in the words of an error message.
    pub(crate) fn noun(&self) -> &'static str {
        match self.value {
            Value::Null => "empty",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The place of the deepest node that exists on the way down `path`.
    pub(crate) fn place_of(&self, path: &[&str]) -> Place {
        let mut node = self;
        for key in path {
            let Some(next) = node.get(key) else { break };
            node = next;
        }
        node.place
    }
}
