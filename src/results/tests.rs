use std::io::BufReader;

use super::*;

#[path = "../../tests/results/writer.rs"]
pub mod writer;

use writer::{packet, raw, result};

const V1: &[u8] = include_bytes!("../../tests/results/v1.subunit");
const V2: &[u8] = include_bytes!("../../tests/results/v2.subunit");
const JUNIT: &[u8] = include_bytes!("../../tests/results/junit.xml");
const SERVERS: &str = "toy.api.compute.test_servers.ServersTest.";

/// Collected from a reader with a small buffer, so that pieces are cut everywhere.
fn collected(bytes: &[u8]) -> Collected {
    collect(BufReader::with_capacity(7, bytes)).unwrap()
}

fn entries(bytes: &[u8]) -> (Vec<Entry>, Reading) {
    let mut entries = Vec::new();
    let reading = read(bytes, &mut |entry| entries.push(entry)).unwrap();
    (entries, reading)
}

fn damage(bytes: &[u8]) -> String {
    collected(bytes).damage.unwrap().to_string()
}

fn row<'c>(all: &'c Collected, test: &str) -> (Outcome, &'c str) {
    let row = &all.rows[&format!("{SERVERS}{test}")];
    (row.outcome, row.reason.as_deref().unwrap_or_default())
}

#[test]
fn a_stream_of_the_real_library_is_read_in_each_form() {
    for (bytes, format) in [(V1, Format::SubunitV1), (V2, Format::SubunitV2), (JUNIT, Format::Junit)] {
        let all = collected(bytes);
        assert_eq!((all.format, &all.damage), (format, &None));
        assert_eq!(row(&all, "test_list"), (Outcome::Pass, ""));
        let gone = "toy.exceptions.NotFound: Object not found Details: gone";
        assert_eq!(row(&all, "test_show"), (Outcome::Fail, gone), "{format}");
        let skip = "resize is not available – größer geht nicht";
        assert_eq!(row(&all, "test_resize"), (Outcome::Skip, skip));
        assert_eq!(row(&all, "test_mended").0, Outcome::Fail);
        assert!(row(&all, "test_mended").1.contains("although it was expected to fail"), "{format}");
        let retried = &all.rows[&format!("{SERVERS}test_retried")];
        assert_eq!((retried.outcome, retried.flaky, retried.results), (Outcome::Pass, true, 2));
        assert_eq!(retried.reason.as_deref(), Some("it failed before: toy.exceptions.Timeout: too slow"));
        let set_ups: Vec<_> = all.set_ups.iter().map(|(class, row)| (class.as_str(), row.outcome)).collect();
        let wanted = [
            ("toy.api.image.test_tapes.TapesTest", Outcome::Skip),
            ("toy.api.network.test_ports.PortsTest", Outcome::Fail),
        ];
        assert_eq!(set_ups, wanted);
        let ids: Vec<_> = all.rows.values().flat_map(|row| &row.ids).collect();
        assert_eq!(ids.len(), 7, "{format}");
        assert!(all.notes.iter().any(|note| note.contains("marked flaky") && note.contains("test_retried")));
        let shown = &all.rows[&format!("{SERVERS}test_show")];
        assert_eq!(shown.duration, Some(Duration::from_millis(250)));
    }
}

#[test]
fn what_only_packets_tell() {
    let all = collected(V2);
    assert_eq!(row(&all, "test_listed"), (Outcome::NotRun, "it was listed, but never begun"));
    assert_eq!(row(&all, "test_hangs"), (Outcome::Error, "it never finished"));
    assert_eq!(row(&all, "test_known_bug"), (Outcome::Fail, "it failed, as expected: ValueError: still broken"));
    assert_eq!(all.latest, "2026-03-04T05:06:07.745Z".parse().ok());
    let (entries, _) = entries(V2);
    assert_eq!(entries[0].name.attributes, ["smoke"]);
}

#[test]
fn cut_streams_keep_what_was_read() {
    let whole = entries(V2).0;
    for end in 1..V2.len() {
        let (cut, reading) = entries(&V2[..end]);
        let finished = cut.iter().filter(|entry| entry.reason.as_deref() != Some("it never finished")).count();
        assert!(finished <= whole.len());
        let at_packet = reading.damage.is_none();
        if let Some(damage) = reading.damage {
            assert!(damage.at < end as u64 && V2[usize::try_from(damage.at).unwrap()] == 0xb3, "{damage}");
            assert!(damage.what.contains("ends within a packet"), "{damage}");
        }
        assert!(at_packet || cut.len() <= whole.len() + 1);
    }
    for end in 1..V1.len() {
        let Ok(reading) = read(&V1[..end], &mut |_| {}) else { continue };
        assert!(reading.damage.is_none_or(|damage| damage.what.contains("ends within the details")), "{end}");
    }
}

