//! JUnit XML, of which there are many dialects: nested suites, status in children or in an attribute, names with and
//! without their class. What an element says counts, not the totals of a suite.
//!
//! A document type is refused, so there are no entities to expand; depth, attributes and the size of one element are
//! bounded.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::capability::{Outcome, upstream_id};

use super::source::{Tail, Trouble};
use super::{Entry, Facts, reason};

/// Deepest element.
const DEEPEST: usize = 64;
/// Largest tag or text, in bytes.
const LARGEST: u64 = 64 << 20;
/// Most attributes of an element that are looked at.
const MOST_ATTRIBUTES: usize = 64;

/// Reads a document.
pub fn read(
    input: impl BufRead,
    sink: &mut dyn FnMut(Entry),
    notes: &mut Vec<String>,
    facts: &mut Facts,
) -> Result<(), Trouble> {
    let mut reader = Reader::from_reader(Bounded { inner: input, left: LARGEST });
    let mut document = Document { sink, facts, path: Vec::new(), case: None, suites: Vec::new(), cases: 0 };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().left = LARGEST;
        let at = reader.buffer_position();
        let ended = match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => return document.eof(at, notes),
            Ok(event) => document.event(&event, at),
            Err(error) => Err(trouble(&error, reader.error_position().max(at))),
        };
        if let Err(trouble) = ended {
            document.cut_case();
            return Err(trouble);
        }
    }
}

fn trouble(error: &Error, at: u64) -> Trouble {
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Trouble::at(at, format!("this element has more than {LARGEST} bytes"))
        }
        Error::Io(error) => Trouble::Io(io::Error::new(error.kind(), error.to_string())),
        Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            Trouble::at(at, format!("</{found}> stands where </{expected}> should"))
        }
        error => Trouble::at(at, format!("the XML is cut or damaged: {error}")),
    }
}

/// Gives up on elements that are too large to be held.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count as u64);
        self.inner.consume(count);
    }
}

/// Elements that say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Suites,
    Suite,
    Case,
    Bad(Outcome),
    /// A failed attempt before a pass.
    Flaky,
    Other,
}

impl Element {
    fn of(name: &[u8]) -> Element {
        match name {
            b"testsuites" => Element::Suites,
            b"testsuite" => Element::Suite,
            b"testcase" => Element::Case,
            b"failure" | b"rerunFailure" => Element::Bad(Outcome::Fail),
            b"error" | b"rerunError" => Element::Bad(Outcome::Error),
            b"skipped" => Element::Bad(Outcome::Skip),
            b"flakyFailure" | b"flakyError" => Element::Flaky,
            _ => Element::Other,
        }
    }
}

/// A test case that is being read.
struct Case {
    entry: Entry,
    /// What the `status` attribute says.
    stated: Outcome,
    ids: Vec<String>,
    message: String,
    text: Tail,
    /// Whether the text of the element that is open is the reason.
    wanted: bool,
}

struct Document<'s> {
    sink: &'s mut dyn FnMut(Entry),
    facts: &'s mut Facts,
    path: Vec<Element>,
    case: Option<Case>,
    /// Times of the suites that are open.
    suites: Vec<Option<Timestamp>>,
    cases: u64,
}

