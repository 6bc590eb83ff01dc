//! Guidelines made from another one, and guidelines made of several.

use serde_json::{Value, json};

use crate::stub::{Bench, Target, guideline};

/// A folder with a parent guideline of two capabilities and a third that is advisory.
fn bench() -> Bench {
    let bench = Bench::new("cases: []\n");
    let mut parent =
        guideline(&[("toy-a", &["ironic.s.a"]), ("toy-b", &["ironic.s.b", "ironic.s.c"]), ("toy-d", &["ironic.s.d"])]);
    parent["components"]["core"]["capabilities"]["required"] = json!(["toy-a", "toy-b"]);
    parent["components"]["core"]["capabilities"]["advisory"] = json!(["toy-d"]);
    bench.write("1.json", &serde_json::to_string_pretty(&parent).unwrap());
    bench
}

fn digest(bench: &Bench, file: &str) -> String {
    let ran = bench.assize(&["guideline", "show", file, "--json"]).expect(0);
    serde_json::from_str::<Value>(&ran.out).unwrap()["digest"].as_str().unwrap().to_owned()
}

/// A copy with changes, and what it says of them.
fn derive(bench: &Bench, changes: &Value, edit: impl FnOnce(&mut Value)) {
    let mut own = bench.json("1.json");
    own["metadata"]["id"] = json!("own.2026.11");
    own["metadata"]["assize"]["derived"] =
        json!({"parent": "ironic/1", "digest": digest(bench, "1.json"), "changes": changes});
    edit(&mut own);
    bench.write("own.2026.11.json", &serde_json::to_string_pretty(&own).unwrap());
}

fn change(kind: &str, what: &str) -> Value {
    json!({"kind": kind, "what": what, "reason": "we need it so", "owner": "team"})
}

fn lint(bench: &Bench) -> crate::stub::Ran {
    bench.assize(&["guideline", "lint", "own.2026.11.json", "1.json"])
}

#[test]
fn each_difference_to_the_parent_has_a_reason() {
    let bench = bench();
    derive(&bench, &json!([]), |_| {});
    lint(&bench).expect(0);
    let edit = |own: &mut Value| {
        own["components"]["core"]["capabilities"]["required"] = json!(["toy-b"]);
        own["capabilities"]["toy-b"]["tests"]["ironic.s.c"] =
            json!({"flagged": {"reason": "[D401] broken", "owner": "team", "date": "2026-11-01"}});
    };
    derive(&bench, &json!([]), edit);
    lint(&bench).expect(3).says(&["G154", "`toy-a` was required", "`ironic.s.c`", "(flag)"]);
    let changes = json!([change("drop", "toy-a"), change("flag", "ironic.s.c")]);
    derive(&bench, &changes, edit);
    lint(&bench).expect(0);
    derive(&bench, &json!([change("drop", "toy-a"), change("flag", "ironic.s.c"), change("add", "toy-z")]), edit);
    lint(&bench).expect(0).says(&["G155", "toy-z"]);
    derive(&bench, &json!([change("add", "toy-a"), change("flag", "ironic.s.c")]), edit);
    lint(&bench).expect(3).says(&["G154", "G155"]);
    derive(&bench, &json!([{"kind": "drop", "what": "toy-a", "reason": "", "owner": "team"}]), edit);
    lint(&bench).expect(3).says(&["G011", "`reason` is empty"]);
    derive(&bench, &json!([{"kind": "remove", "what": "toy-a", "reason": "r", "owner": "team"}]), edit);
    lint(&bench).expect(3).says(&["G007", "drop"]);
}

#[test]
fn the_parent_is_the_one_that_is_named() {
    let bench = bench();
    derive(&bench, &json!([]), |_| {});
    bench.assize(&["guideline", "lint", "own.2026.11.json"]).expect(3).says(&["G153", "not known"]);
    bench.write("1.json", &bench.read("1.json").replace("\"description\": \"d\"", "\"description\": \"e\""));
    lint(&bench).expect(3).says(&["G153", "another document than the parent", &digest(&bench, "1.json")]);
}

#[test]
fn two_guidelines_are_compared_in_three_forms() {
    let bench = bench();
    derive(&bench, &json!([change("change", "toy-d")]), |own| {
        own["components"]["core"]["capabilities"]["required"] = json!(["toy-b", "toy-d"]);
        own["components"]["core"]["capabilities"]["advisory"] = json!([]);
        own["platforms"]["Toy Extra"] = json!({"description": "d", "components": [{"name": "core"}]});
    });
    let diff =
        |more: &[&str]| bench.assize(&[&["guideline", "diff", "1.json", "own.2026.11.json"], more].concat()).expect(0);
    diff(&[])
        .prints(&[
            "ironic/1 → ironic/own.2026.11",
            "- capability toy-a",
            "~ capability toy-d: was advisory, is required",
            "we need it so (team)",
            "+ program Toy Extra",
        ])
        .says(&["3 differences"]);
    diff(&["--markdown"]).prints(&["| drop | capability | `toy-a` |", "| we need it so | team |"]);
    let list: Value = serde_json::from_str(&diff(&["--json"]).out).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 3);
    bench.assize(&["guideline", "diff", "1.json", "1.json"]).expect(0).says(&["no differences"]);
    bench.assize(&["guideline", "diff", "1.json"]).expect(2).says(&["no derived guideline"]);
}

