//! One spelling per JSON value (RFC 8785) and SHA-256 digests: what reports, bundles and ledgers are named by.
//!
//! Canonical JSON knows only double-precision numbers. A number that would not come back as itself is an error here,
//! never a silent rounding: a digest must not vouch for a value that was not there. This module deliberately signs
//! nothing and knows no file format.

mod digest;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Number, Value};

pub use digest::{Digest, Hasher, ParseDigestError};

/// Largest whole number up to which every whole number is exact in double precision.
const MAX_EXACT: u64 = 1 << 53;

/// Why a value has no canonical form, or a file no digest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A number that canonical JSON would change.
    #[error("number {number} at `{pointer}` has no exact canonical form; write it as a string")]
    Number {
        /// The number as given.
        number: String,
        /// JSON pointer to it; empty for the value itself.
        pointer: String,
    },
    /// The value is no JSON: a key that is not a string, or twice the same.
    #[error("value has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// A file could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The canonical bytes of a value. Two values are equal as JSON exactly if these are equal. `NaN` and infinity inside a
/// value have no JSON form and are null here, as in every document that serde_json writes.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(256);
    write_canonical(value, &mut bytes)?;
    Ok(bytes)
}

/// The digest of the bytes.
pub fn digest_bytes(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finish()
}

/// The digest of the canonical bytes of a value.
pub fn digest_json<T: Serialize + ?Sized>(value: &T) -> Result<Digest, Error> {
    let mut hasher = Hasher::new();
    write_canonical(value, &mut hasher)?;
    Ok(hasher.finish())
}

/// The digest of a file as it is, read in pieces.
pub fn digest_file(path: &Path) -> Result<Digest, Error> {
    let failed = |source| Error::Read { path: path.to_path_buf(), source };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

fn write_canonical<T: Serialize + ?Sized>(value: &T, out: &mut impl io::Write) -> Result<(), Error> {
    // The tree is only for the check of the numbers: it would hide a key that appears twice, which the writer refuses.
    check(&serde_json::to_value(value)?, &mut Vec::new())?;
    Ok(serde_json_canonicalizer::to_writer(&value, out)?)
}

enum Step<'a> {
    Index(usize),
    Key(&'a str),
}

fn check<'a>(value: &'a Value, path: &mut Vec<Step<'a>>) -> Result<(), Error> {
    match value {
        Value::Number(number) if !is_exact(number) => {
            Err(Error::Number { number: number.to_string(), pointer: pointer(path) })
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                check(item, path)?;
                path.pop();
            }
            Ok(())
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                path.push(Step::Key(key));
                check(item, path)?;
                path.pop();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether the canonical spelling reads back as the same number. RFC 8785 §3.2.2.3 writes doubles below 1e21 without
/// exponent, so a large one comes back as a whole number, and not always as the same.
fn is_exact(number: &Number) -> bool {
    if let Some(whole) = number.as_i64() {
        return whole.unsigned_abs() <= MAX_EXACT;
    }
    match number.as_f64() {
        Some(float) if number.is_f64() => float.abs() <= MAX_EXACT as f64 || float.abs() >= 1e21,
        _ => false,
    }
}

fn pointer(path: &[Step<'_>]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Index(index) => format!("/{index}"),
            Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        String::from_utf8(canonical(value).unwrap()).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_numbers_short() {
        let value = json!({"b": [1.0, 0.1, 1e-7, 1e30, -0.0], "a": "é\u{8}\"", "\u{20ac}": null, "\r": true});
        assert_eq!(text(&value), "{\"\\r\":true,\"a\":\"é\\b\\\"\",\"b\":[1,0.1,1e-7,1e+30,0],\"€\":null}");
        // RFC 8785 §3.2.3: by UTF-16 units, so a character outside the basic plane goes before U+FB33.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2});
        assert!(text(&value).starts_with("{\"\u{1f600}\""));
    }

    #[test]
    fn a_number_that_would_change_is_an_error() {
        assert_eq!(text(&json!(9007199254740992i64)), "9007199254740992");
        let value = json!({"a/b": [0, {"~": 9007199254740993i64}]});
        let error = canonical(&value).unwrap_err().to_string();
        assert!(error.contains("9007199254740993") && error.contains("`/a~1b/1/~0`"), "{error}");
        for number in [json!(u64::MAX), json!(i64::MIN), json!(1u64 << 60), json!(1e17)] {
            assert!(matches!(canonical(&number), Err(Error::Number { .. })), "{number}");
            assert!(matches!(digest_json(&number), Err(Error::Number { .. })));
        }
        assert_eq!(canonical(&[f64::NAN]).unwrap(), b"[null]", "as serde_json writes it");
        assert!(canonical(&i128::MAX).is_err());
    }

    #[test]
    fn digests_of_bytes_values_and_files_agree() {
        let value = json!({"b": 1, "a": 2});
        let digest = digest_json(&value).unwrap();
        assert_eq!(digest, digest_bytes(b"{\"a\":2,\"b\":1}"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"{\"a\":2,\"b\":1}").unwrap();
        assert_eq!(digest_file(file.path()).unwrap(), digest);
        let error = digest_file(Path::new("no/such/file")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read `no/such/file`: "));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1i64 << 53)..=(1i64 << 53)).prop_map(Value::from),
            any::<f64>().prop_filter_map("finite", |f| Number::from_f64(f).map(Value::Number)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::with_cases(128) })]

        #[test]
        fn canonical_form_is_stable(value in any_json()) {
            if let Ok(bytes) = canonical(&value) {
                let again: Value = serde_json::from_slice(&bytes).unwrap();
                prop_assert_eq!(canonical(&again).unwrap(), bytes);
            }
        }
    }
}
