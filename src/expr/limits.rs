//! What an expression may cost. Suites come from many authors and bodies from the party under test, so every size is bounded:
//! the source before parsing, the tree after it, and the work while evaluating. The work is counted, never timed, so the
//! same expression stops at the same place on every machine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use super::{CompileError, EvalError, lex};

/// Bytes of one expression.
pub const MAX_SOURCE: usize = 4096;
/// Nesting of the tree, and of brackets in the source.
pub const MAX_DEPTH: usize = 64;
/// Operators or selections in one chain (`a + b + …`, `a.b.c…`, `a && b && …`).
pub const MAX_CHAIN: usize = 200;
/// Comprehensions (`all`, `exists`, `exists_one`, `map`, `filter`) inside the body of another.
pub const MAX_COMPREHENSION_NESTING: usize = 2;
/// Steps of one evaluation; about one for each operation and for each element looked at.
pub const MAX_STEPS: u64 = 4_000_000;
/// Bytes of one string made by an expression.
pub const MAX_STRING: usize = 1 << 20;
/// Bytes of everything made by one evaluation.
pub const MAX_MADE: usize = 64 << 20;
/// Length of a list made by `range`.
pub const MAX_RANGE: i64 = 10_000;
/// Bytes of a regular expression.
pub const MAX_REGEX: usize = 1024;
/// Bytes of a compiled regular expression.
pub const MAX_REGEX_PROGRAM: usize = 2 << 20;
/// Nesting of a JSON value that may hold templates.
pub const MAX_JSON_DEPTH: usize = 128;

/// Steps charged for a regular expression seen for the first time in an evaluation.
const REGEX_STEPS: u64 = 20_000;

/// Refuses a source that is too long or nested too deep for the parser, which recurses.
pub(super) fn check_source(source: &str) -> Result<(), CompileError> {
    if source.len() > MAX_SOURCE {
        return Err(CompileError::new(
            0,
            format!("the expression is {} bytes long, at most {MAX_SOURCE} are allowed", source.len()),
        )
        .help("split it into several checks, or use a matcher written as data"));
    }
    let mut depth = 0usize;
    for (at, byte) in lex::code(source) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(too_deep(at));
        }
    }
    Ok(())
}

pub(super) fn too_deep(offset: usize) -> CompileError {
    CompileError::new(offset, format!("the expression is nested more than {MAX_DEPTH} levels deep"))
}

/// The work left to one evaluation.
#[derive(Default)]
pub(super) struct Budget {
    steps: Cell<u64>,
    made: Cell<usize>,
    patterns: RefCell<BTreeMap<String, Arc<Regex>>>,
}

impl Budget {
    /// Counts `n` steps.
    pub(super) fn step(&self, n: u64) -> Result<(), EvalError> {
        let steps = self.steps.get().saturating_add(n);
        self.steps.set(steps);
        if steps > MAX_STEPS {
            return Err(EvalError::limit(format!("the expression takes more than {MAX_STEPS} steps on this data")));
        }
        Ok(())
    }

    /// Counts looking at `bytes` of text.
    pub(super) fn read(&self, bytes: usize) -> Result<(), EvalError> {
        self.step(1 + (bytes as u64 >> 5))
    }

    /// Counts `bytes` that the evaluation is about to allocate.
    pub(super) fn make(&self, bytes: usize) -> Result<(), EvalError> {
        let made = self.made.get().saturating_add(bytes);
        self.made.set(made);
        if made > MAX_MADE {
            return Err(EvalError::limit(format!("the expression builds more than {} MiB of values", MAX_MADE >> 20)));
        }
        self.read(bytes)
    }

    /// Counts a string of `bytes` that the evaluation is about to allocate.
    pub(super) fn make_string(&self, bytes: usize) -> Result<(), EvalError> {
        if bytes > MAX_STRING {
            return Err(EvalError::limit(format!(
                "the expression builds a string of {bytes} bytes, at most {MAX_STRING} are allowed"
            )));
        }
        self.make(bytes)
    }

    /// The compiled form of `pattern`. The charge depends on this evaluation only, not on what the cache happens to hold.
    pub(super) fn regex(&self, pattern: &str) -> Result<Arc<Regex>, EvalError> {
        if let Some(known) = self.patterns.borrow().get(pattern) {
            return Ok(Arc::clone(known));
        }
        self.step(REGEX_STEPS)?;
        let compiled = super::standard::compile_regex(pattern)?;
        self.patterns.borrow_mut().insert(pattern.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }
}
