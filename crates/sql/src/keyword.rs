//! The words that the template rules know by name (R6–R10), each with the rule that decides about it.

/// What the rules do with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// R7: always kept, also right after AS.
    Reserved,
    /// R8: always kept.
    Plain,
    /// R9: kept in its place only.
    Placed,
    /// An ordinary word, in the table because another rule asks whether a word is this one.
    Named,
}

/// A word of the table; `spelling` is in upper case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyword {
    pub spelling: &'static str,
    pub role: Role,
    /// Its place in the table.
    pub place: u8,
}

/// Words in the table.
pub(crate) const N_KEYWORDS: usize = KEYWORDS.len();

/// The keyword that `word` is in any ASCII case.
///
/// Every word of every query comes here, and most are names: the first letter leaves a few spellings, and their lengths
/// mostly none.
pub(crate) fn lookup(word: &str) -> Option<Keyword> {
    let letter = word.as_bytes().first()?.to_ascii_uppercase();
    let place = usize::from(letter.wrapping_sub(b'A'));
    let (from, to) = (*FIRST.get(place)?, *FIRST.get(place + 1)?);
    (from..to).find_map(|at| {
        let (spelling, role) = KEYWORDS[usize::from(at)];
        spelling.eq_ignore_ascii_case(word).then_some(Keyword {
            spelling,
            role,
            place: at,
        })
    })
}

/// The spelling at a place of the table.
pub(crate) fn spelling(place: usize) -> Option<&'static str> {
    KEYWORDS.get(place).map(|(spelling, _)| *spelling)
}

/// For each letter the place of the first word that begins with it or a later one.
const FIRST: [u8; 27] = {
    let mut first = [KEYWORDS.len() as u8; 27];
    let mut letter = 0;
    while letter < 26 {
        let mut at = 0;
        while at < KEYWORDS.len() && KEYWORDS[at].0.as_bytes()[0] < b'A' + letter as u8 {
            at += 1;
        }
        first[letter] = at as u8;
        letter += 1;
    }
    first
};

/// Whether the template rules know `word`, in any ASCII case, as a keyword wherever it stands.
pub fn is_keyword(word: &str) -> bool {
    lookup(word).is_some_and(|found| matches!(found.role, Role::Reserved | Role::Plain))
}

use Role::{Named, Placed, Plain, Reserved};

/// Sorted by spelling. The 58 reserved words are those that `SQLite` 3.40 refuses as a bare column
/// name, less the function-like CAST and RAISE.
#[rustfmt::skip]
const KEYWORDS: &[(&str, Role)] = &[
    ("ADD", Reserved), ("ALL", Reserved), ("ALTER", Reserved), ("AND", Reserved), ("AS", Reserved),
    ("ASC", Plain), ("AUTOINCREMENT", Reserved), ("BETWEEN", Reserved), ("BY", Plain),
    ("CASE", Reserved), ("CAST", Named), ("CHECK", Reserved), ("COLLATE", Reserved),
    ("COLUMN", Placed), ("COMMIT", Reserved), ("CONSTRAINT", Reserved), ("CREATE", Reserved),
    ("CROSS", Plain), ("CURRENT", Placed), ("CURRENT_DATE", Plain), ("CURRENT_TIME", Plain),
    ("CURRENT_TIMESTAMP", Plain), ("DEFAULT", Reserved), ("DEFERRABLE", Reserved),
    ("DELETE", Reserved), ("DESC", Plain), ("DISTINCT", Reserved), ("DROP", Reserved),
    ("ELSE", Reserved), ("END", Placed), ("ESCAPE", Reserved), ("EXCEPT", Reserved),
    ("EXISTS", Reserved), ("FIRST", Placed), ("FOLLOWING", Placed), ("FOREIGN", Reserved),
    ("FROM", Reserved), ("FULL", Placed), ("GLOB", Plain), ("GROUP", Reserved),
    ("GROUPS", Placed), ("HAVING", Reserved), ("IF", Placed), ("ILIKE", Plain), ("IN", Reserved),
    ("INDEX", Reserved), ("INNER", Plain), ("INSERT", Reserved), ("INTERSECT", Reserved),
    ("INTERVAL", Placed), ("INTO", Reserved), ("IS", Reserved), ("ISNULL", Reserved),
    ("JOIN", Reserved), ("KEY", Placed), ("LAST", Placed), ("LEFT", Placed), ("LIKE", Plain),
    ("LIMIT", Reserved), ("NATURAL", Plain), ("NOT", Reserved), ("NOTHING", Reserved),
    ("NOTNULL", Reserved), ("NULL", Reserved), ("NULLS", Placed), ("OFFSET", Plain),
    ("ON", Reserved), ("OR", Reserved), ("ORDER", Reserved), ("OUTER", Plain), ("OVER", Placed),
    ("PARTITION", Placed), ("PRECEDING", Placed), ("PRIMARY", Reserved), ("RANGE", Placed),
    ("RECURSIVE", Placed), ("REFERENCES", Reserved), ("REGEXP", Plain), ("REPLACE", Placed),
    ("RETURNING", Reserved), ("RIGHT", Placed), ("ROW", Placed), ("ROWS", Placed),
    ("SELECT", Reserved), ("SET", Reserved), ("TABLE", Reserved), ("THEN", Reserved),
    ("TO", Reserved), ("TRANSACTION", Reserved), ("TRY_CAST", Named), ("UNBOUNDED", Placed),
    ("UNION", Reserved), ("UNIQUE", Reserved), ("UPDATE", Reserved), ("USING", Reserved),
    ("VALUES", Reserved), ("VIEW", Placed), ("WHEN", Reserved), ("WHERE", Reserved),
    ("WITH", Plain),
];

#[cfg(test)]
mod tests {
    use super::{KEYWORDS, Role, lookup};

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert!(KEYWORDS.is_sorted_by(|a, b| a.0 < b.0));
        let count = |role| KEYWORDS.iter().filter(|(_, r)| *r == role).count();
        assert_eq!(count(Role::Reserved), 58);
        assert_eq!(count(Role::Plain), 16);
    }

    #[test]
    fn lookup_ignores_ascii_case_only() {
        assert_eq!(lookup("sElEcT").unwrap().spelling, "SELECT");
        for (word, _) in KEYWORDS {
            assert_eq!(lookup(word).unwrap().spelling, *word);
        }
        assert!(lookup("SELEC").is_none() && lookup("SELECTS").is_none() && lookup("").is_none());
        // LATIN SMALL LETTER DOTLESS I and LONG S upper-case to ASCII in Unicode; they are no keywords.
        assert!(lookup("l\u{131}mit").is_none() && lookup("\u{17F}elect").is_none());
    }
}
