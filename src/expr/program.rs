//! A compiled expression.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::compile::{self, Compiled};
use super::eval::Machine;
use super::value::Value;
use super::{CompileError, EvalError, Json, Scope, contained, explain};

/// A compiled expression. Cheap to clone and to share between threads.
///
/// ```
/// use assize::expr::{Program, Scope};
/// use serde_json::json;
///
/// let program = Program::compile("body.servers.all(s, s.status == 'ACTIVE')")?;
/// let mut scope = Scope::new();
/// scope.set_json("body", json!({"servers": [{"status": "ACTIVE"}, {"status": "ERROR"}]}));
/// assert_eq!(program.eval_bool(&scope), Ok(false));
/// assert_eq!(program.explain(&scope), "s = body.servers[1], s.status = \"ERROR\"");
/// # Ok::<(), assize::expr::CompileError>(())
/// ```
#[derive(Clone)]
pub struct Program(Arc<Inner>);

struct Inner {
    source: String,
    compiled: Compiled,
}

impl Program {
    /// Compiles `source`, refusing what the language does not have, functions it does not know, and what exceeds the
    /// [`limits`](super::limits).
    pub fn compile(source: &str) -> Result<Program, CompileError> {
        Ok(Program(Arc::new(Inner { compiled: compile::compile(source)?, source: source.to_owned() })))
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The variables of the scope it reads; not those of its comprehensions.
    pub fn variables(&self) -> &BTreeSet<String> {
        &self.0.compiled.variables
    }

    /// The value for `scope`.
    pub fn eval(&self, scope: &Scope) -> Result<Json, EvalError> {
        self.with_value(scope, |value| value.to_json())
    }

    /// The value for `scope`, which must be a boolean.
    pub fn eval_bool(&self, scope: &Scope) -> Result<bool, EvalError> {
        self.with_value(scope, |value| match value {
            Value::Bool(value) => Ok(*value),
            other => Err(EvalError::of_type(format!("the expression gives {}, not true or false", other.noun()))),
        })
    }

    /// What the expression looked at: the values of the paths that decided a false or failed result, such as
    /// `body.PowerState = "Off", was = "On"`. At most about 400 characters; empty if it reads no variable.
    pub fn explain(&self, scope: &Scope) -> String {
        contained(|| Ok(explain::explain(&self.0.compiled.root, scope))).unwrap_or_default()
    }

    /// Calls `use_value` with the value while what it borrows is alive.
    pub(super) fn with_value<T>(
        &self,
        scope: &Scope,
        use_value: impl FnOnce(&Value<'_>) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        contained(|| {
            let mut machine = Machine::new(scope);
            let value = machine.eval(&self.0.compiled.root)?;
            use_value(&value)
        })
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.source).finish()
    }
}
