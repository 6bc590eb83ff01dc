//! The pages that belong to no report: overview, list of products, what it all means, not found.

use maud::{Markup, html};

use super::facts::Facts;
use super::model::{Model, Standing};
use super::shell::{self, At, page};
use super::state::Output;
use crate::ledger::Rules;
use crate::score::Verdict;
use crate::text::plural;

/// Admissions shown on the first page.
const LATEST: usize = 20;
/// Products on one page of the list.
const ROWS: usize = 500;

/// The first page.
pub fn overview(model: &Model, worksheets: &[&str]) -> Output {
    let path = "index.html";
    let at = At(path);
    let body = html! {
        h1 { "Interoperability reports" }
        p.lead {
            "Every verdict here was recomputed from the recorded exchanges with the product before it was admitted, and you can do the same. "
            a href=(at.to("about.html")) { "How to read these pages" } "."
        }
        form #search role="search" hidden {
            label for="q" { "Search products, guidelines and capabilities" }
            input #q type="search" autocomplete="off";
            output aria-live="polite" {}
            ul #hits {}
        }
        h2 #guidelines { "Guidelines" }
        div.cards {
            @for (id, info) in &model.guidelines {
                @let reports = model.current(id).count();
                @let good = model.current(id).filter(|(_, facts)| facts.programs.iter().any(|own| own.verdict == Verdict::Conformant)).count();
                section.card {
                    h3 { a href=(at.to(&shell::guideline_page(id))) { (id) } }
                    p.dim { (plural(info.guideline.programs.len(), "program")) ", " (plural(info.columns.len(), "capability")) }
                    p { @if reports == 0 { "No report yet" } @else { (plural(reports, "product")) ", " (shell::count(good)) " conformant to at least one program" } }
                }
            }
        }
        @if !worksheets.is_empty() {
            h2 #worksheets { "Worksheets" }
            ul { @for name in worksheets { li { a href=(at.to(&super::worksheet::path(name))) { (name) } } } }
        }
        h2 #latest { "Latest admissions" }
        (latest(model, at))
        @if let Some(day) = model.as_of { p.dim { "As of " time datetime=(day.to_string()) { (day) } "." } }
    };
    page(&model.shell, path, "Overview", &[], body)
}

fn latest(model: &Model, at: At<'_>) -> Markup {
    let mut reports: Vec<(usize, &Facts)> = model.reports.iter().map(|facts| &**facts).enumerate().collect();
    reports.sort_by_key(|(_, facts)| {
        (std::cmp::Reverse(facts.admitted), std::cmp::Reverse(facts.started_at_ms), &facts.identity)
    });
    html! {
        @if reports.is_empty() { p { "There is none yet." } } @else {
            div.scroll tabindex="0" role="region" aria-label="Latest admissions" {
                table.sortable {
                    thead { tr { th scope="col" { "Admitted" } th scope="col" { "Product" } th scope="col" { "Version" } th scope="col" { "Guideline" } th scope="col" { "Verdicts" } } }
                    tbody { @for (place, facts) in reports.into_iter().take(LATEST) {
                        tr {
                            td.n { (facts.admitted) }
                            th scope="row" { (shell::product_link(at, facts)) }
                            td { (shell::version_link(at, facts)) " " (shell::standing(model.standing(place))) }
                            td { a href=(at.to(&shell::guideline_page(&facts.guideline_id()))) { (facts.guideline_id()) } }
                            td { (tally(facts)) }
                        }
                    } }
                }
            }
        }
    }
}

/// How many programs of a report have each verdict.
fn tally(facts: &Facts) -> Markup {
    let all = [Verdict::Conformant, Verdict::ConformantWithWaivers, Verdict::NotConformant, Verdict::Unproven];
    html! {
        @for verdict in all {
            @let n = facts.programs.iter().filter(|own| own.verdict == verdict).count();
            @if n > 0 { span.nowrap { (n) " " (shell::verdict(verdict)) } " " }
        }
    }
}

