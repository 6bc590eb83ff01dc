//! URLs, JSON documents, times and the shapes of well-known texts.

use std::str::FromStr as _;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::functions::Call;
use super::limits::Budget;
use super::value::{Map, Value};
use super::{EvalError, Json};

type Made<'a> = Result<Value<'a>, EvalError>;

/// Stands for the missing origin of a base that is only a path; reserved by RFC 2606, so no target has it.
const NO_ORIGIN: &str = "http://no-origin.invalid";

pub(super) fn url_join<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let (base, reference) = (call.text(0)?, call.text(1)?);
    if let Ok(absolute) = Url::parse(reference) {
        return call.make_text(absolute.into());
    }
    let not_a_url = |_| call.failed("the base is not a URL or an absolute path");
    let not_a_reference = |_| call.failed("the reference is not a URL reference");
    if base.starts_with('/') && !base.starts_with("//") {
        let base = Url::parse(NO_ORIGIN).and_then(|origin| origin.join(base)).map_err(not_a_url)?;
        let joined = String::from(base.join(reference).map_err(not_a_reference)?);
        return match joined.strip_prefix(NO_ORIGIN) {
            Some(path) => call.make_text(path.to_owned()),
            None => Err(call.failed("the reference names a host, the base has no scheme")),
        };
    }
    let base = Url::parse(base).map_err(not_a_url)?;
    call.make_text(base.join(reference).map_err(not_a_reference)?.into())
}

pub(super) fn url_path<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        // RFC 3986, appendix B.
        Regex::new(r"^(?:([^:/?#]+):)?(//[^/?#]*)?([^?#]*)").ok()
    });
    let url = call.text(0)?;
    let parts = SHAPE.as_ref().and_then(|shape| shape.captures(url));
    let parts = parts.ok_or_else(|| EvalError::internal("the shape of URLs is not defined"))?;
    let path = parts.get(3).map_or("", |path| path.as_str());
    let path = if path.is_empty() && parts.get(2).is_some() { "/" } else { path };
    call.make_text(path.to_owned())
}

pub(super) fn json<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let text = call.text(0)?;
    // A JSON text of n bytes has at most n/2 values.
    call.budget.make(text.len().saturating_mul(16))?;
    serde_json::from_str(text).map(Value::own).map_err(|error| call.failed(&format!("the text is not JSON: {error}")))
}

pub(super) fn to_json<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    call.budget.make(call.arg(0).weight())?;
    call.make_text(call.arg(0).to_json()?.to_string())
}

pub(super) fn find_all<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let mut found = Vec::new();
    collect(call.arg(0), call.text(1)?, &mut found, call.budget)?;
    call.make_list(found)
}

fn collect<'a>(value: &Value<'a>, key: &str, found: &mut Vec<Value<'a>>, budget: &Budget) -> Result<(), EvalError> {
    budget.step(1)?;
    match value {
        Value::List(list) => {
            for item in list.iter() {
                collect(&item, key, found, budget)?;
            }
        }
        Value::Map(Map::Ref(members)) => {
            for (name, member) in *members {
                let member = Value::of(member);
                if name == key {
                    found.push(member.clone());
                }
                collect(&member, key, found, budget)?;
            }
        }
        Value::Map(map) => {
            for (name, member) in map.entries() {
                if matches!(&name, Value::Str(name) if **name == *key) {
                    found.push(member.clone());
                }
                collect(&member, key, found, budget)?;
            }
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn get<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let pointer = call.text(1)?;
    check_pointer(pointer)?;
    let mut value = call.arg(0).clone();
    for token in pointer.split('/').skip(1) {
        call.budget.step(1)?;
        let next = match &value {
            Value::Map(map) => {
                call.budget.step(map.look_up_steps())?;
                map.get(&token.replace("~1", "/").replace("~0", "~"))
            }
            Value::List(list) => array_index(token).and_then(|index| list.get(index)),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return Ok(call.arg(2).clone()),
        }
    }
    Ok(value)
}

/// RFC 6901 §4: no leading zeros.
fn array_index(token: &str) -> Option<usize> {
    let plain = token == "0" || !token.starts_with(['0', '+']);
    if plain { token.parse().ok() } else { None }
}

/// Whether a text is a pointer of RFC 6901.
pub(super) fn check_pointer(pointer: &str) -> Result<(), EvalError> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(EvalError::of_type(format!(
            "'{}' is not a JSON pointer; it starts with `/`",
            pointer.escape_debug()
        )));
    }
    let mut after_tilde = pointer.split('~').skip(1);
    if after_tilde.any(|rest| !rest.starts_with(['0', '1'])) {
        return Err(EvalError::of_type("in a JSON pointer `~` is written `~0` and `/` within a key `~1`"));
    }
    Ok(())
}

/// The shape of RFC 3339 §5.6; the calendar is checked by the parser.
fn has_date_time_shape(text: &str) -> bool {
    static SHAPE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$").ok());
    text.is_ascii() && SHAPE.as_ref().is_some_and(|shape| shape.is_match(text))
}

fn timestamp(text: &str) -> Option<jiff::Timestamp> {
    if !has_date_time_shape(text) {
        return None;
    }
    jiff::Timestamp::from_str(&text.to_ascii_uppercase()).ok()
}

pub(super) fn time_ms<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    match timestamp(call.text(0)?) {
        Some(timestamp) => Ok(Value::Int(timestamp.as_millisecond())),
        None => Err(call.failed("the text is not a date with time and offset of RFC 3339")),
    }
}

pub(super) fn matches_date<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let text = call.text(0)?;
    let is_date = text.len() == 10
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        && jiff::civil::Date::from_str(text).is_ok();
    Ok(Value::Bool(is_date || timestamp(text).is_some()))
}

pub(super) fn is_uuid<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let text = call.text(0)?;
    let form = text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    Ok(Value::Bool(form))
}

/// Never evaluated where it may stand: the interpreter takes `${secret('label')}` as a whole and asks its world.
pub(super) fn secret<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    Err(call.failed("a secret is made only by a `let` variable whose whole value is `${secret('label')}`"))
}

/// `{{secret:LABEL:32 hexadecimal digits:LENGTH}}`, as the redactor writes it.
pub(super) fn secret_length<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let length = call.text(0)?.strip_prefix("{{secret:").and_then(|rest| rest.strip_suffix("}}")).and_then(|rest| {
        let mut parts = rest.rsplitn(3, ':');
        let length = parts.next()?;
        let digest = parts.next()?;
        let label = parts.next()?;
        let sound = !label.is_empty()
            && digest.len() == 32
            && digest.bytes().all(|b| b.is_ascii_hexdigit())
            && length.bytes().all(|b| b.is_ascii_digit());
        if sound { length.parse().ok() } else { None }
    });
    match length {
        Some(length) => Ok(Value::Int(length)),
        None => Err(call.failed("the text is not the token of a secret")),
    }
}

/// JSON of a string, short enough for a message.
pub(super) fn short_json(value: &Value<'_>, most: usize) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    if value.weight() <= most.saturating_mul(8)
        && let Ok(json) = value.to_json()
    {
        let text = Json::to_string(&json);
        if text.chars().count() <= most {
            return text;
        }
    }
    match value {
        Value::List(list) => format!("an array of {}", count(list.len(), "element")),
        Value::Map(map) => format!("an object of {}", count(map.len(), "member")),
        Value::Str(text) => {
            let start: String = text.chars().take(most).collect();
            format!("{} … ({})", Json::from(start), count(text.chars().count(), "character"))
        }
        other => other.scalar_text().unwrap_or_default(),
    }
}
