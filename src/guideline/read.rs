//! The reader of our own files. It refuses what it does not understand: a key that is silently ignored would change a
//! verdict. Foreign guidelines have a tolerant reader of their own. The codes are in [`codes`](super::codes).

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use crate::canon::Digest;
use crate::capability::{CapabilityId, Family, LifeCycle, TestId};
use crate::text::{Diagnostic, Diagnostics, SourceFile, did_you_mean, yaml, yaml::Node};

pub(super) use super::fields::{Fields, Reader};
use super::model::{
    Approval, ApprovalStatus, Attempts, Capability, ChangeKind, Component, ComponentRef, Criterion, Derived,
    DerivedChange, DesignatedSection, Flag, Guideline, GuidelineId, Judgement, Metadata, Origin, Program, Scoring,
    Section, Test, TestRepository,
};
use super::{Places, codes, fields::Text, foreign, places};

/// The format that is written and the newest that is read.
pub const FORMAT: &str = "assize-guideline/1";

/// Largest weight; sums of any honest file stay far below what an integer holds.
const MOST_WEIGHT: u32 = 1_000_000;

impl Guideline {
    /// Reads a guideline, JSON or YAML: one of ours, which must be right, or an OpenStack interop guideline, which is
    /// read as it is. All problems are reported together.
    pub fn read(name: &str, bytes: &[u8]) -> Result<(Guideline, Diagnostics), Diagnostics> {
        let text = utf8(name, bytes)?;
        let source = SourceFile::new(name, text);
        let root = yaml::parse(&source)?;
        let mut read = if foreign::is_foreign(&root) { foreign::read(&source, &root) } else { own(&source, &root) };
        let (Ok((_, problems)) | Err(problems)) = &mut read;
        places::add_paths(problems, &root);
        read
    }
}

fn own(source: &Arc<SourceFile>, root: &Node) -> Result<(Guideline, Diagnostics), Diagnostics> {
    refuse_other_formats(root).map_err(|problem| Diagnostics::from(problem.source(source)))?;
    let mut reader = Reader::new(source);
    match document(&mut reader, root) {
        Some(guideline) => reader.result(Guideline { places: Places::new(source), ..guideline }),
        None => Err(reader.problems),
    }
}

pub(super) fn utf8(name: &str, bytes: &[u8]) -> Result<String, Diagnostics> {
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let problem = Diagnostic::error("G001", format!("{name} is not UTF-8 text: byte {at} begins no character"));
        problem.help("save the file as UTF-8").source(&SourceFile::new(name, "")).into()
    })
}

/// `kind/N` with N at most that of `supported`.
pub(super) fn check_format(found: &str, supported: &str) -> Result<(), Diagnostic> {
    let number = |format: &str| {
        let (kind, number) = format.rsplit_once('/')?;
        Some((kind.to_string(), number.parse::<u32>().ok()?))
    };
    match (number(found), number(supported)) {
        (Some((kind, found_number)), Some((own, newest))) if kind == own => {
            if (1..=newest).contains(&found_number) {
                return Ok(());
            }
            let message = format!("format `{found}` is newer than `{supported}`, the newest that this release reads");
            Err(Diagnostic::error("G002", message)
                .help("install a newer release of assize, or ask for the file in the older format"))
        }
        _ => {
            let message = format!("format `{found}` is not `{supported}`");
            Err(Diagnostic::error("G002", message).help(format!("write `{supported}`")))
        }
    }
}

/// The format decides before anything else is looked at, because a newer file may differ anywhere.
fn refuse_other_formats(root: &Node) -> Result<(), Diagnostic> {
    let assize = root.get("metadata").and_then(|metadata| metadata.get("assize"));
    let Some(format) = assize.and_then(|assize| assize.get("format")) else {
        return Err(Diagnostic::error(
            "G002",
            "not a guideline: there is neither `metadata.assize.format` nor the `schema` of an interop guideline",
        )
        .help(format!(
            "for one of ours, add `\"assize\": {{\"format\": \"{FORMAT}\", \"family\": …}}` to the metadata"
        )));
    };
    let found = format.as_str().unwrap_or_default();
    check_format(found, FORMAT).map_err(|problem| problem.label(format.span, ""))?;
    let Some(min_tool) = assize.and_then(|assize| assize.get("min_tool")) else {
        return Ok(());
    };
    let own = env!("CARGO_PKG_VERSION");
    match (release(min_tool.as_str().unwrap_or_default()), release(own)) {
        (Some(needed), Some(have)) if needed > have => {
            let needed = min_tool.as_str().unwrap_or_default();
            Err(Diagnostic::error("G002", format!("the guideline needs assize {needed} or newer, this is {own}"))
                .label(min_tool.span, "")
                .help(format!("install assize {needed} or newer")))
        }
        (None, _) => Err(Diagnostic::error("G002", "`min_tool` is not a release number")
            .label(min_tool.span, "")
            .help("write it as three numbers, `1.2.0`")),
        _ => Ok(()),
    }
}

