//! Random sources and data, and the evaluator of the `cel` crate as a second opinion.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn small_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-1e6..1e6_f64).prop_map(Json::from),
        (-3..3_i64).prop_map(Json::from),
        "[a-c]{0,2}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// Expressions of the part of the language that it shares with CEL.
fn shared_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("gone".to_owned()),
        (-3..3_i64).prop_map(|n| format!("{n}")),
        (0..3_u64).prop_map(|n| format!("{n}u")),
        (0..3_u8).prop_map(|n| format!("{n}.5")),
        Just("2.0".to_owned()),
        "'[a-c]{0,2}'",
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("int".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (inner.clone(), "==|!=|<|<=|>|>=|\\+|-|\\*|/|%|&&|\\|\\|| in ", inner.clone())
                .prop_map(|(l, op, r)| format!("({l} {op} {r})")),
            (inner.clone(), "[a-c]").prop_map(|(x, field)| format!("{x}.{field}")),
            two.clone().prop_map(|(x, index)| format!("{x}[{index}]")),
            (inner.clone(), "[a-c]").prop_map(|(x, field)| format!("has({x}.{field})")),
            inner.clone().prop_map(|x| format!("!{x}")),
            inner.clone().prop_map(|x| format!("-({x})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, x, y)| format!("({c} ? {x} : {y})")),
            two.clone().prop_map(|(x, y)| format!("[{x}, {y}]")),
            two.clone().prop_map(|(x, y)| format!("{{'k': {x}, 'a': {y}}}")),
            (inner.clone(), "all|exists|exists_one|filter|map", inner.clone())
                .prop_map(|(x, kind, body)| format!("{x}.{kind}(c, {body})")),
            (inner.clone(), "size|int|uint|double|string|bool|type").prop_map(|(x, f)| format!("{f}({x})")),
            (inner.clone(), "contains|startsWith|endsWith|split|join", inner.clone())
                .prop_map(|(x, f, y)| format!("{x}.{f}({y})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_compiler_fail(source in "\\PC{0,60}") {
        let _ = Program::compile(&source);
        let _ = Template::parse(&source);
    }

    #[test]
    fn no_sequence_of_tokens_makes_it_fail(
        tokens in prop::collection::vec(
            "[a-c]|[0-9]|\\.|\\(|\\)|\\[|\\]|\\{|\\}|:|,|\\?|!|-|\\+|\\*|==|<|&&|\\|\\|| in |'x'|\"|'''|\\$\\{|\\$|has\\(|\\.all\\(|\\.map\\(|0x|1e|u|r'|b'|`|//|\n|é",
            0..40,
        ),
        a in small_json(),
    ) {
        let source = tokens.concat();
        let variables = scope(json!({"a": a}));
        if let Ok(program) = Program::compile(&source) {
            let _ = program.eval(&variables);
            let _ = program.explain(&variables);
        }
        if let Ok(template) = Template::parse(&source) {
            let _ = template.render(&variables);
        }
    }

    #[test]
    fn every_result_is_the_same_again_and_never_internal(source in shared_expression(), a in small_json(), b in small_json()) {
        let variables = scope(json!({"a": a, "b": b}));
        if let Ok(program) = Program::compile(&source) {
            let result = program.eval(&variables);
            prop_assert_eq!(&result, &program.eval(&variables));
            if let Err(error) = result {
                prop_assert_ne!(error.kind, EvalErrorKind::Internal);
            }
            prop_assert!(program.explain(&variables).chars().count() <= 420);
        }
    }

    /// The language is CEL: the evaluator of the `cel` crate agrees wherever both are defined.
    #[test]
    fn results_are_those_of_cel(source in shared_expression(), a in small_json(), b in small_json()) {
        let variables = json!({"a": a, "b": b});
        if let Ok(program) = Program::compile(&source) {
            let ours = program.eval(&scope(variables.clone()));
            let theirs = oracle::eval(&source, &variables);
            prop_assert!(oracle::agree(&ours, &theirs), "{source}\n ours   {ours:?}\n theirs {theirs:?}");
        }
    }
}

#[test]
fn the_corpus_agrees_with_cel() {
    #[derive(serde::Deserialize)]
    struct Entry {
        expr: String,
        #[serde(default)]
        vars: serde_json::Map<String, Json>,
    }
    let entries: Vec<Entry> = serde_json::from_str(include_str!("../../../tests/golden/expr.json")).unwrap();
    let mut compared = 0;
    let mut differences = String::new();
    for entry in entries {
        let Ok(program) = Program::compile(&entry.expr) else {
            continue;
        };
        let variables = Json::Object(entry.vars);
        let ours = program.eval(&scope(variables.clone()));
        let theirs = oracle::eval(&entry.expr, &variables);
        if theirs == Err(oracle::Unknown::Function) || ours.as_ref().is_err_and(|e| e.kind == EvalErrorKind::Limit) {
            continue;
        }
        compared += 1;
        if entry.expr == "n == 9007199254740992.0" {
            // The crate rounds the integer; the definition of CEL compares on one number line, and so do we.
            assert!(!oracle::agree(&ours, &theirs));
            continue;
        }
        if !oracle::agree(&ours, &theirs) {
            let _ = writeln!(differences, "{}\n ours   {ours:?}\n theirs {theirs:?}", entry.expr);
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert!(compared > 180, "only {compared} were compared");
}

/// The evaluator of the `cel` crate, as a second opinion.
mod oracle {
    use std::collections::HashMap;
    use std::sync::Arc;

    use cel::objects::{Key, Map};
    use cel::{Context, Env, ExecutionError, Value};

    use super::{EvalError, Json};

    #[derive(Debug, PartialEq)]
    pub(super) enum Unknown {
        Function,
        Value(String),
    }

    pub(super) fn eval(source: &str, variables: &Json) -> Result<Json, Unknown> {
        let mut env = Env::stdlib();
        env.add_extension(cel::extensions::strings).unwrap();
        let env = Arc::new(env);
        let program = env.compile(source).map_err(|e| Unknown::Value(e.to_string()))?;
        let mut context = Context::with_env(env);
        for (name, value) in variables.as_object().unwrap() {
            context.add_variable_from_value(name.clone(), from_json(value));
        }
        match program.execute(&context) {
            Ok(value) => to_json(&value),
            Err(ExecutionError::UndeclaredReference(name)) if crate::expr::functions::find(&name).is_some() => {
                Err(Unknown::Function)
            }
            Err(error) => Err(Unknown::Value(error.to_string())),
        }
    }

    /// Equal results, or none on both sides. An object made by CEL has no order, so visiting one may give any order.
    pub(super) fn agree(ours: &Result<Json, EvalError>, theirs: &Result<Json, Unknown>) -> bool {
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => ours == theirs || unordered(ours) == unordered(theirs),
            (Err(_), Err(_)) => true,
            _ => false,
        }
    }

    fn unordered(json: &Json) -> Vec<String> {
        let mut texts: Vec<String> = json
            .as_array()
            .map(|items| items.iter().map(|item| format!("{:?}", unordered(item))).collect())
            .unwrap_or_else(|| vec![json.to_string()]);
        texts.sort();
        texts
    }

    fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(n) => n
                .as_i64()
                .map(Value::Int)
                .or_else(|| n.as_u64().map(Value::UInt))
                .unwrap_or_else(|| Value::Float(n.as_f64().unwrap())),
            Json::String(text) => Value::from(text.clone()),
            Json::Array(items) => Value::from(items.iter().map(from_json).collect::<Vec<_>>()),
            Json::Object(members) => Value::Map(Map::from(
                members.iter().map(|(key, value)| (key.clone(), from_json(value))).collect::<HashMap<_, _>>(),
            )),
        }
    }

    fn to_json(value: &Value) -> Result<Json, Unknown> {
        Ok(match value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::from(*value),
            Value::Int(value) => Json::from(*value),
            Value::UInt(value) => Json::from(*value),
            Value::Float(value) if value.is_finite() => Json::from(*value),
            Value::String(text) => Json::from(text.as_str()),
            Value::List(items) => Json::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
            Value::Map(map) => Json::Object(
                map.map
                    .iter()
                    .map(|(key, value)| {
                        let key = match key {
                            Key::String(key) => key.to_string(),
                            Key::Int(key) => key.to_string(),
                            Key::Uint(key) => key.to_string(),
                            Key::Bool(key) => key.to_string(),
                        };
                        Ok((key, to_json(value)?))
                    })
                    .collect::<Result<_, _>>()?,
            ),
            other => return Err(Unknown::Value(format!("{other:?}"))),
        })
    }
}
