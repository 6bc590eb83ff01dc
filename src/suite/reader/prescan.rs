//! What must be known of a file before its steps are read: what groups define and what fixtures hand out.
//!
//! It looks at the raw tree and says nothing about what it does not understand; the reader proper will.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::Reader;
use crate::text::yaml::{Key, Node};
use crate::text::{Diagnostic, Span};

/// A group before it is read.
#[derive(Debug, Default)]
pub(super) struct GroupFacts {
    pub(super) span: Span,
    pub(super) params: Vec<String>,
    /// Names it saves or sets itself.
    own: BTreeSet<String>,
    /// Groups it uses.
    uses: BTreeSet<String>,
}

/// A fixture before it is read.
#[derive(Debug)]
struct FixtureFacts {
    span: Span,
    outputs: Vec<String>,
    /// Fixtures of the same file that it needs.
    needs: Vec<String>,
}

/// Facts about a file.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) groups: BTreeMap<String, GroupFacts>,
    fixtures: BTreeMap<String, FixtureFacts>,
}

impl Facts {
    /// Collects the facts of a suite file.
    pub(super) fn of(root: &Node) -> Facts {
        let mut facts = Facts::default();
        for (key, node) in root.get("groups").map(entries).unwrap_or_default() {
            facts.groups.insert(key.text.clone(), group(key, node));
        }
        let suite = root.get("suite").and_then(Node::as_str).unwrap_or_default();
        for node in root.get("fixtures").and_then(Node::as_seq).unwrap_or_default() {
            let Some(id) = node.get("id") else { continue };
            let Some(name) = id.as_str() else { continue };
            let needs = node.get("needs").map(entries).unwrap_or_default();
            facts.fixtures.insert(
                name.to_owned(),
                FixtureFacts {
                    span: id.span,
                    outputs: node
                        .get("outputs")
                        .map(entries)
                        .unwrap_or_default()
                        .iter()
                        .map(|(key, _)| key.text.clone())
                        .collect(),
                    needs: needs
                        .iter()
                        .filter_map(|(_, node)| local(suite, &full(suite, node.as_str()?)).map(str::to_owned))
                        .collect(),
                },
            );
        }
        facts
    }

    /// Names that a group defines for its caller, also through the groups it uses.
    pub(super) fn defines(&self, group: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![group.to_owned()];
        while let Some(next) = open.pop() {
            if let Some(facts) = self.groups.get(&next)
                && seen.insert(next)
            {
                names.extend(facts.own.iter().cloned());
                open.extend(facts.uses.iter().cloned());
            }
        }
        names
    }

    /// Ids of the fixtures in this file.
    pub(super) fn fixture_ids(&self) -> impl Iterator<Item = &str> {
        self.fixtures.keys().map(String::as_str)
    }

    /// Outputs of a fixture given by its full id; `None` when it is not in this file.
    pub(super) fn outputs_of(&self, suite: &str, fixture: &str) -> Option<&[String]> {
        Some(&self.fixtures.get(local(suite, fixture)?)?.outputs)
    }
}

/// Full id of a fixture as written in `needs`.
pub(super) fn full(suite: &str, written: &str) -> String {
    match written.strip_prefix('.') {
        Some(own) => format!("{suite}.{own}"),
        None => written.to_owned(),
    }
}

/// Id within the suite, when the full id is one of this suite.
pub(super) fn local<'f>(suite: &str, full: &'f str) -> Option<&'f str> {
    full.strip_prefix(suite)?.strip_prefix('.').filter(|id| !id.contains('.'))
}

fn entries(node: &Node) -> &[(Key, Node)] {
    node.as_map().unwrap_or_default()
}

fn group(key: &Key, node: &Node) -> GroupFacts {
    let params = node.get("params").and_then(Node::as_seq).unwrap_or_default();
    let mut facts = GroupFacts {
        span: key.span,
        params: params.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        ..GroupFacts::default()
    };
    steps(node.get("steps"), &mut facts);
    facts
}

