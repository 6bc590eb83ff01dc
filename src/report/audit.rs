//! Whether cases can fail: each case that passed is judged again with falsified answers, and should notice.
//!
//! The answers are changed one exchange at a time, in a handful of ways that a broken service might answer. A case that
//! passes whatever it is told checks nothing. Nothing is sent; the recorded evidence stays as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::rejudge::Opened;
use crate::capability::Outcome;
use crate::http::{Body, Headers, Response};
use crate::judge::CaseResult;
use crate::judge::replay::Recorded;
use crate::secret::Redacted;
use crate::text::one_line;
use crate::transcript::Content;

/// Changes an answer; `false` when the answer has nothing to change in that way.
type Falsify = fn(&mut Response) -> bool;

/// The kinds of falsified answers.
const KINDS: [(&str, Falsify); 11] = [
    ("other values in the body", |response| change_body(response, other_values)),
    ("other words in the body", |response| change_body(response, |body| texts(body, "falsified"))),
    ("texts emptied", |response| change_body(response, |body| texts(body, ""))),
    ("members renamed", |response| change_body(response, rename_members)),
    ("lists emptied", |response| change_body(response, empty_lists)),
    ("a stranger in each list", |response| change_body(response, add_strangers)),
    ("empty object as body", |response| {
        let changed = response.body.bytes() != b"{}";
        response.body = Body::new("{}");
        changed
    }),
    ("no header fields", |response| {
        let changed = !response.headers.0.is_empty();
        response.headers = Headers::default();
        changed
    }),
    ("status 200", |response| change_status(response, 200)),
    ("status 401", |response| change_status(response, 401)),
    ("status 418", |response| change_status(response, 418)),
];

/// A falsified answer that a case noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Noticed {
    /// The request whose answer was falsified; the fixtures' answers when the case's own were not noticed.
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

