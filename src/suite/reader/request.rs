//! Requests: what is sent, by whom, and what is done with the answer.

use std::time::Duration;

use super::super::codes;
use super::super::keys;
use super::super::model::{BodySpec, Follow, Identity, Part, RequestStep, Save, Step, Until};
use super::Reader;
use super::fields::{Fields, first_key};
use crate::expr::{JsonTemplate, Template};
use crate::text::Diagnostic;
use crate::text::yaml::Node;

const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a body that are read unless the step says otherwise.
pub(super) const MAX_BODY: u64 = 4 << 20;
const POLL_WITHIN: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_secs(1);
const BODIES: &[&str] = &["json", "text", "form", "base64", "random", "multipart", "tar"];

impl Reader {
    /// The request of a request step or of `open`.
    pub(super) fn request(&mut self, fields: &Fields<'_>, may_poll: bool) -> Option<RequestStep> {
        let entry = self.names.clone();
        let method_url = self.method_and_url(fields);
        let service = fields.get("service").and_then(|node| self.text(node));
        let query = self.json_map(fields, "query");
        for (key, _) in fields.get("query").and_then(Node::as_map).unwrap_or_default() {
            if key.text.contains("${") {
                let help = "write the parameter into the URL: `/things?${name}=${url_encode(value)}`";
                self.error(codes::BAD_VALUE, key.span, "the name of a query parameter is no template", help);
            }
        }
        let headers = fields.get("headers").map(|node| self.removable_headers(node)).unwrap_or_default();
        let body = self.body(fields, BODIES);
        let identity = fields.get("as").and_then(|node| self.identity(node));
        let follow = match fields.get("follow").and_then(|node| self.word(node, &["no", "same-origin"])) {
            Some("same-origin") => Follow::SameOrigin,
            _ => Follow::No,
        };
        let timeout = self.duration_or(fields, "timeout", TIMEOUT);
        let max_body = fields.get("max_body").and_then(|node| self.size(node)).unwrap_or(MAX_BODY);
        let secrets = fields
            .get("secret")
            .map(|node| self.one_or_many(node).iter().filter_map(|item| self.secret_place(item)).collect())
            .unwrap_or_default();
        let lasting = fields.get("effect").and_then(|node| self.word(node, &["none"])).is_none();
        self.names.response = true;
        let until = if may_poll { self.until(fields) } else { None };
        let expect = fields.get("expect").map(|node| self.expects(node)).unwrap_or_default();
        let save = self.saves(fields);
        let undo = self.cleanup_steps(fields, "undo", None);
        let lost = self.cleanup_steps(fields, "lost", Some(entry));
        if fields.get("lost").is_some() && fields.get("undo").is_none() {
            let help = "add `undo`: what to do when the answer was seen";
            self.error(codes::KEY_CONFLICT, fields.key_span("lost"), "`lost` has no effect without `undo`", help);
        }
        let (method, url) = method_url?;
        Some(RequestStep {
            method,
            url,
            service,
            query,
            headers,
            body,
            identity,
            follow,
            timeout,
            max_body,
            secrets,
            lasting,
            until,
            expect,
            save,
            undo,
            lost,
        })
    }

    fn method_and_url(&mut self, fields: &Fields<'_>) -> Option<(Template, Template)> {
        let (key, node) =
            fields.node.as_map()?.iter().find(|(key, _)| keys::REQUEST.one_of.contains(&key.text.as_str()))?;
        if key.text != "request" {
            let url = self.url(node);
            return Some((Template::parse(&key.text.to_ascii_uppercase()).ok()?, url?));
        }
        let own = self.fields(node, &keys::METHOD_URL)?;
        let url = own.get("url").and_then(|node| self.url(node));
        let method_node = own.get("method")?;
        let method = self.template(method_node)?;
        let wrong = |text: &str| text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if let Some(text) = method.literal().filter(|text| wrong(text)) {
            let message = format!("`{text}` is not a method");
            self.error(codes::BAD_VALUE, method_node.span, message, "write upper-case letters: `COPY`");
            return None;
        }
        Some((method, url?))
    }

