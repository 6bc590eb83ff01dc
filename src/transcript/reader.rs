//! Reading: one pass builds an index of line positions, then attempts are read one by one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::record::{FORMAT, Record};
use crate::http::{Exchange, StreamEvent};
use crate::secret::Redacted;

/// Longer lines are refused. The engine keeps at most 32 MiB of a body, which is six times that when every byte must
/// be escaped.
const LONGEST_LINE: u64 = 256 << 20;

/// Why a transcript cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Written by a newer version.
    #[error("`{}` has transcript format {found}; this version reads up to {FORMAT}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A line is not what it must be.
    #[error("`{}` line {line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
}

/// What happened under one event number.
#[derive(Debug, Clone)]
pub enum Content {
    /// A request with what came back.
    Exchange {
        /// Whether it belongs to the clean-up.
        undo: bool,
        /// The step, for people.
        step: String,
        /// The exchange.
        exchange: Arc<Redacted<Exchange>>,
    },
    /// A request that was not sent.
    Stop {
        /// One of the words of `judge::StopReason`.
        reason: String,
    },
    /// Something on a stream.
    Stream {
        /// Event number of the exchange that opened it.
        of: u32,
        /// Whether it belongs to the clean-up.
        undo: bool,
        /// What happened.
        event: Arc<Redacted<StreamEvent>>,
    },
    /// A secret that the harness made.
    Secret {
        /// Its label.
        label: String,
        /// Its token.
        token: String,
    },
}

/// One attempt of one case.
#[derive(Debug, Clone, Default)]
pub struct AttemptEvents {
    /// Wall clock when it began, milliseconds since 1970.
    pub start_at_ms: i64,
    /// What happened, by event number.
    pub events: BTreeMap<u32, Content>,
    /// Which log-in of a session it relies on, by fixture; the first one where nothing is said.
    pub logins: BTreeMap<String, u32>,
    /// Whether it came to its end; `false` when the harness was killed.
    pub ended: bool,
}

/// A transcript with an index.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Mutex<File>,
    run: String,
    index: BTreeMap<String, BTreeMap<u32, Vec<Place>>>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    length: u64,
    line: u64,
}

/// As much of a line as the index needs; bodies are skipped, not kept.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sketch {
    Head { run: Option<String> },
    Start(Owner),
    Exchange(Owner),
    Stop(Owner),
    Stream(Owner),
    Secret(Owner),
    Session(Owner),
    End(Owner),
}

#[derive(Deserialize)]
struct Owner {
    case: String,
    attempt: u32,
}

/// Case and attempt of a line that begins as the writer begins them, `{"start":{"case":"…","attempt":1`. Whether the rest of it is
/// a record is seen when the attempt is loaded, which reads it anyway; a second `case` in it would be refused there.
fn owner(line: &[u8]) -> Option<(&str, u32)> {
    const KINDS: [&[u8]; 6] = [b"exchange", b"start", b"end", b"stop", b"secret", b"session"];
    let rest = line.strip_prefix(b"{\"")?;
    let rest = KINDS.iter().find_map(|kind| rest.strip_prefix(*kind))?.strip_prefix(b"\":{\"case\":\"")?;
    let end = memchr::memchr2(b'"', b'\\', rest)?;
    let (case, rest) = rest.split_at_checked(end)?;
    let rest = rest.strip_prefix(b"\",\"attempt\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(digits)?;
    if !matches!(rest.first(), Some(b',' | b'}')) || !rest.ends_with(b"}\n") || digits.starts_with(b"0") {
        return None;
    }
    let case = std::str::from_utf8(case).ok().filter(|case| !case.chars().any(char::is_control))?;
    Some((case, std::str::from_utf8(digits).ok()?.parse().ok()?))
}

/// A newer head may have any other members.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FormatOnly {
    Head {
        format: u32,
    },
    #[serde(untagged)]
    Other(IgnoredAny),
}

