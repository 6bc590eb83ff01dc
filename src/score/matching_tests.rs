use jiff::civil::Date;

use super::*;
use crate::capability::{Outcome, TestId};
use crate::guideline::{Guideline, Waivers};
use crate::results::collect;

const ID1: &str = "00000001-0000-4000-8000-000000000001";
const ID2: &str = "00000002-0000-4000-8000-000000000002";

/// Scores a list of results against tests, both as `name id?`: outcome and note of each test, joined.
fn judged(tests: &str, results: &Results) -> ProgramScore {
    let text = format!(
        r#"metadata: {{id: "1", schema: "2.0", assize: {{format: assize-guideline/1, family: redfish}}}}
platforms: {{P: {{components: [{{name: c}}]}}}}
components: {{c: {{capabilities: {{required: [one]}}}}}}
capabilities: {{one: {{tests: {{{tests}}}}}}}
"#
    );
    let (guideline, _) = Guideline::read("g", text.as_bytes()).unwrap_or_else(|e| panic!("{}", e.render(false)));
    score(&guideline, None, results, &Waivers::none(), Date::ZERO).unwrap().remove(0)
}

/// Each test as `name outcome (ran as; note)`.
fn lines(score: &ProgramScore) -> Vec<String> {
    let line = |test: &TestScore| {
        let ran_as: Vec<_> = test.ran_as.iter().map(TestId::as_str).collect();
        let more = [ran_as.join(" "), test.note.clone().unwrap_or_default(), test.reason.clone().unwrap_or_default()];
        let more: Vec<_> = more.into_iter().filter(|text| !text.is_empty()).collect();
        let flaky = if test.marks.flaky { " flaky" } else { "" };
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
        format!("{} {}{flaky}{more}", test.test, test.outcome)
    };
    score.required[0].tests.iter().map(line).collect()
}

/// Rows as JUnit: `name[attributes]=outcome`.
fn junit(rows: &[&str]) -> Results {
    let mut xml = String::from("<testsuite>");
    for row in rows {
        let (name, outcome) = row.split_once('=').unwrap();
        let child = match outcome {
            "pass" => "",
            "fail" => "<failure message='wrong'/>",
            _ => "<skipped message='not here'/>",
        };
        xml.push_str(&format!("<testcase name='{name}'>{child}</testcase>"));
    }
    Results::of_others(&collect(format!("{xml}</testsuite>").as_bytes()).unwrap())
}

fn check(tests: &str, rows: &[&str], wanted: &[&str]) {
    assert_eq!(lines(&judged(tests, &junit(rows))), wanted, "{tests} {rows:?}");
}

#[test]
fn by_id_and_name_in_any_spelling() {
    let with_id = format!("m.C.t: {{idempotent_id: 'id-{ID1},smoke'}}");
    check(&with_id, &[&format!("m.C.t[id-{ID1},slow]=pass")], &["m.C.t pass"]);
    check(&with_id, &["m.C.t=fail"], &["m.C.t fail (wrong)"]);
    check(&with_id, &["m.C.t[parameter]=skip"], &["m.C.t skip (m.C.t[parameter]; not here)"]);
    check(&with_id, &["m.C.t[a]=pass", "m.C.t[b]=fail"], &["m.C.t fail (m.C.t[a] m.C.t[b]; wrong)"]);
    check(&with_id, &["m.C.u=pass"], &["m.C.t not-run"]);
}

#[test]
fn a_renamed_test_is_found_by_its_id() {
    let with_id = format!("m.C.t: {{idempotent_id: id-{ID1}, aliases: [m.Old.t]}}");
    let moved = format!("n.C.t[id-{ID1}]=pass");
    check(&with_id, &[&moved], &["m.C.t pass (n.C.t; found by its id under another module)"]);
    check(
        &with_id,
        &[&format!("n.Old.t[id-{ID1}]=pass")],
        &["m.C.t pass (n.Old.t; found by its id under another module)"],
    );
    check(
        &with_id,
        &[&format!("n.D.u[id-{ID1}]=fail")],
        &["m.C.t fail (n.D.u; found by its id alone, under another name; wrong)"],
    );
    let name_of_another = format!("m.C.t[id-{ID2}]=fail");
    check(&with_id, &[&moved, &name_of_another], &["m.C.t pass (n.C.t; found by its id under another module)"]);
    check(&with_id, &[&name_of_another], &["m.C.t fail (the name is that of the test, the id is another one; wrong)"]);
}

