//! Where configuration text came from, and how to show a place in it.

/// A position in one of the [`Sources`].
///
/// Places are ordered as they are read: by source, line and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Index of the source.
    pub source: usize,
    /// Line, from 1; 0 if unknown.
    pub line: usize,
    /// Column in characters, from 1; 0 if unknown.
    pub column: usize,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A file: places in it are shown as `file:line:column` with the line itself.
    File,
    /// An override of the command line: it is shown whole.
    Override,
}

#[derive(Debug)]
struct Source {
    origin: Origin,
    name: String,
    text: String,
}

/// All texts that were read for one specification.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    /// Adds a source and returns its index. `name` is the file's path or the override as it was given.
    pub(crate) fn add(&mut self, origin: Origin, name: String, text: String) -> usize {
        self.0.push(Source { origin, name, text });
        self.0.len() - 1
    }

    /// `file:line:column`, or the override in the user's words.
    pub(crate) fn locate(&self, place: Place) -> String {
        let Some(source) = self.0.get(place.source) else {
            return String::new();
        };
        match source.origin {
            Origin::Override => format!("--set {}", source.name),
            Origin::File if place.line == 0 => source.name.clone(),
            Origin::File => format!("{}:{}:{}", source.name, place.line, place.column),
        }
    }

    /// The line of `place` with a caret under its column; `None` for overrides and unknown lines.
    pub(crate) fn excerpt(&self, place: Place) -> Option<String> {
        let source = self.0.get(place.source)?;
        if source.origin == Origin::Override || place.line == 0 {
            return None;
        }
        let line = source.text.lines().nth(place.line - 1)?;
        // A line of a thousand columns helps nobody; the caret's surroundings do.
        let start = place.column.saturating_sub(60);
        let shown: String = line
            .chars()
            .skip(start)
            .take(90)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        let caret = " ".repeat(place.column.saturating_sub(1 + start));
        Some(format!("{number} | {shown}\n{margin} | {caret}^"))
    }
}
