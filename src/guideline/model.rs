//! The typed guideline. Plain data: what a file says, with nothing corrected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canon::Digest;
use crate::capability::{CapabilityId, Family, LifeCycle, TestId};

use super::Places;

/// The version of a guideline: `2026.11`, `next`, `dns.2020.06`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct GuidelineId(pub String);

impl fmt::Display for GuidelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A versioned document that says which capabilities a program requires and which tests prove them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guideline {
    /// Version, family, approval, weights.
    pub metadata: Metadata,
    /// What a vendor can claim, in the order of the file.
    pub programs: Vec<Program>,
    /// Sets of capabilities that programs are made of.
    pub components: BTreeMap<String, Component>,
    /// Every capability that is defined.
    pub capabilities: BTreeMap<CapabilityId, Capability>,
    /// Prose about upstream code that must be present: project → status → text. No tool can check it.
    pub designated_sections: BTreeMap<String, BTreeMap<String, DesignatedSection>>,
    /// Where the tests come from.
    pub test_repositories: BTreeMap<String, TestRepository>,
    /// Where the parts stand in the file, for diagnostics.
    pub places: Places,
}

/// The head of a guideline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Version.
    pub id: GuidelineId,
    /// Version of the schema, as text: `2.0`.
    pub schema: String,
    /// Which kind of API.
    pub family: Family,
    /// Oldest release of this tool that scores the file rightly.
    pub min_tool: Option<String>,
    /// Address of the document itself. Never an identity: these move.
    pub source: Option<String>,
    /// Address of the document that describes the schema.
    pub reference: Option<String>,
    /// Approval.
    pub approval: Approval,
    /// How capabilities were chosen.
    pub scoring: Scoring,
    /// Whose format the file is in.
    pub origin: Origin,
    /// Codes of the linter that are known for the whole file, with the reason why they stay.
    pub accept: BTreeMap<String, String>,
    /// The guideline that it was made from, when it is a derived one.
    pub derived: Option<Derived>,
}

/// What a derived guideline says of the one it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// `family/version` of the parent.
    pub parent: String,
    /// Digest of the parent's file.
    pub digest: Digest,
    /// Every difference to it.
    pub changes: Vec<DerivedChange>,
}

/// One difference to the parent, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedChange {
    /// What was done.
    pub kind: ChangeKind,
    /// To which program, component, capability or test.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
}

/// What was done to a part of a guideline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new.
    Add,
    /// It is gone.
    Drop,
    /// A test no longer counts.
    Flag,
    /// It is another.
    Change,
}

impl ChangeKind {
    /// The spelling of each kind.
    pub const WORDS: &'static [&'static str] = &["add", "drop", "flag", "change"];

    /// The spelling used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Add => "add",
            ChangeKind::Drop => "drop",
            ChangeKind::Flag => "flag",
            ChangeKind::Change => "change",
        }
    }
}

impl std::str::FromStr for ChangeKind {
    type Err = ();

    fn from_str(word: &str) -> Result<ChangeKind, ()> {
        match word {
            "add" => Ok(ChangeKind::Add),
            "drop" => Ok(ChangeKind::Drop),
            "flag" => Ok(ChangeKind::Flag),
            "change" => Ok(ChangeKind::Change),
            _ => Err(()),
        }
    }
}

/// Whose format a file is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// Ours.
    #[default]
    Assize,
    /// An OpenStack interop guideline, schema 1.0 to 2.0.
    Interop,
    /// The list of conformance tests of Kubernetes.
    Conformance,
}

/// The state of a guideline in its process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approval {
    /// The state, when the file says one.
    pub status: Option<ApprovalStatus>,
    /// Id of the guideline before.
    pub replaces: Option<String>,
    /// When it is to be approved.
    pub target_approval: Option<String>,
    /// Releases of the specification or product that it is for.
    pub releases: Vec<String>,
    /// Digest of what was approved; see [`content_digest`](super::content_digest).
    pub content: Option<Digest>,
}

/// How far a guideline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalStatus {
    /// Being written.
    Draft,
    /// Open for comments; the formal upstream schema calls it `advisory`, the prose `review`.
    Advisory,
    /// In force: tests no longer change.
    Approved,
    /// Replaced.
    Superseded,
}

