//! Results of other tools: subunit v1 and v2, JUnit XML, `go test -json`, RefStack's JSON, lists of passed names; and files that
//! lie together, in a folder or in an archive of Sonobuoy.
//!
//! Start at [`read`], which recognises the format from the content and gives one [`Entry`] after the other, or at
//! [`collect`], which puts the entries of each test together. Everything is read as a stream; memory grows with the
//! number of tests, not with the size of logs. This module opens no file, knows no guideline and scores nothing.
//!
//! Damage is a value: what was read before it is kept, and [`Reading::damage`] says where and what it is. Whoever uses
//! the results must not call them complete.
//!
//! # Outcomes
//!
//! | theirs | ours | why |
//! | --- | --- | --- |
//! | success, a test case without children | `pass` | |
//! | fail, failure, subunit v1 `error` | `fail` | subunit v2 does not tell errors from failures, so neither does v1 |
//! | JUnit `error` | `error` | the test could not be carried out |
//! | skip, `skipped`, disabled | `skip` | with its reason |
//! | xfail | `fail` | what was expected to fail did not work |
//! | uxsuccess | `fail` | the test tool itself takes it as a failure |
//! | in progress, without an end | `error` | never finished |
//! | exists, and nothing else | `not-run` | it was listed only |

mod archive;
mod collect;
mod e2e_log;
mod facts;
mod gotest;
mod junit;
mod lists;
mod members;
mod name;
mod reason;
mod refstack;
mod source;
mod subunit1;
mod subunit2;
mod tree;

use std::fmt;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::time::Duration;

use jiff::Timestamp;

use crate::capability::Outcome;

pub use collect::{Collected, Row, collect, collect_files};
pub use e2e_log::{Log, Totals};
pub use facts::Facts;
pub use members::is_member;
pub use name::{Name, Scope, brackets, scope, take_apart};

use source::{Source, Trouble};

#[cfg(test)]
mod files_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// Bytes from the beginning by which the format is recognised.
const PREFIX: u64 = 64 << 10;
/// More tests than this are refused.
const MOST_TESTS: usize = 2_000_000;
/// Longest name of a test, in bytes.
const LONGEST_NAME: usize = 4096;

/// One result as a tool gave it. A test that was run twice has two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name, ids and attributes.
    pub name: Name,
    /// How it ended.
    pub outcome: Outcome,
    /// Passed after a failed attempt that the same result tells of.
    pub flaky: bool,
    /// Why it did not pass, in one line.
    pub reason: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// Where in the file its end is said, in bytes.
    pub at: u64,
}

impl Entry {
    fn new(name: &str, outcome: Outcome, at: u64) -> Entry {
        Entry {
            name: take_apart(cut(name, LONGEST_NAME)),
            outcome,
            flaky: false,
            reason: None,
            started: None,
            ended: None,
            duration: None,
            at,
        }
    }

    fn because(mut self, reason: impl Into<Option<String>>) -> Entry {
        self.reason = reason.into().filter(|reason| !reason.is_empty());
        self
    }

    fn between(mut self, started: Option<Timestamp>, ended: Option<Timestamp>) -> Entry {
        self.duration = started.zip(ended).and_then(|(from, to)| to.duration_since(from).try_into().ok());
        (self.started, self.ended) = (started, ended);
        self
    }
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text protocol.
    SubunitV1,
    /// Packets.
    SubunitV2,
    /// JUnit XML in any dialect.
    Junit,
    /// Events of `go test -json`.
    GoTest,
    /// The summary tree of a Sonobuoy plugin.
    Tree,
    /// Files of one run, in a folder or an archive.
    Files,
    /// What is uploaded to a RefStack server: passes only.
    RefStack,
    /// Names of passed tests, one a line.
    Names,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::SubunitV1 => "subunit v1",
            Format::SubunitV2 => "subunit v2",
            Format::Junit => "JUnit XML",
            Format::GoTest => "go test events",
            Format::Tree => "a Sonobuoy summary",
            Format::Files => "files of one run",
            Format::RefStack => "RefStack results",
            Format::Names => "names of passed tests",
        })
    }
}

/// Where results are cut or damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Position in bytes.
    pub at: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.what)
    }
}

/// What is known of the whole after reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The format.
    pub format: Format,
    /// Where reading had to end, if it was before the end.
    pub damage: Option<Damage>,
    /// What else should be known, in plain words.
    pub notes: Vec<String>,
    /// What the results say beside the tests.
    pub facts: Facts,
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("the results cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is none of the formats.
    #[error("the format is not known: {0}")]
    Unknown(String),
}

