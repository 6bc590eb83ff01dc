//! The published site: of what lies in `reports/`, and of small ledgers made from it.

#[path = "site/serve.rs"]
mod serve;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use assize::ledger::Ledger;
use assize::site::{self, SiteError, Summary};
use serde_json::{Value, json};
use tempfile::TempDir;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn publish(ledger: &Path, site: &Path) -> Result<Summary, SiteError> {
    site::publish(&Ledger::open(ledger).unwrap(), site, Some("https://interop.example/all"))
}

/// Files below a folder by path with slashes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name: Vec<_> =
                    path.strip_prefix(folder).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
                found.insert(name.join("/"), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn attributes<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let marker = format!(" {name}=\"");
    page.match_indices(&marker).filter_map(|(at, _)| page[at + marker.len()..].split('"').next()).collect()
}

/// Where a link leads, from the root of the site.
fn resolved(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Every link leads to a file of the site, and to an id in it; nothing is loaded from elsewhere.
fn check_links(site: &BTreeMap<String, Vec<u8>>) {
    let pages: BTreeMap<&String, &str> = site
        .iter()
        .filter(|(name, _)| name.ends_with(".html"))
        .map(|(name, bytes)| (name, std::str::from_utf8(bytes).unwrap()))
        .collect();
    let ids: BTreeMap<&String, Vec<&str>> = pages.iter().map(|(name, page)| (*name, attributes(page, "id"))).collect();
    for (name, bytes) in site.iter().filter(|(name, _)| !name.ends_with(".json")) {
        let text = std::str::from_utf8(bytes).unwrap();
        let odd = text.chars().find(|c| !assize::text::is_html(*c));
        assert_eq!(odd, None, "{name} holds what HTML and XML forbid");
    }
    for (name, page) in &pages {
        let own: BTreeSet<&&str> = ids[*name].iter().collect();
        assert_eq!(own.len(), ids[*name].len(), "{name}: an id appears twice");
        for link in attributes(page, "src") {
            assert!(!link.contains("//"), "{name} loads {link}");
        }
        for link in attributes(page, "href").into_iter().chain(attributes(page, "src")) {
            if link.starts_with("https://") || link.starts_with("/all/") {
                continue;
            }
            let (path, fragment) = link.split_once('#').map_or((link, None), |(path, fragment)| (path, Some(fragment)));
            let target = if path.is_empty() { (*name).clone() } else { resolved(name, path) };
            assert!(site.contains_key(&target), "{name} leads to {target}, which is not there");
            if let Some(fragment) = fragment {
                assert!(ids[&target].contains(&fragment), "{name} leads to {target}#{fragment}");
            }
        }
    }
}

#[test]
fn the_reports_of_the_project_make_a_whole_site() {
    let folder = TempDir::new().unwrap();
    let site = folder.path().join("site");
    let done = publish(&root().join("reports"), &site).unwrap();
    assert!(done.reports >= 4 && done.left_out == 0, "{done:?}");
    let made = files(&site);
    check_links(&made);
    assert_eq!(made.len(), done.files + 1, "the state is the only file beside");

    // The documents are as their schema says.
    let schema: Value = serde_json::from_slice(&made["api/v1/schema.json"]).unwrap();
    assert_eq!(schema, site::schema());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let is_document = |name: &str| {
        name == "api/v1/index.json" || name.starts_with("api/v1/reports/") || name.starts_with("api/v1/guidelines/")
    };
    let documents: Vec<_> = made.iter().filter(|(name, _)| is_document(name)).collect();
    assert!(documents.len() > done.reports);
    for (name, bytes) in documents {
        let document: Value = serde_json::from_slice(bytes).unwrap();
        let problems: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).take(3).collect();
        assert!(problems.is_empty(), "{name}: {problems:?}");
    }

    // A pass is shown on the wire, criteria with their totals, and changes.
    let text = |name: &str| String::from_utf8(made[name].clone()).unwrap();
    assert!(text("guidelines/openstack/2026.11/capabilities/compute-servers-create.html").contains("HTTP/1.1 20"));
    let guideline = text("guidelines/openstack/2026.11/index.html");
    assert!(guideline.contains("id=\"criteria-table\"") && guideline.contains("id=\"change-table\""));

    // Nothing changed, so nothing is written; what somebody removed comes back.
    let again = publish(&root().join("reports"), &site).unwrap();
    assert_eq!((again.written, again.removed), (0, 0));
    fs::remove_file(site.join("about.html")).unwrap();
    assert_eq!(publish(&root().join("reports"), &site).unwrap().written, 1);
    assert_eq!(files(&site), made);
}