/// Collects what a list of steps defines. `undo` and `lost` keep their names for themselves.
fn steps(list: Option<&Node>, facts: &mut GroupFacts) {
    for step in list.and_then(Node::as_seq).unwrap_or_default() {
        for key in ["save", "let"] {
            facts.own.extend(step.get(key).map(entries).unwrap_or_default().iter().map(|(key, _)| key.text.clone()));
        }
        if step.get("crawl").is_some() {
            facts.own.insert("crawled".to_owned());
        }
        if step.get("parallel").is_some() {
            facts.own.insert("responses".to_owned());
        }
        if let Some(used) = step.get("use").and_then(Node::as_str) {
            facts.uses.insert(used.to_owned());
        }
        steps(step.get("steps"), facts);
        steps(step.get("parallel"), facts);
    }
}

impl Reader {
    /// Circles of groups and of fixtures in this file.
    pub(super) fn prescan_problems(&mut self) {
        let groups: BTreeMap<&str, Vec<&str>> = self
            .facts
            .groups
            .iter()
            .map(|(name, facts)| (name.as_str(), facts.uses.iter().map(String::as_str).collect()))
            .collect();
        let fixtures: BTreeMap<&str, Vec<&str>> = self
            .facts
            .fixtures
            .iter()
            .map(|(name, facts)| (name.as_str(), facts.needs.iter().map(String::as_str).collect()))
            .collect();
        let mut problems = Vec::new();
        for circle in circles(&groups) {
            let span = circle
                .first()
                .and_then(|name| self.facts.groups.get(*name))
                .map_or(Span::default(), |facts| facts.span);
            problems.push((span, format!("groups use each other in a circle: {}", arrows(&circle))));
        }
        for circle in circles(&fixtures) {
            let span = circle
                .first()
                .and_then(|name| self.facts.fixtures.get(*name))
                .map_or(Span::default(), |facts| facts.span);
            problems.push((span, format!("fixtures need each other in a circle: {}", arrows(&circle))));
        }
        for (span, message) in problems {
            self.report(Diagnostic::error(codes::CYCLE, message).label(span, "").help("break the circle at one place"));
        }
    }

    /// Warns of groups that no step uses.
    pub(super) fn unused_groups(&mut self) {
        let unused: Vec<(String, Span)> = self
            .facts
            .groups
            .iter()
            .filter(|(name, _)| !self.used_groups.contains(*name))
            .map(|(name, facts)| (name.clone(), facts.span))
            .collect();
        for (name, span) in unused {
            self.warn(codes::UNUSED, span, format!("group `{name}` is never used"), "remove it, or `use` it");
        }
    }
}

/// A circle for people: `a → b → a`.
pub(in crate::suite) fn arrows(circle: &[&str]) -> String {
    let mut names = circle.to_vec();
    names.extend(circle.first().copied());
    names.join(" → ")
}

/// Circles in a graph, each once, starting at its first name in order.
pub(in crate::suite) fn circles<'a>(graph: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<Vec<&'a str>> {
    let mut found: Vec<Vec<&'a str>> = Vec::new();
    let mut done: BTreeSet<&'a str> = BTreeSet::new();
    for start in graph.keys() {
        if done.contains(start) {
            continue;
        }
        // Depth first with an explicit path: (node, next edge).
        let mut path: Vec<(&'a str, usize)> = vec![(start, 0)];
        while let Some((node, edge)) = path.last_mut() {
            let next = graph.get(node).and_then(|edges| edges.get(*edge)).copied();
            *edge += 1;
            match next {
                None => {
                    done.insert(node);
                    path.pop();
                }
                Some(next) => {
                    if let Some(at) = path.iter().position(|(node, _)| *node == next) {
                        found.push(path.iter().skip(at).map(|(node, _)| *node).collect());
                    } else if !done.contains(next) && graph.contains_key(next) {
                        path.push((next, 0));
                    }
                }
            }
        }
    }
    found
}
