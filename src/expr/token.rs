//! From text to tokens, by the lexical rules of CEL: the longest token wins, white space and comments separate. Bytes,
//! which the language does not have, and names in backquotes are recognised in order to be refused by name.

use super::{CompileError, WORDS};

/// A token with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) at: usize,
    pub(super) kind: TokenKind<'s>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind<'s> {
    Name(&'s str),
    /// Digits, decimal or with `0x`.
    Int(&'s str),
    /// As `Int`, without its `u`.
    UInt(&'s str),
    Double(&'s str),
    /// A string literal with its quotes.
    Str(&'s str),
    /// An operator, a bracket or a word of the grammar.
    Sign(&'static str),
    End,
}

/// Operators and brackets; a longer one stands before its beginning.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*",
    "/", "%",
];

pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

type Lexed<'s> = Result<TokenKind<'s>, CompileError>;

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Lexer<'s> {
        Lexer { source, at: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Token<'s>, CompileError> {
        self.skip();
        let at = self.at;
        let kind = match self.byte(0) {
            None => TokenKind::End,
            Some(b'"' | b'\'') => self.string(0)?,
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => self.word()?,
            Some(byte) if byte.is_ascii_digit() => self.number(),
            Some(b'.') if self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            Some(_) => self.sign()?,
        };
        Ok(Token { at, kind })
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    /// The next `length` bytes, which end at the end of a character.
    fn take(&mut self, length: usize) -> &'s str {
        let text = self.rest().get(..length).unwrap_or_default();
        self.at += text.len();
        text
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            match self.byte(0) {
                Some(b'\t' | b' ' | b'\r' | b'\n' | 0x0c) => self.at += 1,
                Some(b'/') if self.byte(1) == Some(b'/') => self.at += self.count(|byte| byte != b'\n'),
                _ => return,
            }
        }
    }

    /// How many of the next bytes are wanted.
    fn count(&self, wanted: impl Fn(u8) -> bool) -> usize {
        self.rest().bytes().take_while(|byte| wanted(*byte)).count()
    }

    /// A name, a word of the grammar, or the prefix of a string.
    fn word(&mut self) -> Lexed<'s> {
        let length = self.count(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        if matches!(self.byte(length), Some(b'"' | b'\'')) {
            match self.rest().get(..length) {
                Some("r" | "R") => return self.string(1),
                Some("b" | "B" | "br" | "bR" | "Br" | "BR") => {
                    return Err(CompileError::new(self.at, "bytes are not part of the language"));
                }
                _ => {}
            }
        }
        let text = self.take(length);
        Ok(WORDS.iter().find(|word| **word == text).map_or(TokenKind::Name(text), |word| TokenKind::Sign(word)))
    }

    fn number(&mut self) -> TokenKind<'s> {
        if self.rest().starts_with("0x") {
            let digits = self.rest().bytes().skip(2).take_while(u8::is_ascii_hexdigit).count();
            if digits > 0 {
                return self.integer(2 + digits);
            }
        }
        let digits = |from: usize| self.rest().bytes().skip(from).take_while(u8::is_ascii_digit).count();
        let whole = digits(0);
        let fraction = if self.byte(whole) == Some(b'.') { digits(whole + 1) } else { 0 };
        let mut length = whole + if fraction > 0 { fraction + 1 } else { 0 };
        let mut exponent = 0;
        if matches!(self.byte(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.byte(length + 1), Some(b'+' | b'-')));
            exponent = digits(length + 1 + sign);
            length += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        if fraction == 0 && exponent == 0 { self.integer(length) } else { TokenKind::Double(self.take(length)) }
    }

    fn integer(&mut self, length: usize) -> TokenKind<'s> {
        let digits = self.take(length);
        if matches!(self.byte(0), Some(b'u' | b'U')) {
            self.at += 1;
            return TokenKind::UInt(digits);
        }
        TokenKind::Int(digits)
    }

    /// A string literal; its quote stands behind a prefix of so many bytes.
    fn string(&mut self, prefix: usize) -> Lexed<'s> {
        let raw = prefix > 0;
        let quoted = self.rest().get(prefix..).unwrap_or_default();
        let length = if quoted.starts_with("'''") || quoted.starts_with("\"\"\"") {
            self.string_end(quoted, prefix, 3, raw)?
        } else {
            self.string_end(quoted, prefix, 1, raw)?
        };
        Ok(TokenKind::Str(self.take(prefix + length)))
    }

    /// The length of a literal with so many quotes on either side.
    fn string_end(&self, quoted: &str, prefix: usize, quotes: usize, raw: bool) -> Result<usize, CompileError> {
        let bytes = quoted.as_bytes();
        let end = bytes.get(..quotes).unwrap_or_default();
        let mut at = quotes;
        while let Some(byte) = bytes.get(at).copied() {
            if byte == b'\\' && !raw {
                let length = escape_length(bytes.get(at + 1..).unwrap_or_default());
                at += 1 + length.ok_or_else(|| bad_escape(quoted, at).shifted(self.at + prefix))?;
            } else if bytes.get(at..).is_some_and(|rest| rest.starts_with(end)) {
                return Ok(at + quotes);
            } else if quotes == 1 && matches!(byte, b'\n' | b'\r') {
                let error = CompileError::new(self.at, "the string is not closed on its line");
                return Err(error.help("write a string of several lines in '''…'''"));
            } else {
                at += 1;
            }
        }
        Err(CompileError::new(self.at, "the string is not closed"))
    }

    fn sign(&mut self) -> Lexed<'s> {
        if let Some(sign) = SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
            self.at += sign.len();
            return Ok(TokenKind::Sign(sign));
        }
        let found = self.rest().chars().next().unwrap_or_default();
        Err(CompileError::new(self.at, format!("`{}` is not part of the language", found.escape_debug())))
    }
}

