//! The index of a set of shards, `model.safetensors.index.json`: which tensor is in which file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::weights::WeightError;

/// The shard of each tensor, both by name.
///
/// # Errors
/// If the file can't be read or is no index, names a tensor twice, or a shard that is not a plain file name.
pub(super) fn read(index: &Path) -> Result<BTreeMap<String, String>, WeightError> {
    let malformed = |what: String| WeightError::Malformed {
        file: index.to_owned(),
        format: "safetensors index",
        what,
    };
    let text = std::fs::read(index).map_err(|source| WeightError::Io {
        file: index.to_owned(),
        source,
    })?;
    let index_file: Index = serde_json::from_slice(&text).map_err(|e| malformed(e.to_string()))?;
    let mut shards = BTreeMap::new();
    for (tensor, shard) in index_file.weight_map.0 {
        if !is_plain_file_name(&shard) {
            return Err(malformed(format!(
                "tensor {tensor}: shard {shard:?} is not a plain file name"
            )));
        }
        if shards.insert(tensor.clone(), shard).is_some() {
            return Err(WeightError::Twice {
                file: index.to_owned(),
                tensor,
                other: None,
            });
        }
    }
    Ok(shards)
}

/// Whether a name stays in the folder it is joined to.
fn is_plain_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(parts.next(), Some(std::path::Component::Normal(_))) && parts.next().is_none()
}

/// The part of the file that matters here.
#[derive(Deserialize)]
struct Index {
    weight_map: Pairs,
}

/// The entries of an object of texts, also those of one key. Entries of another kind are faults.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from tensors to file names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
