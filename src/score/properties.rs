//! What must hold for every guideline and every set of results.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::capability::{CapabilityId, Family, LifeCycle, Outcome, TestId};
use crate::guideline::{
    Approval, Attempts, Capability, Component, ComponentRef, Flag, Guideline, GuidelineId, Metadata, Origin, Places,
    Program, Scoring, Test, Waiver, WaiverScope, Waivers,
};

fn test_id(number: usize) -> TestId {
    format!("suite.t{number}").parse().unwrap()
}

fn capability_id(number: usize) -> CapabilityId {
    format!("cap-{number}").parse().unwrap()
}

fn test() -> impl Strategy<Value = Test> {
    prop::bool::weighted(0.2).prop_map(|flagged| {
        let flag = Flag {
            code: None,
            reason: String::new(),
            action: String::new(),
            date: None,
            owner: None,
            seen_by_refstack: true,
        };
        Test { flagged: flagged.then(|| Box::new(flag)), ..Test::default() }
    })
}

fn capability() -> impl Strategy<Value = (LifeCycle, Capability)> {
    let tests = prop::collection::btree_map((0..8usize).prop_map(test_id), test(), 0..4);
    let level =
        prop_oneof![4 => Just(LifeCycle::Required), 1 => Just(LifeCycle::Advisory), 1 => Just(LifeCycle::Removed)];
    let attempts = prop_oneof![Just(Attempts::Any), Just(Attempts::First)];
    (level, 1..2000u32, attempts, tests).prop_map(|(level, weight, attempts, tests)| {
        (level, Capability { weight: Some(weight), attempts, tests, ..Capability::default() })
    })
}

