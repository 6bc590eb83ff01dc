//! Exit codes. They are a promise: scripts and CI depend on them.

/// Why the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Conformant, or the command did what it was asked.
    Ok = 0,
    /// Not conformant, or a gate was missed.
    NotConformant = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A file that was given is invalid.
    InvalidInput = 3,
    /// The selection is empty, or nothing was run.
    NothingRan = 4,
    /// The target cannot be reached or refuses the credentials.
    Unreachable = 5,
    /// The evidence does not support the report.
    Unsupported = 6,
    /// A defect of this tool.
    Bug = 70,
}

/// A command that could not do its work: what to say and how to end.
#[derive(Debug)]
pub struct CliError {
    /// How the process ends.
    pub exit: Exit,
    /// What went wrong; lower-case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl CliError {
    /// An error without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that is invalid or cannot be read.
    pub fn input(message: impl std::fmt::Display) -> Self {
        Self::new(Exit::InvalidInput, message.to_string())
    }
}
