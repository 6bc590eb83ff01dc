//! Steps: which kind one is, and the small kinds.

use std::time::Duration;

use super::super::codes;
use super::super::keys::{self, Object};
use super::super::model::{CrawlStep, OverStep, Step, StepKind};
use super::Reader;
use super::fields::{Fields, first_key};
use super::scope::{CRAWL, OVER};
use crate::text::yaml::{Key, Node};
use crate::text::{Diagnostic, did_you_mean};

const FOR_MAX: u64 = 32;
const CRAWL_LIMIT: u64 = 500;

impl Reader {
    /// A list of steps; those that cannot be read are left out (and reported).
    pub(super) fn steps(&mut self, node: &Node) -> Vec<Step> {
        self.list(node).iter().filter_map(|step| self.step(step)).collect()
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        let entries = self.map(node, "a step")?;
        let object = self.step_object(node, entries)?;
        let fields = self.fields(node, object)?;
        let name = fields.get("name").and_then(|node| self.text(node));
        let when = fields.get("when").and_then(|node| self.program(node));
        let soft = fields.get("soft").and_then(|node| self.bool(node)).unwrap_or(false);
        let kind = self.step_kind(&fields, object)?;
        Some(Step { name, when, soft, kind, span: node.span })
    }

    /// The table of the step's kind, found by the key that only this kind has.
    fn step_object(&mut self, node: &Node, entries: &[(Key, Node)]) -> Option<&'static Object> {
        let kind_of = |key: &Key| {
            keys::STEPS.iter().find(|(_, markers)| markers.contains(&key.text.as_str())).map(|(object, _)| *object)
        };
        let is = |object: &'static Object, other: &'static Object| std::ptr::eq(object, other);
        let mut kinds: Vec<(&Key, &'static Object)> =
            entries.iter().filter_map(|(key, _)| Some((key, kind_of(key)?))).collect();
        // Two kinds have a key that is the mark of another one.
        if kinds.iter().any(|(_, object)| is(object, &keys::OPEN)) {
            kinds.retain(|(_, object)| !is(object, &keys::REQUEST));
        }
        if kinds.iter().any(|(_, object)| is(object, &keys::OVER)) {
            kinds.retain(|(_, object)| !is(object, &keys::GAP));
        }
        let Some((first, object)) = kinds.first().copied() else {
            self.no_kind(node, entries);
            return None;
        };
        if let Some((second, other)) = kinds.iter().find(|(_, other)| !is(other, object)) {
            let message = format!(
                "`{}` makes this a {}, but `{}` makes it a {}",
                first.text, object.name, second.text, other.name
            );
            self.report(
                Diagnostic::error(codes::TWO_STEP_KINDS, message)
                    .label(second.span, "")
                    .label(first.span, "")
                    .help("make two steps of it: each begins with `- `"),
            );
            return None;
        }
        Some(object)
    }

    fn no_kind(&mut self, node: &Node, entries: &[(Key, Node)]) {
        let marks: Vec<&str> = keys::STEPS.iter().flat_map(|(_, marks)| marks.iter().copied()).collect();
        let near = entries
            .iter()
            .filter(|(key, _)| keys::STEP.key(&key.text).is_none())
            .find_map(|(key, _)| Some((key, did_you_mean(&key.text, marks.iter().copied())?)));
        let (span, help) = match near {
            Some((key, near)) => (key.span, format!("did you mean `{near}` instead of `{}`?", key.text)),
            None => (first_key(node), format!("a step has one of `{}`", marks.join("`, `"))),
        };
        self.error(codes::NO_STEP_KIND, span, "nothing says what this step does", help);
    }

