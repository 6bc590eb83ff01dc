//! `report.html`: one file without any external reference. Every check that was false is shown with the exchange it was
//! made on. Works without JavaScript; a little of it adds filter and search.
//!
//! Written piece by piece, so that memory does not grow with the number of cases.

mod exchange;

pub(crate) use exchange::blocks as wire;

use std::io::Write;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::capability::{Outcome, TestId};
use crate::http::{Exchange, StreamEvent};
use crate::judge::Evidence as Place;
use crate::score::{CapabilityScore, ProgramScore};

use super::document::{CaseEntry, Report};
use super::junit::suite_of;

/// What a finding was made on.
#[derive(Debug)]
pub enum Shown {
    /// An exchange.
    Exchange(Exchange),
    /// A stream up to an event.
    Stream {
        /// The exchange that opened it.
        opening: Exchange,
        /// What happened on it, by event number.
        events: Vec<(u32, StreamEvent)>,
    },
}

/// Gives an event from the transcript: for the entry of that id, of that case or fixture, by its number.
pub type Evidence<'e> = &'e dyn Fn(&str, &str, u32) -> Option<Shown>;

/// Exchanges shown for one case.
const SHOWN_EXCHANGES: usize = 8;

/// Writes the document.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &Report<'_>, evidence: Evidence<'_>, mut out: impl Write) -> std::io::Result<()> {
    out.write_all(head(report).into_string().as_bytes())?;
    let mut suite = String::new();
    for entry in (report.cases)() {
        let of = suite_of(&entry.id);
        if of != suite {
            if !suite.is_empty() {
                out.write_all(b"</section>\n")?;
            }
            of.clone_into(&mut suite);
            write!(out, "<section class=\"suite\"><h3>{}</h3>", html!((suite)).into_string())?;
        }
        out.write_all(case(&entry, evidence).into_string().as_bytes())?;
        out.write_all(b"\n")?;
    }
    if !suite.is_empty() {
        out.write_all(b"</section>\n")?;
    }
    out.write_all(foot().into_string().as_bytes())
}

fn head(report: &Report<'_>) -> Markup {
    let base = report.run.target.get("base").and_then(|base| base.as_str()).unwrap_or("?");
    let body = html! {
        header {
            h1 { "Conformance report: " (base) }
            @if let Some(reason) = &report.run.interrupted {
                p.fail { strong { "The run did not reach its end: " } (reason) }
            }
            (facts(report))
        }
        main {
            @if !report.programs.is_empty() {
                h2 { "Programs" }
                div.cards { @for program in &report.programs { (card(program)) } }
                @for program in &report.programs { (capabilities(program)) }
            }
            h2 id="cases" { "Cases" }
            (filter(report))
        }
    };
    // The rest of `main` is written piece by piece.
    let text = body.into_string();
    let open = text.strip_suffix("</main>").unwrap_or(&text).to_owned();
    PreEscaped(format!("{}{open}", preamble(base).into_string()))
}

fn preamble(base: &str) -> Markup {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content="assize";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                title { "Conformance report: " (base) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {}
        }
    };
    let whole = whole.into_string();
    PreEscaped(whole.strip_suffix("</body></html>").unwrap_or(&whole).to_owned())
}

fn foot() -> Markup {
    PreEscaped(format!(
        "<footer><p class=\"dim\">Every outcome here can be recomputed from the bundle: <code>assize verify FOLDER</code></p></footer></main><script>{}</script></body></html>\n",
        include_str!("script.js")
    ))
}

fn facts(report: &Report<'_>) -> Markup {
    let run = &report.run;
    let s = &report.summary;
    html! {
        dl.facts {
            dt { "Guideline" } dd { (run.guideline.as_deref().unwrap_or("none")) }
            dt { "Run" } dd { code { (run.id) } ", seed " code { (run.seed) } ", " (time(run.started_at_ms)) }
            dt { "Tool" } dd { "assize " (run.tool) ", risk allowed: " (format!("{:?}", run.allow).to_lowercase()) }
            @if run.target.get("tls_verified").and_then(serde_json::Value::as_bool) == Some(false)
                && run.target.get("scheme").and_then(serde_json::Value::as_str) == Some("https") {
                dt { "TLS" } dd.fail { "the certificate was not verified (the operator switched it off)" }
            }
            dt { "Cases" } dd {
                (s.cases) ": "
                span.pass { (s.pass) " pass" } ", " span.fail { (s.fail) " fail" } ", " span.gap { (s.gap) " gap" } ", "
                span.error { (s.error) " error" } ", " (s.skip) " skip, " (s.not_run) " not run"
                @if s.flaky > 0 { ", " span.gap { (s.flaky) " flaky" } }
            }
            dt { "Requests" } dd { (s.exchanges) }
            @for part in &run.shards {
                dt { "Shard " (part.shard.to_string()) }
                dd { "run " code { (part.run) } ", " (time(part.started_at_ms)) ", manifest " code { (part.manifest) } }
            }
            @if s.leaks > 0 { dt { "Left behind" } dd.fail { (s.leaks) " on the target, see the cases" } }
        }
    }
}

fn card(program: &ProgramScore) -> Markup {
    let (passed, total) = program.required_met();
    html! {
        article class={ "card " (program.verdict.as_str()) } {
            h3 { (program.program) }
            div.verdict { (program.verdict.as_str()) }
            progress max=(total.max(1)) value=(passed) aria-label={ (program.program) " required capabilities passed" } {}
            div.dim { "score " (program.score.percent.to_string()) " %, " (passed) " of " (total) " required capabilities" }
        }
    }
}