impl Reader {
    /// Opens a transcript and indexes it.
    ///
    /// # Errors
    /// When it cannot be read, is too new, or a line is torn or not a record.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::open_for(path, |_| true)
    }

    /// Opens a transcript and indexes only the cases that are wanted: the index of a long run is not small.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_for(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Self, ReadError> {
        let io = |source| ReadError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let mut scan = Scan { path, offset: 0, line: 0, run: None, index: BTreeMap::new() };
        let mut lines = BufReader::with_capacity(256 << 10, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            // One byte more than allowed shows that a line is too long without reading all of it.
            lines.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line).map_err(io)?;
            if line.is_empty() {
                break;
            }
            scan.take(&line, &wanted)?;
        }
        let Some(run) = scan.run else { return Err(scan.wrong("the file is empty".to_owned())) };
        Ok(Self { path: path.to_owned(), file: Mutex::new(lines.into_inner()), run, index: scan.index })
    }

    /// Id of the run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Ids of cases and fixtures in it, sorted.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.index.keys().map(String::as_str)
    }

    /// Attempts of a case, ascending; empty when there is none.
    #[must_use]
    pub fn attempts(&self, case: &str) -> Vec<u32> {
        self.index.get(case).map(|attempts| attempts.keys().copied().collect()).unwrap_or_default()
    }

    /// The events of one attempt; `None` when the transcript has no such attempt.
    ///
    /// # Errors
    /// When a line is not what it must be.
    pub fn load(&self, case: &str, attempt: u32) -> Result<Option<AttemptEvents>, ReadError> {
        let Some(places) = self.index.get(case).and_then(|attempts| attempts.get(&attempt)) else { return Ok(None) };
        let mut events = AttemptEvents::default();
        let mut started = false;
        for place in places {
            let wrong = |why: String| ReadError::Line { path: self.path.clone(), line: place.line, why };
            let bytes = self.read(*place)?;
            let record: Record = serde_json::from_slice(&bytes).map_err(|e| wrong(format!("not a record: {e}")))?;
            if events.ended {
                return Err(wrong("it stands behind the end of its attempt".to_owned()));
            }
            if started == matches!(record, Record::Start { .. }) {
                let why = if started { "the attempt begins twice" } else { "the attempt has not begun" };
                return Err(wrong(why.to_owned()));
            }
            started = true;
            let (n, content) = match record {
                Record::Start { at_ms, .. } => {
                    events.start_at_ms = at_ms;
                    continue;
                }
                Record::Session { fixture, login, .. } => {
                    events.logins.insert(fixture, login);
                    continue;
                }
                Record::End { .. } | Record::Head { .. } => {
                    events.ended = true;
                    continue;
                }
                Record::Exchange { n, undo, step, exchange, .. } => {
                    (n, Content::Exchange { undo, step, exchange: Arc::new(*exchange) })
                }
                Record::Stop { n, reason, .. } => (n, Content::Stop { reason }),
                Record::Stream { n, of, undo, event, .. } => (n, Content::Stream { of, undo, event: Arc::new(*event) }),
                Record::Secret { n, label, token, .. } => (n, Content::Secret { label, token }),
            };
            if events.events.insert(n, content).is_some() {
                return Err(wrong(format!("event {n} appears twice")));
            }
        }
        Ok(Some(events))
    }

    fn read(&self, place: Place) -> Result<Vec<u8>, ReadError> {
        let io = |source| ReadError::Io { path: self.path.clone(), source };
        let mut bytes = vec![0; usize::try_from(place.length).unwrap_or(usize::MAX)];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place.offset)).map_err(io)?;
        file.read_exact(&mut bytes).map_err(io)?;
        Ok(bytes)
    }
}

/// State of the indexing pass.
struct Scan<'p> {
    path: &'p Path,
    offset: u64,
    line: u64,
    run: Option<String>,
    index: BTreeMap<String, BTreeMap<u32, Vec<Place>>>,
}

impl Scan<'_> {
    fn take(&mut self, line: &[u8], wanted: &impl Fn(&str) -> bool) -> Result<(), ReadError> {
        self.line += 1;
        let length = line.len() as u64;
        if length > LONGEST_LINE {
            return Err(self.wrong(format!("it is longer than {LONGEST_LINE} bytes")));
        }
        if line.last() != Some(&b'\n') {
            return Err(self.wrong("it is cut off; the harness was killed or the file was damaged".to_owned()));
        }
        let place = Place { offset: self.offset, length, line: self.line };
        self.offset += length;
        if self.line == 1 {
            self.check_format(line)?;
        }
        if self.run.is_some()
            && let Some((case, attempt)) = owner(line)
        {
            if wanted(case) {
                self.note(case, attempt, place);
            }
            return Ok(());
        }
        let sketch = serde_json::from_slice(line).map_err(|e| self.wrong(format!("not a record: {e}")))?;
        match (sketch, self.run.is_some()) {
            (Sketch::Head { run }, false) => self.run = Some(run.unwrap_or_default()),
            (Sketch::Head { .. }, true) => return Err(self.wrong("a second head".to_owned())),
            (_, false) => return Err(self.wrong("the head is missing".to_owned())),
            (
                Sketch::Start(owner)
                | Sketch::Exchange(owner)
                | Sketch::Stop(owner)
                | Sketch::Stream(owner)
                | Sketch::Secret(owner)
                | Sketch::Session(owner)
                | Sketch::End(owner),
                true,
            ) if wanted(&owner.case) => self.note(&owner.case, owner.attempt, place),
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, case: &str, attempt: u32, place: Place) {
        match self.index.get_mut(case) {
            Some(attempts) => attempts.entry(attempt).or_default().push(place),
            None => drop(self.index.insert(case.to_owned(), BTreeMap::from([(attempt, vec![place])]))),
        }
    }

    fn check_format(&self, line: &[u8]) -> Result<(), ReadError> {
        match serde_json::from_slice(line) {
            Ok(FormatOnly::Head { format }) if format > FORMAT => {
                Err(ReadError::TooNew { path: self.path.to_owned(), found: format })
            }
            _ => Ok(()),
        }
    }

    fn wrong(&self, why: String) -> ReadError {
        ReadError::Line { path: self.path.to_owned(), line: self.line.max(1), why }
    }
}
