use std::path::PathBuf;

use super::*;
use crate::http::{Body, Exchange, Headers, Request, Response};
use crate::secret::{Secret, Vault};

fn exchange(url: &str, body: &str) -> Exchange {
    Exchange {
        request: Request { method: "GET".into(), url: url.into(), headers: Headers::default(), body: Body::default() },
        response: Some(Response {
            status: 200,
            version: "HTTP/1.1".into(),
            headers: Headers(vec![("etag".into(), "\"1\"".into())]),
            body: Body::new(body.to_owned()),
            tls: None,
        }),
        failure: None,
        sent_ms: 1,
        done_ms: 2,
        at_ms: 3,
    }
}

fn file(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("transcript.jsonl")
}

fn start(case: &str, at_ms: i64) -> Record {
    Record::Start { case: case.into(), attempt: 1, at_ms }
}

fn end(case: &str) -> Record {
    Record::End { case: case.into(), attempt: 1 }
}

#[test]
fn interleaved_cases_are_read_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::with_key([3; 32]);
    vault.learn("pw", &Secret::new("canary-password"));
    let writer = Writer::create(&file(&dir), "run-1").unwrap();
    writer.write(&start("a.x", 10)).unwrap();
    writer.write(&start("a.y[on]", 20)).unwrap();
    let sealed = vault.seal(exchange("http://h/?p=canary-password", "{\"a\":\"canary-password\"}"));
    writer.exchange(("a.y[on]", 1, 0), false, "line 3", &sealed).unwrap();
    let stop = Record::Stop { case: "a.x".into(), attempt: 1, n: 0, reason: "deadline".into() };
    writer.write(&stop).unwrap();
    writer.exchange(("a.y[on]", 1, 1), true, "undo", &sealed).unwrap();
    writer.write(&end("a.y[on]")).unwrap();

    let reader = Reader::open(&file(&dir)).unwrap();
    assert_eq!(reader.run(), "run-1");
    assert_eq!(writer.digest(), crate::canon::digest_bytes(&std::fs::read(file(&dir)).unwrap()));
    assert_eq!(reader.cases().collect::<Vec<_>>(), ["a.x", "a.y[on]"]);
    assert_eq!(reader.attempts("a.y[on]"), [1]);
    let y = reader.load("a.y[on]", 1).unwrap().unwrap();
    assert!(y.ended && y.start_at_ms == 20 && y.events.len() == 2);
    let Some(Content::Exchange { undo: true, exchange, .. }) = y.events.get(&1) else { panic!("{y:?}") };
    assert_eq!(**exchange, sealed);
    let x = reader.load("a.x", 1).unwrap().unwrap();
    assert!(!x.ended, "no end record");
    assert!(matches!(x.events.get(&0), Some(Content::Stop { reason }) if reason == "deadline"));
    assert!(reader.load("a.z", 1).unwrap().is_none());
    assert!(!std::fs::read_to_string(file(&dir)).unwrap().contains("canary"));
}

#[test]
fn a_transcript_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    Writer::create(&file(&dir), "run-1").unwrap();
    assert!(Writer::create(&file(&dir), "run-2").is_err());
}

#[test]
fn damage_is_reported_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let head = "{\"head\":{\"format\":1,\"run\":\"r\"}}\n";
    let start = "{\"start\":{\"case\":\"a.x\",\"attempt\":1,\"at_ms\":0}}\n";
    for (text, line, why) in [
        (String::new(), 1, "empty"),
        (start.to_owned(), 1, "the head is missing"),
        (format!("{head}{start}{{\"stop\":"), 3, "cut off"),
        (format!("{head}{start}{{\"stop\":}}\n"), 3, "not a record"),
        (format!("{head}{{\"later\":{{\"case\":\"a.x\",\"attempt\":1}}}}\n"), 2, "not a record"),
        (format!("{head}{head}"), 2, "a second head"),
    ] {
        std::fs::write(file(&dir), &text).unwrap();
        let error = Reader::open(&file(&dir)).unwrap_err().to_string();
        assert!(error.contains(&format!("line {line}: ")) && error.contains(why), "{text:?}: {error}");
        assert!(error.contains("transcript.jsonl"), "{error}");
    }
    std::fs::write(file(&dir), "{\"head\":{\"format\":9,\"zone\":1}}\n").unwrap();
    assert!(matches!(Reader::open(&file(&dir)), Err(ReadError::TooNew { found: 9, .. })));
}

#[test]
fn attempts_must_be_well_formed() {
    let dir = tempfile::tempdir().unwrap();
    let stop = |n: u32| Record::Stop { case: "a.x".into(), attempt: 1, n, reason: "deadline".into() };
    for (records, why) in [
        (vec![stop(0)], "has not begun"),
        (vec![start("a.x", 0), start("a.x", 0)], "begins twice"),
        (vec![start("a.x", 0), stop(1), stop(1)], "event 1 appears twice"),
        (vec![start("a.x", 0), end("a.x"), stop(1)], "behind the end"),
    ] {
        let path = file(&dir);
        let _ = std::fs::remove_file(&path);
        let writer = Writer::create(&path, "r").unwrap();
        records.iter().for_each(|record| writer.write(record).unwrap());
        let error = Reader::open(&path).unwrap().load("a.x", 1).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn concurrent_writers_do_not_tear_lines() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::create(&file(&dir), "r").unwrap();
    std::thread::scope(|scope| {
        for case in ["a.a", "a.b", "a.c", "a.d"] {
            let writer = &writer;
            scope.spawn(move || {
                writer.write(&start(case, 0)).unwrap();
                let sealed = Vault::with_key([0; 32]).seal(exchange("http://h/", &case.repeat(5000)));
                (0..50).for_each(|n| writer.exchange((case, 1, n), false, "s", &sealed).unwrap());
                writer.write(&end(case)).unwrap();
            });
        }
    });
    let reader = Reader::open(&file(&dir)).unwrap();
    for case in ["a.a", "a.b", "a.c", "a.d"] {
        assert_eq!(reader.load(case, 1).unwrap().unwrap().events.len(), 50);
    }
}
