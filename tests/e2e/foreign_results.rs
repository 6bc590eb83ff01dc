//! `assize score` on results of other tools, and native cases that stand for upstream tests.

use crate::stub::{Bench, Target, guideline, json};

#[path = "../results/writer.rs"]
mod writer;

use writer::result;

const SERVERS: &str = "toy.api.compute.test_servers.ServersTest";

/// A case that passes and one that fails; both stand for upstream tests.
const CASES: &str = "cases:
  - id: good
    title: A good one
    capability: toy-all
    covers: [toysuite:00000001-0000-4000-8000-000000000001, toysuite:00000002-0000-4000-8000-000000000002]
    steps: [{get: /toy, expect: {status: 200}}]
  - id: bad
    title: A bad one
    capability: toy-all
    covers: [toysuite:00000002-0000-4000-8000-000000000002]
    steps: [{get: /toy, expect: {status: 201}}]
  - id: rows
    title: One of each
    capability: toy-all
    each:
      - {name: fine, covers: 'toysuite:toy.api.compute.test_servers.ServersTest.test_retried'}
      - {name: wrong, covers: ['toysuite:id-00000008-0000-4000-8000-000000000008']}
    steps: [{get: '/toy/${name}', expect: {status: 200}}]
";

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn id(number: u32) -> String {
    format!("{number:08}-0000-4000-8000-{number:012}")
}

fn bench() -> Bench {
    let bench = Bench::new(CASES);
    let mut document = guideline(&[("servers", &[]), ("ports", &[]), ("tapes", &[])]);
    let mut test = |capability: &str, name: &str, number: u32| {
        document["capabilities"][capability]["tests"][name] =
            serde_json::json!({"idempotent_id": format!("id-{}", id(number))});
    };
    test("servers", &format!("{SERVERS}.test_list"), 1);
    test("servers", &format!("{SERVERS}.test_show"), 2);
    test("servers", &format!("{SERVERS}.test_retried"), 6);
    test("ports", "toy.api.network.test_ports.PortsTest.test_list", 8);
    test("tapes", "toy.api.image.test_tapes.TapesTest.test_wind", 9);
    bench.write("upstream.json", &document.to_string());
    for (name, bytes) in [
        ("v1", &include_bytes!("../results/v1.subunit")[..]),
        ("v2", include_bytes!("../results/v2.subunit")),
        ("xml", include_bytes!("../results/junit.xml")),
    ] {
        std::fs::write(bench.path(name), bytes).unwrap();
    }
    bench
}

fn score<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["score", file, "--suites", ".", "--guideline", "upstream.json"], more].concat()
}

#[test]
fn each_format_gives_the_same_verdict() {
    let bench = bench();
    let outs = ["v1", "v2", "xml"].map(|file| bench.assize(&score(file, &["--json"])).expect(1).out);
    assert_eq!(outs[0], outs[1]);
    assert_eq!(outs[0], outs[2]);
    let shown = bench.assize(&score("v2", &[])).expect(1).says(&["read as subunit v2: 8 tests", "marked flaky"]);
    snapshot("e2e-score-foreign", &shown.out);
    bench
        .assize(&score("v2", &["--explain"]))
        .expect(1)
        .prints(&["pass    toy.api.compute.test_servers.ServersTest.test_list"]);
    bench.assize(&score("v2", &["--defcore-rules"])).expect(1).prints(&["\"passed\": 2"]);
}

#[test]
fn a_damaged_stream_is_scored_but_never_conformant() {
    let bench = bench();
    let mut document = guideline(&[("servers", &["a.b"])]);
    document["metadata"]["id"] = "2".into();
    bench.write("upstream.json", &document.to_string());
    let good = result("a.b", 3, 5, None);
    std::fs::write(bench.path("good"), &good).unwrap();
    bench.assize(&score("good", &[])).expect(0).prints(&["conformant"]);
    std::fs::write(bench.path("cut"), [&good[..], &result("a.c", 3, 5, None)[..9]].concat()).unwrap();
    let at = format!("byte {}: the stream ends within a packet", good.len());
    bench.assize(&score("cut", &[])).expect(3).says(&[&at]).prints(&["unproven", "100"]);
    std::fs::write(bench.path("worse"), &good[..9]).unwrap();
    bench.assize(&score("worse", &[])).expect(3).says(&["holds no result"]);
    bench.write("empty.xml", "<testsuites/>");
    bench.assize(&score("empty.xml", &[])).expect(4).says(&["holds no result"]);
    bench.write("words", "What a day.\n");
    bench.assize(&score("words", &[])).expect(3).says(&["the format is not known", "line 1"]);
    bench.assize(&["score", "good", "--suites", "."]).expect(2).says(&["--guideline"]);
}

