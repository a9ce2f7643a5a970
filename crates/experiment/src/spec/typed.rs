//! From the tree to the raw specification, gathering every fault on the way.

use super::Desk;
use super::raw::RawSpec;
use crate::suggest;
use crate::tree::{Node, Problem, from_tree};

/// The raw specification in `tree`, from which every faulty branch is cut off.
pub(super) fn read(desk: &mut Desk, tree: &mut Node) -> RawSpec {
    loop {
        let error = match from_tree::<RawSpec>(tree) {
            Ok(raw) => return raw,
            Err(error) => error,
        };
        let message = error.to_string();
        let help = match &error.problem {
            Problem::UnknownKey { key, known } => suggest::help(key, known, "known keys"),
            Problem::UnknownValue { value, known } => suggest::help(value, known, "known values"),
            Problem::Type { found, expected } if expected == "text" && !found.starts_with("a ") => {
                Some("put it in quotes".to_owned())
            }
            Problem::Type { .. } | Problem::Other(_) => None,
        };
        let (path, place) = tree.prune(&error.steps, error.at_key);
        let path = path.join(".");
        desk.fault(place, &path, message, help);
        let whole = path.is_empty();
        desk.cut.push(path);
        if whole {
            // Nothing was cut off, so another try would end here too.
            return RawSpec::default();
        }
    }
}
