//! Keys of steps and of what they send.

use super::checks::EXPECT;
use super::{Kind, Object, key, object, or, required};

const EXPECTS: Kind = Kind::OneOrMany(&Kind::Object(&EXPECT));
const SAVES: Kind = Kind::Map(&Kind::Save, "variable");
pub(super) const HEADERS: Kind = Kind::Map(&Kind::Template, "field name");

/// Keys of every step.
pub static STEP: Object = object(
    "step",
    "Keys that every step may have.",
    &[
        key("name", Kind::Text, "shown in reports"),
        key("when", Kind::Cel, "the step is done only if this is true"),
        or("soft", Kind::Bool, "false", "a false check is recorded and the case goes on; it still fails"),
    ],
);

const METHODS: &[&str] = &["get", "head", "post", "put", "patch", "delete", "options", "request"];

/// Keys of a request, in a request step and in `open`.
static REQUEST_KEYS: Object = object(
    "request",
    "Keys of a request.",
    &[
        key("get", Kind::Template, "URL, absolute or relative to the service; the method is the key"),
        key("head", Kind::Template, "URL of a HEAD request"),
        key("post", Kind::Template, "URL of a POST request"),
        key("put", Kind::Template, "URL of a PUT request"),
        key("patch", Kind::Template, "URL of a PATCH request"),
        key("delete", Kind::Template, "URL of a DELETE request"),
        key("options", Kind::Template, "URL of an OPTIONS request"),
        key("request", Kind::Object(&METHOD_URL), "any other method"),
        key("service", Kind::Text, "service whose base URL a relative URL uses, instead of the suite's"),
        key(
            "query",
            Kind::Map(&Kind::Json, "parameter"),
            "query parameters, appended in order; a list gives one for each member",
        ),
        key(
            "headers",
            Kind::Map(&Kind::TemplateOrNull, "field name"),
            "header fields; `null` removes one of the suite or family",
        ),
        key("json", Kind::Json, "body: a JSON document"),
        key("text", Kind::Template, "body: text exactly as rendered"),
        key("form", Kind::Map(&Kind::Template, "field"), "body: `application/x-www-form-urlencoded`"),
        key("base64", Kind::Template, "body: bytes given as Base64"),
        key("random", Kind::Size, "body: so many pseudo-random bytes, a function of the run's seed"),
        key("multipart", Kind::List(&Kind::Object(&PART)), "body: `multipart/form-data`"),
        key("tar", Kind::Map(&Kind::Template, "path"), "body: a tar archive of text files"),
        or(
            "as",
            Kind::Either(&[Kind::Template, Kind::Object(&IDENTITY)]),
            "main",
            "who sends it: an identity of the target (`main`, `none`, `alt`, `admin`) or a credential",
        ),
        or(
            "follow",
            Kind::Word(&["no", "same-origin"]),
            "no",
            "whether redirects are followed; each hop is an exchange",
        ),
        or("timeout", Kind::Duration, "30s", "deadline of one exchange"),
        or("max_body", Kind::Size, "4MiB", "bytes of the response body that are read and kept"),
        key("secret", Kind::OneOrMany(&Kind::SecretPlace), "places in the response that hold new secrets"),
        key("expect", EXPECTS, "checks; without a status check the answer must be 2xx"),
        key("save", SAVES, "variables to keep, in order"),
        key(
            "effect",
            Kind::Word(&["none"]),
            "the request changes nothing that lasts, whatever its method: a log-in, a search",
        ),
        key("undo", Kind::Steps, "puts the target back; runs at the end of the case, newest first, whatever happened"),
        key("lost", Kind::Steps, "used by the clean-up instead of `undo` when the answer was never seen"),
    ],
);

/// Polling keys of a request step.
static POLL: Object = object(
    "poll",
    "Polling keys.",
    &[
        key("until", Kind::Cel, "repeat the request until this is true; what cannot be evaluated yet counts as false"),
        key("stop_if", Kind::Cel, "with `until`: the case fails at once when this is true"),
        or("within", Kind::Duration, "60s", "with `until`: how long it may take"),
        or("every", Kind::Duration, "1s", "with `until`: pause between two requests"),
        or(
            "after",
            Kind::Duration,
            "0s",
            "with `until`: pause before the first request, where an earlier answer cannot be the one that is waited for",
        ),
    ],
);

/// One request.
pub static REQUEST: Object = Object {
    name: "request step",
    doc: "One request, perhaps repeated until a condition holds; `expect` is checked on the last response.",
    keys: &[],
    includes: &[&REQUEST_KEYS, &POLL, &STEP],
    one_of: METHODS,
};

