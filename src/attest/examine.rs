//! One pass over a bundle: judged again, and read for what statements and admissions speak about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::facts::{facts_of, shown};
use super::fingerprint::Fingerprint;
use super::known::set_digest;
use crate::canon::{Digest, digest_file};
use crate::capability::{Family, Outcome};
use crate::expr::{UNIQUE_DIGITS, unique_name};
use crate::guideline::{Guideline, Waivers};
use crate::http::Exchange;
use crate::report::bundle::{BundleError, names};
use crate::report::inputs::RunInputs;
use crate::report::rejudge::{self, Findings, Opened};
use crate::score::ProgramScore;
use crate::transcript::Content;

/// Longest prefix of a name made from the seed that is looked for.
const LONGEST_PREFIX: usize = 64;

/// A bundle with everything that follows from its evidence.
#[derive(Debug)]
pub struct Examined {
    /// What verification found. Where it is not clean, the rest is not to be believed.
    pub findings: Findings,
    /// Digest of the manifest: it stands for the bundle.
    pub manifest: Digest,
    /// Digest of the transcript.
    pub transcript: Digest,
    /// Inputs of the run.
    pub inputs: RunInputs,
    /// Guideline with its digest.
    pub guideline: Option<(Guideline, Digest)>,
    /// Waivers.
    pub waivers: Waivers,
    /// Digest of the file of waivers.
    pub waivers_digest: Option<Digest>,
    /// Digest of the set of suites.
    pub suites: Digest,
    /// Verdicts.
    pub programs: Vec<ProgramScore>,
    /// Outcome of each case, in suite order, and whether it passed on a retry only.
    pub cases: Vec<(String, Outcome, bool)>,
    /// What stands for the target.
    pub fingerprint: Fingerprint,
    /// What shows that the evidence was made for the seed, and when.
    pub freshness: Freshness,
}

/// What the evidence says of its own age.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Names made from the seed that were sent.
    pub sent: u32,
    /// Of these, those that came back in an answer.
    pub echoed: u32,
    /// First and last wall clock of anything recorded, milliseconds since 1970.
    pub recorded: Option<(i64, i64)>,
    /// How far the target's `date` is from the clock of the run, in milliseconds: the least and the greatest.
    pub skew: Option<(i64, i64)>,
}

impl Examined {
    /// Examines a bundle.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn of(folder: &Path) -> Result<Self, BundleError> {
        let (findings, taken) = rejudge::examine(folder, |bundle, collected, programs| {
            let (fingerprint, freshness) = survey(bundle);
            let entries = collected.entries().map(|entry| (entry.id, entry.result.outcome, entry.flaky));
            (bundle.inputs.clone(), programs.to_vec(), entries.collect::<Vec<_>>(), fingerprint, freshness)
        })?;
        let (inputs, programs, cases, fingerprint, freshness) = taken;
        let digest = |name: &str| {
            let path = folder.join(name);
            digest_file(&path).map_err(|error| BundleError::invalid(&path, error.to_string()))
        };
        let maybe = |name: &str| folder.join(name).is_file().then(|| digest(name)).transpose();
        let (guideline, waivers) = rejudge::open_rules(folder, &inputs)?;
        let guideline = match (guideline, maybe(names::GUIDELINE)?) {
            (Some(guideline), Some(digest)) => Some((guideline, digest)),
            _ => None,
        };
        Ok(Self {
            findings,
            manifest: digest(names::MANIFEST)?,
            transcript: digest(names::TRANSCRIPT)?,
            guideline,
            waivers,
            waivers_digest: maybe(names::WAIVERS)?,
            suites: set_digest(&inputs),
            inputs,
            programs,
            cases,
            fingerprint,
            freshness,
        })
    }

    /// Number of cases by outcome.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<Outcome, u32> {
        let mut counts = BTreeMap::new();
        for (_, outcome, _) in &self.cases {
            *counts.entry(*outcome).or_insert(0) += 1;
        }
        counts
    }

    /// `family/version` of the guideline.
    #[must_use]
    pub fn guideline_id(&self) -> Option<String> {
        let (guideline, _) = self.guideline.as_ref()?;
        Some(guideline.full_id())
    }

    /// The family, when it is one that guidelines know.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.inputs.family.parse().ok()
    }
}

/// Collects from one exchange after the other.
struct Survey<'b> {
    facts: &'static [super::Fact],
    fingerprint: Fingerprint,
    freshness: Freshness,
    seed: &'b str,
}

