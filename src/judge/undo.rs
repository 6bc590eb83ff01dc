//! Putting the target back: promises made before a request, settled after it, kept at the end of the case.

use std::collections::BTreeSet;

use crate::capability::Outcome;
use crate::expr::Scope;
use crate::suite::{RequestStep, Save, Step, StepKind};

use super::interp::{Flow, Interp};
use super::result::Leak;
use super::world::{Phase, Pledge, PledgeStage, World};

/// Variables that only a response gives.
const OF_RESPONSE: [&str; 8] = ["status", "headers", "body", "text", "url", "path", "elapsed_ms", "at_ms"];

/// One promise.
pub(super) struct Undo<'a> {
    id: u32,
    step: &'a RequestStep,
    offset: usize,
    what: String,
    scope: Scope,
    /// Number of the exchange before the request, to tell whether it was answered.
    since: Option<u32>,
    /// Until the answer is known.
    lost: bool,
}

impl<'a, W: World> Interp<'a, '_, W> {
    /// Writes the promise to the journal, before the request is sent.
    pub async fn promise(&mut self, request: &'a RequestStep) -> Option<u32> {
        if request.undo.is_empty() || self.phase == Phase::Undo {
            return None;
        }
        let id = u32::try_from(self.undo.len()).unwrap_or(u32::MAX);
        let offset = request.undo.first().map_or(0, |step| step.span.start);
        let url = request.url.render(&self.scope).unwrap_or_else(|_| request.url.source().to_owned());
        let what = format!("{} {url}", request.method.source());
        self.undo.push(Undo {
            id,
            step: request,
            offset,
            what,
            scope: self.scope.clone(),
            since: self.last_n(),
            lost: true,
        });
        let stage = PledgeStage::Before(self.promised(&self.scope));
        self.world.pledge(Pledge { id, step: offset, stage }).await;
        Some(id)
    }

    /// Decides what the promise means now that the request was answered, or was not.
    pub async fn settle(&mut self, pledge: Option<u32>, request: &'a RequestStep) {
        let Some(id) = pledge else { return };
        let depends = depends_on_answer(request);
        let Some(since) = self.undo.iter().find(|entry| entry.id == id).map(|entry| entry.since) else { return };
        let latest = self.last.as_ref().filter(|(n, _)| Some(*n) != since);
        let answered = latest.and_then(|(_, exchange)| exchange.response.as_ref().map(|r| r.status));
        let accepted = answered.is_some_and(|status| status / 100 == 2 || status == 101);
        let now = self.scope.clone();
        let Some(entry) = self.undo.iter_mut().find(|entry| entry.id == id) else { return };
        if accepted {
            entry.scope = now;
        }
        let scope = entry.scope.clone();
        let known = self.promised(&scope);
        let Some(entry) = self.undo.iter_mut().find(|entry| entry.id == id) else { return };
        let stage = match answered {
            Some(_) if accepted => {
                entry.lost = false;
                PledgeStage::After(known)
            }
            // Whatever the answer says, what can be put back without it is put back: a refused request may have
            // been carried out by half.
            _ if !depends => {
                entry.lost = false;
                PledgeStage::After(known)
            }
            // No answer: the request may have been carried out.
            None => PledgeStage::Before(known),
            Some(_) => {
                self.undo.retain(|entry| entry.id != id);
                PledgeStage::Void
            }
        };
        let offset = request.undo.first().map_or(0, |step| step.span.start);
        self.world.pledge(Pledge { id, step: offset, stage }).await;
    }

    /// Keeps all promises, newest first. What cannot be put back is a leak; it never changes the outcome.
    pub async fn put_back(&mut self) {
        self.phase = Phase::Undo;
        while let Some(undo) = self.undo.pop() {
            let steps = if undo.lost && !undo.step.lost.is_empty() { &undo.step.lost } else { &undo.step.undo };
            let main = self.set_aside();
            self.scope = undo.scope;
            self.refresh_session();
            let flow = self.steps(steps).await;
            let why = self.verdict.take().map(|(_, reason)| reason);
            self.restore(main);
            match (flow, why) {
                (Flow::Go, None) => {
                    let stage = PledgeStage::Kept;
                    self.world.pledge(Pledge { id: undo.id, step: undo.offset, stage }).await;
                }
                (_, why) => self.leaks.push(Leak { what: undo.what, why: why.unwrap_or_default() }),
            }
        }
    }

    /// The undo phase has checks of its own; they do not count for the case.
    fn set_aside(&mut self) -> (super::checks::Tally, Option<(Outcome, String)>) {
        (std::mem::take(&mut self.tally), self.verdict.take())
    }

    fn restore(&mut self, main: (super::checks::Tally, Option<(Outcome, String)>)) {
        (self.tally, self.verdict) = main;
    }

    fn last_n(&self) -> Option<u32> {
        self.last.as_ref().map(|(n, _)| *n)
    }

    /// Takes up a promise from the journal of an earlier run; `false` when the suite has no such request.
    pub fn recall(&mut self, offset: usize, lost: bool, mut scope: Scope) -> bool {
        let suite = self.instance.suite;
        let groups = suite.groups.values().map(|group| &group.steps);
        let Some(step) = std::iter::once(&self.instance.case.steps).chain(groups).find_map(|steps| find(steps, offset))
        else {
            return false;
        };
        scope.set_seed(&self.env.seed);
        scope.set("target", self.env.target.clone());
        let what = format!("{} {}", step.method.source(), step.url.source());
        self.undo.push(Undo { id: 0, step, offset, what, scope, since: None, lost });
        true
    }

    /// Saves values after a crawl.
    pub fn keep(&mut self, step: &Step, save: &[(String, Save)]) -> Flow {
        for (name, what) in save {
            if self.save(step, name, what) == Flow::End {
                return Flow::End;
            }
        }
        Flow::Go
    }
}