    /// A URL. What is relative begins with a slash or an expression, because joining it to a base is otherwise a guess.
    pub(super) fn url(&mut self, node: &Node) -> Option<Template> {
        let text = node.as_str().unwrap_or_default();
        if node.as_str().is_some() && !["/", "${", "http://", "https://"].iter().any(|start| text.starts_with(start)) {
            let help = if text.is_empty() {
                "write the path, for instance `/`".to_owned()
            } else {
                format!("write `/{text}`")
            };
            self.error(codes::BAD_VALUE, node.span, format!("the URL `{text}` does not begin with `/`"), help);
        }
        self.template(node)
    }

    /// Values of a mapping with JSON templates, in order.
    pub(super) fn json_map(&mut self, fields: &Fields<'_>, name: &str) -> Vec<(String, JsonTemplate)> {
        fields.get(name).map(|node| self.pairs(node, Reader::json)).unwrap_or_default()
    }

    /// Header fields of a whole suite.
    pub(super) fn header_templates(&mut self, node: &Node) -> Vec<(String, Template)> {
        self.removable_headers(node)
            .into_iter()
            .filter_map(|(name, value)| {
                if value.is_none() {
                    let help = "only a step can remove a header field with `null`";
                    self.error(codes::WRONG_TYPE, node.span, format!("the header field `{name}` has no value"), help);
                }
                Some((name, value?))
            })
            .collect()
    }

