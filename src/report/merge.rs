//! Shards of one run put together: a bundle that holds theirs unchanged, and the report that follows from all of them.
//!
//! Nothing is decided here: each shard is judged as a bundle of its own, and the results are laid side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::canon::{digest_bytes, digest_file};
use crate::capability::Outcome;
use crate::expr::Json;
use crate::suite::Catalogue;

use super::assemble::{Collected, KeptResults};
use super::bundle::{self, BundleError, names};
use super::document::CaseEntry;
use super::inputs::{RunInputs, Selection, ShardRun};
use super::rejudge::{self, Findings, Opened};

/// Digits of a digest in the id of a merged run: enough to tell runs apart.
const ID_DIGITS: usize = 12;

/// Why bundles cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// They are not the shards of one run.
    #[error("{}: {why}", folder.display())]
    Foreign {
        /// The bundle that does not fit.
        folder: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The evidence of a shard does not support its report.
    #[error("{}: the evidence does not support the report: {why}", folder.display())]
    Unsupported {
        /// The bundle.
        folder: PathBuf,
        /// The first difference.
        why: String,
    },
}

/// A shard, opened.
pub struct ShardBundle {
    /// Its folder.
    pub folder: PathBuf,
    /// What it states.
    pub opened: Opened,
    /// Digest of its manifest.
    manifest: String,
    /// What judging it again gave.
    judged: KeptResults,
}

/// Opens the shards of one run, in their order.
///
/// # Errors
/// When one cannot be read, is damaged, or is not a shard of the same run, or one is missing.
pub fn open(folders: &[PathBuf]) -> Result<Vec<ShardBundle>, MergeError> {
    let mut shards = Vec::with_capacity(folders.len());
    for folder in folders {
        let (found, shard) = open_one(folder)?;
        if let Some(why) = found.files.into_iter().chain(found.evidence).next() {
            return Err(MergeError::Unsupported { folder: folder.clone(), why });
        }
        shards.push(shard);
    }
    shards.sort_by_key(|shard| shard.opened.inputs.selection.shard);
    complete(&shards)?;
    Ok(shards)
}

/// Opens a shard and judges it again; the findings say what does not fit.
fn open_one(folder: &Path) -> Result<(Findings, ShardBundle), BundleError> {
    let path = folder.join(names::MANIFEST);
    if folder.join(names::SHARDS).is_dir() {
        return Err(BundleError::invalid(folder, "it was merged itself; give the shards"));
    }
    let manifest = digest_file(&path).map_err(|error| BundleError::invalid(&path, error.to_string()))?.to_string();
    let (findings, opened, judged) = rejudge::examine_and_keep(folder, |_, collected, _| collected.all_kept())?;
    Ok((findings, ShardBundle { folder: folder.to_owned(), opened, manifest, judged }))
}

/// Whether the shards, in order, are all those of one run.
fn complete(shards: &[ShardBundle]) -> Result<(), MergeError> {
    let foreign = |shard: &ShardBundle, why: String| MergeError::Foreign { folder: shard.folder.clone(), why };
    let Some(first) = shards.first() else { return Ok(()) };
    for (at, shard) in shards.iter().enumerate() {
        let inputs = &shard.opened.inputs;
        let Some(own) = inputs.selection.shard else {
            return Err(foreign(shard, "it is not a shard; make it with `run --shard I/N`".to_owned()));
        };
        let of = own.of();
        if inputs.finished_at_ms.is_none() {
            return Err(foreign(shard, "the run did not come to its end".to_owned()));
        }
        if let Some(what) = difference(&first.opened.inputs, inputs) {
            let other = first.folder.display();
            return Err(foreign(shard, format!("{what} is not that of {other}; shards belong to one run")));
        }
        if own.index() as usize != at + 1 {
            let why = format!("it is shard {own}, but shard {}/{of} is missing or given twice", at + 1);
            return Err(foreign(shard, why));
        }
        if at + 1 == shards.len() && at + 1 != of as usize {
            return Err(foreign(shard, format!("it is shard {own}, and shard {}/{of} is missing", at + 2)));
        }
    }
    Ok(())
}

