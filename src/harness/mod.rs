//! A front for people and tools that speak Rust's test harness: every case is a trial of libtest-mimic, so that
//! `--list`, filters, `--exact`, `--skip`, `--format` and nextest work against a live endpoint.
//!
//! The engine decides what runs when (locks, fixtures, limits, undo); a trial only waits for its result. The names carry
//! family and capability; libtest's own "kind" is not used, since `--list` would show it inside the name.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::capability::Outcome;
use crate::judge::CaseResult;
use crate::suite::{Catalogue, InstanceRef};
use crate::text::one_line;

/// A case under the name of its trial.
#[derive(Debug, Clone)]
pub struct Named {
    /// The case.
    pub instance: InstanceRef,
    /// `family::capability::suite.case[row]`.
    pub name: String,
}

/// Where results go; each is handed to the trial that waits for it.
pub struct Results(HashMap<InstanceRef, SyncSender<CaseResult>>);

impl Results {
    /// Hands over a result.
    pub fn done(&mut self, instance: InstanceRef, result: CaseResult) {
        if let Some(sender) = self.0.remove(&instance) {
            // The trial may have been given up; then nobody waits.
            let _ = sender.send(result);
        }
    }
}

/// Names the cases.
#[must_use]
pub fn name(catalogue: &Catalogue, instances: impl IntoIterator<Item = InstanceRef>) -> Vec<Named> {
    let named = |instance: InstanceRef| {
        let (suite, case) = catalogue.get(instance)?;
        let capability = case.capabilities.first().map_or_else(|| "none".to_owned(), ToString::to_string);
        let name = format!("{}::{capability}::{}", suite.family, catalogue.id(instance));
        Some(Named { instance, name })
    };
    instances.into_iter().filter_map(named).collect()
}

/// Arguments of a Rust test binary. Wrong ones end the process with a message, as a test binary does.
#[must_use]
pub fn arguments(libtest: &[String]) -> Arguments {
    Arguments::from_iter(std::iter::once("assize").chain(libtest.iter().map(String::as_str)))
}

/// The cases that the arguments select.
#[must_use]
pub fn selected(arguments: &Arguments, named: &[Named]) -> Vec<Named> {
    let ignored = arguments.ignored;
    let probe = |named: &&Named| {
        let trial = Trial::test(named.name.clone(), || Ok(()));
        !ignored && !arguments.is_filtered_out(&trial)
    };
    named.iter().filter(probe).cloned().collect()
}

/// Runs the trials of the selected cases; `start` is called once with them, and must have somebody fill the results.
/// Nobody is called when there is nothing to run, as for `--list`. Gives the exit code of a Rust test binary.
pub fn run(arguments: &Arguments, named: &[Named], start: impl FnOnce(Vec<InstanceRef>, Results)) -> u8 {
    let chosen = selected(arguments, named);
    let mut senders = HashMap::new();
    let mut waiting: HashMap<InstanceRef, Receiver<CaseResult>> = HashMap::new();
    for case in &chosen {
        let (sender, receiver) = sync_channel(1);
        senders.insert(case.instance, sender);
        waiting.insert(case.instance, receiver);
    }
    let trials = named.iter().map(|case| {
        let receiver = waiting.remove(&case.instance);
        Trial::ignorable_test(case.name.clone(), move || match receiver.and_then(|receiver| receiver.recv().ok()) {
            Some(result) => conclude(result),
            None => Err(Failed::from("the run ended before this case")),
        })
    });
    let trials: Vec<Trial> = trials.collect();
    if !arguments.list && !chosen.is_empty() {
        start(chosen.into_iter().map(|case| case.instance).collect(), Results(senders));
    }
    if libtest_mimic::run(arguments, trials).has_failed() { 101 } else { 0 }
}

/// Only a pass passes; what the operator left out is ignored with its reason.
fn conclude(result: CaseResult) -> Result<Completion, Failed> {
    match result.outcome {
        Outcome::Pass => Ok(Completion::Completed),
        Outcome::Skip => Ok(Completion::ignored_with(one_line(&result.reason))),
        outcome => {
            let mut text = format!("{outcome}: {}", one_line(&result.reason));
            for finding in &result.findings {
                let rule = one_line(finding.rule.as_deref().unwrap_or(&finding.check));
                text.push_str(&format!(
                    "\n  {rule}\n    expected {}\n    actual   {}\n    at {}",
                    one_line(&finding.expected),
                    one_line(&finding.actual),
                    finding.place
                ));
            }
            Err(Failed::from(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = "format: 1\nsuite: x.s\ntitle: T\ncases:\n  - id: a\n    title: A\n    capability: cap-a\n    each: [{name: one, v: 1}, {name: two, v: 2}]\n    steps: [{get: /a, expect: {status: \"${v}\"}}]\n";

    fn named() -> Vec<Named> {
        let suite = SUITE.replace("\"${v}\"", "200");
        let (catalogue, problems) = Catalogue::load([("s.yaml", suite)]);
        assert!(!problems.has_errors(), "{}", problems.render(false));
        name(&catalogue, catalogue.instances())
    }

    fn args(list: &[&str]) -> Arguments {
        arguments(&list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_carry_family_and_capability() {
        let names: Vec<_> = named().into_iter().map(|case| case.name).collect();
        assert_eq!(names, ["x::cap-a::x.s.a[one]", "x::cap-a::x.s.a[two]"]);
    }

    #[test]
    fn filters_are_those_of_libtest() {
        let all = named();
        assert_eq!(selected(&args(&["two"]), &all).len(), 1);
        assert_eq!(selected(&args(&["--exact", "x::cap-a::x.s.a[one]"]), &all).len(), 1);
        assert_eq!(selected(&args(&["--exact", "one"]), &all).len(), 0);
        assert_eq!(selected(&args(&["--skip", "two"]), &all).len(), 1);
        assert_eq!(selected(&args(&["--ignored"]), &all).len(), 0);
    }

    #[test]
    fn only_a_pass_passes() {
        let ends = |outcome| conclude(CaseResult::without_evidence(outcome, "why"));
        assert!(matches!(ends(Outcome::Pass), Ok(Completion::Completed)));
        assert!(matches!(ends(Outcome::Skip), Ok(Completion::Ignored { .. })));
        for outcome in [Outcome::Fail, Outcome::Gap, Outcome::Error, Outcome::NotRun] {
            assert!(
                ends(outcome).is_err_and(|failed| failed.message().is_some_and(|text| text.contains("why"))),
                "{outcome}"
            );
        }
    }
}
