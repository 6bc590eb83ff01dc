//! The files of one run that lie together: a folder as hydrophone writes it, an unpacked or packed Sonobuoy archive of the old
//! layout (`e2e/results/…`) or the new one (`plugins/e2e/results/global/…`). Each file is read as a stream and known by its name;
//! what is not known is passed over.

use std::io::{self, BufRead, BufReader, Read};

use serde_json::Value;

use super::e2e_log::Log;
use super::facts::Facts;
use super::source::Trouble;
use super::{Damage, Entry, Format, Reading, junit, tree};

/// Largest small document, in bytes.
const SMALL: u64 = 4 << 20;
/// Deepest value of a small document that is looked at.
const DEEPEST: usize = 32;

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `junit_01.xml`; several when the run was parallel.
    Junit,
    /// `e2e.log`.
    Log,
    /// `sonobuoy_results.yaml`.
    Tree,
    /// `definition.json`: the plugin as it was run.
    Definition,
    /// `serverversion.json`.
    Server,
    /// `error.json`: what the collector could not do.
    Error,
}

impl Kind {
    fn of(path: &str) -> Option<Kind> {
        let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let file = parts.pop()?;
        // Dumps of the cluster hold files of anybody.
        if parts.iter().any(|part| matches!(*part, "podlogs" | "resources" | "hosts")) {
            return None;
        }
        let is_xml = file.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("xml"));
        match file {
            "e2e.log" => Some(Kind::Log),
            "sonobuoy_results.yaml" => Some(Kind::Tree),
            "definition.json" => Some(Kind::Definition),
            "serverversion.json" => Some(Kind::Server),
            "error.json" if parts.contains(&"errors") => Some(Kind::Error),
            "junit_runner.xml" => None,
            _ if file.starts_with("junit") && is_xml => Some(Kind::Junit),
            _ => None,
        }
    }
}

/// Whether a file says something that is read.
pub fn is_member(path: &str) -> bool {
    Kind::of(path).is_some()
}

/// Files of one run, read one after the other.
pub(super) struct Members<'s> {
    sink: &'s mut dyn FnMut(Entry),
    notes: Vec<String>,
    facts: Facts,
    damage: Option<Damage>,
    /// The tests of summary trees. They count only where there is no JUnit, which says more.
    tree: Vec<Entry>,
    trees: u32,
}

impl<'s> Members<'s> {
    pub fn new(sink: &'s mut dyn FnMut(Entry)) -> Members<'s> {
        Members { sink, notes: Vec::new(), facts: Facts::default(), damage: None, tree: Vec::new(), trees: 0 }
    }

    /// Reads a file, if it is one that is known.
    pub fn take(&mut self, path: &str, input: &mut dyn Read) -> io::Result<()> {
        let Some(kind) = Kind::of(path) else { return Ok(()) };
        let mut input: BufReader<&mut dyn Read> = BufReader::with_capacity(64 << 10, input);
        let ended = match kind {
            Kind::Junit => {
                self.facts.documents += 1;
                let input: &mut dyn BufRead = &mut input;
                junit::read(input, self.sink, &mut self.notes, &mut self.facts)
            }
            Kind::Log => Log::read(&mut input).map_err(Trouble::from).map(|log| self.log(log)),
            Kind::Tree => {
                self.trees += 1;
                let mut bytes = Vec::new();
                let read = input.take(tree::LARGEST).read_to_end(&mut bytes).map_err(Trouble::from);
                let tests = &mut self.tree;
                read.and_then(|_| tree::read(&bytes, &mut |entry| tests.push(entry)))
            }
            Kind::Definition | Kind::Server | Kind::Error => small(input).map(|value| self.small(kind, path, &value)),
        };
        match ended {
            Ok(()) => Ok(()),
            Err(Trouble::Io(error)) => Err(error),
            Err(Trouble::Damage(damage)) => {
                let what = format!("{path}, {damage}");
                self.damage.get_or_insert(Damage { at: damage.at, what });
                Ok(())
            }
        }
    }

    fn log(&mut self, log: Log) {
        if let Some(why) = &log.dry_run {
            self.facts.is_dry(why.clone());
        }
        self.facts.log = Some(log);
    }

    fn small(&mut self, kind: Kind, path: &str, value: &Value) {
        match kind {
            Kind::Server => {
                let version = value.get("gitVersion").and_then(Value::as_str);
                self.facts.server = version.map(str::to_owned).or(self.facts.server.take());
            }
            Kind::Definition if has_dry_run(value, 0) => {
                self.facts.is_dry("E2E_DRYRUN is set in the definition of the plugin");
            }
            Kind::Error => {
                let why = value.get("error").map_or_else(String::new, |why| match why {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                self.notes.push(format!("{path}: {}", super::reason::one_line(&why)));
            }
            _ => {}
        }
    }

    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub fn is_damaged(&mut self, damage: Damage) {
        self.damage.get_or_insert(damage);
    }

    /// What was read.
    pub fn finish(mut self) -> Reading {
        if self.facts.documents == 0 {
            self.tree.drain(..).for_each(&mut *self.sink);
        }
        if self.facts.documents == 0 && self.trees == 0 {
            let what = if self.facts.log.is_some() { "there is a log, but" } else { "there is" };
            self.notes.push(format!("{what} no junit_01.xml and no sonobuoy_results.yaml"));
        }
        Reading { format: Format::Files, damage: self.damage, notes: self.notes, facts: self.facts }
    }
}

fn small(input: impl Read) -> Result<Value, Trouble> {
    serde_json::from_reader(input.take(SMALL)).map_err(|error| match error.io_error_kind() {
        Some(kind) => Trouble::Io(kind.into()),
        None => Trouble::at(0, format!("the document is cut or is no JSON: {error}")),
    })
}

/// Whether a variable of the container makes the run a dry one.
fn has_dry_run(value: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match value {
        Value::Object(map) => {
            let of = |key: &str| map.get(key).and_then(Value::as_str);
            let is_set = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "t" | "y");
            let here = of("name") == Some("E2E_DRYRUN") && of("value").is_some_and(is_set);
            here || map.values().any(|value| has_dry_run(value, depth + 1))
        }
        Value::Array(items) => items.iter().any(|value| has_dry_run(value, depth + 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        for (path, kind) in [
            ("plugins/e2e/results/global/junit_01.xml", Some(Kind::Junit)),
            ("./e2e/results/junit_12.xml", Some(Kind::Junit)),
            ("plugins/e2e/results/global/e2e.log", Some(Kind::Log)),
            ("plugins/e2e/errors/global/error.json", Some(Kind::Error)),
            ("podlogs/x/junit_01.xml", None),
            ("resources/ns/x/e2e.log", None),
            ("junit_runner.xml", None),
            ("error.json", None),
            ("", None),
            ("../../serverversion.json", Some(Kind::Server)),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }
}
