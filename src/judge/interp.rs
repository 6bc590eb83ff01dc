//! The interpreter: walks the steps of a case, asks the world for exchanges, evaluates checks.
//!
//! It is written as ordinary async code over [`World`]; with a replayed world no await ever waits.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::capability::Outcome;
use crate::expr::{EvalError, EvalErrorKind, Json, JsonTemplate, Scope};
use crate::http::Exchange;
use crate::secret::Redacted;
use crate::suite::{CheckKind, Expect, Follow, RequestStep, Save, Step, StepKind, Until};

use super::answer::Answer;
use super::checks::{Subject, Tally, place, request_line};
use super::prepare::initial_scope;
use super::request::{self, Unbuilt};
use super::result::{CaseResult, Evidence, Finding, Leak};
use super::streams::Stream;
use super::undo::Undo;
use super::world::{Call, CallIdentity, Event, FixtureState, Phase, Visited, World};
use super::{Env, Instance};

/// Hops that `follow` takes before it is a finding.
const MAX_HOPS: u32 = 10;

/// Whether the case goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Go,
    End,
}

/// What a status must be, in words and as a test.
pub(super) type Implied = (&'static str, fn(u16) -> bool);

type Boxed<'s, T> = Pin<Box<dyn Future<Output = T> + Send + 's>>;

/// State of one case while it is interpreted.
pub(super) struct Interp<'a, 'w, W> {
    pub instance: &'a Instance<'a>,
    pub env: Env,
    pub world: &'w mut W,
    pub scope: Scope,
    pub phase: Phase,
    pub next_event: u32,
    pub tally: Tally,
    /// First reason why the case is not a pass.
    pub verdict: Option<(Outcome, String)>,
    pub proof: Option<Evidence>,
    pub last: Option<(u32, Arc<Redacted<Exchange>>)>,
    pub body: Arc<Json>,
    /// Fixtures keep their exchanges for `over`.
    pub visited: Option<Vec<Visited>>,
    pub fixtures: Vec<(String, Arc<FixtureState>)>,
    /// Fixtures that stand for this case only, in the order in which they were set up.
    pub own_fixtures: Vec<Arc<FixtureState>>,
    /// Streams that were opened, by name.
    pub streams: BTreeMap<String, Stream>,
    /// Sessions in use, by identity.
    pub sessions: BTreeMap<String, Arc<FixtureState>>,
    pub undo: Vec<Undo<'a>>,
    pub leaks: Vec<Leak>,
    pub exchanges: u32,
    pub first_ms: Option<u64>,
    pub last_ms: u64,
}

impl<'a, 'w, W: World> Interp<'a, 'w, W> {
    pub fn new(instance: &'a Instance<'a>, env: &Env, world: &'w mut W) -> Self {
        let mut env = env.clone();
        env.seed = format!("{}/{}", env.seed, instance.id);
        let mut scope = initial_scope(instance, &env);
        scope.set_seed(&env.seed);
        Self {
            instance,
            env,
            world,
            scope,
            phase: Phase::Main,
            next_event: 0,
            tally: Tally::default(),
            verdict: None,
            proof: None,
            last: None,
            body: Arc::new(Json::Null),
            visited: None,
            fixtures: Vec::new(),
            own_fixtures: Vec::new(),
            streams: BTreeMap::new(),
            sessions: BTreeMap::new(),
            undo: Vec::new(),
            leaks: Vec::new(),
            exchanges: 0,
            first_ms: None,
            last_ms: 0,
        }
    }

    /// Fixtures, preconditions, steps; not the undo phase.
    pub async fn main(&mut self) {
        if self.prepare().await == Flow::Go {
            let case = self.instance.case;
            if case.lacks_steps() {
                let why = case.why_lost().unwrap_or("they were not loaded; this is a bug");
                self.end(Outcome::Error, format!("the steps of the case are not known: {why}"));
                return;
            }
            self.steps(&case.steps).await;
        }
    }

    /// Runs steps until one ends the case.
    pub fn steps<'s>(&'s mut self, steps: &'a [Step]) -> Boxed<'s, Flow>
    where
        'a: 's,
        'w: 's,
    {
        Box::pin(async move {
            for step in steps {
                if self.step(step).await == Flow::End {
                    return Flow::End;
                }
            }
            Flow::Go
        })
    }

    async fn step(&mut self, step: &'a Step) -> Flow {
        // A step that contains a request may need the answer of an earlier one for its condition.
        if let Some(when) = &step.when {
            match when.eval_bool(&self.scope) {
                Ok(true) => {}
                Ok(false) => return Flow::Go,
                Err(error) => return self.unevaluable(&error, when.source(), step.span.start),
            }
        }
        match &step.kind {
            StepKind::Request(request) => self.request(step, request).await,
            StepKind::Crawl(crawl) => self.crawl(step, crawl).await,
            StepKind::Over(over) => self.over(step, over),
            StepKind::Use { group, with } => self.group(step, group, with).await,
            StepKind::For { variable, list, max, steps } => self.repeat(step, variable, list, *max, steps).await,
            StepKind::Let(values) => self.bind(step, values, None),
            StepKind::Gap { when, reason } => match when.eval_bool(&self.scope) {
                Ok(false) => Flow::Go,
                Ok(true) => {
                    let reason = self.text(reason);
                    self.proof = self.last.as_ref().map(|(n, _)| Evidence::own(*n));
                    self.gap(reason)
                }
                Err(error) => self.unevaluable(&error, when.source(), step.span.start),
            },
            StepKind::Check(blocks) => self.expect(blocks, step.soft),
            StepKind::Parallel { steps, expect } => self.parallel(step, steps, expect).await,
            StepKind::Open(open) => self.open(step, open).await,
            StepKind::Receive(receive) => self.receive(step, receive).await,
            StepKind::Send { stream, channel, body } => self.send(step, stream, *channel, body).await,
            StepKind::Close { stream } => self.close(step, stream).await,
        }
    }

    /// Sets variables, evaluated in `scope`; without one, each sees those set before it. `${secret('label')}` asks the
    /// world for a new secret.
    pub fn bind(&mut self, step: &Step, values: &[(String, JsonTemplate)], scope: Option<&Scope>) -> Flow {
        for (name, template) in values {
            if let Some(label) = secret_label(template) {
                let n = self.take_event();
                let Some(token) = self.world.secret(n, label) else {
                    return self.end(Outcome::Error, format!("the transcript does not hold the secret `{label}`"));
                };
                self.scope.set_json(name, Json::String(token));
                continue;
            }
            match template.render(scope.unwrap_or(&self.scope)) {
                Ok(value) => self.scope.set_json(name, value),
                Err(error) => return self.unevaluable(&error, name, step.span.start),
            }
        }
        Flow::Go
    }

    async fn request(&mut self, step: &'a Step, request: &'a RequestStep) -> Flow {
        let pledge = self.promise(request).await;
        let flow = match &request.until {
            Some(until) => self.poll(step, request, until).await,
            None => self.exchange(step, request).await.map_or(Flow::End, |_| Flow::Go),
        };
        if flow == Flow::End {
            self.settle(pledge, request).await;
            return Flow::End;
        }
        let saved = self.expect_and_save(step, request, ("2xx", |status| status / 100 == 2));
        self.settle(pledge, request).await;
        saved
    }

    /// `implied` is what the status must be when the step says nothing of it.
    pub fn expect_and_save(&mut self, step: &Step, request: &RequestStep, implied: Implied) -> Flow {
        let RequestStep { expect, save, .. } = request;
        let mut flow = self.expect(expect, step.soft);
        if !states_status(expect) && flow == Flow::Go {
            flow = self.implied_status(step, implied);
        }
        for (name, what) in save {
            if self.save(step, name, what) == Flow::End {
                flow = Flow::End;
            }
        }
        flow
    }

    /// A request without any status check must be answered well.
    fn implied_status(&mut self, step: &Step, (expected, holds): Implied) -> Flow {
        let Some((_, exchange)) = &self.last else { return Flow::Go };
        match (&exchange.response, &exchange.failure) {
            (Some(response), _) if holds(response.status) => Flow::Go,
            (Some(response), _) => {
                let actual = response.status.to_string();
                self.finding("status", expected, &actual, step.span.start, step.soft)
            }
            (None, Some(failure)) => {
                let reason = format!("{}: no response: {}", request_line(exchange), failure.detail);
                self.end(Outcome::Error, reason)
            }
            (None, None) => Flow::Go,
        }
    }

    pub fn save(&mut self, step: &Step, name: &str, what: &Save) -> Flow {
        let value = match what {
            Save::Path(path) => match path.query(&self.body).first() {
                Some(node) => node.clone(),
                None => {
                    return self.finding(&format!("save {name}"), &path.to_string(), "absent", step.span.start, false);
                }
            },
            Save::Value(template) => match template.render(&self.scope) {
                Ok(value) => value,
                Err(error) => return self.unevaluable(&error, &format!("save {name}"), step.span.start),
            },
        };
        self.scope.set_json(name, value);
        Flow::Go
    }

    /// Repeats the request until the condition holds. Missing answers count as "not yet": a target may restart.
    async fn poll(&mut self, step: &Step, request: &RequestStep, until: &Until) -> Flow {
        let mut first = None;
        if !until.after.is_zero() {
            self.world.pause(until.after).await;
        }
        loop {
            let Some(exchange) = self.exchange(step, request).await else { return Flow::End };
            let began = *first.get_or_insert(exchange.sent_ms);
            if exchange.response.is_some() {
                match until.that.eval_bool(&self.scope) {
                    Ok(true) => {
                        self.tally.passed += 1;
                        return Flow::Go;
                    }
                    Ok(false) => {}
                    Err(error) if harmless(&error) => {}
                    Err(error) => return self.unevaluable(&error, until.that.source(), until.span.start),
                }
                if let Some(stop) = &until.stop_if
                    && stop.eval_bool(&self.scope).unwrap_or(false)
                {
                    let actual = stop.explain(&self.scope);
                    let expected = format!("`{}` without `{}`", until.that.source(), stop.source());
                    return self.finding("until", &expected, &actual, until.span.start, false);
                }
            }
            let elapsed = exchange.done_ms.saturating_sub(began);
            let within = u64::try_from(until.within.as_millis()).unwrap_or(u64::MAX);
            if elapsed >= within {
                if let Some(failure) = &exchange.failure {
                    let reason = format!("{}: no response: {}", request_line(&exchange), failure.detail);
                    return self.end(Outcome::Error, reason);
                }
                // What the last answer should be says more than that it did not come in time.
                if self.would_fail(&request.expect) {
                    return Flow::Go;
                }
                let expected =
                    format!("`{}` within {}", until.that.source(), crate::text::format_duration(until.within));
                let actual = until.that.explain(&self.scope);
                let flow = self.finding("until", &expected, &actual, until.span.start, true);
                self.name_rule(&request.expect);
                return if step.soft { flow } else { Flow::End };
            }
            let left = std::time::Duration::from_millis(within.saturating_sub(elapsed));
            self.world.pause(until.every.min(left)).await;
        }
    }

    /// One exchange with its redirects; `None` when the case has ended.
    async fn exchange(&mut self, step: &Step, request: &RequestStep) -> Option<Arc<Redacted<Exchange>>> {
        let call = self.call_of(step, request).await?;
        let mut call = call;
        let mut hops = 0;
        loop {
            let (n, url) = (call.n, call.request.url.clone());
            let again = (request.follow == Follow::SameOrigin).then(|| call.clone());
            let event = self.world.call(call).await;
            let exchange = self.take(n, event)?;
            let Some(mut next) = again else { return Some(exchange) };
            let Some(location) = redirect(&exchange, &url) else { return Some(exchange) };
            hops += 1;
            if hops > MAX_HOPS {
                let expected = format!("at most {MAX_HOPS} redirects");
                self.finding("follow", &expected, &format!("another one to {location}"), step.span.start, false);
                return None;
            }
            next.n = self.take_event();
            next.request.url = location;
            call = next;
        }
    }

    pub async fn call_of(&mut self, step: &Step, spec: &RequestStep) -> Option<Call> {
        let built = request::build(spec, self.instance.suite, &self.env, &self.scope, self.services());
        let mut identity = request::identity(spec.identity.as_ref(), &self.scope);
        if let (Ok(_), Ok(CallIdentity::Named(name))) = (&built, &identity) {
            let name = name.clone();
            identity = Ok(self.credential(name).await?);
        }
        match (built, identity) {
            (Err(Unbuilt::NoService(name)), _) | (_, Err(Unbuilt::NoService(name))) => {
                self.no_service(&name);
                None
            }
            (Ok(request), Ok(identity)) => Some(Call {
                n: self.take_event(),
                phase: self.phase,
                step: self.label(step),
                request,
                identity,
                timeout: spec.timeout,
                max_body: spec.max_body,
                secrets: spec.secrets.clone(),
            }),
            (Err(Unbuilt::Lacking(message)), _) | (_, Err(Unbuilt::Lacking(message))) => {
                self.finding("request", "the values that the request needs", &message, step.span.start, false);
                None
            }
            (Err(Unbuilt::Broken(message)), _) | (_, Err(Unbuilt::Broken(message))) => {
                self.end(Outcome::Error, format!("{}: {message}", place(self.instance, step.span.start)));
                None
            }
        }
    }

    /// Takes an event in: binds the response, or ends the case.
    pub fn take(&mut self, n: u32, event: Event) -> Option<Arc<Redacted<Exchange>>> {
        match event {
            Event::Done(exchange) => {
                self.note(n, &exchange, None);
                self.respond(n, &exchange);
                Some(exchange)
            }
            Event::Stopped(reason) => {
                self.end(Outcome::Error, reason.words().to_owned());
                None
            }
        }
    }

    /// Counts an exchange and, in a fixture, keeps it.
    pub fn note(&mut self, n: u32, exchange: &Arc<Redacted<Exchange>>, referrer: Option<String>) {
        self.exchanges += 1;
        self.first_ms.get_or_insert(exchange.sent_ms);
        self.last_ms = self.last_ms.max(exchange.done_ms);
        if let Some(visited) = &mut self.visited {
            visited.push(Visited::new(n, exchange.clone(), referrer));
        }
    }

    /// Binds the variables of a response.
    pub fn respond(&mut self, n: u32, exchange: &Arc<Redacted<Exchange>>) {
        let answer = Answer::of(exchange);
        answer.bind(&mut self.scope);
        self.body = answer.body;
        self.last = Some((n, exchange.clone()));
    }

    /// Evaluates blocks on the last response.
    pub fn expect(&mut self, blocks: &[Expect], soft: bool) -> Flow {
        let failed_before = self.tally.failed;
        // A response that never came cannot be judged, unless the case expects just that.
        if let Some((_, exchange)) = &self.last
            && let Some(failure) = &exchange.failure
            && !states_failure(blocks)
        {
            let reason = format!("{}: no response: {}", request_line(exchange), failure.detail);
            return self.end(Outcome::Error, reason);
        }
        let mut tally = std::mem::take(&mut self.tally);
        self.subject().evaluate(blocks, &mut tally);
        self.tally = tally;
        self.conclude(failed_before, soft)
    }

    /// Whether `expect` finds fault with the last answer.
    pub fn would_fail(&self, blocks: &[Expect]) -> bool {
        let mut trial = Tally::default();
        self.subject().evaluate(blocks, &mut trial);
        trial.failed > 0
    }

    /// The last answer and the variables, as checks see them.
    fn subject(&self) -> Subject<'_> {
        Subject {
            exchange: self.last.as_ref().map(|(_, exchange)| &***exchange),
            evidence: self.last.as_ref().map(|(n, _)| Evidence::own(*n)),
            body: self.body.clone(),
            scope: &self.scope,
            instance: self.instance,
        }
    }

    /// Turns new failed checks into the verdict.
    pub fn conclude(&mut self, failed_before: u32, soft: bool) -> Flow {
        if let Some(broken) = self.tally.broken.take() {
            return self.end(Outcome::Error, broken);
        }
        if self.tally.failed == failed_before {
            return Flow::Go;
        }
        let reason = self.tally.findings.last().map(sentence).unwrap_or_default();
        let first = self.tally.findings.get(failed_before as usize).map(sentence).unwrap_or(reason);
        self.fail(first, soft)
    }

    fn fail(&mut self, reason: String, soft: bool) -> Flow {
        if soft {
            self.verdict.get_or_insert((Outcome::Fail, reason));
            Flow::Go
        } else {
            self.end(Outcome::Fail, reason)
        }
    }

    /// Records a finding that is not the result of an `expect` block.
    pub fn finding(&mut self, check: &str, expected: &str, actual: &str, offset: usize, soft: bool) -> Flow {
        let failed_before = self.tally.failed;
        self.tally.failed += 1;
        let last = self.last.as_ref();
        if self.tally.findings.len() < super::MAX_FINDINGS {
            self.tally.findings.push(Finding {
                rule: None,
                check: check.to_owned(),
                expected: expected.to_owned(),
                actual: super::matcher::cut(actual),
                exchange: last.map(|(n, _)| Evidence::own(*n)),
                request: last.map(|(_, exchange)| request_line(exchange)),
                place: place(self.instance, offset),
            });
        }
        self.conclude(failed_before, soft)
    }

    /// Gives the last finding the rule of the step whose condition never came true.
    pub fn name_rule(&mut self, blocks: &[Expect]) {
        let rule = blocks.iter().find_map(|block| block.rule.as_ref()).map(|rule| self.text(rule));
        if let (Some(rule), Some(finding)) = (rule, self.tally.findings.last_mut()) {
            finding.rule = Some(rule);
            let reason = sentence(finding);
            if let Some((Outcome::Fail, first)) = &mut self.verdict
                && self.tally.failed == 1
            {
                *first = reason;
            }
        }
    }

    pub fn unevaluable(&mut self, error: &EvalError, what: &str, offset: usize) -> Flow {
        if harmless(error) {
            let expected = format!("what `{what}` needs");
            self.finding(what, &expected, &error.message, offset, false)
        } else {
            self.end(Outcome::Error, format!("{}: {what}: {}", place(self.instance, offset), error.message))
        }
    }

    pub fn gap(&mut self, reason: String) -> Flow {
        self.end(Outcome::Gap, reason)
    }

    /// Ends the case; the first reason stays, but a failed soft check is never hidden by a later gap or error.
    pub fn end(&mut self, outcome: Outcome, reason: String) -> Flow {
        self.verdict.get_or_insert((outcome, reason));
        Flow::End
    }

    pub fn text(&self, template: &crate::expr::Template) -> String {
        template.render(&self.scope).unwrap_or_else(|_| template.source().to_owned())
    }

    pub fn take_event(&mut self) -> u32 {
        let n = self.next_event;
        self.next_event += 1;
        n
    }

    pub fn label(&self, step: &Step) -> String {
        step.name.clone().unwrap_or_else(|| format!("line {}", self.instance.line(step.span.start)))
    }

    /// The result, once everything is done.
    pub fn result(self) -> CaseResult {
        let judged = self.tally.passed + self.tally.failed > 0;
        let is_fixture = self.visited.is_some();
        let (outcome, reason) = match self.verdict {
            Some(verdict) => verdict,
            None if judged || is_fixture => (Outcome::Pass, String::new()),
            None => (Outcome::Error, "no check was evaluated".to_owned()),
        };
        CaseResult {
            outcome,
            reason,
            checks_passed: self.tally.passed,
            checks_failed: self.tally.failed,
            exchanges: self.exchanges,
            duration_ms: self.last_ms.saturating_sub(self.first_ms.unwrap_or(self.last_ms)),
            findings: self.tally.findings,
            proof: self.proof,
            leaks: self.leaks,
        }
    }
}

