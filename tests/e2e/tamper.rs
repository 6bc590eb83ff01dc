//! A bundle that was changed in any way does not verify. What is changed together with the manifest must still follow
//! from the evidence; whoever rewrites evidence and report alike is caught by a signature over `bundle.json`, not here.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use assize::report::{bundle, rejudge};
use serde_json::{Value, json};

use crate::stub::{self, Bench, ROOT, Reply, Target, guideline};

const CASES: &str = "fixtures:
  - id: thing
    title: A thing is made
    risk: write
    steps:
      - let: {key: \"${secret('key')}\"}
      - post: /toy/things
        json: {name: '${unique(\"thing\")}', key: '${key}'}
        expect: {status: 201}
        undo: [{delete: /toy/things/1, expect: {status: 204}}]
    outputs: {link: /toy/things/1}
cases:
  - id: good
    title: Good
    capability: toy-good
    steps:
      - get: /toy/good
        expect: {status: 200, json: {$.a: 1}}
      - get: /toy/good?again=1
        expect: {status: 200}
  - id: bad
    title: Bad
    capability: toy-bad
    steps: [{get: /toy/bad, expect: {status: 200}}]
  - id: lacks
    title: Lacks
    capability: toy-bad
    steps:
      - get: /toy
      - gap: {when: \"get(body, '/Things', null) == null\", reason: no Things}
      - get: /toy/things
        expect: {status: 200}
  - id: unsteady
    title: Unsteady
    capability: toy-good
    steps: [{get: /toy/unsteady, expect: {status: 200}}]
  - id: uses
    title: Uses
    capability: toy-good
    risk: write
    needs: {thing: .thing}
    steps:
      - patch: '${thing.link}'
        json: {on: true}
        expect: {status: 200}
        undo: [{patch: '${thing.link}', json: {on: false}, expect: {status: 200}}]
";

/// A run with everything in it, made once.
fn original() -> &'static Bench {
    static MADE: OnceLock<Bench> = OnceLock::new();
    MADE.get_or_init(|| {
        let bench = Bench::new(CASES);
        bench.guideline(&guideline(&[
            ("toy-good", &["ironic.s.good", "ironic.s.unsteady", "ironic.s.uses"]),
            ("toy-bad", &["ironic.s.bad", "ironic.s.lacks"]),
        ]));
        bench.write("pw", "canary-password");
        let waiver = "{test: ironic.s.bad, owner: qa, reason: known, expires: 2999-01-01}";
        bench.write("w.yaml", &format!("format: assize-waivers/1\nwaivers:\n  - {waiver}\n"));
        let count = AtomicUsize::new(0);
        let target = Target::start(move |seen| match seen.what() {
            "GET /toy/bad" => stub::json(404, "{}"),
            "GET /toy/unsteady" if count.fetch_add(1, Ordering::SeqCst) == 0 => stub::json(503, "{}"),
            "GET /toy/good" => {
                Reply::Full(200, "x-auth-token: canary-token-1\r\n", r#"{"a": 1, "b": [true]}"#.to_owned())
            }
            "POST /toy/things" => stub::json(201, "{}"),
            "DELETE /toy/things/1" => stub::json(204, ""),
            _ => stub::json(200, "{}"),
        });
        let login = ["-u", "operator", "--password-file", "pw", "--waivers", "w.yaml", "--retries", "1"];
        bench.run(&target.url(), &login).expect(1);
        assert!(target.log().contains(&ROOT.to_owned()));
        bench
    })
}

/// A copy of the original bundle.
fn copy() -> tempfile::TempDir {
    let (bench, copy) = (original(), tempfile::tempdir().unwrap());
    let from = bench.path("out");
    for (path, bytes) in bench.files("out") {
        let to = copy.path().join(path.strip_prefix(&from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    copy
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "{}: nothing was changed", path.display());
    fs::write(path, changed).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    edit(path, |text| text.replacen(from, to, 1));
}

fn edit_json(path: &Path, change: impl FnOnce(&mut Value)) {
    edit(path, |text| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        change(&mut value);
        serde_json::to_string_pretty(&value).unwrap() + "\n"
    });
}

/// Changes the lines of the transcript.
fn lines(folder: &Path, change: impl FnOnce(&mut Vec<String>)) {
    edit(&folder.join("transcript.jsonl"), |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        lines.join("\n") + "\n"
    });
}

/// The first line that has all these texts.
fn find(lines: &[String], texts: &[&str]) -> usize {
    lines.iter().position(|line| texts.iter().all(|text| line.contains(text))).unwrap_or_else(|| panic!("{texts:?}"))
}

/// The exchange of a line of the transcript.
fn edit_exchange(folder: &Path, texts: &[&str], change: impl FnOnce(&mut Value)) {
    lines(folder, |lines| {
        let at = find(lines, texts);
        let mut value: Value = serde_json::from_str(&lines[at]).unwrap();
        change(&mut value["exchange"]["exchange"]);
        lines[at] = value.to_string();
    });
}

const GOOD: [&str; 2] = ["{\"exchange\":{\"case\":\"ironic.s.good\"", "\"n\":0"];
const BAD: [&str; 1] = ["{\"exchange\":{\"case\":\"ironic.s.bad\""];

/// The entry of a case in a report.
fn entry<'r>(report: &'r mut Value, id: &str) -> &'r mut Value {
    report["cases"].as_array_mut().unwrap().iter_mut().find(|case| case["id"] == id).unwrap()
}

