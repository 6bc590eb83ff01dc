//! `assize list --covers`: which upstream tests the cases stand for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::capability::{LifeCycle, Outcome, TestId, upstream_id};
use crate::guideline::{Guideline, Waivers};
use crate::report::assemble;
use crate::score::{ProgramScore, Results, TestResult, TestScore, score};
use crate::suite::Catalogue;
use crate::text::plural;

use super::args::ListArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::inputs;

/// Lists what the cases cover, with a guideline: what of its required tests.
///
/// # Errors
/// When suites or guideline cannot be used, or nothing is selected.
pub fn covers(context: &Context, args: &ListArgs) -> Result<Exit, CliError> {
    let loaded = inputs::catalogue(context, args.suites.suites.as_deref())?;
    match &args.guideline {
        None => all(context, args, &loaded.catalogue),
        Some(name) => {
            let guideline = inputs::guideline(context, &loaded, name)?.guideline;
            required(context, args, &loaded.catalogue, &guideline)
        }
    }
}

/// Every upstream test with its cases.
fn all(context: &Context, args: &ListArgs, catalogue: &Catalogue) -> Result<Exit, CliError> {
    let mut covered: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (upstream, covering) in assemble::covered(catalogue) {
        let family = args.family.as_ref().is_none_or(|family| *family == covering.suite.family);
        if family && super::run::selection(&args.suites).takes(&covering.id) {
            covered.entry(upstream).or_default().insert(covering.id);
        }
    }
    if covered.is_empty() {
        return Err(CliError::new(Exit::NothingRan, "no selected case says that it covers an upstream test"));
    }
    for (upstream, cases) in &covered {
        if args.json {
            context.say(serde_json::json!({"covers": upstream, "cases": cases}).to_string());
        } else {
            context.say(format!("{upstream}  {}", cases.iter().cloned().collect::<Vec<_>>().join(", ")));
        }
    }
    context.tell(format!("{} are covered", plural(covered.len(), "upstream test")));
    Ok(Exit::Ok)
}

/// A required test with the cases that are evidence for it.
struct Line<'s> {
    capability: &'s str,
    test: &'s TestScore,
    cases: Vec<String>,
}

/// Asks the scorer: if every case passed, which tests would be proven, and by which cases?
fn required(
    context: &Context,
    args: &ListArgs,
    catalogue: &Catalogue,
    guideline: &Guideline,
) -> Result<Exit, CliError> {
    let (results, programs) = if_all_passed(catalogue, guideline)?;
    let mut lines: BTreeMap<(&str, &str), Line<'_>> = BTreeMap::new();
    for capability in programs.iter().flat_map(|program| &program.required) {
        for test in &capability.tests {
            let own = results.get(&test.test).map(|_| test.test.to_string());
            let cases = own.into_iter().chain(test.ran_as.iter().map(ToString::to_string)).collect();
            let line = Line { capability: capability.capability.as_str(), test, cases };
            lines.insert((line.capability, test.test.as_str()), line);
        }
    }
    if lines.is_empty() {
        return Err(CliError::new(Exit::NothingRan, "the guideline requires no test"));
    }
    let ids = ids(guideline);
    let mut shown = "";
    for line in lines.values() {
        if args.json {
            context.say(json(line, ids.get(&line.test.test)).to_string());
            continue;
        }
        if shown != line.capability {
            shown = line.capability;
            context.say(context.data(Paint::Bold, shown));
        }
        let (word, colour) = if line.cases.is_empty() { ("nobody", Paint::Bad) } else { ("covered", Paint::Good) };
        let flagged = if line.test.marks.flagged { context.data(Paint::Doubt, " flagged") } else { String::new() };
        context.say(format!("  {}{flagged} {}", context.data(colour, &format!("{word:<7}")), line.test.test));
        if !line.cases.is_empty() {
            context.say(context.data(Paint::Dim, &format!("          {}", line.cases.join(", "))));
        }
    }
    let counts = Counts::of(lines.values());
    if args.json {
        context.say(counts.json().to_string());
    } else {
        context.say("");
        let groups = by_component(guideline, &lines);
        if groups.len() > 1 {
            let width = groups.keys().map(|name| name.len()).max().unwrap_or_default();
            for (name, counts) in &groups {
                let (all, covered) = (counts.counting.len(), counts.covered.len());
                context.say(format!("{name:<width$}  {covered} of {all}"));
            }
            context.say("");
        }
        context.say(counts.to_string());
    }
    Ok(Exit::Ok)
}

