//! The keys of suite files as data: one table per kind of mapping. The reader (unknown and missing keys), the JSON Schema
//! and the reference page are all made from it, so they cannot tell different stories.
//!
//! The tables say which keys exist and what shape a value has. What values mean together (a variable that is not defined,
//! a fixture that nobody provides) is the reader's and the linter's business.

/// What shape the value of a key has.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text without expressions.
    Text,
    /// Text in which `${cel}` is replaced.
    Template,
    /// Like [`Kind::Template`]; `null` removes the header field.
    TemplateOrNull,
    /// A CEL expression, without `${}`.
    Cel,
    /// `true` or `false`.
    Bool,
    /// A number such as `90s`, `5m`, `1h30m` with its unit.
    Duration,
    /// A number of bytes such as `512`, `10kB`, `4MiB`.
    Size,
    /// A whole number between the two.
    Integer(u64, u64),
    /// Any number.
    Number,
    /// Any JSON; `${cel}` is replaced in its strings.
    Json,
    /// Any JSON, taken as it is.
    Literal,
    /// A regular expression.
    Regex,
    /// `kebab-case`.
    Id,
    /// Ids joined by dots.
    DottedId,
    /// A name for a variable, as CEL wants it.
    Variable,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `$.json.path` or `header:name`.
    SecretPlace,
    /// JSON path, template, or any JSON with templates.
    Save,
    /// A status code, a class such as `2xx`, `any`, or a list of codes and classes.
    Status,
    /// A literal, `present`, `absent`, or a mapping of matcher keys.
    Matcher,
    /// A JSON Schema.
    Schema,
    /// A mapping with the keys of the object.
    Object(&'static Object),
    /// A list.
    List(&'static Kind),
    /// One, or a list of them.
    OneOrMany(&'static Kind),
    /// A mapping with free keys; the second says what the keys are.
    Map(&'static Kind, &'static str),
    /// One of several shapes.
    Either(&'static [Kind]),
    /// A list of steps.
    Steps,
    /// Rows: a list of mappings with `name` and the row's variables.
    Rows,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As written in the file.
    pub name: &'static str,
    /// Shape of its value.
    pub kind: Kind,
    /// Must be there.
    pub required: bool,
    /// What holds when it is not there, for people.
    pub default: Option<&'static str>,
    /// One line of explanation.
    pub doc: &'static str,
}

/// A kind of mapping.
#[derive(Debug)]
pub struct Object {
    /// Name in the schema and in messages: `case`, `request step`.
    pub name: &'static str,
    /// One line of explanation.
    pub doc: &'static str,
    /// Its own keys.
    pub keys: &'static [Key],
    /// Objects whose keys it has as well.
    pub includes: &'static [&'static Object],
    /// Of these keys exactly one must be given; empty when there is no such rule.
    pub one_of: &'static [&'static str],
}

impl Object {
    /// All keys, its own first.
    pub fn all_keys(&'static self) -> impl Iterator<Item = &'static Key> {
        let included: Vec<&'static Key> = self.includes.iter().flat_map(|object| object.collect()).collect();
        self.keys.iter().chain(included)
    }

    fn collect(&'static self) -> Vec<&'static Key> {
        self.all_keys().collect()
    }

    /// The key of that name.
    #[must_use]
    pub fn key(&'static self, name: &str) -> Option<&'static Key> {
        self.keys
            .iter()
            .find(|key| key.name == name)
            .or_else(|| self.includes.iter().find_map(|object| object.key(name)))
    }
}

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: false, default: None, doc }
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: true, default: None, doc }
}

const fn or(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, required: false, default: Some(default), doc }
}

const fn object(name: &'static str, doc: &'static str, keys: &'static [Key]) -> Object {
    Object { name, doc, keys, includes: &[], one_of: &[] }
}

const EXPECTS: Kind = Kind::OneOrMany(&Kind::Object(&EXPECT));
const SAVES: Kind = Kind::Map(&Kind::Save, "variable");
const HEADERS: Kind = Kind::Map(&Kind::Template, "field name");
const IDS: Kind = Kind::OneOrMany(&Kind::Id);

