//! A derived guideline and its parent; the steps of a life; what was approved.

use crate::text::{Diagnostic, Diagnostics};

use super::super::difference::{Difference, content_digest, differences};
use super::super::model::{ApprovalStatus, Derived, DerivedChange, Guideline};
use super::Lint;

const DERIVED: [&str; 3] = ["metadata", "assize", "derived"];

/// The problems between a derived guideline and its parent. `parent` is what is known under the parent's id.
pub fn lint_derived(own: &Guideline, parent: Option<&Guideline>) -> Diagnostics {
    let mut lint = Lint::new(own);
    if let Some(derived) = &own.metadata.derived {
        lint.derived(derived, parent);
    }
    lint.found
}

impl Lint<'_> {
    fn derived(&mut self, derived: &Derived, parent: Option<&Guideline>) {
        let path = |key: &'static str| [DERIVED[0], DERIVED[1], DERIVED[2], key];
        let Some(parent) = parent else {
            let message = format!("the parent `{}` is not known", derived.parent);
            let help = "give the file of the parent too, or write its id as `family/version`";
            self.report(Diagnostic::error("G153", message).help(help), &path("parent"));
            return;
        };
        let digest = parent.places.digest();
        if digest != Some(derived.digest) {
            let now = digest.map_or_else(String::new, |digest| format!(": it has the digest {digest}"));
            let message = format!("`{}` is another document than the parent{now}", derived.parent);
            let help = "look at what changed in the parent (`assize guideline diff`), then write its new digest";
            self.report(Diagnostic::error("G153", message).help(help), &path("digest"));
        }
        let all = differences(parent, self.guideline);
        for one in all.iter().filter(|one| !derived.changes.iter().any(|change| explains(change, one))) {
            let (kind, part) = (one.kind.as_str(), one.part.as_str());
            let message = format!("{part} `{}` {} ({kind}), and nothing says why", one.name, one.note);
            let help = format!(
                "add `{{\"kind\": \"{kind}\", \"what\": \"{}\", \"reason\": …, \"owner\": …}}` to the changes",
                one.name
            );
            self.report(Diagnostic::error("G154", message).help(help), &path("changes"));
        }
        for change in derived.changes.iter().filter(|change| !all.iter().any(|one| explains(change, one))) {
            let message =
                format!("`{}` is listed as a change ({}), but is as in the parent", change.what, change.kind.as_str());
            self.report(Diagnostic::warning("G155", message).help("remove it from the changes"), &path("changes"));
        }
    }

    /// What was approved is what stands there.
    pub(super) fn content(&mut self) {
        let approval = &self.guideline.metadata.approval;
        let in_force = matches!(approval.status, Some(ApprovalStatus::Approved | ApprovalStatus::Superseded));
        if !self.is_ours() {
            return;
        }
        let own = content_digest(self.guideline);
        match approval.content {
            Some(stated) if stated != own => {
                let message = format!("what stands here has the digest {own}, approved was {stated}");
                let help = "take back what changed: only flags, aliases and texts may; or make the next guideline";
                self.report(Diagnostic::error("G156", message).help(help), &["metadata", "approval", "content"]);
            }
            None if in_force && approval.status == Some(ApprovalStatus::Approved) => {
                let message = "it is approved, but does not say what was";
                let help = format!("add `\"content\": \"{own}\"` to the approval; then a change of it is noticed");
                self.report(Diagnostic::warning("G156", message).help(help), &["metadata", "approval"]);
            }
            _ => {}
        }
    }

    /// One step at a time.
    pub(super) fn steps(&mut self, old: &Guideline) {
        let rank = |guideline: &Guideline| match guideline.metadata.approval.status {
            None | Some(ApprovalStatus::Draft) => 0,
            Some(ApprovalStatus::Advisory) => 1,
            Some(ApprovalStatus::Approved) => 2,
            Some(ApprovalStatus::Superseded) => 3,
        };
        let (was, is): (i32, i32) = (rank(old), rank(self.guideline));
        // That what is approved went back is said by another rule.
        if was >= 2 || is == was || is == was + 1 {
            return;
        }
        let word =
            |rank: i32| ["a draft", "advisory", "approved", "superseded"].get(rank.unsigned_abs() as usize).copied();
        let message = format!("it was {}, now it is {}", word(was).unwrap_or_default(), word(is).unwrap_or_default());
        let help =
            "a guideline is a draft, then advisory, then approved, then superseded; vendors need each step to prepare";
        self.report(Diagnostic::error("G157", message).help(help), &self.approval_path("status"));
    }
}

fn explains(change: &DerivedChange, difference: &Difference) -> bool {
    change.kind == difference.kind && change.what == difference.name
}
