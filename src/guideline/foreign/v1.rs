//! Schema 1.0 to 1.6.

use std::collections::BTreeMap;

use crate::capability::{CapabilityId, LifeCycle, TestId};
use crate::text::yaml::Node;

use super::super::model::{Capability, ComponentRef, DesignatedSection, Flag, Guideline, Program, Test};
use super::Generation;
use super::parts::{self, approval, by_name, capability, criteria, guideline, lists, repositories};
use super::walk::{Keys, Spec, Walk};

const TOP: &[Spec] = &[
    ("id", &["release"]),
    ("schema", &[]),
    ("reference", &[]),
    ("source", &[]),
    ("status", &[]),
    ("replaces", &[]),
    ("target_approval", &[]),
    ("releases", &[]),
    ("cutoff_score", &[]),
    ("criteria", &[]),
    ("platform", &[]),
    ("components", &[]),
    ("capabilities", &[]),
    ("designated-sections", &["designated_sections"]),
    ("test-repositories", &["test_repositories"]),
];

const TOP_CORE: &[Spec] =
    &[("release", &["id"]), ("status", &[]), ("schema", &[]), ("criteria", &[]), ("capabilities", &[])];

/// A capability of schema 1.3 to 1.6.
const WITH_MAP: &[Spec] = &[
    ("achievements", &[]),
    ("admin", &[]),
    ("description", &[]),
    ("project", &[]),
    ("required-since", &["required_since"]),
    ("tests", &[]),
    ("name", &[]),
];

/// A capability of schema 1.2.
const WITH_LISTS: &[Spec] = &[
    ("achievements", &[]),
    ("admin", &[]),
    ("status", &[]),
    ("guidelines", &[]),
    ("project", &[]),
    ("description", &[]),
    ("flagged", &[]),
    ("name", &[]),
    ("tests", &[]),
];

/// A capability of schema 1.0.
const WITH_CORE: &[Spec] = &[
    ("achievements", &[]),
    ("admin", &[]),
    ("core", &[]),
    ("description", &[]),
    ("flagged", &[]),
    ("name", &[]),
    ("tests", &[]),
];

/// The name of the only component of a document of schema 1.0.
const CORE: &str = "core";

pub(super) fn document(walk: &mut Walk, root: &Node, generation: Generation) -> Guideline {
    let core = generation == Generation::Core;
    let top = walk.keys(root, "a guideline", if core { TOP_CORE } else { TOP });
    let id = top.full_text(walk, if core { "release" } else { "id" }).unwrap_or_default();
    let mut guideline = guideline(id, top.text(walk, "schema").unwrap_or_default());
    let metadata = &mut guideline.metadata;
    metadata.source = top.text(walk, "source");
    metadata.reference = top.text(walk, "reference");
    metadata.approval = approval(walk, &top);
    metadata.scoring.cutoff_score = top.number(walk, "cutoff_score");
    metadata.scoring.criteria = criteria(walk, top.node("criteria"), "Description");
    guideline.capabilities = parts::capabilities(walk, top.node("capabilities"), |walk, node| match generation {
        Generation::Maps => with_map(walk, node),
        _ => with_lists(walk, node, if core { WITH_CORE } else { WITH_LISTS }),
    });
    guideline.test_repositories = repositories(walk, top.node("test-repositories"), "url", "git-sha");
    if core {
        add_core(&mut guideline, top.node("capabilities"));
        return guideline;
    }
    let components = walk.entries(top.node("components"), "`components`", lists);
    guideline.components =
        by_name(components).into_iter().map(|(name, lists)| (name, parts::component(lists))).collect();
    guideline.designated_sections = designated_sections(walk, top.node("designated-sections"));
    guideline.programs = programs(walk, &top, &guideline);
    guideline
}