/// A test; the cases that stand for it lead to their findings.
fn blamed(capability: &CapabilityScore, test: &TestId) -> Markup {
    let ran_as = capability.tests.iter().find(|one| one.test == *test).map_or(&[][..], |one| one.ran_as.as_slice());
    html! {
        @if ran_as.is_empty() { a href={ "#" (test.as_str()) } { (test.as_str()) } } @else {
            (test.as_str()) " ("
            @for case in ran_as { a href={ "#" (case.as_str()) } { (case.as_str()) } " " }
            ")"
        }
    }
}

fn capabilities(program: &ProgramScore) -> Markup {
    html! {
        details {
            summary { (program.program) ": capabilities" }
            div.scroll {
                table {
                    thead { tr { th { "capability" } th { "level" } th { "status" } th.n { "weight" } th { "tests to blame" } } }
                    tbody {
                        @for capability in program.required.iter().chain(&program.optional) {
                            tr {
                                td { (capability.name.as_deref().unwrap_or("")) " " code { (capability.capability.to_string()) } }
                                td { (format!("{:?}", capability.level).to_lowercase()) }
                                td { span class={ "o " (capability.status.as_str()) } { (capability.status.as_str()) } }
                                td.n { (capability.weight) }
                                td { @for test in &capability.to_blame { (blamed(capability, test)) " " } }
                            }
                        }
                    }
                }
            }
            @if !program.to_conform.is_empty() {
                p { "Smallest set to conform:" }
                ul { @for remedy in &program.to_conform {
                    li { code { (remedy.capability.to_string()) } ": "
                        @for test in &remedy.tests { a href={ "#" (test.to_string()) } { (test.to_string()) } " " }
                        @if let Some(blocked) = &remedy.blocked { (blocked) }
                    }
                } }
            }
            @for used in &program.waivers {
                p.gap { "Waiver (" (format!("{:?}", used.state).to_lowercase()) "), owner " (used.waiver.owner) ": " (used.waiver.reason) ", until " (used.waiver.expires.to_string()) }
            }
        }
    }
}

fn filter(report: &Report<'_>) -> Markup {
    let s = &report.summary;
    let marks = [
        ("fail", s.fail),
        ("gap", s.gap),
        ("error", s.error),
        ("skip", s.skip),
        ("not-run", s.not_run),
        ("pass", s.pass),
    ];
    html! {
        div.filter #filter hidden role="search" {
            input type="search" placeholder="Search cases" aria-label="Search cases";
            @for (name, count) in marks {
                @if count > 0 { label { input type="checkbox" value=(name) checked; span class=(name) { (name) " " (count) } } }
            }
            span.dim #shown aria-live="polite" {}
        }
    }
}

fn case(entry: &CaseEntry, evidence: Evidence<'_>) -> Markup {
    let outcome = entry.result.outcome.to_string();
    let plain = entry.result.outcome == Outcome::Pass && entry.result.leaks.is_empty() && !entry.flaky;
    html! {
        details.case id=(entry.id) data-outcome=(outcome) {
            summary {
                span class={ "o " (outcome) } { (outcome) }
                span.id { (entry.id) }
                @if entry.flaky { span.gap { "flaky" } }
                span.dim { (entry.title) }
                @if !entry.result.reason.is_empty() { span.why { (entry.result.reason) } }
            }
            div.inner {
                p.dim {
                    @if let Some(spec) = &entry.spec { (spec) " · " }
                    (entry.result.checks_passed) " checks true, " (entry.result.checks_failed) " false · "
                    (entry.result.exchanges) " requests · " (entry.result.duration_ms) " ms"
                    @for capability in &entry.capabilities { " · " code { (capability) } }
                }
                @if !plain { (findings(entry, evidence)) }
            }
        }
    }
}

fn findings(entry: &CaseEntry, evidence: Evidence<'_>) -> Markup {
    let mut wanted: Vec<&Place> =
        entry.result.findings.iter().filter_map(|finding| finding.exchange.as_ref()).collect();
    wanted.extend(&entry.result.proof);
    wanted.sort_unstable();
    wanted.dedup();
    let hidden = wanted.len().saturating_sub(SHOWN_EXCHANGES);
    html! {
        @for finding in &entry.result.findings {
            div.finding {
                @if let Some(rule) = &finding.rule { strong { (rule) } }
                dl {
                    @if let Some(request) = &finding.request { dt { "request" } dd { code { (request) } } }
                    dt { "check" } dd { code { (finding.check) } }
                    dt { "expected" } dd { (finding.expected) }
                    dt { "actual" } dd { (finding.actual) }
                    dt { "stated in" } dd { (finding.place) }
                }
            }
        }
        @if entry.result.checks_failed as usize > entry.result.findings.len() {
            p.dim { (entry.result.checks_failed as usize - entry.result.findings.len()) " more checks were false." }
        }
        @for leak in &entry.result.leaks { p.fail { "Left behind: " (leak.what) " (" (leak.why) ")" } }
        @for earlier in &entry.earlier { p.gap { "Earlier attempt: " (earlier.outcome.to_string()) ": " (earlier.reason) } }
        @for place in wanted.iter().take(SHOWN_EXCHANGES) {
            @let owner = place.fixture.as_deref().unwrap_or(&entry.id);
            @if let Some(shown) = evidence(&entry.id, owner, place.n) { (exchange::show(place, &shown)) }
        }
        @if hidden > 0 { p.dim { (hidden) " more exchanges are in the transcript." } }
    }
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}