#[test]
fn an_untouched_bundle_verifies() {
    let copy = copy();
    let path = copy.path().display().to_string();
    let ran = original().assize(&["verify", &path]).expect(0).prints(&["supported", "5 cases judged again"]);
    assert!(!ran.out.contains("differs"));
    let ran = original().assize(&["verify", &path, "--json"]).expect(0);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&document["supported"], &document["cases"]), (&json!(true), &json!(5)));
    // The journal is private to the run.
    fs::remove_file(copy.path().join("journal.jsonl")).unwrap();
    original().assize(&["verify", &path]).expect(0);
}

/// One way of tampering: name, whether the manifest is made to fit again, what is changed, exit code, what is said.
type Way = (&'static str, bool, fn(&Path), i32, &'static [&'static str]);

const KEPT: bool = false;
const RESEALED: bool = true;

const WAYS: &[Way] = &[
    ("a byte of the report", KEPT, |f| replace(&f.join("report.json"), "fail", "fall"), 6, &["report.json"]),
    (
        "a byte of the transcript",
        KEPT,
        |f| replace(&f.join("transcript.jsonl"), "\"status\":404", "\"status\":200"),
        6,
        &["transcript.jsonl", "ironic.s.bad"],
    ),
    (
        "a byte of a suite",
        KEPT,
        |f| replace(&f.join("suites/ironic/s.yaml"), "Toy cases", "Toy Cases"),
        6,
        &["suites/ironic/s.yaml"],
    ),
    (
        "a byte of the family",
        KEPT,
        |f| replace(&f.join("suites/ironic/family.yaml"), "A toy", "A boy"),
        6,
        &["suites/ironic/family.yaml"],
    ),
    (
        "a byte of the inputs",
        KEPT,
        |f| replace(&f.join("run.json"), "\"seed\": \"seed\"", "\"seed\": \"sead\""),
        6,
        &["run.json"],
    ),
    (
        "a byte of the guideline",
        KEPT,
        |f| replace(&f.join("guideline.json"), "toy-bad", "toy-bat"),
        6,
        &["guideline.json"],
    ),
    ("a byte of the waivers", KEPT, |f| replace(&f.join("waivers.json"), "known", "knowm"), 6, &["waivers.json"]),
    ("a byte of the page", KEPT, |f| replace(&f.join("report.html"), "fail", "pass"), 6, &["report.html"]),
    ("a byte of the JUnit file", KEPT, |f| replace(&f.join("junit.xml"), "fail", "pass"), 6, &["junit.xml"]),
    ("two lines swapped", KEPT, |f| lines(f, |l| l.swap(2, 3)), 6, &["transcript.jsonl"]),
    (
        "two lines swapped, resealed",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &["{\"start\":{\"case\":\"ironic.s.good\""]);
                l.swap(at, at + 1)
            })
        },
        6,
        &["ironic.s.good", "line"],
    ),
    ("a file removed", KEPT, |f| fs::remove_file(f.join("junit.xml")).unwrap(), 6, &["junit.xml: missing"]),
    ("the report removed", KEPT, |f| fs::remove_file(f.join("report.json")).unwrap(), 3, &["report.json"]),
    (
        "the transcript removed",
        KEPT,
        |f| fs::remove_file(f.join("transcript.jsonl")).unwrap(),
        3,
        &["transcript.jsonl"],
    ),
    ("the guideline removed", RESEALED, |f| fs::remove_file(f.join("guideline.json")).unwrap(), 3, &["guideline.json"]),
    ("the waivers removed", RESEALED, |f| fs::remove_file(f.join("waivers.json")).unwrap(), 6, &["report.json"]),
    (
        "a suite removed",
        RESEALED,
        |f| fs::remove_file(f.join("suites/ironic/s.yaml")).unwrap(),
        3,
        &["suites/ironic/s.yaml"],
    ),
    ("the manifest removed", KEPT, |f| fs::remove_file(f.join("bundle.json")).unwrap(), 3, &["bundle.json"]),
    ("a file added", KEPT, |f| fs::write(f.join("note.txt"), "hello").unwrap(), 6, &["note.txt: not in the manifest"]),
    (
        "a folder with a file added",
        KEPT,
        |f| {
            fs::create_dir_all(f.join("suites/x/y")).unwrap();
            fs::write(f.join("suites/x/y/z.yaml"), "").unwrap()
        },
        6,
        &["suites/x/y/z.yaml"],
    ),
    (
        "the transcript cut in a line",
        RESEALED,
        |f| edit(&f.join("transcript.jsonl"), |t| t[..t.len() - 30].to_owned()),
        3,
        &["transcript.jsonl", "cut off"],
    ),
    (
        "the last line cut off",
        RESEALED,
        |f| {
            lines(f, |l| {
                l.pop();
            })
        },
        6,
        &["ironic.s"],
    ),
    (
        "the transcript cut between cases",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &["\"start\"", "ironic.s.unsteady"]);
                l.truncate(at)
            })
        },
        6,
        &["ironic.s.unsteady"],
    ),
    (
        "the transcript empty",
        RESEALED,
        |f| fs::write(f.join("transcript.jsonl"), "").unwrap(),
        3,
        &["transcript.jsonl"],
    ),
    (
        "the head removed",
        RESEALED,
        |f| {
            lines(f, |l| {
                l.remove(0);
            })
        },
        3,
        &["transcript.jsonl", "head"],
    ),
    (
        "a second head",
        RESEALED,
        |f| {
            lines(f, |l| {
                let head = l[0].clone();
                l.push(head)
            })
        },
        3,
        &["transcript.jsonl"],
    ),
    (
        "the transcript of another run",
        RESEALED,
        |f| edit(&f.join("transcript.jsonl"), |t| t.replacen("\"run\":\"", "\"run\":\"x", 1)),
        6,
        &["transcript.jsonl is of run"],
    ),
    (
        "an exchange dropped",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &GOOD);
                l.remove(at);
            })
        },
        6,
        &["ironic.s.good", "was not recorded"],
    ),
    (
        "an exchange of the clean-up dropped",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &["\"undo\":true", "ironic.s.uses"]);
                l.remove(at);
            })
        },
        6,
        &["ironic.s.uses", "was not recorded"],
    ),
    (
        "an exchange of a fixture dropped",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &["\"POST\"", "ironic.s.thing"]);
                l.remove(at);
            })
        },
        6,
        &["ironic.s.thing"],
    ),
    (
        "an exchange twice",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &GOOD);
                let line = l[at].clone();
                l.insert(at, line)
            })
        },
        6,
        &["ironic.s.good", "twice"],
    ),
    (
        "an exchange too many",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &BAD);
                let line = l[at].replace("\"n\":0", "\"n\":7");
                l.insert(at, line)
            })
        },
        6,
        &["ironic.s.bad", "does not ask for it"],
    ),
    (
        "the exchange of another case",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &GOOD);
                let line = l[at].replace("ironic.s.good", "ironic.s.bad");
                let bad = find(l, &BAD);
                l[bad] = line
            })
        },
        6,
        &["ironic.s.bad", "recorded URL"],
    ),
    (
        "evidence of a case nobody knows",
        RESEALED,
        |f| {
            lines(f, |l| {
                for line in l.iter_mut() {
                    *line = line.replace("\"ironic.s.bad\"", "\"ironic.s.bat\"")
                }
            })
        },
        6,
        &["ironic.s.bat", "not in the selection"],
    ),
    (
        "a case without its evidence",
        RESEALED,
        |f| lines(f, |l| l.retain(|line| !line.contains("\"ironic.s.bad\""))),
        6,
        &["ironic.s.bad"],
    ),
    (
        "the failed attempt hidden",
        RESEALED,
        |f| lines(f, |l| l.retain(|line| !(line.contains("\"ironic.s.unsteady\"") && line.contains("\"attempt\":1")))),
        6,
        &["ironic.s.unsteady", "attempt 1 is missing"],
    ),
    (
        "a status changed",
        RESEALED,
        |f| {
            lines(f, |l| {
                for line in l.iter_mut() {
                    *line = line.replace("\"status\":404", "\"status\":200")
                }
            })
        },
        6,
        &["ironic.s.bad: the report says fail, the evidence says pass"],
    ),
    (
        "a body changed",
        RESEALED,
        |f| edit_exchange(f, &GOOD, |e| e["response"]["body"]["text"] = json!("{\"a\": 2}")),
        6,
        &["ironic.s.good: the report says pass, the evidence says fail"],
    ),
    (
        "a duration changed",
        RESEALED,
        |f| edit_exchange(f, &BAD, |e| e["done_ms"] = json!(86_400_000)),
        6,
        &["ironic.s.bad: details differ"],
    ),
    (
        "the start of a case moved",
        RESEALED,
        |f| {
            lines(f, |l| {
                let at = find(l, &["\"start\"", "ironic.s.bad", "\"attempt\":2"]);
                l[at] = "{\"start\":{\"case\":\"ironic.s.bad\",\"attempt\":2,\"at_ms\":1}}".to_owned()
            })
        },
        6,
        &["ironic.s.bad: details differ"],
    ),
    (
        "a method changed",
        RESEALED,
        |f| edit_exchange(f, &BAD, |e| e["request"]["method"] = json!("HEAD")),
        6,
        &["ironic.s.bad", "method"],
    ),
    (
        "a URL changed",
        RESEALED,
        |f| edit_exchange(f, &BAD, |e| e["request"]["url"] = json!("http://127.0.0.1:1/toy/bad")),
        6,
        &["ironic.s.bad", "URL"],
    ),
    (
        "a request body changed",
        RESEALED,
        |f| edit_exchange(f, &["\"POST\"", "ironic.s.thing"], |e| e["request"]["body"]["text"] = json!("{}")),
        6,
        &["ironic.s.thing", "another body"],
    ),
    (
        "an outcome changed",
        RESEALED,
        |f| edit_json(&f.join("report.json"), |r| entry(r, "ironic.s.bad")["result"]["outcome"] = json!("pass")),
        6,
        &["ironic.s.bad: the report says pass, the evidence says fail"],
    ),
    (
        "a gap made a pass",
        RESEALED,
        |f| edit_json(&f.join("report.json"), |r| entry(r, "ironic.s.lacks")["result"]["outcome"] = json!("pass")),
        6,
        &["ironic.s.lacks: the report says pass, the evidence says gap"],
    ),
    (
        "a case dropped from the report",
        RESEALED,
        |f| {
            edit_json(&f.join("report.json"), |r| {
                r["cases"].as_array_mut().unwrap().retain(|case| case["id"] != "ironic.s.bad")
            })
        },
        6,
        &["ironic.s.bad: missing in the report"],
    ),
    (
        "a case added to the report",
        RESEALED,
        |f| {
            edit_json(&f.join("report.json"), |r| {
                let mut extra = entry(r, "ironic.s.good").clone();
                extra["id"] = json!("ironic.s.extra");
                r["cases"].as_array_mut().unwrap().push(extra)
            })
        },
        6,
        &["ironic.s.extra"],
    ),
    (
        "the mark flaky removed",
        RESEALED,
        |f| {
            edit_json(&f.join("report.json"), |r| {
                let case = entry(r, "ironic.s.unsteady").as_object_mut().unwrap();
                case.remove("flaky");
                case.remove("earlier");
            })
        },
        6,
        &["ironic.s.unsteady"],
    ),
    (
        "a verdict changed",
        RESEALED,
        |f| edit_json(&f.join("report.json"), |r| r["programs"][0]["verdict"] = json!("conformant")),
        6,
        &["report.json", "Toy Basic"],
    ),
    (
        "a score changed",
        RESEALED,
        |f| edit(&f.join("report.json"), |t| t.replacen("\"programs\"", "\"programs\" ", 1)),
        6,
        &["report.json"],
    ),
    (
        "the counts changed",
        RESEALED,
        |f| edit_json(&f.join("report.json"), |r| r["summary"]["fail"] = json!(0)),
        6,
        &["report.json", "summary"],
    ),
    (
        "the report replaced by nothing",
        RESEALED,
        |f| fs::write(f.join("report.json"), "null").unwrap(),
        6,
        &["report.json"],
    ),
    (
        "the report replaced by noise",
        RESEALED,
        |f| fs::write(f.join("report.json"), [0xff, 0x00, 0xfe]).unwrap(),
        6,
        &["report.json"],
    ),
    (
        "the date moved",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["date"] = json!("2020-01-01")),
        6,
        &["the run began on"],
    ),
    (
        "a date that is none",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["date"] = json!("never")),
        3,
        &["run.json", "never"],
    ),
    (
        "another endpoint claimed",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["target"]["base"] = json!("https://shiny.example")),
        6,
        &["ironic.s."],
    ),
    (
        "the selection narrowed",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["selection"] = json!({"exclude": ["bad"]})),
        6,
        &["ironic.s.bad", "not in the selection"],
    ),
    (
        "the risk lowered",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["allow"] = json!("read")),
        6,
        &["ironic.s.uses", "did not allow"],
    ),
    (
        "another tool claimed",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["tool"] = json!("99.0.0")),
        6,
        &["report.json"],
    ),
    (
        "a program left out",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["programs"] = json!(["No Such"])),
        3,
        &["run.json", "No Such"],
    ),
    (
        "a suite outside the bundle",
        RESEALED,
        |f| edit_json(&f.join("run.json"), |r| r["suites"]["../../../etc/passwd"] = json!("sha256:00")),
        3,
        &["outside the bundle"],
    ),
    (
        "an easier suite",
        RESEALED,
        |f| {
            replace(
                &f.join("suites/ironic/s.yaml"),
                "{get: /toy/bad, expect: {status: 200}}",
                "{get: /toy/bad, expect: {status: 404}}",
            )
        },
        6,
        &["suites/ironic/s.yaml is not the file that was run"],
    ),
    (
        "a suite that is none",
        RESEALED,
        |f| fs::write(f.join("suites/ironic/s.yaml"), "format: 9").unwrap(),
        3,
        &["s.yaml"],
    ),
    (
        "an easier guideline",
        RESEALED,
        |f| {
            edit_json(&f.join("guideline.json"), |g| {
                g["components"]["core"]["capabilities"]["required"] = json!(["toy-good"])
            })
        },
        6,
        &["report.json", "Toy Basic"],
    ),
    (
        "a guideline that is none",
        RESEALED,
        |f| fs::write(f.join("guideline.json"), "{}").unwrap(),
        3,
        &["guideline.json"],
    ),
    (
        "a waiver too many",
        RESEALED,
        |f| {
            edit(&f.join("waivers.json"), |t| {
                t + "  - {test: ironic.s.lacks, owner: qa, reason: r, expires: 2999-01-01}\n"
            })
        },
        6,
        &["report.json", "Toy Basic"],
    ),
    (
        "a digest in the manifest",
        KEPT,
        |f| {
            edit_json(&f.join("bundle.json"), |m| {
                m["files"]["summary.md"]["digest"] = m["files"]["report.json"]["digest"].clone()
            })
        },
        6,
        &["summary.md"],
    ),
    (
        "a length in the manifest",
        KEPT,
        |f| edit_json(&f.join("bundle.json"), |m| m["files"]["summary.md"]["bytes"] = json!("1")),
        6,
        &["summary.md"],
    ),
    (
        "a digest that is none",
        KEPT,
        |f| edit_json(&f.join("bundle.json"), |m| m["files"]["summary.md"]["digest"] = json!("md5:1")),
        3,
        &["bundle.json"],
    ),
    (
        "an entry of the manifest removed",
        KEPT,
        |f| {
            edit_json(&f.join("bundle.json"), |m| {
                m["files"].as_object_mut().unwrap().remove("report.html");
            })
        },
        6,
        &["report.html: not in the manifest"],
    ),
    (
        "an entry outside the bundle",
        KEPT,
        |f| {
            edit_json(&f.join("bundle.json"), |m| {
                let entry = m["files"]["report.json"].clone();
                m["files"]["../x"] = entry
            })
        },
        6,
        &["../x: missing"],
    ),
    (
        "a newer manifest",
        KEPT,
        |f| edit_json(&f.join("bundle.json"), |m| *m = json!({"format": 2, "novelty": 1})),
        3,
        &["bundle.json", "newer"],
    ),
    (
        "newer inputs",
        KEPT,
        |f| edit_json(&f.join("run.json"), |m| *m = json!({"format": 2, "novelty": 1})),
        3,
        &["run.json", "newer"],
    ),
    (
        "a newer transcript",
        KEPT,
        |f| edit(&f.join("transcript.jsonl"), |t| t.replacen("{\"head\":{\"format\":1", "{\"head\":{\"format\":2", 1)),
        3,
        &["transcript.jsonl", "2"],
    ),
    (
        "a link instead of a file",
        RESEALED,
        |f| {
            fs::remove_file(f.join("summary.md")).unwrap();
            std::os::unix::fs::symlink("report.json", f.join("summary.md")).unwrap()
        },
        3,
        &["summary.md", "regular"],
    ),
    (
        "an endless file",
        KEPT,
        |f| {
            fs::remove_file(f.join("run.json")).unwrap();
            std::os::unix::fs::symlink("/dev/zero", f.join("run.json")).unwrap()
        },
        3,
        &["run.json", "regular"],
    ),
    (
        "a pipe instead of a file",
        KEPT,
        |f| {
            fs::remove_file(f.join("summary.md")).unwrap();
            let made = std::process::Command::new("mkfifo").arg(f.join("summary.md")).status().unwrap();
            assert!(made.success())
        },
        3,
        &["summary.md", "regular"],
    ),
];