fn survey(bundle: &Opened) -> (Fingerprint, Freshness) {
    let inputs = &bundle.inputs;
    let base = inputs.target.get("base").and_then(|base| base.as_str()).unwrap_or_default();
    let mut survey = Survey {
        facts: inputs.family.parse().map(facts_of).unwrap_or_default(),
        fingerprint: Fingerprint::new(&inputs.family, base),
        freshness: Freshness::default(),
        seed: &inputs.seed,
    };
    for case in bundle.transcript.cases() {
        for attempt in bundle.transcript.attempts(case) {
            let Ok(Some(events)) = bundle.transcript.load(case, attempt) else { continue };
            survey.at(events.start_at_ms);
            let exchanges = events.events.values().filter_map(|content| match content {
                Content::Exchange { exchange, .. } => Some(&***exchange),
                _ => None,
            });
            survey.attempt(case, &exchanges.collect::<Vec<_>>());
        }
    }
    (survey.fingerprint, survey.freshness)
}

impl Survey<'_> {
    fn at(&mut self, ms: i64) {
        let (first, last) = self.freshness.recorded.unwrap_or((ms, ms));
        self.freshness.recorded = Some((first.min(ms), last.max(ms)));
    }

    fn attempt(&mut self, case: &str, exchanges: &[&Exchange]) {
        let seed = format!("{}/{case}", self.seed);
        let mut sent = BTreeSet::new();
        for exchange in exchanges {
            self.at(exchange.at_ms);
            names_from_seed(&seed, &exchange.request.url, &mut sent);
            if let Ok(body) = std::str::from_utf8(exchange.request.body.bytes()) {
                names_from_seed(&seed, body, &mut sent);
            }
            for (name, value) in shown(self.facts, exchange) {
                self.fingerprint.facts.entry(name.to_owned()).or_default().insert(value);
            }
            let Some(response) = &exchange.response else { continue };
            if let Some(tls) = &response.tls {
                self.fingerprint.certificates.insert(tls.certificate.to_string());
            }
            let date = response.headers.0.iter().find(|(name, _)| name == "date");
            if let Some(date) = date.and_then(|(_, text)| jiff::fmt::rfc2822::parse(text).ok()) {
                let skew = date.timestamp().as_millisecond() - exchange.at_ms;
                let (least, most) = self.freshness.skew.unwrap_or((skew, skew));
                self.freshness.skew = Some((least.min(skew), most.max(skew)));
            }
        }
        let finders: Vec<_> = sent.iter().map(|name| memchr::memmem::Finder::new(name.as_bytes())).collect();
        let comes_back = |finder: &&memchr::memmem::Finder<'_>| {
            let mut answers = exchanges.iter().filter_map(|exchange| exchange.response.as_ref());
            answers.any(|answer| (200..300).contains(&answer.status) && finder.find(answer.body.bytes()).is_some())
        };
        let echoed = finders.iter().filter(comes_back).count();
        self.freshness.sent += u32::try_from(sent.len()).unwrap_or(u32::MAX);
        self.freshness.echoed += u32::try_from(echoed).unwrap_or(u32::MAX);
    }
}

/// The names in a text that `unique` makes of the seed. A name is found by its ten digits and computed again for every
/// prefix that may be meant, so nothing is taken for one by chance.
fn names_from_seed(seed: &str, text: &str, found: &mut BTreeSet<String>) {
    let bytes = text.as_bytes();
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    for hyphen in memchr::memchr_iter(b'-', bytes) {
        let end = hyphen + 1 + UNIQUE_DIGITS;
        let Some(digits) = text.get(hyphen + 1..end).filter(|digits| digits.as_bytes().iter().all(is_digit)) else {
            continue;
        };
        let before = bytes.get(..hyphen).unwrap_or_default();
        let length = before.iter().rev().take(LONGEST_PREFIX).take_while(|byte| is_inner(**byte)).count();
        for start in hyphen - length..hyphen {
            let Some(prefix) = text.get(start..hyphen) else { continue };
            let name = unique_name(seed, prefix);
            if name.ends_with(digits) {
                found.insert(name);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_seed_are_found_and_others_are_not() {
        let own = unique_name("seed/a.b", "assize-srv");
        let other = unique_name("other/a.b", "assize-srv");
        let mut found = BTreeSet::new();
        names_from_seed("seed/a.b", &format!("/servers?name={own}&x={other}&y=srv-0123456789-é"), &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [own]);
    }
}
