//! The worksheet of a capability: criteria, total, cut-off.

use crate::capability::CapabilityId;
use crate::text::{Diagnostic, plural};

use super::super::model::Capability;
use super::{Lint, one_of, suggest};

impl Lint<'_> {
    pub(super) fn worksheet(&mut self, id: &CapabilityId, capability: &Capability, required: bool) {
        let scoring = &self.guideline.metadata.scoring;
        let path = ["capabilities", id.as_str(), "criteria"];
        for key in capability.criteria.keys().filter(|key| !scoring.criteria.contains_key(*key)) {
            let message = format!("`{key}` is not a criterion of this guideline");
            let known: Vec<&str> = scoring.criteria.keys().map(String::as_str).collect();
            let problem = Diagnostic::error("G124", message).help(one_of(&known));
            let problem = suggest(problem, key, known);
            self.report(problem, &[path[0], path[1], path[2], key]);
        }
        let open = |key: &&String| capability.criteria.get(*key).is_none_or(|judgement| judgement.met.is_none());
        let open: Vec<&str> = scoring.criteria.keys().filter(open).map(String::as_str).collect();
        let has_sheet = !capability.criteria.is_empty();
        if has_sheet && !open.is_empty() {
            let message = format!("capability `{id}` is not scored on {}", open.join(", "));
            let help = "score them 1 or 0; until then it has no total";
            self.report(Diagnostic::warning("G124", message).help(help), &path);
        }
        let points = self.guideline.points(capability);
        let total = if capability.admin && has_sheet { 0 } else { points };
        if let Some(stated) = capability.total.filter(|stated| *stated != total) {
            let message = format!("the total of capability `{id}` is {total}, not {stated}");
            let help = match capability.admin {
                true => "what needs an administrator has no points; `assize guideline worksheet` computes totals",
                false => "it is the sum of the weights of the criteria met; `assize guideline worksheet` computes it",
            };
            self.report(Diagnostic::error("G117", message).help(help), &[path[0], path[1], "total"]);
        }
        let Some(cutoff) = scoring.cutoff_score.filter(|cutoff| required && total < *cutoff) else {
            return;
        };
        let missed = || {
            let met = |key: &String| {
                capability.achievements.contains(key)
                    || capability.criteria.get(key).is_some_and(|judgement| judgement.met == Some(true))
            };
            let missed = scoring.criteria.iter().filter(|(key, _)| !met(key));
            missed.map(|(key, criterion)| format!("{key} ({})", criterion.weight)).collect::<Vec<_>>().join(", ")
        };
        let message = format!(
            "required capability `{id}` has {} by its own {}, below the cut-off of {cutoff}",
            plural(total, "point"),
            if has_sheet { "worksheet" } else { "achievements" }
        );
        let help = format!("it lacks {}; bring the list up to date, or make it advisory", missed());
        let key = if has_sheet { "criteria" } else { "achievements" };
        self.report(Diagnostic::warning("G118", message).help(help), &[path[0], path[1], key]);
    }
}
