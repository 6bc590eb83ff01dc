//! Our parser beside that of the `cel` crate: the same texts are expressions, and with the same tree.

use cel::common::ast::{CallExpr, EntryExpr, Expr as Theirs, IdedExpr, LiteralValue, operators};
use proptest::prelude::*;

use super::super::limits::check_source;
use super::super::parse::parse;
use super::super::syntax::{Expr, Kind, Logic};
use super::super::tree::{Arithmetic, Compare};

/// Their tree as ours; `None` for what the language leaves out, which we refuse while parsing.
fn convert(theirs: &Theirs) -> Option<Expr<'_>> {
    let kind = match theirs {
        Theirs::Literal(literal) => match literal {
            LiteralValue::Null => Kind::Null,
            LiteralValue::Boolean(value) => Kind::Bool(*value.inner()),
            LiteralValue::Int(value) => Kind::Int(*value.inner()),
            LiteralValue::UInt(value) => Kind::UInt(*value.inner()),
            LiteralValue::Double(value) => Kind::Double(*value.inner()),
            LiteralValue::String(value) => Kind::Str(value.inner().to_owned()),
            LiteralValue::Bytes(_) => return None,
        },
        Theirs::Ident(name) if name.starts_with('.') => return None,
        Theirs::Ident(name) => Kind::Name(name),
        Theirs::Select(select) => Kind::Select(Box::new(convert(&select.operand.expr)?), &select.field),
        Theirs::List(list) => Kind::List(all(&list.elements)?),
        Theirs::Map(map) => {
            let mut entries = Vec::new();
            for entry in &map.entries {
                let EntryExpr::MapEntry(entry) = &entry.expr else { return None };
                entries.push((convert(&entry.key.expr)?, convert(&entry.value.expr)?));
            }
            Kind::Map(entries)
        }
        Theirs::Call(call) => return operation(call),
        _ => return None,
    };
    Some(Expr { at: 0, kind })
}

fn all(exprs: &[IdedExpr]) -> Option<Vec<Expr<'_>>> {
    exprs.iter().map(|expr| convert(&expr.expr)).collect()
}

fn one(args: Vec<Expr<'_>>) -> Box<Expr<'_>> {
    Box::new(args.into_iter().next().unwrap())
}

fn two(args: Vec<Expr<'_>>) -> Box<[Expr<'_>; 2]> {
    Box::new(args.try_into().unwrap())
}

fn operation(call: &CallExpr) -> Option<Expr<'_>> {
    let args = all(&call.args)?;
    let name = call.func_name.as_str();
    if let Some(target) = &call.target {
        return Some(Expr { at: 0, kind: Kind::Call(Some(Box::new(convert(&target.expr)?)), name, args) });
    }
    if name.starts_with('.') {
        return None;
    }
    let kind = match name {
        operators::CONDITIONAL => Kind::If(Box::new(args.try_into().unwrap())),
        operators::LOGICAL_AND => Kind::Logic(Logic::And, args),
        operators::LOGICAL_OR => Kind::Logic(Logic::Or, args),
        operators::LOGICAL_NOT => Kind::Not(one(args)),
        operators::NEGATE => Kind::Negate(one(args)),
        operators::INDEX => Kind::Index(two(args)),
        operators::IN => Kind::In(two(args)),
        operators::EQUALS => Kind::Compare(Compare::Equal, two(args)),
        operators::NOT_EQUALS => Kind::Compare(Compare::NotEqual, two(args)),
        operators::LESS => Kind::Compare(Compare::Less, two(args)),
        operators::LESS_EQUALS => Kind::Compare(Compare::LessOrEqual, two(args)),
        operators::GREATER => Kind::Compare(Compare::Greater, two(args)),
        operators::GREATER_EQUALS => Kind::Compare(Compare::GreaterOrEqual, two(args)),
        operators::ADD => Kind::Arithmetic(Arithmetic::Add, two(args)),
        operators::SUBSTRACT => Kind::Arithmetic(Arithmetic::Subtract, two(args)),
        operators::MULTIPLY => Kind::Arithmetic(Arithmetic::Multiply, two(args)),
        operators::DIVIDE => Kind::Arithmetic(Arithmetic::Divide, two(args)),
        operators::MODULO => Kind::Arithmetic(Arithmetic::Remainder, two(args)),
        _ => Kind::Call(None, name, args),
    };
    Some(Expr { at: 0, kind })
}

