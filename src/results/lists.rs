//! Names of passed tests, one a line; lines that begin with `#` are comments.

use std::io::BufRead;

use crate::capability::Outcome;

use super::source::{Line, Source, Trouble};
use super::{Entry, LONGEST_NAME};

/// Why a text is no list of names, if it is none.
pub fn objection(prefix: &[u8]) -> Option<String> {
    // The last line may be cut.
    let end = memchr::memrchr(b'\n', prefix).unwrap_or(prefix.len());
    let lines = prefix.get(..end).unwrap_or_default().split(|byte| *byte == b'\n');
    lines.enumerate().find_map(|(number, line)| Some(format!("line {} {}", number + 1, wrong(line).err()?)))
}

/// The name on a line, or why there can be none.
fn wrong(line: &[u8]) -> Result<Option<&str>, &'static str> {
    let Ok(line) = std::str::from_utf8(line) else { return Err("is not UTF-8 text") };
    let name = line.trim();
    if name.is_empty() || name.starts_with('#') {
        return Ok(None);
    }
    if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err("is no name of a test");
    }
    // Names of one word have dots; those that are sentences begin with a tag.
    let likely =
        if name.contains(char::is_whitespace) { name.starts_with('[') } else { name.contains(['.', ':', '/']) };
    if likely { Ok(Some(name)) } else { Err("is no name of a test") }
}

/// Reads a list.
pub fn read<R: BufRead>(source: &mut Source<R>, sink: &mut dyn FnMut(Entry)) -> Result<(), Trouble> {
    let mut line = Vec::new();
    loop {
        let at = source.at();
        match source.line(&mut line)? {
            Line::End => return Ok(()),
            Line::TooLong => return Err(Trouble::at(at, "this line is no name of a test")),
            Line::Whole => {}
        }
        let bytes = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        match wrong(bytes) {
            Ok(Some(name)) => sink(Entry::new(name, Outcome::Pass, at)),
            Ok(None) => {}
            Err(why) => return Err(Trouble::at(at, format!("this line {why}"))),
        }
    }
}
