//! Words for people: nearest spelling, plurals, durations, sizes, and text that is safe inside XML.

use std::time::Duration;

/// Longer words are not compared: nobody misspells them by one letter, and the comparison is quadratic.
const LONGEST_WORD: usize = 80;

/// The candidate that was probably meant by a misspelt `word`, or nothing when none is near. Case does not count.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = word.to_lowercase().chars().collect();
    if wanted.is_empty() || wanted.len() > LONGEST_WORD {
        return None;
    }
    let limit = match wanted.len() {
        1..=2 => 1,
        3..=8 => 2,
        length => length / 3,
    };
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        if letters.len() > LONGEST_WORD || letters.len().abs_diff(wanted.len()) > limit {
            continue;
        }
        let distance = damerau_levenshtein(&wanted, &letters);
        // Two words with nothing in common are at a distance of their whole length, which is no likeness.
        let near = distance <= limit && distance < wanted.len().max(letters.len());
        if near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
fn damerau_levenshtein(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &to) in b.iter().enumerate() {
            let substitute = above[j] + usize::from(from != to);
            let mut least = substitute.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

/// `1 case`, `2 cases`, `0 capabilities`: for regular English nouns.
pub fn plural(count: impl TryInto<u128>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u128::MAX);
    if count == 1 {
        return format!("1 {noun}");
    }
    let vowel_before_y = ["ay", "ey", "oy", "uy"].iter().any(|end| noun.ends_with(end));
    if let (Some(stem), false) = (noun.strip_suffix('y'), vowel_before_y) {
        return format!("{count} {stem}ies");
    }
    let hissing = ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end));
    let ending = if hissing { "es" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// Reads `250ms`, `90s`, `5m`, `1h30m`, `1.5s`. A number without a unit is refused, because it could mean anything.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = |why: &str| format!("`{text}` is not a duration: {why}; write it like `5m`, `90s` or `1h30m`");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong("it is empty"));
    }
    let mut total = Duration::ZERO;
    let mut smallest = f64::INFINITY;
    while !rest.is_empty() {
        let (number, unit, tail) = split_quantity(rest);
        rest = tail;
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            "" => return Err(wrong("a number has no unit")),
            _ => return Err(wrong(&format!("`{unit}` is not a unit of time"))),
        };
        if seconds >= smallest {
            return Err(wrong("the units must go from large to small"));
        }
        smallest = seconds;
        let part = decimal(number)
            .ok_or_else(|| wrong(&format!("`{number}` is not a number")))
            .and_then(|number| Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong("it is too long")))?;
        total = total.checked_add(part).ok_or_else(|| wrong("it is too long"))?;
    }
    Ok(total)
}

/// The leading number, the letters behind it, and the rest.
fn split_quantity(text: &str) -> (&str, &str, &str) {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, tail) = text.split_at(digits);
    let tail = tail.trim_start();
    let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.' || c.is_whitespace()).unwrap_or(tail.len());
    let (unit, rest) = tail.split_at(letters);
    (number, unit, rest.trim_start())
}

/// A plain decimal; unlike `f64::from_str` no sign, exponent, `inf` or `nan`.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit()) && !text.ends_with('.');
    plain.then(|| text.parse().ok()).flatten()
}

/// `250 ms`, `4.2 s`, `1 min 12 s`, `2 h 5 min`.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis == 0 {
        return if duration.is_zero() { "0 ms" } else { "<1 ms" }.to_string();
    }
    if millis < 1000 {
        return format!("{millis} ms");
    }
    let tenths = (millis + 50) / 100;
    if tenths < 600 {
        return match tenths % 10 {
            0 => format!("{} s", tenths / 10),
            tenth => format!("{}.{tenth} s", tenths / 10),
        };
    }
    let seconds = (millis + 500) / 1000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (large, unit, small, small_unit) =
        if hours > 0 { (hours, "h", minutes % 60, "min") } else { (minutes, "min", seconds % 60, "s") };
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {small_unit}") }
}

