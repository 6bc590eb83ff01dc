//! Performs one request. The only place where secrets leave their tokens and where raw answers exist: what comes out
//! is sealed.
//!
//! It deliberately does not retry, follow redirects or decompress: the case sees what the target did. The one exception is
//! no answer at all: a request that a server, closing an HTTP/2 connection, says it did not process is sent again.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::clock::CaseClock;
use super::failure::{classify, failure};
use super::opening::Rest;
use super::reveal::{self, Unrevealed};
use crate::canon::digest_bytes;
use crate::expr::Json;
use crate::http::{Body, Exchange, Failure, FailureClass, Headers, Request, Response, TlsFacts};
use crate::judge::{Call, CallIdentity, StopReason};
use crate::secret::{Redacted, Secret, Vault};
use crate::suite::{Frames, SecretPlace};
use crate::target::{Certificate, Credential, IdentityUse, Proof, Target, basic_value, learn_header};

/// No more of a body than this is ever kept, whatever the suite says: it must fit into a line of the transcript.
const MAX_BODY: u64 = 32 << 20;
/// Response fields whose values are credentials.
const TOKEN_FIELDS: [&str; 2] = ["x-auth-token", "x-subject-token"];
/// Request fields that carry credentials when a case composes them from tokens.
const CREDENTIAL_FIELDS: [&str; 5] =
    ["authorization", "proxy-authorization", "x-auth-token", "x-subject-token", "cookie"];
/// Methods whose requests usually have content.
const WITH_CONTENT: [&str; 3] = ["POST", "PUT", "PATCH"];
/// Shorter cookie values are words (`deleted`, `true`), not secrets.
const SHORTEST_COOKIE: usize = 10;
/// How the detail of a failure begins when a status line came before it.
const STATUS_SEEN: &str = "status ";
const AUTHORIZATION: &str = "authorization";
const WITHHELD: &str = "the request needs a secret that this run does not know or cannot spell";

/// Performs requests for one target.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) target: Arc<Target>,
    pub(super) vault: Arc<Vault>,
    /// Hosts that the target itself named as its own when somebody logged in.
    named: RwLock<BTreeSet<String>>,
}

/// What stays the same for all requests of one attempt of a case.
pub(super) struct Sender<'c> {
    pub(super) clock: &'c CaseClock,
    /// `user-agent`, which tells the target's operator which case a request belongs to.
    pub(super) agent: &'c HeaderValue,
}

/// A request ready for the wire.
pub(super) struct Prepared {
    pub(super) request: reqwest::Request,
    /// What identifies the sender to TLS.
    pub(super) certificate: Option<Certificate>,
    /// Nothing shall identify the sender.
    pub(super) anonymous: bool,
}

/// Why a request does not go out.
enum Refusal {
    /// Rules forbid it.
    Stop(StopReason),
    /// It cannot be built.
    Broken(Failure),
}

impl From<Unrevealed> for Refusal {
    fn from(_: Unrevealed) -> Self {
        Self::Broken(failure(FailureClass::Request, WITHHELD))
    }
}

impl Client {
    pub(super) fn new(target: Arc<Target>, vault: Arc<Vault>) -> Self {
        Self { target, vault, named: RwLock::default() }
    }

    /// Trusts the hosts of base URLs that a log-in gave.
    pub(super) fn trust(&self, services: Option<&Json>) {
        let urls = services.and_then(Json::as_object).into_iter().flat_map(serde_json::Map::values);
        let hosts = urls.filter_map(|url| Url::parse(url.as_str()?).ok()?.host_str().map(str::to_owned));
        self.named.write().unwrap_or_else(PoisonError::into_inner).extend(hosts);
    }

    /// Whether credentials may be sent there.
    fn is_own(&self, url: &Url) -> bool {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let is_named = url.host_str().is_some_and(|host| named.contains(host));
        self.target.is_own(url) || (is_named && self.target.is_private(url))
    }