#[test]
fn every_way_of_tampering_is_found_and_named() {
    let mut wrong = Vec::new();
    for (name, reseal, change, code, texts) in WAYS {
        let copy = copy();
        change(copy.path());
        // A folder that cannot be sealed is left as it is.
        if *reseal && !copy.path().join("summary.md").is_symlink() {
            bundle::seal(copy.path()).unwrap();
        }
        let ran = original().assize(&["verify", &copy.path().display().to_string()]);
        let said = format!("{}{}", ran.out, ran.err);
        if ran.code != Some(*code) || said.contains("panicked") || texts.iter().any(|text| !said.contains(text)) {
            wrong.push(format!("== {name}: wanted {code} and {texts:?}, got {:?}\n{said}", ran.code));
        }
    }
    assert!(wrong.is_empty(), "{} of {} ways\n{}", wrong.len(), WAYS.len(), wrong.join("\n"));
}

#[test]
fn the_journal_is_no_evidence() {
    let copy = copy();
    fs::write(copy.path().join("journal.jsonl"), "nonsense").unwrap();
    original().assize(&["verify", &copy.path().display().to_string()]).expect(0);
}

/// Numbers that are the same in every run (an LCG by Knuth).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// Changes one bit somewhere; gives the place.
    fn flip(&mut self, bytes: &mut [u8]) -> usize {
        let at = self.below(bytes.len());
        bytes[at] ^= 1 << self.below(8);
        at
    }
}

