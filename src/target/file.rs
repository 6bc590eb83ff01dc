//! Target files: what an operator would otherwise say on the command line, in YAML.
//!
//! ```yaml
//! family: redfish
//! url: https://bmc.example
//! username: operator
//! password_file: bmc.password        # or password_env, token_file, token_env
//! fields: {project_name: demo}       # what else a log-in of the family needs; no secrets
//! identities:
//!   alt: {username: guest, password_env: GUEST_PASSWORD}
//! ```
//!
//! Secrets never stand in the file itself. Reading files and the environment is left to the caller, see
//! [`TargetFile::into_options`].
//!
//! | code | meaning |
//! | --- | --- |
//! | T001 | an unknown key |
//! | T002 | a value of the wrong type or out of range |
//! | T003 | a required key is missing |
//! | T004 | a secret in the file, or two sources for one secret |
//! | T005 | a file or variable that the target file names cannot be read |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Auth, Login, TargetOptions};
use crate::secret::Secret;
use crate::suite::Family;
use crate::text::yaml::{self, Node};
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span, did_you_mean};

const KEYS: [&str; 17] = [
    "family",
    "url",
    "username",
    "password_file",
    "password_env",
    "token_file",
    "token_env",
    "fields",
    "auth",
    "ca_cert",
    "insecure",
    "client_cert",
    "options",
    "identities",
    "services",
    "trusted_hosts",
    "rate",
];
const LOGIN_KEYS: [&str; 6] = ["username", "password_file", "password_env", "token_file", "token_env", "fields"];

/// Where the caller finds a value that does not stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A file, relative to the target file.
    File(&'a str),
    /// An environment variable.
    Variable(&'a str),
}

#[derive(Debug, Clone)]
enum Source {
    File(String),
    Variable(String),
}

impl Source {
    fn place(&self) -> Place<'_> {
        match self {
            Self::File(path) => Place::File(path),
            Self::Variable(name) => Place::Variable(name),
        }
    }
}

type Sourced = Option<(Span, Source)>;

/// One login of a target file, its secrets not yet read.
#[derive(Debug, Clone, Default)]
pub struct LoginFile {
    username: Option<String>,
    password: Sourced,
    token: Sourced,
    fields: BTreeMap<String, String>,
}

/// A target file, its secrets not yet read.
#[derive(Debug)]
pub struct TargetFile {
    /// Family id.
    pub family: Option<String>,
    /// Base URL.
    pub url: String,
    login: LoginFile,
    identities: BTreeMap<String, LoginFile>,
    auth: Option<Auth>,
    ca_cert: Sourced,
    client_cert: Sourced,
    insecure: bool,
    options: BTreeMap<String, String>,
    services: BTreeMap<String, String>,
    trusted_hosts: BTreeSet<String>,
    rate: Option<f64>,
    source: Arc<SourceFile>,
}

impl TargetFile {
    /// Reads a target file.
    ///
    /// # Errors
    /// All problems of the file at once.
    pub fn parse(source: &Arc<SourceFile>) -> Result<Self, Diagnostics> {
        let root = yaml::parse(source)?;
        let mut reader = Reader { source, problems: Diagnostics::new(), hidden: Vec::new() };
        let file = reader.file(&root);
        match file {
            Some(file) if !reader.problems.has_errors() => Ok(file),
            _ => Err(reader.shown()),
        }
    }

    /// The options that the file stands for. `read` fetches a file or an environment variable; its error is a reason
    /// in words.
    ///
    /// # Errors
    /// All values that could not be read.
    pub fn into_options<'f>(
        self,
        family: &'f Family,
        read: &mut dyn FnMut(Place<'_>) -> Result<Vec<u8>, String>,
    ) -> Result<TargetOptions<'f>, Diagnostics> {
        let mut fetch = Fetch { source: &self.source, read, problems: Diagnostics::new() };
        let login = fetch.login(&self.login);
        let identities = self.identities.iter().map(|(name, login)| (name.clone(), fetch.login(login))).collect();
        let ca_certs = fetch.bytes(&self.ca_cert).into_iter().collect();
        let client_identity = fetch.secret(&self.client_cert);
        if fetch.problems.has_errors() {
            return Err(fetch.problems);
        }
        Ok(TargetOptions {
            family,
            base_url: self.url,
            login,
            identities,
            auth: self.auth,
            ca_certs,
            insecure: self.insecure,
            client_identity,
            server_name: None,
            proxy: None,
            services: self.services,
            trusted_hosts: self.trusted_hosts,
            options: self.options,
            rate: self.rate,
        })
    }
}

