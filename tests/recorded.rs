//! Every recorded case of `reports/` as a trial: the outcome in the report is what the evidence gives today, and a case
//! that passed notices when the answers it rests on are falsified.
//!
//! `cargo test --test recorded -- --list` names them; the names are `family::capability::case@product`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assize::capability::Outcome;
use assize::report::audit::first_noticed;
use assize::report::document::{CaseEntry, ReportDocument};
use assize::report::rejudge::{Opened, open, verify};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    let mut folders = Vec::new();
    bundles(&root, &mut folders);
    folders.sort();
    let mut trials = vec![Trial::test("reports::there-are-some", {
        let some = !folders.is_empty();
        move || if some { Ok(()) } else { Err(Failed::from("no bundle lies in reports/")) }
    })];
    for folder in folders {
        let name = folder.strip_prefix(&root).unwrap_or(&folder).display().to_string();
        let path = folder.clone();
        trials.push(Trial::test(format!("bundle::{name}"), move || supported(&path)));
        trials.extend(cases(&folder, &name));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn bundles(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.join("bundle.json").is_file() {
            found.push(path);
        } else if path.is_dir() {
            bundles(&path, found);
        }
    }
}

/// The whole bundle verifies.
fn supported(folder: &Path) -> Result<(), Failed> {
    let found = verify(folder).map_err(|error| Failed::from(error.to_string()))?;
    if found.is_clean() {
        return Ok(());
    }
    Err(Failed::from([found.files, found.evidence].concat().join("\n")))
}

fn cases(folder: &Path, product: &str) -> Vec<Trial> {
    let Ok(bundle) = open(folder) else { return Vec::new() };
    let Ok(text) = std::fs::read_to_string(folder.join("report.json")) else { return Vec::new() };
    let Ok(report) = serde_json::from_str::<ReportDocument>(&text) else { return Vec::new() };
    let (bundle, family) = (Arc::new(bundle), report.run.family.clone());
    let trials = report.cases.into_iter().filter(|entry| entry.started_at_ms.is_some()).flat_map(|entry| {
        let capability = entry.capabilities.first().map_or("none", String::as_str).to_owned();
        let name = format!("{family}::{capability}::{}@{product}", entry.id);
        let passed = entry.result.outcome == Outcome::Pass;
        let entry = Arc::new(entry);
        let (again, bundle_again) = (entry.clone(), bundle.clone());
        let judged = Trial::test(name.clone(), move || judged_again(&bundle_again, &again));
        let bundle = bundle.clone();
        let noticed = passed.then(|| Trial::test(format!("falsified::{name}"), move || falsified(&bundle, &entry.id)));
        std::iter::once(judged).chain(noticed)
    });
    trials.collect()
}

fn judged_again(bundle: &Opened, entry: &CaseEntry) -> Result<(), Failed> {
    let result =
        bundle.retrial(&entry.id).and_then(|case| case.judge(|_| true)).ok_or("there is no evidence for it")?;
    if result == entry.result {
        return Ok(());
    }
    Err(Failed::from(format!("the report says {:?}\nthe evidence says {result:?}", entry.result)))
}

fn falsified(bundle: &Opened, id: &str) -> Result<(), Failed> {
    match first_noticed(bundle, id) {
        Some(_) => Ok(()),
        None => Err(Failed::from("the case passes whatever the target answers")),
    }
}
