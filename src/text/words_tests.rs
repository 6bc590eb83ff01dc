use super::*;

#[test]
fn nearest_word_within_reason() {
    let keys = ["status", "headers", "json", "within", "stop_if"];
    assert_eq!(did_you_mean("stauts", keys), Some("status"), "a swap");
    assert_eq!(did_you_mean("header", keys), Some("headers"));
    assert_eq!(did_you_mean("JSON", keys), Some("json"));
    assert_eq!(did_you_mean("witin", keys), Some("within"));
    assert_eq!(did_you_mean("body", keys), None);
    assert_eq!(did_you_mean("", keys), None);
    assert_eq!(did_you_mean("x", ["y"]), None, "nothing in common");
    assert_eq!(did_you_mean("id", ["is", "if"]), Some("is"), "the first of equals");
    assert_eq!(did_you_mean(&"x".repeat(10_000), keys), None);
}

#[test]
fn distance_counts_swaps_once() {
    let d = |a: &str, b: &str| damerau_levenshtein(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
    assert_eq!(d("", ""), 0);
    assert_eq!(d("", "abc"), 3);
    assert_eq!(d("abcd", "acbd"), 1);
    assert_eq!(d("kitten", "sitting"), 3);
}

#[test]
fn plurals() {
    assert_eq!(plural(1, "case"), "1 case");
    assert_eq!(plural(2usize, "case"), "2 cases");
    assert_eq!(plural(0u64, "capability"), "0 capabilities");
    assert_eq!(plural(3, "key"), "3 keys");
    assert_eq!(plural(3, "match"), "3 matches");
}

#[test]
fn durations_read() {
    assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
    assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
    assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
    assert_eq!(parse_duration(" 1 min 12 s "), Ok(Duration::from_secs(72)));
    assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
    assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
    for bad in ["", "5", "s", "5 parsecs", "-5s", "1m1h", "5s5s", "1.s", "1..2s", "1e3s", "99999999999999999999d"] {
        let error = parse_duration(bad).unwrap_err();
        assert!(error.contains(bad) && error.contains("write it like"), "{error}");
    }
}

#[test]
fn durations_written() {
    let shown = |millis| format_duration(Duration::from_millis(millis));
    assert_eq!(shown(0), "0 ms");
    assert_eq!(format_duration(Duration::from_micros(9)), "<1 ms");
    assert_eq!(shown(250), "250 ms");
    assert_eq!(shown(999), "999 ms");
    assert_eq!(shown(4_200), "4.2 s");
    assert_eq!(shown(5_000), "5 s");
    assert_eq!(shown(59_960), "1 min");
    assert_eq!(shown(72_000), "1 min 12 s");
    assert_eq!(shown(7_500_000), "2 h 5 min");
    assert_eq!(shown(3_599_700), "1 h");
}

#[test]
fn sizes() {
    assert_eq!(parse_size("512"), Ok(512));
    assert_eq!(parse_size("2MiB"), Ok(2 << 20));
    assert_eq!(parse_size("1.5 KiB"), Ok(1536));
    assert_eq!(parse_size("10kB"), Ok(10_000));
    for bad in ["", "MiB", "2mb", "-1", "1.0001kB", "99999999999GiB", "1 2", "0.0001GB1"] {
        assert!(parse_size(bad).is_err(), "{bad}");
    }
    assert_eq!(
        parse_size("0.5B").unwrap_err(),
        "`0.5B` is not a size: it is not a whole number of bytes; write it like `512`, `10kB` or `2MiB`"
    );
    assert_eq!(format_size(0), "0 B");
    assert_eq!(format_size(1536), "1.5 KiB");
    assert_eq!(format_size(2 << 20), "2 MiB");
    assert_eq!(parse_size(&format_size(3 << 30)), Ok(3 << 30));
}

#[test]
fn xml_text_cannot_close_a_section() {
    assert_eq!(xml_safe("a]]>b"), "a]] >b");
    assert_eq!(xml_safe("]]]>"), "]]] >");
    assert_eq!(xml_safe("]]\u{0}>"), "]] >", "joined by a removal");
    assert_eq!(xml_safe("]\u{1b}[0m]>"), "]] >");
    assert_eq!(xml_safe("]]>]]>"), "]] >]] >");
    let forged = "]]></failure></testcase><testcase name=\"forged\"/>";
    assert!(!xml_safe(forged).contains("]]>"));
    assert_eq!(xml_safe(&xml_safe(forged)), xml_safe(forged));
}

#[test]
fn xml_text_loses_what_xml_forbids() {
    assert_eq!(xml_safe("a\u{0}b\u{8}c\u{fffe}d\u{ffff}e\u{7f}f\u{85}g"), "abcdefg");
    assert_eq!(xml_safe("tab\tnew\nline\r ü 😀 \u{fffd}"), "tab\tnew\nline\r ü 😀 \u{fffd}");
    assert_eq!(xml_safe("\u{1b}[1;31mred\u{1b}[0m"), "red");
    assert_eq!(xml_safe("\u{9b}31mred"), "red");
    assert_eq!(xml_safe("\u{1b}]0;title\u{7}x"), "x");
    assert_eq!(xml_safe("\u{1b}]0;title\u{1b}\\x"), "x");
    assert_eq!(xml_safe("\u{1b}]never ends"), "]never ends", "no text is swallowed");
    assert_eq!(xml_safe("\u{1b}"), "");
    assert_eq!(xml_safe("\u{1b}[12"), "");
}

#[test]
fn one_line_commands_nothing() {
    assert_eq!(one_line("a\nb\r\tc"), "a\\nb\\r\\tc");
    assert_eq!(one_line("\u{1b}[2J\u{9b}31m\u{0}\u{202e}é"), "\\u{1b}[2J\\u{9b}31m\\u{0}\\u{202e}é");
    assert_eq!(one_line(" ::error::x"), "\\ ::error::x");
    assert_eq!(one_line("x ##[error]y ###[z]"), "x ## [error]y ### [z]");
    assert_eq!(one_line("plain ::text:: #[attr]"), "plain ::text:: #[attr]");
}

#[test]
fn what_html_forbids_is_replaced() {
    let good = "tab\tnew\nline\r\u{a0}ü 😀 \u{fffd}";
    assert_eq!(html_safe(good.to_owned()), good);
    let bad = "\u{0}\u{8}\u{b}\u{1f}\u{7f}\u{80}\u{9f}\u{fdd0}\u{fdef}\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}";
    assert_eq!(html_safe(format!("a{bad}b")), format!("a{}b", "\u{fffd}".repeat(13)));
}