/// What of two shards says that they are not of one run.
fn difference(one: &RunInputs, other: &RunInputs) -> Option<&'static str> {
    let of = |inputs: &RunInputs| inputs.selection.shard.map(super::inputs::Shard::of);
    let facts = [
        ("the seed", one.seed == other.seed),
        ("the family", one.family == other.family),
        ("the target", described(&one.target) == described(&other.target)),
        ("the header fields of the family", one.headers == other.headers),
        ("the number of shards", of(one) == of(other)),
        ("the selection of cases", whole(&one.selection) == whole(&other.selection)),
        ("the risk that was allowed", one.allow == other.allow),
        ("the number of attempts", one.attempts == other.attempts),
        ("the guideline", one.guideline == other.guideline),
        ("the choice of programs", one.programs == other.programs),
        ("a suite file", one.suites == other.suites),
        ("the version of the tool", one.tool == other.tool),
    ];
    facts.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}

/// Target without log-ins: their tokens are different in each run.
fn described(target: &Json) -> Json {
    let mut target = target.clone();
    if let Some(members) = target.as_object_mut() {
        members.remove("logins");
    }
    target
}

fn whole(selection: &Selection) -> Selection {
    Selection { shard: None, ..selection.clone() }
}

/// The inputs of the merged run.
fn merged_inputs(shards: &[ShardBundle]) -> Option<RunInputs> {
    let all = || shards.iter().map(|shard| &shard.opened.inputs);
    let first = all().next()?;
    let earliest = all().min_by_key(|inputs| inputs.started_at_ms)?;
    let joined: String = shards.iter().map(|shard| shard.manifest.as_str()).collect();
    let digits = digest_bytes(joined.as_bytes()).hex();
    let stopped: Vec<String> = all()
        .filter_map(|inputs| Some(format!("shard {}: {}", inputs.selection.shard?, inputs.interrupted.as_ref()?)))
        .collect();
    let run = |shard: &ShardBundle| {
        let inputs = &shard.opened.inputs;
        Some(ShardRun {
            run: inputs.id.clone(),
            shard: inputs.selection.shard?,
            manifest: shard.manifest.clone(),
            tool: inputs.tool.clone(),
            started_at_ms: inputs.started_at_ms,
            finished_at_ms: inputs.finished_at_ms,
        })
    };
    Some(RunInputs {
        id: format!("merged-{}", digits.get(..ID_DIGITS).unwrap_or(&digits)),
        target: described(&first.target),
        selection: whole(&first.selection),
        started_at_ms: earliest.started_at_ms,
        date: earliest.date.clone(),
        finished_at_ms: all().filter_map(|inputs| inputs.finished_at_ms).max(),
        interrupted: Some(stopped.join("; ")).filter(|why| !why.is_empty()),
        shards: shards.iter().filter_map(run).collect(),
        ..first.clone()
    })
}

/// Writes everything but the report into an empty folder: the shards, and what they have in common.
///
/// # Errors
/// When a file cannot be copied, or two shards have the same run id.
pub fn write(folder: &Path, shards: &[ShardBundle]) -> Result<(RunInputs, Catalogue), MergeError> {
    let Some(first) = shards.first() else {
        return Err(BundleError::invalid(folder, "there are no shards to merge").into());
    };
    let inputs = merged_inputs(shards).ok_or_else(|| BundleError::invalid(folder, "there are no shards to merge"))?;
    for shard in shards {
        let own = folder.join(names::SHARDS).join(&shard.opened.inputs.id);
        if own.exists() {
            let why = format!("run `{}` is there twice", shard.opened.inputs.id);
            return Err(MergeError::Foreign { folder: shard.folder.clone(), why });
        }
        copy(&shard.folder, &own, |_| true)?;
    }
    let common = |name: &str| name.starts_with("suites/") || name == names::GUIDELINE || name == names::WAIVERS;
    copy(&first.folder, folder, common)?;
    let path = folder.join(names::RUN);
    let mut text = serde_json::to_string_pretty(&inputs).map_err(|e| BundleError::invalid(&path, e.to_string()))?;
    text.push('\n');
    std::fs::write(&path, text).map_err(BundleError::io(&path))?;
    Ok(rejudge::open_inputs(folder)?)
}

