//! What a target may get wrong: each case has an outcome, the run ends, and the bundle verifies.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::stub::{Bench, ROOT, Reply, Running, Target, json};

fn cases(ids: &[&str]) -> String {
    let mut text = "cases:\n".to_owned();
    for id in ids {
        text.push_str(&format!(
            "  - id: {id}\n    title: {id}\n    capability: toy-all\n    steps: [{{get: /toy/{id}, expect: {{status: 200}}}}]\n"
        ));
    }
    text
}

#[test]
fn a_wrong_password() {
    let bench = Bench::new(&cases(&["one"]));
    let target = Target::start(|_| json(401, "{}"));
    bench.write("pw", "canary-wrong-password");
    let ran = bench.run(&target.url(), &["-u", "operator", "--password-file", "pw"]).expect(5);
    let ran = ran.says(&["refuses the credentials", "ASSIZE_PASSWORD"]);
    assert!(!format!("{}{}", ran.out, ran.err).contains("canary"));
    assert_eq!(target.log(), [ROOT]);
    assert!(!bench.path("out").exists(), "nothing was judged, so there is no bundle");
}

#[test]
fn no_credentials_where_some_are_asked_for() {
    let bench = Bench::new(&cases(&["one"]));
    let target = Target::start(|_| json(401, "{}"));
    bench.run(&target.url(), &[]).expect(5).says(&["none were given", "--username"]);
}

#[test]
fn a_closed_port() {
    let bench = Bench::new(&cases(&["one"]));
    bench.run(&Target::nobody(), &[]).expect(5).says(&["cannot be reached", "(connect)", "port"]);
    bench.run("http://no-such-host.invalid/toy", &[]).expect(5).says(&["cannot be reached", "no-such-host.invalid"]);
}

#[test]
fn tls_where_there_is_none() {
    let bench = Bench::new(&cases(&["one"]));
    let target = Target::empty();
    let url = target.url().replace("http://", "https://");
    bench.run(&url, &["--insecure"]).expect(5).says(&["cannot be reached (tls)", "http://"]);
}

/// Answers every request with 200 over TLS, with a certificate that no authority of the system has signed.
fn tls_server() -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = include_bytes!("../../src/engine/testdata/server.pem");
    let key = include_bytes!("../../src/engine/testdata/server.key");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}/toy", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::Stream::new(&mut session, &mut stream);
            if tls.read(&mut [0; 4096]).is_ok() {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
            }
        }
    });
    base
}

#[test]
fn a_certificate_that_nobody_vouches_for() {
    let bench = Bench::new(&cases(&["one"]));
    let url = tls_server();
    let authority = include_bytes!("../../src/engine/testdata/authority.pem");
    std::fs::write(bench.path("ca.pem"), authority).unwrap();
    std::fs::write(bench.path("other.pem"), include_bytes!("../../src/engine/testdata/server.pem")).unwrap();
    let refused = bench.run(&url, &["--ca-cert", "other.pem"]).expect(5);
    refused.says(&["cannot be reached (tls)", "--ca-cert", "--insecure"]);
    bench.run(&url, &["--ca-cert", "ca.pem"]).expect(0);
    assert!(!bench.read("out/report.html").contains("the certificate was not verified"));
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    bench.run(&url, &["--insecure"]).expect(0);
    assert!(bench.read("out/report.html").contains("the certificate was not verified"), "the report says so");
    bench.verify().expect(0);
}

#[test]
fn plain_http_where_tls_is_spoken() {
    let bench = Bench::new(&cases(&["one"]));
    let url = tls_server().replace("https://", "http://");
    bench.run(&url, &[]).expect(5).says(&["cannot be reached"]);
}

