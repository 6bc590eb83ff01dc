//! The typed model of a suite file. Values are already checked by the reader: expressions are compiled, ids are
//! well-formed, references inside one suite resolve.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::deferred::Steps;
pub use super::expected::*;
use crate::canon::Digest;
use crate::capability::{CapabilityId, Outcome};
use crate::expr::{Json, JsonTemplate, Program, Template};
use crate::text::{SourceFile, Span};

/// One suite file.
#[derive(Debug)]
pub struct Suite {
    /// Dotted id, first part the family: `redfish.power`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// First part of the id.
    pub family: String,
    /// Name of the service whose base URL relative URLs use; `None` is the target's own base URL.
    pub service: Option<String>,
    /// Header fields sent with every request of the suite.
    pub headers: Vec<(String, Template)>,
    /// Shared set-ups, addressed as `<suite id>.<fixture id>`; same shape as a case, with outputs.
    pub fixtures: Vec<Case>,
    /// Reusable step groups.
    pub groups: BTreeMap<String, Group>,
    /// The cases in file order.
    pub cases: Vec<Case>,
    /// Where it was read from; of a large catalogue without the text.
    pub source: Arc<SourceFile>,
    /// Digest of the file's bytes.
    pub digest: Digest,
    /// Requests that create something which no `undo` removes, with the fixtures that their case needs: fine where one of
    /// these is the case's own and takes it away.
    pub(super) unremoved: Vec<(Span, Vec<String>)>,
}

/// What a case may do to the target; the operator allows a level with `--allow`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Reads only; failed logins count as reads.
    Read,
    /// Creates, changes and removes things, and puts them back.
    Write,
    /// Interrupts what runs on the target: power, reset, firmware.
    Disruptive,
}

/// One case (or one fixture). What [`CaseBody`] has is reached through it: many cases of a large catalogue share one.
#[derive(Debug)]
pub struct Case {
    /// Id within the suite, kebab-case.
    pub id: Box<str>,
    /// The stated behaviour in one sentence.
    pub title: Arc<str>,
    /// Place of the case in the file.
    pub span: Span,
    /// Where the steps are.
    pub(super) at: Steps,
    /// Everything else.
    pub(super) body: Arc<CaseBody>,
}

impl Deref for Case {
    type Target = CaseBody;

    fn deref(&self) -> &CaseBody {
        &self.body
    }
}

/// What a case says besides its name.
#[derive(Debug)]
pub struct CaseBody {
    /// Capabilities the case gives evidence for.
    pub capabilities: Vec<CapabilityId>,
    /// Specification paragraph that demands the behaviour.
    pub spec: Option<String>,
    /// Ids of upstream tests it stands for, `scheme:id`.
    pub covers: Vec<String>,
    /// What it may do to the target.
    pub risk: Risk,
    /// Fixtures by alias.
    pub needs: Vec<Need>,
    /// Preconditions; what the target lacks is a `gap`, what the operator left out a `skip`.
    pub requires: Vec<Require>,
    /// Names of locks: cases that share one never run at the same time.
    pub serial: Vec<String>,
    /// Rows of parameters; empty means the case runs once.
    pub each: Rows,
    /// Deadline of the whole case, clean-up not included.
    pub within: Duration,
    /// What is done; empty when the case [lacks its steps](Case::lacks_steps).
    pub steps: Vec<Step>,
    /// Fixtures only: set up anew for each case that needs it, and undone with that case.
    pub per_case: bool,
    /// Fixtures only: what is created in it goes with it.
    pub place: bool,
    /// Fixtures only: values handed to the cases that need it.
    pub outputs: Vec<(String, JsonTemplate)>,
}

impl CaseBody {
    /// Whether the other one, of a case without rows and without its steps, says the same. What has places of its own in the
    /// file is never the same.
    pub(super) fn is_as(&self, other: &CaseBody) -> bool {
        let plain = |body: &CaseBody| {
            matches!(body.each, Rows::Once)
                && body.needs.is_empty()
                && body.requires.is_empty()
                && body.steps.is_empty()
                && body.outputs.is_empty()
        };
        let known = |body: &CaseBody| (body.risk, body.within);
        plain(self)
            && plain(other)
            && known(self) == known(other)
            && self.capabilities == other.capabilities
            && self.spec == other.spec
            && self.covers == other.covers
            && self.serial == other.serial
    }
}

/// A fixture under the name by which a case calls it.
#[derive(Debug, Clone)]
pub struct Need {
    /// Variable that holds the fixture's outputs.
    pub alias: String,
    /// Full id `<suite>.<fixture>`.
    pub fixture: String,
    /// Place in the file.
    pub span: Span,
}

/// A condition on what the fixtures found.
#[derive(Debug)]
pub struct Require {
    /// Must be true, else the case is a `gap`.
    pub that: Program,
    /// What the target lacks, or what the operator left out, in words.
    pub reason: Template,
    /// Outcome when it is false: `gap`, or `skip` when the choice was the operator's.
    pub otherwise: Outcome,
    /// Place in the file.
    pub span: Span,
}

