//! Files that lie together, ginkgo's dialects, events of go test.

use std::io::Write;

use proptest::prelude::*;

use super::*;

/// As ginkgo v2 writes them.
const V2: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" disabled="0" errors="0" failures="1" time="12.5">
  <testsuite name="Kubernetes e2e suite" package="/usr/local/bin" tests="4" disabled="0" skipped="1" errors="0" failures="1" time="12.5" timestamp="2026-03-01T10:00:00">
    <properties>
      <property name="SuiteSucceeded" value="false"></property>
      <property name="RandomSeed" value="1700000000"></property>
      <property name="FlakeAttempts" value="2"></property>
      <property name="DryRun" value="false"></property>
    </properties>
    <testcase name="[SynchronizedBeforeSuite]" classname="Kubernetes e2e suite" status="passed" time="1.2"></testcase>
    <testcase name="[It] [sig-toys] Toys should roll &#34;far&#34; [Conformance]" classname="Kubernetes e2e suite" status="passed" time="3.5"></testcase>
    <testcase name="[It] [sig-toys] Toys should stop [Conformance]" classname="Kubernetes e2e suite" status="failed" time="4.5"><failure message="it rolled on" type="failed">[FAILED] it rolled on</failure></testcase>
    <testcase name="[It] [sig-toys] Toys should fly" classname="Kubernetes e2e suite" status="skipped" time="0"><skipped message="skipped"></skipped></testcase>
    <testcase name="[ReportAfterSuite] Kubernetes e2e suite report" classname="Kubernetes e2e suite" status="passed" time="0.1"></testcase>
  </testsuite>
</testsuites>"#;

/// As ginkgo v1 writes them.
const V1: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
  <testsuite name="Kubernetes e2e suite" tests="2" failures="0" errors="0" time="9.5">
      <testcase name="[k8s.io] Toys should roll &#34;far&#34; [Conformance]" classname="Kubernetes e2e suite" time="3.5"></testcase>
      <testcase name="[k8s.io] Toys should fly" classname="Kubernetes e2e suite" time="0"><skipped></skipped></testcase>
      <testcase name="AfterSuite" classname="Kubernetes e2e suite" time="0.5"><failure type="Failure">gone</failure></testcase>
  </testsuite>"#;

const TREE: &str = "name: e2e\nstatus: failed\nmeta: {type: summary}\nitems:\n- name: global\n  status: failed\n  items:\n  - name: junit_01.xml\n    status: failed\n    items:\n    - name: '[It] [sig-toys] Toys should roll'\n      status: passed\n    - name: '[sig-toys] Toys should stop'\n      status: failed\n      details: {failure: it rolled on}\n    - name: '[sig-toys] Toys should fly'\n      status: skipped\n    - name: '[sig-toys] Toys should wait'\n      status: unknown\n";

const EVENTS: &str = r#"{"Time":"2026-03-01T10:00:00Z","Action":"start","Package":"toy/x"}
{"Time":"2026-03-01T10:00:00Z","Action":"run","Package":"toy/x","Test":"TestRoll"}
{"Time":"2026-03-01T10:00:00Z","Action":"output","Package":"toy/x","Test":"TestRoll","Output":"=== RUN   TestRoll\n"}
{"Time":"2026-03-01T10:00:00Z","Action":"run","Package":"toy/x","Test":"TestRoll/far"}
{"Time":"2026-03-01T10:00:01Z","Action":"output","Package":"toy/x","Test":"TestRoll/far","Output":"    x_test.go:7: not far\n"}
{"Time":"2026-03-01T10:00:01Z","Action":"output","Package":"toy/x","Test":"TestRoll/far","Output":"    --- FAIL: TestRoll/far (0.50s)\n"}
# toy/y
{"Time":"2026-03-01T10:00:01Z","Action":"fail","Package":"toy/x","Test":"TestRoll/far","Elapsed":0.5}
{"Time":"2026-03-01T10:00:01Z","Action":"fail","Package":"toy/x","Test":"TestRoll","Elapsed":0.5}
{"Time":"2026-03-01T10:00:01Z","Action":"run","Package":"toy/x","Test":"TestHang"}
{"Time":"2026-03-01T10:00:01Z","Action":"run","Package":"toy/x","Test":"TestStop"}
{"Time":"2026-03-01T10:00:01Z","Action":"pass","Package":"toy/x","Test":"TestStop","Elapsed":0.25}
{"Time":"2026-03-01T10:00:01Z","Action":"skip","Package":"toy/x","Test":"TestFly","Elapsed":0}
{"Time":"2026-03-01T10:00:02Z","Action":"fail","Package":"toy/x","Elapsed":2}
{"Time":"2026-03-01T10:00:02Z","Action":"fail","Package":"toy/y","Elapsed":0}
"#;

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn of(all: &Collected, name: &str) -> Outcome {
    all.rows.get(name).unwrap_or_else(|| panic!("{name} in {:?}", all.rows.keys())).outcome
}

