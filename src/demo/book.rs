//! Which recorded answer belongs to a request.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::json;

use tokio::sync::watch;

use super::UNRECORDED;
use super::mask::unmask;
use super::streams::{self, Script, Served};
use crate::http::{Exchange, FailureClass, Response};
use crate::secret::Redacted;
use crate::transcript::{Content, Reader};

/// Path below which services at other origins are found.
const BELOW: &str = "/at";
/// Requests of a case shown when one is not found.
const SHOWN: usize = 10;

/// A request as the server got it.
pub(super) struct Question {
    pub(super) agent: String,
    pub(super) method: String,
    /// Path with query.
    pub(super) place: String,
    pub(super) body: Bytes,
}

/// What the server does.
pub(super) enum Answer {
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
    /// The head of an answer, and what comes behind it.
    Stream {
        status: u16,
        headers: Vec<(String, String)>,
        script: Script,
        served: Served,
    },
    /// Closes the connection.
    Closed,
    /// Says nothing for a while.
    Silence,
}

/// Where recorded origins are found here. A service of its own at another origin gets a place below ours.
#[derive(Debug, Clone)]
pub(super) struct Homes(Vec<(String, String)>);

impl Homes {
    /// Homes for the origin of the base URL, and for every other origin to which the recorded run sent a request.
    pub(super) fn of(transcript: &Reader, base: &url::Url, own: &str) -> Self {
        let origin = base.origin().ascii_serialization();
        let mut homes = BTreeMap::from([(origin, own.to_owned())]);
        for case in transcript.cases() {
            let attempts = transcript.attempts(case).into_iter();
            for events in attempts.filter_map(|attempt| transcript.load(case, attempt).ok().flatten()) {
                for content in events.events.values() {
                    let Content::Exchange { exchange, .. } = content else { continue };
                    let Ok(url) = url::Url::parse(&exchange.request.url) else { continue };
                    let (scheme, host) = (url.scheme(), url.authority());
                    let home = || format!("{own}{BELOW}/{scheme}/{host}");
                    homes.entry(url.origin().ascii_serialization()).or_insert_with(home);
                }
            }
        }
        let mut homes: Vec<_> = homes.into_iter().collect();
        // The longest first: one origin may begin as another does.
        homes.sort_by_key(|(origin, _)| std::cmp::Reverse(origin.len()));
        Self(homes)
    }

    /// The text with our addresses instead of the recorded ones.
    pub(super) fn bring(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (origin, home) in &self.0 {
            if text.contains(origin.as_str()) {
                text = text.replace(origin.as_str(), home);
            }
        }
        text
    }
}

/// The recording, with what of it was served.
pub(super) struct Book {
    transcript: Arc<Reader>,
    homes: Homes,
    cases: Mutex<HashMap<String, Case>>,
}

/// Requests of a case that are left, and those that were served last.
#[derive(Default)]
struct Case {
    left: Vec<Entry>,
    served: HashMap<(String, String), Arc<Redacted<Exchange>>>,
    /// Numbers of those.
    numbers: watch::Sender<BTreeSet<u32>>,
    known: Vec<String>,
}

struct Entry {
    /// Number of the event.
    n: u32,
    /// What came on the stream that it opened.
    script: Option<Script>,
    method: String,
    place: String,
    exchange: Arc<Redacted<Exchange>>,
}

impl Book {
    pub(super) fn new(transcript: Arc<Reader>, homes: Homes) -> Self {
        Self { transcript, homes, cases: Mutex::default() }
    }

