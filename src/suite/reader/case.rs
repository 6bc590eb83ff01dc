//! Cases, fixtures and groups.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::codes;
use super::super::deferred::{Deferred, Steps};
use super::super::keys::{self, Object};
use super::super::lint;
use super::super::model::{Case, CaseBody, Group, Need, Require, Risk, Row, Rows};
use super::fields::{Fields, is_variable};
use super::prescan::{full, local};
use super::{Origin, Reader};
use crate::capability::CapabilityId;
use crate::capability::Outcome;
use crate::expr::JsonTemplate;
use crate::text::yaml::{Key, Node};
use crate::text::{Diagnostic, Span, did_you_mean};

/// Cases before a deferred one that are looked at for what it shares with them.
const NEAR: usize = 8;

const WITHIN: Duration = Duration::from_secs(300);

/// The key of a row that is no variable.
const ROW_COVERS: &str = "covers";

impl Reader {
    /// The groups of the suite. They are read without knowing their callers.
    pub(super) fn groups(&mut self, node: &Node) -> BTreeMap<String, Group> {
        let mut groups = BTreeMap::new();
        for (key, node) in self.map(node, "groups").unwrap_or_default() {
            let before = self.names.clone();
            self.in_group = true;
            let group = self.group(key, node);
            self.in_group = false;
            self.names = before;
            groups.extend(group.map(|group| (key.text.clone(), group)));
        }
        groups
    }

    fn group(&mut self, key: &Key, node: &Node) -> Option<Group> {
        let fields = self.fields(node, &keys::GROUP)?;
        let mut params = Vec::new();
        self.names = self.constant_names();
        self.names.response = true;
        for item in fields.get("params").map(|node| self.list(node)).unwrap_or_default() {
            let Some(name) = self.text(item) else {
                continue;
            };
            self.variable(item.span, &name);
            self.names.define(&name);
            if params.contains(&name) {
                self.error(codes::DUPLICATE, item.span, format!("parameter `{name}` appears twice"), "remove one");
            }
            params.push(name);
        }
        let steps = self.steps_or_empty(fields.get("steps")?);
        Some(Group { params, steps, span: key.span })
    }

    /// The cases or fixtures of the suite.
    pub(super) fn cases(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        object: &'static Object,
        groups: &BTreeMap<String, Group>,
    ) -> Vec<Case> {
        let Some(node) = fields.get(name) else {
            return Vec::new();
        };
        let items = self.list(node);
        if items.is_empty() && node.as_seq().is_some() {
            self.error(codes::EMPTY, fields.key_span(name), format!("`{name}` is empty"), "add one, or remove the key");
        }
        let origin = (self.defers && object.key("capability").is_some()).then(|| self.origin());
        let mut cases: Vec<Case> = Vec::with_capacity(items.len());
        for item in items {
            let before = self.errors;
            let case = self.case(item, object);
            self.duplicate_id(item);
            let Some(mut case) = case else { continue };
            // What a case does as a whole can be judged only when all of it was understood.
            if self.errors == before {
                let head = item.get("id").map_or(item.span, |node| node.span);
                let (found, unremoved) =
                    lint::case(&case, groups, object.key("capability").is_some(), head, &self.source);
                let needs = || case.needs.iter().map(|need| need.fixture.clone()).collect();
                self.unremoved.extend(unremoved.into_iter().map(|place| (place, needs())));
                for diagnostic in found {
                    self.report(diagnostic);
                }
            }
            // A case with rows is started often; reading it again each time would cost more than it saves.
            let once = matches!(case.each, Rows::Once);
            if let Some(origin) = origin.as_ref().filter(|_| once)
                && let Some(deferred) = Deferred::new(origin, &self.source, item)
            {
                case.at = Steps::Deferred(deferred);
                case = self.without_steps(case, &cases);
            }
            cases.push(case);
        }
        cases
    }

    /// Drops the steps, and keeps what the case shares with others before it only once.
    fn without_steps(&mut self, mut case: Case, before: &[Case]) -> Case {
        let mut near = before.iter().rev().take(NEAR);
        if let Some(body) = Arc::get_mut(&mut case.body) {
            body.steps = Vec::new();
        }
        if let Some(other) = near.find(|other| other.body.is_as(&case.body)) {
            case.body = Arc::clone(&other.body);
        }
        match self.titles.get(&case.title) {
            Some(title) => case.title = Arc::clone(title),
            None => drop(self.titles.insert(Arc::clone(&case.title))),
        }
        case
    }

    fn origin(&self) -> Arc<Origin> {
        Arc::new(Origin {
            file: self.file.clone(),
            facts: Arc::clone(&self.facts),
            suite_id: self.suite_id.clone(),
            in_session: self.in_session,
        })
    }

    /// Reports an id that an earlier case or fixture of the file has.
    fn duplicate_id(&mut self, item: &Node) {
        let Some(id) = item.get("id") else { return };
        let Some(text) = id.as_str() else { return };
        if let Some(first) = self.ids.get(text).copied() {
            self.report(
                Diagnostic::error(codes::DUPLICATE, format!("the id `{text}` appears twice"))
                    .label(id.span, "")
                    .label(first, "first here")
                    .help("cases and fixtures of a suite need different ids"),
            );
        } else {
            self.ids.insert(text.to_owned(), id.span);
        }
    }

