//! Targets by kubeconfig, against a server that knows people by client certificate, token, or not at all: who one is,
//! through which proxy, by which name, and what a credential plugin says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::stub::{Running, moment};

const FAMILY: &str = "format: 1\nfamily: kubernetes\ntitle: Toy\npath: /api\nauth: bearer\nprobe: /api\nheaders: {accept: application/json}\n";
const SUITE: &str = "format: 1
suite: kubernetes.toy
title: Toy
cases:
  - id: main
    title: The server takes us for whom we are
    capability: toy-all
    steps:
      - get: /who
        expect: {json: {\"$.user\": \"${target.options.main}\", \"$.as\": \"${get(target.options, '/as', 'none')}\"}}
      - check: {that: \"get(target.options, '/host', body.host) == body.host && get(target.options, '/name', body.name) == body.name\"}
  - id: limited
    title: Another identity is somebody else, also at the same time
    capability: toy-all
    steps:
      - get: /who
        as: limited
        expect: {json: {\"$.user\": \"${get(target.options, '/limited', '')}\"}}
      - parallel:
          - get: /who
          - get: /who
            as: limited
          - get: /who
            as: none
        expect: {that: \"responses.map(r, r.body.user) == [target.options.main, target.options.limited, 'nobody']\"}
  - id: none
    title: Nobody presents nothing
    capability: toy-all
    steps:
      - get: /who
        as: none
        expect: {json: {\"$.user\": nobody, \"$.as\": none}}
  - id: header
    title: A credential of the case counts, not the certificate of the identity
    capability: toy-all
    steps:
      - get: /who
        as: {header: {name: authorization, value: Bearer toy}}
        expect: {json: {\"$.user\": toy, \"$.as\": none}}
      - get: /who
        headers: {authorization: Bearer toy}
        expect: {json: {\"$.user\": toy, \"$.as\": none}}
";

fn pem(name: &str) -> &'static str {
    match name {
        "ca.crt" => include_str!("../tls/ca.crt"),
        "admin.crt" => include_str!("../tls/admin.crt"),
        "admin.key" => include_str!("../tls/admin.key"),
        "limited.crt" => include_str!("../tls/limited.crt"),
        "limited.key" => include_str!("../tls/limited.key"),
        "server.crt" => include_str!("../tls/server.crt"),
        "server.key" => include_str!("../tls/server.key"),
        "named.crt" => include_str!("../tls/named.crt"),
        "named.key" => include_str!("../tls/named.key"),
        other => panic!("{other}"),
    }
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem(name).as_bytes()).unwrap()
}

/// Told of every request before it is answered: method and path, and who sends it.
type Hook = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Starts a server with the certificate of that name; gives its port.
fn server(own: &str) -> u16 {
    server_with(own, Arc::new(|_, _| {}))
}

fn server_with(own: &str, hook: Hook) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate("ca.crt")).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(pem(&format!("{own}.key")).as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate(&format!("{own}.crt"))], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (config, hook) = (Arc::clone(&config), Arc::clone(&hook));
            std::thread::spawn(move || answer(config, stream, &hook));
        }
    });
    port
}

/// Says on one connection who is there, until it is closed.
fn answer(config: Arc<rustls::ServerConfig>, mut stream: TcpStream, hook: &Hook) {
    let mut session = rustls::ServerConnection::new(config).unwrap();
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    while let Some(head) = head(&mut tls) {
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let shown = tls.conn.peer_certificates().and_then(|chain| chain.first());
        let by_certificate = ["admin", "limited"]
            .into_iter()
            .find(|name| shown.is_some_and(|shown| *shown == certificate(&format!("{name}.crt"))));
        // As the real one: a certificate counts more than a token.
        let user = by_certificate.or(match field("authorization") {
            None => Some("nobody"),
            Some("Bearer canary-admin-token") => Some("admin-token"),
            Some("Bearer canary-limited-token") => Some("limited-token"),
            Some("Bearer canary-plugin-token") => Some("plugin"),
            Some("Basic cm9vdDpjYW5hcnktcGFzc3dvcmQ=") => Some("root"),
            Some("Bearer toy") => Some("toy"),
            Some(_) => None,
        });
        let what = head.split(" HTTP").next().unwrap_or_default();
        hook(what, user.unwrap_or("unknown"));
        let name = tls.conn.server_name().unwrap_or("none");
        let body = format!(
            r#"{{"user":"{}","as":"{}","host":"{}","name":"{name}"}}"#,
            user.unwrap_or("unknown"),
            field("impersonate-user").unwrap_or("none"),
            field("host").unwrap_or("none"),
        );
        let status = if user.is_some() { "200 OK" } else { "401 Unauthorized" };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if tls.write_all(answer.as_bytes()).and_then(|()| tls.flush()).is_err() {
            return;
        }
    }
}

/// The head of the next request, with field names in lower case as clients here write them.
fn head(source: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        source.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}

/// A proxy that leads every connection to one port; gives its own port and the names it was asked for.
fn proxy(to: u16, greet: fn(&mut TcpStream) -> Option<String>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let Some(name) = greet(&mut stream) else { continue };
            seen.lock().unwrap().push(name);
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            pump(stream.try_clone().unwrap(), server.try_clone().unwrap());
            pump(server, stream);
        }
    });
    (port, asked)
}

/// HTTP CONNECT, for those who know the password.
fn http_proxy(stream: &mut TcpStream) -> Option<String> {
    let head = head(stream)?.to_ascii_lowercase();
    // `me:canary-proxy`
    if !head.contains("proxy-authorization: basic bwu6y2fuyxj5lxbyb3h5") {
        let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
        return None;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    head.split(' ').nth(1).map(str::to_owned)
}

/// SOCKS 5 without authentication (RFC 1928), asked for a name.
fn socks_proxy(stream: &mut TcpStream) -> Option<String> {
    let mut start = [0; 2];
    stream.read_exact(&mut start).ok()?;
    stream.read_exact(&mut vec![0; usize::from(start[1])]).ok()?;
    stream.write_all(&[5, 0]).ok()?;
    let mut request = [0; 5];
    stream.read_exact(&mut request).ok()?;
    assert_eq!(request[3], 3, "a name, not an address");
    let mut name = vec![0; usize::from(request[4]) + 2];
    stream.read_exact(&mut name).ok()?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    name.truncate(usize::from(request[4]));
    String::from_utf8(name).ok()
}

/// A home folder with a suite of the family, in which the program runs with no variables but these.
struct Home(tempfile::TempDir);

impl Home {
    /// With a kubeconfig whose cluster is said, and in which every user has a context of the same name.
    fn new(cluster: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("suites/kubernetes/family.yaml", FAMILY);
        home.write("suites/kubernetes/toy.yaml", SUITE);
        for name in ["ca.crt", "admin.crt", "admin.key", "limited.crt", "limited.key"] {
            home.write(&format!(".kube/pki/{name}"), pem(name));
        }
        home.write(".kube/config", &Self::config(cluster));
        home
    }

    fn config(cluster: &str) -> String {
        let users = [
            ("admin", "{client-certificate: pki/admin.crt, client-key: pki/admin.key}"),
            ("admin-token", "{token: canary-admin-token}"),
            ("limited", "{client-certificate: pki/limited.crt, client-key: pki/limited.key}"),
            ("limited-token", "{tokenFile: token}"),
            ("root", "{username: root, password: canary-password}"),
            ("acting", "{token: canary-admin-token, as: jane, as-groups: [dev]}"),
            ("stale", "{token: canary-stale-token}"),
            (
                "plugin",
                "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./give, interactiveMode: Never, \
                 provideClusterInfo: true, env: [{name: GIVEN_SECRET, value: canary-given}], args: [--x], \
                 installHint: give is in the box}}",
            ),
        ];
        let mut text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: admin\nclusters:\n- name: c\n  cluster: {cluster}\nusers:\n"
        );
        users.iter().for_each(|(name, user)| text.push_str(&format!("- {{name: {name}, user: {user}}}\n")));
        text.push_str("contexts:\n");
        let context =
            |name: &str| format!("- {{name: {name}, context: {{cluster: c, user: {name}, namespace: team}}}}\n");
        users.iter().for_each(|(name, _)| text.push_str(&context(name)));
        text
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Makes the credential plugin.
    #[cfg(unix)]
    fn plugin(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(".kube/give", &format!("#!/bin/sh\n{script}"));
        std::fs::set_permissions(self.path(".kube/give"), std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assize"));
        command
            .args(arguments)
            .args(["--color", "never"])
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .env("PATH", "/usr/bin:/bin")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn assize(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let output = self.command(arguments).envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        self.keeps_quiet(&text);
        (output.status.code().unwrap(), text)
    }

    /// Neither what was said nor what was written holds a secret.
    fn keeps_quiet(&self, said: &str) {
        assert!(!said.contains("canary"), "{said}");
        let keys = ["admin.key", "limited.key"].map(|name| pem(name).lines().nth(1).unwrap());
        for path in files(&self.path("out")) {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("canary"), "{}", path.display());
            assert!(!keys.iter().any(|key| text.contains(key)), "{}", path.display());
        }
    }

    /// Runs the cases of these names; all must pass.
    #[track_caller]
    fn passes(&self, cases: &[&str], arguments: &[&str]) -> String {
        let chosen = cases.iter().flat_map(|case| ["--case", case]);
        let all: Vec<_> = ["run", "--suites", ".", "-o", "out"].into_iter().chain(chosen).collect();
        let (code, text) = self.assize(&[&all, arguments].concat(), &[]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains(&format!("{} pass", cases.len())), "{text}");
        let (code, verified) = self.assize(&["verify", "out"], &[]);
        assert_eq!(code, 0, "{verified}");
        std::fs::remove_dir_all(self.path("out")).unwrap();
        text
    }

    #[track_caller]
    fn refuses(&self, arguments: &[&str], variables: &[(&str, &str)], code: i32, says: &[&str]) {
        let run = ["run", "--suites", ".", "-o", "out", "--case", "toy.main"];
        let (seen, text) = self.assize(&[&run, arguments].concat(), variables);
        assert_eq!(seen, code, "{text}");
        says.iter().for_each(|says| assert!(text.contains(says), "{says}\n{text}"));
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] }).collect()
}

/// The usual cluster.
fn home() -> Home {
    home_at(server("server"))
}

fn home_at(port: u16) -> Home {
    let home = Home::new(&format!("{{server: 'https://127.0.0.1:{port}', certificate-authority: pki/ca.crt}}"));
    home.write(".kube/token", "canary-limited-token\n");
    home
}

#[test]
fn everybody_is_known_by_what_the_kubeconfig_says() {
    let home = home();
    home.passes(&["toy.main", "toy.none", "toy.header"], &["kubernetes", "--set", "main=admin"]);
    for name in ["admin-token", "limited", "limited-token", "root"] {
        home.passes(&["toy.main", "toy.none"], &["--context", name, "--set", &format!("main={name}")]);
    }
    home.passes(
        &["toy.main", "toy.none", "toy.header"],
        &["--context", "acting", "--set", "main=admin-token", "--set", "as=jane"],
    );
    home.refuses(&["--context", "stale"], &[], 5, &["refuses the credentials", "kubectl get --raw /api"]);
}

#[test]
fn identities_do_not_share_connections() {
    let home = home();
    let config = home.path(".kube/config").display().to_string();
    home.write(
        "one.yaml",
        &std::fs::read_to_string(&config)
            .unwrap()
            .replace("pki/", ".kube/pki/")
            .replace("current-context: admin", "current-context: limited"),
    );
    let run = |identity: &str, is: &str, more: &[&str]| {
        let limited = format!("limited={is}");
        let arguments = ["--identity", identity, "--set", "main=admin", "--set", &limited];
        home.passes(&["toy.main", "toy.limited", "toy.none"], &[&arguments, more].concat());
    };
    run("limited=limited", "limited", &["kubernetes"]);
    run("limited=limited-token", "limited-token", &["--kubeconfig", &config]);
    run("limited=one.yaml", "limited", &["kubernetes"]);
    run("limited=one.yaml#root", "root", &["kubernetes"]);
}

#[test]
fn a_server_may_have_another_name_in_tls() {
    let port = server("named");
    let cluster = format!("server: 'https://127.0.0.1:{port}', certificate-authority: pki/ca.crt");
    let host = format!("host=127.0.0.1:{port}");
    let home = Home::new(&format!("{{{cluster}, tls-server-name: api.example}}"));
    home.passes(&["toy.main"], &["kubernetes", "--set", "main=admin", "--set", &host, "--set", "name=api.example"]);
    Home::new(&format!("{{{cluster}}}")).refuses(&["kubernetes"], &[], 5, &["cannot be reached (tls)"]);
    Home::new(&format!("{{{cluster}, tls-server-name: other.example}}")).refuses(&["kubernetes"], &[], 5, &["(tls)"]);
    let insecure = Home::new(&format!("{{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}"));
    insecure.passes(&["toy.main"], &["kubernetes", "--set", "main=admin"]);
    let cases = ["run", "--suites", ".", "-o", "out", "--case", "toy.main", "kubernetes", "--set", "main=admin"];
    assert_eq!(insecure.assize(&cases, &[]).0, 0);
    let report = std::fs::read_to_string(insecure.path("out/report.html")).unwrap();
    assert!(report.contains("the certificate was not verified"), "the report says so");
}

#[test]
fn proxies_are_asked_for_the_name() {
    let to = server("named");
    let through = |url: &str| {
        Home::new(&format!(
            "{{server: 'https://api.example:6443', certificate-authority: pki/ca.crt, proxy-url: '{url}'}}"
        ))
    };
    let (port, asked) = proxy(to, http_proxy);
    through(&format!("http://me:canary-proxy@127.0.0.1:{port}"))
        .passes(&["toy.main"], &["kubernetes", "--set", "main=admin"]);
    assert_eq!(asked.lock().unwrap().first().unwrap(), "api.example:6443");
    through(&format!("http://me:canary-wrong@127.0.0.1:{port}")).refuses(
        &["kubernetes"],
        &[],
        5,
        &["cannot be reached"],
    );
    let (port, asked) = proxy(to, socks_proxy);
    through(&format!("socks5://127.0.0.1:{port}")).passes(&["toy.main"], &["kubernetes", "--set", "main=admin"]);
    assert_eq!(asked.lock().unwrap().first().unwrap(), "api.example");
}

#[cfg(unix)]
#[test]
fn a_plugin_gives_the_credentials() {
    let home = home();
    let answer = |status: &str| {
        format!(
            "echo '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{{{status}}}}}'\n"
        )
    };
    let told = "case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":false'*'\"server\":\"https://127.0.0.1:'*) ;; *) exit 9;; esac\n\
                test \"$1$GIVEN_SECRET\" = --xcanary-given || exit 8\n";
    home.plugin(&format!(
        "{told}echo \"renewed canary-plugin-token\" >&2\n{}",
        answer("\"token\":\"canary-plugin-token\"")
    ));
    let said = home.passes(&["toy.main", "toy.none"], &["--context", "plugin", "--set", "main=plugin"]);
    assert!(said.contains("renewed {{secret:"), "what a plugin says is passed on, without its secret: {said}");

    let lines = |name: &str| pem(name).trim().replace('\n', "\\\\n");
    let pair =
        format!("\"clientCertificateData\":\"{}\",\"clientKeyData\":\"{}\"", lines("admin.crt"), lines("admin.key"));
    home.plugin(&answer(&pair));
    home.passes(&["toy.main", "toy.none"], &["--context", "plugin", "--set", "main=admin"]);

    home.plugin("echo \"canary-given is not logged in\" >&2; echo canary-answer; exit 3\n");
    let says = ["T021", ".kube/config:", "ended with exit status: 3", "is not logged in", "give is in the box"];
    home.refuses(&["--context", "plugin"], &[], 3, &says);
    home.plugin(&answer(""));
    home.refuses(&["--context", "plugin"], &[], 3, &["neither a token nor a certificate"]);
    std::fs::remove_file(home.path(".kube/give")).unwrap();
    home.refuses(&["--context", "plugin"], &[], 3, &["it is not installed", "give is in the box"]);
}

#[test]
fn files_are_found_where_kubectl_finds_them() {
    let home = home();
    home.write("first", "current-context: limited\n");
    let list = format!("none-here:first:{}", home.path(".kube/config").display());
    let run = ["run", "--suites", ".", "-o", "out", "--case", "toy.main", "kubernetes", "--set"];
    let (code, text) = home.assize(&[&run[..], &["main=limited"]].concat(), &[("KUBECONFIG", &list)]);
    assert_eq!(code, 0, "{text}");
    home.refuses(&["--kubeconfig", "none-here"], &[], 3, &["cannot read `none-here`"]);
    home.refuses(
        &["kubernetes"],
        &[("KUBECONFIG", "none-here")],
        3,
        &["there is no kubeconfig", "give --kubeconfig FILE"],
    );
    home.refuses(&["--kubeconfig", "first"], &[], 3, &["T015", "first:1:", "there is no context `limited`"]);
}

#[test]
fn errors_say_what_to_do() {
    let home = home();
    let url = "https://127.0.0.1:1/api";
    home.refuses(&["--context", "admn"], &[], 3, &["there is no context `admn`", "did you mean `admin`?"]);
    home.refuses(&[url, "--context", "admin"], &[], 2, &["keep one of them"]);
    home.refuses(&["kubernetes", "--username", "x"], &[], 2, &["do not go with a kubeconfig", "ASSIZE_USERNAME"]);
    home.refuses(&["kubernetes", "--os-cloud", "x"], &[], 2, &["keep one of them"]);
    home.refuses(&["kubernetes", "--family", "toy"], &[], 2, &["leave --family out"]);
    home.refuses(&["kubernetes", "--identity", "limited"], &[], 2, &["is not of the form NAME=CONTEXT"]);
    home.refuses(&["kubernetes", "--identity", "x=missing"], &[], 3, &["there is no context `missing`"]);
    home.refuses(&["in-cluster"], &[], 3, &["this is no pod of a cluster", "--kubeconfig FILE"]);
    home.refuses(&["in-cluster", "--context", "admin"], &[], 2, &["keep one of them"]);
    home.write(".kube/config", "users:\n- name: x\n  user: {token: 'canary}\n");
    home.refuses(&["kubernetes"], &[], 3, &["Y001", ".kube/config:"]);
}

/// One thing that is made and taken away again.
const THING: &str = "format: 1
suite: kubernetes.toy
title: Toy
cases:
  - id: make
    title: Make
    capability: toy-all
    risk: write
    steps:
      - post: /things
        as: limited
        expect: {status: 200}
        undo: [{delete: /things/1, as: limited, expect: {status: 200}}]
      - get: /hold
        expect: {status: 200}
";

#[cfg(unix)]
#[test]
fn a_clean_up_takes_the_context_of_the_run() {
    let (moment, hold) = moment();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let hold = Mutex::new(Some(hold));
    let hook: Hook = Arc::new(move |what, user| {
        log.lock().unwrap().push(format!("{user}: {what}"));
        if what == "GET /hold"
            && let Some(hold) = hold.lock().unwrap().take()
        {
            hold.here();
        }
    });
    let home = home_at(server_with("server", hook));
    home.write("suites/kubernetes/toy.yaml", THING);
    home.write("other", &Home::config("{server: 'https://127.0.0.1:1'}"));
    let run = ["run", "--context", "root", "--identity", "limited=limited-token", "--suites", ".", "-o", "out"];
    let running = Running::start(home.command(&run));
    moment.wait(&running);
    running.signal("KILL");
    running.end();
    moment.pass();
    let clean = |more: &[&str]| home.assize(&[&["cleanup", "out"], more].concat(), &[]);
    let (code, text) = clean(&["--kubeconfig", "other", "--context", "admin-token"]);
    assert!(code == 2 && text.contains("the cluster is at https://127.0.0.1:1"), "{text}");
    assert!(!seen.lock().unwrap().iter().any(|line| line.contains("DELETE")));
    let (code, text) = clean(&["--identity", "limited=limited-token"]);
    assert!(code == 0 && text.contains("put back"), "{text}");
    assert!(seen.lock().unwrap().contains(&"limited-token: DELETE /things/1".to_owned()));
    assert!(clean(&[]).1.contains("Nothing is left"));
}
