//! Documents, places and the walk.

use std::fs;

use super::*;
use crate::text::Diagnostics;

const PRODUCT: &str = "format: assize-product/1
vendor: {id: acme, name: Acme, url: https://acme.example, contact: qa@acme.example}
product:
  id: cloud
  name: Acme Cloud
  kind: distribution
  description: A cloud.
  url: https://acme.example/cloud
  documentation: https://acme.example/docs
version: '1.0'
family: openstack
guideline: '2026.11'
programs: [OpenStack Powered Compute]
observed: {compute-version: '2.104'}
reproduce: Install it and run the suites.
";

fn problems(text: &str) -> Diagnostics {
    read::<Product>("p.yaml", text.as_bytes()).unwrap_err()
}

#[test]
fn a_product_record_is_read() {
    let product: Product = read("p.yaml", PRODUCT.as_bytes()).unwrap();
    assert_eq!((product.vendor.id.as_str(), product.product.kind), ("acme", ProductKind::Distribution));
    let json = serde_json::to_vec(&product).unwrap();
    assert_eq!(read::<Product>("p.json", &json).unwrap(), product);
}

#[test]
fn every_problem_has_a_place_and_a_remedy() {
    let cases = [
        ("kind: distribution", "kind: toaster", "L006", "product.kind"),
        ("  name: Acme Cloud\n", "", "L004", "`product` lacks the key `name`"),
        ("version: '1.0'", "version: 1.0", "L005", "`version`"),
        ("version: '1.0'", "version: '../x'", "L006", "`version`"),
        ("family: openstack", "family: openstak", "L006", "`family`"),
        ("contact: qa@acme.example", "contact: nobody", "L006", "vendor.contact"),
        ("reproduce:", "reproduces:", "L003", "did you mean `reproduce`?"),
        ("url: https://acme.example, ", "url: http://acme.example, ", "L006", "vendor.url"),
        ("assize-product/1", "assize-product/2", "L002", "newer"),
        ("assize-product/1", "assize-waivers/1", "L002", "write `assize-product/1`"),
        ("format: assize-product/1\n", "", "L002", "begin it with"),
    ];
    for (from, to, code, word) in cases {
        assert!(PRODUCT.contains(from), "{from}");
        let found = problems(&PRODUCT.replacen(from, to, 1));
        let shown = found.to_string();
        assert!(found.iter().any(|one| one.code == code) && shown.contains(word), "{to}: {shown}");
        assert!(found.iter().all(|one| one.position().is_some() && one.help.is_some()), "{shown}");
    }
    let two = problems(&PRODUCT.replace("kind: distribution", "kind: x").replace("'1.0'", "1.0"));
    assert_eq!(two.len(), 2, "all at once: {two}");
    assert_eq!(read::<Product>("p", &[0xff]).unwrap_err().iter().next().unwrap().code, "L001");
    assert!(read::<Product>("p", b"").is_err() && read::<Product>("p", b"- a").is_err());
}

#[test]
fn defaults_of_rules_are_strict() {
    let text = "format: assize-rules/1\nfoundation: F\nguidelines:\n  - {id: openstack/2026.11, from: 2026-11-01, until: 2027-11-30}\n";
    let rules: Rules = read("rules.yaml", text.as_bytes()).unwrap();
    assert_eq!(
        (rules.challenge, rules.vendor_signature, rules.observed),
        (Demand::Required, Demand::Required, Demand::Required)
    );
    assert_eq!(
        (rules.max_age_days, rules.max_attempts, rules.results_only, rules.waivers_conform),
        (90, 1, false, false)
    );
    assert!(rules.guideline("openstack/2026.11").is_some() && rules.guideline("openstack/2020.06").is_none());
}

#[test]
fn revocations_hold_from_their_day_on() {
    let text = "format: assize-revocation/1\nrevoked: {product: acme/cloud}\nsince: 2026-11-10\nreason: r\nby: F\n";
    let all = Revocations(vec![read("r.yaml", text.as_bytes()).unwrap()]);
    let day = |text: &str| text.parse().unwrap();
    assert!(all.of_product("acme", "cloud", "1", day("2026-11-10")).is_some());
    assert!(all.of_product("acme", "cloud", "1", day("2026-11-09")).is_none());
    assert!(all.of_product("acme", "cloudy", "1", day("2026-11-10")).is_none());
    assert!(read::<Revocation>("r", text.replace("product: acme/cloud", "key: x").as_bytes()).is_err());
    assert!(read::<Revocation>("r", text.replace("{product: acme/cloud}", "{}").as_bytes()).is_err());
}

#[test]
fn a_note_is_about_cases_and_rows() {
    let text = "format: assize-triage/1\ncases: ['a.b[*]', a.c]\nkind: product\nlink: https://bugs.example/1\nnote: n\nauthor: me\ndate: 2026-11-10\n";
    let note: Triage = read("t.yaml", text.as_bytes()).unwrap();
    for case in ["a.b", "a.b[x]", "a.c"] {
        assert!(note.is_about(case), "{case}");
    }
    for case in ["a.bc", "a.c[x]", "a"] {
        assert!(!note.is_about(case), "{case}");
    }
}

#[test]
fn names_of_folders() {
    for good in ["acme", "2026.11", "2.2.0-plain", "a+b", "1"] {
        assert!(is_slug(good), "{good}");
    }
    for bad in ["", ".", "..", ".a", "-a", "A", "a/b", "a b", "ä", "a.", &"a".repeat(81)] {
        assert!(!is_slug(bad), "{bad}");
    }
}

#[test]
fn a_walk_finds_bundles_and_what_is_beside_them() {
    let root = tempfile::tempdir().unwrap();
    let product = root.path().join("openstack/2026.11/acme/cloud");
    for version in ["1.0", "2.0", "no-bundle"] {
        fs::create_dir_all(product.join(version)).unwrap();
    }
    for version in ["1.0", "2.0"] {
        fs::write(product.join(version).join("bundle.json"), "{}").unwrap();
    }
    fs::write(product.join("1.0.product.yaml"), PRODUCT).unwrap();
    fs::create_dir_all(product.join("1.0.triage")).unwrap();
    fs::write(root.path().join("README.md"), "").unwrap();
    let ledger = Ledger::open(root.path()).unwrap();
    let entries = ledger.entries().unwrap();
    let versions: Vec<_> = entries.iter().map(|entry| entry.identity.version.as_str()).collect();
    assert_eq!(versions, ["1.0", "2.0"]);
    assert!(entries[0].product().unwrap().is_some() && entries[1].product().unwrap().is_none());
    assert!(entries[0].admission().unwrap().is_none() && entries[0].triage().unwrap().is_empty());
    assert_eq!(ledger.place(&entries[0].identity).unwrap().bundle(), entries[0].bundle());
    let strange = Identity { vendor: "../x".to_owned(), ..entries[0].identity.clone() };
    assert!(ledger.place(&strange).is_err());
    assert!(Ledger::open(&root.path().join("none")).is_err());
    assert!(ledger.challenge("../../x").unwrap().is_none());
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/zero", root.path().join("rules.yaml")).unwrap();
    let error = Ledger::open(root.path()).unwrap().rules().unwrap_err().to_string();
    assert!(error.contains("rules.yaml") && error.contains("regular file"), "{error}");
}

#[test]
fn score_sheets_lie_in_a_folder_of_their_own() {
    let root = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(root.path()).unwrap();
    assert!(ledger.worksheets().unwrap().is_empty());
    let folder = root.path().join("worksheets");
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.join(name), text).unwrap();
    write("b.txt", b"Title\n\ntwo: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [1] [100]*\n");
    write("a.txt", b"one: [0,0,0] [0,0,0] [0,0,0] [0,0,0] [1] [0]\n");
    write("notes.md", b"no sheet");
    let sheets = ledger.worksheets().unwrap();
    let found: Vec<_> = sheets.iter().map(|(name, sheet)| (name.as_str(), sheet.rows().count())).collect();
    assert_eq!(found, [("a", 1), ("b", 1)]);
    for (name, text, why) in [
        ("c.txt", &b"nothing\n"[..], "no line is a row"),
        ("c.txt", b"\xff", "not UTF-8"),
        ("C D.txt", b"one: [0,0,0] [0,0,0] [0,0,0] [0,0,0] [1] [0]\n", "lower-case"),
    ] {
        write(name, text);
        let error = ledger.worksheets().unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(why), "{error}");
        fs::remove_file(folder.join(name)).unwrap();
    }
}
