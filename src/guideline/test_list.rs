//! The list of tests that a program asks for, as RefStack gave it out: one `name[id]` a line, sorted.

use crate::capability::LifeCycle;

use super::model::{Guideline, Program};

/// What a list of tests is to hold.
#[derive(Debug, Clone)]
pub struct TestListOptions {
    /// Capabilities of these standings.
    pub standings: Vec<LifeCycle>,
    /// The other names of each test too.
    pub aliases: bool,
    /// Flagged tests too.
    pub flagged: bool,
}

/// The tests of a program. A test in two capabilities is listed twice, as RefStack does: what it counts is references.
pub fn test_list(guideline: &Guideline, program: &Program, options: &TestListOptions) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, standing) in guideline.standing(program) {
        let Some(capability) = guideline.capabilities.get(id).filter(|_| options.standings.contains(&standing)) else {
            continue;
        };
        for (name, test) in &capability.tests {
            let flagged = test.flagged.as_ref().is_some_and(|flag| flag.seen_by_refstack);
            if flagged && !options.flagged {
                continue;
            }
            let aliases = test.aliases.iter().filter(|_| options.aliases);
            for name in std::iter::once(name).chain(aliases) {
                lines.push(match &test.idempotent_id {
                    Some(id) => format!("{name}[{id}]"),
                    None => name.to_string(),
                });
            }
        }
    }
    lines.sort();
    lines
}
