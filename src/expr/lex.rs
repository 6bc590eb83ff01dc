//! Just enough of CEL's lexical rules to know where strings and comments are. The grammar itself is the parser's.

/// The bytes of `source` that are neither in a string literal nor in a comment, with their offsets.
pub(super) fn code(source: &str) -> impl Iterator<Item = (usize, u8)> + '_ {
    let bytes = source.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let byte = *bytes.get(at)?;
            if matches!(byte, b'"' | b'\'') {
                at = string_end(bytes, at);
            } else if byte == b'/' && bytes.get(at + 1) == Some(&b'/') {
                at = line_end(bytes, at);
            } else {
                at += 1;
                return Some((at - 1, byte));
            }
        }
    })
}

/// The offset of the `}` that closes a `${` whose expression starts at `start`.
pub(super) fn closing_brace(source: &str, start: usize) -> Option<usize> {
    let mut open = 0usize;
    for (at, byte) in code(source.get(start..)?) {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Some(start + at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// The offset after the string literal whose opening quote is at `at`; the end of the text if it is not closed.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes.get(at).copied();
    let raw = at > 0
        && matches!(bytes.get(at - 1), Some(b'r' | b'R'))
        && !at
            .checked_sub(2)
            .and_then(|before| bytes.get(before))
            .is_some_and(|b| b.is_ascii_alphanumeric() && !matches!(b, b'b' | b'B') || *b == b'_');
    let triple = bytes.get(at + 1).copied() == quote && bytes.get(at + 2).copied() == quote;
    let mut i = at + if triple { 3 } else { 1 };
    while let Some(byte) = bytes.get(i).copied() {
        if byte == b'\\' && !raw {
            i += 2;
        } else if Some(byte) != quote {
            i += 1;
        } else if !triple {
            return i + 1;
        } else if bytes.get(i + 1).copied() == quote && bytes.get(i + 2).copied() == quote {
            return i + 3;
        } else {
            i += 1;
        }
    }
    bytes.len()
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes.iter().skip(at).position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(source: &str) -> String {
        code(source).map(|(_, b)| char::from(b)).collect()
    }

    #[test]
    fn strings_and_comments_are_not_code() {
        assert_eq!(kept("a + '}' + b"), "a +  + b");
        assert_eq!(kept(r#"a + "x\"}" + b"#), "a +  + b");
        assert_eq!(kept(r"r'\' + b"), "r + b");
        assert_eq!(kept("a + '''it's }''' + b"), "a +  + b");
        assert_eq!(kept("a // }\n+ b"), "a \n+ b");
        assert_eq!(kept("'' + a"), " + a");
        assert_eq!(kept("'never closed }"), "");
    }

    #[test]
    fn the_closing_brace_matches() {
        assert_eq!(closing_brace("${a}", 2), Some(3));
        assert_eq!(closing_brace("${{'a': '}'}.a}", 2), Some(14));
        assert_eq!(closing_brace("${'}'", 2), None);
    }
}
