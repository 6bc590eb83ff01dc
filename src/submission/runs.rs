//! Results and log: what must be in them, and whether they are those of one run that took place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::capability::{Outcome, sentence_key, unescape};
use crate::guideline::{ConformanceEntry, Release};
use crate::results::{Collected, Log, Row};

use super::{Judged, NAMED, Submission, listed};

/// The tag of what counts.
const TAG: &str = "[Conformance]";
/// From so many tests on it is no chance that all took equally long.
const ENOUGH: usize = 20;
/// How old results may be, in days.
const OLDEST: i32 = 90;
/// The rules that need results.
const OF_RESULTS: [&str; 8] = ["C015", "C016", "C102", "C103", "C104", "C105", "C106", "C113"];
/// The rules that need the log, with or without results.
const OF_LOG: [&str; 6] = ["C107", "C108", "C109", "C110", "C111", "C112"];

pub(super) fn check(submission: &Submission, judged: &mut BTreeMap<&'static str, Judged>) {
    let Some(results) = &submission.results else {
        let why = submission.unreadable.clone().unwrap_or_else(|| "there are no results".to_owned());
        let whole = if submission.unreadable.is_some() { Judged::Checked(vec![why]) } else { Judged::Not(why) };
        judged.insert("C101", whole);
        for code in OF_RESULTS.iter().chain(&OF_LOG) {
            judged.insert(code, Judged::not("there are no results that can be read"));
        }
        return;
    };
    judged.insert("C101", Judged::Checked(results.damage.iter().map(ToString::to_string).collect()));
    // What is missing at the end of damaged results would be judged as if it had not been run.
    required(submission, results, judged);
    of_results(submission, results, judged);
    match &results.facts.log {
        None => {
            for code in OF_LOG {
                judged.insert(code, Judged::not("there is no log"));
            }
        }
        Some(log) => of_log(submission, results, log, judged),
    }
}

fn required(submission: &Submission, results: &Collected, judged: &mut BTreeMap<&'static str, Judged>) {
    let (tests, release) = match (&submission.tests, submission.release()) {
        (Some(tests), Some(release)) => (tests, release),
        (None, _) => {
            for code in ["C015", "C102"] {
                judged.insert(code, Judged::not("the conformance.yaml of the release was not given"));
            }
            return;
        }
        (_, None) => {
            for code in ["C015", "C102"] {
                judged.insert(code, Judged::not("the folder names no release"));
            }
            return;
        }
    };
    // A list without a version may lack entries of the release itself, but has none of a later one.
    let newest = tests.iter().flat_map(|test| &test.releases).max().copied().filter(|newest| *newest > release);
    if let Some(other) = submission.tests_of.or(newest).filter(|other| *other != release) {
        let why = format!("the conformance.yaml is of {other}, {release} is claimed");
        for code in ["C015", "C102"] {
            judged.insert(code, Judged::not(why.clone()));
        }
        return;
    }
    let there: BTreeMap<String, &Row> = results.rows.iter().map(|(name, row)| (unescape(name), row)).collect();
    // The bot takes what a dry run says.
    let ran = |row: &Row| row.outcome != Outcome::Skip && row.results > 0;
    let words: BTreeMap<String, &str> = there
        .iter()
        .filter(|(_, row)| ran(row))
        .filter_map(|(name, _)| Some((sentence_key(name)?, name.as_str())))
        .collect();
    let (mut missing, mut not_passed) = (Vec::new(), Vec::new());
    for ConformanceEntry { codename, .. } in tests.iter().filter(|test| test.required_by(release)) {
        let row = there.get(codename).copied();
        let outcome = row.map(|row| row.outcome);
        if !row.is_some_and(ran) {
            let like = sentence_key(codename).and_then(|key| words.get(&key));
            missing.push(match (outcome, like) {
                (None, Some(other)) => format!("{codename}, though there is `{other}`: whole names are compared"),
                (None, None) => codename.clone(),
                (Some(outcome), _) => format!("{codename}, which is {outcome}"),
            });
        }
        if outcome != Some(Outcome::Pass) {
            not_passed.push(format!("{codename}: {}", outcome.unwrap_or(Outcome::NotRun)));
        }
    }
    judged.insert("C015", Judged::Checked(counted(missing)));
    judged.insert("C102", Judged::Checked(counted(not_passed)));
}

/// The number, then the first few.
fn counted(mut texts: Vec<String>) -> Vec<String> {
    let all = texts.len();
    if all > NAMED {
        texts.truncate(NAMED);
        texts.insert(0, format!("{all} tests, the first of them:"));
    }
    texts
}