#[test]
fn a_guideline_takes_one_step_at_a_time_and_is_then_frozen() {
    let bench = bench();
    let state = |name: &str, status: &str, edit: &dyn Fn(&mut Value)| {
        let mut own = bench.json("1.json");
        own["metadata"]["approval"]["status"] = json!(status);
        edit(&mut own);
        bench.write(&format!("{name}/1.json"), &serde_json::to_string_pretty(&own).unwrap());
    };
    let step = |from: &str, to: &str| {
        state("old", from, &|_| {});
        state("new", to, &|_| {});
        bench.assize(&["guideline", "lint", "--baseline", "old/1.json", "new/1.json"])
    };
    step("draft", "advisory").expect(0);
    step("advisory", "approved").expect(0).says(&["G156", "does not say what was"]);
    step("approved", "superseded").expect(0);
    step("draft", "approved").expect(3).says(&["G157", "it was a draft, now it is approved"]);
    step("advisory", "draft").expect(3).says(&["G157"]);
    step("approved", "draft").expect(3).says(&["G151", "went back"]);
    // What was approved is recorded, and a change of it is noticed without the old file.
    let ran = bench.assize(&["guideline", "show", "1.json", "--json"]).expect(0);
    let content = serde_json::from_str::<Value>(&ran.out).unwrap()["content"].clone();
    state("new", "approved", &|own| own["metadata"]["approval"]["content"] = content.clone());
    bench.assize(&["guideline", "lint", "new/1.json"]).expect(0);
    let flag = json!({"flagged": {"reason": "[D401] broken", "owner": "team", "date": "2026-11-01"}});
    state("new", "approved", &|own| {
        own["metadata"]["approval"]["content"] = content.clone();
        own["capabilities"]["toy-b"]["tests"]["ironic.s.c"] = flag.clone();
        own["capabilities"]["toy-b"]["description"] = json!("clearer");
    });
    bench.assize(&["guideline", "lint", "new/1.json"]).expect(0);
    state("new", "approved", &|own| {
        own["metadata"]["approval"]["content"] = content.clone();
        own["capabilities"]["toy-b"]["tests"].as_object_mut().unwrap().remove("ironic.s.c");
    });
    bench.assize(&["guideline", "lint", "new/1.json"]).expect(3).says(&["G156"]);
}

const STACK: &str = r#"{"format": "assize-composite/1", "id": "stack/1", "description": "d", "programs": {"Stack": {"description": "d",
  "parts": [{"name": "toys", "guideline": "ironic/1", "program": "Toy Basic"},
            {"name": "cloud", "guideline": "openstack/2026.11", "program": "OpenStack Powered Compute"},
            {"name": "machines", "guideline": "redfish/2026.11", "program": "Redfish Operations", "required": false}]}}}"#;

/// A toy run, and the recorded bundles of two other families, in one verdict.
#[test]
fn a_composite_gives_one_verdict_over_several_families() {
    let bench = Bench::new(
        "cases:\n  - id: one\n    title: One\n    capability: toy-all\n    steps: [{get: /toy, expect: {status: 200}}]\n",
    );
    let target = Target::empty();
    bench.run(&target.url(), &[]).expect(0);
    // The other families' suites and guidelines are those of the project.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["openstack", "redfish"] {
        bench.write(
            &format!("capabilities/{name}/2026.11.json"),
            &std::fs::read_to_string(root.join(format!("capabilities/{name}/2026.11.json"))).unwrap(),
        );
    }
    bench.write("stack.json", STACK);
    let cloud = root.join("reports/openstack/2026.11/openstack/loopback-lab/2026.2").display().to_string();
    let machines = root.join("reports/redfish/2026.11/openstack/sushy-tools/2.2.0-tls").display().to_string();
    let score = |bundles: &[&str], more: &[&str]| {
        let fixed = ["--guideline", "stack.json", "--suites", "."];
        bench.assize(&[&["score"][..], bundles, &fixed[..], more].concat())
    };
    let ran = score(&["out", &cloud, &machines], &["--json"]);
    let all: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    let verdicts: Vec<_> =
        all[0]["parts"].as_array().unwrap().iter().map(|part| part["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["conformant", "conformant", "not-conformant"]);
    assert_eq!(all[0]["verdict"], "conformant", "the machines decide nothing");
    let ran = score(&["out", &machines], &[]).expect(1);
    ran.prints(&["unproven", "Stack", "cloud (openstack/2026.11)", "no bundle of its family", "decides nothing"]);
    bench.write("stack.json", &STACK.replace(", \"required\": false", ""));
    score(&["out", &cloud, &machines], &[]).expect(1).prints(&["not-conformant  Stack"]);
    score(&["out", "out"], &[]).expect(2).says(&["two bundles are of family"]);
    score(&["out/report.json"], &[]).expect(2).says(&["is no bundle"]);
    bench.assize(&["score", "out", &cloud]).expect(2).says(&["composite guideline only"]);
}

#[test]
fn a_composite_is_linted_against_the_guidelines_of_its_parts() {
    let bench = bench();
    let lint = |text: &str| {
        bench.write("stack.json", text);
        bench.assize(&["guideline", "lint", "stack.json", "1.json"])
    };
    lint(STACK).expect(0);
    lint(&STACK.replace("Toy Basic", "Toy Bsic")).expect(3).says(&["G159", "did you mean `Toy Basic`?"]);
    lint(&STACK.replace("ironic/1", "ironic/9")).expect(3).says(&["G158", "not known"]);
    let digest = format!("\"guideline\": \"ironic/1\", \"digest\": \"sha256:{}\"", "0".repeat(64));
    lint(&STACK.replace("\"guideline\": \"ironic/1\"", &digest)).expect(3).says(&["G158", "another document"]);
    lint(&STACK.replace("\"name\": \"cloud\"", "\"name\": \"toys\"")).expect(3).says(&["G160"]);
    lint(&STACK.replace("\"required\"", "\"requird\"")).expect(3).says(&["G003", "did you mean `required`?"]);
    lint(&STACK.replace("assize-composite/1", "assize-composite/2")).expect(3).says(&["G002", "newer"]);
}