    /// Sends the request and waits for the complete answer, `limit` at most. With `frames` an answer that goes on as a
    /// stream is complete with its head; the rest of it comes beside the exchange.
    pub(super) async fn exchange(
        &self,
        call: Call,
        frames: Option<Frames>,
        sender: Sender<'_>,
        limit: Duration,
    ) -> Result<(Redacted<Exchange>, Option<Rest>), StopReason> {
        let Call { request: mut recorded, identity, max_body, secrets, .. } = call;
        let renewed = self.renew(&identity).await;
        let prepared = renewed.and_then(|()| self.prepare(&mut recorded, &identity, sender.agent));
        let sent_ms = sender.clock.elapsed_ms();
        let max_body = max_body.min(MAX_BODY);
        let outcome = match (prepared, frames) {
            (Err(Refusal::Stop(reason)), _) => return Err(reason),
            (Err(Refusal::Broken(failure)), _) => Err(failure),
            (Ok(prepared), None) => self.send(prepared, max_body, limit).await.map(|response| (response, None)),
            (Ok(prepared), Some(frames)) => self.open(prepared, frames, max_body, limit).await,
        };
        let (response, rest, failure) = match outcome {
            Ok((response, rest)) => (Some(response), rest, None),
            Err(failure) => (None, None, Some(failure)),
        };
        if let Some(response) = &response {
            self.learn(response, &secrets);
            if let (401, CallIdentity::Named(name)) = (response.status, &identity) {
                self.target.refused(name);
            }
        }
        let exchange = self.vault.seal(Exchange {
            request: recorded,
            response,
            failure,
            sent_ms,
            done_ms: sender.clock.elapsed_ms(),
            at_ms: sender.clock.at_ms(),
        });
        Ok((exchange, rest))
    }