/// Top of a suite file.
pub static SUITE: Object = object(
    "suite",
    "One file `suites/<family>/<name>.yaml`.",
    &[
        required("format", Kind::Integer(1, 1), "version of this language"),
        required("suite", Kind::DottedId, "id `<family>.<name>`, the same as the file's path"),
        required("title", Kind::Text, "one line for people"),
        or("service", Kind::Text, "the target's base URL", "service whose base URL relative URLs use"),
        key("headers", HEADERS, "header fields sent with every request of the suite"),
        key("fixtures", Kind::List(&Kind::Object(&FIXTURE)), "shared set-ups"),
        key("groups", Kind::Map(&Kind::Object(&GROUP), "group name"), "reusable steps with parameters"),
        key("cases", Kind::List(&Kind::Object(&CASE)), "the cases, in the order in which they are reported"),
    ],
);

/// Keys that cases and fixtures share.
static PLAN: Object = object(
    "plan",
    "Keys that cases and fixtures share.",
    &[
        required("id", Kind::Id, "unique in the file; the full id is `<suite>.<id>`"),
        required("title", Kind::Text, "the stated behaviour in one sentence"),
        key("spec", Kind::Text, "the specification paragraph that demands it"),
        or("risk", Kind::Word(&["read", "write", "disruptive"]), "read", "what it may do to the target; `--allow` gates it"),
        key("needs", Kind::Map(&Kind::Text, "alias"), "fixtures by alias: `suite.fixture`, or `.fixture` in the same file"),
        key("requires", Kind::List(&Kind::Object(&REQUIRE)), "conditions on fixture outputs; a false one makes the case a gap"),
        key("serial", Kind::OneOrMany(&Kind::Text), "lock names; cases that share one never run at the same time"),
        or("within", Kind::Duration, "5m", "deadline of the whole case, undo not included"),
        required("steps", Kind::Steps, "what is done, in order"),
    ],
);

/// A case.
pub static CASE: Object = Object {
    name: "case",
    doc: "One stated behaviour with the steps that show it.",
    keys: &[
        required("capability", IDS, "capabilities it gives evidence for"),
        key("covers", Kind::OneOrMany(&Kind::Text), "upstream tests it stands for, as `scheme:id`"),
        key("each", Kind::Rows, "rows of variables, or `{count: N}` for the variable `i`; ids become `suite.case[row]`"),
    ],
    includes: &[&PLAN],
    one_of: &[],
};

/// A fixture.
pub static FIXTURE: Object = Object {
    name: "fixture",
    doc: "A set-up shared by cases: done once when first needed, undone last. Its outcome becomes that of the cases when it is not a pass.",
    keys: &[key("outputs", Kind::Map(&Kind::Json, "name"), "values handed to the cases as `<alias>.<name>`")],
    includes: &[&PLAN],
    one_of: &[],
};

/// A condition on fixture outputs.
pub static REQUIRE: Object = object(
    "requirement",
    "A condition on what the fixtures found.",
    &[
        required("that", Kind::Cel, "must be true, else the case is a gap"),
        required("reason", Kind::Template, "what the target lacks, in words"),
    ],
);

/// Rows made by counting.
pub static COUNT: Object = object(
    "row count",
    "Rows `0` to `count - 1`.",
    &[required("count", Kind::Integer(1, 10_000), "number of rows; the variable `i` holds the row's number")],
);

