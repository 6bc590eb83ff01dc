//! Walks the tree. Every operation is counted; every error names what is absent or of another type.

use std::cmp::Ordering;

use super::functions::Call;
use super::limits::Budget;
use super::tree::{self, Arithmetic, Compare, Fold, FoldKind, Node, Step};
use super::value::{Map, Text, Value};
use super::{EvalError, Scope};

/// The state of one evaluation.
pub(super) struct Machine<'a> {
    scope: &'a Scope,
    pub(super) budget: Budget,
    /// The current elements of the comprehensions around the current node.
    pub(super) locals: Vec<Value<'a>>,
}

type Eval<'a> = Result<Value<'a>, EvalError>;

impl<'a> Machine<'a> {
    pub(super) fn new(scope: &'a Scope) -> Machine<'a> {
        Machine { scope, budget: Budget::default(), locals: Vec::new() }
    }

    pub(super) fn eval(&mut self, node: &'a Node) -> Eval<'a> {
        self.budget.step(1)?;
        match node {
            Node::Null => Ok(Value::Null),
            Node::Bool(value) => Ok(Value::Bool(*value)),
            Node::Int(value) => Ok(Value::Int(*value)),
            Node::UInt(value) => Ok(Value::UInt(*value)),
            Node::Double(value) => Ok(Value::Double(*value)),
            Node::Str(text) => Ok(Value::Str(Text::Ref(text))),
            Node::Type(name) => Ok(Value::Type(name)),
            Node::Var(name) => self.variable(name),
            Node::Local(place, name) => self
                .locals
                .get(*place)
                .cloned()
                .ok_or_else(|| EvalError::internal(format!("`{name}` is used outside its comprehension"))),
            Node::Path(root, steps) => self.path(root, steps),
            Node::Has(operand, field) => self.has(operand, field),
            Node::Not(operand) => Ok(Value::Bool(!self.boolean(operand, "!")?)),
            Node::Negate(operand) => self.negate(operand),
            Node::And(terms) => self.logical(terms, false),
            Node::Or(terms) => self.logical(terms, true),
            Node::If(parts) => {
                let [condition, yes, no] = &**parts;
                let chosen = if self.boolean(condition, "?:")? { yes } else { no };
                self.eval(chosen)
            }
            Node::Compare(compare, sides) => self.compare(*compare, sides),
            Node::In(sides) => self.contains(sides),
            Node::Arithmetic(first, rest) => self.arithmetic(first, rest),
            Node::List(items) => self.list(items),
            Node::Map(entries) => self.map(entries),
            Node::Call(def, args) => {
                let values = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
                (def.run)(&Call { name: def.name, args: &values, budget: &self.budget, seed: self.scope.seed() })
            }
            Node::Fold(fold) => self.fold(fold),
        }
    }

    fn variable(&self, name: &str) -> Eval<'a> {
        match self.scope.value(name) {
            Some(json) => Ok(Value::of(json)),
            None => Err(EvalError::missing(format!("`{name}` is absent"))),
        }
    }

    fn boolean(&mut self, node: &'a Node, operator: &str) -> Result<bool, EvalError> {
        match self.eval(node)? {
            Value::Bool(value) => Ok(value),
            other => Err(not_boolean(node, operator, &other)),
        }
    }

    fn path(&mut self, root: &'a Node, steps: &'a [Step]) -> Eval<'a> {
        let mut value = self.eval(root)?;
        for (at, step) in steps.iter().enumerate() {
            self.look_up(&value)?;
            let found = match step {
                Step::Field(field) => match &value {
                    Value::Map(map) => map.get(field),
                    _ => return Err(not_selectable(root, steps, at, &value)),
                },
                Step::Index(index) => {
                    let index = self.eval(index)?;
                    match (&value, &index) {
                        (Value::Map(map), key) if is_key(key) => map.find(key),
                        (Value::List(list), index) if index.is_number() => {
                            list_index(index).and_then(|index| list.get(index))
                        }
                        (Value::Map(_) | Value::List(_), index) => {
                            return Err(EvalError::of_type(format!(
                                "`{}` is {} and cannot be indexed with {}",
                                tree::path_text(root, before(steps, at)),
                                value.noun(),
                                index.noun()
                            )));
                        }
                        _ => return Err(not_selectable(root, steps, at, &value)),
                    }
                }
            };
            value = match found {
                Some(found) => found,
                None => return Err(self.absent(root, steps, at, &value)),
            };
        }
        Ok(value)
    }

    fn look_up(&self, container: &Value<'_>) -> Result<(), EvalError> {
        match container {
            Value::Map(map) => self.budget.step(1 + map.look_up_steps()),
            _ => self.budget.step(1),
        }
    }

