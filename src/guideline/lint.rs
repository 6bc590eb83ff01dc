//! What is well-formed but wrong in a guideline. Everything is reported at once.
//!
//! | code | severity | meaning |
//! | --- | --- | --- |
//! | G101 | error | a capability is listed but not defined |
//! | G102 | error | a component is mentioned but not defined |
//! | G103 | error | a program without components, a component without capabilities, a guideline without programs |
//! | G104 | error | listed twice |
//! | G105 | warning | defined but used by nothing |
//! | G106 | error | required, but no test counts: nobody can prove it |
//! | G107 | error | a test that no suite has |
//! | G108 | warning | a description that says nothing |
//! | G109 | warning | a capability without a reference to a specification |
//! | G110 | warning | a flag without code, date or owner |
//! | G111 | error | names of tests that clash: one result would answer for two tests |
//! | G112 | warning | an id with capital letters |
//! | G113 | warning | a test that is flagged in one capability and counts in another |
//! | G114 | warning | an achievement that is not a criterion |

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::{CapabilityId, LifeCycle, TestId};
use crate::text::{Diagnostic, Diagnostics, did_you_mean};

use super::model::{Capability, Component, Flag, Guideline, Test};

/// The problems of a guideline. `known` are the tests that the suites have; without them test ids are not looked up.
pub fn lint(guideline: &Guideline, known: Option<&BTreeSet<TestId>>) -> Diagnostics {
    let mut lint = Lint { guideline, found: Diagnostics::new() };
    lint.programs();
    for (name, component) in &guideline.components {
        lint.component(name, component);
    }
    for (id, capability) in &guideline.capabilities {
        lint.capability(id, capability);
        if let Some(known) = known {
            lint.unknown_tests(id, capability, known);
        }
    }
    lint.names_of_tests();
    lint.found
}

struct Lint<'g> {
    guideline: &'g Guideline,
    found: Diagnostics,
}

impl<'g> Lint<'g> {
    fn report(&mut self, problem: Diagnostic, path: &[&str]) {
        self.found.push(self.guideline.places.point(problem, path, ""));
    }

    fn programs(&mut self) {
        let guideline = self.guideline;
        if guideline.programs.is_empty() {
            self.report(
                Diagnostic::error("G103", "a guideline without programs: nothing can be claimed"),
                &["platforms"],
            );
        }
        let mut used = BTreeSet::new();
        for program in &guideline.programs {
            let path = ["platforms", program.name.as_str()];
            if program.components.is_empty() {
                let message = format!("program `{}` has no components: it would require nothing", program.name);
                self.report(Diagnostic::error("G103", message), &path);
            }
            if program.description.trim().is_empty() {
                let message = format!("program `{}` has no description", program.name);
                self.report(
                    Diagnostic::warning("G108", message).help("say in plain words what the claim means"),
                    &path,
                );
            }
            let mut seen = BTreeSet::new();
            for one in program.components.iter().chain(&program.host_components) {
                let path = ["platforms", &program.name, "components", &one.name];
                if !seen.insert(&one.name) {
                    let message = format!("program `{}` lists component `{}` twice", program.name, one.name);
                    self.report(Diagnostic::error("G104", message).help("remove one of them"), &path);
                }
                used.insert(one.name.as_str());
                let elsewhere = one.source.is_some();
                if !elsewhere && !guideline.components.contains_key(&one.name) {
                    let message = format!("component `{}` is not defined", one.name);
                    let names = guideline.components.keys().map(String::as_str);
                    let problem = suggest(Diagnostic::error("G102", message), &one.name, names);
                    self.report(problem, &path);
                }
            }
        }
        for name in guideline.components.keys().filter(|name| !used.contains(name.as_str())) {
            let message = format!("component `{name}` belongs to no program");
            self.report(Diagnostic::warning("G105", message), &["components", name]);
        }
    }

    fn component(&mut self, name: &str, component: &'g Component) {
        let mut seen: BTreeMap<&CapabilityId, LifeCycle> = BTreeMap::new();
        for (level, ids) in &component.capabilities {
            for id in ids {
                let path = ["components", name, "capabilities", level.as_str(), id.as_str()];
                if let Some(before) = seen.insert(id, *level) {
                    let message = format!("component `{name}` lists `{id}` as {before} and again as {level}");
                    self.report(Diagnostic::error("G104", message).help("keep one of them"), &path);
                }
                // A removed capability may be history only; still a reader must be able to look it up.
                if !self.guideline.capabilities.contains_key(id) {
                    let message = format!("capability `{id}` is listed but not defined");
                    let ids = self.guideline.capabilities.keys().map(CapabilityId::as_str);
                    let problem = suggest(Diagnostic::error("G101", message), id.as_str(), ids);
                    self.report(problem, &path);
                }
            }
        }
        if seen.is_empty() {
            let message = format!("component `{name}` lists no capability");
            self.report(Diagnostic::error("G103", message), &["components", name]);
        }
    }

