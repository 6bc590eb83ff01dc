//! The language of suites from outside: every diagnostic, the hard sketches, the schema and the reference page.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use assize::suite::{self, Catalogue, codes::CODES, reference, schema};
use assize::text::Diagnostics;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One file, or several that begin with `# file: NAME`.
fn parts(name: &str, text: &str) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(file) = line.strip_prefix("# file: ") {
            parts.push((file.to_owned(), String::new()));
            continue;
        }
        if parts.is_empty() {
            parts.push((name.to_owned(), String::new()));
        }
        if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

fn yaml_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn lint(name: &str, text: &str) -> Diagnostics {
    Catalogue::load(parts(name, text)).1
}

/// Compares a generated file with the committed one; `ASSIZE_BLESS=1` writes it.
fn same_as_committed(path: &str, wanted: &str) {
    let path = root().join(path);
    if env::var_os("ASSIZE_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == wanted, "{} is out of date: run `ASSIZE_BLESS=1 cargo test --test suite`", path.display());
}

#[test]
fn each_diagnostic_as_it_is_shown() {
    let mut triggered = BTreeSet::new();
    insta::glob!("diagnostics/*.yaml", |path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let shown = lint(&format!("{name}.yaml"), &fs::read_to_string(path).unwrap());
        let code = name.split('-').next().unwrap().to_owned();
        assert!(shown.iter().any(|one| one.code == code), "{name} does not trigger {code}:\n{shown}");
        for one in &shown {
            assert!(one.source.is_some() && one.help.is_some(), "{name}: {} has no place or no remedy", one.message);
        }
        triggered.insert(code);
        insta::assert_snapshot!(shown.render(false));
    });
    let missing: Vec<&str> = CODES.iter().map(|code| code.code).filter(|code| !triggered.contains(*code)).collect();
    assert!(missing.is_empty(), "no file below tests/diagnostics triggers {missing:?}");
}

#[test]
fn the_hard_sketches_are_sound() {
    for path in yaml_files(&root().join("tests/language")) {
        let shown = lint("sketch.yaml", &fs::read_to_string(&path).unwrap());
        assert!(shown.is_empty(), "{}:\n{shown}", path.display());
    }
}

#[test]
fn our_suites_are_sound() {
    let (catalogue, shown) = Catalogue::load(suite::embedded_suites());
    assert!(shown.is_empty(), "{shown}");
    let written = yaml_files(&root().join("suites")).len();
    assert_eq!(catalogue.suites().len() + catalogue.families().len(), written);
}

#[test]
fn the_schema_is_committed_and_accepts_what_the_reader_accepts() {
    same_as_committed("schemas/suite.schema.json", &schema::schema_text());
    let validator = jsonschema::draft202012::new(&schema::schema()).unwrap();
    let mut files = yaml_files(&root().join("suites"));
    files.extend(yaml_files(&root().join("tests/language")));
    for path in files {
        let source = assize::text::SourceFile::new(path.display().to_string(), fs::read_to_string(&path).unwrap());
        let json = assize::text::yaml::parse(&source).unwrap().to_json();
        let problems: Vec<String> =
            validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(problems.is_empty(), "{}:\n{}", path.display(), problems.join("\n"));
    }
}

#[test]
fn the_schema_refuses_what_it_can_see() {
    let validator = jsonschema::draft202012::new(&schema::schema()).unwrap();
    for code in ["S002", "S003", "S004", "S013", "S014"] {
        for path in yaml_files(&root().join("tests/diagnostics")) {
            if path.file_name().unwrap().to_string_lossy().starts_with(code) {
                let source = assize::text::SourceFile::new("x", fs::read_to_string(&path).unwrap());
                let json = assize::text::yaml::parse(&source).unwrap().to_json();
                assert!(!validator.is_valid(&json), "{}", path.display());
            }
        }
    }
}

#[test]
fn the_reference_page_is_up_to_date() {
    const BEGIN: &str = "<!-- generated: begin -->\n";
    const END: &str = "<!-- generated: end -->\n";
    let path = "docs/suite-language.md";
    let page = fs::read_to_string(root().join(path)).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    same_as_committed(path, &format!("{before}{BEGIN}{}{END}{after}", reference::generated()));
}

#[test]
fn the_example_of_the_reference_page_is_sound() {
    let page = fs::read_to_string(root().join("docs/suite-language.md")).unwrap();
    let example = page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0;
    let shown = lint("example.yaml", example);
    assert!(shown.is_empty(), "{shown}");
}

/// Two thousand cases of one request each, through the whole reader.
#[test]
#[ignore = "a measurement: cargo test --release --test suite -- --ignored --nocapture"]
fn two_thousand_cases_in_a_third_of_a_second() {
    let mut files = Vec::new();
    for file in 0..20 {
        let mut text = format!("format: 1\nsuite: load.part-{file}\ntitle: Load\ncases:\n");
        for case in 0..100 {
            text.push_str(&format!(
                "  - id: case-{case}\n    title: Answers {case}\n    capability: thing\n    steps:\n      - get: \"/things/{case}/${{unique('a')}}\"\n        expect:\n          - rule: it answers\n            status: 200\n            json: {{\"$.Name\": {{matches: \"^[a-z]+$\"}}}}\n            that: body.Name == 'x' && size(body.Members) > {case}\n"
            ));
        }
        files.push((format!("suites/load/part-{file}.yaml"), text));
    }
    let start = std::time::Instant::now();
    let (catalogue, shown) = Catalogue::load(files);
    println!("{} cases in {:?}", catalogue.cases().count(), start.elapsed());
    assert!(shown.is_empty(), "{shown}");
    assert_eq!(catalogue.instances().count(), 2000);
}