fn release(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let release = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(release)
}

fn document(reader: &mut Reader, root: &Node) -> Option<Guideline> {
    let mut top = reader.fields(root, "a guideline")?;
    let metadata = top.needed(reader, "metadata").and_then(|node| metadata(reader, node));
    let programs = top.needed(reader, "platforms").map(|node| entries(reader, node, "platforms", program));
    let components = top.needed(reader, "components").map(|node| entries(reader, node, "components", component));
    let capabilities = top.needed(reader, "capabilities");
    let sections = top.node("designated_sections");
    let repositories = top.node("test_repositories");
    let capabilities = capabilities.map(|node| entries(reader, node, "capabilities", capability));
    let sections = sections.map(|node| entries(reader, node, "designated_sections", designated_sections));
    let repositories = repositories.map(|node| entries(reader, node, "test_repositories", repository));
    top.finish(reader);
    let mut by_id = BTreeMap::new();
    for (key, capability) in capabilities.unwrap_or_default() {
        if let Some(id) = reader.id::<CapabilityId>(key) {
            by_id.insert(id, capability);
        }
    }
    let programs = programs.unwrap_or_default();
    Some(Guideline {
        metadata: metadata?,
        programs: programs.into_iter().map(|((name, _), program)| Program { name, ..program }).collect(),
        components: by_name(components),
        capabilities: by_id,
        designated_sections: by_name(sections),
        test_repositories: by_name(repositories),
        places: Places::default(),
    })
}

/// Reads each value of a mapping whose keys are names.
fn entries<T>(
    reader: &mut Reader,
    node: &Node,
    what: &'static str,
    read: impl Fn(&mut Reader, &Node) -> Option<T>,
) -> Vec<(Text, T)> {
    let Some(map) = node.as_map() else {
        reader.wrong_type(node, &format!("`{what}`"), "a mapping");
        return Vec::new();
    };
    let mut all = Vec::new();
    for (key, value) in map {
        if let Some(read) = read(reader, value) {
            all.push(((key.text.clone(), key.span), read));
        }
    }
    all
}

fn by_name<T>(entries: Option<Vec<(Text, T)>>) -> BTreeMap<String, T> {
    entries.unwrap_or_default().into_iter().map(|((name, _), value)| (name, value)).collect()
}

