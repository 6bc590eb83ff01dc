//! Expressions, templates, paths, patterns and schemas inside values, with problems shown at their exact place.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;
use serde_json_path::JsonPath;

use super::super::codes;
use super::super::model::{Save, SecretPlace};
use super::Reader;
use super::scope::find_name;
use crate::expr::{CompileError, Json, JsonTemplate, Program, Template};
use crate::text::yaml::{Node, Value};
use crate::text::{Diagnostic, Span};

impl Reader {
    /// A plain CEL expression.
    pub(super) fn program(&mut self, node: &Node) -> Option<Program> {
        let text = match &node.value {
            Value::Str(text) => text.as_str(),
            Value::Bool(_) => self.source.slice(node.span),
            _ => {
                self.wrong_type(node, "an expression");
                return None;
            }
        }
        .to_owned();
        if text.starts_with("${") && text.ends_with('}') {
            let help = format!("write `{}`", text.trim_start_matches("${").trim_end_matches('}'));
            self.error(codes::BAD_EXPRESSION, node.span, "an expression stands here without `${}`", help);
            return None;
        }
        match Program::compile(&text) {
            Ok(program) => {
                self.check_names(node, &text, true, program.variables().iter().map(String::as_str));
                self.misplaced_secret(node, &text, true);
                Some(program)
            }
            Err(error) => {
                self.compile_error(node, &text, &error);
                None
            }
        }
    }

    /// Text in which `${cel}` is replaced.
    pub(super) fn template(&mut self, node: &Node) -> Option<Template> {
        let Some(text) = node.as_str() else {
            self.wrong_type(node, "text");
            return None;
        };
        match Template::parse(text) {
            Ok(template) => {
                self.check_names(node, text, false, template.variables().iter().map(String::as_str));
                if !(self.in_let && is_new_secret(text)) {
                    self.misplaced_secret(node, text, false);
                }
                Some(template)
            }
            Err(error) => {
                self.compile_error(node, text, &error);
                None
            }
        }
    }

    /// Any JSON with templates in its strings and keys.
    pub(super) fn json(&mut self, node: &Node) -> Option<JsonTemplate> {
        self.literal_secrets(node);
        self.json_part(node)
    }

