//! Clusters as kubectl knows them: kubeconfig files, or the service account of a pod.
//!
//! ```text
//! KubeFile… ──parse──► Kubeconfig ──choose──► KubeContext ──into_options──► TargetOptions
//! ```
//!
//! The rules are those of client-go; `cases.yaml` beside this file is the table of them. Unknown keys are passed over, as
//! client-go does. Deliberately different: what kubectl guesses is an error here (no context is chosen, a context names a
//! cluster or a user that is not there), and nothing falls back to `localhost:8080`. Files are read and plugins are run by
//! the caller, through [`Machine`]; no request is sent.
//!
//! | code | meaning |
//! | --- | --- |
//! | T014 | a kubeconfig is not of the expected shape |
//! | T015 | no context is chosen, or there is no context, cluster or user of that name |
//! | T016 | something that is needed is missing, or keys contradict each other |
//! | T017 | a way to log in that is not supported |
//! | T018 | a value that cannot be used |
//! | T019 | a file that a kubeconfig names cannot be read |
//! | T020 | something that is not heeded (a warning) |
//! | T021 | a credential plugin failed |

mod cluster;
mod context;
mod file;
mod plugin;
mod user;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::text::{Diagnostic, Diagnostics, SourceFile, did_you_mean};
use file::{Entry, Named, Place};

pub use context::{KubeContext, in_cluster};
pub use plugin::{Plugin, PluginMode};

/// A kubeconfig that the caller read.
#[derive(Debug, Clone)]
pub struct KubeFile {
    /// Its text.
    pub source: Arc<SourceFile>,
    /// The folder that relative paths in it start from.
    pub folder: PathBuf,
}

/// The machine on which a kubeconfig stands.
pub trait Machine: Send + Sync {
    /// Reads a file; an error is a reason in words.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;

    /// Runs a credential plugin and gives what it wrote to its standard output; an error is a reason in words, with what
    /// it wrote to its standard error.
    ///
    /// # Errors
    /// When it cannot be started or does not end well.
    fn run(&self, plugin: &Plugin) -> Result<Vec<u8>, String>;
}

/// Contexts, clusters and users of all files together.
#[derive(Default)]
pub struct Kubeconfig {
    contexts: BTreeMap<String, Entry>,
    clusters: BTreeMap<String, Entry>,
    users: BTreeMap<String, Entry>,
    current: Option<Named>,
    files: Vec<String>,
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubeconfig").field("files", &self.files).finish_non_exhaustive()
    }
}

/// The files that `KUBECONFIG` names, else the one in the home folder; those that are not there count as empty.
#[must_use]
pub fn kubeconfig_files(kubeconfig: Option<&str>, home: Option<&str>) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { ';' } else { ':' };
    let mut files: Vec<PathBuf> = Vec::new();
    for path in kubeconfig.unwrap_or_default().split(separator).filter(|path| !path.is_empty()).map(PathBuf::from) {
        if !files.contains(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        files.extend(home.filter(|home| !home.is_empty()).map(|home| Path::new(home).join(".kube/config")));
    }
    files
}

impl Kubeconfig {
    /// Reads the files. The first that sets a value or has an entry of a name counts.
    ///
    /// # Errors
    /// When a file is not what it should be.
    pub fn parse(files: &[KubeFile]) -> Result<Self, Diagnostics> {
        let mut whole = Self::default();
        for file in files {
            let read = file::read(file)?;
            for (own, further) in [
                (&mut whole.contexts, read.contexts),
                (&mut whole.clusters, read.clusters),
                (&mut whole.users, read.users),
            ] {
                for (name, entry) in further {
                    own.entry(name).or_insert(entry);
                }
            }
            whole.current = whole.current.or(read.current);
            whole.files.push(file.source.name.clone());
        }
        Ok(whole)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contexts.is_empty() && self.clusters.is_empty() && self.users.is_empty() && self.current.is_none()
    }

    /// Whether there is a context of that name.
    #[must_use]
    pub fn has(&self, context: &str) -> bool {
        self.contexts.contains_key(context)
    }

    /// The context of that name, else the current one.
    ///
    /// # Errors
    /// When there is none, or it does not say how to reach its cluster.
    pub fn choose(&self, name: Option<&str>) -> Result<KubeContext, Diagnostics> {
        let current = self.current.as_ref().filter(|_| name.is_none());
        let Some(name) = name.or_else(|| current.map(|named| named.text.as_str())) else {
            let problem = if self.files.is_empty() {
                Diagnostic::error("T015", "there is no kubeconfig")
                    .help("give --kubeconfig FILE, set KUBECONFIG, or write ~/.kube/config")
            } else if self.contexts.is_empty() {
                Diagnostic::error("T015", format!("there is no context in {}", self.files.join(", ")))
                    .help("`kubectl config set-context` makes one")
            } else {
                Diagnostic::error("T015", format!("no context is chosen in {}", self.files.join(", ")))
                    .help(format!("add --context NAME; there are {}", self.known()))
            };
            return Err(problem.into());
        };
        let Some(entry) = self.contexts.get(name) else {
            let place = if current.is_some() { "`current-context`" } else { "--context" };
            let mut problem = Diagnostic::error("T015", format!("there is no context `{name}`, which {place} names"));
            if let Some(named) = current {
                problem = named.place.mark(problem, "named here");
            }
            let near = did_you_mean(name, self.contexts.keys().map(String::as_str));
            return Err(problem
                .help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if self.files.is_empty() => "no kubeconfig was found; give --kubeconfig FILE".to_owned(),
                    None => format!("{} {} {}", self.files.join(", "), verb(self.files.len()), self.known()),
                })
                .into());
        };
        context::resolve(self, name, entry)
    }

    fn known(&self) -> String {
        let names: Vec<_> = self.contexts.keys().map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

fn verb(files: usize) -> &'static str {
    if files == 1 { "has" } else { "have" }
}

/// A diagnostic about a place.
fn at(place: &Place, code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
    place.mark(Diagnostic::error(code, message).help(help), "here")
}

#[cfg(test)]
mod tests;
