//! The list of conformance tests that Kubernetes publishes with each release, `conformance.yaml`: entries with `testname`,
//! `codename`, `description`, `release` and `file`.
//!
//! An entry is required by a version when one of its releases is not newer. The version is that of the file's name
//! (`conformance.v1.36.yaml`), else the newest release in the file. Tests of one group and file make a capability, groups
//! (`sig-node`) are components. Names of earlier and later versions become aliases ([`renames`](super::renames)).
//!
//! No text of an entry is kept but its names: the model has no place for them, and a report should not copy them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::capability::{CapabilityId, Family, LifeCycle, TestId, sentence_key};
use crate::text::{Diagnostics, SourceFile, Span, yaml, yaml::Node};

use super::super::model::{
    Approval, Capability, Component, ComponentRef, Guideline, GuidelineId, Metadata, Origin, Program, Scoring, Test,
};
use super::super::places::Places;
use super::renames;
use super::walk::{Spec, Walk};

/// The name of the only program.
pub const PROGRAM: &str = "Kubernetes Conformance";

const KEYS: &[Spec] = &[("testname", &[]), ("codename", &[]), ("description", &[]), ("release", &[]), ("file", &[])];

/// Words of which a description must have one.
const NORMATIVE: [&str; 5] = ["MUST", "SHALL", "SHOULD", "MAY", "REQUIRED"];

/// Longest part of a capability's id.
const LONGEST_PART: usize = 50;

/// A minor release of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32);

impl Release {
    /// `v1.34` with or without the `v`, perhaps with a patch number and what follows it.
    pub fn parse(text: &str) -> Option<Release> {
        let text = text.trim();
        let (major, rest) = text.strip_prefix('v').unwrap_or(text).split_once('.')?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (minor, after) = rest.split_at_checked(end)?;
        let ended = after.is_empty() || after.starts_with(['.', '-', '+']);
        let digits = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
        (ended && digits).then_some(())?;
        Some(Release(major.parse().ok()?, minor.parse().ok()?))
    }

    /// The release in a file name such as `conformance.v1.36.yaml`, whatever folder it is in.
    fn in_name(name: &str) -> Option<Release> {
        let file = name.rsplit(['/', '\\']).next()?;
        let mut versions = file.match_indices('v').filter_map(|(at, _)| {
            let rest = file.get(at..)?;
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != 'v').unwrap_or(rest.len());
            Release::parse(rest.get(..end)?.trim_end_matches('.'))
        });
        versions.next_back()
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.0, self.1)
    }
}

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The whole name of the test, white space as in a name.
    pub codename: String,
    /// Releases in which it was added and changed, in order.
    pub releases: Vec<Release>,
    /// The file of the test, without a line.
    pub file: String,
}

impl Entry {
    /// Whether it is required by a release: one without a readable release always is.
    pub fn required_by(&self, release: Release) -> bool {
        self.releases.is_empty() || self.releases.iter().any(|own| *own <= release)
    }
}

/// The entries of a list of conformance tests, for those who need more than the guideline that it makes, and the release that its
/// name says it is of.
///
/// # Errors
/// When the file is no such list.
pub fn entries(name: &str, bytes: &[u8]) -> Result<(Option<Release>, Vec<Entry>), Diagnostics> {
    let source = SourceFile::new(name, super::super::read::utf8(name, bytes)?);
    let root = yaml::parse(&source)?;
    if !is_list(&root) {
        let problem = crate::text::Diagnostic::error("G002", format!("{name} is no list of conformance tests"));
        let help =
            "give the `conformance.yaml` of a Kubernetes release: a list of entries with `codename` and `release`";
        return Err(problem.help(help).source(&source).into());
    }
    let list = List::read(&mut Walk::new(&source), &root);
    Ok((Release::in_name(name), list.entries.into_iter().map(|(_, entry)| entry).collect()))
}

/// Whether a document is such a list.
pub(super) fn is_list(root: &Node) -> bool {
    let items = root.as_seq().unwrap_or_default();
    items.first().is_some_and(|first| first.get("codename").is_some() || first.get("testname").is_some())
}

