//! Reading a document of the ledger: YAML or JSON, held against the JSON Schema of its type, then taken in by serde. A
//! problem says what is wrong, where, and what would be right.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::text::{Diagnostic, Diagnostics, SourceFile, Span, did_you_mean, yaml, yaml::Node};

/// A type of document.
pub trait Document: DeserializeOwned + JsonSchema {
    /// The format that is written and the newest that is read.
    const FORMAT: &'static str;
    /// What it is, for messages: `a product record`.
    const WHAT: &'static str;
}

/// The JSON Schema of a type of document.
#[must_use]
pub fn schema<T: Document>() -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    if let Some(format) = schema.pointer_mut("/properties/format") {
        *format = serde_json::json!({"const": T::FORMAT, "description": "Format and version of this file."});
    }
    if let Some(top) = schema.as_object_mut() {
        top.insert(
            "$id".to_owned(),
            format!("urn:assize:{}", T::FORMAT.replace('/', ":").replace("assize-", "")).into(),
        );
    }
    schema
}

/// Reads a document.
///
/// # Errors
/// With every problem that its schema can see, or that of its format.
pub fn read<T: Document>(name: &str, bytes: &[u8]) -> Result<T, Diagnostics> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            let problem = Diagnostic::error("L001", format!("{name} is not UTF-8 text"));
            return Err(problem.help("save the file as UTF-8").source(&SourceFile::new(name, "")).into());
        }
    };
    let source = SourceFile::new(name, text);
    let root = yaml::parse(&source)?;
    check_format(T::FORMAT, T::WHAT, &root).map_err(|problem| Diagnostics::from(problem.source(&source)))?;
    let json = root.to_json();
    let problems = against_schema::<T>(&source, &root, &json);
    if problems.has_errors() {
        return Err(problems);
    }
    serde_json::from_value(json).map_err(|error| {
        let problem = Diagnostic::error("L006", error.to_string()).label(first(root.span), "");
        problem.help(format!("`assize schema {}` prints the schema", schema_word(T::FORMAT))).source(&source).into()
    })
}

fn schema_word(format: &str) -> &str {
    format.split('/').next().unwrap_or(format).trim_start_matches("assize-")
}

fn first(span: Span) -> Span {
    Span::new(span.start, span.start + 1)
}

/// The format decides before anything else is looked at, because a newer file may differ anywhere.
fn check_format(supported: &'static str, what: &str, root: &Node) -> Result<(), Diagnostic> {
    let Some(node) = root.get("format") else {
        let problem = Diagnostic::error("L002", format!("{what} says its format")).label(first(root.span), "");
        return Err(problem.help(format!("begin it with `format: {supported}`")));
    };
    let found = node.as_str().unwrap_or_default();
    if found == supported {
        return Ok(());
    }
    let split = |format: &str| {
        let (kind, number) = format.rsplit_once('/')?;
        Some((kind.to_owned(), number.parse::<u32>().ok()?))
    };
    let newer = split(found).zip(split(supported)).is_some_and(|(found, own)| found.0 == own.0 && found.1 > own.1);
    let problem = if newer {
        Diagnostic::error(
            "L002",
            format!("format `{found}` is newer than `{supported}`, the newest that this release reads"),
        )
        .help("install a newer release of assize")
    } else {
        Diagnostic::error("L002", format!("format `{found}` is not `{supported}`")).help(format!("write `{supported}`"))
    };
    Err(problem.label(node.span, ""))
}

/// A schema, ready to be used. A ledger has thousands of documents of a few types.
struct Compiled {
    schema: Value,
    validator: jsonschema::Validator,
}

/// The schema of a type, which is made once; `None` when it is none.
fn compiled<T: Document>() -> Option<Arc<Compiled>> {
    static ALL: Mutex<BTreeMap<&'static str, Arc<Compiled>>> = Mutex::new(BTreeMap::new());
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(compiled) = all.get(T::FORMAT) {
        return Some(Arc::clone(compiled));
    }
    let schema = schema::<T>();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).ok()?;
    let compiled = Arc::new(Compiled { schema, validator });
    all.insert(T::FORMAT, Arc::clone(&compiled));
    Some(compiled)
}

fn against_schema<T: Document>(source: &Arc<SourceFile>, root: &Node, json: &Value) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let Some(compiled) = compiled::<T>() else {
        problems.push(Diagnostic::error(
            "L006",
            "the schema of this format cannot be used, which is a defect of this tool",
        ));
        return problems;
    };
    let schema = &compiled.schema;
    for error in compiled.validator.iter_errors(json) {
        let pointer = error.instance_path().to_string();
        let (node, path) = locate(root, &pointer);
        let place =
            if pointer.is_empty() { T::WHAT.to_owned() } else { format!("`{}`", path.trim_start_matches("$.")) };
        let problem = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for key in unexpected {
                    let span = node.entry(key).map_or(node.span, |(key, _)| key.span);
                    let known = known_keys(schema, error.schema_path().as_str());
                    let problem = Diagnostic::error("L003", format!("`{key}` is not a key of {place}"));
                    let help = match did_you_mean(key, known.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("known keys: {}", known.join(", ")),
                    };
                    problems.push(problem.label(span, "").help(help).path(path.clone()).source(source));
                }
                continue;
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let problem = Diagnostic::error("L004", format!("{place} lacks the key `{key}`"));
                problem
                    .label(first(node.span), "in this mapping")
                    .help(format!("add `{key}:`; the schema says what it is"))
            }
            ValidationErrorKind::Type { .. } => {
                Diagnostic::error("L005", format!("{place} is {}: {error}", node.kind_name()))
                    .label(node.span, "")
                    .help("write a value of the type that the schema says; put digits that are no number in quotes")
            }
            _ => Diagnostic::error("L006", format!("{place}: {error}"))
                .label(node.span, "")
                .help("write a value that the schema allows"),
        };
        problems.push(problem.path(path).source(source));
    }
    problems
}

/// The keys that the schema knows at the place of an `additionalProperties`.
fn known_keys(schema: &Value, schema_path: &str) -> Vec<String> {
    let mut place = schema;
    for part in schema_path.split('/').filter(|part| !part.is_empty()) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part == "$ref" {
            let Some(target) = place.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'))
            else {
                break;
            };
            place = schema.pointer(target).unwrap_or(schema);
        } else if let Some(next) = place.get(&part).or_else(|| place.get(part.parse::<usize>().ok()?)) {
            if part == "additionalProperties" || part == "unevaluatedProperties" {
                break;
            }
            place = next;
        }
    }
    let keys = place.get("properties").and_then(Value::as_object);
    keys.map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
}

/// The node at a JSON pointer, or the nearest one above it, with its JSON path.
fn locate<'n>(root: &'n Node, pointer: &str) -> (&'n Node, String) {
    let (mut node, mut path) = (root, "$".to_owned());
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = node.get(&part).or_else(|| node.as_seq()?.get(part.parse::<usize>().ok()?));
        let Some(next) = next else { break };
        match node.as_seq() {
            Some(_) => path.push_str(&format!("[{part}]")),
            None => path.push_str(&format!(".{part}")),
        }
        node = next;
    }
    (node, path)
}
