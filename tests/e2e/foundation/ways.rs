//! The ways of cheating.

use std::fs;

use assize::attest::Role;
use assize::sign::{Envelope, Signer as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::json;

use super::scene::{FOUNDATION, Kind, NONCE, STRANGER, Scene, VENDOR, another, copy, public, signer, today};

/// Who cheats.
#[derive(Clone, Copy)]
pub(super) enum Who {
    /// Somebody without a key.
    Outsider,
    /// The vendor, who can make everything anew and sign it.
    Vendor,
}

impl Who {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Outsider => "outsider",
            Self::Vendor => "vendor",
        }
    }
}

/// One way of cheating.
pub(super) struct Way {
    pub(super) who: Who,
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) cheat: fn(&mut Scene),
    pub(super) code: &'static str,
    pub(super) word: &'static str,
}

fn way(who: Who, kind: Kind, name: &'static str, cheat: fn(&mut Scene), code: &'static str, word: &'static str) -> Way {
    Way { who, kind, name, cheat, code, word }
}

const REPORT: &str = "bundle/report.json";
const TRANSCRIPT: &str = "bundle/transcript.jsonl";

/// All of them.
pub(super) fn ways() -> Vec<Way> {
    [evidence(), signatures(), statements(), records(), freshness(), decisions()].into_iter().flatten().collect()
}

