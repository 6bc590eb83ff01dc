//! Composite guidelines: programs that are made of programs of other guidelines, of one family or several
//! (`assize-composite/1`, JSON or YAML).
//!
//! A composite defines nothing of its own. It says which programs must be met together; what each of them requires is in
//! the guideline that it names.

use std::collections::BTreeSet;

use crate::canon::Digest;
use crate::text::{Diagnostic, Diagnostics, SourceFile, did_you_mean, yaml, yaml::Node};

use super::model::Guideline;
use super::places::{self, Places};
use super::read::{Reader, check_format, digest, utf8};

/// The format that is written and the newest that is read.
pub const FORMAT: &str = "assize-composite/1";

/// A composite guideline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// Its id: `name/version`.
    pub id: String,
    /// What it is for.
    pub description: String,
    /// What can be claimed, in the order of the file.
    pub programs: Vec<CompositeProgram>,
    /// Where the parts stand in the file.
    pub places: Places,
}

/// A program of a composite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeProgram {
    /// The name on the certificate.
    pub name: String,
    /// What the claim means.
    pub description: String,
    /// What it is made of.
    pub parts: Vec<CompositePart>,
}

/// A program of another guideline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositePart {
    /// What it is in the whole.
    pub name: String,
    /// `family/version` of the guideline.
    pub guideline: String,
    /// Digest of its file, when only this document will do.
    pub digest: Option<Digest>,
    /// The program.
    pub program: String,
    /// Whether the verdict depends on it.
    pub required: bool,
}

/// Whether a document says that it is a composite guideline.
pub fn is_composite(bytes: &[u8]) -> bool {
    let source = SourceFile::new("", String::from_utf8_lossy(bytes));
    let root = yaml::parse(&source).ok();
    let format = root.as_ref().and_then(|root| root.get("format")).and_then(Node::as_str);
    format.is_some_and(|format| format.starts_with("assize-composite/"))
}

/// Reads a composite guideline. All problems are reported together.
pub fn read(name: &str, bytes: &[u8]) -> Result<(Composite, Diagnostics), Diagnostics> {
    let text = utf8(name, bytes)?;
    let source = SourceFile::new(name, text);
    let root = yaml::parse(&source)?;
    let mut reader = Reader::new(&source);
    let composite = document(&mut reader, &root);
    let read = match composite {
        Some(mut composite) => {
            composite.places = Places::new(&source);
            reader.result(composite)
        }
        None => Err(reader.problems),
    };
    let mut read = read;
    let (Ok((_, problems)) | Err(problems)) = &mut read;
    places::add_paths(problems, &root);
    read
}

fn document(reader: &mut Reader, root: &Node) -> Option<Composite> {
    let mut top = reader.fields(root, "a composite guideline")?;
    let (format, span) = top.text(reader, "format", true)?;
    if let Err(problem) = check_format(&format, FORMAT) {
        reader.report(problem.label(span, ""));
        return None;
    }
    let id = top.text(reader, "id", true).map(|(text, _)| text);
    let description = top.maybe(reader, "description").unwrap_or_default();
    let mut programs = Vec::new();
    if let Some(node) = top.needed(reader, "programs") {
        match node.as_map() {
            Some(entries) => {
                for (key, value) in entries {
                    programs.extend(program(reader, &key.text, value));
                }
            }
            None => reader.wrong_type(node, "`programs`", "a mapping"),
        }
    }
    top.finish(reader);
    Some(Composite { id: id?, description, programs, places: Places::default() })
}

fn program(reader: &mut Reader, name: &str, node: &Node) -> Option<CompositeProgram> {
    let mut fields = reader.fields(node, "a program")?;
    let description = fields.maybe(reader, "description").unwrap_or_default();
    let mut parts = Vec::new();
    if let Some(node) = fields.needed(reader, "parts") {
        match node.as_seq() {
            Some(items) => parts.extend(items.iter().filter_map(|item| part(reader, item))),
            None => reader.wrong_type(node, "`parts`", "a list"),
        }
    }
    fields.finish(reader);
    Some(CompositeProgram { name: name.to_owned(), description, parts })
}

