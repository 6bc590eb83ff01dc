//! What end-to-end tests need: a target that a test scripts, a folder with a small catalogue, and the real binary.
//!
//! The target is the one of the engine's own tests. Here it has a runtime of its own, so that tests are plain functions
//! and a handler may block until its test lets it go on.

#![allow(dead_code)]

#[path = "../../src/engine/stub.rs"]
mod engine;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(crate) use engine::{Reply, Seen, json};

/// A child that is still running then hangs; the test that started it fails.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// The path of the family; the probe of every run asks for it.
pub(crate) const ROOT: &str = "GET /toy";

/// A scripted target.
pub(crate) struct Target {
    pub(crate) base: String,
    stub: Option<engine::Stub>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Target {
    fn drop(&mut self) {
        // Without waiting: a handler may be holding.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Target {
    pub(crate) fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
        let stub = runtime.block_on(engine::Stub::start(handler));
        Self { base: stub.base.clone(), stub: Some(stub), runtime: Some(runtime) }
    }

    /// Answers 200 with `{}` to everything.
    pub(crate) fn empty() -> Self {
        Self::start(|_| json(200, "{}"))
    }

    /// A URL that tells the family.
    pub(crate) fn url(&self) -> String {
        format!("{}/toy", self.base)
    }

    /// Nobody listens there: a port that was free a moment ago.
    pub(crate) fn nobody() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/toy", listener.local_addr().unwrap())
    }

    /// `METHOD /path` of all requests so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.stub.as_ref().map(engine::Stub::log).unwrap_or_default()
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.stub.as_ref().map(|stub| stub.seen.lock().unwrap().clone()).unwrap_or_default()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.log().iter().filter(|line| *line == what).count()
    }
}

/// The family, its guideline, and a suite with a case of each kind of outcome but `error`.
const FAMILY: &str = "format: 1
family: ironic
title: A toy
path: /toy
concurrency: 1
auth: basic
guideline: ironic/1
";

/// A guideline with the program `Toy Basic`, whose capabilities need the tests given.
pub(crate) fn guideline(capabilities: &[(&str, &[&str])]) -> serde_json::Value {
    let mut described = serde_json::Map::new();
    for (capability, tests) in capabilities {
        let tests: serde_json::Map<_, _> =
            tests.iter().map(|test| ((*test).to_owned(), serde_json::json!({}))).collect();
        let entry = serde_json::json!({"name": capability, "description": "d", "tests": tests});
        described.insert((*capability).to_owned(), entry);
    }
    let required: Vec<_> = capabilities.iter().map(|(capability, _)| *capability).collect();
    serde_json::json!({
        "metadata": {
            "id": "1",
            "schema": "2.0",
            "assize": {"format": "assize-guideline/1", "family": "ironic"},
            "approval": {"status": "draft", "releases": ["one"]},
        },
        "platforms": {"Toy Basic": {"description": "d", "components": [{"name": "core"}]}},
        "components": {
            "core": {
                "description": "d",
                "capabilities": {"required": required, "advisory": [], "deprecated": [], "removed": []},
            },
        },
        "capabilities": described,
    })
}