#[test]
fn each_flipped_bit_of_a_packet_is_noticed() {
    let stream = [result("a.b", 3, 5, None), result("a.c", 3, 6, None)].concat();
    let second = stream.len() - packet("a.c", 3, Some(7), None).len();
    for bit in 0..(stream.len() - second) * 8 {
        let mut bad = stream.clone();
        bad[second + bit / 8] ^= 1 << (bit % 8);
        let all = collected(&bad);
        // Without its signature a packet is output, and the test never ends.
        let lost = all.damage.is_some() || all.rows["a.c"].outcome == Outcome::Error;
        assert!(lost && all.rows["a.b"].outcome == Outcome::Pass, "bit {bit}");
    }
}

#[test]
fn damage_says_where_and_what() {
    let good = result("a.b", 3, 5, None);
    let at = good.len();
    let mut wrong_sum = packet("a.c", 3, None, None);
    *wrong_sum.last_mut().unwrap() ^= 1;
    let cases = [
        (wrong_sum, "the checksum of this packet is wrong"),
        (b"\xb3\x19\x03\x0c".to_vec(), "no packet of version 2, but of 1"),
        (b"\xb3\x29\x03\xff\xff\xff\xff".to_vec(), "has four bytes"),
        (b"\xb3\x29\x03\x04".to_vec(), "says to be 4 bytes long, which is too short"),
        (raw(0x2908, b""), "in this packet a reserved flag is set"),
        (raw(0x2903, b"\x02a\xff"), "a text is not UTF-8"),
        (raw(0x2903, b"\x3fab"), "a field of 63 bytes is longer than the 2 that are left"),
        (raw(0x2103, b"ab"), "2 bytes have no meaning"),
        (raw(0x2b03, b"\xff\xff\xff\xff\xff\xff\xff\xff\x01a"), "the time is out of range"),
        (
            [
                packet("subunit.parser", 0, None, Some(("Parser Error", b"Short read"))),
                packet("subunit.parser", 6, None, None),
            ]
            .concat(),
            "the stream says of itself that it was damaged: Short read",
        ),
    ];
    for (bad, wanted) in cases {
        let stream = [good.clone(), bad, good.clone()].concat();
        let found = damage(&stream);
        assert!(found.contains(wanted), "{found}");
        let place: usize = found.strip_prefix("byte ").unwrap().split(':').next().unwrap().parse().unwrap();
        assert!(place >= at, "{found}");
        assert_eq!(collected(&stream).rows["a.b"].results, 1);
    }
}

#[test]
fn output_between_packets_is_no_damage() {
    let stream = [
        "printed before, in UTF-8: ³ → ’\n".as_bytes(),
        &result("a.b", 3, 5, None),
        b"no line feed",
        &result("a.c", 6, 5, Some(("traceback", "boom"))),
        "after ²³".as_bytes(),
    ];
    let all = collected(&stream.concat());
    assert_eq!((all.format, &all.damage), (Format::SubunitV2, &None));
    assert_eq!(all.rows["a.c"].reason.as_deref(), Some("boom"));
    assert_eq!(all.rows.len(), 2);
}

#[test]
fn the_same_test_on_two_routes_is_not_mixed_up() {
    let routed = |status: u8, route: &[u8]| {
        raw(0x2900 | 0x0400 | u16::from(status), &[&b"\x03a.b"[..], &[route.len() as u8], route].concat())
    };
    let stream = [routed(2, b"0"), routed(2, b"1"), routed(3, b"0")].concat();
    let (entries, _) = entries(&stream);
    let outcomes: Vec<_> = entries.iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [Outcome::Pass, Outcome::Error]);
    assert_eq!(collected(&stream).rows["a.b"].outcome, Outcome::Error);
}

#[test]
fn a_failed_worker_is_told() {
    let stream = [result("a.b", 3, 5, None), packet("process-returncode", 6, None, None)].concat();
    let all = collected(&stream);
    assert!(all.notes[0].contains("a process that ran tests ended badly"), "{:?}", all.notes);
    assert_eq!(all.rows.len(), 1);
}

