//! The sketch of watches and commands among the tests of the language, executed against a little API of its own.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;

use super::*;

const SKETCH: &str = include_str!("../../../tests/language/kubernetes-watch.yaml");

/// One object that can be watched.
#[derive(Default)]
struct Api {
    object: Option<Value>,
    version: u32,
    feed: Option<UnboundedSender<Option<String>>>,
}

impl Api {
    fn tell(&self, kind: &str, object: &Value) {
        let line = json!({"type": kind, "object": object}).to_string() + "\n";
        self.feed.as_ref().unwrap().send(Some(line)).unwrap();
    }

    fn answer(&mut self, seen: &Seen) -> Reply {
        let (method, path) = seen.what().split_once(' ').unwrap();
        let path = path.split('?').next().unwrap();
        let mut body: Value = serde_json::from_str(&seen.body).unwrap_or_default();
        let object = path.contains("/configmaps");
        match method {
            "POST" => {
                self.version += 1;
                body["metadata"]["resourceVersion"] = json!(self.version.to_string());
                body["metadata"]["uid"] = json!("u");
                body["metadata"]["managedFields"] = json!([{}]);
                if object {
                    self.object = Some(body.clone());
                }
                super::json(201, &body.to_string())
            }
            "PUT" => {
                let stored = self.object.as_ref().unwrap();
                if stored["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] {
                    return super::json(409, r#"{"reason": "Conflict"}"#);
                }
                self.version += 1;
                body["metadata"]["resourceVersion"] = json!(self.version.to_string());
                self.tell("MODIFIED", &body);
                self.object = Some(body.clone());
                super::json(200, &body.to_string())
            }
            "DELETE" if object => match self.object.take() {
                Some(mut last) => {
                    self.version += 1;
                    last["metadata"]["resourceVersion"] = json!(self.version.to_string());
                    self.tell("DELETED", &last);
                    super::json(200, r#"{"status": "Success"}"#)
                }
                None => super::json(404, "{}"),
            },
            "GET" if object => {
                let (sender, pieces) = unbounded_channel();
                self.feed = Some(sender);
                Reply::Feed("content-type: application/json\r\n", pieces)
            }
            "GET" if path.ends_with("/exec") => {
                let query = seen.what().split_once('?').unwrap().1;
                assert!(query.starts_with("command=sh&command=-c&command=read%20x"), "{query}");
                Reply::Socket(Some("v4.channel.k8s.io"), Box::new(|socket| Box::pin(shell(socket))))
            }
            "GET" => super::json(200, r#"{"status": {"phase": "Running", "containerStatuses": [{"ready": true}]}}"#),
            _ => super::json(200, "{}"),
        }
    }
}

/// Reads a line and ends with status 3.
async fn shell(mut socket: tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>) {
    let Some(Ok(Message::Binary(line))) = socket.next().await else { return };
    let output = [b"\x01got ", &line[1..]].concat();
    let status = json!({"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}});
    for frame in [output, [b"\x03", status.to_string().as_bytes()].concat()] {
        socket.send(Message::Binary(frame.into())).await.unwrap();
    }
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
}

#[tokio::test]
async fn the_sketch_of_the_language_runs() {
    let api = Mutex::new(Api::default());
    let stub = Stub::start(move |seen| api.lock().unwrap().answer(seen)).await;
    let mut bench = Bench::new(&stub.base, "", &[case("c", "", &get("/a"))]);
    let (catalogue, problems) = Catalogue::load([("suites/sketch/watch.yaml", SKETCH)]);
    assert!(problems.is_empty(), "{}", problems.render(false));
    bench.catalogue = Arc::new(catalogue);
    bench.tls = |options| drop(options.options.insert("image".to_owned(), "busybox".to_owned()));
    let ran = bench.run().await;
    assert_eq!(ran.done.len(), 3);
    for done in &ran.done {
        assert_eq!(done.result.outcome, Outcome::Pass, "{}: {:?}", done.id, done.result);
    }
    assert_eq!(ran.summary.leaks, 0);
}
