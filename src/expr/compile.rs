//! From source to tree. The `cel` crate parses; everything it parsed is checked against the limits and lowered, names and
//! functions are resolved. Nothing of `cel` survives this file.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};

use super::functions::{self, Style};
use super::limits::{self, MAX_CHAIN, MAX_COMPREHENSION_NESTING, MAX_DEPTH};
use super::tree::{Arithmetic, Compare, Fold, FoldKind, Node, Step};
use super::{CompileError, lex, standard, web};

pub(super) struct Compiled {
    pub(super) root: Node,
    pub(super) variables: BTreeSet<String>,
}

pub(super) fn compile(source: &str) -> Result<Compiled, CompileError> {
    if source.trim().is_empty() {
        return Err(CompileError::new(0, "the expression is empty"));
    }
    limits::check_source(source)?;
    let parsed = parse(source)?;
    let mut lower =
        Lower { source, info: parsed.source_info(), locals: Vec::new(), nesting: 0, variables: BTreeSet::new() };
    let root = lower.node(parsed.expression(), 0)?;
    Ok(Compiled { root, variables: lower.variables })
}

/// Parses with an environment that has no macros, so that comprehensions arrive as they were written.
fn parse(source: &str) -> Result<cel::Program, CompileError> {
    let parse = || cel::Env::default().with_optional_support(false).compile(source);
    match std::panic::catch_unwind(parse) {
        Ok(Ok(program)) => Ok(program),
        Ok(Err(errors)) => Err(syntax_error(source, &errors)),
        Err(_) => Err(CompileError::new(0, "the expression makes the parser fail; this is a bug")),
    }
}

fn syntax_error(source: &str, errors: &cel::ParseErrors) -> CompileError {
    let Some(first) = errors.errors.first() else {
        return CompileError::new(0, "not an expression");
    };
    let (line, column) = first.pos;
    let message = first.msg.trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    let message = message.replace("'<EOF>'", "end of the expression");
    let error = CompileError::new(line_offset(source, line, column), message);
    match syntax_help(source) {
        Some(help) => error.help(help),
        None => error,
    }
}

/// The byte offset of a position that counts lines and characters from 1.
fn line_offset(source: &str, line: isize, column: isize) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = source.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

/// Advice for what people write out of habit from other languages.
fn syntax_help(source: &str) -> Option<&'static str> {
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

struct Lower<'s> {
    source: &'s str,
    info: &'s SourceInfo,
    /// The variables of the comprehensions around the current node.
    locals: Vec<String>,
    nesting: usize,
    variables: BTreeSet<String>,
}

