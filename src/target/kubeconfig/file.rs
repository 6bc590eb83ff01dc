//! One kubeconfig: its lists of clusters, users and contexts, in which every value knows where it stands.
//!
//! Diagnostics quote the file; values of keys that may hold a secret are starred out in what they quote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::KubeFile;
use crate::secret::Secret;
use crate::target::quote::{Quotable, hushed};
use crate::text::yaml::{self, Node, Value};
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span};

/// Keys whose values may be shown.
const OPEN_KEYS: [&str; 27] = [
    "apiVersion",
    "as",
    "as-groups",
    "as-uid",
    "certificate-authority",
    "client-certificate",
    "client-key",
    "cluster",
    "command",
    "current-context",
    "disable-compression",
    "insecure-skip-tls-verify",
    "installHint",
    "interactiveMode",
    "kind",
    "name",
    "namespace",
    "provideClusterInfo",
    "proxy-url",
    "server",
    "tls-server-name",
    "tokenFile",
    "user",
    "username",
    "clusters",
    "contexts",
    "users",
];
/// Mappings that may be looked into.
const INNER: [&str; 4] = ["exec", "auth-provider", "context", "preferences"];

/// A place in a kubeconfig.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The copy that may be quoted.
    pub(super) source: Arc<SourceFile>,
    /// The folder that relative paths start from.
    pub(super) folder: Arc<PathBuf>,
    pub(super) span: Span,
}

impl Place {
    /// A diagnostic about this place.
    pub(super) fn mark(&self, problem: Diagnostic, text: &str) -> Diagnostic {
        problem.label(self.span, text).source(&self.source)
    }

    /// Another place in the same file.
    pub(super) fn at(&self, span: Span) -> Self {
        Self { span, ..self.clone() }
    }

    /// A path of the file, which starts from its folder unless it is absolute.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }
}

/// A text that may be shown, with its place.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) text: String,
    pub(super) place: Place,
}

impl Named {
    pub(super) fn path(&self) -> PathBuf {
        self.place.path(&self.text)
    }
}

/// A cluster, user or context. It may hold secrets, so it does not print.
#[derive(Clone)]
pub(super) struct Entry {
    node: Node,
    pub(super) place: Place,
}

/// What one file says.
#[derive(Default)]
pub(super) struct Read {
    pub(super) contexts: BTreeMap<String, Entry>,
    pub(super) clusters: BTreeMap<String, Entry>,
    pub(super) users: BTreeMap<String, Entry>,
    pub(super) current: Option<Named>,
}

/// Reads a file. An empty one says nothing.
pub(super) fn read(file: &KubeFile) -> Result<Read, Diagnostics> {
    let root = yaml::parse(&file.source).map_err(|problems| hushed(&file.source, &problems, "kubectl needs"))?;
    let mut shown = Quotable::nothing(&file.source);
    show(&mut shown, &root);
    let place = Place { source: shown.source(), folder: Arc::new(file.folder.clone()), span: Span::new(0, 0) };
    if root.is_null() {
        return Ok(Read::default());
    }
    let mut problems = Diagnostics::new();
    if root.as_map().is_none() {
        let problem = Diagnostic::error("T014", format!("expected a mapping, found {}", root.kind_name()))
            .help("a kubeconfig begins with `apiVersion: v1` and `kind: Config`");
        return Err(place.mark(problem, "here").into());
    }
    let whole = Entry { node: root, place };
    let mut fields = Fields::new(&whole, &mut problems);
    for (key, wanted) in [("apiVersion", "v1"), ("kind", "Config")] {
        if let Some(found) = fields.named(key).filter(|found| found.text != wanted) {
            let problem = Diagnostic::error("T014", format!("`{key}` is `{}`, not `{wanted}`", found.text))
                .help("is this file a kubeconfig?");
            fields.problems.push(found.place.mark(problem, "here"));
        }
    }
    let current = fields.named("current-context");
    let contexts = fields.entries("contexts", "context");
    let clusters = fields.entries("clusters", "cluster");
    let users = fields.entries("users", "user");
    if problems.has_errors() { Err(problems) } else { Ok(Read { contexts, clusters, users, current }) }
}

fn show(shown: &mut Quotable<'_>, node: &Node) {
    for (key, value) in node.as_map().unwrap_or_default() {
        shown.release_key(key.span);
        if OPEN_KEYS.contains(&key.text.as_str()) {
            open(shown, value);
        } else if INNER.contains(&key.text.as_str()) {
            show(shown, value);
        }
    }
}

