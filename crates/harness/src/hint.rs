//! What a user can do about an error, beyond what the error says itself.

use std::io::ErrorKind;

use harness_eval::JoinError;
use harness_experiment::StoreError;

/// A sentence, if there is one to say.
pub fn of(error: &anyhow::Error) -> Option<String> {
    if let Some(store) = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<StoreError>())
    {
        return store.hint();
    }
    if let Some(join) = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<JoinError>())
    {
        return (!join.missing.is_empty() && !join.surplus.is_empty()).then(|| {
            "if the ids of the predictions count the rows of the split, pair them in order: --by-position"
                .to_owned()
        });
    }
    let io = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>())?;
    match io.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Some(
            "there is no room on the disk, or a limit on it; what was finished is kept: make room and run again"
                .to_owned(),
        ),
        _ => None,
    }
}
