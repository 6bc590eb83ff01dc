//! What the versions of the schema have in common.

use std::collections::BTreeMap;

use crate::capability::{CapabilityId, LifeCycle, TestId};
use crate::text::{Span, yaml::Node};

use super::super::model::{
    Approval, ApprovalStatus, Capability, Component, Criterion, DesignatedSection, Flag, Guideline, GuidelineId,
    Metadata, Origin, Program, Scoring, Section, Test, TestRepository,
};
use super::walk::{Keys, Spec, Walk};
use crate::capability::Family;
use crate::guideline::Places;

/// An empty guideline of the family.
pub(super) fn guideline(id: String, schema: String) -> Guideline {
    Guideline {
        metadata: Metadata {
            id: GuidelineId(id),
            schema,
            family: Family::OpenStack,
            min_tool: None,
            source: None,
            reference: None,
            approval: Approval::default(),
            scoring: Scoring::default(),
            origin: Origin::Interop,
            accept: BTreeMap::new(),
            derived: None,
        },
        programs: Vec::<Program>::new(),
        components: BTreeMap::new(),
        capabilities: BTreeMap::new(),
        designated_sections: BTreeMap::new(),
        test_repositories: BTreeMap::new(),
        places: Places::default(),
    }
}

/// Status, predecessor, date and releases, from the mapping that holds them.
pub(super) fn approval(walk: &mut Walk, keys: &Keys) -> Approval {
    let word = keys.text(walk, "status");
    let status = word.as_deref().and_then(ApprovalStatus::of_word);
    if let (Some(word), None, Some(node)) = (word, status, keys.node("status")) {
        let help = "ignored; write draft, advisory, approved or superseded";
        walk.warn("G026", format!("`{word}` is no status of a guideline"), node.span, help);
    }
    Approval {
        status,
        replaces: keys.full_text(walk, "replaces"),
        target_approval: keys.full_text(walk, "target_approval"),
        releases: keys.texts(walk, "releases"),
        content: None,
    }
}

/// The criteria with their weights. `description` is the key of the text: it has a capital in schema 1.x.
pub(super) fn criteria(walk: &mut Walk, node: Option<&Node>, description: &'static str) -> BTreeMap<String, Criterion> {
    let known: [Spec; 3] = [("name", &[]), (description, &["Description", "description"]), ("weight", &[])];
    let read = walk.entries(node, "`criteria`", |walk, node| {
        let keys = walk.keys(node, "a criterion", &known);
        Criterion {
            name: keys.text(walk, "name").unwrap_or_default(),
            description: keys.text(walk, description).unwrap_or_default(),
            weight: keys.number(walk, "weight").unwrap_or_default(),
        }
    });
    by_name(read)
}

pub(super) fn by_name<T>(entries: Vec<(&str, Span, T)>) -> BTreeMap<String, T> {
    entries.into_iter().map(|(name, _, value)| (name.to_string(), value)).collect()
}

const LISTS: [Spec; 4] = [("required", &[]), ("advisory", &[]), ("deprecated", &[]), ("removed", &[])];

/// The four lists of a component.
pub(super) fn lists(walk: &mut Walk, node: &Node) -> BTreeMap<LifeCycle, Vec<CapabilityId>> {
    let keys = walk.keys(node, "the lists of a component", &LISTS);
    let mut lists = BTreeMap::new();
    for level in LifeCycle::ALL {
        let ids = keys.node(level.as_str()).map(|node| walk.ids(node, &format!("`{level}`")));
        lists.insert(*level, ids.unwrap_or_default());
    }
    lists
}

/// The capabilities under their ids.
pub(super) fn capabilities(
    walk: &mut Walk,
    node: Option<&Node>,
    read: impl Fn(&mut Walk, &Node) -> Capability,
) -> BTreeMap<CapabilityId, Capability> {
    let mut all = BTreeMap::new();
    for (key, at, capability) in walk.entries(node, "`capabilities`", read) {
        if let Some(id) = walk.id(key, at) {
            all.insert(id, capability);
        }
    }
    all
}

