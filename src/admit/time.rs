//! Age, windows, challenges, clocks.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{AdmitError, Other, Submission};
use crate::attest::Problem;
use crate::guideline::ApprovalStatus;

/// What a clock may be off while something is recorded, in milliseconds.
const SLACK_MS: i64 = 60_000;

fn day(ms: i64) -> Date {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).date()
}

/// Not too old, not in the future.
pub(super) fn age(submission: &Submission<'_>) -> Vec<Problem> {
    let Submission { bundle, rules, on, .. } = submission;
    let (start, end) =
        (bundle.inputs.started_at_ms, bundle.inputs.finished_at_ms.unwrap_or(bundle.inputs.started_at_ms));
    let mut problems = Vec::new();
    let (first, last) = (day(start), day(end));
    if first > *on || last > *on {
        let message = format!("the run is of {last}, now it is {on}");
        problems.push(Problem::new("A402", message, "is the clock right that made the run?"));
        return problems;
    }
    let days = (*on - last).get_days();
    if i64::from(days) > i64::from(rules.max_age_days) {
        let message = format!("the run ended {days} days ago, the rules allow {}", rules.max_age_days);
        problems.push(Problem::new("A401", message, "run again"));
    }
    problems
}

/// The guideline takes reports of that day.
pub(super) fn guideline(submission: &Submission<'_>) -> Vec<Problem> {
    const HELP: &str = "rules.yaml lists the guidelines and their windows; run against one that is open";
    let Submission { bundle, rules, .. } = submission;
    let Some((guideline, id)) = bundle.guideline.as_ref().zip(bundle.guideline_id()) else {
        return vec![Problem::new("A403", "the run has no guideline", HELP)];
    };
    let Some(window) = rules.guideline(&id) else {
        return vec![Problem::new("A403", format!("the rules take no reports for guideline {id}"), HELP)];
    };
    let mut problems = Vec::new();
    let began = day(bundle.inputs.started_at_ms);
    if began < window.from || began > window.until {
        let message =
            format!("guideline {id} takes runs from {} until {}, this one began on {began}", window.from, window.until);
        problems.push(Problem::new("A403", message, HELP));
    }
    let status = guideline.0.metadata.approval.status.unwrap_or(ApprovalStatus::Draft);
    if !window.status.contains(&status) {
        let word = format!("{status:?}").to_lowercase();
        problems.push(Problem::new("A403", format!("guideline {id} is {word}, which the rules do not take"), HELP));
    }
    problems
}

/// What was recorded happened during the run, by the clocks of both sides.
pub(super) fn recorded(submission: &Submission<'_>) -> Vec<Problem> {
    let Submission { bundle, rules, .. } = submission;
    let mut problems = Vec::new();
    let (start, end) = (bundle.inputs.started_at_ms, bundle.inputs.finished_at_ms.unwrap_or(i64::MAX));
    if let Some((first, last)) = bundle.freshness.recorded
        && (first < start.saturating_sub(SLACK_MS) || last > end.saturating_add(SLACK_MS))
    {
        let shown = |ms: i64| Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string());
        let message = format!(
            "something was recorded between {} and {}, the run began at {}",
            shown(first),
            shown(last),
            shown(start)
        );
        problems.push(Problem::new("A410", message, "hand in the transcript of this run"));
    }
    if let Some((least, most)) = bundle.freshness.skew {
        let allowed = i64::from(rules.max_clock_skew_minutes) * 60_000;
        let worst = if least.abs() > most.abs() { least } else { most };
        if worst.abs() > allowed {
            let message = format!("the target dates an answer {} minutes from the clock of the run", worst / 60_000);
            problems.push(Problem::new(
                "A411",
                message,
                "set both clocks; answers that were kept from an earlier run do not count",
            ));
        }
    }
    problems
}

/// The seed is a nonce that the foundation gave out for this product, and the run knew it.
pub(super) fn challenge(submission: &Submission<'_>, others: &[Other]) -> Result<Vec<Problem>, AdmitError> {
    let Submission { bundle, product, ledger, rules, .. } = submission;
    let seed = &bundle.inputs.seed;
    let mut problems = Vec::new();
    let Some(challenge) = ledger.challenge(seed)? else {
        if rules.challenge.holds(!product.programs.is_empty()) {
            let ours = ledger.has_challenge(&product.vendor.id, &product.product.id)?;
            problems.push(if ours {
                let message = format!("the seed `{seed}` is not the nonce of a challenge");
                Problem::new("A405", message, "run with --seed NONCE of the challenge that was issued for this product")
            } else {
                let message = format!("no challenge was issued for {}/{}", product.vendor.id, product.product.id);
                Problem::new("A404", message, "ask for one (`assize challenge`), then run with its nonce as --seed")
            });
        }
        return Ok(problems);
    };
    let other_version = challenge.version.as_ref().is_some_and(|version| *version != product.version);
    if challenge.vendor != product.vendor.id || challenge.product != product.product.id || other_version {
        let version = challenge.version.as_deref().unwrap_or("any version");
        let message =
            format!("the nonce `{seed}` was issued for {}/{}, {version}", challenge.vendor, challenge.product);
        problems.push(Problem::new("A405", message, "run with the nonce of the challenge for this product"));
    }
    let began = Timestamp::from_millisecond(bundle.inputs.started_at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    if began < challenge.issued || began > challenge.expires {
        let message = format!(
            "the run began at {began}, the challenge was open from {} to {}",
            challenge.issued, challenge.expires
        );
        problems.push(Problem::new("A406", message, "ask for a new challenge and run while it is open"));
    }
    if bundle.freshness.echoed == 0 {
        let message = format!("of {} names made from the seed none comes back in an answer", bundle.freshness.sent);
        problems.push(Problem::new(
            "A407",
            message,
            "run with --allow write at least: names show that the answers are of this run",
        ));
    }
    if let Some(other) = others.iter().find(|other| other.seed == *seed) {
        let message = format!("the nonce `{seed}` was used for {}", other.name);
        problems.push(Problem::new("A409", message, "ask for a new challenge: each is good for one report"));
    }
    Ok(problems)
}
