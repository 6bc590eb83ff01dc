//! Files of public keys: whom a reader trusts.
//!
//! Lines as in `allowed_signers` and `authorized_keys` of OpenSSH, and `PUBLIC KEY` sections of PEM, in any mixture. A
//! key has a name: the first word of a line of `allowed_signers`, the remark at the end of one of `authorized_keys`,
//! the last line beginning with `#` before a section of PEM.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{NAMESPACE, PublicKey, PublicKeyError};

/// A key with what its file says of it.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// Whose it is.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// Signatures made before do not count.
    pub after: Option<Timestamp>,
    /// Signatures made from then on do not count.
    pub before: Option<Timestamp>,
    /// Whether its namespaces, if it has any, have ours.
    pub may_attest: bool,
}

impl TrustedKey {
    /// Whether the key was good at that time.
    #[must_use]
    pub fn held_at(&self, time: Timestamp) -> bool {
        self.after.is_none_or(|after| time >= after) && self.before.is_none_or(|before| time < before)
    }
}

/// Keys that are trusted.
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys(Vec<TrustedKey>);

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct TrustError {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong, with the remedy.
    pub why: String,
}

impl TrustedKeys {
    /// Reads a file of keys. One line that cannot be used makes the whole file unusable: a key that is silently left
    /// out, or an option that is overlooked, changes who is trusted.
    ///
    /// # Errors
    /// When a line is no key, or an option is not known.
    pub fn read(file: &str, text: &str) -> Result<Self, TrustError> {
        let mut keys: Vec<TrustedKey> = Vec::new();
        let mut remark = String::new();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let wrong = |why: String| TrustError { file: file.to_owned(), line: index + 1, why };
            let line = line.trim();
            if let Some(text) = line.strip_prefix('#') {
                text.trim().clone_into(&mut remark);
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let key = if line.starts_with("-----BEGIN ") {
                if line.contains("PRIVATE KEY") {
                    return Err(wrong(
                        "a private key is no key to trust; give the public one and keep this secret".into(),
                    ));
                }
                let mut section = format!("{line}\n");
                for (_, line) in lines.by_ref() {
                    section.push_str(line);
                    section.push('\n');
                    if line.starts_with("-----END ") {
                        break;
                    }
                }
                let key = PublicKey::from_pem(&section).map_err(|error| wrong(error.to_string()))?;
                let name = if remark.is_empty() { key.id().to_string() } else { std::mem::take(&mut remark) };
                TrustedKey { name, key, after: None, before: None, may_attest: true }
            } else {
                one(line).map_err(wrong)?
            };
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// Adds those of another file.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The key of that fingerprint.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&TrustedKey> {
        self.0.iter().find(|one| one.key.id().as_str() == id)
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, TrustedKey> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One line of `allowed_signers` or `authorized_keys`.
fn one(line: &str) -> Result<TrustedKey, String> {
    let words = words(line)?;
    let is_type = |word: &String| {
        ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start)) && !word.contains('=')
    };
    let Some(at) = words.iter().position(is_type) else {
        return Err("there is no key in it; write `NAME ssh-ed25519 AAAA…`".to_owned());
    };
    let (before, rest) = words.split_at(at);
    let [kind, base64, comment @ ..] = rest else {
        return Err("the key is cut off after its type".to_owned());
    };
    let key =
        PublicKey::from_openssh(&format!("{kind} {base64}")).map_err(|error: PublicKeyError| error.to_string())?;
    let (name, options) = match before {
        [] => (comment.join(" "), ""),
        [options] if options.contains('=') || is_bare_option(options) => (comment.join(" "), options.as_str()),
        [name] => (name.clone(), ""),
        [name, options] => (name.clone(), options.as_str()),
        _ => return Err("more than a name and options stand before the key".to_owned()),
    };
    let name = if name.is_empty() { key.id().to_string() } else { name };
    let mut trusted = TrustedKey { name, key, after: None, before: None, may_attest: true };
    for option in split(options, ',') {
        let (word, value) = option.split_once('=').unwrap_or((&option, ""));
        let value = value.trim_matches('"');
        match word.to_lowercase().as_str() {
            "" => {}
            "namespaces" => trusted.may_attest = value.split(',').any(|one| one == NAMESPACE),
            "valid-after" => trusted.after = Some(time(value)?),
            "valid-before" | "expiry-time" => trusted.before = Some(time(value)?),
            "cert-authority" => {
                return Err("authorities that issue certificates are not supported: list the key".into());
            }
            other if is_bare_option(other) => {}
            other => return Err(format!("the option `{other}` is not known; remove it if it does not matter here")),
        }
    }
    Ok(trusted)
}

/// Options of `authorized_keys` that restrict log-ins only.
fn is_bare_option(word: &str) -> bool {
    let first = word.split(',').next().unwrap_or(word);
    matches!(
        first,
        "restrict"
            | "no-pty"
            | "no-agent-forwarding"
            | "no-port-forwarding"
            | "no-x11-forwarding"
            | "no-X11-forwarding"
            | "no-user-rc"
            | "cert-authority"
    )
}

/// Words of a line; what is in double quotes belongs together.
fn words(line: &str) -> Result<Vec<String>, String> {
    let words = split(line, ' ')
        .into_iter()
        .flat_map(|word| if word.contains('"') { vec![word] } else { word.split('\t').map(str::to_owned).collect() });
    if line.matches('"').count() % 2 == 1 {
        return Err("a quotation mark is left open".to_owned());
    }
    Ok(words.filter(|word| !word.is_empty()).collect())
}

fn split(text: &str, at: char) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in text.chars() {
        quoted ^= c == '"';
        if c == at && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

/// `YYYYMMDD[HHMM[SS]][Z]`, taken as UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no time; write YYYYMMDD or YYYYMMDDHHMMSSZ");
    let digits = text.trim_end_matches('Z');
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let year = digits.get(..4).and_then(|part| part.parse::<i16>().ok()).ok_or_else(wrong)?;
    let parts = (part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
    let (Some(month), Some(day), Some(hour), Some(minute), Some(second)) = parts else { return Err(wrong()) };
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| wrong())?;
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(zoned.timestamp())
}
