//! What a run is going to do, said before it does it.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::inputs::RunInputs;
use crate::suite::{Catalogue, InstanceRef, PlanLine, RequestStep, Risk, Step, StepKind, Suite};
use crate::text::plural;

use super::context::Context;
use super::exit::Exit;

/// Kinds of resources named; the rest is counted.
const SHOWN: usize = 8;

/// Says how many cases there are and what they create, and gives the lines that the engine adds about its choices.
pub fn announce(
    context: &Context,
    catalogue: &Catalogue,
    inputs: &RunInputs,
    instances: &[InstanceRef],
) -> Vec<PlanLine> {
    let allowed: Vec<InstanceRef> = instances.iter().copied().filter(|at| is_allowed(catalogue, *at, inputs)).collect();
    let fixtures = needed(catalogue, &allowed);
    let lines = catalogue.family(&inputs.family).map(|family| family.plan.as_slice()).unwrap_or_default();
    let own: Vec<PlanLine> = lines.iter().filter(|line| fixtures.contains(line.fixture.as_str())).cloned().collect();
    if own.is_empty() {
        return own;
    }
    let created = created(catalogue, &allowed, &fixtures);
    context.tell(format!(
        "Plan: {} on {}",
        plural(allowed.len(), "case"),
        inputs.target["base"].as_str().unwrap_or("?")
    ));
    if !created.is_empty() {
        let mut sorted: Vec<(&String, &usize)> = created.iter().collect();
        sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let named: Vec<String> = sorted.iter().take(SHOWN).map(|(what, count)| format!("{count} x {what}")).collect();
        let rest: usize = sorted.iter().skip(SHOWN).map(|(_, count)| **count).sum();
        let more = if rest > 0 { format!(", {rest} others") } else { String::new() };
        context.tell(format!("  creates at most, and removes again: {}{more}", named.join(", ")));
    }
    own
}

/// The order in which cases are started: as in the files with one request at a time, otherwise with the services taking
/// turns, since two requests to one service keep each other waiting.
#[must_use]
pub fn order(catalogue: &Catalogue, instances: &[InstanceRef], jobs: u32) -> Vec<InstanceRef> {
    let mut groups: BTreeMap<Option<&str>, Vec<InstanceRef>> = BTreeMap::new();
    for instance in instances {
        let service = catalogue.get(*instance).and_then(|(suite, _)| suite.service.as_deref());
        groups.entry(service).or_default().push(*instance);
    }
    if jobs == 1 || groups.len() < 2 {
        return instances.to_vec();
    }
    // Each group is spread evenly over the run. In it, cases that wait for each other come first, then those that wait for
    // the target: begun last, they would be what the run waits for.
    let patience = |instance: &InstanceRef| match catalogue.get(*instance) {
        Some((_, case)) if !case.serial.is_empty() => 0,
        Some((suite, case)) if waits(suite, &case.whole().steps) => 1,
        _ => 2,
    };
    let mut placed: Vec<(u64, InstanceRef)> = Vec::with_capacity(instances.len());
    for group in groups.values_mut() {
        group.sort_by_cached_key(patience);
        let step = u64::MAX / 2 / group.len().max(1) as u64;
        placed.extend(group.iter().enumerate().map(|(at, instance)| (step / 2 + step * at as u64, *instance)));
    }
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().map(|(_, instance)| instance).collect()
}

/// Whether a step waits until something is true.
fn waits(suite: &Suite, steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.kind {
        StepKind::Request(request) => request.until.is_some(),
        StepKind::For { steps, .. } => waits(suite, steps),
        StepKind::Use { group, .. } => suite.groups.get(group).is_some_and(|group| waits(suite, &group.steps)),
        _ => false,
    })
}

/// Prints what would be run, case by case.
pub fn dry_run(context: &Context, catalogue: &Catalogue, inputs: &RunInputs, instances: &[InstanceRef]) -> Exit {
    let mut counts = BTreeMap::new();
    for instance in instances {
        let Some((_, case)) = catalogue.get(*instance) else { continue };
        let allowed = case.risk <= inputs.allow;
        *counts.entry(case.risk).or_insert(0_usize) += 1;
        let mark = if allowed { "" } else { "  (not allowed, would be skipped)" };
        context.say(format!("{:<10} {}{mark}", word(case.risk), catalogue.id(*instance)));
    }
    let counts: Vec<_> = counts.iter().map(|(risk, count)| format!("{count} {}", word(*risk))).collect();
    announce(context, catalogue, inputs, instances);
    context.tell(format!(
        "{} on {}; nothing was sent",
        counts.join(", "),
        inputs.target["base"].as_str().unwrap_or("?")
    ));
    Exit::Ok
}

fn word(risk: Risk) -> &'static str {
    match risk {
        Risk::Read => "read",
        Risk::Write => "write",
        Risk::Disruptive => "disruptive",
    }
}