/// A word of a closed list.
fn word<T: FromStr>(reader: &mut Reader, text: Option<Text>, known: &[&'static str]) -> Option<T> {
    let (text, span) = text?;
    let read = text.parse().ok();
    if read.is_none() {
        let problem = Diagnostic::error("G007", format!("`{text}` is not one of {}", known.join(", "))).label(span, "");
        reader.report(match did_you_mean(&text, known.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
    read
}

fn metadata(reader: &mut Reader, node: &Node) -> Option<Metadata> {
    let mut fields = reader.fields(node, "the metadata")?;
    let id = fields.text(reader, "id", true);
    if let Some((_, span)) = id.as_ref().filter(|(id, _)| id.trim().is_empty()) {
        reader.report(
            Diagnostic::error("G011", "the id of a guideline is empty").label(*span, "").help("as in `2026.11`"),
        );
    }
    let schema = fields.text(reader, "schema", true);
    if let Some((schema, span)) = schema.as_ref().filter(|(schema, _)| schema != "2.0") {
        let message = format!("schema `{schema}` is not `2.0`");
        reader.report(Diagnostic::error("G002", message).label(*span, "").help("files in our format have schema 2.0"));
    }
    let mut min_tool = None;
    let mut family = None;
    let mut accept = BTreeMap::new();
    let mut derived = None;
    if let Some(mut own) = fields.needed(reader, "assize").and_then(|node| reader.fields(node, "`metadata.assize`")) {
        own.needed(reader, "format");
        let text = own.text(reader, "family", true);
        family = word::<Family>(reader, text, Family::WORDS);
        min_tool = own.maybe(reader, "min_tool");
        accept = own.node("accept").map(|node| reasons(reader, node)).unwrap_or_default();
        derived = own.node("derived").and_then(|node| derived_of(reader, node));
        own.finish(reader);
    }
    let approval = ["approval", "os_trademark_approval"].map(|key| fields.node(key));
    let approval = approval.into_iter().flatten().next().and_then(|node| approval_of(reader, node));
    let scoring = fields.node("scoring").and_then(|node| scoring(reader, node));
    let source = fields.maybe(reader, "source");
    let reference = fields.maybe(reader, "reference");
    fields.finish(reader);
    Some(Metadata {
        id: GuidelineId(id?.0),
        schema: schema?.0,
        family: family?,
        min_tool,
        source,
        reference,
        approval: approval.unwrap_or_default(),
        scoring: scoring.unwrap_or_default(),
        origin: Origin::Assize,
        accept,
        derived,
    })
}

/// A digest, written `sha256:…`.
pub(super) fn digest(reader: &mut Reader, text: Option<Text>) -> Option<Digest> {
    let (text, span) = text?;
    match text.parse() {
        Ok(digest) => Some(digest),
        Err(_) => {
            let problem = Diagnostic::error("G006", format!("`{text}` is no digest")).label(span, "");
            reader.report(problem.help("write `sha256:` and 64 hexadecimal digits in lower case"));
            None
        }
    }
}

fn derived_of(reader: &mut Reader, node: &Node) -> Option<Derived> {
    let mut fields = reader.fields(node, "`metadata.assize.derived`")?;
    let parent = fields.text(reader, "parent", true).map(|(text, _)| text);
    let text = fields.text(reader, "digest", true);
    let digest = digest(reader, text);
    let changes = fields.needed(reader, "changes").map(|node| match node.as_seq() {
        Some(items) => items.iter().filter_map(|item| derived_change(reader, item)).collect(),
        None => {
            reader.wrong_type(node, "`changes`", "a list");
            Vec::new()
        }
    });
    fields.finish(reader);
    Some(Derived { parent: parent?, digest: digest?, changes: changes? })
}

fn derived_change(reader: &mut Reader, node: &Node) -> Option<DerivedChange> {
    let mut fields = reader.fields(node, "a change")?;
    let text = fields.text(reader, "kind", true);
    let kind = word::<ChangeKind>(reader, text, ChangeKind::WORDS);
    let mut filled = |key: &'static str| {
        let (text, span) = fields.text(reader, key, true)?;
        if text.trim().is_empty() {
            let problem = Diagnostic::error("G011", format!("`{key}` is empty")).label(span, "");
            reader.report(problem.help("a change is public: say what, why, and who answers for it"));
            return None;
        }
        Some(text)
    };
    let (what, reason, owner) = (filled("what"), filled("reason"), filled("owner"));
    fields.finish(reader);
    Some(DerivedChange { kind: kind?, what: what?, reason: reason?, owner: owner? })
}

fn approval_of(reader: &mut Reader, node: &Node) -> Option<Approval> {
    let mut fields = reader.fields(node, "the approval")?;
    let status = fields.text(reader, "status", false).and_then(|(text, span)| {
        let status = ApprovalStatus::of_word(&text);
        if status.is_none() {
            let message = format!("`{text}` is not one of draft, advisory, approved, superseded");
            reader.report(Diagnostic::error("G007", message).label(span, ""));
        }
        status
    });
    let content = fields.text(reader, "content", false);
    let approval = Approval {
        status,
        replaces: fields.maybe(reader, "replaces"),
        target_approval: fields.maybe(reader, "target_approval"),
        releases: plain(fields.list(reader, "releases")),
        content: digest(reader, content),
    };
    fields.finish(reader);
    Some(approval)
}

fn plain(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text).collect()
}

fn scoring(reader: &mut Reader, node: &Node) -> Option<Scoring> {
    let mut fields = reader.fields(node, "the scoring")?;
    let cutoff_score = fields.number(reader, "cutoff_score", 0, MOST_WEIGHT);
    let criteria = fields.node("criteria").map(|node| entries(reader, node, "criteria", criterion));
    fields.finish(reader);
    Some(Scoring { cutoff_score, criteria: by_name(criteria) })
}

fn criterion(reader: &mut Reader, node: &Node) -> Option<Criterion> {
    let mut fields = reader.fields(node, "a criterion")?;
    let criterion = Criterion {
        name: fields.maybe(reader, "name").unwrap_or_default(),
        description: fields.maybe(reader, "description").unwrap_or_default(),
        weight: fields.number(reader, "weight", 0, MOST_WEIGHT).unwrap_or_default(),
    };
    fields.finish(reader);
    Some(criterion)
}

/// The name is the key and is filled in by the caller.
fn program(reader: &mut Reader, node: &Node) -> Option<Program> {
    let mut fields = reader.fields(node, "a program")?;
    let description = fields.maybe(reader, "description").unwrap_or_default();
    let components = fields.needed(reader, "components").map(|node| component_refs(reader, node));
    let hosts = fields.node("required_platform_components").map(|node| component_refs(reader, node));
    fields.finish(reader);
    Some(Program {
        name: String::new(),
        description,
        components: components.unwrap_or_default(),
        host_components: hosts.unwrap_or_default(),
    })
}

fn component_refs(reader: &mut Reader, node: &Node) -> Vec<ComponentRef> {
    let Some(items) = node.as_seq() else {
        reader.wrong_type(node, "`components`", "a list");
        return Vec::new();
    };
    let mut refs = Vec::new();
    for item in items {
        let Some(mut fields) = reader.fields(item, "a component of a program") else {
            continue;
        };
        let name = fields.text(reader, "name", true);
        let source = fields.maybe(reader, "source");
        fields.finish(reader);
        if let Some((name, _)) = name {
            refs.push(ComponentRef { name, source });
        }
    }
    refs
}

fn component(reader: &mut Reader, node: &Node) -> Option<Component> {
    let mut fields = reader.fields(node, "a component")?;
    let mut component =
        Component { description: fields.maybe(reader, "description").unwrap_or_default(), ..Component::default() };
    let lists = fields.needed(reader, "capabilities").and_then(|node| reader.fields(node, "the lists of a component"));
    if let Some(mut lists) = lists {
        for level in LifeCycle::ALL {
            let texts = lists.list(reader, level.as_str());
            let ids = texts.into_iter().filter_map(|text| reader.id(text)).collect();
            component.capabilities.insert(*level, ids);
        }
        lists.finish(reader);
    }
    let sections = fields.node("designated_sections");
    let sections = sections.map(|node| {
        entries(reader, node, "designated_sections", |reader, node| {
            Some(plain(reader.texts(node, "a list of projects")))
        })
    });
    component.designated_sections = by_name(sections);
    fields.finish(reader);
    Some(component)
}

fn capability(reader: &mut Reader, node: &Node) -> Option<Capability> {
    let mut fields = reader.fields(node, "a capability")?;
    let attempts = match fields.text(reader, "attempts", false) {
        Some((word, _)) if word == "first" => Attempts::First,
        None => Attempts::Any,
        Some((word, _)) if word == "any" => Attempts::Any,
        Some((word, span)) => {
            reader.report(Diagnostic::error("G007", format!("`{word}` is not one of any, first")).label(span, ""));
            Attempts::Any
        }
    };
    let criteria = fields.node("criteria").map(|node| entries(reader, node, "criteria", judgement));
    let mut capability = Capability {
        name: fields.maybe(reader, "name"),
        description: fields.maybe(reader, "description").unwrap_or_default(),
        spec: plain(fields.list(reader, "spec")),
        weight: fields.number(reader, "weight", 1, MOST_WEIGHT),
        achievements: plain(fields.list(reader, "achievements")),
        admin: fields.flag(reader, "admin"),
        project: fields.maybe(reader, "project"),
        required_since: fields.maybe(reader, "required_since"),
        attempts,
        criteria: by_name(criteria),
        total: fields.number(reader, "total", 0, MOST_WEIGHT),
        note: fields.maybe(reader, "note"),
        inferred: fields.maybe(reader, "inferred"),
        accept: fields.node("accept").map(|node| reasons(reader, node)).unwrap_or_default(),
        tests: BTreeMap::new(),
    };
    if let Some(node) = fields.needed(reader, "tests") {
        capability.tests = tests(reader, node);
    }
    fields.finish(reader);
    Some(capability)
}

/// There may be many thousand.
fn tests(reader: &mut Reader, node: &Node) -> BTreeMap<TestId, Test> {
    let Some(map) = node.as_map() else {
        reader.wrong_type(node, "`tests`", "a mapping");
        return BTreeMap::new();
    };
    let mut tests = Vec::with_capacity(map.len());
    for (key, value) in map {
        let test = test(reader, value);
        let id = reader.text_id::<TestId>(&key.text, key.span);
        tests.extend(id.zip(test));
    }
    tests.into_iter().collect()
}

/// `1`, `0` or `"?"`, alone or as `score` beside a `note`.
fn judgement(reader: &mut Reader, node: &Node) -> Option<Judgement> {
    if node.as_map().is_none() {
        return Some(Judgement { met: met(reader, node)?, note: None });
    }
    let mut fields = reader.fields(node, "a criterion of a capability")?;
    let score = fields.needed(reader, "score").and_then(|node| met(reader, node));
    let note = fields.maybe(reader, "note");
    fields.finish(reader);
    Some(Judgement { met: score?, note })
}

fn met(reader: &mut Reader, node: &Node) -> Option<Option<bool>> {
    match (node.as_i64(), node.as_str()) {
        (Some(0), _) => Some(Some(false)),
        (Some(1), _) => Some(Some(true)),
        (_, Some("?")) => Some(None),
        _ => {
            let problem = Diagnostic::error("G007", "a criterion is scored 1, 0 or \"?\"").label(node.span, "");
            reader.report(problem.help("1: it is met; 0: it is not; \"?\": not decided yet"));
            None
        }
    }
}

/// Codes of the linter with the reason why they stay.
fn reasons(reader: &mut Reader, node: &Node) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    for ((code, span), reason) in entries(reader, node, "accept", |_, node| Some(node.clone())) {
        if !codes::is_lint(&code) {
            let problem = Diagnostic::error("G007", format!("`{code}` is no code that can be accepted"));
            reader.report(problem.label(span, "").help("codes of the linter begin with G1, as in `G106`"));
        }
        match reason.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                reasons.insert(code, text.to_string());
            }
            None => reader.report(
                Diagnostic::error("G011", format!("no reason is given for accepting {code}"))
                    .label(reason.span, "")
                    .help("say in a sentence why it stays"),
            ),
        }
    }
    reasons
}

