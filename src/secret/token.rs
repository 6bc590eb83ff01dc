//! Spelling of tokens and of the encodings they stand for.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

pub(super) const PREFIX: &str = "{{secret:";
const SUFFIX: &str = "}}";
const HEX_DIGITS: usize = 32;
const LONGEST_LABEL: usize = 40;

/// In which spelling a secret was found. All but `Part` can be turned back by [`encode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// As it is.
    Raw,
    /// As it is, without its first bytes: they are covered by a token just before, for a secret that overlaps.
    Skip(usize),
    /// Inside a JSON string.
    Json,
    /// Percent-encoded.
    Url,
    /// Percent-encoded with `+` for a space.
    Plus,
    /// With HTML or XML entities.
    Html,
    /// A whole Base64 text, standard alphabet, padded.
    B64,
    /// The same without padding.
    B64n,
    /// A whole Base64 text, URL-safe alphabet, padded.
    B64u,
    /// The same without padding.
    B64un,
    /// Hexadecimal, lower case.
    Hex,
    /// Hexadecimal, upper case.
    HexU,
    /// A part of a longer Base64 text, or several encodings on top of each other: not reversible.
    Part,
}

pub(super) const BASE64_FORMS: [Form; 4] = [Form::B64, Form::B64n, Form::B64u, Form::B64un];

const NAMES: [(Form, &str); 11] = [
    (Form::Json, "json"),
    (Form::Url, "url"),
    (Form::Plus, "form"),
    (Form::Html, "html"),
    (Form::B64, "b64"),
    (Form::B64n, "b64n"),
    (Form::B64u, "b64u"),
    (Form::B64un, "b64un"),
    (Form::Hex, "hex"),
    (Form::HexU, "hexu"),
    (Form::Part, "part"),
];

/// A token without its closing braces: everything but the form.
pub(super) fn stem(label: &str, hex: &str, chars: usize) -> String {
    format!("{PREFIX}{label}:{hex}:{chars}")
}

/// The token of a stem in a form.
pub(super) fn render(stem: &str, form: Form) -> String {
    match form {
        Form::Raw => format!("{stem}{SUFFIX}"),
        Form::Skip(bytes) => format!("{stem}:skip{bytes}{SUFFIX}"),
        _ => {
            let name = NAMES.iter().find(|(own, _)| *own == form);
            format!("{stem}:{}{SUFFIX}", name.map_or("part", |(_, name)| name))
        }
    }
}

/// The HMAC digits of what looks like a token at the start of `bytes`.
pub(super) fn peek_hex(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.strip_prefix(PREFIX.as_bytes())?;
    let colon = memchr::memchr(b':', rest.get(..rest.len().min(LONGEST_LABEL + 1))?)?;
    let hex = rest.get(colon + 1..colon + 1 + HEX_DIGITS)?;
    std::str::from_utf8(hex).ok()
}

/// The form and the length of the token with this stem at the start of `bytes`.
pub(super) fn parse(bytes: &[u8], stem: &str) -> Option<(Form, usize)> {
    let rest = bytes.strip_prefix(stem.as_bytes())?;
    if rest.starts_with(SUFFIX.as_bytes()) {
        return Some((Form::Raw, stem.len() + SUFFIX.len()));
    }
    let rest = rest.strip_prefix(b":")?;
    let end = memchr::memchr(b'}', rest.get(..rest.len().min(24))?)?;
    let (name, tail) = rest.split_at_checked(end)?;
    if !tail.starts_with(SUFFIX.as_bytes()) {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    let form = match name.strip_prefix("skip") {
        Some(bytes) => Form::Skip(bytes.parse().ok()?),
        None => NAMES.iter().find(|(_, own)| *own == name)?.0,
    };
    Some((form, stem.len() + 1 + end + SUFFIX.len()))
}

/// A label as tokens carry it: `[a-z0-9-]+`, never with the secret in it.
pub(super) fn label(wanted: &str, secret: &str) -> String {
    let spelled: String = wanted
        .chars()
        .take(LONGEST_LABEL)
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => c,
            _ => '-',
        })
        .collect();
    let spelled = spelled.trim_matches('-');
    let plain: String = secret.to_lowercase().chars().collect();
    if spelled.is_empty() || (!plain.is_empty() && wanted.to_lowercase().contains(&plain)) {
        return "value".to_string();
    }
    spelled.to_string()
}

/// The secret in a form, spelled as most software does; nothing when the form does not say how.
pub(super) fn encode(secret: &str, form: Form) -> Option<String> {
    let bytes = secret.as_bytes();
    Some(match form {
        Form::Raw => secret.to_string(),
        Form::Skip(bytes) => secret.get(bytes..)?.to_string(),
        Form::Json => json(secret),
        Form::Url => percent(secret, true, false),
        Form::Plus => percent(secret, true, true),
        Form::Html => html(secret),
        Form::B64 => STANDARD.encode(bytes),
        Form::B64n => STANDARD_NO_PAD.encode(bytes),
        Form::B64u => URL_SAFE.encode(bytes),
        Form::B64un => URL_SAFE_NO_PAD.encode(bytes),
        Form::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Form::HexU => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        Form::Part => return None,
    })
}

/// As inside a JSON string, only with the escapes that are needed.
pub(super) fn json(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(&quoted).to_string()
}

/// Everything but the unreserved characters of RFC 3986 §2.3 encoded; `plus` writes a space as `+`.
pub(super) fn percent(secret: &str, upper: bool, plus: bool) -> String {
    let mut out = String::with_capacity(secret.len() * 3);
    for byte in secret.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b' ' if plus => out.push('+'),
            _ if upper => out.push_str(&format!("%{byte:02X}")),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

fn html(secret: &str) -> String {
    let mut out = String::with_capacity(secret.len() + 16);
    for c in secret.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