/// A group of steps.
pub static GROUP: Object = object(
    "group",
    "Steps that several cases use. They see their parameters, not the caller's variables; the caller sees what they save.",
    &[
        key("params", Kind::List(&Kind::Variable), "parameter names; `use` must give all of them"),
        required("steps", Kind::Steps, "the steps"),
    ],
);

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
        key("query", Kind::Map(&Kind::Json, "parameter"), "query parameters, appended in order"),
        key("headers", Kind::Map(&Kind::TemplateOrNull, "field name"), "header fields; `null` removes one of the suite or family"),
        key("json", Kind::Json, "body: a JSON document"),
        key("text", Kind::Template, "body: text exactly as rendered"),
        key("form", Kind::Map(&Kind::Template, "field"), "body: `application/x-www-form-urlencoded`"),
        key("base64", Kind::Template, "body: bytes given as Base64"),
        key("random", Kind::Size, "body: so many pseudo-random bytes, a function of the run's seed"),
        key("multipart", Kind::List(&Kind::Object(&PART)), "body: `multipart/form-data`"),
        key("tar", Kind::Map(&Kind::Template, "path"), "body: a tar archive of text files"),
        or("as", Kind::Either(&[Kind::Template, Kind::Object(&IDENTITY)]), "main", "who sends it: an identity of the target (`main`, `none`, `alt`, `admin`) or a credential"),
        or("follow", Kind::Word(&["no", "same-origin"]), "no", "whether redirects are followed; each hop is an exchange"),
        or("timeout", Kind::Duration, "30s", "deadline of one exchange"),
        or("max_body", Kind::Size, "4MiB", "bytes of the response body that are read and kept"),
        key("secret", Kind::OneOrMany(&Kind::SecretPlace), "places in the response that hold new secrets"),
        key("expect", EXPECTS, "checks; without a status check the answer must be 2xx"),
        key("save", SAVES, "variables to keep, in order"),
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
        required("method", Kind::Text, "the method, upper-case"),
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
    &[
        required("username", Kind::Template, "user name"),
        required("password", Kind::Template, "password"),
    ],
);

/// A header with a credential.
pub static HEADER_CREDENTIAL: Object = object(
    "header credential",
    "A header field with a credential.",
    &[
        required("name", Kind::Text, "field name"),
        required("value", Kind::Template, "value"),
    ],
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
    keys: &[
        required("use", Kind::Text, "group name"),
        key("with", Kind::Map(&Kind::Json, "parameter"), "arguments"),
    ],
    includes: &[&STEP],
    one_of: &[],
};

/// Repeats steps.
pub static FOR: Object = Object {
    name: "for step",
    doc: "Repeats steps for each member of a list.",
    keys: &[
        required("for", Kind::Map(&Kind::Json, "variable"), "one variable and the list: `{member: \"${members}\"}`"),
        or("max", Kind::Integer(1, 10_000), "32", "more members than this are an error of the case, never silently dropped"),
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
        required("frames", Kind::Word(&["json-lines", "sse", "lines", "bytes", "websocket"]), "how its bytes are cut into frames"),
        key("protocols", Kind::OneOrMany(&Kind::Text), "WebSocket sub-protocols, in order of preference"),
    ],
    includes: &[&REQUEST_KEYS, &STEP],
    one_of: METHODS,
};

/// Waits for frames.
pub static RECEIVE: Object = Object {
    name: "receive step",
    doc: "Waits for frames of an open stream. Binds `frame` (the newest) and `frames` (all so far).",
    keys: &[
        required("receive", Kind::Id, "stream name"),
        required("until", Kind::Cel, "done when true of `frame` and `frames`"),
        or("within", Kind::Duration, "60s", "how long it may take"),
        key("expect", EXPECTS, "checks on `frames`"),
        key("save", SAVES, "variables to keep, in order"),
    ],
    includes: &[&STEP],
    one_of: &[],
};