/// Rows of a parametrised case.
#[derive(Debug, Default)]
pub enum Rows {
    /// Not parametrised.
    #[default]
    Once,
    /// Named rows of variables.
    Table(Vec<Row>),
    /// Rows `0..n`, with the variable `i`.
    Count(u32),
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Shown in brackets behind the case id.
    pub name: String,
    /// Variables of the row, `name` among them.
    pub variables: Vec<(String, Json)>,
    /// Ids of upstream tests that this row alone stands for, `scheme:id`.
    pub covers: Vec<String>,
}

/// Steps with parameters.
#[derive(Debug)]
pub struct Group {
    /// Parameter names; all must be given.
    pub params: Vec<String>,
    /// The steps; what they save is visible to the caller.
    pub steps: Vec<Step>,
    /// Place in the file.
    pub span: Span,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Optional name, shown in reports.
    pub name: Option<String>,
    /// Done only if true.
    pub when: Option<Program>,
    /// A false check is recorded and the case goes on.
    pub soft: bool,
    /// What it does.
    pub kind: StepKind,
    /// Place in the file.
    pub span: Span,
}

/// What a step does.
#[derive(Debug)]
pub enum StepKind {
    /// One request, perhaps repeated until a condition holds.
    Request(Box<RequestStep>),
    /// Reads a resource and everything it links to.
    Crawl(Box<CrawlStep>),
    /// Checks every exchange of a fixture.
    Over(Box<OverStep>),
    /// Runs a group.
    Use {
        /// Group name.
        group: String,
        /// Arguments.
        with: Vec<(String, JsonTemplate)>,
    },
    /// Repeats steps for each member of a list.
    For {
        /// Variable that holds the member.
        variable: String,
        /// The list.
        list: JsonTemplate,
        /// More members than this are an error of the case, never silently dropped.
        max: u32,
        /// The steps.
        steps: Vec<Step>,
    },
    /// Sets variables.
    Let(Vec<(String, JsonTemplate)>),
    /// Ends the case as `gap` if the condition holds; the last exchange is the proof.
    Gap {
        /// The condition.
        when: Program,
        /// What the target lacks.
        reason: Template,
    },
    /// Checks the variables and the last response without a new request.
    Check(Vec<Expect>),
    /// Sends several requests at the same time.
    Parallel {
        /// Plain requests, without `until`.
        steps: Vec<Step>,
        /// Checks on `responses`, in the order of the steps.
        expect: Vec<Expect>,
    },
    /// Opens a background stream or WebSocket.
    Open(Box<OpenStep>),
    /// Waits for frames of an open stream.
    Receive(Box<ReceiveStep>),
    /// Sends a frame on an open WebSocket.
    Send {
        /// Stream name.
        stream: String,
        /// Channel byte of the Kubernetes channel protocols.
        channel: Option<u8>,
        /// What to send.
        body: SendBody,
    },
    /// Closes an open stream.
    Close {
        /// Stream name.
        stream: String,
    },
}

/// Who sends a request.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A name that the target defines: `main`, `none`, `alt`, `admin`.
    Named(Template),
    /// HTTP Basic (RFC 7617).
    Basic {
        /// User name.
        username: Template,
        /// Password, usually a token.
        password: Template,
    },
    /// One header field with a credential, such as `x-auth-token`.
    Header {
        /// Field name.
        name: String,
        /// Value, usually a token.
        value: Template,
    },
}

/// Where redirects lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The redirect itself is the response.
    No,
    /// Up to 10 hops on the same origin; each hop is an exchange.
    SameOrigin,
}

/// What is sent.
#[derive(Debug)]
pub enum BodySpec {
    /// A JSON document.
    Json(JsonTemplate),
    /// Text, exactly as rendered.
    Text(Template),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Template)>),
    /// Bytes given as Base64.
    Base64(Template),
    /// Pseudo-random bytes, a function of the run seed.
    Random {
        /// Number of bytes.
        size: u64,
    },
    /// `multipart/form-data` (RFC 7578).
    Multipart(Vec<Part>),
    /// A tar archive of text files.
    Tar(Vec<(String, Template)>),
}

/// One part of a multipart body.
#[derive(Debug)]
pub struct Part {
    /// Field name.
    pub name: String,
    /// File name, if any.
    pub filename: Option<Template>,
    /// Media type, if any.
    pub content_type: Option<String>,
    /// Content.
    pub body: BodySpec,
}