impl Document<'_> {
    fn event(&mut self, event: &Event<'_>, at: u64) -> Result<(), Trouble> {
        match event {
            Event::DocType(_) => {
                return Err(Trouble::at(at, "the XML has a document type, which could define entities: refused"));
            }
            Event::Start(element) => self.begin(element, at)?,
            Event::Empty(element) => {
                self.begin(element, at)?;
                self.end();
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(text),
            Event::CData(text) => self.text(text),
            Event::GeneralRef(reference) => self.text(referred(reference).as_bytes()),
            _ => {}
        }
        Ok(())
    }

    fn eof(&mut self, at: u64, notes: &mut Vec<String>) -> Result<(), Trouble> {
        self.cut_case();
        if !self.path.is_empty() {
            return Err(Trouble::at(at, "the XML ends before its elements do"));
        }
        if self.cases == 0 {
            notes.push("the XML has no `testcase`".to_owned());
        }
        Ok(())
    }

    /// A case whose end is missing may still have said that it failed, but never that it passed.
    fn cut_case(&mut self) {
        if let Some(case) = &mut self.case {
            case.bad(Outcome::Error, "the results end within this test");
            self.end_case();
        }
    }

    fn begin(&mut self, element: &BytesStart<'_>, at: u64) -> Result<(), Trouble> {
        let kind = Element::of(element.local_name().as_ref());
        if self.path.is_empty() && !matches!(kind, Element::Suites | Element::Suite) {
            let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
            return Err(Trouble::at(at, format!("the root element is <{name}>, not <testsuites> or <testsuite>")));
        }
        if self.path.len() >= DEEPEST {
            return Err(Trouble::at(at, format!("elements are nested more than {DEEPEST} deep")));
        }
        self.path.push(kind);
        match (kind, &mut self.case) {
            (Element::Suite, None) => self.suites.push(attribute(element, "timestamp").and_then(|text| time(&text))),
            (Element::Case, None) => {
                self.case = Some(Case::begin(element, self.suites.iter().rev().find_map(|time| *time), at));
            }
            (Element::Bad(outcome), Some(case)) => case.child(element, outcome),
            (Element::Flaky, Some(case)) => case.entry.flaky = true,
            (Element::Other, Some(case)) => case.property(element),
            (Element::Other, None) if element.local_name().as_ref() == b"property" => {
                let of = |name: &str| attribute(element, name).unwrap_or_default();
                self.facts.property(&of("name"), &of("value"));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) {
        match self.path.pop() {
            Some(Element::Suite) if self.case.is_none() => drop(self.suites.pop()),
            Some(Element::Case) if !self.path.contains(&Element::Case) => self.end_case(),
            Some(Element::Bad(_)) => {
                if let Some(case) = &mut self.case {
                    case.wanted = false;
                }
            }
            _ => {}
        }
    }

    fn end_case(&mut self) {
        if let Some(case) = self.case.take() {
            self.cases += 1;
            (self.sink)(case.finish());
        }
    }

    fn text(&mut self, text: &[u8]) {
        if let Some(case) = self.case.as_mut().filter(|case| case.wanted) {
            case.text.push(text);
        }
    }
}

impl Case {
    fn begin(element: &BytesStart<'_>, started: Option<Timestamp>, at: u64) -> Case {
        let own = |name: &str| attribute(element, name).unwrap_or_default();
        let name = full_name(&own("classname"), &own("name"));
        let mut entry = Entry::new(&name, Outcome::Pass, at);
        entry.started = attribute(element, "timestamp").and_then(|text| time(&text)).or(started);
        entry.duration = seconds(&own("time"));
        let words = [own("status"), own("result")];
        let stated = words.iter().map(|word| stated(word)).fold(Outcome::Pass, Outcome::worst);
        Case { entry, stated, ids: Vec::new(), message: String::new(), text: Tail::default(), wanted: false }
    }

    /// Takes up a bad outcome; the worst one counts, and its reason.
    fn bad(&mut self, outcome: Outcome, message: &str) -> bool {
        let worse = self.entry.outcome.worst(outcome) != self.entry.outcome;
        if worse {
            self.entry.outcome = outcome;
            self.text = Tail::default();
            message.clone_into(&mut self.message);
        }
        worse
    }

    fn child(&mut self, element: &BytesStart<'_>, outcome: Outcome) {
        let kind = attribute(element, "type").unwrap_or_default();
        // pytest writes an expected failure as skipped.
        let outcome = if kind == "pytest.xfail" { Outcome::Fail } else { outcome };
        self.wanted = self.bad(outcome, &attribute(element, "message").unwrap_or_default());
        if self.wanted && kind.ends_with("UnexpectedSuccess") {
            self.message.push_str("it passed, although it was expected to fail");
        }
    }

    /// An id may stand among the properties of a case.
    fn property(&mut self, element: &BytesStart<'_>) {
        if element.local_name().as_ref() != b"property" {
            return;
        }
        let name = attribute(element, "name").unwrap_or_default();
        if matches!(name.as_str(), "idempotent_id" | "uuid") {
            self.ids.extend(attribute(element, "value").as_deref().and_then(upstream_id));
        }
    }

    fn finish(self) -> Entry {
        let mut entry = self.entry;
        entry.name.ids.extend(self.ids);
        let mut why = reason::one_line(&self.message);
        if why.is_empty() && !self.text.is_empty() {
            why = reason::of_traceback(&self.text.text());
        }
        if entry.outcome.is_pass() && self.stated != Outcome::Pass {
            entry.outcome = self.stated;
            why = "its status says so".to_owned();
        }
        entry.because(why)
    }
}

/// The whole name. Sentences stand alone; names of functions need their class.
fn full_name(class: &str, name: &str) -> String {
    let (class, name) = (class.trim(), name.trim());
    let name = name.strip_prefix("[It] ").unwrap_or(name);
    let dotted = class.strip_suffix('.').unwrap_or(class);
    // Writers that cut at the last dot tear `setUpClass (a.b)` apart.
    if class.contains(" (") && !class.contains(')') && name.ends_with(')') {
        return format!("{class}.{name}");
    }
    let sentence = name.contains(char::is_whitespace) || dotted.contains(char::is_whitespace) || name.starts_with('[');
    let has_it = name.strip_prefix(dotted).is_some_and(|rest| rest.starts_with('.'));
    if dotted.is_empty() || sentence || has_it { name.to_owned() } else { format!("{dotted}.{name}") }
}

/// What the word of a status means; most mean that children tell.
fn stated(word: &str) -> Outcome {
    match word.to_ascii_lowercase().as_str() {
        "failed" | "fail" | "failure" | "panicked" | "timedout" | "interrupted" | "aborted" => Outcome::Fail,
        "error" => Outcome::Error,
        "skipped" | "skip" | "pending" | "disabled" | "suppressed" => Outcome::Skip,
        "notrun" | "not run" => Outcome::NotRun,
        _ => Outcome::Pass,
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = element.attributes();
    let all = all.with_checks(false).take(MOST_ATTRIBUTES).flatten();
    let raw = all.into_iter().find(|one| one.key.local_name().as_ref() == name.as_bytes())?.value;
    let text = String::from_utf8_lossy(&raw).into_owned();
    Some(quick_xml::escape::unescape(&text).map(std::borrow::Cow::into_owned).unwrap_or(text))
}

/// The character of a reference. References that are not of XML itself stay as they are.
fn referred(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(one)) = reference.resolve_char_ref() {
        return one.to_string();
    }
    let name = String::from_utf8_lossy(reference);
    resolve_xml_entity(&name).map_or_else(|| format!("&{name};"), str::to_owned)
}

/// Seconds, perhaps with separators of thousands.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().replace(',', "").parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// A time; one without a zone is taken for UTC.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_whole() {
        let cases = [
            ("a.b.C", "test_x[id-1]", "a.b.C.test_x[id-1]"),
            ("", "setUpClass (a.b.C)", "setUpClass (a.b.C)"),
            ("setUpClass (a.b", "C)", "setUpClass (a.b.C)"),
            ("Kubernetes e2e suite", "[It] [sig-x] Pods run [Conformance]", "[sig-x] Pods run [Conformance]"),
            ("a.b", "a.b.test_x", "a.b.test_x"),
            ("a.b", "a.bc", "a.b.a.bc"),
            ("", "plain", "plain"),
        ];
        for (class, name, wanted) in cases {
            assert_eq!(full_name(class, name), wanted);
        }
    }

    #[test]
    fn numbers_and_times() {
        assert_eq!(seconds("1,234.5"), Some(Duration::from_millis(1_234_500)));
        for bad in ["-1", "x", "NaN", "inf", "1e400", ""] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert_eq!(time("2026-01-02T03:04:05"), time("2026-01-02T03:04:05Z"));
        assert!(time("2026-01-02T03:04:05.5+01:00").is_some() && time("yesterday").is_none());
    }
}
