use std::collections::BTreeSet;

use jiff::civil::Date;

use super::*;
use crate::capability::{LifeCycle, Outcome, TestId};
use crate::guideline::{Guideline, Waivers, waivers};

const GUIDELINE: &str = r#"metadata: {id: "2026.11", schema: "2.0", assize: {format: assize-guideline/1, family: redfish}}
platforms:
  Base: {components: [{name: core}]}
  All: {components: [{name: core}, {name: more}]}
  Host: {components: [{name: core}, {name: elsewhere, source: "https://example.org/g.json"}]}
  Hollow: {components: [{name: hollow}]}
  Odd: {components: [{name: odd}]}
components:
  core: {capabilities: {required: [power, boot], advisory: [query]}}
  more: {capabilities: {required: [query, media], deprecated: [power]}}
  odd: {capabilities: {required: [power, odd]}}
  hollow: {capabilities: {required: [untested], advisory: [power]}}
capabilities:
  power: {weight: 6, tests: {p.on: {}, p.off: {aliases: [p.down]}, p.odd: {flagged: {reason: "[D401] r"}}}}
  boot: {weight: 3, attempts: first, tests: {b.once: {}}}
  query: {weight: 2, tests: {q.only: {}, p.on: {}}}
  media: {tests: {m.insert: {}, m.eject: {}, m.list: {}}}
  untested: {tests: {}}
  odd: {tests: {o.one: {flagged: {reason: "[D401] r"}}, o.two: {flagged: {reason: "[D401] r"}}}}
"#;

fn guideline() -> Guideline {
    Guideline::read("g.yaml", GUIDELINE.as_bytes()).unwrap().0
}

fn day() -> Date {
    "2026-11-20".parse().unwrap()
}

fn results(rows: &str) -> Results {
    let row = |row: &str| {
        let (test, outcome) = row.split_once('=').unwrap();
        let (outcome, flaky) = outcome.strip_suffix('~').map_or((outcome, false), |outcome| (outcome, true));
        (test.parse::<TestId>().unwrap(), TestResult { outcome: outcome.parse::<Outcome>().unwrap(), flaky })
    };
    rows.split_whitespace().map(row).collect()
}

fn waived(rows: &str) -> Waivers {
    let text = format!("format: assize-waivers/1\nwaivers: [{rows}]\n");
    waivers::read("w.yaml", text.as_bytes()).unwrap().0
}

fn scored(program: &str, rows: &str, waivers: &Waivers) -> ProgramScore {
    score(&guideline(), Some(program), &results(rows), waivers, day()).unwrap().remove(0)
}

fn base(rows: &str) -> ProgramScore {
    scored("Base", rows, &Waivers::none())
}

fn status(score: &ProgramScore, capability: &str) -> Status {
    let mut all = score.required.iter().chain(&score.optional);
    all.find(|one| one.capability.as_str() == capability).unwrap().status
}

fn remedies(score: &ProgramScore) -> Vec<(&str, Vec<&str>)> {
    score
        .to_conform
        .iter()
        .map(|one| (one.capability.as_str(), one.tests.iter().map(TestId::as_str).collect()))
        .collect()
}

#[test]
fn conformant_when_every_required_capability_passes() {
    let score = base("p.on=pass p.off=pass b.once=pass");
    assert_eq!(score.verdict, Verdict::Conformant);
    assert_eq!(score.score, Score::new(9, 9));
    assert!(score.to_conform.is_empty());
    assert_eq!(status(&score, "query"), Status::Unproven, "advisory is shown and does not count");
    let odd = &score.required.iter().find(|one| one.capability.as_str() == "power").unwrap().tests;
    assert!(odd.iter().any(|test| test.marks.flagged && test.outcome == Outcome::NotRun));
}

#[test]
fn each_bad_outcome_has_its_verdict() {
    let cases = [
        ("fail", Status::Failed, Verdict::NotConformant),
        ("gap", Status::Gap, Verdict::NotConformant),
        ("skip", Status::Unproven, Verdict::Unproven),
        ("error", Status::Unproven, Verdict::Unproven),
        ("not-run", Status::Unproven, Verdict::Unproven),
        ("pass~", Status::Failed, Verdict::NotConformant),
    ];
    for (outcome, wanted, verdict) in cases {
        let score = base(&format!("p.on=pass p.off=pass b.once={outcome}"));
        assert_eq!((status(&score, "boot"), score.verdict), (wanted, verdict), "{outcome}");
        assert_eq!(score.score.to_string(), "6/9 (66.6 %)");
        assert_eq!(remedies(&score), [("boot", vec!["b.once"])]);
    }
}

