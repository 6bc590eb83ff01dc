//! What is wrong between guidelines that are given together.

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::{CapabilityId, Family, LifeCycle, TestId};
use crate::text::{Diagnostic, Diagnostics, plural};

use super::super::model::{Approval, ApprovalStatus, ComponentRef, Guideline, Origin};
use super::{Lint, suggest};

/// How many guidelines of a series may be approved at once: vendors may use the two latest.
const MOST_APPROVED: usize = 2;

/// The problems between several guidelines: one family and format at a time, series by series, in the order of their
/// dates.
pub fn lint_together(all: &[&Guideline]) -> Diagnostics {
    let mut groups: BTreeMap<(Family, bool, &str), Vec<&Guideline>> = BTreeMap::new();
    // A list of conformance tests says nothing of its process.
    let with_process = all.iter().filter(|one| one.metadata.origin != Origin::Conformance);
    for guideline in with_process {
        let metadata = &guideline.metadata;
        let group = (metadata.family, metadata.origin == Origin::Interop, metadata.id.series());
        groups.entry(group).or_default().push(guideline);
    }
    let mut found = Diagnostics::new();
    for series in groups.values_mut() {
        // `next` has no date and comes last.
        series.sort_by_key(|one| (one.metadata.id.date().is_none(), one.metadata.id.clone()));
        found.extend(one_series(series));
    }
    for guideline in all {
        let mut lint = Lint::new(guideline);
        lint.components_elsewhere(all);
        found.extend(lint.found);
    }
    found
}

fn one_series(series: &[&Guideline]) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut ids: BTreeMap<&str, &Guideline> = BTreeMap::new();
    let approved: Vec<_> = series.iter().filter(|one| is(one, ApprovalStatus::Approved)).collect();
    let too_old = approved.len().saturating_sub(MOST_APPROVED);
    let mut names = Names::default();
    for (index, guideline) in series.iter().enumerate() {
        let mut lint = Lint::new(guideline);
        lint.identity(&mut ids);
        if approved.iter().take(too_old).any(|one| std::ptr::eq(**one, *guideline)) {
            lint.is_too_old(approved.len());
        }
        let before = series.get(..index).unwrap_or_default();
        lint.predecessor(before);
        let replaces = guideline.metadata.approval.replaces.as_deref();
        if let Some(old) = before.iter().rev().find(|one| Some(one.metadata.id.0.as_str()) == replaces) {
            lint.process(old);
        }
        names.follow(&mut lint, guideline);
        found.extend(lint.found);
    }
    found
}

fn is(guideline: &Guideline, status: ApprovalStatus) -> bool {
    guideline.metadata.approval.status == Some(status)
}

impl<'g> Lint<'g> {
    fn identity(&mut self, ids: &mut BTreeMap<&'g str, &'g Guideline>) {
        let guideline = self.guideline;
        let id = guideline.metadata.id.0.as_str();
        let path = match guideline.metadata.schema.as_str() {
            "1.0" => vec!["release"],
            schema if schema.starts_with("1.") => vec!["id"],
            _ => vec!["metadata", "id"],
        };
        let file = guideline.places.file().unwrap_or_default();
        let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
        if let Some(stem) = stem.strip_suffix(".json").filter(|stem| *stem != id && guideline.metadata.schema != "1.0")
        {
            let message = format!("guideline `{id}` is in a file called `{stem}.json`");
            let help = "name the file after the id; people and tools find guidelines by file name";
            self.report(Diagnostic::warning("G141", message).help(help), &path);
        }
        if let Some(other) = ids.insert(id, guideline) {
            let other = other.places.file().unwrap_or("another file");
            let message = format!("guideline `{id}` is also in {other}");
            self.report(Diagnostic::error("G141", message).help("give one of them another id"), &path);
        }
    }

    fn is_too_old(&mut self, approved: usize) {
        let message = format!("{approved} guidelines are approved at once, of which this is not among the two latest");
        let help = "set its status to superseded";
        let path = self.approval_path("status");
        self.report(Diagnostic::warning("G142", message).help(help), &path);
    }

    /// It must replace the latest one before it, if it says what it replaces.
    fn predecessor(&mut self, before: &[&Guideline]) {
        let Approval { replaces: Some(replaces), .. } = &self.guideline.metadata.approval else {
            return;
        };
        let dated = before
            .iter()
            .filter(|one| one.metadata.id.date().is_some() && one.metadata.id != self.guideline.metadata.id);
        let Some(latest) = dated.map(|one| one.metadata.id.0.as_str()).max() else {
            return;
        };
        // What it replaces may be newer than anything given here.
        if replaces.as_str() < latest {
            let message = format!("it replaces {replaces}, although {latest} came after that");
            let path = self.approval_path("replaces");
            self.report(Diagnostic::warning("G143", message).help(format!("write `{latest}`")), &path);
        }
    }

