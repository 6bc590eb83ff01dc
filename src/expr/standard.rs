//! CEL's own functions, and those on text and lists.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

use super::EvalError;
use super::functions::Call;
use super::limits::{MAX_RANGE, MAX_REGEX, MAX_REGEX_PROGRAM};
use super::value::{Text, Value};

type Made<'a> = Result<Value<'a>, EvalError>;

pub(super) fn size<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let size = match call.arg(0) {
        Value::Str(text) => {
            call.budget.read(text.len())?;
            text.chars().count()
        }
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => return Err(call.wants("a string, an array or an object", 0)),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

pub(super) fn contains<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    Ok(Value::Bool(call.text(0)?.contains(call.text(1)?)))
}

pub(super) fn starts_with<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    Ok(Value::Bool(call.text(0)?.starts_with(call.text(1)?)))
}

pub(super) fn ends_with<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    Ok(Value::Bool(call.text(0)?.ends_with(call.text(1)?)))
}

pub(super) fn matches<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let regex = call.budget.regex(call.text(1)?)?;
    // Linear in the text, but with a larger constant than a comparison.
    let text = call.text(0)?;
    call.budget.step(text.len() as u64 / 4)?;
    Ok(Value::Bool(regex.is_match(text)))
}

/// Compiles a regular expression, or takes it from the cache: suites use the same few patterns many thousand times. Shared, not
/// cloned, because a clone starts without the working memory that makes matching fast.
pub(super) fn compile_regex(pattern: &str) -> Result<Arc<Regex>, EvalError> {
    static CACHE: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    const CACHED: usize = 256;

    if pattern.len() > MAX_REGEX {
        return Err(EvalError::limit(format!(
            "the regular expression is {} bytes long, at most {MAX_REGEX} are allowed",
            pattern.len()
        )));
    }
    if let Some(known) = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Ok(Arc::clone(known));
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX_PROGRAM)
        .dfa_size_limit(MAX_REGEX_PROGRAM)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => EvalError::limit("the regular expression is too large when compiled"),
            error => EvalError::of_type(format!("not a regular expression: {}", regex_message(&error.to_string()))),
        })?;
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED {
        cache.clear();
    }
    let regex = Arc::new(regex);
    cache.insert(pattern.to_owned(), Arc::clone(&regex));
    Ok(regex)
}

/// The last line of the library's drawing says what is wrong.
fn regex_message(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}

pub(super) fn lower_ascii<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    call.make_text(call.text(0)?.to_ascii_lowercase())
}

pub(super) fn upper_ascii<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    call.make_text(call.text(0)?.to_ascii_uppercase())
}

pub(super) fn trim<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    call.make_text(call.text(0)?.trim().to_owned())
}

pub(super) fn split<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let (text, separator) = (call.text(0)?, call.text(1)?);
    let most = match call.args.len() {
        2 => None,
        _ => usize::try_from(call.int(2)?).ok(),
    };
    // Every part costs an allocation; charge for the most there can be before making them.
    call.budget.make(text.len())?;
    let parts: Vec<&str> = match (most, separator.is_empty()) {
        (None, true) => text.char_indices().map(|(at, c)| part(text, at, at + c.len_utf8())).collect(),
        (None, false) => text.split(separator).collect(),
        (Some(most), true) => split_characters(text, most),
        (Some(most), false) => text.splitn(most, separator).collect(),
    };
    call.make_list(parts.into_iter().map(Value::string).collect())
}

fn split_characters(text: &str, most: usize) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    for (at, c) in text.char_indices() {
        if parts.len() + 1 >= most {
            if most > 0 {
                parts.push(part(text, at, text.len()));
            }
            break;
        }
        parts.push(part(text, at, at + c.len_utf8()));
    }
    parts
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

pub(super) fn replace<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let most = match call.args.len() {
        3 => usize::MAX,
        _ => usize::try_from(call.int(3)?).unwrap_or(usize::MAX),
    };
    let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
    let found = found.min(most);
    call.budget.make_string(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(Value::string(text.replacen(old, new, found)))
}

pub(super) fn join<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let list = call.list(0)?;
    let separator = match call.args.len() {
        1 => "",
        _ => call.text(1)?,
    };
    let mut joined = String::new();
    for (at, item) in list.iter().enumerate() {
        let Value::Str(item) = &item else {
            return Err(call.failed(&format!("element {at} is {}, not a string", item.noun())));
        };
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item);
        if joined.len() > super::limits::MAX_STRING {
            break;
        }
    }
    call.make_text(joined)
}