/// The list of all products, in pages.
pub fn products(model: &Model) -> Vec<Output> {
    let ids: Vec<(&String, &Vec<usize>)> = model.products.iter().collect();
    let pages = ids.len().div_ceil(ROWS).max(1);
    let path =
        |n: usize| if n == 0 { "products/index.html".to_owned() } else { format!("products/page-{}.html", n + 1) };
    let parts = (0..pages).map(|n| {
        let (path_n, rows) = (path(n), ids.chunks(ROWS).nth(n).unwrap_or_default());
        let at = At(&path_n);
        let body = html! {
            h1 { "Products" @if pages > 1 { span.dim { ", page " (n + 1) " of " (pages) } } }
            @if rows.is_empty() { p { "There is none yet." } } @else {
                (shell::filter("products", "product, vendor or guideline"))
                div.scroll tabindex="0" role="region" aria-label="Products" {
                    table.sortable #products {
                        thead { tr { th scope="col" { "Product" } th scope="col" { "Vendor" } th scope="col" { "Latest" } th scope="col" { "Guideline" } th scope="col" { "Verdicts" } } }
                        tbody { @for (_, places) in rows { @if let Some((place, facts)) = newest(model, places) {
                            tr {
                                th scope="row" { (shell::product_link(at, facts)) }
                                td { (facts.vendor) }
                                td { (shell::version_link(at, facts)) " " (shell::standing(model.standing(place))) }
                                td { a href=(at.to(&shell::guideline_page(&facts.guideline_id()))) { (facts.guideline_id()) } }
                                td { (tally(facts)) }
                            }
                        } } }
                    }
                }
            }
            @if pages > 1 {
                nav.pager aria-label="Pages" { ul { @for other in 0..pages { li { a href=(at.to(&path(other))) aria-current=[(other == n).then_some("page")] { (other + 1) } } } } }
            }
        };
        page(&model.shell, &path_n, "Products", &[], body)
    });
    parts.collect()
}

/// The latest report that was not revoked, or else the latest.
fn newest<'m>(model: &'m Model, places: &[usize]) -> Option<(usize, &'m Facts)> {
    let valid = places.iter().find(|at| !matches!(model.standing(**at), Standing::Revoked { .. }));
    let at = *valid.or(places.first())?;
    Some((at, model.reports.get(at)?))
}

/// What the words mean, and how to check it.
pub fn about(model: &Model, rules: &Rules) -> Output {
    let body = html! {
        h1 { "How to read these pages" }
        p { "A harness sends requests to a product, records every exchange, and judges what came back. A verdict depends on nothing but the test suite and that record, so anybody can work it out again, without the product and without asking anybody." }
        h2 { "Words" }
        dl.words {
            dt { "conformant" } dd { "every required capability of the program passed" }
            dt { "conformant with waivers" } dd { "the same, but the foundation excused something, with reason, owner and last day" }
            dt { "not conformant" } dd { "a required capability failed, or the product does not have it" }
            dt { "unproven" } dd { "something required was not run" }
            dt { "passed, failed" } dd { "all checks of the capability's tests held, or one did not" }
            dt { "gap" } dd { "the product says that it lacks the function, and the answer that says so is on record" }
            dt { "flaky" } dd { "passed only when tried again; this is never hidden" }
            dt { "flagged" } dd { "a test that does not count for now, with the reason" }
            dt { "required, advisory, deprecated, removed" } dd { "what a guideline says of a capability" }
        }
        h2 { "What was admitted" }
        p {
            "A report is admitted when its bundle is complete and recomputes to the same report, byte for byte, when its suites and its guideline are published ones, and when the run was not older than "
            (rules.max_age_days) " days. What a vendor claims is signed. A report is never deleted: it is revoked, with a reason."
        }
        h2 { "Check it yourself" }
        p { "The page of a report names its folder in the ledger. With " code { "assize" } " installed:" }
        pre tabindex="0" { "assize verify FOLDER\nassize admit FOLDER --ledger LEDGER\nassize publish LEDGER -o SITE" }
        p { "The last line makes these pages again. The same ledger gives the same bytes." }
        h2 #api { "JSON" }
        p {
            "All of it is there as JSON: " a href="api/v1/index.json" { "api/v1/index.json" } " lists guidelines, products and reports with the addresses of their documents, "
            a href="api/v1/schema.json" { "api/v1/schema.json" } " is their JSON Schema. " a href="feed.xml" { "feed.xml" } " is an Atom feed of admissions and revocations."
        }
    };
    page(&model.shell, "about.html", "How to read these pages", &[], body)
}

/// Not found.
pub fn missing(model: &Model) -> Output {
    let at = At(&model.shell.root);
    let body = html! {
        h1 { "There is no such page" }
        p { "Reports never move, so the address is wrong or the report was never admitted. " a href=(at.to("index.html")) { "Overview" } }
    };
    page(&model.shell, shell::MISSING, "Not found", &[], body)
}