fn lines(scene: &Scene, change: impl Fn(&mut Vec<String>)) {
    let text = fs::read_to_string(scene.path(TRANSCRIPT)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(scene.path(TRANSCRIPT), lines.join("\n") + "\n").unwrap();
}

/// The case that failed is said to have passed.
fn pretend(scene: &Scene) {
    scene.json(REPORT, |report| {
        let cases = report["cases"].as_array_mut().unwrap();
        let weak = cases.iter_mut().find(|case| case["id"] == "ironic.s.weak").unwrap();
        weak["result"]["outcome"] = json!("pass");
    });
}

/// The vendor reseals and has its own tool sign: the statements are about the changed bundle.
fn resign(scene: &Scene) {
    scene.reseal();
    scene.forge("vendor", VENDOR, |_| {});
}

fn evidence() -> Vec<Way> {
    use Kind::{Easier, Failing, Lax, Narrow, Plain, Retried, Waived};
    use Who::{Outsider, Vendor};
    vec![
        way(Outsider, Failing, "a failed outcome is edited to a pass", |s| pretend(s), "A101", "report.json"),
        way(
            Vendor,
            Failing,
            "a failed outcome is edited to a pass, the manifest made to fit and signed",
            |s| {
                pretend(s);
                resign(s);
            },
            "A102",
            "the report says pass, the evidence says fail",
        ),
        way(
            Vendor,
            Failing,
            "a verdict is edited to conformant, and signed",
            |s| {
                s.replace(REPORT, "\"verdict\": \"not-conformant\"", "\"verdict\": \"conformant\"");
                resign(s);
            },
            "A102",
            "the report says conformant",
        ),
        way(
            Vendor,
            Failing,
            "a failed case is dropped from the report",
            |s| {
                s.json(REPORT, |r| r["cases"].as_array_mut().unwrap().retain(|case| case["id"] != "ironic.s.weak"));
                resign(s);
            },
            "A102",
            "ironic.s.weak: missing",
        ),
        way(
            Vendor,
            Failing,
            "a failed case is dropped from report and transcript",
            |s| {
                lines(s, |l| l.retain(|line| !line.contains("ironic.s.weak")));
                s.json(REPORT, |r| r["cases"].as_array_mut().unwrap().retain(|case| case["id"] != "ironic.s.weak"));
                resign(s);
            },
            "A102",
            "ironic.s.weak: missing",
        ),
        way(Vendor, Narrow, "a case that would fail is not run at all", |_| {}, "A309", "only a part"),
        way(
            Vendor,
            Failing,
            "an answer is edited, the report is not",
            |s| {
                lines(s, |l| l.iter_mut().for_each(|line| *line = line.replace("\"status\":500", "\"status\":200")));
                resign(s);
            },
            "A102",
            "the evidence says pass",
        ),
        way(
            Vendor,
            Failing,
            "the transcript of a better run is swapped in",
            |s| {
                fs::copy(another(Plain).join("transcript.jsonl"), s.path(TRANSCRIPT)).unwrap();
                resign(s);
            },
            "A102",
            "transcript.jsonl is of run",
        ),
        way(
            Vendor,
            Failing,
            "an attempt that failed is removed from the transcript",
            |s| {
                lines(s, |l| l.retain(|line| !(line.contains("\"exchange\"") && line.contains("ironic.s.weak"))));
                resign(s);
            },
            "A102",
            "ironic.s.weak",
        ),
        way(
            Vendor,
            Plain,
            "another endpoint is written into the inputs",
            |s| {
                s.json("bundle/run.json", |r| r["target"]["base"] = json!("https://shiny.example"));
                resign(s);
            },
            "A102",
            "ironic.s.",
        ),
        way(
            Vendor,
            Waived,
            "a waiver is written into the bundle after the run",
            |s| {
                s.replace("bundle/waivers.json", "reason: known", "reason: granted");
                resign(s);
            },
            "A102",
            "report.json",
        ),
        way(Vendor, Easier, "easier suites are run", |_| {}, "A103", "ironic/s.yaml"),
        way(
            Outsider,
            Plain,
            "a suite in the bundle is edited",
            |s| s.replace("bundle/suites/ironic/s.yaml", "Toy cases", "Boy cases"),
            "A101",
            "suites/ironic/s.yaml",
        ),
        way(Vendor, Lax, "an easier guideline is used under the published id", |_| {}, "A104", "ironic/1"),
        way(
            Outsider,
            Plain,
            "only a JUnit file with all the right names is handed in",
            |s| {
                let junit = fs::read(s.path("bundle/junit.xml")).unwrap();
                fs::remove_dir_all(s.bundle()).unwrap();
                fs::create_dir_all(s.bundle()).unwrap();
                fs::write(s.path("bundle/junit.xml"), junit).unwrap();
            },
            "A105",
            "bundle.json",
        ),
        way(
            Outsider,
            Plain,
            "the JUnit file is edited",
            |s| s.replace("bundle/junit.xml", "weak", "meek"),
            "A101",
            "junit.xml",
        ),
        way(
            Outsider,
            Plain,
            "a file is slipped into the bundle",
            |s| s.write("bundle/notes.html", "all is well"),
            "A101",
            "notes.html",
        ),
        way(
            Outsider,
            Plain,
            "a file is hidden among the signatures",
            |s| s.write("bundle/attestations/page.html", "all is well"),
            "A101",
            "attestations/page.html",
        ),
        way(Vendor, Retried, "cases are tried until they pass", |_| {}, "A310", "3 attempts"),
        way(
            Vendor,
            Plain,
            "answers that were recorded at another time are put in",
            |s| {
                lines(s, |l| {
                    l.iter_mut().filter(|line| line.contains("\"exchange\"")).for_each(|line| {
                        let (head, tail) = line.split_once("\"at_ms\":").unwrap();
                        let digits = tail.chars().take_while(char::is_ascii_digit).count();
                        *line = format!("{head}\"at_ms\":1600000000000{}", &tail[digits..]);
                    })
                });
                s.reseal();
                s.sign_anew();
            },
            "A410",
            "2020-09-13",
        ),
        way(
            Vendor,
            Plain,
            "the run is made against a server that plays old answers",
            |s| {
                lines(s, |l| {
                    l.iter_mut().filter(|line| line.contains("/toy/weak")).for_each(|line| {
                        *line = line.replace(
                            "\"headers\":[[\"content-type\"",
                            "\"headers\":[[\"date\",\"Mon, 06 Jan 2025 10:00:00 GMT\"],[\"content-type\"",
                        );
                    })
                });
                s.reseal();
                s.sign_anew();
            },
            "A411",
            "minutes",
        ),
    ]
}

fn signatures() -> Vec<Way> {
    use Kind::Plain;
    use Who::{Outsider, Vendor};
    vec![
        way(
            Outsider,
            Plain,
            "the bundle is not signed",
            |s| fs::remove_dir_all(s.path("bundle/attestations")).unwrap(),
            "A201",
            "not signed",
        ),
        way(
            Outsider,
            Plain,
            "a stranger signs",
            |s| {
                fs::remove_dir_all(s.path("bundle/attestations")).unwrap();
                s.sign(STRANGER, Role::Vendor);
            },
            "A202",
            "not among the trusted keys",
        ),
        way(
            Outsider,
            Plain,
            "a signature is forged",
            |s| {
                let name = s.statement("conformance");
                s.json(&name, |e| {
                    let mut sig = BASE64_STANDARD.decode(e["signatures"][0]["sig"].as_str().unwrap()).unwrap();
                    *sig.last_mut().unwrap() ^= 1;
                    e["signatures"][0]["sig"] = json!(BASE64_STANDARD.encode(sig));
                });
            },
            "A203",
            "does not hold",
        ),
        way(
            Outsider,
            Plain,
            "a stranger signs under the name of the vendor's key",
            |s| {
                s.forge("conformance", STRANGER, |_| {});
                let name = s.statement("conformance");
                s.json(&name, |e| e["signatures"][0]["keyid"] = json!(signer(VENDOR).public().id().as_str()));
            },
            "A203",
            "does not hold",
        ),
        way(
            Outsider,
            Plain,
            "a signed statement is edited",
            |s| {
                let name = s.statement("conformance");
                s.json(&name, |e| {
                    let text =
                        String::from_utf8(BASE64_STANDARD.decode(e["payload"].as_str().unwrap()).unwrap()).unwrap();
                    e["payload"] = json!(BASE64_STANDARD.encode(text.replace("\"conformant\"", "\"conformant+\"")));
                });
            },
            "A203",
            "does not hold",
        ),
        way(
            Outsider,
            Plain,
            "the signature is taken off the statement",
            |s| {
                let name = s.statement("conformance");
                s.json(&name, |e| e["signatures"] = json!([]));
            },
            "A201",
            "not signed",
        ),
        way(
            Outsider,
            Plain,
            "a second signature, which does not hold, is added",
            |s| {
                let name = s.statement("conformance");
                s.json(&name, |e| {
                    let mut second = e["signatures"][0].clone();
                    second["sig"] = json!("AAAA");
                    e["signatures"].as_array_mut().unwrap().push(second);
                });
            },
            "A203",
            "does not hold",
        ),
        way(
            Outsider,
            Plain,
            "a signature that the vendor made for another purpose is used",
            |s| {
                s.write("ledger/vendors/acme.keys", &format!("acme namespaces=\"git\" {}\n", public(VENDOR)));
            },
            "A202",
            "namespace",
        ),
        way(
            Outsider,
            Plain,
            "the statement is of another type of payload",
            |s| {
                let payload = serde_json::to_vec(&s.payload(&s.statement("conformance"))).unwrap();
                let envelope = Envelope::sign("text/plain", &payload, &mut signer(VENDOR)).unwrap();
                s.write(&s.statement("conformance"), &serde_json::to_string(&envelope).unwrap());
            },
            "A209",
            "text/plain",
        ),
        way(
            Vendor,
            Plain,
            "a key is used whose time is over",
            |s| {
                s.write("ledger/vendors/acme.keys", &format!("acme valid-before=\"20200101\" {}\n", public(VENDOR)));
            },
            "A204",
            "was not valid",
        ),
        way(
            Vendor,
            Plain,
            "the signature is dated before the run",
            |s| {
                let early = (Timestamp::now() - SignedDuration::from_hours(48)).to_string();
                s.forge("conformance", VENDOR, |v| v["predicate"]["signed"] = json!(early));
            },
            "A208",
            "before the run ended",
        ),
        way(
            Vendor,
            Plain,
            "the signature is dated in the future",
            |s| {
                fs::remove_dir_all(s.path("bundle/attestations")).unwrap();
                s.sign_at(VENDOR, Role::Vendor, Timestamp::now() + SignedDuration::from_hours(72), 365);
            },
            "A208",
            "which is after",
        ),
        way(
            Vendor,
            Plain,
            "a signature is used whose time is over",
            |s| {
                fs::remove_dir_all(s.path("bundle/attestations")).unwrap();
                s.sign_at(VENDOR, Role::Vendor, Timestamp::now(), 5);
                s.on = today() + 6.days();
            },
            "A208",
            "it counted until",
        ),
        way(
            Outsider,
            Plain,
            "another registered vendor signs",
            |s| {
                s.write("ledger/vendors/other.keys", &format!("other {}\n", public(STRANGER)));
                fs::remove_dir_all(s.path("bundle/attestations")).unwrap();
                s.sign(STRANGER, Role::Vendor);
            },
            "A202",
            "not among the trusted keys",
        ),
        way(
            Vendor,
            Plain,
            "the vendor counter-signs as the foundation",
            |s| s.sign(VENDOR, Role::Foundation),
            "A603",
            "is no key of the foundation",
        ),
        way(
            Vendor,
            Plain,
            "the signature of the foundation, which its rules ask for, is missing",
            |s| {
                s.replace(
                    "ledger/rules.yaml",
                    "foundation: Toys\n",
                    "foundation: Toys\nfoundation_signature: required\n",
                );
            },
            "A211",
            "no key of the foundation",
        ),
        way(
            Outsider,
            Plain,
            "a vendor hands in that nobody registered",
            |s| s.replace("product.yaml", "{id: acme,", "{id: acne,"),
            "A602",
            "acne",
        ),
    ]
}

fn statements() -> Vec<Way> {
    use Kind::{Again, Failing, Plain};
    use Who::{Outsider, Vendor};
    vec![
        way(
            Outsider,
            Again,
            "the statements of another bundle are carried over",
            |s| {
                let other = Scene::new(Plain);
                fs::remove_dir_all(s.path("bundle/attestations")).unwrap();
                copy(&other.path("bundle/attestations"), &s.path("bundle/attestations"));
            },
            "A205",
            "it is about the bundle",
        ),
        way(
            Vendor,
            Plain,
            "the statement names another target",
            |s| {
                s.forge("vendor", VENDOR, |v| v["subject"][1]["digest"]["sha256"] = json!("0".repeat(64)));
            },
            "A206",
            "it is about the target",
        ),
        way(
            Vendor,
            Failing,
            "the statement says conformant, the evidence does not",
            |s| {
                s.forge("conformance", VENDOR, |v| v["predicate"]["programs"][0]["verdict"] = json!("conformant"));
            },
            "A207",
            "`programs`",
        ),
        way(
            Vendor,
            Plain,
            "the statement names other suites",
            |s| {
                s.forge("conformance", VENDOR, |v| {
                    v["predicate"]["suites"] = json!(format!("sha256:{}", "0".repeat(64)))
                });
            },
            "A207",
            "`suites`",
        ),
        way(
            Vendor,
            Failing,
            "the standard statement leaves out what failed",
            |s| {
                s.forge("test-result", VENDOR, |v| v["predicate"]["failedTests"] = json!([]));
            },
            "A207",
            "`failedTests`",
        ),
        way(
            Vendor,
            Failing,
            "the standard statement is left out",
            |s| fs::remove_file(s.path(&s.statement("test-result"))).unwrap(),
            "A210",
            "test-result",
        ),
        way(
            Vendor,
            Plain,
            "a statement of an unknown kind is put beside",
            |s| {
                s.forge("test-result", VENDOR, |v| v["predicateType"] = json!("https://example.org/blessed/v1"));
            },
            "A209",
            "blessed",
        ),
        way(
            Outsider,
            Plain,
            "a statement is taken back that the foundation has counter-signed",
            |s| {
                s.sign(FOUNDATION, Role::Foundation);
                fs::remove_file(s.path(&s.statement("test-result"))).unwrap();
            },
            "A207",
            "is gone",
        ),
    ]
}

fn records() -> Vec<Way> {
    use Kind::{Failing, Plain};
    use Who::Vendor;
    vec![
        way(
            Vendor,
            Plain,
            "the record is incomplete",
            |s| s.replace("product.yaml", ", contact: qa@acme.example", ""),
            "A301",
            "contact",
        ),
        way(
            Vendor,
            Plain,
            "the record has a key that nobody reads",
            |s| s.replace("product.yaml", "reproduce:", "certified: true\nreproduce:"),
            "A301",
            "`certified`",
        ),
        way(
            Vendor,
            Plain,
            "the record claims nothing, to be listed all the same",
            |s| s.replace("product.yaml", "[Toy Basic]", "[]"),
            "A301",
            "claims no program",
        ),
        way(
            Vendor,
            Plain,
            "the record is for another family",
            |s| s.replace("product.yaml", "family: ironic", "family: redfish"),
            "A302",
            "family",
        ),
        way(
            Vendor,
            Plain,
            "the record is for another guideline",
            |s| s.replace("product.yaml", "guideline: '1'", "guideline: '2'"),
            "A302",
            "guideline",
        ),
        way(
            Vendor,
            Plain,
            "the bundle lies in the place of another product",
            |s| {
                let place = s.path("ledger/ironic/1/acme/other");
                fs::create_dir_all(&place).unwrap();
                fs::rename(s.bundle(), place.join("1.0")).unwrap();
                std::os::unix::fs::symlink(place.join("1.0"), s.bundle()).unwrap();
            },
            "A302",
            "the bundle lies in",
        ),
        way(
            Vendor,
            Plain,
            "a program is claimed that the guideline does not have",
            |s| s.replace("product.yaml", "[Toy Basic]", "[Toy Bsic]"),
            "A303",
            "did you mean `Toy Basic`",
        ),
        way(Vendor, Failing, "a program is claimed that is not conformant", |_| {}, "A304", "not-conformant"),
        way(
            Vendor,
            Plain,
            "another version is claimed than the endpoint states",
            |s| s.replace("product.yaml", "'1.90'", "'1.91'"),
            "A305",
            "the endpoint says 1.90",
        ),
        way(
            Vendor,
            Plain,
            "a property is claimed that the endpoint never stated",
            |s| s.replace("product.yaml", "{bare-metal-version: '1.90'}", "{bare-metal-version: '1.90', colour: red}"),
            "A305",
            "says nothing of it",
        ),
        way(
            Vendor,
            Plain,
            "the record names nothing that could be compared",
            |s| s.replace("product.yaml", "{bare-metal-version: '1.90'}", "{}"),
            "A306",
            "names nothing",
        ),
        way(
            Vendor,
            Plain,
            "the record leaves out the version that the endpoint states",
            |s| s.replace("product.yaml", "bare-metal-version: '1.90'", "api-status: CURRENT"),
            "A308",
            "bare-metal-version",
        ),
        way(
            Vendor,
            Plain,
            "the record is tied to another endpoint",
            |s| s.replace("product.yaml", "reproduce:", &format!("fingerprint: sha256:{}\nreproduce:", "0".repeat(64))),
            "A307",
            "the evidence is of",
        ),
    ]
}

fn freshness() -> Vec<Way> {
    use Kind::{Again, OwnSeed, Plain, ReadOnly};
    use Who::Vendor;
    vec![
        way(Vendor, Plain, "an old run is handed in", |s| s.on = today() + 95.days(), "A401", "days ago"),
        way(Vendor, Plain, "the run is dated in the future", |s| s.on = today() - 2.days(), "A402", "now it is"),
        way(
            Vendor,
            Plain,
            "the run is from outside the window of its guideline",
            |s| {
                let rules = format!("from: {}", today() - 1.days());
                s.replace("ledger/rules.yaml", &rules, &format!("from: {}", today() + 2.days()));
            },
            "A403",
            "takes runs from",
        ),
        way(
            Vendor,
            Plain,
            "the run is against a guideline that is not open",
            |s| s.replace("ledger/rules.yaml", "ironic/1", "ironic/2"),
            "A403",
            "take no reports",
        ),
        way(
            Vendor,
            Plain,
            "the run is against a guideline that is not approved",
            |s| s.replace("ledger/rules.yaml", "{id: ironic/1,", "{id: ironic/1, status: [superseded],"),
            "A403",
            "is approved",
        ),
        way(
            Vendor,
            Plain,
            "nobody asked for the run",
            |s| fs::remove_dir_all(s.path("ledger/challenges")).unwrap(),
            "A404",
            "no challenge",
        ),
        way(Vendor, OwnSeed, "the run has a seed of the vendor's own", |_| {}, "A405", "`made-up`"),
        way(
            Vendor,
            Plain,
            "the run has the nonce of another vendor",
            |s| s.challenge(NONCE, "other", "toy"),
            "A405",
            "issued for other/toy",
        ),
        way(
            Vendor,
            OwnSeed,
            "an old run is given the new nonce",
            |s| {
                s.replace("bundle/run.json", "\"seed\": \"made-up\"", &format!("\"seed\": \"{NONCE}\""));
                resign(s);
            },
            "A102",
            "ironic.s.create",
        ),
        way(
            Vendor,
            Plain,
            "the run began before the challenge was issued",
            |s| {
                let soon = Timestamp::now() + SignedDuration::from_hours(1);
                s.challenge_open(NONCE, "acme", "toy", soon, soon + SignedDuration::from_hours(24));
            },
            "A406",
            "was open from",
        ),
        way(
            Vendor,
            Plain,
            "the run began after the challenge was over",
            |s| {
                let old = Timestamp::now() - SignedDuration::from_hours(48);
                s.challenge_open(NONCE, "acme", "toy", old, old + SignedDuration::from_hours(24));
            },
            "A406",
            "was open from",
        ),
        way(Vendor, ReadOnly, "the run leaves no trace of its nonce", |_| {}, "A407", "none comes back"),
        way(
            Vendor,
            Plain,
            "one run is handed in for two versions",
            |s| {
                s.admitted("0.9", |_| {});
            },
            "A408",
            "acme/toy/0.9",
        ),
        way(
            Vendor,
            Again,
            "one nonce is used for two runs",
            |s| {
                s.admitted("0.9", |record| {
                    record["run"]["id"] = json!("other");
                    record["bundle"] = json!(format!("sha256:{}", "1".repeat(64)));
                    record["transcript"] = json!(format!("sha256:{}", "2".repeat(64)));
                });
            },
            "A409",
            "was used for",
        ),
        way(
            Vendor,
            Plain,
            "a report in the ledger is to be replaced",
            |s| s.admitted("1.0", |_| {}),
            "A601",
            "in the ledger already",
        ),
    ]
}

fn revoke(scene: &Scene, what: &str) {
    let text = format!(
        "format: assize-revocation/1\nrevoked: {{{what}}}\nsince: {}\nreason: it was found out\nby: Toys\n",
        today()
    );
    scene.write("ledger/revocations/one.yaml", &text);
}

fn decisions() -> Vec<Way> {
    use Kind::{Plain, Waived};
    use Who::Vendor;
    vec![
        way(Vendor, Waived, "a waiver is used whose time is over", |s| s.on = today() + 31.days(), "A501", "ended on"),
        way(
            Vendor,
            Waived,
            "a waiver is used that nobody granted",
            |s| fs::remove_dir_all(s.path("ledger/waivers")).unwrap(),
            "A502",
            "ironic.s.weak",
        ),
        way(
            Vendor,
            Waived,
            "a waiver is used for longer than it was granted",
            |s| {
                let (long, short) = ((today() + 30.days()).to_string(), (today() + 1.days()).to_string());
                s.replace("ledger/waivers/acme/weak.yaml", &long, &short);
            },
            "A502",
            "was not granted",
        ),
        way(
            Vendor,
            Waived,
            "excused failures are claimed where the rules want passes",
            |s| {
                s.replace("ledger/rules.yaml", "waivers_conform: true\n", "");
            },
            "A304",
            "conformant-with-waivers",
        ),
        way(
            Vendor,
            Plain,
            "a revoked bundle is handed in again",
            |s| {
                let digest = assize::canon::digest_file(&s.path("bundle/bundle.json")).unwrap();
                revoke(s, &format!("bundle: '{digest}'"));
            },
            "A504",
            "it was found out",
        ),
        way(
            Vendor,
            Plain,
            "a revoked key signs",
            |s| revoke(s, &format!("key: '{}'", signer(VENDOR).public().id())),
            "A505",
            "acme",
        ),
        way(Vendor, Plain, "a revoked product is handed in", |s| revoke(s, "product: acme/toy"), "A506", "acme/toy"),
        way(
            Vendor,
            Plain,
            "suites are used that were revoked",
            |s| {
                let suites = assize::attest::Examined::of(&s.bundle()).unwrap().suites;
                revoke(s, &format!("suites: '{suites}'"));
            },
            "A507",
            "set of suites",
        ),
    ]
}
