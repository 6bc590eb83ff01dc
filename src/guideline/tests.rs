//! Our own format, read and linted.

use std::collections::BTreeSet;

use super::*;
use crate::capability::{LifeCycle, TestId};
use crate::text::Diagnostics;

const REDFISH: &[u8] = include_bytes!("../../capabilities/redfish/2026.11.json");

const GOOD: &str = r#"metadata: {id: "2026.11", schema: "2.0", assize: {format: assize-guideline/1, family: redfish}}
platforms:
  Base: {description: What it means, components: [{name: core}]}
components:
  core: {capabilities: {required: [power], advisory: [], deprecated: [], removed: []}}
capabilities:
  power:
    description: It can be switched on.
    spec: ["DSP0266: Actions"]
    tests: {redfish.power.on: {}}
"#;

fn read(text: &str) -> Result<(Guideline, Diagnostics), Diagnostics> {
    Guideline::read("g.yaml", text.as_bytes())
}

fn edited(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

fn codes(found: &Diagnostics) -> Vec<&'static str> {
    found.iter().map(|one| one.code).collect()
}

#[test]
fn reads_a_guideline_and_finds_nothing_to_say() {
    let (guideline, notes) = read(GOOD).unwrap();
    assert!(notes.is_empty(), "{notes}");
    assert!(lint(&guideline, None).is_empty());
    let program = guideline.program("Base").unwrap();
    let standing = guideline.standing(program);
    assert_eq!(standing.values().collect::<Vec<_>>(), [&LifeCycle::Required]);
    assert_eq!(guideline.weight(&"power".parse().unwrap()), 1);
}

#[test]
fn our_redfish_guideline_is_clean() {
    let (guideline, notes) = Guideline::read("capabilities/redfish/2026.11.json", REDFISH).unwrap();
    assert!(notes.is_empty(), "{notes}");
    let found = lint(&guideline, None);
    assert!(found.is_empty(), "{found}");
    assert_eq!(guideline.programs.len(), 5);
}

#[test]
fn the_committed_schema_is_the_generated_one_and_accepts_our_files() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/guideline.schema.json");
    let generated = format!("{:#}\n", schema());
    if std::env::var_os("ASSIZE_BLESS").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == generated, "{path} differs from guideline::schema(); write this into it:\n{generated}");
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let ours: serde_json::Value = serde_json::from_slice(REDFISH).unwrap();
    let errors: Vec<_> = validator.iter_errors(&ours).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut wrong = ours;
    wrong["capabilities"]["power-state"]["wieght"] = 1.into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn schema_and_reader_know_the_same_keys() {
    let full = r#"metadata:
  id: x
  schema: "2.0"
  assize:
    {format: assize-guideline/1, family: redfish, min_tool: 0.1.0, accept: {G101: r}, derived: {parent: redfish/0, digest: SHA,
      changes: [{kind: drop, what: k, reason: r, owner: o}]}}
  approval: {status: draft, replaces: y, target_approval: z, releases: [a], content: SHA}
  scoring: {cutoff_score: 74, criteria: {atomic: {name: n, description: d, weight: 6}}}
  source: s
  reference: r
platforms:
  P: {description: d, components: [{name: c, source: s}], required_platform_components: [{name: h}]}
components:
  c: {description: d, capabilities: {required: [k], advisory: [], deprecated: [], removed: []}, designated_sections: {required: [nova]}}
capabilities:
  k:
    name: n
    description: d
    spec: [s]
    weight: 3
    achievements: [atomic]
    admin: false
    project: p
    required_since: x
    attempts: first
    criteria: {atomic: {score: 1, note: n}}
    total: 6
    note: n
    inferred: i
    accept: {G109: r}
    tests: {t: {idempotent_id: i, aliases: [u], flagged: {reason: "[D401] r", action: a, date: d, owner: o}}}
designated_sections: {nova: {required: {guidance: g, comment: c, sections: {s: {description: d, designated: true}}}}}
test_repositories: {tempest: {repository: r, reference: f, description: d}}
"#;
    let full = &full.replace("SHA", &format!("'sha256:{}'", "0".repeat(64)));
    let (guideline, notes) = read(full).unwrap();
    assert!(notes.is_empty(), "{notes}");
    let capability = &guideline.capabilities["k"];
    assert_eq!(capability.attempts, Attempts::First);
    let flag = capability.tests["t"].flagged.as_ref().unwrap();
    assert_eq!((flag.code.as_deref(), flag.owner.as_deref()), (Some("D401"), Some("o")));
    let source = crate::text::SourceFile::new("f", full.as_str());
    let json = crate::text::yaml::parse(&source).unwrap().to_json();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert!(validator.is_valid(&json));
    assert_eq!(guideline.points(capability), 6);
    let derived = guideline.metadata.derived.as_ref().unwrap();
    assert_eq!((derived.parent.as_str(), derived.changes[0].kind), ("redfish/0", ChangeKind::Drop));
    // Every property of the schema is in the document above.
    let text = full.to_string();
    fn properties(schema: &serde_json::Value, out: &mut BTreeSet<String>) {
        if let Some(map) = schema.as_object() {
            if let Some(own) = map.get("properties").and_then(|own| own.as_object()) {
                out.extend(own.keys().cloned());
            }
            map.values().for_each(|value| properties(value, out));
        }
    }
    let mut all = BTreeSet::new();
    properties(&schema(), &mut all);
    all.remove("os_trademark_approval");
    for key in all {
        assert!(text.contains(&format!("{key}:")), "{key}");
    }
}

