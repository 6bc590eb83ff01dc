//! The site of a ledger: static pages, an Atom feed, badges and a JSON API, made from the admitted reports.
//!
//! ```text
//! index.html, about.html, compare.html, 404.html, feed.xml, style.css, site.js, icon.svg
//! products/index.html                                   list of products
//! products/<vendor>/<product>/index.html                history; badges/*.svg, *.json beside it
//! reports/<family>/<guideline>/<vendor>/<product>/<version>/index.html
//! guidelines/<family>/<version>/index.html              programs, capabilities, criteria, changes
//! guidelines/<family>/<version>/programs/<name>.html    its products, with verdicts
//! guidelines/<family>/<version>/products.html           products × capabilities, -2, -3, … for more than a hundred
//! guidelines/<family>/<version>/capabilities/<id>.html
//! guidelines/<family>/<version>/compare/*.html          pairs, where there are few products
//! worksheets/<name>.html                                score sheets in the ledger
//! api/v1/index.json, search.json, schema.json, reports/…, guidelines/…
//! ```
//!
//! Start at [`publish`]. Nothing here judges: what a page says was found at admission, and `assize verify` finds it again. There is no
//! clock: dates are those of the ledger, so that the same ledger gives the same bytes. What did not change since the last time is not made
//! again (see [`state`]); a report is read once. Pages need no script and load nothing from elsewhere.

mod api;
mod badge;
mod capability;
mod compare;
mod facts;
mod feed;
mod front;
mod guideline;
mod matrix;
mod model;
mod product;
mod program;
mod report;
mod shell;
mod state;
mod worksheet;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

pub use api::schema;

use crate::canon::{Digest, digest_bytes};
use crate::capability::LifeCycle;
use crate::compare::ProductStatus;
use crate::guideline::Guideline;
use crate::ledger::{Admission, Entry, Identity, Ledger, LedgerError, Revocations, Rules, Triage};
use crate::report::bundle::{self, BundleError, names};
use crate::spread::spread;
use crate::suite::embedded;

use facts::Facts;
use model::{GuidelineInfo, Model, Standing};
use shell::Shell;
use state::{Output, State, Unit};

/// With fewer reports a thread does not pay.
const PER_THREAD: usize = 16;

/// To be raised when pages change for the same input.
const LAYOUT: &str = "3";

/// Why a site cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The system refused.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The ledger is not as it must be.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A document of a report is not as it must be.
    #[error("{path}: {why}", path = .path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is something else in the way.
    #[error("{path} holds files that are no site of this tool; give an empty or a new folder", path = .0.display())]
    NotASite(PathBuf),
    /// Several reports are not as they must be.
    #[error("{}", .0.join("\n"))]
    Reports(Vec<String>),
}

impl From<BundleError> for SiteError {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Io { path, source } => Self::Io { path, source },
            BundleError::Invalid { path, message } => Self::Report { path, why: message },
        }
    }
}

impl SiteError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Reports that the site shows.
    pub reports: usize,
    /// Reports in the ledger that were not admitted, and are not shown.
    pub left_out: usize,
    /// Files of the site.
    pub files: usize,
    /// Of these, those that were written.
    pub written: u32,
    /// Files that were removed.
    pub removed: u32,
}

/// Where the bundle of a report is.
type SourceOf<'s> = &'s dyn Fn(&Identity) -> PathBuf;

/// Publishes a ledger into a folder. `base` is the address that the site will have: needed by feed readers, which want whole
/// addresses, and by the page for what is not found.
///
/// # Errors
/// When a document of the ledger is missing or wrong (all of them are named), the folder holds something else than a site, or a file cannot be
/// written.
pub fn publish(ledger: &Ledger, site: &Path, base: Option<&str>) -> Result<Summary, SiteError> {
    let old = State::open(site)?;
    fs::create_dir_all(site).map_err(SiteError::io(site))?;
    let documents = Documents::read(ledger)?;
    let shell = Shell { foundation: documents.rules.foundation.clone(), root: root(base) };
    let common =
        digest_bytes(format!("{LAYOUT} {} {} {}", env!("CARGO_PKG_VERSION"), shell.root, shell.foundation).as_bytes());
    if !site.join(state::FILE).exists() {
        old.close(site, State::default())?;
    }
    let mut making = Making { site, old, new: State::default(), summary: Summary::default(), common };
    match making.all(ledger, &documents, shell, base) {
        Ok(()) => making.finish(),
        Err(error) => {
            making.give_up()?;
            Err(error)
        }
    }
}

