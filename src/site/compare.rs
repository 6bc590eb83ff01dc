//! Two products side by side: pages for every pair where there are few, and one page that does any pair with a script.

use maud::{Markup, html};

use super::facts::{self, Facts};
use super::model::{GuidelineInfo, Model};
use super::shell::{self, At, page};
use super::state::Output;

/// With more products there is no page for every pair.
const FEW: usize = 6;
/// Cases shown.
const SHOWN: usize = 200;

/// A page for each pair of current reports, where there are few.
pub fn render(model: &Model, info: &GuidelineInfo) -> Vec<Output> {
    let reports: Vec<&Facts> = model.current(&info.id).map(|(_, facts)| facts).collect();
    pairs(&reports).map(|(one, other)| pair(model, info, one, other)).collect()
}

fn pairs<'f>(reports: &[&'f Facts]) -> impl Iterator<Item = (&'f Facts, &'f Facts)> {
    let few = if reports.len() <= FEW { reports } else { &[] };
    let few = few.to_vec();
    let all = few.clone();
    few.into_iter()
        .enumerate()
        .flat_map(move |(at, one)| all.clone().into_iter().skip(at + 1).map(move |other| (one, other)))
}

fn path(info: &GuidelineInfo, one: &Facts, other: &Facts) -> String {
    let name =
        |facts: &Facts| format!("{}_{}_{}", facts.identity.vendor, facts.identity.product, facts.identity.version);
    format!(
        "{}/compare/{}.html",
        shell::guideline_folder(&info.id),
        shell::file_name(&format!("{}_and_{}", name(one), name(other)))
    )
}

fn called(facts: &Facts) -> String {
    format!("{} {}", facts.product, facts.identity.version)
}

fn pair(model: &Model, info: &GuidelineInfo, one: &Facts, other: &Facts) -> Output {
    let path = path(info, one, other);
    let at = At(&path);
    let differing: Vec<_> = info
        .columns
        .iter()
        .map(|(id, level)| (id, level, model.status(one, id), model.status(other, id)))
        .filter(|(_, _, left, right)| left != right)
        .collect();
    let body = html! {
        h1 { (called(one)) " and " (called(other)) }
        p.lead { "Their latest reports against " a href=(at.to(&shell::guideline_page(&info.id))) { (info.id) } "." }
        (programs(at, one, other))
        h2 #capabilities { "Capabilities that differ" }
        @if differing.is_empty() { p { "None." } } @else {
            div.scroll tabindex="0" role="region" aria-label="Capabilities that differ" {
                table.sortable {
                    thead { tr { th scope="col" { "Capability" } th scope="col" { "Level" } th scope="col" { (called(one)) } th scope="col" { (called(other)) } } }
                    tbody {
                        @for (id, level, left, right) in &differing {
                            tr {
                                th scope="row" { a href=(at.to(&shell::capability_page(&info.id, id.as_str()))) { (id) } }
                                td { (shell::level(**level)) }
                                @for status in [left, right] { td { @if let Some(status) = status { (shell::status(*status)) } } }
                            }
                        }
                    }
                }
            }
        }
        (cases(model, one, other))
    };
    let crumbs =
        [("Compare".to_owned(), "compare.html".to_owned()), (info.id.clone(), shell::guideline_page(&info.id))];
    page(&model.shell, &path, &format!("{} and {}", called(one), called(other)), &crumbs, body)
}

fn programs(at: At<'_>, one: &Facts, other: &Facts) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Programs" {
            table {
                thead { tr { th scope="col" { "Program" } @for facts in [one, other] { th scope="col" { a href=(at.to(&shell::report_page(&facts.identity))) { (called(facts)) } } } } }
                tbody {
                    @for program in &one.programs {
                        tr {
                            th scope="row" { (program.program) }
                            td { (shell::verdict(program.verdict)) " " span.n.dim { (program.score.percent.to_string()) " %" } }
                            td { @if let Some(own) = other.programs.iter().find(|own| own.program == program.program) {
                                (shell::verdict(own.verdict)) " " span.n.dim { (own.score.percent.to_string()) " %" }
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn cases(model: &Model, one: &Facts, other: &Facts) -> Markup {
    let right: std::collections::HashMap<&str, char> = facts::outcomes(&model.lists, other).collect();
    let differing: Vec<(&str, char, char)> = facts::outcomes(&model.lists, one)
        .filter_map(|(case, left)| Some((case, left, *right.get(case)?)))
        .filter(|(_, left, right)| left != right)
        .collect();
    html! {
        h2 #cases { "Cases that differ" }
        @if differing.is_empty() { p { "None of those that both ran." } } @else {
            (shell::filter("case-table", "case"))
            div.scroll tabindex="0" role="region" aria-label="Cases that differ" {
                table.sortable #case-table {
                    thead { tr { th scope="col" { "Case" } th scope="col" { (called(one)) } th scope="col" { (called(other)) } } }
                    tbody { @for (case, left, right) in differing.iter().take(SHOWN) {
                        tr { th scope="row" { code { (case) } } @for letter in [left, right] { td { (shell::outcome(facts::outcome_of(*letter))) } } }
                    } }
                }
            }
            @if differing.len() > SHOWN { p { "and " (differing.len() - SHOWN) " more." } }
        }
    }
}

/// The page for any pair.
pub fn any(model: &Model) -> Output {
    let path = "compare.html";
    let at = At(path);
    let body = html! {
        h1 { "Compare two reports" }
        form #compare hidden {
            p { label for="one" { "First" } " " input #one list="reports" autocomplete="off" size="50"; }
            p { label for="other" { "Second" } " " input #other list="reports" autocomplete="off" size="50"; }
            datalist #reports {}
            p { button type="submit" { "Compare" } " " output aria-live="polite" {} }
        }
        div #result {}
        @for (id, info) in &model.guidelines {
            @let reports = model.current(id).map(|(_, facts)| facts).collect::<Vec<_>>();
            @if reports.len() > 1 {
                section {
                    h2 { a href=(at.to(&shell::guideline_page(id))) { (id) } }
                    p { a href=(at.to(&format!("{}/products.html", shell::guideline_folder(id)))) { "All products side by side" } }
                    ul { @for (one, other) in pairs(&reports) { li { a href=(at.to(&self::path(info, one, other))) { (called(one)) " and " (called(other)) } } } }
                }
            }
        }
        noscript { p { "With JavaScript any two reports can be chosen here." } }
    };
    page(&model.shell, path, "Compare", &[], body)
}