    fn absent(&mut self, root: &'a Node, steps: &'a [Step], at: usize, value: &Value<'a>) -> EvalError {
        let mut message = format!("`{}` is absent", tree::path_text(root, before(steps, at + 1)));
        if let Value::List(list) = value {
            message.push_str(&format!(", the array has {} elements", list.len()));
        } else if let Some(Step::Index(index @ (Node::Var(_) | Node::Local(..) | Node::Path(..)))) = steps.get(at) {
            // A computed key is worth showing.
            let key = self.eval(index).ok().and_then(|key| key.scalar_text());
            if let Some(key) = key {
                message.push_str(&format!(" for the key '{}'", key.escape_debug()));
            }
        }
        EvalError::missing(message)
    }

    fn has(&mut self, operand: &'a Node, field: &str) -> Eval<'a> {
        let value = self.eval(operand)?;
        self.look_up(&value)?;
        match value {
            Value::Map(map) => Ok(Value::Bool(map.get(field).is_some())),
            other => Err(EvalError::of_type(format!(
                "`{}` is {}, not an object, so has() cannot look for `{field}`",
                operand.text(),
                other.noun()
            ))),
        }
    }

    fn negate(&mut self, operand: &'a Node) -> Eval<'a> {
        match self.eval(operand)? {
            Value::Int(value) => {
                value.checked_neg().map(Value::Int).ok_or_else(|| EvalError::of_type("integer overflow in `-`"))
            }
            Value::Double(value) => Ok(Value::Double(-value)),
            other => Err(EvalError::of_type(format!("`-` is not defined for {}", other.noun()))),
        }
    }

    /// `&&` (deciding = false) and `||` (deciding = true): one deciding operand decides, even beside an operand without
    /// a value, in any order.
    fn logical(&mut self, terms: &'a [Node], deciding: bool) -> Eval<'a> {
        let operator = if deciding { "||" } else { "&&" };
        let mut first_error = None;
        for term in terms {
            match self.boolean(term, operator) {
                Ok(value) if value == deciding => return Ok(Value::Bool(deciding)),
                Ok(_) => {}
                Err(error) if error.can_be_absorbed() => {
                    first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(Value::Bool(!deciding)),
        }
    }

    fn compare(&mut self, compare: Compare, sides: &'a [Node; 2]) -> Eval<'a> {
        let [left, right] = sides;
        let (left, right) = (self.eval(left)?, self.eval(right)?);
        let result = match compare {
            Compare::Equal => left.equals(&right, &self.budget)?,
            Compare::NotEqual => !left.equals(&right, &self.budget)?,
            _ => {
                let order = left
                    .order(&right)
                    .ok_or_else(|| EvalError::of_type(format!("{} and {} have no order", left.noun(), right.noun())))?;
                match compare {
                    Compare::Less => order == Ordering::Less,
                    Compare::LessOrEqual => order != Ordering::Greater,
                    Compare::Greater => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                }
            }
        };
        Ok(Value::Bool(result))
    }

    fn contains(&mut self, sides: &'a [Node; 2]) -> Eval<'a> {
        let [element, container] = sides;
        let (element, found_in) = (self.eval(element)?, self.eval(container)?);
        self.look_up(&found_in)?;
        match &found_in {
            Value::List(list) => {
                for item in list.iter() {
                    if item.equals(&element, &self.budget)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            Value::Map(map) if is_key(&element) => Ok(Value::Bool(map.find(&element).is_some())),
            Value::Map(_) => Err(EvalError::of_type(format!("{} is not a key of an object", element.noun()))),
            other => Err(EvalError::of_type(format!(
                "`{}` is {}, so nothing can be `in` it",
                container.text(),
                other.noun()
            ))),
        }
    }

    fn arithmetic(&mut self, first: &'a Node, rest: &'a [(Arithmetic, Node)]) -> Eval<'a> {
        let mut left = self.eval(first)?;
        for (operator, right) in rest {
            let right = self.eval(right)?;
            self.budget.step(1)?;
            left = self.combine(*operator, left, right)?;
        }
        Ok(left)
    }

    fn combine(&self, operator: Arithmetic, left: Value<'a>, right: Value<'a>) -> Eval<'a> {
        match (&left, &right) {
            (Value::Int(a), Value::Int(b)) => integers(operator, *a, *b).map(Value::Int),
            (Value::UInt(a), Value::UInt(b)) => unsigned(operator, *a, *b).map(Value::UInt),
            (Value::Double(a), Value::Double(b)) if operator != Arithmetic::Remainder => {
                Ok(Value::Double(doubles(operator, *a, *b)))
            }
            (Value::Str(a), Value::Str(b)) if operator == Arithmetic::Add => {
                self.budget.make_string(a.len() + b.len())?;
                Ok(Value::string(format!("{}{}", &**a, &**b)))
            }
            (Value::List(a), Value::List(b)) if operator == Arithmetic::Add => {
                self.make_list(a.len() + b.len())?;
                Ok(Value::list(a.iter().chain(b.iter()).collect()))
            }
            _ => Err(undefined(operator, &left, &right)),
        }
    }

    fn make_list(&self, length: usize) -> Result<(), EvalError> {
        self.budget.make(length.saturating_mul(std::mem::size_of::<Value<'_>>()))
    }

    fn list(&mut self, items: &'a [Node]) -> Eval<'a> {
        self.make_list(items.len())?;
        let items = items.iter().map(|item| self.eval(item)).collect::<Result<Vec<_>, _>>()?;
        Ok(Value::list(items))
    }

    fn map(&mut self, entries: &'a [(Node, Node)]) -> Eval<'a> {
        self.make_list(entries.len() * 2)?;
        let mut made: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key_node, value) in entries {
            let key = self.eval(key_node)?;
            if !is_key(&key) || matches!(key, Value::Double(_)) {
                return Err(EvalError::of_type(format!("`{}` is {} and cannot be a key", key_node.text(), key.noun())));
            }
            for (other, _) in &made {
                if other.equals(&key, &self.budget)? {
                    return Err(EvalError::of_type(format!(
                        "the key {} is given twice",
                        key.scalar_text().unwrap_or_default()
                    )));
                }
            }
            made.push((key, self.eval(value)?));
        }
        Ok(Value::Map(Map::Own(std::rc::Rc::new(made))))
    }

    /// The elements a comprehension visits: those of a list, or the keys of a map, in order.
    pub(super) fn elements(&mut self, fold: &'a Fold) -> Result<Elements<'a>, EvalError> {
        match self.eval(&fold.range)? {
            Value::List(list) => {
                self.budget.step(list.len() as u64)?;
                Ok(Elements { values: list.iter().collect(), are_keys: false })
            }
            Value::Map(map) => {
                self.budget.step(map.len() as u64)?;
                Ok(Elements { values: map.entries().into_iter().map(|(key, _)| key).collect(), are_keys: true })
            }
            other => Err(EvalError::of_type(format!(
                "`{}` is {}, not an array or an object, so `{}` has nothing to visit",
                fold.range.text(),
                other.noun(),
                fold.kind.name()
            ))),
        }
    }

    fn fold(&mut self, fold: &'a Fold) -> Eval<'a> {
        let elements = self.elements(fold)?;
        let depth = self.locals.len();
        let result = match fold.kind {
            FoldKind::All => self.quantify(fold, &elements, false),
            FoldKind::Exists => self.quantify(fold, &elements, true),
            _ => self.collect(fold, &elements),
        };
        self.locals.truncate(depth);
        result
    }

    /// Evaluates `node` with one of the elements as the innermost variable.
    fn visit(&mut self, fold: &Fold, node: &'a Node, elements: &Elements<'a>, at: usize) -> Eval<'a> {
        let Some(element) = elements.values.get(at) else {
            return Err(EvalError::internal("an element is out of range"));
        };
        let depth = self.locals.len();
        self.locals.push(element.clone());
        let result = self.eval(node);
        self.locals.truncate(depth);
        result.map_err(|error| elements.located(error, fold, at))
    }

    fn visit_boolean(
        &mut self,
        fold: &Fold,
        node: &'a Node,
        elements: &Elements<'a>,
        at: usize,
    ) -> Result<bool, EvalError> {
        match self.visit(fold, node, elements, at)? {
            Value::Bool(value) => Ok(value),
            other => Err(elements.located(not_boolean(node, fold.kind.name(), &other), fold, at)),
        }
    }

    /// `all` and `exists`: as `logical`, over elements.
    fn quantify(&mut self, fold: &'a Fold, elements: &Elements<'a>, deciding: bool) -> Eval<'a> {
        let mut first_error = None;
        for at in 0..elements.values.len() {
            match self.visit_boolean(fold, &fold.body, elements, at) {
                Ok(value) if value == deciding => return Ok(Value::Bool(deciding)),
                Ok(_) => {}
                Err(error) if error.can_be_absorbed() => {
                    first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(Value::Bool(!deciding)),
        }
    }

    /// `map`, `filter` and `exists_one`.
    fn collect(&mut self, fold: &'a Fold, elements: &Elements<'a>) -> Eval<'a> {
        let mut kept = Vec::new();
        for (at, element) in elements.values.iter().enumerate() {
            let keep = match (&fold.guard, fold.kind) {
                (Some(guard), _) => self.visit_boolean(fold, guard, elements, at)?,
                (None, FoldKind::Map) => true,
                (None, _) => self.visit_boolean(fold, &fold.body, elements, at)?,
            };
            if keep {
                self.make_list(1)?;
                kept.push(match fold.kind {
                    FoldKind::Map => self.visit(fold, &fold.body, elements, at)?,
                    _ => element.clone(),
                });
            }
        }
        Ok(match fold.kind {
            FoldKind::ExistsOne => Value::Bool(kept.len() == 1),
            _ => Value::list(kept),
        })
    }
}

/// What a comprehension visits.
pub(super) struct Elements<'a> {
    pub(super) values: Vec<Value<'a>>,
    are_keys: bool,
}

impl Elements<'_> {
    /// Says where an element comes from: `s is body.servers[3]`.
    pub(super) fn place(&self, fold: &Fold, at: usize) -> String {
        match (self.values.get(at), &fold.range) {
            (Some(Value::Str(key)), _) if self.are_keys => {
                format!("{} is '{}'", fold.var, key.escape_debug())
            }
            (_, Node::Var(_) | Node::Local(..) | Node::Path(..)) if !self.are_keys => {
                format!("{} is {}[{at}]", fold.var, fold.range.text())
            }
            _ => format!("{} is element {at}", fold.var),
        }
    }

    /// Names the element at fault.
    fn located(&self, mut error: EvalError, fold: &Fold, at: usize) -> EvalError {
        if error.can_be_absorbed() {
            error.message.push_str(", where ");
            error.message.push_str(&self.place(fold, at));
        }
        error
    }
}

fn before(steps: &[Step], at: usize) -> &[Step] {
    steps.get(..at).unwrap_or(steps)
}

fn not_boolean(node: &Node, operator: &str, value: &Value<'_>) -> EvalError {
    EvalError::of_type(format!("`{}` is {}, but `{operator}` needs true or false", node.text(), value.noun()))
}

fn not_selectable(root: &Node, steps: &[Step], at: usize, value: &Value<'_>) -> EvalError {
    EvalError::of_type(format!(
        "`{}` is {}, so `{}` cannot be read",
        tree::path_text(root, before(steps, at)),
        value.noun(),
        tree::path_text(root, before(steps, at + 1)),
    ))
}

fn is_key(value: &Value<'_>) -> bool {
    value.is_number() || matches!(value, Value::Str(_) | Value::Bool(_))
}

/// A place in a list; a double counts if it is whole.
fn list_index(index: &Value<'_>) -> Option<usize> {
    match index {
        Value::Int(index) => usize::try_from(*index).ok(),
        Value::UInt(index) => usize::try_from(*index).ok(),
        Value::Double(index) if index.fract() == 0.0 && *index >= 0.0 && *index < 1e15 => Some(*index as usize),
        _ => None,
    }
}

fn undefined(operator: Arithmetic, left: &Value<'_>, right: &Value<'_>) -> EvalError {
    let mut message = format!("`{}` is not defined for {} and {}", operator.sign(), left.noun(), right.noun());
    if left.is_number() && right.is_number() {
        message.push_str("; convert one with int() or double()");
    } else if operator == Arithmetic::Add && (matches!(left, Value::Str(_)) || matches!(right, Value::Str(_))) {
        message.push_str("; convert one with string()");
    }
    EvalError::of_type(message)
}

fn integers(operator: Arithmetic, a: i64, b: i64) -> Result<i64, EvalError> {
    let result = match operator {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide if b != 0 => a.checked_div(b),
        Arithmetic::Remainder if b != 0 => a.checked_rem(b),
        Arithmetic::Divide | Arithmetic::Remainder => return Err(by_zero()),
    };
    result.ok_or_else(|| overflow(operator))
}

fn unsigned(operator: Arithmetic, a: u64, b: u64) -> Result<u64, EvalError> {
    let result = match operator {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide if b != 0 => a.checked_div(b),
        Arithmetic::Remainder if b != 0 => a.checked_rem(b),
        Arithmetic::Divide | Arithmetic::Remainder => return Err(by_zero()),
    };
    result.ok_or_else(|| overflow(operator))
}

fn doubles(operator: Arithmetic, a: f64, b: f64) -> f64 {
    match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
    }
}

fn by_zero() -> EvalError {
    EvalError::of_type("division by zero")
}

fn overflow(operator: Arithmetic) -> EvalError {
    EvalError::of_type(format!("integer overflow in `{}`", operator.sign()))
}
