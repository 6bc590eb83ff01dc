//! From the YAML tree to the typed model, with every problem reported at once.
//!
//! The reader walks the tree once. On the way it keeps track of what is defined at each place ([`scope`]), so that a
//! misspelt variable is an error before anything is sent. What can only be said about a case as a whole is in
//! `crate::suite::lint`; what concerns several files, in the catalogue.

mod case;
mod expect;
mod expression;
mod fields;
mod matcher;
mod prescan;
mod request;
mod scope;
mod step;
mod stream;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::codes;
use super::deferred::SuiteFile;
use super::family::{Family, PlanLine};
use super::keys::{self, Object};
use super::model::{Case, Suite};
use crate::canon::digest_bytes;
use crate::expr::Template;
use crate::text::yaml::{self, Node};
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span};

pub(super) use prescan::{arrows, circles};
pub(super) use scope::unknown_output;

use fields::Fields;
use prescan::Facts;
use scope::Names;

/// Newest version of the language.
const FORMAT: i64 = 1;

/// An output of a fixture in another file that an expression reads; the catalogue checks it.
#[derive(Debug, Clone)]
pub(super) struct OutputUse {
    /// Full id of the fixture.
    pub(super) fixture: String,
    /// Name of the output.
    pub(super) output: String,
    /// Where it is read.
    pub(super) span: Span,
}

/// Reads one suite file. The suite is there when no diagnostic is an error.
pub fn read_suite(source: Arc<SourceFile>) -> (Option<Suite>, Diagnostics) {
    let (suite, _, diagnostics) = read_with_uses(SuiteFile::Text(Arc::clone(&source)), source, &|_| false, false);
    (suite, diagnostics)
}

/// [`read_suite`], and what it reads of fixtures in other files. `file` is where `source` comes from; `logged_in` tells whether cases of the suite of that id
/// have the variable `session`; with `defers` steps are not kept where they can be read again.
pub(super) fn read_with_uses(
    file: SuiteFile,
    source: Arc<SourceFile>,
    logged_in: &dyn Fn(&str) -> bool,
    defers: bool,
) -> (Option<Suite>, Vec<OutputUse>, Diagnostics) {
    let node = match yaml::parse(&source) {
        Ok(node) => node,
        Err(problems) => return (None, Vec::new(), problems),
    };
    let mut reader = Reader::new(source, &node);
    reader.file = file;
    reader.defers = defers;
    let suite = reader.suite(&node, logged_in);
    let mut suite = if reader.out.has_errors() { None } else { suite };
    if let (Some(suite), SuiteFile::Stored(_), true) = (&mut suite, &reader.file, defers) {
        // Through an alias, what is kept may stand on the lines of what is not.
        let deferred: Vec<Span> = if may_have_anchors(&suite.source.text) {
            Vec::new()
        } else {
            suite.cases.iter().filter_map(Case::deferred_lines).collect()
        };
        suite.source = Arc::new(suite.source.outline(&deferred));
    }
    let problems = in_order(reader.out);
    (suite, reader.foreign, problems)
}

/// Whether there may be an anchor in a text; an ampersand that is none does no harm.
fn may_have_anchors(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| rest.starts_with(|c: char| !c.is_whitespace()))
}

/// Reads `suites/<family>/family.yaml`.
pub fn read_family(source: Arc<SourceFile>) -> (Option<Family>, Diagnostics) {
    let node = match yaml::parse(&source) {
        Ok(node) => node,
        Err(problems) => return (None, problems),
    };
    let mut reader = Reader::new(source, &node);
    let family = reader.family(&node);
    let family = if reader.out.has_errors() { None } else { family };
    (family, in_order(reader.out))
}

/// What a case cannot be read without, besides its own text.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) file: SuiteFile,
    facts: Arc<Facts>,
    suite_id: String,
    in_session: bool,
}

/// Reads a case again, from its lines, which begin at `start` and have `column` bytes before it; `None` only by a defect, since
/// reading it was tried.
pub(super) fn read_again(origin: &Origin, lines: &Arc<SourceFile>, start: usize, column: usize) -> Option<Case> {
    let node = yaml::parse_part(start, &lines.text, column)?;
    let mut reader = Reader::with(Arc::clone(lines), Arc::clone(&origin.facts));
    reader.suite_id.clone_from(&origin.suite_id);
    reader.in_session = origin.in_session;
    let case = reader.case(&node, &keys::CASE);
    case.filter(|_| reader.errors == 0)
}

/// The diagnostics in the order of the file, as a person corrects them.
fn in_order(problems: Diagnostics) -> Diagnostics {
    let mut sorted: Vec<Diagnostic> = problems.into_iter().collect();
    sorted.sort_by_key(|problem| problem.labels.first().map_or(0, |label| label.span.start));
    sorted.into_iter().collect()
}

