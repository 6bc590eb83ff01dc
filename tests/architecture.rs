//! Keeps the map of modules true: reads every file under `src` and fails on what `tests/layers.txt` does not allow.
//! Test code (`#[cfg(test)]` items and the files they declare) may use what it likes.

#[path = "architecture/source.rs"]
mod source;

use source::{Found, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = "tests/layers.txt";

/// A line and what is wrong with it.
type Objection = (usize, String);
/// The using and the used module.
type Edge = (String, String);

/// `tests/layers.txt`, read.
#[derive(Default)]
struct Table {
    layers: BTreeMap<String, u32>,
    same: BTreeSet<Edge>,
    rules: Vec<Rule>,
    longest: usize,
    longest_remedy: String,
}

struct Rule {
    kind: RuleKind,
    what: Vec<String>,
    modules: Vec<String>,
    remedy: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RuleKind {
    /// Named by these modules and no other.
    Only,
    /// Not named by these modules.
    Deny,
    /// Not occurring in the text of these modules.
    Words,
}

impl Table {
    fn parse(text: &str) -> Table {
        let mut table = Table::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (line, remedy) = line.split_once(" -- ").unwrap_or((line, ""));
            let parsed = table.add(line, remedy);
            assert!(parsed.is_some(), "{TABLE}:{}: not understood: {line}", number + 1);
        }
        table
    }

    fn add(&mut self, line: &str, remedy: &str) -> Option<()> {
        let (verb, rest) = line.split_once(' ')?;
        if verb == "lines" {
            self.longest = rest.parse().ok()?;
            remedy.clone_into(&mut self.longest_remedy);
            return Some(());
        }
        let (what, modules) = rest.split_once(": ")?;
        let modules: Vec<String> = words(modules);
        let kind = match verb {
            "layer" => {
                let layer = what.parse().ok()?;
                self.layers.extend(modules.into_iter().map(|m| (m, layer)));
                return Some(());
            }
            "same" => {
                self.same.extend(modules.into_iter().map(|m| (what.to_owned(), m)));
                return Some(());
            }
            "only" => RuleKind::Only,
            "deny" => RuleKind::Deny,
            "words" => RuleKind::Words,
            _ => return None,
        };
        for module in modules.iter().filter(|m| *m != "*") {
            self.layers.get(module)?;
        }
        let remedy = remedy.to_owned();
        self.rules.push(Rule { kind, what: words(what), modules, remedy });
        Some(())
    }

    /// Why `from` may not use `to`, if it may not.
    fn objection(&self, from: &str, to: &str) -> Option<String> {
        if from == to || self.same.contains(&(from.to_owned(), to.to_owned())) {
            return None;
        }
        let Some(own) = self.layers.get(from) else {
            return Some(format!("module `{from}` has no layer; give it one in {TABLE}"));
        };
        let Some(other) = self.layers.get(to) else {
            return Some(format!(
                "`{from}` uses `crate::{to}`, which is no module of {TABLE}; name the module that holds it, \
                 or give the new module a layer"
            ));
        };
        let edge = format!("`{from}` (layer {own}) uses `crate::{to}` (layer {other})");
        match own.cmp(other) {
            std::cmp::Ordering::Greater => None,
            std::cmp::Ordering::Equal => Some(format!(
                "{edge}: same layer; move what both need one layer down, or decide for the edge with \
                 `same {from}: {to}` in {TABLE}"
            )),
            std::cmp::Ordering::Less => {
                Some(format!("{edge}: upwards; move what is needed down, or let the upper module pass it in"))
            }
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The module a file belongs to, as a path from the crate root: `src/engine/run.rs` is `engine::run`.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        file.with_extension("").components().skip(1).map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// The top-level module that a path leads to, if it leads out through the crate root.
fn leads_to<'a>(found: &'a Found, module: &[String]) -> Option<&'a str> {
    let segments = &found.segments;
    let first = segments.first()?;
    let own = &module[0];
    let root_of_binary = own == "main" && first == "assize";
    if first == "crate" || root_of_binary {
        return Some(segments.get(1).map_or("*", String::as_str));
    }
    let start = usize::from(first == "self");
    let supers = segments[start..].iter().take_while(|s| *s == "super").count();
    let at_root = own != "main" && own != "lib" && supers > 0 && supers == module.len() + found.depth;
    if at_root { segments.get(start + supers).map(String::as_str) } else { None }
}

fn names(found: &Found, what: &str) -> bool {
    let wanted: Vec<&str> = what.split("::").collect();
    let segments: Vec<&str> = found.segments.iter().map(String::as_str).collect();
    match wanted.as_slice() {
        [single] => segments.first() == Some(single),
        several => segments.windows(several.len()).any(|w| w == several),
    }
}

/// Every objection to one file, as `line: text`, and the edges it uses.
fn examine(table: &Table, file: &Path, source: &Source) -> (Vec<Objection>, Vec<Edge>) {
    let module = module_path(file);
    let own = module[0].as_str();
    let (mut objections, mut edges) = (Vec::new(), Vec::new());
    let paths = source.paths();
    for found in &paths {
        let Some(to) = leads_to(found, &module) else {
            continue;
        };
        edges.push((own.to_owned(), to.to_owned()));
        if own != "lib" {
            objections.extend(table.objection(own, to).map(|why| (found.line, why)));
        }
    }
    let macros = source.macros();
    for rule in &table.rules {
        let listed = rule.modules.iter().any(|m| m == own || m == "*");
        if listed == (rule.kind == RuleKind::Only) {
            continue;
        }
        for what in &rule.what {
            let lines: Vec<usize> = match rule.kind {
                RuleKind::Words => lines_with(source, what),
                _ if what.ends_with('!') => {
                    macros.iter().filter(|(name, _)| name == what).map(|(_, line)| *line).collect()
                }
                _ => paths.iter().filter(|f| names(f, what)).map(|f| f.line).collect(),
            };
            let rule_text = match rule.kind {
                RuleKind::Only => format!("`{what}` belongs to {} only", rule.modules.join(", ")),
                RuleKind::Deny => format!("`{what}` is not allowed in `{own}`"),
                RuleKind::Words => format!("the word `{what}` does not belong in `{own}`"),
            };
            let remedy = &rule.remedy;
            objections.extend(lines.into_iter().map(|line| (line, format!("{rule_text}; {remedy}"))));
        }
    }
    objections.sort();
    objections.dedup();
    (objections, edges)
}

fn lines_with(source: &Source, word: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    for token in &source.tokens {
        for (offset, line) in token.text.lines().enumerate() {
            if line.to_lowercase().contains(word) {
                lines.push(token.line + offset);
            }
        }
    }
    lines
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable directory entry").path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
    into.sort();
}

#[test]
fn the_map_of_modules_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = Table::parse(&fs::read_to_string(root.join(TABLE)).expect(TABLE));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    assert!(files.len() > 2, "no sources found under {}", root.display());

    let (mut objections, mut sources, mut test_files) = (Vec::new(), Vec::new(), Vec::new());
    let mut modules = BTreeSet::new();
    for path in &files {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = path.strip_prefix(root).expect("a file below the root").to_path_buf();
        let lines = text.lines().count();
        if lines > table.longest {
            let (limit, remedy) = (table.longest, &table.longest_remedy);
            objections.push(format!("{}: {lines} lines, limit {limit}; {remedy}", file.display()));
        }
        let source = Source::read(&file, &text);
        test_files.extend(source.test_files.iter().cloned());
        modules.insert(module_path(&file)[0].clone());
        sources.push((file, source));
    }

    let mut used = BTreeSet::new();
    for (file, source) in &sources {
        if test_files.iter().any(|t| file.starts_with(t)) {
            continue;
        }
        let (found, edges) = examine(&table, file, source);
        used.extend(edges);
        objections.extend(found.into_iter().map(|(line, why)| format!("{}:{line}: {why}", file.display())));
    }
    modules.remove("lib");
    let known: BTreeSet<String> = table.layers.keys().cloned().collect();
    for module in modules.symmetric_difference(&known) {
        objections.push(format!("{TABLE}: `{module}` must have a layer exactly when it is in src; add or remove it"));
    }
    for (from, to) in table.same.difference(&used) {
        objections.push(format!("{TABLE}: nothing uses the edge `same {from}: {to}`; remove it"));
    }
    assert!(objections.is_empty(), "\n\n{}\n\n", objections.join("\n"));
}

/// The check itself is checked: each planted line must be found, each harmless one must not.
mod planted {
    use super::*;

    const RULES: &str = "\
layer 0: low\nlayer 1: mid peer\nlayer 2: high\nlayer 3: main\n\
only cel: low -- ask low\nonly std::env: high -- ask high\nonly println!: high -- ask high\n\
deny Instant::now: mid -- pass it\ndeny todo!: * -- do it\nwords vendor: mid -- no vendors\nlines 9 -- split\n";

    fn objections(file: &str, text: &str) -> Vec<String> {
        let file = Path::new(file);
        let (found, _) = examine(&Table::parse(RULES), file, &Source::read(file, text));
        found.into_iter().map(|(line, why)| format!("{line}: {why}")).collect()
    }

    #[track_caller]
    fn found(text: &str, part: &str) {
        let all = objections("src/mid/part.rs", text);
        assert!(all.len() == 1 && all[0].contains(part), "{text}\n{all:#?}");
    }

    #[track_caller]
    fn harmless(text: &str) {
        let all = objections("src/mid/part.rs", text);
        assert!(all.is_empty(), "{text}\n{all:#?}");
    }

    #[test]
    fn edges() {
        found("use crate::high::Thing;", "1: `mid` (layer 1) uses `crate::high` (layer 2): upwards");
        found("\nfn f() { crate::high::go() }", "2: ");
        found("use crate::{low::A,\n high::{B, C as D}};", "2: `mid`");
        found("use crate::{low, peer::{self, P}};", "same layer");
        found("use super::super::high::Thing;", "upwards");
        found("mod inner { use super::super::super::{low, high}; }", "upwards");
        found("use self::super::super::high;", "upwards");
        found("use crate::*;", "no module");
        found("use crate as root;", "no module");
        found("pub(crate) fn f(x: &crate::Moved) {}", "no module");
        harmless("use crate::low::{A, B}; use super::high; use crate::mid::x; pub(crate) struct S;");
        harmless("mod inner { use super::super::high; }");
    }

    #[test]
    fn the_binary_uses_the_library_by_name() {
        assert!(objections("src/main.rs", "fn main() { assize::high::run() }").is_empty());
        assert_eq!(objections("src/main.rs", "use assize::unknown;").len(), 1);
        assert_eq!(objections("src/new/mod.rs", "use crate::low::X;").len(), 1);
    }

    #[test]
    fn names_and_macros() {
        found("use cel::Program;", "`cel` belongs to low only; ask low");
        found("use {cel as c, low as l};", "`cel`");
        found("fn f() { ::cel::run() }", "`cel`");
        found("use std::{io::{self, Write}, env};", "`std::env`");
        found("fn f() { let _ = std::env::var(\"X\"); }", "`std::env`");
        found("fn f() {\n    println!(\"x\");\n}", "2: `println!` belongs to high only");
        found("fn f() { todo!() }", "`todo!` is not allowed");
        found("fn f() { tokio::time::Instant::now(); }", "`Instant::now` is not allowed");
        harmless("fn f() { env!(\"X\"); x.cel(); a::cel(); let cel = 1; cel != 2; Instant::later(); }");
        harmless("/* use cel::A; /* todo!() */ */ // use cel::A;\nconst A: &str = \"use cel::A;\";");
        harmless("const A: &str = r#\"\" todo!() \"#; const B: char = '\"'; fn f<'a>(x: &'a str) { '\\''; }");
        harmless("/// ```\n/// println!();\n/// ```\nfn f() {}");
    }

    #[test]
    fn words_in_code_strings_and_comments() {
        found("// What Vendor does.", "the word `vendor` does not belong in `mid`");
        found("const A: &str = \"\n/VENDOR/v1\";", "2: ");
        found("struct VendorThing;", "1: ");
        harmless("// Nothing special.");
    }

    #[test]
    fn test_code_is_free() {
        harmless("#[cfg(test)]\nmod tests {\n use crate::high; fn f() { todo!() } // vendor\n}");
        harmless("#[cfg(test)]\n#[allow(unused)]\nuse crate::{high, peer};\nfn g() {}");
        harmless("#[cfg(all(test, unix))]\nfn f() { println!() }");
        harmless("#![cfg(test)]\nuse crate::high;");
        found("#[cfg(test)]\nmod tests { }\nuse crate::high;", "3: ");
        found("#[cfg(test)]\nconst A: [u8; 2] = [1, 2];\nuse crate::high;", "3: ");
        found("#[cfg(not(test))]\nuse crate::high;", "2: ");
        found("struct S {\n #[cfg(test)]\n x: u8,\n y: crate::high::Y }", "4: ");
        let source = Source::read(Path::new("src/mid/mod.rs"), "#[cfg(test)]\nmod tests;");
        assert!(source.test_files.contains(&PathBuf::from("src/mid/tests.rs")));
        let source = Source::read(Path::new("src/mid/part.rs"), "#[cfg(test)]\n#[path = \"p.rs\"]\nmod tests;");
        assert_eq!(source.test_files, [PathBuf::from("src/mid/p.rs")]);
    }
}
