//! The results of each test put together.
//!
//! A test with several results has the worst, except that a pass after a failure is a pass that is marked flaky: it is
//! what a retry gives. The order is that of the file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::io::{BufRead, Read};
use std::time::Duration;

use jiff::Timestamp;

use crate::capability::Outcome;

use super::name::{Scope, scope, suite_node};
use super::{Damage, Entry, Facts, Format, MOST_TESTS, ReadError, Reading, read, read_files};

/// How many tests are named in one note.
const NAMED: usize = 5;

/// A test with everything that was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// How it ended.
    pub outcome: Outcome,
    /// It passed after it had failed.
    pub flaky: bool,
    /// Ids that survive renames.
    pub ids: Vec<String>,
    /// Why it did not pass.
    pub reason: Option<String>,
    /// How long it took in all.
    pub duration: Option<Duration>,
    /// How many results it has.
    pub results: u32,
}

/// Results by test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The format they came in.
    pub format: Format,
    /// By name without attributes.
    pub rows: BTreeMap<String, Row>,
    /// Classes and modules whose set-up failed or was skipped: none of their tests was run.
    pub set_ups: BTreeMap<String, Row>,
    /// Where reading had to end, if it was before the end.
    pub damage: Option<Damage>,
    /// What should be known, in plain words.
    pub notes: Vec<String>,
    /// The latest time in the file.
    pub latest: Option<Timestamp>,
    /// What the results say beside the tests.
    pub facts: Facts,
}

/// Reads results and puts those of each test together.
///
/// # Errors
/// As [`read()`].
pub fn collect(input: impl BufRead) -> Result<Collected, ReadError> {
    let mut all = Gathering::default();
    let reading = read(input, &mut |entry| all.add(entry))?;
    Ok(all.finish(reading))
}

/// Reads the files of one run, each with its path, and puts the results of each test together.
///
/// # Errors
/// As [`read_files()`].
pub fn collect_files<R: Read>(files: impl IntoIterator<Item = (String, R)>) -> Result<Collected, ReadError> {
    let mut all = Gathering::default();
    let reading = read_files(files, &mut |entry| all.add(entry))?;
    Ok(all.finish(reading))
}

#[derive(Default)]
struct Gathering {
    rows: BTreeMap<String, Row>,
    set_ups: BTreeMap<String, Row>,
    tear_downs: Vec<String>,
    /// What failed around the whole suite, with its reason.
    around: Vec<String>,
    latest: Option<Timestamp>,
    left_out: u64,
}

impl Gathering {
    fn add(&mut self, entry: Entry) {
        self.latest = self.latest.max(entry.ended).max(entry.started);
        let plain = entry.name.plain.clone();
        if let Some(before) = suite_node(&plain) {
            if !matches!(entry.outcome, Outcome::Pass | Outcome::Skip | Outcome::NotRun) {
                let why = entry.reason.as_deref().unwrap_or("no reason given");
                let what = if before { "the set-up of the whole suite" } else { "what follows the suite" };
                self.around.push(format!("{what} failed, {plain}: {why}"));
            }
            return;
        }
        match scope(&plain) {
            Some(Scope::SetUp(class)) => {
                if !entry.outcome.is_pass() {
                    merge(&mut self.set_ups, class, entry);
                }
            }
            Some(Scope::TearDown(class)) => {
                if !matches!(entry.outcome, Outcome::Pass | Outcome::Skip) {
                    self.tear_downs.push(class.to_owned());
                }
            }
            None if plain.is_empty() || (self.rows.len() >= MOST_TESTS && !self.rows.contains_key(&plain)) => {
                self.left_out += 1;
            }
            None => merge(&mut self.rows, &plain, entry),
        }
    }

    fn finish(mut self, reading: Reading) -> Collected {
        let Reading { format, damage, mut notes, mut facts } = reading;
        notes.extend(self.notes());
        notes.append(&mut self.around);
        if facts.dry_run.is_none() && self.took_no_time() {
            facts.dry_run = Some("no test took any time".to_owned());
        }
        if let Some(why) = &facts.dry_run {
            self.rows.values_mut().filter(|row| row.outcome.is_pass()).for_each(|row| row.was_dry(why));
            notes.push(format!("this is a dry run, of which no test counts: {why}"));
        }
        let Gathering { rows, set_ups, latest, .. } = self;
        Collected { format, rows, set_ups, damage, notes, latest, facts }
    }

    /// Whether ginkgo listed the tests only: it says of each that it passed in no time.
    fn took_no_time(&self) -> bool {
        let mut passed = self.rows.iter().filter(|(_, row)| row.outcome.is_pass()).peekable();
        passed.peek().is_some()
            && passed.all(|(name, row)| name.starts_with('[') && row.duration.is_some_and(|time| time.is_zero()))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |names: Vec<&str>, what: &str| {
            if !names.is_empty() {
                notes.push(format!("{what}: {}", listed(&names)));
            }
        };
        let several = |flaky: bool| {
            let rows = self.rows.iter().filter(move |(_, row)| row.results > 1 && row.flaky == flaky);
            rows.map(|(name, _)| name.as_str()).collect()
        };
        note(several(false), "several results, of which the worst counts");
        note(several(true), "passed after a failure, marked flaky");
        note(self.tear_downs.iter().map(String::as_str).collect(), "the tear-down of these classes failed");
        if self.left_out > 0 {
            notes.push(format!("{} results were left out: no name, or too many tests", self.left_out));
        }
        notes
    }
}

fn listed(names: &[&str]) -> String {
    let head = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{head} and {more} more"),
        _ => head,
    }
}

fn merge(rows: &mut BTreeMap<String, Row>, name: &str, entry: Entry) {
    match rows.entry(name.to_owned()) {
        Slot::Vacant(slot) => drop(slot.insert(Row::of(entry))),
        Slot::Occupied(slot) => slot.into_mut().add(entry),
    }
}

impl Row {
    fn of(entry: Entry) -> Row {
        Row {
            outcome: entry.outcome,
            flaky: entry.flaky,
            ids: entry.name.ids,
            reason: entry.reason,
            duration: entry.duration,
            results: u32::from(entry.outcome != Outcome::NotRun),
        }
    }

    /// Takes a pass back: it was not executed.
    fn was_dry(&mut self, why: &str) {
        self.outcome = Outcome::NotRun;
        self.reason = Some(format!("a dry run: {why}"));
    }

    fn add(&mut self, entry: Entry) {
        let next = Row::of(entry);
        for id in next.ids.iter().filter(|id| !self.ids.contains(id)).cloned().collect::<Vec<_>>() {
            self.ids.push(id);
        }
        // Listed is no result, neither before nor after one.
        if next.results == 0 {
            return;
        }
        let listed_only = self.results == 0;
        self.results += next.results;
        self.duration = self.duration.into_iter().chain(next.duration).reduce(Duration::saturating_add);
        self.flaky |= next.flaky;
        if listed_only {
            (self.outcome, self.reason) = (next.outcome, next.reason);
        } else if next.outcome.is_pass() && matches!(self.outcome, Outcome::Fail | Outcome::Error) {
            self.outcome = Outcome::Pass;
            self.flaky = true;
            let before = self.reason.take().unwrap_or_else(|| "no reason given".to_owned());
            self.reason = Some(format!("it failed before: {before}"));
        } else if self.outcome.worst(next.outcome) != self.outcome {
            (self.outcome, self.reason) = (next.outcome, next.reason);
        }
    }
}
