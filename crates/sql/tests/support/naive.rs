//! A second templater, deliberately naive: it follows the rules sentence by sentence, asks for every
//! token anew what stands to its left, and takes quadratic time. It shares no code with the library.

/// Class (one letter) and text of a token: s string, q quoted, n number, w word, o operator, p
/// punctuation, x other.
type Token = (char, String);

fn is_space(c: char) -> bool {
    matches!(c as u32, 9..=13 | 32 | 0x85 | 0xA0 | 0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000)
}

fn word_start(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_') || (c as u32 > 127 && !is_space(c))
}

fn word_part(c: char) -> bool {
    word_start(c) || c == '$' || c.is_ascii_digit()
}

fn starts(text: &[char], at: usize, with: &str) -> bool {
    text[at..]
        .iter()
        .take(with.chars().count())
        .copied()
        .eq(with.chars())
}

fn span(text: &[char], at: usize, fits: impl Fn(char) -> bool) -> usize {
    text[at..].iter().take_while(|c| fits(**c)).count()
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn tokens(sql: &str) -> Option<Vec<Token>> {
    let text: Vec<char> = sql.chars().collect();
    let mut out: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let c = text[at];
        if is_space(c) {
            at += 1;
            continue;
        }
        if starts(&text, at, "--") {
            at += span(&text, at, |c| c != '\n');
            continue;
        }
        if starts(&text, at, "/*") {
            at += 2;
            while at < text.len() && !starts(&text, at, "*/") {
                at += 1;
            }
            at = (at + 2).min(text.len());
            continue;
        }
        if c == ';' {
            if !out.is_empty() {
                break;
            }
            at += 1;
            continue;
        }
        let (class, length) = one(&text, at)?;
        out.push((class, text[at..at + length].iter().collect()));
        at += length;
    }
    Some(out)
}

fn one(text: &[char], at: usize) -> Option<(char, usize)> {
    let c = text[at];
    for (mark, class) in [('\'', 's'), ('"', 'q'), ('`', 'q')] {
        if c == mark {
            let mut end = at + 1;
            loop {
                if *text.get(end)? != mark {
                    end += 1;
                } else if text.get(end + 1) == Some(&mark) {
                    end += 2;
                } else {
                    return Some((class, end + 1 - at));
                }
            }
        }
    }
    if c == '[' {
        return Some(('q', text[at..].iter().position(|c| *c == ']')? + 1));
    }
    let dotted = c == '.' && text.get(at + 1).is_some_and(|c| digit(*c));
    if digit(c) || dotted {
        let mut end = at + span(text, at, digit);
        if text.get(end) == Some(&'.') {
            end += 1 + span(text, end + 1, digit);
        }
        if matches!(text.get(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(text.get(end + 1), Some('+' | '-')));
            let digits = text
                .get(end + 1 + sign..)
                .map_or(0, |_| span(text, end + 1 + sign, digit));
            if digits > 0 {
                end += 1 + sign + digits;
            }
        }
        end += span(text, end, word_part);
        return Some(('n', end - at));
    }
    if word_start(c) {
        return Some(('w', span(text, at, word_part)));
    }
    if "?:@$#".contains(c) && !starts(text, at, "::") {
        return Some(('x', 1 + span(text, at + 1, word_part)));
    }
    let operators = "->> || -> << >> <= >= <> != == :: = < > + - * / % & | ~";
    if let Some(operator) = operators.split(' ').find(|o| starts(text, at, o)) {
        return Some(('o', operator.len()));
    }
    Some((if "(),.".contains(c) { 'p' } else { 'x' }, 1))
}

const RESERVED: &str = " ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT \
    DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS \
    ISNULL JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO \
    TRANSACTION UNION UNIQUE UPDATE USING VALUES WHEN WHERE ";
const PLAIN: &str = " ASC BY CROSS CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DESC GLOB ILIKE INNER LIKE NATURAL OFFSET \
    OUTER REGEXP WITH ";

fn listed(list: &str, word: &str) -> bool {
    !word.is_empty() && list.contains(&format!(" {word} "))
}

struct Reader {
    tokens: Vec<Token>,
}

