//! The ways of tampering with a bundle.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{BAD, GOOD, edit, edit_exchange, edit_json, entry, find, lines, replace};

/// One way of tampering: name, whether the manifest is made to fit again, what is changed, exit code, what is said.
pub(super) type Way = (&'static str, bool, fn(&Path), i32, &'static [&'static str]);

const KEPT: bool = false;
const RESEALED: bool = true;

pub(super) const WAYS: &[Way] = &[
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
    ("the report removed", KEPT, |f| fs::remove_file(f.join("report.json")).unwrap(), 6, &["report.json"]),
    (
        "the transcript removed",
        KEPT,
        |f| fs::remove_file(f.join("transcript.jsonl")).unwrap(),
        6,
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
        6,
        &["run.json", "newer"],
    ),
    (
        "a newer transcript",
        KEPT,
        |f| edit(&f.join("transcript.jsonl"), |t| t.replacen("{\"head\":{\"format\":2", "{\"head\":{\"format\":3", 1)),
        6,
        &["transcript.jsonl", "3"],
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
