//! The JSON Schema of suite files, for editors. Made from [`keys`]; the reader knows more than a schema can say.

use serde_json::{Map, Value, json};

use super::keys::{self, Key, Kind, Object};

/// Where the schema is published.
const ID: &str = "https://assize.dev/schemas/suite.schema.json";

/// The schema (draft 2020-12) of suite and family files.
#[must_use]
pub fn schema() -> Value {
    let mut defs = Map::new();
    for object in keys::OBJECTS {
        defs.insert(slug(object), object_schema(object));
    }
    let kinds: Vec<Value> = keys::STEPS.iter().map(|(object, _)| reference(object)).collect();
    defs.insert(
        "step".to_owned(),
        json!({ "description": "One step; its kind follows from its keys.", "anyOf": kinds }),
    );
    defs.insert("steps".to_owned(), json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/step" } }));
    defs.insert("matcher-value".to_owned(), matcher());
    defs.sort_keys();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Assize suite",
        "description": keys::SUITE.doc,
        "if": { "type": "object", "required": ["family"] },
        "then": reference(&keys::FAMILY),
        "else": reference(&keys::SUITE),
        "$defs": defs,
    })
}

/// The schema as it stands in `schemas/suite.schema.json`.
#[must_use]
pub fn schema_text() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    text.push('\n');
    text
}

/// Name of an object in `$defs`.
fn slug(object: &Object) -> String {
    object.name.replace(' ', "-")
}

fn reference(object: &'static Object) -> Value {
    json!({ "$ref": format!("#/$defs/{}", slug(object)) })
}

fn object_schema(object: &'static Object) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in object.all_keys() {
        properties.insert(key.name.to_owned(), key_schema(key));
        if key.required {
            required.push(key.name);
        }
    }
    let mut schema = json!({
        "description": object.doc,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let Some(members) = schema.as_object_mut() else {
        return schema;
    };
    if !required.is_empty() {
        members.insert("required".to_owned(), json!(required));
    }
    if !object.one_of.is_empty() {
        let one: Vec<Value> = object.one_of.iter().map(|name| json!({ "required": [name] })).collect();
        members.insert("oneOf".to_owned(), json!(one));
    }
    if std::ptr::eq(object, &keys::MATCHER) {
        members.insert("minProperties".to_owned(), json!(1));
    }
    schema
}

fn key_schema(key: &Key) -> Value {
    let mut schema = kind_schema(&key.kind);
    if let Some(members) = schema.as_object_mut() {
        let doc = match key.default {
            Some(default) => format!("{} (default: {default})", key.doc),
            None => key.doc.to_owned(),
        };
        members.insert("description".to_owned(), json!(doc));
    }
    schema
}

fn kind_schema(kind: &Kind) -> Value {
    match kind {
        Kind::Text | Kind::Template | Kind::Regex => json!({ "type": "string" }),
        Kind::TemplateOrNull => json!({ "type": ["string", "null"] }),
        Kind::Cel => json!({ "type": ["string", "boolean"] }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Duration => json!({ "type": "string", "pattern": "^[0-9]" }),
        Kind::Size => json!({ "type": ["string", "integer"] }),
        Kind::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Number => json!({ "type": "number" }),
        Kind::Json | Kind::Save => json!({}),
        Kind::Id => json!({ "type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$" }),
        Kind::CapabilityId => json!({ "type": "string", "pattern": "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$" }),
        Kind::DottedId => {
            json!({ "type": "string", "pattern": r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$" })
        }
        Kind::Variable => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }),
        Kind::Word(words) => word_schema(words),
        Kind::SecretPlace => json!({ "type": "string", "pattern": r"^(\$|header:)" }),
        Kind::Status => status_schema(),
        Kind::Matcher => json!({ "$ref": "#/$defs/matcher-value" }),
        Kind::Schema => json!({ "type": ["object", "boolean"] }),
        Kind::Object(object) => reference(object),
        Kind::List(item) => json!({ "type": "array", "items": kind_schema(item) }),
        Kind::OneOrMany(item) => {
            let one = kind_schema(item);
            json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
        }
        Kind::Map(value, _) => {
            json!({ "type": "object", "additionalProperties": kind_schema(value) })
        }
        Kind::Either(kinds) => {
            json!({ "anyOf": kinds.iter().map(kind_schema).collect::<Vec<_>>() })
        }
        Kind::Steps => json!({ "$ref": "#/$defs/steps" }),
        Kind::Rows => rows_schema(),
    }
}

/// `no` may be read as `false` and `null` as null by an editor's YAML, and so they are allowed where they are words.
fn word_schema(words: &[&str]) -> Value {
    let mut values: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    if words.contains(&"no") {
        values.push(json!(false));
    }
    if words.contains(&"null") {
        values.push(Value::Null);
    }
    json!({ "enum": values })
}

fn status_schema() -> Value {
    let one = json!({
        "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "enum": ["any", "1xx", "2xx", "3xx", "4xx", "5xx"] },
        ],
    });
    json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
}

fn rows_schema() -> Value {
    json!({
        "anyOf": [
            reference(&keys::COUNT),
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "description": "becomes part of the test id" },
                        "covers": {
                            "type": ["string", "array"],
                            "description": "upstream tests that this row alone stands for, as `scheme:id`",
                        },
                    },
                },
            },
        ],
    })
}

fn matcher() -> Value {
    json!({
        "description": keys::MATCHER.doc,
        "anyOf": [
            { "type": ["string", "number", "boolean", "null", "array"] },
            reference(&keys::MATCHER),
        ],
    })
}