/// State of the walk.
struct Reader {
    source: Arc<SourceFile>,
    /// Where the source comes from.
    file: SuiteFile,
    /// Titles of deferred cases, each once.
    titles: HashSet<Arc<str>>,
    out: Diagnostics,
    errors: usize,
    facts: Arc<Facts>,
    suite_id: String,
    /// Where the ids of cases and fixtures stand first.
    ids: BTreeMap<String, Span>,
    /// What is defined at the present place.
    names: Names,
    /// Fixtures by alias, in the present case.
    aliases: BTreeMap<String, String>,
    /// Streams open in the present case.
    streams: BTreeSet<String>,
    /// In a group, what the caller did before is not known.
    in_group: bool,
    /// In `undo` and `lost` there is no second clean-up.
    in_cleanup: bool,
    /// In the value of a `let` variable, the only place for a new secret.
    in_let: bool,
    /// Cases of this suite send their requests within a session.
    in_session: bool,
    /// The steps of cases are dropped when they were checked.
    defers: bool,
    used_groups: BTreeSet<String>,
    foreign: Vec<OutputUse>,
    unremoved: Vec<(Span, Vec<String>)>,
}

impl Reader {
    fn new(source: Arc<SourceFile>, root: &Node) -> Reader {
        Reader::with(source, Arc::new(Facts::of(root)))
    }

    fn with(source: Arc<SourceFile>, facts: Arc<Facts>) -> Reader {
        Reader {
            file: SuiteFile::Text(Arc::clone(&source)),
            titles: HashSet::new(),
            source,
            out: Diagnostics::new(),
            errors: 0,
            facts,
            suite_id: String::new(),
            ids: BTreeMap::new(),
            names: Names::default(),
            aliases: BTreeMap::new(),
            streams: BTreeSet::new(),
            in_group: false,
            in_cleanup: false,
            in_let: false,
            in_session: false,
            defers: false,
            used_groups: BTreeSet::new(),
            foreign: Vec::new(),
            unremoved: Vec::new(),
        }
    }

