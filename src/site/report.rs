//! The page of a report: verdicts, what did not pass and why, all cases by capability, and how to check it.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::facts::{Facts, SlimCase, SlimReport};
use super::model::{Standing, day};
use super::shell::{self, At, Shell, page};
use super::state::Output;
use crate::capability::Outcome;
use crate::ledger::{Triage, TriageKind};
use crate::score::Status;

/// A report with all that its page shows.
#[derive(Debug)]
pub struct Whole<'r> {
    /// What is kept of it.
    pub facts: &'r Facts,
    /// The report.
    pub report: &'r SlimReport,
    /// Remarks on its cases.
    pub triage: &'r [Triage],
    /// Whether it counts.
    pub standing: &'r Standing,
}

/// The page.
pub fn render(shell: &Shell, whole: &Whole<'_>) -> Output {
    let Whole { facts, report, triage, standing } = whole;
    let id = &facts.identity;
    let path = shell::report_page(id);
    let at = At(&path);
    let guideline = facts.guideline_id();
    let not_passed: Vec<&SlimCase> = report.cases.iter().filter(|case| case.result.outcome != Outcome::Pass).collect();
    let body = html! {
        h1 { (facts.product) " " (id.version) " " span.dim { "against " (guideline) } }
        @if let Standing::Revoked { why, .. } = standing { p.notice.bad { strong { "Revoked: " } (why) } }
        @if *standing == &Standing::Aged { p.notice { "This run is older than the rules of the ledger allow." } }
        (verdicts(at, &guideline, facts))
        (counts(report))
        @for waiver in report.programs.iter().flat_map(|program| &program.waivers) {
            p.notice { strong { "Waiver: " } (waiver.waiver.reason) " (" (waiver.waiver.owner) ", until " (waiver.waiver.expires) ")" }
        }
        (capabilities(at, &guideline, report))
        @if !not_passed.is_empty() {
            h2 #not-passed { "Cases that did not pass" }
            (shell::filter("cases", "case or reason"))
            div.scroll tabindex="0" role="region" aria-label="Cases that did not pass" {
                table.sortable #cases {
                    thead { tr { th scope="col" { "Outcome" } th scope="col" { "Case" } th scope="col" { "Why" } } }
                    tbody { @for case in &not_passed { (row(case, triage)) } }
                }
            }
        }
        (passed(report))
        (check(facts))
    };
    let crumbs = [
        (facts.product.clone(), shell::product_page(&facts.product_id())),
        (guideline.clone(), shell::guideline_page(&guideline)),
    ];
    page(shell, &path, &format!("{} {}: {guideline}", facts.product, id.version), &crumbs, body)
}

fn verdicts(at: At<'_>, guideline: &str, facts: &Facts) -> Markup {
    html! {
        div.cards {
            @for program in &facts.programs {
                section class={ "card " (program.verdict.as_str()) } {
                    h2 { a href=(at.to(&super::program::path(guideline, &program.program))) { (program.program) } }
                    p { (shell::verdict(program.verdict)) @if program.claimed { " " span.tag { "claimed by the vendor" } } }
                    p.dim { (program.score.percent.to_string()) " %, " (program.met) " of " (program.required) " required capabilities" }
                }
            }
        }
    }
}

fn counts(report: &SlimReport) -> Markup {
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for case in &report.cases {
        *counts.entry(case.result.outcome).or_default() += 1;
    }
    let flaky = report.cases.iter().filter(|case| case.flaky).count();
    html! {
        p.counts {
            (shell::count(report.cases.len())) " cases: "
            @for (at, (outcome, n)) in counts.iter().enumerate() {
                @if at > 0 { ", " } (shell::count(*n)) " " (shell::outcome(*outcome))
            }
            @if flaky > 0 { ", " (flaky) " passed only when tried again" }
        }
    }
}

fn capabilities(at: At<'_>, guideline: &str, report: &SlimReport) -> Markup {
    let mut all: BTreeMap<&str, (crate::capability::LifeCycle, Status)> = BTreeMap::new();
    for one in report.programs.iter().flat_map(|program| program.required.iter().chain(&program.optional)) {
        let known = all.entry(&one.capability).or_insert((one.level, one.status));
        known.0 = known.0.min(one.level);
    }
    html! {
        @if !all.is_empty() {
            h2 #capabilities { "Capabilities" }
            (shell::filter("capability-table", "capability"))
            div.scroll tabindex="0" role="region" aria-label="Capabilities" {
                table.sortable #capability-table {
                    thead { tr { th scope="col" { "Capability" } th scope="col" { "Level" } th scope="col" { "Status" } } }
                    tbody {
                        @for (id, (level, status)) in &all {
                            tr {
                                th scope="row" { a href=(at.to(&shell::capability_page(guideline, id))) { (id) } }
                                td { (shell::level(*level)) }
                                td { (shell::status(*status)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(case: &SlimCase, triage: &[Triage]) -> Markup {
    html! {
        tr id=(case.id) {
            td { (shell::outcome(case.result.outcome)) }
            th scope="row" { code { (case.id) } div.dim { (case.title) } }
            td.why {
                (case.result.reason)
                @for note in triage.iter().filter(|note| note.is_about(&case.id)) {
                    div.triage {
                        strong { (kind(note.kind)) ": " } (note.note) " "
                        a href=(note.link) rel="nofollow" { "more" } " (" (note.author) ", " (note.date) ")"
                    }
                }
            }
        }
    }
}

fn kind(kind: TriageKind) -> &'static str {
    match kind {
        TriageKind::Product => "Fault of the product",
        TriageKind::Suite => "Fault of the suite",
        TriageKind::Specification => "Matter of the specification",
        TriageKind::Environment => "Matter of the environment",
    }
}

fn passed(report: &SlimReport) -> Markup {
    let mut by: BTreeMap<&str, Vec<&SlimCase>> = BTreeMap::new();
    for case in report.cases.iter().filter(|case| case.result.outcome == Outcome::Pass) {
        by.entry(case.capabilities.first().map_or("", String::as_str)).or_default().push(case);
    }
    html! {
        @if !by.is_empty() {
            h2 #passed { "Cases that passed" }
            @for (capability, cases) in &by {
                details {
                    summary { (if capability.is_empty() { "no capability" } else { capability }) " " span.dim { "(" (cases.len()) ")" } }
                    ul.cases { @for case in cases { li { code { (case.id) } @if case.flaky { " " span.tag.aged { "flaky" } } " " span.dim { (case.title) } } } }
                }
            }
        }
    }
}

fn check(facts: &Facts) -> Markup {
    let id = &facts.identity;
    let folder = format!("{}/{}/{}/{}/{}", id.family, id.guideline, id.vendor, id.product, id.version);
    html! {
        h2 #check { "Check it yourself" }
        p { "The bundle of this report is in the ledger. This recomputes every outcome from the recorded exchanges, offline:" }
        pre tabindex="0" { "assize verify " (folder) }
        dl.facts {
            dt { "Run" } dd { (day(facts.started_at_ms)) }
            dt { "Admitted" } dd { (facts.admitted) }
            dt { "Bundle" } dd { code { (facts.bundle) } }
            dt { "Guideline" } dd { code { (facts.guideline) } }
            dt { "Suites" } dd { code { (facts.suites) } }
            @if !facts.signed_by.is_empty() { dt { "Signed by" } }
            @for signer in &facts.signed_by { dd { (signer.name) " (" (signer.role) "), key " code { (signer.key) } } }
            @if facts.signed_by.is_empty() { dt { "Signed by" } dd { "nobody: nothing is claimed" } }
        }
    }
}
