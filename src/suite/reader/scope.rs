//! Which names are defined at a place of a suite file.
//!
//! A name counts as defined when some way through the steps above defines it: a step under `when` may or may not run, and
//! only the run can tell. What no way defines is an error.

use std::collections::BTreeSet;

use super::super::codes;
use super::{OutputUse, Reader};
use crate::text::yaml::Node;
use crate::text::{Diagnostic, Span, did_you_mean};

/// Always defined.
const CONSTANT: &[&str] = &["target", "run"];
/// Defined in suites whose family logs in.
const SESSION: &str = "session";
/// Defined once there was a response.
const RESPONSE: &[&str] = &["status", "headers", "body", "text", "url", "path", "elapsed_ms", "at_ms"];
/// Set by some steps for the steps behind them.
const KEPT: &[&str] = &["responses", "crawled"];

/// Names for each resource of a crawl.
pub(super) const CRAWL: &[&str] = &["referrer"];
/// Names for each exchange of a fixture.
pub(super) const OVER: &[&str] = &["method", "referrer"];
/// Names while frames are received.
pub(super) const FRAMES: &[&str] = &["frame", "frames", "arrivals", "ended", "end"];

/// Whether the name belongs to the harness in every suite.
fn is_reserved(name: &str) -> bool {
    CONSTANT.contains(&name) || RESPONSE.contains(&name) || KEPT.contains(&name) || !crate::expr::is_variable_name(name)
}

/// What is defined.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    own: BTreeSet<String>,
    /// There was a request, so the variables of the last response are there.
    pub(super) response: bool,
    /// Requests are sent within a session.
    session: bool,
}

impl Names {
    pub(super) fn define(&mut self, name: &str) {
        if !self.own.contains(name) {
            self.own.insert(name.to_owned());
        }
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.own.remove(name);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.own.contains(name)
            || CONSTANT.contains(&name)
            || (self.response && RESPONSE.contains(&name))
            || (self.session && name == SESSION)
    }

    /// Takes over what another way through the steps defines.
    pub(super) fn merge(&mut self, other: Names) {
        self.own.extend(other.own);
        self.response |= other.response;
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let response: &[&str] = if self.response { RESPONSE } else { &[] };
        let session = self.session.then_some(SESSION);
        self.own
            .iter()
            .map(String::as_str)
            .chain(CONSTANT.iter().copied())
            .chain(response.iter().copied())
            .chain(session)
    }
}

impl Reader {
    /// Only what is always defined.
    pub(super) fn constant_names(&self) -> Names {
        Names { session: self.in_session, ..Names::default() }
    }

    /// Whether a case may not use the name for its own variables.
    pub(super) fn is_reserved(&self, name: &str) -> bool {
        is_reserved(name) || (self.in_session && name == SESSION)
    }

    /// Reads something with names that only it can see. A variable of the same name would be hidden: which of the two is
    /// meant, nobody could tell.
    pub(super) fn with_bound<T>(&mut self, place: Span, bound: &[&str], read: impl FnOnce(&mut Reader) -> T) -> T {
        let (hidden, new): (Vec<&str>, Vec<&str>) =
            bound.iter().copied().partition(|name| self.names.own.contains(*name));
        if let Some(name) = hidden.first() {
            let message = format!("this step binds `{name}`, which is already a variable");
            self.error(codes::RESERVED_NAME, place, message, "rename one of them");
        }
        for name in &new {
            self.names.define(name);
        }
        let result = read(self);
        for name in new {
            self.names.forget(name);
        }
        result
    }

