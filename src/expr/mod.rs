//! The expression language of suites, version `cel-1`: compiling, evaluating and explaining expressions, and text with
//! `${…}` parts.
//!
//! The grammar is that of CEL (`token`, `parse`). The parsed tree is checked against [`limits`], names and functions are
//! resolved, and what remains is lowered to a small tree (`compile`), which `eval` walks directly over borrowed JSON.
//! Parser and evaluator are ours because a verdict must be the same on any machine, forever: it counts its work and stops at
//! a limit, keeps the order of objects, names the path that is absent, and does not change meaning with a dependency.
//! The `cel` crate is what tests compare both with.
//! `tests/golden/expr.json` is the promise; a change of one result there is a new version of the language.
//!
//! Deliberately absent from `cel-1`: bytes, timestamps and durations as types (use `time_ms`), optionals (use `get`), messages.
//! No I/O, no clock, no randomness: names that must be unique derive from the seed of the [`Scope`].
//!
//! Start reading at [`Program`].

mod compile;
mod digest;
mod eval;
mod explain;
mod functions;
mod lex;
pub mod limits;
mod parse;
mod program;
mod scope;
mod standard;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod token;
mod tree;
mod value;
mod web;

pub use digest::{UNIQUE_DIGITS, unique_name};
pub use functions::FUNCTIONS;
pub use program::Program;
pub use scope::Scope;
pub use template::{JsonTemplate, Template};

/// JSON is the value domain of the whole tool; values of the evaluator never leave this module.
pub type Json = serde_json::Value;

/// The version of the language this module implements, as suites and transcripts name it.
pub const LANGUAGE: &str = "cel-1";

/// Words with a meaning of their own.
const WORDS: &[&str] = &["false", "in", "null", "true"];
/// Names that CEL keeps for later; they may be keys and methods, but not variables or functions.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Whether an expression can read a variable of that name: a name of CEL that is neither a word of the grammar nor a type.
pub fn is_variable_name(name: &str) -> bool {
    tree::is_name(name) && !WORDS.contains(&name) && !RESERVED.contains(&name) && functions::type_name(name).is_none()
}

/// Why a text is not an expression of the language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// Where, as a byte offset in the source.
    pub offset: usize,
    /// What to write instead, if there is an obvious answer.
    pub help: Option<String>,
}

impl CompileError {
    fn new(offset: usize, message: impl Into<String>) -> CompileError {
        CompileError { message: message.into(), offset, help: None }
    }

    fn help(mut self, help: impl Into<String>) -> CompileError {
        self.help = Some(help.into());
        self
    }

    fn shifted(mut self, by: usize) -> CompileError {
        self.offset += by;
        self
    }
}

/// Who is to blame for an expression without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvalErrorKind {
    /// The data lacks what the expression names.
    Missing,
    /// The data has it, but of another type or outside the range the operation is defined on.
    Type,
    /// The evaluation would cost more than a limit allows.
    Limit,
    /// A defect of ours, or a scope that was not prepared as the expression needs.
    Internal,
}

/// An expression has no value for the given scope. Never to be confused with `false`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// Who is to blame.
    pub kind: EvalErrorKind,
    /// What happened, a lower-case fragment naming the path concerned.
    pub message: String,
}

impl EvalError {
    fn new(kind: EvalErrorKind, message: impl Into<String>) -> EvalError {
        EvalError { kind, message: message.into() }
    }

    fn missing(message: impl Into<String>) -> EvalError {
        EvalError::new(EvalErrorKind::Missing, message)
    }

    fn of_type(message: impl Into<String>) -> EvalError {
        EvalError::new(EvalErrorKind::Type, message)
    }

    fn limit(message: impl Into<String>) -> EvalError {
        EvalError::new(EvalErrorKind::Limit, message)
    }

    fn internal(message: impl Into<String>) -> EvalError {
        EvalError::new(EvalErrorKind::Internal, message)
    }

    /// Whether another operand of `&&` or `||` may still decide the result. A limit or a defect may not be hidden that way:
    /// it would make the verdict depend on how much work we allow.
    fn can_be_absorbed(&self) -> bool {
        matches!(self.kind, EvalErrorKind::Missing | EvalErrorKind::Type)
    }
}

/// Runs `work`, turning a panic into an error: one bad expression must not end a run.
fn contained<T>(work: impl FnOnce() -> Result<T, EvalError>) -> Result<T, EvalError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(EvalError::internal("the expression evaluator failed; this is a bug")))
}
