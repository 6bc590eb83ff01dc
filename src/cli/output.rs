//! Writes the files of a bundle.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::canon::digest_bytes;
use crate::report::bundle::{self, names};
use crate::report::document::Report;
use crate::report::inputs::RunInputs;
use crate::report::{github, html, junit};
use crate::transcript::{Content, Reader};

use super::context::Context;
use super::exit::CliError;
use super::inputs::Texts;

/// Writes what is known before the first request.
///
/// # Errors
/// When a file cannot be written.
pub fn begin(
    folder: &Path,
    inputs: &RunInputs,
    texts: &Texts,
    guideline: Option<&[u8]>,
    waivers: Option<&[u8]>,
) -> Result<(), CliError> {
    run_json(folder, inputs)?;
    for (name, digest) in &inputs.suites {
        if let Some(file) = texts.get(name) {
            let source = file.source().map_err(|error| CliError::input(format!("{}: {error}", file.name())))?;
            if digest_bytes(source.text.as_bytes()).to_string() != *digest {
                let message = format!("{} was changed while the run was prepared", file.name());
                return Err(CliError::input(message).hint("run again, when nobody is changing the suites"));
            }
            write(&folder.join(names::SUITES).join(name), source.text.as_bytes())?;
        }
    }
    if let Some(bytes) = guideline {
        write(&folder.join(names::GUIDELINE), bytes)?;
    }
    if let Some(bytes) = waivers {
        write(&folder.join(names::WAIVERS), bytes)?;
    }
    Ok(())
}

fn run_json(folder: &Path, inputs: &RunInputs) -> Result<(), CliError> {
    let mut text = serde_json::to_string_pretty(inputs).map_err(CliError::input)?;
    text.push('\n');
    write(&folder.join(names::RUN), text.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::input(format!("cannot write `{}`: {error}", path.display()));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::write(path, bytes).map_err(failed)
}

/// Writes the report in all its forms and seals the bundle.
///
/// # Errors
/// When a file cannot be written.
pub fn finish(context: &Context, folder: &Path, report: &Report<'_>) -> Result<(), CliError> {
    run_json(folder, report.run)?;
    let mut wanted = std::collections::BTreeSet::new();
    for entry in (report.cases)() {
        let places = entry.result.findings.iter().filter_map(|finding| finding.exchange.as_ref());
        for place in places.chain(&entry.result.proof) {
            wanted.insert(place.fixture.clone().unwrap_or_else(|| entry.id.clone()));
        }
    }
    let path = folder.join(names::TRANSCRIPT);
    let reader = Reader::open_for(&path, |case| wanted.contains(case)).map_err(CliError::input)?;
    documents(context, folder, report, &|_, owner, n| shown(&reader, owner, n))
}

/// Writes the report in all its forms with exchanges from `evidence`, and seals the bundle.
///
/// # Errors
/// When a file cannot be written.
pub fn documents(
    context: &Context,
    folder: &Path,
    report: &Report<'_>,
    evidence: html::Evidence<'_>,
) -> Result<(), CliError> {
    stream(&folder.join(names::REPORT), |out| report.write_json(out))?;
    stream(&folder.join(names::JUNIT), |out| junit::write(report, out))?;
    let summary = github::summary(report);
    write(&folder.join(names::SUMMARY), summary.as_bytes())?;
    stream(&folder.join(names::HTML), |out| html::write(report, evidence, out))?;
    bundle::seal(folder).map_err(CliError::input)?;
    if let Some(path) = context.variable("GITHUB_STEP_SUMMARY") {
        // The bundle is complete; a courtesy must not cost the verdict.
        if let Err(error) = append(Path::new(&path), &summary) {
            context.warn(error.message);
        }
    }
    if context.variable("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        let annotations = github::annotations(report);
        if !annotations.is_empty() {
            context.say(annotations.trim_end());
        }
    }
    Ok(())
}

/// An event of the last attempt of a case; on a stream with all that happened on it before.
pub fn shown(reader: &Reader, case: &str, n: u32) -> Option<html::Shown> {
    let attempt = reader.attempts(case).last().copied()?;
    let events = reader.load(case, attempt).ok()??.events;
    let exchange = |n: u32| match events.get(&n)? {
        Content::Exchange { exchange, .. } => Some((***exchange).clone()),
        _ => None,
    };
    let Content::Stream { of: stream, .. } = events.get(&n)? else { return exchange(n).map(html::Shown::Exchange) };
    let on_it = |(n, content): (&u32, &Content)| match content {
        Content::Stream { of, event, .. } if of == stream => Some((*n, (***event).clone())),
        _ => None,
    };
    Some(html::Shown::Stream { opening: exchange(*stream)?, events: events.range(..=n).filter_map(on_it).collect() })
}

fn stream(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::input(format!("cannot write `{}`: {error}", path.display()));
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    fill(&mut out).and_then(|()| out.flush()).map_err(failed)
}

fn append(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::input(format!("cannot write `{}`: {error}", path.display()));
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