pub(super) fn read(source: &Arc<SourceFile>, root: &Node) -> (Guideline, Diagnostics) {
    let mut walk = Walk::new(source);
    let list = List::read(&mut walk, root);
    let version = list.version(&source.name);
    for (at, entry) in list.entries.iter().filter(|(_, entry)| !entry.required_by(version)) {
        let first = entry.releases.first().map(ToString::to_string).unwrap_or_default();
        walk.warn("G036", format!("the entry is of {first}, the list of {version}"), *at, "not required; remove it");
    }
    let mut guideline = empty(version);
    list.fill(&mut guideline, version);
    guideline.places = Places::new(source);
    (guideline, walk.found)
}

struct List {
    entries: Vec<(Span, Entry)>,
}

impl List {
    fn read(walk: &mut Walk, root: &Node) -> List {
        let mut list = List { entries: Vec::new() };
        let (mut codenames, mut titles) = (BTreeSet::new(), BTreeMap::new());
        for item in root.as_seq().unwrap_or_default() {
            let keys = walk.keys(item, "an entry", KEYS);
            let of = |key: &str| keys.node(key).map(|node| (node.span, text(node)));
            let Some((at, codename)) = of("codename").filter(|(_, name)| !name.is_empty()) else {
                walk.warn("G030", "the entry has no code name", item.span, "left out; name the test that it is about");
                continue;
            };
            if !codenames.insert(codename.clone()) {
                walk.warn("G030", format!("`{codename}` is listed twice"), at, "left out; keep one of them");
                continue;
            }
            if !codename.starts_with("[sig-") || !codename.contains("[Conformance]") {
                let help = "a name begins with a group, as in `[sig-node]`, and holds the tag `[Conformance]`";
                walk.warn("G035", "the code name lacks its group or its tag", at, help);
            }
            title(walk, item.span, of("testname"), &mut titles);
            let description = of("description");
            let says = description.as_ref().is_some_and(|(_, text)| normative(text));
            if !says {
                let at = description.map_or(item.span, |(at, _)| at);
                let help = "say what an implementation MUST, SHOULD or MAY do: that is what the test stands for";
                walk.warn("G033", "the description has no MUST, SHOULD or MAY", at, help);
            }
            let releases = releases(walk, item.span, of("release"));
            let file = file(walk, item.span, of("file"));
            list.entries.push((item.span, Entry { codename, releases, file }));
        }
        list
    }

    fn version(&self, name: &str) -> Release {
        let newest = self.entries.iter().flat_map(|(_, entry)| &entry.releases).max().copied();
        Release::in_name(name).or(newest).unwrap_or(Release(1, 0))
    }

    fn fill(&self, guideline: &mut Guideline, version: Release) {
        let own: BTreeSet<String> = self.entries.iter().filter_map(|(_, one)| sentence_key(&one.codename)).collect();
        let mut files: BTreeMap<CapabilityId, BTreeSet<&str>> = BTreeMap::new();
        for (_, entry) in &self.entries {
            let required = entry.required_by(version);
            let (group, stem) = (group(&entry.codename), stem(&entry.file));
            // What a newer release asks for stands apart, so that a capability has one standing.
            let later = if required { "" } else { "-later" };
            let (Ok(id), Ok(test)) = (format!("{group}-{stem}{later}").parse::<CapabilityId>(), entry.codename.parse())
            else {
                continue;
            };
            let capability = guideline.capabilities.entry(id.clone()).or_default();
            capability.tests.insert(test, Test { aliases: aliases(entry, &own), ..Test::default() });
            // Each test counts alike, however they are put together.
            capability.weight = u32::try_from(capability.tests.len()).ok();
            let first = entry.releases.iter().min().map(ToString::to_string);
            capability.required_since = capability.required_since.take().into_iter().chain(first).max();
            files.entry(id.clone()).or_default().insert(&entry.file);
            let level = if required { LifeCycle::Required } else { LifeCycle::Advisory };
            let listed = guideline.components.entry(group).or_default().capabilities.entry(level).or_default();
            if !listed.contains(&id) {
                listed.push(id);
            }
        }
        for (id, files) in files {
            if let Some(capability) = guideline.capabilities.get_mut(&id) {
                let files = files.into_iter().collect::<Vec<_>>().join(", ");
                capability.description = format!("What the conformance tests of {files} check.");
                capability.spec = vec![files];
            }
        }
        for (name, component) in &mut guideline.components {
            component.description = format!("Conformance tests of {name}.");
            component.capabilities.values_mut().for_each(|ids| ids.sort());
        }
        let components = guideline.components.keys().map(|name| ComponentRef { name: name.clone(), source: None });
        guideline.programs.push(Program {
            name: PROGRAM.to_owned(),
            description: format!("Every conformance test of Kubernetes {version}."),
            components: components.collect(),
            host_components: Vec::new(),
        });
    }
}