#[test]
fn results_of_one_test_are_put_together() {
    let stream =
        |statuses: &[u8]| statuses.iter().flat_map(|status| result("a.b", *status, 5, None)).collect::<Vec<_>>();
    let ended = |statuses: &[u8]| {
        let row = collected(&stream(statuses)).rows["a.b"].clone();
        (row.outcome, row.flaky)
    };
    assert_eq!(ended(&[3, 3]), (Outcome::Pass, false));
    assert_eq!(ended(&[6, 3]), (Outcome::Pass, true));
    assert_eq!(ended(&[3, 6]).0, Outcome::Fail);
    assert_eq!(ended(&[6, 3, 6]).0, Outcome::Fail);
    assert_eq!(ended(&[5, 3]).0, Outcome::Skip);
    assert_eq!(ended(&[1, 3]), (Outcome::Pass, false));
    let all = collected(&stream(&[3, 6]));
    assert!(all.notes[0].contains("several results, of which the worst counts: a.b"), "{:?}", all.notes);
}

#[test]
fn plain_details_and_stray_lines_of_the_text_protocol() {
    let text = "time: 2026-01-02 03:04:05Z\ntest: a.b one\nsuccess: somebody else\nerror in the printer\n\
        failure: a.b one [\nTraceback (most recent call last):\n  File\nValueError: x\n ]\n]\n\
        testing a.c\nskip: a.c [\nno disk\n]\ntest: a.d\nsuccessful: a.d\ntest: a.e\n";
    let all = collected(text.as_bytes());
    assert_eq!(all.format, Format::SubunitV1);
    let rows: Vec<_> = all.rows.iter().map(|(name, row)| (name.as_str(), row.outcome, row.reason.as_deref())).collect();
    let wanted = [
        ("a.b one", Outcome::Fail, Some("ValueError: x ]")),
        ("a.c", Outcome::Skip, Some("no disk")),
        ("a.d", Outcome::Pass, None),
        ("a.e", Outcome::Error, Some("it never finished")),
    ];
    assert_eq!(rows, wanted);
    assert!(all.notes[0].starts_with("1 ends of tests"), "{:?}", all.notes);
    let bad = "test: a.b\nfailure: a.b [ multipart\nnonsense\n]\n";
    assert!(damage(bad.as_bytes()).contains("has no Content-Type"));
    let bad = "test: a.b\nfailure: a.b [ multipart\nContent-Type: text/plain\nreason\nzz\r\n";
    assert!(damage(bad.as_bytes()).starts_with("byte 67: the length of a chunk"), "{}", damage(bad.as_bytes()));
}

#[test]
fn dialects_of_junit() {
    let pytest = r#"<?xml version="1.0"?><testsuites><testsuite name="pytest" timestamp="2026-01-02T03:04:05.5">
        <testcase classname="t.test_a.C" name="test_p[a-b]" time="0.5"/>
        <testcase classname="t.test_a" name="test_x"><skipped type="pytest.xfail" message="bug 1"/></testcase>
        <testcase classname="t.test_a" name="test_s"><skipped type="pytest.skip" message="no net">a.py:1</skipped></testcase>
        <testcase classname="t.test_a" name="test_e"><error message="failed on setup">long</error></testcase>
        <testcase classname="t.test_a" name="test_f"><skipped/><failure message="a &lt; b&#10;c"/><error message="z"/>
          <properties><property name="idempotent_id" value="id-00000001-0000-4000-8000-000000000001"/></properties></testcase>
        </testsuite></testsuites>"#;
    let all = collected(pytest.as_bytes());
    let rows: Vec<_> = all.rows.iter().map(|(name, row)| (name.as_str(), row.outcome, row.reason.as_deref())).collect();
    let wanted = [
        ("t.test_a.C.test_p[a-b]", Outcome::Pass, None),
        ("t.test_a.test_e", Outcome::Error, Some("failed on setup")),
        ("t.test_a.test_f", Outcome::Fail, Some("a < b c")),
        ("t.test_a.test_s", Outcome::Skip, Some("no net")),
        ("t.test_a.test_x", Outcome::Fail, Some("bug 1")),
    ];
    assert_eq!(rows, wanted);
    assert_eq!(all.rows["t.test_a.test_f"].ids, ["00000001-0000-4000-8000-000000000001"]);
    assert_eq!(all.latest, "2026-01-02T03:04:05.5Z".parse().ok());

    let others = r#"<testsuite><testsuite>
        <testcase name="[It] [sig-x] Pods run [Conformance]" classname="E2E Suite" status="passed" time="1,000.5"/>
        <testcase name="[sig-x] Pods wait" classname="" status="timedout"/>
        <testcase name="t" classname="oci" status="disabled"/>
        <testcase name="u" classname="oci"><flakyFailure message="x"/></testcase>
        <testcase name="v" classname="oci"><rerunFailure message="x"/><system-out><![CDATA[<failure/>]]></system-out></testcase>
        <testcase name="w" classname="oci"><failure><![CDATA[AssertionError: <a> ]]>&amp; &x; rest</failure></testcase>
        </testsuite></testsuite>"#;
    let all = collected(others.as_bytes());
    let outcomes: Vec<_> = all.rows.iter().map(|(name, row)| (name.as_str(), row.outcome)).collect();
    let wanted = [
        ("[sig-x] Pods run [Conformance]", Outcome::Pass),
        ("[sig-x] Pods wait", Outcome::Fail),
        ("oci.t", Outcome::Skip),
        ("oci.u", Outcome::Pass),
        ("oci.v", Outcome::Fail),
        ("oci.w", Outcome::Fail),
    ];
    assert_eq!(outcomes, wanted);
    assert!(all.rows["oci.u"].flaky);
    assert_eq!(all.rows["oci.w"].reason.as_deref(), Some("AssertionError: <a> & &x; rest"));
}

