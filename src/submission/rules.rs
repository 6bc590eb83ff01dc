//! The rules as a table: stable codes, whose they are, what must hold, what to do. `docs/results.md` shows it; a test holds them
//! together.
//!
//! A code keeps its meaning for ever; one that is no longer needed is not given to something else.

use serde::Serialize;

/// Whose rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The programme's own bot refuses what breaks it.
    Bot,
    /// The bot does not look; a reader of the submission would want to know.
    Ours,
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// `C001`.
    pub code: &'static str,
    /// Whose it is.
    pub origin: Origin,
    /// What must hold.
    pub rule: &'static str,
    /// What to do when it does not.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($($code:literal $origin:ident $rule:literal, $remedy:literal;)+) => {
        /// All rules in order.
        pub static RULES: &[Rule] =
            &[$(Rule { code: $code, origin: Origin::$origin, rule: $rule, remedy: $remedy }),+];
    };
}

rules! {
    "C001" Bot "the pull request has a title", "give it one, with the version and the product";
    "C002" Bot "the four files are there", "add README.md, PRODUCT.yaml, e2e.log and junit_01.xml";
    "C003" Bot "no file is empty", "add what the run wrote";
    "C004" Bot "PRODUCT.yaml is YAML", "mend the line that is named";
    "C005" Bot "there is no other file", "leave it out of the submission";
    "C006" Bot "the folder is vX.Y/<product>", "name the folder so, the version without a patch number";
    "C007" Bot "the submission is about one product", "make one pull request for each product and version";
    "C008" Bot "the title names the version of the folder", "make title and folder agree";
    "C009" Bot "PRODUCT.yaml has every field that is needed", "add the field with its value";
    "C010" Bot "addresses are spelt as addresses", "write a whole URL with its scheme, or NAME@DOMAIN";
    "C011" Bot "addresses of pages lead to pages", "open each of them before you submit";
    "C012" Bot "the type is one of the three", "write distribution, hosted platform or installer";
    "C013" Bot "the title has the usual form", "write `Conformance results for vX.Y/<product>`";
    "C014" Bot "the version is the newest or one of the two before it", "run the tests of a newer Kubernetes release";
    "C015" Bot "every required test is in the results", "run the whole conformance suite of this release";
    "C016" Bot "no conformance test failed", "find out why, and run the suite again";
    "C017" Bot "the pull request has one commit", "squash its commits";
    "C101" Ours "junit_01.xml is whole and well-formed", "add the file as the run wrote it";
    "C102" Ours "every required test passed", "skipped is not passed: run the suite where none is skipped";
    "C103" Ours "no test has two results", "do not put results of several runs together: run the suite again";
    "C104" Ours "no test was tried again", "run without retries; a flaky test is a finding";
    "C105" Ours "the durations are those of tests that ran", "add the results of a run, not a list of names";
    "C106" Ours "it was no dry run", "run the tests; a dry run lists them";
    "C107" Ours "the server in the log has the claimed version", "test the version that is claimed";
    "C108" Ours "the tests in the log have the claimed version", "run the suite of the claimed release";
    "C109" Ours "log and results are of the same run", "add both files of one run";
    "C110" Ours "log and results count the same", "add both files of one run, unchanged";
    "C111" Ours "the log names the tests that passed", "add the whole log";
    "C112" Ours "the log goes to the end of the run", "add the whole log";
    "C113" Ours "the results are at most 90 days old", "run the suite again";
    "C114" Ours "PRODUCT.yaml has no other field", "check its spelling, or leave it out";
    "C115" Ours "values of PRODUCT.yaml are texts", "put it in quotes: 1.10 without them is 1.1";
    "C116" Ours "the logo is a vector image", "link an .svg, .eps, .ai or .pdf";
    "C117" Ours "addresses are https", "link the https page";
}

/// The rule of a code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}
