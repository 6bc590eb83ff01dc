//! What is well-formed but wrong in a guideline. Everything is reported at once. The codes with their rules are in
//! [`codes`](super::codes); [`lint`] looks at one document, [`lint_together`] at several, [`lint_change`] at two states
//! of one.
//!
//! A finding that is known and stays is named in the file: `accept` in `metadata.assize` or in a capability gives the
//! code and the reason. It is then not reported; an acceptance that nothing needs is.

mod between;
mod change;
mod derived;
mod heads;
mod names;
mod worksheets;

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::{CapabilityId, LifeCycle, TestId};
use crate::text::{Diagnostic, Diagnostics, did_you_mean};

use super::model::{Capability, Component, Flag, Guideline, Origin};
pub use between::lint_together;
pub use change::lint_change;
pub use derived::lint_derived;

/// The problems of a guideline. `known` are the tests that the suites have; without them test ids are not looked up.
pub fn lint(guideline: &Guideline, known: Option<&BTreeSet<TestId>>) -> Diagnostics {
    let mut lint = Lint::new(guideline);
    lint.heads();
    lint.programs();
    for (name, component) in &guideline.components {
        lint.component(name, component);
    }
    for (id, capability) in &guideline.capabilities {
        lint.capability(id, capability);
        if let Some(known) = known.filter(|_| lint.is_ours()) {
            lint.unknown_tests(id, capability, known);
        }
    }
    lint.names_of_tests();
    lint.spellings();
    lint.content();
    lint.unneeded();
    lint.found
}

/// A component and how a capability stands in it.
type Standing<'g> = (&'g str, LifeCycle);

/// The first code of findings that need more than one file.
const BETWEEN: &str = "G141";

struct Lint<'g> {
    guideline: &'g Guideline,
    found: Diagnostics,
    /// Acceptances that were needed: capability (empty for the whole file) and code.
    needed: BTreeSet<(String, &'static str)>,
}

impl<'g> Lint<'g> {
    fn new(guideline: &'g Guideline) -> Lint<'g> {
        Lint { guideline, found: Diagnostics::new(), needed: BTreeSet::new() }
    }

    /// Reports a finding, unless the file accepts it.
    fn report(&mut self, problem: Diagnostic, path: &[&str]) {
        let capability = match path {
            ["capabilities", id, ..] => Some(*id),
            _ => None,
        };
        let own = capability.and_then(|id| self.guideline.capabilities.get(id));
        let whole = &self.guideline.metadata.accept;
        if own.is_some_and(|own| own.accept.contains_key(problem.code)) {
            self.needed.insert((capability.unwrap_or_default().to_string(), problem.code));
        } else if whole.contains_key(problem.code) {
            self.needed.insert((String::new(), problem.code));
        } else {
            self.found.push(self.guideline.places.point(problem, path, ""));
        }
    }

    fn is_ours(&self) -> bool {
        self.guideline.metadata.origin == Origin::Assize
    }

    /// Whether the tests of the document can carry ids and reasons: schema 1.3 and later.
    fn has_test_details(&self) -> bool {
        self.guideline.metadata.origin != Origin::Conformance
            && !matches!(self.guideline.metadata.schema.as_str(), "1.0" | "1.1" | "1.2")
    }

    /// The standing of a capability in each component that lists it.
    fn standings(&self, id: &CapabilityId) -> Vec<Standing<'g>> {
        let listed =
            |component: &Component| LifeCycle::ALL.iter().copied().find(|level| component.listed(*level).contains(id));
        let components = self.guideline.components.iter();
        components.filter_map(|(name, component)| Some((name.as_str(), listed(component)?))).collect()
    }

    /// In schema 1.x programs are names only.
    fn has_program_texts(&self) -> bool {
        !self.guideline.metadata.schema.starts_with("1.")
    }

    /// Acceptances that nothing needed. Findings between files are not known here.
    fn unneeded(&mut self) {
        let guideline = self.guideline;
        let whole = guideline.metadata.accept.keys().map(|code| ("", code));
        let own = guideline.capabilities.iter().flat_map(|(id, own)| own.accept.keys().map(|code| (id.as_str(), code)));
        for (id, code) in whole.chain(own) {
            let needed = self.needed.iter().any(|(known, needed)| known == id && needed == code);
            if needed || code.as_str() >= BETWEEN {
                continue;
            }
            let problem = Diagnostic::warning("G125", format!("{code} is accepted, but does not occur"));
            let path = match id {
                "" => vec!["metadata", "assize", "accept", code],
                id => vec!["capabilities", id, "accept", code],
            };
            let problem = guideline.places.point(problem.help("remove it from `accept`"), &path, "");
            self.found.push(problem);
        }
    }