/// Chains of one logical operator flat, as both parsers mean them; places are not compared.
fn plain(expr: &mut Expr<'_>) {
    expr.at = 0;
    match &mut expr.kind {
        Kind::Select(operand, _) | Kind::Not(operand) | Kind::Negate(operand) => plain(operand),
        Kind::Index(pair) | Kind::In(pair) | Kind::Compare(_, pair) | Kind::Arithmetic(_, pair) => {
            pair.iter_mut().for_each(plain);
        }
        Kind::If(parts) => parts.iter_mut().for_each(plain),
        Kind::Call(target, _, args) => {
            target.iter_mut().for_each(|target| plain(target));
            args.iter_mut().for_each(plain);
        }
        Kind::List(items) => items.iter_mut().for_each(plain),
        Kind::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            plain(key);
            plain(value);
        }),
        Kind::Logic(logic, terms) => {
            let logic = *logic;
            let mut flat = Vec::new();
            for mut term in std::mem::take(terms) {
                plain(&mut term);
                match term.kind {
                    Kind::Logic(own, inner) if own == logic => flat.extend(inner),
                    kind => flat.push(Expr { at: 0, kind }),
                }
            }
            *terms = flat;
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Double(_) | Kind::Str(_) | Kind::Name(_) => {}
    }
}

/// Whether both parsers read the text as the same expression; an error when they differ. What makes the other parser
/// panic is not compared.
fn compare(source: &str) -> Result<bool, String> {
    if source.trim().is_empty() || check_source(source).is_err() {
        return Ok(false);
    }
    let ours = parse(source).map(|mut expr| {
        plain(&mut expr);
        expr
    });
    let theirs = std::panic::catch_unwind(|| cel::Env::default().with_optional_support(false).compile(source));
    let Ok(theirs) = theirs else { return Ok(false) };
    let wanted = theirs.as_ref().ok().and_then(|program| convert(&program.expression().expr)).map(|mut expr| {
        plain(&mut expr);
        expr
    });
    match (&ours, &wanted) {
        (Ok(ours), Some(wanted)) if ours == wanted => Ok(true),
        (Err(error), None) if error.offset <= source.len() && source.is_char_boundary(error.offset) => Ok(false),
        _ => Err(format!("{source:?}\n ours   {ours:?}\n theirs {wanted:?} {:?}", theirs.as_ref().err())),
    }
}

#[test]
fn the_corpus_is_read_alike() {
    #[derive(serde::Deserialize)]
    struct Entry {
        expr: String,
    }
    let entries: Vec<Entry> = serde_json::from_str(include_str!("../../../tests/golden/expr.json")).unwrap();
    for entry in entries {
        compare(&entry.expr).unwrap_or_else(|difference| panic!("{difference}"));
    }
}

