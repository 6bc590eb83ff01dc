//! The log of an end-to-end run by ginkgo, `e2e.log`: versions, settings, totals, and which tests it names. No test is taken
//! from it as passed: it is there to be compared with the results.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use crate::capability::sentence_key;

use super::source::{Line, Source};

/// Most tests whose names are kept.
const MOST_NAMED: usize = 20_000;
/// Longest version that is kept.
const LONGEST_VERSION: usize = 80;
/// From so many tests on the time they took says whether they were executed.
const ENOUGH: u64 = 20;

/// What a log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Lines.
    pub lines: u64,
    /// Version of the API server that was asked.
    pub server: Option<String>,
    /// Version of the tests.
    pub suite: Option<String>,
    /// The random seed.
    pub seed: Option<String>,
    /// How many tests were to run, of how many, and in how many milliseconds.
    pub ran: Option<(u64, u64, u64)>,
    /// The totals at the end.
    pub totals: Option<Totals>,
    /// How many marks of a test that ended.
    pub marks: u64,
    /// Conformance tests that it names, by their words.
    pub named: BTreeSet<String>,
    /// Why it must have been a dry run.
    pub dry_run: Option<String>,
}

/// The totals of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Passed on a retry.
    pub flaked: u64,
    /// Skipped.
    pub skipped: u64,
}

impl Log {
    /// Reads a log to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(input: impl BufRead) -> io::Result<Log> {
        let mut source = Source::new(input);
        let (mut log, mut line) = (Log::default(), Vec::new());
        while source.line(&mut line)? != Line::End {
            log.lines += 1;
            log.line(&plain(&String::from_utf8_lossy(&line)));
        }
        if let Some((ran, _, millis)) = log.ran.filter(|(ran, _, millis)| *ran >= ENOUGH && millis < ran) {
            log.dry_run.get_or_insert_with(|| format!("the log says that {ran} tests ran in {millis} ms"));
        }
        Ok(log)
    }

    fn line(&mut self, line: &str) {
        let line = line.trim();
        if let Some(version) = after(line, "kube-apiserver version: ") {
            self.server = Some(version);
        } else if let Some(version) = after(line, "e2e test version: ") {
            self.suite = Some(version);
        } else if let Some(seed) = after(line, "Random Seed: ") {
            self.seed = Some(seed);
        } else if let Some(ran) = line.strip_prefix("Ran ").and_then(ran) {
            self.ran = Some(ran);
        } else if let Some(totals) = line.split_once("! -- ").and_then(|(_, totals)| Totals::parse(totals)) {
            self.totals = Some(totals);
        } else if line.contains("[Conformance]") {
            self.name(line);
        } else if let Some(word) = dry(line) {
            self.dry_run.get_or_insert_with(|| format!("the log says {word}"));
        }
        self.marks += line.chars().take_while(|c| matches!(c, '•' | 'S')).filter(|c| *c == '•').count() as u64;
    }

    /// A line with the name of a test: alone, after a mark, or in a record that says how far the run is.
    fn name(&mut self, line: &str) {
        let record = serde_json::from_str::<serde_json::Value>(line).ok();
        let message = record.as_ref().and_then(|record| record.get("msg")?.as_str());
        let name = message.unwrap_or(line);
        let name = name.strip_prefix("PASSED ").or_else(|| name.strip_prefix("FAILED ")).unwrap_or(name);
        let name = name.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '[');
        if let Some(key) = sentence_key(name).filter(|_| self.named.len() < MOST_NAMED) {
            self.named.insert(key);
        }
    }
}

impl Totals {
    /// `424 Passed | 0 Failed | 0 Pending | 6965 Skipped`.
    fn parse(text: &str) -> Option<Totals> {
        let mut totals = Totals::default();
        let mut any = false;
        for part in text.split('|') {
            let (number, word) = part.trim().split_once(' ')?;
            let number = number.parse().ok()?;
            match word.trim() {
                "Passed" => totals.passed = number,
                "Failed" => totals.failed = number,
                "Flaked" => totals.flaked = number,
                "Skipped" => totals.skipped = number,
                _ => continue,
            }
            any = true;
        }
        any.then_some(totals)
    }
}