#[test]
fn native_cases_stand_for_upstream_tests() {
    let bench = bench();
    let target = Target::start(|seen| json(if seen.what() == "GET /toy/wrong" { 404 } else { 200 }, "{}"));
    bench.run(&target.url(), &["--guideline", "upstream.json"]).expect(1);
    bench.verify().expect(0);
    let report = bench.json("out/report.json");
    let servers = report["programs"][0]["required"].as_array().unwrap();
    let servers = servers.iter().find(|one| one["capability"] == "servers").unwrap();
    let test = |name: &str| {
        let name = format!("{SERVERS}.{name}");
        servers["tests"].as_array().unwrap().iter().find(|test| test["test"] == name.as_str()).unwrap().clone()
    };
    assert_eq!(test("test_list")["outcome"], "pass");
    assert_eq!(test("test_list")["ran_as"], serde_json::json!(["ironic.s.good"]));
    assert_eq!(test("test_show")["outcome"], "fail", "the worst of the cases that cover it");
    assert_eq!(test("test_show")["ran_as"], serde_json::json!(["ironic.s.bad", "ironic.s.good"]));
    assert_eq!(test("test_retried")["outcome"], "pass", "a row alone");
    assert_eq!(test("test_retried")["ran_as"], serde_json::json!(["ironic.s.rows[fine]"]));
    assert!(report.to_string().contains(r#""outcome":"fail","ran_as":["ironic.s.rows[wrong]"]"#), "{report}");
    let stated = report["programs"].clone();
    for file in ["out", "out/report.json"] {
        let ran = bench.assize(&score(file, &["--json"])).expect(1);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap(), stated, "{file}");
    }
    // A case that was not selected leaves what it stands for unproven.
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    bench.run(&target.url(), &["--guideline", "upstream.json", "--case", "good"]).expect(1);
    bench.verify().expect(0);
    let report = bench.json("out/report.json");
    assert!(
        report.to_string().contains(r#""outcome":"not-run","ran_as":["ironic.s.bad","ironic.s.good"]"#),
        "{report}"
    );
}

#[test]
fn coverage_is_listed() {
    let bench = bench();
    let list = |more: &[&str]| bench.assize(&[&["list", "--suites", ".", "--covers"], more].concat());
    list(&[]).expect(0).prints(&["toysuite:00000002-0000-4000-8000-000000000002  ironic.s.bad, ironic.s.good"]);
    let ran = list(&["--guideline", "upstream.json"]).expect(0);
    snapshot("e2e-covers", &ran.out);
    let ran = list(&["--guideline", "upstream.json", "--json"]).expect(0);
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["covered"], 4);
    assert_eq!(lines.last().unwrap()["not_covered"], 1);
    assert_eq!(lines.len(), 6);
    bench.assize(&["list", "--suites", ".", "--guideline", "upstream.json"]).expect(2);
}

/// A case that was run with some of its rows only proves nothing.
#[test]
fn rows_that_were_not_selected_are_not_run() {
    let bench = bench();
    bench.guideline(&guideline(&[("toy-all", &["ironic.s.rows"])]));
    let target = Target::start(|seen| json(if seen.what() == "GET /toy/wrong" { 404 } else { 200 }, "{}"));
    bench.run(&target.url(), &["--case", "rows[fine]"]).expect(1);
    bench.verify().expect(0);
    let program = bench.json("out/report.json")["programs"][0].clone();
    assert_eq!(
        (&program["verdict"], &program["required"][0]["tests"][0]["outcome"]),
        (&"unproven".into(), &"not-run".into())
    );
}

/// Unoptimised, on a shared machine; what is promised is less than a second.
#[test]
fn ten_thousand_results_are_scored() {
    let bench = bench();
    let log = "x".repeat(2000);
    let mut stream = Vec::new();
    let mut document = guideline(&[("servers", &[])]);
    for number in 0..10_000 {
        let name = format!("toy.api.m{}.C{}.test_{number}", number % 50, number % 500);
        let why = (number % 10 == 0).then_some(("traceback", log.as_str()));
        stream.extend(result(
            &format!("{name}[id-{},smoke]", id(number)),
            if why.is_some() { 6 } else { 3 },
            number,
            why,
        ));
        if number % 10 == 5 {
            document["capabilities"]["servers"]["tests"][name] =
                serde_json::json!({"idempotent_id": format!("id-{}", id(number))});
        }
    }
    bench.write("upstream.json", &document.to_string());
    std::fs::write(bench.path("stream"), &stream).unwrap();
    bench.assize(&score("stream", &[])).expect(0).prints(&["conformant", "100"]);
}

const LIST: &str = "
- {testname: Roll, codename: '[sig-toys] Toys should roll [NodeConformance] [Conformance]', description: It MUST., release: v1.9, file: test/e2e/toys.go}
- {testname: Stop, codename: '[sig-toys] Toys should stop [Conformance]', description: It stops., release: '1.34', file: 'test/e2e/toys.go:7'}
- {testname: Stop, codename: '[sig-more] Services should test the lifecycle of an Endpoint [Conformance]', description: It MUST., release: 'v1.20, v1.34', file: test/e2e/more.go}
- {testname: Fly, codename: '[sig-more] Toys should fly [Conformance]', description: It MUST., release: v1.35, file: test/e2e/more.go}
";

/// The second name is of an older version, the third of a newer one, where the test was moved.
const RAN: &str = r#"<testsuites><testsuite name="Kubernetes e2e suite" timestamp="2026-03-01T10:00:00">
<testcase name="[It] [sig-toys] Toys should roll [NodeConformance] [Conformance]" time="1.5"/>
<testcase name="[It] [k8s.io] Toys should stop [NodeConformance] [Conformance]" time="2.5"/>
<testcase name="[It] [sig-network] Endpoints should test the lifecycle of an Endpoint [Conformance]" time="3.5"/>
</testsuite></testsuites>"#;

const COVERING: &str = "cases:
  - id: rolls
    title: It rolls
    capability: toy-all
    covers: ['k8s:[sig-toys] Toys should roll [NodeConformance] [Conformance]']
    steps: [{get: /toy, expect: {status: 200}}]
";

fn conformance_bench() -> Bench {
    let bench = Bench::new(COVERING);
    bench.write("conformance.v1.34.yaml", LIST);
    bench
}

#[test]
fn a_list_of_conformance_tests_is_a_guideline() {
    let bench = conformance_bench();
    let shown = bench.assize(&["guideline", "show", "conformance.v1.34.yaml"]).expect(0);
    assert!(shown.out.contains("conformance tests of Kubernetes v1.34"), "{}", shown.out);
    assert!(shown.out.contains("required: 2 capabilities, 3 tests"), "{}", shown.out);
    let lint = bench.assize(&["guideline", "lint", "conformance.v1.34.yaml", "--json"]).expect(0);
    let found: Vec<serde_json::Value> = serde_json::from_str(&lint.out).unwrap();
    let codes: Vec<&str> = found.iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes, ["G033", "G032", "G034", "G031", "G036"]);
    let tests = bench.assize(&["guideline", "tests", "conformance.v1.34.yaml", "--program", "conformance"]).expect(0);
    assert_eq!(tests.out.lines().count(), 3);
}

