//! Names and ids of tests; spellings of other names.

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::{CapabilityId, TestId};
use crate::text::Diagnostic;

use super::super::model::{Test, is_uuid};
use super::Lint;

impl<'g> Lint<'g> {
    /// One name must mean one test, else one result would answer for two.
    pub(super) fn names_of_tests(&mut self) {
        let guideline = self.guideline;
        let mut primary: BTreeMap<&TestId, (&CapabilityId, &Test)> = BTreeMap::new();
        let all = || guideline.capabilities.iter().flat_map(|(id, own)| own.tests.iter().map(move |test| (id, test)));
        for (id, (test, own)) in all() {
            let path = ["capabilities", id.as_str(), "tests", test.as_str()];
            if let Some((other, before)) = primary.get(test) {
                self.in_two_capabilities((other, before), (id, own), test, &path);
                continue;
            }
            primary.insert(test, (id, own));
            self.idempotent_id(test, own, &path);
        }
        let mut claimed: BTreeMap<&TestId, &TestId> = BTreeMap::new();
        let mut by_uuid: BTreeMap<&str, &TestId> = BTreeMap::new();
        for (test, (id, own)) in &primary {
            let path = ["capabilities", id.as_str(), "tests", test.as_str()];
            for alias in &own.aliases {
                let clash = if alias == *test {
                    Some(format!("test `{test}` is its own alias"))
                } else if primary.contains_key(alias) {
                    Some(format!("alias `{alias}` of test `{test}` is the name of another test"))
                } else {
                    let other = *claimed.entry(alias).or_insert(test);
                    (other != *test).then(|| format!("alias `{alias}` is claimed by `{other}` and by `{test}`"))
                };
                if let Some(message) = clash {
                    let path = [path.as_slice(), &["aliases", alias.as_str()]].concat();
                    self.report(Diagnostic::error("G111", message).help("one name must mean one test"), &path);
                }
            }
            let uuid = own.uuid().or(own.idempotent_id.as_deref()).filter(|uuid| !uuid.is_empty());
            if let Some(other) = uuid.map(|uuid| *by_uuid.entry(uuid).or_insert(test)).filter(|other| other != test) {
                let message = format!("tests `{other}` and `{test}` have the same idempotent id");
                self.report(Diagnostic::error("G111", message).help("if they are one test, make one an alias"), &path);
            }
        }
    }

    fn in_two_capabilities(
        &mut self,
        (other, before): (&CapabilityId, &Test),
        (id, own): (&CapabilityId, &Test),
        test: &TestId,
        path: &[&str],
    ) {
        let message = format!("test `{test}` is in `{other}` and in `{id}`");
        let help = "when it fails both fail, and RefStack counts it twice; keep it in the one that it proves";
        self.report(Diagnostic::warning("G115", message).help(help), path);
        if before.flagged.is_some() != own.flagged.is_some() {
            let message = format!("test `{test}` is flagged in one of `{other}` and `{id}` and counts in the other");
            self.report(Diagnostic::warning("G113", message).help("flag it in both or in none"), path);
        }
    }

    fn idempotent_id(&mut self, test: &TestId, own: &Test, path: &[&str]) {
        let Some(id) = &own.idempotent_id else {
            if !self.is_ours() && self.has_test_details() {
                let message = format!("test `{test}` has no idempotent id");
                self.report(Diagnostic::warning("G126", message).help("add `idempotent_id`"), path);
            }
            return;
        };
        let (bare, attributes) = id.split_once(',').unwrap_or((id, ""));
        let uuid = bare.strip_prefix("id-");
        let (what, help) = if id.trim().is_empty() {
            ("is empty", "name a test that exists, or remove it: nothing can be matched by this id")
        } else if !attributes.is_empty() {
            ("has attributes after it", "keep the id only; what follows the comma is no part of it")
        } else if !is_uuid(uuid.unwrap_or(bare)) {
            ("is no UUID", "copy it from the test: `id-` and 36 characters")
        } else if uuid.is_none() {
            ("lacks the prefix `id-`", "write `id-` before it")
        } else {
            return;
        };
        let message = format!("the idempotent id of test `{test}` {what}");
        let path = [path, &["idempotent_id"]].concat();
        self.report(Diagnostic::warning("G126", message).help(help), &path);
    }

    /// Names that differ in capitals only are two names for a machine and one for a person.
    pub(super) fn spellings(&mut self) {
        let guideline = self.guideline;
        let components = guideline.components.keys().map(|name| ("components", name.as_str()));
        let capabilities = guideline.capabilities.keys().map(|id| ("capabilities", id.as_str()));
        let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
        for (kind, name) in components.chain(capabilities) {
            if !seen.insert((kind, name.to_lowercase())) {
                let message = format!("`{name}` differs from another name in capitals only");
                let help = "give them different names, or make them one";
                self.report(Diagnostic::warning("G128", message).help(help), &[kind, name]);
            }
            let upper = name.bytes().any(|byte| byte.is_ascii_uppercase());
            if upper && kind == "components" {
                let message = format!("component `{name}` has capital letters");
                let help = "write it in lower case: other documents mention it so";
                self.report(Diagnostic::warning("G112", message).help(help), &[kind, name]);
            }
        }
    }
}
