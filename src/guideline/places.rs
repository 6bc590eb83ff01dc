//! Where in the file the parts of a guideline stand, beside the model, so that the model can also come from elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::text::yaml::{self, Node};
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span};

/// Spans by path of keys. Empty for a guideline that no file stands behind; diagnostics then have no label. They are looked
/// for when the first one is asked for: scoring needs none, and of a large guideline they are larger than the rest.
#[derive(Debug, Clone, Default)]
pub struct Places {
    source: Option<Arc<SourceFile>>,
    spans: OnceLock<Spans>,
}

type Spans = BTreeMap<Vec<String>, Place>;

/// What has been looked for makes no difference.
impl PartialEq for Places {
    fn eq(&self, other: &Places) -> bool {
        self.source == other.source
    }
}

impl Eq for Places {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    span: Span,
    /// For an item of a list, which is noted by its text.
    index: Option<usize>,
}

impl Places {
    /// Places in a file: of the keys of all mappings and the texts of all lists.
    pub fn new(source: &Arc<SourceFile>) -> Places {
        Places { source: Some(Arc::clone(source)), spans: OnceLock::new() }
    }

    /// The file, by the name under which it was read.
    pub fn file(&self) -> Option<&str> {
        self.source.as_ref().map(|source| source.name.as_str())
    }

    /// Digest of the file; `None` when no file stands behind the guideline.
    pub fn digest(&self) -> Option<crate::canon::Digest> {
        self.source.as_ref().map(|source| crate::canon::digest_bytes(source.text.as_bytes()))
    }

    fn spans(&self) -> &Spans {
        self.spans.get_or_init(|| {
            let mut spans = Spans::new();
            // What was read once can be read again.
            if let Some(root) = self.source.as_ref().and_then(|source| yaml::parse(source).ok()) {
                note_all(&mut spans, &root, &mut Vec::new());
            }
            spans
        })
    }

    /// Whether something was noted at exactly this path.
    pub fn has(&self, path: &[&str]) -> bool {
        self.nearest(path).is_some_and(|(known, _)| known.len() == path.len())
    }

    /// The span at the path, or of the nearest part above it that is known.
    pub fn find(&self, path: &[&str]) -> Option<Span> {
        self.nearest(path).map(|(_, place)| place.span)
    }

    fn nearest(&self, path: &[&str]) -> Option<(Vec<String>, Place)> {
        let mut path: Vec<String> = path.iter().map(|part| (*part).to_string()).collect();
        loop {
            if let Some(place) = self.spans().get(&path) {
                return Some((path, *place));
            }
            path.pop()?;
        }
    }

    /// The diagnostic with the file and, when the path is known, a label there and the JSON path.
    pub fn point(&self, diagnostic: Diagnostic, path: &[&str], text: &str) -> Diagnostic {
        let Some(source) = &self.source else {
            return diagnostic;
        };
        let diagnostic = diagnostic.source(source);
        let Some((mut path, place)) = self.nearest(path) else {
            return diagnostic;
        };
        let mut shown = "$".to_string();
        if place.index.is_some() {
            path.pop();
        }
        path.iter().for_each(|key| push_key(&mut shown, key));
        if let Some(index) = place.index {
            shown.push_str(&format!("[{index}]"));
        }
        diagnostic.label(place.span, text).path(shown)
    }
}

/// Notes the keys of all mappings and the texts of all lists; the first note wins.
fn note_all<'n>(spans: &mut Spans, node: &'n Node, path: &mut Vec<&'n str>) {
    fn note(spans: &mut Spans, path: &[&str], span: Span, index: Option<usize>) {
        let path = path.iter().map(|part| (*part).to_string()).collect();
        spans.entry(path).or_insert(Place { span, index });
    }
    for (key, value) in node.as_map().unwrap_or_default() {
        path.push(&key.text);
        note(spans, path, key.span, None);
        note_all(spans, value, path);
        path.pop();
    }
    for (index, item) in node.as_seq().unwrap_or_default().iter().enumerate() {
        let name = item.as_str().or_else(|| item.get("name").and_then(Node::as_str));
        if let Some(name) = name {
            path.push(name);
            note(spans, path, item.span, Some(index));
            path.pop();
        }
    }
}

/// Adds the JSON path to the diagnostics that have a label but no path.
pub(super) fn add_paths(problems: &mut Diagnostics, root: &Node) {
    for problem in problems.iter_mut().filter(|problem| problem.path.is_none()) {
        problem.path = problem.labels.first().map(|label| path_to(root, label.span.start).into_boxed_str());
    }
}

/// The path to the key or value that stands at an offset; keys and values around it are followed.
fn path_to(root: &Node, offset: usize) -> String {
    let holds = |span: Span| (span.start..span.end.max(span.start + 1)).contains(&offset);
    let (mut path, mut node) = ("$".to_string(), root);
    loop {
        let entry = node.as_map().unwrap_or_default().iter().find(|(key, value)| holds(key.span) || holds(value.span));
        if let Some((key, value)) = entry {
            push_key(&mut path, &key.text);
            node = value;
            continue;
        }
        let items = node.as_seq().unwrap_or_default();
        let Some((index, item)) = items.iter().enumerate().find(|(_, item)| holds(item.span)) else {
            return path;
        };
        path.push_str(&format!("[{index}]"));
        node = item;
    }
}

fn push_key(path: &mut String, key: &str) {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain && !key.is_empty() {
        path.push('.');
        path.push_str(key);
    } else {
        path.push_str(&format!("[{}]", serde_json::Value::from(key)));
    }
}
