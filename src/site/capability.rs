//! The page of a capability: what it means, how it is tested, who passes, and what a pass looks like on the wire.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, PreEscaped, html};

use super::facts::{self, Facts};
use super::model::{GuidelineInfo, Model};
use super::shell::{self, At, page};
use super::state::Output;
use super::{SiteError, SourceOf};
use crate::canon::digest_file;
use crate::capability::{CapabilityId, Outcome};
use crate::guideline::Capability;
use crate::report::bundle::{self, names};
use crate::report::html::wire;
use crate::transcript::{Content, Reader};

/// Products listed one by one; of more, only those that do not pass.
const LISTED: usize = 500;
/// Reports that are asked for an exchange.
const ASKED: usize = 3;
/// Exchanges shown.
const SHOWN: usize = 2;

/// What is read for the pages of one guideline.
#[derive(Debug, Default)]
pub struct Known {
    /// Titles of cases, without row.
    titles: BTreeMap<String, String>,
    /// For a capability: the product, the case, and its exchanges as markup.
    wires: BTreeMap<String, Wire>,
}

#[derive(Debug)]
struct Wire {
    product: String,
    case: String,
    exchanges: Vec<String>,
}

/// Reads titles and exchanges from the newest reports of a guideline.
///
/// # Errors
/// When a report or a transcript cannot be read.
pub fn known(model: &Model, info: &GuidelineInfo, source: SourceOf<'_>) -> Result<Known, SiteError> {
    let mut newest: Vec<&Facts> = model.current(&info.id).map(|(_, facts)| facts).collect();
    newest.sort_by_key(|facts| (std::cmp::Reverse(facts.started_at_ms), &facts.identity));
    let mut known = Known::default();
    let mut missing: BTreeSet<&str> = info.columns.iter().map(|(id, _)| id.as_str()).collect();
    for facts in newest.into_iter().take(ASKED) {
        let folder = source(&facts.identity);
        let report = facts::report(&folder)?;
        for case in &report.cases {
            known.titles.entry(without_row(&case.id).to_owned()).or_insert_with(|| case.title.clone());
        }
        let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
        for case in report.cases.iter().filter(|case| case.result.outcome == Outcome::Pass) {
            for capability in &case.capabilities {
                if missing.contains(capability.as_str()) {
                    wanted.entry(capability).or_insert(&case.id);
                }
            }
        }
        wires(facts, &folder, &wanted, &mut known)?;
        missing.retain(|id| !known.wires.contains_key(*id));
        if missing.is_empty() {
            break;
        }
    }
    Ok(known)
}

fn wires(
    facts: &Facts,
    folder: &std::path::Path,
    wanted: &BTreeMap<&str, &str>,
    known: &mut Known,
) -> Result<(), SiteError> {
    let transcript = folder.join(names::TRANSCRIPT);
    if wanted.is_empty() || !transcript.is_file() {
        return Ok(());
    }
    let digest = digest_file(&transcript)
        .map_err(|error| SiteError::Report { path: transcript.clone(), why: error.to_string() })?;
    bundle::unchanged(&transcript, &bundle::manifest(folder)?.0, names::TRANSCRIPT, digest)?;
    let cases: BTreeSet<&str> = wanted.values().copied().collect();
    let wrong =
        |error: crate::transcript::ReadError| SiteError::Report { path: transcript.clone(), why: error.to_string() };
    let reader = Reader::open_for(&transcript, |case| cases.contains(case)).map_err(wrong)?;
    for (capability, case) in wanted {
        let Some(attempt) = reader.attempts(case).last().copied() else { continue };
        let Some(events) = reader.load(case, attempt).map_err(wrong)? else { continue };
        let own = events.events.values().filter_map(|content| match content {
            Content::Exchange { undo: false, exchange, .. } if exchange.response.is_some() => {
                Some(wire(exchange).into_string())
            }
            _ => None,
        });
        let mut exchanges: Vec<String> = own.collect();
        let first = exchanges.len().saturating_sub(SHOWN);
        exchanges.drain(..first);
        if !exchanges.is_empty() {
            let product = format!("{} {}", facts.product, facts.identity.version);
            known.wires.insert((*capability).to_owned(), Wire { product, case: (*case).to_owned(), exchanges });
        }
    }
    Ok(())
}