    pub(super) fn case(&mut self, node: &Node, object: &'static Object) -> Option<Case> {
        let fields = self.fields(node, object)?;
        let is_case = object.key("capability").is_some();
        let id = fields.get("id").and_then(|node| self.id(node));
        let title = self.required_text(&fields, "title");
        let spec = fields.get("spec").and_then(|node| self.text(node));
        let risk = match fields.get("risk").and_then(|node| self.word(node, &["read", "write", "disruptive"])) {
            Some("write") => Risk::Write,
            Some("disruptive") => Risk::Disruptive,
            _ => Risk::Read,
        };
        let capabilities = if is_case { self.capabilities(&fields) } else { Vec::new() };
        let covers = if is_case { self.covers(&fields) } else { Vec::new() };
        self.names = self.constant_names();
        self.streams.clear();
        let needs = self.needs(&fields);
        let each = if is_case { self.each(&fields) } else { Rows::Once };
        let requires = self.requires(&fields);
        let serial = fields
            .get("serial")
            .map(|node| self.one_or_many(node).iter().filter_map(|item| self.text(item)).collect())
            .unwrap_or_default();
        let within = self.duration_or(&fields, "within", WITHIN);
        let steps = fields.get("steps").map(|node| self.steps_or_empty(node)).unwrap_or_default();
        let outputs = if is_case { Vec::new() } else { self.outputs(&fields) };
        let per_case = !is_case && fields.get("per").and_then(|node| self.word(node, &["run", "case"])) == Some("case");
        let place = !is_case && fields.get("place").is_some_and(|node| self.bool(node) == Some(true));
        let body = CaseBody {
            capabilities,
            spec,
            covers,
            risk,
            needs,
            requires,
            serial,
            each,
            within,
            steps,
            per_case,
            place,
            outputs,
        };
        Some(Case {
            id: id?.into_boxed_str(),
            title: title?.into(),
            span: node.span,
            at: Steps::Kept,
            body: Arc::new(body),
        })
    }

    fn capabilities(&mut self, fields: &Fields<'_>) -> Vec<CapabilityId> {
        let Some(node) = fields.get("capability") else {
            return Vec::new();
        };
        let items = self.one_or_many(node);
        if items.is_empty() {
            self.error(codes::EMPTY, node.span, "the case gives evidence for no capability", "name at least one");
        }
        let mut ids: Vec<CapabilityId> = Vec::with_capacity(items.len());
        for item in items {
            let Some(text) = self.text(item) else { continue };
            match text.parse::<CapabilityId>() {
                Ok(id) if ids.contains(&id) => {
                    self.error(codes::DUPLICATE, item.span, format!("capability `{id}` appears twice"), "remove one");
                }
                Ok(id) => ids.push(id),
                Err(error) => {
                    let help = "write it as the guideline does: letters, digits and single hyphens";
                    self.error(codes::BAD_ID, item.span, error.to_string(), help);
                }
            }
        }
        ids
    }

    fn covers(&mut self, fields: &Fields<'_>) -> Vec<String> {
        fields.get("covers").map(|node| self.covered(node)).unwrap_or_default()
    }

    /// Ids of upstream tests.
    fn covered(&mut self, node: &Node) -> Vec<String> {
        let mut ids = Vec::new();
        for item in self.one_or_many(node) {
            let Some(text) = self.text(item) else {
                continue;
            };
            let good = text
                .split_once(':')
                .is_some_and(|(scheme, id)| !scheme.is_empty() && !id.trim().is_empty() && !scheme.contains(' '));
            if !good {
                let help = "write `scheme:id`, for instance `tempest:9a438d88-…`";
                self.error(codes::BAD_VALUE, item.span, format!("`{text}` does not say whose test it is"), help);
            }
            ids.push(text);
        }
        ids
    }

    fn needs(&mut self, fields: &Fields<'_>) -> Vec<Need> {
        self.aliases.clear();
        let Some(node) = fields.get("needs") else {
            return Vec::new();
        };
        let mut needs = Vec::new();
        for (key, value) in self.map(node, "alias and fixture").unwrap_or_default() {
            self.variable(key.span, &key.text);
            self.names.define(&key.text);
            let Some(written) = self.text(value) else {
                continue;
            };
            let fixture = full(&self.suite_id, &written);
            self.known_fixture(&written, &fixture, value.span);
            self.aliases.insert(key.text.clone(), fixture.clone());
            needs.push(Need { alias: key.text.clone(), fixture, span: value.span });
        }
        needs
    }

