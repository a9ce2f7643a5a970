//! What can be wrong with a model hub, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::layout::LayoutFault;

/// Why the hub did not give a file. Neither the token nor an address (which may be signed) is ever part of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubFault {
    /// The configuration or the surroundings hold something that can't be used.
    #[error("{key} is {found:?}, expected {expected}")]
    Setting {
        /// The key or the variable.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The token can't be one. It is not shown.
    #[error("{from} holds characters that no token has; set it to the token alone")]
    BadToken {
        /// Where the token comes from.
        from: &'static str,
    },
    /// There is no place for the hub's cache.
    #[error(
        "there is no folder for the hub's cache: none of HF_HUB_CACHE, HF_HOME and HOME is set"
    )]
    NoFolder,
    /// Not in the cache, and the hub must not be asked.
    #[error(
        "not in the cache {}, and HF_HUB_OFFLINE is set; unset it, or fetch the model where there is a network and copy that folder",
        folder.display()
    )]
    Offline {
        /// The folder of the hub's cache.
        folder: PathBuf,
    },
    /// There is no such repository, or it is not for everyone.
    #[error("no such repository{}; check its name", if *with_token { ", or the token may not see it" } else { ", or a private one; if it is private set HF_TOKEN" })]
    NoRepository {
        /// Whether a token was sent.
        with_token: bool,
    },
    /// The repository has no such branch, tag or commit.
    #[error("the repository has no such branch, tag or commit; check `revision`")]
    NoRevision,
    /// The repository has no such file at this revision.
    #[error(
        "the repository has no such file at this revision; check the name, or take another revision"
    )]
    NoFile,
    /// There are no weights, or it is not clear which.
    #[error(transparent)]
    Layout(LayoutFault),
    /// Status 401.
    #[error("{}", if *with_token { "the hub does not know the token (401); it may have expired: set HF_TOKEN to a valid one" } else { "the hub wants to know who asks (401); set HF_TOKEN to a token that may read the repository" })]
    Unauthorized {
        /// Whether a token was sent.
        with_token: bool,
    },
    /// Status 403, or a repository whose owner lets in whom he will.
    #[error("access is refused ({status}); accept the licence on the repository's page at the hub, and {}", if *with_token { "see that the token is that account's and may read such repositories" } else { "set HF_TOKEN to a token of the account that did" })]
    Refused {
        /// The status of the answer.
        status: u16,
        /// Whether a token was sent.
        with_token: bool,
    },
    /// Status 429, again and again, or with a longer wait than is reasonable.
    #[error("the hub wants fewer requests (429); try again {}{}", wait_seconds.map_or("later".to_owned(), |seconds| format!("in {seconds} s")), if *with_token { "" } else { ", or set HF_TOKEN, with which more are allowed" })]
    TooManyRequests {
        /// Seconds that the hub wants to be left alone, if it says so.
        wait_seconds: Option<u64>,
        /// Whether a token was sent.
        with_token: bool,
    },
    /// A status from 500 on, again and again.
    #[error(
        "the hub has a fault of its own (status {status}, {attempts} attempts); try again later"
    )]
    Server {
        /// The status of the last answer.
        status: u16,
        /// How often it was asked.
        attempts: usize,
    },
    /// A status that is not expected here.
    #[error("the answer is status {status}; is HF_ENDPOINT a model hub?")]
    Status {
        /// The status.
        status: u16,
    },
    /// The hub can't be reached.
    #[error(
        "no connection: {words}; check network and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use what is in the cache"
    )]
    NoConnection {
        /// The system's own words.
        words: String,
    },
    /// The connection broke, again and again; what came is kept.
    #[error(
        "the connection ended after {got} of {total} bytes ({words}); what came is kept: run again to go on"
    )]
    Interrupted {
        /// Bytes on this machine.
        got: u64,
        /// Bytes of the whole file.
        total: u64,
        /// The system's own words.
        words: String,
    },
    /// More bytes came than the file has.
    #[error(
        "more bytes came than the hub promised ({expected}); what came was removed: try again later"
    )]
    TooLong {
        /// Bytes that the hub promised.
        expected: u64,
    },
    /// The content is not what its hash promises.
    #[error(
        "SHA-256 is {found}, the hub states {expected}; what came was removed: run again, and if it stays so the hub or a proxy serves other content than it says"
    )]
    Hash {
        /// The hash that the hub states.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// The hub leads to a place where nothing is fetched from.
    #[error("the hub redirects {what}; is HF_ENDPOINT a model hub?")]
    Redirect {
        /// Where to, in words.
        what: &'static str,
    },
    /// The answer is not what a hub answers.
    #[error("the answer is not a model hub's: {what}; check HF_ENDPOINT")]
    BadAnswer {
        /// The fault.
        what: String,
    },
    /// An index of weights that can't be used.
    #[error("{what}; the repository is damaged: take another revision")]
    BadIndex {
        /// The fault.
        what: String,
    },
    /// A file of the cache can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl HubFault {
    /// Whether it may work at another time with nothing changed: what is in the cache serves meanwhile.
    #[cfg(feature = "hub")]
    pub(super) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::NoConnection { .. }
                | Self::Interrupted { .. }
                | Self::Server { .. }
                | Self::TooManyRequests { .. }
        )
    }
}
