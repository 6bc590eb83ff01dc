//! `go test -json`: one event a line. Lines that are no events, such as errors of the compiler, are passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::capability::Outcome;

use super::source::{Line, Source, Trouble};
use super::{Entry, MOST_TESTS, reason};

/// How much of the output of a running test is kept.
const KEPT: usize = 2048;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Action")]
    action: String,
    #[serde(rename = "Time")]
    time: Option<String>,
    #[serde(rename = "Package")]
    package: Option<String>,
    #[serde(rename = "Test")]
    test: Option<String>,
    #[serde(rename = "Elapsed")]
    elapsed: Option<f64>,
    #[serde(rename = "Output")]
    output: Option<String>,
}

/// A test that has not ended.
#[derive(Default)]
struct Running {
    started: Option<Timestamp>,
    output: String,
    at: u64,
}

/// Whether a text begins with an event.
pub fn begins(prefix: &[u8]) -> bool {
    let line = prefix.split(|byte| *byte == b'\n').next().unwrap_or_default();
    is_event(line) && !line.windows(9).any(|part| part == b"\"results\"")
}

fn is_event(line: &[u8]) -> bool {
    line.starts_with(b"{") && line.windows(8).any(|part| part == b"\"Action\"")
}

/// Reads events.
pub fn read<R: BufRead>(
    source: &mut Source<R>,
    sink: &mut dyn FnMut(Entry),
    notes: &mut Vec<String>,
) -> Result<(), Trouble> {
    let mut reader = Reader { sink, running: BTreeMap::new(), failed: BTreeSet::new() };
    let (mut line, mut others) = (Vec::new(), 0_u64);
    let ended = loop {
        let at = source.at();
        match source.line(&mut line)? {
            Line::End => break Ok(()),
            Line::TooLong => others += 1,
            Line::Whole if line.trim_ascii().is_empty() => {}
            Line::Whole if !line.starts_with(b"{") => others += 1,
            Line::Whole => match serde_json::from_slice::<Event>(&line) {
                Ok(event) => reader.event(event, at),
                Err(_) if is_event(&line) || !line.ends_with(b"\n") => {
                    break Err(Trouble::at(at, "this event is cut or damaged"));
                }
                Err(_) => others += 1,
            },
        }
    };
    reader.never_ended();
    if others > 0 {
        notes.push(format!("lines that are no events were passed over: {others}"));
    }
    ended
}

struct Reader<'s> {
    sink: &'s mut dyn FnMut(Entry),
    running: BTreeMap<String, Running>,
    /// Packages of which a test has failed.
    failed: BTreeSet<String>,
}

impl Reader<'_> {
    fn event(&mut self, event: Event, at: u64) {
        let package = event.package.unwrap_or_default();
        let time = event.time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
        let Some(test) = event.test.filter(|test| !test.is_empty()) else {
            // A package fails with its tests; when none of them did, it could not be built or ended early.
            if event.action == "fail" && !package.is_empty() && !self.failed.contains(&package) {
                let why = "the package failed, though none of its tests did".to_owned();
                (self.sink)(Entry::new(&package, Outcome::Error, at).because(why).between(None, time));
            }
            return;
        };
        let name = if package.is_empty() { test } else { format!("{package}.{test}") };
        let outcome = match event.action.as_str() {
            "run" if self.running.len() < MOST_TESTS => {
                self.running.insert(name, Running { started: time, at, ..Running::default() });
                return;
            }
            "output" => {
                if let (Some(running), Some(output)) = (self.running.get_mut(&name), event.output) {
                    running.keep(&output);
                }
                return;
            }
            "pass" => Outcome::Pass,
            "skip" => Outcome::Skip,
            "fail" => Outcome::Fail,
            _ => return,
        };
        let running = self.running.remove(&name).unwrap_or_default();
        if outcome == Outcome::Fail {
            self.failed.insert(package);
        }
        let why = if outcome.is_pass() { String::new() } else { reason::one_line(&running.output) };
        let mut entry = Entry::new(&name, outcome, at).because(why).between(running.started, time);
        entry.duration = event.elapsed.and_then(|it| Duration::try_from_secs_f64(it).ok()).or(entry.duration);
        (self.sink)(entry);
    }

    fn never_ended(&mut self) {
        for (name, running) in std::mem::take(&mut self.running) {
            let entry = Entry::new(&name, Outcome::Error, running.at).because("it never finished".to_owned());
            (self.sink)(entry.between(running.started, None));
        }
    }
}

impl Running {
    /// Keeps the end of what a test prints, without what the tool itself adds.
    fn keep(&mut self, output: &str) {
        let text = output.trim_start();
        if text.starts_with("=== ") || text.starts_with("--- ") {
            return;
        }
        self.output.push_str(output);
        if self.output.len() > 2 * KEPT {
            let mut cut = self.output.len() - KEPT;
            while !self.output.is_char_boundary(cut) {
                cut += 1;
            }
            self.output.drain(..cut);
        }
    }
}
