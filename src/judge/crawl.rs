//! The bounded walk over links: breadth first, each URL once, in batches so that a target with many resources is read
//! in reasonable time.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::capability::Outcome;
use crate::expr::Json;
use crate::http::{Exchange, Headers, Request};
use crate::secret::Redacted;
use crate::suite::{CrawlStep, Step};

use super::checks::Subject;
use super::interp::{Flow, Interp};
use super::request::{Unbuilt, absolute, path_of};
use super::result::Evidence;
use super::world::{Call, CallIdentity, Event, World};

/// Requests in flight at the same time.
const BATCH: usize = 4;

/// Links seen and still to be followed.
struct Frontier {
    seen: HashSet<String>,
    queue: VecDeque<(String, Option<String>)>,
}

impl<'a, W: World> Interp<'a, '_, W> {
    /// Reads the start and everything it links to, checks each resource, binds `crawled`.
    pub async fn crawl(&mut self, step: &'a Step, crawl: &'a CrawlStep) -> Flow {
        let start = match crawl.start.render(&self.scope) {
            Ok(start) => start,
            Err(error) => return self.finding("crawl", "a start URL", &error.message, step.span.start, false),
        };
        let mut frontier = Frontier { seen: HashSet::from([start.clone()]), queue: VecDeque::from([(start, None)]) };
        let (mut crawled, failed_before) = (Vec::new(), self.tally.failed);
        let Some(identity) = self.credential(super::session::MAIN.to_owned()).await else { return Flow::End };
        while !frontier.queue.is_empty() {
            let batch: Vec<_> = frontier.queue.drain(..frontier.queue.len().min(BATCH)).collect();
            if crawled.len() + batch.len() > crawl.limit as usize {
                let reason = format!("the crawl met more than the {} resources it is limited to", crawl.limit);
                return self.end(Outcome::Error, reason);
            }
            let mut calls = Vec::new();
            for (url, _) in &batch {
                match self.crawl_call(step, crawl, url, identity.clone()) {
                    Ok(call) => calls.push(call),
                    Err(Unbuilt::Lacking(message)) => {
                        return self.finding("crawl", "a URL", &message, step.span.start, false);
                    }
                    Err(Unbuilt::Broken(message)) => return self.end(Outcome::Error, message),
                    Err(Unbuilt::NoService(name)) => return self.no_service(&name),
                }
            }
            let numbers: Vec<u32> = calls.iter().map(|call| call.n).collect();
            let events = self.world.calls(calls).await;
            for ((n, event), (_, referrer)) in numbers.into_iter().zip(events).zip(batch) {
                match event {
                    Event::Done(exchange) => {
                        crawled.push(self.visit(crawl, n, &exchange, referrer, &mut frontier));
                    }
                    Event::Stopped(reason) => return self.end(Outcome::Error, reason.words().to_owned()),
                }
            }
        }
        self.scope.set_json("crawled", Json::Array(crawled));
        if self.conclude(failed_before, step.soft) == Flow::End {
            return Flow::End;
        }
        self.keep(step, &crawl.save)
    }

    fn crawl_call(
        &mut self,
        step: &Step,
        crawl: &CrawlStep,
        url: &str,
        identity: CallIdentity,
    ) -> Result<Call, Unbuilt> {
        let url = absolute(url, self.instance.suite.service.as_deref(), &self.env, self.services())?;
        let mut headers = Headers::default();
        for (name, value) in &self.env.headers {
            headers.set(name, value.clone());
        }
        for (name, value) in &self.instance.suite.headers {
            headers.set(name, value.render(&self.scope)?);
        }
        Ok(Call {
            n: self.take_event(),
            phase: self.phase,
            step: self.label(step),
            request: Request { method: "GET".to_owned(), url, headers, body: crate::http::Body::default() },
            identity,
            timeout: crawl.timeout,
            max_body: crawl.max_body,
            secrets: Vec::new(),
        })
    }

    /// Takes one resource in: checks it, remembers it, queues its links.
    fn visit(
        &mut self,
        crawl: &CrawlStep,
        n: u32,
        exchange: &Arc<Redacted<Exchange>>,
        referrer: Option<String>,
        frontier: &mut Frontier,
    ) -> Json {
        self.note(n, exchange, referrer.clone());
        self.respond(n, exchange);
        self.scope.set_json("referrer", referrer.clone().map_or(Json::Null, Json::String));
        let subject = Subject {
            exchange: Some(exchange),
            evidence: Some(Evidence::own(n)),
            body: self.body.clone(),
            scope: &self.scope,
            instance: self.instance,
        };
        subject.evaluate(&crawl.expect, &mut self.tally);
        let path = path_of(&exchange.request.url).to_owned();
        let mut links = Vec::new();
        collect_links(&self.body, &crawl.link_key, &mut links);
        for link in links {
            let link = link.split('#').next().unwrap_or_default();
            let wanted = link.starts_with(&crawl.below)
                && !crawl.exclude.iter().any(|excluded| excluded.is_match(link))
                && frontier.seen.insert(link.to_owned());
            if wanted {
                frontier.queue.push_back((link.to_owned(), Some(path.clone())));
            }
        }
        let kind = self.body.get("@odata.type").or_else(|| self.body.get("kind")).cloned().unwrap_or(Json::Null);
        serde_json::json!({
            "url": exchange.request.url,
            "path": path,
            "status": exchange.response.as_ref().map(|response| response.status),
            "referrer": referrer,
            "type": kind,
        })
    }
}

/// Every string held under `key`, at any depth, in document order.
fn collect_links<'j>(value: &'j Json, key: &str, links: &mut Vec<&'j str>) {
    match value {
        Json::Object(map) => {
            for (name, member) in map {
                match member {
                    Json::String(text) if name == key => links.push(text),
                    other => collect_links(other, key, links),
                }
            }
        }
        Json::Array(members) => members.iter().for_each(|member| collect_links(member, key, links)),
        _ => {}
    }
}
