//! Values in words: columns, aggregates, calculations, calls.

use super::{Teller, Told};
use crate::database::Kind;
use crate::reason::Reason;
use crate::skeleton::{Name, Target, inner_text};
use crate::tree::{Expr, LiteralKind, Window};
use crate::words::{listed, phrase, plural};

impl<'a> Teller<'a> {
    /// A value, with its article.
    pub(super) fn value(&mut self, expr: &'a Expr) -> Told {
        match expr {
            Expr::Paren(inner) | Expr::Cast { expr: inner, .. } => self.value(inner),
            Expr::Column { name, .. } => match self.skeleton.names.get(name) {
                Some(Name::Result(number)) => self.result(*number),
                Some(Name::Column { source, target, .. }) => match target {
                    Target::Result(number) => self.result(*number),
                    Target::Column(class) => Ok(self.column(*source, *class)),
                },
                Some(Name::Text) => Ok(self.literal(*name, None)),
                _ => Err(Reason::NoQuestion),
            },
            Expr::Literal { at, sign, .. } => Ok(self.literal(*at, *sign)),
            Expr::Unary(_, inner) => Ok(format!("minus {}", self.value(inner)?)),
            Expr::Scalar(query) => self.body(query),
            Expr::Case {
                operand,
                branches,
                otherwise,
            } => self.case(operand.as_deref(), branches, otherwise.as_deref()),
            Expr::Call {
                name,
                distinct,
                star,
                arguments,
                over,
            } => {
                let told = if *star {
                    format!("the number of {}", self.counted())
                } else {
                    self.call(&self.function(*name), *distinct, arguments)?
                };
                match over {
                    Some(window) => self.window(told, window),
                    None => Ok(told),
                }
            }
            Expr::Binary { op, left, right }
                if matches!(op.as_str(), "+" | "-" | "*" | "/" | "%" | "||") =>
            {
                self.calculation(op, left, right)
            }
            condition => Ok(format!("whether {}", self.condition(condition)?)),
        }
    }

    fn result(&self, number: usize) -> Told {
        self.results.get(&number).cloned().ok_or(Reason::NoQuestion)
    }

    fn column(&self, source: usize, class: usize) -> String {
        let place = self.assignment.place(self.skeleton, class);
        let words = phrase(&self.database.column(place).name);
        let here = self
            .blocks
            .last()
            .is_some_and(|block| block.contains(&source));
        let table = self.skeleton.sources[source].table.is_some();
        if here && (self.alone() || !table) {
            return format!("the {words}");
        }
        let noun = self.noun(source);
        // A column of a query further out is of the row that is being looked at there.
        if here {
            format!("the {words} of the {noun}")
        } else {
            format!("the {words} of that {noun}")
        }
    }

    /// A value without its article.
    fn bare(&mut self, expr: &'a Expr) -> Told {
        let told = self.value(expr)?;
        Ok(told.strip_prefix("the ").unwrap_or(&told).to_owned())
    }

    pub(super) fn calculation(&mut self, op: &str, left: &'a Expr, right: &'a Expr) -> Told {
        let word = match op {
            "+" => "plus",
            "-" => "minus",
            "*" => "times",
            "/" => "divided by",
            "%" => "modulo",
            "||" => "followed by",
            _ => return Err(Reason::NoQuestion),
        };
        let (left, right) = (self.value(left)?, self.value(right)?);
        Ok(format!("{} {word} {}", enclosed(left), enclosed(right)))
    }

    /// A value that only rows with some condition have: the condition, the value, and whether other rows have 0 rather
    /// than nothing.
    fn conditional(&self, expr: &'a Expr) -> Option<(&'a Expr, &'a Expr, bool)> {
        let (condition, then, otherwise) = match expr.bare() {
            Expr::Case {
                operand: None,
                branches,
                otherwise,
            } => match branches.as_slice() {
                [(when, then)] => (when, then, otherwise.as_deref()),
                _ => return None,
            },
            Expr::Call {
                name, arguments, ..
            } if self.function(*name) == "IIF" => match arguments.as_slice() {
                [condition, then, otherwise] => (condition, then, Some(otherwise)),
                _ => return None,
            },
            _ => return None,
        };
        match otherwise.map(|it| self.written(it)) {
            None => Some((condition, then, false)),
            Some(Some("0" | "0.0")) => Some((condition, then, true)),
            Some(Some(text)) if text.eq_ignore_ascii_case("null") => Some((condition, then, false)),
            Some(_) => None,
        }
    }

    /// How a literal is written.
    fn written(&self, expr: &Expr) -> Option<&str> {
        match expr.bare() {
            Expr::Literal { at, .. } => Some(self.text(*at)),
            _ => None,
        }
    }

