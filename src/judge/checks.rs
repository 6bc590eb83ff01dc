//! Evaluation of `expect` blocks on the last response and the variables.

use std::sync::Arc;

use crate::expr::{EvalError, EvalErrorKind, Json, Program, Scope};
use crate::http::Exchange;
use crate::suite::{Check, CheckKind, Expect, Matcher, StatusPattern};

use super::Instance;
use super::matcher::{cut, describe, is_part, matches, show};
use super::result::{Evidence, Finding};

/// What checks look at besides the variables.
pub(super) struct Subject<'a> {
    /// The exchange; `None` for checks on variables only.
    pub exchange: Option<&'a Exchange>,
    /// Where it stands in the transcript.
    pub evidence: Option<Evidence>,
    /// The parsed JSON body, parsed once.
    pub body: Arc<Json>,
    /// The variables.
    pub scope: &'a Scope,
    /// For file and line.
    pub instance: &'a Instance<'a>,
}

/// How one check came out.
enum Truth {
    True,
    False {
        expected: String,
        actual: String,
    },
    /// Our own limit or defect: the case is an `error`.
    Broken(String),
}

/// Tally of evaluated checks.
#[derive(Default)]
pub(super) struct Tally {
    pub passed: u32,
    pub failed: u32,
    pub findings: Vec<Finding>,
    /// A limit or defect of ours.
    pub broken: Option<String>,
}

impl Subject<'_> {
    /// Evaluates all blocks; a false check does not hide the others of the same step.
    pub fn evaluate(&self, blocks: &[Expect], tally: &mut Tally) {
        for block in blocks {
            if let Some(when) = &block.when {
                match when.eval_bool(self.scope) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(error) => {
                        let truth = missing(&error, when.source());
                        self.count(truth, block, format!("when {}", when.source()), 0, tally);
                        continue;
                    }
                }
            }
            for check in &block.checks {
                let truth = self.check(check);
                if let Truth::True = truth {
                    tally.passed += 1;
                } else {
                    self.count(truth, block, name(&check.kind), check.span.start, tally);
                }
            }
        }
    }

    fn count(&self, truth: Truth, block: &Expect, check: String, offset: usize, tally: &mut Tally) {
        let (expected, actual) = match truth {
            Truth::True => return,
            Truth::False { expected, actual } => (expected, actual),
            Truth::Broken(message) => {
                tally.broken.get_or_insert_with(|| format!("{check}: {message}"));
                return;
            }
        };
        tally.failed += 1;
        if tally.findings.len() >= super::MAX_FINDINGS {
            return;
        }
        let rule = block.rule.as_ref().map(|rule| rule.render(self.scope).unwrap_or_else(|_| rule.source().to_owned()));
        tally.findings.push(Finding {
            rule,
            check,
            expected,
            actual,
            exchange: self.evidence.clone(),
            request: self.exchange.map(request_line),
            place: place(self.instance, offset),
        });
    }

    fn check(&self, check: &Check) -> Truth {
        let response = self.exchange.and_then(|exchange| exchange.response.as_ref());
        match &check.kind {
            CheckKind::Failure(wanted) => {
                let words = wanted.iter().map(|class| class.word()).collect::<Vec<_>>().join(" or ");
                match self.exchange.and_then(|exchange| exchange.failure.as_ref()) {
                    Some(failure) if wanted.contains(&failure.class) => Truth::True,
                    Some(failure) => untrue(format!("failure {words}"), format!("failure {}", failure.class.word())),
                    None => untrue(format!("failure {words}"), self.status_word()),
                }
            }
            CheckKind::Status(wanted) => match response {
                Some(response) if wanted.iter().any(|pattern| status_matches(*pattern, response.status)) => Truth::True,
                _ => untrue(wanted.iter().map(status_word).collect::<Vec<_>>().join(" or "), self.status_word()),
            },
            CheckKind::Header(header, matcher) => {
                let value = response.and_then(|response| response.headers.joined(header)).map(Json::String);
                self.matcher(matcher, value.as_ref())
            }
            CheckKind::Json(path, matcher) => self.json(path, matcher),
            CheckKind::Object(wanted) => match wanted.render(self.scope) {
                Ok(wanted) if is_part(&wanted, &self.body) => Truth::True,
                Ok(wanted) => untrue(format!("an object with {}", show(&wanted)), show(&self.body)),
                Err(error) => missing(&error, "object"),
            },
            CheckKind::Schema(schema) => self.schema(schema),
            CheckKind::Text(matcher) => {
                let text = response.map(|response| Json::String(response.body.text().into_owned()));
                self.matcher(matcher, text.as_ref())
            }
            CheckKind::Digest(wanted) => match wanted.render(self.scope) {
                Ok(wanted) => {
                    let actual = response.map(|r| r.body.digest().to_string()).unwrap_or_default();
                    if actual == wanted { Truth::True } else { untrue(wanted, actual) }
                }
                Err(error) => missing(&error, "digest"),
            },
            CheckKind::Size(matcher) => {
                let size = response.map(|response| Json::from(response.body.bytes().len()));
                self.matcher(matcher, size.as_ref())
            }
            CheckKind::Time(limit) => {
                let took = self.exchange.map(|exchange| exchange.done_ms.saturating_sub(exchange.sent_ms));
                match took {
                    Some(took) if u128::from(took) <= limit.as_millis() => Truth::True,
                    Some(took) => untrue(format!("at most {} ms", limit.as_millis()), format!("{took} ms")),
                    None => untrue("an answer in time", "no exchange"),
                }
            }
            CheckKind::That { program, message } => self.that(program, message.as_ref()),
        }
    }

    fn that(&self, program: &Program, message: Option<&crate::expr::Template>) -> Truth {
        match program.eval_bool(self.scope) {
            Ok(true) => Truth::True,
            Ok(false) => {
                let found = program.explain(self.scope);
                // The message says what went wrong; it is the suite's own words for what was there.
                let actual = match message.map(|message| message.render(self.scope)) {
                    Some(Ok(text)) if found.is_empty() => text,
                    Some(Ok(text)) => format!("{text} ({found})"),
                    _ => found,
                };
                untrue(format!("`{}`", program.source()), actual)
            }
            Err(error) => missing(&error, program.source()),
        }
    }

    fn json(&self, path: &serde_json_path::JsonPath, matcher: &Matcher) -> Truth {
        let nodes = path.query(&self.body).all();
        if nodes.is_empty() {
            return self.matcher(matcher, None);
        }
        for node in nodes {
            let truth = self.matcher(matcher, Some(node));
            if !matches!(truth, Truth::True) {
                return truth;
            }
        }
        Truth::True
    }

    fn matcher(&self, matcher: &Matcher, value: Option<&Json>) -> Truth {
        match matches(matcher, value, self.scope) {
            Ok(true) => Truth::True,
            Ok(false) => untrue(describe(matcher, self.scope), value.map_or_else(|| "absent".to_owned(), show)),
            Err(error) => missing(&error, &describe(matcher, self.scope)),
        }
    }

    fn schema(&self, schema: &Json) -> Truth {
        let validator = match jsonschema::validator_for(schema) {
            Ok(validator) => validator,
            Err(error) => return Truth::Broken(format!("the schema does not compile: {error}")),
        };
        let problems: Vec<String> = validator
            .iter_errors(&self.body)
            .take(5)
            .map(|error| format!("{}: {}", error.instance_path(), cut(&error.to_string())))
            .collect();
        if problems.is_empty() {
            Truth::True
        } else {
            untrue("a body valid against the schema".to_owned(), problems.join("; "))
        }
    }

    fn status_word(&self) -> String {
        match self.exchange {
            Some(Exchange { response: Some(response), .. }) => response.status.to_string(),
            Some(Exchange { failure: Some(failure), .. }) => format!("no response ({})", failure.class.word()),
            _ => "no response".to_owned(),
        }
    }
}

