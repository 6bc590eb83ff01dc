//! Results of other tools as evidence.

use crate::capability::{Outcome, TestId};
use crate::results::Collected;

use super::results::{Results, Row, TestResult};

impl Results {
    /// What other tools found out. Names that no test can have are left out.
    #[must_use]
    pub fn of_others(collected: &Collected) -> Results {
        let mut results = Results::new();
        for (name, row) in &collected.rows {
            let Ok(test) = name.parse::<TestId>() else { continue };
            let result = TestResult { outcome: row.outcome, flaky: row.flaky };
            let ids = row.ids.iter().cloned().collect();
            results.add_row(test, Row::new(result, ids, row.reason.clone()));
        }
        for (class, row) in &collected.set_ups {
            let why = row.reason.as_deref().unwrap_or("no reason given");
            // A set-up that failed says nothing about the target that a test would have said.
            let (outcome, what) =
                if row.outcome == Outcome::Skip { (Outcome::Skip, "was skipped") } else { (Outcome::Error, "failed") };
            results.set_up(class, outcome, &format!("the set-up of {class} {what}: {why}"));
        }
        if let Some(damage) = &collected.damage {
            results.incomplete(format!("the results are damaged at {damage}"));
        }
        results
    }
}
