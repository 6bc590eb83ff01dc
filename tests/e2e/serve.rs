//! `assize serve`: it starts, says where, and leaves nothing behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;

use crate::stub::Bench;

const RULES: &str = "format: assize-rules/1\nfoundation: Toy foundation\nguidelines:\n  - {id: redfish/2026.11, from: 2026-01-01, until: 2030-01-01, status: [draft]}\n";

/// A server under way; it does not outlive the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bench() -> Bench {
    let bench = Bench::new("cases: []\n");
    bench.write("ledger/rules.yaml", RULES);
    fs::create_dir(bench.path("tmp")).unwrap();
    bench
}

/// What lies in the folder for temporary files.
fn left(bench: &Bench) -> usize {
    fs::read_dir(bench.path("tmp")).unwrap().count()
}

#[test]
fn it_ends_in_order() {
    for signal in ["INT", "TERM"] {
        let bench = bench();
        let mut command = bench.command(&["serve", "ledger"]);
        let mut serving = Serving(command.env("TMPDIR", bench.path("tmp")).spawn().unwrap());
        let mut address = String::new();
        BufReader::new(serving.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let host = address.trim().strip_prefix("http://127.0.0.1:").unwrap().strip_suffix('/').unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", host.parse().unwrap())).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Toy foundation"), "{answer}");
        assert_eq!(left(&bench), 1);
        #[cfg(unix)]
        for folder in fs::read_dir(bench.path("tmp")).unwrap() {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(folder.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        let killed =
            std::process::Command::new("kill").args([format!("-{signal}"), serving.0.id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert_eq!(serving.0.wait().unwrap().code(), Some(0), "{signal}");
        assert_eq!(left(&bench), 0);
    }
}

#[test]
fn other_computers_only_when_told_so() {
    let bench = bench();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        bench.assize(&["serve", "ledger", "--listen", address]).expect(2).says(&["--public"]);
    }
}

#[test]
fn what_cannot_be_served_leaves_nothing() {
    let bench = bench();
    bench.write("ledger/rules.yaml", "format: assize-rules/1\n");
    let mut command = bench.command(&["serve", "ledger"]);
    command.env("TMPDIR", bench.path("tmp"));
    crate::stub::Running::start(command).end().expect(3).says(&["rules.yaml"]);
    assert_eq!(left(&bench), 0);
    bench.write("ledger/rules.yaml", RULES);
    bench.write("mine/precious.txt", "precious");
    bench.assize(&["serve", "ledger", "--site", "mine"]).expect(3).says(&["mine"]);
    assert_eq!(bench.read("mine/precious.txt"), "precious");
}