/// The results if every case passed, and what the programs would say.
fn if_all_passed(catalogue: &Catalogue, guideline: &Guideline) -> Result<(Results, Vec<ProgramScore>), CliError> {
    let family = guideline.metadata.family.as_str();
    let mut results = Results::new();
    let pass = TestResult { outcome: Outcome::Pass, flaky: false };
    for instance in catalogue.instances() {
        let Some((suite, case)) = catalogue.get(instance).filter(|(suite, _)| suite.family == family) else { continue };
        if let (Ok(test), Ok(row)) = (TestId::of_case(&suite.id, &case.id), catalogue.id(instance).parse()) {
            results.add(test, pass);
            results.add_part(row, pass);
        }
    }
    assemble::cover(&mut results, catalogue, family);
    let programs = score(guideline, None, &results, &Waivers::none(), Date::ZERO)
        .map_err(|error| CliError::new(Exit::Usage, error.to_string()))?;
    Ok((results, programs))
}

/// Ids, with rows, of the cases that are evidence for what the programs require; all programs when none is named.
///
/// # Errors
/// When the guideline cannot be scored.
pub fn needed(catalogue: &Catalogue, guideline: &Guideline, programs: &[String]) -> Result<Vec<String>, CliError> {
    let (results, scores) = if_all_passed(catalogue, guideline)?;
    let asked = |score: &&ProgramScore| programs.is_empty() || programs.contains(&score.program);
    let tests = scores.iter().filter(asked).flat_map(|score| &score.required).flat_map(|one| &one.tests);
    let named: BTreeSet<&str> = tests
        .flat_map(|test| results.get(&test.test).map(|_| &test.test).into_iter().chain(&test.ran_as))
        .map(TestId::as_str)
        .collect();
    let ids = catalogue.instances().map(|instance| catalogue.id(instance));
    let plain = |id: &str| id.split('[').next().unwrap_or_default().to_owned();
    Ok(ids.filter(|id| named.contains(id.as_str()) || named.contains(plain(id).as_str())).collect())
}

/// Tests by their first id.
fn ids(guideline: &Guideline) -> BTreeMap<&TestId, String> {
    let tests = guideline.capabilities.values().flat_map(|capability| &capability.tests);
    tests.filter_map(|(name, test)| Some((name, upstream_id(test.idempotent_id.as_deref()?)?))).collect()
}

fn json(line: &Line<'_>, id: Option<&String>) -> serde_json::Value {
    serde_json::json!({
        "capability": line.capability,
        "level": LifeCycle::Required,
        "test": line.test.test,
        "idempotent_id": id,
        "flagged": line.test.marks.flagged,
        "covered": !line.cases.is_empty(),
        "cases": line.cases,
        "note": line.test.note,
    })
}

/// The counts of each component that has something to count.
fn by_component<'g>(guideline: &'g Guideline, lines: &BTreeMap<(&str, &str), Line<'_>>) -> BTreeMap<&'g str, Counts> {
    let counts = guideline.components.iter().map(|(name, component)| {
        let listed = component.listed(LifeCycle::Required);
        let own = lines.values().filter(|line| listed.iter().any(|id| id.as_str() == line.capability));
        (name.as_str(), Counts::of(own))
    });
    counts.filter(|(_, counts)| !counts.counting.is_empty()).collect()
}

/// Unique required tests; flagged ones apart.
#[derive(Default)]
struct Counts {
    counting: BTreeSet<String>,
    covered: BTreeSet<String>,
    flagged: BTreeSet<String>,
    flagged_covered: BTreeSet<String>,
}

impl Counts {
    fn of<'s>(lines: impl Iterator<Item = &'s Line<'s>>) -> Counts {
        let mut counts = Counts::default();
        for line in lines {
            let name = line.test.test.to_string();
            let (all, covered) = if line.test.marks.flagged {
                (&mut counts.flagged, &mut counts.flagged_covered)
            } else {
                (&mut counts.counting, &mut counts.covered)
            };
            if !line.cases.is_empty() {
                covered.insert(name.clone());
            }
            all.insert(name);
        }
        counts
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "required": self.counting.len(),
            "covered": self.covered.len(),
            "not_covered": self.counting.len() - self.covered.len(),
            "flagged": self.flagged.len(),
            "flagged_covered": self.flagged_covered.len(),
        })
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (all, covered) = (self.counting.len(), self.covered.len());
        write!(f, "{covered} of {all} required tests are covered, {} are not", all - covered)?;
        if !self.flagged.is_empty() {
            let (flagged, covered) = (self.flagged.len(), self.flagged_covered.len());
            write!(f, "; of {flagged} flagged ones, which do not count, {covered}")?;
        }
        Ok(())
    }
}
