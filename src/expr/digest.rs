//! Digests, encodings, and names derived from the seed.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use sha2::{Digest as _, Sha256, Sha512};

use super::EvalError;
use super::functions::Call;
use super::value::Value;

type Made<'a> = Result<Value<'a>, EvalError>;

/// Digits that `random_hex` makes at most.
const MAX_RANDOM_HEX: usize = 65_536;
/// Digits of the random part of `unique`.
pub const UNIQUE_DIGITS: usize = 10;
/// What RFC 3986 §2.3 calls unreserved stays as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn sha256<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    call.make_text(hex(&Sha256::digest(digestible(call, 0)?)))
}

pub(super) fn sha512<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    call.make_text(hex(&Sha512::digest(digestible(call, 0)?)))
}

pub(super) fn md5<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    call.make_text(hex(&Md5::digest(digestible(call, 0)?)))
}

pub(super) fn hmac_sha256<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let mut mac = Hmac::<Sha256>::new_from_slice(digestible(call, 0)?)
        .map_err(|_| EvalError::internal("HMAC refuses the key"))?;
    mac.update(digestible(call, 1)?);
    call.make_text(hex(&mac.finalize().into_bytes()))
}

/// Digesting a byte costs more than reading it.
fn digestible<'c>(call: &Call<'c, '_>, at: usize) -> Result<&'c [u8], EvalError> {
    let text = call.text(at)?;
    call.budget.step(8 + text.len() as u64 / 8)?;
    Ok(text.as_bytes())
}

pub(super) fn base64<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let text = call.text(0)?;
    call.budget.make_string(text.len().saturating_mul(4) / 3)?;
    Ok(Value::string(STANDARD.encode(text)))
}

pub(super) fn unbase64<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    const EITHER_PADDING: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const LENIENT: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, EITHER_PADDING);

    let text = call.text(0)?.replace('-', "+").replace('_', "/");
    let bytes = LENIENT.decode(text).map_err(|_| call.failed("the text is not Base64"))?;
    let decoded = String::from_utf8(bytes).map_err(|_| call.failed("the decoded bytes are not UTF-8"))?;
    call.make_text(decoded)
}

pub(super) fn url_encode<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let text = call.text(0)?;
    call.budget.make(text.len().saturating_mul(3))?;
    call.make_text(percent_encoding::utf8_percent_encode(text, RESERVED).to_string())
}

pub(super) fn url_decode<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let decoded = percent_encoding::percent_decode_str(call.text(0)?)
        .decode_utf8()
        .map_err(|_| call.failed("the decoded bytes are not UTF-8"))?;
    call.make_text(decoded.into_owned())
}

pub(super) fn unique<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let prefix = call.text(0)?;
    call.make_text(unique_name(seed(call)?, prefix))
}

/// The name that `unique(prefix)` gives in a case: `seed` is that of the run, a slash, and the id of the case.
#[must_use]
pub fn unique_name(seed: &str, prefix: &str) -> String {
    format!("{prefix}-{}", derived_digits(seed, "unique", prefix, UNIQUE_DIGITS))
}

pub(super) fn random_hex<'a>(call: &Call<'_, 'a>) -> Made<'a> {
    let n = call.int(0)?;
    let digits = usize::try_from(n).map_err(|_| call.failed("the length is negative"))?;
    if digits > MAX_RANDOM_HEX {
        return Err(EvalError::limit(format!("`random_hex` makes at most {MAX_RANDOM_HEX} digits, not {n}")));
    }
    let label = call.text(1)?;
    call.make_text(derived_digits(seed(call)?, "random_hex", label, digits))
}

fn seed<'c>(call: &Call<'c, '_>) -> Result<&'c str, EvalError> {
    call.seed.ok_or_else(|| EvalError::internal(format!("`{}` is used where no seed is set", call.name)))
}

/// Hexadecimal digits from SHA-256 of (seed, purpose, label, block number). The lengths keep ("a", "bc") and ("ab", "c") apart.
fn derived_digits(seed: &str, purpose: &str, label: &str, digits: usize) -> String {
    let mut text = String::with_capacity(digits + 64);
    let mut block = 0u64;
    while text.len() < digits {
        let mut hash = Sha256::new();
        for part in [purpose, seed, label] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(block.to_be_bytes());
        text.push_str(&hex(&hash.finalize()));
        block += 1;
    }
    text.truncate(digits);
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