impl Lower<'_> {
    fn error(&self, at: &IdedExpr, message: impl Into<String>) -> CompileError {
        CompileError::new(self.offset(at.id), message)
    }

    fn offset(&self, id: u64) -> usize {
        self.info.offset_for(id).map_or(0, |(start, _)| start as usize).min(self.source.len())
    }

    /// As `error`, at the name of a call; the parser only knows where its bracket is.
    fn call_error(&self, call: &IdedExpr, name: &str, message: impl Into<String>) -> CompileError {
        let bracket = self.offset(call.id);
        let before = self.source.get(..bracket).unwrap_or_default().trim_end();
        let start = before.strip_suffix(name).map_or(bracket, str::len);
        CompileError::new(start, message)
    }

    fn node(&mut self, expr: &IdedExpr, depth: usize) -> Result<Node, CompileError> {
        if depth > MAX_DEPTH {
            return Err(limits::too_deep(self.offset(expr.id)));
        }
        match &expr.expr {
            Expr::Literal(literal) => self.literal(expr, literal),
            Expr::Ident(name) => self.name(expr, name),
            Expr::Select(_) => self.path(expr, depth),
            Expr::Call(call) => self.call(expr, call, depth),
            Expr::List(list) => Ok(Node::List(
                list.elements.iter().map(|element| self.node(element, depth + 1)).collect::<Result<_, _>>()?,
            )),
            Expr::Map(map) => {
                let mut entries = Vec::with_capacity(map.entries.len());
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else {
                        return Err(self.error(expr, "not a map entry"));
                    };
                    let key = self.node(&entry.key, depth + 1)?;
                    entries.push((key, self.node(&entry.value, depth + 1)?));
                }
                Ok(Node::Map(entries))
            }
            Expr::Struct(_) => Err(self.error(expr, "messages are not part of the language")),
            Expr::Comprehension(_) | Expr::Unspecified => Err(self.error(expr, "not an expression")),
        }
    }

    fn literal(&self, expr: &IdedExpr, literal: &LiteralValue) -> Result<Node, CompileError> {
        Ok(match literal {
            LiteralValue::Null => Node::Null,
            LiteralValue::Boolean(value) => Node::Bool(*value.inner()),
            LiteralValue::Int(value) => Node::Int(*value.inner()),
            LiteralValue::UInt(value) => Node::UInt(*value.inner()),
            LiteralValue::Double(value) => Node::Double(*value.inner()),
            LiteralValue::String(value) => Node::Str(value.inner().to_owned()),
            LiteralValue::Bytes(_) => {
                return Err(self.error(expr, "bytes are not part of the language"));
            }
        })
    }

    fn name(&mut self, expr: &IdedExpr, name: &str) -> Result<Node, CompileError> {
        if name.starts_with('.') {
            return Err(self.error(expr, "a name does not start with a dot"));
        }
        if let Some(place) = self.locals.iter().rposition(|local| local == name) {
            return Ok(Node::Local(place, name.to_owned()));
        }
        if let Some(type_name) = functions::type_name(name) {
            return Ok(Node::Type(type_name));
        }
        self.variables.insert(name.to_owned());
        Ok(Node::Var(name.to_owned()))
    }

    /// A chain of selections and indexes.
    fn path(&mut self, expr: &IdedExpr, depth: usize) -> Result<Node, CompileError> {
        let mut steps = Vec::new();
        let mut root = expr;
        loop {
            match &root.expr {
                Expr::Select(select) => {
                    steps.push(Step::Field(select.field.clone()));
                    root = &select.operand;
                }
                Expr::Call(call) if call.func_name == operators::INDEX => {
                    let [operand, index] = call.args.as_slice() else {
                        break;
                    };
                    steps.push(Step::Index(self.node(index, depth + 1)?));
                    root = operand;
                }
                _ => break,
            }
            self.check_chain(expr, steps.len())?;
        }
        steps.reverse();
        Ok(Node::Path(Box::new(self.node(root, depth + 1)?), steps))
    }

    fn check_chain(&self, expr: &IdedExpr, length: usize) -> Result<(), CompileError> {
        if length > MAX_CHAIN {
            return Err(self.error(expr, format!("more than {MAX_CHAIN} operators in one chain")));
        }
        Ok(())
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr, depth: usize) -> Result<Node, CompileError> {
        if call.target.is_some() {
            return self.method(expr, call, depth);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::INDEX, _) => self.path(expr, depth),
            (operators::CONDITIONAL, [condition, yes, no]) => Ok(Node::If(Box::new([
                self.node(condition, depth + 1)?,
                self.node(yes, depth + 1)?,
                self.node(no, depth + 1)?,
            ]))),
            (operators::LOGICAL_AND, _) => Ok(Node::And(self.terms(expr, operators::LOGICAL_AND, depth)?)),
            (operators::LOGICAL_OR, _) => Ok(Node::Or(self.terms(expr, operators::LOGICAL_OR, depth)?)),
            (operators::LOGICAL_NOT, [operand]) => Ok(Node::Not(Box::new(self.node(operand, depth + 1)?))),
            (operators::NEGATE, [operand]) => Ok(Node::Negate(Box::new(self.node(operand, depth + 1)?))),
            (operators::IN, [element, container]) => {
                Ok(Node::In(Box::new([self.node(element, depth + 1)?, self.node(container, depth + 1)?])))
            }
            (name, [left, right]) if compare(name).is_some() => {
                let compare = compare(name).unwrap_or(Compare::Equal);
                Ok(Node::Compare(compare, Box::new([self.node(left, depth + 1)?, self.node(right, depth + 1)?])))
            }
            (name, [_, _]) if arithmetic(name).is_some() => self.arithmetic(expr, depth),
            (operators::HAS, args) => self.has(expr, args, depth),
            (name, args) => {
                if let Some(kind) = FoldKind::named(name) {
                    let name = kind.name();
                    return Err(self
                        .error(expr, format!("`{name}` is called on a list or a map"))
                        .help(format!("write list.{name}(x, …)")));
                }
                let args: Vec<&IdedExpr> = args.iter().collect();
                self.function(expr, name, Style::Global, &args, depth)
            }
        }
    }

    fn method(&mut self, expr: &IdedExpr, call: &CallExpr, depth: usize) -> Result<Node, CompileError> {
        let Some(target) = call.target.as_deref() else {
            return Err(self.error(expr, "not a call"));
        };
        if let Some(kind) = FoldKind::named(&call.func_name) {
            return self.fold(expr, kind, target, &call.args, depth);
        }
        let args: Vec<&IdedExpr> = std::iter::once(target).chain(&call.args).collect();
        self.function(expr, &call.func_name, Style::Method, &args, depth)
    }

    /// The operands of `&&` or `||`, flat and in order. The parser balances such chains, so the depth of a term in its tree
    /// says nothing about what the author wrote.
    fn terms(&mut self, expr: &IdedExpr, operator: &str, depth: usize) -> Result<Vec<Node>, CompileError> {
        let mut terms = Vec::new();
        let mut pending = vec![expr];
        while let Some(next) = pending.pop() {
            match &next.expr {
                Expr::Call(call) if call.func_name == operator && call.args.len() == 2 => {
                    pending.extend(call.args.iter().rev());
                }
                _ => terms.push(self.node(next, depth + 1)?),
            }
            self.check_chain(expr, (terms.len() + pending.len()).saturating_sub(1))?;
        }
        Ok(terms)
    }

    /// A chain of arithmetic operators, which the parser nests to the left.
    fn arithmetic(&mut self, expr: &IdedExpr, depth: usize) -> Result<Node, CompileError> {
        let mut rest = Vec::new();
        let mut first = expr;
        while let Expr::Call(call) = &first.expr {
            let (Some(operator), [left, right]) = (arithmetic(&call.func_name), call.args.as_slice()) else {
                break;
            };
            rest.push((operator, self.node(right, depth + 1)?));
            self.check_chain(expr, rest.len())?;
            first = left;
        }
        rest.reverse();
        Ok(Node::Arithmetic(Box::new(self.node(first, depth + 1)?), rest))
    }

    fn has(&mut self, expr: &IdedExpr, args: &[IdedExpr], depth: usize) -> Result<Node, CompileError> {
        match args {
            [arg] => match &arg.expr {
                Expr::Select(select) => {
                    Ok(Node::Has(Box::new(self.node(&select.operand, depth + 1)?), select.field.clone()))
                }
                _ => Err(self
                    .error(arg, "has() takes a selection such as body.field")
                    .help("for a key that is not a name write 'the-key' in body")),
            },
            _ => Err(self.error(expr, "has() takes one argument")),
        }
    }

    fn fold(
        &mut self,
        expr: &IdedExpr,
        kind: FoldKind,
        range: &IdedExpr,
        args: &[IdedExpr],
        depth: usize,
    ) -> Result<Node, CompileError> {
        let (var, guard, body) = match args {
            [var, body] => (var, None, body),
            [var, guard, body] if kind == FoldKind::Map => (var, Some(guard), body),
            _ => {
                return Err(
                    self.error(expr, format!("`{0}` takes a variable and an expression: list.{0}(x, …)", kind.name()))
                );
            }
        };
        let Expr::Ident(var_name) = &var.expr else {
            return Err(self.error(var, format!("the first argument of `{}` is the name of a variable", kind.name())));
        };
        let range = self.node(range, depth + 1)?;
        if self.nesting >= MAX_COMPREHENSION_NESTING {
            return Err(
                self.error(expr, format!("comprehensions are nested more than {MAX_COMPREHENSION_NESTING} deep"))
            );
        }
        self.nesting += 1;
        self.locals.push(var_name.clone());
        let guard = guard.map(|guard| self.node(guard, depth + 1)).transpose()?;
        let body = self.node(body, depth + 1)?;
        self.locals.pop();
        self.nesting -= 1;
        Ok(Node::Fold(Box::new(Fold { kind, var: var_name.clone(), range, guard, body })))
    }

    fn function(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        style: Style,
        args: &[&IdedExpr],
        depth: usize,
    ) -> Result<Node, CompileError> {
        let Some(def) = functions::find(name) else {
            let error = self.call_error(expr, name, format!("there is no function `{name}`"));
            return Err(match functions::similar(name) {
                Some(similar) => error.help(format!("did you mean `{similar}`?")),
                None => error,
            });
        };
        if !def.style.allows(style) {
            let how = if style == Style::Global { "x.f(…)" } else { "f(x, …)" };
            let how = how.replace('f', def.name);
            return Err(self
                .call_error(expr, name, format!("`{name}` is not called that way"))
                .help(format!("write {how}")));
        }
        if args.len() < def.min || args.len() > def.max {
            return Err(self
                .call_error(expr, name, format!("`{name}` does not take {} arguments", args.len()))
                .help(format!("it is {}", functions::signature(name))));
        }
        let nodes = args.iter().map(|arg| self.node(arg, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        if let (Some(Node::Str(text)), Some(at)) = (nodes.get(1), args.get(1)) {
            let checked = match def.name {
                "matches" => standard::compile_regex(text).map(drop),
                "get" => web::check_pointer(text),
                _ => Ok(()),
            };
            checked.map_err(|error| self.error(at, error.message))?;
        }
        Ok(Node::Call(def, nodes))
    }
}

fn compare(name: &str) -> Option<Compare> {
    Some(match name {
        operators::EQUALS => Compare::Equal,
        operators::NOT_EQUALS => Compare::NotEqual,
        operators::LESS => Compare::Less,
        operators::LESS_EQUALS => Compare::LessOrEqual,
        operators::GREATER => Compare::Greater,
        operators::GREATER_EQUALS => Compare::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}