    /// Credentials that are about to end are had again first; their source may take its time.
    async fn renew(&self, identity: &CallIdentity) -> Result<(), Refusal> {
        let CallIdentity::Named(name) = identity else { return Ok(()) };
        if !self.target.is_due(name) {
            return Ok(());
        }
        let (target, vault, name) = (Arc::clone(&self.target), Arc::clone(&self.vault), name.clone());
        let renewed = tokio::task::spawn_blocking(move || target.renew(&name, &vault)).await;
        let why = match renewed {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        Err(Refusal::Broken(failure(FailureClass::Request, why)))
    }

    /// Builds the request for the wire and adds the identity's field to the recorded one.
    fn prepare(
        &self,
        recorded: &mut Request,
        identity: &CallIdentity,
        agent: &HeaderValue,
    ) -> Result<Prepared, Refusal> {
        let broken = |detail: String| Refusal::Broken(failure(FailureClass::Request, detail));
        let url = reveal::url(&self.vault, &recorded.url)?;
        let url = Url::parse(&url).map_err(|e| broken(format!("invalid URL: {e}")))?;
        let method =
            reqwest::Method::from_bytes(recorded.method.as_bytes()).map_err(|_| broken("invalid method".to_owned()))?;
        let anonymous = matches!(identity, CallIdentity::Named(name) if self.is_anonymous(name));
        let mut proof = self.identify(identity)?;
        if !self.is_own(&url) && (!anonymous || holds_token(recorded)) {
            return Err(Refusal::Stop(StopReason::ForeignHost));
        }
        // What the step says itself wins over the identity, the whole of it.
        if recorded.headers.get(AUTHORIZATION).is_some() {
            proof = Proof::default();
        }
        let unsaid = |(name, _): &(String, String)| recorded.headers.get(name).is_none();
        let further: Vec<_> = proof.headers.into_iter().filter(unsaid).collect();
        further.iter().for_each(|(name, value)| recorded.headers.push(name, value.as_str()));
        let mut headers = HeaderMap::with_capacity(recorded.headers.0.len() + 2);
        for (name, value) in &recorded.headers.0 {
            let value = self.field_value(name, value)?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken("invalid header name".to_owned()))?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| broken(format!("invalid value of the header field `{name}`")))?;
            headers.append(name, value);
        }
        if let Some(Credential { name, value }) = proof.credential.filter(|c| recorded.headers.get(&c.name).is_none()) {
            let field =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken("invalid header name".to_owned()))?;
            let mut sent = HeaderValue::from_bytes(value.expose().as_bytes())
                .map_err(|_| broken(format!("invalid credentials in the header field `{name}`")))?;
            sent.set_sensitive(true);
            headers.append(field, sent);
            recorded.headers.push(&name, value.expose());
        }
        if !headers.contains_key(reqwest::header::USER_AGENT) {
            headers.insert(reqwest::header::USER_AGENT, agent.clone());
        }
        // RFC 9110 §8.6: a method that usually has content says so when there is none.
        if recorded.body.is_empty() && WITH_CONTENT.contains(&method.as_str()) {
            headers.entry(reqwest::header::CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        let url = match self.target.on_wire(&url) {
            Some((wire, host)) => {
                let host = HeaderValue::from_str(&host).map_err(|_| broken("invalid host".to_owned()))?;
                headers.entry(reqwest::header::HOST).or_insert(host);
                wire
            }
            None => url,
        };
        let mut request = reqwest::Request::new(method, url);
        if !recorded.body.is_empty() {
            let body = reveal::body(&self.vault, &recorded.body, recorded.headers.get("content-type"))?;
            *request.body_mut() = Some(body.into());
        }
        *request.headers_mut() = headers;
        Ok(Prepared { request, certificate: proof.certificate, anonymous })
    }

    fn is_anonymous(&self, name: &str) -> bool {
        matches!(self.target.credential(name), IdentityUse::Anonymous)
    }

    /// What an identity sends and presents; the secret in it is known to the vault afterwards.
    fn identify(&self, identity: &CallIdentity) -> Result<Proof, Refusal> {
        let credential = match identity {
            CallIdentity::Named(name) => match self.target.credential(name) {
                IdentityUse::Unknown => return Err(Refusal::Stop(StopReason::NoIdentity)),
                IdentityUse::Anonymous => return Ok(Proof::default()),
                IdentityUse::Known(proof) => return Ok(proof),
            },
            CallIdentity::Basic { username, password } => {
                let username = reveal::plain(&self.vault, username)?;
                let password = reveal::plain(&self.vault, password)?;
                let value = basic_value(&username, &password);
                learn_header("login", &value, &self.vault);
                Credential { name: AUTHORIZATION.to_owned(), value: Secret::new(value) }
            }
            CallIdentity::Header { name, value } => {
                Credential { name: name.clone(), value: Secret::new(self.field_value(name, value)?) }
            }
        };
        Ok(Proof { credential: Some(credential), ..Proof::default() })
    }

    /// The value of a field for the wire. Credentials made of tokens are secrets as a whole too; literals in a suite
    /// are public and stay readable.
    fn field_value(&self, name: &str, value: &str) -> Result<String, Unrevealed> {
        let revealed = reveal::plain(&self.vault, value)?;
        if revealed != value && CREDENTIAL_FIELDS.contains(&name) {
            learn_header(name, &revealed, &self.vault);
        }
        Ok(revealed.into_owned())
    }

    async fn send(&self, prepared: Prepared, max_body: u64, limit: Duration) -> Result<Response, Failure> {
        let client = self
            .target
            .client(prepared.request.url(), prepared.certificate.as_ref(), prepared.anonymous)
            .map_err(|e| failure(FailureClass::Request, e.to_string()))?;
        let verified = self.target.verifies_certificates();
        let work = async {
            let response = client.execute(prepared.request).await.map_err(classify)?;
            receive(response, max_body, verified).await
        };
        in_time(limit, work).await
    }

    /// Takes in the secrets of a response before anything of it is kept.
    fn learn(&self, response: &Response, places: &[SecretPlace]) {
        for (name, value) in &response.headers.0 {
            match name.as_str() {
                name if TOKEN_FIELDS.contains(&name) => self.learn_value(name, value),
                "authorization" | "proxy-authorization" => learn_header(name, value, &self.vault),
                "set-cookie" => {
                    if let Some(cookie) = cookie_value(value) {
                        self.learn_value("cookie", cookie);
                    }
                }
                _ => {}
            }
        }
        for place in places {
            if let SecretPlace::Header(name) = place {
                for (_, value) in response.headers.0.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)) {
                    self.learn_value(name, value);
                }
            }
        }
        self.learn_body(&response.body, places);
    }

    /// Takes in the secrets of a body or a frame.
    pub(super) fn learn_body(&self, body: &Body, places: &[SecretPlace]) {
        let mut document = None;
        for place in places {
            if let SecretPlace::Json(path) = place {
                let document = document.get_or_insert_with(|| body.json().unwrap_or_default());
                for node in path.query(document) {
                    self.learn_json(node);
                }
            }
        }
    }

    /// The bytes of a frame for the wire.
    pub(super) fn frame(&self, body: &Body) -> Result<Vec<u8>, Failure> {
        reveal::body(&self.vault, body, None).map_err(|_| failure(FailureClass::Request, WITHHELD))
    }

    fn learn_json(&self, node: &serde_json::Value) {
        match node {
            serde_json::Value::String(text) => self.learn_value("response", text),
            serde_json::Value::Number(number) => self.learn_value("response", &number.to_string()),
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.learn_json(item)),
            serde_json::Value::Object(members) => members.values().for_each(|member| self.learn_json(member)),
            serde_json::Value::Null | serde_json::Value::Bool(_) => {}
        }
    }

    fn learn_value(&self, label: &str, value: &str) {
        if !value.is_empty() {
            self.vault.learn(label, &Secret::new(value));
        }
    }
}

