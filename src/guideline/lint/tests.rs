//! Rules between guidelines and between two states of one.

use super::{lint_change, lint_together};
use crate::guideline::Guideline;
use crate::text::Diagnostics;

const OLD: &str = r#"{"metadata": {"id": "2026.05", "schema": "2.0", "assize": {"format": "assize-guideline/1", "family": "ironic"},
    "approval": {"status": "STATUS", "target_approval": "2026.05"},
    "scoring": {"cutoff_score": 10, "criteria": {"a": {"weight": 100}}}},
  "platforms": {"P": {"description": "d", "components": [{"name": "core"}]}},
  "components": {"core": {"capabilities": {"required": ["one", "two"], "advisory": ["three"], "deprecated": [], "removed": []}}},
  "test_repositories": {"t": {"repository": "https://example.org", "reference": "abc"}},
  "capabilities": {
    "one": {"tests": {"t.one": {"idempotent_id": "id-00000000-0000-4000-8000-000000000001"},
                      "t.bad": {"flagged": {"reason": "[D401] r"}}}},
    "two": {"tests": {"t.two": {"aliases": ["t.zwei"]}}},
    "three": {"tests": {"t.three": {}}},
    "four": {"tests": {"t.four": {}}}}}"#;

fn read(file: &str, text: &str) -> Guideline {
    Guideline::read(file, text.as_bytes()).unwrap().0
}

fn old(status: &str) -> Guideline {
    read("2026.05.json", &OLD.replace("STATUS", status))
}

fn next(status: &str, edits: &[(&str, &str)]) -> Guideline {
    let text = OLD.replace("2026.05\", \"schema", "2026.11\", \"schema");
    let text = text.replace(
        "\"status\": \"STATUS\", \"target_approval\": \"2026.05\"",
        &format!("\"status\": \"{status}\", \"replaces\": \"2026.05\""),
    );
    read("2026.11.json", &edited(text, edits))
}

