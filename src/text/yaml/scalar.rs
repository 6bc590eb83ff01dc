//! The type of a plain scalar, by the YAML 1.2 core schema (§10.3.2) with two deliberate differences: a decimal with a
//! leading zero is a string, since identifiers and file modes look like that, and so are `.inf` and `.nan`, which JSON
//! cannot hold.

use super::Value;

/// Why a scalar cannot be read as what it looks like.
pub(super) struct OutOfRange;

/// The value of an unquoted, untagged scalar.
pub(super) fn resolve(text: &str) -> Result<Value, OutOfRange> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            // `from_str_radix` takes a sign, the schema does not.
            if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
                return i64::from_str_radix(digits, radix).map(Value::Int).map_err(|_| OutOfRange);
            }
            return Ok(Value::Str(text.to_string()));
        }
    }
    match shape(text) {
        Shape::Text => Ok(Value::Str(text.to_string())),
        Shape::Int => text.parse().map(Value::Int).map_err(|_| OutOfRange),
        Shape::Float => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(OutOfRange),
        },
    }
}

enum Shape {
    Text,
    Int,
    Float,
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, without leading zeros.
fn shape(text: &str) -> Shape {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = split_digits(unsigned);
    if whole.len() > 1 && whole.starts_with('0') {
        return Shape::Text;
    }
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(tail) => {
            let (digits, rest) = split_digits(tail);
            (Some(digits), rest)
        }
        None => (None, rest),
    };
    if whole.is_empty() && fraction.is_none_or(str::is_empty) {
        return Shape::Text;
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            let (digits, rest) = split_digits(digits);
            if digits.is_empty() || !rest.is_empty() { Shape::Text } else { Shape::Float }
        }
        None if !rest.is_empty() => Shape::Text,
        None if fraction.is_some() => Shape::Float,
        None => Shape::Int,
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