/// A small ledger: parts of a recorded report, under names of its own.
struct Small(TempDir);

impl Small {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let rules = "format: assize-rules/1\nfoundation: A <b>bold</b> foundation\nmax_age_days: 30\nguidelines:\n  - {id: redfish/2026.11, from: 2026-01-01, until: 2030-01-01, status: [draft]}\n";
        fs::create_dir(folder.path().join("ledger")).unwrap();
        fs::write(folder.path().join("ledger/rules.yaml"), rules).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn publish(&self, site: &str) -> Result<Summary, SiteError> {
        publish(&self.path("ledger"), &self.path(site))
    }

    /// A report in which the cases of these numbers fail.
    fn add(&self, vendor: &str, product: &str, version: &str, name: &str, day: i64, fail: &[usize]) {
        let source = root().join("reports/redfish/2026.11/openstack/sushy-tools");
        let folder = self.path("ledger").join("redfish/2026.11").join(vendor).join(product);
        let bundle = folder.join(version);
        fs::create_dir_all(&bundle).unwrap();
        let read = |name: &str| serde_json::from_slice::<Value>(&fs::read(source.join(name)).unwrap()).unwrap();
        let mut report = read("2.2.0-plain/report.json");
        let cases = report["cases"].as_array_mut().unwrap();
        cases.truncate(30);
        for (at, case) in cases.iter_mut().enumerate() {
            let outcome = if fail.contains(&at) { "fail" } else { "pass" };
            case["result"] = json!({"outcome": outcome, "reason": "<i>why</i>", "checks_passed": 1, "checks_failed": 0, "exchanges": 1, "duration_ms": 1});
        }
        let report = report.to_string();
        fs::write(bundle.join("report.json"), report).unwrap();
        fs::copy(source.join("2.2.0-plain/guideline.json"), bundle.join("guideline.json")).unwrap();
        assize::report::bundle::seal(&bundle).unwrap();
        let manifest = fs::read(bundle.join("bundle.json")).unwrap();
        let mut admission = read("2.2.0-plain.admission.json");
        admission["identity"] = json!({"family": "redfish", "guideline": "2026.11", "vendor": vendor, "product": product, "version": version});
        admission["bundle"] = assize::canon::digest_bytes(&manifest).to_string().into();
        admission["run"]["started_at_ms"] = (1_795_399_661_142 + day * 86_400_000).into();
        fs::write(folder.join(format!("{version}.admission.json")), admission.to_string()).unwrap();
        let record = format!(
            "format: assize-product/1\nvendor: {{id: {vendor}, name: Vendor, url: \"https://v.example\", contact: a@v.example}}\nproduct: {{id: {product}, name: {name}, kind: emulator, description: d, url: \"https://v.example\", documentation: \"https://v.example\"}}\nversion: \"{version}\"\nfamily: redfish\nguideline: \"2026.11\"\nprograms: []\nobserved: {{}}\nreproduce: r\n"
        );
        fs::write(folder.join(format!("{version}.product.yaml")), record).unwrap();
    }

    /// Another admission of a bundle that was sealed anew.
    fn add_again(&self, vendor: &str, product: &str, version: &str) {
        let folder = self.path("ledger").join("redfish/2026.11").join(vendor).join(product);
        let path = folder.join(format!("{version}.admission.json"));
        let mut admission: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let bundle = folder.join(version);
        assize::report::bundle::seal(&bundle).unwrap();
        for (key, name) in [("bundle", "bundle.json"), ("guideline", "guideline.json")] {
            let bytes = fs::read(bundle.join(name)).unwrap();
            admission[key] = assize::canon::digest_bytes(&bytes).to_string().into();
        }
        fs::write(path, admission.to_string()).unwrap();
    }

