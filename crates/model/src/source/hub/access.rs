//! How the hub is reached: the variables that its own tools know, read in one place.

use std::env;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::super::HubFault;

/// The hub that is asked where `HF_ENDPOINT` says nothing.
const ENDPOINT: &str = "https://huggingface.co";

/// Where the hub is, who asks, and where what comes is kept.
#[derive(Debug, Clone)]
pub struct HubAccess {
    /// Address of the hub without a slash at the end.
    pub endpoint: String,
    /// Folder of the cache, in the layout that the hub's Python library has (`models--OWNER--NAME` below it).
    pub folder: PathBuf,
    /// Who asks.
    pub token: Option<Token>,
    /// Only the cache is read.
    pub offline: bool,
    /// How often it is asked, and how long between.
    pub patience: Patience,
}

/// A token of the hub. No formatting shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Attempts and the time between them.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Attempts in a row that bring nothing new.
    pub attempts: usize,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause. Where the hub asks for a longer one it is given up.
    pub longest: Duration,
    /// What waits.
    pub pause: fn(Duration),
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_millis(500),
            longest: Duration::from_mins(1),
            pause: thread::sleep,
        }
    }
}

impl Patience {
    /// The pause after an attempt (from 1), or nothing if it is time to give up.
    pub(super) fn after(&self, attempt: usize, wanted: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let own = self
            .first
            .saturating_mul(2u32.saturating_pow(doubled))
            .min(self.longest);
        match wanted {
            Some(wanted) if wanted > self.longest => None,
            Some(wanted) => Some(wanted.max(self.first)),
            None => Some(own),
        }
    }
}

