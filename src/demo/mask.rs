//! Stand-ins for secrets. A transcript holds tokens; a client that received one would take it for text of ours. So
//! each token is served as a made-up value of the same length: one token, one value.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::canon::digest_bytes;

const BEGIN: &str = "{{secret:";
const END: &str = "}}";

/// Replaces every token in a text by its stand-in.
#[must_use]
pub fn unmask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inner, after)) = cut(rest) {
        out.push_str(before);
        match stand_in(inner) {
            Some(value) => out.push_str(&value),
            None => {
                out.push_str(BEGIN);
                out.push_str(inner);
                out.push_str(END);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn cut(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (inner, after) = rest.split_once(END)?;
    Some((before, inner, after))
}

/// The value for `LABEL:HMAC:LENGTH` or `LABEL:HMAC:LENGTH:FORM`.
fn stand_in(inner: &str) -> Option<String> {
    let mut parts = inner.split(':');
    let (_, hmac, length) = (parts.next()?, parts.next()?, parts.next()?.parse::<usize>().ok()?);
    let form = parts.next();
    let mut value = String::new();
    let mut block = hmac.to_owned();
    // Digests in hexadecimal: letters and digits only, so it is the same in most encodings.
    while value.len() < length {
        block = digest_bytes(block.as_bytes()).hex();
        value.push_str(&block);
    }
    value.truncate(length);
    Some(match form {
        Some("b64") => STANDARD.encode(&value),
        Some("b64n") => STANDARD_NO_PAD.encode(&value),
        Some("b64u") => URL_SAFE.encode(&value),
        Some("b64un") => URL_SAFE_NO_PAD.encode(&value),
        Some("hex") => value.bytes().map(|byte| format!("{byte:02x}")).collect(),
        Some("hexu") => value.bytes().map(|byte| format!("{byte:02X}")).collect(),
        _ => value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Secret, Vault};

    #[test]
    fn one_token_one_value_of_its_length() {
        let token = Vault::new().learn("pw", &Secret::new("a-secret-of-some-length"));
        let value = unmask(&token);
        assert_eq!(value.len(), 23);
        assert_eq!(unmask(&format!("<{token}> {token}")), format!("<{value}> {value}"));
        let encoded = token.replace("}}", ":b64}}");
        assert_eq!(STANDARD.decode(unmask(&encoded)).unwrap(), value.as_bytes());
        let other = Vault::new().learn("pw", &Secret::new("a-secret-of-some-length"));
        assert_ne!(unmask(&other), value);
    }

    #[test]
    fn what_is_no_token_stays() {
        for text in ["", "{{secret:", "{{secret:a}}", "{{secret:a:b:c}} }}", "{{}}"] {
            assert_eq!(unmask(text), text);
        }
    }
}
