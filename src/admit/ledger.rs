//! Whether every document of a ledger is as it must be. Bundles are not judged here: that is `verify`.

use crate::canon::digest_file;
use crate::capability::Outcome;
use crate::guideline::worksheet::Sheet;
use crate::ledger::{Entry, Ledger, LedgerError};
use crate::report::bundle::{compare, names};
use crate::report::document::ReportDocument;

/// The problems of all documents, each with its file.
#[must_use]
pub fn check_ledger(ledger: &Ledger, entries: &[Entry]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |result: Result<(), LedgerError>| problems.extend(result.err().map(|error| error.to_string()));
    note(ledger.rules().map(|_| ()));
    note(ledger.foundation_keys().map(|_| ()));
    note(ledger.revocations().map(|_| ()));
    let mut wrong_totals = Vec::new();
    note(ledger.worksheets().map(|sheets| wrong_totals = check_totals(ledger, &sheets)));
    note(ledger.challenges().and_then(|all| all.iter().try_for_each(|one| ledger.challenge(&one.nonce).map(|_| ()))));
    let mut vendors: Vec<&str> = entries.iter().map(|entry| entry.identity.vendor.as_str()).collect();
    vendors.dedup();
    for vendor in vendors {
        note(ledger.vendor_keys(vendor).map(|_| ()));
        note(ledger.waivers(vendor).map(|_| ()));
    }
    problems.extend(wrong_totals);
    for entry in entries {
        problems.extend(check_entry(entry));
    }
    problems
}

/// What a score sheet states is what its rows come to.
fn check_totals(ledger: &Ledger, sheets: &[(String, Sheet)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, sheet) in sheets {
        let path = ledger.root().join("worksheets").join(format!("{name}.txt"));
        for row in sheet.rows() {
            let assessment = sheet.assess(row);
            let Some(stated) = assessment.stated else { continue };
            let (path, capability, total) = (path.display(), assessment.capability, assessment.total);
            problems.push(format!(
                "{path}: {capability}: the sheet says {stated}, it comes to {total}; `assize guideline worksheet` writes the \
                 totals"
            ));
        }
    }
    problems
}

fn check_entry(entry: &Entry) -> Vec<String> {
    let mut problems = Vec::new();
    let place = entry.place();
    match entry.product() {
        Ok(Some(product)) => {
            let id = &entry.identity;
            let own = (product.family, product.guideline, product.vendor.id, product.product.id, product.version);
            let wanted = (id.family, id.guideline.clone(), id.vendor.clone(), id.product.clone(), id.version.clone());
            if own != wanted {
                problems
                    .push(format!("{}: the record is of another product than its place", place.product().display()));
            }
        }
        Ok(None) => problems.push(format!("{}: there is no product record; add one", place.product().display())),
        Err(error) => problems.push(error.to_string()),
    }
    match entry.admission() {
        Ok(Some(admission)) => {
            let path = place.admission();
            if admission.identity != entry.identity {
                problems.push(format!("{}: the record is of another report than its place", path.display()));
            }
            match digest_file(&entry.bundle().join(names::MANIFEST)) {
                Ok(digest) if digest == admission.bundle => {}
                Ok(digest) => problems.push(format!(
                    "{}: it admitted the bundle {}, there lies {digest}",
                    path.display(),
                    admission.bundle
                )),
                Err(error) => problems.push(error.to_string()),
            }
        }
        Ok(None) => {}
        Err(error) => problems.push(error.to_string()),
    }
    match compare(&entry.bundle()) {
        Ok(differences) => {
            problems.extend(differences.iter().map(|one| format!("{}: {one}", entry.bundle().display())));
        }
        Err(error) => problems.push(error.to_string()),
    }
    match entry.triage() {
        Ok(notes) if notes.is_empty() => {}
        Ok(notes) => {
            let report = std::fs::read(entry.bundle().join(names::REPORT)).unwrap_or_default();
            let cases =
                serde_json::from_slice::<ReportDocument>(&report).map(|report| report.cases).unwrap_or_default();
            for (note, case) in notes.iter().flat_map(|note| note.cases.iter().map(move |case| (note, case))) {
                let about = |id: &str| note.is_about(id) && (case == id || case.ends_with("[*]"));
                let found =
                    cases.iter().filter(|entry| about(&entry.id)).any(|entry| entry.result.outcome != Outcome::Pass);
                if !found {
                    problems.push(format!(
                        "{}: `{case}` is no case of this report that does not pass",
                        place.triage().display()
                    ));
                }
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    problems
}
