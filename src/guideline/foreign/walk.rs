//! Walking a document that may be wrong: what is odd becomes a warning, and reading goes on.

use std::str::FromStr;
use std::sync::Arc;

use crate::capability::IdError;
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span, did_you_mean, yaml::Node};

/// A key and the spellings of other versions that are read all the same.
pub(super) type Spec = (&'static str, &'static [&'static str]);

/// Collects what is odd in one file.
pub(super) struct Walk<'s> {
    source: &'s Arc<SourceFile>,
    pub found: Diagnostics,
}

/// The keys of one mapping, each under the name that the schema has for it.
pub(super) struct Keys<'n> {
    entries: Vec<(&'static str, &'n Node)>,
}

impl<'s> Walk<'s> {
    pub fn new(source: &'s Arc<SourceFile>) -> Walk<'s> {
        Walk { source, found: Diagnostics::new() }
    }

    pub fn warn(&mut self, code: &'static str, message: impl Into<String>, at: Span, help: impl Into<String>) {
        let problem = Diagnostic::warning(code, message).label(at, "").help(help).source(self.source);
        self.found.push(problem);
    }

    /// Our parser reads YAML, of which JSON is a part; a file that says it is JSON should be.
    pub fn demand_json(&mut self) {
        if !self.source.name.ends_with(".json") {
            return;
        }
        let text = self.source.text.trim_start_matches('\u{feff}');
        let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
            return;
        };
        let start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let at = start + error.column().saturating_sub(1);
        let help = "other tools will refuse the file; often a comma before a closing bracket is one too many";
        self.warn("G028", format!("not JSON, but YAML: {error}"), Span::new(at, at + 1), help);
    }

    /// The entries of a mapping, resolved to the keys of the schema.
    pub fn keys<'n>(&mut self, node: &'n Node, what: &str, known: &[Spec]) -> Keys<'n> {
        let mut keys = Keys { entries: Vec::new() };
        let Some(map) = node.as_map() else {
            self.wrong_type(node, what, "a mapping");
            return keys;
        };
        for (key, value) in map {
            let name = key.text.as_str();
            if let Some((own, _)) = known.iter().find(|(own, _)| *own == name) {
                keys.entries.push((own, value));
                continue;
            }
            let present = |own: &str| map.iter().any(|(key, _)| key.text == own);
            let other = known.iter().find(|(_, others)| others.contains(&name));
            let meant = other.map(|(own, _)| *own);
            let near = did_you_mean(name, known.iter().map(|(own, _)| *own).filter(|own| !present(own)));
            let near = near.and_then(|near| known.iter().map(|(own, _)| *own).find(|own| *own == near));
            match (meant, near) {
                (Some(own), _) if present(own) => {
                    let help = format!("remove it: `{own}` is used");
                    self.warn("G023", format!("{what} has both `{own}` and `{name}`"), key.span, help);
                }
                (Some(own), _) => {
                    let message = format!("`{name}` is not how this schema spells `{own}`");
                    self.warn("G023", message, key.span, format!("read as `{own}`; write that"));
                    keys.entries.push((own, value));
                }
                (None, Some(own)) => {
                    let message = format!("`{name}` is a misspelt `{own}`");
                    self.warn("G021", message, key.span, format!("read as `{own}`; write that"));
                    keys.entries.push((own, value));
                }
                (None, None) => {
                    let known: Vec<_> = known.iter().map(|(own, _)| *own).collect();
                    let help = format!("ignored; keys of the schema: {}", known.join(", "));
                    self.warn("G022", format!("`{name}` is not a key of {what}"), key.span, help);
                }
            }
        }
        keys
    }

    pub fn wrong_type(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} should be {wanted}, not {}", node.kind_name());
        self.warn("G024", message, node.span, format!("ignored; write {wanted}"));
    }

    /// A text as an id.
    pub fn id<T: FromStr<Err = IdError>>(&mut self, text: &str, at: Span) -> Option<T> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.warn("G027", error.to_string(), at, "left out");
                None
            }
        }
    }

    /// The texts of a list.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<(String, Span)> {
        let Some(items) = node.as_seq() else {
            self.wrong_type(node, what, "a list of strings");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_str() {
                Some("") => self.warn("G025", format!("{what} holds an empty text"), item.span, "remove it"),
                Some(text) => texts.push((text.to_string(), item.span)),
                None => self.wrong_type(item, what, "a list of strings"),
            }
        }
        texts
    }

    /// The ids of a list.
    pub fn ids<T: FromStr<Err = IdError>>(&mut self, node: &Node, what: &str) -> Vec<T> {
        self.texts(node, what).into_iter().filter_map(|(text, at)| self.id(&text, at)).collect()
    }

    /// Each value of a mapping with its key.
    pub fn entries<'n, T>(
        &mut self,
        node: Option<&'n Node>,
        what: &str,
        read: impl Fn(&mut Walk, &'n Node) -> T,
    ) -> Vec<(&'n str, Span, T)> {
        let Some(node) = node else {
            return Vec::new();
        };
        let Some(map) = node.as_map() else {
            self.wrong_type(node, what, "a mapping");
            return Vec::new();
        };
        map.iter().map(|(key, value)| (key.text.as_str(), key.span, read(self, value))).collect()
    }
}

impl<'n> Keys<'n> {
    pub fn node(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(own, _)| *own == key).map(|(_, node)| *node)
    }

    pub fn text(&self, walk: &mut Walk, key: &str) -> Option<String> {
        let node = self.node(key)?;
        if node.as_str().is_none() {
            walk.wrong_type(node, &format!("`{key}`"), "a string");
        }
        node.as_str().map(str::to_string)
    }

    /// A text that is of no use when empty.
    pub fn full_text(&self, walk: &mut Walk, key: &str) -> Option<String> {
        let text = self.text(walk, key)?;
        if let (true, Some(node)) = (text.trim().is_empty(), self.node(key)) {
            walk.warn("G025", format!("`{key}` is empty"), node.span, "write what it is, or remove the key");
            return None;
        }
        Some(text)
    }

    pub fn truth(&self, walk: &mut Walk, key: &str) -> bool {
        let Some(node) = self.node(key) else {
            return false;
        };
        if node.as_bool().is_none() {
            walk.wrong_type(node, &format!("`{key}`"), "true or false");
        }
        node.as_bool().unwrap_or_default()
    }

    /// A whole number, perhaps in quotes as in schema 1.4 to 1.6.
    pub fn number(&self, walk: &mut Walk, key: &str) -> Option<u32> {
        let node = self.node(key)?;
        let number = node.as_i64().and_then(|number| u32::try_from(number).ok());
        let number = number.or_else(|| node.as_str()?.parse().ok());
        if number.is_none() {
            walk.wrong_type(node, &format!("`{key}`"), "a whole number");
        }
        number
    }

    pub fn texts(&self, walk: &mut Walk, key: &str) -> Vec<String> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        walk.texts(node, &format!("`{key}`")).into_iter().map(|(text, _)| text).collect()
    }
}