    /// What was brought up to date is what is made anew.
    fn same_as_anew(&self, what: &str) {
        let done = self.publish("site").unwrap();
        let _ = fs::remove_dir_all(self.path("anew"));
        self.publish("anew").unwrap();
        let (updated, anew) = (files(&self.path("site")), files(&self.path("anew")));
        let differing: Vec<_> =
            updated.iter().filter(|(name, bytes)| anew.get(*name) != Some(bytes)).map(|(name, _)| name).collect();
        assert!(differing.is_empty() && updated.len() == anew.len(), "{what}: {differing:?}");
        check_links(&updated);
        assert!(done.written < u32::try_from(anew.len()).unwrap(), "{what}: everything was written");
    }
}

#[test]
fn what_is_brought_up_to_date_is_what_is_made_anew() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[1, 2]);
    small.add("acme", "box", "1.1", "Box", 1, &[2]);
    small.add("other", "thing", "1.0", "Thing", 1, &[]);
    small.publish("site").unwrap();
    small.add("other", "thing", "1.0", "Thing", 1, &[5]);
    small.same_as_anew("an outcome");
    small.add("third", "new", "7", "New", 2, &[3]);
    small.same_as_anew("a new product");
    let triage = small.path("ledger/redfish/2026.11/acme/box/1.1.triage");
    fs::create_dir(&triage).unwrap();
    let note = "format: assize-triage/1\ncases: [\"redfish.accounts.change-role\"]\nkind: product\nlink: https://bugs.example/1\nnote: known\nauthor: me\ndate: 2026-11-01\n";
    fs::write(triage.join("one.yaml"), note).unwrap();
    small.same_as_anew("a remark");
    fs::create_dir(small.path("ledger/revocations")).unwrap();
    let revocation = "format: assize-revocation/1\nrevoked: {product: acme/box/1.1}\nsince: 2026-11-02\nreason: faked\nby: the board\n";
    fs::write(small.path("ledger/revocations/box.yaml"), revocation).unwrap();
    small.same_as_anew("a revocation");
    let page = fs::read_to_string(small.path("site/reports/redfish/2026.11/acme/box/1.1/index.html")).unwrap();
    assert!(page.contains("Revoked: </strong>faked"));
    // Version 1.0 is what counts of the product now.
    let matrix = fs::read_to_string(small.path("site/guidelines/redfish/2026.11/products.html")).unwrap();
    assert!(matrix.contains("box/1.0/index.html") && !matrix.contains("box/1.1/index.html"));
    // A draft that has lost a capability and a program since the older report.
    let guideline = small.path("ledger/redfish/2026.11/third/new/7/guideline.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&guideline).unwrap()).unwrap();
    let text = document.to_string();
    assert!(text.contains("access-roles"));
    assert!(document["platforms"].as_object_mut().unwrap().remove("Redfish Operations").is_some());
    let shorter = document.to_string().replace("\"access-roles\"", "\"access-parts\"");
    fs::write(&guideline, shorter).unwrap();
    small.add_again("third", "new", "7");
    small.same_as_anew("a guideline that changed");
    fs::remove_dir_all(small.path("ledger/redfish/2026.11/third")).unwrap();
    small.same_as_anew("a product that is gone");
    assert!(!small.path("site/products/third").exists());
    fs::create_dir(small.path("ledger/worksheets")).unwrap();
    fs::write(small.path("ledger/worksheets/drafts.txt"), "a-thing: [1,1,1] [1,1,1] [0,1,0] [1,1,1] [1] [84]*\nnot-users: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [0] [0]\nopen: [1,?,1] [1,1,1] [1,1,1] [1,1,1] [1] [0]\n").unwrap();
    small.same_as_anew("a worksheet");
    let sheet = fs::read_to_string(small.path("site/worksheets/drafts.html")).unwrap();
    // 100 without 8 and 9; a veto; everything but the 6 that are open.
    for total in [">83<", ">0<", ">-94<"] {
        assert!(sheet.contains(total), "{total}");
    }
}