/// Method and URL.
pub static METHOD_URL: Object = object(
    "method and URL",
    "A request with a method that has no key of its own.",
    &[
        required("method", Kind::Template, "the method, upper-case"),
        required("url", Kind::Template, "URL, absolute or relative to the service"),
    ],
);

/// One part of a multipart body.
pub static PART: Object = Object {
    name: "part",
    doc: "One part of a multipart body (RFC 7578).",
    keys: &[
        required("name", Kind::Text, "field name"),
        key("filename", Kind::Template, "file name"),
        key("type", Kind::Text, "media type"),
        key("text", Kind::Template, "content: text"),
        key("json", Kind::Json, "content: a JSON document"),
        key("base64", Kind::Template, "content: bytes given as Base64"),
        key("random", Kind::Size, "content: so many pseudo-random bytes"),
    ],
    includes: &[],
    one_of: &["text", "json", "base64", "random"],
};

/// A credential.
pub static IDENTITY: Object = Object {
    name: "credential",
    doc: "A credential that the case itself has.",
    keys: &[
        key("basic", Kind::Object(&BASIC), "HTTP Basic (RFC 7617)"),
        key("header", Kind::Object(&HEADER_CREDENTIAL), "one header field, such as `x-auth-token`"),
    ],
    includes: &[],
    one_of: &["basic", "header"],
};

/// User name and password.
pub static BASIC: Object = object(
    "basic credential",
    "User name and password.",
    &[required("username", Kind::Template, "user name"), required("password", Kind::Template, "password")],
);

/// A header with a credential.
pub static HEADER_CREDENTIAL: Object = object(
    "header credential",
    "A header field with a credential.",
    &[required("name", Kind::Text, "field name"), required("value", Kind::Template, "value")],
);

/// A walk over links.
pub static CRAWL: Object = Object {
    name: "crawl step",
    doc: "Reads a resource and what it links to, breadth first, each URL once, fragments removed. `crawled` is then the list of {url, path, status, referrer, type}.",
    keys: &[
        required("crawl", Kind::Object(&CRAWL_PLAN), "where to start and where to stop"),
        key("expect", EXPECTS, "checks on every resource"),
        key("save", SAVES, "variables to keep, in order"),
    ],
    includes: &[&STEP],
    one_of: &[],
};

/// Bounds of a walk.
pub static CRAWL_PLAN: Object = object(
    "crawl",
    "Bounds of a walk.",
    &[
        required("start", Kind::Template, "first URL"),
        or("link", Kind::Text, "@odata.id", "key whose string values are links, at any depth"),
        or("below", Kind::Text, "/", "only paths with this prefix are followed"),
        key("exclude", Kind::List(&Kind::Regex), "paths that match one of these are not followed"),
        or("limit", Kind::Integer(1, 100_000), "500", "more resources than this end the walk, and the case says so"),
        or("timeout", Kind::Duration, "30s", "deadline of one exchange"),
        or("max_body", Kind::Size, "4MiB", "bytes of one body that are read and kept"),
    ],
);

/// Checks over a fixture's exchanges.
pub static OVER: Object = Object {
    name: "over step",
    doc: "Checks every exchange of a fixture, without new requests. Each exchange binds status, headers, body, text, url, path, method, referrer.",
    keys: &[
        required("over", Kind::Variable, "alias of the fixture in `needs`"),
        key("where", Kind::Cel, "which exchanges"),
        key("gap", Kind::Template, "reason of the gap when none is selected; without it that is an error of the case"),
        required("expect", EXPECTS, "checks on each of them"),
    ],
    includes: &[&STEP],
    one_of: &[],
};

/// Runs a group.
pub static USE: Object = Object {
    name: "use step",
    doc: "Runs the steps of a group.",
    keys: &[required("use", Kind::Text, "group name"), key("with", Kind::Map(&Kind::Json, "parameter"), "arguments")],
    includes: &[&STEP],
    one_of: &[],
};

/// Repeats steps.
pub static FOR: Object = Object {
    name: "for step",
    doc: "Repeats steps for each member of a list.",
    keys: &[
        required("for", Kind::Map(&Kind::Json, "variable"), "one variable and the list: `{member: \"${members}\"}`"),
        or(
            "max",
            Kind::Integer(1, 10_000),
            "32",
            "more members than this are an error of the case, never silently dropped",
        ),
        required("steps", Kind::Steps, "the steps"),
    ],
    includes: &[&STEP],
    one_of: &[],
};

/// Sets variables.
pub static LET: Object = Object {
    name: "let step",
    doc: "Sets variables, in order.",
    keys: &[required("let", Kind::Map(&Kind::Json, "variable"), "names and values")],
    includes: &[&STEP],
    one_of: &[],
};

