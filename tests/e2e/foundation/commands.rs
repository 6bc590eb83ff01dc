//! The commands: sign, verify --trust, admit, challenge, ledger.

use std::fs;

use serde_json::Value;

use super::scene::{FOUNDATION, Kind, NONCE, Scene, VENDOR, key, public, published};
use crate::stub::{Bench, Ran};

fn assize(scene: &Scene, arguments: &[&str]) -> Ran {
    let bench = Bench::new("cases: []\n");
    let mut command = bench.command(arguments);
    command.current_dir(scene.path(""));
    crate::stub::Running::start(command).end()
}

fn suites() -> String {
    published().display().to_string()
}

#[test]
fn a_bundle_is_signed_by_both_and_verified_offline() {
    let scene = Scene::new(Kind::Plain);
    fs::remove_dir_all(scene.path("bundle/attestations")).unwrap();
    let before = fs::read(scene.path("bundle/bundle.json")).unwrap();
    scene.write("vendor.key", &key(VENDOR));
    scene.write("foundation.key", &key(FOUNDATION));
    scene.write("trust", &format!("acme {}\ntoys {}\n", public(VENDOR), public(FOUNDATION)));
    let suites = suites();
    let trusted = ["verify", "bundle", "--trust", "trust", "--suites", &suites];
    assize(&scene, &trusted).expect(6).prints(&["A201", "not signed"]);
    let ran = assize(&scene, &["sign", "bundle", "--key", "vendor.key"]).expect(0);
    let ran = ran.prints(&["signed", "conformance.json", "test-result.json"]).says(&["chmod 600", "target sha256:"]);
    let body = key(VENDOR).lines().nth(2).unwrap().to_owned();
    assert!(!ran.out.contains(&body) && !ran.err.contains(&body));
    assize(&scene, &trusted).expect(0).prints(&["supported", "as vendor by acme"]);
    assize(&scene, &["sign", "bundle", "--key", "vendor.key"]).expect(2).says(&["has signed already"]);
    assize(&scene, &["sign", "bundle", "--key", "foundation.key", "--as", "foundation"]).expect(6).says(&["suites"]);
    let counter = ["sign", "bundle", "--key", "foundation.key", "--as", "foundation", "--suites", &suites];
    assize(&scene, &counter).expect(0).prints(&["svr.json"]);
    let ran = assize(&scene, &[&trusted[..], &["--json"]].concat()).expect(0);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&document["trusted"], document["signed_by"].as_array().unwrap().len()), (&true.into(), 2));
    assert_eq!(fs::read(scene.path("bundle/bundle.json")).unwrap(), before, "signing changes no digest");
    assize(&scene, &["verify", "bundle"]).expect(0);
    // Whoever trusts one of them only is told of the other.
    scene.write("one", &format!("toys {}\n", public(FOUNDATION)));
    assize(&scene, &["verify", "bundle", "--trust", "one", "--suites", &suites])
        .expect(0)
        .says(&["not among the trusted keys"]);
    assize(&scene, &["verify", "bundle", "--trust", "trust"]).expect(6).prints(&["A103", "A104"]);
}

#[test]
fn keys_that_cannot_be_used_are_refused_with_a_remedy() {
    let scene = Scene::new(Kind::Plain);
    scene.write("vendor.pub", &public(VENDOR));
    assize(&scene, &["sign", "bundle", "--key", "vendor.pub"]).expect(3).says(&["public key", "hint:"]);
    assize(&scene, &["sign", "bundle", "--key", "none"]).expect(3).says(&["none"]);
    assize(&scene, &["sign", "bundle", "--key", "vendor.pub", "--agent"]).expect(2).says(&["SSH_AUTH_SOCK", "ssh-add"]);
    scene.write("empty", "# nobody\n");
    assize(&scene, &["verify", "bundle", "--trust", "empty"]).expect(3).says(&["no key"]);
    scene.write("damaged", "acme ssh-ed25519 AAAA\n");
    assize(&scene, &["verify", "bundle", "--trust", "damaged"]).expect(3).says(&["damaged:1:"]);
    let failing = Scene::new(Kind::Failing);
    failing.replace("bundle/report.json", "\"fail\"", "\"pass\"");
    failing.write("vendor.key", &key(VENDOR));
    assize(&failing, &["sign", "bundle", "--key", "vendor.key"]).expect(6).says(&["nothing is signed"]);
}