#[test]
fn names_cannot_say_more_than_text() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "\"<script>alert(1)</script>&\"", 0, &[0]);
    small.publish("site").unwrap();
    for (name, bytes) in files(&small.path("site")) {
        if name.ends_with(".html") || name.ends_with(".xml") || name.ends_with(".svg") {
            let page = String::from_utf8(bytes).unwrap();
            for bad in ["<script>alert", "<b>bold", "<i>why"] {
                assert!(!page.contains(bad), "{name}: {bad}");
            }
        }
    }
    let feed = fs::read_to_string(small.path("site/feed.xml")).unwrap();
    assert!(feed.contains("https://interop.example/all/reports/redfish/2026.11/acme/box/1.0/index.html"));
    let mut reader = quick_xml::Reader::from_str(&feed);
    while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
}

#[test]
fn what_is_in_the_way_or_broken_is_named() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[]);
    small.add("acme", "box", "1.1", "Box", 1, &[]);
    fs::create_dir(small.path("site")).unwrap();
    fs::write(small.path("site/mine.txt"), "precious").unwrap();
    assert!(matches!(small.publish("site"), Err(SiteError::NotASite(_))));
    assert_eq!(files(&small.path("site")).len(), 1);
    let folder = small.path("ledger/redfish/2026.11/acme/box");
    fs::write(folder.join("1.0/report.json"), "{").unwrap();
    fs::remove_file(folder.join("1.1.product.yaml")).unwrap();
    let error = small.publish("fresh").unwrap_err().to_string();
    assert!(error.contains("1.1.product.yaml"), "{error}");
    small.add("acme", "box", "1.1", "Box", 1, &[]);
    let error = small.publish("fresh").unwrap_err().to_string();
    assert!(error.contains("1.0/report.json") && !error.contains("1.1"), "{error}");
    // A record that speaks of another report is no admission of this one.
    fs::copy(folder.join("1.1.admission.json"), folder.join("1.0.admission.json")).unwrap();
    assert!(small.publish("fresh").unwrap_err().to_string().contains("the record of another report"));
    // Without a record of admission it is left out.
    fs::remove_file(folder.join("1.0.admission.json")).unwrap();
    assert_eq!(small.publish("fresh").unwrap().left_out, 1);
}

/// A page shows what was admitted, or there is no page.
#[test]
fn what_was_changed_after_its_admission_is_not_published() {
    let small = Small::new();
    for vendor in ["a", "b", "c"] {
        small.add(vendor, "box", "1", "Box", 0, &[1]);
    }
    small.publish("site").unwrap();
    let before = files(&small.path("site"));
    let file = |vendor: &str, name: &str| small.path("ledger/redfish/2026.11").join(vendor).join("box/1").join(name);
    let honest = fs::read_to_string(file("a", "report.json")).unwrap();
    // As long as before: only its digest can tell.
    fs::write(file("a", "report.json"), honest.replace("\"fail\"", "\"pass\"")).unwrap();
    fs::write(file("b", "bundle.json"), "{\"format\":1,\"files\":{}}").unwrap();
    let error = small.publish("fresh").unwrap_err().to_string();
    assert!(error.contains("b/box/1/bundle.json: its digest is"), "{error}");
    small.add("b", "box", "1", "Box", 0, &[1]);
    let error = small.publish("fresh").unwrap_err().to_string();
    assert!(error.contains("a/box/1/report.json: its digest is") && error.contains("put the file back"), "{error}");
    // With a manifest that fits, the record of the admission tells.
    assize::report::bundle::seal(file("a", "").as_path()).unwrap();
    let error = small.publish("fresh").unwrap_err().to_string();
    assert!(error.contains("a/box/1/bundle.json") && error.contains("what was admitted is"), "{error}");
    // What had been published stays, since nothing else is known to be true.
    assert!(small.publish("site").is_err());
    let pages = |mut files: BTreeMap<String, Vec<u8>>| {
        files.remove(".assize-site.json");
        files
    };
    assert_eq!(pages(files(&small.path("site"))), pages(before));
    let text = fs::read_to_string(file("c", "guideline.json")).unwrap();
    fs::write(file("c", "guideline.json"), text.replace("Redfish", "Redfisch")).unwrap();
    for vendor in ["a", "b"] {
        small.add(vendor, "box", "1", "Box", -1, &[1]);
    }
    let error = small.publish("fresh").unwrap_err().to_string();
    assert!(error.contains("c/box/1/guideline.json: its digest is"), "{error}");
}