struct Fetch<'a> {
    source: &'a Arc<SourceFile>,
    read: &'a mut dyn FnMut(Place<'_>) -> Result<Vec<u8>, String>,
    problems: Diagnostics,
}

impl Fetch<'_> {
    fn login(&mut self, login: &LoginFile) -> Login {
        Login {
            username: login.username.clone(),
            password: self.secret(&login.password),
            token: self.secret(&login.token),
            fields: login.fields.clone(),
            ..Login::default()
        }
    }

    fn bytes(&mut self, sourced: &Sourced) -> Option<Vec<u8>> {
        let (span, source) = sourced.as_ref()?;
        match (self.read)(source.place()) {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                self.problem(*span, why);
                None
            }
        }
    }

    fn secret(&mut self, sourced: &Sourced) -> Option<Secret> {
        let bytes = self.bytes(sourced)?;
        let (span, _) = sourced.as_ref()?;
        let Ok(text) = String::from_utf8(bytes) else {
            self.problem(*span, "it is not UTF-8".to_owned());
            return None;
        };
        // Editors end a file with a line break, which is not part of the secret.
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            self.problem(*span, "it is empty".to_owned());
            return None;
        }
        Some(Secret::new(text))
    }

    fn problem(&mut self, span: Span, why: String) {
        let problem = Diagnostic::error("T005", "the value cannot be read").label(span, why).source(self.source);
        self.problems.push(problem);
    }
}

struct Reader<'a> {
    source: &'a Arc<SourceFile>,
    problems: Diagnostics,
    /// Values that may be secrets in spite of the rules.
    hidden: Vec<Span>,
}