/// Copies the evidence of a bundle, without what is private to its run.
fn copy(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<(), BundleError> {
    let files = bundle::list(from)?;
    for name in files.iter().map(String::as_str).chain([names::MANIFEST]).filter(|name| wanted(name)) {
        let path = to.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(BundleError::io(parent))?;
        }
        std::fs::copy(from.join(name), &path).map_err(BundleError::io(&path))?;
    }
    Ok(())
}

/// The results of all shards.
#[must_use]
pub fn collect<'c>(catalogue: &'c Catalogue, inputs: &'c RunInputs, shards: &[ShardBundle]) -> Collected<'c> {
    let mut all = Collected::new(catalogue, inputs);
    let mut fixtures: BTreeMap<String, CaseEntry> = BTreeMap::new();
    for shard in shards {
        for entry in shard.judged.fixtures().cloned() {
            match fixtures.get_mut(&entry.id) {
                // Each shard set it up for itself; the one that did not come to stand is the one to speak of.
                Some(other) => {
                    let mut leaks = std::mem::take(&mut other.result.leaks);
                    let exchanges = other.result.exchanges + entry.result.exchanges;
                    if other.result.outcome == Outcome::Pass {
                        *other = entry;
                    } else {
                        leaks.extend(entry.result.leaks);
                    }
                    leaks.append(&mut other.result.leaks);
                    other.result.leaks = leaks;
                    other.result.exchanges = exchanges;
                }
                None => {
                    fixtures.insert(entry.id.clone(), entry);
                }
            }
        }
        all.absorb(shard.judged.clone());
    }
    for (id, entry) in fixtures {
        all.fixture(&id, entry.result);
    }
    all
}

/// Judges a merged bundle again: every shard as a bundle of its own, then the report that follows from all.
///
/// # Errors
/// When something of it cannot be read.
pub(super) fn judge(folder: &Path, findings: &mut Findings) -> Result<(), BundleError> {
    let (inputs, catalogue, guideline, waivers) = rejudge::open_documents(folder)?;
    rejudge::same_suites(&inputs, &catalogue, findings);
    findings.evidence.extend(rejudge::misdated(&folder.join(names::RUN), &inputs)?);
    let shards = reopen(folder, &inputs, findings)?;
    let collected = collect(&catalogue, &inputs, &shards);
    rejudge::same_report(folder, &inputs, &collected, (guideline.as_ref(), &waivers), findings).map(|_| ())
}

/// Opens the shards of a merged bundle and says what does not fit.
///
/// # Errors
/// When a shard cannot be read at all.
fn reopen(folder: &Path, inputs: &RunInputs, findings: &mut Findings) -> Result<Vec<ShardBundle>, BundleError> {
    let mut shards = Vec::with_capacity(inputs.shards.len());
    for run in &inputs.shards {
        if run.run.is_empty() || run.run.starts_with('.') || run.run.contains(['/', '\\']) {
            let path = folder.join(names::RUN);
            return Err(BundleError::invalid(path, format!("`{}` is not the id of a run", run.run)));
        }
        let own = folder.join(names::SHARDS).join(&run.run);
        let (found, shard) = open_one(&own)?;
        let lines = found.files.into_iter().chain(found.evidence);
        findings.evidence.extend(lines.map(|line| format!("shard {}: {line}", run.shard)));
        shards.push(shard);
    }
    if let Err(error) = complete(&shards) {
        findings.evidence.push(error.to_string());
    } else if merged_inputs(&shards).as_ref() != Some(inputs) {
        findings.evidence.push("run.json does not follow from the shards".to_owned());
    }
    Ok(shards)
}
