//! Mappings with known keys, and values of simple types.

use std::time::Duration;

use super::super::codes;
use super::super::keys::{self, Kind, Object};
use super::Reader;
use crate::text::yaml::{Key, Node, Value};
use crate::text::{Diagnostic, Span, did_you_mean, parse_duration, parse_size};

/// A mapping whose keys were compared with its table.
pub(super) struct Fields<'n> {
    pub(super) node: &'n Node,
    object: &'static Object,
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        debug_assert!(self.object.key(name).is_some(), "`{name}` is not in the table of {}", self.object.name);
        self.node.get(name)
    }

    /// The place of a key, or of the mapping's first one.
    pub(super) fn key_span(&self, name: &str) -> Span {
        self.node.entry(name).map_or_else(|| first_key(self.node), |(key, _)| key.span)
    }
}

/// The place of the first key: where a problem with the mapping as a whole is shown.
pub(super) fn first_key(node: &Node) -> Span {
    node.as_map().and_then(|entries| entries.first()).map_or(node.span, |(key, _)| key.span)
}

/// `kebab-case`: letters and digits in groups joined by single hyphens, starting with a letter.
fn is_kebab(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|group| {
            !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

/// A name that CEL takes as an identifier.
pub(super) fn is_variable(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "namespace",
        "package",
        "return",
        "var",
        "void",
        "while",
    ];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !WORDS.contains(&text)
}

/// A field name of RFC 9110 §5.1.
fn is_field_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

impl Reader {
    /// Takes a mapping and compares its keys with the table.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, object: &'static Object) -> Option<Fields<'n>> {
        let entries = self.map(node, object.name)?;
        for (key, _) in entries {
            if object.key(&key.text).is_none() {
                self.unknown_key(key, object);
            }
        }
        for wanted in object.all_keys().filter(|key| key.required) {
            if node.get(wanted.name).is_none() && wanted.name != "format" {
                let message = format!("`{}` is missing in the {}", wanted.name, object.name);
                let span = first_key(node);
                self.error(codes::MISSING_KEY, span, message, format!("add `{}`: {}", wanted.name, wanted.doc));
            }
        }
        self.exactly_one(node, object);
        Some(Fields { node, object })
    }

    fn exactly_one(&mut self, node: &Node, object: &'static Object) {
        if object.one_of.is_empty() {
            return;
        }
        let given: Vec<&Key> = node
            .as_map()
            .unwrap_or_default()
            .iter()
            .map(|(key, _)| key)
            .filter(|key| object.one_of.contains(&key.text.as_str()))
            .collect();
        let choices = || object.one_of.join("`, `");
        match given.as_slice() {
            [_] => {}
            [] => {
                let message = format!("the {} needs one of `{}`", object.name, choices());
                self.error(codes::MISSING_KEY, first_key(node), message, "add one of them");
            }
            [first, second, ..] => {
                let message = format!("`{}` and `{}` exclude each other", first.text, second.text);
                self.report(
                    Diagnostic::error(codes::KEY_CONFLICT, message)
                        .label(second.span, "")
                        .label(first.span, "")
                        .help("keep one of them, or make two of it"),
                );
            }
        }
    }

    fn unknown_key(&mut self, key: &Key, object: &'static Object) {
        let known: Vec<&str> = object.all_keys().map(|key| key.name).collect();
        let help = if let Some(near) = did_you_mean(&key.text, known.iter().copied()) {
            format!("did you mean `{near}`?")
        } else if object.key("expect").is_some() && keys::EXPECT.key(&key.text).is_some() {
            format!("checks stand below `expect`: `expect: {{{}: …}}`", key.text)
        } else if let Some(other) = keys::OBJECTS.iter().find(|other| other.key(&key.text).is_some()) {
            format!("`{}` is a key of a {}; the keys here are `{}`", key.text, other.name, known.join("`, `"))
        } else {
            format!("the keys here are `{}`", known.join("`, `"))
        };
        let message = format!("unknown key `{}` in the {}", key.text, object.name);
        self.report(Diagnostic::error(codes::UNKNOWN_KEY, message).label(key.span, "").help(help));
    }

    /// The entries of a mapping.
    pub(super) fn map<'n>(&mut self, node: &'n Node, noun: &str) -> Option<&'n [(Key, Node)]> {
        let entries = node.as_map();
        if entries.is_none() {
            self.wrong_type(node, &format!("a mapping ({noun})"));
        }
        entries
    }

    /// The items of a list.
    pub(super) fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        if let Some(items) = node.as_seq() {
            return items;
        }
        self.wrong_type(node, "a list");
        &[]
    }

    /// The items of a list, or the single value.
    pub(super) fn one_or_many<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        node.as_seq().unwrap_or(std::slice::from_ref(node))
    }

    /// Reads the values of a mapping with free keys; values that cannot be read are left out (and reported).
    pub(super) fn pairs<T>(&mut self, node: &Node, read: impl Fn(&mut Reader, &Node) -> Option<T>) -> Vec<(String, T)> {
        let entries = self.map(node, "names and values").unwrap_or_default();
        entries.iter().filter_map(|(key, value)| Some((key.text.clone(), read(self, value)?))).collect()
    }

    pub(super) fn wrong_type(&mut self, node: &Node, expected: &str) {
        let help = match (&node.value, expected) {
            (Value::Int(_) | Value::Float(_) | Value::Bool(_), "text") => {
                format!("put it in quotes: \"{}\"", self.source.slice(node.span))
            }
            (Value::Null, _) => "there is nothing behind the colon: write the value, or remove the key".to_owned(),
            (Value::Map(_), "text") => "a text with `: ` or `{` in it must be put in quotes".to_owned(),
            _ => format!("write {expected} here"),
        };
        let message = format!("expected {expected}, found {}", node.kind_name());
        self.error(codes::WRONG_TYPE, node.span, message, help);
    }

    /// Text as it is.
    pub(super) fn text(&mut self, node: &Node) -> Option<String> {
        match node.as_str() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong_type(node, "text");
                None
            }
        }
    }

    /// Text that is not empty, below a key that must be there (its absence was reported).
    pub(super) fn required_text(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        let node = fields.get(name)?;
        let text = self.text(node)?;
        if text.trim().is_empty() {
            self.error(codes::EMPTY, node.span, format!("`{name}` is empty"), "write something");
            return None;
        }
        Some(text)
    }

    pub(super) fn bool(&mut self, node: &Node) -> Option<bool> {
        let truth = node.as_bool();
        if truth.is_none() {
            self.wrong_type(node, "`true` or `false`");
        }
        truth
    }

    pub(super) fn duration(&mut self, node: &Node) -> Option<Duration> {
        self.quantity(node, "a duration such as `90s`", parse_duration)
    }

    pub(super) fn size(&mut self, node: &Node) -> Option<u64> {
        self.quantity(node, "a size such as `4MiB`", parse_size)
    }

    /// The duration below a key, or the default.
    pub(super) fn duration_or(&mut self, fields: &Fields<'_>, name: &str, default: Duration) -> Duration {
        fields.get(name).and_then(|node| self.duration(node)).unwrap_or(default)
    }

    fn quantity<T>(&mut self, node: &Node, noun: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = match &node.value {
            Value::Str(text) => text.as_str(),
            Value::Int(_) | Value::Float(_) => self.source.slice(node.span),
            _ => {
                self.wrong_type(node, noun);
                return None;
            }
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(message) => {
                let (message, help) = match message.split_once("; ") {
                    Some((message, help)) => (message.to_owned(), help.to_owned()),
                    None => (message, format!("write {noun}")),
                };
                self.error(codes::BAD_QUANTITY, node.span, message, help);
                None
            }
        }
    }

    /// A whole number within the limits that the table gives.
    pub(super) fn integer(&mut self, fields: &Fields<'_>, name: &str) -> Option<u64> {
        let node = fields.get(name)?;
        let (least, most) = match fields.object.key(name).map(|key| key.kind) {
            Some(Kind::Integer(least, most)) => (least, most),
            _ => (0, u64::MAX),
        };
        let Some(number) = node.as_i64() else {
            self.wrong_type(node, "a whole number");
            return None;
        };
        match u64::try_from(number).ok().filter(|number| (least..=most).contains(number)) {
            Some(number) => Some(number),
            None => {
                let message = format!("`{name}` must be from {least} to {most}");
                self.error(codes::BAD_VALUE, node.span, message, "write a number in this range");
                None
            }
        }
    }

    /// One of some words.
    pub(super) fn word<'w>(&mut self, node: &Node, words: &[&'w str]) -> Option<&'w str> {
        // `no` is a string in YAML 1.2, but `false` is what people mean by it.
        let text = match node.value {
            Value::Bool(false) => "no",
            _ => node.as_str().unwrap_or_default(),
        };
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Some(word);
        }
        if node.as_str().is_none() {
            self.wrong_type(node, "a word");
            return None;
        }
        let help = match did_you_mean(text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of `{}`", words.join("`, `")),
        };
        self.error(codes::BAD_VALUE, node.span, format!("`{text}` is not one of `{}`", words.join("`, `")), help);
        None
    }

    /// An id in kebab-case.
    pub(super) fn id(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        if is_kebab(&text) {
            return Some(text);
        }
        self.not_kebab(node.span, &text);
        None
    }

    fn not_kebab(&mut self, span: Span, text: &str) {
        let help = format!("write `{}`", to_kebab(text));
        self.error(codes::BAD_ID, span, format!("`{text}` is not in kebab-case"), help);
    }

    /// Ids in kebab-case joined by dots, at least two.
    pub(super) fn dotted_id(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() >= 2 && parts.iter().all(|part| is_kebab(part)) {
            return Some(text);
        }
        let message = format!("`{text}` is not a suite id");
        self.error(
            codes::BAD_ID,
            node.span,
            message,
            "write `<family>.<name>`, both in kebab-case, as in `redfish.power`",
        );
        None
    }

    /// A key that becomes a variable. Reports, but does not refuse, so that later uses are not reported as well.
    pub(super) fn variable(&mut self, span: Span, name: &str) {
        if !is_variable(name) {
            let near = to_kebab(name).replace('-', "_");
            let help = if is_variable(&near) { format!("write `{near}`") } else { format!("write `{near}_`") };
            self.error(codes::BAD_ID, span, format!("`{name}` cannot be the name of a variable"), help);
        } else if self.is_reserved(name) {
            let message = format!("`{name}` is bound by the harness and cannot be set");
            self.error(codes::RESERVED_NAME, span, message, format!("choose another name, for instance `own_{name}`"));
        }
    }

    /// A header field name, lower-case.
    pub(super) fn field_name(&mut self, span: Span, text: &str) -> Option<String> {
        if is_field_name(text) {
            return Some(text.to_ascii_lowercase());
        }
        let message = format!("`{text}` is not the name of a header field");
        self.error(codes::BAD_VALUE, span, message, "use letters, digits and hyphens");
        None
    }
}

/// The likely spelling of an id in kebab-case.
fn to_kebab(text: &str) -> String {
    let mut out = String::new();
    let mut last_lower = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() && last_lower {
            out.push('-');
        }
        last_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let trimmed = out.trim_matches('-').to_owned();
    if trimmed.is_empty() { "some-id".to_owned() } else { trimmed }
}
