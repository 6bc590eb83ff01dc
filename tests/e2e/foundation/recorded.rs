//! The recorded bundles of `reports/`: they are in the ledger by its own rules, and an honest vendor would get the one that
//! is conformant through strict ones.

use std::fs;
use std::path::{Path, PathBuf};

use assize::admit::{Decision, Submission, check_ledger, decide};
use assize::attest::{Examined, Known, Role, issue};
use assize::ledger::{self, Admission, Ledger, Product, Rules};
use jiff::Timestamp;
use jiff::civil::Date;

use super::scene::{VENDOR, copy, public, signer};

fn reports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

fn known() -> Known {
    Known::of_files(assize::suite::embedded())
}

fn decided(ledger: &Ledger, rules: &Rules, folder: &Path, product: &Product, on: Date) -> Decision {
    let bundle = Examined::of(folder).unwrap();
    decide(&Submission { folder, bundle: &bundle, product, ledger, rules, known: known(), on }).unwrap()
}

#[test]
fn the_ledger_of_the_project_is_as_its_rules_want_it() {
    let ledger = Ledger::open(&reports()).unwrap();
    let entries = ledger.entries().unwrap();
    let problems = check_ledger(&ledger, &entries);
    assert!(problems.is_empty() && entries.len() >= 4, "{problems:?}");
    // The same decision, made again: in a copy that has the rules only.
    let empty = tempfile::tempdir().unwrap();
    fs::copy(reports().join("rules.yaml"), empty.path().join("rules.yaml")).unwrap();
    let before = Ledger::open(empty.path()).unwrap();
    let rules = ledger.rules().unwrap();
    for entry in &entries {
        let name = entry.bundle().display().to_string();
        let admission: Admission = entry.admission().unwrap().unwrap_or_else(|| panic!("{name} is not admitted"));
        let product = entry.product().unwrap().unwrap();
        let decision = decided(&before, &rules, &entry.bundle(), &product, admission.admitted);
        assert!(decision.is_admitted(), "{name}: {:?}", decision.problems);
        // Rules may have changed since, for others.
        let again = Admission { rules: admission.rules, ..decision.admission.unwrap() };
        assert_eq!(again, admission, "{name}");
    }
}

const STRICT: &str = "format: assize-rules/1
foundation: Strict
guidelines:
  - id: openstack/2026.11
    from: 2026-11-01
    until: 2027-05-31
    status: [draft]
    digests: ['GUIDELINE']
suites: ['SUITES']
";

const RECORD: &str = "format: assize-product/1
vendor: {id: openstack, name: A vendor, url: https://vendor.example, contact: qa@vendor.example}
product:
  id: loopback-lab
  name: Loopback lab
  kind: laboratory
  description: An OpenStack on one machine.
  url: https://vendor.example/lab
  documentation: https://vendor.example/docs
version: '2026.2'
family: openstack
guideline: '2026.11'
programs: [OpenStack Powered Platform, OpenStack Powered Compute, OpenStack Powered Storage]
observed: {identity-version: v3.14, compute-version: '2.104', block-storage-version: '3.71'}
reproduce: See labs/openstack.
";

/// The challenge was made up afterwards, for the seed that the run happened to have; all else is as it was recorded.
#[test]
fn an_honest_vendor_is_admitted_by_strict_rules() {
    let root = tempfile::tempdir().unwrap();
    let bundle = root.path().join("bundle");
    copy(&reports().join("openstack/2026.11/openstack/loopback-lab/2026.2"), &bundle);
    let examined = Examined::of(&bundle).unwrap();
    let at: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    let signed =
        issue(&examined, Role::Vendor, at, "2027-11-24".parse().unwrap(), Default::default(), &mut signer(VENDOR));
    let write = |name: &str, text: &str| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for one in signed.unwrap() {
        write(&format!("bundle/attestations/{}", one.file), &one.text);
    }
    let (_, guideline) = examined.guideline.as_ref().unwrap();
    let rules = STRICT.replace("GUIDELINE", &guideline.to_string()).replace("SUITES", &examined.suites.to_string());
    write("ledger/rules.yaml", &rules);
    write("ledger/vendors/openstack.keys", &format!("openstack {}\n", public(VENDOR)));
    let seed = &examined.inputs.seed;
    let challenge = format!("format: assize-challenge/1\nnonce: '{seed}'\nvendor: openstack\nproduct: loopback-lab\n");
    let open = "issued: 2026-11-20T00:00:00Z\nexpires: 2026-12-20T00:00:00Z\n";
    write(&format!("ledger/challenges/{seed}.yaml"), &format!("{challenge}{open}"));
    let ledger = Ledger::open(&root.path().join("ledger")).unwrap();
    let rules = ledger.rules().unwrap();
    let product: Product = ledger::read("product.yaml", RECORD.as_bytes()).unwrap();
    let on: Date = "2026-11-28".parse().unwrap();
    let decision = decided(&ledger, &rules, &bundle, &product, on);
    assert!(decision.is_admitted(), "{:?}", decision.problems);
    // And the claim of another version of the very same run is not.
    let later = Product { version: "2027.1".to_owned(), ..product.clone() };
    let other = Product { observed: [("compute-version".to_owned(), "2.105".to_owned())].into(), ..product };
    assert!(decided(&ledger, &rules, &bundle, &later, on).is_admitted(), "the name of a version is the vendor's own");
    let refused = decided(&ledger, &rules, &bundle, &other, on);
    assert!(refused.problems.iter().any(|one| one.code == "A305"), "{:?}", refused.problems);
}
