//! Text and JSON with `${…}` parts.

use serde_json::json;

use super::*;

#[test]
fn templates_find_the_end_of_an_expression() {
    let variables = scope(json!({"id": 7, "o": {"a}b": "x"}, "s": "text"}));
    let render = |text: &str| Template::parse(text).unwrap().render(&variables).unwrap();
    assert_eq!(render("/servers/${id}/x"), "/servers/7/x");
    assert_eq!(render("${s}${id}"), "text7");
    assert_eq!(render("${o['a}b']}"), "x");
    assert_eq!(render("${{'k': {'n': '}'}}.k.n}"), "}");
    assert_eq!(render("${\"}\\\"}\"}"), "}\"}");
    assert_eq!(render("${'''it's }'''}"), "it's }");
    assert_eq!(render("${r'\\'}x"), "\\x");
    assert_eq!(render("a$${id}b $x $ $$ ${id}$"), "a${id}b $x $ $$ 7$");
    assert_eq!(render("$$${id}"), "$${id}");
    assert_eq!(render("é${s}é"), "étexté");
    assert_eq!(render("${id == 7} ${1.5} ${2.0}"), "true 1.5 2");
    assert_eq!(render(""), "");
}

#[test]
fn template_errors_count_from_the_start_of_the_text() {
    let error = |text: &str| Template::parse(text).unwrap_err();
    assert_eq!(error("/é/${id").offset, 4);
    assert_eq!(error("/é/${id").message, "`${` is not closed");
    assert_eq!(error("/x/${1 + frob(2)}").offset, 5 + 4);
    assert_eq!(error("${}").message, "the expression is empty");
    assert_eq!(error("${'}").message, "`${` is not closed");
}

#[test]
fn templates_keep_or_refuse_types() {
    let variables = scope(json!({"n": 1, "none": null, "l": [1]}));
    let template = |text: &str| Template::parse(text).unwrap();
    assert_eq!(template("${l}").render_json(&variables), Ok(json!([1])));
    assert_eq!(template("${none}").render_json(&variables), Ok(json!(null)));
    assert_eq!(template("${n}").render_json(&variables), Ok(json!(1)));
    assert_eq!(template("${n} ").render_json(&variables), Ok(json!("1 ")));
    assert_eq!(template("plain").render_json(&variables), Ok(json!("plain")));
    for text in ["x${none}", "x${l}", "x${type(n)}"] {
        assert_eq!(template(text).render(&variables).unwrap_err().kind, EvalErrorKind::Type);
    }
    assert_eq!(template("${gone}").render(&variables).unwrap_err().kind, EvalErrorKind::Missing);
    let both = template("$${n} is ${n + m}");
    assert!(!both.is_literal() && both.literal().is_none());
    assert_eq!(both.variables().into_iter().collect::<Vec<_>>(), ["m", "n"]);
    assert_eq!(both.source(), "$${n} is ${n + m}");
    assert_eq!(template("$${n}").literal(), Some("${n}"));
    assert_eq!(template("").literal(), Some(""));
}

#[test]
fn json_templates_render_in_place() {
    let value = json!({"server": {"name": "${name}", "${key}": [1, "${n}", {"x": "a-${n}"}], "plain": "$${"}});
    let template = JsonTemplate::from_json(&value).unwrap();
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["key", "n", "name"]);
    let variables = scope(json!({"name": "srv", "key": "k", "n": 5}));
    assert_eq!(
        template.render(&variables),
        Ok(json!({"server": {"name": "srv", "k": [1, 5, {"x": "a-5"}], "plain": "${"}}))
    );
    assert!(matches!(JsonTemplate::from_json(&json!({"a": [1, "b", {"c": null}]})), Ok(JsonTemplate::Literal(_))));
    let twice = JsonTemplate::from_json(&json!({"${a}": 1, "x": 2})).unwrap();
    assert_eq!(twice.render(&scope(json!({"a": "x"}))).unwrap_err().kind, EvalErrorKind::Type);
    let deep = (0..200).fold(json!("x"), |inner, _| json!([inner]));
    assert!(JsonTemplate::from_json(&deep).is_err());
}