/// Reads results of any known format; each is given to `sink` as soon as it is known.
///
/// # Errors
/// When the input cannot be read or is no such file. Damage further on is no error but part of the [`Reading`].
pub fn read(mut input: impl BufRead, sink: &mut dyn FnMut(Entry)) -> Result<Reading, ReadError> {
    let mut prefix = Vec::new();
    (&mut input).take(PREFIX).read_to_end(&mut prefix)?;
    if !archive::is_gzip(&prefix) {
        return read_plain(&prefix, &mut input, sink);
    }
    let (mut unpacked, fault) = archive::Unpacked::new(Cursor::new(prefix).chain(input));
    let mut prefix = Vec::new();
    (&mut unpacked).take(PREFIX).read_to_end(&mut prefix)?;
    let read = read_plain(&prefix, &mut BufReader::with_capacity(64 << 10, unpacked), sink);
    let fault = fault.borrow_mut().take();
    match (read, fault) {
        (Ok(reading), fault) => Ok(Reading { damage: fault.or(reading.damage), ..reading }),
        (Err(ReadError::Empty | ReadError::Unknown(_)), Some(fault)) => Err(ReadError::Unknown(fault.to_string())),
        (Err(error), _) => Err(error),
    }
}

/// Reads what is not packed, of which the beginning is known.
fn read_plain(prefix: &[u8], rest: &mut dyn BufRead, sink: &mut dyn FnMut(Entry)) -> Result<Reading, ReadError> {
    let mut whole = Cursor::new(prefix).chain(rest);
    if archive::is_tar(prefix) {
        return archive::read(&mut whole, sink);
    }
    let format = recognise(prefix)?;
    let mut source = Source::new(whole);
    let (mut notes, mut facts) = (Vec::new(), Facts::default());
    let ended = match format {
        Format::SubunitV1 => subunit1::read(&mut source, sink, &mut notes),
        Format::SubunitV2 => subunit2::read(&mut source, sink, &mut notes),
        Format::Junit => {
            facts.documents = 1;
            junit::read(source.into_inner(), sink, &mut notes, &mut facts)
        }
        Format::GoTest => gotest::read(&mut source, sink, &mut notes),
        Format::Tree | Format::Files => {
            let mut bytes = Vec::new();
            source.into_inner().take(tree::LARGEST).read_to_end(&mut bytes)?;
            tree::read(&bytes, sink)
        }
        Format::RefStack => refstack::read(source.into_inner(), sink),
        Format::Names => lists::read(&mut source, sink),
    };
    match ended {
        Ok(()) => Ok(Reading { format, damage: None, notes, facts }),
        Err(Trouble::Damage(damage)) => Ok(Reading { format, damage: Some(damage), notes, facts }),
        Err(Trouble::Io(error)) => Err(error.into()),
    }
}

/// Reads files of one run, each with its path; those that say nothing ([`is_member`]) are passed over.
///
/// # Errors
/// When a file cannot be read.
pub fn read_files<R: Read>(
    files: impl IntoIterator<Item = (String, R)>,
    sink: &mut dyn FnMut(Entry),
) -> Result<Reading, ReadError> {
    let mut members = members::Members::new(sink);
    for (path, mut input) in files {
        members.take(&path, &mut input)?;
    }
    Ok(members.finish())
}

/// The format of a file that begins like this.
///
/// # Errors
/// When it is none.
pub fn recognise(prefix: &[u8]) -> Result<Format, ReadError> {
    let unknown = |why: &str| Err(ReadError::Unknown(why.to_owned()));
    let trimmed = prefix.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix).trim_ascii_start();
    match trimmed {
        [] => Err(ReadError::Empty),
        [subunit2::SIGNATURE, ..] => Ok(Format::SubunitV2),
        [0x1f, 0x8b, ..] => unknown("the file is packed twice; unpack it with gunzip"),
        [b'P', b'K', 3, 4, ..] => unknown("the file is a zip archive; unpack it and give the folder"),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => unknown("the text is UTF-16; save it as UTF-8"),
        [b'<', ..] => Ok(Format::Junit),
        [b'{', ..] if gotest::begins(trimmed) => Ok(Format::GoTest),
        [b'{', ..] => Ok(Format::RefStack),
        _ if tree::begins(trimmed) => Ok(Format::Tree),
        // Test tools may print before the first packet.
        _ if subunit2::begins_within(trimmed) => Ok(Format::SubunitV2),
        _ if subunit1::begins_within(trimmed) => Ok(Format::SubunitV1),
        _ => match lists::objection(trimmed) {
            None => Ok(Format::Names),
            Some(why) => unknown(&format!(
                "neither subunit, JUnit XML, go test events nor RefStack results; as a list of passed names: {why}"
            )),
        },
    }
}

/// The beginning of a text.
fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
