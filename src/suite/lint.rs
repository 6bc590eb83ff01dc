//! What can be said about a case only when all of it is known: whether it checks anything, whether its risk is stated
//! honestly, whether it cleans up.
//!
//! Problems of single values are the reader's business, problems between files the catalogue's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::codes;
use super::model::{Case, CheckKind, Expect, Group, RequestStep, Risk, StatusPattern, Step, StepKind, Wait};
use crate::text::{Diagnostic, SourceFile, Span};

/// Problems of one case or fixture, and what it creates without removing it. `head` is where problems of the whole are
/// shown.
pub(super) fn case(
    case: &Case,
    groups: &BTreeMap<String, Group>,
    must_check: bool,
    head: Span,
    source: &Arc<SourceFile>,
) -> (Vec<Diagnostic>, Vec<Span>) {
    let mut out = Vec::new();
    let mut unremoved = Vec::new();
    let mut walk = Walk { groups, entered: BTreeSet::new(), checks: false, requests: Vec::new() };
    walk.steps(&case.steps);
    if must_check && !walk.checks {
        let help = "add `expect` with a check other than `status: any`; what is saved and an implied 2xx do not count";
        let message = format!("case `{}` checks nothing", case.id);
        out.push(Diagnostic::error(codes::NO_CHECK, message).label(head, "").help(help));
    }
    for (step, request) in walk.requests.into_iter().filter(|(_, request)| request.lasting) {
        let place = first_line(source, step.span);
        if case.risk == Risk::Read && changes(request) {
            let message =
                format!("`{}` can change the target, but the risk of `{}` is `read`", request.method.source(), case.id);
            let help = "write `risk: write` (or `disruptive`), or expect only refusals such as `status: 405`";
            out.push(Diagnostic::warning(codes::RISK_TOO_LOW, message).label(place, "").help(help));
        }
        if request.method.source() == "POST" && request.undo.is_empty() && expects_created(&request.expect) {
            unremoved.push(place);
        }
    }
    (out, unremoved)
}

/// What the steps of a case do, groups included.
struct Walk<'a> {
    groups: &'a BTreeMap<String, Group>,
    entered: BTreeSet<&'a str>,
    checks: bool,
    requests: Vec<(&'a Step, &'a RequestStep)>,
}

impl<'a> Walk<'a> {
    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &'a Step) {
        match &step.kind {
            StepKind::Request(request) => {
                self.expects(&request.expect);
                self.requests.push((step, request));
            }
            StepKind::Open(open) => {
                self.expects(&open.request.expect);
                self.requests.push((step, &open.request));
            }
            StepKind::Crawl(crawl) => self.expects(&crawl.expect),
            StepKind::Over(over) => self.expects(&over.expect),
            StepKind::Check(expect) => self.expects(expect),
            StepKind::Receive(receive) => {
                self.expects(&receive.expect);
                self.checks |= matches!(receive.wait, Wait::Silence);
            }
            StepKind::Parallel { steps, expect } => {
                self.expects(expect);
                self.steps(steps);
            }
            StepKind::For { steps, .. } => self.steps(steps),
            StepKind::Use { group, .. } => {
                if let Some((name, group)) = self.groups.get_key_value(group)
                    && self.entered.insert(name)
                {
                    self.steps(&group.steps);
                }
            }
            StepKind::Let(_) | StepKind::Gap { .. } | StepKind::Send { .. } | StepKind::Close { .. } => {}
        }
    }

    fn expects(&mut self, blocks: &[Expect]) {
        self.checks |= blocks.iter().flat_map(|block| &block.checks).any(|check| match &check.kind {
            CheckKind::Status(patterns) => !patterns.contains(&StatusPattern::Any),
            _ => true,
        });
    }
}

/// Whether a request can change the target: an unsafe method (RFC 9110 §9.2.1), unless only refusals are accepted.
fn changes(request: &RequestStep) -> bool {
    let safe = ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH"];
    !safe.contains(&request.method.source()) && !refused(&request.expect)
}

/// Whether an unconditional block accepts only error codes, or no response at all.
fn refused(blocks: &[Expect]) -> bool {
    blocks.iter().filter(|block| block.when.is_none()).flat_map(|block| &block.checks).any(|check| match &check.kind {
        CheckKind::Failure(_) => true,
        CheckKind::Status(patterns) => patterns.iter().all(|pattern| match pattern {
            StatusPattern::Code(code) => *code >= 400,
            StatusPattern::Class(class) => *class >= 4,
            StatusPattern::Any => false,
        }),
        _ => false,
    })
}

fn expects_created(blocks: &[Expect]) -> bool {
    blocks
        .iter()
        .flat_map(|block| &block.checks)
        .any(|check| matches!(&check.kind, CheckKind::Status(patterns) if patterns.contains(&StatusPattern::Code(201))))
}

fn first_line(source: &SourceFile, span: Span) -> Span {
    let first = source.slice(span).lines().next().unwrap_or_default().trim_end();
    Span::new(span.start, span.start + first.len())
}