    fn step_kind(&mut self, fields: &Fields<'_>, object: &'static Object) -> Option<StepKind> {
        match object.name {
            "request step" => self.request(fields, true).map(|request| StepKind::Request(Box::new(request))),
            "crawl step" => self.crawl(fields),
            "over step" => self.over(fields),
            "use step" => self.use_group(fields),
            "for step" => self.for_each(fields),
            "let step" => Some(self.let_names(fields)),
            "gap step" => self.gap(fields),
            "check step" => {
                let expect = self.expects(fields.get("check")?);
                Some(StepKind::Check(expect))
            }
            "parallel step" => self.parallel(fields),
            "open step" => self.open(fields),
            "receive step" => self.receive(fields),
            "send step" => self.send(fields),
            "close step" => {
                let stream = self.stream(fields, "close")?;
                self.streams.remove(&stream);
                Some(StepKind::Close { stream })
            }
            _ => None,
        }
    }

    fn crawl(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let plan = self.fields(fields.get("crawl")?, &keys::CRAWL_PLAN)?;
        let start = plan.get("start").and_then(|node| self.url(node));
        let link_key = plan.get("link").map_or(Some("@odata.id".to_owned()), |node| self.text(node));
        let below = plan.get("below").map_or(Some("/".to_owned()), |node| self.text(node));
        let exclude = plan
            .get("exclude")
            .map(|node| self.list(node).iter().filter_map(|item| self.regex(item)).collect())
            .unwrap_or_default();
        let limit = self.integer(&plan, "limit").unwrap_or(CRAWL_LIMIT);
        let timeout = self.duration_or(&plan, "timeout", Duration::from_secs(30));
        let max_body = plan.get("max_body").and_then(|node| self.size(node)).unwrap_or(super::request::MAX_BODY);
        self.names.response = true;
        let expect = self.with_bound(fields.key_span("crawl"), CRAWL, |reader| {
            fields.get("expect").map(|node| reader.expects(node)).unwrap_or_default()
        });
        self.names.define("crawled");
        let save = self.saves(fields);
        Some(StepKind::Crawl(Box::new(CrawlStep {
            start: start?,
            link_key: link_key?,
            below: below?,
            exclude,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            timeout,
            max_body,
            expect,
            save,
        })))
    }

    fn over(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let node = fields.get("over")?;
        let fixture = self.text(node)?;
        if !self.in_group && !self.aliases.contains_key(&fixture) {
            let help = match did_you_mean(&fixture, self.aliases.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `needs: {{{fixture}: .some-fixture}}` to the case"),
            };
            let message = format!("`{fixture}` is not an alias in `needs`");
            self.error(codes::UNKNOWN_ALIAS, node.span, message, help);
        }
        let gap = fields.get("gap").and_then(|node| self.template(node));
        let response = std::mem::replace(&mut self.names.response, true);
        let (filter, expect) = self.with_bound(fields.key_span("over"), OVER, |reader| {
            let filter = fields.get("where").and_then(|node| reader.program(node));
            (filter, fields.get("expect").map(|node| reader.expects(node)).unwrap_or_default())
        });
        self.names.response = response;
        Some(StepKind::Over(Box::new(OverStep { fixture, filter, gap, expect })))
    }