fn open(shown: &mut Quotable<'_>, node: &Node) {
    match &node.value {
        // A URL may hold a password.
        Value::Str(text) if text.contains('@') => {}
        Value::Map(_) => show(shown, node),
        Value::Seq(items) => items.iter().for_each(|item| open(shown, item)),
        _ => shown.release(node.span),
    }
}

/// Reads the values of a mapping. What has another type than it should is reported, by its place.
pub(super) struct Fields<'a> {
    node: &'a Node,
    place: &'a Place,
    pub(super) problems: &'a mut Diagnostics,
}

impl<'a> Fields<'a> {
    pub(super) fn new(entry: &'a Entry, problems: &'a mut Diagnostics) -> Self {
        Self { node: &entry.node, place: &entry.place, problems }
    }

    /// Where the key stands, else the whole mapping.
    pub(super) fn place(&self, key: &str) -> Place {
        self.node.entry(key).map_or_else(|| self.place.clone(), |(key, _)| self.place.at(key.span))
    }

    pub(super) fn report(
        &mut self,
        code: &'static str,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = super::at(&self.place(key), code, message, help);
        self.problems.push(problem);
    }

    fn wrong(&mut self, key: &str, expected: &str, found: &str) {
        let help = if expected == "text" { "put it in quotes" } else { "see `kubectl config view`" };
        self.report("T018", key, format!("`{key}` must be {expected}, found {found}"), help);
    }

    /// The value, when there is one.
    fn value(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|value| !value.is_null())
    }

    /// Text that is not empty.
    fn raw(&mut self, key: &str) -> Option<&'a str> {
        let value = self.value(key)?;
        match value.as_str() {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => {
                self.wrong(key, "text", value.kind_name());
                None
            }
        }
    }

    /// Text that may be shown.
    pub(super) fn named(&mut self, key: &str) -> Option<Named> {
        let text = self.raw(key)?.to_owned();
        Some(Named { text, place: self.place(key) })
    }

    /// Text that may not be shown.
    pub(super) fn secret(&mut self, key: &str) -> Option<Secret> {
        self.raw(key).map(Secret::new)
    }

    pub(super) fn truth(&mut self, key: &str) -> bool {
        let Some(value) = self.value(key) else { return false };
        if value.as_bool().is_none() {
            self.wrong(key, "`true` or `false`", value.kind_name());
        }
        value.as_bool().unwrap_or(false)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let items: Option<Vec<_>> =
            value.as_seq().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        if items.is_none() {
            self.wrong(key, "a list of texts", value.kind_name());
        }
        items.unwrap_or_default()
    }

    /// The mapping below a key.
    pub(super) fn inner(&mut self, key: &str) -> Option<Entry> {
        let value = self.value(key)?;
        if value.as_map().is_none() {
            self.wrong(key, "a mapping", value.kind_name());
            return None;
        }
        Some(Entry { node: value.clone(), place: self.place(key) })
    }

    /// The mappings in a list.
    pub(super) fn items(&mut self, key: &str) -> Vec<Entry> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.as_seq() else {
            self.wrong(key, "a list", value.kind_name());
            return Vec::new();
        };
        items.iter().map(|item| Entry { node: item.clone(), place: self.place.at(item.span) }).collect()
    }

    /// Keys of the mapping in their order.
    pub(super) fn keys(&self) -> Vec<String> {
        self.node.as_map().unwrap_or_default().iter().map(|(key, _)| key.text.clone()).collect()
    }

    /// The value as it is, for what is handed on.
    pub(super) fn json(&self, key: &str) -> Option<serde_json::Value> {
        self.value(key).map(Node::to_json)
    }

    /// A list of names with what they stand for.
    fn entries(&mut self, list: &str, kind: &str) -> BTreeMap<String, Entry> {
        let mut found: BTreeMap<String, Entry> = BTreeMap::new();
        for item in self.items(list) {
            let mut fields = Fields::new(&item, self.problems);
            let name = fields.named("name").map_or_else(String::new, |name| name.text);
            let place = fields.place("name");
            let entry = fields.inner(kind).unwrap_or(Entry {
                node: Node { span: item.node.span, value: Value::Map(Vec::new()) },
                place: place.clone(),
            });
            if found.insert(name.clone(), Entry { place: place.clone(), ..entry }).is_some() {
                let message = format!("two entries of `{list}` have the name `{name}`");
                self.problems.push(super::at(&place, "T014", message, "keep one of them"));
            }
        }
        found
    }
}