#[test]
fn a_failure_outweighs_missing_evidence_and_a_flag_silences_it() {
    let score = base("p.on=fail p.off=gap p.odd=fail b.once=error");
    assert_eq!(score.verdict, Verdict::NotConformant);
    assert_eq!(status(&score, "power"), Status::Failed);
    assert_eq!(remedies(&score), [("boot", vec!["b.once"]), ("power", vec!["p.off", "p.on"])]);
}

#[test]
fn nothing_run_is_nothing_passed() {
    let all = Waivers::none();
    for score in score(&guideline(), None, &Results::new(), &all, day()).unwrap() {
        assert_eq!(score.verdict, Verdict::Unproven, "{}", score.program);
        assert_eq!(score.score.passed, 0);
    }
}

#[test]
fn a_capability_without_a_counting_test_is_never_passed() {
    let score = scored("Hollow", "p.on=pass p.off=pass", &Waivers::none());
    assert_eq!((status(&score, "untested"), score.verdict), (Status::Unproven, Verdict::Unproven));
    assert!(score.to_conform[0].blocked.as_ref().unwrap().contains("no tests"));
    assert_eq!(status(&score, "power"), Status::Passed);
}

#[test]
fn flagged_tests_alone_prove_a_capability_only_when_all_pass() {
    let odd = |rows: &str| {
        let score = scored("Odd", &format!("p.on=pass p.off=pass {rows}"), &Waivers::none());
        (status(&score, "odd"), score.verdict)
    };
    assert_eq!(odd("o.one=pass o.two=pass"), (Status::Passed, Verdict::Conformant));
    assert_eq!(odd("o.one=pass o.two=fail"), (Status::Unproven, Verdict::Unproven));
    assert_eq!(odd("o.one=pass"), (Status::Unproven, Verdict::Unproven));
}

#[test]
fn a_pass_on_a_retry_is_marked_where_it_counts() {
    let score = base("p.on=pass~ p.off=pass b.once=pass");
    assert_eq!(score.verdict, Verdict::Conformant);
    let test = &score.required[1].tests.iter().find(|test| test.test.as_str() == "p.on").unwrap();
    assert!(test.marks.flaky);
}

#[test]
fn results_under_an_alias_count_and_the_worst_stands() {
    let score = base("p.on=pass p.down=pass b.once=pass");
    assert_eq!(score.verdict, Verdict::Conformant);
    let power = score.required.iter().find(|one| one.capability.as_str() == "power").unwrap();
    let off = power.tests.iter().find(|test| test.test.as_str() == "p.off").unwrap();
    assert_eq!(off.ran_as, ["p.down".parse().unwrap()]);
    assert_eq!(base("p.on=pass p.down=pass p.off=fail b.once=pass").verdict, Verdict::NotConformant);
}

#[test]
fn one_result_does_not_answer_for_two_tests() {
    let text = GUIDELINE.replace("p.on: {}, p.off", "p.on: {aliases: [b.once]}, p.off");
    let (guideline, _) = Guideline::read("g", text.as_bytes()).unwrap();
    let rows = results("p.off=pass b.once=pass");
    let score = &score(&guideline, Some("Base"), &rows, &Waivers::none(), day()).unwrap()[0];
    assert_eq!(score.verdict, Verdict::Unproven);
}

#[test]
fn the_smallest_set_names_each_test_once_and_the_cheapest_capability_first() {
    let score = scored("All", "", &Waivers::none());
    let wanted = [
        ("boot", vec!["b.once"]),
        ("power", vec!["p.off", "p.on"]),
        ("query", vec!["q.only"]),
        ("media", vec!["m.eject", "m.insert", "m.list"]),
    ];
    assert_eq!(remedies(&score), wanted);
    assert_eq!(score.score.total, 12);
}

#[test]
fn a_component_of_another_guideline_is_missing_evidence() {
    let score = scored("Host", "p.on=pass p.off=pass b.once=pass", &Waivers::none());
    assert_eq!(score.verdict, Verdict::Unproven);
    assert_eq!(score.missing_components, ["elsewhere"]);
    assert_eq!(score.score.to_string(), "9/10 (90.0 %)");
}