fn part(reader: &mut Reader, node: &Node) -> Option<CompositePart> {
    let mut fields = reader.fields(node, "a part")?;
    let name = fields.text(reader, "name", true).map(|(text, _)| text);
    let guideline = fields.text(reader, "guideline", true).map(|(text, _)| text);
    let text = fields.text(reader, "digest", false);
    let digest = digest(reader, text);
    let program = fields.text(reader, "program", true).map(|(text, _)| text);
    let required = fields.node("required").map(|node| {
        if node.as_bool().is_none() {
            reader.wrong_type(node, "`required`", "true or false");
        }
        node.as_bool().unwrap_or(true)
    });
    fields.finish(reader);
    let required = required.unwrap_or(true);
    Some(CompositePart { name: name?, guideline: guideline?, digest, program: program?, required })
}

/// The problems of a composite. `known` gives the guideline of an id.
pub fn lint_composite<'g>(composite: &Composite, known: impl Fn(&str) -> Option<&'g Guideline>) -> Diagnostics {
    let mut found = Diagnostics::new();
    for program in &composite.programs {
        let path = ["programs", program.name.as_str(), "parts"];
        let mut report = |problem: Diagnostic| found.push(composite.places.point(problem, &path, ""));
        if !program.parts.iter().any(|part| part.required) {
            let message = format!("program `{}` requires no part", program.name);
            report(
                Diagnostic::error("G160", message).help("a program that requires nothing says nothing: require a part"),
            );
        }
        let mut names = BTreeSet::new();
        for part in &program.parts {
            if !names.insert(&part.name) {
                let message = format!("program `{}` has two parts called `{}`", program.name, part.name);
                report(Diagnostic::error("G160", message).help("give them different names"));
            }
            check(part, known(&part.guideline), &mut report);
        }
    }
    found
}

fn check(part: &CompositePart, guideline: Option<&Guideline>, report: &mut impl FnMut(Diagnostic)) {
    let CompositePart { name, guideline: id, digest, program, .. } = part;
    let Some(guideline) = guideline else {
        let message = format!("part `{name}` is of guideline `{id}`, which is not known");
        report(Diagnostic::error("G158", message).help("write its id as `family/version`, or give its file too"));
        return;
    };
    let own = guideline.places.digest();
    if digest.is_some() && *digest != own {
        let now = own.map_or_else(String::new, |own| format!(": it has the digest {own}"));
        let message = format!("part `{name}` is of another document than guideline `{id}`{now}");
        report(Diagnostic::error("G158", message).help("look at what changed in it, then write its new digest"));
    }
    if guideline.program(program).is_none() {
        let names: Vec<&str> = guideline.programs.iter().map(|one| one.name.as_str()).collect();
        let message = format!("guideline `{id}` has no program `{program}`");
        let help = match did_you_mean(program, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", names.join(", ")),
        };
        report(Diagnostic::error("G159", message).help(help));
    }
}

/// The JSON Schema of composite guidelines.
pub fn schema() -> serde_json::Value {
    let text = serde_json::json!({"type": "string", "minLength": 1});
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:assize:composite:1",
        "title": "Assize composite guideline",
        "type": "object",
        "additionalProperties": false,
        "required": ["format", "id", "programs"],
        "properties": {
            "format": {"const": FORMAT},
            "id": text,
            "description": {"type": "string"},
            "programs": {"type": "object", "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "required": ["parts"],
                "properties": {
                    "description": {"type": "string"},
                    "parts": {"type": "array", "items": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["name", "guideline", "program"],
                        "properties": {
                            "name": text,
                            "guideline": {"type": "string", "description": "`family/version`"},
                            "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
                            "program": text,
                            "required": {"type": "boolean", "description": "Default: true."},
                        },
                    }},
                },
            }},
        },
    })
}
