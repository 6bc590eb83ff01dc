//! The page of a product: its latest verdicts, the history over its versions, and badges.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::badge;
use super::facts::{self, Facts};
use super::model::{Model, Standing, day};
use super::shell::{self, At, page};
use super::state::Output;
use crate::ledger::ProductKind;

/// Changed cases shown between two versions.
const SHOWN: usize = 12;

/// The page and the badges of a product, by `vendor/product`.
pub fn render(model: &Model, id: &str, places: &[usize]) -> Vec<Output> {
    let reports: Vec<(usize, &Facts)> =
        places.iter().filter_map(|at| Some((*at, &**model.reports.get(*at)?))).collect();
    let Some((_, latest)) = reports.first() else { return Vec::new() };
    let path = shell::product_page(id);
    let at = At(&path);
    let guidelines: BTreeSet<String> = reports.iter().map(|(_, facts)| facts.guideline_id()).collect();
    let badges = badges(model, id, &reports);
    let body = html! {
        h1 { (latest.product) }
        p.lead { (latest.description) }
        dl.facts {
            dt { "Vendor" } dd { a href=(latest.vendor_url) rel="nofollow" { (latest.vendor) } }
            dt { "Product" } dd { a href=(latest.product_url) rel="nofollow" { (latest.product_url) } }
            dt { "Kind" } dd { (kind(latest.kind)) }
        }
        @for guideline in &guidelines {
            @let of = reports.iter().filter(|(_, facts)| facts.guideline_id() == *guideline).copied().collect::<Vec<_>>();
            section {
                h2 { a href=(at.to(&shell::guideline_page(guideline))) { (guideline) } }
                (history(model, at, &of))
                (changes(model, at, &of))
            }
        }
        (badge_list(at, &badges))
    };
    let crumbs = [("Products".to_owned(), "products/index.html".to_owned())];
    let mut outputs = vec![page(&model.shell, &path, &latest.product, &crumbs, body)];
    outputs.extend(badges.iter().flat_map(Badge::files));
    outputs
}

fn history(model: &Model, at: At<'_>, reports: &[(usize, &Facts)]) -> Markup {
    let programs: BTreeSet<&str> =
        reports.iter().flat_map(|(_, facts)| &facts.programs).map(|program| program.program.as_str()).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Versions" {
            table.sortable {
                thead { tr { th scope="col" { "Version" } th scope="col" { "Run" } @for program in &programs { th scope="col" { (program) } } } }
                tbody {
                    @for (place, facts) in reports {
                        tr {
                            th scope="row" { (shell::version_link(at, facts)) " " (shell::standing(model.standing(*place))) }
                            td.n { (day(facts.started_at_ms)) }
                            @for program in &programs {
                                td {
                                    @match facts.programs.iter().find(|own| own.program == **program) {
                                        Some(own) => { (shell::verdict(own.verdict)) " " span.n.dim { (own.score.percent.to_string()) " %" } }
                                        None => { span.dim { "not scored" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What changed from one version to the next.
fn changes(model: &Model, at: At<'_>, reports: &[(usize, &Facts)]) -> Markup {
    html! {
        @for pair in reports.windows(2) {
            @if let [(_, new), (_, old)] = pair {
                @let (better, worse) = turned(model, old, new);
                details {
                    summary { "From " (old.identity.version) " to " (new.identity.version) ": " (better.len()) " cases pass now, " (worse.len()) " no longer" }
                    (cases(at, "Pass now", new, &better))
                    (cases(at, "No longer pass", new, &worse))
                    @if old.suites != new.suites { p.dim { "The suites differ, so that not every case is in both." } }
                }
            }
        }
    }
}

/// Cases that pass in the new report only, and in the old one only; those in both reports.
pub fn turned<'m>(model: &'m Model, old: &'m Facts, new: &'m Facts) -> (Vec<&'m str>, Vec<&'m str>) {
    let before: std::collections::HashMap<&str, char> = facts::outcomes(&model.lists, old).collect();
    let (mut better, mut worse) = (Vec::new(), Vec::new());
    for (case, now) in facts::outcomes(&model.lists, new) {
        match (before.get(case).map(|letter| *letter == 'p'), now == 'p') {
            (Some(false), true) => better.push(case),
            (Some(true), false) => worse.push(case),
            _ => {}
        }
    }
    (better, worse)
}

fn cases(at: At<'_>, title: &str, new: &Facts, ids: &[&str]) -> Markup {
    html! {
        @if !ids.is_empty() {
            p { (title) ":" }
            ul.cases {
                @for id in ids.iter().take(SHOWN) { li { code { (id) } } }
                @if ids.len() > SHOWN { li { "and " (ids.len() - SHOWN) " more, in the " a href=(at.to(&shell::report_page(&new.identity))) { "report" } } }
            }
        }
    }
}

fn badge_list(at: At<'_>, badges: &[Badge]) -> Markup {
    html! {
        @if !badges.is_empty() {
            h2 #badges { "Badges" }
            p { "They follow the latest report that counts. Link them to this page. Beside each lies the same as JSON, for shields.io." }
            ul.badges {
                @for badge in badges {
                    @let picture = format!("{}.svg", badge.path);
                    li { img src=(at.to(&picture)) alt={ (badge.label) ": " (badge.message) } height="20"; " " code { (picture) } }
                }
            }
        }
    }
}

/// What a badge says, and where it lies.
struct Badge {
    label: String,
    message: String,
    colour: badge::Colour,
    /// Path without extension.
    path: String,
}

impl Badge {
    fn files(&self) -> [Output; 2] {
        let Self { label, message, colour, path } = self;
        let picture = Output { path: format!("{path}.svg"), bytes: badge::svg(label, message, *colour).into_bytes() };
        [picture, Output { path: format!("{path}.json"), bytes: badge::json(label, message, *colour) }]
    }
}

/// A badge for each program of the latest report that counts, of each guideline.
fn badges(model: &Model, id: &str, reports: &[(usize, &Facts)]) -> Vec<Badge> {
    let mut seen = BTreeSet::new();
    let mut badges = Vec::new();
    for (place, facts) in reports {
        if matches!(model.standing(*place), Standing::Revoked { .. }) || !seen.insert(facts.guideline_id()) {
            continue;
        }
        for program in &facts.programs {
            let (_, words) = shell::verdict_words(program.verdict);
            let name = shell::file_name(&format!(
                "{}-{}",
                facts.identity.guideline,
                program.program.to_lowercase().replace(' ', "-")
            ));
            badges.push(Badge {
                label: program.program.clone(),
                message: format!("{words} ({})", facts.identity.guideline),
                colour: badge::colour(program.verdict, model.standing(*place)),
                path: format!("products/{id}/badges/{name}"),
            });
        }
    }
    badges
}

fn kind(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::Distribution => "distribution",
        ProductKind::HostedService => "hosted service",
        ProductKind::Installer => "installer",
        ProductKind::Appliance => "appliance",
        ProductKind::Emulator => "emulator",
        ProductKind::Laboratory => "laboratory",
    }
}