fn test(reader: &mut Reader, node: &Node) -> Option<Test> {
    let mut fields = reader.fields(node, "a test")?;
    let idempotent_id = fields.maybe(reader, "idempotent_id");
    let aliases = fields.list(reader, "aliases");
    let aliases = aliases.into_iter().filter_map(|alias| reader.id(alias)).collect();
    let flagged = fields.node("flagged").and_then(|node| flag(reader, node)).map(Box::new);
    fields.finish(reader);
    Some(Test { idempotent_id, aliases, flagged })
}

fn flag(reader: &mut Reader, node: &Node) -> Option<Flag> {
    let mut fields = reader.fields(node, "a flag")?;
    let reason = fields.text(reader, "reason", true).map(|(text, _)| text).unwrap_or_default();
    let flag = Flag {
        code: Flag::code_of(&reason),
        reason,
        action: fields.maybe(reader, "action").unwrap_or_default(),
        date: fields.maybe(reader, "date"),
        owner: fields.maybe(reader, "owner"),
        seen_by_refstack: true,
    };
    fields.finish(reader);
    Some(flag)
}

impl Flag {
    /// The code at the start of a reason: `[D401] …`, `D401: …` or `D401 …`.
    pub fn code_of(reason: &str) -> Option<String> {
        let code: String = reason.trim_start_matches('[').chars().take_while(char::is_ascii_alphanumeric).collect();
        matches!(code.as_str(), "D400" | "D401" | "D402" | "D403" | "D404" | "D405" | "D406").then_some(code)
    }
}

