//! Signed bundles, admission and the ledger. Every way of cheating that is known is tried on a signed submission and
//! refused by name; the table of them is `docs/tampering.md`, written with `ASSIZE_BLESS=1`.

mod commands;
mod recorded;
mod scene;
mod schemas;
mod ways;

use std::collections::BTreeSet;
use std::path::Path;

use assize::attest::rule;

use scene::{Kind, Scene};
use ways::{Way, ways};

#[test]
fn an_honest_submission_is_admitted() {
    for kind in [Kind::Plain, Kind::Waived] {
        let scene = Scene::new(kind);
        let decision = scene.decide();
        assert!(decision.is_admitted(), "{kind:?}: {:?}", decision.problems);
        assert!(decision.notes.is_empty() && decision.admission.is_some());
    }
}

#[test]
fn every_way_of_cheating_is_refused_by_name() {
    let mut wrong = Vec::new();
    let ways = ways();
    for Way { name, kind, cheat, code, word, .. } in &ways {
        let mut scene = Scene::new(*kind);
        cheat(&mut scene);
        let decision = scene.decide();
        let fits = decision.problems.iter().any(|problem| problem.code == *code && problem.message.contains(word));
        let complete = decision.problems.iter().all(|one| !one.rule.is_empty() && !one.help.is_empty());
        if !fits || !complete || decision.is_admitted() {
            let found: Vec<_> = decision.problems.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
            wrong.push(format!("== {name}: wanted {code} `{word}`, got\n{}", found.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} ways\n{}", wrong.len(), ways.len(), wrong.join("\n"));
    assert!(ways.len() >= 30);
    let names: BTreeSet<_> = ways.iter().map(|way| way.name).collect();
    assert_eq!(names.len(), ways.len(), "each way once");
}

#[test]
fn the_table_of_the_page_is_that_of_the_tests() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tampering.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("<!-- table -->\n").expect("a mark where the table begins");
    let (_, tail) = rest.split_once("<!-- end of table -->\n").expect("a mark where it ends");
    let mut table = String::from("\n| what is tried | by whom | refused as | rule |\n| --- | --- | --- | --- |\n");
    for way in ways() {
        let rule = rule(way.code).unwrap();
        table.push_str(&format!("| {} | {} | {} | {rule} |\n", way.name, way.who.word(), way.code));
    }
    let wanted = format!("{head}<!-- table -->\n{table}\n<!-- end of table -->\n{tail}");
    if std::env::var_os("ASSIZE_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(found == wanted, "docs/tampering.md is out of date: ASSIZE_BLESS=1 cargo test --test e2e foundation");
}

/// A code that no way leads to is one that nobody has seen.
#[test]
fn every_code_is_tried() {
    let tried: BTreeSet<_> = ways().iter().map(|way| way.code).collect();
    let untried: Vec<_> =
        assize::attest::CODES.iter().map(|one| one.code).filter(|code| !tried.contains(code)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[test]
fn the_page_has_every_code_with_its_rule() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/attest.md")).unwrap();
    for one in assize::attest::CODES {
        let row = format!("| {} | {} |", one.code, one.rule);
        assert!(page.contains(&row), "docs/attest.md lacks `{row}`");
    }
}
