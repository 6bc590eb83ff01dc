//! From source to lowered tree: what was parsed is checked against the limits, names and functions are resolved.

use std::collections::BTreeSet;

use super::functions::{self, Style};
use super::limits::{self, MAX_CHAIN, MAX_COMPREHENSION_NESTING, MAX_DEPTH};
use super::syntax::{Expr, Kind, Logic};
use super::tree::{Fold, FoldKind, Node, Step};
use super::{CompileError, lex, parse, standard, web};

pub(super) struct Compiled {
    pub(super) root: Node,
    pub(super) variables: BTreeSet<String>,
}

pub(super) fn compile(source: &str) -> Result<Compiled, CompileError> {
    if source.trim().is_empty() {
        return Err(CompileError::new(0, "the expression is empty"));
    }
    limits::check_source(source)?;
    let parsed = parse::parse(source).map_err(|error| match (&error.help, habit(source)) {
        (None, Some(help)) => error.help(help),
        _ => error,
    })?;
    let mut lower = Lower { locals: Vec::new(), nesting: 0, variables: BTreeSet::new() };
    let root = lower.node(&parsed, 0)?;
    Ok(Compiled { root, variables: lower.variables })
}

/// Advice for what people write out of habit from other languages.
fn habit(source: &str) -> Option<&'static str> {
    let code: Vec<u8> = lex::code(source).map(|(_, byte)| byte).collect();
    let has = |text: &str| code.windows(text.len()).any(|part| part == text.as_bytes());
    let single_equals = code.iter().enumerate().any(|(at, byte)| {
        let before = at.checked_sub(1).and_then(|at| code.get(at));
        *byte == b'=' && code.get(at + 1) != Some(&b'=') && !matches!(before, Some(b'=' | b'!' | b'<' | b'>'))
    });
    if has(".@") {
        Some("write a key that is not a name as body['@odata.id']")
    } else if has(".?") || has("[?") {
        Some("there are no optionals; write get(body, '/a/b', default)")
    } else if has(" and ") || has(" or ") || has("not ") {
        Some("the logical operators are &&, || and !")
    } else if single_equals {
        Some("comparison is ==")
    } else if has("`") {
        Some("write a key that is not a name as body['the-key']")
    } else {
        None
    }
}

struct Lower {
    /// The variables of the comprehensions around the current node.
    locals: Vec<String>,
    nesting: usize,
    variables: BTreeSet<String>,
}

fn error(at: &Expr<'_>, message: impl Into<String>) -> CompileError {
    CompileError::new(at.at, message)
}

fn check_chain(expr: &Expr<'_>, length: usize) -> Result<(), CompileError> {
    if length > MAX_CHAIN {
        return Err(error(expr, format!("more than {MAX_CHAIN} operators in one chain")));
    }
    Ok(())
}