impl Reader<'_> {
    /// The problems. Diagnostics quote the file, so what may be a secret is starred out in it.
    fn shown(self) -> Diagnostics {
        let mut bytes = self.source.text.clone().into_bytes();
        for span in &self.hidden {
            let value = bytes.get_mut(span.start..span.end).unwrap_or_default();
            value.iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
        }
        let source = SourceFile::new(self.source.name.clone(), String::from_utf8_lossy(&bytes).into_owned());
        self.problems.into_iter().map(|problem| problem.source(&source)).collect()
    }

    fn file(&mut self, root: &Node) -> Option<TargetFile> {
        self.known_keys(root, &KEYS)?;
        let url = self.text(root, "url");
        if root.get("url").is_none() {
            self.report("T003", root.span, "the key `url` is missing", "add `url: https://...`");
        }
        let auth = self.text(root, "auth").and_then(|word| {
            let auth = Auth::from_word(&word);
            if auth.is_none() {
                self.wrong(root, "auth", "one of `basic`, `bearer`, `none`");
            }
            auth
        });
        Some(TargetFile {
            family: self.text(root, "family"),
            url: url.unwrap_or_default(),
            login: self.login(root),
            identities: self.identities(root),
            auth,
            ca_cert: self.path(root, "ca_cert"),
            client_cert: self.path(root, "client_cert"),
            insecure: self.truth(root, "insecure"),
            options: self.texts(root, "options"),
            services: self.texts(root, "services"),
            trusted_hosts: self.hosts(root),
            rate: self.rate(root),
            source: Arc::clone(self.source),
        })
    }

    fn identities(&mut self, root: &Node) -> BTreeMap<String, LoginFile> {
        let mut found = BTreeMap::new();
        let Some(node) = root.get("identities") else { return found };
        let Some(entries) = node.as_map() else {
            self.wrong(root, "identities", "a mapping of names to logins");
            return found;
        };
        for (key, login) in entries {
            if self.known_keys(login, &LOGIN_KEYS).is_some() {
                found.insert(key.text.clone(), self.login(login));
            }
        }
        found
    }

    fn login(&mut self, node: &Node) -> LoginFile {
        LoginFile {
            username: self.text(node, "username"),
            password: self.sourced(node, "password_file", "password_env"),
            token: self.sourced(node, "token_file", "token_env"),
            fields: self.texts(node, "fields"),
        }
    }

    fn sourced(&mut self, node: &Node, file: &str, variable: &str) -> Sourced {
        let from_file = self.path(node, file);
        let from_variable = self.text(node, variable);
        let span = node.get(variable).map(|n| n.span);
        match (from_file, from_variable, span) {
            (Some(_), Some(_), Some(span)) => {
                let message = format!("`{file}` and `{variable}` exclude each other");
                self.report("T004", span, &message, "keep one of them");
                None
            }
            (None, Some(name), Some(span)) => Some((span, Source::Variable(name))),
            (found, _, _) => found,
        }
    }

    fn path(&mut self, node: &Node, key: &str) -> Sourced {
        let path = self.text(node, key)?;
        Some((node.get(key)?.span, Source::File(path)))
    }

    /// `None` when the node is not a mapping; unknown keys are reported.
    fn known_keys(&mut self, node: &Node, known: &[&str]) -> Option<()> {
        let Some(entries) = node.as_map() else {
            self.report(
                "T002",
                node.span,
                &format!("expected a mapping, found {}", node.kind_name()),
                "write `key: value` lines",
            );
            return None;
        };
        for (key, value) in entries {
            if known.contains(&key.text.as_str()) {
                continue;
            }
            self.hidden.push(value.span);
            if key.text == "password" || key.text == "token" {
                let help = format!("use `{0}_file` or `{0}_env`", key.text);
                self.report("T004", key.span, "a target file holds no secrets", &help);
                continue;
            }
            let help = match did_you_mean(&key.text, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", known.join(", ")),
            };
            self.report("T001", key.span, &format!("unknown key `{}`", key.text), &help);
        }
        Some(())
    }

    fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let value = node.get(key)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(node, key, "a string");
        }
        text
    }

    fn truth(&mut self, node: &Node, key: &str) -> bool {
        let Some(value) = node.get(key) else { return false };
        if value.as_bool().is_none() {
            self.wrong(node, key, "`true` or `false`");
        }
        value.as_bool().unwrap_or(false)
    }

    fn texts(&mut self, node: &Node, key: &str) -> BTreeMap<String, String> {
        let Some(value) = node.get(key) else { return BTreeMap::new() };
        let Some(entries) = value.as_map() else {
            self.wrong(node, key, "a mapping of names to strings");
            return BTreeMap::new();
        };
        let mut texts = BTreeMap::new();
        for (key, member) in entries {
            match member.to_json() {
                serde_json::Value::String(text) => texts.insert(key.text.clone(), text),
                scalar @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
                    texts.insert(key.text.clone(), scalar.to_string())
                }
                _ => {
                    self.wrong(value, &key.text, "a string");
                    None
                }
            };
        }
        texts
    }

    fn hosts(&mut self, node: &Node) -> BTreeSet<String> {
        let Some(value) = node.get("trusted_hosts") else { return BTreeSet::new() };
        let hosts = value.as_seq().map(|items| items.iter().map(Node::as_str).collect::<Vec<_>>());
        match hosts {
            Some(hosts) if hosts.iter().all(Option::is_some) => {
                hosts.into_iter().flatten().map(str::to_owned).collect()
            }
            _ => {
                self.wrong(node, "trusted_hosts", "a list of host names");
                BTreeSet::new()
            }
        }
    }

    fn rate(&mut self, node: &Node) -> Option<f64> {
        let value = node.get("rate")?;
        let rate = value.as_f64().filter(|rate| *rate > 0.0);
        if rate.is_none() {
            self.wrong(node, "rate", "a positive number of requests a second");
        }
        rate
    }

    fn wrong(&mut self, node: &Node, key: &str, expected: &str) {
        let Some(value) = node.get(key) else { return };
        let message = format!("`{key}` must be {expected}, found {}", value.kind_name());
        let problem = Diagnostic::error("T002", message).label(value.span, "here").source(self.source);
        self.problems.push(problem);
    }

    fn report(&mut self, code: &'static str, span: Span, message: &str, help: &str) {
        let problem = Diagnostic::error(code, message).label(span, "here").help(help).source(self.source);
        self.problems.push(problem);
    }
}
