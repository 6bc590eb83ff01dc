//! The keys of suite files as data: one table per kind of mapping. The reader (unknown and missing keys), the JSON Schema
//! and the reference page are all made from it, so they cannot tell different stories.
//!
//! The tables say which keys exist and what shape a value has. What values mean together (a variable that is not defined,
//! a fixture that nobody provides) is the reader's and the linter's business.

mod cases;
mod checks;
mod steps;

pub use cases::*;
pub use checks::*;
pub use steps::*;

/// What shape the value of a key has.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text without expressions.
    Text,
    /// Text in which `${cel}` is replaced.
    Template,
    /// Like [`Kind::Template`]; `null` removes the header field.
    TemplateOrNull,
    /// A CEL expression, without `${}`.
    Cel,
    /// `true` or `false`.
    Bool,
    /// A number such as `90s`, `5m`, `1h30m` with its unit.
    Duration,
    /// A number of bytes such as `512`, `10kB`, `4MiB`.
    Size,
    /// A whole number between the two.
    Integer(u64, u64),
    /// Any number.
    Number,
    /// Any JSON; `${cel}` is replaced in its strings.
    Json,
    /// A regular expression.
    Regex,
    /// `kebab-case`.
    Id,
    /// Id of a capability: as `Id`, capitals allowed, because upstream guidelines have them.
    CapabilityId,
    /// Ids joined by dots.
    DottedId,
    /// A name for a variable, as CEL wants it.
    Variable,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `$.json.path` or `header:name`.
    SecretPlace,
    /// JSON path, template, or any JSON with templates.
    Save,
    /// A status code, a class such as `2xx`, `any`, or a list of codes and classes.
    Status,
    /// A literal, `present`, `absent`, or a mapping of matcher keys.
    Matcher,
    /// A JSON Schema.
    Schema,
    /// A mapping with the keys of the object.
    Object(&'static Object),
    /// A list.
    List(&'static Kind),
    /// One, or a list of them.
    OneOrMany(&'static Kind),
    /// A mapping with free keys; the second says what the keys are.
    Map(&'static Kind, &'static str),
    /// One of several shapes.
    Either(&'static [Kind]),
    /// A list of steps.
    Steps,
    /// Rows: a list of mappings with `name` and the row's variables.
    Rows,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As written in the file.
    pub name: &'static str,
    /// Shape of its value.
    pub kind: Kind,
    /// Must be there.
    pub required: bool,
    /// What holds when it is not there, for people.
    pub default: Option<&'static str>,
    /// One line of explanation.
    pub doc: &'static str,
}

/// A kind of mapping.
#[derive(Debug)]
pub struct Object {
    /// Name in the schema and in messages: `case`, `request step`.
    pub name: &'static str,
    /// One line of explanation.
    pub doc: &'static str,
    /// Its own keys.
    pub keys: &'static [Key],
    /// Objects whose keys it has as well.
    pub includes: &'static [&'static Object],
    /// Of these keys exactly one must be given; empty when there is no such rule.
    pub one_of: &'static [&'static str],
}

impl Object {
    /// All keys, its own first. Objects that are included include nothing themselves.
    pub fn all_keys(&'static self) -> impl Iterator<Item = &'static Key> {
        let included = self.includes.iter().flat_map(|object| object.keys);
        self.keys.iter().chain(included)
    }

    /// The key of that name.
    #[must_use]
    pub fn key(&'static self, name: &str) -> Option<&'static Key> {
        self.all_keys().find(|key| key.name == name)
    }
}

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: false, default: None, doc }
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: true, default: None, doc }
}

const fn or(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, required: false, default: Some(default), doc }
}

const fn object(name: &'static str, doc: &'static str, keys: &'static [Key]) -> Object {
    Object { name, doc, keys, includes: &[], one_of: &[] }
}

/// Mappings in the order of the reference page.
pub static OBJECTS: &[&Object] = &[
    &SUITE,
    &CASE,
    &FIXTURE,
    &REQUIRE,
    &PLAN_LINE,
    &COUNT,
    &GROUP,
    &REQUEST,
    &METHOD_URL,
    &PART,
    &IDENTITY,
    &BASIC,
    &HEADER_CREDENTIAL,
    &CRAWL,
    &CRAWL_PLAN,
    &OVER,
    &USE,
    &FOR,
    &LET,
    &GAP,
    &GAP_CONDITION,
    &CHECK,
    &PARALLEL,
    &OPEN,
    &RECEIVE,
    &SEND,
    &CLOSE,
    &EXPECT,
    &THAT,
    &MATCHER,
    &FAMILY,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_flat_and_keys_unique() {
        for object in OBJECTS {
            assert!(object.includes.iter().all(|other| other.includes.is_empty()), "{}", object.name);
            let mut names: Vec<&str> = object.all_keys().map(|key| key.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{}", object.name);
            assert!(object.one_of.iter().all(|name| object.key(name).is_some()));
        }
    }
}
