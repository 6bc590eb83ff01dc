use super::*;
use crate::results::collect_files;

const PRODUCT: &str = "vendor: Toy\nname: Toy Cluster\nversion: 'v2.0'\ntype: distribution\ndescription: A toy.\n\
    website_url: https://toy.example/\ndocumentation_url: https://toy.example/docs\n\
    contact_email_address: toy@toy.example\nproduct_logo_url: https://toy.example/logo.svg\n";

const TESTS: [&str; 3] = [
    "[sig-node] Toys should roll [NodeConformance] [Conformance]",
    "[sig-apps] Toys should \"stop\" <soon> [Conformance]",
    "[sig-apps] Toys should come back [Conformance]",
];

const LIST: &str = "
- {testname: A, codename: '[sig-node] Toys should roll [NodeConformance] [Conformance]', description: It MUST., release: v1.9, file: a.go}
- {testname: B, codename: '[sig-apps] Toys should \"stop\" <soon> [Conformance]', description: It MUST., release: v1.34, file: a.go}
- {testname: C, codename: '[sig-apps] Toys should come back [Conformance]', description: It MUST., release: v1.35, file: a.go}
";

const LOG: &str = "I e2e.go:109] e2e test version: v1.34.1\nI e2e.go:124] kube-apiserver version: v1.34.2\n\
    Random Seed: 17 - will randomize all specs\n• [1.0 seconds]\n[sig-node] Toys should roll [NodeConformance] [Conformance]\n\
    • [2.0 seconds]\n[sig-apps] Toys should \"stop\" <soon> [Conformance]\n\n\
    Ran 2 of 3 Specs in 3.001 seconds\nSUCCESS! -- 2 Passed | 0 Failed | 0 Pending | 1 Skipped\n";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Results in the dialect of ginkgo v2.
fn junit(cases: &[(&str, &str, &str)]) -> String {
    let mut xml = "<testsuites><testsuite name=\"Kubernetes e2e suite\" timestamp=\"2026-03-01T10:00:00\"><properties>\
        <property name=\"RandomSeed\" value=\"17\"/><property name=\"FlakeAttempts\" value=\"0\"/></properties>\
        <testcase name=\"[SynchronizedBeforeSuite]\" classname=\"Kubernetes e2e suite\" status=\"passed\" time=\"0.1\"/>"
        .to_owned();
    for (name, time, child) in cases {
        let name = escaped(name);
        xml.push_str(&format!(
            "<testcase name=\"[It] {name}\" classname=\"Kubernetes e2e suite\" time=\"{time}\">{child}</testcase>"
        ));
    }
    xml.push_str("</testsuite></testsuites>");
    xml
}

fn good() -> String {
    junit(&[(TESTS[0], "1.0", ""), (TESTS[1], "2.0", ""), (TESTS[2], "0", "<skipped message=\"skipped\"/>")])
}

fn submission(junit: &str, log: &str) -> Submission {
    let files = [("e2e.log".to_owned(), log.as_bytes()), ("junit_01.xml".to_owned(), junit.as_bytes())];
    let (of, tests) = crate::guideline::conformance_entries("conformance.v1.34.yaml", LIST.as_bytes()).unwrap();
    Submission {
        place: ("v1.34".to_owned(), "toy".to_owned()),
        files: FILES.iter().map(|name| ((*name).to_owned(), 9)).collect(),
        product: Some(PRODUCT.as_bytes().to_vec()),
        results: Some(collect_files(files).unwrap()),
        tests: Some(tests),
        tests_of: of,
        title: Some("Conformance results for v1.34/toy".to_owned()),
        latest: Some(Release(1, 36)),
        commits: Some(1),
        touched: FILES.iter().map(|name| format!("v1.34/toy/{name}")).collect(),
        day: "2026-03-20".parse().ok(),
        ..Submission::default()
    }
}

fn in_state(submission: &Submission, state: State) -> Vec<&'static str> {
    check(submission).iter().filter(|one| one.state == state).map(|one| one.code).collect()
}

fn broken(submission: &Submission) -> Vec<&'static str> {
    in_state(submission, State::Broken)
}

