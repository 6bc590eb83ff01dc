//! What a hostile target may try with the files and words that people and machines read after a run.

use crate::stub::{Bench, ROOT, Ran, Reply, Running, Target, json};

/// Text that would forge a passing case in JUnit, run a script in a browser, command a workflow, or a terminal.
const ATTACK: &str = "]]></system-out></testcase><testcase name=\"forged\"/><testcase name=\"x\"><system-out><![CDATA[\
<script src=\"https://evil.example/x.js\"></script><img src=https://evil.example/y onerror=alert(1)>\
\n::error::forged\n::set-output name=a::b\n::add-mask::c\r\n##[error]forged\
\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m| a | b |\n| --- | --- |\n[link](https://evil.example) `code` \u{202e}\u{0}\u{8}";

const CASES: &str = "cases:
  - id: equal
    title: An attack as the actual value
    capability: toy-all
    steps: [{get: /toy/attack, expect: {json: {$.text: something else}}}]
  - id: text
    title: An attack as the whole body
    capability: toy-all
    steps: [{get: /toy/raw, expect: {text: something else}}]
  - id: header
    title: An attack in a header
    capability: toy-all
    steps: [{get: /toy/header, expect: {header: {X-Attack: none}}}]
  - id: gap
    title: An attack as a reason
    capability: toy-all
    steps:
      - get: /toy/attack
      - gap: {when: 'true', reason: 'it says ${body.text}'}
      - get: /toy
        expect: {status: 200}
  - id: message
    title: An attack in a message and a rule
    capability: toy-all
    steps:
      - get: /toy/attack
        expect: [{rule: 'rule ${body.text}', that: [{check: 'false', message: 'message ${body.text}'}]}]
  - id: missing
    title: An attack in an error of an expression
    capability: toy-all
    steps: [{get: /toy/attack, expect: {that: 'body.text > 1'}}]
  - id: leak
    title: An attack in what is left behind
    capability: toy-all
    risk: write
    steps:
      - post: /toy/attack
        expect: {status: 200}
        save: {name: '${body.text}'}
        undo: [{delete: '/toy/${url_encode(name)}', expect: {status: 204, text: 'nothing', that: [{check: 'false', message: '${text}'}]}}]
  - id: schema
    title: An attack in a schema error
    capability: toy-all
    steps: [{get: /toy/attack, expect: {schema: {properties: {text: {maxLength: 1}}}}}]
";

fn attacker() -> Target {
    Target::start(|seen| match seen.what() {
        ROOT => json(200, "{}"),
        "GET /toy/raw" => Reply::Full(200, "content-type: text/plain\r\n", ATTACK.to_owned()),
        "GET /toy/header" => {
            let headers =
                "x-attack: ]]></system-out></testcase><testcase name=\"forged\"> ::error::forged <script>\r\n";
            Reply::Full(200, headers, String::new())
        }
        _ => json(200, &serde_json::json!({"text": ATTACK}).to_string()),
    })
}

fn attacked(environment: &[(&str, &str)]) -> (Bench, Ran) {
    let (bench, target) = (Bench::new(CASES), attacker());
    let mut command = bench.run_command(&target.url(), &[]);
    command.envs(environment.iter().copied());
    let ran = Running::start(command).end().expect(1);
    assert_eq!(bench.outcomes().len(), 8);
    (bench, ran)
}

/// Elements of an XML document in order, as `name` and attributes; panics where it is not well-formed. Knows what JUnit
/// files have: elements, attributes, CDATA, comments, the declaration.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let (mut rest, mut open, mut found) = (xml, Vec::<String>::new(), Vec::new());
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        assert!(!text.contains("]]>"), "`]]>` in text");
        for entity in text.split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(["lt", "gt", "amp", "quot", "apos"].contains(&name) || name.starts_with('#'), "&{name}");
        }
        rest = &rest[at..];
        if let Some(inner) = rest.strip_prefix("<![CDATA[") {
            rest = &inner[inner.find("]]>").expect("the end of CDATA") + 3..];
        } else if let Some(inner) = rest.strip_prefix("<?") {
            rest = &inner[inner.find("?>").unwrap() + 2..];
        } else if let Some(inner) = rest.strip_prefix("</") {
            let end = inner.find('>').unwrap();
            assert_eq!(open.pop().as_deref(), Some(inner[..end].trim()), "elements nest");
            rest = &inner[end + 1..];
        } else {
            let (name, attributes, empty, after) = tag(&rest[1..]);
            if !empty {
                open.push(name.clone());
            }
            found.push((name, attributes));
            rest = after;
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    found
}

fn tag(text: &str) -> (String, Vec<(String, String)>, bool, &str) {
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c)).collect();
    assert!(!name.is_empty(), "a name: {}", text.chars().take(40).collect::<String>());
    let (mut rest, mut attributes) = (text[name.len()..].trim_start(), Vec::new());
    loop {
        if let Some(after) = rest.strip_prefix("/>") {
            return (name, attributes, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (name, attributes, false, after);
        }
        let (key, value) = rest.split_once("=\"").expect("an attribute");
        let end = value.find('"').unwrap();
        assert!(!value[..end].contains('<'), "`<` in an attribute");
        attributes.push((key.trim().to_owned(), value[..end].to_owned()));
        rest = value[end + 1..].trim_start();
    }
}

