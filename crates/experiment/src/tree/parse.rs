//! YAML text to a [`Node`].

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, Spanned};

use super::{Entry, Node, Place, Value};

/// Why a text could not be read, or a key that stands twice.
#[derive(Debug)]
pub(crate) struct ParseFault {
    pub place: Place,
    pub message: String,
}

/// Reads one YAML document. Keys that stand twice are told in the second part of the answer, and only their
/// first value is kept, so that one reading can report them together with all other faults.
pub(crate) fn parse(source: usize, text: &str) -> Result<(Node, Vec<ParseFault>), ParseFault> {
    let mut options = serde_saphyr::options! {
        // The tree finds duplicates itself: the parser would stop at the first.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // A part is named, not merged: `<<` would let a value come from a place nobody sees.
        merge_keys: MergeKeyPolicy::Error,
        // `yes`, `no`, `on` and `off` are words, as in YAML 1.2.
        strict_booleans: true,
        with_snippet: false,
        // Numbers that are not finite are told by the field that gets them.
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
    };
    if let Some(budget) = options.budget.as_mut() {
        // A specification is four levels deep; this bounds the recursion below.
        budget.max_depth = 64;
    }
    let place = |location: Location| Place {
        source,
        line: location.line() as usize,
        column: location.column() as usize,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => {
            let mut doubles = Vec::new();
            let node = raw_to_node(raw, &place, &mut doubles);
            Ok((node, doubles))
        }
        Err(error) => Err(ParseFault {
            place: error.location().map_or(
                Place {
                    source,
                    line: 0,
                    column: 0,
                },
                place,
            ),
            message: bare_message(&error),
        }),
    }
}

/// The parser's message without the position it appends: the place is shown by the caller.
fn bare_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    match first.rfind(" at line ") {
        Some(end) => first[..end].to_owned(),
        None => first.to_owned(),
    }
}

enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn raw_to_node(
    raw: Spanned<Raw>,
    place: &impl Fn(Location) -> Place,
    doubles: &mut Vec<ParseFault>,
) -> Node {
    let at = place(raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(x) => Value::Bool(x),
        Raw::Int(x) => Value::Int(x),
        Raw::Uint(x) => Value::Uint(x),
        Raw::Float(x) => Value::Float(x),
        Raw::Text(x) => Value::Text(x),
        Raw::List(items) => Value::List(
            items
                .into_iter()
                .map(|item| raw_to_node(item, place, doubles))
                .collect(),
        ),
        Raw::Map(pairs) => {
            let mut entries: Vec<Entry> = Vec::with_capacity(pairs.len());
            for (key, value) in pairs {
                let key_place = place(key.referenced);
                let value = raw_to_node(value, place, doubles);
                if let Some(first) = entries.iter().find(|e| e.key == key.value) {
                    doubles.push(ParseFault {
                        place: key_place,
                        message: format!(
                            "key `{}` stands twice; it was first given on line {}",
                            key.value, first.key_place.line
                        ),
                    });
                    continue;
                }
                entries.push(Entry {
                    key: key.value,
                    key_place,
                    value,
                });
            }
            Value::Map(entries)
        }
    };
    Node { place: at, value }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or(Raw::Uint(value), Raw::Int))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Raw, E> {
        Err(E::custom(format!("the number {value} is out of range")))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Raw, E> {
        Err(E::custom(format!("the number {value} is out of range")))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_knows_its_place() {
        let text = "a: 1\nb:\n  - x\n  - {c: 0.5, d: no}\ne: ~\n";
        let (root, doubles) = parse(3, text).unwrap();
        assert!(doubles.is_empty());
        let at = |path: &[&str]| {
            let place = root.place_of(path);
            assert_eq!(place.source, 3);
            (place.line, place.column)
        };
        assert_eq!(at(&["a"]), (1, 4));
        assert_eq!(at(&["b", "0"]), (3, 5));
        assert_eq!(at(&["b", "1", "c"]), (4, 9));
        assert_eq!(
            root.get("b")
                .unwrap()
                .get("1")
                .unwrap()
                .get("d")
                .unwrap()
                .value,
            Value::Text("no".into())
        );
        assert_eq!(root.get("e").unwrap().value, Value::Null);
        let Value::Map(entries) = &root.value else {
            panic!("not a mapping")
        };
        assert_eq!(
            (entries[1].key_place.line, entries[1].key_place.column),
            (2, 1)
        );
    }

    #[test]
    fn all_duplicate_keys_are_told() {
        let (root, doubles) = parse(0, "a: 1\nb: {x: 1, x: 2}\na: 3\n").unwrap();
        assert_eq!(root.get("a").unwrap().value, Value::Int(1));
        let lines: Vec<_> = doubles
            .iter()
            .map(|d| (d.place.line, d.place.column))
            .collect();
        assert_eq!(lines, [(2, 11), (3, 1)]);
        assert_eq!(
            doubles[1].message,
            "key `a` stands twice; it was first given on line 1"
        );
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_place() {
        for (text, line) in [("a: [1, 2\nb: 3\n", 2), ("a: {\n", 2), ("a: 1\n b: 2\n", 2)] {
            let fault = parse(0, text).unwrap_err();
            assert!(
                fault.place.line >= 1 && fault.place.line <= line + 1,
                "{fault:?}"
            );
            assert!(!fault.message.is_empty());
        }
        assert!(parse(0, "<<: {a: 1}\n").is_err());
        assert!(parse(0, &"[".repeat(10_000)).is_err());
    }
}