    /// The rules between a guideline and the one that it replaces. What is in force can no longer be changed, so there
    /// they are warnings.
    fn process(&mut self, old: &Guideline) {
        let frozen = is(self.guideline, ApprovalStatus::Approved) || is(self.guideline, ApprovalStatus::Superseded);
        let problem = |code, message: String| match frozen {
            true => Diagnostic::warning(code, message),
            false => Diagnostic::error(code, message),
        };
        let before = standing_anywhere(old);
        let (id, now) = (&old.metadata.id, standing_anywhere(self.guideline));
        for (capability, level) in &now {
            let was = before.get(capability).filter(|was| **was != LifeCycle::Removed);
            if *level == LifeCycle::Required && was.is_none() {
                let message = format!("capability `{capability}` is required, but was not even advisory in {id}");
                let help = "make it advisory first: vendors need a guideline's time to prepare";
                self.report(problem("G147", message).help(help), &["capabilities", capability.as_str()]);
            }
        }
        for (capability, was) in &before {
            let gone = now.get(capability).is_none_or(|level| *level == LifeCycle::Removed);
            if *was == LifeCycle::Required && gone {
                let message = format!("capability `{capability}` was required in {id} and is gone");
                let help = "list it as deprecated first: users need a guideline's time to leave it";
                self.report(problem("G148", message).help(help), &["components"]);
            }
        }
        self.carried_on(old);
        for (name, now) in &self.guideline.test_repositories {
            let before = old.test_repositories.get(name).filter(|before| before.reference == now.reference);
            let fixed = now.reference.as_deref().is_some_and(|one| !super::heads::MOVING.contains(&one));
            if before.is_some() && fixed {
                let message = format!("test repository `{name}` is at the same revision as in {id}");
                let help = "name the revision that this guideline was tried with";
                let top = if self.guideline.metadata.schema.starts_with("1.") {
                    ("test-repositories", "git-sha")
                } else {
                    ("test_repositories", "reference")
                };
                self.report(Diagnostic::warning("G150", message).help(help), &[top.0, name, top.1]);
            }
        }
    }

    /// Flagged tests of the guideline before, one finding a capability.
    fn carried_on(&mut self, old: &Guideline) {
        for (capability, own) in &self.guideline.capabilities {
            let Some(before) = old.capabilities.get(capability) else { continue };
            let flagged = |test: &&TestId| before.tests.get(*test).is_some_and(|test| test.flagged.is_some());
            let carried: Vec<String> = own.tests.keys().filter(flagged).map(|test| format!("`{test}`")).collect();
            if !carried.is_empty() {
                let number = plural(carried.len(), "test");
                let message = format!(
                    "{number} of `{capability}` flagged in {} carried on: {}",
                    old.metadata.id,
                    carried.join(", ")
                );
                let help = "leave out what was flagged, or repair it and say so";
                self.report(
                    Diagnostic::warning("G149", message).help(help),
                    &["capabilities", capability.as_str(), "tests"],
                );
            }
        }
    }

    /// Components that another guideline defines: it is found by the name of the file in the address.
    fn components_elsewhere(&mut self, all: &[&'g Guideline]) {
        let guideline = self.guideline;
        for program in &guideline.programs {
            let refs = |key: &'static str, refs: &'g [ComponentRef]| refs.iter().map(move |one| (key, one));
            let hosts = refs("required_platform_components", &program.host_components);
            for (key, one) in refs("components", &program.components).chain(hosts) {
                let Some(source) = &one.source else { continue };
                let file = source.rsplit('/').next().unwrap_or(source);
                let id = file.strip_suffix(".json").unwrap_or(file);
                let theirs = |other: &&&Guideline| {
                    other.metadata.id.0 == id && other.metadata.family == guideline.metadata.family
                };
                let Some(other) = all.iter().find(theirs) else { continue };
                if other.components.contains_key(&one.name) {
                    continue;
                }
                let message = format!("guideline {id} does not define component `{}`", one.name);
                let names: Vec<&str> = other.components.keys().map(String::as_str).collect();
                let help = format!("it defines {}", names.join(", "));
                let problem = suggest(Diagnostic::error("G144", message).help(help), &one.name, names);
                let top = if guideline.places.has(&["add-ons"]) { "add-ons" } else { "platforms" };
                self.report(problem, &[top, &program.name, key, &one.name]);
            }
        }
    }
}

/// The strictest standing of each capability in any component.
fn standing_anywhere(guideline: &Guideline) -> BTreeMap<&CapabilityId, LifeCycle> {
    let mut standing = BTreeMap::new();
    for component in guideline.components.values() {
        for (level, ids) in &component.capabilities {
            for id in ids {
                let known = standing.entry(id).or_insert(*level);
                *known = (*known).min(*level);
            }
        }
    }
    standing
}

/// Names and ids of tests through the history of a series.
#[derive(Default)]
struct Names<'g> {
    /// The id that a name had last, and where.
    uuid_of: BTreeMap<&'g str, (&'g str, &'g str)>,
    /// The name that an id had last, and where.
    name_of: BTreeMap<&'g str, (&'g str, &'g str)>,
}

impl<'g> Names<'g> {
    fn follow(&mut self, lint: &mut Lint<'g>, guideline: &'g Guideline) {
        let id = guideline.metadata.id.0.as_str();
        let mut reported = BTreeSet::new();
        for (capability, own) in &guideline.capabilities {
            for (test, details) in &own.tests {
                let (Some(uuid), true) = (details.uuid(), reported.insert(test)) else { continue };
                let path = ["capabilities", capability.as_str(), "tests", test.as_str()];
                if let Some((before, whence)) = self.uuid_of.insert(test.as_str(), (uuid, id))
                    && before != uuid
                {
                    let message = format!("test `{test}` has another id than in {whence}: {uuid}, not {before}");
                    let help = "an id belongs to one test for ever; a changed test needs a new name as well";
                    lint.report(Diagnostic::warning("G145", message).help(help), &path);
                }
                let known =
                    |name: &str| test.as_str() == name || details.aliases.iter().any(|one| one.as_str() == name);
                if let Some((before, whence)) = self.name_of.get(uuid)
                    && !known(before)
                    && *whence != id
                {
                    let message = format!("test `{test}` was `{before}` in {whence}, which is no alias of it");
                    let help = format!("add `{before}` to `aliases`, so that older results count");
                    lint.report(Diagnostic::warning("G146", message).help(help), &path);
                }
                self.name_of.insert(uuid, (test.as_str(), id));
            }
        }
    }
}