/// Verifies in this process; `None` when the bundle cannot be read.
fn verify(folder: &Path, what: &str) -> Option<bool> {
    let found = catch_unwind(AssertUnwindSafe(|| rejudge::verify(folder)));
    found.unwrap_or_else(|_| panic!("{what}: it panics")).ok().map(|findings| findings.is_clean())
}

#[test]
fn any_bit_of_any_file_matters() {
    let copy = copy();
    let mut dice = Dice(1);
    let names =
        ["report.json", "transcript.jsonl", "run.json", "guideline.json", "waivers.json", "junit.xml", "report.html"];
    for (name, times) in names.into_iter().chain(["suites/ironic/s.yaml"]).zip([60, 60, 20, 20, 20, 10, 10, 20]) {
        let path = copy.path().join(name);
        let whole = fs::read(&path).unwrap();
        for _ in 0..times {
            let mut bytes = whole.clone();
            let at = dice.flip(&mut bytes);
            fs::write(&path, &bytes).unwrap();
            let what = format!("{name}, byte {at}");
            assert_ne!(verify(copy.path(), &what), Some(true), "{what}: not found");
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(verify(copy.path(), "restored"), Some(true));
}

#[test]
fn noise_in_a_resealed_bundle_never_panics_and_never_reaches_the_report() {
    let copy = copy();
    let manifest = copy.path().join("bundle.json");
    let sealed = fs::read(&manifest).unwrap();
    let mut dice = Dice(2);
    for (name, times) in [
        ("transcript.jsonl", 150),
        ("run.json", 60),
        ("guideline.json", 60),
        ("suites/ironic/s.yaml", 40),
        ("report.json", 40),
    ] {
        let path = copy.path().join(name);
        let whole = fs::read(&path).unwrap();
        for _ in 0..times {
            let mut bytes = whole.clone();
            let at = dice.flip(&mut bytes);
            fs::write(&path, &bytes).unwrap();
            bundle::seal(copy.path()).unwrap();
            let clean = verify(copy.path(), &format!("{name}, byte {at}"));
            if name == "report.json" {
                assert_ne!(clean, Some(true), "byte {at} of the report");
            }
        }
        fs::write(&path, whole).unwrap();
    }
    // The manifest itself: what it says is true or is refused.
    for _ in 0..60 {
        let mut bytes = sealed.clone();
        let at = dice.flip(&mut bytes);
        fs::write(&manifest, &bytes).unwrap();
        let clean = verify(copy.path(), &format!("bundle.json, byte {at}"));
        assert!(clean != Some(true) || sealed[at].is_ascii_whitespace(), "byte {at} of the manifest");
    }
    fs::write(&manifest, sealed).unwrap();
    assert_eq!(verify(copy.path(), "restored"), Some(true));
}