    /// An aggregate over the rows of which a condition is true.
    fn conditional_aggregate(
        &mut self,
        function: &str,
        distinct: bool,
        argument: &'a Expr,
    ) -> Result<Option<String>, Reason> {
        let Some((condition, then, zero)) = self.conditional(argument) else {
            return Ok(None);
        };
        let one = matches!(self.written(then), Some("1" | "1.0"));
        let different = if distinct { "different " } else { "" };
        let what = match function {
            "SUM" | "TOTAL" if one => format!("the number of {}", self.counted()),
            "SUM" | "TOTAL" => format!("the total {different}{}", self.bare(then)?),
            "COUNT" if zero => return Ok(None),
            "COUNT" if self.written(then).is_some() => format!("the number of {}", self.counted()),
            "COUNT" => self.count_of(different, then)?,
            "AVG" if !zero => format!("the average {different}{}", self.bare(then)?),
            _ => return Ok(None),
        };
        Ok(Some(format!("{what} where {}", self.condition(condition)?)))
    }

    fn count_of(&mut self, different: &str, what: &'a Expr) -> Told {
        if let Some((source, class)) = self.column_of(what)
            && different.is_empty()
            && self
                .database
                .column(self.assignment.place(self.skeleton, class))
                .identifier
            && self
                .blocks
                .last()
                .is_some_and(|block| block.contains(&source))
        {
            return Ok(format!("the number of {}", self.counted()));
        }
        let what = self.bare(what)?;
        Ok(match what.split_once(" of the ") {
            Some((column, of)) => {
                format!("the number of {different}{} of the {of}", plural(column))
            }
            None => format!("the number of {different}{}", plural(&what)),
        })
    }

    fn call(&mut self, function: &str, distinct: bool, arguments: &'a [Expr]) -> Told {
        if let [only] = arguments
            && let Some(told) = self.conditional_aggregate(function, distinct, only)?
        {
            return Ok(told);
        }
        let different = if distinct { "different " } else { "" };
        match (function, arguments) {
            ("COUNT", [only]) => self.count_of(different, only),
            ("SUM" | "TOTAL", [only]) => Ok(format!("the total {different}{}", self.bare(only)?)),
            ("AVG", [only]) => Ok(format!("the average {different}{}", self.bare(only)?)),
            ("MAX" | "MIN", [only]) => {
                let which = match (self.kind(only), function) {
                    (Some(Kind::Date), "MAX") => "latest",
                    (Some(Kind::Date), _) => "earliest",
                    (_, "MAX") => "highest",
                    _ => "lowest",
                };
                Ok(format!("the {which} {}", self.bare(only)?))
            }
            ("MAX" | "MIN", several) => {
                let which = if function == "MAX" {
                    "highest"
                } else {
                    "lowest"
                };
                Ok(format!("the {which} of {}", self.values(several)?))
            }
            ("GROUP_CONCAT", [only, ..]) => Ok(format!(
                "the {different}values of {} in one text",
                self.value(only)?
            )),
            ("ROUND", [only]) => Ok(format!("{} rounded to a whole number", self.value(only)?)),
            ("ROUND", [only, places]) => {
                let (value, places) = (self.value(only)?, self.value(places)?);
                Ok(format!("{value} rounded to {places} decimals"))
            }
            ("ABS", [only]) => Ok(format!("the absolute value of {}", self.value(only)?)),
            ("LENGTH", [only]) => Ok(format!("the length of {}", self.value(only)?)),
            ("UPPER", [only]) => Ok(format!("{} in capital letters", self.value(only)?)),
            ("LOWER", [only]) => Ok(format!("{} in small letters", self.value(only)?)),
            ("TRIM" | "LTRIM" | "RTRIM", [only]) => {
                Ok(format!("{} without blanks around it", self.value(only)?))
            }
            ("SUBSTR" | "SUBSTRING", [text, rest @ ..]) => self.substring(text, rest),
            ("INSTR", [text, part]) => {
                let (text, part) = (self.value(text)?, self.value(part)?);
                Ok(format!("the position of {part} in {text}"))
            }
            ("REPLACE", [text, old, new]) => {
                let (text, old, new) = (self.value(text)?, self.value(old)?, self.value(new)?);
                Ok(format!("{text} with {new} in place of {old}"))
            }
            ("COALESCE" | "IFNULL", [first, rest @ ..]) if !rest.is_empty() => {
                let first = self.value(first)?;
                Ok(format!(
                    "{first} (or {} if it is missing)",
                    self.values(rest)?
                ))
            }
            ("NULLIF", [first, second]) => {
                let (first, second) = (self.value(first)?, self.value(second)?);
                Ok(format!("{first} (or nothing if it is {second})"))
            }
            ("IIF", [condition, then, otherwise]) => {
                let condition = self.condition(condition)?;
                let (then, otherwise) = (self.value(then)?, self.value(otherwise)?);
                Ok(format!("{then} if {condition} and otherwise {otherwise}"))
            }
            ("DATE" | "TIME" | "DATETIME" | "JULIANDAY" | "STRFTIME", _) => {
                self.date(function, arguments)
            }
            ("ROW_NUMBER", []) => Ok("the row number".to_owned()),
            ("RANK", []) => Ok("the rank".to_owned()),
            ("DENSE_RANK", []) => Ok("the dense rank".to_owned()),
            ("LAG" | "LEAD", [only]) => {
                let which = if function == "LAG" {
                    "previous"
                } else {
                    "next"
                };
                Ok(format!("the {which} {}", self.bare(only)?))
            }
            _ => Err(Reason::NoQuestion),
        }
    }