impl ApprovalStatus {
    /// The status of a word; both upstream spellings of [`ApprovalStatus::Advisory`] are known.
    pub fn of_word(word: &str) -> Option<ApprovalStatus> {
        match word {
            "draft" => Some(ApprovalStatus::Draft),
            "advisory" | "review" => Some(ApprovalStatus::Advisory),
            "approved" => Some(ApprovalStatus::Approved),
            "superseded" => Some(ApprovalStatus::Superseded),
            _ => None,
        }
    }
}

/// The criteria by which capabilities were chosen, and what each is worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scoring {
    /// Points a capability must reach to be eligible.
    pub cutoff_score: Option<u32>,
    /// The criteria by key.
    pub criteria: BTreeMap<String, Criterion>,
}

/// One criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// Title.
    pub name: String,
    /// Explanation.
    pub description: String,
    /// Points.
    pub weight: u32,
}

/// Something a vendor can claim: a set of components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The name on the certificate.
    pub name: String,
    /// What the claim means.
    pub description: String,
    /// Its components.
    pub components: Vec<ComponentRef>,
    /// For an add-on: the components of a platform that it must sit on.
    pub host_components: Vec<ComponentRef>,
}

/// The mention of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRef {
    /// Its key under `components`.
    pub name: String,
    /// The guideline that defines it, when that is another one.
    pub source: Option<String>,
}

/// A set of capabilities with their standing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Component {
    /// Plain words.
    pub description: String,
    /// The four lists, in the order of the file.
    pub capabilities: BTreeMap<LifeCycle, Vec<CapabilityId>>,
    /// Status → projects with designated sections.
    pub designated_sections: BTreeMap<String, Vec<String>>,
}

impl Component {
    /// The capabilities of one list.
    pub fn listed(&self, level: LifeCycle) -> &[CapabilityId] {
        self.capabilities.get(&level).map_or(&[], Vec::as_slice)
    }
}

/// Something users rely on, and the tests that prove it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capability {
    /// Short title.
    pub name: Option<String>,
    /// What a user can rely on.
    pub description: String,
    /// Where the specification says so: `document: section`.
    pub spec: Vec<String>,
    /// What it is worth; see [`Guideline::weight`].
    pub weight: Option<u32>,
    /// Criteria that it meets.
    pub achievements: Vec<String>,
    /// Whether an administrator's rights are needed.
    pub admin: bool,
    /// Upstream project.
    pub project: Option<String>,
    /// First guideline that required it.
    pub required_since: Option<String>,
    /// Whether a pass on a retry counts.
    pub attempts: Attempts,
    /// The worksheet: which criteria it meets, one by one.
    pub criteria: BTreeMap<String, Judgement>,
    /// The total of the worksheet as the file states it.
    pub total: Option<u32>,
    /// A remark, such as why it was dropped.
    pub note: Option<String>,
    /// What of this is not certain, and what it was inferred from.
    pub inferred: Option<String>,
    /// Codes of the linter that are known for it, with the reason why they stay.
    pub accept: BTreeMap<String, String>,
    /// The tests by their primary id.
    pub tests: BTreeMap<TestId, Test>,
}

impl Capability {
    /// The tests that count: those that are not flagged.
    pub fn counting(&self) -> impl Iterator<Item = (&TestId, &Test)> {
        self.tests.iter().filter(|(_, test)| test.flagged.is_none())
    }
}

/// Whether a criterion is met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Absent: not decided yet.
    pub met: Option<bool>,
    /// Why.
    pub note: Option<String>,
}

/// Which attempts of a test count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Attempts {
    /// A pass on a retry counts, and is marked flaky.
    #[default]
    Any,
    /// A pass on a retry does not count.
    First,
}

/// One test of a capability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Test {
    /// Upstream identity that survives renames, as the file gives it.
    pub idempotent_id: Option<String>,
    /// Other names of the same test.
    pub aliases: Vec<TestId>,
    /// Why it does not count, when it does not.
    pub flagged: Option<Box<Flag>>,
}

impl Test {
    /// The bare UUID of [`Test::idempotent_id`]: without the prefix `id-` and without what some files append to it.
    pub fn uuid(&self) -> Option<&str> {
        let id = self.idempotent_id.as_deref()?;
        let id = id.split(',').next().unwrap_or(id).trim();
        let id = id.strip_prefix("id-").unwrap_or(id);
        is_uuid(id).then_some(id)
    }
}