/// A line without the colours of a terminal.
fn plain(line: &str) -> String {
    let (mut plain, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix('m').unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

/// The word after a text.
fn after(line: &str, text: &str) -> Option<String> {
    let (_, rest) = line.split_once(text)?;
    let word = rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\\' | ',')).next()?;
    (!word.is_empty() && word.len() <= LONGEST_VERSION).then(|| word.to_owned())
}

/// `424 of 7389 Specs in 6513.011 seconds`.
fn ran(text: &str) -> Option<(u64, u64, u64)> {
    let mut words = text.split_whitespace();
    let ran = words.next()?.parse().ok()?;
    let all = words.nth(1)?.parse().ok()?;
    let seconds = words.nth(2)?;
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let millis: u64 = format!("{:0<3}", part.get(..part.len().min(3))?).parse().ok()?;
    Some((ran, all, whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(millis)?))
}

/// The setting that makes a run a dry one. Commands of the tests themselves have options of the same name.
fn dry(line: &str) -> Option<&'static str> {
    let lower = line.to_ascii_lowercase();
    let is_set = |word: &str| {
        lower.match_indices(word).any(|(at, _)| {
            let rest = lower.get(at + word.len()..).unwrap_or_default().trim_start_matches(['"', '\'']);
            let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches([' ', '"', '\'']);
            value.starts_with("true") || value.starts_with("yes") || value.starts_with('1')
        })
    };
    if is_set("e2e_dryrun") {
        return Some("E2E_DRYRUN=true");
    }
    let of_ginkgo = lower.contains("ginkgo") || lower.contains("e2e.test") || lower.contains("comma-delimited");
    let option = ["--dryrun", "-dryrun", "--dry-run", "-dry-run", "ginkgo.dryrun", "ginkgo.dry-run"];
    (of_ginkgo && option.iter().any(|word| is_set(word))).then_some("that ginkgo was called with dry-run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_understood() {
        let text = "Running Suite: Kubernetes e2e suite\nRandom Seed: \u{1b}[1m1700000000\u{1b}[0m - will randomize all specs\n\
            I1128 10:00:00.1 20 e2e.go:109] e2e test version: v1.34.1\n  I1128 e2e.go] kube-apiserver version: v1.34.1+x\n\
            ------------------------------\n•SS•\n• [4.098 seconds]\n[sig-node] Pods should run [NodeConformance] [Conformance]\n\
            {\"msg\":\"PASSED [sig-apps] Job should \\\"x\\\" [Conformance]\",\"total\":2,\"completed\":2,\"skipped\":9,\"failed\":0}\n\
            Running '/usr/local/bin/kubectl replace -f - --dry-run=server'\n\n\
            Ran 2 of 7389 Specs in 6513.011 seconds\n\u{1b}[38;5;10mSUCCESS!\u{1b}[0m -- 2 Passed | 0 Failed | 1 Flaked | 0 Pending | 7387 Skipped\nPASS\n";
        let log = Log::read(text.as_bytes()).unwrap();
        assert_eq!((log.server.as_deref(), log.suite.as_deref()), (Some("v1.34.1+x"), Some("v1.34.1")));
        assert_eq!(log.seed.as_deref(), Some("1700000000"));
        assert_eq!(log.ran, Some((2, 7389, 6_513_011)));
        assert_eq!(log.totals, Some(Totals { passed: 2, failed: 0, flaked: 1, skipped: 7387 }));
        assert_eq!(log.named.iter().collect::<Vec<_>>(), ["job should \"x\"", "pods should run"]);
        assert_eq!((log.marks, &log.dry_run), (3, &None));
    }

    #[test]
    fn dry_runs_are_known() {
        for line in [
            "E2E_DRYRUN=true",
            "  - name: E2E_DRYRUN: \"true\"",
            "Args (comma-delimited): --focus=x,--dryRun=true,/usr/local/bin/e2e.test",
            "Executable path: ginkgo --dry-run=true",
            "Ran 24 of 100 Specs in 0.011 seconds",
        ] {
            assert!(Log::read(line.as_bytes()).unwrap().dry_run.is_some(), "{line}");
        }
        for line in ["kubectl --dry-run=server", "ginkgo --dry-run=false", "Ran 24 of 100 Specs in 24.0 seconds", "Ran"]
        {
            assert_eq!(Log::read(line.as_bytes()).unwrap().dry_run, None, "{line}");
        }
    }
}
