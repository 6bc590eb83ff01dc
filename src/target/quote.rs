//! Copies of files with secrets that diagnostics may quote: of the same length and lines, with everything starred out that
//! was not released.

use std::sync::Arc;

use crate::text::{Diagnostic, Diagnostics, SourceFile, Span};

/// A copy in the making.
pub(super) struct Quotable<'a> {
    from: &'a SourceFile,
    bytes: Vec<u8>,
}

impl<'a> Quotable<'a> {
    /// A copy in which nothing can be read.
    pub(super) fn nothing(from: &'a SourceFile) -> Self {
        let star = |byte: u8| if byte.is_ascii_whitespace() { byte } else { b'*' };
        Self { from, bytes: from.text.bytes().map(star).collect() }
    }

    /// Makes a part readable.
    pub(super) fn release(&mut self, span: Span) {
        let (Some(to), Some(from)) =
            (self.bytes.get_mut(span.start..span.end), self.from.text.as_bytes().get(span.start..span.end))
        else {
            return;
        };
        to.copy_from_slice(from);
    }

    /// Makes a key readable, with its colon.
    pub(super) fn release_key(&mut self, key: Span) {
        self.release(key);
        let colon = Span::new(key.end, key.end + 1);
        if self.from.slice(colon) == ":" {
            self.release(colon);
        }
    }

    /// The copy.
    pub(super) fn source(self) -> Arc<SourceFile> {
        SourceFile::new(self.from.name.clone(), String::from_utf8_lossy(&self.bytes).into_owned())
    }
}

/// Problems of a file that is not YAML, without its text: nobody knows where the secrets are in it. `needed` says what a
/// file that is too large should be cut down to, as in `clouds need`.
pub(super) fn hushed(source: &Arc<SourceFile>, problems: &Diagnostics, needed: &str) -> Diagnostics {
    let blank = Quotable::nothing(source).source();
    let said = |code| match code {
        "Y002" => ("a key appears twice in one mapping", "keep one of them".to_owned()),
        "Y003" => ("too large, nested too deep, or too many aliases", format!("keep only what {needed} in this file")),
        "Y004" => ("YAML that is not supported", "one document, plain keys, no tags of your own".to_owned()),
        "Y005" => ("a number that would change when read", "put it in quotes".to_owned()),
        _ => (
            "not valid YAML",
            "check indentation, quotes and colons; quote values that begin with a special character".to_owned(),
        ),
    };
    let problem = |problem: &Diagnostic| {
        let (message, help) = said(problem.code);
        let spans = problem.labels.iter().map(|label| label.span);
        let about = Diagnostic::error(problem.code, message).help(help).source(&blank);
        spans.fold(about, |about, span| about.label(span, ""))
    };
    problems.iter().map(problem).collect()
}
