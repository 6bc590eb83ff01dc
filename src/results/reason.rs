//! One line out of a traceback.

/// Longest reason, in characters.
const LONGEST: usize = 400;

/// The message of the last exception of a Python traceback; otherwise the first line that says something.
pub fn of_traceback(text: &str) -> String {
    let mut after = text.rsplit_once("Traceback (most recent call last):").map_or(text, |(_, after)| after).lines();
    let is_frame = |line: &str| line.is_empty() || line.starts_with([' ', '\t']);
    let first = after.by_ref().find(|line| !is_frame(line.trim_end())).unwrap_or_default();
    let first = first.strip_prefix("Captured traceback:").unwrap_or(first);
    let rest = after.take_while(|line| !line.trim().is_empty()).take(8);
    let mut message = first.to_owned();
    for line in rest {
        message.push(' ');
        message.push_str(line);
    }
    one_line(if message.trim().is_empty() { text } else { &message })
}

/// A text without line breaks and of bounded length.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if line.len() > LONGEST * 4 {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_exception_speaks() {
        let text = "Traceback (most recent call last):\n  File \"a.py\", line 1, in x\n    boom()\nValueError: first\n\n\
            During handling:\n\nTraceback (most recent call last):\n  File \"b.py\", line 2, in y\n    \
            raise NotFound\nlib.NotFound: Object not found\nDetails: {'code': 404}\n\n";
        assert_eq!(of_traceback(text), "lib.NotFound: Object not found Details: {'code': 404}");
        assert_eq!(of_traceback("plain words\n"), "plain words");
        assert_eq!(of_traceback("   indented only\n"), "indented only");
        assert_eq!(of_traceback(""), "");
        assert_eq!(one_line(&"é".repeat(900)).chars().count(), LONGEST + 1);
    }
}