fn edited(mut text: String, edits: &[(&str, &str)]) -> String {
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

fn codes(found: &Diagnostics) -> Vec<String> {
    assert!(found.iter().all(|one| one.position().is_some() && one.path.is_some() && one.help.is_some()), "{found}");
    found.iter().map(|one| format!("{} {}", one.code, one.severity.as_str())).collect()
}

fn together(status: &str, edits: &[(&str, &str)]) -> Vec<String> {
    // Unless a test is about them, the flagged test is left out and the revision is another.
    let usual =
        [(",\n                      \"t.bad\": {\"flagged\": {\"reason\": \"[D401] r\"}}", ""), ("\"abc\"", "\"abd\"")];
    codes(&lint_together(&[&next(status, &[&usual, edits].concat()), &old("approved")]))
}

#[test]
fn nothing_is_required_or_dropped_at_once() {
    assert!(together("draft", &[]).is_empty());
    let promoted = [(
        "\"required\": [\"one\", \"two\"], \"advisory\": [\"three\"]",
        "\"required\": [\"one\", \"two\", \"three\"], \"advisory\": []",
    )];
    assert!(together("draft", &promoted).is_empty(), "advisory may become required");
    let sudden = [("[\"one\", \"two\"]", "[\"one\", \"two\", \"four\"]")];
    assert_eq!(together("draft", &sudden), ["G147 error"]);
    assert_eq!(together("approved", &sudden), ["G147 warning"], "what is in force can no longer be repaired");
    assert_eq!(together("draft", &[("[\"one\", \"two\"]", "[\"one\"]")]), ["G148 error"]);
    let removed = [("[\"one\", \"two\"]", "[\"one\"]"), ("\"removed\": []", "\"removed\": [\"two\"]")];
    assert_eq!(together("draft", &removed), ["G148 error"]);
    let deprecated = [("[\"one\", \"two\"]", "[\"one\"]"), ("\"deprecated\": []", "\"deprecated\": [\"two\"]")];
    assert!(together("draft", &deprecated).is_empty());
}

#[test]
fn flags_revisions_names_and_ids_are_followed() {
    let found = codes(&lint_together(&[&old("approved"), &next("draft", &[])]));
    assert_eq!(found, ["G149 warning", "G150 warning"]);
    assert_eq!(together("draft", &[("\"t.one\"", "\"t.renamed\"")]), ["G146 warning"]);
    assert!(together("draft", &[("\"t.one\": {", "\"t.renamed\": {\"aliases\": [\"t.one\"], ")]).is_empty());
    assert_eq!(together("draft", &[("000000000001", "000000000002")]), ["G145 warning"]);
}

#[test]
fn ids_files_and_approvals_fit_together() {
    let copy = read("folder/copy.json", &OLD.replace("STATUS", "draft"));
    assert_eq!(codes(&lint_together(&[&old("draft"), &copy])), ["G141 warning", "G141 error"]);
    let later = |id: &str, replaces: &str| {
        let text = OLD.replace("2026.05\", \"schema", &format!("{id}\", \"schema"));
        let text =
            text.replace("\"status\": \"STATUS\"", &format!("\"status\": \"approved\", \"replaces\": \"{replaces}\""));
        read(&format!("{id}.json"), &text.replace("\"abc\"", &format!("\"{id}\"")))
    };
    let (first, second, third) = (old("approved"), later("2026.11", "2026.05"), later("2027.05", "2026.05"));
    let found = lint_together(&[&first, &second, &third]);
    let shown = found.to_string();
    assert!(
        shown.contains("3 guidelines are approved at once") && shown.contains("although 2026.11 came after"),
        "{shown}"
    );
    assert_eq!(found.iter().filter(|one| one.code == "G142").count(), 1);
}

#[test]
fn components_of_another_guideline_are_looked_up() {
    let elsewhere = |name: &str| {
        let text = OLD.replace("STATUS", "draft").replace("2026.05\", \"schema", "addon.2026.05\", \"schema");
        let source = format!(
            "[{{\"name\": \"core\"}}, {{\"name\": \"{name}\", \"source\": \"https://example.org/2026.05.json\"}}]"
        );
        read("addon.2026.05.json", &text.replace("[{\"name\": \"core\"}]", &source))
    };
    assert_eq!(codes(&lint_together(&[&old("draft"), &elsewhere("Core")])), ["G144 error"]);
    assert!(lint_together(&[&old("draft"), &elsewhere("core")]).is_empty());
    assert!(lint_together(&[&elsewhere("lost")]).is_empty(), "what is not given is not judged");
}

#[test]
fn an_approved_guideline_is_frozen() {
    let change = |status: &str, edits: &[(&str, &str)]| {
        let new = read("2026.05.json", &edited(OLD.replace("STATUS", status), edits));
        codes(&lint_change(&old(status), &new))
    };
    let flag = [("\"t.two\": {", "\"t.two\": {\"flagged\": {\"reason\": \"[D402] r\"}, ")];
    for edits in
        [&[][..], &flag, &[("[\"t.zwei\"]", "[\"t.zwei\", \"t.deux\"]")], &[("\"approved\"", "\"superseded\"")]]
    {
        assert!(change("approved", edits).is_empty(), "{edits:?}");
    }
    for edits in [
        ("\"approved\"", "\"draft\""),
        ("[\"one\", \"two\"]", "[\"one\"]"),
        ("[{\"name\": \"core\"}]", "[]"),
        ("\"t.three\": {}", ""),
        ("\"t.three\": {}", "\"t.three\": {}, \"t.new\": {}"),
        ("{\"flagged\": {\"reason\": \"[D401] r\"}}", "{}"),
        ("[\"t.zwei\"]", "[]"),
        ("000000000001", "000000000009"),
        (",\n    \"four\": {\"tests\": {\"t.four\": {}}}", ""),
    ] {
        assert_eq!(change("approved", &[edits]), ["G151 error"], "{edits:?}");
        if edits.0 != "\"approved\"" {
            assert!(change("draft", &[edits]).is_empty(), "{edits:?}");
        }
    }
    let weights = [("\"weight\": 100", "\"weight\": 99")];
    assert_eq!(change("advisory", &weights), ["G152 error"]);
    assert!(change("draft", &weights).is_empty(), "a draft may change");
}
