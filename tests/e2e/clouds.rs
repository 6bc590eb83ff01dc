//! Targets by the name of a cloud: where the files are found, what is chosen, what an error says; and cleaning up by it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

use crate::stub::{Bench, Running, Target, json, moment};

const CLOUDS: &str = "clouds:
  one:
    auth: {auth_url: 'http://127.0.0.1:1/identity/v3', username: u, password: canary-1, project_name: demo}
  other-one:
    auth: {auth_url: 'http://127.0.0.1:1/identity', username: w, password: canary-2, project_name: alt}
  elsewhere:
    auth: {auth_url: 'http://127.0.0.2:1', username: w, password: canary-3, project_name: alt}
";
const FAMILY: &str = "format: 1\nfamily: openstack\ntitle: Toy\npath: /v3\nauth: none\n";
const SUITE: &str = "format: 1\nsuite: openstack.toy\ntitle: Toy\ncases:\n  - id: one\n    title: One\n    capability: toy-all\n    \
                     steps:\n      - get: /\n        expect: {status: 200}\n";

/// A home folder with a suite of the family, in which the program runs with no variables but these.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("suites/openstack/family.yaml", FAMILY);
        home.write("suites/openstack/toy.yaml", SUITE);
        home
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let home = Self::new();
        files.iter().for_each(|(name, text)| home.write(name, text));
        home
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let here = self.0.path().join("work");
        std::fs::create_dir_all(&here).unwrap();
        let output: Output = Command::new(env!("CARGO_BIN_EXE_assize"))
            .arg("run")
            .args(arguments)
            .args(["--dry-run", "--color", "never", "--suites"])
            .arg(self.0.path())
            .current_dir(here)
            .env_clear()
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_DIRS", Path::new("/nowhere"))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(said).unwrap();
        assert!(!text.contains("canary"), "{text}");
        (output.status.code().unwrap(), text)
    }

    #[track_caller]
    fn runs(&self, arguments: &[&str], variables: &[(&str, &str)], base: &str) {
        let (code, text) = self.run(arguments, variables);
        assert!(code == 0 && text.contains(&format!("on {base}; nothing was sent")), "{code}\n{text}");
    }

    #[track_caller]
    fn refuses(&self, arguments: &[&str], variables: &[(&str, &str)], code: i32, says: &[&str]) {
        let (seen, text) = self.run(arguments, variables);
        assert_eq!(seen, code, "{text}");
        says.iter().for_each(|says| assert!(text.contains(says), "{text}"));
    }
}

const HERE: &str = "work/clouds.yaml";
const BASE: &str = "http://127.0.0.1:1/identity";

#[test]
fn a_cloud_is_the_target() {
    let home = Home::with(&[(HERE, CLOUDS)]);
    home.runs(&["--os-cloud", "one"], &[], BASE);
    home.runs(&["openstack", "--os-cloud", "one", "--identity", "alt=other-one"], &[], BASE);
    home.runs(&[], &[("OS_CLOUD", "one")], BASE);
    home.runs(&["openstack"], &[("OS_CLOUD", "other-one")], BASE);
}

#[test]
fn variables_are_a_cloud() {
    let variables = [
        ("OS_AUTH_URL", "http://127.0.0.1:1/identity/"),
        ("OS_USERNAME", "u"),
        ("OS_PASSWORD", "canary"),
        ("OS_PROJECT_NAME", "p"),
    ];
    Home::new().runs(&["openstack"], &variables, BASE);
    Home::new().runs(&[], &variables, BASE);
    Home::new().refuses(&[], &variables[..3], 3, &["T008", "`project_name` is missing", "set OS_PROJECT_NAME"]);
}

#[test]
fn files_are_found_where_clients_find_them() {
    Home::with(&[(".config/openstack/clouds.yaml", CLOUDS)]).runs(&["--os-cloud", "one"], &[], BASE);
    let json = r#"{"clouds": {"one": {"auth": {"auth_url": "http://127.0.0.1:1/identity", "username": "u", "password": "canary", "project_id": "x"}}}}"#;
    let home = Home::with(&[("work/clouds.json", json), (".config/openstack/clouds.yaml", "clouds: {}")]);
    home.runs(&["openstack"], &[], BASE);
    let home = Home::with(&[("special.yaml", CLOUDS), (HERE, "clouds: {}")]);
    home.runs(&["--os-cloud", "one"], &[("OS_CLIENT_CONFIG_FILE", "../special.yaml")], BASE);
    home.refuses(
        &["--os-cloud", "one"],
        &[("OS_CLIENT_CONFIG_FILE", "../none.yaml")],
        3,
        &["OS_CLIENT_CONFIG_FILE: cannot read `../none.yaml`"],
    );
    let home = Home::with(&[
        (HERE, &CLOUDS.replace("password: canary-1, ", "")),
        (".config/openstack/secure.yaml", "clouds: {one: {auth: {password: canary}}}"),
    ]);
    home.runs(&["--os-cloud", "one"], &[], BASE);
}