impl Token {
    /// A token, if it could be one; nothing if the text is blank. `from` says in an error where it came from.
    pub fn new(text: &str, from: &'static str) -> Result<Option<Self>, HubFault> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HubFault::BadToken { from });
        }
        Ok(Some(Self(text.to_owned())))
    }

    /// The value of the header that carries it.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl HubAccess {
    /// What the surroundings say: `HF_ENDPOINT`; `HF_HUB_CACHE`, or `hub` below `HF_HOME`, or the user's cache folder;
    /// `HF_TOKEN`, or the file `HF_TOKEN_PATH` names, or `token` below `HF_HOME`; `HF_HUB_OFFLINE`.
    ///
    /// # Errors
    /// [`HubFault`] for a value that can't be used.
    pub fn from_env() -> Result<Self, HubFault> {
        Self::from_vars(&|name| env::var(name).ok())
    }

    /// As [`HubAccess::from_env`], of the given variables.
    pub fn from_vars(var: &dyn Fn(&str) -> Option<String>) -> Result<Self, HubFault> {
        let var = |name: &str| {
            var(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let home = var("HF_HOME").map(PathBuf::from).or_else(|| {
            var("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| var("HOME").map(|home| PathBuf::from(home).join(".cache")))
                .map(|cache| cache.join("huggingface"))
        });
        let folder = var("HF_HUB_CACHE")
            .map(PathBuf::from)
            .or_else(|| home.as_ref().map(|home| home.join("hub")))
            .ok_or(HubFault::NoFolder)?;
        let token = if let Some(text) = var("HF_TOKEN") {
            Token::new(&text, "HF_TOKEN")?
        } else {
            let file = var("HF_TOKEN_PATH")
                .map(PathBuf::from)
                .or_else(|| home.map(|home| home.join("token")));
            match file.and_then(|file| fs::read_to_string(file).ok()) {
                Some(text) => Token::new(&text, "the token file")?,
                None => None,
            }
        };
        let endpoint = var("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let rest = endpoint
            .strip_prefix("https://")
            .or_else(|| endpoint.strip_prefix("http://"));
        if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['@', '?', '#', ' '])) {
            return Err(HubFault::Setting {
                key: "HF_ENDPOINT",
                // A password may be part of it.
                found: match endpoint.rsplit_once('@') {
                    Some((_, host)) => format!("…@{host}"),
                    None => endpoint,
                },
                expected: "an address such as https://HOST, without a password",
            });
        }
        let offline = var("HF_HUB_OFFLINE")
            .is_some_and(|value| ["1", "on", "yes", "true"].contains(&&*value.to_lowercase()));
        Ok(Self {
            endpoint,
            folder,
            token,
            offline,
            patience: Patience::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(vars: &[(&str, &str)]) -> Result<HubAccess, HubFault> {
        HubAccess::from_vars(&|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_nearest_variable_counts() {
        for (vars, folder) in [
            (vec![("HOME", "/h")], "/h/.cache/huggingface/hub"),
            (
                vec![("HOME", "/h"), ("XDG_CACHE_HOME", "/x")],
                "/x/huggingface/hub",
            ),
            (vec![("HOME", "/h"), ("HF_HOME", "/hf")], "/hf/hub"),
            (vec![("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/c")], "/c"),
            (
                vec![("HF_HOME", " "), ("HOME", "/h")],
                "/h/.cache/huggingface/hub",
            ),
        ] {
            assert_eq!(access(&vars).unwrap().folder, PathBuf::from(folder));
        }
        assert!(matches!(access(&[]), Err(HubFault::NoFolder)));
    }

    #[test]
    fn the_token_is_the_variable_or_the_file_and_never_shown() {
        let folder = std::env::temp_dir().join(format!("harness-token-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("token"), "hf_ofthefile\n").unwrap();
        fs::write(folder.join("other"), "hf_ofanother").unwrap();
        let home = ("HF_HOME", folder.to_str().unwrap());
        let other = folder.join("other");
        for (vars, expected) in [
            (vec![home], Some("Bearer hf_ofthefile")),
            (vec![home, ("HF_TOKEN", " hf_v\n")], Some("Bearer hf_v")),
            (
                vec![home, ("HF_TOKEN_PATH", other.to_str().unwrap())],
                Some("Bearer hf_ofanother"),
            ),
            (vec![("HF_HOME", "/nowhere")], None),
        ] {
            let access = access(&vars).unwrap();
            let header = access.token.as_ref().map(Token::header);
            assert_eq!(header.as_deref(), expected);
            assert!(!format!("{access:?}").contains("hf_"), "{access:?}");
        }
        fs::remove_dir_all(folder).unwrap();
        let error = access(&[("HF_HOME", "/x"), ("HF_TOKEN", "hf_a\nhf_b")]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hf_"), "{error:?}");
    }

    #[test]
    fn an_endpoint_is_an_address_without_a_password() {
        let of = |value| access(&[("HOME", "/h"), ("HF_ENDPOINT", value)]);
        assert_eq!(
            of("http://mirror:80/").unwrap().endpoint,
            "http://mirror:80"
        );
        for bad in [
            "mirror",
            "ftp://mirror",
            "https://",
            "https://me:secret@mirror",
        ] {
            let text = of(bad).unwrap_err().to_string();
            assert!(text.starts_with("HF_ENDPOINT is "), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn offline_has_the_words_of_the_hubs_own_library() {
        for (value, expected) in [
            ("1", true),
            ("TRUE", true),
            ("on", true),
            ("0", false),
            ("", false),
        ] {
            let access = access(&[("HOME", "/h"), ("HF_HUB_OFFLINE", value)]).unwrap();
            assert_eq!(access.offline, expected, "{value}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_end() {
        let patience = Patience {
            attempts: 9,
            ..Patience::default()
        };
        let seconds = |attempt, wanted: Option<u64>| {
            let pause = patience.after(attempt, wanted.map(Duration::from_secs));
            pause.map(|pause| pause.as_secs_f64())
        };
        let own: Vec<_> = (1..=9).map(|attempt| seconds(attempt, None)).collect();
        let expected = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0].map(Some);
        assert_eq!(own[..8], expected);
        assert_eq!(own[8], None);
        assert_eq!(seconds(1, Some(7)), Some(7.0));
        assert_eq!(seconds(1, Some(0)), Some(0.5));
        assert_eq!(seconds(1, Some(61)), None);
    }
}