/// A folder with a catalogue, and space for runs.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// With the suite `ironic.s`, whose cases are given as YAML, and a guideline that requires them all.
    pub(crate) fn new(cases: &str) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.write("suites/ironic/family.yaml", FAMILY);
        bench.write("suites/ironic/s.yaml", &format!("format: 1\nsuite: ironic.s\ntitle: Toy cases\n{cases}"));
        let ids: Vec<String> = cases
            .lines()
            .skip_while(|line| !line.starts_with("cases:"))
            .filter_map(|line| line.strip_prefix("  - id: "))
            .map(|id| format!("ironic.s.{id}"))
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        bench.guideline(&guideline(&[("toy-all", &ids)]));
        bench
    }

    pub(crate) fn guideline(&self, document: &serde_json::Value) {
        self.write("capabilities/ironic/1.json", &serde_json::to_string_pretty(document).unwrap());
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A JSON document below the folder.
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// Outcomes of `out/report.json` by case id.
    pub(crate) fn outcomes(&self) -> BTreeMap<String, String> {
        let report = self.json("out/report.json");
        let cases = report["cases"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        cases.iter().map(|case| (text(&case["id"]), text(&case["result"]["outcome"]))).collect()
    }

    /// The entry of a case in `out/report.json`.
    pub(crate) fn case(&self, id: &str) -> serde_json::Value {
        let report = self.json("out/report.json");
        let cases = report["cases"].as_array().unwrap();
        cases.iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("no case {id}")).clone()
    }

    /// The binary with these arguments, in a known environment, inside the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assize"));
        command.args(arguments).current_dir(self.root()).env_clear();
        // What the loader or a coverage tool needs.
        for name in ["PATH", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn assize(&self, arguments: &[&str]) -> Ran {
        Running::start(self.command(arguments)).end()
    }

    /// Arguments of `run` against a target, with the bundle in `out`.
    pub(crate) fn run_command(&self, url: &str, more: &[&str]) -> Command {
        let mut command = self.command(&["run", url, "--suites", ".", "--output-dir", "out", "--seed", "seed"]);
        command.args(more);
        command
    }

    pub(crate) fn run(&self, url: &str, more: &[&str]) -> Ran {
        Running::start(self.run_command(url, more)).end()
    }

    pub(crate) fn verify(&self) -> Ran {
        self.assize(&["verify", "out"])
    }

    /// Every file below a folder, with its bytes.
    pub(crate) fn files(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path(name)];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.push((path, bytes));
                }
            }
        }
        found.sort();
        found
    }
}

/// How a process ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Fails unless the process ended with this code, and in order.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked at"), "{}", self.err);
        self
    }

    /// Fails unless stderr has all these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.err.contains(text), "stderr lacks `{text}`:\n{}", self.err);
        }
        self
    }

    /// Fails unless stdout has all these texts.
    #[track_caller]
    pub(crate) fn prints(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.out.contains(text), "stdout lacks `{text}`:\n{}", self.out);
        }
        self
    }
}

/// A process under way; it does not outlive the test.
pub(crate) struct Running {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = drain(child.stdout.take().unwrap());
        let err = drain(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ran {
        // A closed pipe means that it ended; one that stays open means that it hangs.
        let text = |pipe: &Receiver<String>| pipe.recv_timeout(LONGEST_RUN).expect("the process hangs");
        let (out, err) = (text(&self.out), text(&self.err));
        let code = self.child.wait().unwrap().code();
        Ran { code, out, err }
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// A moment that the target reaches and the test then lets pass: `reached` waits for it, `go` ends it.
pub(crate) struct Moment {
    reached: Receiver<()>,
    go: std::sync::mpsc::Sender<()>,
}

/// The other end of a [`Moment`], for the handler.
pub(crate) struct Hold {
    reached: std::sync::mpsc::Sender<()>,
    go: std::sync::Mutex<Receiver<()>>,
}

/// A moment, and the hold that a handler takes when it comes.
pub(crate) fn moment() -> (Moment, Hold) {
    let (reached, reached_end) = channel();
    let (go, go_end) = channel();
    (Moment { reached: reached_end, go }, Hold { reached, go: std::sync::Mutex::new(go_end) })
}

impl Moment {
    /// Waits for it; a process that ends before fails the test.
    #[track_caller]
    pub(crate) fn wait(&self, run: &Running) {
        for _ in 0..LONGEST_RUN.as_millis() / 20 {
            if self.reached.recv_timeout(Duration::from_millis(20)).is_ok() {
                return;
            }
            if let Ok(err) = run.err.try_recv() {
                panic!("the process ended before the moment came:\n{}\n{err}", run.out.recv().unwrap_or_default());
            }
        }
        panic!("the moment never came");
    }

    pub(crate) fn pass(&self) {
        let _ = self.go.send(());
    }
}

impl Hold {
    /// Tells the test and waits until it says so.
    pub(crate) fn here(&self) {
        let _ = self.reached.send(());
        let _ = self.go.lock().unwrap().recv();
    }
}
