//! Streams: what is opened, received, sent and closed.
//!
//! A frame becomes an event when the case takes it. Whether it had been waiting in a buffer or arrived just then, the
//! world alone knows; so the order of events is the order of the steps, and a replay needs no clock.

use std::sync::Arc;

use base64::Engine as _;

use crate::capability::Outcome;
use crate::expr::Json;
use crate::http::{Body, EndReason, Exchange, Frame, StreamEnd, StreamEvent, View, has_channels};
use crate::secret::Redacted;
use crate::suite::{Frames, OpenStep, ReceiveStep, SendBody, Step, Wait};
use crate::text::format_duration;

use super::checks::place;
use super::interp::{Flow, Interp, harmless};
use super::matcher::show;
use super::world::{Event, Leave, Outgoing, Receive, Streamed, World};

/// More frames of one stream are an error of the case: `frames` would grow without end.
const MAX_FRAMES: usize = 10_000;
/// What a `receive` step binds.
const NAMES: [&str; 5] = ["frame", "frames", "arrivals", "ended", "end"];

/// A stream that was opened.
pub(super) struct Stream {
    /// Event number of its opening.
    of: u32,
    opening: Arc<Redacted<Exchange>>,
    kind: Frames,
    /// Whether messages name a channel.
    channels: bool,
    frames: Arc<Json>,
    arrivals: Arc<Json>,
    end: Option<StreamEnd>,
    /// Event number of what was received last.
    latest: u32,
}

impl Stream {
    /// `None` when the answer is a refusal.
    fn of(n: u32, exchange: &Arc<Redacted<Exchange>>, kind: Frames) -> Option<Self> {
        let response = exchange.response.as_ref().filter(|response| is_open(kind, response.status))?;
        let channels = kind == Frames::Websocket && has_channels(response.headers.get("sec-websocket-protocol"));
        Some(Self {
            of: n,
            opening: Arc::clone(exchange),
            kind,
            channels,
            frames: Arc::new(Json::Array(Vec::new())),
            arrivals: Arc::new(Json::Array(Vec::new())),
            end: None,
            latest: n,
        })
    }

    fn view(&self) -> View {
        match self.kind {
            Frames::JsonLines => View::Json,
            Frames::Sse => View::Event,
            Frames::Lines => View::Text,
            Frames::Bytes | Frames::Websocket => View::Message,
        }
    }

    fn count(&self) -> usize {
        self.frames.as_array().map_or(0, Vec::len)
    }

    /// What of it is seen by people when it is over.
    fn ended(&self) -> String {
        match &self.end {
            Some(end) if end.detail.is_empty() => format!("the stream ended ({})", end.reason.word()),
            Some(end) => format!("the stream ended ({}): {}", end.reason.word(), end.detail),
            None => "the stream goes on".to_owned(),
        }
    }
}

/// Whether an answer with this status goes on as a stream.
fn is_open(kind: Frames, status: u16) -> bool {
    if kind == Frames::Websocket { status == 101 } else { status / 100 == 2 }
}

/// How a wait came out.
enum Waited {
    /// What was waited for is there.
    Met,
    /// It did not come: what was expected, what was there instead.
    Unmet(String, String),
    /// The case has ended.
    Over,
}

