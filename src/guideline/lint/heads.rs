//! The head of a document: approval, weights, addresses, repositories.

use crate::text::Diagnostic;

use super::super::model::{GuidelineId, Origin};
use super::Lint;

/// References that mean something else every day.
pub(super) const MOVING: [&str; 4] = ["master", "main", "HEAD", ""];
/// Sum of the weights of all criteria, and of those that an add-on uses.
const WEIGHTS: (u32, u32) = (100, 75);

impl GuidelineId {
    /// The date of a dated id: `2020.06` of `dns.2020.06`; nothing for `next`.
    pub fn date(&self) -> Option<&str> {
        let at = self.0.len().checked_sub("2020.06".len())?;
        let date = self.0.get(at..)?;
        let starts = at == 0 || self.0.get(..at)?.ends_with('.');
        (starts && is_month(date)).then_some(date)
    }

    /// What is before the date or `next`: empty for a platform, `dns` for an add-on.
    pub fn series(&self) -> &str {
        let date = self.date().unwrap_or("next");
        self.0.strip_suffix(date).unwrap_or(&self.0).trim_end_matches('.')
    }
}

/// `YYYY.MM`.
fn is_month(text: &str) -> bool {
    let Some((year, month)) = text.split_once('.') else { return false };
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(year, 4) && digits(month, 2) && ("01"..="12").contains(&month)
}

impl Lint<'_> {
    pub(super) fn heads(&mut self) {
        self.weights();
        if self.guideline.metadata.origin != Origin::Conformance {
            self.approval();
        }
        self.addresses();
        for (name, repository) in &self.guideline.test_repositories {
            if repository.reference.as_deref().is_none_or(|one| MOVING.contains(&one)) {
                let message = format!("test repository `{name}` is not pinned to a revision");
                let help = "name the commit that is known to work: what the tests ask for changes with it";
                for key in ["test_repositories", "test-repositories"] {
                    if self.guideline.places.has(&[key]) {
                        self.report(Diagnostic::warning("G123", message.clone()).help(help), &[key, name, "reference"]);
                    }
                }
            }
        }
    }

    fn weights(&mut self) {
        let guideline = self.guideline;
        let criteria = &guideline.metadata.scoring.criteria;
        let sum: u32 = criteria.values().fold(0, |sum, criterion| sum.saturating_add(criterion.weight));
        let is_addon =
            !guideline.programs.is_empty() && guideline.programs.iter().all(|one| !one.host_components.is_empty());
        let wanted = if is_addon { WEIGHTS.1 } else { WEIGHTS.0 };
        if !criteria.is_empty() && sum != wanted {
            let message = format!("the weights of the criteria sum to {sum}, not {wanted}");
            let help = "a score is a share of all points; change the weights so that they sum up";
            let path = if guideline.metadata.schema.starts_with("1.") {
                vec!["criteria"]
            } else {
                vec!["metadata", "scoring", "criteria"]
            };
            self.report(Diagnostic::warning("G120", message).help(help), &path);
        }
    }

    fn approval(&mut self) {
        let guideline = self.guideline;
        let (id, approval) = (&guideline.metadata.id, &guideline.metadata.approval);
        if let Some(target) = &approval.target_approval {
            let day = target.parse::<jiff::civil::Date>().is_ok();
            let help = "write YYYY.MM or YYYY-MM-DD";
            if !day && !is_month(target) {
                let message = format!("target_approval `{target}` is no date");
                self.report(Diagnostic::warning("G121", message).help(help), &self.approval_path("target_approval"));
            } else if is_month(target) && id.date().is_some_and(|date| date != target) {
                let message = format!("target_approval `{target}` is not that of guideline {id}");
                self.report(Diagnostic::warning("G121", message).help(help), &self.approval_path("target_approval"));
            }
        }
        // The first guideline of a series of ours replaces none, and schema 1.0 has no such key.
        if approval.replaces.is_none() && !self.is_ours() && guideline.metadata.schema != "1.0" {
            let message = format!("guideline {id} does not say which one it replaces");
            let help = "add `replaces` with the id of the one before";
            self.report(Diagnostic::warning("G121", message).help(help), &self.approval_path("replaces"));
        }
    }

    /// Where a key of the approval stands.
    pub(super) fn approval_path(&self, key: &'static str) -> Vec<&'static str> {
        let guideline = self.guideline;
        if guideline.metadata.schema.starts_with("1.") {
            vec![key]
        } else if guideline.places.has(&["metadata", "approval"]) {
            vec!["metadata", "approval", key]
        } else {
            vec!["metadata", "os_trademark_approval", key]
        }
    }

    fn addresses(&mut self) {
        let guideline = self.guideline;
        let metadata = &guideline.metadata;
        let old = metadata.schema.starts_with("1.");
        let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
        for (key, address) in [("source", &metadata.source), ("reference", &metadata.reference)] {
            let path = if old { vec![key] } else { vec!["metadata", key] };
            all.extend(address.as_deref().map(|address| (address, path)));
        }
        for (name, repository) in &guideline.test_repositories {
            let path = if old {
                vec!["test-repositories", name, "url"]
            } else {
                vec!["test_repositories", name, "repository"]
            };
            all.push((&repository.repository, path));
        }
        for program in &guideline.programs {
            for (key, refs) in
                [("components", &program.components), ("required_platform_components", &program.host_components)]
            {
                for one in refs {
                    let top = if guideline.places.has(&["add-ons"]) { "add-ons" } else { "platforms" };
                    let path = vec![top, &program.name, key, &one.name];
                    all.extend(one.source.as_deref().map(|source| (source, path)));
                }
            }
        }
        let named = metadata.source.as_deref().filter(|source| source.ends_with(".json"));
        let stem = named.and_then(|source| source.rsplit('/').next()?.strip_suffix(".json"));
        if let Some(stem) = stem.filter(|stem| *stem != metadata.id.0) {
            let message = format!("the source of guideline {} is that of `{stem}`", metadata.id);
            let help = "write the address of this document";
            self.report(Diagnostic::warning("G122", message).help(help), &["metadata", "source"]);
        }
        for (address, path) in all {
            if address.starts_with("http://") {
                let message = format!("`{address}` is not https");
                let help = "write https; and never take an address for an identity: these have moved";
                self.report(Diagnostic::warning("G122", message).help(help), &path);
            }
        }
    }
}
