//! Matchers: literals, words, and mappings of matcher keys.

use super::super::codes;
use super::super::keys;
use super::super::model::{JsonType, Matcher};
use super::Reader;
use crate::text::yaml::{Key, Node, Value};

impl Reader {
    /// A matcher as written behind a header name, a path, or a matcher key.
    pub(super) fn matcher(&mut self, node: &Node) -> Option<Matcher> {
        match &node.value {
            Value::Str(word) if word == "present" => Some(Matcher::Present),
            Value::Str(word) if word == "absent" => Some(Matcher::Absent),
            Value::Map(entries) => self.matcher_keys(node, entries),
            _ => self.json(node).map(Matcher::Equals),
        }
    }

    fn matcher_keys(&mut self, node: &Node, entries: &[(Key, Node)]) -> Option<Matcher> {
        if entries.is_empty() {
            let help = "write `{equals: {}}` for an empty object, or `present`";
            self.error(codes::EMPTY, node.span, "an empty matcher matches nothing", help);
            return None;
        }
        let before = self.errors;
        if entries.iter().all(|(key, _)| keys::MATCHER.key(&key.text).is_none()) && entries.len() > 1 {
            let help = "a literal object is written `{equals: {…}}`, or `{object: {…}}` when it may have more members";
            self.error(codes::UNKNOWN_KEY, node.span, "none of these keys is one of a matcher", help);
            return None;
        }
        self.fields(node, &keys::MATCHER)?;
        let mut all: Vec<Matcher> = entries.iter().filter_map(|(key, value)| self.matcher_key(key, value)).collect();
        if self.errors > before {
            return None;
        }
        if all.len() == 1 { all.pop() } else { Some(Matcher::All(all)) }
    }

    fn matcher_key(&mut self, key: &Key, node: &Node) -> Option<Matcher> {
        Some(match key.text.as_str() {
            "equals" => Matcher::Equals(self.json(node)?),
            "not" => Matcher::Not(Box::new(self.matcher(node)?)),
            "one_of" => {
                let items = self.list(node);
                if items.is_empty() {
                    self.error(codes::EMPTY, node.span, "nothing is one of an empty list", "list the allowed values");
                }
                Matcher::OneOf(items.iter().filter_map(|item| self.json(item)).collect())
            }
            "matches" => Matcher::Matches(self.regex(node)?),
            "contains" => Matcher::Contains(self.json(node)?),
            "starts_with" => Matcher::StartsWith(self.template(node)?),
            "length" => Matcher::Length(Box::new(self.matcher(node)?)),
            "min" => Matcher::Min(self.number(node)?),
            "max" => Matcher::Max(self.number(node)?),
            "type" => {
                let items = self.one_or_many(node);
                Matcher::Type(items.iter().filter_map(|item| self.json_type(item)).collect())
            }
            "every" => Matcher::Every(Box::new(self.matcher(node)?)),
            "some" => Matcher::Some(Box::new(self.matcher(node)?)),
            "unique" => {
                if !self.bool(node)? {
                    let help = "remove it, or write `not: {unique: true}` when members must repeat";
                    self.error(codes::BAD_VALUE, node.span, "`unique: false` says nothing", help);
                }
                Matcher::Unique
            }
            "object" => {
                if node.as_map().is_none() && node.as_str().is_none() {
                    self.wrong_type(node, "a mapping");
                }
                Matcher::Object(self.json(node)?)
            }
            _ => return None,
        })
    }

    fn number(&mut self, node: &Node) -> Option<f64> {
        let number = node.as_f64();
        if number.is_none() {
            self.wrong_type(node, "a number");
        }
        number
    }

    fn json_type(&mut self, node: &Node) -> Option<JsonType> {
        // `type: null` is null in YAML, and there is no doubt what it means.
        if node.is_null() {
            return Some(JsonType::Null);
        }
        let words = ["string", "integer", "number", "boolean", "object", "array", "null"];
        Some(match self.word(node, &words)? {
            "string" => JsonType::String,
            "integer" => JsonType::Integer,
            "number" => JsonType::Number,
            "boolean" => JsonType::Boolean,
            "object" => JsonType::Object,
            "array" => JsonType::Array,
            _ => JsonType::Null,
        })
    }
}
