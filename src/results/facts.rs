//! What results say beside the tests: versions, how the run was made, whether anything ran at all.

use super::e2e_log::Log;

/// What is known beside the tests. Everything may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Why it must have been a dry run: nothing was executed, so nothing passed.
    pub dry_run: Option<String>,
    /// How often a test was tried before it counted as failed.
    pub attempts: Option<u64>,
    /// The random seed of the run.
    pub seed: Option<String>,
    /// Version of the server, as the collector asked for it.
    pub server: Option<String>,
    /// What the log of the run says.
    pub log: Option<Log>,
    /// How many JUnit documents there were.
    pub documents: u32,
}

impl Facts {
    /// A property of a suite, as ginkgo writes its own settings.
    pub(super) fn property(&mut self, name: &str, value: &str) {
        match name {
            "DryRun" if value.eq_ignore_ascii_case("true") => self.is_dry("the property DryRun of the suite is true"),
            "FlakeAttempts" => self.attempts = self.attempts.max(value.trim().parse().ok()),
            "RandomSeed" => self.seed = Some(value.trim().to_owned()).filter(|seed| !seed.is_empty()),
            _ => {}
        }
    }

    /// Notes why it is a dry run; the first reason stays.
    pub(super) fn is_dry(&mut self, why: impl Into<String>) {
        self.dry_run.get_or_insert_with(|| why.into());
    }
}
