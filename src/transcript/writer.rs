//! Writing: each line is handed to the system in one piece as soon as it is known, so that a killed harness leaves
//! whole lines. Lines are not forced to disk; that is the journal's business.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::record::{FORMAT, Record};
use crate::canon::{Digest, Hasher};
use crate::http::{Exchange, StreamEvent};
use crate::secret::Redacted;

/// A transcript could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// The transcript of a run, shared by its cases.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    hasher: Hasher,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} after {} bytes", self.file, self.hasher.length())
    }
}

/// [`Record::Exchange`] and [`Record::Stream`] without owning what happened.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line<'a> {
    Exchange {
        case: &'a str,
        attempt: u32,
        n: u32,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        undo: bool,
        step: &'a str,
        exchange: &'a Redacted<Exchange>,
    },
    Stream {
        case: &'a str,
        attempt: u32,
        n: u32,
        of: u32,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        undo: bool,
        event: &'a Redacted<StreamEvent>,
    },
}

impl Writer {
    /// Creates the file, which must not exist yet, and writes the head.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(path: &Path, run: &str) -> Result<Self, WriteError> {
        let failed = |source| WriteError { path: path.to_owned(), source };
        let file = File::create_new(path).map_err(failed)?;
        let writer = Self { path: path.to_owned(), inner: Mutex::new(Inner { file, hasher: Hasher::new() }) };
        writer.write(&Record::Head { format: FORMAT, run: run.to_owned() })?;
        Ok(writer)
    }

    /// Appends a record.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, record: &Record) -> Result<(), WriteError> {
        self.line(record)
    }

    /// Appends an exchange. Takes references, because bodies may be large.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn exchange(
        &self,
        (case, attempt, n): (&str, u32, u32),
        undo: bool,
        step: &str,
        exchange: &Redacted<Exchange>,
    ) -> Result<(), WriteError> {
        self.line(&Line::Exchange { case, attempt, n, undo, step, exchange })
    }

    /// Appends what happened on the stream that event `of` opened.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stream(
        &self,
        (case, attempt, n): (&str, u32, u32),
        of: u32,
        undo: bool,
        event: &Redacted<StreamEvent>,
    ) -> Result<(), WriteError> {
        self.line(&Line::Stream { case, attempt, n, of, undo, event })
    }

    /// Digest of all bytes written so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.hasher.clone().finish()
    }

    fn line<T: Serialize>(&self, value: &T) -> Result<(), WriteError> {
        let failed = |source| WriteError { path: self.path.clone(), source };
        let mut line = Vec::with_capacity(1024);
        serde_json::to_writer(&mut line, value).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.file.write_all(&line).map_err(failed)?;
        inner.hasher.update(&line);
        Ok(())
    }
}
