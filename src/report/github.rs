//! Markdown for a job summary and workflow commands for annotations (GitHub Actions).
//!
//! Limits: a summary over 1 MiB is refused whole; at most 10 errors and 10 warnings of a step are shown, so the worst
//! come first and one line sums up the rest.

use std::fmt::Write as _;

use crate::capability::Outcome;
use crate::score::Verdict;

use super::document::{CaseEntry, Report};

/// Longest summary that is written, in bytes.
const LONGEST: usize = 900 * 1024;
/// Annotations of one kind that are shown.
const ANNOTATIONS: usize = 9;

/// The job summary in Markdown.
#[must_use]
pub fn summary(report: &Report<'_>) -> String {
    let mut text = String::new();
    let base = report.run.target.get("base").and_then(|base| base.as_str()).unwrap_or("?");
    let guideline = report.run.guideline.as_deref().unwrap_or("no guideline");
    let _ = writeln!(text, "## Assize: {} against {}\n", escape(base), escape(guideline));
    if let Some(reason) = &report.run.interrupted {
        let _ = writeln!(text, "> [!WARNING]\n> The run did not reach its end: {}\n", escape(reason));
    }
    text.push_str("| program | verdict | score | required passed |\n| --- | --- | ---: | ---: |\n");
    for program in &report.programs {
        let mark = if program.verdict == Verdict::Conformant { "✅" } else { "❌" };
        let (met, total) = program.required_met();
        let _ = writeln!(
            text,
            "| {} | {mark} {} | {} % | {met} of {total} |",
            escape(&program.program),
            program.verdict,
            program.score.percent,
        );
    }
    let s = &report.summary;
    let _ = writeln!(
        text,
        "\n{} cases: {} pass, {} fail, {} gap, {} error, {} skip, {} not run; {} flaky; {} left behind\n",
        s.cases, s.pass, s.fail, s.gap, s.error, s.skip, s.not_run, s.flaky, s.leaks
    );
    findings(report, &mut text);
    text
}

fn findings(report: &Report<'_>, text: &mut String) {
    let mut first = true;
    for entry in (report.cases)().filter(|entry| !entry.result.outcome.is_pass()) {
        if first {
            text.push_str("| outcome | case | reason |\n| --- | --- | --- |\n");
            first = false;
        }
        let word = entry.result.outcome;
        let line = format!("| {word} | {} | {} |\n", code(&entry.id), escape(&entry.result.reason));
        if text.len() + line.len() > LONGEST {
            text.push_str("\nThe list is cut here; `report.json` has all.\n");
            return;
        }
        text.push_str(&line);
    }
}

/// Workflow commands: errors for failed cases, warnings for gaps and cases that could not be judged.
#[must_use]
pub fn annotations(report: &Report<'_>) -> String {
    let (mut errors, mut warnings, mut text) = (0_usize, 0_usize, String::new());
    for entry in (report.cases)() {
        let (command, count) = match entry.result.outcome {
            Outcome::Fail => ("error", &mut errors),
            Outcome::Gap | Outcome::Error => ("warning", &mut warnings),
            _ => continue,
        };
        *count += 1;
        if *count <= ANNOTATIONS {
            text.push_str(&annotation(command, &entry));
        }
    }
    for (command, count) in [("error", errors), ("warning", warnings)] {
        if let Some(more) = count.checked_sub(ANNOTATIONS).filter(|more| *more > 0) {
            let _ = writeln!(text, "::{command} title=assize::and {more} more; see the report");
        }
    }
    text
}

fn annotation(command: &str, entry: &CaseEntry) -> String {
    let place = entry.result.findings.first().and_then(|finding| finding.place.rsplit_once(':'));
    let place = place.map(|(file, line)| format!("file={},line={line},", property(file))).unwrap_or_default();
    format!("::{command} {place}title={}::{}\n", property(&entry.id), message(&entry.result.reason))
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// An id as code inside a Markdown table cell, where only these two need care: nothing is an escape inside of code.
fn code(id: &str) -> String {
    format!("`{}`", id.replace('`', "'").replace('|', "\\|"))
}

/// Text inside a Markdown table cell; what comes from the target must not become markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