/// The length of an escape sequence without its backslash.
fn escape_length(after: &[u8]) -> Option<usize> {
    let digits = |wanted: fn(&u8) -> bool, count: usize| {
        after.get(1..=count).filter(|digits| digits.iter().all(wanted)).map(|_| count + 1)
    };
    match after.first()? {
        b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`' => Some(1),
        b'x' | b'X' => digits(u8::is_ascii_hexdigit, 2),
        b'u' => digits(u8::is_ascii_hexdigit, 4),
        b'U' => digits(u8::is_ascii_hexdigit, 8),
        b'0'..=b'3' => digits(|byte| matches!(byte, b'0'..=b'7'), 2),
        _ => None,
    }
}

fn bad_escape(text: &str, at: usize) -> CompileError {
    let escape: String = text.get(at..).unwrap_or_default().chars().take(2).collect();
    CompileError::new(at, format!("`{}` is not an escape sequence", escape.replace(['\n', '\r'], "")))
        .help("write two backslashes for one, or a raw string: r'\\d+'")
}

/// The value of a string literal that the lexer accepted. An error is the offset of an escape that is no character.
pub(super) fn string_value(literal: &str) -> Result<String, usize> {
    let (raw, quoted) = match literal.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, literal),
    };
    let triple = quoted.len() >= 6 && (quoted.starts_with("'''") || quoted.starts_with("\"\"\""));
    let quotes = if triple { 3 } else { 1 };
    let inside = quoted.get(quotes..quoted.len().saturating_sub(quotes)).unwrap_or_default();
    // Line ends are those of the language, whatever the file has.
    let text = |part: &str| part.replace("\r\n", "\n").replace('\r', "\n");
    if raw || !inside.contains('\\') {
        return Ok(text(inside));
    }
    let mut value = String::with_capacity(inside.len());
    let mut at = 0;
    while let Some(rest) = inside.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.find('\\').unwrap_or(rest.len());
        value.push_str(&text(rest.get(..plain).unwrap_or_default()));
        let Some(after) = rest.get(plain + 1..) else { break };
        let length = escape_length(after.as_bytes()).unwrap_or(1);
        value.push(after.get(..length).and_then(escaped).ok_or(quotes + usize::from(raw) + at + plain)?);
        at += plain + 1 + length;
    }
    Ok(value)
}

/// The character that an escape sequence, without its backslash, stands for.
fn escaped(sequence: &str) -> Option<char> {
    let code = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    Some(match sequence {
        "a" => '\u{7}',
        "b" => '\u{8}',
        "f" => '\u{c}',
        "n" => '\n',
        "r" => '\r',
        "t" => '\t',
        "v" => '\u{b}',
        _ => match sequence.strip_prefix(['x', 'X', 'u', 'U']) {
            Some(digits) => code(digits, 16)?,
            None if sequence.len() == 3 => code(sequence, 8)?,
            None => sequence.chars().next()?,
        },
    })
}