/// RefStack knows one target for the platform and one for each component.
fn programs(walk: &mut Walk, top: &Keys, guideline: &Guideline) -> Vec<Program> {
    let platform = top.node("platform").map(|node| {
        let known: Vec<Spec> = LifeCycle::WORDS.iter().map(|word| -> Spec { (word, &[]) }).collect();
        let keys = walk.keys(node, "the platform", &known);
        keys.node("required").map(|node| walk.texts(node, "`required`")).unwrap_or_default()
    });
    let program = |name: &str, components: Vec<String>| Program {
        name: name.to_string(),
        description: String::new(),
        components: components.into_iter().map(|name| ComponentRef { name, source: None }).collect(),
        host_components: Vec::new(),
    };
    let mut programs = Vec::new();
    if let Some(names) = platform {
        programs.push(program("platform", names.into_iter().map(|(name, _)| name).collect()));
    }
    programs.extend(guideline.components.keys().map(|name| program(name, vec![name.clone()])));
    programs
}

/// Schema 1.0 has no components: what is `core` is required of everybody, the rest was weighed and left out.
fn add_core(guideline: &mut Guideline, capabilities: Option<&Node>) {
    let mut lists: BTreeMap<LifeCycle, Vec<CapabilityId>> = BTreeMap::new();
    for id in guideline.capabilities.keys() {
        let node = capabilities.and_then(|all| all.get(id.as_str())?.get("core")?.as_bool());
        let level = if node == Some(true) { LifeCycle::Required } else { LifeCycle::Advisory };
        lists.entry(level).or_default().push(id.clone());
    }
    guideline.components.insert(CORE.to_string(), parts::component(lists));
    guideline.programs.push(Program {
        name: CORE.to_string(),
        description: String::new(),
        components: vec![ComponentRef { name: CORE.to_string(), source: None }],
        host_components: Vec::new(),
    });
}

fn with_map(walk: &mut Walk, node: &Node) -> Capability {
    let keys = walk.keys(node, "a capability", WITH_MAP);
    let name = keys.text(walk, "name");
    Capability { name, tests: parts::tests(walk, keys.node("tests")), ..capability(walk, &keys, "required-since") }
}

/// Tests are listed by name; flagged ones are named again in a list of their own.
fn with_lists(walk: &mut Walk, node: &Node, known: &[Spec]) -> Capability {
    let keys = walk.keys(node, "a capability", known);
    let mut read = Capability { name: keys.full_text(walk, "name"), ..capability(walk, &keys, "") };
    let names: Vec<TestId> = keys.node("tests").map(|node| walk.ids(node, "`tests`")).unwrap_or_default();
    read.tests = names.into_iter().map(|name| (name, Test::default())).collect();
    let flagged = keys.node("flagged").map(|node| walk.texts(node, "`flagged`")).unwrap_or_default();
    for (name, at) in flagged {
        match read.tests.get_mut(name.as_str()) {
            Some(test) => test.flagged = Some(Box::new(bare_flag())),
            None => {
                let message = format!("`{name}` is flagged, but is no test of this capability");
                walk.warn("G029", message, at, "ignored; list it under `tests`, or remove the flag");
            }
        }
    }
    // The first guideline in the list of those that had it.
    read.required_since = keys.node("guidelines").and_then(|node| Some(node.as_seq()?.first()?.as_str()?.to_string()));
    read
}

fn bare_flag() -> Flag {
    Flag { code: None, reason: String::new(), action: String::new(), date: None, owner: None, seen_by_refstack: true }
}

/// Status → project in the file, project → status in the model.
fn designated_sections(walk: &mut Walk, node: Option<&Node>) -> BTreeMap<String, BTreeMap<String, DesignatedSection>> {
    let mut all: BTreeMap<String, BTreeMap<String, DesignatedSection>> = BTreeMap::new();
    let by_status = walk.entries(node, "`designated-sections`", |walk, node| {
        if let Some(projects) = node.as_seq() {
            let names = projects.iter().filter_map(Node::as_str);
            return names.map(|name| (name.to_string(), DesignatedSection::default())).collect();
        }
        by_name(walk.entries(Some(node), "a status of designated sections", parts::designated))
    });
    for (status, _, projects) in by_status {
        for (project, section) in projects {
            all.entry(project).or_default().insert(status.to_string(), section);
        }
    }
    all
}