#[test]
fn both_dialects_of_ginkgo() {
    let all = collect(V2.as_bytes()).unwrap();
    assert_eq!(all.rows.len(), 3, "{:?}", all.rows.keys());
    assert_eq!(of(&all, "[sig-toys] Toys should roll \"far\" [Conformance]"), Outcome::Pass);
    assert_eq!(of(&all, "[sig-toys] Toys should stop [Conformance]"), Outcome::Fail);
    assert_eq!(of(&all, "[sig-toys] Toys should fly"), Outcome::Skip);
    assert_eq!(
        (all.facts.seed.as_deref(), all.facts.attempts, &all.facts.dry_run),
        (Some("1700000000"), Some(2), &None)
    );
    let all = collect(V1.as_bytes()).unwrap();
    assert_eq!(all.rows.len(), 2);
    assert_eq!(of(&all, "[k8s.io] Toys should roll \"far\" [Conformance]"), Outcome::Pass);
    assert!(all.notes.iter().any(|note| note.contains("AfterSuite: gone")), "{:?}", all.notes);
    let failed =
        V2.replace("status=\"passed\" time=\"1.2\">", "status=\"failed\" time=\"1.2\"><failure message=\"no nodes\"/>");
    let all = collect(failed.as_bytes()).unwrap();
    assert!(
        all.notes.iter().any(|note| note.contains("set-up of the whole suite failed") && note.contains("no nodes"))
    );
}

/// A dry run says that everything passed.
#[test]
fn a_dry_run_is_no_pass_however_it_shows() {
    let name = "[sig-toys] Toys should roll \"far\" [Conformance]";
    let definition =
        br#"{"SonobuoyConfig": {"plugin-name": "e2e"}, "Spec": {"env": [{"name": "E2E_DRYRUN", "value": "true"}]}}"#;
    let log = b"Args (comma-delimited): --focus=x,--dry-run=true,/usr/local/bin/e2e.test\n";
    let zero = V2.replace("time=\"3.5\"", "time=\"0\"");
    let said = V2.replace("\"DryRun\" value=\"false\"", "\"DryRun\" value=\"true\"");
    let junit = "plugins/e2e/results/global/junit_01.xml";
    let runs: [Vec<(&str, &[u8])>; 4] = [
        vec![(junit, V2.as_bytes()), ("plugins/e2e/definition.json", definition)],
        vec![("plugins/e2e/results/global/e2e.log", log), (junit, V2.as_bytes())],
        vec![(junit, zero.as_bytes())],
        vec![(junit, said.as_bytes())],
    ];
    for files in runs {
        let all = collect(&gzip(&tar(&files))[..]).unwrap();
        assert_eq!(of(&all, name), Outcome::NotRun, "{:?}", all.facts);
        assert!(all.rows[name].reason.as_deref().unwrap().starts_with("a dry run: "));
        assert!(all.notes.iter().any(|note| note.contains("this is a dry run")));
        assert!(!all.rows.values().any(|row| row.outcome.is_pass()));
    }
    let off = String::from_utf8_lossy(definition).replace("true", "false");
    let files: [(&str, &[u8]); 2] = [(junit, V2.as_bytes()), ("plugins/e2e/definition.json", off.as_bytes())];
    assert_eq!(of(&collect(&tar(&files)[..]).unwrap(), name), Outcome::Pass);
}

