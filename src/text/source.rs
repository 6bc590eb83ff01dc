//! A named text and byte ranges into it.

use std::sync::Arc;

/// A text with the name under which it is reported, usually a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The name shown in diagnostics.
    pub name: String,
    /// The whole text; empty when only an outline was kept, some lines when this is a part of a file.
    pub text: String,
    /// Where each line begins: a place is asked for with every request of a run.
    lines: Lines,
    /// Where the text begins in its file.
    start: usize,
}

/// Byte offsets at which lines begin.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lines {
    /// All lines of the text, and the number of lines before them in the file.
    Of(Box<[u32]>, u32),
    /// Lines with their numbers, of a file whose text was not kept.
    Outline(Box<[(u32, u32)]>),
}

impl SourceFile {
    /// A shared source, as diagnostics and readers want it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<SourceFile> {
        Arc::new(SourceFile::part(name.into(), text.into(), 0, 0))
    }

    /// Some lines of a file; spans are those of the file.
    pub(crate) fn part(name: String, text: String, start: usize, lines_before: u32) -> SourceFile {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let lines = Lines::Of(lines.map(|at| short(start + at)).collect(), lines_before);
        SourceFile { name, text, lines, start }
    }

    /// The file without its text. Only the lines that begin outside the given spans, which are in order, can be told.
    pub(crate) fn outline(&self, without: &[Span]) -> SourceFile {
        let mut without = without.iter().peekable();
        let mut kept = Vec::new();
        if let Lines::Of(lines, before) = &self.lines {
            for (start, number) in lines.iter().zip(before + 1..) {
                while without.next_if(|span| span.end <= *start as usize).is_some() {}
                if without.peek().is_none_or(|span| (*start as usize) < span.start) {
                    kept.push((*start, number));
                }
            }
        }
        SourceFile {
            name: self.name.clone(),
            text: String::new(),
            lines: Lines::Outline(kept.into_boxed_slice()),
            start: self.start,
        }
    }

    /// Whether the text was not kept.
    pub(crate) fn is_outline(&self) -> bool {
        matches!(self.lines, Lines::Outline(_))
    }

    /// Whether the offset is in the text.
    pub(crate) fn covers(&self, offset: usize) -> bool {
        (self.start..=self.start + self.text.len()).contains(&offset)
    }

    /// The 1-based line of a byte offset.
    pub fn line(&self, offset: usize) -> usize {
        match &self.lines {
            Lines::Of(lines, before) => {
                *before as usize + lines.partition_point(|start| *start as usize <= offset).max(1)
            }
            Lines::Outline(lines) => {
                let at = lines.partition_point(|(start, _)| *start as usize <= offset);
                lines.get(at.saturating_sub(1)).map_or(1, |(_, number)| *number as usize)
            }
        }
    }

    /// The 1-based line and column (in characters) of a byte offset. An offset behind the end means the end; one
    /// inside a character means that character.
    pub fn line_col(&self, offset: usize) -> (usize, usize) {
        let mut at = offset.saturating_sub(self.start).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        (self.line(self.start + at), line.chars().filter(|c| *c != '\u{feff}').count() + 1)
    }

    /// The text that a span covers, or nothing when the span does not fit this file.
    pub fn slice(&self, span: Span) -> &str {
        let inside = |at: usize| at.checked_sub(self.start);
        inside(span.start).zip(inside(span.end)).and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default()
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

/// Nobody reads texts of four gigabytes; places in one would be shown wrong.
fn short(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
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
    fn a_part_and_an_outline_know_the_lines_of_the_file() {
        let text = "a\nbb\n  cc\ndd\nee\n";
        let file = SourceFile::new("a", text);
        let part = SourceFile::part("a".to_owned(), text[5..13].to_owned(), 5, 2);
        for offset in 5..13 {
            assert_eq!(part.line_col(offset), file.line_col(offset), "{offset}");
            assert_eq!(part.slice(Span::new(offset, 13)), file.slice(Span::new(offset, 13)));
        }
        assert_eq!(part.slice(Span::new(0, 6)), "");
        assert!(part.covers(5) && !part.covers(4) && !part.is_outline());
        let outline = file.outline(&[Span::new(7, 12)]);
        assert!(outline.is_outline() && outline.text.is_empty());
        for offset in [0, 1, 2, 4, 5, 6, 13, 14, 15] {
            assert_eq!(outline.line(offset), file.line(offset), "{offset}");
        }
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
