//! Keys that are trusted, suites that are known, and problems as they are shown.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::args::KnownArgs;
use crate::attest::{Known, Problem};
use crate::cli::context::{Context, Paint};
use crate::cli::exit::CliError;
use crate::cli::inputs::read;
use crate::sign::TrustedKeys;
use crate::suite::embedded;
use crate::text::one_line;

/// The day for which everything is asked; today in UTC when none is given.
#[must_use]
pub fn today(given: Option<Date>) -> Date {
    given.unwrap_or_else(|| jiff::Timestamp::now().to_zoned(TimeZone::UTC).date())
}

/// Reads files of public keys.
///
/// # Errors
/// When a file cannot be read or a line is no key.
pub fn keys(files: &[PathBuf]) -> Result<TrustedKeys, CliError> {
    let mut keys = TrustedKeys::default();
    for path in files {
        let text = String::from_utf8(read(path)?)
            .map_err(|_| CliError::input(format!("`{}` is not UTF-8 text", path.display())))?;
        keys.extend(TrustedKeys::read(&path.display().to_string(), &text).map_err(CliError::input)?);
    }
    if keys.is_empty() {
        let names: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        return Err(CliError::input(format!("there is no key in {}", names.join(", ")))
            .hint("a line is `NAME ssh-ed25519 AAAA…`, as in allowed_signers of OpenSSH"));
    }
    Ok(keys)
}

/// Suites and guidelines of this release, or of a folder.
///
/// # Errors
/// When a file cannot be read.
pub fn known(args: &KnownArgs) -> Result<Known, CliError> {
    for digest in &args.accept_suites {
        digest.parse::<crate::canon::Digest>().map_err(CliError::input)?;
    }
    let known = match &args.suites {
        None => Known::of_files(embedded()),
        Some(root) => {
            let mut files = Vec::new();
            for top in ["suites", "capabilities"] {
                collect(root, &root.join(top), &mut files)?;
            }
            if files.is_empty() {
                return Err(CliError::input(format!("there is no suite in `{}`", root.display()))
                    .hint("a folder for --suites holds suites/ and capabilities/"));
            }
            Known::of_files(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
        }
    };
    Ok(known.with_sets(args.accept_suites.iter().cloned()))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), CliError> {
    if !folder.is_dir() {
        return Ok(());
    }
    let failed = |error: std::io::Error| CliError::input(format!("cannot read `{}`: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "json") {
            let parts = path.strip_prefix(root).unwrap_or(&path).iter().map(|part| part.to_string_lossy());
            files.push((parts.collect::<Vec<_>>().join("/"), read(&path)?));
        }
    }
    Ok(())
}

/// Prints problems, each with its code and remedy.
pub fn shown(context: &Context, problems: &[Problem]) {
    for problem in problems {
        context.say(format!("{} {}", context.data(Paint::Bad, problem.code), one_line(&problem.message)));
        context.say(context.data(Paint::Dim, &format!("     {}", problem.help)));
    }
}
