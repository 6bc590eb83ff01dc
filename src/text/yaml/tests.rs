use super::*;
use serde_json::json;

fn source(text: &str) -> Arc<SourceFile> {
    SourceFile::new("t.yaml", text)
}

fn read(text: &str) -> Node {
    parse(&source(text)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(text: &str) -> Vec<(&'static str, String)> {
    let problems = parse(&source(text)).unwrap_err();
    problems.render(false);
    let place = |d: &super::super::Diagnostic| {
        let (line, column) = d.position().unwrap_or((0, 0));
        format!("{line}:{column} {}", d.message)
    };
    problems.iter().map(|d| (d.code, place(d))).collect()
}

/// Every key and value with the source text its span covers.
fn spans(text: &str) -> Vec<(String, String)> {
    fn walk(path: &str, node: &Node, file: &SourceFile, out: &mut Vec<(String, String)>) {
        out.push((path.to_string(), file.slice(node.span).to_string()));
        match &node.value {
            Value::Seq(items) => {
                for (i, item) in items.iter().enumerate() {
                    walk(&format!("{path}/{i}"), item, file, out);
                }
            }
            Value::Map(entries) => {
                for (key, item) in entries {
                    let path = format!("{path}/{}", key.text);
                    out.push((format!("{path}:"), file.slice(key.span).to_string()));
                    walk(&path, item, file, out);
                }
            }
            _ => {}
        }
    }
    let file = source(text);
    let mut out = Vec::new();
    walk("", &parse(&file).unwrap(), &file, &mut out);
    out
}

fn check_spans(text: &str, expected: &[(&str, &str)]) {
    let found = spans(text);
    for (path, slice) in expected {
        let own = found.iter().find(|(p, _)| p == path);
        assert_eq!(own.map(|(_, s)| s.as_str()), Some(*slice), "{path} in {found:#?}");
    }
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    let value = |text: &str| read(&format!("- {text}\n")).as_seq().unwrap()[0].value.clone();
    let string = |text: &str| Value::Str(text.to_string());
    assert_eq!(value("200"), Value::Int(200));
    assert_eq!(value("-7"), Value::Int(-7));
    assert_eq!(value("0"), Value::Int(0));
    assert_eq!(value("0x1F"), Value::Int(31));
    assert_eq!(value("0o17"), Value::Int(15));
    assert_eq!(value("2.0"), Value::Float(2.0));
    assert_eq!(value("0.5"), Value::Float(0.5));
    assert_eq!(value("-1.5e3"), Value::Float(-1500.0));
    assert_eq!(value("1e3"), Value::Float(1000.0));
    for null in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(value(null), Value::Null, "{null}");
    }
    assert_eq!(value("true"), Value::Bool(true));
    assert_eq!(value("False"), Value::Bool(false));
    for text in [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "N",
        "007",
        "0755",
        "-012",
        "00.5",
        "1_000",
        "1.2.3",
        "0x",
        "0xg",
        "-0x1",
        ".inf",
        ".nan",
        "2026-11-23",
        "12:30:45",
        "1e",
        "-",
        "+",
        ".",
        "e5",
        "tRue",
        "10.0.0.1",
        "5m",
    ] {
        let quoted_dash = if text == "-" { "'-'" } else { text };
        assert_eq!(value(quoted_dash), string(text), "{text}");
    }
    for quoted in ["\"200\"", "'true'", "\"\"", "'~'", "! 12", "!!str 12"] {
        assert!(matches!(value(quoted), Value::Str(_)), "{quoted}");
    }
    assert_eq!(value("!!float 2"), Value::Float(2.0));
    assert_eq!(value("!!int \"2\""), Value::Int(2));
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    assert_eq!(read("9223372036854775807").value, Value::Int(i64::MAX));
    for text in ["9223372036854775808", "1e999", "0xffffffffffffffffff"] {
        let found = problems(&format!("a: {text}\nb: 1"));
        assert_eq!(found, [("Y005", format!("1:4 number `{text}` does not fit"))]);
    }
}

#[test]
fn spans_of_block_collections() {
    let text = "# head\nsuite: a.b # tail\nsteps:\n  - get: /x\n    expect:\n      status: 200\n\n  - get: \"/y\"\nempty:\nlast: ü ö\n";
    check_spans(
        text,
        &[
            ("/suite:", "suite"),
            ("/suite", "a.b"),
            ("/steps:", "steps"),
            ("/steps", "- get: /x\n    expect:\n      status: 200\n\n  - get: \"/y\""),
            ("/steps/0", "get: /x\n    expect:\n      status: 200"),
            ("/steps/0/get:", "get"),
            ("/steps/0/expect", "status: 200"),
            ("/steps/0/expect/status:", "status"),
            ("/steps/0/expect/status", "200"),
            ("/steps/1/get", "\"/y\""),
            ("/empty:", "empty"),
            ("/empty", ""),
            ("/last", "ü ö"),
        ],
    );
}

#[test]
fn spans_of_flow_collections_and_quotes() {
    let text =
        "json: {server: {name: \"${unique('srv')}\", 'a b': [1, two , {x: y}]}}\npair: [k: v]\nplain: {a, b: }\n";
    check_spans(
        text,
        &[
            ("/json", "{server: {name: \"${unique('srv')}\", 'a b': [1, two , {x: y}]}}"),
            ("/json/server:", "server"),
            ("/json/server/name", "\"${unique('srv')}\""),
            ("/json/server/a b:", "'a b'"),
            ("/json/server/a b", "[1, two , {x: y}]"),
            ("/json/server/a b/1", "two"),
            ("/json/server/a b/2", "{x: y}"),
            ("/json/server/a b/2/x", "y"),
            ("/pair/0/k:", "k"),
            ("/pair/0/k", "v"),
            ("/plain/a:", "a"),
            ("/plain/a", ""),
        ],
    );
}

#[test]
fn spans_of_block_scalars_cover_the_text() {
    let text = "a: |\n  one\n  two\nb: >-\n  three\n  four\nc: 1\n";
    assert_eq!(read(text).to_json(), json!({"a": "one\ntwo\n", "b": "three four", "c": 1}));
    let found = spans(text);
    let of = |path: &str| found.iter().find(|(p, _)| p == path).unwrap().1.clone();
    assert!(of("/a").contains("one\n  two"), "{found:#?}");
    assert!(!of("/a").contains("b:"), "{found:#?}");
    assert!(of("/b").contains("three\n  four") && !of("/b").contains("c:"), "{found:#?}");
    assert_eq!(of("/c:"), "c");
}

#[test]
fn spans_with_anchors_tags_and_long_keys() {
    check_spans(
        "base: &b !!map {x: 1}\nuse: *b\n? long\n: value\n&k key: v\n",
        &[
            ("/base", "{x: 1}"),
            ("/base/x", "1"),
            ("/use", "*b"),
            ("/use/x", "1"),
            ("/long:", "long"),
            ("/long", "value"),
            ("/key:", "key"),
        ],
    );
}

#[test]
fn a_json_document_with_tabs_is_read() {
    let text = "{\n\t\"version\": \"2.0\",\n\t\"capabilities\": {\n\t\t\"compute-servers-create\": {\n\t\t\t\"tests\": {\"9a438d88-10c6-4bcd-8b5b-5b6e25e1346f\":{\"flagged\":true}},\n\t\t\t\"score\": 0.25, \"list\":[1,2.5,null,\"\\ud83d\\ude00\\/\\u00fc\\t\"]\n\t\t}\n\t},\n\t\"empty\": {}, \"none\": []\n}\n";
    let expected: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(read(text).to_json(), expected);
    check_spans(
        text,
        &[
            ("/version:", "\"version\""),
            ("/version", "\"2.0\""),
            ("/capabilities/compute-servers-create/score", "0.25"),
            ("/empty", "{}"),
            ("/none", "[]"),
        ],
    );
    let long = format!("{{\"{}\":\n\t1}}", "k".repeat(5000));
    assert_eq!(read(&long).as_map().unwrap()[0].1.value, Value::Int(1));
    let pretty = serde_json::to_string_pretty(&expected).unwrap();
    assert_eq!(read(&pretty).to_json(), expected);
    assert_eq!(read(&expected.to_string()).to_json(), expected);
}

#[test]
fn duplicates_are_all_found() {
    let found = problems("a: 1\nb: {x: 1, x: 2}\n\"a\": 2\na: {c: 1, c: 1}\n");
    let expected = [
        ("Y002", "2:11 duplicate key `x`"),
        ("Y002", "3:1 duplicate key `a`"),
        ("Y002", "4:1 duplicate key `a`"),
        ("Y002", "4:11 duplicate key `c`"),
    ];
    assert_eq!(found, expected.map(|(code, text)| (code, text.to_string())));
    let shown = parse(&source("a: 1\na: 2\n")).unwrap_err().render(false);
    assert!(shown.contains("first here") && shown.contains("t.yaml:2:1"), "{shown}");
}

#[test]
fn syntax_errors_name_the_place() {
    let found = problems("a: 1\nb: [1, 2\nc: 3\n");
    assert_eq!(found[0].0, "Y001");
    let tab = parse(&source("a:\n\tb: 1\n")).unwrap_err();
    assert!(tab.render(false).contains("not with tabs"), "{tab}");
    let quote = parse(&source("a: @x\n")).unwrap_err();
    assert!(quote.render(false).contains("quote the whole value"), "{quote}");
    assert_eq!(problems("a: *nowhere\n")[0].0, "Y001");
    assert_eq!(problems("a: \"unclosed")[0].0, "Y001");
    assert_eq!(problems("a: \0")[0].0, "Y001");
}

#[test]
fn refused_features_say_so() {
    assert_eq!(problems("a: 1\n---\nb: 2\n")[0], ("Y004", "2:1 more than one document in a file".into()));
    assert_eq!(problems("{a: 1}: 2\nb: {x: 1, x: 1}")[0].0, "Y004");
    assert_eq!(problems("? [a]\n: 2\n"), [("Y004", "1:3 a list cannot be a key".into())]);
    assert_eq!(problems("a: !env HOME\n")[0].0, "Y004");
    assert_eq!(problems("a: !foo [1]\n")[0].0, "Y004");
    assert_eq!(problems("a: !!int x\n")[0].0, "Y004");
    assert_eq!(problems("a: {<<: 1}\n")[0].0, "Y004");
    assert_eq!(read("--- \na: 1\n...\n").to_json(), json!({"a": 1}));
}

#[test]
fn aliases_and_merges() {
    let text = "base: &b {x: 1, y: [2]}\nother: &o {y: 9, z: 3}\nuse:\n  y: own\n  <<: [*b, *o]\nplain:\n  <<: *b\n\"<<\": text\n? *s\n: 1\ns: &s key\n";
    let text = text.replace("? *s\n: 1\ns: &s key\n", "s: &s key\n? *s\n: 1\n");
    assert_eq!(
        read(&text).to_json(),
        json!({
            "base": {"x": 1, "y": [2]}, "other": {"y": 9, "z": 3},
            "use": {"y": "own", "x": 1, "z": 3}, "plain": {"x": 1, "y": [2]},
            "<<": "text", "s": "key", "key": 1
        })
    );
    assert_eq!(problems("a: &a [*a]\n")[0].0, "Y001");
}

#[test]
fn limits_hold() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(parse(&source(&deep(MAX_DEPTH))).is_ok());
    assert_eq!(problems(&deep(MAX_DEPTH + 1))[0].0, "Y003");
    assert_eq!(problems(&deep(100_000))[0].0, "Y003");
    let mut block = String::new();
    for level in 0..=MAX_DEPTH {
        block.push_str(&format!("{}a:\n", " ".repeat(level)));
    }
    assert_eq!(problems(&block)[0].0, "Y003");
    let mut chain = "- &a0 [x]\n".to_string();
    for level in 1..=70 {
        chain.push_str(&format!("- &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(problems(&chain)[0].0, "Y003", "depth through aliases");
    let mut laughs = "- &a0 [lol, lol]\n".to_string();
    for level in 1..40 {
        let before = level - 1;
        laughs.push_str(&format!("- &a{level} [*a{before}, *a{before}, *a{before}]\n"));
    }
    assert_eq!(problems(&laughs)[0].0, "Y003", "billion laughs");
    let mut merges = "a0: &a0 {k: v}\n".to_string();
    for level in 1..40 {
        let before = level - 1;
        merges.push_str(&format!("a{level}: &a{level} {{<<: [*a{before}, *a{before}], k{level}: 1}}\n"));
    }
    assert!(parse(&source(&merges)).is_ok(), "merging does not multiply");
    assert_eq!(problems(&"x".repeat(MAX_BYTES + 1)), [("Y003", "0:0 file is larger than 4 MiB".into())]);
}

#[test]
fn empty_and_odd_documents() {
    for text in ["", "\n", "# only a comment\n", "---\n", "\u{feff}"] {
        assert!(read(text).is_null(), "{text:?}");
    }
    assert_eq!(read("\u{feff}a: 1\r\nb: 2\r\n").to_json(), json!({"a": 1, "b": 2}));
    check_spans("\u{feff}a: 1\r\nb: 2\r\n", &[("/a:", "a"), ("/b", "2")]);
    assert_eq!(read("plain text").as_str(), Some("plain text"));
}

#[test]
fn accessors() {
    let node = read("a: {b: text}\nn: 3\nf: 0.5\nt: true\nl: []\nz:\n");
    assert_eq!(node.get("a").and_then(|a| a.get("b")).and_then(Node::as_str), Some("text"));
    assert_eq!(node.get("n").and_then(Node::as_i64), Some(3));
    assert_eq!(node.get("n").and_then(Node::as_f64), Some(3.0));
    assert_eq!(node.get("f").and_then(Node::as_f64), Some(0.5));
    assert_eq!(node.get("t").and_then(Node::as_bool), Some(true));
    assert!(node.get("none").is_none() && node.get("z").is_some_and(Node::is_null));
    let kinds: Vec<_> = node.as_map().unwrap().iter().map(|(_, n)| n.kind_name()).collect();
    assert_eq!(kinds, ["a mapping", "an integer", "a number", "a boolean", "a list", "null"]);
    assert_eq!(node.kind_name(), "a mapping");
}
