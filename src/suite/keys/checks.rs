//! Keys of checks and matchers.

use super::{Kind, Object, key, object, required};

/// A block of checks.
pub static EXPECT: Object = object(
    "expect block",
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
        key(
            "json",
            Kind::Map(&Kind::Matcher, "JSON path"),
            "nodes of the JSON body; of several selected nodes every one must match, none is `absent`",
        ),
        key("object", Kind::Json, "the body contains this object"),
        key("schema", Kind::Schema, "the body is valid against this JSON Schema"),
        key("text", Kind::Matcher, "the body as text"),
        key("digest", Kind::Template, "digest of the body, `sha256:…`"),
        key("size", Kind::Matcher, "the body's number of bytes"),
        key("time", Kind::Duration, "the exchange took no longer than this"),
        key("that", Kind::OneOrMany(&Kind::Either(&[Kind::Cel, Kind::Object(&THAT)])), "expressions that must be true"),
    ],
);

/// An expression with a message.
pub static THAT: Object = object(
    "that",
    "An expression with what to say when it is false.",
    &[required("check", Kind::Cel, "must be true"), key("message", Kind::Template, "said when it is false")],
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
        key(
            "every",
            Kind::Matcher,
            "every member of the list matches; an empty list passes only together with `length`",
        ),
        key("some", Kind::Matcher, "some member of the list matches"),
        key("unique", Kind::Bool, "`true`: members of the list are all different"),
        key("object", Kind::Json, "an object with at least these members"),
    ],
);
