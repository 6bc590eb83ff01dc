//! Small documents of each version. Those that were published are read by `tests/guidelines.rs`.

use super::super::{Guideline, TestListOptions, codes, is_guideline, lint, test_list};
use crate::capability::LifeCycle;
use crate::text::Diagnostics;

const CORE: &str = r#"{"release": "old", "status": "proposal", "schema": "1.0",
  "criteria": {"atomic": {"Description": "d", "name": "Atomic", "weight": 100}},
  "capabilities": {
    "a": {"achievements": ["atomic"], "admin": false, "core": true, "description": "d", "flagged": [], "name": "a", "tests": ["m.T.one"]},
    "b": {"achievements": [], "admin": true, "core": false, "description": "d", "flagged": ["m.T.gone"], "name": "b", "tests": ["m.T.two"]}}}"#;

const LISTS: &str = r#"{"id": "2015.03", "schema": "1.2", "status": "approved", "replaces": "2014.07", "releases": ["old"],
  "platform": {"required": ["compute", "object"], "advisory": [], "deprecated": [], "removed": []},
  "components": {"compute": {"required": ["a"], "advisory": [], "deprecated": [], "removed": []},
                 "object": {"required": ["b"], "advisory": ["a"], "deprecated": [], "removed": []}},
  "designated-sections": {"required": {"nova": {"guidance": "g", "comment": "c", "sections": []}}, "advisory": ["x"]},
  "capabilities": {
    "a": {"achievements": [], "admin": false, "status": "required", "guidelines": ["2014.07"], "project": "p", "description": "d",
          "flagged": ["m.T.two"], "name": "a", "tests": ["m.T.one", "m.T.two"]},
    "b": {"achievements": [], "admin": false, "project": "p", "description": "d", "flagged": [], "name": "b", "tests": []}}}"#;

const MAPS: &str = r#"{"id": "2016.08", "schema": "1.6", "status": "approved", "replaces": "2016.01", "cutoff_score": "74",
  "target_approval": "2016-08-23", "releases": ["x"],
  "platform": {"required": ["compute"]}, "components": {"compute": {"required": ["a"]}},
  "test-repositories": {"tempest": {"git-sha": "abc", "url": "https://example.org/t"}},
  "capabilities": {"a": {"achievements": [], "admin": false, "project": "p", "description": "d", "required-since": "2016.01", "tests": {
    "m.T.new": {"idempotent_id": "id-00000000-0000-4000-8000-000000000001,smoke", "aliases": ["m.T.old"],
                "flagged": {"date": "2016-06-13", "reason": "[D401] broken", "action": "mend"}},
    "m.T.other": {"idempotent_id": "id-00000000-0000-4000-8000-000000000002"}}}}}"#;

const GROUPED: &str = r#"{"metadata": {"id": "dns.2020.06", "schema": "2.0", "scoring": {"cutoff_score": 60, "criteria": {}},
    "os_trademark_approval": {"status": "approved", "replaces": "dns.2019.11", "target_approval": "2020.06", "releases": ["train"]}},
  "add-ons": {"DNS": {"description": "d", "components": [{"name": "os_powered_dns"}],
    "required_platform_components": [{"name": "os_powered_compute", "source": "https://example.org/2020.06.json"}]}},
  "components": {"os_powered_dns": {"capabilities": {"required": ["a"], "advisory": [], "deprecated": [], "removed": ["gone"]},
    "designated_sections": {"required": ["designate"]}}},
  "capabilities": {"a": {"acheivements": ["discoverable", ""], "admin": false, "descriptin": "d", "project": "p", "required-since": "",
    "colour": 1, "tests": {
      "m.T.one": {"idempotent-id": "00000000-0000-4000-8000-000000000001", "flag": {"reason": "why", "action": "", "date": ""}},
      "m.T.two": {"idempotent_id": "", "flagged": {}},
      "m.T.three": {"idempotent_id": 3, "aliases": "x"}}}},
  "designated_sections": {"designate": {"required": {"guidance": "g", "sections": {"api": {"description": "d", "designated": true}}}}}}"#;

fn read(text: &str) -> (Guideline, Diagnostics) {
    Guideline::read("g.json", text.as_bytes()).unwrap()
}