fn guideline() -> impl Strategy<Value = Guideline> {
    (prop::collection::vec(capability(), 0..5), prop::bool::weighted(0.1)).prop_map(|(drawn, dangling)| {
        let mut component = Component::default();
        let mut capabilities = BTreeMap::new();
        for (number, (level, capability)) in drawn.into_iter().enumerate() {
            component.capabilities.entry(level).or_default().push(capability_id(number));
            capabilities.insert(capability_id(number), capability);
        }
        let refer = |name: &str| ComponentRef { name: name.to_string(), source: None };
        let mut components = vec![refer("core")];
        components.extend(dangling.then(|| refer("lost")));
        Guideline {
            metadata: Metadata {
                id: GuidelineId("x".to_string()),
                schema: "2.0".to_string(),
                family: Family::Redfish,
                min_tool: None,
                source: None,
                reference: None,
                approval: Approval::default(),
                scoring: Scoring::default(),
                origin: Origin::Assize,
                accept: BTreeMap::new(),
                derived: None,
            },
            programs: vec![Program {
                name: "P".to_string(),
                description: String::new(),
                components,
                host_components: Vec::new(),
            }],
            components: BTreeMap::from([("core".to_string(), component)]),
            capabilities,
            designated_sections: BTreeMap::new(),
            test_repositories: BTreeMap::new(),
            places: Places::default(),
        }
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![6 => Just(Outcome::Pass), 4 => prop::sample::select(Outcome::ALL)]
}

type Rows = BTreeMap<TestId, TestResult>;

fn rows() -> impl Strategy<Value = Rows> {
    let result = (outcome(), prop::bool::weighted(0.1)).prop_map(|(outcome, flaky)| TestResult { outcome, flaky });
    prop::collection::btree_map((0..8usize).prop_map(test_id), result, 0..9)
}

fn waivers() -> impl Strategy<Value = Waivers> {
    let scope = prop_oneof![
        (0..8usize).prop_map(|number| WaiverScope::Test(test_id(number))),
        (0..5usize).prop_map(|number| WaiverScope::Capability(capability_id(number))),
    ];
    let waiver = (scope, prop::bool::ANY).prop_map(|(scope, alive)| Waiver {
        scope,
        owner: "o".to_string(),
        reason: "r".to_string(),
        expires: if alive { today() } else { today().yesterday().unwrap() },
        link: None,
    });
    prop::collection::vec(waiver, 0..3).prop_map(Waivers)
}

fn today() -> Date {
    Date::constant(2026, 11, 20)
}

fn scored(guideline: &Guideline, rows: &Rows, waivers: &Waivers) -> ProgramScore {
    let results = rows.clone().into_iter().collect();
    score(guideline, Some("P"), &results, waivers, today()).unwrap().remove(0)
}

fn is_accepted(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Conformant | Verdict::ConformantWithWaivers)
}

const PASS: TestResult = TestResult { outcome: Outcome::Pass, flaky: false };

proptest! {
    #[test]
    fn a_pass_more_never_lowers_the_score(guideline in guideline(), rows in rows(), waivers in waivers(), number in 0..8usize) {
        let before = scored(&guideline, &rows, &waivers);
        let mut more = rows;
        more.insert(test_id(number), PASS);
        let after = scored(&guideline, &more, &waivers);
        prop_assert!(after.score.passed >= before.score.passed);
        prop_assert!(after.score.percent >= before.score.percent);
        prop_assert!(!is_accepted(before.verdict) || is_accepted(after.verdict));
    }

    #[test]
    fn nothing_run_is_never_conformant(guideline in guideline(), waivers in waivers()) {
        let score = scored(&guideline, &Rows::new(), &waivers);
        prop_assert_eq!(score.verdict, Verdict::Unproven);
        prop_assert_eq!(score.score.passed, 0);
    }

    #[test]
    fn conformant_means_the_full_score_and_no_waiver(guideline in guideline(), rows in rows(), waivers in waivers()) {
        let score = scored(&guideline, &rows, &waivers);
        let waived = score.required.iter().any(|one| one.status == Status::Waived);
        prop_assert_eq!(score.verdict == Verdict::Conformant, score.score.is_full() && !waived);
        prop_assert_eq!(score.score.percent.tenths() == 1000, score.score.is_full());
    }

    #[test]
    fn conformant_here_is_compliant_there(guideline in guideline(), rows in rows()) {
        let score = scored(&guideline, &rows, &Waivers::none());
        let passed: BTreeSet<&str> =
            rows.iter().filter(|(_, row)| row.outcome.is_pass()).map(|(test, _)| test.as_str()).collect();
        let theirs = defcore_rules(&guideline, "P", &passed).unwrap();
        prop_assert!(score.verdict != Verdict::Conformant || theirs.compliance);
        prop_assert!(theirs.must_passed <= theirs.must_pass);
        prop_assert_eq!(theirs.must_passed, theirs.must_pass + theirs.passed + theirs.flagged_not_passed - theirs.required_tests);
    }

    #[test]
    fn the_remedy_is_enough_and_nothing_of_it_is_too_much(guideline in guideline(), rows in rows(), waivers in waivers()) {
        let score = scored(&guideline, &rows, &waivers);
        let blocked = score.to_conform.iter().any(|one| one.blocked.is_some()) || !score.missing_components.is_empty();
        prop_assume!(!blocked && !score.required.is_empty());
        let needed: Vec<TestId> = score.to_conform.iter().flat_map(|one| one.tests.clone()).collect();
        let mut all = rows.clone();
        all.extend(needed.iter().map(|test| (test.clone(), PASS)));
        // Waivers alone are no evidence, so something must have passed.
        let verdict = scored(&guideline, &all, &waivers).verdict;
        prop_assert!(is_accepted(verdict) || needed.is_empty());
        for left_out in &needed {
            let mut fewer = all.clone();
            match rows.get(left_out) {
                Some(row) => fewer.insert(left_out.clone(), *row),
                None => fewer.remove(left_out),
            };
            prop_assert!(!is_accepted(scored(&guideline, &fewer, &waivers).verdict));
        }
    }

    #[test]
    fn a_score_reads_back(guideline in guideline(), rows in rows(), waivers in waivers()) {
        let score = scored(&guideline, &rows, &waivers);
        let json = serde_json::to_string(&score).unwrap();
        prop_assert_eq!(serde_json::from_str::<ProgramScore>(&json).unwrap(), score);
    }
}