#[test]
fn the_corners_of_the_grammar_are_read_alike() {
    const TEXTS: &[&str] = &[
        // Precedence and association.
        "a || b && c || d",
        "a && b || c && d",
        "(a || b) || (c || d)",
        "a == b == c",
        "a < b in c != d",
        "a - b - c",
        "a - (b - c)",
        "a * b / c % d",
        "a + b * c - d",
        "a ? b : c ? d : e",
        "a ? b ? c : d : e",
        "(a ? b : c) ? d : e",
        "a || b ? c && d : e || f",
        "a in b + c",
        "!a == b",
        "-a * b",
        "a.b + c[d].e",
        "!a.b(c)[d]",
        "a ? b",
        "a ? : b",
        // Signs.
        "!!a",
        "!!!a",
        "! ! a",
        "--a",
        "---a",
        "- - a",
        "-1",
        "- 1",
        "--1",
        "---1",
        "--1.5",
        "!-1",
        "!!-1",
        "!-a",
        "!--1",
        "-!a",
        "a-1",
        "a -1",
        "a--1",
        "a - -1",
        "-1.a",
        "-1.5.a",
        "-1[0]",
        "-(1)",
        "-'a'",
        "-1u",
        "-true",
        "-[1]",
        "1-1",
        "a---b",
        "-9223372036854775808",
        "9223372036854775808",
        "--9223372036854775808",
        "-0x8000000000000000",
        "-0.0",
        "-0",
        // Numbers.
        "0",
        "00",
        "007",
        "0x1F",
        "0xg",
        "0x",
        "0X1",
        "0xFFu",
        "0xFFU",
        "1u",
        "1U",
        "1 u",
        "1uu",
        "18446744073709551616u",
        "1.5",
        "1.",
        ".5",
        ".5e1",
        "1e3",
        "1E-3",
        "1e+3",
        "1e",
        "1e+",
        "1.e1",
        "1..2",
        "a.5",
        "1.5u",
        "1.a",
        "1.5.a",
        "1e400",
        "0x1.5",
        "1_000",
        "0xffffffffffffffff",
        "1.0e10x",
        "5.e",
        "1 .a",
        "1. a",
        ".5.5",
        // Strings.
        "''",
        "\"\"",
        "'a\"b'",
        "\"a'b\"",
        "''''''",
        "'''a'b'''",
        "'''a''b'''",
        "\"\"\"a\"\"b\"\"\"",
        "''''a'''",
        "'''a''''",
        "'''a'",
        "''''",
        "'a' 'b'",
        "'a''b'",
        "'a\nb'",
        "'''a\nb'''",
        "'''a\r\nb\rc'''",
        "r'''a\r\nb\\'''",
        "r'\\d'",
        "R\"\\\"",
        "r'a\nb'",
        "r''''''",
        "r '\\d'",
        "rr'a'",
        "b'a'",
        "B'a'",
        "br'a'",
        "rb'a'",
        "bR'''a'''",
        "b ''",
        "x'a'",
        "'a",
        "\"a'",
        "r'a",
        "'\\",
        "'\\'",
        "'''\\'''",
        "'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\"\\'\\`'",
        "'\\d'",
        "'\\x41\\X4a'",
        "'\\x4'",
        "'\\xg0'",
        "'\\u00e9'",
        "'\\ud800'",
        "'\\u12'",
        "'\\U0001F600'",
        "'\\U00110000'",
        "'\\U0001F60'",
        "'\\101\\377'",
        "'\\400'",
        "'\\08'",
        "'\\1'",
        "'\\/'",
        "'é\\u00e9é'",
        "'''\\d'''",
        "'\u{0}'",
        "'\u{2028}'",
        "'''''a'''",
        "'a\\\nb'",
        "'''a\\\nb'''",
        "'\t'",
        "'a\rb'",
        "'\\xé'",
        "'\\é'",
        "'\\u00é'",
        "'\\0é'",
        // Space and comments.
        " a ",
        "\ta\n",
        "a\u{c}b",
        "\u{c}a",
        "a\u{b}",
        "a\u{a0}",
        "\u{feff}a",
        "a // b",
        "a // b\n+ c",
        "// a",
        "// a\nb",
        "a //",
        "a / / b",
        "a /* b */",
        "a//b\r+c",
        "a // é\n.b",
        // Names.
        "_",
        "_a1",
        "a1",
        "1a",
        "é",
        "aé",
        "a.é",
        "as",
        "for",
        "a.for",
        "a.as.b",
        "a.in",
        "a.true",
        "a.null",
        "for(a)",
        "a.for(b)",
        "a.in(b)",
        "true.a",
        "null",
        "nulll",
        "inn",
        "in",
        "a in b",
        "a inb",
        "1in[1]",
        "'a'in b",
        "true",
        "package.a",
        "in(a)",
        "a.`b`",
        "a.`b-c`",
        "`a`",
        "a.@b",
        "$a",
        "a#b",
        // Chains.
        "a.b.c",
        "a . b",
        "a.\nb",
        "a..b",
        "a.",
        ".a",
        ".a.b",
        ".a(b)",
        "a.b().c",
        "a()",
        "a(,)",
        "a(b,)",
        "a(b, c)",
        "a(b c)",
        "a()()",
        "a[0](b)",
        "a[0]()",
        "a[]",
        "a[0, 1]",
        "a[0][1]",
        "a[b ? c : d]",
        "a.?b",
        "a[?b]",
        "(a).b",
        "(a)(b)",
        "'a'.b(c)",
        "[1].map(x, x)",
        "{}.a",
        "1.a()",
        "(a",
        "a)",
        "()",
        "((a))",
        "a.(b)",
        "a.'b'",
        "a.1",
        "size(a)(b)",
        "has(a.b)",
        "has(a)",
        "a.has(b)",
        "a.all(x, y)",
        "all(a, b)",
        "a b",
        "a + ",
        "+ a",
        "a + + b",
        "* a",
        "a ! b",
        // Lists, maps, messages.
        "[]",
        "[,]",
        "[,,]",
        "[1,]",
        "[1,,]",
        "[1,,2]",
        "[,1]",
        "[1 2]",
        "[?a]",
        "[a, ?b]",
        "[1",
        "[[1], [2,],]",
        "{}",
        "{,}",
        "{,,}",
        "{a: b}",
        "{a: b,}",
        "{a: b,,}",
        "{a}",
        "{a: }",
        "{: a}",
        "{a: b c: d}",
        "{?a: b}",
        "{a: b, ?c: d}",
        "{'a': 1, 'a': 2}",
        "{a ? b : c : d}",
        "{a: b: c}",
        "a{}",
        "a{b: c}",
        "a.b{c: d}",
        "a{,}",
        "a {}",
        ".a{}",
        "a{",
        "a[0]{}",
        "(a){}",
        "a(){}",
        "1{}",
        "{}{}",
        "a.b.c{d: e,}",
        "a{?b: c}",
        "a{`b`: c}",
        // Other languages.
        "a = b",
        "a === b",
        "a and b",
        "not a",
        "a & b",
        "a | b",
        "a ** b",
        "a // b",
        "a; b",
        "a <> b",
        "a => b",
        "a <== b",
        "a ?? b",
        "a ?: b",
        "~a",
        "a ^ b",
        "a++",
        "a := b",
        "\\a",
        "a\\",
        "@",
        "#",
        "%",
        "%%",
        "a % b",
        "?",
        ":",
        ",",
        ".",
        "..",
        "&&",
        "||",
        "a &&",
        "|| a",
        "a && || b",
        "=",
        "!",
        "-",
        "--",
        "!=",
        "a !== b",
    ];
    let (read, differences): (Vec<_>, Vec<_>) = TEXTS.iter().map(|text| compare(text)).partition(Result::is_ok);
    assert!(differences.is_empty(), "{differences:#?}");
    let expressions = read.iter().filter(|same| **same == Ok(true)).count();
    assert!(expressions > 140 && expressions < TEXTS.len() - 100, "{expressions} of {}", TEXTS.len());
}

