//! The page of a program: what it asks for, and the verdict of every product.

use maud::{Markup, html};

use super::facts::Facts;
use super::model::{GuidelineInfo, Model, day};
use super::shell::{self, At, page};
use super::state::Output;
use crate::capability::LifeCycle;
use crate::guideline::Program;

/// Path of the page of a program.
pub fn path(guideline: &str, program: &str) -> String {
    let name = shell::file_name(&program.to_lowercase().replace(' ', "-"));
    format!("{}/programs/{name}.html", shell::guideline_folder(guideline))
}

/// The page.
pub fn render(model: &Model, info: &GuidelineInfo, program: &Program) -> Output {
    let path = path(&info.id, &program.name);
    let at = At(&path);
    let levels = info.guideline.standing(program);
    let of = |wanted: LifeCycle| levels.iter().filter(move |(_, level)| **level == wanted).map(|(id, _)| *id);
    let rows: Vec<(usize, &Facts)> = model
        .current(&info.id)
        .filter(|(_, facts)| facts.programs.iter().any(|own| own.program == program.name))
        .collect();
    let body = html! {
        h1 { (program.name) }
        @if !program.description.is_empty() { p.lead { (program.description) } }
        h2 #products { "Products" }
        @if rows.is_empty() { p { "No product has a report against it yet." } } @else { (products(model, at, program, &rows)) }
        h2 #capabilities { "Capabilities" }
        @for level in [LifeCycle::Required, LifeCycle::Advisory, LifeCycle::Deprecated, LifeCycle::Removed] {
            @if of(level).next().is_some() {
                h3 { (shell::level(level)) " " span.dim { "(" (of(level).count()) ")" } }
                ul.columns { @for id in of(level) { li { a href=(at.to(&shell::capability_page(&info.id, id.as_str()))) { (info.name(id)) } } } }
            }
        }
    };
    let crumbs = [(info.id.clone(), shell::guideline_page(&info.id))];
    page(&model.shell, &path, &format!("{}, {}", program.name, info.id), &crumbs, body)
}

fn products(model: &Model, at: At<'_>, program: &Program, rows: &[(usize, &Facts)]) -> Markup {
    html! {
        (shell::filter("product-table", "product or verdict"))
        div.scroll tabindex="0" role="region" aria-label="Products" {
            table.sortable #product-table {
                thead { tr {
                    th scope="col" { "Product" } th scope="col" { "Version" } th scope="col" { "Run" } th scope="col" { "Verdict" }
                    th scope="col" { "Score" } th scope="col" { "Required capabilities met" } th scope="col" { "Claimed" }
                } }
                tbody {
                    @for (place, facts) in rows {
                        @if let Some(own) = facts.programs.iter().find(|own| own.program == program.name) {
                            tr {
                                th scope="row" { (shell::product_link(at, facts)) }
                                td { (shell::version_link(at, facts)) " " (shell::standing(model.standing(*place))) }
                                td.n { (day(facts.started_at_ms)) }
                                td { (shell::verdict(own.verdict)) }
                                td.n { (own.score.percent.to_string()) " %" }
                                td.n { (own.met) " of " (own.required) }
                                td { @if own.claimed { "by the vendor" } @else { "no" } }
                            }
                        }
                    }
                }
            }
        }
    }
}
