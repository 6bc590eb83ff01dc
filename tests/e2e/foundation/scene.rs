//! A submission as it comes in: a signed bundle, a record, a ledger. Each scene is a copy that a test may change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use assize::admit::{Decision, Submission, decide, unreadable_bundle, unreadable_record};
use assize::attest::{Examined, Known, PAYLOAD_TYPE, Role, Statement, issue, seen};
use assize::ledger::{self, Ledger, Product, Rules};
use assize::report::bundle;
use assize::secret::Secret;
use assize::sign::{Envelope, PrivateKey, Signer as _};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::Value;

use crate::stub::{self, Bench, Target, guideline};

/// The seed of the runs, which is the nonce of a challenge.
pub(super) const NONCE: &str = "0123456789abcdef0123456789abcdef";

const CASES: &str = "cases:
  - id: version
    title: The service says its version
    capability: toy-good
    steps: [{get: /toy/v1, expect: {status: 200, json: {$.version.version: '1.90'}}}]
  - id: create
    title: A thing is made
    capability: toy-good
    risk: write
    steps:
      - post: /toy/things
        json: {name: '${unique(\"thing\")}'}
        expect: {status: 201}
        undo: [{delete: /toy/things/1, expect: {status: 204}}]
  - id: weak
    title: Sometimes it fails
    capability: toy-weak
    steps: [{get: /toy/weak, expect: {status: 200}}]
";

/// Which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Everything passes.
    Plain,
    /// One case fails and is waived.
    Waived,
    /// One case fails.
    Failing,
    /// Another run of the same target.
    Again,
    /// With easier suites.
    Easier,
    /// With an easier guideline.
    Lax,
    /// Without a case.
    Narrow,
    /// With retries.
    Retried,
    /// Reads only.
    ReadOnly,
    /// With a seed of its own.
    OwnSeed,
}

/// A bench in which a run of that kind was made once.
fn made(kind: Kind) -> &'static Bench {
    static MADE: OnceLock<BTreeMap<Kind, OnceLock<Bench>>> = OnceLock::new();
    let all = MADE.get_or_init(|| {
        use Kind::{Again, Easier, Failing, Lax, Narrow, OwnSeed, Plain, ReadOnly, Retried, Waived};
        let kinds = [Plain, Waived, Failing, Again, Easier, Lax, Narrow, Retried, ReadOnly, OwnSeed];
        kinds.into_iter().map(|kind| (kind, OnceLock::new())).collect()
    });
    all[&kind].get_or_init(|| make(kind))
}

/// The catalogue that everybody knows.
pub(super) fn published() -> &'static Path {
    made(Kind::Plain).root()
}

fn toy(required: &[(&str, &[&str])]) -> Value {
    let mut document = guideline(required);
    document["metadata"]["approval"]["status"] = "approved".into();
    document
}

