//! The target `demo`: a recorded real service, replayed over loopback HTTP.
//!
//! The demo runs the suites and the seed of the recording, so that its requests are those that were recorded; its clock
//! is that of the recording, and waiting takes no time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::demo::{Server, recording, unmask};
use crate::engine::Clock;
use crate::report::bundle::names;
use crate::report::inputs::RunInputs;
use crate::secret::Secret;
use crate::suite::{Catalogue, Family};
use crate::target::{Login, MAIN, Target, TargetOptions};
use crate::transcript::Reader;

use super::args::RunArgs;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{self, Loaded, Texts, heed, texts};
use super::run::{Prepared, go, identity, prepare};

/// The word for the recording that the binary carries; `demo:FOLDER` is any other bundle.
const DEMO: &str = "demo";

/// Runs against the demo target.
///
/// # Errors
/// As every run.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    let (prepared, server) = demo(context, args).await?;
    context.tell(format!("Replaying a recorded service at {}", server.base()));
    go(context, args, prepared).await
}

/// Starts the replay and prepares a run against it. The replay ends when the server is dropped.
///
/// # Errors
/// When this build carries no recording, or no loopback port is to be had.
pub async fn demo(context: &Context, args: &RunArgs) -> Result<(Prepared, Server), CliError> {
    let files = match args.target.target.as_deref().and_then(folder_of) {
        Some(folder) => read_folder(&folder)?,
        None => embedded()?,
    };
    let recorded: RunInputs = serde_json::from_slice(&files.run)
        .map_err(|error| CliError::input(format!("run.json of the recording cannot be read: {error}")))?;
    let (catalogue, problems) = Catalogue::read(files.texts.values().cloned());
    heed(context, &problems, "the suites of the recording")?;
    let (_, id) = identity(None)?;
    let failed = |error: String| CliError::input(format!("the recording cannot be opened: {error}"));
    let reader = match &files.transcript {
        Transcript::At(path) => Reader::open(path),
        Transcript::Inside(bytes) => {
            // The reader wants a file; it is gone as soon as it is open.
            let path = std::env::temp_dir().join(format!("assize-demo-{id}.jsonl"));
            std::fs::write(&path, bytes).map_err(|error| failed(error.to_string()))?;
            let reader = Reader::open(&path);
            let _ = std::fs::remove_file(&path);
            reader
        }
    };
    let reader = reader.map_err(|error| failed(error.to_string()))?;
    let base = recorded.target["base"].as_str().unwrap_or_default().to_owned();
    let server = Server::start(Arc::new(reader), &base).await.map_err(|error| failed(error.to_string()))?;

    let family = catalogue
        .family(&recorded.family)
        .ok_or_else(|| failed(format!("its suites have no family `{}`", recorded.family)))?;
    let options = options(family, &recorded, &server);
    let target = Target::from_options(options).map_err(|error| failed(error.to_string()))?;
    let clock = Clock::Virtual { start_ms: recorded.started_at_ms };
    let loaded = Loaded { catalogue, texts: files.texts, folder: args.suites.suites.clone() };
    // A guideline that this build does not know is in the bundle.
    let own = files
        .guideline
        .filter(|_| recorded.guideline.as_ref().is_some_and(|name| inputs::guideline(context, &loaded, name).is_err()));
    let mut prepared = prepare(args, loaded, target, recorded.seed, id, clock)?;
    if args.guideline.is_none() {
        prepared.inputs.guideline = own.map(|path| path.display().to_string()).or(recorded.guideline);
    }
    Ok((prepared, server))
}

/// What a recording is made of.
struct Files {
    run: Vec<u8>,
    transcript: Transcript,
    texts: Texts,
    guideline: Option<PathBuf>,
}

enum Transcript {
    At(PathBuf),
    Inside(&'static [u8]),
}

/// Whether a target is a demo.
#[must_use]
pub fn is_demo(target: Option<&str>) -> bool {
    target.is_some_and(|target| target == DEMO || folder_of(target).is_some())
}

/// The folder in `demo:FOLDER`.
fn folder_of(target: &str) -> Option<PathBuf> {
    target.strip_prefix(DEMO)?.strip_prefix(':').map(PathBuf::from)
}

fn embedded() -> Result<Files, CliError> {
    let missing = || {
        CliError::new(Exit::Bug, "this build carries no recording for the demo")
            .hint("build it from a complete checkout: the recording lies in reports/")
    };
    Ok(Files {
        run: recording::file(names::RUN).ok_or_else(missing)?.to_vec(),
        transcript: Transcript::Inside(recording::file(names::TRANSCRIPT).ok_or_else(missing)?),
        texts: texts(recording::suites().map(|(name, text)| (name.to_owned(), text.to_owned()))),
        guideline: None,
    })
}

fn read_folder(folder: &Path) -> Result<Files, CliError> {
    let run = folder.join(names::RUN);
    let run = std::fs::read(&run).map_err(|error| {
        CliError::input(format!("cannot read `{}`: {error}", run.display()))
            .hint("give the folder of a bundle, for instance one below reports/")
    })?;
    let mut found = BTreeMap::new();
    let root = folder.join("suites");
    let mut open = vec![root.clone()];
    while let Some(inside) = open.pop() {
        let entries = std::fs::read_dir(&inside)
            .map_err(|error| CliError::input(format!("cannot read `{}`: {error}", inside.display())))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if let (Ok(name), Ok(text)) = (path.strip_prefix(&root), std::fs::read_to_string(&path)) {
                let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                found.insert(parts.join("/"), text);
            }
        }
    }
    let guideline = Some(folder.join(names::GUIDELINE)).filter(|path| path.is_file());
    Ok(Files { run, transcript: Transcript::At(folder.join(names::TRANSCRIPT)), texts: texts(found), guideline })
}

/// The target as the recorded run had it, at our address, with stand-ins for its secrets.
fn options<'f>(family: &'f Family, recorded: &RunInputs, server: &Server) -> TargetOptions<'f> {
    let texts = |value: &serde_json::Value| -> BTreeMap<String, String> {
        let members = value.as_object().into_iter().flatten();
        members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    let mut options = TargetOptions::new(family, server.base());
    options.options = texts(&recorded.target["options"]);
    options.services =
        texts(&recorded.target["services"]).into_iter().map(|(name, url)| (name, server.at_home(&url))).collect();
    // A family that logs in needs somebody to log in as.
    if !family.sessions.is_empty() {
        for (name, login) in recorded.target["logins"].as_object().into_iter().flatten() {
            let login = stand_in(texts(login));
            if name == MAIN {
                options.login = login;
            } else {
                options.identities.insert(name.clone(), login);
            }
        }
    }
    options
}

/// A login with made-up secrets in place of the tokens that the recording has.
fn stand_in(members: BTreeMap<String, String>) -> Login {
    let mut login = Login::default();
    for (name, value) in members {
        let secret = || Secret::new(unmask(&value));
        match name.as_str() {
            "username" => login.username = Some(value).filter(|name| !name.is_empty()),
            "password" => login.password = Some(secret()),
            "token" => login.token = Some(secret()),
            _ if value.starts_with("{{secret:") => {
                let secret = secret();
                login.secrets.insert(name, secret);
            }
            _ => {
                login.fields.insert(name, value);
            }
        }
    }
    login
}
