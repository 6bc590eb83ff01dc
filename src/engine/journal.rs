//! The undo journal: promises to put something back, on disk before the request that makes them necessary is sent.
//!
//! It survives a killed harness; `cleanup` reads what is still pending. Its scopes hold tokens, never secrets, so what
//! needs a secret of the killed run cannot be undone and is reported instead.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::expr::Json;
use crate::judge::{Pledge, PledgeStage};
use crate::secret::Vault;

/// Version of the journal format.
const FORMAT: u32 = 1;
/// Longer lines are refused.
const LONGEST_LINE: u64 = 64 << 20;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused.
    #[error("cannot use `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
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
    /// Written by a newer version.
    #[error("`{}` has journal format {found}; this version reads up to {FORMAT}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

/// What became of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Before,
    After,
    Void,
    Kept,
}

/// Which promise a line is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    case: String,
    attempt: u32,
    id: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Head {
        format: u32,
        run: String,
    },
    Pledge {
        #[serde(flatten)]
        key: Key,
        step: usize,
        state: State,
        #[serde(default, skip_serializing_if = "Json::is_null")]
        scope: Json,
    },
}

/// A promise that was not kept yet.
#[derive(Debug, Clone)]
pub struct PendingPledge {
    /// Full id of the case (with row) or of the fixture.
    pub case: String,
    /// Attempt of the case.
    pub attempt: u32,
    /// Number of the pledge within the attempt.
    pub id: u32,
    /// Address of the undo steps, see [`Pledge::step`].
    pub step: usize,
    /// Variables known then, with tokens in place of secrets.
    pub scope: Json,
    /// Whether the answer to the request was never seen.
    pub lost: bool,
}

/// An open journal, shared by the cases of a run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// Creates the file, which must not exist yet.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(path: &Path, run: &str) -> Result<Self, JournalError> {
        let file = File::create_new(path).map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        let journal = Self { path: path.to_owned(), file: Mutex::new(file) };
        journal.append(&encode(&Line::Head { format: FORMAT, run: run.to_owned() }), false)?;
        Ok(journal)
    }

    /// Opens the journal of an earlier run, to mark promises as kept. A torn last line is cut off: its request was
    /// never sent.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn reopen(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        let mut whole = 0;
        let mut line = Vec::new();
        let mut lines = BufReader::new(&file);
        loop {
            line.clear();
            let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(io)? as u64;
            if line.last() != Some(&b'\n') {
                break;
            }
            whole += read;
        }
        file.set_len(whole).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// What is still to be put back, newest first. A torn last line is ignored.
    ///
    /// # Errors
    /// When the file cannot be read, is too new or damaged.
    pub fn pending(path: &Path) -> Result<Vec<PendingPledge>, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let mut lines = BufReader::new(File::open(path).map_err(io)?);
        let mut open: BTreeMap<Key, (u64, PendingPledge)> = BTreeMap::new();
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes).map_err(io)?;
            if bytes.last() != Some(&b'\n') {
                if bytes.len() as u64 >= LONGEST_LINE {
                    let why = format!("it is longer than {LONGEST_LINE} bytes");
                    return Err(JournalError::Line { path: path.to_owned(), line: number, why });
                }
                break;
            }
            let line = serde_json::from_slice(&bytes).map_err(|e| JournalError::Line {
                path: path.to_owned(),
                line: number,
                why: format!("not a journal line: {e}"),
            })?;
            match line {
                Line::Head { format, .. } if format > FORMAT => {
                    return Err(JournalError::TooNew { path: path.to_owned(), found: format });
                }
                Line::Head { .. } => {}
                Line::Pledge { key, state: State::Void | State::Kept, .. } => {
                    open.remove(&key);
                }
                Line::Pledge { key, step, state, scope } => {
                    let Key { case, attempt, id } = key.clone();
                    let first = open.get(&key).map_or(number, |(first, _)| *first);
                    let pledge = PendingPledge { case, attempt, id, step, scope, lost: state == State::Before };
                    open.insert(key, (first, pledge));
                }
            }
        }
        let mut pending: Vec<(u64, PendingPledge)> = open.into_values().collect();
        pending.sort_by_key(|(first, _)| std::cmp::Reverse(*first));
        Ok(pending.into_iter().map(|(_, pledge)| pledge).collect())
    }

    /// Records progress of a promise; returns when it is on disk. `vault` makes sure that no secret is.
    pub(super) async fn record(
        self: &Arc<Self>,
        case: &str,
        attempt: u32,
        pledge: Pledge,
        vault: &Vault,
    ) -> Result<(), JournalError> {
        let (state, scope) = match pledge.stage {
            PledgeStage::Before(scope) => (State::Before, scope),
            PledgeStage::After(scope) => (State::After, scope),
            PledgeStage::Void => (State::Void, Json::Null),
            PledgeStage::Kept => (State::Kept, Json::Null),
        };
        // Losing a `kept` or `void` costs a superfluous undo; losing the others costs a leak.
        let sync = matches!(state, State::Before | State::After);
        let key = Key { case: case.to_owned(), attempt, id: pledge.id };
        let scope = vault.seal(scope).into_inner();
        let line = encode(&Line::Pledge { key, step: pledge.step, state, scope });
        if !sync {
            return self.append(&line, false);
        }
        let journal = Arc::clone(self);
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || journal.append(&line, true)).await;
        written.unwrap_or_else(|e| Err(JournalError::Io { path, source: std::io::Error::other(e) }))
    }

    /// Marks a promise of an earlier run as kept.
    pub(super) fn kept(&self, pledge: &PendingPledge) -> Result<(), JournalError> {
        let key = Key { case: pledge.case.clone(), attempt: pledge.attempt, id: pledge.id };
        self.append(&encode(&Line::Pledge { key, step: pledge.step, state: State::Kept, scope: Json::Null }), true)
    }

    fn append(&self, line: &[u8], sync: bool) -> Result<(), JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line).map_err(io)?;
        if sync {
            file.sync_data().map_err(io)?;
        }
        Ok(())
    }
}

