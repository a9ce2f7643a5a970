//! One question to the hub: who asks is told to the hub alone, redirects are followed, what passes is asked again.

use std::time::Duration;

use ureq::http::{HeaderMap, Response, Uri, header};
use ureq::{Agent, Body};

use super::super::HubFault;
use super::HubAccess;

/// Most redirects that are followed.
const HOPS: usize = 10;
/// What the hub says of a file that lies elsewhere: name of the content, size in bytes.
pub(super) const LINKED: [&str; 2] = ["x-linked-etag", "x-linked-size"];
/// The hub's own word for what is wrong.
const ERROR_CODE: &str = "x-error-code";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// What the hub says of a file: a redirect to where the content of a large one lies is not followed.
    Head,
    /// The content, from a byte on.
    Get {
        /// The first byte.
        from: u64,
    },
}

/// What asks.
pub(super) struct Client<'a> {
    access: &'a HubAccess,
    agent: Agent,
}

impl<'a> Client<'a> {
    pub(super) fn new(access: &'a HubAccess) -> Self {
        let mut config = Agent::config_builder();
        if is_here(&access.endpoint) {
            config = config.proxy(None);
        }
        let agent = config
            .http_status_as_error(false)
            // They are followed here: the token must not go along to another host.
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_mins(2)))
            .timeout_per_read(Some(Duration::from_mins(2)))
            .user_agent(concat!("harness/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Self { access, agent }
    }

    /// Whether a token is sent.
    pub(super) fn with_token(&self) -> bool {
        self.access.token.is_some()
    }

    /// Waits as long as is due after an attempt; `false` if it is time to give up.
    pub(super) fn wait(&self, attempt: usize, wanted: Option<Duration>) -> bool {
        let patience = &self.access.patience;
        match patience.after(attempt, wanted) {
            Some(pause) => {
                (patience.pause)(pause);
                true
            }
            None => false,
        }
    }

    /// The answer to a question below the endpoint, of status 200, 206 or 416, or for [`Ask::Head`] perhaps a redirect.
    pub(super) fn ask(&self, path: &str, ask: Ask) -> Result<Response<Body>, HubFault> {
        let url = format!("{}/{path}", self.access.endpoint);
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.once(&url, ask) {
                Ok(response) => {
                    let status = response.status().as_u16();
                    if status < 400 || status == 416 {
                        return Ok(response);
                    }
                    let wanted = retry_after(response.headers());
                    let passing = matches!(status, 408 | 429 | 500..=599);
                    if !passing || !self.wait(attempt, wanted) {
                        return Err(self.refusal(&response, attempt));
                    }
                }
                Err(Trouble::Passing(words)) => {
                    if !self.wait(attempt, None) {
                        return Err(HubFault::NoConnection { words });
                    }
                }
                Err(Trouble::Lasting(fault)) => return Err(fault),
            }
        }
    }

    fn once(&self, url: &str, ask: Ask) -> Result<Response<Body>, Trouble> {
        let redirect = |what| Trouble::Lasting(HubFault::Redirect { what });
        let nowhere = || redirect("to an address that is none");
        let first: Uri = url.parse().map_err(|_| nowhere())?;
        let mut at = first.clone();
        for _ in 0..=HOPS {
            let mut request = match ask {
                Ask::Head => self.agent.head(&at),
                Ask::Get { .. } => self.agent.get(&at),
            }
            // The body is to be the file itself, so that its bytes can be counted.
            .header(header::ACCEPT_ENCODING, "identity");
            if let Some(token) = &self.access.token
                && same_origin(&first, &at)
            {
                request = request.header(header::AUTHORIZATION, token.header());
            }
            if let Ask::Get { from } = ask
                && from > 0
            {
                request = request.header(header::RANGE, format!("bytes={from}-"));
            }
            let response = request.call().map_err(|error| trouble(&error))?;
            // The hub says of a large file what it is and leads to its content; of a small one it only leads on.
            let described = LINKED
                .iter()
                .all(|name| response.headers().contains_key(*name));
            let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !redirects || (ask == Ask::Head && described) {
                return Ok(response);
            }
            let to = text(response.headers(), header::LOCATION.as_str()).ok_or_else(nowhere)?;
            let to = joined(&at, to).ok_or_else(nowhere)?;
            if at.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
                return Err(redirect("from https to an address without it"));
            }
            at = to;
        }
        Err(redirect("in a circle"))
    }

    fn refusal(&self, response: &Response<Body>, attempts: usize) -> HubFault {
        let with_token = self.with_token();
        let status = response.status().as_u16();
        match (status, text(response.headers(), ERROR_CODE)) {
            (401..=404, Some("RepoNotFound")) => HubFault::NoRepository { with_token },
            (404, Some("RevisionNotFound")) => HubFault::NoRevision,
            (401 | 403, Some("GatedRepo")) | (403, _) => HubFault::Refused { status, with_token },
            (401, _) => HubFault::Unauthorized { with_token },
            (404, _) => HubFault::NoFile,
            (429, _) => HubFault::TooManyRequests {
                wait_seconds: retry_after(response.headers()).map(|wait| wait.as_secs()),
                with_token,
            },
            (408 | 500..=599, _) => HubFault::Server { status, attempts },
            _ => HubFault::Status { status },
        }
    }
}

