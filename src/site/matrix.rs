//! Products × capabilities of a guideline, a page for every hundred products.

use maud::{Markup, html};

use super::facts::Facts;
use super::model::{GuidelineInfo, Model};
use super::shell::{self, At, page};
use super::state::Output;
use crate::score::Status;

/// Products on one page.
const ROWS: usize = 100;

/// The pages.
pub fn render(model: &Model, info: &GuidelineInfo) -> Vec<Output> {
    let reports: Vec<(usize, &Facts)> = model.current(&info.id).collect();
    let pages = reports.len().div_ceil(ROWS);
    let parts = reports.chunks(ROWS).enumerate();
    parts.map(|(n, rows)| one(model, info, (n, pages), rows)).collect()
}

fn path(info: &GuidelineInfo, n: usize) -> String {
    let number = if n == 0 { String::new() } else { format!("-{}", n + 1) };
    format!("{}/products{number}.html", shell::guideline_folder(&info.id))
}

fn one(model: &Model, info: &GuidelineInfo, (n, pages): (usize, usize), rows: &[(usize, &Facts)]) -> Output {
    let path = path(info, n);
    let at = At(&path);
    let body = html! {
        h1 { "Products and capabilities" }
        p.lead { "The latest report of each product against " (info.id) @if pages > 1 { ", page " (n + 1) " of " (pages) } "." }
        p.legend {
            @for status in [Status::Passed, Status::Waived, Status::Failed, Status::Gap, Status::Unproven] { (shell::status(status)) " " }
        }
        (shell::filter("matrix", "product"))
        div.scroll.tall tabindex="0" role="region" aria-label="Products and capabilities" {
            table.matrix.sortable #matrix {
                thead {
                    tr {
                        th scope="col" { "Product" }
                        @for (id, level) in &info.columns {
                            th.tilt scope="col" title={ (info.name(id)) ", " (shell::level(*level)) } {
                                span { a href=(at.to(&shell::capability_page(&info.id, id.as_str()))) { (id) } }
                            }
                        }
                    }
                }
                tbody { @for (place, facts) in rows { (row(model, at, info, *place, facts)) } }
            }
        }
        @if pages > 1 { (pager(at, info, n, pages)) }
    };
    let crumbs = [(info.id.clone(), shell::guideline_page(&info.id))];
    page(&model.shell, &path, &format!("Products and capabilities, {}", info.id), &crumbs, body)
}

fn row(model: &Model, at: At<'_>, info: &GuidelineInfo, place: usize, facts: &Facts) -> Markup {
    html! {
        tr {
            th scope="row" { (shell::product_link(at, facts)) " " (shell::version_link(at, facts)) " " (shell::standing(model.standing(place))) }
            @for (id, _) in &info.columns {
                @match model.status(facts, id) {
                    Some(status) => { @let (symbol, word) = shell::status_words(status); td class=(word) title=(word) { (symbol) } }
                    None => { td {} }
                }
            }
        }
    }
}

fn pager(at: At<'_>, info: &GuidelineInfo, n: usize, pages: usize) -> Markup {
    html! {
        nav.pager aria-label="Pages" {
            ul { @for other in 0..pages { li { a href=(at.to(&path(info, other))) aria-current=[(other == n).then_some("page")] { (other + 1) } } } }
        }
    }
}