fn details(submission: &Submission, code: &str) -> String {
    check(submission).into_iter().find(|one| one.code == code).unwrap().details.join("; ")
}

#[test]
fn a_good_one_breaks_no_rule_and_only_fetching_is_left_out() {
    let good = submission(&good(), LOG);
    assert_eq!(broken(&good), Vec::<&str>::new(), "{:#?}", check(&good));
    assert_eq!(in_state(&good, State::NotChecked), ["C011"]);
}

#[test]
fn what_is_not_given_is_not_taken_as_fine() {
    let bare = Submission { place: ("v1.34".to_owned(), "toy".to_owned()), ..Submission::default() };
    assert_eq!(broken(&bare), ["C002"]);
    assert_eq!(in_state(&bare, State::Holds), ["C003", "C005", "C006"]);
    assert_eq!(check(&bare).len(), rules::RULES.len());
}

/// Each rule is broken by something, and by nothing else than what is meant to break it.
#[test]
fn each_rule_can_be_broken() {
    type Edit = fn(&mut Submission);
    let edits: &[(&[&str], Edit)] = &[
        (&["C001", "C008", "C013"], |it| it.title = Some(String::new())),
        (&["C002"], |it| it.files.retain(|name, _| name != "README.md")),
        (&["C003"], |it| it.files.extend([("README.md".to_owned(), 0)])),
        (&["C004"], |it| it.product = Some(b"vendor: [".to_vec())),
        (&["C005"], |it| it.files.extend([("notes.txt".to_owned(), 1)])),
        (&["C005"], |it| it.touched.push("README.md".to_owned())),
        (&["C005", "C007"], |it| it.touched.push("v1.34/other/README.md".to_owned())),
        (&["C008", "C013"], |it| it.title = Some("Conformance results for v1.33/toy".to_owned())),
        (&["C013"], |it| it.title = Some("Results of toy for v1.34".to_owned())),
        (&["C014"], |it| it.latest = Some(Release(1, 37))),
        (&["C017"], |it| it.commits = Some(2)),
        (&["C113"], |it| it.day = "2026-06-01".parse().ok()),
        (&["C113"], |it| it.day = "2026-02-01".parse().ok()),
    ];
    for (codes, edit) in edits {
        let mut one = submission(&good(), LOG);
        edit(&mut one);
        assert_eq!(&broken(&one), codes);
    }
    let mut patched = submission(&good(), LOG);
    patched.place.0 = "v1.34.2".to_owned();
    assert!(broken(&patched).contains(&"C006"), "{:?}", broken(&patched));
}

#[test]
fn the_product_is_read() {
    let with = |from: &str, to: &str| {
        let mut one = submission(&good(), LOG);
        one.product = Some(PRODUCT.replace(from, to).into_bytes());
        broken(&one)
    };
    assert_eq!(with("vendor: Toy\n", ""), ["C009"]);
    assert_eq!(with("vendor: Toy\n", "vendor: ''\n"), ["C009"]);
    assert_eq!(with("https://toy.example/docs", "toy.example/docs"), ["C010"]);
    assert_eq!(with("toy@toy.example", "toy"), ["C010"]);
    assert_eq!(with("https://toy.example/docs", "http://toy.example/docs"), ["C117"]);
    assert_eq!(with("distribution", "distro"), ["C012"]);
    assert_eq!(with("distribution", "Hosted Platform"), Vec::<&str>::new());
    assert_eq!(with("vendor: Toy\n", "vendor: Toy\nlogo: x\n"), ["C114"]);
    assert_eq!(with("'v2.0'", "1.10"), ["C115"]);
    assert_eq!(with("logo.svg", "logo.png"), ["C116"]);
    assert_eq!(with(PRODUCT, "just text"), ["C004"]);
}

