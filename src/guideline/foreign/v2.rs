//! Schema 2.0: guidelines, add-ons, verticals.

use crate::text::{Span, yaml::Node};

use super::super::model::{Capability, Component, ComponentRef, Guideline, Program};
use super::parts::{self, approval, by_name, capability, criteria, guideline, lists, repositories};
use super::walk::{Spec, Walk};

const TOP: &[Spec] = &[
    ("metadata", &[]),
    ("platforms", &["platform"]),
    ("add-ons", &["add_ons", "addons"]),
    ("components", &[]),
    ("capabilities", &[]),
    ("designated_sections", &["designated-sections"]),
    ("test_repositories", &["test-repositories"]),
];
const METADATA: &[Spec] = &[
    ("id", &[]),
    ("schema", &[]),
    ("reference", &[]),
    ("source", &[]),
    ("scoring", &[]),
    ("os_trademark_approval", &[]),
];
const SCORING: &[Spec] = &[("cutoff_score", &[]), ("criteria", &[])];
const APPROVAL: &[Spec] = &[("status", &[]), ("replaces", &[]), ("target_approval", &[]), ("releases", &[])];
const PROGRAM: &[Spec] = &[
    ("description", &[]),
    ("components", &[]),
    ("required_platform_components", &["required-platform-components"]),
    ("optional_platform_components", &["optional-platform-components"]),
];
const COMPONENT_REF: &[Spec] = &[("name", &[]), ("source", &[])];
const COMPONENT: &[Spec] = &[("capabilities", &[]), ("designated_sections", &["designated-sections"])];
const CAPABILITY: &[Spec] = &[
    ("achievements", &[]),
    ("admin", &[]),
    ("description", &[]),
    ("project", &[]),
    ("required_since", &["required-since"]),
    ("tests", &[]),
];

pub(super) fn document(walk: &mut Walk, root: &Node) -> Guideline {
    let top = walk.keys(root, "a guideline", TOP);
    let mut guideline = match top.node("metadata") {
        Some(node) => head(walk, node),
        None => guideline(String::new(), "2.0".to_string()),
    };
    for key in ["platforms", "add-ons"] {
        let read = walk.entries(top.node(key), &format!("`{key}`"), program);
        let named = read.into_iter().map(|(name, _, program)| Program { name: name.to_string(), ..program });
        guideline.programs.extend(named);
    }
    guideline.components = by_name(walk.entries(top.node("components"), "`components`", component));
    guideline.capabilities = parts::capabilities(walk, top.node("capabilities"), |walk, node| {
        let keys = walk.keys(node, "a capability", CAPABILITY);
        Capability { tests: parts::tests(walk, keys.node("tests")), ..capability(walk, &keys, "required_since") }
    });
    let sections = walk.entries(top.node("designated_sections"), "`designated_sections`", |walk, node| {
        by_name(walk.entries(Some(node), "the designated sections of a project", parts::designated))
    });
    guideline.designated_sections = by_name(sections);
    guideline.test_repositories = repositories(walk, top.node("test_repositories"), "repository", "reference");
    guideline
}

fn head(walk: &mut Walk, node: &Node) -> Guideline {
    let keys = walk.keys(node, "the metadata", METADATA);
    let mut guideline = guideline(keys.full_text(walk, "id").unwrap_or_default(), "2.0".to_string());
    let metadata = &mut guideline.metadata;
    metadata.source = keys.text(walk, "source");
    metadata.reference = keys.text(walk, "reference");
    if let Some(node) = keys.node("os_trademark_approval") {
        let keys = walk.keys(node, "the approval", APPROVAL);
        metadata.approval = approval(walk, &keys);
    }
    if let Some(node) = keys.node("scoring") {
        let keys = walk.keys(node, "the scoring", SCORING);
        metadata.scoring.cutoff_score = keys.number(walk, "cutoff_score");
        metadata.scoring.criteria = criteria(walk, keys.node("criteria"), "description");
    }
    guideline
}

fn program(walk: &mut Walk, node: &Node) -> Program {
    let keys = walk.keys(node, "a program", PROGRAM);
    Program {
        name: String::new(),
        description: keys.text(walk, "description").unwrap_or_default(),
        components: component_refs(walk, keys.node("components")),
        host_components: component_refs(walk, keys.node("required_platform_components")),
    }
}

fn component_refs(walk: &mut Walk, node: Option<&Node>) -> Vec<ComponentRef> {
    let Some(node) = node else {
        return Vec::new();
    };
    let Some(items) = node.as_seq() else {
        walk.wrong_type(node, "the components of a program", "a list");
        return Vec::new();
    };
    let mut refs = Vec::new();
    for item in items {
        if let Some(name) = item.as_str() {
            refs.push(ComponentRef { name: name.to_string(), source: None });
            continue;
        }
        let keys = walk.keys(item, "a component of a program", COMPONENT_REF);
        if let Some(name) = keys.full_text(walk, "name") {
            refs.push(ComponentRef { name, source: keys.full_text(walk, "source") });
        }
    }
    refs
}

fn component(walk: &mut Walk, node: &Node) -> Component {
    let keys = walk.keys(node, "a component", COMPONENT);
    let mut component = parts::component(keys.node("capabilities").map(|node| lists(walk, node)).unwrap_or_default());
    let sections = walk.entries(keys.node("designated_sections"), "`designated_sections`", |walk, node| {
        let projects: Vec<(String, Span)> = walk.texts(node, "a list of projects");
        projects.into_iter().map(|(name, _)| name).collect()
    });
    component.designated_sections = by_name(sections);
    component
}
