//! A bundle that was changed in any way does not verify. What is changed together with the manifest must still follow
//! from the evidence; whoever rewrites evidence and report alike is caught by a signature over `bundle.json`, not here.

mod ways;

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

#[test]
fn every_way_of_tampering_is_found_and_named() {
    let mut wrong = Vec::new();
    for (name, reseal, change, code, texts) in ways::WAYS {
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
    assert!(wrong.is_empty(), "{} of {} ways\n{}", wrong.len(), ways::WAYS.len(), wrong.join("\n"));
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
