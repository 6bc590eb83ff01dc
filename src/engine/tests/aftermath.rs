//! What remains after a run was killed, and what TLS refuses.

use super::*;

#[tokio::test]
async fn a_killed_run_is_cleaned_up_from_its_journal() {
    let name = Arc::new(Mutex::new(String::new()));
    let (posted, told) = tokio::sync::mpsc::unbounded_channel();
    let created = Arc::clone(&name);
    let stub = Stub::start(move |seen| match seen.what() {
        "POST /things" => {
            let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            *created.lock().unwrap() = body["name"].as_str().unwrap().to_owned();
            posted.send(()).unwrap();
            Reply::Hang
        }
        "GET /things" => {
            json(200, &json!([{"id": 6, "name": "other"}, {"id": 7, "name": *created.lock().unwrap()}]).to_string())
        }
        _ => json(200, "{}"),
    })
    .await;
    let bench = Bench::new(&stub.base, "", &[case("c", "    risk: write\n", CREATE)]);
    let (plan, catalogue, options) = (bench.plan(""), bench.catalogue.clone(), bench.options.clone());
    let run = tokio::spawn(async move {
        let _ = run(plan, catalogue.instances(), options, &mut |_| {}).await;
    });
    let mut told = told;
    told.recv().await.unwrap();
    run.abort();
    let _ = run.await;
    let pending = Journal::pending(&bench.path("journal")).unwrap();
    assert_eq!(pending.len(), 1);
    assert!(pending[0].lost, "the answer was never seen");
    assert!(!bench.reader().load("x.s.c", 1).unwrap().unwrap().ended);

    let mut cleaned = Vec::new();
    let journal = bench.path("journal");
    let leaks = cleanup(&journal, bench.plan("cleanup-"), &bench.options, &mut |one| cleaned.push(one)).await;
    assert_eq!(leaks.unwrap(), 0, "{cleaned:?}");
    assert_eq!(cleaned[0].case, "x.s.c");
    assert_eq!(stub.log(), ["POST /things", "GET /things", "DELETE /things/7"]);
    assert!(Journal::pending(&bench.path("journal")).unwrap().is_empty());
}

#[tokio::test]
async fn secrets_of_a_killed_run_are_not_sent_as_tokens() {
    let (posted, mut told) = tokio::sync::mpsc::unbounded_channel();
    let stub = Stub::start(move |seen| match seen.what() {
        "POST /things" => Reply::Full(201, "x-auth-token: session-token-1\r\n", String::new()),
        "GET /stop" => {
            posted.send(()).unwrap();
            Reply::Hang
        }
        _ => json(200, "{}"),
    })
    .await;
    let steps = "
      - post: /things
        save: {token: '${headers[\"x-auth-token\"]}'}
        undo:
          - delete: /things/1
            as: {header: {name: x-auth-token, value: '${token}'}}
      - get: /stop
        expect: {status: 200}
";
    let bench = Bench::new(&stub.base, "", &[case("c", "    risk: write\n", steps)]);
    let (plan, catalogue, options) = (bench.plan(""), bench.catalogue.clone(), bench.options.clone());
    let run = tokio::spawn(async move {
        let _ = run(plan, catalogue.instances(), options, &mut |_| {}).await;
    });
    told.recv().await.unwrap();
    run.abort();
    let _ = run.await;
    let mut cleaned = Vec::new();
    let journal = bench.path("journal");
    let leaks = cleanup(&journal, bench.plan("cleanup-"), &bench.options, &mut |one| cleaned.push(one)).await;
    assert_eq!(leaks.unwrap(), 1);
    assert!(cleaned[0].leaks[0].why.contains("secret"), "{cleaned:?}");
    assert_eq!(stub.log(), ["POST /things", "GET /stop"], "nothing with a token in it went out");
    assert_eq!(Journal::pending(&bench.path("journal")).unwrap().len(), 1, "still to be done");
}

#[tokio::test]
async fn a_panic_is_told_in_words() {
    let task = tokio::spawn(async { panic!("index {} is wrong", 3) });
    assert_eq!(panic_text(task.await.unwrap_err()), "index 3 is wrong");
    let task = tokio::spawn(std::future::pending::<()>());
    task.abort();
    assert_eq!(panic_text(task.await.unwrap_err()), "it was aborted");
}

/// Answers one request on each of `connections` TLS connections, then ends.
fn tls_server(connections: usize) -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use std::io::{Read, Write};
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(SERVER).unwrap()],
            PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = stream.unwrap();
            let mut tls = rustls::Stream::new(&mut session, &mut stream);
            let mut request = [0; 4096];
            if tls.read(&mut request).is_ok() {
                tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
            }
        }
    });
    base
}

#[tokio::test]
async fn certificates_are_verified_unless_switched_off() {
    let trusting: fn(&mut TargetOptions<'_>) = |options| options.ca_certs.push(AUTHORITY.to_vec());
    let careless: fn(&mut TargetOptions<'_>) = |options| options.insecure = true;
    let other: fn(&mut TargetOptions<'_>) = |options| options.ca_certs.push(SERVER.to_vec());
    for (tls, verified) in [(trusting, Some(true)), (careless, Some(false)), (other, None)] {
        let mut bench = Bench::new(&tls_server(1), "", &[case("c", "", &get("/"))]);
        bench.tls = tls;
        let ran = bench.run().await;
        let exchange = bench.exchanges("c").remove(0);
        match verified {
            Some(verified) => {
                assert_eq!(ran.result("c").outcome, Outcome::Pass, "{:?}", ran.result("c"));
                let facts = exchange.response.unwrap().tls.unwrap();
                let der = <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(
                    SERVER,
                );
                assert_eq!(facts.certificate, crate::canon::digest_bytes(&der.unwrap()));
                assert_eq!(facts.verified, verified);
            }
            None => assert_eq!(exchange.failure.unwrap().class, FailureClass::Tls),
        }
    }
}