    fn capability(&mut self, id: &CapabilityId, capability: &'g Capability) {
        let path = ["capabilities", id.as_str()];
        let listed = |levels: &[LifeCycle]| {
            let mut components = self.guideline.components.values();
            components.any(|component| levels.iter().any(|level| component.listed(*level).contains(id)))
        };
        let (required, used) = (listed(&[LifeCycle::Required]), listed(LifeCycle::ALL));
        if !used {
            let message = format!("capability `{id}` is in no component");
            self.report(Diagnostic::warning("G105", message).help("list it or remove it"), &path);
        }
        if required && capability.counting().next().is_none() {
            let flagged = if capability.tests.is_empty() { "it has no tests" } else { "all its tests are flagged" };
            let message = format!("capability `{id}` is required, but no test counts: {flagged}");
            let help = "a capability without a counting test is never passed: add a test or make it advisory";
            self.report(Diagnostic::error("G106", message).help(help), &path);
        }
        if capability.description.trim().is_empty() {
            let message = format!("capability `{id}` has no description");
            self.report(Diagnostic::warning("G108", message).help("say in plain words what a user can rely on"), &path);
        }
        if capability.spec.iter().all(|spec| spec.trim().is_empty()) {
            let message = format!("capability `{id}` names no specification");
            self.report(Diagnostic::warning("G109", message).help("add `spec`: a list of `document: section`"), &path);
        }
        if !id.is_lower_case() {
            let message = format!("capability id `{id}` has capital letters");
            self.report(Diagnostic::warning("G112", message).help("ids of ours are in lower case"), &path);
        }
        let criteria = &self.guideline.metadata.scoring.criteria;
        for key in capability.achievements.iter().filter(|key| !criteria.contains_key(*key)) {
            let problem = Diagnostic::warning("G114", format!("achievement `{key}` is not a criterion"));
            let problem = suggest(problem, key, criteria.keys().map(String::as_str));
            self.report(problem, &["capabilities", id.as_str(), "achievements", key]);
        }
        for (test, flag) in capability.tests.iter().filter_map(|(test, own)| Some((test, own.flagged.as_ref()?))) {
            self.flag(id, test, flag);
        }
    }

    fn flag(&mut self, id: &CapabilityId, test: &TestId, flag: &Flag) {
        let absent = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        let lacking = [
            (flag.code.is_none(), "a code from D400 to D406 at the start of its reason"),
            (absent(&flag.date), "a date"),
            (absent(&flag.owner), "an owner"),
        ];
        let lacking: Vec<_> = lacking.iter().filter(|(lacks, _)| *lacks).map(|(_, what)| *what).collect();
        if !lacking.is_empty() {
            let message = format!("the flag of test `{test}` lacks {}", lacking.join(", "));
            let path = ["capabilities", id.as_str(), "tests", test.as_str(), "flagged"];
            self.report(Diagnostic::warning("G110", message), &path);
        }
    }

    fn unknown_tests(&mut self, id: &CapabilityId, capability: &Capability, known: &BTreeSet<TestId>) {
        for (test, own) in &capability.tests {
            if std::iter::once(test).chain(&own.aliases).any(|name| known.contains(name)) {
                continue;
            }
            let problem = Diagnostic::error("G107", format!("no suite has a test `{test}`"));
            let problem = suggest(problem, test.as_str(), known.iter().map(TestId::as_str));
            self.report(problem, &["capabilities", id.as_str(), "tests", test.as_str()]);
        }
    }

    /// One name must mean one test, else one result would answer for two.
    fn names_of_tests(&mut self) {
        let guideline = self.guideline;
        let mut primary: BTreeMap<&TestId, (&CapabilityId, &Test)> = BTreeMap::new();
        let mut claimed: BTreeMap<&TestId, &TestId> = BTreeMap::new();
        let mut by_uuid: BTreeMap<&str, &TestId> = BTreeMap::new();
        let all = || guideline.capabilities.iter().flat_map(|(id, own)| own.tests.iter().map(move |test| (id, test)));
        for (id, (test, own)) in all() {
            if let Some((other, before)) = primary.insert(test, (id, own))
                && before.flagged.is_some() != own.flagged.is_some()
            {
                let message =
                    format!("test `{test}` is flagged in one of `{other}` and `{id}` and counts in the other");
                let path = ["capabilities", id.as_str(), "tests", test.as_str()];
                self.report(Diagnostic::warning("G113", message), &path);
            }
        }
        for (id, (test, own)) in all() {
            let path = ["capabilities", id.as_str(), "tests", test.as_str()];
            for alias in &own.aliases {
                let clash = if alias == test {
                    Some(format!("test `{test}` is its own alias"))
                } else if primary.contains_key(alias) {
                    Some(format!("alias `{alias}` of test `{test}` is the name of another test"))
                } else {
                    let other = *claimed.entry(alias).or_insert(test);
                    (other != test).then(|| format!("alias `{alias}` is claimed by `{other}` and by `{test}`"))
                };
                if let Some(message) = clash {
                    self.report(Diagnostic::error("G111", message).help("one name must mean one test"), &path);
                }
            }
            let uuid = own.idempotent_id.as_deref().filter(|uuid| !uuid.is_empty());
            if let Some(other) = uuid.map(|uuid| *by_uuid.entry(uuid).or_insert(test)).filter(|other| *other != test) {
                let message = format!("tests `{other}` and `{test}` have the same idempotent id");
                self.report(Diagnostic::error("G111", message).help("if they are one test, make one an alias"), &path);
            }
        }
    }
}

fn suggest<'a>(problem: Diagnostic, word: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    match did_you_mean(word, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}
