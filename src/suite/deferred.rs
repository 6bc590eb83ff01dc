//! Cases whose steps are not kept. In a catalogue of many thousand cases the compiled steps need far more memory than
//! their text, and the texts more than all else. They are read and checked with everything else, dropped, and read again when
//! the case is started.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use super::model::{Case, Suite};
use super::reader::{self, Origin};
use crate::canon::digest_bytes;
use crate::text::{SourceFile, Span, yaml};

/// Largest suite file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// A suite or family file: its text, or where it is.
#[derive(Debug, Clone)]
pub enum SuiteFile {
    /// The text is in memory, and stays there.
    Text(Arc<SourceFile>),
    /// The text is read when it is needed.
    Stored(Arc<StoredFile>),
}

/// A file that is read when it is needed.
#[derive(Debug)]
pub struct StoredFile {
    /// The name shown in diagnostics.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes when it was found.
    pub bytes: u64,
}

impl SuiteFile {
    /// The name shown in diagnostics.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            SuiteFile::Text(source) => &source.name,
            SuiteFile::Stored(file) => &file.name,
        }
    }

    /// The length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            SuiteFile::Text(source) => source.text.len() as u64,
            SuiteFile::Stored(file) => file.bytes,
        }
    }

    /// The text with its name.
    ///
    /// # Errors
    /// When it cannot be read, is too large or not UTF-8.
    pub fn source(&self) -> io::Result<Arc<SourceFile>> {
        match self {
            SuiteFile::Text(source) => Ok(Arc::clone(source)),
            SuiteFile::Stored(file) => file.read().map(|text| SourceFile::new(file.name.clone(), text)),
        }
    }
}

impl StoredFile {
    fn read(&self) -> io::Result<String> {
        let mut bytes = Vec::new();
        File::open(&self.path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other(format!("it has more than the {LARGEST} bytes that are read")));
        }
        String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
    }

    fn part(&self, start: u64, length: usize) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
    }
}

/// Where the steps of a case are read again. Whoever made it has seen that this gives the same.
#[derive(Debug)]
pub(super) struct Deferred {
    origin: Arc<Origin>,
    /// Beginning of the digest of its lines: steps of a text that was changed meanwhile are not run.
    digest: [u8; 8],
    /// Bytes on the first line before the case.
    column: u32,
    /// Bytes of all its lines.
    length: u32,
    /// Number of lines before it.
    line: u32,
}

impl Deferred {
    /// For the case at a span; `None` when its text alone does not say what it says in its file: aliases, for instance,
    /// do not.
    pub(super) fn new(origin: &Arc<Origin>, source: &SourceFile, item: &yaml::Node) -> Option<Deferred> {
        let (start, lines) = yaml::lines_of(source, item.span)?;
        let column = item.span.start - start;
        if yaml::parse_part(start, lines, column)? != *item {
            return None;
        }
        Some(Deferred {
            origin: Arc::clone(origin),
            digest: beginning(lines),
            column: column.try_into().ok()?,
            length: lines.len().try_into().ok()?,
            line: (source.line(start) - 1).try_into().ok()?,
        })
    }

    /// The lines of the case at a span, as a part of its file.
    fn lines(&self, span: Span) -> io::Result<SourceFile> {
        let start = span.start - self.column as usize;
        let (name, text) = match &self.origin.file {
            SuiteFile::Text(source) => {
                let text = source.slice(Span::new(start, start + self.length as usize));
                (source.name.clone(), text.to_owned())
            }
            SuiteFile::Stored(file) => (file.name.clone(), file.part(start as u64, self.length as usize)?),
        };
        if beginning(&text) != self.digest {
            return Err(io::Error::other("it was changed after it had been read"));
        }
        Ok(SourceFile::part(name, text, start, self.line))
    }
}

fn beginning(text: &str) -> [u8; 8] {
    let digest = digest_bytes(text.as_bytes());
    std::array::from_fn(|at| digest.as_bytes().get(at).copied().unwrap_or_default())
}

/// Where the steps of a case are.
#[derive(Debug)]
pub(super) enum Steps {
    /// In memory, with all others.
    Kept,
    /// In the file of the suite.
    Deferred(Deferred),
    /// In memory for this one start of the case, with the lines they were read from.
    Again(Arc<SourceFile>),
    /// They could not be read again, for this reason.
    Lost(String),
}

/// A case with its steps.
#[derive(Debug)]
pub enum Whole<'c> {
    /// They were kept.
    Kept(&'c Case),
    /// They were read again.
    Again(Box<Case>),
}

impl Deref for Whole<'_> {
    type Target = Case;

    fn deref(&self) -> &Case {
        match self {
            Whole::Kept(case) => case,
            Whole::Again(case) => case,
        }
    }
}

impl Case {
    /// The case with its steps, for whoever runs or judges it. When they cannot be read again,
    /// [`why_lost`](Case::why_lost) of what is returned says why.
    #[must_use]
    pub fn whole(&self) -> Whole<'_> {
        let Steps::Deferred(deferred) = &self.at else { return Whole::Kept(self) };
        let read = deferred.lines(self.span).map_err(|error| error.to_string()).and_then(|lines| {
            let lines = Arc::new(lines);
            let column = deferred.column as usize;
            let case = reader::read_again(&deferred.origin, &lines, self.span.start - column, column);
            let mut case = case.ok_or_else(|| "it cannot be read as it was before".to_owned())?;
            case.at = Steps::Again(lines);
            Ok(case)
        });
        Whole::Again(Box::new(read.unwrap_or_else(|why| Case {
            id: self.id.clone(),
            title: Arc::clone(&self.title),
            span: self.span,
            at: Steps::Lost(format!("{}: {why}", deferred.origin.file.name())),
            body: Arc::clone(&self.body),
        })))
    }

    /// Whether this is a case without its steps, which only [`whole`](Case::whole) has.
    #[must_use]
    pub fn lacks_steps(&self) -> bool {
        matches!(self.at, Steps::Deferred(_) | Steps::Lost(_))
    }

    /// Why the steps could not be read again.
    #[must_use]
    pub fn why_lost(&self) -> Option<&str> {
        match &self.at {
            Steps::Lost(why) => Some(why),
            _ => None,
        }
    }

    /// The line of a byte offset in the file of the suite, for what stands in this case or in a group of the suite.
    #[must_use]
    pub fn line(&self, suite: &Suite, offset: usize) -> usize {
        match &self.at {
            Steps::Again(lines) if lines.covers(offset) => lines.line(offset),
            _ => suite.source.line(offset),
        }
    }

    /// The lines that stay in the file, when the steps do.
    pub(super) fn deferred_lines(&self) -> Option<Span> {
        let Steps::Deferred(deferred) = &self.at else { return None };
        let start = self.span.start - deferred.column as usize;
        Some(Span::new(start, start + deferred.length as usize))
    }
}
