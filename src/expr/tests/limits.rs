//! Hostile sources and data stop at a limit.

use serde_json::json;

use super::*;

#[test]
fn long_sources_are_refused() {
    assert!(refused(&format!("'{}'", "x".repeat(1 << 20))).message.contains("at most 4096"));
    assert!(refused(&vec!["1"; 5000].join(" + ")).message.contains("at most 4096"));
    assert!(refused(&format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000))).message.contains("at most 4096"));
    assert!(Program::compile(&format!("'{}'", "x".repeat(4094))).is_ok());
}

#[test]
fn deep_sources_are_refused() {
    let nested = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    assert!(Program::compile(&nested("(", ")", 50)).is_ok());
    for (open, close) in [("(", ")"), ("[", "]"), ("{'a': ", "}"), ("size([", "])")] {
        assert!(Program::compile(&nested(open, close, 20)).is_ok(), "{open}");
        let message = refused(&nested(open, close, 300)).message;
        assert!(message.contains("more than 64 levels"), "{open}: {message}");
    }
    // Nesting without brackets.
    refused(&nested("true ? 1 : ", "", 300));
    refused(&nested("x.f().", "", 300).replace('1', "y"));
    refused(&vec!["1"; 300].join(" == "));
    for prefix in ["!", "-", "! ", "- "] {
        let _ = Program::compile(&format!("{}x", prefix.repeat(2000)));
    }
}

#[test]
fn long_chains_are_refused() {
    for separator in [" + ", " * ", "+", " && ", "&&", " || ", ".", "[0].", "-"] {
        let chain = |n: usize| vec!["a"; n].join(separator);
        assert!(Program::compile(&chain(100)).is_ok(), "{separator}");
        let message = refused(&chain(680)).message;
        assert!(message.contains("more than 200 operators"), "{separator}: {message}");
    }
    assert!(refused(&vec!["1"; 2000].join("+")).message.contains("more than 200"));
}

#[test]
fn a_chain_at_the_limit_is_evaluated() {
    let sum = Program::compile(&vec!["1"; 201].join("+")).unwrap();
    assert_eq!(sum.eval(&Scope::new()), Ok(json!(201)));
    let all = Program::compile(&vec!["true"; 201].join("&&")).unwrap();
    assert_eq!(all.eval_bool(&Scope::new()), Ok(true));
}

#[test]
fn the_deepest_expression_fits_a_small_stack() {
    let source = format!("{}x{}", "[".repeat(60), "]".repeat(60));
    let ternary = (0..60).fold("x".to_owned(), |inner, _| format!("(x == 1 ? {inner} : 0)"));
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        for source in [source, ternary] {
            let program = Program::compile(&source).unwrap();
            program.eval(&scope(json!({"x": 1}))).unwrap();
            program.explain(&scope(json!({"x": 1})));
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn doubling_strings_stop() {
    let mut source = "'0123456789'".to_owned();
    for _ in 0..40 {
        source = format!("[{source}].map(x, x + x)[0]");
    }
    assert!(refused(&source).message.contains("levels"));
    let mut chain = "['0123456789']".to_owned();
    for _ in 0..25 {
        chain.push_str(".map(x, x + x + x + x)");
    }
    let error = failed(&chain, json!({}));
    assert_eq!(error.kind, EvalErrorKind::Limit);
    assert!(error.message.contains("at most 1048576"), "{}", error.message);
    // Many strings that are each allowed.
    let many = failed("range(10000).map(i, s + s).size()", json!({"s": "x".repeat(400_000)}));
    assert_eq!(many.kind, EvalErrorKind::Limit);
    let replaced = failed("s.replace('', s)", json!({"s": "x".repeat(10_000)}));
    assert_eq!(replaced.kind, EvalErrorKind::Limit);
}

#[test]
fn long_work_stops_and_cannot_be_hidden() {
    let list: Vec<u32> = (0..5000).collect();
    let variables = json!({"l": list});
    for source in [
        "true || l.all(a, l.all(b, a + b >= 0))",
        "l.all(a, l.all(b, a + b >= 0)) || true",
        "l.all(a, l.all(b, a + b >= 0)) && false",
        "l.map(a, l).flatten().size() > 0",
        "l.all(a, to_json(l) != '')",
    ] {
        if source.starts_with("true ||") {
            // Nothing is hidden here: the second operand is never needed.
            assert_eq!(Program::compile(source).unwrap().eval(&scope(variables.clone())), Ok(json!(true)));
        } else {
            assert_eq!(failed(source, variables.clone()).kind, EvalErrorKind::Limit, "{source}");
        }
    }
}

#[test]
fn a_hundred_thousand_elements_are_fine() {
    let members: Vec<Json> = (0..100_000).map(|n| json!({"n": n})).collect();
    let variables = scope(json!({"body": {"members": members}}));
    let program = Program::compile("body.members.all(m, has(m.n) && m.n >= 0)").unwrap();
    assert_eq!(program.eval_bool(&variables), Ok(true));
}

#[test]
fn regular_expressions_are_bounded() {
    let text = "a".repeat(100_000);
    let linear = Program::compile("s.matches('(a+)+$') && !s.matches('(a*)*b')").unwrap();
    assert_eq!(linear.eval_bool(&scope(json!({"s": text}))), Ok(true));
    assert!(refused("s.matches('(a{1000}){1000}')").message.contains("too large"));
    assert!(refused(&format!("s.matches('{}')", "a".repeat(2000))).message.contains("at most 1024"));
    assert_eq!(refused("s.matches('a(')").message, "not a regular expression: unclosed group");
    let many = failed("range(300).all(n, 'x'.matches('x|' + string(n)))", json!({}));
    assert_eq!(many.kind, EvalErrorKind::Limit);
}

#[test]
fn a_panic_is_an_internal_error() {
    let error = contained::<()>(|| panic!("on purpose")).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Internal);
}

#[test]
fn names_depend_on_the_seed_and_need_one() {
    let program = Program::compile("unique('srv')").unwrap();
    let name = |seed: &str| {
        let mut scope = Scope::new();
        scope.set_seed(seed);
        program.eval(&scope).unwrap()
    };
    assert_eq!(name("a"), name("a"));
    assert_ne!(name("a"), name("b"));
    let error = program.eval(&Scope::new()).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Internal);
}