fn untrue(expected: impl Into<String>, actual: impl Into<String>) -> Truth {
    Truth::False { expected: expected.into(), actual: actual.into() }
}

/// A check that cannot be evaluated because the response lacks what it names, or has it in another type, is false and
/// says so; a limit or a defect of ours is an error of the case.
fn missing(error: &EvalError, expected: &str) -> Truth {
    match error.kind {
        EvalErrorKind::Missing | EvalErrorKind::Type => untrue(format!("`{expected}`"), error.message.clone()),
        EvalErrorKind::Limit | EvalErrorKind::Internal => Truth::Broken(error.message.clone()),
    }
}

/// The check as the suite writes it.
fn name(kind: &CheckKind) -> String {
    match kind {
        CheckKind::Status(_) => "status".to_owned(),
        CheckKind::Failure(_) => "failure".to_owned(),
        CheckKind::Header(header, _) => format!("header {header}"),
        CheckKind::Json(path, _) => format!("json {path}"),
        CheckKind::Object(_) => "object".to_owned(),
        CheckKind::Schema(_) => "schema".to_owned(),
        CheckKind::Text(_) => "text".to_owned(),
        CheckKind::Digest(_) => "digest".to_owned(),
        CheckKind::Size(_) => "size".to_owned(),
        CheckKind::Time(_) => "time".to_owned(),
        CheckKind::That { program, .. } => format!("that {}", program.source()),
    }
}

fn status_word(pattern: &StatusPattern) -> String {
    match pattern {
        StatusPattern::Any => "any status".to_owned(),
        StatusPattern::Code(code) => code.to_string(),
        StatusPattern::Class(class) => format!("{class}xx"),
    }
}

/// Whether a status code is what a pattern asks for.
pub(super) fn status_matches(pattern: StatusPattern, status: u16) -> bool {
    match pattern {
        StatusPattern::Any => true,
        StatusPattern::Code(code) => code == status,
        StatusPattern::Class(class) => u16::from(class) == status / 100,
    }
}

/// Method and path of a request, for people.
pub(super) fn request_line(exchange: &Exchange) -> String {
    let url = &exchange.request.url;
    let path =
        url.find("://").and_then(|at| url.get(at + 3..)).and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
    format!("{} {}", exchange.request.method, path.unwrap_or(url))
}

/// `file:line` of an offset in the suite.
pub(super) fn place(instance: &Instance<'_>, offset: usize) -> String {
    format!("{}:{}", instance.suite.source.name, instance.line(offset))
}