/// Names that the test had or will have, unless another entry has them.
fn aliases(entry: &Entry, own: &BTreeSet<String>) -> Vec<TestId> {
    let Some(key) = sentence_key(&entry.codename) else { return Vec::new() };
    let free = |name: &&str| sentence_key(name).is_some_and(|key| !own.contains(&key));
    renames::others(&key).filter(free).filter_map(|name| name.parse().ok()).collect()
}

fn title(walk: &mut Walk, item: Span, title: Option<(Span, String)>, titles: &mut BTreeMap<String, Span>) {
    let Some((at, title)) = title.filter(|(_, title)| !title.is_empty()) else {
        walk.warn("G031", "the entry has no title", item, "add `testname`");
        return;
    };
    if titles.insert(title.clone(), at).is_some() {
        walk.warn("G031", format!("another entry has the title `{title}` too"), at, "say what tells them apart");
    }
}

fn releases(walk: &mut Walk, item: Span, stated: Option<(Span, String)>) -> Vec<Release> {
    let (at, text) = stated.unwrap_or((item, String::new()));
    let mut releases: Vec<Release> = Vec::new();
    for word in text.split(',').map(str::trim) {
        match Release::parse(word) {
            Some(release) => releases.push(release),
            None => {
                let help = "read as required by every version; write the release that added it, as in v1.34";
                walk.warn("G032", format!("`{word}` is no release"), at, help);
                continue;
            }
        }
        if !word.starts_with('v') {
            walk.warn("G032", format!("release `{word}` lacks its `v`"), at, format!("read as v{word}; write that"));
        }
    }
    releases
}

/// The path of a file, in which some releases gave a line as well.
fn file(walk: &mut Walk, item: Span, stated: Option<(Span, String)>) -> String {
    let Some((at, text)) = stated.filter(|(_, text)| !text.is_empty()) else {
        walk.warn("G034", "the entry names no file", item, "add `file`");
        return String::new();
    };
    let line = |line: &str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match text.split_once(':') {
        Some((path, rest)) if line(rest) => {
            walk.warn(
                "G034",
                format!("file `{text}` has a line, which changes with every edit"),
                at,
                "remove the line",
            );
            path.to_owned()
        }
        _ => text,
    }
}

/// A scalar as text, white space as in a name: lists of some releases were folded in the middle of it.
fn text(node: &Node) -> String {
    let text = match node.to_json() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn normative(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| NORMATIVE.contains(&word))
}

/// The group of a test: its first tag that names one, else its first tag.
fn group(codename: &str) -> String {
    let tags = || codename.split('[').skip(1).filter_map(|rest| Some(rest.split_once(']')?.0));
    let tag = tags().find(|tag| tag.starts_with("sig-")).or_else(|| tags().next()).unwrap_or_default();
    kebab(tag, "others")
}

fn stem(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or_default();
    kebab(name.split('.').next().unwrap_or_default(), "unknown")
}

fn kebab(text: &str, otherwise: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(LONGEST_PART);
    let name = name.trim_end_matches('-');
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

fn empty(version: Release) -> Guideline {
    Guideline {
        metadata: Metadata {
            derived: None,
            id: GuidelineId(version.to_string()),
            schema: String::new(),
            family: Family::Kubernetes,
            min_tool: None,
            source: None,
            reference: None,
            approval: Approval { releases: vec![version.to_string()], ..Approval::default() },
            scoring: Scoring::default(),
            origin: Origin::Conformance,
            accept: BTreeMap::new(),
        },
        programs: Vec::new(),
        components: BTreeMap::<String, Component>::new(),
        capabilities: BTreeMap::<CapabilityId, Capability>::new(),
        designated_sections: BTreeMap::new(),
        test_repositories: BTreeMap::new(),
        places: Places::default(),
    }
}