/// Sends a frame.
pub static SEND: Object = Object {
    name: "send step",
    doc: "Sends a text frame on an open WebSocket.",
    keys: &[
        required("send", Kind::Id, "stream name"),
        key("channel", Kind::Integer(0, 255), "channel byte of the Kubernetes channel protocols"),
        required("text", Kind::Template, "what to send"),
    ],
    includes: &[&STEP],
    one_of: &[],
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

/// A block of checks.
pub static EXPECT: Object = object(
    "expect",
    "A block of checks; all must hold.",
    &[
        key("rule", Kind::Template, "the rule in words, with its specification paragraph"),
        key("when", Kind::Cel, "checked only if this is true"),
        key("status", Kind::Status, "status code: `200`, `[200, 204]`, `2xx`, `any`"),
        key(
            "failure",
            Kind::OneOrMany(&Kind::Word(&["connect", "resolve", "tls", "timeout", "protocol"])),
            "there must be no response, for one of these reasons",
        ),
        key("header", Kind::Map(&Kind::Matcher, "field name"), "header fields"),
        key("json", Kind::Map(&Kind::Matcher, "JSON path"), "nodes of the JSON body; of several selected nodes every one must match, none is `absent`"),
        key("object", Kind::Json, "the body contains this object"),
        key("schema", Kind::Schema, "the body is valid against this JSON Schema"),
        key("text", Kind::Matcher, "the body as text"),
        key("digest", Kind::Template, "digest of the body, `sha256:…`"),
        key("size", Kind::Matcher, "the body's number of bytes"),
        key("time", Kind::Duration, "the exchange took no longer than this"),
        key(
            "that",
            Kind::OneOrMany(&Kind::Either(&[Kind::Cel, Kind::Object(&THAT)])),
            "expressions that must be true",
        ),
    ],
);

/// An expression with a message.
pub static THAT: Object = object(
    "that",
    "An expression with what to say when it is false.",
    &[
        required("check", Kind::Cel, "must be true"),
        key("message", Kind::Template, "said when it is false"),
    ],
);

const TYPES: Kind = Kind::Word(&["string", "integer", "number", "boolean", "object", "array", "null"]);

/// A matcher written as a mapping.
pub static MATCHER: Object = object(
    "matcher",
    "A literal (equal), `present`, `absent`, or a mapping of these; all must hold.",
    &[
        key("equals", Kind::Json, "equal as JSON, numbers by value"),
        key("not", Kind::Matcher, "does not match this"),
        key("one_of", Kind::List(&Kind::Json), "equal to one of these"),
        key("matches", Kind::Regex, "the regular expression finds a match"),
        key("contains", Kind::Json, "a string that contains this, or a list that has this member"),
        key("starts_with", Kind::Template, "a string that starts with this"),
        key("length", Kind::Matcher, "length of a string in characters, of a list or an object in members"),
        key("min", Kind::Number, "a number not below this"),
        key("max", Kind::Number, "a number not above this"),
        key("type", Kind::OneOrMany(&TYPES), "of this JSON type, or one of these"),
        key("every", Kind::Matcher, "every member of the list matches; an empty list passes only together with `length`"),
        key("some", Kind::Matcher, "some member of the list matches"),
        key("unique", Kind::Bool, "`true`: members of the list are all different"),
        key("object", Kind::Json, "an object with at least these members"),
    ],
);

/// Facts of a family.
pub static FAMILY: Object = object(
    "family",
    "Facts that the harness needs before it can run suites of a family: `suites/<family>/family.yaml`.",
    &[
        required("format", Kind::Integer(1, 1), "version of this language"),
        required("family", Kind::Id, "family id, the same as the directory"),
        required("title", Kind::Text, "for people"),
        required("path", Kind::Text, "path that identifies a target URL of this family"),
        or("concurrency", Kind::Integer(1, 1024), "4", "cases at the same time"),
        or("auth", Kind::Word(&["basic", "bearer", "none"]), "basic", "how credentials are sent"),
        key("headers", Kind::Map(&Kind::Text, "field name"), "header fields sent with every request"),
        key("guideline", Kind::Text, "guideline used unless the operator names one"),
        key("probe", Kind::Text, "path asked before a run; 401 or 403 there means that the credentials are refused"),
    ],
);

/// Mappings in the order of the reference page.
pub static OBJECTS: &[&Object] = &[
    &SUITE, &CASE, &FIXTURE, &REQUIRE, &COUNT, &GROUP, &REQUEST, &METHOD_URL, &PART, &IDENTITY, &BASIC, &HEADER_CREDENTIAL,
    &CRAWL, &CRAWL_PLAN, &OVER, &USE, &FOR, &LET, &GAP, &GAP_CONDITION, &CHECK, &PARALLEL, &OPEN, &RECEIVE, &SEND, &CLOSE,
    &EXPECT, &THAT, &MATCHER, &FAMILY,
];
