//! The JSON Schema of our guideline files, for editors and other tools. Written by hand, because the reader is: a
//! test holds them together and compares the committed copy, `schemas/guideline.schema.json`.

use serde_json::{Value, json};

use crate::capability::{Family, LifeCycle};

/// The schema as a document of JSON Schema 2020-12.
pub fn schema() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let named = |of: &str| json!({"type": "object", "additionalProperties": {"$ref": format!("#/$defs/{of}")}});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Assize guideline",
        "description": "A versioned interop guideline: programs, components, capabilities, tests.",
        "type": "object",
        "additionalProperties": false,
        "required": ["metadata", "platforms", "components", "capabilities"],
        "properties": {
            "metadata": {"$ref": "#/$defs/metadata"},
            "platforms": described(named("program"), "What a vendor can claim."),
            "components": described(named("component"), "Sets of capabilities that programs are made of."),
            "capabilities": {
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/capability-id"},
                "additionalProperties": {"$ref": "#/$defs/capability"},
            },
            "designated_sections": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": {"$ref": "#/$defs/designated-section"},
                },
            },
            "test_repositories": named("test-repository"),
        },
        "$defs": {
            "capability-id": {"type": "string", "pattern": "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", "maxLength": 120},
            "metadata": metadata(),
            "approval": closed(json!({
                "status": {"enum": ["draft", "advisory", "review", "approved", "superseded"]},
                "replaces": text,
                "target_approval": text,
                "releases": texts,
                "content": {
                    "type": "string", "pattern": DIGEST,
                    "description": "Digest of what was approved; `assize guideline lint` says which.",
                },
            }), &[]),
            "scoring": closed(json!({
                "cutoff_score": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
                "criteria": {"type": "object", "additionalProperties": closed(json!({
                    "name": text,
                    "description": text,
                    "weight": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
                }), &[])},
            }), &[]),
            "program": closed(json!({
                "description": text,
                "components": {"type": "array", "items": {"$ref": "#/$defs/component-ref"}},
                "required_platform_components": {"type": "array", "items": {"$ref": "#/$defs/component-ref"}},
            }), &["components"]),
            "component-ref": closed(json!({
                "name": text,
                "source": described(text.clone(), "The guideline that defines the component, when that is another one."),
            }), &["name"]),
            "component": component(&texts),
            "capability": capability(&text, &texts),
            "accept": described(json!({
                "type": "object",
                "propertyNames": {"pattern": "^G1[0-9][0-9]$"},
                "additionalProperties": {"type": "string", "minLength": 1},
            }), "Codes of the linter that are known, each with the reason why they stay."),
            "judgement": described(json!({"enum": [0, 1, "?"]}), "1: met, 0: not met, ?: not decided yet."),
            "test": closed(json!({
                "idempotent_id": text,
                "aliases": texts,
                "flagged": {"$ref": "#/$defs/flag"},
            }), &[]),
            "flag": described(closed(json!({
                "reason": described(text.clone(), "Begins with a code from D400 to D406."),
                "action": text,
                "date": text,
                "owner": text,
            }), &["reason"]), "The test is shown but does not count."),
            "designated-section": closed(json!({
                "guidance": text,
                "comment": text,
                "sections": {"type": "object", "additionalProperties": closed(json!({
                    "description": text,
                    "designated": {"type": "boolean"},
                }), &[])},
            }), &[]),
            "test-repository": closed(json!({"repository": text, "reference": text, "description": text}), &[]),
        },
    })
}

/// What a digest looks like.
const DIGEST: &str = "^sha256:[0-9a-f]{64}$";

fn derived() -> Value {
    let filled = json!({"type": "string", "minLength": 1});
    let change = closed(
        json!({
            "kind": {"enum": super::ChangeKind::WORDS},
            "what": described(filled.clone(), "Name of the program, capability or test; `scoring` for weights."),
            "reason": filled,
            "owner": filled,
        }),
        &["kind", "what", "reason", "owner"],
    );
    let derived = json!({
        "parent": described(filled.clone(), "`family/version`"),
        "digest": {"type": "string", "pattern": DIGEST},
        "changes": {"type": "array", "items": change},
    });
    described(closed(derived, &["parent", "digest", "changes"]), "The guideline that this one was made from.")
}

fn metadata() -> Value {
    let text = json!({"type": "string"});
    closed(
        json!({
            "id": {"type": "string", "minLength": 1, "description": "The version, as in 2026.11."},
            "schema": {"const": "2.0"},
            "assize": closed(json!({
                "format": {"const": super::FORMAT},
                "family": {"enum": Family::WORDS},
                "min_tool": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
                "accept": {"$ref": "#/$defs/accept"},
                "derived": derived(),
            }), &["format", "family"]),
            "approval": {"$ref": "#/$defs/approval"},
            "os_trademark_approval": {"$ref": "#/$defs/approval"},
            "scoring": {"$ref": "#/$defs/scoring"},
            "source": text,
            "reference": text,
        }),
        &["id", "schema", "assize"],
    )
}

fn component(texts: &Value) -> Value {
    let ids = json!({"type": "array", "items": {"$ref": "#/$defs/capability-id"}, "uniqueItems": true});
    let lists: serde_json::Map<String, Value> =
        LifeCycle::WORDS.iter().map(|word| ((*word).to_string(), ids.clone())).collect();
    closed(
        json!({
            "description": {"type": "string"},
            "capabilities": closed(Value::Object(lists), &[]),
            "designated_sections": {"type": "object", "additionalProperties": texts},
        }),
        &["capabilities"],
    )
}

fn capability(text: &Value, texts: &Value) -> Value {
    closed(
        json!({
            "name": text,
            "description": described(text.clone(), "What a user can rely on, in plain words."),
            "spec": described(texts.clone(), "Where the specification says so: `document: section`."),
            "weight": {
                "type": "integer", "minimum": 1, "maximum": 1_000_000,
                "description": "Default: the sum of the weights of the criteria that it meets, else 1.",
            },
            "achievements": texts,
            "admin": {"type": "boolean"},
            "project": text,
            "required_since": text,
            "attempts": {
                "enum": ["any", "first"],
                "description": "Whether a pass on a retry counts. Default: any.",
            },
            "criteria": {
                "type": "object",
                "description": "The worksheet: how it stands on each criterion of `metadata.scoring`.",
                "additionalProperties": {"anyOf": [
                    {"$ref": "#/$defs/judgement"},
                    closed(json!({"score": {"$ref": "#/$defs/judgement"}, "note": text}), &["score"]),
                ]},
            },
            "total": {
                "type": "integer", "minimum": 0, "maximum": 1_000_000,
                "description": "The sum of the weights of the criteria met; 0 when it needs an administrator.",
            },
            "note": described(text.clone(), "A remark, such as why it was dropped."),
            "inferred": described(text.clone(), "What of this is not certain, and what it was inferred from."),
            "accept": {"$ref": "#/$defs/accept"},
            "tests": {
                "type": "object",
                "propertyNames": {"minLength": 1},
                "additionalProperties": {"$ref": "#/$defs/test"},
            },
        }),
        &["tests"],
    )
}

fn closed(properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if let (false, Some(schema)) = (required.is_empty(), schema.as_object_mut()) {
        schema.insert("required".to_string(), json!(required));
    }
    schema
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_string(), description.into());
    }
    schema
}