/// A request as a case states it.
#[derive(Debug)]
pub struct RequestStep {
    /// Method, upper-case; an expression only in `request: {method, url}`, for cases with a row per method.
    pub method: Template,
    /// Absolute, or relative to the service's base URL.
    pub url: Template,
    /// Service whose base URL a relative URL uses, instead of the suite's.
    pub service: Option<String>,
    /// Query parameters, appended in order.
    pub query: Vec<(String, JsonTemplate)>,
    /// Header fields, names lower-case; `None` removes one of the suite or family.
    pub headers: Vec<(String, Option<Template>)>,
    /// Body.
    pub body: Option<BodySpec>,
    /// Who sends it; `None` is `main`.
    pub identity: Option<Identity>,
    /// Redirects.
    pub follow: Follow,
    /// Deadline of one exchange.
    pub timeout: Duration,
    /// Bytes of the response body that are read and kept.
    pub max_body: u64,
    /// Places in the response that hold new secrets.
    pub secrets: Vec<SecretPlace>,
    /// Whether it may change something that lasts, as far as its method tells.
    pub lasting: bool,
    /// Poll.
    pub until: Option<Until>,
    /// Checks.
    pub expect: Vec<Expect>,
    /// Values to keep.
    pub save: Vec<(String, Save)>,
    /// Puts the target back; runs at the end of the case, newest first, also after a crash.
    pub undo: Vec<Step>,
    /// Used by the clean-up instead of `undo` when the answer was never seen.
    pub lost: Vec<Step>,
}

/// Where a response holds a secret.
#[derive(Debug, Clone)]
pub enum SecretPlace {
    /// A header field.
    Header(String),
    /// Strings selected in the JSON body.
    Json(serde_json_path::JsonPath),
}

/// What is kept of a response.
#[derive(Debug)]
pub enum Save {
    /// First node that the path selects; none is a failed check.
    Path(serde_json_path::JsonPath),
    /// An expression or template.
    Value(JsonTemplate),
}

/// Repetition of a request until something is true.
#[derive(Debug)]
pub struct Until {
    /// Done when true. What cannot be evaluated yet counts as false.
    pub that: Program,
    /// The case fails at once when true.
    pub stop_if: Option<Program>,
    /// How long it may take.
    pub within: Duration,
    /// Pause between two requests.
    pub every: Duration,
    /// Pause before the first request.
    pub after: Duration,
    /// Place in the file.
    pub span: Span,
}

/// Bounded walk over links.
#[derive(Debug)]
pub struct CrawlStep {
    /// First URL.
    pub start: Template,
    /// Key whose string values are links, at any depth.
    pub link_key: String,
    /// Only paths with this prefix are followed.
    pub below: String,
    /// Paths matching one of these are not followed.
    pub exclude: Vec<Arc<regex::Regex>>,
    /// More resources than this end the walk; the case says so.
    pub limit: u32,
    /// Deadline of one exchange.
    pub timeout: Duration,
    /// Bytes kept of one body.
    pub max_body: u64,
    /// Checks on every resource.
    pub expect: Vec<Expect>,
    /// Values to keep; `crawled` holds the resources.
    pub save: Vec<(String, Save)>,
}

/// Checks over the exchanges of a fixture.
#[derive(Debug)]
pub struct OverStep {
    /// Alias of the fixture in `needs`.
    pub fixture: String,
    /// Which exchanges.
    pub filter: Option<Program>,
    /// Reason of the `gap` when none is selected; without it that is an error of the case.
    pub gap: Option<Template>,
    /// Checks on each of them.
    pub expect: Vec<Expect>,
}

/// A stream or WebSocket.
#[derive(Debug)]
pub struct OpenStep {
    /// Its name for later steps.
    pub stream: String,
    /// How it is opened.
    pub request: RequestStep,
    /// How its bytes are cut into frames.
    pub frames: Frames,
    /// WebSocket sub-protocols, in order of preference.
    pub protocols: Vec<String>,
}

/// Framing of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// One JSON document a line (Kubernetes watch, Docker events).
    JsonLines,
    /// Server-sent events.
    Sse,
    /// Lines of text.
    Lines,
    /// Raw chunks.
    Bytes,
    /// WebSocket messages.
    Websocket,
}

/// Wait for frames.
#[derive(Debug)]
pub struct ReceiveStep {
    /// Stream name.
    pub stream: String,
    /// What is waited for.
    pub wait: Wait,
    /// How long it may take, or take at least.
    pub within: Duration,
    /// Checks on `frames`.
    pub expect: Vec<Expect>,
    /// Values to keep.
    pub save: Vec<(String, Save)>,
    /// Place of the condition, or of the step.
    pub span: Span,
}

/// What a [`ReceiveStep`] waits for.
#[derive(Debug)]
pub enum Wait {
    /// One more frame.
    Frame,
    /// Until this is true of `frame`, `frames`, `ended`.
    Until(Program),
    /// That no frame comes.
    Silence,
}

/// What a `send` step sends.
#[derive(Debug)]
pub enum SendBody {
    /// Text.
    Text(Template),
    /// Bytes given as Base64.
    Base64(Template),
    /// That nothing more comes on this channel.
    CloseChannel(u8),
}
