//! Problems that point into a file: code, message, labels, remedy.
//!
//! Messages are lower-case fragments without a full stop; the remedy goes to `help`. Codes are stable.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};
use serde_json::{Value, json};

use super::{SourceFile, Span};

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The input cannot be used.
    Error,
    /// The input can be used, but probably does not say what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A place in the source with a remark; the text may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it.
    pub text: String,
}

/// One problem. The first label is the place the problem is reported at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code such as `S012`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Places, the most important first.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// The file that the labels point into.
    pub source: Option<Arc<SourceFile>>,
    /// The place as a JSON path, when the file is a tree and the place is known.
    pub path: Option<Box<str>>,
}

impl Diagnostic {
    /// An error without place and remedy yet.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            source: None,
            path: None,
        }
    }

    /// A warning without place and remedy yet.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// Adds a place; the first one added is the primary one.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Sets the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Sets the file that the labels point into.
    #[must_use]
    pub fn source(mut self, source: &Arc<SourceFile>) -> Diagnostic {
        self.source = Some(Arc::clone(source));
        self
    }

    /// Sets the place as a JSON path.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Diagnostic {
        self.path = Some(path.into().into_boxed_str());
        self
    }

    /// Line and column of the first label, when there is one and the file is known.
    pub fn position(&self) -> Option<(usize, usize)> {
        let source = self.source.as_ref()?;
        let label = self.labels.first()?;
        Some(source.line_col(label.span.start))
    }

    /// The diagnostic as shown to a person, without a line break at the end.
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()).id(self.code));
        if let Some(source) = &self.source {
            let name = normalize_untrusted_str(&source.name);
            group = if self.labels.is_empty() {
                group.element(Origin::path(name))
            } else {
                group.element(self.snippet(source).path(name))
            };
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// Only the lines that carry labels (and what is between) go to the renderer, which otherwise walks the whole
    /// file for each diagnostic.
    fn snippet<'a>(&'a self, source: &'a SourceFile) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let spans: Vec<Span> = self.labels.iter().map(|label| source.clamp(label.span)).collect();
        let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
        let last = spans.iter().map(|span| span.end).max().unwrap_or(0);
        let text = source.text.as_str();
        let from = text.get(..first).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let to = text.get(last..).and_then(|after| after.find('\n')).map_or(text.len(), |newline| last + newline);
        let annotations = self.labels.iter().zip(&spans).enumerate().map(move |(index, (label, span))| {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(span.start - from..span.end - from);
            if label.text.is_empty() { annotation } else { annotation.label(normalize_untrusted_str(&label.text)) }
        });
        Snippet::source(text.get(from..to).unwrap_or_default())
            .line_start(source.line_col(from).0)
            .annotations(annotations)
    }

    fn to_json(&self) -> Value {
        let position = self.position();
        json!({
            "code": self.code,
            "severity": self.severity.as_str(),
            "file": self.source.as_ref().map(|source| source.name.as_str()),
            "line": position.map(|(line, _)| line),
            "column": position.map(|(_, column)| column),
            "path": self.path,
            "message": self.message,
            "help": self.help,
        })
    }
}

/// A list of problems, in the order found. As an error value it displays all of them without colour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// An empty list.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether at least one is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many there are, warnings included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in order, to complete what is said.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.0.iter_mut()
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// All of them as shown to a person, an empty line between two.
    pub fn render(&self, color: bool) -> String {
        let rendered: Vec<String> = self.0.iter().map(|one| one.render(color)).collect();
        rendered.join("\n\n")
    }

    /// A list of `{code, severity, file, line, column, path, message, help}`; what is not known is null.
    pub fn to_json(&self) -> Value {
        Value::Array(self.0.iter().map(Diagnostic::to_json).collect())
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, others: I) {
        self.0.extend(others);
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Diagnostics {
        Diagnostics(diagnostics.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Diagnostic {
        let source = SourceFile::new("suites/a.yaml", "one: 1\ntwo: 2\nöne: 3\nfour: 4\n");
        Diagnostic::error("S012", "unknown key `öne`")
            .label(Span::new(14, 18), "not a key of a suite")
            .label(Span::new(0, 3), "the known one")
            .help("did you mean `one`?")
            .source(&source)
    }

    #[test]
    fn shows_file_line_caret_and_help() {
        let shown = sample().render(false);
        assert!(shown.starts_with("error[S012]: unknown key `öne`"), "{shown}");
        assert!(shown.contains("--> suites/a.yaml:3:1"), "{shown}");
        assert!(shown.contains("^^^ not a key of a suite"), "{shown}");
        assert!(shown.contains("--- the known one"), "{shown}");
        assert!(shown.contains("help: did you mean `one`?"), "{shown}");
        assert!(!shown.contains("four"), "{shown}");
        assert!(!shown.contains('\u{1b}'));
        assert!(sample().render(true).contains('\u{1b}'));
    }

    #[test]
    fn machine_form_has_position_or_null() {
        let mut list = Diagnostics::from(sample());
        list.push(Diagnostic::warning("S001", "no file"));
        let json = list.to_json();
        assert_eq!(json[0]["file"], "suites/a.yaml");
        assert_eq!((json[0]["line"].as_u64(), json[0]["column"].as_u64()), (Some(3), Some(1)));
        assert_eq!(json[0]["help"], "did you mean `one`?");
        assert!(json[1]["line"].is_null() && json[1]["file"].is_null());
        assert_eq!(json[1]["severity"], "warning");
    }

    #[test]
    fn a_warning_alone_is_no_error() {
        let mut list = Diagnostics::new();
        assert!(list.is_empty() && !list.has_errors());
        list.push(Diagnostic::warning("S001", "odd"));
        assert!(!list.has_errors());
        list.extend([sample()]);
        assert!(list.has_errors());
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn hostile_text_cannot_reach_the_terminal() {
        let source = SourceFile::new("a\u{1b}[2J.yaml", "x: \u{1b}[31m\n");
        let shown = Diagnostic::error("S001", "bad \u{1b}[0m")
            .label(Span::new(3, 8), "\u{1b}]0;title\u{7}")
            .help("\u{1b}[1m")
            .source(&source)
            .render(false);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown:?}");
    }

    #[test]
    fn odd_spans_and_empty_files_render() {
        let empty = SourceFile::new("e", "");
        let shown = Diagnostic::error("S001", "empty").label(Span::new(5, 9), "").source(&empty).render(false);
        assert!(shown.contains("--> e:1:1"), "{shown}");
        let multi = SourceFile::new("m", "a: |\r\n  x\r\n  y\r\nb: 1");
        let shown = Diagnostic::error("S001", "block").label(Span::new(3, 16), "here").source(&multi).render(false);
        assert!(shown.contains("--> m:1:4"), "{shown}");
    }
}