#[test]
fn no_case_is_forged_in_junit() {
    let (bench, _) = attacked(&[]);
    let xml = bench.read("out/junit.xml");
    assert!(!xml.contains(|c: char| c < ' ' && !"\t\r\n".contains(c)), "characters that XML 1.0 forbids");
    let names: Vec<String> = elements(&xml)
        .into_iter()
        .filter(|(element, _)| element == "testcase")
        .map(|(_, attributes)| attributes.into_iter().find(|(key, _)| key == "name").unwrap().1)
        .collect();
    assert_eq!(names, ["equal", "text", "header", "gap", "message", "missing", "leak", "schema"]);
    let count = |name: &str| elements(&xml).iter().filter(|(element, _)| element == name).count();
    assert_eq!(count("failure") + count("error") + count("skipped"), 7, "only `leak` passes, and tells what it left");
    assert!(xml.contains("forged"), "the text itself is kept");
}

#[test]
fn the_page_has_no_foreign_markup_and_no_reference_to_elsewhere() {
    let (bench, _) = attacked(&[]);
    let page = bench.read("out/report.html");
    assert_eq!(page.matches("<script").count(), 1, "its own");
    assert!(!page.contains("<script src") && !page.contains("<img") && !page.contains("<link"));
    for attribute in ["src=", "href=", "action=", "url("] {
        for (at, _) in page.match_indices(attribute) {
            let before = &page[..at];
            // Inside of a tag, not of text.
            let in_tag = before.rfind('<') > before.rfind('>');
            let value = page[at + attribute.len()..].trim_start_matches(['"', '\'']);
            assert!(!in_tag || value.starts_with('#') || value.starts_with("data:"), "{}", &page[at..at + 60]);
        }
    }
    assert!(page.contains("default-src 'none'"), "and a policy that would stop one");
    assert!(page.contains("&lt;script"), "the attack is shown as text");
    bench.verify().expect(0);
}

#[test]
fn the_terminal_is_not_commanded() {
    let (_, ran) = attacked(&[]);
    for (name, text) in [("stdout", &ran.out), ("stderr", &ran.err)] {
        let odd: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n').collect();
        assert!(odd.is_empty(), "{name}: {odd:?}\n{text}");
    }
}

#[test]
fn the_workflow_is_not_commanded() {
    let (_, ran) = attacked(&[("GITHUB_ACTIONS", "true")]);
    let ids = ["equal", "text", "header", "gap", "message", "missing", "leak", "schema"];
    let mut commands = 0;
    for line in ran.out.lines().chain(ran.err.lines()) {
        assert!(!line.contains("##[") || line.starts_with("::"), "{line}");
        if !line.trim_start().starts_with("::") {
            continue;
        }
        commands += 1;
        let (head, _) = line[2..].split_once("::").unwrap();
        let (command, properties) = head.split_once(' ').unwrap();
        assert!(["error", "warning"].contains(&command), "{line}");
        let titled = properties.split(',').find_map(|property| property.strip_prefix("title="));
        assert!(titled.is_some_and(|title| ids.iter().any(|id| title == format!("ironic.s.{id}"))), "{line}");
    }
    assert_eq!(commands, 7);
}

#[test]
fn the_summary_is_appended_and_its_tables_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.md");
    std::fs::write(&path, "# What was there\n").unwrap();
    let (bench, _) = attacked(&[("GITHUB_STEP_SUMMARY", &path.display().to_string())]);
    let text = std::fs::read_to_string(&path).unwrap();
    let own = text.strip_prefix("# What was there\n").expect("it is appended");
    assert_eq!(own, bench.read("out/summary.md"));
    assert!(!own.contains("<script") && !own.contains("<img"), "{own}");
    assert!(!own.replace("\\]", "").contains("](https://evil"), "{own}");
    assert!(!own.contains(|c: char| c.is_control() && c != '\n'));
    let rows: Vec<&str> = own.lines().filter(|line| line.contains("ironic.s.")).collect();
    assert_eq!(rows.len(), 7, "{own}");
    for row in rows {
        let bars = row.match_indices('|').filter(|(at, _)| !row[..*at].ends_with('\\')).count();
        assert_eq!(bars, 4, "{row}");
    }
}

#[test]
fn a_summary_that_cannot_be_written_costs_nothing() {
    let (bench, ran) = attacked(&[("GITHUB_STEP_SUMMARY", "/nowhere/at/all.md")]);
    let ran = ran.says(&["warning:", "/nowhere/at/all.md"]);
    assert!(ran.out.contains("8 cases"), "the verdict is told");
    bench.verify().expect(0);
}

#[test]
fn annotations_are_few_and_the_worst_come_first() {
    let mut cases = "cases:\n".to_owned();
    for number in 0..30 {
        cases.push_str(&format!(
            "  - id: c{number}\n    title: t\n    capability: toy-all\n    steps: [{{get: /toy/none, expect: {{status: 200}}}}]\n"
        ));
    }
    let bench = Bench::new(&cases);
    let target = Target::start(|seen| json(if seen.what() == ROOT { 200 } else { 404 }, "{}"));
    let mut command = bench.run_command(&target.url(), &[]);
    command.env("GITHUB_ACTIONS", "true");
    let ran = Running::start(command).end().expect(1);
    let commands: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 10, "{commands:#?}");
    assert!(commands[9].contains("and 21 more"), "{commands:#?}");
    assert!(commands[0].contains("file=suites/ironic/s.yaml,line=8"), "{commands:#?}");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let bench = Bench::new(
        "cases:\n  - id: c\n    title: t\n    capability: toy-all\n    steps: [{get: /toy/c, expect: {status: 200}}]\n",
    );
    let target = Target::start(|seen| json(if seen.what() == ROOT { 200 } else { 404 }, "{}"));
    let escapes = |ran: &Ran| ran.out.contains('\u{1b}') || ran.err.contains('\u{1b}');
    assert!(!escapes(&bench.run(&target.url(), &[])), "a pipe is no terminal");
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    assert!(escapes(&bench.run(&target.url(), &["--color", "always"])));
}