impl<'a, W: World> Interp<'a, '_, W> {
    /// Opens a stream. A refused opening is an answer like any other; there is no stream then.
    pub async fn open(&mut self, step: &'a Step, open: &'a OpenStep) -> Flow {
        let request = &open.request;
        let pledge = self.promise(request).await;
        if self.opening(step, open).await.is_none() {
            self.settle(pledge, request).await;
            return Flow::End;
        }
        let implied = if open.frames == Frames::Websocket { "101" } else { "2xx" };
        let holds = if open.frames == Frames::Websocket { |status| status == 101 } else { |status| status / 100 == 2 };
        let saved = self.expect_and_save(step, request, (implied, holds));
        self.settle(pledge, request).await;
        saved
    }

    async fn opening(&mut self, step: &'a Step, open: &'a OpenStep) -> Option<()> {
        let mut call = self.call_of(step, &open.request).await?;
        if !open.protocols.is_empty() {
            call.request.headers.set("sec-websocket-protocol", open.protocols.join(", "));
        }
        let n = call.n;
        let exchange = match self.world.open(call, open.frames).await {
            Event::Done(exchange) => exchange,
            stopped @ Event::Stopped(_) => {
                self.take(n, stopped);
                return None;
            }
        };
        self.note(n, &exchange, None);
        self.respond(n, &exchange);
        self.streams.remove(&open.stream);
        if let Some(stream) = Stream::of(n, &exchange, open.frames) {
            self.streams.insert(open.stream.clone(), stream);
        }
        Some(())
    }

    fn not_open(&mut self, step: &Step, name: &str) -> Flow {
        let at = place(self.instance, step.span.start);
        self.end(Outcome::Error, format!("{at}: stream `{name}` is not open; its request was refused, or never sent"))
    }

    /// Waits for frames and checks them.
    pub async fn receive(&mut self, step: &'a Step, receive: &'a ReceiveStep) -> Flow {
        let Some(mut stream) = self.streams.remove(&receive.stream) else {
            return self.not_open(step, &receive.stream);
        };
        let outer = (self.last.take(), self.body.clone());
        self.body = Arc::new(Json::Null);
        self.see(&stream);
        let waited = self.wait(receive, &mut stream).await;
        // Findings point at what was received last, with the request that opened the stream.
        self.last = Some((stream.latest, Arc::clone(&stream.opening)));
        let flow = match waited {
            Waited::Over => Flow::End,
            Waited::Met => {
                self.tally.passed += 1;
                self.look(step, receive)
            }
            // What the frames should be says more than that they did not come.
            Waited::Unmet(..) if self.would_fail(&receive.expect) => self.look(step, receive),
            Waited::Unmet(expected, actual) => {
                let check = match receive.wait {
                    Wait::Until(_) => "until",
                    Wait::Frame => "receive",
                    Wait::Silence => "none_within",
                };
                let flow = self.finding(check, &expected, &actual, receive.span.start, true);
                self.name_rule(&receive.expect);
                if step.soft { flow } else { Flow::End }
            }
        };
        (self.last, self.body) = outer;
        NAMES.iter().for_each(|name| self.scope.unset(name));
        self.streams.insert(receive.stream.clone(), stream);
        flow
    }

    /// Checks, and what is saved.
    fn look(&mut self, step: &Step, receive: &ReceiveStep) -> Flow {
        let mut flow = self.expect(&receive.expect, step.soft);
        if self.keep(step, &receive.save) == Flow::End {
            flow = Flow::End;
        }
        flow
    }

    /// Makes what was received so far visible.
    fn see(&mut self, stream: &Stream) {
        self.scope.set("frames", Arc::clone(&stream.frames));
        self.scope.set("arrivals", Arc::clone(&stream.arrivals));
        let ended = stream.end.as_ref().is_some_and(|end| end.reason == EndReason::Closed);
        self.scope.set_json("ended", Json::Bool(ended));
        self.scope.set_json("end", stream.end.as_ref().map_or(Json::Null, StreamEnd::to_json));
    }

    async fn wait(&mut self, receive: &ReceiveStep, stream: &mut Stream) -> Waited {
        if stream.end.is_some() {
            return self.at_end(receive, stream);
        }
        let mut begins = true;
        loop {
            let n = self.take_event();
            let wait = Receive { n, phase: self.phase, of: stream.of, within: receive.within, begins };
            begins = false;
            let event = match self.world.receive(wait).await {
                Streamed::Happened(event) => event,
                Streamed::Stopped(reason) => {
                    self.end(Outcome::Error, reason.words().to_owned());
                    return Waited::Over;
                }
            };
            stream.latest = n;
            match &**event {
                StreamEvent::Received(frame) => {
                    if stream.count() >= MAX_FRAMES {
                        self.end(Outcome::Error, format!("more than {MAX_FRAMES} frames came on one stream"));
                        return Waited::Over;
                    }
                    self.take_frame(stream, frame);
                    let wanted = match &receive.wait {
                        Wait::Frame => return Waited::Met,
                        Wait::Silence => {
                            let expected = format!("no frame within {}", format_duration(receive.within));
                            return Waited::Unmet(expected, show(&self.body));
                        }
                        Wait::Until(wanted) => wanted,
                    };
                    match self.holds(wanted, receive) {
                        Some(true) => return Waited::Met,
                        Some(false) => {}
                        None => return Waited::Over,
                    }
                }
                StreamEvent::Ended(end) => {
                    self.last_ms = self.last_ms.max(end.at_ms);
                    stream.end = Some(end.clone());
                    self.see(stream);
                    return self.at_end(receive, stream);
                }
                StreamEvent::Silence { from_ms, to_ms } => {
                    self.last_ms = self.last_ms.max(*to_ms);
                    return self.at_silence(receive, to_ms.saturating_sub(*from_ms));
                }
                StreamEvent::Sent(_) | StreamEvent::Unsent { .. } => {
                    self.end(Outcome::Error, "a frame was sent where one was waited for".to_owned());
                    return Waited::Over;
                }
            }
        }
    }

    fn take_frame(&mut self, stream: &mut Stream, frame: &Frame) {
        self.last_ms = self.last_ms.max(frame.at_ms);
        let value = frame.to_json(stream.view());
        // Nobody else holds them then, so that they grow in place.
        self.scope.unset("frames");
        self.scope.unset("arrivals");
        if let Json::Array(frames) = Arc::make_mut(&mut stream.frames) {
            frames.push(value.clone());
        }
        if let Json::Array(arrivals) = Arc::make_mut(&mut stream.arrivals) {
            arrivals.push(frame.at_ms.into());
        }
        self.body = Arc::new(value);
        self.scope.set("frame", Arc::clone(&self.body));
        self.see(stream);
    }

    /// Whether the condition holds now; `None` when it ended the case.
    fn holds(&mut self, wanted: &crate::expr::Program, receive: &ReceiveStep) -> Option<bool> {
        match wanted.eval_bool(&self.scope) {
            Ok(holds) => Some(holds),
            Err(error) if harmless(&error) => Some(false),
            Err(error) => {
                self.unevaluable(&error, wanted.source(), receive.span.start);
                None
            }
        }
    }

    /// Nothing more will come.
    fn at_end(&mut self, receive: &ReceiveStep, stream: &Stream) -> Waited {
        let reason = stream.end.as_ref().map(|end| end.reason);
        if reason == Some(EndReason::Limit) {
            self.end(Outcome::Error, stream.ended());
            return Waited::Over;
        }
        let expected = match &receive.wait {
            Wait::Until(wanted) => match self.holds(wanted, receive) {
                Some(true) => return Waited::Met,
                Some(false) => format!("`{}`", wanted.source()),
                None => return Waited::Over,
            },
            Wait::Frame => "a frame".to_owned(),
            Wait::Silence => format!("a stream that lasts, and no frame within {}", format_duration(receive.within)),
        };
        // As with a request that got no answer: what broke, nobody can tell.
        if reason == Some(EndReason::Failed) {
            self.end(Outcome::Error, stream.ended());
            return Waited::Over;
        }
        Waited::Unmet(expected, stream.ended())
    }

    /// The time of the step has run out.
    fn at_silence(&mut self, receive: &ReceiveStep, lasted_ms: u64) -> Waited {
        let within = format_duration(receive.within);
        match &receive.wait {
            Wait::Silence if u128::from(lasted_ms) >= receive.within.as_millis() => Waited::Met,
            Wait::Silence => {
                self.end(Outcome::Error, format!("nothing came for {lasted_ms} ms, which is less than {within}"));
                Waited::Over
            }
            Wait::Frame => Waited::Unmet(format!("a frame within {within}"), "none".to_owned()),
            Wait::Until(wanted) => {
                let expected = format!("`{}` within {within}", wanted.source());
                Waited::Unmet(expected, wanted.explain(&self.scope))
            }
        }
    }

    /// Sends a frame.
    pub async fn send(&mut self, step: &'a Step, name: &str, channel: Option<u8>, body: &'a SendBody) -> Flow {
        let Some(stream) = self.streams.get(name) else { return self.not_open(step, name) };
        let (of, channels, kind) = (stream.of, stream.channels, stream.kind);
        if kind != Frames::Websocket {
            let at = place(self.instance, step.span.start);
            return self.end(Outcome::Error, format!("{at}: only a WebSocket takes frames"));
        }
        if stream.end.is_some() {
            let actual = stream.ended();
            return self.finding("send", "a stream that is still open", &actual, step.span.start, step.soft);
        }
        if !channels && (channel.is_some() || matches!(body, SendBody::CloseChannel(_))) {
            let headers = stream.opening.response.as_ref().map(|response| &response.headers);
            let actual = headers.and_then(|headers| headers.get("sec-websocket-protocol")).unwrap_or("none").to_owned();
            return self.finding("send", "a sub-protocol with channels", &actual, step.span.start, step.soft);
        }
        let rendered = match body {
            SendBody::Text(template) => template.render(&self.scope).map(|text| (channel, text.into_bytes())),
            SendBody::CloseChannel(closed) => Ok((Some(u8::MAX), vec![*closed])),
            SendBody::Base64(template) => match template.render(&self.scope) {
                Ok(text) => match base64::prelude::BASE64_STANDARD.decode(text) {
                    Ok(bytes) => Ok((channel, bytes)),
                    Err(error) => {
                        let at = place(self.instance, step.span.start);
                        return self.end(Outcome::Error, format!("{at}: the frame is not valid Base64: {error}"));
                    }
                },
                Err(error) => Err(error),
            },
        };
        let (channel, bytes) = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return self.unevaluable(&error, "send", step.span.start),
        };
        let binary = channels || matches!(body, SendBody::Base64(_));
        let frame = Frame { channel, binary, body: Body::new(bytes), ..Frame::default() };
        let n = self.take_event();
        let sent = self.world.send(Outgoing { n, phase: self.phase, of, frame }).await;
        match sent {
            Streamed::Stopped(reason) => self.end(Outcome::Error, reason.words().to_owned()),
            Streamed::Happened(event) => match &**event {
                StreamEvent::Sent(frame) => {
                    self.last_ms = self.last_ms.max(frame.at_ms);
                    Flow::Go
                }
                StreamEvent::Unsent { detail, .. } => {
                    self.end(Outcome::Error, format!("the frame could not be sent: {detail}"))
                }
                _ => self.end(Outcome::Error, "something else happened where a frame was to be sent".to_owned()),
            },
        }
    }

    /// Closes a stream; what it still held is not looked at.
    pub async fn close(&mut self, step: &'a Step, name: &str) -> Flow {
        let Some(stream) = self.streams.remove(name) else { return self.not_open(step, name) };
        if stream.end.is_some() {
            return Flow::Go;
        }
        let n = self.take_event();
        match self.world.leave(Leave { n, phase: self.phase, of: stream.of }).await {
            Streamed::Stopped(reason) => self.end(Outcome::Error, reason.words().to_owned()),
            Streamed::Happened(_) => Flow::Go,
        }
    }
}
