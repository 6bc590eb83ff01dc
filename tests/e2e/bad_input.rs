//! What an operator may get wrong: every mistake has an exit code, a place and a remedy, and nothing is sent.

use crate::stub::{Bench, ROOT, Target, guideline, json};

const ONE: &str = "cases:
  - id: one
    title: One is there
    capability: toy-all
    steps: [{get: /toy/one, expect: {status: 200}}]
";

fn nothing_was_sent(target: &Target, bench: &Bench) {
    assert_eq!(target.log(), Vec::<String>::new());
    assert!(!bench.path("out").exists());
}

#[test]
fn an_unknown_key_in_a_suite() {
    let (bench, target) = (Bench::new(&ONE.replace("expect:", "expct:")), Target::empty());
    let ran = bench.run(&target.url(), &[]).expect(3);
    ran.says(&["suites/ironic/s.yaml:8", "`expct`", "did you mean `expect`?"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn a_suite_of_a_newer_format() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    bench.write("suites/ironic/s.yaml", "format: 2\nsuite: ironic.s\nnovelty: true\n");
    bench.run(&target.url(), &[]).expect(3).says(&["suites/ironic/s.yaml:1", "newer"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn suites_that_are_no_yaml_no_text_or_absent() {
    let target = Target::empty();
    let bench = Bench::new(ONE);
    bench.write("suites/ironic/s.yaml", "format: 1\nsuite: [toy\n");
    bench.run(&target.url(), &[]).expect(3).says(&["suites/ironic/s.yaml"]);
    std::fs::write(bench.path("suites/ironic/s.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    bench.run(&target.url(), &[]).expect(3).says(&["s.yaml", "UTF-8"]);
    std::fs::remove_dir_all(bench.path("suites")).unwrap();
    bench.run(&target.url(), &[]).expect(3).says(&["no suite", "hint:"]);
    bench.assize(&["run", &target.url(), "--suites", "nowhere"]).expect(3).says(&["nowhere"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn a_yaml_bomb_is_refused_quickly() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    let mut bomb = "format: 1\nsuite: ironic.s\ntitle: t\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    bench.write("suites/ironic/s.yaml", &bomb);
    bench.run(&target.url(), &[]).expect(3).says(&["suites/ironic/s.yaml"]);
    bench.write("suites/ironic/s.yaml", &format!("format: 1\nsuite: {}x\n", "[".repeat(100_000)));
    bench.run(&target.url(), &[]).expect(3).says(&["suites/ironic/s.yaml"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn an_unknown_guideline() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    let ran = bench.run(&target.url(), &["-g", "ironic/l"]).expect(3);
    ran.says(&["there is no guideline `ironic/l`", "did you mean `ironic/1`?"]);
    let ran = bench.run(&target.url(), &["-g", "something/else-entirely"]).expect(3);
    ran.says(&["there is no guideline", "ironic/1"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn a_guideline_of_a_newer_format() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    let mut document = guideline(&[("toy-all", &["ironic.s.one"])]);
    document["metadata"]["assize"]["format"] = "assize-guideline/2".into();
    document["novelty"] = true.into();
    bench.guideline(&document);
    bench.run(&target.url(), &[]).expect(3).says(&["assize-guideline/2", "capabilities/ironic/1.json", "newer"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn a_guideline_that_is_damaged() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    for text in ["", "{", "[]", "null", "{\"metadata\": 3}", "\u{feff}{}", &"[".repeat(100_000)] {
        bench.write("capabilities/ironic/1.json", text);
        bench.run(&target.url(), &[]).expect(3).says(&["capabilities/ironic/1.json"]);
    }
    nothing_was_sent(&target, &bench);
}

#[test]
fn unknown_programs_and_gates() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    for flag in ["--program", "--gate"] {
        let ran = bench.run(&target.url(), &[flag, "Toy Basik"]).expect(2);
        ran.says(&["no program `Toy Basik`", "did you mean `Toy Basic`?"]);
        bench.run(&target.url(), &[flag, "Quite another one"]).expect(2).says(&["programs: Toy Basic"]);
    }
    nothing_was_sent(&target, &bench);
}

#[test]
fn an_unknown_family() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    bench.run(&target.url(), &["--family", "ironik"]).expect(2).says(&["no family `ironik`", "did you mean `ironic`?"]);
    bench.run(&target.base, &[]).expect(2).says(&["does not tell the family", "--family ironic"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn targets_that_are_none() {
    let bench = Bench::new(ONE);
    bench.run("nowhere.yaml", &[]).expect(2).says(&["neither a URL nor a target file", "hint:"]);
    bench.run("http://", &["--family", "ironic"]).expect(2);
    bench.run("http://x/toy?a=b", &["--family", "ironic"]).expect(2).says(&["query"]);
    let ran = bench.run("http://operator:canary-in-url@127.0.0.1/toy", &["--family", "ironic"]).expect(2);
    assert!(!ran.err.contains("canary-in-url"), "{}", ran.err);
    bench.write("target.yaml", "url: http://127.0.0.1:1/toy\npassword: canary-in-file\n");
    let ran = bench.run("target.yaml", &[]).expect(3).says(&["target.yaml:2"]);
    assert!(!ran.err.contains("canary-in-file"), "{}", ran.err);
    bench.write("target.yaml", "url: http://127.0.0.1:1/toy\nusername: u\npassword_env: UNSET\n");
    bench.run("target.yaml", &[]).expect(3).says(&["UNSET", "not set"]);
}

#[test]
fn credentials_that_are_none() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    bench.run(&target.url(), &["-u", "operator"]).expect(2).says(&["password"]);
    bench.run(&target.url(), &["-u", "operator", "--password-file", "none"]).expect(3).says(&["`none`"]);
    bench.write("pw", "\n");
    bench.run(&target.url(), &["-u", "operator", "--password-file", "pw"]).expect(3).says(&["empty"]);
    let mut command = bench.run_command(&target.url(), &[]);
    command.env("ASSIZE_PASSWORD", "canary-word");
    let ran = crate::stub::Running::start(command).end().expect(2).says(&["no user name", "--username"]);
    assert!(!ran.err.contains("canary-word"));
    bench.run(&target.url(), &["--password", "x"]).expect(2);
    nothing_was_sent(&target, &bench);
}

#[test]
fn certificates_that_are_none() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    bench.write("ca.pem", "no certificate");
    bench.run(&target.url(), &["--ca-cert", "ca.pem"]).expect(2).says(&["CA certificate"]);
    bench.run(&target.url(), &["--client-cert", "ca.pem"]).expect(2).says(&["client certificate"]);
    bench.run(&target.url(), &["--ca-cert", "none.pem"]).expect(3).says(&["none.pem"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn an_empty_selection() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    for more in [["--case", "nothing-like-it"], ["--skip", "ironic"]] {
        bench.run(&target.url(), &more).expect(4).says(&["no case is selected", "hint:"]);
    }
    bench.assize(&["list", "--suites", ".", "--case", "nothing-like-it"]).expect(4);
    nothing_was_sent(&target, &bench);
}

#[test]
fn an_output_folder_with_something_in_it() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    bench.write("out/precious.txt", "keep me");
    bench.run(&target.url(), &[]).expect(2).says(&["not empty", "hint:"]);
    assert_eq!(bench.read("out/precious.txt"), "keep me");
    assert_eq!(bench.files("out").len(), 1);
    bench.write("file", "");
    bench.assize(&["run", &target.url(), "--suites", ".", "-o", "file"]).expect(2).says(&["`file`"]);
    assert_eq!(target.count("GET /toy/one"), 0);
}

#[test]
fn numbers_out_of_range() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    let wrong = [
        ["--jobs", "0"],
        ["--jobs", "many"],
        ["--rate", "0"],
        ["--min-score", "101"],
        ["--retries", "6"],
        ["--set", "x"],
    ];
    for more in wrong {
        bench.run(&target.url(), &more).expect(2);
    }
    bench.run(&target.url(), &["--allow", "everything"]).expect(2).says(&["disruptive"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn waivers_that_are_none() {
    let (bench, target) = (Bench::new(ONE), Target::empty());
    bench.write(
        "w.yaml",
        "format: assize-waivers/1\nwaivers:\n  - {test: ironic.s.one, ownr: o, reason: r, expires: soon}\n",
    );
    bench.run(&target.url(), &["--waivers", "w.yaml"]).expect(3).says(&["w.yaml:3", "did you mean `owner`?"]);
    bench.write("w.yaml", "format: assize-waivers/2\n");
    bench.run(&target.url(), &["--waivers", "w.yaml"]).expect(3).says(&["w.yaml", "assize-waivers/2"]);
    bench.run(&target.url(), &["--waivers", "none.yaml"]).expect(3).says(&["none.yaml"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn a_dry_run_sends_nothing() {
    let cases = format!(
        "{ONE}  - id: two\n    title: Two\n    capability: toy-all\n    risk: write\n    steps: [{{post: /toy/two, expect: {{status: 201}}, undo: [{{delete: /toy/two}}]}}]\n"
    );
    let (bench, target) = (Bench::new(&cases), Target::empty());
    let ran = bench.run(&target.url(), &["--dry-run", "--allow", "read"]).expect(0);
    let ran = ran.prints(&["ironic.s.one", "ironic.s.two", "not allowed"]);
    ran.says(&["nothing was sent", "1 read, 1 write"]);
    nothing_was_sent(&target, &bench);
}

#[test]
fn a_weak_password_is_told_of() {
    let (bench, target) = (
        Bench::new(ONE),
        Target::start(|seen| match seen.what() {
            ROOT => json(200, "{}"),
            _ => json(200, r#"{"text": "an abc book", "Password": "abc"}"#),
        }),
    );
    bench.write("pw", "abc");
    let ran = bench.run(&target.url(), &["-u", "operator", "--password-file", "pw"]).expect(0);
    ran.says(&["warning:", "main-password", "too short"]);
    let transcript = bench.read("out/transcript.jsonl");
    assert!(transcript.contains("an abc book"), "a short secret inside a text cannot be told from the text");
    assert!(!transcript.contains(r#"\"abc\""#), "{transcript}");
    bench.verify().expect(0);
}

#[test]
fn bundles_that_are_none() {
    let bench = Bench::new(ONE);
    bench.assize(&["verify", "nowhere"]).expect(3).says(&["nowhere", "hint:"]);
    bench.assize(&["verify", "."]).expect(3).says(&["hint:"]);
    bench.assize(&["score", "nowhere"]).expect(3).says(&["nowhere"]);
    bench.assize(&["cleanup", "."]).expect(3).says(&["hint:"]);
    bench.write("report.json", "{\"format\": 2, \"novelty\": 1}");
    bench.assize(&["score", "report.json"]).expect(3).says(&["report.json", "newer"]);
    bench.write("report.json", &"[".repeat(100_000));
    bench.assize(&["score", "report.json"]).expect(3).says(&["report.json"]);
}