#[test]
fn an_inherited_test_does_not_answer_for_its_base() {
    let with_id = format!("m.Base.t: {{idempotent_id: id-{ID1}}}");
    let (base, sub) = (format!("m.Base.t[id-{ID1}]=fail"), format!("m.Sub.t[id-{ID1}]=pass"));
    check(&with_id, &[&base, &sub], &["m.Base.t fail (wrong)"]);
    let two = format!("m.Other.t[id-{ID1}]=pass");
    let wanted =
        "m.Base.t not-run (several results have its id, none its name: `m.Other.t`, `m.Sub.t`; none is counted)";
    check(&with_id, &[&sub, &two], &[wanted]);
    check(&with_id, &[&sub, "setUpClass (m.Base)=fail"], &["m.Base.t error (the set-up of m.Base failed: wrong)"]);
    let both = format!("m.Base.t: {{idempotent_id: id-{ID1}}}, m.Sub.t: {{idempotent_id: id-{ID1}}}");
    let third = format!("m.Third.t[id-{ID1}]=pass");
    let scored = lines(&judged(&both, &junit(&[&third])));
    assert!(scored[0].starts_with("m.Base.t not-run (the result `m.Third.t` could be of this test"), "{scored:?}");
    check(&both, &[&sub], &["m.Base.t not-run", "m.Sub.t pass"]);
    let shared = lines(&judged(&both, &junit(&[&sub, &third])));
    assert!(shared[0].contains("not-run") && shared[1].contains("m.Sub.t pass"), "{shared:?}");
}

#[test]
fn one_name_never_satisfies_two_tests() {
    let clash = "m.C.a: {aliases: [m.C.old]}, m.C.b: {aliases: [m.C.old]}";
    let wanted = [
        "m.C.a not-run (the result `m.C.old` could be of this test or of `m.C.b`)",
        "m.C.b not-run (the result `m.C.old` could be of this test or of `m.C.a`)",
    ];
    check(clash, &["m.C.old=pass"], &wanted);
    check("m.C.a: {aliases: [m.C.b]}, m.C.b: {}", &["m.C.b=pass"], &["m.C.a not-run", "m.C.b pass"]);
    let told_apart = format!("m.C.a: {{aliases: [m.C.old], idempotent_id: {ID1}}}, m.C.b: {{aliases: [m.C.old]}}");
    check(&told_apart, &[&format!("m.C.old[id-{ID1}]=pass")], &["m.C.a pass (m.C.old)", "m.C.b not-run"]);
    check(
        "m.C.a: {aliases: [m.C.old, m.C.older]}",
        &["m.C.old=pass", "m.C.older=fail"],
        &["m.C.a fail (m.C.old m.C.older; wrong)"],
    );
}

#[test]
fn set_ups_speak_for_tests_without_a_result() {
    let tests = "m.C.a: {}, m.D.b: {}, n.E.c: {}";
    let rows = ["setUpClass (m.C)=fail", "setUpClass (m.D)=skip", "m.D.b=pass", "setUpModule (n)=skip"];
    let wanted = [
        "m.C.a error (the set-up of m.C failed: wrong)",
        "m.D.b pass",
        "n.E.c skip (the set-up of n was skipped: not here)",
    ];
    check(tests, &rows, &wanted);
    let score = judged("m.C.a: {}", &junit(&rows));
    assert_eq!((score.verdict, score.required[0].status), (Verdict::Unproven, Status::Unproven));
}

fn native(rows: &[(&str, Outcome)], covers: &[(&str, &str)]) -> Results {
    let mut results = Results::new();
    for (case, outcome) in rows {
        results.add(case.parse().unwrap(), TestResult { outcome: *outcome, flaky: false });
    }
    for (upstream, case) in covers {
        results.cover(upstream, case.parse().unwrap());
    }
    results
}