fn designated_sections(reader: &mut Reader, node: &Node) -> Option<BTreeMap<String, DesignatedSection>> {
    Some(by_name(Some(entries(reader, node, "designated_sections", |reader, node| {
        let mut fields = reader.fields(node, "a designated section")?;
        let guidance = fields.maybe(reader, "guidance").unwrap_or_default();
        let comment = fields.maybe(reader, "comment");
        let sections = fields.node("sections").map(|node| entries(reader, node, "sections", section));
        fields.finish(reader);
        Some(DesignatedSection { guidance, comment, sections: by_name(sections) })
    }))))
}

fn section(reader: &mut Reader, node: &Node) -> Option<Section> {
    let mut fields = reader.fields(node, "a section")?;
    let description = fields.maybe(reader, "description").unwrap_or_default();
    let designated = fields.flag(reader, "designated");
    fields.finish(reader);
    Some(Section { description, designated })
}

fn repository(reader: &mut Reader, node: &Node) -> Option<TestRepository> {
    let mut fields = reader.fields(node, "a test repository")?;
    let repository = fields.maybe(reader, "repository").unwrap_or_default();
    let reference = fields.maybe(reader, "reference");
    let description = fields.maybe(reader, "description");
    fields.finish(reader);
    Some(TestRepository { repository, reference, description })
}
