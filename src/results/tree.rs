//! The summary tree of a Sonobuoy plugin, `sonobuoy_results.yaml`: items with a name and a status; leaves are tests.

use crate::capability::Outcome;
use crate::text::SourceFile;
use crate::text::yaml::{self, Node};

use super::source::Trouble;
use super::{Entry, reason};

/// Deepest item.
const DEEPEST: usize = 64;
/// Largest tree, in bytes.
pub(super) const LARGEST: u64 = 64 << 20;

/// Whether a text begins as a tree does.
pub fn begins(prefix: &[u8]) -> bool {
    let text = String::from_utf8_lossy(prefix);
    let mut keys =
        text.lines().filter(|line| !line.starts_with([' ', '-', '#'])).filter_map(|line| line.split_once(':'));
    let first = keys.next().map(|(key, _)| key);
    first == Some("name") && keys.any(|(key, _)| key == "status") && text.contains("items:")
}

/// Reads a tree.
pub fn read(bytes: &[u8], sink: &mut dyn FnMut(Entry)) -> Result<(), Trouble> {
    let source = SourceFile::new("sonobuoy_results.yaml", String::from_utf8_lossy(bytes));
    let root = yaml::parse(&source).map_err(|problems| {
        let first = problems.iter().next();
        let at = first.and_then(|one| one.labels.first()).map_or(0, |label| label.span.start);
        Trouble::at(at as u64, first.map_or_else(String::new, |one| one.message.clone()))
    })?;
    item(&root, 0, sink)
}

fn item(node: &Node, depth: usize, sink: &mut dyn FnMut(Entry)) -> Result<(), Trouble> {
    let at = node.span.start as u64;
    if depth > DEEPEST {
        return Err(Trouble::at(at, format!("items are nested more than {DEEPEST} deep")));
    }
    let items = node.get("items").and_then(Node::as_seq).unwrap_or_default();
    for one in items {
        item(one, depth + 1, sink)?;
    }
    let word = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default();
    // The root of a plugin without items is no test.
    if !items.is_empty() || depth == 0 || word("name").is_empty() {
        return Ok(());
    }
    let outcome = match word("status") {
        "passed" => Outcome::Pass,
        "failed" | "timeout" => Outcome::Fail,
        "skipped" => Outcome::Skip,
        _ => Outcome::Error,
    };
    let details = node.get("details");
    let text = |key: &str| details.and_then(|details| details.get(key)).and_then(Node::as_str);
    let why = match outcome {
        Outcome::Pass => String::new(),
        Outcome::Error => format!("its status is `{}`", word("status")),
        _ => text("failure").or_else(|| text("error")).map(reason::one_line).unwrap_or_default(),
    };
    let name = word("name");
    sink(Entry::new(name.strip_prefix("[It] ").unwrap_or(name), outcome, at).because(why));
    Ok(())
}
