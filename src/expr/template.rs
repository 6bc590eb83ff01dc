//! Text with `${expression}` parts, and JSON values whose strings are such texts. `$${` is a literal `${`.

use std::collections::BTreeSet;

use super::limits::MAX_JSON_DEPTH;
use super::value::Value;
use super::{CompileError, EvalError, Json, Program, Scope, lex};

/// A string with `${expression}` parts.
///
/// ```
/// use assize::expr::{Scope, Template};
/// use serde_json::json;
///
/// let mut scope = Scope::new();
/// scope.set_json("id", json!(7));
/// let template = Template::parse("/servers/${id}")?;
/// assert_eq!(template.render(&scope), Ok("/servers/7".to_owned()));
/// assert_eq!(Template::parse("${id}")?.render_json(&scope), Ok(json!(7)));
/// # Ok::<(), assize::expr::CompileError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

/// Two literals never follow each other.
#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Code(Program),
}

impl Template {
    /// Parses `text`; the offset of an error counts from its start.
    pub fn parse(text: &str) -> Result<Template, CompileError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let plain = rest.find('$').unwrap_or(rest.len());
            literal.push_str(rest.get(..plain).unwrap_or_default());
            at += plain;
            let rest = rest.get(plain..).unwrap_or_default();
            if rest.starts_with("$${") {
                literal.push_str("${");
                at += 3;
            } else if rest.starts_with("${") {
                let end = lex::closing_brace(text, at + 2)
                    .ok_or_else(|| CompileError::new(at, "`${` is not closed").help("write $${ for a literal ${"))?;
                let code = text.get(at + 2..end).unwrap_or_default();
                let program = Program::compile(code).map_err(|error| error.shifted(at + 2))?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Code(program));
                at = end + 1;
            } else if !rest.is_empty() {
                literal.push('$');
                at += 1;
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template { source: text.to_owned(), parts })
    }

    /// Whether it has no `${…}` part.
    pub fn is_literal(&self) -> bool {
        self.literal().is_some()
    }

    /// The text it renders to, if that needs no scope.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The variables its expressions read.
    pub fn variables(&self) -> BTreeSet<String> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Code(program) => Some(program.variables()),
                Part::Literal(_) => None,
            })
            .flatten()
            .cloned()
            .collect()
    }

    /// The text for `scope`: strings as they are, numbers and booleans in their usual form. Anything else has no text and is
    /// a type error.
    pub fn render(&self, scope: &Scope) -> Result<String, EvalError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Code(program) => program.with_value(scope, |value| push(&mut text, program, value))?,
            }
        }
        Ok(text)
    }

    /// As [`render`](Template::render), but one `${…}` and nothing else keeps the JSON type of its value.
    pub fn render_json(&self, scope: &Scope) -> Result<Json, EvalError> {
        match self.parts.as_slice() {
            [Part::Code(program)] => program.eval(scope),
            _ => self.render(scope).map(Json::String),
        }
    }
}

fn push(text: &mut String, program: &Program, value: &Value<'_>) -> Result<(), EvalError> {
    match value.scalar_text() {
        Some(scalar) if !matches!(value, Value::Type(_)) => {
            text.push_str(&scalar);
            Ok(())
        }
        _ => Err(EvalError::of_type(format!(
            "`${{{}}}` is {}, which has no text; use to_json() if that is meant",
            program.source(),
            value.noun()
        ))),
    }
}

/// A JSON value whose strings and keys may hold `${expression}` parts.
#[derive(Debug, Clone)]
pub enum JsonTemplate {
    /// A value without such parts.
    Literal(Json),
    /// A string with such parts.
    Text(Template),
    /// An array with such parts in it.
    List(Vec<JsonTemplate>),
    /// An object with such parts in it.
    Map(Vec<(Template, JsonTemplate)>),
}

impl JsonTemplate {
    /// Parses every string and key; the offset of an error counts from the start of its string.
    pub fn from_json(json: &Json) -> Result<JsonTemplate, CompileError> {
        JsonTemplate::nested(json, 0)
    }

    fn nested(json: &Json, depth: usize) -> Result<JsonTemplate, CompileError> {
        if depth > MAX_JSON_DEPTH {
            return Err(CompileError::new(0, format!("the value is nested more than {MAX_JSON_DEPTH} levels deep")));
        }
        Ok(match json {
            Json::String(text) => {
                let template = Template::parse(text)?;
                match template.literal() {
                    Some(literal) => JsonTemplate::Literal(Json::from(literal)),
                    None => JsonTemplate::Text(template),
                }
            }
            Json::Array(items) => {
                let items =
                    items.iter().map(|item| JsonTemplate::nested(item, depth + 1)).collect::<Result<Vec<_>, _>>()?;
                match items.iter().map(JsonTemplate::as_literal).collect() {
                    Some(items) => JsonTemplate::Literal(Json::Array(items)),
                    None => JsonTemplate::List(items),
                }
            }
            Json::Object(members) => {
                let mut parsed = Vec::with_capacity(members.len());
                for (key, value) in members {
                    parsed.push((Template::parse(key)?, JsonTemplate::nested(value, depth + 1)?));
                }
                JsonTemplate::object(parsed)
            }
            other => JsonTemplate::Literal(other.clone()),
        })
    }

    fn as_literal(&self) -> Option<Json> {
        match self {
            JsonTemplate::Literal(json) => Some(json.clone()),
            _ => None,
        }
    }

    /// A literal if all of it is; keys that are equal only after `$${` is resolved stay for `render` to refuse.
    fn object(members: Vec<(Template, JsonTemplate)>) -> JsonTemplate {
        let literals: Option<serde_json::Map<String, Json>> =
            members.iter().map(|(key, value)| Some((key.literal()?.to_owned(), value.as_literal()?))).collect();
        match literals {
            Some(object) if object.len() == members.len() => JsonTemplate::Literal(Json::Object(object)),
            _ => JsonTemplate::Map(members),
        }
    }

    /// The value for `scope`.
    pub fn render(&self, scope: &Scope) -> Result<Json, EvalError> {
        Ok(match self {
            JsonTemplate::Literal(json) => json.clone(),
            JsonTemplate::Text(template) => template.render_json(scope)?,
            JsonTemplate::List(items) => {
                Json::Array(items.iter().map(|item| item.render(scope)).collect::<Result<_, _>>()?)
            }
            JsonTemplate::Map(members) => {
                let mut object = serde_json::Map::with_capacity(members.len());
                for (key, value) in members {
                    let key = key.render(scope)?;
                    let value = value.render(scope)?;
                    if object.contains_key(&key) {
                        return Err(EvalError::of_type(format!(
                            "two keys of an object are both '{}'",
                            key.escape_debug()
                        )));
                    }
                    object.insert(key, value);
                }
                Json::Object(object)
            }
        })
    }

    /// The variables its expressions read.
    pub fn variables(&self) -> BTreeSet<String> {
        match self {
            JsonTemplate::Literal(_) => BTreeSet::new(),
            JsonTemplate::Text(template) => template.variables(),
            JsonTemplate::List(items) => items.iter().flat_map(JsonTemplate::variables).collect(),
            JsonTemplate::Map(members) => {
                members.iter().flat_map(|(key, value)| key.variables().into_iter().chain(value.variables())).collect()
            }
        }
    }
}