    /// Header fields; `null` removes one.
    fn removable_headers(&mut self, node: &Node) -> Vec<(String, Option<Template>)> {
        let entries = self.map(node, "header fields").unwrap_or_default();
        let mut headers = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = self.field_name(key.span, &key.text);
            if let Some(text) = value.as_str() {
                self.literal_secret(&key.text, text, value.span);
            }
            let template = if value.is_null() { Some(None) } else { self.template(value).map(Some) };
            if let (Some(name), Some(template)) = (name, template) {
                headers.push((name, template));
            }
        }
        headers
    }

    /// The body, given by at most one of some keys.
    fn body(&mut self, fields: &Fields<'_>, choices: &[&'static str]) -> Option<BodySpec> {
        let given: Vec<&'static str> = choices.iter().copied().filter(|name| fields.node.get(name).is_some()).collect();
        if let [first, second, ..] = given.as_slice() {
            let message = format!("a request has one body, but both `{first}` and `{second}` are given");
            let (first, second) = (fields.key_span(first), fields.key_span(second));
            self.report(
                Diagnostic::error(codes::KEY_CONFLICT, message)
                    .label(second, "")
                    .label(first, "")
                    .help("keep one of them"),
            );
        }
        let name = *given.first()?;
        let node = fields.get(name)?;
        Some(match name {
            "json" => BodySpec::Json(self.json(node)?),
            "text" => BodySpec::Text(self.template(node)?),
            "form" => BodySpec::Form(self.pairs(node, Reader::template)),
            "base64" => BodySpec::Base64(self.template(node)?),
            "random" => BodySpec::Random { size: self.size(node)? },
            "multipart" => BodySpec::Multipart(self.list(node).iter().filter_map(|part| self.part(part)).collect()),
            "tar" => BodySpec::Tar(self.pairs(node, Reader::template)),
            _ => return None,
        })
    }

    fn part(&mut self, node: &Node) -> Option<Part> {
        let fields = self.fields(node, &keys::PART)?;
        let body = self.body(&fields, keys::PART.one_of);
        let filename = fields.get("filename").and_then(|node| self.template(node));
        let content_type = fields.get("type").and_then(|node| self.text(node));
        Some(Part { name: self.required_text(&fields, "name")?, filename, content_type, body: body? })
    }

    fn identity(&mut self, node: &Node) -> Option<Identity> {
        if node.as_map().is_none() {
            return self.template(node).map(Identity::Named);
        }
        let fields = self.fields(node, &keys::IDENTITY)?;
        if let Some(node) = fields.get("basic") {
            let basic = self.fields(node, &keys::BASIC)?;
            let username = basic.get("username").and_then(|node| self.template(node));
            let password = basic.get("password").and_then(|node| {
                self.literal_secret("password", node.as_str().unwrap_or_default(), node.span);
                self.template(node)
            });
            return Some(Identity::Basic { username: username?, password: password? });
        }
        let header = self.fields(fields.get("header")?, &keys::HEADER_CREDENTIAL)?;
        let name = header.get("name").and_then(|node| {
            let text = self.text(node)?;
            self.field_name(node.span, &text)
        });
        let value = header.get("value").and_then(|node| {
            self.literal_secret("token", node.as_str().unwrap_or_default(), node.span);
            self.template(node)
        });
        Some(Identity::Header { name: name?, value: value? })
    }

    fn until(&mut self, fields: &Fields<'_>) -> Option<Until> {
        let Some(node) = fields.get("until") else {
            for name in ["stop_if", "within", "every", "after"] {
                if fields.get(name).is_some() {
                    let message = format!("`{name}` has no effect without `until`");
                    let help = "add `until: <condition>`; the deadline of one exchange is `timeout`";
                    self.error(codes::KEY_CONFLICT, fields.key_span(name), message, help);
                }
            }
            return None;
        };
        let stop_if = fields.get("stop_if").and_then(|node| self.program(node));
        let within = self.duration_or(fields, "within", POLL_WITHIN);
        let every = self.duration_or(fields, "every", POLL_EVERY);
        if every < Duration::from_millis(10) {
            let span = fields.key_span("every");
            self.error(codes::BAD_VALUE, span, "the pause between two requests is too short", "write at least `10ms`");
        }
        let after = self.duration_or(fields, "after", Duration::ZERO);
        Some(Until { that: self.program(node)?, stop_if, within, every, after, span: node.span })
    }

    /// Variables to keep; later ones see earlier ones.
    pub(super) fn saves(&mut self, fields: &Fields<'_>) -> Vec<(String, Save)> {
        let Some(node) = fields.get("save") else {
            return Vec::new();
        };
        let mut saves = Vec::new();
        for (key, value) in self.map(node, "variables").unwrap_or_default() {
            self.variable(key.span, &key.text);
            let save = self.save_value(value);
            self.names.define(&key.text);
            saves.extend(save.map(|save| (key.text.clone(), save)));
        }
        saves
    }

    /// `undo` and `lost`. Undo runs at the end of the case, when the last response is another one; `lost` runs without
    /// any answer (`names`: what was defined before the request).
    fn cleanup_steps(&mut self, fields: &Fields<'_>, name: &str, names: Option<super::Names>) -> Vec<Step> {
        let Some(node) = fields.get(name) else {
            return Vec::new();
        };
        if self.in_cleanup {
            let message = format!("`{name}` inside of `undo` or `lost` would never run");
            self.error(codes::KEY_CONFLICT, fields.key_span(name), message, "put the steps one after the other");
            return Vec::new();
        }
        if node.as_seq().is_some_and(<[Node]>::is_empty) {
            self.error(codes::EMPTY, node.span, format!("`{name}` has no steps"), "write a step, or remove the key");
        }
        let outside = self.names.clone();
        let streams = std::mem::take(&mut self.streams);
        if let Some(names) = names {
            self.names = names;
        }
        self.names.response = false;
        self.in_cleanup = true;
        let steps = self.steps(node);
        self.in_cleanup = false;
        self.names = outside;
        self.streams = streams;
        steps
    }

    /// The place of a request for messages: its method key.
    pub(super) fn request_span(node: &Node) -> crate::text::Span {
        first_key(node)
    }
}