#[test]
fn errors_say_what_to_do() {
    let home = Home::with(&[(HERE, CLOUDS)]);
    home.refuses(&[], &[], 2, &["no target is given", "--os-cloud NAME"]);
    home.refuses(&["openstack"], &[], 3, &["no cloud is chosen", "`elsewhere`, `one`, `other-one`"]);
    home.refuses(&["--os-cloud", "onee"], &[], 3, &["there is no cloud `onee`", "did you mean `one`?"]);
    home.refuses(&["http://127.0.0.1:1/v3", "--os-cloud", "one"], &[], 2, &["keep one of them"]);
    home.refuses(&["http://127.0.0.1:1/v3", "--identity", "alt=one"], &[], 2, &["are for clouds"]);
    home.refuses(&["--os-cloud", "one", "--username", "x"], &[], 2, &["do not go with a cloud"]);
    home.refuses(&["--os-cloud", "one", "--family", "toy"], &[], 2, &["leave --family out"]);
    home.refuses(&["--os-cloud", "one", "--identity", "alt"], &[], 2, &["is not of the form NAME=CLOUD"]);
    home.refuses(&["--os-cloud", "one", "--identity", "main=other-one"], &[], 2, &["this name has a fixed meaning"]);
    home.refuses(&["--os-cloud", "one", "--identity", "alt=elsewhere"], &[], 3, &["T010", "http://127.0.0.2:1"]);
    let twice = ["--os-cloud", "one", "--identity", "alt=one", "--identity", "alt=other-one"];
    home.refuses(&twice, &[], 2, &["given twice"]);
    Home::new().refuses(&["--os-cloud", "one"], &[], 3, &["no clouds.yaml was found"]);
}

#[test]
fn a_broken_file_is_shown_without_its_text() {
    let home = Home::with(&[(HERE, "clouds:\n  one:\n    auth: {password: 'canary}\n")]);
    home.refuses(&["--os-cloud", "one"], &[], 3, &["Y001", "clouds.yaml:3:"]);
    let home = Home::with(&[(HERE, &CLOUDS.replace("auth_url", "authurl"))]);
    home.refuses(&["--os-cloud", "one"], &[], 3, &["T008", "T010", "clouds.yaml:3:", "did you mean `auth_url`?"]);
}

/// One thing that is made and taken away again.
const THING: &str = "format: 1
suite: openstack.toy
title: Toy
cases:
  - id: make
    title: Make
    capability: toy-all
    risk: write
    steps:
      - post: /things
        json: {}
        expect: {status: 201}
        undo: [{delete: /things/1, expect: {status: 204}}]
      - get: /hold
        expect: {status: 200}
";

#[test]
fn a_clean_up_takes_the_cloud_of_the_run() {
    let (moment, hold) = moment();
    let hold = Mutex::new(Some(hold));
    let target = Target::start(move |seen| match seen.what() {
        "POST /things" => json(201, "{}"),
        "DELETE /things/1" => json(204, ""),
        "GET /hold" => {
            if let Some(hold) = hold.lock().unwrap().take() {
                hold.here();
            }
            json(200, "{}")
        }
        _ => json(200, "{}"),
    });
    let bench =
        Bench::new("cases: [{id: none, title: None, capability: toy-all, steps: [{get: /, expect: {status: 200}}]}]");
    bench.write("suites/openstack/family.yaml", FAMILY);
    bench.write("suites/openstack/toy.yaml", THING);
    bench.write("clouds.yaml", &CLOUDS.replace("127.0.0.1:1/identity", target.base.trim_start_matches("http://")));
    let arguments =
        ["run", "--os-cloud", "one", "--identity", "alt=other-one", "--suites", ".", "-o", "out", "--seed", "seed"];
    let running = Running::start(bench.command(&arguments));
    moment.wait(&running);
    running.signal("KILL");
    running.end();
    moment.pass();
    let clean = |more: &[&str]| bench.assize(&[&["cleanup", "out"], more].concat());
    clean(&[]).expect(3).says(&["no cloud is chosen"]);
    clean(&["--os-cloud", "elsewhere"]).expect(2).says(&["and the cloud is at http://127.0.0.2:1"]);
    clean(&["--os-cloud", "other-one"]).expect(2).says(&["the run had the project_name `demo`"]);
    assert_eq!(target.count("DELETE /things/1"), 0);
    clean(&["--os-cloud", "one"]).expect(0).says(&["the run also had the identity `alt`"]).prints(&["put back"]);
    assert_eq!(target.count("DELETE /things/1"), 1);
    clean(&["--os-cloud", "one", "--identity", "alt=other-one"]).expect(0).prints(&["Nothing is left"]);
    for (path, bytes) in bench.files("out") {
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{}", path.display());
    }
}
