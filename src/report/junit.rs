//! JUnit XML for CI systems, through the crate `junit-report`.
//!
//! That crate (0.9) writes texts into CDATA without breaking `]]>`, so a response body could forge test cases; every
//! string therefore passes [`xml_safe`]. Suites are written one at a time, so that memory does not grow with the run.

use std::io::Write;

use junit_report::{Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuiteBuilder};

use crate::capability::Outcome;
use crate::text::xml_safe;

use super::document::{CaseEntry, Report};

/// Cases of one `testsuite` element; a longer suite is written as several.
const CHUNK: usize = 500;
/// Longest text of one element: some CI systems refuse files over a few megabytes.
const LONGEST: usize = 8 * 1024;

/// Writes the whole document.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &Report<'_>, mut out: impl Write) -> std::io::Result<()> {
    out.write_all(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites>\n")?;
    let (mut chunk, mut name, mut number) = (Vec::new(), String::new(), 0);
    for entry in (report.cases)() {
        let suite = suite_of(&entry.id);
        if suite != name || chunk.len() >= CHUNK {
            number += flush(&mut out, report, &name, &mut chunk, number)?;
            suite.clone_into(&mut name);
        }
        chunk.push(case(&entry));
    }
    flush(&mut out, report, &name, &mut chunk, number)?;
    out.write_all(b"</testsuites>\n")
}

/// Writes one `testsuite` element; gives the number of elements written.
fn flush(
    out: &mut impl Write,
    report: &Report<'_>,
    name: &str,
    chunk: &mut Vec<TestCase>,
    number: usize,
) -> std::io::Result<usize> {
    if chunk.is_empty() {
        return Ok(0);
    }
    let started =
        OffsetDateTime::from_unix_timestamp(report.run.started_at_ms / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut suite = TestSuiteBuilder::new(&xml_safe(name));
    suite.set_timestamp(started).add_testcases(chunk.drain(..));
    // Properties have no element in this dialect; a line of JSON carries them.
    suite.set_system_out(&xml_safe(&properties(report)));
    let mut xml = Vec::new();
    ReportBuilder::new().add_testsuite(suite.build()).build().write_xml(&mut xml).map_err(std::io::Error::other)?;
    let xml = String::from_utf8_lossy(&xml);
    let begin = xml.find("<testsuite ").unwrap_or(0);
    let end = xml.rfind("</testsuites>").unwrap_or(xml.len());
    let element = xml.get(begin..end).unwrap_or_default();
    let element = element.replacen("id=\"0\"", &format!("id=\"{number}\""), 1);
    out.write_all(element.trim_end().as_bytes())?;
    out.write_all(b"\n")?;
    Ok(1)
}

fn properties(report: &Report<'_>) -> String {
    serde_json::json!({
        "assize.run": report.run.id,
        "assize.tool": report.run.tool,
        "assize.guideline": report.run.guideline,
        "assize.target": report.run.target.get("base"),
    })
    .to_string()
}

fn case(entry: &CaseEntry) -> TestCase {
    let (suite, name) = (suite_of(&entry.id), entry.id.get(suite_of(&entry.id).len() + 1..).unwrap_or(&entry.id));
    let time = Duration::milliseconds(i64::try_from(entry.result.duration_ms).unwrap_or(i64::MAX));
    let name = xml_safe(name);
    let reason = safe(&entry.result.reason);
    let mut case = match entry.result.outcome {
        Outcome::Pass => TestCaseBuilder::success(&name, time),
        Outcome::Fail => TestCaseBuilder::failure(&name, time, "fail", &reason),
        // A gap is not a pass: a gate that reads only JUnit must not count it as one.
        Outcome::Gap => TestCaseBuilder::failure(&name, time, "gap", &format!("the target lacks it: {reason}")),
        Outcome::Error => TestCaseBuilder::error(&name, time, "error", &reason),
        Outcome::Skip => TestCaseBuilder::skipped_with_cause(&name, "skip", &reason),
        Outcome::NotRun => TestCaseBuilder::skipped_with_cause(&name, "not-run", &reason),
    };
    case.set_classname(&xml_safe(suite));
    if let Some(finding) = entry.result.findings.first() {
        case.set_filepath(&xml_safe(finding.place.rsplit_once(':').map_or(finding.place.as_str(), |(file, _)| file)));
    }
    let detail = detail(entry);
    if !detail.is_empty() {
        case.set_system_out(&safe(&detail));
    }
    case.build()
}

/// Findings, earlier attempts and leaks as text.
fn detail(entry: &CaseEntry) -> String {
    let mut text = String::new();
    if entry.flaky {
        text.push_str("flaky: passed only after a failed attempt\n");
    }
    for finding in &entry.result.findings {
        let rule = finding.rule.as_deref().unwrap_or("");
        text.push_str(&format!(
            "{} {}\n  rule: {rule}\n  check: {}\n  expected: {}\n  actual: {}\n",
            finding.place,
            finding.request.as_deref().unwrap_or(""),
            finding.check,
            finding.expected,
            finding.actual
        ));
    }
    for leak in &entry.result.leaks {
        text.push_str(&format!("left behind: {} ({})\n", leak.what, leak.why));
    }
    text
}

fn safe(text: &str) -> String {
    let text = match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    xml_safe(text)
}

/// The suite part of a case id: everything before the last dot outside the brackets.
pub(super) fn suite_of(id: &str) -> &str {
    let plain = id.split('[').next().unwrap_or(id);
    plain.rsplit_once('.').map_or(plain, |(suite, _)| suite)
}