/// Path of the site at its address, for the one page that is shown at any address.
fn root(base: Option<&str>) -> String {
    let path = base.and_then(|base| url::Url::parse(base).ok()).map_or_else(String::new, |url| url.path().to_owned());
    format!("{}/", path.trim_end_matches('/'))
}

/// The documents of a ledger that are about all reports.
struct Documents {
    rules: Rules,
    revocations: Revocations,
    entries: Vec<Entry>,
}

impl Documents {
    fn read(ledger: &Ledger) -> Result<Self, SiteError> {
        Ok(Self { rules: ledger.rules()?, revocations: ledger.revocations()?, entries: ledger.entries()? })
    }
}

/// A site that is being made.
struct Making<'s> {
    site: &'s Path,
    old: State,
    new: State,
    summary: Summary,
    common: Digest,
}

/// A report that was looked at.
struct Looked {
    /// Place of its entry.
    at: usize,
    /// Digest of the documents that it consists of.
    source: Digest,
    admission: Admission,
    triage: Vec<Triage>,
}

/// A report whose page is as it must be.
struct Done {
    name: String,
    unit: Unit,
    standing: Standing,
    lists: Vec<Vec<String>>,
    written: u32,
}

impl Making<'_> {
    fn all(
        &mut self,
        ledger: &Ledger,
        documents: &Documents,
        shell: Shell,
        base: Option<&str>,
    ) -> Result<(), SiteError> {
        let mut model = self.reports(documents, shell)?;
        model.guidelines = guidelines(ledger, &model)?;
        self.products(&model)?;
        self.guidelines(ledger, &model)?;
        self.rest(ledger, &model, documents, base)
    }

    /// Reads the reports that changed and renders their pages, in parallel, since these are the most of a site.
    fn reports(&mut self, documents: &Documents, shell: Shell) -> Result<Model, SiteError> {
        let looked = self.look(documents)?;
        let as_of = looked.iter().map(|looked| looked.admission.admitted).max();
        let (old, site, common) = (&self.old, self.site, self.common);
        let one = One { old, site, common, shell: &shell, documents, as_of: as_of.unwrap_or_default() };
        let mut done = Vec::with_capacity(looked.len());
        let mut wrong = Vec::new();
        let work = |at: usize| looked.get(at).map(|looked| one.report(looked));
        spread(looked.len(), PER_THREAD, work, |at, result| match result {
            Some(Ok(one)) => done.push((at, one)),
            Some(Err(error)) => wrong.push((at, error.to_string())),
            None => {}
        });
        done.sort_by_key(|(at, _)| *at);
        let (mut reports, mut standings) = (Vec::new(), Vec::new());
        for (_, one) in done {
            let Some(facts) = one.unit.facts.clone() else { continue };
            for list in one.lists {
                self.new.lists.entry(facts::list_digest(&list)).or_insert(list);
            }
            for list in [facts.capabilities, facts.cases] {
                if let (false, Some(ids)) = (self.new.lists.contains_key(&list), self.old.lists.get(&list)) {
                    self.new.lists.insert(list, ids.clone());
                }
            }
            self.summary.written += one.written;
            self.new.units.insert(one.name, one.unit);
            reports.push(facts);
            standings.push(one.standing);
        }
        all_well(wrong)?;
        self.summary.reports = reports.len();
        Ok(Model::new(shell, as_of, reports, standings, self.new.lists.clone()))
    }

    /// Reads what is small of each report.
    fn look(&mut self, documents: &Documents) -> Result<Vec<Looked>, SiteError> {
        let entries = &documents.entries;
        let mut found = Vec::with_capacity(entries.len());
        let mut wrong = Vec::new();
        let mut left_out = 0;
        let work = |at: usize| entries.get(at).map(|entry| look_at(at, entry));
        spread(entries.len(), PER_THREAD, work, |at, looked| match looked {
            Some(Ok(Some(looked))) => found.push(looked),
            Some(Ok(None)) => left_out += 1,
            Some(Err(error)) => wrong.push((at, error.to_string())),
            None => {}
        });
        all_well(wrong)?;
        self.summary.left_out = left_out;
        found.sort_by_key(|looked| looked.at);
        Ok(found)
    }

    fn unit(
        &mut self,
        name: String,
        key: Digest,
        make: impl FnOnce() -> Result<Vec<Output>, SiteError>,
    ) -> Result<(), SiteError> {
        if let Some(unit) = self.old.fresh(self.site, &name, &key) {
            self.new.units.insert(name, unit.clone());
            return Ok(());
        }
        let (files, written) = self.old.write(self.site, &name, make()?)?;
        self.summary.written += written;
        self.new.units.insert(name, Unit { key, files, facts: None });
        Ok(())
    }

    fn products(&mut self, model: &Model) -> Result<(), SiteError> {
        for (id, places) in &model.products {
            let key = self.key(model, places, &[]);
            self.unit(format!("product {id}"), key, || Ok(product::render(model, id, places)))?;
        }
        Ok(())
    }

    fn guidelines(&mut self, ledger: &Ledger, model: &Model) -> Result<(), SiteError> {
        for (id, info) in &model.guidelines {
            let places = model.current.get(id).map_or(&[][..], Vec::as_slice);
            let before = info.before.as_ref().and_then(|before| model.guidelines.get(before));
            let former = digest_bytes(format!("{:?} {:?}", info.former, info.former_programs).as_bytes());
            let also = [info.digest, before.map_or(info.digest, |before| before.digest), former];
            let key = self.key(model, places, &also);
            self.unit(format!("guideline {id}"), key, || {
                let source =
                    |identity: &Identity| ledger.place(identity).map(|place| place.bundle()).unwrap_or_default();
                let known = capability::known(model, info, &source)?;
                let mut outputs = vec![guideline::render(model, info), api::guideline(model, info)];
                outputs.extend(matrix::render(model, info));
                outputs.extend(compare::render(model, info));
                outputs.extend(info.programs().iter().map(|one| program::render(model, info, one)));
                outputs.extend(info.all().into_iter().map(|id| capability::render(model, info, id, &known)));
                Ok(outputs)
            })?;
        }
        Ok(())
    }

    fn rest(
        &mut self,
        ledger: &Ledger,
        model: &Model,
        documents: &Documents,
        base: Option<&str>,
    ) -> Result<(), SiteError> {
        let sheets = ledger.worksheets()?;
        let places: Vec<usize> = (0..model.reports.len()).collect();
        let mut also: Vec<Digest> = model.guidelines.values().map(|info| info.digest).collect();
        also.push(digest_bytes(format!("{:?} {} {base:?}", model.as_of, documents.rules.max_age_days).as_bytes()));
        also.extend(sheets.iter().map(|(name, sheet)| digest_bytes(format!("{name}\n{sheet:?}").as_bytes())));
        let key = self.key(model, &places, &also);
        self.unit("site".to_owned(), key, || {
            let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
            let mut outputs = vec![
                front::overview(model, &names),
                front::about(model, &documents.rules),
                front::missing(model),
                compare::any(model),
                Output { path: "feed.xml".to_owned(), bytes: feed::feed(model, base) },
                asset("style.css", include_str!("style.css")),
                asset("site.js", include_str!("site.js")),
                asset("icon.svg", include_str!("icon.svg")),
            ];
            outputs.extend(front::products(model));
            outputs.extend(api::index(model));
            outputs.extend(sheets.iter().map(|(name, sheet)| worksheet::render(model, name, sheet)));
            Ok(outputs)
        })
    }

    /// Digest of what some reports say, and of other things.
    fn key(&self, model: &Model, places: &[usize], also: &[Digest]) -> Digest {
        let mut bytes = self.common.as_bytes().to_vec();
        for facts in places.iter().filter_map(|at| model.reports.get(*at)) {
            let unit = self.new.units.get(&shell::report_folder(&facts.identity));
            bytes.extend_from_slice(unit.map_or(&self.common, |unit| &unit.key).as_bytes());
        }
        also.iter().for_each(|digest| bytes.extend_from_slice(digest.as_bytes()));
        digest_bytes(&bytes)
    }

    /// Keeps what was made, so that the next time knows all files that are there.
    fn give_up(mut self) -> Result<(), SiteError> {
        for (name, unit) in &self.old.units {
            let kept = self.new.units.entry(name.clone()).or_insert_with(|| unit.clone());
            for file in &unit.files {
                if !kept.files.iter().any(|own| own.path == file.path) {
                    kept.files.push(file.clone());
                }
            }
        }
        self.new.lists.extend(self.old.lists.clone());
        self.old.close(self.site, self.new).map(|_| ())
    }

    fn finish(mut self) -> Result<Summary, SiteError> {
        self.summary.files = self.new.units.values().map(|unit| unit.files.len()).sum();
        self.summary.removed = self.old.close(self.site, self.new)?;
        Ok(self.summary)
    }
}

