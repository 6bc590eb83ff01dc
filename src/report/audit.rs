//! Whether cases can fail: each case that passed is judged again with falsified answers, and should notice.
//!
//! Answers and frames are changed one at a time, in a handful of ways that a broken service might answer. A case that
//! passes whatever it is told checks nothing. Nothing is sent; the recorded evidence stays as it is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::falsify::{Events, Falsify, KINDS};
use super::rejudge::Opened;
use super::retrial::Retrial;
use crate::capability::Outcome;
use crate::http::StreamEvent;
use crate::judge::CaseResult;
use crate::text::one_line;
use crate::transcript::Content;

/// A falsified answer that a case noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Noticed {
    /// The request whose answer was falsified, or the frame; the fixtures' answers when the case's own were not noticed.
    pub request: String,
    /// How it was falsified.
    pub falsified: String,
    /// What the case then said.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
}

/// What falsified answers do to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Audited {
    /// Full id with row.
    pub case: String,
    /// Falsified answers that were tried on its own exchanges, clean-up left out.
    pub tried: u32,
    /// Of these, those that it noticed.
    pub noticed: u32,
    /// One of them: the subtlest on the latest exchange. `None` when the case passes whatever the target answers.
    pub example: Option<Noticed>,
}

/// Of the answers to one step, so many are tried at its beginning and at its end: a wait may ask hundreds of times.
const TRIED_AT_EACH_END: usize = 4;

/// Tries every kind of falsified answer on the exchanges of a recorded case that passed; `None` when there is no
/// evidence for it.
#[must_use]
pub fn audit(bundle: &Opened, id: &str) -> Option<Audited> {
    let case = bundle.retrial(id)?;
    let mut audited = Audited { case: id.to_owned(), tried: 0, noticed: 0, example: None };
    let mut best = usize::MAX;
    for (n, request, of_stream) in own_events(&case).into_iter().rev() {
        let kinds = KINDS.iter().enumerate().filter(|(_, (_, falsify))| falsify.is_of_streams() == of_stream);
        for (rank, (kind, falsify)) in kinds {
            let Some(result) = with_falsified(&case, n, *falsify) else { continue };
            audited.tried += 1;
            if !speaks(&result) {
                continue;
            }
            audited.noticed += 1;
            if rank < best {
                best = rank;
                audited.example = Some(noticed(&request, kind, &result));
            }
        }
    }
    if audited.example.is_none() {
        audited.example = by_fixtures(&case, id);
    }
    Some(audited)
}

/// The first falsified answer that a case notices. Cheaper than [`audit`], and says the same about whether there is one.
#[must_use]
pub fn first_noticed(bundle: &Opened, id: &str) -> Option<Noticed> {
    let case = bundle.retrial(id)?;
    for (n, request, of_stream) in own_events(&case) {
        for (kind, falsify) in KINDS.into_iter().filter(|(_, falsify)| falsify.is_of_streams() == of_stream) {
            let result = with_falsified(&case, n, falsify);
            if let Some(result) = result.filter(speaks) {
                return Some(noticed(&request, kind, &result));
            }
        }
    }
    by_fixtures(&case, id)
}

/// Cases that look at what a fixture saw have no exchanges of their own.
fn by_fixtures(case: &Retrial<'_>, id: &str) -> Option<Noticed> {
    for (kind, falsify) in KINDS {
        let alter = |whose: &str, events: &mut Events| {
            if whose != id && !matches!(falsify, Falsify::Course(_)) {
                let numbers: Vec<u32> = events.keys().copied().collect();
                for n in numbers {
                    falsify.apply(events, n);
                }
            }
        };
        let result = case.judge_with_fixtures(&alter)?;
        if speaks(&result) {
            return Some(noticed("answers to the fixtures", kind, &result));
        }
    }
    None
}

/// Whether the case itself noticed. An `error` is no finding: the falsified answer led it to a request of which no answer
/// is on record.
fn speaks(result: &CaseResult) -> bool {
    matches!(result.outcome, Outcome::Fail | Outcome::Gap)
}

fn noticed(request: &str, kind: &str, result: &CaseResult) -> Noticed {
    Noticed {
        request: request.to_owned(),
        falsified: kind.to_owned(),
        outcome: result.outcome,
        reason: one_line(&result.reason),
    }
}

/// Number and name of what the last attempt was told, and whether on a stream; clean-up left out.
fn own_events(case: &Retrial<'_>) -> Vec<(u32, String, bool)> {
    let mut answers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (n, content) in &case.events().events {
        if let Content::Exchange { undo: false, step, .. } = content {
            answers.entry(step).or_default().push(*n);
        }
    }
    let ends = |step: &str, n: u32| {
        let (Some(all), width) = (answers.get(step), TRIED_AT_EACH_END) else { return true };
        all.iter().take(width).chain(all.iter().rev().take(width)).any(|one| *one == n)
    };
    let own = case.events().events.iter().filter_map(|(n, content)| match content {
        Content::Exchange { undo: false, exchange, step } if ends(step, *n) => {
            Some((*n, format!("{} {}", exchange.request.method, exchange.request.url), false))
        }
        Content::Stream { undo: false, event, of } => {
            let what = match &***event {
                StreamEvent::Received(_) => "frame",
                StreamEvent::Ended(_) => "end",
                StreamEvent::Silence { .. } => "silence",
                StreamEvent::Sent(_) | StreamEvent::Unsent { .. } => return None,
            };
            Some((*n, format!("{what} {n} of the stream of event {of}"), true))
        }
        _ => None,
    });
    own.collect()
}

/// The result with one answer or frame falsified; `None` when it cannot be falsified in this way.
fn with_falsified(case: &Retrial<'_>, n: u32, falsify: Falsify) -> Option<CaseResult> {
    case.judge(|events| falsify.apply(events, n))
}