    fn use_group(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let node = fields.get("use")?;
        let group = self.text(node)?;
        let with = self.json_map(fields, "with");
        self.used_groups.insert(group.clone());
        let Some(facts) = self.facts.groups.get(&group) else {
            let help = match did_you_mean(&group, self.facts.groups.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("define it below `groups:` as `{group}: {{params: […], steps: […]}}`")
                }
            };
            self.error(codes::UNKNOWN_GROUP, node.span, format!("there is no group `{group}`"), help);
            return None;
        };
        let params = facts.params.clone();
        self.arguments(fields, &group, &params);
        for name in self.facts.defines(&group) {
            self.names.define(&name);
        }
        self.names.response = true;
        Some(StepKind::Use { group, with })
    }

    fn arguments(&mut self, fields: &Fields<'_>, group: &str, params: &[String]) {
        let given = fields.get("with").and_then(Node::as_map).unwrap_or_default();
        for (key, _) in given {
            if !params.contains(&key.text) {
                let help = match did_you_mean(&key.text, params.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if params.is_empty() => "it has no parameters; remove `with`".to_owned(),
                    None => format!("its parameters are `{}`", params.join("`, `")),
                };
                let message = format!("group `{group}` has no parameter `{}`", key.text);
                self.error(codes::WRONG_ARGUMENTS, key.span, message, help);
            }
        }
        let missing: Vec<&str> = params
            .iter()
            .map(String::as_str)
            .filter(|param| !given.iter().any(|(key, _)| key.text == *param))
            .collect();
        if let Some(first) = missing.first() {
            let message = format!("group `{group}` wants `{}`", missing.join("`, `"));
            let help = format!("write `with: {{{first}: …}}`");
            self.error(codes::WRONG_ARGUMENTS, fields.key_span("use"), message, help);
        }
    }

    fn for_each(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let node = fields.get("for")?;
        let max = self.integer(fields, "max").unwrap_or(FOR_MAX);
        let [(key, value)] = self.map(node, "one variable and its list")? else {
            let help = "write `for: {member: \"${members}\"}`";
            self.error(codes::WRONG_TYPE, node.span, "`for` wants exactly one variable", help);
            return None;
        };
        self.variable(key.span, &key.text);
        let list = self.json(value);
        let steps = self.with_bound(key.span, &[key.text.as_str()], |reader| {
            fields.get("steps").map(|node| reader.steps_or_empty(node)).unwrap_or_default()
        });
        Some(StepKind::For {
            variable: key.text.clone(),
            list: list?,
            max: u32::try_from(max).unwrap_or(u32::MAX),
            steps,
        })
    }

    /// Steps that must be at least one.
    pub(super) fn steps_or_empty(&mut self, node: &Node) -> Vec<Step> {
        if node.as_seq().is_some_and(<[Node]>::is_empty) {
            self.error(codes::EMPTY, node.span, "there are no steps", "write at least one step");
        }
        self.steps(node)
    }

    fn let_names(&mut self, fields: &Fields<'_>) -> StepKind {
        let mut values = Vec::new();
        if let Some(node) = fields.get("let") {
            for (key, value) in self.map(node, "variables").unwrap_or_default() {
                self.variable(key.span, &key.text);
                if let Some(text) = value.as_str() {
                    self.literal_secret(&key.text, text, value.span);
                }
                self.in_let = value.as_str().is_some();
                let template = self.json(value);
                self.in_let = false;
                self.names.define(&key.text);
                values.extend(template.map(|template| (key.text.clone(), template)));
            }
        }
        StepKind::Let(values)
    }

    fn gap(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let gap = self.fields(fields.get("gap")?, &keys::GAP_CONDITION)?;
        if !self.in_group && !self.names.response && self.aliases.is_empty() {
            let help = "send the request that shows it first, or need a fixture that did";
            self.error(codes::GAP_WITHOUT_PROOF, fields.key_span("gap"), "no exchange can prove this gap", help);
        }
        let when = gap.get("when").and_then(|node| self.program(node));
        let reason = gap.get("reason").and_then(|node| self.template(node));
        Some(StepKind::Gap { when: when?, reason: reason? })
    }

    fn parallel(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let node = fields.get("parallel")?;
        let before = self.names.clone();
        let mut after = before.clone();
        let mut steps = Vec::new();
        for item in self.list(node) {
            self.names = before.clone();
            let Some(step) = self.step(item) else {
                continue;
            };
            after.merge(std::mem::take(&mut self.names));
            match &step.kind {
                StepKind::Request(request) if request.until.is_none() => steps.push(step),
                _ => {
                    let help = "put other steps before or behind the `parallel` step";
                    let span = Reader::request_span(item);
                    self.error(
                        codes::KEY_CONFLICT,
                        span,
                        "only requests without `until` can run at the same time",
                        help,
                    );
                }
            }
        }
        if node.as_seq().is_some_and(|items| items.len() < 2) {
            let help = "list at least two requests, or write the request as a step of its own";
            self.error(codes::EMPTY, node.span, "fewer than two requests are not parallel", help);
        }
        after.response = true;
        after.define("responses");
        self.names = after;
        let expect = fields.get("expect").map(|node| self.expects(node)).unwrap_or_default();
        Some(StepKind::Parallel { steps, expect })
    }
}