fn encode(line: &Line) -> Vec<u8> {
    // Every member has a JSON form, so this cannot fail.
    let mut bytes = serde_json::to_vec(line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use serde_json::json;

    fn pledge(id: u32, stage: PledgeStage) -> Pledge {
        Pledge { id, step: 100 + id as usize, stage }
    }

    #[tokio::test]
    async fn what_was_not_kept_is_pending_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let vault = Vault::with_key([1; 32]);
        vault.learn("pw", &Secret::new("canary-password"));
        let journal = Arc::new(Journal::create(&path, "run-1").unwrap());
        for (case, id, stage) in [
            ("a.kept", 0, PledgeStage::Before(json!({}))),
            ("a.killed", 0, PledgeStage::Before(json!({"name": "u1", "pw": "canary-password"}))),
            ("a.answered", 0, PledgeStage::Before(json!({}))),
            ("a.void", 0, PledgeStage::Before(json!({}))),
            ("a.void", 0, PledgeStage::Void),
            ("a.answered", 0, PledgeStage::After(json!({"link": "/1"}))),
            ("a.kept", 0, PledgeStage::After(json!({}))),
            ("a.kept", 0, PledgeStage::Kept),
        ] {
            journal.record(case, 1, pledge(id, stage), &vault).await.unwrap();
        }
        let pending = Journal::pending(&path).unwrap();
        let seen: Vec<(&str, bool)> = pending.iter().map(|p| (p.case.as_str(), p.lost)).collect();
        assert_eq!(seen, [("a.answered", false), ("a.killed", true)]);
        assert_eq!(pending[0].scope, json!({"link": "/1"}));
        assert_eq!(pending[0].step, 100);
        assert!(!std::fs::read_to_string(&path).unwrap().contains("canary"));
    }

    #[tokio::test]
    async fn a_torn_last_line_was_never_acted_upon() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let journal = Arc::new(Journal::create(&path, "run-1").unwrap());
        let vault = Vault::with_key([1; 32]);
        journal.record("a.x", 1, pledge(0, PledgeStage::Before(json!({}))), &vault).await.unwrap();
        drop(journal);
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"pledge\":{\"ca");
        std::fs::write(&path, &torn).unwrap();
        let pending = Journal::pending(&path).unwrap();
        assert_eq!(pending.len(), 1);
        Journal::reopen(&path).unwrap().kept(&pending[0]).unwrap();
        assert!(Journal::pending(&path).unwrap().is_empty());
    }

    #[test]
    fn damage_and_newer_formats_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        std::fs::write(&path, "{\"head\":{\"format\":1,\"run\":\"r\"}}\nnonsense\n").unwrap();
        assert!(matches!(Journal::pending(&path), Err(JournalError::Line { line: 2, .. })));
        std::fs::write(&path, "{\"head\":{\"format\":2,\"run\":\"r\"}}\n").unwrap();
        assert!(matches!(Journal::pending(&path), Err(JournalError::TooNew { found: 2, .. })));
    }
}
