//! What a repository holds at a revision, by the hub's own word.

use serde::Deserialize;

use super::super::{HubFault, HubSource};
use super::cache::is_commit;
use super::request::{Ask, Client, escaped};

/// Longest answer that is read, in bytes.
const LIMIT: u64 = 64 << 20;

/// The commit that a branch, tag or commit is now, and the names of its files.
pub(super) struct Listing {
    pub(super) commit: String,
    pub(super) names: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// Asks the hub.
pub(super) fn listing(client: &Client<'_>, hub: &HubSource) -> Result<Listing, HubFault> {
    let path = format!(
        "api/models/{}/revision/{}",
        hub.repo,
        escaped(&hub.revision, false)
    );
    let bad = |what: String| HubFault::BadAnswer { what };
    let text = read(client, &path)?;
    let answer: Answer = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
    if !is_commit(&answer.sha) {
        return Err(bad("its `sha` is no commit".to_owned()));
    }
    let names = answer.siblings.into_iter().map(|it| it.rfilename);
    let mut names: Vec<String> = names.filter(|name| is_inside(name)).collect();
    names.sort();
    Ok(Listing {
        commit: answer.sha,
        names,
    })
}

/// The whole answer; if it breaks off it is asked for again.
fn read(client: &Client<'_>, path: &str) -> Result<Vec<u8>, HubFault> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let asked = client.ask(path, Ask::Get { from: 0 });
        let mut response = asked.map_err(|fault| match fault {
            // A hub that does not say what is missing: here it is not a file.
            HubFault::NoFile => HubFault::NoRepository {
                with_token: client.with_token(),
            },
            other => other,
        })?;
        let body = response.body_mut().with_config().limit(LIMIT);
        match body.read_to_vec() {
            Ok(text) => return Ok(text),
            Err(error) if !client.wait(attempt, None) => {
                return Err(HubFault::NoConnection {
                    words: error.to_string(),
                });
            }
            Err(_) => {}
        }
    }
}

/// Whether a name stays inside a folder; others are left out as if they were not there.
fn is_inside(name: &str) -> bool {
    !name.contains('\\') && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_stay_inside() {
        for (name, inside) in [
            ("a/b.gguf", true),
            ("../b", false),
            ("a/../../b", false),
            ("/etc/x", false),
            ("a\\b", false),
            ("", false),
        ] {
            assert_eq!(super::is_inside(name), inside, "{name}");
        }
    }
}
