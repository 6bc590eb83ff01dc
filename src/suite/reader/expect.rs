//! Blocks of checks.

use std::sync::Arc;

use super::super::codes;
use super::super::keys;
use super::super::model::{Check, CheckKind, Expect, StatusPattern};
use super::Reader;
use super::fields::Fields;
use crate::http::FailureClass;
use crate::text::did_you_mean;
use crate::text::yaml::{Node, Value};

impl Reader {
    /// One block or a list of blocks.
    pub(super) fn expects(&mut self, node: &Node) -> Vec<Expect> {
        let blocks = self.one_or_many(node);
        if blocks.is_empty() {
            self.error(
                codes::EMPTY,
                node.span,
                "an empty list of checks checks nothing",
                "write a check, or remove the key",
            );
        }
        blocks.iter().filter_map(|block| self.expect(block)).collect()
    }

    fn expect(&mut self, node: &Node) -> Option<Expect> {
        let fields = self.fields(node, &keys::EXPECT)?;
        let rule = fields.get("rule").and_then(|node| self.template(node));
        let when = fields.get("when").and_then(|node| self.program(node));
        let before = self.errors;
        let mut checks = Vec::new();
        self.response_checks(&fields, &mut checks);
        self.body_checks(&fields, &mut checks);
        if let Some(node) = fields.get("that") {
            for item in self.one_or_many(node) {
                if let Some(kind) = self.that(item) {
                    checks.push(Check { kind, span: item.span });
                }
            }
        }
        if checks.is_empty() && self.errors == before {
            let help = "add `status`, `header`, `json`, `that` or another check";
            self.error(codes::EMPTY, node.span, "this block has no check", help);
        }
        Some(Expect { rule, when, checks })
    }

    /// Checks on the exchange as a whole.
    fn response_checks(&mut self, fields: &Fields<'_>, checks: &mut Vec<Check>) {
        let mut push = |kind: Option<CheckKind>, node: &Node| {
            checks.extend(kind.map(|kind| Check { kind, span: node.span }));
        };
        if let Some(node) = fields.get("status") {
            push(self.statuses(node), node);
        }
        if let Some(node) = fields.get("failure") {
            let classes: Vec<FailureClass> =
                self.one_or_many(node).iter().filter_map(|item| self.failure(item)).collect();
            push(Some(CheckKind::Failure(classes)), node);
            if let Some((key, _)) = fields.node.as_map().and_then(|entries| {
                entries.iter().find(|(key, _)| !matches!(key.text.as_str(), "failure" | "rule" | "when"))
            }) {
                let message = format!("`{}` cannot hold when there must be no response", key.text);
                self.error(codes::KEY_CONFLICT, key.span, message, "put `failure` in a block of its own");
            }
        }
        if let Some(node) = fields.get("header") {
            for (key, value) in self.map(node, "header fields").unwrap_or_default() {
                let name = self.field_name(key.span, &key.text);
                let matcher = self.matcher(value);
                if let (Some(name), Some(matcher)) = (name, matcher) {
                    push(Some(CheckKind::Header(name, matcher)), value);
                }
            }
        }
        if let Some(node) = fields.get("time") {
            push(self.duration(node).map(CheckKind::Time), node);
        }
    }

    /// Checks on the body.
    fn body_checks(&mut self, fields: &Fields<'_>, checks: &mut Vec<Check>) {
        let mut push = |kind: Option<CheckKind>, node: &Node| {
            checks.extend(kind.map(|kind| Check { kind, span: node.span }));
        };
        if let Some(node) = fields.get("json") {
            for (key, value) in self.map(node, "JSON paths").unwrap_or_default() {
                let path = self.path(key.span, &key.text);
                let matcher = self.matcher(value);
                if let (Some(path), Some(matcher)) = (path, matcher) {
                    push(Some(CheckKind::Json(path, matcher)), value);
                }
            }
        }
        if let Some(node) = fields.get("object") {
            if node.as_map().is_none() && node.as_str().is_none() {
                self.wrong_type(node, "a mapping");
            }
            push(self.json(node).map(CheckKind::Object), node);
        }
        if let Some(node) = fields.get("schema") {
            push(self.schema(node).map(|schema| CheckKind::Schema(Arc::new(schema))), node);
        }
        if let Some(node) = fields.get("text") {
            push(self.matcher(node).map(CheckKind::Text), node);
        }
        if let Some(node) = fields.get("digest") {
            if let Some(text) = node.as_str()
                && !text.contains("${")
                && !text.starts_with("sha256:")
            {
                let help = "write `sha256:` and 64 hexadecimal digits, or an expression";
                self.error(codes::BAD_VALUE, node.span, "this is not a digest", help);
            }
            push(self.template(node).map(CheckKind::Digest), node);
        }
        if let Some(node) = fields.get("size") {
            push(self.matcher(node).map(CheckKind::Size), node);
        }
    }

    fn that(&mut self, node: &Node) -> Option<CheckKind> {
        if node.as_map().is_none() {
            return self.program(node).map(|program| CheckKind::That { program, message: None });
        }
        let fields = self.fields(node, &keys::THAT)?;
        let message = fields.get("message").and_then(|node| self.template(node));
        let program = self.program(fields.get("check")?)?;
        Some(CheckKind::That { program, message })
    }

    fn statuses(&mut self, node: &Node) -> Option<CheckKind> {
        let items = self.one_or_many(node);
        let patterns: Vec<StatusPattern> = items.iter().filter_map(|item| self.status(item)).collect();
        if items.is_empty() {
            self.error(codes::EMPTY, node.span, "no status is in an empty list", "list the allowed codes");
        }
        (!patterns.is_empty()).then_some(CheckKind::Status(patterns))
    }

    fn status(&mut self, node: &Node) -> Option<StatusPattern> {
        let pattern = match &node.value {
            Value::Int(code) => {
                u16::try_from(*code).ok().filter(|code| (100..600).contains(code)).map(StatusPattern::Code)
            }
            Value::Str(word) if word == "any" => Some(StatusPattern::Any),
            Value::Str(word) => word
                .strip_suffix("xx")
                .and_then(|digit| digit.parse::<u8>().ok())
                .filter(|digit| (1..6).contains(digit))
                .map(StatusPattern::Class),
            _ => None,
        };
        if pattern.is_none() {
            let shown = self.source.slice(self.head(node.span)).to_owned();
            let help = "write a code such as `200`, a class such as `2xx`, or `any`";
            self.error(codes::BAD_VALUE, node.span, format!("`{shown}` is not a status"), help);
        }
        pattern
    }

    fn failure(&mut self, node: &Node) -> Option<FailureClass> {
        let classes = [
            FailureClass::Connect,
            FailureClass::Resolve,
            FailureClass::Tls,
            FailureClass::Timeout,
            FailureClass::Protocol,
        ];
        let text = self.text(node)?;
        if let Some(class) = classes.into_iter().find(|class| class.word() == text) {
            return Some(class);
        }
        let words: Vec<&str> = classes.iter().map(|class| class.word()).collect();
        let help = match did_you_mean(&text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of `{}`", words.join("`, `")),
        };
        self.error(codes::BAD_VALUE, node.span, format!("`{text}` is not a kind of failure"), help);
        None
    }
}
