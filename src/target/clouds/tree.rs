//! What clouds files and variables say, as a tree in which every value knows where it came from.
//!
//! Values stay text as it was written: `password: 0123` is four digits, not an octal number. Every value is held as a
//! [`Secret`], because which one is a secret is known only later. Diagnostics quote the files, so quotable copies are
//! made in which everything is starred out but keys and the values of keys that hold no secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::secret::Secret;
use crate::target::quote::{Quotable, hushed};
use crate::text::yaml::{self, Node, Value as Yaml};
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span};

/// Keys whose values may be shown.
const OPEN_KEYS: [&str; 33] = [
    "api_timeout",
    "auth_plugin",
    "auth_type",
    "auth_url",
    "cacert",
    "cert",
    "cloud",
    "default_domain",
    "default_domain_id",
    "default_domain_name",
    "domain_id",
    "domain_name",
    "endpoint_type",
    "insecure",
    "interface",
    "key",
    "name",
    "profile",
    "project_domain_id",
    "project_domain_name",
    "project_id",
    "project_name",
    "region_name",
    "regions",
    "system_scope",
    "tenant_id",
    "tenant_name",
    "trust_id",
    "user_domain_id",
    "user_domain_name",
    "user_id",
    "username",
    "verify",
];
const OPEN_ENDINGS: [&str; 4] = ["_api_version", "_endpoint", "_endpoint_override", "_interface"];

/// Where a value came from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A place in a file; the source is the copy that may be quoted.
    File {
        /// The copy.
        source: Arc<SourceFile>,
        /// The key, or the item of a list.
        key: Span,
    },
    /// An environment variable.
    Variable(String),
    /// Nobody said it: a default, or the environment as a whole.
    Default,
}

impl Origin {
    /// A diagnostic about this place.
    pub(super) fn mark(&self, problem: Diagnostic, text: &str) -> Diagnostic {
        match self {
            Self::File { source, key } => problem.label(*key, text).source(source),
            Self::Variable(name) => {
                let message = format!("{} ({name})", problem.message);
                Diagnostic { message, ..problem }
            }
            Self::Default => problem,
        }
    }
}

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What an [`Item`] holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Scalar {
        text: Secret,
        /// Not quoted in the file.
        plain: bool,
    },
    List(Vec<Item>),
    Map(Section),
}

/// A mapping; `-` in keys is `_`.
pub(super) type Section = BTreeMap<String, Item>;

impl Item {
    /// A value from the environment.
    pub(super) fn variable(name: &str, value: &str) -> Self {
        let value = Value::Scalar { text: Secret::new(value), plain: false };
        Self { value, origin: Origin::Variable(name.to_owned()) }
    }

    /// The mapping, when it is one.
    pub(super) fn map(&self) -> Option<&Section> {
        match &self.value {
            Value::Map(section) => Some(section),
            _ => None,
        }
    }

    /// Text that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !text.is_empty() => Some(text.expose()),
            _ => None,
        }
    }

    /// Nothing, or text of no length: what the SDK takes as not given.
    pub(super) fn is_blank(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Scalar { text, .. } => text.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(section) => section.is_empty(),
        }
    }

    /// What this is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Puts `over` above `base`: mappings are merged, everything else is replaced.
pub(super) fn merge(base: &mut Section, over: Section) {
    for (key, item) in over {
        match (base.get_mut(&key), item) {
            (Some(Item { value: Value::Map(below), .. }), Item { value: Value::Map(above), .. }) => merge(below, above),
            (_, item) => {
                base.insert(key, item);
            }
        }
    }
}

/// Puts `over` above `base`, where only `auth` is merged, and that one level deep.
pub(super) fn lay(base: &mut Section, over: &Section) {
    for (key, item) in over {
        let both = if key == "auth" { base.get_mut(key) } else { None };
        match (both, item) {
            (Some(Item { value: Value::Map(below), origin }), Item { value: Value::Map(above), origin: nearer }) => {
                below.extend(above.iter().map(|(key, item)| (key.clone(), item.clone())));
                origin.clone_from(nearer);
            }
            (Some(_), Item { value: Value::Null, .. }) => {}
            (_, item) => {
                base.insert(key.clone(), item.clone());
            }
        }
    }
}

