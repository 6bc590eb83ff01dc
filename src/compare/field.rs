//! Many products on one capability: who would break if it became required.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::capability::LifeCycle;
use crate::score::{Percent, Status};

/// Above this share, in percent, a capability that is not required is a candidate.
const CANDIDATE: usize = 80;
/// Below this share one that is required or advisory is at risk.
const AT_RISK: usize = 50;

/// A product with the status of its capabilities, by its latest report.
#[derive(Debug, Clone)]
pub struct ProductStatus {
    /// What to call it.
    pub product: String,
    /// Status of each capability that its report scores.
    pub statuses: BTreeMap<String, Status>,
}

/// What the share of passing products suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Not required, and passed by more than 80 %.
    Candidate,
    /// Required or advisory, and passed by less than 50 %.
    AtRisk,
}

impl Mark {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::AtRisk => "at risk",
        }
    }
}

/// A capability over all products.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FieldRow {
    /// Its id.
    pub capability: String,
    /// Its level in the guideline.
    pub level: LifeCycle,
    /// Products that pass it.
    pub pass: Vec<String>,
    /// Products that fail it.
    pub fail: Vec<String>,
    /// Products that do not have it.
    pub gap: Vec<String>,
    /// Products that did not test it.
    pub untested: Vec<String>,
    /// Number of products that tested it.
    pub tested: usize,
    /// Share of those that pass in those that tested it, in percent, cut to one decimal. `None` when nobody did.
    pub percent: Option<Percent>,
    /// What that suggests.
    pub mark: Option<Mark>,
}

/// Capabilities over all products.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Field {
    /// `assize-diff/1`.
    pub format: &'static str,
    /// The guideline.
    pub guideline: String,
    /// Number of products.
    pub products: usize,
    /// The capabilities, in the order given.
    pub capabilities: Vec<FieldRow>,
}

/// Counts products by capability.
#[must_use]
pub fn field(guideline: String, capabilities: &[(String, LifeCycle)], products: &[ProductStatus]) -> Field {
    let rows = capabilities.iter().map(|(id, level)| row(id, *level, products));
    Field { format: FORMAT, guideline, products: products.len(), capabilities: rows.collect() }
}

fn row(id: &str, level: LifeCycle, products: &[ProductStatus]) -> FieldRow {
    let of = |wanted: fn(Option<Status>) -> bool| -> Vec<String> {
        let those = products.iter().filter(|one| wanted(one.statuses.get(id).copied()));
        those.map(|one| one.product.clone()).collect()
    };
    let mut row = FieldRow {
        capability: id.to_owned(),
        level,
        pass: of(|status| status.is_some_and(Status::is_met)),
        fail: of(|status| status == Some(Status::Failed)),
        gap: of(|status| status == Some(Status::Gap)),
        untested: of(|status| matches!(status, None | Some(Status::Unproven))),
        tested: 0,
        percent: None,
        mark: None,
    };
    row.tested = row.pass.len() + row.fail.len() + row.gap.len();
    let (pass, tested) = (row.pass.len(), row.tested);
    if tested > 0 {
        row.percent = Some(Percent::cut(pass as u64, tested as u64));
        let counts = matches!(level, LifeCycle::Required | LifeCycle::Advisory);
        row.mark = if level != LifeCycle::Required && pass * 100 > CANDIDATE * tested {
            Some(Mark::Candidate)
        } else if counts && pass * 100 < AT_RISK * tested {
            Some(Mark::AtRisk)
        } else {
            None
        };
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_and_those_at_risk() {
        let product = |n: usize, statuses: &[(&str, Status)]| ProductStatus {
            product: format!("p{n}"),
            statuses: statuses.iter().map(|(id, status)| ((*id).to_owned(), *status)).collect(),
        };
        let mut products = Vec::new();
        for n in 0..10 {
            let new = if n < 9 { Status::Passed } else { Status::Gap };
            let old = if n < 4 { Status::Passed } else { Status::Failed };
            let even = if n < 8 { Status::Passed } else { Status::Failed };
            products.push(product(n, &[("new", new), ("old", old), ("even", even)]));
        }
        products.push(product(10, &[]));
        let wanted = [
            ("new", LifeCycle::Advisory),
            ("old", LifeCycle::Required),
            ("even", LifeCycle::Advisory),
            ("none", LifeCycle::Required),
        ];
        let wanted: Vec<(String, LifeCycle)> = wanted.iter().map(|(id, level)| ((*id).to_owned(), *level)).collect();
        let found = field("g".to_owned(), &wanted, &products);
        let rows: Vec<_> =
            found.capabilities.iter().map(|row| (row.pass.len(), row.tested, row.untested.len(), row.mark)).collect();
        // Exactly 80 % is not above it.
        assert_eq!(
            rows,
            [(9, 10, 1, Some(Mark::Candidate)), (4, 10, 1, Some(Mark::AtRisk)), (8, 10, 1, None), (0, 0, 11, None)]
        );
        assert_eq!(found.capabilities[0].gap, ["p9"]);
    }
}
