//! Names of tests as tools write them: attributes in brackets at the end, and pseudo tests for the set-up of a class.

use crate::capability::{is_uuid, upstream_id};

/// A name taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// The name without attributes.
    pub plain: String,
    /// Ids that survive renames, in one spelling.
    pub ids: Vec<String>,
    /// Other attributes, such as `smoke`.
    pub attributes: Vec<String>,
}

/// Takes a name apart. Brackets are attributes only when there is an id among them; `test_x[parameter]` stays whole.
pub fn take_apart(raw: &str) -> Name {
    let raw = raw.trim();
    let whole = || Name { plain: raw.to_owned(), ..Name::default() };
    let Some((plain, inner)) = brackets(raw) else { return whole() };
    let is_id = |item: &&str| is_uuid(item.strip_prefix("id-").unwrap_or(item));
    let (ids, rest): (Vec<&str>, Vec<&str>) = inner.split(',').map(str::trim).partition(is_id);
    if ids.is_empty() {
        return whole();
    }
    Name {
        plain: plain.to_owned(),
        ids: ids.into_iter().filter_map(upstream_id).collect(),
        attributes: rest.into_iter().filter(|item| !item.is_empty()).map(str::to_owned).collect(),
    }
}

/// What is before and in the brackets at the end of a name of one word.
pub fn brackets(name: &str) -> Option<(&str, &str)> {
    let (plain, inner) = name.strip_suffix(']')?.split_once('[')?;
    let odd = |text: &str| text.is_empty() || text.contains(char::is_whitespace) || text.contains(['[', ']']);
    (!odd(plain) && !odd(inner)).then_some((plain, inner))
}

/// The pseudo tests of a class or module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'n> {
    /// Set-up of a class or module: without it none of its tests runs.
    SetUp(&'n str),
    /// Tear-down: its tests have run.
    TearDown(&'n str),
}

/// The class or module of a pseudo test, as Python's `unittest` writes it: `setUpClass (package.module.Class)`.
pub fn scope(name: &str) -> Option<Scope<'_>> {
    let (word, rest) = name.split_once(" (")?;
    let inner = rest.strip_suffix(')')?.trim();
    match word {
        "setUpClass" | "setUpModule" => Some(Scope::SetUp(inner)),
        "tearDownClass" | "tearDownModule" => Some(Scope::TearDown(inner)),
        _ => None,
    }
}

/// Whether a name is that of a node of ginkgo around the whole suite, which is no test, and if so, whether it runs before it.
pub fn suite_node(name: &str) -> Option<bool> {
    let plain = name.trim();
    let (word, rest) = match plain.strip_prefix('[') {
        Some(tag) => tag.split_once(']')?,
        // Version 1 has no brackets and no text.
        None => (plain, ""),
    };
    let first = plain.starts_with('[') || rest.is_empty();
    match word {
        "BeforeSuite" | "SynchronizedBeforeSuite" | "ReportBeforeSuite" if first => Some(true),
        "AfterSuite" | "SynchronizedAfterSuite" | "ReportAfterSuite" | "DeferCleanup (Suite)" if first => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_with_an_id_are_taken_off() {
        let name = take_apart("a.b.C.test_x[id-9A438D88-10c6-4bcd-8b5b-5b6e25e1346f,smoke,network]");
        assert_eq!(name.plain, "a.b.C.test_x");
        assert_eq!(name.ids, ["9a438d88-10c6-4bcd-8b5b-5b6e25e1346f"]);
        assert_eq!(name.attributes, ["smoke", "network"]);
    }

    #[test]
    fn other_brackets_stay() {
        for whole in ["a.test_x[a-b]", "[sig-node] Pods should run [Conformance]", "a[", "]", "x []", "a[b][c]"] {
            assert_eq!(take_apart(whole), Name { plain: whole.to_owned(), ..Name::default() }, "{whole}");
        }
    }

    #[test]
    fn nodes_around_a_suite_are_no_tests() {
        for (name, before) in [
            ("[SynchronizedBeforeSuite]", Some(true)),
            ("[ReportAfterSuite] Kubernetes e2e suite report", Some(false)),
            ("BeforeSuite", Some(true)),
            ("AfterSuite", Some(false)),
            ("BeforeSuite of mine", None),
            ("[sig-x] BeforeSuite", None),
            ("[x", None),
        ] {
            assert_eq!(suite_node(name), before, "{name}");
        }
    }

    #[test]
    fn set_ups_are_known() {
        assert_eq!(scope("setUpClass (a.b.C)"), Some(Scope::SetUp("a.b.C")));
        assert_eq!(scope("tearDownClass (a.b.C)"), Some(Scope::TearDown("a.b.C")));
        assert_eq!(scope("setUpModule (a.b)"), Some(Scope::SetUp("a.b")));
        for plain in ["setUpClass", "Pods (x)", "setUpClass (x"] {
            assert_eq!(scope(plain), None);
        }
    }
}