fn holds_token(request: &Request) -> bool {
    reveal::has_token(&request.url)
        || request.headers.0.iter().any(|(_, value)| reveal::has_token(value))
        || reveal::has_token(&request.body.text())
}

/// The value in `name=value; attributes` (RFC 6265 §4.1.1), when it can be a session.
fn cookie_value(field: &str) -> Option<&str> {
    let pair = field.split(';').next()?;
    let (_, value) = pair.split_once('=')?;
    let value = value.trim().trim_matches('"');
    (value.len() >= SHORTEST_COOKIE).then_some(value)
}

/// Whether the failure came after the status line: then somebody is there.
pub(super) fn began_to_answer(failure: &Failure) -> bool {
    failure.detail.starts_with(STATUS_SEEN)
}

/// The result of the work, or a failure when it takes too long.
pub(super) async fn in_time<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(failure(FailureClass::Timeout, format!("no complete answer within {limit:?}"))),
    }
}

/// The head of an answer.
pub(super) fn head(response: &reqwest::Response, verified: bool) -> Response {
    let tls = response
        .extensions()
        .get::<reqwest::tls::TlsInfo>()
        .and_then(|info| info.peer_certificate())
        .map(|certificate| TlsFacts { certificate: digest_bytes(certificate), verified });
    let status = response.status().as_u16();
    let version = version_word(response.version()).to_owned();
    let mut headers = Headers(Vec::with_capacity(response.headers().len()));
    for (name, value) in response.headers() {
        headers.0.push((name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    }
    Response { status, version, headers, body: Body::default(), tls }
}

/// Reads head and body of an answer. Of a body that is too long the beginning is kept and the connection is dropped.
pub(super) async fn receive(
    mut response: reqwest::Response,
    max_body: u64,
    verified: bool,
) -> Result<Response, Failure> {
    let head = head(&response, verified);
    let status = head.status;
    let limit = usize::try_from(max_body).unwrap_or(usize::MAX);
    let mut bytes: Vec<u8> = Vec::new();
    let mut received: u64 = 0;
    let body = loop {
        let chunk = response.chunk().await.map_err(|e| {
            let Failure { class, detail } = classify(e);
            Failure {
                class,
                detail: format!("{STATUS_SEEN}{status}, then after {received} bytes of the body: {detail}"),
            }
        })?;
        let Some(chunk) = chunk else { break Body::new(bytes) };
        received += chunk.len() as u64;
        let room = limit - bytes.len();
        bytes.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if received > max_body {
            break Body::truncated(bytes, received);
        }
    };
    Ok(Response { body, ..head })
}

fn version_word(version: reqwest::Version) -> &'static str {
    match version {
        reqwest::Version::HTTP_09 => "HTTP/0.9",
        reqwest::Version::HTTP_10 => "HTTP/1.0",
        reqwest::Version::HTTP_2 => "HTTP/2",
        reqwest::Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}
