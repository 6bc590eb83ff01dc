//! Shards of one run, put together: the outcomes of a whole run, and where each comes from.

use crate::stub::{Bench, Ran, Target, json};

/// Enough cases for both halves to have some, of every kind of outcome; all stand on a shared fixture.
fn cases() -> String {
    let mut text = "fixtures:
  - id: shared
    title: Set up by each shard for itself
    risk: write
    steps:
      - let: {name: \"${unique('shared')}\"}
      - post: /toy/shared
        json: {name: '${name}'}
        expect: {status: 201}
        undo: [{delete: '/toy/shared/${name}', expect: {status: 204}}]
    outputs: {name: '${name}'}
cases:
"
    .to_owned();
    for number in 0..12 {
        let path = if number % 5 == 4 { "/toy/wrong" } else { "/toy/right" };
        text.push_str(&format!(
            "  - id: case-{number}\n    title: T\n    capability: toy-all\n    risk: write\n    needs: {{shared: .shared}}\n    \
             steps: [{{get: {path}, expect: {{status: 200}}}}]\n"
        ));
    }
    text
}

fn target() -> Target {
    Target::start(|seen| match seen.what().split_once(' ') {
        Some(("POST", _)) => json(201, "{}"),
        Some(("DELETE", _)) => json(204, ""),
        Some((_, "/toy/wrong")) => json(500, "{}"),
        _ => json(200, "{}"),
    })
}

fn shard(bench: &Bench, target: &Target, part: &str, seed: &str, out: &str) -> Ran {
    let url = target.url();
    bench.assize(&["run", &url, "--suites", ".", "--seed", seed, "--shard", part, "-o", out])
}

#[test]
fn two_shards_give_the_report_of_one_run() {
    let (target, bench) = (target(), Bench::new(&cases()));
    bench.run(&target.url(), &[]).expect(1);
    let whole = bench.outcomes();
    assert_eq!(whole.len(), 12);
    std::fs::rename(bench.path("out"), bench.path("whole")).unwrap();
    shard(&bench, &target, "1/2", "seed", "one").expect(1);
    shard(&bench, &target, "2/2", "seed", "two").expect(1);
    let names: std::collections::BTreeSet<String> =
        target.seen().iter().filter(|seen| seen.what() == "POST /toy/shared").map(|seen| seen.body.clone()).collect();
    assert_eq!(names.len(), 3, "shards do not make the same names: {names:?}");

    // In any order.
    bench.assize(&["merge", "two", "one", "-o", "out"]).expect(0).prints(&["Merged from 2 shards"]);
    assert_eq!(bench.outcomes(), whole);
    let (one, merged) = (bench.json("whole/report.json"), bench.json("out/report.json"));
    for count in ["cases", "pass", "fail", "gap", "skip", "error", "not_run"] {
        assert_eq!(merged["summary"][count], one["summary"][count], "{count}");
    }
    let verdicts = |report: &serde_json::Value| -> Vec<serde_json::Value> {
        report["programs"].as_array().unwrap().iter().map(|program| program["verdict"].clone()).collect()
    };
    assert_eq!(verdicts(&merged), verdicts(&one));
    let shards = merged["run"]["shards"].as_array().unwrap();
    let own = |name: &str| bench.json(&format!("{name}/report.json"))["run"]["id"].clone();
    assert_eq!([shards[0]["run"].clone(), shards[1]["run"].clone()], [own("one"), own("two")]);
    assert!(bench.read("out/report.html").contains("Shard 1/2"));
    bench.verify().expect(0);
}

#[test]
fn only_the_shards_of_one_run_are_merged() {
    let (target, bench) = (target(), Bench::new(&cases()));
    shard(&bench, &target, "1/2", "seed", "one").expect(1);
    shard(&bench, &target, "2/2", "other", "foreign").expect(1);
    shard(&bench, &target, "2/3", "seed", "third").expect(1);
    bench.run(&target.url(), &[]).expect(1);
    let merge = |other: &str| bench.assize(&["merge", "one", other, "-o", "merged"]);
    merge("foreign").expect(3).says(&["the seed is not that of"]);
    merge("third").expect(3).says(&["the number of shards is not that of"]);
    merge("one").expect(3).says(&["shard 2/2 is missing"]);
    merge("out").expect(3).says(&["it is not a shard"]);
    assert!(!bench.path("merged").exists(), "nothing is written before all fits");
    bench.assize(&["run", &target.url(), "--shard", "1/2"]).expect(2).says(&["--seed"]);
}

#[test]
fn a_merged_bundle_is_verified_down_to_its_shards() {
    let (target, bench) = (target(), Bench::new(&cases()));
    shard(&bench, &target, "1/2", "seed", "one").expect(1);
    shard(&bench, &target, "2/2", "seed", "two").expect(1);
    bench.assize(&["merge", "one", "two", "-o", "out"]).expect(0);
    let run = bench.json("one/run.json")["id"].as_str().unwrap().to_owned();
    let transcript = format!("out/shards/{run}/transcript.jsonl");
    let evidence = bench.read(&transcript);
    bench.write(&transcript, &evidence.replacen("\"status\":500", "\"status\":200", 1));
    bench.verify().expect(6).prints(&["shard 1/2"]);
    bench.write(&transcript, &evidence);
    bench.verify().expect(0);
    let report = bench.read("out/report.json");
    bench.write("out/report.json", &report.replacen("\"fail\"", "\"pass\"", 1));
    bench.verify().expect(6).prints(&["report.json"]);
    bench.write("out/report.json", &report);
    bench.write("two/transcript.jsonl", &evidence);
    bench.assize(&["merge", "one", "two", "-o", "again"]).expect(6).says(&["the evidence does not support the report"]);
    bench.assize(&["audit", "out"]).expect(3).says(&["it was merged"]);
}