/// Whether a text is a UUID in its usual form, in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|one| one.bytes().all(hexadecimal))
}

/// The statement that a test is shown but does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// `D400` to `D406`, when the reason begins with one.
    pub code: Option<String>,
    /// The reason with its code, as written.
    pub reason: String,
    /// What is being done about it.
    pub action: String,
    /// When it was flagged, as written.
    pub date: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether RefStack's arithmetic saw it: it looks at the key `flagged` only, while the formal schema says `flag`.
    pub seen_by_refstack: bool,
}

/// Prose on code that must be present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DesignatedSection {
    /// The rule.
    pub guidance: String,
    /// A remark.
    pub comment: Option<String>,
    /// Its parts.
    pub sections: BTreeMap<String, Section>,
}

/// One part of the code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// What it is.
    pub description: String,
    /// Whether it must be present.
    pub designated: bool,
}

/// A repository of tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestRepository {
    /// Its address.
    pub repository: String,
    /// A revision known to work.
    pub reference: Option<String>,
    /// Plain words.
    pub description: Option<String>,
}

impl Guideline {
    /// `family/id`, by which a guideline is called everywhere.
    pub fn full_id(&self) -> String {
        format!("{}/{}", self.metadata.family, self.metadata.id)
    }

    /// The program of that name.
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.name == name)
    }

    /// Every capability of a program with its standing: the strictest one, when several components of the program
    /// list it. Components that this file does not define contribute nothing.
    pub fn standing(&self, program: &Program) -> BTreeMap<&CapabilityId, LifeCycle> {
        let mut standing = BTreeMap::new();
        let components = program.components.iter().filter_map(|one| self.components.get(&one.name));
        for component in components {
            for (level, ids) in &component.capabilities {
                for id in ids {
                    let known = standing.entry(id).or_insert(*level);
                    *known = (*known).min(*level);
                }
            }
        }
        standing
    }

    /// What a capability is worth: its own weight, else the sum of the weights of its achievements, else 1. Never 0,
    /// so that a missing required capability always shows in the score.
    pub fn weight(&self, id: &CapabilityId) -> u64 {
        let Some(capability) = self.capabilities.get(id) else {
            return 1;
        };
        if let Some(weight) = capability.weight {
            return u64::from(weight).max(1);
        }
        u64::from(self.points(capability)).max(1)
    }

    /// The sum of the weights of the criteria that a capability meets, by its worksheet, else by its achievements.
    pub fn points(&self, capability: &Capability) -> u32 {
        let worth = |key: &str| self.metadata.scoring.criteria.get(key).map_or(0, |criterion| criterion.weight);
        if capability.criteria.is_empty() {
            let keys: BTreeSet<&String> = capability.achievements.iter().collect();
            return keys.into_iter().fold(0, |sum, key| sum.saturating_add(worth(key)));
        }
        let met = capability.criteria.iter().filter(|(_, judgement)| judgement.met == Some(true));
        met.fold(0, |sum, (key, _)| sum.saturating_add(worth(key)))
    }

    /// The program that a word means: its name, the last word of it, the name of its only component, or one of
    /// RefStack's words `platform`, `compute`, `object`; capitals do not matter.
    pub fn program_like(&self, word: &str) -> Option<&Program> {
        let wanted = word.to_lowercase();
        // The same thing is an object store in the old documents and storage in the new ones.
        let wanted = match wanted.as_str() {
            "storage" => vec!["storage", "object"],
            "object" => vec!["object", "storage"],
            other => vec![other],
        };
        let names = |program: &Program| {
            let name = program.name.to_lowercase();
            let last = name.rsplit(' ').next().unwrap_or_default().to_string();
            let component = match program.components.as_slice() {
                [one] => one.name.to_lowercase(),
                _ => String::new(),
            };
            let short = component.trim_start_matches("os_powered_").to_string();
            [name, last, component, short]
        };
        let like = |wanted: &&str| self.programs.iter().find(|one| names(one).iter().any(|name| name == wanted));
        self.program(word).or_else(|| wanted.iter().find_map(like))
    }
}
