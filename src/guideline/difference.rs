//! What differs between two guidelines, part by part; and the digest of what an approval freezes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::model::{Capability, ChangeKind, Guideline};
use crate::canon::{Digest, digest_bytes, digest_json};
use crate::capability::{CapabilityId, LifeCycle, TestId};

/// What kind of part differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Weights of the criteria, or the cut-off.
    Scoring,
    /// A program.
    Program,
    /// A capability.
    Capability,
    /// A test of a capability.
    Test,
}

impl Part {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Scoring => "scoring",
            Part::Program => "program",
            Part::Capability => "capability",
            Part::Test => "test",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// Kind of part.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// In words.
    pub note: String,
}

/// What differs from `old` to `new`, in the order of parts and names. Texts are not compared: they decide nothing.
#[must_use]
pub fn differences(old: &Guideline, new: &Guideline) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    scoring(old, new, &mut found);
    programs(old, new, &mut found);
    capabilities(old, new, &mut found);
    found.0.sort();
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, part: Part, name: impl Into<String>, kind: ChangeKind, note: impl Into<String>) {
        self.0.push(Difference { part, name: name.into(), kind, note: note.into() });
    }
}

fn scoring(old: &Guideline, new: &Guideline, found: &mut Found) {
    let weights = |guideline: &Guideline| -> BTreeMap<String, u32> {
        guideline.metadata.scoring.criteria.iter().map(|(key, one)| (key.clone(), one.weight)).collect()
    };
    let cutoff = |guideline: &Guideline| guideline.metadata.scoring.cutoff_score;
    if weights(old) != weights(new) || cutoff(old) != cutoff(new) {
        found.add(Part::Scoring, "scoring", ChangeKind::Change, "other weights or another cut-off");
    }
}

fn programs(old: &Guideline, new: &Guideline, found: &mut Found) {
    for program in &new.programs {
        match old.program(&program.name) {
            None => found.add(Part::Program, &program.name, ChangeKind::Add, "is new"),
            Some(before) if before.components != program.components => {
                found.add(Part::Program, &program.name, ChangeKind::Change, "is made of other components");
            }
            Some(_) => {}
        }
    }
    for program in old.programs.iter().filter(|program| new.program(&program.name).is_none()) {
        found.add(Part::Program, &program.name, ChangeKind::Drop, "is gone");
    }
}

/// The strictest standing in any component; what is removed stands nowhere.
fn standings(guideline: &Guideline) -> BTreeMap<&CapabilityId, LifeCycle> {
    let mut standing = BTreeMap::new();
    for (level, ids) in guideline.components.values().flat_map(|component| &component.capabilities) {
        for id in ids.iter().filter(|_| *level != LifeCycle::Removed) {
            let known = standing.entry(id).or_insert(*level);
            *known = (*known).min(*level);
        }
    }
    standing
}

fn capabilities(old: &Guideline, new: &Guideline, found: &mut Found) {
    let (before, now) = (standings(old), standings(new));
    let ids: BTreeSet<&CapabilityId> = before.keys().chain(now.keys()).copied().collect();
    for id in ids {
        match (before.get(id), now.get(id)) {
            (None, Some(level)) => {
                found.add(Part::Capability, id.as_str(), ChangeKind::Add, format!("is new: {level}"))
            }
            (Some(level), None) => found.add(Part::Capability, id.as_str(), ChangeKind::Drop, format!("was {level}")),
            (Some(was), Some(is)) => {
                if was != is {
                    let note = format!("was {was}, is {is}");
                    found.add(Part::Capability, id.as_str(), ChangeKind::Change, note);
                }
                if old.weight(id) != new.weight(id) {
                    let note = format!("counted {}, counts {}", old.weight(id), new.weight(id));
                    found.add(Part::Capability, id.as_str(), ChangeKind::Change, note);
                }
                if let (Some(before), Some(now)) = (old.capabilities.get(id), new.capabilities.get(id)) {
                    tests(id, before, now, found);
                }
            }
            (None, None) => {}
        }
    }
}

fn tests(id: &CapabilityId, old: &Capability, new: &Capability, found: &mut Found) {
    if old.attempts != new.attempts {
        found.add(Part::Capability, id.as_str(), ChangeKind::Change, "counts other attempts");
    }
    let names: BTreeSet<&TestId> = old.tests.keys().chain(new.tests.keys()).collect();
    for test in names {
        match (old.tests.get(test), new.tests.get(test)) {
            (None, _) => found.add(Part::Test, test.as_str(), ChangeKind::Add, format!("proves {id}")),
            (_, None) => found.add(Part::Test, test.as_str(), ChangeKind::Drop, format!("proved {id}")),
            (Some(before), Some(now)) => match (&before.flagged, &now.flagged) {
                (None, Some(flag)) => {
                    found.add(Part::Test, test.as_str(), ChangeKind::Flag, format!("of {id}: {}", flag.reason))
                }
                (Some(_), None) => {
                    found.add(Part::Test, test.as_str(), ChangeKind::Change, format!("of {id}: counts again"));
                }
                _ if before.uuid() != now.uuid() => {
                    found.add(Part::Test, test.as_str(), ChangeKind::Change, format!("of {id}: has another id"));
                }
                _ => {}
            },
        }
    }
}

/// The digest of what an approval freezes: programs, components, tests with their ids, weights. Flags, aliases and
/// texts may change without changing it.
#[must_use]
pub fn content_digest(guideline: &Guideline) -> Digest {
    let programs: BTreeMap<&str, Vec<_>> = guideline
        .programs
        .iter()
        .map(|one| (one.name.as_str(), one.components.iter().map(|part| (&part.name, &part.source)).collect()))
        .collect();
    let components: BTreeMap<&String, BTreeMap<&str, BTreeSet<&str>>> = guideline
        .components
        .iter()
        .map(|(name, component)| {
            let lists = component.capabilities.iter();
            let lists = lists.map(|(level, ids)| (level.as_str(), ids.iter().map(CapabilityId::as_str).collect()));
            (name, lists.collect())
        })
        .collect();
    let tests: BTreeMap<&str, BTreeMap<&str, Option<&str>>> = guideline
        .capabilities
        .iter()
        .map(|(id, own)| (id.as_str(), own.tests.iter().map(|(test, one)| (test.as_str(), one.uuid())).collect()))
        .collect();
    let worth: BTreeMap<&str, (u64, bool)> = guideline
        .capabilities
        .iter()
        .map(|(id, own)| (id.as_str(), (guideline.weight(id), own.attempts == super::Attempts::First)))
        .collect();
    let content = serde_json::json!({
        "id": guideline.metadata.id,
        "family": guideline.metadata.family,
        "programs": programs,
        "components": components,
        "tests": tests,
        "worth": worth,
    });
    // Texts and small numbers only: there is always a canonical form.
    digest_json(&content).unwrap_or_else(|_| digest_bytes(b""))
}