    /// Checks a fixture of this file; others are the catalogue's business.
    fn known_fixture(&mut self, written: &str, fixture: &str, span: Span) {
        if !fixture.contains('.') {
            let help = format!("write `.{written}` for a fixture of this file, or `<suite>.{written}`");
            self.error(
                codes::UNKNOWN_FIXTURE,
                span,
                format!("`{written}` does not say in which suite the fixture is"),
                help,
            );
            return;
        }
        let Some(own) = local(&self.suite_id, fixture) else {
            return;
        };
        if self.facts.outputs_of(&self.suite_id, fixture).is_some() {
            return;
        }
        let help = match did_you_mean(own, self.facts.fixture_ids()) {
            Some(near) => format!("did you mean `.{near}`?"),
            None => "define it below `fixtures:`".to_owned(),
        };
        self.error(codes::UNKNOWN_FIXTURE, span, format!("there is no fixture `{own}` in this file"), help);
    }

    fn requires(&mut self, fields: &Fields<'_>) -> Vec<Require> {
        let Some(node) = fields.get("requires") else {
            return Vec::new();
        };
        let mut requires = Vec::new();
        for item in self.list(node) {
            let Some(own) = self.fields(item, &keys::REQUIRE) else {
                continue;
            };
            let that = own.get("that").and_then(|node| self.program(node));
            let reason = own.get("reason").and_then(|node| self.template(node));
            let word = own.get("otherwise").and_then(|node| self.word(node, &["gap", "skip"]));
            let otherwise = if word == Some("skip") { Outcome::Skip } else { Outcome::Gap };
            if let (Some(that), Some(reason)) = (that, reason) {
                requires.push(Require { that, reason, otherwise, span: item.span });
            }
        }
        // What the operator left out needs no proof; what the target lacks does.
        if self.aliases.is_empty() && requires.iter().any(|require| require.otherwise == Outcome::Gap) {
            let help = "add `needs`, or send a request and use a `gap` step";
            let span = fields.key_span("requires");
            self.error(codes::GAP_WITHOUT_PROOF, span, "no exchange can prove these requirements", help);
        }
        requires
    }

    fn each(&mut self, fields: &Fields<'_>) -> Rows {
        let Some(node) = fields.get("each") else {
            return Rows::Once;
        };
        if node.as_map().is_some() {
            let Some(own) = self.fields(node, &keys::COUNT) else {
                return Rows::Once;
            };
            self.names.define("i");
            let count = self.integer(&own, "count").unwrap_or(1);
            return Rows::Count(u32::try_from(count).unwrap_or(1));
        }
        let items = self.list(node);
        if items.is_empty() {
            self.error(codes::EMPTY, node.span, "a case with no rows never runs", "add a row, or remove `each`");
        }
        let mut rows: Vec<Row> = Vec::new();
        for item in items {
            let Some(row) = self.row(item) else { continue };
            if rows.iter().any(|other| other.name == row.name) {
                let message = format!("the row `{}` appears twice", row.name);
                self.error(codes::DUPLICATE, item.span, message, "give each row its own name");
            }
            rows.push(row);
        }
        self.same_variables(items);
        Rows::Table(rows)
    }

    fn row(&mut self, node: &Node) -> Option<Row> {
        let entries = self.map(node, "a row: `{name: …, …}`")?;
        let (mut variables, mut covers) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            if key.text == ROW_COVERS {
                covers = self.covered(value);
                continue;
            }
            self.variable(key.span, &key.text);
            if is_variable(&key.text) {
                self.names.define(&key.text);
            }
            if self.source.slice(value.span).contains("${") {
                let help = "rows hold fixed values; compute with `let` in the steps";
                self.error(codes::BAD_VALUE, value.span, "an expression in a row would not be evaluated", help);
            }
            variables.push((key.text.clone(), value.to_json()));
        }
        let Some(name) = node.get("name") else {
            let help = "add `name: some-name`; it becomes part of the test id";
            self.error(codes::MISSING_KEY, super::fields::first_key(node), "the row has no `name`", help);
            return None;
        };
        let text = self.text(name)?;
        let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !good {
            let help = "use letters, digits, `-`, `_` and `.`";
            self.error(codes::BAD_ID, name.span, format!("`{text}` cannot be the name of a row"), help);
        }
        Some(Row { name: text, variables, covers })
    }

    /// Every row must have what any row has: a variable must not be defined by chance.
    fn same_variables(&mut self, rows: &[Node]) {
        let keys: Vec<&str> = rows
            .iter()
            .filter_map(Node::as_map)
            .flatten()
            .map(|(key, _)| key.text.as_str())
            .filter(|key| *key != "name" && *key != ROW_COVERS)
            .collect();
        for row in rows.iter().filter(|row| row.as_map().is_some()) {
            if let Some(missing) = keys.iter().find(|key| row.get(key).is_none()) {
                let message = format!("this row has no `{missing}`, another one has");
                let help = format!("add `{missing}: null` or a value");
                self.error(codes::MISSING_KEY, super::fields::first_key(row), message, help);
            }
        }
    }

    fn outputs(&mut self, fields: &Fields<'_>) -> Vec<(String, JsonTemplate)> {
        let Some(node) = fields.get("outputs") else {
            return Vec::new();
        };
        let mut outputs = Vec::new();
        for (key, value) in self.map(node, "outputs").unwrap_or_default() {
            if !is_variable(&key.text) {
                self.variable(key.span, &key.text);
            }
            outputs.extend(self.json(value).map(|template| (key.text.clone(), template)));
        }
        outputs
    }
}