    fn json_part(&mut self, node: &Node) -> Option<JsonTemplate> {
        if !has_template(node) {
            return Some(JsonTemplate::Literal(node.to_json()));
        }
        match &node.value {
            Value::Seq(items) => {
                let items: Vec<Option<JsonTemplate>> = items.iter().map(|item| self.json_part(item)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(JsonTemplate::List)
            }
            Value::Map(entries) => {
                let members: Vec<Option<(Template, JsonTemplate)>> = entries
                    .iter()
                    .map(|(key, item)| {
                        let name = self.template(&Node { span: key.span, value: Value::Str(key.text.clone()) });
                        let value = self.json_part(item);
                        Some((name?, value?))
                    })
                    .collect();
                members.into_iter().collect::<Option<Vec<_>>>().map(JsonTemplate::Map)
            }
            _ => {
                let template = self.template(node)?;
                match template.literal() {
                    Some(literal) => Some(JsonTemplate::Literal(Json::from(literal))),
                    None => Some(JsonTemplate::Text(template)),
                }
            }
        }
    }

    fn compile_error(&mut self, node: &Node, text: &str, error: &CompileError) {
        let span = self.locate(node, text, error.offset, 1);
        let mut diagnostic = Diagnostic::error(codes::BAD_EXPRESSION, error.message.clone()).label(span, "");
        if let Some(help) = &error.help {
            diagnostic = diagnostic.help(help.clone());
        } else {
            diagnostic = diagnostic.help("expressions are CEL: `body.Name == 'x' && size(body.Members) > 0`");
        }
        self.report(diagnostic);
    }

    /// The place in the file of a part of a string value. Quotes, escapes and the indentation of block scalars make the
    /// written form longer than the value, so both are walked side by side; what cannot be aligned is skipped.
    pub(super) fn locate(&self, node: &Node, text: &str, offset: usize, length: usize) -> Span {
        let written = self.source.slice(node.span);
        let mut value = text.char_indices().peekable();
        let mut start = None;
        for (at, c) in written.char_indices() {
            let Some(&(index, wanted)) = value.peek() else {
                break;
            };
            if c != wanted && !(c.is_whitespace() && wanted.is_whitespace()) {
                continue;
            }
            if index >= offset && start.is_none() {
                start = Some(node.span.start + at);
            }
            if index + wanted.len_utf8() >= offset + length
                && let Some(start) = start
            {
                return Span::new(start, node.span.start + at + c.len_utf8());
            }
            value.next();
        }
        match start {
            Some(start) => Span::new(start, self.head(Span::new(start, node.span.end)).end),
            // An error at the end of the text.
            None if offset >= text.len() && !text.is_empty() => {
                let end = node.span.start + written.trim_end().len();
                Span::new(end.saturating_sub(1).max(node.span.start), end)
            }
            None => self.head(node.span),
        }
    }

    /// Reports `secret(…)` where no secret can be made: whoever evaluates an expression again, as the judge does, must get
    /// the same value.
    fn misplaced_secret(&mut self, node: &Node, text: &str, plain: bool) {
        if !text.contains("secret(") {
            return;
        }
        if let Some(found) = find_name(text, plain, "secret").first() {
            let span = self.locate(node, text, found.start, "secret".len());
            let help = "set it first, `let: {password: \"${secret('label')}\"}`, and use the variable";
            self.error(
                codes::BAD_EXPRESSION,
                span,
                "a new secret can only be the whole value of a `let` variable",
                help,
            );
        }
    }

    /// A JSON path.
    pub(super) fn path(&mut self, span: Span, text: &str) -> Option<JsonPath> {
        match JsonPath::parse(text) {
            Ok(path) => Some(path),
            Err(error) => {
                let help = if text.starts_with('$') {
                    "keys with `@`, `#`, `.` or `-` in them are written `$['@odata.id']`".to_owned()
                } else {
                    format!("a JSON path begins with `$`: `$.{text}`")
                };
                let message = format!("`{text}` is not a JSON path: {}", error.message());
                self.error(codes::BAD_PATH, span, message, help);
                None
            }
        }
    }

    /// A regular expression.
    pub(super) fn regex(&mut self, node: &Node) -> Option<Arc<Regex>> {
        let text = self.text(node)?;
        match compiled(&text) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let shown = error.to_string();
                let reason = shown.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
                let help = if text.contains("${") {
                    "patterns are fixed text; use `that: text.matches(...)` for one that is computed"
                } else {
                    "use the syntax of Rust's regex crate; in double quotes write `\\\\` for one backslash"
                };
                self.error(codes::BAD_REGEX, node.span, format!("this is not a regular expression: {reason}"), help);
                None
            }
        }
    }

    /// A JSON Schema.
    pub(super) fn schema(&mut self, node: &Node) -> Option<Json> {
        if node.as_map().is_none() && node.as_bool().is_none() {
            self.wrong_type(node, "a JSON Schema (a mapping)");
            return None;
        }
        let schema = node.to_json();
        match jsonschema::validator_for(&schema) {
            Ok(_) => Some(schema),
            Err(error) => {
                let message = format!("this is not a JSON Schema: {error}");
                let span = find(node, error.instance_path().as_str()).span;
                self.error(codes::BAD_SCHEMA, span, message, "schemas are draft 2020-12 unless they have `$schema`");
                None
            }
        }
    }

    /// What is kept of a response: a text that begins with `$` but not with `${` is a path.
    pub(super) fn save_value(&mut self, node: &Node) -> Option<Save> {
        match node.as_str() {
            Some(text) if text.starts_with('$') && !text.starts_with("${") => {
                let text = text.to_owned();
                self.path(node.span, &text).map(Save::Path)
            }
            _ => self.json(node).map(Save::Value),
        }
    }

    /// Where a response holds a secret.
    pub(super) fn secret_place(&mut self, node: &Node) -> Option<SecretPlace> {
        let text = self.text(node)?;
        if let Some(name) = text.strip_prefix("header:") {
            return self.field_name(node.span, name.trim()).map(SecretPlace::Header);
        }
        self.path(node.span, &text).map(SecretPlace::Json)
    }

    /// Warns of passwords that are written out.
    fn literal_secrets(&mut self, node: &Node) {
        match &node.value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    match value.as_str() {
                        Some(text) => self.literal_secret(&key.text, text, value.span),
                        None => self.literal_secrets(value),
                    }
                }
            }
            Value::Seq(items) => items.iter().for_each(|item| self.literal_secrets(item)),
            _ => {}
        }
    }

    /// Warns when a value under a telling name is literal.
    pub(super) fn literal_secret(&mut self, name: &str, text: &str, span: Span) {
        const NAMES: &[&str] = &[
            "password",
            "passwd",
            "adminpass",
            "secret",
            "token",
            "apikey",
            "authorization",
            "xauthtoken",
            "xsubjecttoken",
        ];
        // A value too short for any password policy is there to be refused.
        if text.trim().chars().count() < 8 || text.contains("${") {
            return;
        }
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if NAMES.contains(&plain.as_str()) || plain.ends_with("password") {
            let message = format!("the value of `{name}` is written out");
            let help = "use `${secret('label')}`, a new random password that no report shows";
            self.warn(codes::LITERAL_SECRET, span, message, help);
        }
    }
}

/// Whether a text is `${secret('label')}` and nothing else.
fn is_new_secret(text: &str) -> bool {
    text.strip_prefix("${secret('").and_then(|rest| rest.strip_suffix("')}")).is_some_and(|label| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

/// Whether a string or key in it must be read as a template.
fn has_template(node: &Node) -> bool {
    match &node.value {
        Value::Str(text) => text.contains("${"),
        Value::Seq(items) => items.iter().any(has_template),
        Value::Map(entries) => entries.iter().any(|(key, item)| key.text.contains("${") || has_template(item)),
        _ => false,
    }
}

/// The node that a JSON Pointer names, or the nearest one above it.
fn find<'n>(node: &'n Node, pointer: &str) -> &'n Node {
    let mut at = node;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match &at.value {
            Value::Seq(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => at.get(&part),
        };
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}

/// A regular expression, compiled or known: files use the same few again and again, and compiling one takes longer than reading
/// a case.
fn compiled(pattern: &str) -> Result<Arc<Regex>, regex::Error> {
    static CACHE: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    const CACHED: usize = 256;

    if let Some(known) = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Ok(Arc::clone(known));
    }
    let regex = Arc::new(Regex::new(pattern)?);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED {
        cache.clear();
    }
    cache.insert(pattern.to_owned(), Arc::clone(&regex));
    Ok(regex)
}