/// Ends the case as a gap.
pub static GAP: Object = Object {
    name: "gap step",
    doc: "Ends the case as `gap` if the condition holds; the last exchange is the proof.",
    keys: &[required("gap", Kind::Object(&GAP_CONDITION), "condition and reason")],
    includes: &[&STEP],
    one_of: &[],
};

/// Condition of a gap.
pub static GAP_CONDITION: Object = object(
    "gap",
    "When the target lacks something, and what.",
    &[
        required("when", Kind::Cel, "the condition"),
        required("reason", Kind::Template, "what the target lacks, in words"),
    ],
);

/// Checks without a request.
pub static CHECK: Object = Object {
    name: "check step",
    doc: "Checks the variables and the last response, without a new request.",
    keys: &[required("check", EXPECTS, "the checks")],
    includes: &[&STEP],
    one_of: &[],
};

/// Requests at the same time.
pub static PARALLEL: Object = Object {
    name: "parallel step",
    doc: "Sends several requests at the same time. `responses` is then the list of {status, headers, body, text}, in the order of the steps.",
    keys: &[
        required("parallel", Kind::Steps, "request steps without `until`"),
        key("expect", EXPECTS, "checks on `responses`"),
    ],
    includes: &[&STEP],
    one_of: &[],
};

/// Opens a stream.
pub static OPEN: Object = Object {
    name: "open step",
    doc: "Opens a background stream or WebSocket with a request.",
    keys: &[
        required("open", Kind::Id, "name of the stream for later steps"),
        required(
            "frames",
            Kind::Word(&["json-lines", "sse", "lines", "bytes", "websocket"]),
            "how its bytes are cut into frames",
        ),
        key("protocols", Kind::OneOrMany(&Kind::Text), "WebSocket sub-protocols, in order of preference"),
    ],
    includes: &[&REQUEST_KEYS, &STEP],
    one_of: METHODS,
};

/// Waits for frames.
pub static RECEIVE: Object = Object {
    name: "receive step",
    doc: "Waits for frames of an open stream: for one, or until a condition holds. Binds `frame` (the newest), `frames` (all since the opening), `arrivals` (when each came, in milliseconds since the case began), `ended` (the other side ended the stream in order) and `end` (`{reason, code, text, at_ms}` once it is over, else null).",
    keys: &[
        required("receive", Kind::Id, "stream name"),
        key(
            "until",
            Kind::Cel,
            "asked of every new frame and of the end; what cannot be evaluated yet counts as false. Without it one frame is received",
        ),
        or("within", Kind::Duration, "60s", "how long it may take"),
        key("none_within", Kind::Duration, "instead of both: for so long no frame may come, and the stream must last"),
        key("expect", EXPECTS, "checks on `frames`; `json`, `object` and `schema` look at the newest frame"),
        key("save", SAVES, "variables to keep, in order"),
    ],
    includes: &[&STEP],
    one_of: &[],
};

/// Sends a frame.
pub static SEND: Object = Object {
    name: "send step",
    doc: "Sends a frame on an open WebSocket: text, or bytes; on a channel always bytes.",
    keys: &[
        required("send", Kind::Id, "stream name"),
        key("channel", Kind::Integer(0, 255), "channel byte of the Kubernetes channel protocols"),
        key("text", Kind::Template, "what to send: text"),
        key("base64", Kind::Template, "what to send: bytes given as Base64"),
        key(
            "close_channel",
            Kind::Integer(0, 255),
            "instead of both: says that nothing more comes on this channel (the Kubernetes channel protocol v5)",
        ),
    ],
    includes: &[&STEP],
    one_of: &["text", "base64", "close_channel"],
};

/// Closes a stream.
pub static CLOSE: Object = Object {
    name: "close step",
    doc: "Closes an open stream.",
    keys: &[required("close", Kind::Id, "stream name")],
    includes: &[&STEP],
    one_of: &[],
};

/// All kinds of steps, with the keys by which a step shows its kind. A step with `over` may also have `gap`, and one with
/// `open` has a method key; the reader knows these two.
pub static STEPS: &[(&Object, &[&str])] = &[
    (&REQUEST, METHODS),
    (&CRAWL, &["crawl"]),
    (&OVER, &["over"]),
    (&USE, &["use"]),
    (&FOR, &["for"]),
    (&LET, &["let"]),
    (&GAP, &["gap"]),
    (&CHECK, &["check"]),
    (&PARALLEL, &["parallel"]),
    (&OPEN, &["open"]),
    (&RECEIVE, &["receive"]),
    (&SEND, &["send"]),
    (&CLOSE, &["close"]),
];
