use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::text::SourceFile;

const ACCOUNTS: &str = r#"
format: 1
suite: redfish.accounts
title: Accounts and their life cycle
fixtures:
  - id: service
    title: The account service is found through the service root
    steps:
      - get: /redfish/v1/
        save: {link: "${get(body, '/AccountService/@odata.id', null)}"}
      - gap: {when: "link == null", reason: "the service root has no AccountService link"}
      - get: "${link}"
        save: {accounts: "$.Accounts['@odata.id']"}
    outputs: {accounts: "${accounts}"}
cases:
  - id: create-delete
    title: A created account can be read back without its password and is gone after DELETE
    capability: redfish-accounts
    spec: DSP0266 1.20.0, 13.2
    risk: write
    needs: {service: .service}
    steps:
      - let: {name: "${unique('u')}", password: "${secret('pw')}"}
      - post: "${service.accounts}"
        json: {UserName: "${name}", Password: "${password}", RoleId: ReadOnly}
        headers: {If-None-Match: null, X-Trace: "${run.id}"}
        expect:
          - rule: "DSP0266 7.9: a create answers 201 with Location"
            status: 201
            header: {Location: present}
        save: {account: "${headers.location}"}
        undo:
          - delete: "${account}"
            expect: {status: [200, 202, 204, 404]}
        lost:
          - get: "${service.accounts}"
            save: {members: "${body.Members}"}
          - for: {member: "${members}"}
            steps:
              - get: "${member['@odata.id']}"
              - delete: "${url}"
                when: body.UserName == name
      - get: "${account}"
        expect: {json: {"$.UserName": "${name}", "$.Password": {equals: null}}}
  - id: roles
    title: Each role exists
    capability: redfish-roles
    each: [{name: reader, role: ReadOnly}, {name: owner, role: Administrator}]
    steps:
      - get: /redfish/v1/AccountService/Roles/${role}
        expect: {status: 200}
  - id: twice
    title: It answers twice
    capability: redfish-roles
    each: {count: 2}
    steps:
      - get: /redfish/v1/${i}
        expect: {status: 404}
"#;

fn accounts() -> Suite {
    let (suite, problems) = read_suite(SourceFile::new("suites/redfish/accounts.yaml", ACCOUNTS));
    assert!(problems.is_empty(), "{problems}");
    suite.unwrap()
}

