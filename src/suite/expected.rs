//! What a suite file expects of answers: part of the model.

use std::sync::Arc;
use std::time::Duration;

use crate::expr::{Json, JsonTemplate, Program, Template};
use crate::http::FailureClass;
use crate::text::Span;

/// Checks that share a rule.
#[derive(Debug)]
pub struct Expect {
    /// The rule in words, with its specification paragraph.
    pub rule: Option<Template>,
    /// Checked only if true.
    pub when: Option<Program>,
    /// The checks.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// What is compared.
    pub kind: CheckKind,
    /// Place in the file.
    pub span: Span,
}

/// What a check compares.
#[derive(Debug)]
pub enum CheckKind {
    /// Status code is one of these.
    Status(Vec<StatusPattern>),
    /// No response, for one of these reasons.
    Failure(Vec<FailureClass>),
    /// A header field.
    Header(String, Matcher),
    /// Nodes that a JSONPath selects in the body.
    Json(serde_json_path::JsonPath, Matcher),
    /// The body contains this object: every key given is there with a matching value.
    Object(JsonTemplate),
    /// The body is valid against a JSON Schema.
    Schema(Arc<Json>),
    /// The body as text.
    Text(Matcher),
    /// Digest of the body, `sha256:...`.
    Digest(Template),
    /// The body has this many bytes.
    Size(Matcher),
    /// The exchange took no longer than this.
    Time(Duration),
    /// An expression is true.
    That {
        /// The expression.
        program: Program,
        /// Said when it is false.
        message: Option<Template>,
    },
}

/// A status code or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusPattern {
    /// `any`.
    Any,
    /// Exactly this code.
    Code(u16),
    /// `2xx`: the first digit.
    Class(u8),
}

/// A matcher for one value.
#[derive(Debug)]
pub enum Matcher {
    /// It is there (`null` included).
    Present,
    /// It is not there.
    Absent,
    /// Equal as JSON; numbers by value.
    Equals(JsonTemplate),
    /// Negation.
    Not(Box<Matcher>),
    /// All of several.
    All(Vec<Matcher>),
    /// Equal to one of these.
    OneOf(Vec<JsonTemplate>),
    /// The regular expression finds a match.
    Matches(Arc<regex::Regex>),
    /// A string that contains, or a list that has this member.
    Contains(JsonTemplate),
    /// A string that starts with this.
    StartsWith(Template),
    /// Length of a string in characters, of a list or an object in members.
    Length(Box<Matcher>),
    /// A number not below.
    Min(f64),
    /// A number not above.
    Max(f64),
    /// Of this JSON type.
    Type(Vec<JsonType>),
    /// Every member of the list matches; an empty list passes only together with `length`.
    Every(Box<Matcher>),
    /// Some member of the list matches.
    Some(Box<Matcher>),
    /// Members of the list are all different.
    Unique,
    /// An object with at least these members.
    Object(JsonTemplate),
}

/// Names of JSON types (JSON Schema's).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of JSON Schema")]
pub enum JsonType {
    String,
    Integer,
    Number,
    Boolean,
    Object,
    Array,
    Null,
}