#[test]
fn a_revocation_holds_though_nothing_was_admitted_since() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[]);
    small.publish("site").unwrap();
    fs::create_dir(small.path("ledger/revocations")).unwrap();
    let revocation =
        "format: assize-revocation/1\nrevoked: {product: acme/box}\nsince: 2027-02-03\nreason: faked\nby: the board\n";
    fs::write(small.path("ledger/revocations/box.yaml"), revocation).unwrap();
    small.same_as_anew("a revocation of later");
    let page = fs::read_to_string(small.path("site/reports/redfish/2026.11/acme/box/1.0/index.html")).unwrap();
    assert!(page.contains("Revoked: </strong>faked"), "{page}");
}

#[test]
#[cfg(unix)]
fn nothing_is_written_or_removed_through_a_link() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[]);
    small.add("acme", "box", "1.1", "Box", 1, &[]);
    small.publish("site").unwrap();
    let (site, elsewhere) = (small.path("site"), small.path("elsewhere"));
    let published = files(&site);
    fs::rename(site.join("reports"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, site.join("reports")).unwrap();
    let moved = files(&elsewhere);
    // A report that changes would be written there, one that is gone would be removed there.
    small.add("acme", "box", "1.0", "Box", 0, &[3]);
    let error = small.publish("site").unwrap_err().to_string();
    assert!(error.contains("reports: it is a link"), "{error}");
    fs::remove_dir_all(small.path("ledger/redfish/2026.11/acme/box/1.1")).unwrap();
    small.publish("site").unwrap_err();
    assert_eq!(files(&elsewhere), moved);
    fs::remove_file(site.join("reports")).unwrap();
    fs::rename(&elsewhere, site.join("reports")).unwrap();
    fs::write(small.path("mine"), "mine").unwrap();
    fs::remove_file(site.join("index.html")).unwrap();
    std::os::unix::fs::symlink(small.path("mine"), site.join("index.html")).unwrap();
    assert!(small.publish("site").unwrap_err().to_string().contains("index.html: it is a link"));
    assert_eq!(fs::read_to_string(small.path("mine")).unwrap(), "mine");
    fs::remove_file(site.join("index.html")).unwrap();
    small.publish("site").unwrap();
    assert!(!published.is_empty() && !site.join("reports/redfish/2026.11/acme/box/1.1").exists());
}

/// The totals that the published sheet states are those of the page.
#[test]
fn a_published_worksheet_has_its_totals() {
    let places = [std::env::var_os("ASSIZE_GUIDELINES").map(PathBuf::from), Some(root().join("../shared/guidelines"))];
    let sheet = places
        .into_iter()
        .flatten()
        .map(|place| place.join("openstack/working_materials/scoring.txt"))
        .find(|path| path.is_file());
    let Some(sheet) = sheet else {
        println!(
            "skipped: no published worksheet; set ASSIZE_GUIDELINES to a folder that has openstack/working_materials"
        );
        return;
    };
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[]);
    fs::create_dir(small.path("ledger/worksheets")).unwrap();
    fs::copy(&sheet, small.path("ledger/worksheets/scoring.txt")).unwrap();
    small.publish("site").unwrap();
    let page = fs::read_to_string(small.path("site/worksheets/scoring.html")).unwrap();
    let rows: BTreeMap<&str, &str> = page
        .split("<tr><th scope=\"row\">")
        .skip(1)
        .map(|row| {
            let name = row.split("</th>").next().unwrap();
            (name, row.rsplit("<td class=\"n\">").next().unwrap().split("</td>").next().unwrap())
        })
        .collect();
    let parsed = assize::guideline::worksheet::Sheet::parse(&fs::read_to_string(&sheet).unwrap());
    let mut compared = 0;
    for row in parsed.rows() {
        assert_eq!(rows.get(row.name.as_str()), Some(&parsed.total(row).to_string().as_str()), "{}", row.name);
        compared += 1;
    }
    assert!(compared > 50, "{compared} rows");
}