/// Reads a file.
pub(super) fn read(source: &Arc<SourceFile>) -> Result<Section, Diagnostics> {
    let root = yaml::parse(source).map_err(|problems| hushed(source, &problems, "clouds need"))?;
    let mut shown = Quotable::nothing(source);
    show_keys(&mut shown, &root, 0);
    let reader = Reader { source, quoted: shown.source() };
    match &root.value {
        Yaml::Map(entries) => reader.section(entries, Names::Keys, 0),
        _ => {
            let problem = Diagnostic::error("T006", format!("expected a mapping, found {}", root.kind_name()))
                .label(Span::new(0, 0), "here")
                .help("a clouds file begins with `clouds:`, below which every cloud has its name as key")
                .source(&reader.quoted);
            Err([problem].into_iter().collect())
        }
    }
}

/// What the keys of a mapping are.
#[derive(Clone, Copy)]
enum Names {
    /// Keys that we know, in either spelling.
    Keys,
    /// Names of clouds and profiles, which are as they are.
    OfClouds,
}

struct Reader<'a> {
    source: &'a SourceFile,
    quoted: Arc<SourceFile>,
}

impl Reader<'_> {
    fn section(&self, entries: &[(yaml::Key, Node)], names: Names, depth: u8) -> Result<Section, Diagnostics> {
        let mut section = Section::new();
        for (key, node) in entries {
            let name = match names {
                Names::Keys => key.text.replace('-', "_"),
                Names::OfClouds => key.text.clone(),
            };
            let below = if depth == 0 { Names::OfClouds } else { Names::Keys };
            let item = self.item(node, key.span, below, depth + 1)?;
            if section.insert(name, item).is_some() {
                let problem = Diagnostic::error("T006", "two keys differ only in `-` and `_`")
                    .label(key.span, "the second")
                    .help("keep one of them")
                    .source(&self.quoted);
                return Err([problem].into_iter().collect());
            }
        }
        Ok(section)
    }

    fn item(&self, node: &Node, key: Span, names: Names, depth: u8) -> Result<Item, Diagnostics> {
        let value = match &node.value {
            Yaml::Null => Value::Null,
            Yaml::Map(entries) => Value::Map(self.section(entries, names, depth)?),
            Yaml::Seq(items) => Value::List(
                items.iter().map(|item| self.item(item, item.span, names, depth)).collect::<Result<_, _>>()?,
            ),
            Yaml::Str(text) => {
                let plain = self.source.slice(node.span) == text;
                Value::Scalar { text: Secret::new(text.as_str()), plain }
            }
            Yaml::Bool(_) | Yaml::Int(_) | Yaml::Float(_) => {
                let written = self.source.slice(node.span);
                // An alias has the span of the alias, a tagged value that of its tag.
                let written = if written.is_empty() || written.starts_with(['*', '!', '&']) {
                    node.to_json().to_string()
                } else {
                    written.to_owned()
                };
                Value::Scalar { text: Secret::new(written), plain: true }
            }
        };
        Ok(Item { value, origin: Origin::File { source: Arc::clone(&self.quoted), key } })
    }
}

/// Releases keys down to those of `auth` (`clouds`, its name, `auth`, `username`), and values that are no secret.
fn show_keys(shown: &mut Quotable<'_>, node: &Node, depth: u8) {
    let Some(entries) = node.as_map() else { return };
    for (key, value) in entries {
        shown.release_key(key.span);
        let name = key.text.replace('-', "_");
        if is_open(&name) {
            show(shown, value);
        } else if depth < 2 || name == "auth" {
            show_keys(shown, value, depth + 1);
        }
    }
}

fn show(shown: &mut Quotable<'_>, node: &Node) {
    match &node.value {
        // A URL may hold a password.
        Yaml::Str(text) if text.contains('@') => {}
        Yaml::Map(_) => show_keys(shown, node, 2),
        Yaml::Seq(items) => items.iter().for_each(|item| show(shown, item)),
        _ => shown.release(node.span),
    }
}

fn is_open(key: &str) -> bool {
    OPEN_KEYS.contains(&key) || OPEN_ENDINGS.iter().any(|ending| key.ends_with(ending))
}