fn of_results(submission: &Submission, results: &Collected, judged: &mut BTreeMap<&'static str, Judged>) {
    let failed = results
        .rows
        .iter()
        .filter(|(name, row)| name.contains(TAG) && matches!(row.outcome, Outcome::Fail | Outcome::Error));
    judged.insert("C016", Judged::Checked(counted(failed.map(|(name, _)| name.clone()).collect())));
    let doubled: Vec<String> =
        results.rows.iter().filter(|(_, row)| row.results > 1).map(|(name, _)| name.clone()).collect();
    judged.insert("C103", Judged::Checked(listed(&doubled, "has several")));
    let facts = &results.facts;
    let mut again = Vec::new();
    if let Some(attempts) = facts.attempts.filter(|attempts| *attempts > 1) {
        again.push(format!("up to {attempts} attempts were allowed"));
    }
    if let Some(flaked) = facts.log.as_ref().and_then(|log| log.totals).map(|it| it.flaked).filter(|it| *it > 0) {
        again.push(format!("the log counts {flaked} that passed on a retry"));
    }
    let flaky: Vec<String> = results.rows.iter().filter(|(_, row)| row.flaky).map(|(name, _)| name.clone()).collect();
    again.extend(listed(&flaky, "passed after a failure"));
    judged.insert("C104", Judged::Checked(again));
    judged.insert("C105", durations(results));
    judged.insert("C106", Judged::Checked(facts.dry_run.iter().cloned().collect()));
    judged.insert(
        "C113",
        match (results.latest, submission.day) {
            (Some(latest), Some(day)) => {
                let ran = latest.to_zoned(jiff::tz::TimeZone::UTC).date();
                let age = ran.until(day).map_or(i32::MAX, |span| span.get_days());
                match age {
                    // A clock may be a day ahead somewhere.
                    ..-1 => Judged::Checked(vec![format!("they are of {ran}, after {day}")]),
                    _ => Judged::when(age > OLDEST, || format!("they are of {ran}, {age} days before {day}")),
                }
            }
            _ => Judged::not("the results have no date"),
        },
    );
}

fn durations(results: &Collected) -> Judged {
    let ran = results.rows.values().filter(|row| !matches!(row.outcome, Outcome::Skip));
    let times: Vec<Duration> = ran.filter_map(|row| row.duration).collect();
    let different: BTreeSet<Duration> = times.iter().copied().collect();
    match (times.len(), different.first()) {
        (_, None) => Judged::not("the results have no durations"),
        (_, Some(one)) if different.len() == 1 && one.is_zero() => {
            Judged::Checked(vec!["no test took any time".to_owned()])
        }
        (ENOUGH.., Some(one)) if different.len() == 1 => {
            Judged::Checked(vec![format!("all {} tests took {one:?}", times.len())])
        }
        _ => Judged::Checked(Vec::new()),
    }
}

fn of_log(submission: &Submission, results: &Collected, log: &Log, judged: &mut BTreeMap<&'static str, Judged>) {
    let claimed = submission.release();
    let version = |what: &str, seen: &Option<String>| match (claimed, seen) {
        (Some(claimed), Some(seen)) => {
            let fits = Release::parse(seen) == Some(claimed);
            Judged::when(!fits, || format!("{what} in the log is {seen}, {claimed} is claimed"))
        }
        (_, None) => Judged::not(format!("the log does not say the version of {what}")),
        (None, _) => Judged::not("the folder names no release"),
    };
    judged.insert("C107", version("the server", &log.server));
    judged.insert("C108", version("the suite", &log.suite));
    judged.insert(
        "C109",
        match (&results.facts.seed, &log.seed) {
            (Some(own), Some(other)) => Judged::when(own != other, || {
                format!("the random seed of the results is {own}, that of the log {other}")
            }),
            _ => Judged::not("one of them does not say its random seed"),
        },
    );
    judged.insert("C112", Judged::when(log.totals.is_none(), || "it has no totals".to_owned()));
    if results.facts.dry_run.is_some() {
        judged.insert("C110", Judged::not("it was a dry run"));
        judged.insert("C111", Judged::not("it was a dry run"));
        return;
    }
    judged.insert(
        "C110",
        match log.totals {
            None => Judged::not("the log has no totals"),
            Some(totals) => {
                let count = |wanted: &[Outcome]| {
                    results.rows.values().filter(|row| wanted.contains(&row.outcome)).count() as u64
                };
                let (passed, failed) = (count(&[Outcome::Pass]), count(&[Outcome::Fail, Outcome::Error]));
                let mut wrong = Vec::new();
                for (what, own, other) in [("passed", passed, totals.passed), ("failed", failed, totals.failed)] {
                    if own != other {
                        wrong.push(format!("{own} {what} by the results, {other} by the log"));
                    }
                }
                Judged::Checked(wrong)
            }
        },
    );
    let passed = results.rows.iter().filter(|(name, row)| name.contains(TAG) && row.outcome.is_pass());
    let keys: Vec<(&String, String)> = passed.filter_map(|(name, _)| Some((name, sentence_key(name)?))).collect();
    judged.insert(
        "C111",
        match (log.named.is_empty(), log.marks) {
            (true, 0) => Judged::when(!keys.is_empty(), || "it names no test at all".to_owned()),
            (true, _) => Judged::not("the log is a short one, without names"),
            (false, _) => {
                let absent = keys.iter().filter(|(_, key)| !log.named.contains(key)).map(|(name, _)| (*name).clone());
                Judged::Checked(counted(absent.collect()))
            }
        },
    );
}
