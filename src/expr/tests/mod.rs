//! Tests of the language as a whole; what it promises is in `tests/golden/expr.json`.

use serde_json::json;

use super::*;

mod limits;
mod properties;
mod reference;
mod templates;

fn scope(variables: Json) -> Scope {
    let mut scope = Scope::from_json(variables);
    scope.set_seed("seed/case");
    scope
}

fn refused(source: &str) -> CompileError {
    match Program::compile(source) {
        Ok(_) => panic!("compiles: {}", source.chars().take(80).collect::<String>()),
        Err(error) => error,
    }
}

fn failed(source: &str, variables: Json) -> EvalError {
    let program = Program::compile(source).unwrap();
    program.eval(&scope(variables)).unwrap_err()
}

fn message(source: &str, variables: Json) -> String {
    failed(source, variables).message
}

#[test]
fn programs_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug>() {}
    shared::<Program>();
    shared::<Scope>();
    shared::<Template>();
    shared::<JsonTemplate>();
}

#[test]
fn variables_are_the_free_ones() {
    let program = Program::compile("body.all(m, m.x == was && want.exists(k, k in m)) && m > int(x)");
    let names: Vec<String> = program.unwrap().variables().iter().cloned().collect();
    assert_eq!(names, ["body", "m", "want", "was", "x"]);
    assert!(Program::compile("[1].map(x, x)[0] == 1").unwrap().variables().is_empty());
}

#[test]
fn names_of_types_are_not_variables() {
    assert!(is_variable_name("server_id2") && is_variable_name("_x") && is_variable_name("size"));
    for name in ["", "2x", "a-b", "a.b", "é", "list", "type", "int", "in", "null", "true", "for"] {
        assert!(!is_variable_name(name), "{name}");
    }
    for name in ["const", "as", "in", "true", "void", "while", "package"] {
        assert!(Program::compile(name).is_err() || Program::compile(name).unwrap().variables().is_empty());
    }
}

#[test]
fn compile_errors_point_at_the_place() {
    let at = |source: &str| refused(source).offset;
    assert_eq!(at("1 + frob(2)"), 4);
    assert_eq!(at("'é' + frob(2)"), 7);
    assert_eq!(at("x.y.frob (2)"), 4);
    assert_eq!(at("'é' == b'x'"), 8);
    assert_eq!(at("1 +\n  + 2"), 6);
    assert_eq!(at("'é'\n + + 2"), 8);
    assert_eq!(at("x.matches('(')"), 10);
    assert_eq!(at("1 +"), 3);
}

#[test]
fn compile_errors_say_what_to_write() {
    let help = |source: &str| refused(source).help.unwrap_or_default();
    assert_eq!(help("'a'.startWith('b')"), "did you mean `startsWith`?");
    assert_eq!(help("len(x) > 1"), "did you mean `size`?");
    assert_eq!(help("contains('a', 'b')"), "write x.contains(…)");
    assert_eq!(help("'a'.unique()"), "write unique(x, …)");
    assert_eq!(help("get(x, '/a')"), "it is get(value, pointer, default)");
    assert_eq!(help("body.@odata.id == 1"), "write a key that is not a name as body['@odata.id']");
    assert_eq!(help("a and b"), "the logical operators are &&, || and !");
    assert_eq!(help("a = 'b'"), "comparison is ==");
    assert_eq!(help("body.?a"), "there are no optionals; write get(body, '/a/b', default)");
    assert_eq!(help("has(a['b-c'])"), "for a key that is not a name write 'the-key' in body");
    assert_eq!(help("all([1], x, true)"), "write list.all(x, …)");
    let unfinished = refused("1 +");
    assert!(unfinished.message.contains("end of the expression"), "{unfinished}");
}

