//! What determines a stage's result, and the digest of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::StageId;
use crate::canonical::{self, Digest};
use crate::spec::portable;

/// Everything that determines a stage's result.
#[derive(Debug, Clone, PartialEq)]
pub struct StageKey {
    /// Which stage. Only its kind is part of the digest: a name changes no result.
    pub id: StageId,
    /// Version of the code behind the kind.
    pub code_version: u32,
    /// The resolved parameters that the result depends on, keys sorted, without paths of this machine.
    pub parameters: Value,
    /// The digests of all it reads, by name: other stages (`data/spider-dev`), files, weights.
    pub inputs: BTreeMap<String, Digest>,
}

impl StageKey {
    /// The key of a stage with this version of the code. Absolute paths among the parameters lose their
    /// folders: what a file holds is told by its digest among the inputs.
    pub fn new(id: StageId, parameters: &Value, inputs: BTreeMap<String, Digest>) -> Self {
        Self {
            code_version: id.kind.code_version(),
            parameters: canonical::sorted(&portable(parameters)),
            id,
            inputs,
        }
    }

    /// The digest that names the result: SHA-256 over the canonical JSON of kind, code version, parameters
    /// and inputs. No time, host or folder is in it.
    pub fn digest(&self) -> Digest {
        Digest::of_value(&self.to_json())
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "kind": self.id.kind.as_str(),
            "code_version": self.code_version,
            "parameters": self.parameters,
            "inputs": self.inputs.iter()
                .map(|(name, digest)| (name.clone(), Value::from(digest.as_str())))
                .collect::<serde_json::Map<_, _>>(),
        })
    }
}