fn is_allowed(catalogue: &Catalogue, instance: InstanceRef, inputs: &RunInputs) -> bool {
    catalogue.get(instance).is_some_and(|(_, case)| case.risk <= inputs.allow)
}

/// Fixtures that the cases need, also through other fixtures, and the sessions.
fn needed<'c>(catalogue: &'c Catalogue, instances: &[InstanceRef]) -> BTreeSet<&'c str> {
    let mut open: Vec<&str> = Vec::new();
    for instance in instances {
        let Some((suite, case)) = catalogue.get(*instance) else { continue };
        open.extend(case.needs.iter().map(|need| need.fixture.as_str()));
        let family = catalogue.family(&suite.family);
        open.extend(family.and_then(|family| family.sessions.get(crate::target::MAIN)).map(String::as_str));
    }
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if found.insert(id)
            && let Some((_, fixture)) = catalogue.fixture(id)
        {
            open.extend(fixture.needs.iter().map(|need| need.fixture.as_str()));
        }
    }
    found
}

/// How often each kind of thing is created at most: requests that have something to undo.
fn created(catalogue: &Catalogue, instances: &[InstanceRef], fixtures: &BTreeSet<&str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let cases = instances.iter().filter_map(|instance| catalogue.get(*instance));
    for (suite, case) in cases.chain(fixtures.iter().filter_map(|id| catalogue.fixture(id))) {
        count(suite, &case.whole().steps, &mut counts);
    }
    counts
}

fn count(suite: &Suite, steps: &[Step], counts: &mut BTreeMap<String, usize>) {
    for step in steps {
        match &step.kind {
            StepKind::Request(request) if !request.undo.is_empty() => {
                *counts.entry(described(suite, request)).or_default() += 1;
            }
            StepKind::Open(open) if !open.request.undo.is_empty() => {
                *counts.entry(described(suite, &open.request)).or_default() += 1;
            }
            StepKind::For { steps, .. } | StepKind::Parallel { steps, .. } => count(suite, steps, counts),
            StepKind::Use { group, .. } => {
                if let Some(group) = suite.groups.get(group) {
                    count(suite, &group.steps, counts);
                }
            }
            _ => {}
        }
    }
}

/// The service and the path as written, without what only the run knows.
fn described(suite: &Suite, request: &RequestStep) -> String {
    let service = request.service.as_deref().or(suite.service.as_deref()).unwrap_or_default();
    let path = request.url.source().split('?').next().unwrap_or_default();
    let text = format!("{} {service} {path}", request.method.source());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_wait_are_begun_first() {
        let text = |name: &str| {
            format!(
                "format: 1\nsuite: x.{name}\ntitle: T\nservice: {name}\ngroups:\n  until-on:\n    steps:\n      - {{get: /, until: body.on, expect: {{status: 200}}}}\ncases:\n\
                 {}{}{}",
                "  - {id: quick, title: T, capability: c, steps: [{get: /, expect: {status: 200}}]}\n",
                "  - {id: slow, title: T, capability: c, steps: [{use: until-on}, {check: {that: body.on}}]}\n",
                "  - {id: locked, title: T, capability: c, serial: l, steps: [{get: /, expect: {status: 200}}]}\n",
            )
        };
        let files = ["one", "two"].map(|name| (format!("{name}.yaml"), text(name)));
        let (catalogue, problems) = Catalogue::load(files);
        assert!(!problems.has_errors(), "{}", problems.render(false));
        let all: Vec<InstanceRef> = catalogue.instances().collect();
        let ids: Vec<String> = order(&catalogue, &all, 2).into_iter().map(|at| catalogue.id(at)).collect();
        let suffixes: Vec<&str> = ids.iter().filter_map(|id| id.strip_prefix("x.one.")).collect();
        assert_eq!(suffixes, ["locked", "slow", "quick"]);
    }

    #[test]
    fn services_take_turns_unless_cases_run_one_by_one() {
        let suite = |name: &str, cases: u32| {
            let mut text = format!("format: 1\nsuite: x.{name}\ntitle: T\nservice: {name}\ncases:\n");
            for case in 0..cases {
                text.push_str(&format!(
                    "  - {{id: c{case}, title: T, capability: c, steps: [{{get: /, expect: {{status: 200}}}}]}}\n"
                ));
            }
            (format!("{name}.yaml"), text)
        };
        let (catalogue, problems) = Catalogue::load([suite("one", 4), suite("two", 2)]);
        assert!(!problems.has_errors(), "{}", problems.render(false));
        let all: Vec<InstanceRef> = catalogue.instances().collect();
        let ids = |jobs| order(&catalogue, &all, jobs).into_iter().map(|at| catalogue.id(at)).collect::<Vec<_>>();
        assert_eq!(ids(2), ["x.one.c0", "x.two.c0", "x.one.c1", "x.one.c2", "x.two.c1", "x.one.c3"]);
        assert_eq!(ids(1), all.iter().map(|at| catalogue.id(*at)).collect::<Vec<_>>());
    }
}
