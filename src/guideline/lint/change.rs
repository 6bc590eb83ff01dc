//! Two states of one guideline: what may change once it is approved.

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::{CapabilityId, TestId};
use crate::text::{Diagnostic, Diagnostics};

use super::super::model::{ApprovalStatus, Capability, Guideline, Test};
use super::Lint;

/// The changes from `old` to `new`, two states of the same guideline, that its status forbids. Everything is reported
/// in the new one.
pub fn lint_change(old: &Guideline, new: &Guideline) -> Diagnostics {
    let mut lint = Lint::new(new);
    let status = old.metadata.approval.status;
    if !matches!(status, None | Some(ApprovalStatus::Draft)) && weights(old) != weights(new) {
        let message = format!("the weights or the cut-off of guideline {} changed", new.metadata.id);
        let help = "they are fixed when the draft is finished; take them back";
        lint.report(Diagnostic::error("G152", message).help(help), &["metadata", "scoring"]);
    }
    if matches!(status, Some(ApprovalStatus::Approved | ApprovalStatus::Superseded)) {
        lint.frozen(old);
    }
    lint.steps(old);
    lint.found
}

fn weights(guideline: &Guideline) -> (Option<u32>, BTreeMap<&String, u32>) {
    let scoring = &guideline.metadata.scoring;
    let weights = scoring.criteria.iter().map(|(key, criterion)| (key, criterion.weight));
    (scoring.cutoff_score, weights.collect())
}

impl Lint<'_> {
    fn frozen(&mut self, old: &Guideline) {
        let new = self.guideline;
        if !matches!(new.metadata.approval.status, Some(ApprovalStatus::Approved | ApprovalStatus::Superseded)) {
            self.change("its status went back", &["metadata"]);
        }
        let names: BTreeSet<&String> = old.programs.iter().chain(&new.programs).map(|one| &one.name).collect();
        for name in names {
            let components = |guideline: &Guideline| guideline.program(name).map(|one| one.components.clone());
            if components(old) != components(new) {
                self.change(&format!("program `{name}` changed"), &["platforms", name]);
            }
        }
        let names: BTreeSet<&String> = old.components.keys().chain(new.components.keys()).collect();
        for name in names {
            let lists = |guideline: &Guideline| {
                let lists = &guideline.components.get(name)?.capabilities;
                let set = |ids: &Vec<CapabilityId>| ids.iter().cloned().collect::<BTreeSet<_>>();
                Some(lists.iter().map(|(level, ids)| (*level, set(ids))).collect::<BTreeMap<_, _>>())
            };
            if lists(old) != lists(new) {
                self.change(&format!("the lists of component `{name}` changed"), &["components", name]);
            }
        }
        let ids: BTreeSet<&CapabilityId> = old.capabilities.keys().chain(new.capabilities.keys()).collect();
        for id in ids {
            let path = ["capabilities", id.as_str()];
            match (old.capabilities.get(id), new.capabilities.get(id)) {
                (Some(before), Some(now)) => self.frozen_tests(id, before, now),
                (Some(_), None) => self.change(&format!("capability `{id}` is gone"), &path),
                (None, _) => self.change(&format!("capability `{id}` was added"), &path),
            }
        }
    }

    fn frozen_tests(&mut self, id: &CapabilityId, old: &Capability, new: &Capability) {
        let names: BTreeSet<&TestId> = old.tests.keys().chain(new.tests.keys()).collect();
        for test in names {
            let path = ["capabilities", id.as_str(), "tests", test.as_str()];
            match (old.tests.get(test), new.tests.get(test)) {
                (Some(before), Some(now)) => self.frozen_test(test, before, now, &path),
                (Some(_), None) => self.change(&format!("test `{test}` is gone"), &path),
                (None, _) => self.change(&format!("test `{test}` was added"), &path),
            }
        }
    }

    fn frozen_test(&mut self, test: &TestId, old: &Test, new: &Test, path: &[&str]) {
        if old.flagged.is_some() && new.flagged.is_none() {
            self.change(&format!("the flag of test `{test}` was taken away"), path);
        }
        if old.uuid() != new.uuid() {
            self.change(&format!("the id of test `{test}` changed"), path);
        }
        if old.aliases.iter().any(|alias| !new.aliases.contains(alias)) {
            self.change(&format!("an alias of test `{test}` was taken away"), path);
        }
    }

    fn change(&mut self, what: &str, path: &[&str]) {
        let message = format!("guideline {} is approved, but {what}", self.guideline.metadata.id);
        let help = "flags and aliases may be added, nothing else; what must change goes to the next guideline";
        self.report(Diagnostic::error("G151", message).help(help), path);
    }
}
