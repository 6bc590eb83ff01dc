//! The diagnostics of suite files: stable codes, each with the explanation that the reference page shows.
//!
//! A code keeps its meaning forever; one that is no longer needed is not given to something else. `Y…` codes come from
//! the YAML parser.

/// A diagnostic code with its explanation.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// `S001`.
    pub code: &'static str,
    /// What it means and what to do.
    pub doc: &'static str,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $code;)+

        /// All codes in order.
        pub static CODES: &[Code] = &[$(Code { code: $code, doc: concat!($($doc),+) }),+];
    };
}

codes! {
    /// The file does not start with `format: 1`, or its format is newer than this tool. Use a newer assize.
    FORMAT = "S001";
    /// A key that the language does not have in this place. Unknown keys are errors, because a misspelt `expect` would
    /// otherwise check nothing.
    UNKNOWN_KEY = "S002";
    /// A key that must be there is missing.
    MISSING_KEY = "S003";
    /// A value has another type than the key wants.
    WRONG_TYPE = "S004";
    /// A word, number or name is not among those allowed.
    BAD_VALUE = "S005";
    /// A duration or a size cannot be read. Both want a unit: `90s`, `4MiB`.
    BAD_QUANTITY = "S006";
    /// A regular expression cannot be compiled.
    BAD_REGEX = "S007";
    /// A JSON path (RFC 9535) cannot be compiled.
    BAD_PATH = "S008";
    /// A JSON Schema cannot be compiled.
    BAD_SCHEMA = "S009";
    /// An id or a name is not well-formed. Ids are kebab-case; names of variables start with a letter and have letters,
    /// digits and underscores.
    BAD_ID = "S010";
    /// Two things of one kind have the same id.
    DUPLICATE = "S011";
    /// The suite id or family id differs from the path of the file.
    WRONG_PLACE = "S012";
    /// A step has no key that says what it does.
    NO_STEP_KIND = "S013";
    /// A step has keys of two kinds of steps. Make two steps of it.
    TWO_STEP_KINDS = "S014";
    /// Keys exclude each other, or one has no effect without another.
    KEY_CONFLICT = "S015";
    /// An expression cannot be compiled: its grammar, a function that does not exist, or a limit.
    BAD_EXPRESSION = "S016";
    /// An expression names a variable that is not defined at this place.
    UNKNOWN_VARIABLE = "S017";
    /// A name that the harness itself binds cannot be saved, set or used as a parameter.
    RESERVED_NAME = "S018";
    /// A case checks nothing. What is saved, an implied 2xx and `undo` are no checks.
    NO_CHECK = "S019";
    /// `needs` names a fixture that does not exist.
    UNKNOWN_FIXTURE = "S020";
    /// `over` names an alias that is not in `needs`.
    UNKNOWN_ALIAS = "S021";
    /// Fixtures need each other in a circle, or groups use each other in a circle.
    CYCLE = "S022";
    /// `use` names a group that does not exist.
    UNKNOWN_GROUP = "S023";
    /// `use` gives other arguments than the group has parameters.
    WRONG_ARGUMENTS = "S024";
    /// No exchange can prove a gap here: the case has neither sent a request nor has a fixture.
    GAP_WITHOUT_PROOF = "S025";
    /// A group that no step uses, or a fixture that nothing in the file needs and that hands out nothing (warning).
    UNUSED = "S026";
    /// A case of risk `read` sends a request that can change something (warning). Say `risk: write`.
    RISK_TOO_LOW = "S027";
    /// A request that creates something has no `undo`, and nothing deletes what it made (warning).
    NO_UNDO = "S028";
    /// A password or token is written out (warning). Use `${secret('label')}`, which the report never shows.
    LITERAL_SECRET = "S029";
    /// A stream is used that is not open, or opened twice under one name.
    STREAM = "S030";
    /// A list or mapping that must have members is empty.
    EMPTY = "S031";
    /// An expression reads an output that the fixture does not have.
    UNKNOWN_OUTPUT = "S032";
    /// A fixture that lasts longer than one case needs a fixture that each case has to itself.
    LIFETIME = "S033";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_consecutive_and_explained() {
        for (index, code) in CODES.iter().enumerate() {
            assert_eq!(code.code, format!("S{:03}", index + 1));
            assert!(code.doc.len() > 20 && code.doc.ends_with('.'), "{}", code.code);
        }
    }
}
