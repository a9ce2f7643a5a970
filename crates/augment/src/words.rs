//! Names of tables and columns as English words.

/// The words of a name, in lower case: split at what is no letter or digit, and where small letters meet capitals.
pub fn of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() {
            before = ' ';
            continue;
        }
        let new = before == ' ' || before.is_lowercase() && c.is_uppercase();
        match words.last_mut() {
            Some(word) if !new => word.extend(c.to_lowercase()),
            _ => words.push(c.to_lowercase().collect()),
        }
        before = c;
    }
    words
}

/// A name as a phrase.
pub fn phrase(name: &str) -> String {
    let words = of(name);
    if words.is_empty() {
        name.to_owned()
    } else {
        words.join(" ")
    }
}

/// A name of a table as one of its rows.
pub fn singular(name: &str) -> String {
    let phrase = phrase(name);
    let keeps = ["ss", "us", "is", "series", "news", "species"];
    if keeps.iter().any(|end| phrase.ends_with(end)) || phrase.chars().count() < 4 {
        return phrase;
    }
    if let Some(stem) = phrase.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for end in ["ches", "shes", "sses", "xes"] {
        if phrase.ends_with(end) {
            return phrase[..phrase.len() - 2].to_owned();
        }
    }
    phrase.strip_suffix('s').unwrap_or(&phrase).to_owned()
}

/// Several of what a phrase says.
pub fn plural(phrase: &str) -> String {
    let same = [
        "series",
        "news",
        "species",
        "people",
        "staff",
        "data",
        "details",
        "information",
    ];
    if same.iter().any(|end| phrase.ends_with(end)) {
        return phrase.to_owned();
    }
    if let Some(stem) = phrase.strip_suffix("person") {
        return format!("{stem}people");
    }
    let before_y = phrase.chars().rev().nth(1);
    if let Some(stem) = phrase.strip_suffix('y')
        && before_y.is_some_and(|c| !"aeiou".contains(c))
    {
        return format!("{stem}ies");
    }
    if ["s", "x", "ch", "sh"]
        .iter()
        .any(|end| phrase.ends_with(end))
    {
        return format!("{phrase}es");
    }
    format!("{phrase}s")
}

/// Things with commas and a last word between them.
pub fn listed(things: &[String], last_word: &str) -> String {
    match things {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} {last_word} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        for (name, words) in [
            ("birth_year", "birth year"),
            ("BirthYear", "birth year"),
            ("Sex/Gender (2)", "sex gender 2"),
            ("CustomerID", "customer id"),
            ("__", "__"),
        ] {
            assert_eq!(phrase(name), words);
        }
        for (name, one, many) in [
            ("singers", "singer", "singers"),
            ("Country_Cities", "country city", "country cities"),
            ("Addresses", "address", "addresses"),
            ("bus", "bus", "buses"),
            ("match", "match", "matches"),
            ("tv_series", "tv series", "tv series"),
            ("person", "person", "people"),
        ] {
            assert_eq!(
                (singular(name).as_str(), plural(&singular(name))),
                (one, many.to_owned())
            );
        }
        let things = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(listed(&things, "and"), "a, b and c");
    }
}