#[test]
fn results_in_a_folder_count_under_the_names_of_other_versions() {
    let bench = conformance_bench();
    std::fs::create_dir_all(bench.path("out/plugins/e2e/results/global")).unwrap();
    bench.write("out/plugins/e2e/results/global/junit_01.xml", RAN);
    let score = ["score", "out", "--suites", ".", "-g", "conformance.v1.34.yaml"];
    let shown = bench.assize(&score).expect(0).says(&["read as files of one run: 3 tests: 3 pass"]);
    assert!(shown.out.contains("Kubernetes Conformance"), "{}", shown.out);
    // A dry run proves nothing.
    bench.write("out/plugins/e2e/results/global/e2e.log", "E2E_DRYRUN=true\n");
    bench.assize(&score).expect(1).says(&["this is a dry run"]);
    std::fs::remove_file(bench.path("out/plugins/e2e/results/global/e2e.log")).unwrap();
    bench.write("out/plugins/e2e/results/global/junit_01.xml", &RAN.replace("roll", "turn"));
    bench.assize(&score).expect(1);
}

#[test]
fn a_submission_is_checked() {
    let bench = conformance_bench();
    let folder = "v1.34/toy";
    std::fs::create_dir_all(bench.path(folder)).unwrap();
    let check = ["submission", folder, "-g", "conformance.v1.34.yaml", "--date", "2026-03-20", "--json"];
    let broken = |code: i32| {
        let out = bench.assize(&check).expect(code).out;
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        let rules = value["rules"].as_array().unwrap().iter().filter(|one| one["state"] == "broken");
        rules.map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(broken(1), ["C002"]);
    bench.write("v1.34/toy/README.md", "Run it.\n");
    bench.write(
        "v1.34/toy/PRODUCT.yaml",
        "{vendor: Toy, name: Toy, version: '2', type: installer, description: A toy, website_url: 'https://a.example', \
         documentation_url: 'https://a.example', contact_email_address: a@a.example}",
    );
    bench.write("v1.34/toy/junit_01.xml", RAN);
    bench.write("v1.34/toy/e2e.log", "");
    assert_eq!(broken(1), ["C003", "C015", "C102", "C111", "C112"]);
    let names: String =
        RAN.split("[It] ").skip(1).filter_map(|rest| Some(format!("•\n{}\n", rest.split_once('"')?.0))).collect();
    let log = format!("{names}SUCCESS! -- 3 Passed | 0 Failed | 0 Pending | 9 Skipped\n");
    bench.write("v1.34/toy/e2e.log", &log);
    // The bot compares whole names.
    assert_eq!(broken(1), ["C015", "C102"]);
    let right = RAN
        .replace("[k8s.io] Toys should stop [NodeConformance]", "[sig-toys] Toys should stop")
        .replace("[sig-network] Endpoints", "[sig-more] Services");
    bench.write("v1.34/toy/junit_01.xml", &right);
    bench.write("v1.34/toy/e2e.log", &log.replace("Endpoints should", "Services should"));
    assert_eq!(broken(0), Vec::<String>::new());
    let shown = bench.assize(&["submission", folder, "--latest", "v1.37"]).expect(1);
    assert!(shown.out.contains("C014") && shown.out.contains("remedy: "), "{}", shown.out);
    bench.assize(&["submission", "nowhere"]).expect(3);
    bench.assize(&["submission", folder, "--latest", "new"]).expect(2);
}