#[test]
fn a_report_is_admitted_into_the_ledger_once() {
    let scene = Scene::new(Kind::Plain);
    let suites = suites();
    let admit = [
        "admit",
        "bundle",
        "--ledger",
        "ledger",
        "--product",
        "product.yaml",
        "--suites",
        &suites,
        "--labels",
        "labels",
    ];
    assize(&scene, &admit).expect(0).prints(&["admissible"]);
    assert!(!scene.path("ledger/ironic").exists(), "nothing is added unless asked for");
    let ran = assize(&scene, &[&admit[..], &["--write", "--json"]].concat()).expect(0);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&document["admitted"], &document["identity"]["version"]), (&true.into(), &"1.0".into()));
    assert_eq!(fs::read_to_string(scene.path("labels")).unwrap(), "assize/admissible\nassize/ironic\n");
    let place = "ledger/ironic/1/acme/toy/1.0";
    assert!(scene.path(place).join("attestations").is_dir() && !scene.path(place).join("journal.jsonl").exists());
    assize(&scene, &["verify", place]).expect(0);
    assize(&scene, &["ledger", "ledger"])
        .expect(0)
        .prints(&["ironic/1/acme/toy/1.0", "Toy Basic: conformant"])
        .says(&["1 report: no problems"]);
    let ran = assize(&scene, &[&admit[..], &["--json"]].concat()).expect(1);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(ran.out.contains("A601") && document["labels"].as_array().unwrap().contains(&"assize/refused".into()));
    // As a pull request brings it: everything in its place, only the record of admission is missing.
    fs::remove_file(scene.path(&format!("{place}.admission.json"))).unwrap();
    let in_place = ["admit", place, "--ledger", "ledger", "--suites", &suites, "--write"];
    assize(&scene, &in_place).expect(0).prints(&["admitted:", "1.0.admission.json"]);
}

#[test]
fn what_cannot_be_read_is_a_refusal_or_an_error() {
    let scene = Scene::new(Kind::Plain);
    let admit = |scene: &Scene, bundle: &str, product: &str| {
        assize(scene, &["admit", bundle, "--ledger", "ledger", "--product", product, "--suites", &suites()])
    };
    admit(&scene, "none", "product.yaml").expect(1).prints(&["A105", "refused"]);
    admit(&scene, "bundle", "none.yaml").expect(1).prints(&["A301", "none.yaml"]);
    scene.write("ledger/rules.yaml", "format: assize-rules/2\n");
    admit(&scene, "bundle", "product.yaml").expect(3).says(&["newer", "rules.yaml"]);
    fs::remove_dir_all(scene.path("ledger")).unwrap();
    admit(&scene, "bundle", "product.yaml").expect(3).says(&["no such folder"]);
}

#[test]
fn a_challenge_is_a_file_with_a_new_nonce() {
    let scene = Scene::new(Kind::Plain);
    let issue = ["challenge", "--ledger", "ledger", "--vendor", "acme", "--product", "toy", "--version", "1.0"];
    let (one, two) = (assize(&scene, &issue).expect(0), assize(&scene, &issue).expect(0));
    assert_ne!(one.out, two.out);
    let nonce = one.out.trim();
    assert!(nonce.len() == 32 && nonce != NONCE);
    assize(&scene, &["ledger", "ledger"]).expect(0).says(&["no problems"]);
    assize(&scene, &["challenge", "--ledger", "ledger", "--vendor", "A/B", "--product", "toy"])
        .expect(2)
        .says(&["is no id"]);
}

#[test]
fn a_ledger_is_checked_as_a_whole() {
    let scene = Scene::new(Kind::Failing);
    let place = "ledger/ironic/1/acme/toy/1.0";
    super::scene::copy(&scene.bundle(), &scene.path(place));
    assize(&scene, &["ledger", "ledger"]).expect(3).says(&["there is no product record"]);
    fs::copy(scene.path("product.yaml"), scene.path(&format!("{place}.product.yaml"))).unwrap();
    let note = |case: &str| {
        format!(
            "format: assize-triage/1\ncases: [{case}]\nkind: product\nlink: https://bugs.example/1\nnote: n\nauthor: me\ndate: 2026-11-10\n"
        )
    };
    scene.write(&format!("{place}.triage/weak.yaml"), &note("ironic.s.weak"));
    assize(&scene, &["ledger", "ledger"]).expect(0).prints(&["not admitted"]);
    let sheet = |total: &str| format!("Toys\n\nroll: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] {total}\n");
    scene.write("ledger/worksheets/toys.txt", &sheet("[91]*"));
    assize(&scene, &["ledger", "ledger"]).expect(0);
    scene.write("ledger/worksheets/toys.txt", &sheet("[100]*"));
    assize(&scene, &["ledger", "ledger"]).expect(3).says(&["toys.txt: roll: the sheet says 100, it comes to 91"]);
    scene.write("ledger/worksheets/toys.txt", &sheet("[91]*"));
    // A note changes nothing: the report is still that of a run that fails.
    assize(&scene, &["verify", place]).expect(0);
    scene.write(&format!("{place}.triage/good.yaml"), &note("ironic.s.version"));
    assize(&scene, &["ledger", "ledger"]).expect(3).says(&["`ironic.s.version` is no case"]);
    scene.write(&format!("{place}.triage/good.yaml"), "format: assize-triage/1\ncase: x\n");
    assize(&scene, &["ledger", "ledger"]).expect(3).says(&["L003", "did you mean `cases`?"]);
}
