//! Who is compared, with which command, and how it is known that the work was done.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Fallible;
use crate::measure::{self, Usage};
use crate::workload::{self, CASES, IN_FLIGHT, MANY};

/// The binary that is measured.
const ASSIZE: &str = env!("CARGO_BIN_EXE_assize");
/// A folder that the command writes and that must not exist before.
const OUTPUT: &str = "{output}";

/// The contenders that budgets name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Raw,
    Run,
    Verify,
    VerifyMany,
    Rows,
    RowsMany,
    Hurl,
    /// For information.
    Other,
}

/// One command.
pub struct Contender {
    pub role: Role,
    pub name: String,
    pub cases: usize,
    command: Vec<String>,
    /// Folder for what the command writes.
    output: Option<String>,
}

/// Writes the workloads below `folder` and lists the contenders in the order in which they run; `verify` needs the
/// bundle of a run before it.
pub fn all(base: &str, folder: &Path) -> Fallible<Vec<Contender>> {
    let this = env::current_exe()?.display().to_string();
    let mut list = vec![Contender {
        role: Role::Raw,
        name: "reqwest loop".to_owned(),
        cases: CASES,
        command: vec![this, "raw".to_owned(), base.to_owned(), CASES.to_string()],
        output: None,
    }];
    let mut run = |role, name: &str, cases, write: fn(&Path, usize) -> Fallible<()>| -> Fallible<()> {
        let catalogue = format!("{name}-{cases}").replace(' ', "-");
        write(&folder.join(&catalogue), cases)?;
        list.push(Contender {
            role,
            name: format!("assize run, {name}"),
            cases,
            command: assize_run(base, &folder.join(&catalogue)),
            output: Some(format!("{catalogue}.bundle")),
        });
        Ok(())
    };
    run(Role::Other, "one case", 1, workload::separate)?;
    run(Role::Run, "separate cases", CASES, workload::separate)?;
    run(Role::Other, "separate cases", MANY, workload::separate)?;
    run(Role::Rows, "rows", CASES, workload::rows)?;
    run(Role::RowsMany, "rows", MANY, workload::rows)?;
    for (role, bundle, cases) in [(Role::Verify, "separate cases", CASES), (Role::VerifyMany, "rows", MANY)] {
        let path = folder.join(format!("{bundle}-{cases}.bundle").replace(' ', "-"));
        list.push(Contender {
            role,
            name: format!("assize verify, {bundle}"),
            cases,
            command: vec![ASSIZE.to_owned(), "verify".to_owned(), path.display().to_string()],
            output: None,
        });
    }
    list.extend(hurl(base, folder)?);
    Ok(list)
}

fn assize_run(base: &str, catalogue: &Path) -> Vec<String> {
    let catalogue = catalogue.display().to_string();
    let jobs = IN_FLIGHT.to_string();
    [ASSIZE, "run", base, "--family", "openstack", "--suites", &catalogue, "-j", &jobs, "-o", OUTPUT]
        .map(str::to_owned)
        .to_vec()
}

fn hurl(base: &str, folder: &Path) -> Fallible<Vec<Contender>> {
    let Some(hurl) = find_hurl() else {
        eprintln!("hurl is neither in PATH nor named by HURL: compared without it");
        return Ok(Vec::new());
    };
    let files = folder.join("hurl");
    workload::hurl(&files, base, CASES)?;
    let plain: Vec<String> = [&hurl.display().to_string(), "--test", "--jobs", "2", &files.display().to_string()]
        .map(|argument| argument.to_string())
        .to_vec();
    let mut reports = plain.clone();
    reports.extend(["--report-json", OUTPUT, "--report-junit", "{output}/junit.xml"].map(str::to_owned));
    let contender =
        |role, name: &str, command, output| Contender { role, name: name.to_owned(), cases: CASES, command, output };
    Ok(vec![
        contender(Role::Hurl, "hurl --jobs 2", plain, None),
        contender(Role::Other, "hurl --jobs 2, reports", reports, Some("hurl.reports".to_owned())),
    ])
}

/// What the variable HURL names, else the program in PATH.
fn find_hurl() -> Option<PathBuf> {
    if let Some(named) = env::var_os("HURL") {
        return Some(named.into());
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join("hurl")).find(|path| path.is_file())
}

impl Contender {
    /// Runs it once. The output folder of the round before is removed first: some add to what they find.
    pub fn run(&self, folder: &Path) -> Fallible<Usage> {
        let output = self.output.as_ref().map(|name| folder.join(name));
        if let Some(output) = output.as_ref().filter(|output| output.exists()) {
            fs::remove_dir_all(output)?;
        }
        let shown = output.as_ref().map(|output| output.display().to_string()).unwrap_or_default();
        let command: Vec<String> = self.command.iter().map(|argument| argument.replace(OUTPUT, &shown)).collect();
        let usage = measure::measure(&command, &folder.join("log"))?;
        let is_bundle = output.filter(|output| output.extension().is_some_and(|kind| kind == "bundle"));
        is_bundle.map_or(Ok(()), |bundle| self.all_passed(&bundle))?;
        Ok(usage)
    }

    /// A run that is fast because it did not do the work is worth nothing.
    fn all_passed(&self, bundle: &Path) -> Fallible<()> {
        let report: Value = serde_json::from_str(&fs::read_to_string(bundle.join("report.json"))?)?;
        let summary = &report["summary"];
        let complete =
            summary["cases"] == self.cases && summary["pass"] == self.cases && summary["exchanges"] == self.cases;
        if complete {
            Ok(())
        } else {
            Err(format!("{}: {} cases expected, got {summary}", self.name, self.cases).into())
        }
    }
}