#[test]
fn archives_of_both_layouts_and_folders_say_the_same() {
    let log = "I e2e.go:124] kube-apiserver version: v1.34.2\n• [1 seconds]\n[sig-toys] Toys should roll \"far\" [Conformance]\n";
    let log = log.as_bytes();
    let version = br#"{"major": "1", "minor": "34", "gitVersion": "v1.34.2"}"#;
    let new: [(&str, &[u8]); 5] = [
        ("serverversion.json", version),
        ("plugins/e2e/sonobuoy_results.yaml", TREE.as_bytes()),
        ("plugins/e2e/results/global/e2e.log", log),
        ("plugins/e2e/results/global/junit_01.xml", V2.as_bytes()),
        ("podlogs/toys/x/logs/junit_01.xml", b"<broken"),
    ];
    let old: [(&str, &[u8]); 3] = [
        ("./e2e/results/e2e.log", log),
        ("./e2e/results/junit_01.xml", V2.as_bytes()),
        ("./serverversion.json", version),
    ];
    let from_new = collect(&gzip(&tar(&new))[..]).unwrap();
    let from_old = collect(&gzip(&tar(&old))[..]).unwrap();
    let from_folder = collect_files(new.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes))).unwrap();
    for all in [&from_new, &from_old, &from_folder] {
        assert_eq!((all.format, &all.damage, all.rows.len()), (Format::Files, &None, 3));
        assert_eq!(all.rows, from_new.rows);
        assert_eq!(all.facts.server.as_deref(), Some("v1.34.2"));
        assert_eq!(all.facts.log.as_ref().unwrap().server.as_deref(), Some("v1.34.2"));
    }
    // A packed file of another format is that file.
    let alone = collect(&gzip(V2.as_bytes())[..]).unwrap();
    assert_eq!((alone.format, &alone.rows), (Format::Junit, &from_new.rows));
}

#[test]
fn the_summary_tree_counts_where_there_is_no_junit() {
    let wanted = [Outcome::Pass, Outcome::Fail, Outcome::Skip, Outcome::Error];
    let archive = tar(&[("plugins/e2e/sonobuoy_results.yaml", TREE.as_bytes())]);
    for all in [collect(TREE.as_bytes()).unwrap(), collect(&archive[..]).unwrap()] {
        assert_eq!((all.rows.len(), &all.damage), (4, &None));
        let names = ["roll", "stop", "fly", "wait"].map(|word| format!("[sig-toys] Toys should {word}"));
        assert_eq!(names.clone().map(|name| of(&all, &name)), wanted);
        assert_eq!(all.rows[&names[1]].reason.as_deref(), Some("it rolled on"));
    }
    assert_eq!(collect(TREE.as_bytes()).unwrap().format, Format::Tree);
}

#[test]
fn several_files_long_names_links_and_errors() {
    let long = format!("plugins/{}/results/global/junit_01.xml", "x".repeat(150));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "plugins/e2e/results/global/junit_02.xml", "/etc/passwd").unwrap();
    let error = br#"{"error": "the pod never started"}"#;
    let second = V1.replace("roll", "turn");
    for (path, bytes) in [
        (long.as_str(), V2.as_bytes()),
        ("e2e/results/junit_02.xml", second.as_bytes()),
        ("plugins/e2e/errors/global/error.json", error),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, bytes).unwrap();
    }
    let all = collect(&builder.into_inner().unwrap()[..]).unwrap();
    assert_eq!((all.rows.len(), all.facts.documents, &all.damage), (5, 2, &None), "{:?}", all.rows.keys());
    assert!(all.notes.iter().any(|note| note.contains("passed over: 1")));
    assert!(all.notes.iter().any(|note| note.contains("the pod never started")));
}

