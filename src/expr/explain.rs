//! Says what an expression looked at, for the reader of a failed check. Never part of a verdict.

use super::Scope;
use super::eval::Machine;
use super::tree::{FoldKind, Node, Step};
use super::value::Value;
use super::web::short_json;

/// Characters of an explanation, about.
const MAX_EXPLANATION: usize = 400;
/// Characters of one value in it.
const MAX_VALUE: usize = 80;

pub(super) fn explain(root: &Node, scope: &Scope) -> String {
    let mut explainer = Explainer { machine: Machine::new(scope), lines: Vec::new() };
    explainer.node(root);
    limited(&explainer.lines)
}

fn limited(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        if !text.is_empty() {
            text.push_str(", ");
        }
        if text.chars().count() + line.chars().count() > MAX_EXPLANATION {
            text.push('…');
            break;
        }
        text.push_str(line);
    }
    text
}

struct Explainer<'a> {
    machine: Machine<'a>,
    lines: Vec<String>,
}

impl<'a> Explainer<'a> {
    fn add(&mut self, line: String) {
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    fn is(&mut self, node: &'a Node, wanted: bool) -> bool {
        matches!(self.machine.eval(node), Ok(Value::Bool(value)) if value == wanted)
    }

    fn node(&mut self, node: &'a Node) {
        match node {
            Node::Var(_) | Node::Local(..) | Node::Path(..) => self.place(node),
            Node::Has(operand, field) => self.presence(operand, field),
            Node::And(terms) => self.terms(terms, true),
            Node::Or(terms) => self.terms(terms, false),
            Node::Not(operand) | Node::Negate(operand) => self.node(operand),
            Node::If(parts) => {
                let [condition, yes, no] = &**parts;
                self.node(condition);
                let chosen = if self.is(condition, true) { yes } else { no };
                self.node(chosen);
            }
            Node::Compare(_, sides) | Node::In(sides) => sides.iter().for_each(|side| self.node(side)),
            Node::Arithmetic(first, rest) => {
                self.node(first);
                rest.iter().for_each(|(_, operand)| self.node(operand));
            }
            Node::List(items) | Node::Call(_, items) => items.iter().for_each(|item| self.node(item)),
            Node::Map(entries) => entries.iter().for_each(|(_, value)| self.node(value)),
            Node::Fold(_) => self.fold(node),
            Node::Null
            | Node::Bool(_)
            | Node::Int(_)
            | Node::UInt(_)
            | Node::Double(_)
            | Node::Str(_)
            | Node::Type(_) => {}
        }
    }

    /// Only the operands that are not as they should be say anything; if none is, all speak.
    fn terms(&mut self, terms: &'a [Node], harmless: bool) {
        let before = self.lines.len();
        for term in terms {
            if !self.is(term, harmless) {
                self.node(term);
            }
        }
        if self.lines.len() == before {
            terms.iter().for_each(|term| self.node(term));
        }
    }

    fn place(&mut self, node: &'a Node) {
        let line = match self.machine.eval(node) {
            Ok(value) => format!("{} = {}", node.text(), short_json(&value, MAX_VALUE)),
            Err(_) => self.gap(node),
        };
        self.add(line);
    }

    /// Names the first part of a path that is not there.
    fn gap(&mut self, node: &'a Node) -> String {
        match self.machine.eval(node) {
            Err(error) => error.message.replace('`', ""),
            Ok(_) => node.text(),
        }
    }

    fn presence(&mut self, operand: &'a Node, field: &str) {
        let line = match self.machine.eval(operand) {
            Ok(Value::Map(map)) => {
                let path = super::tree::field_text(operand.text(), field);
                match map.get(field) {
                    Some(value) => format!("{path} = {}", short_json(&value, MAX_VALUE)),
                    None => format!("{path} is absent"),
                }
            }
            Ok(value) => format!("{} = {}", operand.text(), short_json(&value, MAX_VALUE)),
            Err(_) => self.gap(operand),
        };
        self.add(line);
    }

    /// Shows the element that decided, or what was visited.
    fn fold(&mut self, node: &'a Node) {
        let Node::Fold(fold) = node else { return };
        let depth = self.machine.locals.len();
        if let (FoldKind::All, Ok(elements)) = (fold.kind, self.machine.elements(fold)) {
            for (at, element) in elements.values.iter().enumerate() {
                self.machine.locals.push(element.clone());
                if !self.is(&fold.body, true) {
                    self.add(elements.place(fold, at).replacen(" is ", " = ", 1));
                    self.node(&fold.body);
                    self.machine.locals.truncate(depth);
                    return;
                }
                self.machine.locals.truncate(depth);
            }
        }
        self.node(&fold.range);
        self.free(&fold.body);
    }

    /// The variables of the scope that the body of a comprehension compares its elements with.
    fn free(&mut self, body: &'a Node) {
        match body {
            Node::Var(_) => self.node(body),
            Node::Path(root, steps) => {
                let fixed = steps.iter().all(|step| match step {
                    Step::Field(_) => true,
                    Step::Index(index) => matches!(index, Node::Str(_) | Node::Int(_)),
                });
                match &**root {
                    Node::Var(_) if fixed => self.node(body),
                    root => self.free(root),
                }
            }
            Node::And(nodes) | Node::Or(nodes) | Node::List(nodes) | Node::Call(_, nodes) => {
                nodes.iter().for_each(|node| self.free(node));
            }
            Node::Compare(_, sides) | Node::In(sides) => sides.iter().for_each(|side| self.free(side)),
            Node::Not(operand) | Node::Negate(operand) | Node::Has(operand, _) => self.free(operand),
            _ => {}
        }
    }
}