#[test]
fn cases_that_cover_a_test_are_its_evidence() {
    let tests = format!("m.C.a: {{idempotent_id: 'id-{ID1}'}}, m.C.b: {{idempotent_id: '{ID2}'}}, m.C.c: {{}}");
    let rows = [("s.x", Outcome::Pass), ("s.y", Outcome::Fail), ("s.z", Outcome::Pass)];
    let results = native(&rows, &[(ID1, "s.x"), (ID1, "s.z"), (ID2, "s.x"), (ID2, "s.y"), ("m.C.c", "s.z")]);
    let wanted = ["m.C.a pass (s.x s.z)", "m.C.b fail (s.x s.y)", "m.C.c pass (s.z)"];
    assert_eq!(lines(&judged(&tests, &results)), wanted);
    let not_run = native(&rows, &[(ID1, "s.x"), (ID1, "s.not-selected")]);
    assert_eq!(lines(&judged(&tests, &not_run))[0], "m.C.a not-run (s.not-selected s.x)");
    let both = native(&[("m.C.a", Outcome::Pass), ("s.y", Outcome::Gap)], &[(ID1, "s.y")]);
    assert_eq!(lines(&judged(&tests, &both))[0], "m.C.a gap (s.y)");
    assert_eq!(judged("m.C.a: {}", &native(&rows, &[])).verdict, Verdict::Unproven);
}

#[test]
fn incomplete_results_prove_nothing() {
    let mut results = native(&[("m.C.a", Outcome::Pass)], &[]);
    assert_eq!(judged("m.C.a: {}", &results).verdict, Verdict::Conformant);
    results.incomplete("cut");
    let score = judged("m.C.a: {}", &results);
    assert_eq!((score.verdict, score.incomplete.as_deref()), (Verdict::Unproven, Some("cut")));
    let mut results = native(&[("m.C.a", Outcome::Fail)], &[]);
    results.incomplete("cut");
    assert_eq!(judged("m.C.a: {}", &results).verdict, Verdict::NotConformant);
}

#[test]
fn a_sentence_is_found_by_its_words_when_its_tags_changed() {
    let test = "'[sig-a] Toys should roll [Slow] [Conformance]': {}";
    let note = "found by its words, under other tags";
    let other = "[k8s.io] toys should  roll [Conformance]";
    let under = format!(
        "[sig-a] Toys should roll [Slow] [Conformance] pass ([k8s.io] toys should  roll [Conformance]; {note})"
    );
    check(test, &[&format!("{other}=pass")], &[&under]);
    // Its own name is better evidence, whatever others with these words say.
    let own = "[sig-a] Toys should roll [Slow] [Conformance]";
    check(test, &[&format!("{other}=fail"), &format!("{own}=pass")], &[&format!("{own} pass")]);
    // Two results with its words: neither is its own.
    let two = [format!("{other}=pass"), "[sig-b] Toys should roll=pass".to_owned()];
    check(test, &two.each_ref().map(String::as_str), &[&format!("{own} not-run")]);
    check(test, &["[sig-a] Toys should turn [Slow] [Conformance]=pass"], &[&format!("{own} not-run")]);
    // Two tests with the same words, told apart by a tag alone.
    let tests = "'[sig-a] Toys should roll [Conformance]': {}, '[sig-a] Toys should roll [Linux] [Conformance]': {}";
    let said = judged(tests, &junit(&["[sig-a] Toys should roll [Windows]=pass"]));
    assert!(said.required[0].tests.iter().all(|test| test.outcome == Outcome::NotRun), "{:?}", lines(&said));
}

#[test]
fn cases_cover_a_sentence_in_the_words_of_another_version() {
    let test = "'[sig-a] Toys should roll [Conformance]': {aliases: ['Balls should roll']}";
    let pass = native(&[("s.x", Outcome::Pass)], &[("[k8s.io] Toys should roll [Slow] [Conformance]", "s.x")]);
    assert_eq!(lines(&judged(test, &pass)), ["[sig-a] Toys should roll [Conformance] pass (s.x)"]);
    let renamed = native(&[("s.x", Outcome::Fail)], &[("[sig-b] Balls should roll [Conformance]", "s.x")]);
    assert_eq!(lines(&judged(test, &renamed)), ["[sig-a] Toys should roll [Conformance] fail (s.x)"]);
    // What stands for one of two tests with the same words does not stand for the other.
    let tests = "'[sig-a] Toys should roll [Conformance]': {}, '[sig-a] Toys should roll [Linux] [Conformance]': {}";
    let one = native(&[("s.x", Outcome::Pass)], &[("[sig-a] Toys should roll [Linux] [Conformance]", "s.x")]);
    let wanted =
        ["[sig-a] Toys should roll [Conformance] not-run", "[sig-a] Toys should roll [Linux] [Conformance] pass (s.x)"];
    assert_eq!(lines(&judged(tests, &one)), wanted);
    let neither = native(&[("s.x", Outcome::Pass)], &[("[sig-b] Toys should roll", "s.x")]);
    assert!(judged(tests, &neither).required[0].tests.iter().all(|test| test.outcome == Outcome::NotRun));
}
