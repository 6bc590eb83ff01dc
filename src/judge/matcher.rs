//! Matchers: is a value what a check asks for, and if not, what was expected and what was there, in words.

use std::collections::HashSet;

use crate::expr::{EvalError, Json, JsonTemplate, Scope};
use crate::suite::{JsonType, Matcher};

/// Longest text of a value in a message, in characters.
const SHOWN: usize = 300;

/// Whether `value` (`None`: absent) satisfies the matcher.
///
/// # Errors
/// When a template inside the matcher cannot be rendered.
pub(super) fn matches(matcher: &Matcher, value: Option<&Json>, scope: &Scope) -> Result<bool, EvalError> {
    let Some(found) = value else {
        return Ok(match matcher {
            Matcher::Absent => true,
            Matcher::Not(inner) => matches!(**inner, Matcher::Present),
            Matcher::All(inner) => {
                for one in inner {
                    if !matches(one, None, scope)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => false,
        });
    };
    Ok(match matcher {
        Matcher::Present => true,
        Matcher::Absent => false,
        Matcher::Equals(wanted) => json_eq(found, &wanted.render(scope)?),
        Matcher::Not(inner) => !matches(inner, value, scope)?,
        Matcher::All(inner) => all(inner, value, scope)?,
        Matcher::OneOf(wanted) => {
            let mut hit = false;
            for one in wanted {
                hit = hit || json_eq(found, &one.render(scope)?);
            }
            hit
        }
        Matcher::Matches(regex) => found.as_str().is_some_and(|text| regex.is_match(text)),
        Matcher::Contains(wanted) => contains(found, &wanted.render(scope)?),
        Matcher::StartsWith(prefix) => {
            let prefix = prefix.render(scope)?;
            found.as_str().is_some_and(|text| text.starts_with(&prefix))
        }
        Matcher::Length(inner) => match length(found) {
            Some(length) => matches(inner, Some(&Json::from(length)), scope)?,
            None => false,
        },
        Matcher::Min(limit) => found.as_f64().is_some_and(|number| number >= *limit),
        Matcher::Max(limit) => found.as_f64().is_some_and(|number| number <= *limit),
        Matcher::Type(types) => types.iter().any(|wanted| is_type(found, *wanted)),
        Matcher::Every(inner) => match found.as_array() {
            Some(members) => {
                for member in members {
                    if !matches(inner, Some(member), scope)? {
                        return Ok(false);
                    }
                }
                true
            }
            None => false,
        },
        Matcher::Some(inner) => {
            let mut hit = false;
            for member in found.as_array().into_iter().flatten() {
                hit = hit || matches(inner, Some(member), scope)?;
            }
            hit
        }
        Matcher::Unique => found.as_array().is_some_and(|members| {
            let mut seen = HashSet::new();
            members.iter().all(|member| seen.insert(member.to_string()))
        }),
        Matcher::Object(wanted) => is_part(&wanted.render(scope)?, found),
    })
}

fn all(inner: &[Matcher], value: Option<&Json>, scope: &Scope) -> Result<bool, EvalError> {
    for one in inner {
        if !matches(one, value, scope)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains(found: &Json, wanted: &Json) -> bool {
    match found {
        Json::String(text) => wanted.as_str().is_some_and(|part| text.contains(part)),
        Json::Array(members) => members.iter().any(|member| json_eq(member, wanted)),
        Json::Object(map) => wanted.as_str().is_some_and(|key| map.contains_key(key)),
        _ => false,
    }
}

fn length(found: &Json) -> Option<u64> {
    let length = match found {
        Json::String(text) => text.chars().count(),
        Json::Array(members) => members.len(),
        Json::Object(map) => map.len(),
        _ => return None,
    };
    u64::try_from(length).ok()
}

fn is_type(value: &Json, wanted: JsonType) -> bool {
    match wanted {
        JsonType::String => value.is_string(),
        // JSON Schema 2020-12: a number with a zero fraction is an integer.
        JsonType::Integer => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        JsonType::Number => value.is_number(),
        JsonType::Boolean => value.is_boolean(),
        JsonType::Object => value.is_object(),
        JsonType::Array => value.is_array(),
        JsonType::Null => value.is_null(),
    }
}

/// Equality of JSON values; numbers compare by value, so that `1` equals `1.0`.
pub(super) fn json_eq(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => x == y || (x.as_f64().is_some() && x.as_f64() == y.as_f64()),
        (Json::Array(x), Json::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| json_eq(x, y)),
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| json_eq(x, y)))
        }
        _ => a == b,
    }
}

