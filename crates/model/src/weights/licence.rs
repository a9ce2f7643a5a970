//! The licence of weights, as far as their files state one.

use std::path::Path;

use super::Weights;

impl Weights {
    /// The licence that is stated: `general.license` of a GGUF header, or `license` at the head of the `README.md` beside
    /// safetensors, which is a hub's model card. Of a licence of its own a card gives the name.
    pub fn licence(&self) -> Option<String> {
        match self {
            Self::Gguf(w) => w.header().text("general.license").map(str::to_owned),
            Self::Safetensors(w) => {
                let card = w.config_file().with_file_name("README.md");
                of_card(&card)
            }
        }
    }
}

fn of_card(card: &Path) -> Option<String> {
    let text = std::fs::read_to_string(card).ok()?;
    let mut lines = text.lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    let head: Vec<&str> = lines.take_while(|line| line.trim_end() != "---").collect();
    let value = |key: &str| {
        let line = head.iter().find_map(|line| line.strip_prefix(key))?;
        let value = line.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    match value("license:")? {
        other if other == "other" => value("license_name:").or(Some(other)),
        licence => Some(licence),
    }
}

#[cfg(test)]
mod tests {
    use super::of_card;

    #[test]
    fn the_head_of_a_card_states_it() {
        let folder = tempfile::tempdir().unwrap();
        let card = folder.path().join("README.md");
        for (text, expected) in [
            ("---\nlicense: apache-2.0\n---\ntext", Some("apache-2.0")),
            ("---\nlicense: \"mit\"\n---\n", Some("mit")),
            (
                "---\nlicense: other\nlicense_name: deepseek\n---\n",
                Some("deepseek"),
            ),
            ("---\nlicense: other\n---\n", Some("other")),
            ("---\nlicense:\n---\n", None),
            ("license: mit\n", None),
            ("---\ntags: [a]\n---\nlicense: mit\n", None),
            ("", None),
        ] {
            std::fs::write(&card, text).unwrap();
            assert_eq!(of_card(&card).as_deref(), expected, "{text:?}");
        }
        std::fs::remove_file(&card).unwrap();
        assert_eq!(of_card(&card), None);
    }
}