#[test]
fn weights_default_to_the_achievements() {
    let text = edited("schema: \"2.0\"", "schema: \"2.0\", scoring: {criteria: {a: {weight: 6}, b: {weight: 8}}}");
    let text = text.replace("    tests:", "    achievements: [a, b, lost]\n    tests:");
    let (guideline, _) = read(&text).unwrap();
    assert_eq!(guideline.weight(&"power".parse().unwrap()), 14);
    assert_eq!(codes(&lint(&guideline, None)), ["G120", "G114"]);
}

#[test]
fn a_worksheet_has_a_total_and_says_what_is_open() {
    let text = edited(
        "schema: \"2.0\"",
        "schema: \"2.0\", scoring: {cutoff_score: 80, criteria: {a: {weight: 60}, b: {weight: 40}}}",
    );
    let sheet = |keys: &str| {
        let (guideline, notes) = read(&text.replace("    tests:", &format!("    {keys}\n    tests:"))).unwrap();
        assert!(notes.is_empty(), "{notes}");
        (guideline.weight(&"power".parse().unwrap()), codes(&lint(&guideline, None)))
    };
    assert_eq!(sheet("criteria: {a: 1, b: {score: 1, note: why}}\n    total: 100"), (100, vec![]));
    assert_eq!(sheet("criteria: {a: 1, b: 0}\n    total: 60"), (60, vec!["G118"]));
    assert_eq!(sheet("criteria: {a: 1, b: 1}\n    total: 99"), (100, vec!["G117"]));
    assert_eq!(sheet("criteria: {a: 1, b: '?'}"), (60, vec!["G124", "G118"]));
    assert_eq!(sheet("criteria: {a: 1, b: 1, c: 1}"), (100, vec!["G124"]));
    assert_eq!(sheet("criteria: {a: 1, b: 1}\n    admin: true\n    total: 0"), (100, vec!["G119", "G118"]));
    let odd = text.replace("    tests:", "    criteria: {a: 2, b: {note: x}}\n    tests:");
    assert_eq!(codes(&read(&odd).unwrap_err()), ["G007", "G004"]);
}

#[test]
fn what_is_accepted_with_a_reason_is_not_reported_and_must_occur() {
    let hollow = edited("{redfish.power.on: {}}", "{}");
    let with = |accept: &str| hollow.replace("    tests:", &format!("    accept: {accept}\n    tests:"));
    assert_eq!(codes(&lint(&read(&with("{G106: it was so}")).unwrap().0, None)), Vec::<&str>::new());
    assert_eq!(codes(&lint(&read(&with("{G109: it was so}")).unwrap().0, None)), ["G106", "G125"]);
    let whole = hollow.replace("family: redfish", "family: redfish, accept: {G106: it was so}");
    assert!(lint(&read(&whole).unwrap().0, None).is_empty());
    assert_eq!(codes(&read(&with("{G106: ''}")).unwrap_err()), ["G011"]);
    assert_eq!(codes(&read(&with("{G003: no}")).unwrap_err()), ["G007"]);
    assert_eq!(codes(&read(&with("{G199: no}")).unwrap_err()), ["G007"]);
}

#[test]
fn newer_formats_and_tools_are_refused_by_name() {
    let shown = read(&edited("assize-guideline/1", "assize-guideline/2")).unwrap_err().to_string();
    for part in ["g.yaml", "`assize-guideline/2`", "`assize-guideline/1`", "install a newer release"] {
        assert!(shown.contains(part), "{shown}");
    }
    let shown = read(&edited("family: redfish", "family: redfish, min_tool: 99.0.0")).unwrap_err().to_string();
    assert!(shown.contains("needs assize 99.0.0 or newer"), "{shown}");
    assert!(read(&edited("family: redfish", "family: redfish, min_tool: 0.0.1")).is_ok());
    assert_eq!(codes(&read(&edited("family: redfish", "family: redfish, min_tool: new")).unwrap_err()), ["G002"]);
    assert_eq!(codes(&read("{}").unwrap_err()), ["G002"]);
    assert_eq!(codes(&read("").unwrap_err()), ["G002"]);
    assert_eq!(codes(&Guideline::read("g", &[0xff, 0xfe]).unwrap_err()), ["G001"]);
    for odd in ["assize-suite/1", "assize-guideline/0", "assize-guideline/x", "1"] {
        assert_eq!(codes(&read(&edited("assize-guideline/1", odd)).unwrap_err()), ["G002"], "{odd}");
    }
}

