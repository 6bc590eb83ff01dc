//! Where in the file the parts of a guideline stand, beside the model, so that the model can also come from elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::text::{Diagnostic, SourceFile, Span};

/// Spans by path of keys. Empty for a guideline that no file of ours stands behind; diagnostics then have no label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    source: Option<Arc<SourceFile>>,
    spans: BTreeMap<Vec<String>, Span>,
}

impl Places {
    /// Places in a file, none noted yet.
    pub fn new(source: &Arc<SourceFile>) -> Places {
        Places { source: Some(Arc::clone(source)), spans: BTreeMap::new() }
    }

    /// Notes where the value at a path of keys stands; the first note wins.
    pub fn note(&mut self, path: &[&str], span: Span) {
        let path = path.iter().map(|part| (*part).to_string()).collect();
        self.spans.entry(path).or_insert(span);
    }

    /// The span at the path, or of the nearest part above it that is known.
    pub fn find(&self, path: &[&str]) -> Option<Span> {
        let mut path: Vec<String> = path.iter().map(|part| (*part).to_string()).collect();
        loop {
            if let Some(span) = self.spans.get(&path) {
                return Some(*span);
            }
            path.pop()?;
        }
    }

    /// The diagnostic with the file and, when the path is known, a label there.
    pub fn point(&self, diagnostic: Diagnostic, path: &[&str], text: &str) -> Diagnostic {
        let Some(source) = &self.source else {
            return diagnostic;
        };
        let diagnostic = diagnostic.source(source);
        match self.find(path) {
            Some(span) => diagnostic.label(span, text),
            None => diagnostic,
        }
    }
}
