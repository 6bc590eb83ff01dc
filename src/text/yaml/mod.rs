//! YAML 1.2 as a tree that knows where everything stands. JSON is a subset and takes the same way.
//!
//! Start at [`parse`]. Plain scalars follow the YAML 1.2 core schema: `yes`, `no`, `on`, `off` are strings, numbers
//! with a leading zero are strings, quoted scalars are always strings. Refused instead of guessed: duplicate keys,
//! keys that are not scalars, numbers that do not fit, foreign tags, more than one document. Merge keys (`<<`) and
//! aliases are resolved, within a budget. This module deliberately knows no schema: typed readers walk the tree and
//! report with its spans. It works on parser events because typed deserialisation keeps no spans of keys.
//!
//! | code | meaning |
//! | --- | --- |
//! | Y001 | not well-formed |
//! | Y002 | a key appears twice in one mapping |
//! | Y003 | too large, too deep, or blown up by aliases |
//! | Y004 | well-formed YAML that this reader deliberately does not support |
//! | Y005 | a number that would change when read |

mod build;
mod scalar;

use std::sync::Arc;

use super::{Diagnostics, SourceFile, Span};

/// Largest text that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Deepest nesting of lists and mappings, aliases resolved.
pub const MAX_DEPTH: usize = 64;

/// A value with its place in the source. A value that came through an alias has the span of the alias; what is inside
/// it has the spans of the definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The place of the value, without its key, tag or anchor.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `~`, `null` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number without fraction or exponent.
    Int(i64),
    /// A number with fraction or exponent; always finite.
    Float(f64),
    /// Any other scalar.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping in the order of the source, each key once.
    Map(Vec<(Key, Node)>),
}

/// The key of a mapping entry: the text of a scalar, whatever its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The place of the key, with quotes.
    pub span: Span,
    /// The key without quotes, escapes resolved.
    pub text: String,
}

/// Reads one document. An empty text is a null node. All duplicate keys and refused values are reported together; a
/// syntax error ends the reading.
pub fn parse(source: &Arc<SourceFile>) -> Result<Node, Diagnostics> {
    build::parse(source)
}

/// The whole lines of a source on which a span stands: byte offset of the first one, and their text.
pub fn lines_of(source: &SourceFile, span: Span) -> Option<(usize, &str)> {
    let before = source.text.get(..span.start)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let after = source.text.get(span.end..)?;
    let end = span.end + after.find('\n').map_or(after.len(), |newline| newline + 1);
    Some((start, source.text.get(start..end)?))
}

/// Reads one value again from the lines on which it stands; `start` is where they begin in their file, `column` the number of
/// bytes before the value. The spans are those in the whole file. `None` when the part is not a document of its own.
pub fn parse_part(start: usize, lines: &str, column: usize) -> Option<Node> {
    // The first line stands as deep as in the source.
    let text = format!("{}{}", " ".repeat(column), lines.get(column..)?);
    let mut node = build::parse(&SourceFile::new("", text)).ok()?;
    node.shift(start);
    Some(node)
}

impl Node {
    /// Moves all spans towards the end.
    fn shift(&mut self, by: usize) {
        self.span = Span::new(self.span.start + by, self.span.end + by);
        match &mut self.value {
            Value::Seq(items) => items.iter_mut().for_each(|item| item.shift(by)),
            Value::Map(entries) => {
                for (key, node) in entries {
                    key.span = Span::new(key.span.start + by, key.span.end + by);
                    node.shift(by);
                }
            }
            _ => {}
        }
    }

    /// The value under a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// Key and value, when this is a mapping that has the key.
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        let (key, node) = self.as_map()?.iter().find(|(own, _)| own.text == key)?;
        Some((key, node))
    }

    /// The text, when this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, when this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// The number, when this is a whole one.
    pub fn as_i64(&self) -> Option<i64> {
        match self.value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    /// The number, whole or not.
    pub fn as_f64(&self) -> Option<f64> {
        match self.value {
            Value::Int(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => None,
        }
    }

    /// The items, when this is a list.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, when this is a mapping.
    pub fn as_map(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// What this is, for messages: `a string`, `a mapping`.
    pub fn kind_name(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Str(_) => "a string",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The same value without places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(truth) => (*truth).into(),
            Value::Int(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Str(text) => text.as_str().into(),
            Value::Seq(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.text.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

#[cfg(test)]
mod tests;