fn found(problems: &Diagnostics) -> Vec<&'static str> {
    let mut codes: Vec<_> = problems.iter().map(|one| one.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn lines(guideline: &Guideline, program: &str, aliases: bool, flagged: bool) -> Vec<String> {
    let options = TestListOptions { standings: vec![LifeCycle::Required], aliases, flagged };
    test_list(guideline, guideline.program_like(program).unwrap(), &options)
}

#[test]
fn schema_1_0_has_one_component() {
    let (guideline, problems) = read(CORE);
    assert_eq!(found(&problems), ["G026", "G029"], "{problems}");
    assert_eq!((guideline.metadata.id.0.as_str(), guideline.metadata.schema.as_str()), ("old", "1.0"));
    assert_eq!(lines(&guideline, "core", true, true), ["m.T.one"]);
    let standing = guideline.standing(guideline.program("core").unwrap());
    assert_eq!(standing.into_values().collect::<Vec<_>>(), [LifeCycle::Required, LifeCycle::Advisory]);
    assert_eq!(guideline.metadata.scoring.criteria["atomic"].description, "d");
}

#[test]
fn schema_1_2_lists_tests_and_flags_by_name() {
    let (guideline, problems) = read(LISTS);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(lines(&guideline, "platform", true, true), ["m.T.one", "m.T.two"]);
    assert_eq!(lines(&guideline, "compute", true, false), ["m.T.one"]);
    assert!(lines(&guideline, "storage", true, true).is_empty(), "object is what is called storage today");
    assert_eq!(guideline.capabilities["a"].required_since.as_deref(), Some("2014.07"));
    assert_eq!(guideline.designated_sections["nova"]["required"].guidance, "g");
    assert_eq!(found(&lint(&guideline, None)), ["G106", "G116"]);
}

#[test]
fn schema_1_6_has_ids_aliases_and_flags() {
    let (guideline, problems) = read(MAPS);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(guideline.metadata.scoring.cutoff_score, Some(74), "a number in quotes");
    let id = "id-00000000-0000-4000-8000-000000000001,smoke";
    let all = lines(&guideline, "compute", true, true);
    assert_eq!(all[..2], [format!("m.T.new[{id}]"), format!("m.T.old[{id}]")], "the id is printed as it stands");
    assert_eq!(lines(&guideline, "compute", true, false).len(), 1);
    let test = &guideline.capabilities["a"].tests["m.T.new"];
    assert_eq!(test.uuid(), Some("00000000-0000-4000-8000-000000000001"));
    assert_eq!(test.flagged.as_ref().unwrap().code.as_deref(), Some("D401"));
    assert_eq!(guideline.test_repositories["tempest"].reference.as_deref(), Some("abc"));
    assert_eq!(found(&lint(&guideline, None)), ["G118", "G126"]);
}

#[test]
fn schema_2_0_is_read_with_all_its_misspellings() {
    let (guideline, problems) = read(GROUPED);
    assert_eq!(found(&problems), ["G021", "G022", "G023", "G024", "G025"], "{problems}");
    assert!(problems.iter().all(|one| one.position().is_some() && one.path.is_some() && one.help.is_some()));
    let misspelt = problems.iter().find(|one| one.message.contains("descriptin")).unwrap();
    assert_eq!(misspelt.path.as_deref(), Some("$.capabilities.a.descriptin"));
    let capability = &guideline.capabilities["a"];
    assert_eq!(
        (capability.description.as_str(), capability.achievements.as_slice()),
        ("d", &["discoverable".to_string()][..])
    );
    let flag = |test: &str| capability.tests[test].flagged.as_ref().map(|flag| flag.seen_by_refstack);
    assert_eq!((flag("m.T.one"), flag("m.T.two"), flag("m.T.three")), (Some(false), Some(true), None));
    assert_eq!(lines(&guideline, "dns", true, false).len(), 2, "the list knows `flagged` only, as RefStack does");
    let program = guideline.program("DNS").unwrap();
    assert_eq!(program.host_components[0].name, "os_powered_compute");
    let shown = lint(&guideline, None);
    assert_eq!(found(&shown), ["G101", "G110", "G114", "G118", "G126", "G127"], "{shown}");
    let id = shown.iter().find(|one| one.message.contains("is empty")).unwrap();
    assert_eq!(id.path.as_deref(), Some(r#"$.capabilities.a.tests["m.T.two"].idempotent_id"#));
}

#[test]
fn what_is_no_guideline_is_refused_and_what_claims_to_be_ours_is_read_strictly() {
    let code = |text: &str| Guideline::read("g.json", text.as_bytes()).unwrap_err().iter().next().unwrap().code;
    assert_eq!(code(&CORE.replace("\"1.0\"", "\"1.7\"")), "G002");
    assert_eq!(code(&GROUPED.replace("\"2.0\"", "\"3.0\"")), "G002");
    assert_eq!(code(r#"{"release": "old", "schema": "1.0", "projects": {}}"#), "G002");
    assert_eq!(code(&GROUPED.replace("\"id\": \"dns", "\"asize\": {}, \"id\": \"dns")), "G002", "nearly ours is ours");
    assert!(is_guideline(LISTS.as_bytes()) && is_guideline(GROUPED.as_bytes()));
    assert!(!is_guideline(br#"{"2020.06": {}}"#) && !is_guideline(b"[}") && !is_guideline(&[0xff]));
}

#[test]
fn yaml_in_a_json_file_is_read_and_reported_once() {
    let (_, problems) = read(&LISTS.replace("\"tests\": []}", "\"tests\": [],}"));
    assert_eq!(found(&problems), ["G028"]);
}

#[test]
fn every_code_that_is_used_has_a_rule() {
    for text in [CORE, LISTS, MAPS, GROUPED] {
        let (guideline, problems) = read(text);
        for one in problems.iter().chain(lint(&guideline, None).iter()) {
            assert!(codes::rule(one.code).is_some(), "{}", one.code);
        }
    }
}