/// Well-formed expressions, with few brackets, so that precedence decides.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-c]|for|as|in_|_x",
        "-?[0-9]{1,3}|0x[0-9a-f]{1,3}u?|[0-9]u|-?[0-9]\\.[0-9]|\\.[0-9]|[0-9]e-?[0-9]",
        "'[a-c\"]{0,3}'|\"[a-c']{0,3}\"|'''[a-c'\n]?[a-c]'''|r'[a-c\\\\]{0,2}'|'(\\\\n|\\\\x4[0-9]|\\\\u00e9|\\\\101|\\\\\\\\|a){0,3}'",
        "true|false|null|int",
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let space = " ?|\n| // c\n";
        prop_oneof![
            4 => (inner.clone(), space, "==|!=|<|<=|>|>=|\\+|-|\\*|/|%|&&|\\|\\|| in ", space, inner.clone())
                .prop_map(|(l, s, op, t, r)| format!("{l}{s}{op}{t}{r}")),
            1 => inner.clone().prop_map(|x| format!("({x})")),
            1 => (inner.clone(), "\\.[a-c]|\\.for|\\[[a-c0]\\]|\\.b\\(\\)|\\.all\\(x, x\\)").prop_map(|(x, end)| format!("{x}{end}")),
            1 => ("!|!!|-|--|- ", inner.clone()).prop_map(|(sign, x)| format!("{sign}{x}")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, x, y)| format!("{c} ? {x} : {y}")),
            1 => (inner.clone(), inner.clone(), ",?").prop_map(|(x, y, end)| format!("[{x}, {y}{end}]")),
            1 => (inner.clone(), inner.clone(), ",?").prop_map(|(x, y, end)| format!("{{{x}: {y}{end}}}")),
            1 => (inner.clone(), "size|has|for|f", inner.clone()).prop_map(|(x, f, y)| format!("{f}({x}, {y})")),
            1 => (inner.clone(), "map|exists|contains|for", inner).prop_map(|(x, f, y)| format!("{x}.{f}(c, {y})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn expressions_are_read_alike(source in expression()) {
        let compared = compare(&source);
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }

    #[test]
    fn sequences_of_tokens_are_read_alike(
        tokens in prop::collection::vec(
            "[a-c]|[0-9]|\\.|\\(|\\)|\\[|\\]|\\{|\\}|:|,|\\?|!|-|\\+|\\*|/|==|<|&&|\\|\\|| in |for|true|'x'|\"|'|'''|\\\\|\\\\n|\\\\x|0x|1e|\\.5|u|r'|b'|`|//|\n|\r| |é|=|@",
            0..12,
        ),
    ) {
        let compared = compare(&tokens.concat());
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }

    #[test]
    fn damaged_expressions_are_read_alike(source in expression(), at in any::<prop::sample::Index>(), with in "[-()\\[\\]{}.,:?!'\"a0 ]?") {
        let places: Vec<usize> = source.char_indices().map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let length = source[at..].chars().next().map_or(0, char::len_utf8);
        let damaged = format!("{}{with}{}", &source[..at], &source[at + length..]);
        let compared = compare(&damaged);
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }
}