/// What capabilities have in every version but 1.0.
pub(super) fn capability(walk: &mut Walk, keys: &Keys, since: &str) -> Capability {
    Capability {
        description: keys.text(walk, "description").unwrap_or_default(),
        achievements: keys.texts(walk, "achievements"),
        admin: keys.truth(walk, "admin"),
        project: keys.full_text(walk, "project"),
        required_since: keys.full_text(walk, since),
        ..Capability::default()
    }
}

/// Tests as schema 1.3 and later have them. `flag` is what the formal schema calls the key that all files call
/// `flagged`; RefStack sees the latter only.
pub(super) fn tests(walk: &mut Walk, node: Option<&Node>) -> BTreeMap<TestId, Test> {
    let mut all = BTreeMap::new();
    for (key, at, test) in walk.entries(node, "`tests`", test) {
        if let Some(id) = walk.id(key, at) {
            all.insert(id, test);
        }
    }
    all
}

fn test(walk: &mut Walk, node: &Node) -> Test {
    const KNOWN: [Spec; 3] = [("idempotent_id", &["idempotent-id"]), ("flagged", &["flag"]), ("aliases", &[])];
    let keys = walk.keys(node, "a test", &KNOWN);
    let seen_by_refstack = node.get("flagged").is_some();
    Test {
        idempotent_id: keys.text(walk, "idempotent_id"),
        aliases: keys.node("aliases").map(|node| walk.ids(node, "`aliases`")).unwrap_or_default(),
        flagged: keys.node("flagged").and_then(|node| flag(walk, node, seen_by_refstack)).map(Box::new),
    }
}

fn flag(walk: &mut Walk, node: &Node, seen_by_refstack: bool) -> Option<Flag> {
    // RefStack asks whether the value is true in the sense of JavaScript; an empty mapping is.
    if node.is_null() || node.as_bool() == Some(false) {
        return None;
    }
    const KNOWN: [Spec; 3] = [("reason", &[]), ("action", &[]), ("date", &[])];
    let keys = walk.keys(node, "a flag", &KNOWN);
    let reason = keys.full_text(walk, "reason").unwrap_or_default();
    Some(Flag {
        code: Flag::code_of(&reason),
        reason,
        action: keys.text(walk, "action").unwrap_or_default(),
        date: keys.full_text(walk, "date"),
        owner: None,
        seen_by_refstack,
    })
}

/// The prose on code that must be present.
pub(super) fn designated(walk: &mut Walk, node: &Node) -> DesignatedSection {
    const KNOWN: [Spec; 4] = [("guidance", &[]), ("comment", &[]), ("sections", &[]), ("required", &[])];
    const PART: [Spec; 3] = [("description", &[]), ("designated", &[]), ("comment", &[])];
    let keys = walk.keys(node, "a designated section", &KNOWN);
    // An empty list stands for no parts in schema 1.2.
    let parts = keys.node("sections").filter(|node| !node.as_seq().is_some_and(<[Node]>::is_empty));
    let sections = walk.entries(parts, "`sections`", |walk, node| {
        let keys = walk.keys(node, "a section", &PART);
        Section {
            description: keys.text(walk, "description").unwrap_or_default(),
            designated: keys.truth(walk, "designated"),
        }
    });
    DesignatedSection {
        guidance: keys.text(walk, "guidance").unwrap_or_default(),
        comment: keys.text(walk, "comment"),
        sections: by_name(sections),
    }
}

/// Repositories of tests; the keys for address and revision differ between the versions.
pub(super) fn repositories(
    walk: &mut Walk,
    node: Option<&Node>,
    address: &'static str,
    revision: &'static str,
) -> BTreeMap<String, TestRepository> {
    let known: [Spec; 3] =
        [(address, &["repository", "url"]), (revision, &["reference", "git-sha"]), ("description", &[])];
    let read = walk.entries(node, "the test repositories", |walk, node| {
        let keys = walk.keys(node, "a test repository", &known);
        TestRepository {
            repository: keys.text(walk, address).unwrap_or_default(),
            reference: keys.text(walk, revision),
            description: keys.text(walk, "description"),
        }
    });
    by_name(read)
}

/// A component without capabilities yet.
pub(super) fn component(capabilities: BTreeMap<LifeCycle, Vec<CapabilityId>>) -> Component {
    Component { capabilities, ..Component::default() }
}
