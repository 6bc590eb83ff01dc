//! Names of tests that are sentences, as ginkgo makes them, and what of such a name survives when its tags change.

/// The words of a test that is named by a sentence, without what changes while the test stays the same: tags in brackets,
/// `[It] ` among them, references such as `&#39;` and `&amp;`, capitals and the width of white space. Nothing for a name of one
/// word, or when nothing but tags is there.
///
/// `[k8s.io] Pods should  run [Conformance]` and `[It] [sig-node] Pods should run [NodeConformance] [Conformance]` have one key.
pub fn sentence_key(name: &str) -> Option<String> {
    if !name.trim().contains(char::is_whitespace) {
        return None;
    }
    // Some writers escape what is escaped already.
    let plain = unescape(&unescape(name));
    let mut key = String::with_capacity(plain.len());
    let mut depth = 0_usize;
    let mut gap = false;
    for (at, c) in plain.char_indices() {
        match c {
            // A bracket that nobody closes belongs to the sentence.
            '[' if depth > 0 || plain.get(at..).is_some_and(|rest| rest.contains(']')) => {
                depth += 1;
                gap = true;
            }
            ']' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            _ if c.is_whitespace() => gap = true,
            _ => {
                if gap && !key.is_empty() {
                    key.push(' ');
                }
                gap = false;
                key.extend(c.to_lowercase());
            }
        }
    }
    key.contains(' ').then_some(key)
}

/// The text with XML's own references, and those of characters by number, in place.
pub fn unescape(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        match after.split_once(';').and_then(|(name, tail)| Some((referred(name)?, tail))) {
            Some((c, tail)) => {
                plain.push(c);
                rest = tail;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn referred(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control() || c.is_whitespace())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_references_and_capitals_make_no_difference() {
        let wanted = Some("pods should see it's \"x\" <y>".to_owned());
        for name in [
            "[sig-node] Pods should see it's \"x\" <y> [NodeConformance] [Conformance]",
            "[It] [k8s.io] pods  should see it&#39;s &quot;x&quot; &lt;y&gt; [Conformance]",
            "[k8s.io] [sig-node] Pods [Serial] should see it&amp;#39;s &#34;x&#x22; &lt;y&gt;",
        ] {
            assert_eq!(sentence_key(name), wanted, "{name}");
        }
    }

    #[test]
    fn what_is_no_sentence_has_no_key() {
        for name in ["a.b.C.test_x[id-1]", "", "[x]", "[x] [y]", "[sig-x] one", "one"] {
            assert_eq!(sentence_key(name), None, "{name}");
        }
        assert_eq!(sentence_key("a [b").as_deref(), Some("a [b"));
        assert_eq!(sentence_key("a & b &no; &#0; c").as_deref(), Some("a & b &no; &#0; c"));
    }
}