    fn programs(&mut self) {
        let guideline = self.guideline;
        if guideline.programs.is_empty() {
            self.report(
                Diagnostic::error("G103", "a guideline without programs: nothing can be claimed")
                    .help("add a program under `platforms`"),
                &["platforms"],
            );
        }
        let mut used = BTreeSet::new();
        for program in &guideline.programs {
            let path = ["platforms", program.name.as_str()];
            if program.components.is_empty() {
                let message = format!("program `{}` has no components: it would require nothing", program.name);
                self.report(Diagnostic::error("G103", message).help("list its components"), &path);
            }
            if program.description.trim().is_empty() && self.has_program_texts() {
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
                    let problem = Diagnostic::error("G102", message).help("define it, or name the guideline that does");
                    let problem = suggest(problem, &one.name, names);
                    self.report(problem, &path);
                }
            }
        }
        for name in guideline.components.keys().filter(|name| !used.contains(name.as_str())) {
            let message = format!("component `{name}` belongs to no program");
            self.report(
                Diagnostic::warning("G105", message).help("list it in a program, or remove it"),
                &["components", name],
            );
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
                    let problem = match level {
                        LifeCycle::Removed => Diagnostic::warning("G101", message),
                        _ => Diagnostic::error("G101", message),
                    };
                    let problem = suggest(problem.help("define it or remove it from the list"), id.as_str(), ids);
                    self.report(problem, &path);
                }
            }
        }
        if seen.is_empty() {
            let message = format!("component `{name}` lists no capability");
            self.report(
                Diagnostic::error("G103", message).help("list capabilities, or remove it"),
                &["components", name],
            );
        }
    }

    fn capability(&mut self, id: &CapabilityId, capability: &'g Capability) {
        let path = ["capabilities", id.as_str()];
        let standings = self.standings(id);
        let required = standings.iter().any(|(_, level)| *level == LifeCycle::Required);
        let used = !standings.is_empty();
        if let Some((one, other)) = differing(&standings) {
            let message = format!("capability `{id}` is {} in `{}`, but {} in `{}`", one.1, one.0, other.1, other.0);
            let help = "a program with both takes the stricter one; give it one standing";
            self.report(Diagnostic::warning("G116", message).help(help), &path);
        }
        if required && capability.admin {
            let message = format!("capability `{id}` is required, but needs an administrator");
            let help = "users have no such rights: make it advisory, or say `admin: false` when its tests need none";
            self.report(Diagnostic::warning("G119", message).help(help), &[path[0], path[1], "admin"]);
        }
        if required && capability.required_since.is_none() && !self.is_ours() && self.has_test_details() {
            let message = format!("capability `{id}` is required, but does not say since when");
            let help = "add `required_since` with the id of the first guideline that required it";
            self.report(Diagnostic::warning("G127", message).help(help), &path);
        }
        self.worksheet(id, capability, required);
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
        if self.is_ours() && capability.spec.iter().all(|spec| spec.trim().is_empty()) {
            let message = format!("capability `{id}` names no specification");
            self.report(Diagnostic::warning("G109", message).help("add `spec`: a list of `document: section`"), &path);
        }
        if self.is_ours() && !id.is_lower_case() {
            let message = format!("capability id `{id}` has capital letters");
            self.report(Diagnostic::warning("G112", message).help("ids of ours are in lower case"), &path);
        }
        let criteria = &self.guideline.metadata.scoring.criteria;
        for key in capability.achievements.iter().filter(|key| !criteria.contains_key(*key)) {
            let problem = Diagnostic::warning("G114", format!("achievement `{key}` is not a criterion"));
            let known: Vec<&str> = criteria.keys().map(String::as_str).collect();
            let problem = problem.help(one_of(&known));
            let problem = suggest(problem, key, known);
            self.report(problem, &["capabilities", id.as_str(), "achievements", key]);
        }
        if !self.has_test_details() {
            return;
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
            (self.is_ours() && absent(&flag.owner), "an owner"),
        ];
        let lacking: Vec<_> = lacking.iter().filter(|(lacks, _)| *lacks).map(|(_, what)| *what).collect();
        if !lacking.is_empty() {
            let message = format!("the flag of test `{test}` lacks {}", lacking.join(", "));
            let path = ["capabilities", id.as_str(), "tests", test.as_str(), "flagged"];
            let help = "as in `\"reason\": \"[D401] …\"`; D400 criteria, D401 test, D402 product, D403 needs more, D404 other, D405 choice, D406 test gone";
            self.report(Diagnostic::warning("G110", message).help(help), &path);
        }
    }

    fn unknown_tests(&mut self, id: &CapabilityId, capability: &Capability, known: &BTreeSet<TestId>) {
        // A test with an id of its project is run by that project's tool, or stands for cases that cover its id.
        for (test, own) in capability.tests.iter().filter(|(_, own)| own.idempotent_id.is_none()) {
            if std::iter::once(test).chain(&own.aliases).any(|name| known.contains(name)) {
                continue;
            }
            let problem = Diagnostic::error("G107", format!("no suite has a test `{test}`"));
            let problem = suggest(problem, test.as_str(), known.iter().map(TestId::as_str));
            self.report(problem, &["capabilities", id.as_str(), "tests", test.as_str()]);
        }
    }
}

/// Two components in which a capability stands differently.
fn differing<'g>(standings: &[Standing<'g>]) -> Option<(Standing<'g>, Standing<'g>)> {
    let first = *standings.first()?;
    let other = standings.iter().find(|(_, level)| *level != first.1)?;
    Some((first, *other))
}

fn one_of(criteria: &[&str]) -> String {
    match criteria {
        [] => "the guideline has no criteria: add them to its scoring".to_string(),
        known => format!("criteria are {}", known.join(", ")),
    }
}

fn suggest<'a>(problem: Diagnostic, word: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    match did_you_mean(word, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests;