    /// Adds a diagnostic about this file.
    fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity == crate::text::Severity::Error {
            self.errors += 1;
        }
        self.out.push(diagnostic.source(&self.source));
    }

    /// Adds an error at a place.
    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let span = self.head(span);
        self.report(Diagnostic::error(code, message).label(span, "").help(help));
    }

    /// Adds a warning at a place.
    fn warn(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let span = self.head(span);
        self.report(Diagnostic::warning(code, message).label(span, "").help(help));
    }

    /// The part of a span on its first line: a caret under forty lines helps nobody.
    fn head(&self, span: Span) -> Span {
        let first = self.source.slice(span).lines().next().unwrap_or_default().trim_end();
        Span::new(span.start, span.start + first.len().max(usize::from(span.end > span.start)))
    }

    /// Checks `format`; a file of another format is not read further, since nothing is known about its keys.
    fn format(&mut self, node: &Node, object: &'static Object) -> bool {
        let noun = object.name;
        if node.is_null() {
            self.error(
                codes::FORMAT,
                node.span,
                format!("the {noun} file is empty"),
                format!("begin it with `format: {FORMAT}`"),
            );
            return false;
        }
        if node.as_map().is_none() {
            let message = format!("a {noun} file is a mapping, found {}", node.kind_name());
            self.error(codes::WRONG_TYPE, node.span, message, format!("begin it with `format: {FORMAT}`"));
            return false;
        }
        let Some(value) = node.get("format") else {
            let span = fields::first_key(node);
            self.error(codes::FORMAT, span, "`format` is missing", format!("add `format: {FORMAT}` as the first line"));
            return true;
        };
        match value.as_i64() {
            Some(FORMAT) => true,
            Some(newer) if newer > FORMAT => {
                let message =
                    format!("{noun} format {newer} is newer than this tool understands ({FORMAT}); use a newer assize");
                self.error(codes::FORMAT, value.span, message, "update assize");
                false
            }
            _ => {
                let message = format!("`format` is the version of the language, a number from 1 to {FORMAT}");
                self.error(codes::FORMAT, value.span, message, format!("write `format: {FORMAT}`"));
                true
            }
        }
    }

    fn suite(&mut self, node: &Node, logged_in: &dyn Fn(&str) -> bool) -> Option<Suite> {
        if !self.format(node, &keys::SUITE) {
            return None;
        }
        let fields = self.fields(node, &keys::SUITE)?;
        let id = self.suite_id(&fields);
        self.suite_id = id.clone().unwrap_or_default();
        self.in_session = logged_in(&self.suite_id);
        let title = self.required_text(&fields, "title");
        let service = fields.get("service").map(|node| self.text(node));
        self.names = self.constant_names();
        let headers = fields.get("headers").map(|node| self.header_templates(node)).unwrap_or_default();
        self.prescan_problems();
        let groups = fields.get("groups").map(|node| self.groups(node)).unwrap_or_default();
        let fixtures = self.cases(&fields, "fixtures", &keys::FIXTURE, &groups);
        let cases = self.cases(&fields, "cases", &keys::CASE, &groups);
        if cases.is_empty() && fixtures.is_empty() && fields.get("cases").is_none() {
            let help = "add `cases:` with at least one case, or `fixtures:` for other suites";
            self.error(codes::EMPTY, fields.key_span("suite"), "the suite has neither cases nor fixtures", help);
        }
        self.unused_groups();
        let id = id?;
        Some(Suite {
            family: id.split('.').next().unwrap_or_default().to_owned(),
            title: title?,
            service: match service {
                Some(read) => Some(read?),
                None => None,
            },
            headers,
            fixtures,
            groups,
            cases,
            digest: digest_bytes(self.source.text.as_bytes()),
            unremoved: std::mem::take(&mut self.unremoved),
            source: Arc::clone(&self.source),
            id,
        })
    }

    fn suite_id(&mut self, fields: &Fields<'_>) -> Option<String> {
        let node = fields.get("suite")?;
        let id = self.dotted_id(node)?;
        if let Some(place) = place(&self.source.name)
            && place != id
        {
            let help = format!("write `suite: {place}`, or move the file to `suites/{}.yaml`", id.replace('.', "/"));
            self.error(codes::WRONG_PLACE, node.span, format!("suite `{id}` is in the file of `{place}`"), help);
        }
        Some(id)
    }

    fn family(&mut self, node: &Node) -> Option<Family> {
        if !self.format(node, &keys::FAMILY) {
            return None;
        }
        let fields = self.fields(node, &keys::FAMILY)?;
        let id = fields.get("family").and_then(|node| self.id(node));
        if let (Some(id), Some(place), Some(node)) = (&id, place(&self.source.name), fields.get("family"))
            && place != format!("{id}.family")
        {
            let help = format!("move the file to `suites/{id}/family.yaml`");
            self.error(codes::WRONG_PLACE, node.span, format!("family `{id}` is in another directory"), help);
        }
        let title = self.required_text(&fields, "title");
        let path = self.required_text(&fields, "path");
        let optional = |reader: &mut Self, key| fields.get(key).and_then(|node| reader.text(node));
        let guideline = optional(self, "guideline").unwrap_or_default();
        let probe = optional(self, "probe");
        let headers = fields.get("headers").map(|node| self.pairs(node, Reader::text)).unwrap_or_default();
        let sessions = fields.get("sessions").map(|node| self.sessions(node)).unwrap_or_default();
        Some(Family {
            concurrency: self.integer(&fields, "concurrency").map_or(4, |number| u32::try_from(number).unwrap_or(4)),
            auth: fields
                .get("auth")
                .and_then(|node| self.word(node, &["basic", "bearer", "none"]))
                .unwrap_or("basic")
                .to_owned(),
            id: id?,
            title: title?,
            path: path?,
            headers,
            guideline,
            probe,
            sessions,
            plan: fields.get("plan").map(|node| self.plan(node)).unwrap_or_default(),
        })
    }

    fn plan(&mut self, node: &Node) -> Vec<PlanLine> {
        let mut plan = Vec::new();
        for item in self.list(node) {
            let Some(own) = self.fields(item, &keys::PLAN_LINE) else { continue };
            let fixture = own.get("fixture").and_then(|node| self.text(node));
            // Its variables are the outputs of the fixture, which only the catalogue knows.
            let says = own.get("says").and_then(|node| {
                let text = self.text(node)?;
                let read = Template::parse(&text);
                read.map_err(|error| {
                    let help = "expressions are CEL inside `${…}`";
                    self.error(codes::BAD_EXPRESSION, node.span, error.to_string(), help);
                })
                .ok()
            });
            if let (Some(fixture), Some(says)) = (fixture, says) {
                plan.push(PlanLine { fixture, says });
            }
        }
        plan
    }

    /// Fixtures that log in. Without one for `main`, no case could send anything.
    fn sessions(&mut self, node: &Node) -> BTreeMap<String, String> {
        let sessions: BTreeMap<String, String> = self.pairs(node, Reader::text).into_iter().collect();
        for (identity, fixture) in &sessions {
            if !fixture.contains('.') {
                let message = format!("`{identity}: {fixture}` does not name the suite of the fixture");
                self.error(codes::BAD_VALUE, node.span, message, "write `<suite>.<fixture>`");
            }
        }
        if !sessions.contains_key("main") {
            self.error(codes::MISSING_KEY, node.span, "no session for `main`", "add `main: <suite>.<fixture>`");
        }
        sessions
    }
}

/// The id that the path of a suite file promises: what follows the last directory `suites`, joined by dots.
pub(super) fn place(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split(['/', '\\']).collect();
    let at = parts.iter().rposition(|part| *part == "suites")?;
    let inside = parts.get(at + 1..)?;
    let stem = inside.last()?.strip_suffix(".yaml")?;
    let mut id: Vec<&str> = inside.iter().copied().take(inside.len() - 1).collect();
    if id.is_empty() {
        return None;
    }
    id.push(stem);
    Some(id.join("."))
}
