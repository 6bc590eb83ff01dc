//! `assize sign`: statements about a bundle, signed, beside its manifest.

use std::path::Path;

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use super::args::SignArgs;
use super::trust::known;
use crate::attest::{Examined, IssueError, Known, Role, issue, seen};
use crate::cli::context::{Context, Paint};
use crate::cli::exit::{CliError, Exit};
use crate::cli::inputs::read;
use crate::report::bundle::names;
use crate::secret::Secret;
use crate::sign::{PrivateKey, PublicKey, Signer};

/// Signs.
///
/// # Errors
/// When the bundle does not verify, the key cannot be used, or the files are there already.
pub fn sign(context: &Context, args: &SignArgs) -> Result<Exit, CliError> {
    let mut signer = signer(context, args)?;
    let bundle = Examined::of(&args.bundle).map_err(|error| {
        CliError::input(error).hint("give the folder of a run: it holds bundle.json, run.json and transcript.jsonl")
    })?;
    let role = Role::from(args.role);
    if role == Role::Foundation {
        counter_signable(&bundle, &known(&args.known)?)?;
    }
    let signed = args.at.unwrap_or_else(Timestamp::now);
    // As precise as the times of the run, so that signing right after it is not before it.
    let signed = Timestamp::from_millisecond(signed.as_millisecond()).unwrap_or(signed);
    let valid_until = signed.to_zoned(TimeZone::UTC).date().saturating_add(i64::from(args.valid_days).days());
    let seen = match role {
        Role::Vendor => std::collections::BTreeMap::new(),
        Role::Foundation => seen(&args.bundle).map_err(CliError::input)?,
    };
    let issued = issue(&bundle, role, signed, valid_until, seen, signer.as_mut()).map_err(|error| match error {
        IssueError::Unsupported(_) => {
            CliError::new(Exit::Unsupported, error.to_string()).hint("`assize verify` lists everything")
        }
        other => CliError::input(other),
    })?;
    let folder = args.bundle.join(names::ATTESTATIONS);
    for one in &issued {
        if folder.join(&one.file).exists() {
            let message = format!("this key has signed already: `{}` is there", folder.join(&one.file).display());
            return Err(
                CliError::new(Exit::Usage, message).hint("nothing is overwritten; to sign anew, remove it first")
            );
        }
    }
    for one in &issued {
        write(&folder.join(&one.file), &one.text)?;
        context.say(format!("{} {}", context.data(Paint::Good, "signed"), folder.join(&one.file).display()));
    }
    context.tell(format!(
        "as {} with {}, until {valid_until}\nbundle {}\ntarget {}",
        role.as_str(),
        signer.public().id(),
        bundle.manifest,
        bundle.fingerprint.digest()
    ));
    Ok(Exit::Ok)
}

/// A foundation signs nothing of which it does not know the suites.
fn counter_signable(bundle: &Examined, known: &Known) -> Result<(), CliError> {
    match known.departure(&bundle.inputs) {
        None => Ok(()),
        Some(how) => {
            let message = format!("the suites are not those that are known: {how}");
            Err(CliError::new(Exit::Unsupported, message)
                .hint(format!("--suites DIR with those of the run, or --accept-suites {}", bundle.suites)))
        }
    }
}

fn signer(context: &Context, args: &SignArgs) -> Result<Box<dyn Signer>, CliError> {
    let shown = args.key.display();
    let bytes = read(&args.key)?;
    let text = String::from_utf8(bytes).map_err(|_| CliError::input(format!("`{shown}` is not a key file")))?;
    if args.agent {
        let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
        let public =
            if text.contains("BEGIN PUBLIC KEY") { PublicKey::from_pem(&text) } else { PublicKey::from_openssh(line) };
        let public = public.map_err(|error| {
            CliError::input(format!("`{shown}`: {error}")).hint("with --agent, --key is the public key: FILE.pub")
        })?;
        return agent(context, &public);
    }
    let key = PrivateKey::read(&Secret::new(text)).map_err(|error| {
        CliError::input(format!("`{shown}`: {error}")).hint(error.remedy().replace("FILE", &shown.to_string()))
    })?;
    advise(context, &args.key);
    Ok(Box::new(key))
}

#[cfg(unix)]
fn agent(context: &Context, key: &PublicKey) -> Result<Box<dyn Signer>, CliError> {
    let Some(socket) = context.variable("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty()) else {
        return Err(CliError::new(Exit::Usage, "there is no SSH agent: SSH_AUTH_SOCK is not set")
            .hint("start one with `eval \"$(ssh-agent)\"` and add the key with `ssh-add FILE`"));
    };
    let stream = std::os::unix::net::UnixStream::connect(&socket)
        .map_err(|error| CliError::input(format!("the SSH agent at `{socket}` cannot be reached: {error}")))?;
    let agent = crate::sign::Agent::with_key(stream, key)
        .map_err(|error| CliError::input(error).hint("add the key with `ssh-add FILE`"))?;
    Ok(Box::new(agent))
}

#[cfg(not(unix))]
fn agent(_: &Context, _: &PublicKey) -> Result<Box<dyn Signer>, CliError> {
    Err(CliError::new(Exit::Usage, "an SSH agent is supported on Unix only").hint("sign with a key file"))
}

/// A private key that others can read is worth a word.
#[cfg(unix)]
fn advise(context: &Context, path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map(|facts| facts.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        context.warn(format!("others can read the private key: chmod 600 {}", path.display()));
    }
}

#[cfg(not(unix))]
fn advise(_: &Context, _: &Path) {}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::input(format!("cannot write `{}`: {error}", path.display()));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}
