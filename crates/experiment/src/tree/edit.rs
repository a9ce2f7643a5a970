//! Changing a tree: laying an override over it, cutting a faulty branch off.

use super::{Entry, Node, Place, Value};

impl Node {
    /// The value under `key` of a mapping (an index for a list), made an empty mapping at `place` if it is
    /// absent from a mapping. An empty value becomes a mapping. The error says in words why there is no way.
    pub(crate) fn descend(&mut self, key: &str, place: Place) -> Result<&mut Node, String> {
        if self.value == Value::Null {
            self.value = Value::Map(Vec::new());
        }
        let noun = self.noun();
        match &mut self.value {
            Value::Map(entries) => {
                let found = entries.iter().position(|e| e.key == key);
                let at = found.unwrap_or(entries.len());
                if found.is_none() {
                    entries.push(Entry {
                        key: key.to_owned(),
                        key_place: place,
                        value: Node {
                            place,
                            value: Value::Map(Vec::new()),
                        },
                    });
                }
                Ok(&mut entries[at].value)
            }
            Value::List(items) => {
                let at = index(key, items.len())?;
                Ok(&mut items[at])
            }
            _ => Err(format!(
                "there is {noun} here, so there is no `{key}` in it"
            )),
        }
    }

    /// Sets the value under `key`; an empty value takes a key that exists away, so that its default rules.
    pub(crate) fn assign(&mut self, key: &str, value: Node) -> Result<(), String> {
        if value.value == Value::Null
            && let Value::Map(entries) = &mut self.value
            && let Some(at) = entries.iter().position(|e| e.key == key)
        {
            entries.remove(at);
            return Ok(());
        }
        let place = value.place;
        let slot = self.descend(key, place)?;
        *slot = value;
        if let Value::Map(entries) = &mut self.value
            && let Some(entry) = entries.iter_mut().find(|e| e.key == key)
        {
            entry.key_place = place;
        }
        Ok(())
    }

    /// Takes away the entry or item that `steps` (positions, from the root) lead to, and returns its path
    /// and its place: that of the key if `at_key`, else that of the value. Without steps nothing is taken.
    pub(crate) fn prune(&mut self, steps: &[usize], at_key: bool) -> (Vec<String>, Place) {
        let mut path = Vec::new();
        let mut node = self;
        for (depth, &step) in steps.iter().enumerate() {
            let last = depth + 1 == steps.len();
            match &mut node.value {
                Value::Map(entries) if step < entries.len() => {
                    path.push(entries[step].key.clone());
                    if last {
                        let entry = entries.remove(step);
                        let place = if at_key {
                            entry.key_place
                        } else {
                            entry.value.place
                        };
                        return (path, place);
                    }
                    node = &mut entries[step].value;
                }
                Value::List(items) if step < items.len() => {
                    path.push(step.to_string());
                    if last {
                        return (path, items.remove(step).place);
                    }
                    node = &mut items[step];
                }
                _ => break,
            }
        }
        (path, node.place)
    }
}

fn index(key: &str, len: usize) -> Result<usize, String> {
    match key.parse::<usize>() {
        Ok(at) if at < len => Ok(at),
        Ok(at) => Err(format!(
            "the list has {len} items, so there is none at {at} (the first is 0)"
        )),
        Err(_) => Err(format!(
            "there is a list here: expected the position of an item, from 0, not `{key}`"
        )),
    }
}