/// The request whose undo steps begin at an offset of the suite file.
fn find(steps: &[Step], offset: usize) -> Option<&RequestStep> {
    steps.iter().find_map(|step| match &step.kind {
        StepKind::Request(request) if request.undo.first().is_some_and(|undo| undo.span.start == offset) => {
            Some(&**request)
        }
        StepKind::Open(open) if open.request.undo.first().is_some_and(|undo| undo.span.start == offset) => {
            Some(&open.request)
        }
        StepKind::For { steps, .. } | StepKind::Parallel { steps, .. } => find(steps, offset),
        _ => None,
    })
}

/// Whether the undo steps need something that only the answer gives.
fn depends_on_answer(request: &RequestStep) -> bool {
    let mut used = BTreeSet::new();
    // The first undo step runs without any answer; what later ones read may come from earlier undo steps.
    if let Some(step) = request.undo.first() {
        variables(step, &mut used);
    }
    used.iter().any(|name| OF_RESPONSE.contains(&name.as_str()) || request.save.iter().any(|(saved, _)| saved == name))
}

/// Variables that a request step reads before it is sent.
fn variables(step: &Step, used: &mut BTreeSet<String>) {
    if let Some(when) = &step.when {
        used.extend(when.variables().iter().cloned());
    }
    match &step.kind {
        StepKind::Request(request) => {
            used.extend(request.url.variables());
            for value in request.headers.iter().filter_map(|(_, value)| value.as_ref()) {
                used.extend(value.variables());
            }
            for (_, value) in &request.query {
                used.extend(value.variables());
            }
            if let Some(crate::suite::BodySpec::Json(json)) = &request.body {
                used.extend(json.variables());
            }
        }
        StepKind::Use { with, .. } | StepKind::Let(with) => {
            for (_, value) in with {
                used.extend(value.variables());
            }
        }
        StepKind::For { list, .. } => used.extend(list.variables()),
        _ => {}
    }
}