#[test]
fn hostile_and_cut_xml() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuites/>"#;
    assert!(damage(bomb.as_bytes()).contains("document type"));
    let deep = "<testsuite>".repeat(100);
    assert!(damage(deep.as_bytes()).contains("more than 64 deep"));
    assert!(damage(b"<html><body/></html>").contains("the root element is <html>"));
    assert!(damage(b"<testsuite><testcase name='a.b'/>").contains("ends before its elements do"));
    assert!(damage(b"<testsuite><testcase name='a.b'/></testsuites>").contains("</testsuites> stands where"));
    let cut = b"<testsuite><testcase name='a.a'/><testcase name='a.b'><system-out>";
    let all = collected(cut);
    assert_eq!((all.rows["a.a"].outcome, all.rows["a.b"].outcome), (Outcome::Pass, Outcome::Error));
    for end in 1..JUNIT.len() - 1 {
        assert!(collected(&JUNIT[..end]).damage.is_some(), "{end}");
    }
}

#[test]
fn refstack_results_are_passes() {
    let text = br#"{"cpid": "x", "duration_seconds": 7, "results": [{"name": "a.b", "uuid": "00000001000040008000000000000001"},
        {"name": "a.c[id-00000002-0000-4000-8000-000000000002]", "odd": {}}]}"#;
    let all = collected(text);
    assert_eq!((all.format, &all.damage, all.rows.len()), (Format::RefStack, &None, 2));
    assert_eq!(all.rows["a.b"].ids, ["00000001-0000-4000-8000-000000000001"]);
    assert_eq!(all.rows["a.c"].outcome, Outcome::Pass);
    assert!(damage(br#"{"cpid": "x"}"#).contains("has no `results`"));
    let cut = collected(&text[..text.len() - 12]);
    assert!(cut.damage.is_some() && cut.rows.len() == 1);
}

#[test]
fn lists_and_what_is_none_of_all() {
    let all = collected(
        b"\xef\xbb\xbf# passed\na.b\r\na.c[id-00000002-0000-4000-8000-000000000002,smoke]\n\n[sig-x] Pods run\n",
    );
    assert_eq!(all.format, Format::Names);
    assert_eq!(all.rows.keys().collect::<Vec<_>>(), ["[sig-x] Pods run", "a.b", "a.c"]);
    let unknown = |bytes: &[u8]| collect(bytes).unwrap_err().to_string();
    assert!(unknown(b"").contains("empty"));
    assert!(unknown(b" \n\n").contains("empty"));
    assert!(unknown(b"a.b\nSome words about it.\n").contains("line 2 is no name of a test"));
    assert!(unknown(b"\x1f\x8b\x08").contains("packed data is cut"));
    assert!(unknown(b"PK\x03\x04").contains("zip"));
    assert!(unknown(b"\xff\xfe<\0").contains("UTF-16"));
    assert!(unknown(b"\0\x01\x02").contains("no name"));
    let late = [b"a.b\n".repeat(20_000), b"oh no\n".to_vec()].concat();
    assert_eq!(damage(&late), "byte 80000: this line is no name of a test");
}

#[test]
fn checksums_are_those_of_zlib() {
    assert_eq!(subunit2::crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(packet("foo", 1, None, None), b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b");
}
