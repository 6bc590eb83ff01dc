//! One verdict over the programs of several guidelines.

use serde::Serialize;

use super::{ProgramScore, Score, Verdict};
use crate::guideline::composite::CompositeProgram;

/// The score of a composite program.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompositeScore {
    /// Its name.
    pub program: String,
    /// The verdict: the worst of the required parts.
    pub verdict: Verdict,
    /// Weights of the required parts together.
    pub score: Score,
    /// The parts, in the order of the guideline.
    pub parts: Vec<PartScore>,
}

/// The score of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartScore {
    /// Its name.
    pub part: String,
    /// `family/version` of its guideline.
    pub guideline: String,
    /// Whether the verdict depends on it.
    pub required: bool,
    /// Its verdict; `unproven` without evidence.
    pub verdict: Verdict,
    /// How it comes about; absent without evidence.
    pub score: Option<ProgramScore>,
}

/// Puts the scores of the parts together; they come in the order of the parts, `None` where there is no evidence.
#[must_use]
pub fn compose(program: &CompositeProgram, scores: Vec<Option<ProgramScore>>) -> CompositeScore {
    let mut scores = scores.into_iter();
    let parts: Vec<PartScore> = program
        .parts
        .iter()
        .map(|part| {
            let score = scores.next().flatten();
            PartScore {
                part: part.name.clone(),
                guideline: part.guideline.clone(),
                required: part.required,
                verdict: score.as_ref().map_or(Verdict::Unproven, |score| score.verdict),
                score,
            }
        })
        .collect();
    let required = || parts.iter().filter(|part| part.required);
    let has = |wanted: Verdict| required().any(|part| part.verdict == wanted);
    let verdict = if has(Verdict::NotConformant) {
        Verdict::NotConformant
    } else if has(Verdict::Unproven) || required().next().is_none() {
        Verdict::Unproven
    } else if has(Verdict::ConformantWithWaivers) {
        Verdict::ConformantWithWaivers
    } else {
        Verdict::Conformant
    };
    // A part without evidence has no weight that is known; it must not make the whole look complete.
    let missing = required().filter(|part| part.score.is_none()).count() as u64;
    let scored = || required().filter_map(|part| part.score.as_ref());
    let passed = scored().fold(0_u64, |sum, one| sum.saturating_add(one.score.passed));
    let total = scored().fold(missing, |sum, one| sum.saturating_add(one.score.total));
    CompositeScore { program: program.name.clone(), verdict, score: Score::new(passed, total), parts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guideline::GuidelineId;
    use crate::guideline::composite::CompositePart;

    fn score(verdict: Verdict, passed: u64, total: u64) -> ProgramScore {
        ProgramScore {
            guideline: GuidelineId("1".to_owned()),
            program: "P".to_owned(),
            verdict,
            score: Score::new(passed, total),
            required: Vec::new(),
            optional: Vec::new(),
            to_conform: Vec::new(),
            missing_components: Vec::new(),
            incomplete: None,
            waivers: Vec::new(),
        }
    }

    fn verdict(parts: &[(bool, Option<Verdict>)]) -> (Verdict, u64, u64) {
        let part = |(required, _): &(bool, Option<Verdict>)| CompositePart {
            name: "part".to_owned(),
            guideline: "redfish/1".to_owned(),
            digest: None,
            program: "P".to_owned(),
            required: *required,
        };
        let program = CompositeProgram {
            name: "Stack".to_owned(),
            description: String::new(),
            parts: parts.iter().map(part).collect(),
        };
        let scores = parts.iter().map(|(_, verdict)| {
            verdict.map(|verdict| score(verdict, if verdict == Verdict::Conformant { 2 } else { 1 }, 2))
        });
        let composed = compose(&program, scores.collect());
        (composed.verdict, composed.score.passed, composed.score.total)
    }

    #[test]
    fn the_worst_required_part_decides() {
        use Verdict::{Conformant, ConformantWithWaivers, NotConformant, Unproven};
        assert_eq!(verdict(&[(true, Some(Conformant)), (true, Some(Conformant))]), (Conformant, 4, 4));
        assert_eq!(verdict(&[(true, Some(Conformant)), (true, Some(ConformantWithWaivers))]).0, ConformantWithWaivers);
        assert_eq!(verdict(&[(true, Some(Unproven)), (true, Some(ConformantWithWaivers))]).0, Unproven);
        assert_eq!(verdict(&[(true, Some(Unproven)), (true, Some(NotConformant))]).0, NotConformant);
        assert_eq!(verdict(&[(true, Some(Conformant)), (false, Some(NotConformant))]), (Conformant, 2, 2));
        assert_eq!(verdict(&[(true, Some(Conformant)), (true, None)]), (Unproven, 2, 3));
        assert_eq!(verdict(&[(false, Some(Conformant))]).0, Unproven, "nothing required is nothing proven");
        assert_eq!(verdict(&[]).0, Unproven);
    }
}
