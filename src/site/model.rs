//! All that the site knows, put together from the reports and the documents of the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use super::facts::{self, Facts, Lists};
use super::shell::Shell;
use crate::canon::{Digest, digest_bytes};
use crate::capability::{CapabilityId, LifeCycle};
use crate::guideline::{Guideline, Program};
use crate::ledger::{Admission, Revocations, Rules};
use crate::score::Status;

/// Whether a report counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Valid,
    /// Older than the rules allow, on the day of the newest admission.
    Aged,
    /// It was revoked.
    Revoked {
        /// Why, and by whom.
        why: String,
        /// From this day on.
        since: Date,
    },
}

/// A guideline with what is known of it.
#[derive(Debug)]
pub struct GuidelineInfo {
    /// `family/id`.
    pub id: String,
    /// The guideline.
    pub guideline: Guideline,
    /// Digest of the file.
    pub digest: Digest,
    /// Capabilities with the lowest level that a program gives them, required first, then by id.
    pub columns: Vec<(CapabilityId, LifeCycle)>,
    /// The guideline before it, where it is known.
    pub before: Option<String>,
    /// Capabilities that reports have and the guideline as it is now has not: drafts change.
    pub former: BTreeSet<CapabilityId>,
    /// Programs likewise.
    pub former_programs: BTreeSet<String>,
}

/// Everything.
#[derive(Debug)]
pub struct Model {
    /// What is around every page.
    pub shell: Shell,
    /// Day of the newest admission.
    pub as_of: Option<Date>,
    /// Reports, sorted by identity.
    pub reports: Vec<Arc<Facts>>,
    /// Standing of each.
    pub standings: Vec<Standing>,
    /// Lists of ids that the reports name.
    pub lists: Lists,
    /// Guidelines by `family/id`.
    pub guidelines: BTreeMap<String, GuidelineInfo>,
    /// Places in `reports` by `vendor/product`, the latest run first.
    pub products: BTreeMap<String, Vec<usize>>,
    /// Places in `reports` by guideline: of each product the latest run that counts, sorted by product.
    pub current: BTreeMap<String, Vec<usize>>,
}

impl GuidelineInfo {
    /// What is known of a guideline.
    pub fn new(id: String, guideline: Guideline, bytes: &[u8]) -> Self {
        let mut levels: BTreeMap<CapabilityId, LifeCycle> = BTreeMap::new();
        for program in &guideline.programs {
            for (id, level) in guideline.standing(program) {
                let known = levels.entry(id.clone()).or_insert(level);
                *known = (*known).min(level);
            }
        }
        let mut columns: Vec<(CapabilityId, LifeCycle)> = levels.into_iter().collect();
        columns.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
        Self {
            id,
            digest: digest_bytes(bytes),
            guideline,
            columns,
            before: None,
            former: BTreeSet::new(),
            former_programs: BTreeSet::new(),
        }
    }

    /// Takes up what reports say of it, also what it does not have any more.
    pub fn remember(&mut self, lists: &Lists, facts: &Facts) {
        for id in lists.get(&facts.capabilities).into_iter().flatten() {
            if let Ok(id) = id.parse::<CapabilityId>()
                && !self.guideline.capabilities.contains_key(&id)
            {
                self.former.insert(id);
            }
        }
        for own in &facts.programs {
            if self.guideline.program(&own.program).is_none() {
                self.former_programs.insert(own.program.clone());
            }
        }
    }

    /// Its programs, and those that it does not have any more.
    pub fn programs(&self) -> Vec<Program> {
        let former = self.former_programs.iter().map(|name| Program {
            name: name.clone(),
            description: "A program that the guideline does not have any more.".to_owned(),
            components: Vec::new(),
            host_components: Vec::new(),
        });
        self.guideline.programs.iter().cloned().chain(former).collect()
    }

    /// Every capability: also those that no program lists, such as drafts that only have criteria.
    pub fn all(&self) -> BTreeSet<&CapabilityId> {
        self.columns.iter().map(|(id, _)| id).chain(self.guideline.capabilities.keys()).chain(&self.former).collect()
    }

    /// Name of a capability, for people.
    pub fn name<'g>(&'g self, id: &'g CapabilityId) -> &'g str {
        let capability = self.guideline.capabilities.get(id);
        capability.and_then(|capability| capability.name.as_deref()).unwrap_or(id.as_str())
    }
}

impl Model {
    /// Puts the reports in order.
    pub fn new(
        shell: Shell,
        as_of: Option<Date>,
        reports: Vec<Arc<Facts>>,
        standings: Vec<Standing>,
        lists: Lists,
    ) -> Self {
        let mut products: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, facts) in reports.iter().enumerate() {
            products.entry(facts.product_id()).or_default().push(at);
        }
        for places in products.values_mut() {
            places.sort_by_key(|at| reports.get(*at).map(|facts| std::cmp::Reverse(facts.started_at_ms)));
        }
        let mut current: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for places in products.values() {
            let mut seen = BTreeSet::new();
            for at in places {
                let (Some(facts), Some(standing)) = (reports.get(*at), standings.get(*at)) else { continue };
                let guideline = facts.guideline_id();
                if !matches!(standing, Standing::Revoked { .. }) && seen.insert(guideline.clone()) {
                    current.entry(guideline).or_default().push(*at);
                }
            }
        }
        Self { shell, as_of, reports, standings, lists, guidelines: BTreeMap::new(), products, current }
    }

    /// The current report of each product for a guideline.
    pub fn current(&self, guideline: &str) -> impl Iterator<Item = (usize, &Facts)> {
        let places = self.current.get(guideline).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| Some((*at, &**self.reports.get(*at)?)))
    }

    /// Standing of a report.
    pub fn standing(&self, at: usize) -> &Standing {
        self.standings.get(at).unwrap_or(&Standing::Valid)
    }

    /// Status of a capability in a report.
    pub fn status(&self, facts: &Facts, capability: &CapabilityId) -> Option<Status> {
        facts::status(&self.lists, facts, capability.as_str())
    }

    /// How many current reports pass a capability, and how many say something about it.
    pub fn share(&self, guideline: &str, capability: &CapabilityId) -> (usize, usize) {
        let statuses: Vec<Status> =
            self.current(guideline).filter_map(|(_, facts)| self.status(facts, capability)).collect();
        (statuses.iter().filter(|status| status.is_met()).count(), statuses.len())
    }
}

/// Whether a report counts on a day.
pub fn standing(admission: &Admission, rules: &Rules, revocations: &Revocations, on: Date) -> Standing {
    // A revocation that is in the ledger holds, also when nothing was admitted since.
    let (id, ever) = (&admission.identity, Date::MAX);
    let keys = || admission.signed_by.iter().find_map(|signer| revocations.of_key(&signer.key, ever));
    let revoked = revocations
        .of_bundle(&admission.bundle.to_string(), ever)
        .or_else(|| revocations.of_product(&id.vendor, &id.product, &id.version, ever))
        .or_else(|| revocations.of_suites(&admission.suites.to_string(), ever))
        .or_else(keys);
    if let Some(revocation) = revoked {
        let why = format!("{} ({}, since {})", revocation.reason, revocation.by, revocation.since);
        return Standing::Revoked { why, since: revocation.since };
    }
    let age = on.since(day(admission.run.started_at_ms)).map_or(0, |span| span.get_days());
    if i64::from(age) > i64::from(rules.max_age_days) { Standing::Aged } else { Standing::Valid }
}

/// The day of a time in milliseconds since 1970, in UTC.
pub fn day(at_ms: i64) -> Date {
    Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}
