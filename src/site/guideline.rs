//! The page of a guideline: its programs, its capabilities with how many products pass each, the criteria by which they were
//! chosen, and what changed since the guideline before it.

use maud::{Markup, html};

use super::model::{GuidelineInfo, Model};
use super::shell::{self, At, page};
use super::state::Output;
use super::worksheet;
use crate::capability::LifeCycle;
use crate::guideline::worksheet::Sheet;
use crate::guideline::{ApprovalStatus, differences};
use crate::score::Verdict;

/// The page.
pub fn render(model: &Model, info: &GuidelineInfo) -> Output {
    let path = shell::guideline_page(&info.id);
    let at = At(&path);
    let reports = model.current(&info.id).count();
    let has_criteria =
        info.guideline.capabilities.values().any(|one| !one.criteria.is_empty() || !one.achievements.is_empty());
    let body = html! {
        h1 { "Guideline " (info.id) }
        (about(info))
        p {
            @if reports > 0 {
                a href=(at.to(&format!("{}/products.html", shell::guideline_folder(&info.id)))) { "All products and capabilities in one table" }
                " (" (shell::count(reports)) ")"
            } @else { "No product has a report against it yet." }
        }
        h2 #programs { "Programs" }
        (programs(model, at, info))
        h2 #capabilities { "Capabilities" }
        (capabilities(model, at, info))
        @if has_criteria {
            h2 #criteria { "Criteria" }
            p { "Why a capability is in: the criteria that it meets, weighted. A capability reaches the cut-off or it does not; one that only administrators can use is vetoed." }
            (worksheet::heat_map(&Sheet::of_guideline(&info.guideline), "criteria-table", Some((at, &info.id))))
        }
        (changes(model, at, info))
    };
    page(&model.shell, &path, &format!("Guideline {}", info.id), &[], body)
}

fn about(info: &GuidelineInfo) -> Markup {
    let metadata = &info.guideline.metadata;
    let status = match metadata.approval.status {
        Some(ApprovalStatus::Draft) => "draft",
        Some(ApprovalStatus::Advisory) => "advisory",
        Some(ApprovalStatus::Approved) => "approved",
        Some(ApprovalStatus::Superseded) => "superseded",
        None => "not said",
    };
    html! {
        dl.facts {
            dt { "Status" } dd { (status) }
            @if let Some(before) = &metadata.approval.replaces { dt { "Replaces" } dd { (before) } }
            @if !metadata.approval.releases.is_empty() { dt { "Releases" } dd { (metadata.approval.releases.join(", ")) } }
            @if let Some(derived) = &metadata.derived { dt { "Derived from" } dd { (derived.parent) ", with " (derived.changes.len()) " changes" } }
            dt { "Digest" } dd { code { (info.digest) } }
        }
        @if let Some(derived) = &metadata.derived {
            ul { @for change in &derived.changes { li { (change.kind.as_str()) " " code { (change.what) } ": " (change.reason) " (" (change.owner) ")" } } }
        }
    }
}

fn programs(model: &Model, at: At<'_>, info: &GuidelineInfo) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Programs" {
            table.sortable {
                thead { tr { th scope="col" { "Program" } th scope="col" { "Required capabilities" } th scope="col" { "Conformant products" } } }
                tbody {
                    @for program in &info.guideline.programs {
                        @let standing = info.guideline.standing(program);
                        @let required = standing.values().filter(|level| **level == LifeCycle::Required).count();
                        @let scored = model.current(&info.id).filter_map(|(_, facts)| facts.programs.iter().find(|own| own.program == program.name)).collect::<Vec<_>>();
                        @let good = scored.iter().filter(|own| matches!(own.verdict, Verdict::Conformant | Verdict::ConformantWithWaivers)).count();
                        tr {
                            th scope="row" { a href=(at.to(&super::program::path(&info.id, &program.name))) { (program.name) } div.dim { (program.description) } }
                            td.n { (required) }
                            td data-sort=(good) { (shell::share(good, scored.len())) }
                        }
                    }
                }
            }
        }
    }
}

fn capabilities(model: &Model, at: At<'_>, info: &GuidelineInfo) -> Markup {
    html! {
        (shell::filter("capability-table", "capability"))
        div.scroll tabindex="0" role="region" aria-label="Capabilities" {
            table.sortable #capability-table {
                thead { tr { th scope="col" { "Capability" } th scope="col" { "Level" } th scope="col" { "Tests" } th scope="col" { "Products that pass" } } }
                tbody {
                    @for (id, level) in &info.columns {
                        @let (good, all) = model.share(&info.id, id);
                        @let capability = info.guideline.capabilities.get(id);
                        tr {
                            th scope="row" {
                                a href=(at.to(&shell::capability_page(&info.id, id.as_str()))) { (info.name(id)) }
                                " " code.dim { (id) }
                            }
                            td { (shell::level(*level)) }
                            td.n { (capability.map_or(0, |one| one.tests.len())) }
                            td data-sort=(good) { (shell::share(good, all)) }
                        }
                    }
                }
            }
        }
    }
}

fn changes(model: &Model, at: At<'_>, info: &GuidelineInfo) -> Markup {
    let Some(before) = info.before.as_ref().and_then(|id| model.guidelines.get(id)) else { return html! {} };
    let found = differences(&before.guideline, &info.guideline);
    html! {
        h2 #changes { "Changes since " a href=(at.to(&shell::guideline_page(&before.id))) { (before.id) } }
        @if found.is_empty() { p { "None." } } @else {
            (shell::filter("change-table", "name or note"))
            div.scroll tabindex="0" role="region" aria-label="Changes" {
                table.sortable #change-table {
                    thead { tr { th scope="col" { "What" } th scope="col" { "Name" } th scope="col" { "How" } th scope="col" { "Note" } } }
                    tbody { @for one in &found { tr { td { (one.part.as_str()) } th scope="row" { code { (one.name) } } td { (one.kind.as_str()) } td { (one.note) } } } }
                }
            }
        }
    }
}
