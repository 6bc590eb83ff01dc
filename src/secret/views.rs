//! Decoded views of a text, with the way back to the source. Searching the decoded text finds a secret in every
//! spelling of an encoding, which no list of patterns could.

use super::token::Form;

/// An encoding that software puts over text, one character at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Json,
    Url,
    Plus,
    Html,
}

pub(super) const VIEWS: [View; 4] = [View::Json, View::Url, View::Plus, View::Html];

/// The decoded text, and where escapes stood.
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    escapes: Vec<Escape>,
}

struct Escape {
    decoded: (usize, usize),
    source: (usize, usize),
}

/// What one escape stands for, and how many source bytes it takes.
struct Unit {
    bytes: [u8; 4],
    length: usize,
    consumed: usize,
}

impl View {
    pub(super) fn form(self) -> Form {
        match self {
            View::Json => Form::Json,
            View::Url => Form::Url,
            View::Plus => Form::Plus,
            View::Html => Form::Html,
        }
    }

    /// The decoded text, or nothing when decoding changes nothing. What is no valid escape stays as it is.
    pub(super) fn decode(self, source: &[u8]) -> Option<Decoded> {
        let mut decoded = Decoded { bytes: Vec::new(), escapes: Vec::new() };
        let mut copied = 0;
        let mut at = self.next_lead(source, 0)?;
        loop {
            match source.get(at..).and_then(|rest| self.unit(rest)) {
                Some(unit) => {
                    decoded.bytes.extend_from_slice(source.get(copied..at)?);
                    let start = decoded.bytes.len();
                    decoded.bytes.extend_from_slice(unit.bytes.get(..unit.length)?);
                    decoded
                        .escapes
                        .push(Escape { decoded: (start, decoded.bytes.len()), source: (at, at + unit.consumed) });
                    at += unit.consumed;
                    copied = at;
                }
                None => at += 1,
            }
            match self.next_lead(source, at) {
                Some(next) => at = next,
                None => break,
            }
        }
        decoded.bytes.extend_from_slice(source.get(copied..)?);
        (!decoded.escapes.is_empty()).then_some(decoded)
    }

    fn next_lead(self, source: &[u8], from: usize) -> Option<usize> {
        let rest = source.get(from..)?;
        let found = match self {
            View::Json => memchr::memchr(b'\\', rest),
            View::Url => memchr::memchr(b'%', rest),
            View::Plus => memchr::memchr2(b'%', b'+', rest),
            View::Html => memchr::memchr(b'&', rest),
        };
        found.map(|index| from + index)
    }

    fn unit(self, rest: &[u8]) -> Option<Unit> {
        match self {
            View::Json => json_unit(rest),
            View::Plus if rest.first() == Some(&b'+') => Some(byte(b' ', 1)),
            View::Url | View::Plus => Some(byte(hex(rest.get(1..3)?)? as u8, 3)),
            View::Html => html_unit(rest),
        }
    }
}

impl Decoded {
    /// The source range of a decoded range, and whether an escape is part of it.
    pub(super) fn source(&self, start: usize, end: usize) -> (usize, usize, bool) {
        let last = end.max(start + 1) - 1;
        let from = match self.escape_before(start) {
            None => start,
            Some(escape) if start < escape.decoded.1 => escape.source.0,
            Some(escape) => escape.source.1 + (start - escape.decoded.1),
        };
        let (to, touched) = match self.escape_before(last) {
            None => (last + 1, false),
            Some(escape) if last < escape.decoded.1 => (escape.source.1, true),
            Some(escape) => {
                let to = escape.source.1 + (last - escape.decoded.1) + 1;
                (to, escape.decoded.1 > start)
            }
        };
        (from, to, touched)
    }

    fn escape_before(&self, position: usize) -> Option<&Escape> {
        let index = self.escapes.partition_point(|escape| escape.decoded.0 <= position);
        self.escapes.get(index.checked_sub(1)?)
    }
}

fn byte(value: u8, consumed: usize) -> Unit {
    Unit { bytes: [value, 0, 0, 0], length: 1, consumed }
}

fn character(c: char, consumed: usize) -> Unit {
    let mut bytes = [0; 4];
    let length = c.encode_utf8(&mut bytes).len();
    Unit { bytes, length, consumed }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

fn json_unit(rest: &[u8]) -> Option<Unit> {
    let plain = match rest.get(1)? {
        plain @ (b'"' | b'\\' | b'/') => *plain,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unicode_unit(rest),
        _ => return None,
    };
    Some(byte(plain, 2))
}

/// `\uXXXX`, also as a surrogate pair.
fn unicode_unit(rest: &[u8]) -> Option<Unit> {
    let high = hex(rest.get(2..6)?)?;
    if let Some(c) = char::from_u32(high) {
        return Some(character(c, 6));
    }
    let low = hex(rest.get(6..12)?.strip_prefix(b"\\u")?)?;
    if !(0xd800..0xdc00).contains(&high) || !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    let point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    Some(character(char::from_u32(point)?, 12))
}

/// The five entities of XML and numeric references.
fn html_unit(rest: &[u8]) -> Option<Unit> {
    let end = memchr::memchr(b';', rest.get(..rest.len().min(12))?)?;
    let name = rest.get(1..end)?;
    let c = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => {
            let digits = name.strip_prefix(b"#")?;
            let point = match digits.strip_prefix(b"x").or(digits.strip_prefix(b"X")) {
                Some(digits) => hex(digits)?,
                None => std::str::from_utf8(digits).ok()?.parse().ok()?,
            };
            char::from_u32(point)?
        }
    };
    Some(character(c, end + 1))
}