/// Reads `512`, `512B`, `10kB`, `2MiB`, `1.5GiB` as a number of bytes.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = |why: &str| format!("`{text}` is not a size: {why}; write it like `512`, `10kB` or `2MiB`");
    let (number, unit, rest) = split_quantity(text.trim());
    let scale: u64 = match unit {
        "" | "B" => 1,
        "kB" => 1000,
        "MB" => 1000 * 1000,
        "GB" => 1000 * 1000 * 1000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong(&format!("`{unit}` is not a unit of size"))),
    };
    if !rest.is_empty() {
        return Err(wrong(&format!("`{rest}` is left over")));
    }
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(scale).ok_or_else(|| wrong("it is too large"));
    }
    let value = decimal(number).ok_or_else(|| wrong(&format!("`{number}` is not a number")))?;
    let bytes = value * scale as f64;
    if bytes >= 2f64.powi(63) {
        return Err(wrong("it is too large"));
    }
    if bytes.fract() != 0.0 {
        return Err(wrong("it is not a whole number of bytes"));
    }
    Ok(bytes as u64)
}

/// `512 B`, `2 MiB`, `1.5 GiB`.
pub fn format_size(bytes: u64) -> String {
    let units = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, scale) in units {
        if bytes >= scale {
            let tenths = (u128::from(bytes) * 10 + u128::from(scale) / 2) / u128::from(scale);
            return match tenths % 10 {
                0 => format!("{} {unit}", tenths / 10),
                tenth => format!("{}.{tenth} {unit}", tenths / 10),
            };
        }
    }
    format!("{bytes} B")
}

/// Foreign text for one line of a terminal or a log: control characters, line breaks and characters that reverse the
/// direction of writing are shown as escapes, so that they command nothing. Neither does the text itself: job runners
/// obey lines that begin with `::` and, anywhere in a line, `##[`.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    if text.trim_start().starts_with("::") {
        line.push('\\');
    }
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => line.extend(c.escape_default()),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => {
                line.extend(c.escape_unicode())
            }
            c if c.is_control() => line.extend(c.escape_unicode()),
            '[' if line.ends_with("##") => line.push_str(" ["),
            c => line.push(c),
        }
    }
    line
}

/// Text that an XML 1.0 document may hold anywhere, also inside a CDATA section.
///
/// Terminal escape sequences and characters outside XML 1.0 go away, and so do the C1 controls, which XML only
/// discourages but some terminals obey. Then `]]>` becomes `]] >`: a test title must not be able to close the section
/// it is written into and forge a passing case behind it. The order matters, since removing a character can join one.
/// Escaping of `<` and `&` is the writer's task.
pub fn xml_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '>' if safe.ends_with("]]") => safe.push_str(" >"),
            '\t' | '\n' | '\r' | ' '..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => safe.push(c),
            _ => {}
        }
    }
    safe
}

/// Whether an HTML document may hold it: no controls but white space, no noncharacters.
pub fn is_html(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        c if c.is_control() => false,
        '\u{fdd0}'..='\u{fdef}' => false,
        c => u32::from(c) & 0xfffe != 0xfffe,
    }
}

/// Text with a replacement character for everything that an HTML document may not hold.
pub fn html_safe(text: String) -> String {
    if text.chars().all(is_html) {
        return text;
    }
    text.chars().map(|c| if is_html(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what belongs to an escape sequence; the escape character itself is already taken.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.peek().copied() {
        Some('[') => {
            chars.next();
            skip_control_sequence(chars);
        }
        Some(']') if has_terminator(chars) => {
            // Operating system command: up to BEL or ESC \.
            while let Some(c) = chars.next() {
                if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                    return;
                }
            }
        }
        // Two-character sequences such as ESC 7, ESC c, ESC =; anything else is text that an odd ESC precedes.
        Some('7' | '8' | '=' | '>' | 'c' | '\\') => {
            chars.next();
        }
        _ => {}
    }
}

/// Whether a command sequence ends at all. An unfinished one must not swallow the rest of the text.
fn has_terminator(chars: &Chars<'_>) -> bool {
    let mut ahead = chars.clone();
    while let Some(c) = ahead.next() {
        if c == '\u{7}' || (c == '\u{1b}' && ahead.peek() == Some(&'\\')) {
            return true;
        }
        if c == '\n' {
            return false;
        }
    }
    false
}

/// Parameter and intermediate characters, then one final character.
fn skip_control_sequence(chars: &mut Chars<'_>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    let _ = chars.next_if(|c| matches!(c, '@'..='~'));
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