    /// Checks the variables that an expression or template (all of `text`) reads.
    pub(super) fn check_names<'v>(
        &mut self,
        node: &Node,
        text: &str,
        plain: bool,
        variables: impl Iterator<Item = &'v str>,
    ) {
        for name in variables {
            if !self.names.has(name) {
                self.unknown_name(node, text, plain, name);
            } else if let Some(fixture) = self.aliases.get(name) {
                let fixture = fixture.clone();
                self.check_outputs(node, text, plain, name, &fixture);
            }
        }
    }

    fn unknown_name(&mut self, node: &Node, text: &str, plain: bool, name: &str) {
        let span = match find_name(text, plain, name).first() {
            Some(found) => self.locate(node, text, found.start, name.len()),
            None => self.head(node.span),
        };
        let (message, help) = if RESPONSE.contains(&name) {
            let message = format!("`{name}` is read before there is a response");
            (message, "send a request first, in the same list of steps".to_owned())
        } else if let Some(place) = bound_place(name) {
            (format!("`{name}` is not defined here"), format!("it exists only {place}"))
        } else {
            let known: Vec<&str> = self.names.all().collect();
            let help = match did_you_mean(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.in_group => {
                    "a group sees only its parameters and what it sets itself; add a parameter".to_owned()
                }
                None => format!("defined here: `{}`", known.join("`, `")),
            };
            (format!("unknown variable `{name}`"), help)
        };
        self.report(Diagnostic::error(codes::UNKNOWN_VARIABLE, message).label(span, "").help(help));
    }

    /// Checks `alias.output` against what the fixture hands out.
    fn check_outputs(&mut self, node: &Node, text: &str, plain: bool, alias: &str, fixture: &str) {
        for found in find_name(text, plain, alias) {
            let Some(output) = selected(text, found.end) else {
                continue;
            };
            let span = self.locate(node, text, found.end + 1, output.len());
            match self.facts.outputs_of(&self.suite_id, fixture) {
                None => self.foreign.push(OutputUse { fixture: fixture.to_owned(), output: output.to_owned(), span }),
                Some(outputs) if outputs.iter().any(|name| name == output) => {}
                Some(outputs) => {
                    let diagnostic = unknown_output(fixture, output, span, outputs);
                    self.report(diagnostic);
                }
            }
        }
    }
}

/// Where a name that some steps bind can be read.
fn bound_place(name: &str) -> Option<&'static str> {
    Some(match name {
        "frame" | "frames" | "arrivals" | "ended" | "end" => "in `until`, `expect` and `save` of a `receive` step",
        "responses" => "in `expect` of a `parallel` step and behind it",
        "crawled" => "behind a `crawl` step",
        "method" => "in the checks of `over`",
        "referrer" => "in the checks of `crawl` and `over`",
        _ => return None,
    })
}

/// The diagnostic for an output that the fixture does not have.
pub(in crate::suite) fn unknown_output(fixture: &str, output: &str, span: Span, outputs: &[String]) -> Diagnostic {
    let help = match did_you_mean(output, outputs.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if outputs.is_empty() => "give the fixture `outputs:`".to_owned(),
        None => format!("its outputs are `{}`", outputs.join("`, `")),
    };
    let message = format!("fixture `{fixture}` has no output `{output}`");
    Diagnostic::error(codes::UNKNOWN_OUTPUT, message).label(span, "").help(help)
}

/// The name behind `.` at this place, unless it is called like a function.
fn selected(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?.strip_prefix('.')?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let name = rest.get(..end)?;
    let called = rest.get(end..)?.starts_with('(');
    (!name.is_empty() && !called).then_some(name)
}

/// Where a name stands as an identifier of its own in an expression (`plain`) or in the `${…}` parts of a text.
pub(super) fn find_name(text: &str, plain: bool, name: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    // Nesting of braces inside `${…}`; in a plain expression everything is inside.
    let mut depth = usize::from(plain);
    let mut before = b' ';
    while let Some(&byte) = bytes.get(at) {
        if depth == 0 {
            match (byte, bytes.get(at + 1), bytes.get(at + 2)) {
                (b'$', Some(b'$'), Some(b'{')) => at += 3,
                (b'$', Some(b'{'), _) => {
                    depth = 1;
                    at += 2;
                }
                _ => at += 1,
            }
            before = b' ';
            continue;
        }
        match byte {
            b'\'' | b'"' => at = behind_string(bytes, at),
            b'{' => depth += 1,
            b'}' if !plain || depth > 1 => depth -= 1,
            _ if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let length =
                    bytes.iter().skip(at).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                if before != b'.' && text.get(at..at + length) == Some(name) {
                    found.push(at..at + length);
                }
                at += length;
                before = b'a';
                continue;
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
        at += 1;
    }
    found
}

/// The offset of the quote that ends a string literal.
fn behind_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes.get(start).copied();
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' {
            at += 1;
        } else if Some(byte) == quote {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_identifiers_only() {
        let at = |text: &str, plain, name: &str| -> Vec<usize> {
            find_name(text, plain, name).into_iter().map(|range| range.start).collect()
        };
        assert_eq!(at("a.b + b == 'b' + b_ + b", true, "b"), [6, 22]);
        assert_eq!(at("b/${ {'x': b} }/${b}", false, "b"), [11, 18]);
        assert_eq!(at("say \"b\" ${'\\'b' + b}", false, "b"), [18]);
        assert_eq!(selected("x.name == 1", 1), Some("name"));
        assert_eq!(selected("x.size()", 1), None);
        assert_eq!(selected("x['a']", 1), None);
    }
}