impl Lower {
    fn node(&mut self, expr: &Expr<'_>, depth: usize) -> Result<Node, CompileError> {
        if depth > MAX_DEPTH {
            return Err(limits::too_deep(expr.at));
        }
        Ok(match &expr.kind {
            Kind::Null => Node::Null,
            Kind::Bool(value) => Node::Bool(*value),
            Kind::Int(value) => Node::Int(*value),
            Kind::UInt(value) => Node::UInt(*value),
            Kind::Double(value) => Node::Double(*value),
            Kind::Str(value) => Node::Str(value.clone()),
            Kind::Name(name) => self.name(name),
            Kind::Select(..) | Kind::Index(_) => return self.path(expr, depth),
            Kind::Call(Some(target), name, args) => return self.method(expr, target, name, args, depth),
            Kind::Call(None, name, args) => return self.call(expr, name, args, depth),
            Kind::List(items) => {
                Node::List(items.iter().map(|item| self.node(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            Kind::Map(entries) => Node::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((self.node(key, depth + 1)?, self.node(value, depth + 1)?)))
                    .collect::<Result<_, _>>()?,
            ),
            Kind::Not(operand) => Node::Not(Box::new(self.node(operand, depth + 1)?)),
            Kind::Negate(operand) => Node::Negate(Box::new(self.node(operand, depth + 1)?)),
            Kind::If(parts) => Node::If(self.boxed(parts, depth)?),
            Kind::Logic(Logic::And, _) => Node::And(self.terms(expr, Logic::And, depth)?),
            Kind::Logic(Logic::Or, _) => Node::Or(self.terms(expr, Logic::Or, depth)?),
            Kind::Compare(compare, operands) => Node::Compare(*compare, self.boxed(operands, depth)?),
            Kind::In(operands) => Node::In(self.boxed(operands, depth)?),
            Kind::Arithmetic(..) => return self.arithmetic(expr, depth),
        })
    }

    fn boxed<const N: usize>(&mut self, exprs: &[Expr<'_>; N], depth: usize) -> Result<Box<[Node; N]>, CompileError> {
        let mut nodes = [const { Node::Null }; N];
        for (node, expr) in nodes.iter_mut().zip(exprs) {
            *node = self.node(expr, depth + 1)?;
        }
        Ok(Box::new(nodes))
    }

    fn name(&mut self, name: &str) -> Node {
        if let Some(place) = self.locals.iter().rposition(|local| local == name) {
            return Node::Local(place, name.to_owned());
        }
        if let Some(type_name) = functions::type_name(name) {
            return Node::Type(type_name);
        }
        if !self.variables.contains(name) {
            self.variables.insert(name.to_owned());
        }
        Node::Var(name.to_owned())
    }

    /// A chain of selections and indexes.
    fn path(&mut self, expr: &Expr<'_>, depth: usize) -> Result<Node, CompileError> {
        let mut steps = Vec::new();
        let mut root = expr;
        loop {
            match &root.kind {
                Kind::Select(operand, field) => {
                    steps.push(Step::Field((*field).to_owned()));
                    root = operand;
                }
                Kind::Index(parts) => {
                    let [operand, index] = parts.as_ref();
                    steps.push(Step::Index(self.node(index, depth + 1)?));
                    root = operand;
                }
                _ => break,
            }
            check_chain(expr, steps.len())?;
        }
        steps.reverse();
        Ok(Node::Path(Box::new(self.node(root, depth + 1)?), steps))
    }

    fn call(&mut self, expr: &Expr<'_>, name: &str, args: &[Expr<'_>], depth: usize) -> Result<Node, CompileError> {
        if name == "has" {
            return self.has(expr, args, depth);
        }
        if let Some(kind) = FoldKind::named(name) {
            let name = kind.name();
            return Err(
                error(expr, format!("`{name}` is called on a list or a map")).help(format!("write list.{name}(x, …)"))
            );
        }
        self.function(expr, name, Style::Global, &args.iter().collect::<Vec<_>>(), depth)
    }

    fn method(
        &mut self,
        expr: &Expr<'_>,
        target: &Expr<'_>,
        name: &str,
        args: &[Expr<'_>],
        depth: usize,
    ) -> Result<Node, CompileError> {
        if let Some(kind) = FoldKind::named(name) {
            return self.fold(expr, kind, target, args, depth);
        }
        let args: Vec<&Expr<'_>> = std::iter::once(target).chain(args).collect();
        self.function(expr, name, Style::Method, &args, depth)
    }

    /// The operands of `&&` or `||`, flat and in order, whatever brackets are around them.
    fn terms(&mut self, expr: &Expr<'_>, logic: Logic, depth: usize) -> Result<Vec<Node>, CompileError> {
        let mut terms = Vec::new();
        let mut pending = vec![expr];
        while let Some(next) = pending.pop() {
            match &next.kind {
                Kind::Logic(own, operands) if *own == logic => pending.extend(operands.iter().rev()),
                _ => terms.push(self.node(next, depth + 1)?),
            }
            check_chain(expr, (terms.len() + pending.len()).saturating_sub(1))?;
        }
        Ok(terms)
    }

    /// A chain of arithmetic operators, which the parser nests to the left.
    fn arithmetic(&mut self, expr: &Expr<'_>, depth: usize) -> Result<Node, CompileError> {
        let mut rest = Vec::new();
        let mut first = expr;
        while let Kind::Arithmetic(operator, operands) = &first.kind {
            let [left, right] = operands.as_ref();
            rest.push((*operator, self.node(right, depth + 1)?));
            check_chain(expr, rest.len())?;
            first = left;
        }
        rest.reverse();
        Ok(Node::Arithmetic(Box::new(self.node(first, depth + 1)?), rest))
    }

    fn has(&mut self, expr: &Expr<'_>, args: &[Expr<'_>], depth: usize) -> Result<Node, CompileError> {
        match args {
            [arg] => match &arg.kind {
                Kind::Select(operand, field) => {
                    Ok(Node::Has(Box::new(self.node(operand, depth + 1)?), (*field).to_owned()))
                }
                _ => Err(error(arg, "has() takes a selection such as body.field")
                    .help("for a key that is not a name write 'the-key' in body")),
            },
            _ => Err(error(expr, "has() takes one argument")),
        }
    }

    fn fold(
        &mut self,
        expr: &Expr<'_>,
        kind: FoldKind,
        range: &Expr<'_>,
        args: &[Expr<'_>],
        depth: usize,
    ) -> Result<Node, CompileError> {
        let (var, guard, body) = match args {
            [var, body] => (var, None, body),
            [var, guard, body] if kind == FoldKind::Map => (var, Some(guard), body),
            _ => {
                return Err(error(
                    expr,
                    format!("`{0}` takes a variable and an expression: list.{0}(x, …)", kind.name()),
                ));
            }
        };
        let Kind::Name(var_name) = &var.kind else {
            return Err(error(var, format!("the first argument of `{}` is the name of a variable", kind.name())));
        };
        let range = self.node(range, depth + 1)?;
        if self.nesting >= MAX_COMPREHENSION_NESTING {
            return Err(error(expr, format!("comprehensions are nested more than {MAX_COMPREHENSION_NESTING} deep")));
        }
        self.nesting += 1;
        self.locals.push((*var_name).to_owned());
        let guard = guard.map(|guard| self.node(guard, depth + 1)).transpose()?;
        let body = self.node(body, depth + 1)?;
        self.locals.pop();
        self.nesting -= 1;
        Ok(Node::Fold(Box::new(Fold { kind, var: (*var_name).to_owned(), range, guard, body })))
    }

    fn function(
        &mut self,
        expr: &Expr<'_>,
        name: &str,
        style: Style,
        args: &[&Expr<'_>],
        depth: usize,
    ) -> Result<Node, CompileError> {
        let Some(def) = functions::find(name) else {
            let error = error(expr, format!("there is no function `{name}`"));
            return Err(match functions::similar(name) {
                Some(similar) => error.help(format!("did you mean `{similar}`?")),
                None => error,
            });
        };
        if !def.style.allows(style) {
            let how = if style == Style::Global { "x.f(…)" } else { "f(x, …)" };
            let how = how.replace('f', def.name);
            return Err(error(expr, format!("`{name}` is not called that way")).help(format!("write {how}")));
        }
        if args.len() < def.min || args.len() > def.max {
            return Err(error(expr, format!("`{name}` does not take {} arguments", args.len()))
                .help(format!("it is {}", functions::signature(name))));
        }
        let nodes = args.iter().map(|arg| self.node(arg, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        if let (Some(Node::Str(text)), Some(at)) = (nodes.get(1), args.get(1)) {
            let checked = match def.name {
                "matches" => standard::compile_regex(text).map(drop),
                "get" => web::check_pointer(text),
                _ => Ok(()),
            };
            checked.map_err(|refused| error(at, refused.message))?;
        }
        Ok(Node::Call(def, nodes))
    }
}
