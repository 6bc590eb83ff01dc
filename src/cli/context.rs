//! What the process knows of its surroundings, gathered once. Nothing below `cli` reads the environment or prints.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;

use crate::secret::Secret;

use super::args::Color;
use super::exit::CliError;

/// Environment, terminal facts, and how to speak.
#[derive(Clone)]
pub struct Context {
    variable: fn(&str) -> Option<String>,
    color_out: bool,
    color_err: bool,
    /// Whether stderr is a terminal where a progress bar may move.
    pub live: bool,
}

/// Colours of outcomes and verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Passed.
    Good,
    /// Failed.
    Bad,
    /// Neither.
    Doubt,
    /// Less important.
    Dim,
    /// A heading.
    Bold,
}

impl Context {
    /// Looks around. Colours follow `choice`, the terminal and `NO_COLOR`.
    #[must_use]
    pub fn new(variable: fn(&str) -> Option<String>, choice: Color) -> Self {
        let plain = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = |terminal: bool| match choice {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let terminal = std::io::stderr().is_terminal();
        let ci = variable("CI").is_some_and(|value| !value.is_empty());
        Self {
            variable,
            color_out: color(std::io::stdout().is_terminal()),
            color_err: color(terminal),
            live: terminal && !ci,
        }
    }

    /// A variable of the environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name)
    }

    /// The variables of the environment whose names begin so.
    #[must_use]
    pub fn variables(&self, prefix: &str) -> BTreeMap<String, String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let named = names.filter(|name| name.starts_with(prefix));
        named.filter_map(|name| self.variable(&name).map(|value| (name, value))).collect()
    }

    /// Data: goes to stdout. A closed pipe ends the talking, not the program.
    pub fn say(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stdout().lock(), "{}", tame(text.as_ref(), self.color_out));
    }

    /// Talk: goes to stderr.
    pub fn tell(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr().lock(), "{}", tame(text.as_ref(), self.color_err));
    }

    /// A warning.
    pub fn warn(&self, text: impl AsRef<str>) {
        self.tell(format!("{} {}", self.talk(Paint::Doubt, "warning:"), text.as_ref()));
    }

    /// An error with its hint.
    pub fn error(&self, error: &CliError) {
        self.tell(format!("{} {}", self.talk(Paint::Bad, "error:"), error.message));
        if let Some(hint) = &error.hint {
            self.tell(format!("\n{} {hint}", self.talk(Paint::Bold, "hint:")));
        }
    }

    /// Coloured for stdout.
    #[must_use]
    pub fn data(&self, paint: Paint, text: &str) -> String {
        if self.color_out { painted(paint, text) } else { text.to_owned() }
    }

    /// Coloured for stderr.
    #[must_use]
    pub fn talk(&self, paint: Paint, text: &str) -> String {
        if self.color_err { painted(paint, text) } else { text.to_owned() }
    }

    /// Whether diagnostics on stderr are coloured.
    #[must_use]
    pub fn colored_talk(&self) -> bool {
        self.color_err
    }

    /// A secret from a file, else from a variable. One line feed at the end of the file is not part of it.
    ///
    /// # Errors
    /// When the file cannot be read or is empty.
    pub fn secret(&self, file: Option<&Path>, variable: &str) -> Result<Option<Secret>, CliError> {
        let Some(path) = file else {
            return Ok(self.variable(variable).filter(|value| !value.is_empty()).map(Secret::new));
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::input(format!("cannot read the secret in `{}`: {error}", path.display())))?;
        let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if text.is_empty() {
            return Err(CliError::input(format!("`{}` holds no secret: it is empty", path.display())));
        }
        Ok(Some(Secret::new(text)))
    }
}

/// Shows control characters instead of passing them on: file names and texts of a foreign bundle must not command the
/// terminal. Line breaks stay, and colours when there are any.
fn tame(text: &str, color: bool) -> Cow<'_, str> {
    let kept = |c: char| matches!(c, '\n' | '\t');
    if !text.contains(|c: char| c.is_control() && !kept(c)) {
        return Cow::Borrowed(text);
    }
    let (mut tamed, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let paint = if color { paint_length(rest) } else { 0 };
        let (head, tail) = rest.split_at(paint.max(c.len_utf8()));
        if paint > 0 || kept(c) || !c.is_control() {
            tamed.push_str(head);
        } else {
            tamed.extend(c.escape_unicode());
        }
        rest = tail;
    }
    Cow::Owned(tamed)
}

/// Length of the colour sequence (`ESC [ digits and semicolons m`) at the start of a text; 0 when there is none.
fn paint_length(text: &str) -> usize {
    let Some(inner) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = inner.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if inner.as_bytes().get(digits) == Some(&b'm') { digits + 3 } else { 0 }
}

fn painted(paint: Paint, text: &str) -> String {
    let code = match paint {
        Paint::Good => "32",
        Paint::Bad => "31",
        Paint::Doubt => "33",
        Paint::Dim => "2",
        Paint::Bold => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