/// Tries every kind of falsified answer on every exchange of a recorded case that passed; `None` when there is no
/// evidence for it.
#[must_use]
pub fn audit(bundle: &Opened, id: &str) -> Option<Audited> {
    let mut audited = Audited { case: id.to_owned(), tried: 0, noticed: 0, example: None };
    let mut best = usize::MAX;
    for (n, request) in own_exchanges(bundle, id)?.into_iter().rev() {
        for (rank, (kind, falsify)) in KINDS.iter().enumerate() {
            let Some(result) = with_falsified(bundle, id, n, *falsify) else { continue };
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
        audited.example = by_fixtures(bundle, id);
    }
    Some(audited)
}

/// The first falsified answer that a case notices. Cheaper than [`audit`], and says the same about whether there is one.
#[must_use]
pub fn first_noticed(bundle: &Opened, id: &str) -> Option<Noticed> {
    for (n, request) in own_exchanges(bundle, id)? {
        for (kind, falsify) in KINDS {
            let result = with_falsified(bundle, id, n, falsify);
            if let Some(result) = result.filter(speaks) {
                return Some(noticed(&request, kind, &result));
            }
        }
    }
    by_fixtures(bundle, id)
}

/// Cases that look at what a fixture saw have no exchanges of their own.
fn by_fixtures(bundle: &Opened, id: &str) -> Option<Noticed> {
    for (kind, falsify) in KINDS {
        let alter = |whose: &str, events: &mut BTreeMap<u32, Recorded>| {
            if whose != id {
                for event in events.values_mut() {
                    change(event, falsify);
                }
            }
        };
        let result = bundle.judge_altered(id, &alter)?;
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

/// Event number and request line of the exchanges of the last attempt, clean-up left out.
fn own_exchanges(bundle: &Opened, id: &str) -> Option<Vec<(u32, String)>> {
    let attempt = bundle.transcript.attempts(id).last().copied()?;
    let events = bundle.transcript.load(id, attempt).ok()??;
    let own = events.events.iter().filter_map(|(n, content)| match content {
        Content::Exchange { undo: false, exchange, .. } => {
            Some((*n, format!("{} {}", exchange.request.method, exchange.request.url)))
        }
        _ => None,
    });
    Some(own.collect())
}

/// The result with one answer falsified; `None` when the answer cannot be falsified in this way.
fn with_falsified(bundle: &Opened, id: &str, n: u32, falsify: Falsify) -> Option<CaseResult> {
    let changed = std::sync::atomic::AtomicBool::new(false);
    let alter = |whose: &str, events: &mut BTreeMap<u32, Recorded>| {
        if whose == id
            && let Some(event) = events.get_mut(&n)
            && change(event, falsify)
        {
            changed.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let result = bundle.judge_altered(id, &alter)?;
    changed.load(std::sync::atomic::Ordering::Relaxed).then_some(result)
}

fn change(event: &mut Recorded, falsify: Falsify) -> bool {
    let Recorded::Exchange(exchange) = event else { return false };
    let mut altered = (***exchange).clone();
    let changed = altered.response.as_mut().is_some_and(falsify);
    *exchange = Arc::new(Redacted::from_evidence(altered));
    changed
}

fn change_status(response: &mut Response, status: u16) -> bool {
    let changed = response.status != status;
    response.status = status;
    changed
}

/// Changes a JSON body; other bodies are replaced by other text.
fn change_body(response: &mut Response, change: fn(&mut Value) -> bool) -> bool {
    if response.body.is_empty() {
        return false;
    }
    match response.body.json() {
        Some(mut document) => {
            let changed = change(&mut document);
            response.body = Body::new(document.to_string());
            changed
        }
        None => {
            response.body = Body::new("falsified");
            true
        }
    }
}

/// Every string, number and boolean is another one; the keys stay.
fn other_values(value: &mut Value) -> bool {
    match value {
        Value::String(text) => text.push_str(" falsified"),
        Value::Number(number) => *number = (-77).into(),
        Value::Bool(flag) => *flag = !*flag,
        Value::Array(members) => return members.iter_mut().fold(false, |any, member| other_values(member) | any),
        Value::Object(members) => return members.values_mut().fold(false, |any, member| other_values(member) | any),
        Value::Null => return false,
    }
    true
}

/// Every string is this one.
fn texts(value: &mut Value, word: &str) -> bool {
    match value {
        Value::String(text) => {
            let changed = text != word;
            word.clone_into(text);
            changed
        }
        Value::Array(members) => members.iter_mut().fold(false, |any, member| texts(member, word) | any),
        Value::Object(members) => members.values_mut().fold(false, |any, member| texts(member, word) | any),
        _ => false,
    }
}

fn rename_members(value: &mut Value) -> bool {
    match value {
        Value::Array(members) => members.iter_mut().fold(false, |any, member| rename_members(member) | any),
        Value::Object(members) => {
            let renamed = std::mem::take(members).into_iter().map(|(key, mut member)| {
                rename_members(&mut member);
                (format!("falsified@{key}"), member)
            });
            members.extend(renamed);
            !members.is_empty()
        }
        _ => false,
    }
}

fn empty_lists(value: &mut Value) -> bool {
    match value {
        Value::Array(members) => {
            let changed = !members.is_empty();
            members.clear();
            changed
        }
        Value::Object(members) => members.values_mut().fold(false, |any, member| empty_lists(member) | any),
        _ => false,
    }
}

/// A list that was not filtered holds what nobody asked for: a copy of its first member with other values.
fn add_strangers(value: &mut Value) -> bool {
    match value {
        Value::Array(members) => {
            let mut stranger =
                members.first().cloned().unwrap_or_else(|| json!({"id": "stranger", "name": "stranger"}));
            other_values(&mut stranger);
            members.push(stranger);
            true
        }
        Value::Object(members) => members.values_mut().fold(false, |any, member| add_strangers(member) | any),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_falsified_as_said() {
        let mut document = json!({"a": [{"id": "x", "n": 1}], "b": null, "c": []});
        assert!(add_strangers(&mut document));
        assert_eq!(document["a"][1], json!({"id": "x falsified", "n": -77}));
        assert_eq!(document["c"][0]["id"], "stranger falsified");
        assert!(empty_lists(&mut document));
        assert_eq!(document, json!({"a": [], "b": null, "c": []}));
        assert!(!empty_lists(&mut document) && !other_values(&mut document));
        assert!(!texts(&mut document, "w") && rename_members(&mut document));
        assert_eq!(document, json!({"falsified@a": [], "falsified@b": null, "falsified@c": []}));
        let mut flag = json!([true, "s"]);
        assert!(other_values(&mut flag));
        assert_eq!(flag, json!([false, "s falsified"]));
    }
}
