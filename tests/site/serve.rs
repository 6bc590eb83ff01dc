//! The server for the site of a ledger.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use assize::ledger::Ledger;
use assize::serve::{Options, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Small;

type Told = Arc<Mutex<Vec<String>>>;

/// A server that looks at the ledger at every request, and what it tells.
async fn start(small: &Small) -> (Server, Told) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let told = Told::default();
    let own = Arc::clone(&told);
    let options = Options {
        folder: small.path("site"),
        names: vec!["preview.example".to_owned()],
        fresh: Duration::ZERO,
        tell: Box::new(move |line| own.lock().unwrap().push(line)),
    };
    let ledger = Ledger::open(&small.path("ledger")).unwrap();
    (Server::start(ledger, listener, options).await.unwrap().0, told)
}

/// The answer to a request, in which HOST stands for the header field.
async fn ask(server: &Server, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let request = request.replace("HOST", &format!("host: {}\r\nconnection: close", server.address()));
    stream.write_all(format!("{request}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(server: &Server, path: &str) -> String {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHOST")).await
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn the_server_reads_and_nothing_else() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[]);
    fs::write(small.path("secret.txt"), "secret").unwrap();
    let (server, told) = start(&small).await;
    let front = get(&server, "/").await;
    assert!(front.starts_with("HTTP/1.1 200") && front.contains("<h1>"), "{front}");
    assert!(field(&front, "content-security-policy").unwrap().starts_with("default-src 'none'; "));
    for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-cache")] {
        assert_eq!(field(&front, name), Some(value));
    }
    let tag = field(&front, "etag").unwrap();
    for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let known = ask(&server, &format!("GET /index.html HTTP/1.1\r\nif-none-match: {known}\r\nHOST")).await;
        assert!(known.starts_with("HTTP/1.1 304") && known.ends_with("\r\n\r\n"), "{known}");
        assert_eq!((field(&known, "etag"), field(&known, "content-type")), (Some(tag), None));
    }
    let other = ask(&server, "GET / HTTP/1.1\r\nif-none-match: \"other\"\r\nHOST").await;
    assert!(other.starts_with("HTTP/1.1 200"));
    let (head, style) = (ask(&server, "HEAD /style.css HTTP/1.1\r\nHOST").await, get(&server, "/style.css").await);
    assert!(head.ends_with("\r\n\r\n") && !style.ends_with("\r\n\r\n"));
    for name in ["content-length", "content-type", "etag"] {
        assert!(field(&head, name).is_some() && field(&head, name) == field(&style, name), "{head}");
    }
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/products/../../secret.txt",
        "/.assize-site.json",
        "//etc/passwd",
        "//index.html",
        "/index.html%00",
        "/nothing",
        "/nothing/",
    ] {
        let answer = get(&server, path).await;
        assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("<h1>"), "{path}: {answer}");
        assert!(!answer.contains("secret\"") && field(&answer, "etag").is_none(), "{path}: {answer}");
    }
    assert!(get(&server, "/%ff").await.starts_with("HTTP/1.1 400"));
    let folder = get(&server, "/products?x").await;
    assert!(folder.starts_with("HTTP/1.1 302"), "{folder}");
    assert_eq!(field(&folder, "location"), Some("/products/"));
    assert!(get(&server, "/products/").await.starts_with("HTTP/1.1 200"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let refused = ask(&server, &format!("{method} / HTTP/1.1\r\ncontent-length: 0\r\nHOST")).await;
        assert!(refused.starts_with("HTTP/1.1 405"), "{refused}");
        assert_eq!(field(&refused, "allow"), Some("GET, HEAD"));
    }
    assert_eq!(*told.lock().unwrap(), Vec::<String>::new(), "nothing was made again");
}

#[tokio::test]
async fn a_name_that_is_not_its_own_is_refused() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[]);
    let (server, _) = start(&small).await;
    for (host, status) in [
        ("host: localhost:1", "200"),
        ("host: preview.example", "200"),
        ("host: evil.example", "421"),
        ("host: 127.0.0.1.evil.example", "421"),
        ("x: y", "400"),
        ("host: localhost\r\nhost: evil.example", "400"),
    ] {
        let answer = ask(&server, &format!("GET / HTTP/1.1\r\nconnection: close\r\n{host}")).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{host}: {answer}");
        assert_eq!(answer.contains("<h1>"), status == "200");
        assert!(field(&answer, "content-security-policy").is_some());
    }
    let whole = ask(&server, "GET http://evil.example/index.html HTTP/1.1\r\nHOST").await;
    assert!(whole.starts_with("HTTP/1.1 421"), "{whole}");
}

#[tokio::test]
async fn it_follows_the_ledger() {
    let small = Small::new();
    small.add("acme", "box", "1.0", "Box", 0, &[]);
    let (server, told) = start(&small).await;
    let page = "/products/other/thing/";
    assert!(get(&server, page).await.starts_with("HTTP/1.1 404"));
    small.add("other", "thing", "2.0", "A new thing", 1, &[]);
    assert!(get(&server, page).await.contains("A new thing"));
    assert_eq!(told.lock().unwrap().len(), 1);
    // What cannot be made leaves what was there; it is told once.
    let record = small.path("ledger/redfish/2026.11/other/thing/2.0.product.yaml");
    let good = fs::read(&record).unwrap();
    fs::write(&record, "format: assize-product/1\n").unwrap();
    for _ in 0..2 {
        assert!(get(&server, page).await.contains("A new thing"));
    }
    let lines = told.lock().unwrap().clone();
    assert!(lines.len() == 2 && lines[1].contains("2.0.product.yaml"), "{lines:?}");
    fs::write(&record, good).unwrap();
    assert!(get(&server, page).await.contains("A new thing"));
    assert_eq!(told.lock().unwrap().len(), 3, "that it can be made again is told");
    fs::remove_dir_all(small.path("ledger/redfish/2026.11/other")).unwrap();
    assert!(get(&server, page).await.starts_with("HTTP/1.1 404"));
    server.end().await;
    let mut files = super::files(&small.path("site"));
    // Its links are whole paths.
    files.remove("404.html");
    super::check_links(&files);
}