/// The page.
pub fn render(model: &Model, info: &GuidelineInfo, id: &CapabilityId, known: &Known) -> Output {
    let path = shell::capability_page(&info.id, id.as_str());
    let at = At(&path);
    let capability = info.guideline.capabilities.get(id).cloned().unwrap_or_default();
    let body = html! {
        h1 { (info.name(id)) " " code.dim { (id) } }
        @if !capability.description.is_empty() { p.lead { (capability.description) } }
        (means(info, id, &capability))
        h2 #tests { "How it is tested" }
        (tests(&capability, known))
        h2 #products { "Who passes" }
        (products(model, at, info, id))
        @if let Some(wire) = known.wires.get(id.as_str()) {
            h2 #wire { "On the wire" }
            p { "What " code { (wire.case) } " sent to " (wire.product) ", and what came back when it passed:" }
            @for exchange in &wire.exchanges { (PreEscaped(exchange.as_str())) }
        }
    };
    let crumbs = [(info.id.clone(), shell::guideline_page(&info.id))];
    page(&model.shell, &path, &format!("{} – {}", info.name(id), info.id), &crumbs, body)
}

fn means(info: &GuidelineInfo, id: &CapabilityId, capability: &Capability) -> Markup {
    let programs = info.guideline.programs.iter().filter_map(|program| {
        let level = info.guideline.standing(program).get(id).copied()?;
        Some((program.name.as_str(), level))
    });
    html! {
        dl.facts {
            @for (program, level) in programs { dt { (program) } dd { (shell::level(level)) } }
            @if let Some(since) = &capability.required_since { dt { "Required since" } dd { (since) } }
            @if !capability.spec.is_empty() { dt { "Specification" } @for spec in &capability.spec { dd { (spec) } } }
            @if let Some(note) = &capability.note { dt { "Note" } dd { (note) } }
            @if let Some(inferred) = &capability.inferred { dt { "Not certain" } dd { (inferred) } }
        }
    }
}

fn tests(capability: &Capability, known: &Known) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Tests" {
            table.sortable {
                thead { tr { th scope="col" { "Test" } th scope="col" { "What it checks" } } }
                tbody {
                    @for (id, test) in &capability.tests {
                        @let names = std::iter::once(id).chain(&test.aliases).map(|id| id.as_str());
                        @let title = names.clone().find_map(|name| known.titles.get(without_row(name)));
                        tr {
                            th scope="row" { code { (id.as_str()) } }
                            td {
                                (title.map_or("", String::as_str))
                                @if let Some(flag) = &test.flagged { div.notice { strong { "Flagged, does not count: " } (flag.reason) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn products(model: &Model, at: At<'_>, info: &GuidelineInfo, id: &CapabilityId) -> Markup {
    let (good, all) = model.share(&info.id, id);
    let rows: Vec<_> =
        model.current(&info.id).filter_map(|(_, facts)| Some((facts, model.status(facts, id)?))).collect();
    let all_listed = rows.len() <= LISTED;
    let listed: Vec<_> = rows.into_iter().filter(|(_, status)| all_listed || !status.is_met()).collect();
    html! {
        p { (shell::share(good, all)) " products, each by its latest report" @if !all_listed { "; those that pass are in the " a href=(at.to(&format!("{}/products.html", shell::guideline_folder(&info.id)))) { "table of all" } } "." }
        @if !listed.is_empty() {
            (shell::filter("product-table", "product or status"))
            div.scroll tabindex="0" role="region" aria-label="Products" {
                table.sortable #product-table {
                    thead { tr { th scope="col" { "Product" } th scope="col" { "Version" } th scope="col" { "Status" } } }
                    tbody {
                        @for (facts, status) in listed {
                            tr { th scope="row" { (shell::product_link(at, facts)) } td { (shell::version_link(at, facts)) } td { (shell::status(status)) } }
                        }
                    }
                }
            }
        }
    }
}

fn without_row(id: &str) -> &str {
    id.split_once('[').map_or(id, |(case, _)| case)
}