fn make(kind: Kind) -> Bench {
    let cases =
        if kind == Kind::Easier { CASES.replace(", json: {$.version.version: '1.90'}", "") } else { CASES.to_owned() };
    let bench = Bench::new(&cases);
    let good: (&str, &[&str]) = ("toy-good", &["ironic.s.version", "ironic.s.create"]);
    let weak: (&str, &[&str]) = ("toy-weak", &["ironic.s.weak"]);
    let lax: &[_] = if kind == Kind::Lax { &[good] } else { &[good, weak] };
    bench.guideline(&toy(lax));
    let fails = matches!(kind, Kind::Waived | Kind::Failing | Kind::Lax);
    let target = Target::start(move |seen| match seen.what() {
        "GET /toy/v1" => {
            stub::json(200, r#"{"version": {"version": "1.90", "min_version": "1.1", "status": "CURRENT"}}"#)
        }
        "GET /toy/weak" if fails => stub::json(500, "{}"),
        "POST /toy/things" => stub::json(201, &seen.body),
        "DELETE /toy/things/1" => stub::json(204, ""),
        _ => stub::json(200, "{}"),
    });
    let seed = if kind == Kind::OwnSeed { "made-up" } else { NONCE };
    let url = target.url();
    let mut arguments = vec!["run", &url, "--suites", ".", "--output-dir", "out", "--seed", seed];
    match kind {
        Kind::Waived => {
            let day = today() + 30.days();
            bench.write(
                "w.yaml",
                &format!("format: assize-waivers/1\nwaivers:\n  - {{test: ironic.s.weak, owner: qa, reason: known, expires: {day}}}\n"),
            );
            arguments.extend(["--waivers", "w.yaml"]);
        }
        Kind::Narrow => arguments.extend(["--skip", "weak"]),
        Kind::Retried => arguments.extend(["--retries", "2"]),
        Kind::ReadOnly => arguments.extend(["--allow", "read"]),
        _ => {}
    }
    let ran = bench.assize(&arguments);
    assert!(matches!(ran.code, Some(0 | 1)), "{kind:?}: {}{}", ran.out, ran.err);
    bench
}

pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// An OpenSSH key that is the same in every test.
pub(super) fn key(seed: u8) -> String {
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let public: [u8; 32] = ring::signature::KeyPair::public_key(&pair).as_ref().try_into().unwrap();
    let pair = ssh_key::private::Ed25519Keypair {
        public: ssh_key::public::Ed25519PublicKey(public),
        private: ssh_key::private::Ed25519PrivateKey::from_bytes(&[seed; 32]),
    };
    ssh_key::PrivateKey::new(pair.into(), "").unwrap().to_openssh(ssh_key::LineEnding::LF).unwrap().to_string()
}

pub(super) fn signer(seed: u8) -> PrivateKey {
    PrivateKey::read(&Secret::new(key(seed))).unwrap()
}

pub(super) fn public(seed: u8) -> String {
    signer(seed).public().to_openssh()
}

/// Keys: the vendor's, the foundation's, a stranger's.
pub(super) const VENDOR: u8 = 1;
pub(super) const FOUNDATION: u8 = 2;
pub(super) const STRANGER: u8 = 3;

pub(super) struct Scene {
    root: tempfile::TempDir,
    /// The day of the admission.
    pub(super) on: Date,
}

impl Scene {
    /// A signed submission and a ledger that takes it.
    pub(super) fn new(kind: Kind) -> Self {
        let scene = Self { root: tempfile::tempdir().unwrap(), on: today() };
        copy(&made(kind).path("out"), &scene.bundle());
        scene.write("ledger/rules.yaml", &format!(
            "format: assize-rules/1\nfoundation: Toys\nwaivers_conform: true\nguidelines:\n  - {{id: ironic/1, from: {}, until: {}}}\n",
            today() - 1.days(), today() + 100.days()
        ));
        scene.write("ledger/vendors/acme.keys", &format!("acme {}\n", public(VENDOR)));
        scene.write("ledger/foundation.keys", &format!("toys {}\n", public(FOUNDATION)));
        scene.challenge(NONCE, "acme", "toy");
        if kind == Kind::Waived {
            fs::create_dir_all(scene.path("ledger/waivers/acme")).unwrap();
            fs::copy(made(kind).path("w.yaml"), scene.path("ledger/waivers/acme/weak.yaml")).unwrap();
        }
        scene.write("product.yaml", PRODUCT);
        scene.sign(VENDOR, Role::Vendor);
        scene
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(super) fn bundle(&self) -> PathBuf {
        self.path("bundle")
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A challenge that was open when the run began.
    pub(super) fn challenge(&self, nonce: &str, vendor: &str, product: &str) {
        let (from, to) =
            (Timestamp::now() - SignedDuration::from_hours(24), Timestamp::now() + SignedDuration::from_hours(24));
        self.challenge_open(nonce, vendor, product, from, to);
    }

    pub(super) fn challenge_open(&self, nonce: &str, vendor: &str, product: &str, from: Timestamp, to: Timestamp) {
        let text = format!(
            "format: assize-challenge/1\nnonce: {nonce:?}\nvendor: {vendor}\nproduct: {product}\nissued: {from}\nexpires: {to}\n"
        );
        self.write(&format!("ledger/challenges/{nonce}.yaml"), &text);
    }

    pub(super) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} lacks {from}");
        fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
    }

    pub(super) fn json(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let path = self.path(name);
        let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
    }

    /// The vendor makes the manifest fit again.
    pub(super) fn reseal(&self) {
        bundle::seal(&self.bundle()).unwrap();
    }

    /// The files in `attestations/`.
    pub(super) fn statements(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path("bundle/attestations"))
            .into_iter()
            .flatten()
            .map(|entry| format!("bundle/attestations/{}", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        names.sort();
        names
    }

    pub(super) fn statement(&self, word: &str) -> String {
        self.statements().into_iter().find(|name| name.contains(word)).unwrap_or_else(|| panic!("no {word}"))
    }

    /// Signs as the tool does.
    pub(super) fn sign(&self, key: u8, role: Role) {
        self.sign_at(key, role, Timestamp::now(), 365);
    }

    pub(super) fn sign_at(&self, key: u8, role: Role, at: Timestamp, days: i32) {
        let examined = Examined::of(&self.bundle()).unwrap();
        let seen = if role == Role::Foundation { seen(&self.bundle()).unwrap() } else { BTreeMap::new() };
        let until = at.to_zoned(jiff::tz::TimeZone::UTC).date() + days.days();
        for one in issue(&examined, role, at, until, seen, &mut signer(key)).unwrap() {
            self.write(&format!("bundle/attestations/{}", one.file), &one.text);
        }
    }

    /// Throws the statements away and signs anew.
    pub(super) fn sign_anew(&self) {
        fs::remove_dir_all(self.path("bundle/attestations")).unwrap();
        self.sign(VENDOR, Role::Vendor);
    }

    /// A vendor with a tool of its own: changes what the statements say and signs them again. They are about the
    /// bundle as it is now.
    pub(super) fn forge(&self, word: &str, key: u8, change: impl Fn(&mut Value)) {
        let manifest = assize::canon::digest_file(&self.path("bundle/bundle.json")).unwrap().hex();
        for name in self.statements().into_iter().filter(|name| name.contains(word)) {
            let envelope = Envelope::read(&fs::read(self.path(&name)).unwrap()).unwrap();
            let mut value: Value = serde_json::from_slice(&envelope.payload().unwrap()).unwrap();
            value["subject"][0]["digest"]["sha256"] = manifest.clone().into();
            change(&mut value);
            let envelope =
                Envelope::sign(PAYLOAD_TYPE, &serde_json::to_vec(&value).unwrap(), &mut signer(key)).unwrap();
            fs::write(self.path(&name), serde_json::to_string_pretty(&envelope).unwrap()).unwrap();
        }
    }

    pub(super) fn payload(&self, name: &str) -> Statement {
        let envelope = Envelope::read(&fs::read(self.path(name)).unwrap()).unwrap();
        serde_json::from_slice(&envelope.payload().unwrap()).unwrap()
    }

    /// Puts a report of another version into the ledger, admitted by hand.
    pub(super) fn admitted(&self, version: &str, change: impl FnOnce(&mut Value)) {
        let decision = self.decide();
        let mut record = serde_json::to_value(decision.admission.expect("admitted")).unwrap();
        record["identity"]["version"] = version.into();
        change(&mut record);
        let place = format!("ledger/ironic/1/acme/toy/{version}");
        copy(&self.bundle(), &self.path(&place));
        self.write(&format!("{place}.admission.json"), &record.to_string());
    }

    pub(super) fn decide(&self) -> Decision {
        let ledger = Ledger::open(&self.path("ledger")).unwrap();
        let record = fs::read(self.path("product.yaml")).unwrap();
        let product = match ledger::read::<Product>("product.yaml", &record) {
            Ok(product) => product,
            Err(problems) => return Decision::unreadable(unreadable_record(&problems)),
        };
        let examined = match Examined::of(&self.bundle()) {
            Ok(examined) => examined,
            Err(error) => return Decision::unreadable(unreadable_bundle(&error)),
        };
        let rules: Rules = ledger.rules().unwrap();
        let submission = Submission {
            folder: &self.bundle(),
            bundle: &examined,
            product: &product,
            ledger: &ledger,
            rules: &rules,
            known: known(published()),
            on: self.on,
        };
        decide(&submission).unwrap()
    }
}

fn known(root: &Path) -> Known {
    let names = ["suites/ironic/family.yaml", "suites/ironic/s.yaml", "capabilities/ironic/1.json"];
    let files: Vec<_> = names.iter().map(|name| (*name, fs::read(root.join(name)).unwrap())).collect();
    Known::of_files(files.iter().map(|(name, bytes)| (*name, bytes.as_slice())))
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

pub(super) const PRODUCT: &str = "format: assize-product/1
vendor: {id: acme, name: Acme, url: https://acme.example, contact: qa@acme.example}
product:
  id: toy
  name: Acme Toy
  kind: distribution
  description: A toy.
  url: https://acme.example/toy
  documentation: https://acme.example/docs
version: '1.0'
family: ironic
guideline: '1'
programs: [Toy Basic]
observed: {bare-metal-version: '1.90'}
reproduce: Start it and run the suites.
";

pub(super) fn another(kind: Kind) -> PathBuf {
    made(kind).path("out")
}
