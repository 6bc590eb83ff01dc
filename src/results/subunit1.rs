//! subunit v1: the text protocol. What is not part of it is output of the tests and ignored.

use std::io::BufRead;

use jiff::Timestamp;

use crate::capability::Outcome;

use super::source::{Line, Source, Tail, Trouble};
use super::{Entry, reason};

/// Whether a text has a line of the protocol that no list of names would have.
pub fn begins_within(prefix: &[u8]) -> bool {
    let mut lines = prefix.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned());
    lines.any(|line| match line.split_once(' ') {
        Some(("test:" | "testing:" | "success:" | "successful:" | "failure:" | "progress:", _)) => true,
        Some(("time:", time)) => parse_time(time).is_some(),
        _ => false,
    })
}

/// A test that has begun.
struct Current {
    label: String,
    started: Option<Timestamp>,
    at: u64,
}

/// A line that ends a test.
#[derive(Clone, Copy)]
struct End {
    outcome: Outcome,
    expectation: &'static str,
}

struct Reader<'s, R> {
    source: &'s mut Source<R>,
    sink: &'s mut dyn FnMut(Entry),
    current: Option<Current>,
    now: Option<Timestamp>,
    /// Ends of tests that had not begun.
    stray: u64,
}

/// Reads a stream.
pub fn read<R: BufRead>(
    source: &mut Source<R>,
    sink: &mut dyn FnMut(Entry),
    notes: &mut Vec<String>,
) -> Result<(), Trouble> {
    let mut reader = Reader { source, sink, current: None, now: None, stray: 0 };
    let ended = reader.lines();
    reader.never_finished();
    if reader.stray > 0 {
        notes.push(format!("{} ends of tests that had not begun were ignored", reader.stray));
    }
    ended
}

impl<R: BufRead> Reader<'_, R> {
    fn lines(&mut self) -> Result<(), Trouble> {
        let mut line = Vec::new();
        loop {
            let at = self.source.at();
            match self.source.line(&mut line)? {
                Line::End => return Ok(()),
                Line::TooLong => continue,
                Line::Whole => {}
            }
            let text = String::from_utf8_lossy(&line);
            self.line(text.trim_end_matches(['\n', '\r']), at)?;
        }
    }

    fn line(&mut self, line: &str, at: u64) -> Result<(), Trouble> {
        let Some((command, rest)) = line.split_once(' ') else { return Ok(()) };
        let (word, colon) = command.strip_suffix(':').map_or((command, false), |word| (word, true));
        let end = match word {
            "test" | "testing" => {
                if self.current.is_none() {
                    self.current = Some(Current { label: rest.to_owned(), started: self.now, at });
                }
                return Ok(());
            }
            "time" => {
                self.now = parse_time(rest).or(self.now);
                return Ok(());
            }
            "success" | "successful" => End { outcome: Outcome::Pass, expectation: "" },
            "failure" | "error" => End { outcome: Outcome::Fail, expectation: "" },
            "skip" => End { outcome: Outcome::Skip, expectation: "" },
            "xfail" => End { outcome: Outcome::Fail, expectation: "it failed, as expected: " },
            "uxsuccess" => End { outcome: Outcome::Fail, expectation: "it passed, although it was expected to fail " },
            _ => return Ok(()),
        };
        self.end(end, rest, colon, at)
    }

    /// The end of a test counts only for the one that has begun, since tests may print anything.
    fn end(&mut self, end: End, rest: &str, colon: bool, at: u64) -> Result<(), Trouble> {
        let known = |label: &str| self.current.as_ref().is_some_and(|current| current.label == label);
        let details = [(" [ multipart", true), (" [", false)];
        let details = details.iter().find_map(|(mark, parts)| Some((rest.strip_suffix(mark)?, *parts)));
        let why = match details {
            _ if known(rest) => String::new(),
            Some((label, multipart)) if known(label) => {
                let text = if multipart { self.multipart(at) } else { self.simple(at) }?;
                if end.outcome == Outcome::Skip { reason::one_line(&text) } else { reason::of_traceback(&text) }
            }
            _ => {
                self.stray += u64::from(colon);
                return Ok(());
            }
        };
        let Some(current) = self.current.take() else { return Ok(()) };
        let why = if end.outcome.is_pass() { String::new() } else { format!("{}{why}", end.expectation) };
        (self.sink)(Entry::new(&current.label, end.outcome, at).because(why).between(current.started, self.now));
        Ok(())
    }

    fn cut(at: u64) -> Trouble {
        Trouble::at(at, "the stream ends within the details of this test")
    }

    /// A line of the details, which is never the last one unless it closes them.
    fn detail(&mut self, line: &mut Vec<u8>, at: u64) -> Result<Line, Trouble> {
        let read = self.source.line(line)?;
        let cut = read == Line::End || (read == Line::Whole && !line.ends_with(b"\n") && line != b"]");
        if cut { Err(Self::cut(at)) } else { Ok(read) }
    }

    /// Text up to a line with a closing bracket alone.
    fn simple(&mut self, at: u64) -> Result<String, Trouble> {
        let (mut text, mut line) = (Tail::default(), Vec::new());
        loop {
            match self.detail(&mut line, at)? {
                Line::Whole if line.trim_ascii_end() == b"]" => return Ok(text.text()),
                _ => text.push(line.strip_prefix(b" ").filter(|rest| rest.first() == Some(&b']')).unwrap_or(&line)),
            }
        }
    }

    /// Parts with a type, a name, and a body in chunks. The traceback or the reason is what counts.
    fn multipart(&mut self, at: u64) -> Result<String, Trouble> {
        let (mut text, mut line) = (Tail::default(), Vec::new());
        loop {
            match self.detail(&mut line, at)? {
                Line::Whole if line.trim_ascii_end() == b"]" => return Ok(text.text()),
                _ if line.starts_with(b"Content-Type:") => {}
                _ => return Err(Trouble::at(self.source.at(), "a part of the details has no Content-Type")),
            }
            self.detail(&mut line, at)?;
            let name = line.trim_ascii();
            let wanted = name.starts_with(b"traceback") || name == b"reason" || name == b"message";
            self.chunks(at, &mut |bytes| {
                if wanted {
                    text.push(bytes)
                }
            })?;
        }
    }

    /// Chunks: a length in hexadecimal digits on a line, as many bytes; the last one has length 0.
    fn chunks(&mut self, at: u64, each: &mut dyn FnMut(&[u8])) -> Result<(), Trouble> {
        let mut line = Vec::new();
        loop {
            let here = self.source.at();
            self.detail(&mut line, at)?;
            let digits = std::str::from_utf8(line.trim_ascii_end()).unwrap_or_default();
            match u64::from_str_radix(digits, 16) {
                Ok(0) => return Ok(()),
                Ok(length) if self.source.take(length, &mut *each)? => {}
                Ok(_) => return Err(Self::cut(at)),
                Err(_) => return Err(Trouble::at(here, "the length of a chunk should stand here")),
            }
        }
    }

    fn never_finished(&mut self) {
        let Some(current) = self.current.take() else { return };
        let entry = Entry::new(&current.label, Outcome::Error, current.at);
        (self.sink)(entry.because("it never finished".to_owned()).between(current.started, None));
    }
}

/// `2024-05-06 07:08:09.123456Z`.
fn parse_time(text: &str) -> Option<Timestamp> {
    text.trim().replacen(' ', "T", 1).parse().ok()
}