/// Why there is no answer.
enum Trouble {
    /// It may be better at the next attempt.
    Passing(String),
    /// It will not.
    Lasting(HubFault),
}

fn trouble(error: &ureq::Error) -> Trouble {
    use std::io::ErrorKind;
    let no_connection = |words: String| Trouble::Lasting(HubFault::NoConnection { words });
    match error {
        ureq::Error::HostNotFound => no_connection("the host is not known".to_owned()),
        ureq::Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused => {
            no_connection(io.to_string())
        }
        // These name the address, which may be a signed one.
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            no_connection("the address is none".to_owned())
        }
        ureq::Error::Io(io) => Trouble::Passing(io.to_string()),
        other => Trouble::Passing(other.to_string()),
    }
}

/// Whether the hub is on this machine: then no proxy is in between.
fn is_here(endpoint: &str) -> bool {
    let uri: Option<Uri> = endpoint.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// The text of a header.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// How long the hub wants to be left alone, if it says so in seconds (a date is not understood): `Retry-After`, or the
/// time left of a window as in `RateLimit: "resolvers";r=0;t=172`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, header::RETRY_AFTER.as_str());
    let window = || {
        let mut items = text(headers, "ratelimit")?.split(';');
        items.find_map(|item| item.trim().strip_prefix("t="))
    };
    let seconds = asked.or_else(window)?.trim().parse();
    seconds.ok().map(Duration::from_secs)
}

/// Scheme, host and port are the same.
fn same_origin(a: &Uri, b: &Uri) -> bool {
    let origin = |uri: &Uri| {
        let port = uri.port_u16().or_else(|| match uri.scheme_str() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        });
        let host = uri.host().map(str::to_ascii_lowercase);
        (uri.scheme_str().map(str::to_owned), host, port)
    };
    origin(a) == origin(b)
}

/// Where a redirect leads.
fn joined(from: &Uri, to: &str) -> Option<Uri> {
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    let whole = if to.starts_with("http://") || to.starts_with("https://") {
        to.to_owned()
    } else if to.starts_with("//") {
        format!("{scheme}:{to}")
    } else if to.starts_with('/') {
        format!("{scheme}://{authority}{to}")
    } else if to.contains("://") {
        return None;
    } else {
        let folder = from
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{to}")
    };
    whole.parse().ok()
}

/// A text as part of an address: all but letters, digits and a few signs are written as `%XX`.
pub(super) fn escaped(text: &str, keep_slash: bool) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (byte == b'/' && keep_slash) {
            out.push(byte as char);
        } else {
            // Writing to a string never fails.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        for (a, b, same) in [
            ("http://hub/a", "http://HUB:80/b", true),
            ("http://hub/a", "http://hub:81/a", false),
            ("http://hub/a", "https://hub/a", false),
            ("http://hub/a", "http://hub.other/a", false),
        ] {
            assert_eq!(same_origin(&uri(a), &uri(b)), same, "{a} {b}");
        }
        let from = uri("http://hub:8/a/b?c=d");
        for (to, expected) in [
            ("http://other/x?y", Some("http://other/x?y")),
            ("//other/x", Some("http://other/x")),
            ("/x/y", Some("http://hub:8/x/y")),
            ("x", Some("http://hub:8/a/x")),
            ("ftp://other/x", None),
        ] {
            assert_eq!(joined(&from, to), expected.map(uri), "{to}");
        }
        assert_eq!(escaped("refs/pr/1", false), "refs%2Fpr%2F1");
        assert_eq!(escaped("a b/ü.gguf", true), "a%20b/%C3%BC.gguf");
    }
}
