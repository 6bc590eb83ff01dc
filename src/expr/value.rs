//! Values while an expression is evaluated: JSON read in place, and what the expression itself makes.
//!
//! Numbers keep CEL's three types. A JSON number is an `int` if it fits into one, else a `uint` if it fits into one, else a
//! `double`; `2.0` stays a double.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::Deref;
use std::rc::Rc;

use super::limits::Budget;
use super::{EvalError, Json};

/// A value; the lifetime is that of the scope and the program.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Double(f64),
    Str(Text<'a>),
    List(List<'a>),
    Map(Map<'a>),
    /// What `type(x)` gives.
    Type(&'static str),
}

#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    Ref(&'a str),
    Own(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Ref(text) => text,
            Text::Own(text) => text,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum List<'a> {
    Ref(&'a [Json]),
    Own(Rc<Vec<Value<'a>>>),
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            List::Ref(items) => items.len(),
            List::Own(items) => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            List::Ref(items) => items.get(index).map(Value::of),
            List::Own(items) => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[derive(Clone, Debug)]
pub(super) enum Map<'a> {
    Ref(&'a serde_json::Map<String, Json>),
    /// In the order written. Small, because it comes from the source of an expression or from a parsed text.
    Own(Rc<Vec<(Value<'a>, Value<'a>)>>),
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Map::Ref(members) => members.len(),
            Map::Own(members) => members.len(),
        }
    }

    /// How many steps a look-up costs beyond one.
    pub(super) fn look_up_steps(&self) -> u64 {
        match self {
            Map::Ref(_) => 0,
            Map::Own(members) => members.len() as u64,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Map::Ref(members) => members.get(key).map(Value::of),
            Map::Own(members) => members
                .iter()
                .find(|(name, _)| matches!(name, Value::Str(name) if **name == *key))
                .map(|(_, value)| value.clone()),
        }
    }

    /// As `get`, with a key of any key type: numbers are looked up by value.
    pub(super) fn find(&self, key: &Value<'_>) -> Option<Value<'a>> {
        match (self, key) {
            (_, Value::Str(key)) => self.get(key),
            (Map::Ref(_), _) => None,
            (Map::Own(members), _) => {
                members.iter().find(|(name, _)| same_scalar(name, key)).map(|(_, value)| value.clone())
            }
        }
    }

    pub(super) fn entries(&self) -> Vec<(Value<'a>, Value<'a>)> {
        match self {
            Map::Ref(members) => {
                members.iter().map(|(key, value)| (Value::Str(Text::Ref(key)), Value::of(value))).collect()
            }
            Map::Own(members) => members.to_vec(),
        }
    }
}

impl<'a> Value<'a> {
    /// The value of JSON, in place.
    pub(super) fn of(json: &'a Json) -> Value<'a> {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::number(number),
            Json::String(text) => Value::Str(Text::Ref(text)),
            Json::Array(items) => Value::List(List::Ref(items)),
            Json::Object(members) => Value::Map(Map::Ref(members)),
        }
    }

    /// The value of JSON that an expression made.
    pub(super) fn own(json: Json) -> Value<'a> {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(value),
            Json::Number(number) => Value::number(&number),
            Json::String(text) => Value::string(text),
            Json::Array(items) => Value::list(items.into_iter().map(Value::own).collect()),
            Json::Object(members) => Value::Map(Map::Own(Rc::new(
                members.into_iter().map(|(key, value)| (Value::string(key), Value::own(value))).collect(),
            ))),
        }
    }

    fn number(number: &serde_json::Number) -> Value<'a> {
        if let Some(int) = number.as_i64() {
            Value::Int(int)
        } else if let Some(uint) = number.as_u64() {
            Value::UInt(uint)
        } else {
            Value::Double(number.as_f64().unwrap_or(f64::NAN))
        }
    }

    pub(super) fn string(text: impl Into<Rc<str>>) -> Value<'a> {
        Value::Str(Text::Own(text.into()))
    }

    pub(super) fn list(items: Vec<Value<'a>>) -> Value<'a> {
        Value::List(List::Own(Rc::new(items)))
    }

    /// The value as JSON. Only a number that is not finite has none.
    pub(super) fn to_json(&self) -> Result<Json, EvalError> {
        Ok(match self {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            Value::UInt(value) => Json::from(*value),
            Value::Double(value) => serde_json::Number::from_f64(*value)
                .map(Json::Number)
                .ok_or_else(|| EvalError::of_type(format!("{value} is not a JSON number")))?,
            Value::Str(text) => Json::from(&**text),
            Value::Type(name) => Json::from(*name),
            Value::List(List::Ref(items)) => Json::Array(items.to_vec()),
            Value::List(items) => Json::Array(items.iter().map(|item| item.to_json()).collect::<Result<_, _>>()?),
            Value::Map(Map::Ref(members)) => Json::Object((*members).clone()),
            Value::Map(members) => {
                let mut object = serde_json::Map::new();
                for (key, value) in members.entries() {
                    object.insert(key.scalar_text().unwrap_or_default(), value.to_json()?);
                }
                Json::Object(object)
            }
        })
    }

    /// About how many bytes `to_json` would allocate.
    pub(super) fn weight(&self) -> usize {
        match self {
            Value::Str(text) => 32 + text.len(),
            Value::List(items) => 32 + items.iter().map(|item| item.weight()).sum::<usize>(),
            Value::Map(members) => {
                32 + members.entries().iter().map(|(key, value)| key.weight() + value.weight()).sum::<usize>()
            }
            _ => 32,
        }
    }

    /// The text of a scalar, as `string(x)` and templates write it.
    pub(super) fn scalar_text(&self) -> Option<String> {
        match self {
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(value) => Some(value.to_string()),
            Value::UInt(value) => Some(value.to_string()),
            Value::Double(value) => Some(value.to_string()),
            Value::Str(text) => Some(text.to_string()),
            Value::Type(name) => Some((*name).to_owned()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The name of the type in the language.
    pub(super) fn cel_type(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::UInt(_) => "uint",
            Value::Double(_) => "double",
            Value::Str(_) => "string",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Type(_) => "type",
        }
    }

    /// The name of the type in JSON Schema.
    pub(super) fn json_type(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::UInt(_) => "integer",
            Value::Double(_) => "number",
            Value::Str(_) | Value::Type(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        }
    }

    /// The type in a sentence.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::UInt(_) => "an unsigned integer",
            Value::Double(_) => "a double",
            Value::Str(_) => "a string",
            Value::List(_) => "an array",
            Value::Map(_) => "an object",
            Value::Type(_) => "a type",
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Value::Int(_) | Value::UInt(_) | Value::Double(_))
    }

    /// `==`: numbers by value whatever their type, other values of different types are different.
    pub(super) fn equals(&self, other: &Value<'_>, budget: &Budget) -> Result<bool, EvalError> {
        budget.step(1)?;
        match (self, other) {
            (Value::List(a), Value::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    if !a.equals(&b, budget)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Map(a), Value::Map(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, value) in a.entries() {
                    budget.step(b.look_up_steps())?;
                    match b.find(&key) {
                        Some(other) if value.equals(&other, budget)? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            (Value::Str(a), Value::Str(b)) => {
                budget.read(a.len().min(b.len()))?;
                Ok(**a == **b)
            }
            _ => Ok(same_scalar(self, other)),
        }
    }

    /// `<`: only within numbers, strings (by code point) and booleans.
    pub(super) fn order(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Value::Str(a), Value::Str(b)) => Some((**a).cmp(&**b)),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            _ => order_numbers(self, other),
        }
    }

    /// A text that is equal for equal values and only for them.
    pub(super) fn identity(&self, into: &mut String) {
        match self {
            Value::Null => into.push('~'),
            Value::Bool(value) => into.push(if *value { 'T' } else { 'F' }),
            Value::Int(value) => write_text(into, value),
            Value::UInt(value) => write_text(into, value),
            Value::Double(value) => match exact_integer(*value) {
                Some(int) => write_text(into, &int),
                None => write_text(into, &format_args!("d{value:e}")),
            },
            Value::Str(text) => write_text(into, &format_args!("{}:{}", text.len(), &**text)),
            Value::Type(name) => write_text(into, &format_args!("t{name};")),
            Value::List(items) => {
                into.push('[');
                for item in items.iter() {
                    item.identity(into);
                    into.push(',');
                }
                into.push(']');
            }
            Value::Map(members) => {
                let mut texts: Vec<String> = members
                    .entries()
                    .iter()
                    .map(|(key, value)| {
                        let mut text = String::new();
                        key.identity(&mut text);
                        text.push('=');
                        value.identity(&mut text);
                        text
                    })
                    .collect();
                texts.sort_unstable();
                into.push('{');
                into.push_str(&texts.join(","));
                into.push('}');
            }
        }
    }
}

fn write_text(into: &mut String, value: &impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(into, "{value}");
}

fn same_scalar(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => **a == **b,
        (Value::Type(a), Value::Type(b)) => a == b,
        _ => order_numbers(a, b) == Some(Ordering::Equal),
    }
}

fn order_numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Double(a), b) => integer(b).and_then(|b| order_exactly(b, *a)).map(Ordering::reverse),
        (a, Value::Double(b)) => integer(a).and_then(|a| order_exactly(a, *b)),
        (a, b) => Some(integer(a)?.cmp(&integer(b)?)),
    }
}

fn integer(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::UInt(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// Compares without rounding the integer, so that 9007199254740993 is not 9007199254740992.0.
fn order_exactly(int: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // Casting saturates; every integer here is far from the ends of i128.
    let whole = double.trunc() as i128;
    Some(int.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&double.fract()).unwrap_or(Ordering::Equal)))
}

fn exact_integer(double: f64) -> Option<i128> {
    (double.fract() == 0.0 && double.abs() < 1e37).then_some(double as i128)
}
