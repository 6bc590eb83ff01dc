//! Bytes with a position, and lines of bounded length.

use std::io::{self, BufRead};

use super::Damage;

/// Longest line that is kept; what is longer is no line of any format and is passed over.
pub const LONGEST_LINE: usize = 1 << 20;

/// A reader that knows where it is.
pub struct Source<R> {
    inner: R,
    at: u64,
}

/// What is wrong, or why nothing can be read.
#[derive(Debug)]
pub enum Trouble {
    /// The results are cut or damaged.
    Damage(Damage),
    /// The file cannot be read.
    Io(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Io(error)
    }
}

impl Trouble {
    pub fn at(at: u64, what: impl Into<String>) -> Trouble {
        Trouble::Damage(Damage { at, what: what.into() })
    }
}

/// How a line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// With its line feed, or the last one without.
    Whole,
    /// Longer than [`LONGEST_LINE`]; only its beginning was kept.
    TooLong,
    /// There are no more.
    End,
}

impl<R: BufRead> Source<R> {
    pub fn new(inner: R) -> Source<R> {
        Source { inner, at: 0 }
    }

    /// The reader itself, for those who count on their own.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Position of the next byte.
    pub fn at(&self) -> u64 {
        self.at
    }

    pub fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.consume(1);
        }
        Ok(byte)
    }

    pub fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.fill()?.first().copied())
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        loop {
            match self.inner.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.at += count as u64;
    }

    /// Gives up to `count` bytes piece by piece; `false` when there are fewer.
    pub fn take(&mut self, mut count: u64, mut each: impl FnMut(&[u8])) -> io::Result<bool> {
        while count > 0 {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let length = buffer.len().min(usize::try_from(count).unwrap_or(usize::MAX));
            each(buffer.get(..length).unwrap_or_default());
            self.consume(length);
            count -= length as u64;
        }
        Ok(true)
    }

    /// Reads a line with its line feed.
    pub fn line(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        let mut read_any = false;
        let mut too_long = false;
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                break;
            }
            read_any = true;
            let end = memchr::memchr(b'\n', buffer);
            let length = end.map_or(buffer.len(), |end| end + 1);
            let room = LONGEST_LINE.saturating_sub(line.len());
            too_long |= length > room;
            line.extend_from_slice(buffer.get(..length.min(room)).unwrap_or_default());
            self.consume(length);
            if end.is_some() {
                break;
            }
        }
        Ok(match (read_any, too_long) {
            (false, _) => Line::End,
            (true, false) => Line::Whole,
            (true, true) => Line::TooLong,
        })
    }
}

/// The end of a text of any length.
#[derive(Debug, Clone, Default)]
pub struct Tail(Vec<u8>);

impl Tail {
    const KEPT: usize = 32 << 10;

    pub fn push(&mut self, bytes: &[u8]) {
        let bytes = bytes.get(bytes.len().saturating_sub(Self::KEPT)..).unwrap_or_default();
        // Dropped in halves, so that many small pieces do not move the rest each time.
        if self.0.len() + bytes.len() > 2 * Self::KEPT {
            self.0.drain(..self.0.len().saturating_sub(Self::KEPT));
        }
        self.0.extend_from_slice(bytes);
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_positions() {
        let mut source = Source::new(io::BufReader::with_capacity(3, &b"abc\nd\r\n\nlast"[..]));
        let mut line = Vec::new();
        let mut lines = Vec::new();
        while source.line(&mut line).unwrap() == Line::Whole {
            lines.push((source.at(), String::from_utf8(line.clone()).unwrap()));
        }
        let wanted = [(4, "abc\n"), (7, "d\r\n"), (8, "\n"), (12, "last")];
        assert_eq!(lines, wanted.map(|(at, line)| (at, line.to_owned())));
    }

    #[test]
    fn long_lines_and_texts_take_little() {
        let bytes = [vec![b'x'; 3 << 20], b"\nnext".to_vec()].concat();
        let mut source = Source::new(io::BufReader::new(&bytes[..]));
        let mut line = Vec::new();
        assert_eq!(source.line(&mut line).unwrap(), Line::TooLong);
        assert_eq!(line.len(), LONGEST_LINE);
        assert_eq!(source.line(&mut line).unwrap(), Line::Whole);
        assert_eq!(line, b"next");
        let mut tail = Tail::default();
        (0..100_000).for_each(|_| tail.push(b"0123456789"));
        tail.push(b"end");
        assert!(tail.0.len() <= 2 * Tail::KEPT && tail.text().ends_with("end"));
    }
}
