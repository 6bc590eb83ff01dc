//! From tokens to what goes over the wire. A case composes its requests with tokens in place of secrets; each place
//! of a request has its own spelling, which is why a plain replacement would not do: a quote in a password would
//! break a JSON document.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::http::Body;
use crate::secret::Vault;

const TOKEN: &str = "{{secret:";
const TOKEN_END: &str = "}}";
/// How a token looks after percent-encoding (RFC 3986 §2.1, upper-case digits as encoders write them).
const ENCODED_TOKEN: &str = "%7B%7Bsecret";
const ENCODED_END: &str = "%7D%7D";

/// A token that stays although everything known was revealed: a secret of another run, or in a form that has no way
/// back. It must not be sent as if it were the value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unrevealed;

/// Reveals a URL: plain tokens as they are, percent-encoded tokens percent-encoded.
pub(super) fn url<'t>(vault: &Vault, text: &'t str) -> Result<Cow<'t, str>, Unrevealed> {
    encoded(vault, text, "url")
}

/// Reveals a header field value.
pub(super) fn plain<'t>(vault: &Vault, text: &'t str) -> Result<Cow<'t, str>, Unrevealed> {
    if !text.contains(TOKEN) {
        return Ok(Cow::Borrowed(text));
    }
    checked(vault.reveal(text).into_owned())
}

/// Reveals a body in the spelling of its media type.
pub(super) fn body(vault: &Vault, body: &Body, content_type: Option<&str>) -> Result<Vec<u8>, Unrevealed> {
    let bytes = body.bytes();
    let Ok(text) = std::str::from_utf8(bytes) else {
        let revealed = vault.reveal_bytes(bytes).into_owned();
        return Ok(revealed);
    };
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let revealed = if content_type.contains("json") {
        plain(vault, &with_form(text, "json")).map(Cow::into_owned)?
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        encoded(vault, text, "form").map(Cow::into_owned)?
    } else {
        plain(vault, text).map(Cow::into_owned)?
    };
    Ok(revealed.into_bytes())
}

/// Whether a text holds something to reveal.
pub(super) fn has_token(text: &str) -> bool {
    text.contains(TOKEN) || text.contains(ENCODED_TOKEN)
}

fn checked(revealed: String) -> Result<Cow<'static, str>, Unrevealed> {
    if has_token(&revealed) { Err(Unrevealed) } else { Ok(Cow::Owned(revealed)) }
}

fn encoded<'t>(vault: &Vault, text: &'t str, form: &str) -> Result<Cow<'t, str>, Unrevealed> {
    if !has_token(text) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, token, after)) = cut(rest, ENCODED_TOKEN, ENCODED_END) {
        out.push_str(before);
        let decoded = percent_decode_str(token).decode_utf8_lossy();
        out.push_str(&vault.reveal(&with_form(&decoded, form)));
        rest = after;
    }
    out.push_str(rest);
    checked(vault.reveal(&out).into_owned())
}

/// Gives plain tokens the form in which their secrets are to be spelled; tokens that have a form keep it.
fn with_form<'t>(text: &'t str, form: &str) -> Cow<'t, str> {
    if !text.contains(TOKEN) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, token, after)) = cut(rest, TOKEN, TOKEN_END) {
        out.push_str(before);
        match token.strip_suffix(TOKEN_END) {
            // `{{secret:LABEL:HMAC:LENGTH}}`
            Some(stem) if stem.matches(':').count() == 3 => {
                out.push_str(stem);
                out.push(':');
                out.push_str(form);
                out.push_str(TOKEN_END);
            }
            _ => out.push_str(token),
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Splits at the first piece that begins and ends with these marks.
fn cut<'t>(text: &'t str, begin: &str, end: &str) -> Option<(&'t str, &'t str, &'t str)> {
    let start = text.find(begin)?;
    let (before, rest) = text.split_at_checked(start)?;
    let length = rest.find(end)? + end.len();
    let (token, after) = rest.split_at_checked(length)?;
    Some((before, token, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    const PASSWORD: &str = r#"a"b\c &d+"#;

    fn vault() -> (Vault, String) {
        let vault = Vault::with_key([1; 32]);
        let token = vault.learn("pw", &Secret::new(PASSWORD));
        (vault, token)
    }

    #[test]
    fn json_bodies_stay_json() {
        let (vault, token) = vault();
        let json = format!(r#"{{"Password":"{token}"}}"#);
        let sent = body(&vault, &Body::new(json), Some("application/json; charset=utf-8")).unwrap();
        let back: serde_json::Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(back["Password"], PASSWORD);
    }

    #[test]
    fn forms_and_queries_stay_encoded() {
        let (vault, token) = vault();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("p", &token).append_pair("q", "1");
        let sent = body(&vault, &Body::new(form.finish()), Some("application/x-www-form-urlencoded")).unwrap();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&sent).into_owned().collect();
        assert_eq!(pairs, [("p".to_owned(), PASSWORD.to_owned()), ("q".to_owned(), "1".to_owned())]);

        let given = format!("http://h/?p={}&q=1", utf8_percent_encode(&token, NON_ALPHANUMERIC));
        let sent = super::url(&vault, &given).unwrap().into_owned();
        let parsed = url::Url::parse(&sent).unwrap();
        assert_eq!(parsed.query_pairs().next().unwrap().1, PASSWORD);
    }

    #[test]
    fn other_places_take_the_secret_as_it_is() {
        let (vault, token) = vault();
        assert_eq!(plain(&vault, &format!("X {token}")).unwrap(), format!("X {PASSWORD}"));
        assert_eq!(body(&vault, &Body::new(token), Some("text/plain")).unwrap(), PASSWORD.as_bytes());
        assert_eq!(plain(&vault, "nothing").unwrap(), "nothing");
    }

    #[test]
    fn foreign_tokens_are_not_sent() {
        let (vault, _) = vault();
        let foreign = Vault::with_key([2; 32]).learn("pw", &Secret::new("another-secret"));
        assert_eq!(plain(&vault, &foreign), Err(Unrevealed));
        assert_eq!(super::url(&vault, &format!("http://h/{foreign}")), Err(Unrevealed));
        let json = Body::new(format!("\"{foreign}\""));
        assert_eq!(body(&vault, &json, Some("application/json")), Err(Unrevealed));
    }
}