/// What the page of one report needs.
struct One<'o> {
    old: &'o State,
    site: &'o Path,
    common: Digest,
    shell: &'o Shell,
    documents: &'o Documents,
    as_of: Date,
}

impl One<'_> {
    fn report(&self, looked: &Looked) -> Result<Done, SiteError> {
        let Documents { rules, revocations, entries } = self.documents;
        let standing = model::standing(&looked.admission, rules, revocations, self.as_of);
        let key = digest_bytes(format!("{} {} {standing:?}", self.common, looked.source).as_bytes());
        let name = shell::report_folder(&looked.admission.identity);
        if let Some(unit) = self.old.fresh(self.site, &name, &key) {
            return Ok(Done { name, unit: unit.clone(), standing, lists: Vec::new(), written: 0 });
        }
        let entry = entries.get(looked.at).ok_or_else(|| SiteError::NotASite(self.site.to_owned()))?;
        let read = facts::read(entry, &looked.admission)?;
        let whole =
            report::Whole { facts: &read.facts, report: &read.report, triage: &looked.triage, standing: &standing };
        let outputs = vec![report::render(self.shell, &whole), api::report(&whole)];
        let (files, written) = self.old.write(self.site, &name, outputs)?;
        let unit = Unit { key, files, facts: Some(Arc::new(read.facts)) };
        Ok(Done { name, unit, standing, lists: read.lists.into(), written })
    }
}

