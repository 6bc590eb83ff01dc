//! A named text and byte ranges into it.

use std::sync::Arc;

/// A text with the name under which it is reported, usually a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The name shown in diagnostics.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where each line begins: a place is asked for with every request of a run.
    lines: Box<[u32]>,
}

impl SourceFile {
    /// A shared source, as diagnostics and readers want it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<SourceFile> {
        let text: String = text.into();
        let lines = text.match_indices('\n').map(|(at, _)| at + 1);
        // Nobody reads texts of four gigabytes; places in one would be shown wrong.
        let lines = std::iter::once(0).chain(lines).map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        Arc::new(SourceFile { name: name.into(), text, lines })
    }

    /// The 1-based line and column (in characters) of a byte offset. An offset behind the end means the end; one
    /// inside a character means that character.
    pub fn line_col(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|start| *start as usize <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default() as usize;
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().filter(|c| *c != '\u{feff}').count() + 1)
    }

    /// The text that a span covers, or nothing when the span does not fit this file.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The span moved to character boundaries inside the text, so that it can always be sliced and rendered.
    pub(super) fn clamp(&self, span: Span) -> Span {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        Span { start, end }
    }
}

/// A half-open range of byte offsets in a [`SourceFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One behind the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to, but without, `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_and_column_count_characters_from_one() {
        let file = SourceFile::new("a.yaml", "ä: 1\nbö: 2\n");
        assert_eq!(file.line_col(0), (1, 1));
        assert_eq!(file.line_col(2), (1, 2));
        assert_eq!(file.line_col(1), (1, 1), "inside a character");
        assert_eq!(file.line_col(6), (2, 1));
        assert_eq!(file.line_col(9), (2, 3));
        assert_eq!(file.line_col(999), (3, 1));
    }

    #[test]
    fn a_byte_order_mark_is_not_a_column() {
        let file = SourceFile::new("a", "\u{feff}key");
        assert_eq!(file.line_col(3), (1, 1));
    }

    #[test]
    fn clamp_keeps_spans_renderable() {
        let file = SourceFile::new("a", "äö");
        assert_eq!(file.clamp(Span::new(1, 3)), Span::new(0, 4));
        assert_eq!(file.clamp(Span::new(9, 2)), Span::new(4, 4));
        assert_eq!(file.slice(Span::new(0, 2)), "ä");
        assert_eq!(file.slice(Span::new(0, 99)), "");
    }
}