/// Peak memory of a process, in KiB, where the system tells.
fn peak_of(pid: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn bodies_without_end_are_bounded_in_time_and_memory() {
    let ids = ["endless", "huge", "many", "last"];
    let text =
        cases(&ids).replace("- id: many\n    title: many\n", "- id: many\n    title: many\n    each: {count: 8}\n");
    let bench = Bench::new(&text);
    let (pid, peak) = (Arc::new(OnceLock::<u32>::new()), Arc::new(AtomicUsize::new(0)));
    let (of, top) = (pid.clone(), peak.clone());
    let target = Target::start(move |seen| match seen.what() {
        ROOT | "GET /toy/endless" | "GET /toy/many" => Reply::Endless("content-type: application/json\r\n"),
        "GET /toy/huge" => Reply::Endless("content-length: 2147483648\r\n"),
        _ => {
            top.store(peak_of(*of.wait()).unwrap_or(0), Ordering::SeqCst);
            json(200, "{}")
        }
    });
    let run = Running::start(bench.run_command(&target.url(), &[]));
    pid.set(run.pid()).unwrap();
    run.end().expect(0);
    let peak = peak.load(Ordering::SeqCst);
    assert!(peak < 200 << 10, "{peak} KiB");
    assert_eq!(bench.outcomes()["ironic.s.last"], "pass");
    bench.verify().expect(0);
    // The beginning is kept, and that it is only the beginning.
    assert!(bench.read("out/transcript.jsonl").contains("truncated_at"));
}

#[test]
fn a_check_of_a_body_that_was_cut_off_says_so() {
    let text = cases(&["json"]).replace("{status: 200}", "{json: {\"$.a\": 1}}");
    let bench = Bench::new(&text);
    let target = Target::start(|seen| match seen.what() {
        ROOT => json(200, "{}"),
        _ => Reply::Endless("content-type: application/json\r\n"),
    });
    bench.run(&target.url(), &[]).expect(1);
    let case = bench.case("ironic.s.json");
    assert_ne!(case["result"]["outcome"], "pass");
    bench.verify().expect(0);
}

#[test]
fn answers_that_are_torn_or_odd() {
    let ids = ["torn", "deep", "lie", "garbage", "closed", "nul", "status", "last"];
    let bench = Bench::new(&cases(&ids).replace("expect: {status: 200}", "expect: {that: body.a == 1}"));
    let target = Target::start(|seen| match seen.what() {
        "GET /toy/torn" => json(200, r#"{"a": 1, "b": ["#),
        "GET /toy/deep" => json(200, &"[".repeat(200_000)),
        "GET /toy/lie" => Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\": 1}"),
        "GET /toy/garbage" => Reply::Raw(b"\x00\x01\x02 not http at all\r\n\r\n"),
        "GET /toy/closed" => Reply::Raw(b""),
        "GET /toy/nul" => json(200, "{\"a\": 1, \"b\": \"\\u0000\\ud800\"}"),
        "GET /toy/status" => Reply::Raw(b"HTTP/1.1 999 \r\ncontent-length: 8\r\n\r\n{\"a\": 1}"),
        _ => json(200, r#"{"a": 1}"#),
    });
    let ran = bench.run(&target.url(), &[]).expect(1);
    let outcomes = bench.outcomes();
    for (case, outcome) in
        [("torn", "fail"), ("deep", "fail"), ("lie", "error"), ("garbage", "error"), ("closed", "error")]
    {
        assert_eq!(outcomes[&format!("ironic.s.{case}")], outcome, "{case}: {}", ran.out);
    }
    assert_eq!(outcomes["ironic.s.last"], "pass");
    for case in ["nul", "status"] {
        assert_ne!(outcomes[&format!("ironic.s.{case}")], "pass", "{case}");
    }
    bench.verify().expect(0);
}

#[test]
fn redirects_that_never_end() {
    let text = cases(&["loop", "away"]).replace("expect: {status", "follow: same-origin, expect: {status");
    let bench = Bench::new(&text);
    let target = Target::start(|seen| match seen.what() {
        ROOT => json(200, "{}"),
        "GET /toy/away" => Reply::Full(302, "location: http://192.0.2.1/elsewhere\r\n", String::new()),
        _ => Reply::Full(302, "location: /toy/loop\r\n", String::new()),
    });
    bench.run(&target.url(), &[]).expect(1);
    let outcomes = bench.outcomes();
    assert_eq!(outcomes["ironic.s.loop"], "fail");
    assert!(bench.case("ironic.s.loop").to_string().contains("redirects"));
    assert!(target.count("GET /toy/loop") <= 20);
    assert_eq!(outcomes["ironic.s.away"], "fail", "another host is not followed");
    bench.verify().expect(0);
}

const MANY: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// A target that stops after its third answer, in the given way.
fn dies(reply: fn() -> Reply) -> (Bench, Target) {
    let count = AtomicUsize::new(0);
    let target =
        Target::start(move |_| if count.fetch_add(1, Ordering::SeqCst) < 3 { json(200, "{}") } else { reply() });
    (Bench::new(&cases(&MANY)), target)
}

#[test]
fn a_target_that_drops_every_connection_in_the_middle() {
    let (bench, target) = dies(|| Reply::Raw(b""));
    bench.run(&target.url(), &[]).expect(5).says(&["stopped answering", "not-run"]);
    let outcomes = bench.outcomes();
    assert_eq!(outcomes["ironic.s.b"], "pass");
    assert_eq!(outcomes["ironic.s.c"], "error");
    assert_eq!(outcomes["ironic.s.l"], "not-run");
    assert_eq!(bench.json("out/run.json")["interrupted"], "the target stopped answering");
    assert!(bench.read("out/junit.xml").contains("not-run"));
    bench.verify().expect(0);
}

#[test]
fn a_target_that_refuses_connections_in_the_middle() {
    let bench = Bench::new(&cases(&MANY));
    let (moment, hold) = crate::stub::moment();
    let target = Target::start(move |seen| {
        if seen.what() == "GET /toy/c" {
            hold.here();
        }
        json(200, "{}")
    });
    let run = Running::start(bench.run_command(&target.url(), &[]));
    moment.wait(&run);
    drop(target);
    moment.pass();
    run.end().expect(5).says(&["stopped answering"]);
    let outcomes = bench.outcomes();
    assert_eq!(outcomes["ironic.s.b"], "pass");
    assert_eq!(outcomes["ironic.s.l"], "not-run");
    bench.verify().expect(0);
}

#[test]
fn an_answer_in_between_forgives() {
    let count = AtomicUsize::new(0);
    let bench = Bench::new(&cases(&MANY));
    let target = Target::start(move |_| {
        if count.fetch_add(1, Ordering::SeqCst).is_multiple_of(4) { json(200, "{}") } else { Reply::Raw(b"") }
    });
    bench.run(&target.url(), &[]).expect(1);
    let outcomes = bench.outcomes();
    assert!(!outcomes.values().any(|outcome| outcome == "not-run"), "{outcomes:?}");
    bench.verify().expect(0);
}