/// One sentence for the reason of a failed case.
fn sentence(finding: &Finding) -> String {
    let what = finding.rule.as_deref().unwrap_or(&finding.check);
    let request = finding.request.as_deref().map(|request| format!("{request}: ")).unwrap_or_default();
    format!("{request}{what}: expected {}, got {}", finding.expected, finding.actual)
}

pub(super) fn harmless(error: &EvalError) -> bool {
    matches!(error.kind, EvalErrorKind::Missing | EvalErrorKind::Type)
}

fn states_status(blocks: &[Expect]) -> bool {
    let stated = |kind: &CheckKind| matches!(kind, CheckKind::Status(_) | CheckKind::Failure(_));
    blocks.iter().any(|block| block.checks.iter().any(|check| stated(&check.kind)))
}

fn states_failure(blocks: &[Expect]) -> bool {
    blocks.iter().any(|block| block.checks.iter().any(|check| matches!(check.kind, CheckKind::Failure(_))))
}

/// The label of a template that is exactly `${secret('label')}`.
fn secret_label(template: &JsonTemplate) -> Option<&str> {
    let JsonTemplate::Text(text) = template else { return None };
    text.source().strip_prefix("${secret('")?.strip_suffix("')}").filter(|label| !label.contains('\''))
}

/// Where a redirect on the same origin leads, or `None` when this is not one (RFC 9110 §15.4).
fn redirect(exchange: &Exchange, from: &str) -> Option<String> {
    let response = exchange.response.as_ref()?;
    if !matches!(response.status, 301 | 302 | 307 | 308) {
        return None;
    }
    let base = url::Url::parse(from).ok()?;
    let target = base.join(response.headers.get("location")?).ok()?;
    (target.origin() == base.origin()).then(|| target.to_string())
}