#[test]
fn results_must_be_those_of_the_whole_suite() {
    let with = |cases: &[(&str, &str, &str)], totals: &str| {
        submission(&junit(cases), &LOG.replace("2 Passed | 0 Failed | 0 Pending | 1 Skipped", totals))
    };
    let one = with(&[(TESTS[0], "1.0", "")], "1 Passed | 0 Failed | 0 Pending | 2 Skipped");
    assert_eq!(broken(&one), ["C015", "C102"]);
    let skipped =
        with(&[(TESTS[0], "1.0", ""), (TESTS[1], "0", "<skipped/>")], "1 Passed | 0 Failed | 0 Pending | 2 Skipped");
    assert_eq!(broken(&skipped), ["C015", "C102"]);
    assert!(details(&skipped, "C015").ends_with("which is skip"));
    let failed =
        with(&[(TESTS[0], "1.0", ""), (TESTS[1], "2.0", "<failure/>")], "1 Passed | 1 Failed | 0 Pending | 1 Skipped");
    assert_eq!(broken(&failed), ["C016", "C102"]);
    let renamed =
        with(&[("[sig-node] Toys should roll [Conformance]", "1.0", ""), (TESTS[1], "2.0", "")], "2 Passed | 0 Failed");
    assert_eq!(broken(&renamed), ["C015", "C102"]);
    assert!(details(&renamed, "C015").contains("whole names are compared"));
    let other = Submission { tests_of: Some(Release(1, 35)), ..submission(&good(), LOG) };
    assert_eq!(in_state(&other, State::NotChecked), ["C011", "C015", "C102"]);
}

#[test]
fn a_run_that_did_not_take_place_is_seen() {
    let with = |junit: &str, log: &str| broken(&submission(junit, log));
    let damaged = good().replace("</testsuites>", "");
    assert_eq!(with(&damaged, LOG), ["C101"]);
    let twice = junit(&[(TESTS[0], "1.0", ""), (TESTS[0], "1.5", ""), (TESTS[1], "2.0", "")]);
    assert_eq!(with(&twice, LOG), ["C103"]);
    assert_eq!(with(&good().replace("\"FlakeAttempts\" value=\"0\"", "\"FlakeAttempts\" value=\"3\""), LOG), ["C104"]);
    assert_eq!(with(&good(), &LOG.replace("0 Pending", "1 Flaked")), ["C104"]);
    // A list of names with a pass for each.
    let made_up = junit(&[(TESTS[0], "0", ""), (TESTS[1], "0", "")]);
    assert_eq!(with(&made_up, "nothing\n"), ["C102", "C105", "C106", "C112"]);
    let names: Vec<String> = (0..30).map(|number| format!("[sig-x] Toy should be {number} [Conformance]")).collect();
    let mut equal: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "5", "")).collect();
    equal.extend([(TESTS[0], "5", ""), (TESTS[1], "5", "")]);
    assert_eq!(with(&junit(&equal), LOG), ["C105", "C110", "C111"]);
    assert_eq!(
        with(&good().replace("\"RandomSeed\" value=\"17\"", "\"DryRun\" value=\"true\""), LOG),
        ["C102", "C106"]
    );
    assert_eq!(
        with(&good(), &LOG.replace("kube-apiserver version: v1.34.2", "kube-apiserver version: v1.33.2")),
        ["C107"]
    );
    assert_eq!(with(&good(), &LOG.replace("test version: v1.34.1", "test version: v1.33.1")), ["C108"]);
    assert_eq!(with(&good(), &LOG.replace("Random Seed: 17", "Random Seed: 18")), ["C109"]);
    assert_eq!(with(&good(), &LOG.replace("2 Passed", "5 Passed")), ["C110"]);
    assert_eq!(with(&good(), &LOG.replace("[sig-node] Toys should roll", "[sig-node] Toys")), ["C111"]);
    let cut = LOG.split("Ran 2").next().unwrap();
    assert_eq!(with(&good(), cut), ["C112"]);
    let silent: String = LOG
        .lines()
        .filter(|line| !line.contains("Toys") && !line.starts_with('•'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(with(&good(), &silent), ["C111"]);
}

#[test]
fn every_rule_is_on_the_page() {
    let page = include_str!("../../docs/results.md");
    for rule in rules::RULES {
        let whose = if rule.origin == Origin::Bot { "bot" } else { "ours" };
        let row = format!("| {} | {whose} | {} |", rule.code, rule.rule);
        assert!(page.contains(&row), "docs/results.md lacks the row\n{row}");
        assert_eq!(rules::rule(rule.code).map(|it| it.code), Some(rule.code));
    }
}