#[test]
fn cut_and_damaged_archives_say_so_and_keep_what_was_read() {
    let files: [(&str, &[u8]); 2] = [
        ("plugins/e2e/results/global/junit_01.xml", V2.as_bytes()),
        ("plugins/e2e/results/global/e2e.log", &[b'x'; 5000]),
    ];
    let (plain, packed) = (tar(&files), gzip(&tar(&files)));
    let whole = collect(&plain[..]).unwrap();
    assert_eq!(whole.damage, None);
    for end in (600..plain.len() - 1024).step_by(171) {
        let cut = collect(&plain[..end]).unwrap();
        // At the end of a file an archive without its end mark cannot be told from a whole one.
        assert!(cut.damage.is_some() || end % 512 == 0, "{end}");
        for (name, row) in &cut.rows {
            assert!(row == &whole.rows[name] || row.outcome == Outcome::Error, "{end} {name}");
        }
    }
    for end in 20..packed.len() - 9 {
        let cut = collect(&packed[..end]);
        assert!(cut.is_err() || cut.unwrap().damage.is_some(), "{end}");
    }
    let damage =
        collect(&gzip(&tar(&[("e2e/results/junit_01.xml", b"<testsuite><testcase name='a.b'>")]))[..]).unwrap();
    assert!(damage.damage.unwrap().what.contains("e2e/results/junit_01.xml"));
    // Nothing to read is said, and is no result.
    let nothing = collect(&tar(&[("meta/config.json", b"{}")])[..]).unwrap();
    assert!(nothing.rows.is_empty() && nothing.notes.iter().any(|note| note.contains("no junit_01.xml")));
}

/// What is packed twice could grow a million times.
#[test]
fn what_is_packed_twice_is_not_unpacked() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"<testsuite>").unwrap();
    let block = vec![b' '; 1 << 20];
    (0..8).for_each(|_| encoder.write_all(&block).unwrap());
    let once = encoder.finish().unwrap();
    assert!(collect(&gzip(&once)[..]).unwrap_err().to_string().contains("packed twice"));
    let all = collect(&once[..]).unwrap();
    assert!(all.damage.unwrap().what.contains("ends before its elements"), "small enough to be read");
}

#[test]
fn events_of_go_test() {
    let all = collect(EVENTS.as_bytes()).unwrap();
    assert_eq!((all.format, &all.damage), (Format::GoTest, &None));
    assert_eq!(of(&all, "toy/x.TestRoll/far"), Outcome::Fail);
    assert_eq!(all.rows["toy/x.TestRoll/far"].reason.as_deref(), Some("x_test.go:7: not far"));
    assert_eq!(all.rows["toy/x.TestRoll/far"].duration, Some(Duration::from_millis(500)));
    assert_eq!(of(&all, "toy/x.TestRoll"), Outcome::Fail);
    assert_eq!((of(&all, "toy/x.TestStop"), of(&all, "toy/x.TestFly")), (Outcome::Pass, Outcome::Skip));
    assert_eq!((of(&all, "toy/x.TestHang"), of(&all, "toy/y")), (Outcome::Error, Outcome::Error));
    assert!(!all.rows.contains_key("toy/x"), "it failed with its tests");
    assert_eq!(all.rows.len(), 6);
    assert!(all.notes.iter().any(|note| note.contains("passed over: 1")));
    let cut = collect(&EVENTS.as_bytes()[..EVENTS.len() - 20]).unwrap();
    assert!(cut.damage.unwrap().what.contains("cut or damaged"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_archives_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        packed in any::<bool>(),
    ) {
        let files: [(&str, &[u8]); 3] =
            [("plugins/e2e/results/global/junit_01.xml", V2.as_bytes()), ("e2e.log", b"x\n"), ("sonobuoy_results.yaml", TREE.as_bytes())];
        let mut bytes = if packed { gzip(&tar(&files)) } else { tar(&files) };
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = collect(&bytes[..]);
    }

    #[test]
    fn damaged_events_and_trees_never_panic(
        events in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = if events { EVENTS.as_bytes().to_vec() } else { TREE.as_bytes().to_vec() };
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = collect(&bytes[..]);
    }
}
