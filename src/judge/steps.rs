//! The steps that hold others, and those that look at several exchanges: groups, repetition, parallel requests, checks
//! over a fixture's exchanges.

use crate::capability::Outcome;
use crate::expr::{Json, JsonTemplate};
use crate::http::Exchange;
use crate::suite::{Expect, OverStep, Step, StepKind};

use super::checks::Subject;
use super::interp::{Flow, Interp};
use super::result::Evidence;
use super::world::World;

impl<'a, W: World> Interp<'a, '_, W> {
    /// Runs a group. Its parameters are its own: the caller's variables of the same name come back behind it. What it
    /// saves stays.
    pub async fn group(&mut self, step: &'a Step, name: &str, with: &'a [(String, JsonTemplate)]) -> Flow {
        let Some(group) = self.instance.suite.groups.get(name) else {
            return self.end(Outcome::Error, format!("the suite has no group `{name}`"));
        };
        let before: Vec<_> = with.iter().map(|(name, _)| (name, self.scope.get(name))).collect();
        // All arguments are the caller's: a parameter must not hide the variable that the next argument reads.
        let callers = self.scope.clone();
        if self.bind(step, with, Some(&callers)) == Flow::End {
            return Flow::End;
        }
        let flow = self.steps(&group.steps).await;
        for (name, value) in before {
            match value {
                Some(value) => self.scope.set(name, value),
                None => self.scope.unset(name),
            }
        }
        flow
    }

    /// Repeats steps for each member of a list.
    pub async fn repeat(
        &mut self,
        step: &'a Step,
        variable: &str,
        list: &JsonTemplate,
        max: u32,
        steps: &'a [Step],
    ) -> Flow {
        let members = match list.render(&self.scope) {
            Ok(Json::Array(members)) => members,
            Ok(other) => {
                let actual = super::matcher::show(&other);
                return self.finding("for", "a list", &actual, step.span.start, step.soft);
            }
            Err(error) => return self.unevaluable(&error, "for", step.span.start),
        };
        if members.len() > max as usize {
            let reason = format!("{} members, more than the {max} that the step allows", members.len());
            return self.end(Outcome::Error, reason);
        }
        for member in members {
            self.scope.set_json(variable, member);
            if self.steps(steps).await == Flow::End {
                return Flow::End;
            }
        }
        Flow::Go
    }

    /// Sends several requests at the same time.
    pub async fn parallel(&mut self, step: &'a Step, steps: &'a [Step], expect: &'a [Expect]) -> Flow {
        let mut calls = Vec::new();
        for inner in steps {
            let StepKind::Request(request) = &inner.kind else { continue };
            match self.call_of(inner, request).await {
                Some(call) => calls.push(call),
                None => return Flow::End,
            }
        }
        let numbers: Vec<u32> = calls.iter().map(|call| call.n).collect();
        let events = self.world.calls(calls).await;
        let mut responses = Vec::new();
        for (n, event) in numbers.into_iter().zip(events) {
            let Some(exchange) = self.take(n, event) else { return Flow::End };
            responses.push(summary(&exchange, &self.body));
        }
        self.scope.set_json("responses", Json::Array(responses));
        self.expect(expect, step.soft)
    }

    /// Checks the exchanges of a fixture.
    pub fn over(&mut self, step: &Step, over: &OverStep) -> Flow {
        let Some(state) =
            self.fixtures.iter().find(|(alias, _)| *alias == over.fixture).map(|(_, state)| state.clone())
        else {
            return self.end(Outcome::Error, format!("`{}` is not in `needs`", over.fixture));
        };
        let proof = self.fixture_proof(Some(&over.fixture));
        let fixture = proof.as_ref().and_then(|proof| proof.fixture.clone()).unwrap_or_default();
        let outer = (self.scope.clone(), self.last.take(), self.body.clone());
        let (mut selected, failed_before) = (0_u32, self.tally.failed);
        // Each exchange binds the same names, so one child scope serves them all.
        self.scope = outer.0.child();
        for visited in &state.visited {
            let answer = visited.answer();
            answer.bind(&mut self.scope);
            self.body = answer.body.clone();
            self.scope.set_json("referrer", visited.referrer.clone().map_or(Json::Null, Json::String));
            self.scope.set_json("method", Json::String(visited.exchange.request.method.clone()));
            let wanted = over.filter.as_ref().map_or(Ok(true), |filter| filter.eval_bool(&self.scope));
            if wanted.unwrap_or(false) {
                selected += 1;
                let subject = Subject {
                    exchange: Some(&visited.exchange),
                    evidence: Some(Evidence::own(visited.n).of_fixture(&fixture)),
                    body: self.body.clone(),
                    scope: &self.scope,
                    instance: self.instance,
                };
                subject.evaluate(&over.expect, &mut self.tally);
            }
        }
        (self.scope, self.last, self.body) = outer;
        if selected == 0 {
            let reason = over.gap.as_ref().map(|reason| self.text(reason));
            return match reason {
                Some(reason) => {
                    self.proof = proof;
                    self.gap(reason)
                }
                None => self.end(Outcome::Error, format!("no exchange of `{}` was selected", over.fixture)),
            };
        }
        self.conclude(failed_before, step.soft)
    }
}

/// A member of the variable `responses`.
fn summary(exchange: &Exchange, body: &Json) -> Json {
    let response = exchange.response.as_ref();
    serde_json::json!({
        "status": response.map(|response| response.status),
        "headers": response.map(|response| response.headers.to_json()),
        "body": body,
        "text": response.map(|response| response.body.text().into_owned()),
    })
}