/// Nothing was wrong, or all that was.
fn all_well(mut wrong: Vec<(usize, String)>) -> Result<(), SiteError> {
    if wrong.is_empty() {
        return Ok(());
    }
    wrong.sort();
    Err(SiteError::Reports(wrong.into_iter().map(|(_, text)| text).collect()))
}

fn asset(path: &str, text: &str) -> Output {
    Output { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// A file of a published site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its length.
    pub bytes: u64,
    /// Digest of its content.
    pub digest: Digest,
}

/// The files of a site that was published into that folder, by path below it.
///
/// # Errors
/// When the folder holds something else than a site.
pub fn files(site: &Path) -> Result<BTreeMap<String, File>, SiteError> {
    let state = State::open(site)?;
    let files = state.units.into_values().flat_map(|unit| unit.files);
    Ok(files.map(|file| (file.path, File { bytes: file.bytes, digest: file.digest })).collect())
}

/// Level of each capability, and status of the products.
pub type Current = (Vec<(String, LifeCycle)>, Vec<ProductStatus>);

/// Of each guideline its capabilities, and of each product the status by its latest report that counts: admitted and not revoked.
///
/// # Errors
/// As [`publish`].
pub fn current(ledger: &Ledger) -> Result<BTreeMap<String, Current>, SiteError> {
    let documents = Documents::read(ledger)?;
    let mut looked = Vec::new();
    for (at, entry) in documents.entries.iter().enumerate() {
        looked.extend(look_at(at, entry)?);
    }
    let as_of = looked.iter().map(|looked| looked.admission.admitted).max();
    let (mut reports, mut standings, mut lists) = (Vec::new(), Vec::new(), facts::Lists::new());
    for one in looked {
        let Some(entry) = documents.entries.get(one.at) else { continue };
        let read = facts::read(entry, &one.admission)?;
        lists.extend(read.lists.into_iter().map(|list| (facts::list_digest(&list), list)));
        let on = as_of.unwrap_or_default();
        standings.push(model::standing(&one.admission, &documents.rules, &documents.revocations, on));
        reports.push(Arc::new(read.facts));
    }
    let shell = Shell { foundation: String::new(), root: root(None) };
    let mut model = Model::new(shell, as_of, reports, standings, lists);
    model.guidelines = guidelines(ledger, &model)?;
    let of = |(id, info): (&String, &GuidelineInfo)| {
        let capabilities = info.columns.iter().map(|(id, level)| (id.to_string(), *level)).collect();
        let products = model.current(id).map(|(_, facts)| ProductStatus {
            product: format!("{} {}", facts.product_id(), facts.identity.version),
            statuses: info
                .columns
                .iter()
                .filter_map(|(id, _)| Some((id.to_string(), model.status(facts, id)?)))
                .collect(),
        });
        (id.clone(), (capabilities, products.collect()))
    };
    Ok(model.guidelines.iter().filter(|(id, _)| model.current.contains_key(*id)).map(of).collect())
}

/// What is small of a report; `None` when it was not admitted: then the site does not show it.
fn look_at(at: usize, entry: &Entry) -> Result<Option<Looked>, SiteError> {
    let Some(admission) = entry.admission()? else { return Ok(None) };
    let place = entry.place();
    if admission.identity != entry.identity {
        let why = "it is the record of another report; `assize admit … --write` makes a new one".to_owned();
        return Err(SiteError::Report { path: place.admission(), why });
    }
    let mut text = serde_json::to_vec(&admission).unwrap_or_default();
    let product = place.product();
    text.extend_from_slice(&fs::read(&product).map_err(SiteError::io(&product))?);
    // The manifest, whose digest the admission has, speaks for the rest of the bundle; a file is held against it when it is read.
    facts::admitted(entry, &admission)?;
    let report = entry.bundle().join(names::REPORT);
    let length = fs::metadata(&report).map_err(SiteError::io(&report))?.len();
    text.extend_from_slice(length.to_string().as_bytes());
    let triage = entry.triage()?;
    for note in &triage {
        text.extend_from_slice(serde_json::to_string(note).unwrap_or_default().as_bytes());
    }
    Ok(Some(Looked { at, source: digest_bytes(&text), admission, triage }))
}

/// The guidelines of the reports, each as in the newest of its reports, and those that this release carries of the same
/// families.
fn guidelines(ledger: &Ledger, model: &Model) -> Result<BTreeMap<String, GuidelineInfo>, SiteError> {
    let mut found: BTreeMap<String, GuidelineInfo> = BTreeMap::new();
    let mut newest: BTreeMap<String, &Facts> = BTreeMap::new();
    for facts in &model.reports {
        let known = newest.entry(facts.guideline_id()).or_insert(facts);
        if (facts.started_at_ms, &facts.identity) > (known.started_at_ms, &known.identity) {
            *known = facts;
        }
    }
    for (id, newest) in newest {
        let folder = ledger.place(&newest.identity)?.bundle();
        let path = folder.join(names::GUIDELINE);
        let bytes = bundle::listed(&folder, &bundle::manifest(&folder)?.0, names::GUIDELINE)?;
        let info = info(&id, &path, &bytes)?;
        found.insert(id, info);
    }
    // Lists are shared by most reports, so that each is looked at once.
    let mut seen = BTreeSet::new();
    for facts in &model.reports {
        let id = facts.guideline_id();
        let programs: Vec<&str> = facts.programs.iter().map(|own| own.program.as_str()).collect();
        if seen.insert((id.clone(), facts.capabilities, programs))
            && let Some(info) = found.get_mut(&id)
        {
            info.remember(&model.lists, facts);
        }
    }
    let families: Vec<String> = found.values().map(|info| info.guideline.metadata.family.to_string()).collect();
    for (name, bytes) in embedded() {
        let id = name.strip_prefix("capabilities/").and_then(|name| name.strip_suffix(".json"));
        let Some(id) = id.filter(|id| !found.contains_key(*id)) else { continue };
        if families.iter().any(|family| id.starts_with(&format!("{family}/"))) {
            found.insert(id.to_owned(), info(id, Path::new(name), bytes)?);
        }
    }
    let before: Vec<(String, Option<String>)> = found
        .iter()
        .map(|(id, info)| {
            let metadata = &info.guideline.metadata;
            let replaced = metadata.approval.replaces.as_ref().map(|one| format!("{}/{one}", metadata.family));
            (id.clone(), replaced.filter(|one| found.contains_key(one)))
        })
        .collect();
    for (id, before) in before {
        if let Some(info) = found.get_mut(&id) {
            info.before = before;
        }
    }
    Ok(found)
}

fn info(id: &str, path: &Path, bytes: &[u8]) -> Result<GuidelineInfo, SiteError> {
    let read = Guideline::read(&path.display().to_string(), bytes);
    let wrong = |problems: crate::text::Diagnostics| SiteError::Report {
        path: path.to_owned(),
        why: format!("\n{}", problems.render(false)),
    };
    Ok(GuidelineInfo::new(id.to_owned(), read.map_err(wrong)?.0, bytes))
}