impl Reader {
    /// Upper-cased word at a place, else "".
    fn word(&self, at: isize) -> String {
        match self.at(at) {
            Some(('w', text)) => text.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    fn at(&self, at: isize) -> Option<&Token> {
        usize::try_from(at).ok().and_then(|at| self.tokens.get(at))
    }

    fn text(&self, at: isize) -> &str {
        self.at(at)
            .filter(|t| "op".contains(t.0))
            .map_or("", |t| t.1.as_str())
    }

    /// The word that opened the parenthesis directly around `at`.
    fn opener(&self, at: isize) -> String {
        self.open_before(at)
            .map_or(String::new(), |open| self.word(open - 1))
    }

    fn open_before(&self, at: isize) -> Option<isize> {
        let mut open = Vec::new();
        for before in 0..at {
            match self.text(before) {
                "(" => open.push(before),
                ")" => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.pop()
    }

    fn dotted(&self, at: isize) -> bool {
        self.text(at - 1) == "." || self.text(at + 1) == "." || self.text(at - 1) == "::"
    }

    /// R6: where the type that an AS begins ends, seen from the AS.
    fn type_end(&self, at: isize) -> isize {
        let mut depth = 0;
        let mut end = at;
        while self.at(end).is_some() {
            match self.text(end) {
                "(" => depth += 1,
                ")" if depth == 0 => break,
                ")" => depth -= 1,
                _ => {}
            }
            end += 1;
        }
        end
    }

    /// R9; `kept` holds the words kept so far, an END of R10 written in small letters.
    fn in_place(&self, at: isize, kept: &[String]) -> bool {
        let (before, after) = (self.word(at - 1), self.word(at + 1));
        let number = |word: &str| kept.iter().filter(|k| *k == word).count();
        match self.word(at).as_str() {
            "END" => number("CASE") > number("END"),
            "LEFT" | "RIGHT" | "FULL" => after == "JOIN" || after == "OUTER",
            "NULLS" => after == "FIRST" || after == "LAST",
            "FIRST" | "LAST" => before == "NULLS",
            "PARTITION" => after == "BY",
            "OVER" => self.text(at - 1) == ")",
            "RECURSIVE" => before == "WITH",
            "REPLACE" => after == "INTO",
            "IF" => after == "NOT" || after == "EXISTS",
            "VIEW" => listed(" CREATE DROP ALTER ", &before),
            "COLUMN" => listed(" ADD DROP ALTER ", &before),
            "KEY" => listed(" PRIMARY FOREIGN ", &before),
            "INTERVAL" => self.at(at + 1).is_some_and(|t| "sn".contains(t.0)),
            word => {
                listed(
                    " CURRENT FOLLOWING GROUPS PRECEDING RANGE ROW ROWS UNBOUNDED ",
                    word,
                ) && self.opener(at) == "OVER"
            }
        }
    }

    fn function(&self, at: isize) -> bool {
        self.text(at + 1) == "("
            && !listed(
                " EXISTS INTO RECURSIVE REFERENCES TABLE WITH ",
                &self.word(at - 1),
            )
    }
}

/// The printed template, or the reason why there is none.
pub fn template(sql: &str) -> String {
    let Some(tokens) = tokens(sql) else {
        return "unterminated".into();
    };
    let reader = Reader { tokens };
    // What each place gives: nothing, or the token as it is printed.
    let mut given: Vec<Option<String>> = vec![None; reader.tokens.len()];
    let mut kept: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some((class, text)) = reader.at(at) {
        let place = at as usize;
        let word = reader.word(at);
        let cast =
            word == "AS" && !reader.dotted(at) && listed(" CAST TRY_CAST ", &reader.opener(at));
        if cast {
            at = reader.type_end(at);
            continue;
        }
        given[place] = match class {
            'w' if reader.dotted(at) || word == "AS" => None,
            'w' if reader.word(at - 1) == "AS" && !listed(RESERVED, &word) => None,
            'w' if listed(RESERVED, &word)
                || listed(PLAIN, &word)
                || reader.in_place(at, &kept) =>
            {
                kept.push(word.clone());
                Some(word)
            }
            'w' if reader.function(at) => Some(word),
            'o' if (text == "+" || text == "-")
                && reader.at(at + 1).is_some_and(|t| t.0 == 'n') =>
            {
                let mut left = at - 1;
                while reader.text(left) == "." {
                    left -= 1;
                }
                let operand = match reader.at(left) {
                    None => false,
                    Some(('w', _)) => given[left as usize].as_deref().is_none_or(|kept| {
                        listed(
                            " END NULL CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP ",
                            kept,
                        )
                    }),
                    Some((class, text)) => "sqnx".contains(*class) || text == ")",
                };
                operand.then(|| text.clone())
            }
            'o' => Some(text.replace("<>", "!=").replace("==", "=")),
            'p' if text != "." => Some(text.clone()),
            _ => None,
        };
        at += 1;
    }
    let printed: Vec<String> = given.into_iter().flatten().collect();
    match printed.first().map(String::as_str) {
        None => "empty".into(),
        Some(first)
            if listed(
                " ( SELECT WITH VALUES INSERT UPDATE DELETE REPLACE CREATE ALTER DROP ",
                first,
            ) =>
        {
            printed.join(" ")
        }
        Some(_) => "not_sql".into(),
    }
}