fn request(step: &Step) -> &RequestStep {
    match &step.kind {
        StepKind::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_model_says_what_the_file_says() {
    let suite = accounts();
    assert_eq!((suite.id.as_str(), suite.family.as_str()), ("redfish.accounts", "redfish"));
    let fixture = &suite.fixtures[0];
    assert!(matches!(request(&fixture.steps[0]).save[0].1, Save::Value(_)));
    assert!(matches!(request(&fixture.steps[2]).save[0].1, Save::Path(_)));
    let case = &suite.cases[0];
    assert_eq!(case.needs[0].fixture, "redfish.accounts.service");
    assert_eq!((case.risk, case.within), (Risk::Write, Duration::from_secs(300)));
    let post = request(&case.steps[1]);
    assert_eq!(post.method.source(), "POST");
    assert_eq!((post.timeout, post.max_body, post.follow), (Duration::from_secs(30), 4 << 20, Follow::No));
    assert_eq!(post.headers[0].0, "if-none-match");
    assert!(post.headers[0].1.is_none() && post.headers[1].1.is_some());
    assert!(matches!(post.expect[0].checks[0].kind, CheckKind::Status(ref all) if all == &[StatusPattern::Code(201)]));
    assert!(matches!(&post.expect[0].checks[1].kind, CheckKind::Header(name, Matcher::Present) if name == "location"));
    assert_eq!((post.undo.len(), post.lost.len()), (1, 2));
    assert!(matches!(&post.lost[1].kind, StepKind::For { variable, max: 32, .. } if variable == "member"));
    assert!(suite.source.slice(case.steps[1].span).starts_with("post:"));
}

#[test]
fn the_catalogue_finds_cases_fixtures_and_rows() {
    let family = "format: 1\nfamily: redfish\ntitle: Redfish\npath: /redfish/v1\nguideline: redfish/2026.11\nheaders: {accept: application/json}\n";
    let files = [("suites/redfish/accounts.yaml", ACCOUNTS), ("suites/redfish/family.yaml", family)];
    let (catalogue, problems) = Catalogue::load(files);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(catalogue.family("redfish").unwrap().concurrency, 4);
    assert_eq!(&*catalogue.case("redfish.accounts.roles[owner]").unwrap().1.id, "roles");
    assert!(catalogue.case("redfish.accounts.service").is_none());
    assert!(catalogue.fixture("redfish.accounts.service").is_some());
    let instances: Vec<InstanceRef> = catalogue.instances().collect();
    let ids: Vec<String> = instances.iter().map(|one| catalogue.id(*one)).collect();
    assert_eq!(
        ids,
        [
            "redfish.accounts.create-delete",
            "redfish.accounts.roles[reader]",
            "redfish.accounts.roles[owner]",
            "redfish.accounts.twice[0]",
            "redfish.accounts.twice[1]",
        ]
    );
    let owner = catalogue.row_variables(instances[2]);
    assert_eq!(owner, [("name".to_owned(), "owner".into()), ("role".to_owned(), "Administrator".into())]);
    assert_eq!(catalogue.row_variables(instances[4]), [("i".to_owned(), 1.into())]);
    let (changed, _) = Catalogue::load([("suites/redfish/accounts.yaml", ACCOUNTS.replace("Each role", "Every role"))]);
    assert_ne!(changed.digest(), catalogue.digest());
}

#[test]
fn the_digest_does_not_depend_on_the_order_of_files() {
    let other = "format: 1\nsuite: demo.one\ntitle: One\nfixtures: [{id: a, title: A, steps: [{get: /}]}]\n";
    let digest = |files: [(&str, &str); 2]| Catalogue::load(files).0.digest();
    assert_eq!(digest([("a", ACCOUNTS), ("b", other)]), digest([("b", other), ("a", ACCOUNTS)]));
}

#[test]
fn problems_of_a_broken_file_are_not_blamed_on_others() {
    let broken = "format: 1\nsuite: demo.shared\ntitle: Shared\nfixtures: [{id: a, titel: A, steps: [{get: /}]}]\n";
    let user = "format: 1\nsuite: demo.user\ntitle: User\ncases:\n  - id: one\n    title: It answers\n    capability: thing\n    needs: {a: demo.shared.a}\n    steps: [{get: /, expect: {status: 200}}]\n";
    let (catalogue, problems) = Catalogue::load([("suites/demo/shared.yaml", broken), ("suites/demo/user.yaml", user)]);
    assert!(problems.iter().all(|one| one.source.as_ref().unwrap().name.ends_with("shared.yaml")), "{problems}");
    assert_eq!(catalogue.suites().len(), 1);
}

/// Whatever is cut out of a file, the reader reports and does not panic, and the places it names are in the file.
#[test]
fn mutilated_files_are_refused_in_peace() {
    let lines: Vec<&str> = ACCOUNTS.lines().collect();
    for skip in 0..lines.len() {
        let text: String =
            lines.iter().enumerate().filter(|(at, _)| *at != skip).map(|(_, line)| format!("{line}\n")).collect();
        let _ = read_suite(SourceFile::new("x.yaml", text)).1.render(false);
    }
    for end in (0..ACCOUNTS.len()).step_by(29) {
        let _ = read_suite(SourceFile::new("x.yaml", &ACCOUNTS[..end])).1.render(false);
    }
    for (from, to) in
        [("{", "["), ("\"", "'"), ("$", "€"), (": ", ":"), ("'", "\\"), ("- ", "-"), ("}", "} }"), ("steps", "status")]
    {
        for (at, _) in ACCOUNTS.match_indices(from) {
            let text = format!("{}{to}{}", &ACCOUNTS[..at], &ACCOUNTS[at + from.len()..]);
            let (_, problems) = read_suite(SourceFile::new("x.yaml", text.clone()));
            assert!(problems.iter().flat_map(|one| &one.labels).all(|label| label.span.end <= text.len()));
            let _ = problems.render(false);
        }
    }
}

fn logged_in(suite: &str) -> bool {
    !suite.starts_with("redfish")
}

/// What a case says, without where its steps are.
fn said(case: &Case) -> String {
    format!("{} {} {:?} {:?}", case.id, case.title, case.span, case.body)
}

/// A case that is read again is the same, down to its places in the file.
#[test]
fn deferred_cases_are_read_again_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (mut deferred, mut all) = (0, 0);
    let tricky = ("suites/demo/tricky.yaml", TRICKY);
    for (name, text) in embedded_suites().filter(|(name, _)| !name.ends_with("family.yaml")).chain([tricky]) {
        let source = SourceFile::new(name, text);
        let in_memory = SuiteFile::Text(Arc::clone(&source));
        let path = folder.path().join("suite.yaml");
        std::fs::write(&path, text).unwrap();
        let stored = StoredFile { name: name.to_owned(), path, bytes: text.len() as u64 };
        let stored = SuiteFile::Stored(Arc::new(stored));
        let read = |file: &SuiteFile, defers| reader::read_with_uses(file.clone(), source.clone(), &logged_in, defers);
        let (kept, _, problems) = read(&in_memory, false);
        let kept = kept.expect(name);
        for file in [in_memory, stored] {
            let (lean, _, same) = read(&file, true);
            assert_eq!(problems.render(false), same.render(false), "{name}");
            let lean = lean.expect(name);
            assert_eq!(lean.source.is_outline(), matches!(file, SuiteFile::Stored(_)));
            for (kept, own) in kept.cases.iter().zip(&lean.cases) {
                let again = own.whole();
                assert_eq!(said(kept), said(&again), "{name}");
                assert_eq!(own.lacks_steps(), own.steps.is_empty());
                assert_eq!(again.why_lost(), None);
                for step in &again.steps {
                    let line = source.line_col(step.span.start).0;
                    assert_eq!(again.line(&lean, step.span.start), line, "{name}");
                }
                deferred += usize::from(own.lacks_steps());
                all += usize::from(matches!(own.each, Rows::Once));
            }
            for group in lean.groups.values().flat_map(|group| &group.steps) {
                assert_eq!(lean.source.line(group.span.start), source.line_col(group.span.start).0, "{name}");
            }
            if name == tricky.0 {
                let kept: Vec<&str> =
                    lean.cases.iter().filter(|case| !case.lacks_steps()).map(|case| &*case.id).collect();
                assert_eq!(kept, ["alias", "rows"]);
            }
        }
    }
    assert!(all > 100 && deferred * 2 > all, "{deferred} of {all}");
}

/// A file that was changed meanwhile is an error, never another verdict.
#[test]
fn steps_of_a_changed_file_are_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tricky.yaml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write(TRICKY);
    let name = "suites/demo/tricky.yaml".to_owned();
    let file = SuiteFile::Stored(Arc::new(StoredFile { name, path: path.clone(), bytes: TRICKY.len() as u64 }));
    let source = file.source().unwrap();
    let suite = reader::read_with_uses(file, source, &logged_in, true).0.unwrap();
    let case = suite.cases.iter().find(|case| &*case.id == "deeper").unwrap();
    assert!(!case.whole().lacks_steps());
    write(&TRICKY.replace("with: {where: /b}", "with: {where: /x}"));
    let why = |case: &Case| case.whole().why_lost().map(str::to_owned);
    assert_eq!(why(case).unwrap(), "suites/demo/tricky.yaml: it was changed after it had been read");
    assert!(case.whole().lacks_steps());
    assert!(
        !suite.cases.iter().find(|case| &*case.id == "flow").unwrap().whole().lacks_steps(),
        "its lines are the same"
    );
    std::fs::remove_file(&path).unwrap();
    assert!(why(case).unwrap().starts_with("suites/demo/tricky.yaml: "));
}

const TRICKY: &str = r#"format: 1
suite: demo.tricky
title: Forms that a part of a file may have
groups:
  look: {params: [where], steps: [{get: "${where}"}]}
cases:
  - &first
    id: first
    title: "Anchored, with an é"
    capability: thing
    steps: &steps
      - get: /a
        expect: {status: 200}
  -   id: deeper
      title: Indented further
      capability: thing
      steps:
        - use: look
          with: {where: /b}
        - get: /b
          expect:
            that:
              - check: |
                  size(text) > 0 &&
                    status == 200

  # A comment between cases.
  - {id: flow, title: In one line, capability: thing, steps: [{get: /c, expect: {status: 200}}]}
  - id: alias
    title: What it does stands elsewhere
    capability: thing
    steps: *steps
  -
    id: last
    title: >-
      Folded
      over lines
    capability: thing
    steps:
      - post: /d
        text: |
          one

          two
        expect:
          status: 405
          text: {contains: "o"}
  - id: rows
    title: Started for each row
    capability: thing
    each: {count: 2}
    steps: [{get: "/${i}", expect: {status: 200}}]
"#;