    fn values(&mut self, several: &'a [Expr]) -> Told {
        let told: Result<Vec<String>, Reason> = several.iter().map(|it| self.value(it)).collect();
        Ok(listed(&told?, "and"))
    }

    fn substring(&mut self, text: &'a Expr, rest: &'a [Expr]) -> Told {
        let text = self.value(text)?;
        let numbers: Result<Vec<String>, Reason> = rest.iter().map(|it| self.value(it)).collect();
        Ok(match numbers?.as_slice() {
            [from, length] if from == "1" => format!("the first {length} characters of {text}"),
            [from, length] if from.strip_prefix('-') == Some(length) => {
                format!("the last {length} characters of {text}")
            }
            [from, length] => format!("the {length} characters from position {from} of {text}"),
            [from] => format!("the part from position {from} on of {text}"),
            _ => return Err(Reason::NoQuestion),
        })
    }

    fn date(&mut self, function: &str, arguments: &'a [Expr]) -> Told {
        let quoted = |teller: &Self, expr: &Expr| match expr.bare() {
            Expr::Literal {
                at,
                kind: LiteralKind::Text,
                ..
            }
            | Expr::Column {
                qualifier: None,
                name: at,
            } if teller.text(*at).starts_with(['\'', '"']) => Some(inner_text(teller.text(*at))),
            _ => None,
        };
        let (format, rest) = match (function, arguments) {
            ("STRFTIME", [format, rest @ ..]) => (quoted(self, format), rest),
            (_, rest) => (None, rest),
        };
        let value = match rest {
            [] => "the current time".to_owned(),
            [first, ..] => match quoted(self, first) {
                Some(text) if text.eq_ignore_ascii_case("now") => "the current time".to_owned(),
                Some(_) => return Err(Reason::NoQuestion),
                None => self.value(first)?,
            },
        };
        let modifiers: Vec<String> = rest
            .iter()
            .skip(1)
            .filter_map(|it| quoted(self, it))
            .collect();
        if modifiers.len() + 1 < rest.len() {
            return Err(Reason::NoQuestion);
        }
        let value = match modifiers.as_slice() {
            [] => value,
            some => format!("{value} ({})", some.join(", ")),
        };
        Ok(match (function, format.as_deref()) {
            ("STRFTIME", Some("%Y")) => format!("the year of {value}"),
            ("STRFTIME", Some("%m")) => format!("the month of {value}"),
            ("STRFTIME", Some("%d")) => format!("the day of the month of {value}"),
            ("STRFTIME", Some("%Y-%m")) => format!("the year and month of {value}"),
            ("STRFTIME", Some("%J")) | ("JULIANDAY", _) => format!("the day number of {value}"),
            ("STRFTIME", Some(format)) => format!("{value} in the format \"{format}\""),
            ("DATE", _) => format!("the date of {value}"),
            ("TIME", _) => format!("the time of day of {value}"),
            ("DATETIME", _) => format!("the date and time of {value}"),
            _ => return Err(Reason::NoQuestion),
        })
    }

    fn case(
        &mut self,
        operand: Option<&'a Expr>,
        branches: &'a [(Expr, Expr)],
        otherwise: Option<&'a Expr>,
    ) -> Told {
        let mut told = Vec::new();
        for (when, then) in branches {
            let condition = match operand {
                Some(operand) => format!("{} is {}", self.value(operand)?, self.value(when)?),
                None => self.condition(when)?,
            };
            told.push(format!("{} if {condition}", self.value(then)?));
        }
        let last = match otherwise {
            Some(otherwise) => self.value(otherwise)?,
            None => "nothing".to_owned(),
        };
        Ok(format!("{} and otherwise {last}", told.join(", ")))
    }

    fn window(&mut self, told: String, window: &'a Window) -> Told {
        let mut told = told;
        if !window.partition.is_empty() {
            let keys = self.values(&window.partition)?;
            told = format!("{told} within each group of {keys}");
        }
        let mut terms = Vec::new();
        for order in &window.order {
            let way = if order.descending {
                "from highest to lowest"
            } else {
                "from lowest to highest"
            };
            terms.push(format!("{} {way}", self.value(&order.expr)?));
        }
        Ok(if terms.is_empty() {
            told
        } else {
            format!("{told} by {}", listed(&terms, "and then"))
        })
    }
}

/// A part of a calculation: in parentheses where it could be taken to reach further than it does.
fn enclosed(told: String) -> String {
    let reaches = [
        " where ",
        " if ",
        " plus ",
        " minus ",
        " divided by ",
        " by ",
    ];
    if reaches.iter().any(|word| told.contains(word)) {
        format!("({told})")
    } else {
        told
    }
}