#[test]
fn every_misreading_is_reported_at_once() {
    let text = r#"metadata: {id: "", schema: "2.0", assize: {format: assize-guideline/1, family: redfisch}}
platforms: {P: {component: []}}
components:
  c: {capabilities: {requierd: [a], required: [a_b], advisory: x}}
capabilities:
  k: {acheivements: [], weight: 0, admin: "yes", attempts: twice, tests: {t: {flag: {}, flagged: {}}}}
"#;
    let problems = read(text).unwrap_err();
    let shown = problems.to_string();
    for near in ["redfish", "components", "achievements"] {
        assert!(shown.contains(&format!("did you mean `{near}`?")), "{near}\n{shown}");
    }
    let found: BTreeSet<_> = codes(&problems).into_iter().collect();
    let wanted = ["G003", "G004", "G005", "G006", "G007", "G008", "G011"];
    assert_eq!(found, wanted.into_iter().collect(), "{shown}");
    assert!(problems.iter().all(|one| one.position().is_some()), "{shown}");
}

#[test]
fn lint_finds_each_defect() {
    let cases = [
        ("required: [power]", "required: [power, powr]", "G101"),
        ("{name: core}", "{name: core}, {name: cores}", "G102"),
        ("[{name: core}]", "[]", "G103"),
        ("required: [power]", "required: [power, power]", "G104"),
        ("advisory: []", "advisory: [power]", "G104"),
        ("[{name: core}]", "[{name: core}, {name: core}]", "G104"),
        ("required: [power], advisory: []", "required: [], advisory: []", "G105"),
        ("{redfish.power.on: {}}", "{}", "G106"),
        ("on: {}}", "on: {flagged: {reason: '[D401] r', date: d, owner: o}}}", "G106"),
        ("It can be switched on.", "' '", "G108"),
        ("[\"DSP0266: Actions\"]", "[]", "G109"),
        ("on: {}}", "on: {}, b: {flagged: {reason: broken}}}", "G110"),
        ("on: {}}", "on: {aliases: [redfish.power.on]}}", "G111"),
        ("on: {}}", "on: {aliases: [b]}, b: {}}", "G111"),
        ("on: {}}", "on: {aliases: [c]}, b: {aliases: [c]}}", "G111"),
        ("on: {}}", "on: {idempotent_id: i}, b: {idempotent_id: i}}", "G111"),
    ];
    for (from, to, code) in cases {
        let (guideline, _) = read(&edited(from, to)).unwrap();
        let found = lint(&guideline, None);
        assert!(codes(&found).contains(&code), "{to}: {found}");
        assert!(found.iter().all(|one| one.position().is_some()), "{to}: {found}");
    }
    let upper = GOOD.replace("[power]", "[Power]").replace("  power:", "  Power:");
    assert_eq!(codes(&lint(&read(&upper).unwrap().0, None)), ["G112"]);
    let twice = edited("required: [power]", "required: [power, two]")
        + "  two: {description: d, spec: [s], tests: {x: {}, redfish.power.on: {flagged: {reason: D401, date: d, owner: o}}}}\n";
    assert_eq!(codes(&lint(&read(&twice).unwrap().0, None)), ["G115", "G113"]);
}

#[test]
fn lint_knows_the_tests_of_the_suites() {
    let (guideline, _) = read(GOOD).unwrap();
    let known = |id: &str| BTreeSet::from([id.parse::<TestId>().unwrap()]);
    assert!(lint(&guideline, Some(&known("redfish.power.on"))).is_empty());
    let found = lint(&guideline, Some(&known("redfish.power.onn")));
    assert_eq!(codes(&found), ["G107"]);
    let shown = found.to_string();
    assert!(shown.contains("did you mean `redfish.power.onn`?") && shown.contains("g.yaml:10:"), "{shown}");
    let (renamed, _) = read(&edited("on: {}", "on: {aliases: [redfish.power.switch-on]}")).unwrap();
    assert!(lint(&renamed, Some(&known("redfish.power.switch-on"))).is_empty());
}

#[test]
fn the_strictest_standing_wins() {
    let text = edited("{name: core}", "{name: core}, {name: more}")
        .replace("components:\n  core", "components:\n  more: {capabilities: {advisory: [power]}}\n  core");
    let (guideline, _) = read(&text).unwrap();
    let standing = guideline.standing(guideline.program("Base").unwrap());
    assert_eq!(standing.values().collect::<Vec<_>>(), [&LifeCycle::Required]);
}