pub(super) fn to_text<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    match call.arg(0) {
        Value::Str(_) => Ok(call.arg(0).clone()),
        value @ (Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Double(_)) => {
            call.make_text(value.scalar_text().unwrap_or_default())
        }
        _ => Err(call.wants("a number, a boolean or a string", 0)),
    }
}

pub(super) fn to_bool<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    match call.arg(0) {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::Str(text) => match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(call.failed("the text is neither `true` nor `false`")),
        },
        _ => Err(call.wants("a boolean or a string", 0)),
    }
}

pub(super) fn to_int<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let value = match call.arg(0) {
        Value::Int(value) => Some(*value),
        Value::UInt(value) => i64::try_from(*value).ok(),
        // Both bounds are exact as doubles; the upper is one more than the largest integer.
        Value::Double(value) if *value > -9.223_372_036_854_776e18 && *value < 9.223_372_036_854_776e18 => {
            Some(*value as i64)
        }
        Value::Double(_) => None,
        Value::Str(text) => return text.parse().map(Value::Int).map_err(|_| not_numeric(call)),
        _ => return Err(call.wants("a number or a string", 0)),
    };
    value.map(Value::Int).ok_or_else(|| call.failed("the number is out of range"))
}

pub(super) fn to_uint<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let value = match call.arg(0) {
        Value::Int(value) => u64::try_from(*value).ok(),
        Value::UInt(value) => Some(*value),
        Value::Double(value) if *value >= 0.0 && *value < 18_446_744_073_709_551_616.0 => Some(*value as u64),
        Value::Double(_) => None,
        Value::Str(text) => return text.parse().map(Value::UInt).map_err(|_| not_numeric(call)),
        _ => return Err(call.wants("a number or a string", 0)),
    };
    value.map(Value::UInt).ok_or_else(|| call.failed("the number is out of range"))
}

pub(super) fn to_double<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    match call.arg(0) {
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        Value::UInt(value) => Ok(Value::Double(*value as f64)),
        Value::Double(value) => Ok(Value::Double(*value)),
        Value::Str(text) => text.parse().map(Value::Double).map_err(|_| not_numeric(call)),
        _ => Err(call.wants("a number or a string", 0)),
    }
}

fn not_numeric(call: &Call<'_, '_>) -> EvalError {
    call.failed("the text is not such a number")
}

pub(super) fn type_value<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    Ok(Value::Type(call.arg(0).cel_type()))
}

pub(super) fn type_of<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    Ok(Value::Str(Text::Ref(call.arg(0).json_type())))
}

pub(super) fn keys<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let Value::Map(map) = call.arg(0) else {
        return Err(call.wants("an object", 0));
    };
    call.budget.step(map.len() as u64)?;
    let keys = map.entries().into_iter().map(|(key, _)| key).collect();
    sort(call, keys, "the keys")
}

pub(super) fn sorted<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let items: Vec<Value<'a>> = call.list(0)?.iter().collect();
    sort(call, items, "the elements")
}

fn sort<'a>(call: &Call<'_, 'a>, mut items: Vec<Value<'a>>, what: &str) -> Made<'a> {
    // The order of a pair tells whether all have one: numbers, strings and booleans are three separate orders.
    let mixed = items.windows(2).any(|pair| matches!(pair, [a, b] if a.order(b).is_none()));
    if mixed || items.first().is_some_and(|only| only.order(only).is_none()) {
        return Err(call.failed(&format!("{what} are not all numbers, strings or booleans")));
    }
    let length = items.len() as u64;
    call.budget.step(length * u64::from(length.checked_ilog2().unwrap_or(0)))?;
    items.sort_by(|a, b| a.order(b).unwrap_or(Ordering::Equal));
    call.make_list(items)
}

pub(super) fn distinct<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in call.list(0)?.iter() {
        let mut identity = String::new();
        item.identity(&mut identity);
        call.budget.make(identity.len())?;
        if seen.insert(identity) {
            kept.push(item);
        }
    }
    call.make_list(kept)
}

pub(super) fn flatten<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let mut flat = Vec::new();
    for item in call.list(0)?.iter() {
        match item {
            Value::List(inner) => {
                call.budget.make(inner.len().saturating_mul(std::mem::size_of::<Value<'_>>()))?;
                flat.extend(inner.iter());
            }
            item => flat.push(item),
        }
    }
    call.make_list(flat)
}

pub(super) fn range<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let n = call.int(0)?;
    if n < 0 {
        return Err(call.failed("the length is negative"));
    }
    if n > MAX_RANGE {
        return Err(EvalError::limit(format!("`range` makes at most {MAX_RANGE} numbers, not {n}")));
    }
    call.make_list((0..n).map(Value::Int).collect())
}