#[test]
fn a_waiver_excuses_in_the_open_until_it_ends() {
    let waiver = |expires: &str| waived(&format!("{{test: b.once, owner: o, reason: r, expires: {expires}}}"));
    let rows = "p.on=pass p.off=pass b.once=fail";
    let score = scored("Base", rows, &waiver("2026-11-20"));
    assert_eq!((score.verdict, status(&score, "boot")), (Verdict::ConformantWithWaivers, Status::Waived));
    assert_eq!(score.waivers[0].state, WaiverState::Applied);
    assert_eq!(score.required[0].tests[0].outcome, Outcome::Fail, "the outcome itself is never changed");
    let score = scored("Base", rows, &waiver("2026-11-19"));
    assert_eq!(score.verdict, Verdict::NotConformant);
    assert_eq!(score.waivers[0].state, WaiverState::Expired);
    let score = scored("Base", "p.on=pass p.off=pass b.once=pass", &waiver("2027-01-01"));
    assert_eq!((score.verdict, score.waivers[0].state), (Verdict::Conformant, WaiverState::Unneeded));
}

#[test]
fn waivers_are_no_evidence() {
    let all = waived(
        "{capability: power, owner: o, reason: r, expires: 2030-01-01}, {capability: boot, owner: o, reason: r, expires: 2030-01-01}",
    );
    assert_eq!(scored("Base", "", &all).verdict, Verdict::Unproven);
    assert_eq!(scored("Base", "p.on=fail p.off=skip b.once=error", &all).verdict, Verdict::Unproven);
    assert_eq!(scored("Base", "p.on=pass p.off=skip b.once=gap", &all).verdict, Verdict::ConformantWithWaivers);
    assert_eq!(scored("Base", "p.on=pass p.off=pass", &all).verdict, Verdict::Unproven, "not run stays not run");
    let foreign = waived("{capability: other, owner: o, reason: r, expires: 2030-01-01}");
    assert!(scored("Base", "", &foreign).waivers.is_empty());
}

#[test]
fn an_unknown_program_is_an_error_with_a_hint() {
    let error = score(&guideline(), Some("Bass"), &Results::new(), &Waivers::none(), day()).unwrap_err().to_string();
    assert!(error.contains("no program `Bass`, did you mean `Base`?"), "{error}");
    assert!(defcore_rules(&guideline(), "x", &BTreeSet::new()).is_err());
}

#[test]
fn refstack_arithmetic_with_its_peculiarities() {
    let counts =
        |program, passed: &[&str]| defcore_rules(&guideline(), program, &passed.iter().copied().collect()).unwrap();
    let some = counts("All", &["p.on", "p.down", "p.odd", "m.eject"]);
    assert_eq!((some.required_capabilities, some.required_tests, some.flagged), (4, 9, 1));
    assert_eq!(some.passed, 5, "a test in two capabilities counts twice, an alias counts");
    assert_eq!((some.flagged_not_passed, some.must_pass, some.must_passed), (0, 8, 4));
    assert!(!some.compliance);
    let without_flagged = counts("Base", &["p.on", "p.off", "b.once"]);
    assert_eq!((without_flagged.required_tests, without_flagged.passed, without_flagged.must_passed), (4, 3, 3));
    assert!(without_flagged.compliance);
    assert_eq!(without_flagged.must_percent.unwrap().to_string(), "100.0");
    let hollow = counts("Hollow", &[]);
    assert!(hollow.compliance && hollow.percent.is_none(), "RefStack: YES with NaN %");
}

#[test]
fn scores_read_back_as_written_and_match_their_schema() {
    let waivers = waived("{test: b.once, owner: o, reason: r, expires: 2030-01-01, link: 'https://example.org'}");
    let scores = score(&guideline(), None, &results("p.on=pass~ p.down=fail b.once=gap"), &waivers, day()).unwrap();
    let json = serde_json::to_value(&scores).unwrap();
    let schema = schemars::schema_for!(Vec<ProgramScore>);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{json:#}");
    assert_eq!(serde_json::from_value::<Vec<ProgramScore>>(json).unwrap(), scores);
    assert_eq!(scores[0].required[0].level, LifeCycle::Required);
}
