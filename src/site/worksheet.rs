//! Criteria as a heat map, with the totals; of a guideline, or of a sheet in the ledger (`worksheets/*.txt`).

use maud::{Markup, html};

use super::model::Model;
use super::shell::{self, At, page};
use super::state::Output;
use crate::guideline::worksheet::{Sheet, Total, Value};

/// Path of the page of a sheet.
pub fn path(name: &str) -> String {
    format!("worksheets/{}.html", shell::file_name(name))
}

/// The page of a sheet.
pub fn render(model: &Model, name: &str, sheet: &Sheet) -> Output {
    let path = path(name);
    let body = html! {
        h1 { "Worksheet " (name) }
        p {
            "Each criterion that a capability meets adds its weight. The cut-off is " (sheet.cutoff()) ". An undecided value makes a total negative; "
            "what only administrators can use is vetoed and has the total 0."
        }
        (heat_map(sheet, "criteria-table", None))
    };
    page(&model.shell, &path, &format!("Worksheet {name}"), &[], body)
}

/// The table. With a page and a guideline the capabilities are links.
pub fn heat_map(sheet: &Sheet, id: &str, links: Option<(At<'_>, &str)>) -> Markup {
    html! {
        (shell::filter(id, "capability"))
        div.scroll tabindex="0" role="region" aria-label="Criteria" {
            table.heat.sortable id=(id) {
                thead {
                    tr {
                        th scope="col" { "Capability" }
                        @for column in sheet.columns() { th.tilt scope="col" title=(column.key) { span { (column.name) " " span.dim { "×" (column.weight) } } } }
                        th.tilt scope="col" { span { "For users" } }
                        th scope="col" { "Total" }
                        th scope="col" { "Cut-off" }
                    }
                }
                tbody {
                    @for row in sheet.rows() {
                        tr {
                            th scope="row" {
                                @match links {
                                    Some((at, guideline)) => { a href=(at.to(&shell::capability_page(guideline, &row.name))) { (row.name) } }
                                    None => { (row.name) }
                                }
                            }
                            @for (column, (value, note)) in sheet.columns().iter().zip(row.values.iter().zip(&row.notes)) {
                                (cell(*value, column.weight, note.as_deref()))
                            }
                            (cell(row.non_admin, 0, None))
                            td.n { (sheet.total(row)) }
                            td { @match sheet.total(row) {
                                Total::Vetoed => "vetoed",
                                Total::Unfinished(_) => "open",
                                Total::Points(_) => @if sheet.reaches(row) { "reached" } @else { "missed" },
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn cell(value: Value, weight: u32, note: Option<&str>) -> Markup {
    let (class, text) = match value {
        Value::Yes => ("h1", "1"),
        Value::No => ("h0", "0"),
        Value::Open => ("hq", "?"),
        Value::Left => ("hx", "–"),
    };
    let strong = if value == Value::Yes && weight >= 9 { "heavy" } else { "" };
    html! { td class={ "h " (class) " " (strong) } title=[note] { (text) } }
}