#[test]
fn absent_and_mistyped_parts_are_named() {
    let body = json!({"body": {"Foo": {"a": [1, 2]}, "none": null, "list": [{"x": 1}, {}], "k": "v"}});
    let message = |source: &str| message(source, body.clone());
    assert_eq!(message("body.Bar.x == 1"), "`body.Bar` is absent");
    assert_eq!(message("body.Foo.a[2] == 1"), "`body.Foo.a[2]` is absent, the array has 2 elements");
    assert_eq!(message("body['OS-X:y'] == 1"), "`body['OS-X:y']` is absent");
    assert_eq!(message("body.Foo[body.k]"), "`body.Foo[body.k]` is absent for the key 'v'");
    assert_eq!(message("id == 1"), "`id` is absent");
    assert_eq!(message("body.none.x"), "`body.none` is null, so `body.none.x` cannot be read");
    assert_eq!(message("body.k.x == 1"), "`body.k` is a string, so `body.k.x` cannot be read");
    assert_eq!(message("body.list.all(m, m.x == 1)"), "`m.x` is absent, where m is body.list[1]");
    assert_eq!(
        message("body.Foo.all(k, body.Foo[k] == 1 || k.y)"),
        "`k` is a string, so `k.y` cannot be read, where k is 'a'"
    );
    assert_eq!(message("body.k > 1"), "a string and an integer have no order");
    assert_eq!(message("body.list && true"), "`body.list` is an array, but `&&` needs true or false");
    assert_eq!(message("body.k + 1"), "`+` is not defined for a string and an integer; convert one with string()");
    assert_eq!(
        message("1 + 1.5"),
        "`+` is not defined for an integer and a double; convert one with int() or double()"
    );
    assert_eq!(message("size(body.none)"), "`size` needs a string, an array or an object, not null");
    let program = Program::compile("body.k").unwrap();
    assert_eq!(
        program.eval_bool(&scope(body.clone())).unwrap_err(),
        EvalError::of_type("the expression gives a string, not true or false")
    );
}

#[test]
fn explanations_show_what_decided() {
    let explain = |source: &str, variables: Json| Program::compile(source).unwrap().explain(&scope(variables));
    assert_eq!(
        explain("body.PowerState == was", json!({"body": {"PowerState": "Off"}, "was": "On"})),
        "body.PowerState = \"Off\", was = \"On\""
    );
    let body = json!({"body": {"a": 1, "list": [{"n": 1}, {"n": 2}], "o": {"x": null}}});
    assert_eq!(explain("body.a == 1 && body.b == 2", body.clone()), "body.b is absent");
    assert_eq!(explain("body.a == 2 || body.list[0].n == 2", body.clone()), "body.a = 1, body.list[0].n = 1");
    assert_eq!(explain("body.list.all(m, m.n < 2)", body.clone()), "m = body.list[1], m.n = 2");
    assert_eq!(explain("has(body.o.y)", body.clone()), "body.o.y is absent");
    assert_eq!(explain("size(body.list) > 2", body.clone()), "body.list = [{\"n\":1},{\"n\":2}]");
    assert_eq!(explain("body.list.exists(m, m.n == body.a + 9)", body.clone()), "body.list = [{\"n\":1},{\"n\":2}]");
    assert_eq!(explain("'y' in body.o", body.clone()), "body.o = {\"x\":null}");
    assert_eq!(explain("!(body.a == 1)", body), "body.a = 1");
    assert_eq!(explain("1 == 2", json!({})), "");
}

#[test]
fn explanations_are_short() {
    let long: Vec<String> = (0..2000).map(|n| format!("element {n}")).collect();
    let mut variables = serde_json::Map::new();
    let mut terms = Vec::new();
    for n in 0..60 {
        variables.insert(format!("list{n}"), json!(long));
        terms.push(format!("size(list{n})"));
    }
    let text =
        Program::compile(&format!("{} == 1", terms.join(" + "))).unwrap().explain(&scope(Json::Object(variables)));
    assert!(text.starts_with("list0 = an array of 2000 elements, "), "{text}");
    assert!(text.chars().count() <= 410 && text.ends_with('…'), "{text}");
}
