//! Walking a document key by key: wrong types, missing and unknown keys are collected, never the first one only.

use std::str::FromStr;
use std::sync::Arc;

use crate::capability::IdError;
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span, did_you_mean, yaml::Node};

/// Collects the problems of one file.
pub(super) struct Reader<'s> {
    source: &'s Arc<SourceFile>,
    pub problems: Diagnostics,
}

/// A text with its place.
pub(super) type Text = (String, Span);

impl<'s> Reader<'s> {
    pub fn new(source: &'s Arc<SourceFile>) -> Reader<'s> {
        Reader { source, problems: Diagnostics::new() }
    }

    pub fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem.source(self.source));
    }

    /// The value with the warnings, or all problems when one of them is an error.
    pub fn result<T>(self, value: T) -> Result<(T, Diagnostics), Diagnostics> {
        if self.problems.has_errors() { Err(self.problems) } else { Ok((value, self.problems)) }
    }

    /// The keys of a mapping; anything else is reported.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        if node.as_map().is_none() {
            self.wrong_type(node, what, "a mapping");
            return None;
        }
        Some(Fields { node, what, known: Vec::new() })
    }

    pub fn wrong_type(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} must be {wanted}, not {}", node.kind_name());
        self.report(Diagnostic::error("G005", message).label(node.span, ""));
    }

    pub fn missing(&mut self, node: &Node, what: &str, key: &str) {
        let start = Span::new(node.span.start, node.span.start + 1);
        let message = format!("{what} lacks the key `{key}`");
        self.report(Diagnostic::error("G004", message).label(start, "in this mapping"));
    }

    /// A text as an id.
    pub fn id<T: FromStr<Err = IdError>>(&mut self, text: Text) -> Option<T> {
        self.text_id(&text.0, text.1)
    }

    /// A text at a place as an id.
    pub fn text_id<T: FromStr<Err = IdError>>(&mut self, text: &str, span: Span) -> Option<T> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.report(Diagnostic::error("G006", error.to_string()).label(span, ""));
                None
            }
        }
    }

    /// The texts of a list.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<Text> {
        let Some(items) = node.as_seq() else {
            self.wrong_type(node, what, "a list of strings");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_str() {
                Some(text) => texts.push((text.to_string(), item.span)),
                None => self.wrong_type(item, what, "a list of strings"),
            }
        }
        texts
    }
}

/// The keys of one mapping. What has been asked for is known; [`Fields::finish`] reports the rest.
pub(super) struct Fields<'n> {
    node: &'n Node,
    what: &'static str,
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        self.node.get(key)
    }

    pub fn needed(&mut self, reader: &mut Reader, key: &'static str) -> Option<&'n Node> {
        let node = self.node(key);
        if node.is_none() {
            reader.missing(self.node, self.what, key);
        }
        node
    }

    pub fn text(&mut self, reader: &mut Reader, key: &'static str, needed: bool) -> Option<Text> {
        let node = if needed { self.needed(reader, key) } else { self.node(key) }?;
        if node.as_str().is_none() {
            reader.wrong_type(node, &format!("`{key}`"), "a string");
        }
        node.as_str().map(|text| (text.to_string(), node.span))
    }

    /// A text that may be absent.
    pub fn maybe(&mut self, reader: &mut Reader, key: &'static str) -> Option<String> {
        self.text(reader, key, false).map(|(text, _)| text)
    }

    pub fn flag(&mut self, reader: &mut Reader, key: &'static str) -> bool {
        let Some(node) = self.node(key) else {
            return false;
        };
        if node.as_bool().is_none() {
            reader.wrong_type(node, &format!("`{key}`"), "true or false");
        }
        node.as_bool().unwrap_or_default()
    }

    /// A whole number in the range.
    pub fn number(&mut self, reader: &mut Reader, key: &'static str, least: u32, most: u32) -> Option<u32> {
        let node = self.node(key)?;
        let number = node.as_i64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let message = format!("`{key}` must be a whole number from {least} to {most}");
            reader.report(Diagnostic::error("G008", message).label(node.span, ""));
        }
        number
    }

    pub fn list(&mut self, reader: &mut Reader, key: &'static str) -> Vec<Text> {
        self.node(key).map_or_else(Vec::new, |node| reader.texts(node, &format!("`{key}`")))
    }

    /// Reports the keys that nothing asked for.
    pub fn finish(self, reader: &mut Reader) {
        for (key, _) in self.node.as_map().unwrap_or_default() {
            if self.known.contains(&key.text.as_str()) {
                continue;
            }
            let message = format!("`{}` is not a key of {}", key.text, self.what);
            let problem = Diagnostic::error("G003", message).label(key.span, "");
            let absent = self.known.iter().copied().filter(|known| self.node.get(known).is_none());
            reader.report(match did_you_mean(&key.text, absent) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("known keys: {}", self.known.join(", "))),
            });
        }
    }
}
