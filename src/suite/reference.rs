//! The generated part of `docs/suite-language.md`: tables of keys, functions and diagnostics.

use std::fmt::Write as _;

use super::codes::CODES;
use super::keys::{self, Kind, Object};
use crate::expr::FUNCTIONS;

/// The page from its first generated heading on, as Markdown.
#[must_use]
pub fn generated() -> String {
    let mut page =
        String::from("## Keys\n\nBold keys must be given. Every kind of step also has the keys of *step*.\n\n");
    table(&mut page, &keys::STEP);
    for object in keys::OBJECTS {
        table(&mut page, object);
    }
    page.push_str("## Functions\n\nBeyond the operators and macros of CEL.\n\n| function | meaning |\n| --- | --- |\n");
    for (_, signature, doc) in FUNCTIONS {
        let _ = writeln!(page, "| `{}` | {} |", cell(signature), cell(doc));
    }
    page.push_str("\n## Diagnostics\n\n| code | meaning |\n| --- | --- |\n");
    for code in CODES {
        let _ = writeln!(page, "| {} | {} |", code.code, cell(code.doc.trim()));
    }
    page
}

fn table(page: &mut String, object: &'static Object) {
    let _ = writeln!(page, "### {}\n\n{}\n", object.name, object.doc);
    page.push_str("| key | value | meaning |\n| --- | --- | --- |\n");
    // Keys of every step are listed once, not in each kind.
    let of_every_step =
        |name: &str| object.includes.iter().any(|other| std::ptr::eq(*other, &keys::STEP) && other.key(name).is_some());
    let own = object.all_keys().filter(|key| !of_every_step(key.name));
    for key in own {
        let name = if key.required { format!("**`{}`**", key.name) } else { format!("`{}`", key.name) };
        let default = key.default.map(|default| format!(" (default: {default})")).unwrap_or_default();
        let _ = writeln!(page, "| {name} | {} | {}{} |", cell(&shape(&key.kind)), cell(key.doc), cell(&default));
    }
    page.push('\n');
}

/// A value's shape in words.
fn shape(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Template => "template".to_owned(),
        Kind::TemplateOrNull => "template or `null`".to_owned(),
        Kind::Cel => "CEL".to_owned(),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Size => "size".to_owned(),
        Kind::Integer(least, most) if least == most => format!("`{least}`"),
        Kind::Integer(least, most) => format!("{least} to {most}"),
        Kind::Number => "number".to_owned(),
        Kind::Json => "JSON with templates".to_owned(),
        Kind::Regex => "regular expression".to_owned(),
        Kind::Id => "id".to_owned(),
        Kind::CapabilityId => "capability id".to_owned(),
        Kind::DottedId => "dotted id".to_owned(),
        Kind::Variable => "name".to_owned(),
        Kind::Word(words) => format!("`{}`", words.join("`, `")),
        Kind::SecretPlace => "JSON path or `header:name`".to_owned(),
        Kind::Save => "JSON path, or JSON with templates".to_owned(),
        Kind::Status => "status".to_owned(),
        Kind::Matcher => "[matcher](#matcher)".to_owned(),
        Kind::Schema => "JSON Schema".to_owned(),
        Kind::Object(object) => format!("[{}](#{})", object.name, object.name.replace(' ', "-")),
        Kind::List(item) => format!("list of {}", shape(item)),
        Kind::OneOrMany(item) => format!("{}, or a list", shape(item)),
        Kind::Map(value, names) => format!("{names} → {}", shape(value)),
        Kind::Either(kinds) => kinds.iter().map(shape).collect::<Vec<_>>().join(" or "),
        Kind::Steps => "list of [steps](#step)".to_owned(),
        Kind::Rows => "rows or [row count](#row-count)".to_owned(),
    }
}

/// Text that does not end a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