/// Whether every member of `wanted` is in `found` with a matching value; objects inside objects likewise.
pub(super) fn is_part(wanted: &Json, found: &Json) -> bool {
    match (wanted, found) {
        (Json::Object(wanted), Json::Object(found)) => {
            wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| is_part(wanted, found)))
        }
        _ => json_eq(wanted, found),
    }
}

/// The matcher in words, with its templates rendered.
pub(super) fn describe(matcher: &Matcher, scope: &Scope) -> String {
    let value = |template: &JsonTemplate| template.render(scope).map_or_else(|e| e.message, |v| show(&v));
    match matcher {
        Matcher::Present => "present".to_owned(),
        Matcher::Absent => "absent".to_owned(),
        Matcher::Equals(wanted) => value(wanted),
        Matcher::Not(inner) => format!("not {}", describe(inner, scope)),
        Matcher::All(inner) => inner.iter().map(|one| describe(one, scope)).collect::<Vec<_>>().join(" and "),
        Matcher::OneOf(wanted) => format!("one of {}", wanted.iter().map(value).collect::<Vec<_>>().join(", ")),
        Matcher::Matches(regex) => format!("matches `{}`", regex.as_str()),
        Matcher::Contains(wanted) => format!("contains {}", value(wanted)),
        Matcher::StartsWith(prefix) => {
            format!("starts with \"{}\"", prefix.render(scope).unwrap_or_else(|e| e.message))
        }
        Matcher::Length(inner) => format!("length {}", describe(inner, scope)),
        Matcher::Min(limit) => format!("at least {limit}"),
        Matcher::Max(limit) => format!("at most {limit}"),
        Matcher::Type(types) => {
            let names: Vec<_> = types.iter().map(|t| format!("{t:?}").to_lowercase()).collect();
            format!("of type {}", names.join(" or "))
        }
        Matcher::Every(inner) => format!("every member {}", describe(inner, scope)),
        Matcher::Some(inner) => format!("some member {}", describe(inner, scope)),
        Matcher::Unique => "members all different".to_owned(),
        Matcher::Object(wanted) => format!("an object with {}", value(wanted)),
    }
}

/// A value as shown in messages, bounded in length.
pub(super) fn show(value: &Json) -> String {
    cut(&value.to_string())
}

/// Text as shown in messages, bounded in length.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn equals(value: Json) -> Matcher {
        Matcher::Equals(JsonTemplate::from_json(&value).unwrap())
    }

    fn check(matcher: &Matcher, value: Option<Json>) -> bool {
        matches(matcher, value.as_ref(), &Scope::new()).unwrap()
    }

    #[test]
    fn absence_satisfies_only_absent_and_not_present() {
        assert!(check(&Matcher::Absent, None));
        assert!(check(&Matcher::Not(Box::new(Matcher::Present)), None));
        assert!(!check(&Matcher::Not(Box::new(equals(json!("x")))), None), "a negation needs a value to negate");
        assert!(!check(&Matcher::Present, None));
        assert!(check(&Matcher::Present, Some(json!(null))));
        assert!(!check(&Matcher::Every(Box::new(Matcher::Present)), None));
    }

    #[test]
    fn numbers_compare_by_value() {
        assert!(check(&equals(json!(1)), Some(json!(1.0))));
        assert!(check(&equals(json!({"a": [1, 2.0]})), Some(json!({"a": [1.0, 2]}))));
        assert!(!check(&equals(json!(1)), Some(json!("1"))));
    }

    #[test]
    fn object_is_a_part() {
        let object = Matcher::Object(JsonTemplate::from_json(&json!({"a": {"b": 1}})).unwrap());
        assert!(check(&object, Some(json!({"a": {"b": 1, "c": 2}, "d": 3}))));
        assert!(!check(&object, Some(json!({"a": {"c": 2}}))));
    }

    #[test]
    fn lists() {
        let text = Matcher::Every(Box::new(Matcher::Type(vec![JsonType::String])));
        assert!(check(&text, Some(json!(["a", "b"]))));
        assert!(!check(&text, Some(json!(["a", 1]))));
        assert!(check(&Matcher::Some(Box::new(equals(json!(1)))), Some(json!([0, 1]))));
        assert!(!check(&Matcher::Some(Box::new(equals(json!(1)))), Some(json!([]))));
        assert!(!check(&Matcher::Unique, Some(json!([1, 2, 1]))));
        assert!(check(&Matcher::Length(Box::new(Matcher::Min(2.0))), Some(json!([1, 2]))));
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        assert!(cut(&"ü".repeat(1000)).ends_with("… (2000 bytes)"));
    }
}