    pub(super) fn answer(&self, question: &Question) -> Answer {
        let Some(id) = case_of(&question.agent).or_else(|| self.case_with_agent(&question.agent)) else {
            return unrecorded("the `user-agent` names no case; this target answers only the harness", &[]);
        };
        let mut cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        let case = match cases.entry(id.clone()) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => match self.load(&id) {
                Ok(case) => new.insert(case),
                Err(why) => return unrecorded(&why, &[]),
            },
        };
        match case.take(question) {
            Some((exchange, None)) => self.replay(&exchange),
            Some((exchange, Some(script))) => match self.replay(&exchange) {
                Answer::Response { status, headers, .. } => {
                    Answer::Stream { status, headers, script, served: case.numbers.subscribe() }
                }
                other => other,
            },
            None => {
                let what = format!("case `{id}` has no recorded `{} {}`", question.method, question.place);
                unrecorded(&what, &case.known)
            }
        }
    }

    /// The case that was recorded with this field: a case may set it itself.
    fn case_with_agent(&self, agent: &str) -> Option<String> {
        let sent = |content: &Content| match content {
            Content::Exchange { exchange, .. } => exchange.request.headers.get("user-agent") == Some(agent),
            _ => false,
        };
        let recorded = |id: &&str| {
            let last = self.transcript.attempts(id).last().copied();
            let events = last.and_then(|attempt| self.transcript.load(id, attempt).ok().flatten());
            events.is_some_and(|events| events.events.values().any(sent))
        };
        (!agent.is_empty()).then(|| self.transcript.cases().find(recorded).map(str::to_owned)).flatten()
    }

    fn load(&self, id: &str) -> Result<Case, String> {
        let attempts = self.transcript.attempts(id);
        let Some(last) = attempts.last() else { return Err(format!("case `{id}` was not recorded")) };
        let events = self.transcript.load(id, *last).map_err(|e| e.to_string())?.unwrap_or_default();
        let mut case = Case::default();
        let opened: BTreeSet<u32> = events.events.values().filter_map(stream_of).collect();
        for (n, content) in &events.events {
            let Content::Exchange { exchange, .. } = content else { continue };
            let exchange = Arc::clone(exchange);
            // One that was opened and of which nothing was taken looks like any other answer, but does not end.
            let switched = exchange.response.as_ref().is_some_and(|response| response.status == 101);
            let is_stream = switched || opened.contains(n);
            let script = is_stream.then(|| streams::script(&events.events, *n, |text| self.at_home(text)));
            let method = exchange.request.method.clone();
            let place = place_of(&self.at_home(&exchange.request.url));
            if case.known.len() < SHOWN {
                case.known.push(format!("{method} {place}"));
            }
            case.left.push(Entry { n: *n, script, method, place, exchange });
        }
        Ok(case)
    }

    fn replay(&self, exchange: &Exchange) -> Answer {
        match (&exchange.response, &exchange.failure) {
            (Some(response), _) => self.response(response),
            (None, Some(failure)) if failure.class == FailureClass::Timeout => Answer::Silence,
            (None, _) => Answer::Closed,
        }
    }

    fn response(&self, response: &Response) -> Answer {
        let headers = response.headers.0.iter().map(|(name, value)| (name.clone(), self.at_home(value))).collect();
        let bytes = response.body.bytes();
        let mut body = match std::str::from_utf8(bytes) {
            Ok(text) => self.at_home(text).into_bytes(),
            Err(_) => bytes.to_vec(),
        };
        if response.body.is_truncated() {
            // One byte more than the limit, so that the reader stops where it stopped then.
            body.push(b' ');
        }
        Answer::Response { status: response.status, headers, body: body.into() }
    }

    /// A text with stand-ins for secrets and our own address.
    fn at_home(&self, text: &str) -> String {
        self.homes.bring(&unmask(text))
    }
}

impl Case {
    /// The next exchange with this method and place; one with the same body goes first, because requests that were
    /// sent at the same time may arrive in another order. When the recording has run out, its last answer repeats.
    fn take(&mut self, question: &Question) -> Option<(Arc<Redacted<Exchange>>, Option<Script>)> {
        let same = |entry: &Entry| entry.method == question.method && entry.place == question.place;
        let same_body = |entry: &Entry| unmask(&entry.exchange.request.body.text()).as_bytes() == question.body;
        // A query may hold what only that run knew, such as a signature.
        let path = |place: &str| place.split('?').next().unwrap_or_default().to_owned();
        let same_path = |entry: &Entry| entry.method == question.method && path(&entry.place) == path(&question.place);
        let exact = self.left.iter().position(|entry| same(entry) && same_body(entry));
        let at = exact.or_else(|| self.left.iter().position(same)).or_else(|| self.left.iter().position(same_path));
        let key = (question.method.clone(), question.place.clone());
        match at {
            Some(at) => {
                let entry = self.left.remove(at);
                self.numbers.send_modify(|numbers| {
                    numbers.insert(entry.n);
                });
                self.served.insert(key, Arc::clone(&entry.exchange));
                Some((entry.exchange, entry.script))
            }
            None => self.served.get(&key).cloned().map(|exchange| (exchange, None)),
        }
    }
}

/// The case in `name/version (CASE; run RUN)`.
fn case_of(agent: &str) -> Option<String> {
    let (_, comment) = agent.split_once('(')?;
    let (case, _) = comment.rsplit_once("; run ")?;
    Some(percent_decode_str(case).decode_utf8_lossy().into_owned())
}

/// The stream that something happened on.
fn stream_of(content: &Content) -> Option<u32> {
    match content {
        Content::Stream { of, .. } => Some(*of),
        _ => None,
    }
}

/// Path and query of a URL, spelled as a client sends them.
fn place_of(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(parsed) => match parsed.query() {
            Some(query) => format!("{}?{query}", parsed.path()),
            None => parsed.path().to_owned(),
        },
        Err(_) => url.to_owned(),
    }
}

fn unrecorded(why: &str, known: &[String]) -> Answer {
    let body = json!({"error": why, "recorded": known}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer::Response { status: UNRECORDED, headers, body: body.into() }
}
