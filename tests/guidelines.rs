//! Guidelines: ours are sound, and those that the OpenStack programme published are read, listed and counted as its own
//! server did. The published files are not part of the project: they are looked for in `ASSIZE_GUIDELINES`, else in
//! `../shared/guidelines` beside the project, and the tests that need them are skipped when they are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use assize::capability::{LifeCycle, Outcome, TestId};
use assize::guideline::worksheet::Sheet;
use assize::guideline::{Guideline, TestListOptions, Waivers, codes, is_guideline, lint, lint_together, test_list};
use assize::score::{Results, TestResult, defcore_rules, score};
use assize::text::{Diagnostics, yaml};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of published OpenStack documents, or a printed reason why the test is skipped.
fn published() -> Option<PathBuf> {
    published_by("openstack")
}

fn published_by(project: &str) -> Option<PathBuf> {
    let mut places = Vec::new();
    match env::var_os("ASSIZE_GUIDELINES") {
        Some(folder) => places.push(PathBuf::from(folder)),
        None => places.extend(root().ancestors().skip(1).take(2).map(|folder| folder.join("shared/guidelines"))),
    }
    let found = places.iter().map(|place| place.join(project)).find(|place| place.is_dir());
    if found.is_none() {
        println!(
            "skipped: no published guidelines in {places:?}; set ASSIZE_GUIDELINES to a folder that has {project}/"
        );
    }
    found
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(json_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> (Guideline, Diagnostics) {
    Guideline::read(&path.display().to_string(), &fs::read(path).unwrap())
        .unwrap_or_else(|problems| panic!("{}:\n{problems}", path.display()))
}

fn counts(found: &Diagnostics) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for one in found {
        *counts.entry(one.code).or_default() += 1;
    }
    counts
}

#[test]
fn ours_are_sound_alone_and_together() {
    let mut all = Vec::new();
    for path in json_files(&root().join("capabilities")) {
        let (guideline, notes) = read(&path);
        assert!(notes.is_empty(), "{notes}");
        let found = lint(&guideline, None);
        assert!(found.is_empty(), "{found}");
        all.push(guideline);
    }
    let found = lint_together(&all.iter().collect::<Vec<_>>());
    assert!(found.is_empty(), "{found}");
}

#[test]
fn the_totals_of_our_worksheets_are_the_sums() {
    let mut scored = 0;
    for path in json_files(&root().join("capabilities")) {
        let json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let weights = &json["metadata"]["scoring"]["criteria"];
        for (id, capability) in json["capabilities"].as_object().unwrap() {
            let Some(criteria) = capability["criteria"].as_object() else { continue };
            let met = criteria.iter().filter(|(_, own)| **own == 1 || own["score"] == 1);
            let sum: u64 = met.map(|(key, _)| weights[key]["weight"].as_u64().unwrap()).sum();
            let veto = capability["admin"] == true;
            assert_eq!(capability["total"], if veto { 0 } else { sum }, "{}: {id}", path.display());
            scored += 1;
        }
    }
    assert!(scored > 60, "{scored}");
}

#[test]
fn every_code_is_on_the_page() {
    let page = fs::read_to_string(root().join("docs/guidelines.md")).unwrap();
    for code in codes::CODES {
        let row = format!("| {} | {} |", code.code, code.rule);
        assert!(page.contains(&row), "docs/guidelines.md lacks the row\n{row}");
    }
}

#[test]
fn every_published_guideline_is_read() {
    let Some(folder) = published() else { return };
    let mut read_files = 0;
    let mut known = BTreeSet::new();
    for path in json_files(&folder) {
        let bytes = fs::read(&path).unwrap();
        if !is_guideline(&bytes) {
            continue;
        }
        let (guideline, problems) = read(&path);
        read_files += 1;
        assert!(!problems.has_errors() && !guideline.capabilities.is_empty(), "{problems}");
        let found = lint(&guideline, None);
        for one in problems.iter().chain(found.iter()) {
            let complete = one.position().is_some() && one.path.is_some() && one.help.is_some();
            assert!(complete && codes::rule(one.code).is_some(), "{}: {one:?}", path.display());
            known.insert(one.code);
        }
        the_path_leads_to_the_line(&path, &found);
    }
    assert_eq!(read_files, 32, "{}", folder.display());
    for code in ["G021", "G023", "G025", "G026", "G101", "G105", "G106", "G108", "G110", "G111", "G114", "G115"] {
        assert!(known.contains(code), "{code}");
    }
    for code in ["G116", "G118", "G119", "G121", "G122", "G123", "G126", "G127"] {
        assert!(known.contains(code), "{code}");
    }
}

/// The JSON path of a finding is that of a value which exists.
fn the_path_leads_to_the_line(path: &Path, found: &Diagnostics) {
    let source = assize::text::SourceFile::new("x", fs::read_to_string(path).unwrap());
    let tree = yaml::parse(&source).unwrap().to_json();
    for one in found.iter().take(20) {
        let query = one.path.as_deref().unwrap();
        // A key with a hyphen needs quotes in the standard; what is shown leaves them out.
        let mut node = &tree;
        for key in keys_of(query) {
            node = match key.parse::<usize>() {
                Ok(index) if node.is_array() => &node[index],
                _ => &node[key.as_str()],
            };
        }
        assert!(!node.is_null(), "{query} in {}", path.display());
    }
}

fn keys_of(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = path.trim_start_matches('$');
    while !rest.is_empty() {
        let end = match rest.strip_prefix("[\"") {
            Some(quoted) => quoted.find("\"]").unwrap() + 4,
            None => rest[1..].find(['.', '[']).map_or(rest.len(), |at| at + 1),
        };
        keys.push(rest[..end].trim_matches(['.', '[', ']', '"']).to_owned());
        rest = &rest[end..];
    }
    keys
}

/// Defects of the published files, counted by hand and by a script of its own beforehand.
#[test]
fn the_known_defects_of_the_published_files_are_found() {
    let Some(folder) = published() else { return };
    let cases: [(&str, &[(&str, usize)]); 9] = [
        ("2015.05.json", &[("G105", 3), ("G106", 3), ("G116", 1)]),
        ("2015.07.json", &[("G106", 6), ("G110", 5), ("G111", 5)]),
        ("2016.01.json", &[("G106", 5), ("G126", 29), ("G111", 5)]),
        ("2017.01.json", &[("G106", 6), ("G111", 10), ("G115", 61), ("G126", 1)]),
        (
            "2018.02.json",
            &[("G021", 2), ("G023", 75), ("G101", 2), ("G106", 4), ("G115", 57), ("G119", 2), ("G127", 1)],
        ),
        ("2020.06.json", &[("G021", 3), ("G106", 2), ("G105", 1), ("G115", 2), ("G118", 17), ("G119", 2), ("G110", 4)]),
        ("next.json", &[("G101", 14)]),
        ("add-ons/orchestration.2018.11.json", &[("G121", 1), ("G126", 60), ("G127", 1), ("G123", 1)]),
        ("schema/next.2.0.json", &[("G023", 8), ("G126", 1)]),
    ];
    for (name, wanted) in cases {
        let (guideline, mut found) = read(&folder.join(name));
        found.extend(lint(&guideline, None));
        let counts = counts(&found);
        for (code, number) in wanted {
            assert_eq!(counts.get(code), Some(number), "{name} {code}");
        }
    }
}

#[test]
fn what_is_wrong_between_the_published_files_is_found() {
    let Some(folder) = published() else { return };
    let files = json_files(&folder).into_iter().filter(|path| is_guideline(&fs::read(path).unwrap()));
    let all: Vec<Guideline> = files.map(|path| read(&path).0).collect();
    let found = lint_together(&all.iter().collect::<Vec<_>>());
    let counts = counts(&found);
    // Four approved at once in three series; one dangling component; one name with two ids.
    for (code, number) in [("G142", 6), ("G144", 1), ("G145", 1), ("G143", 2), ("G141", 5)] {
        assert_eq!(counts.get(code), Some(&number), "{code}\n{counts:?}");
    }
    for code in ["G146", "G147", "G148", "G149", "G150"] {
        assert!(counts.contains_key(code), "{code}\n{counts:?}");
    }
    let shown = found.to_string();
    for part in ["it replaces 2018.02, although 2020.06", "does not define component `os_powered_compute`"] {
        assert!(shown.contains(part), "{part}");
    }
}

/// Numbers counted by a script of its own beforehand.
#[test]
fn the_published_lists_of_conformance_tests_are_read() {
    let Some(folder) = published_by("kubernetes") else { return };
    // Tests, then what is odd: no MUST or SHOULD, titles used twice, releases, groups.
    let cases = [
        ("v1.20", 311, [29, 7, 0, 58]),
        ("v1.34", 424, [71, 12, 1, 0]),
        ("v1.35", 441, [83, 9, 1, 0]),
        ("v1.36", 446, [86, 10, 1, 0]),
    ];
    let mut all = Vec::new();
    for (version, number, odd) in cases {
        let (guideline, mut found) = read(&folder.join(format!("conformance.{version}.yaml")));
        found.extend(lint(&guideline, None));
        let counts = counts(&found);
        let of = |code: &str| counts.get(code).copied().unwrap_or_default();
        assert_eq!([of("G033"), of("G031"), of("G032"), of("G035")], odd, "{version}");
        assert_eq!(found.len(), odd.iter().sum::<usize>(), "{version} {counts:?}");
        assert!(found.iter().all(|one| one.position().is_some() && one.help.is_some()));
        let program = guideline.program_like("conformance").unwrap();
        let options = TestListOptions { standings: vec![LifeCycle::Required], aliases: false, flagged: true };
        assert_eq!(test_list(&guideline, program, &options).len(), number, "{version}");
        assert_eq!(guideline.metadata.id.0, version);
        all.push(guideline);
    }
    assert!(lint_together(&all.iter().collect::<Vec<_>>()).is_empty());
}

/// What the list of one version calls a test, that of another one finds, for every test that both have.
#[test]
fn conformance_tests_are_found_across_versions() {
    let Some(folder) = published_by("kubernetes") else { return };
    let of = |version: &str| read(&folder.join(format!("conformance.{version}.yaml"))).0;
    // Left over: tests that were dropped, without a successor that asks for the same.
    for (old, new, gone) in
        [("v1.34", "v1.35", 0), ("v1.35", "v1.36", 0), ("v1.20", "v1.34", 4), ("v1.35", "v1.34", 17)]
    {
        let (old, new) = (of(old), of(new));
        let names = old.capabilities.values().flat_map(|one| one.tests.keys());
        let pass = TestResult { outcome: Outcome::Pass, flaky: false };
        let results: Results = names.map(|name| (name.clone(), pass)).collect();
        let scores = score(&new, None, &results, &Waivers::none(), jiff::civil::Date::ZERO).unwrap();
        let found: BTreeSet<&TestId> = scores
            .iter()
            .flat_map(|one| one.required.iter())
            .flat_map(|one| &one.tests)
            .filter(|test| test.outcome == Outcome::Pass)
            .flat_map(|test| if test.ran_as.is_empty() { vec![&test.test] } else { test.ran_as.iter().collect() })
            .collect();
        let lost: Vec<_> = results.iter().map(|(name, _)| name).filter(|name| !found.contains(name)).collect();
        assert_eq!(lost.len(), gone, "{} to {}: {lost:#?}", old.metadata.id, new.metadata.id);
    }
}

/// RefStack 2.1.0's own functions gave these numbers: 14 guidelines, 3 targets, 8 numbers.
#[test]
fn lists_and_counts_are_those_of_refstack() {
    let Some(folder) = published() else { return };
    let golden = fs::read(folder.join("refstack-2.1.0-golden-counts.json")).unwrap();
    let golden: BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>> = serde_json::from_slice(&golden).unwrap();
    let mut compared = 0;
    for (id, targets) in &golden {
        let (guideline, _) = read(&folder.join(format!("{id}.json")));
        for (target, numbers) in targets {
            let program = guideline.program_like(target).unwrap();
            let counts = defcore_rules(&guideline, &program.name, &BTreeSet::new()).unwrap();
            for (what, number) in numbers {
                let list = |aliases, flagged| {
                    let options = TestListOptions { standings: vec![LifeCycle::Required], aliases, flagged };
                    test_list(&guideline, program, &options).len() as u64
                };
                let ours = match what.as_str() {
                    "required_capabilities" => counts.required_capabilities,
                    "ui_required_count" => counts.required_tests,
                    "ui_flagged_count" => counts.flagged,
                    "ui_must_pass_count" => counts.must_pass,
                    "list_len_alias_true_flag_true" => list(true, true),
                    "list_len_alias_true_flag_false" => list(true, false),
                    "list_len_alias_false_flag_true" => list(false, true),
                    "list_len_alias_false_flag_false" => list(false, false),
                    other => panic!("unknown number {other}"),
                };
                assert_eq!(ours, *number, "{id} {target} {what}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 14 * 3 * 8);
}

#[test]
fn the_published_score_sheets_are_reproduced() {
    let Some(folder) = published() else { return };
    let folder = folder.join("working_materials");
    for (sheet, csv, rows, reached) in
        [("scoring.txt", "tabulated_scores.csv", 140, 103), ("scoring_nfv.txt", "tabulated_scores_nfv.csv", 6, 5)]
    {
        let text = fs::read_to_string(folder.join(sheet)).unwrap();
        let read = Sheet::parse(&text);
        assert_eq!(read.text(), text, "{sheet}");
        assert_eq!(read.csv(), fs::read_to_string(folder.join(csv)).unwrap(), "{csv}");
        assert_eq!((read.rows().count(), read.rows().filter(|row| read.reaches(row)).count()), (rows, reached));
    }
    // The weights of every guideline since 2018 are the usual ones.
    for id in ["2018.02", "2020.06", "next"] {
        let text = fs::read_to_string(folder.join("scoring.txt")).unwrap();
        let mut sheet = Sheet::parse(&text);
        sheet.set_weights(&read(&folder.join(format!("../{id}.json"))).0);
        assert_eq!(sheet.text(), text, "{id}");
    }
    // The sheets of the add-ons were added up by hand, and wrongly.
    let dns = Sheet::parse(&fs::read_to_string(folder.join("scoring_dns.txt")).unwrap());
    let totals: Vec<String> = dns.rows().map(|row| dns.total(row).to_string()).collect();
    assert_eq!(totals, ["66", "66"]);
    assert!(dns.rows().all(|row| row.stated.as_deref() == Some("64") && dns.reaches(row)));
}
