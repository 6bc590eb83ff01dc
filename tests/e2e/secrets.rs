//! No secret is in anything that a run leaves or says, in any usual spelling; and what depends on secrets still works.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::stub::{Bench, ROOT, Ran, Reply, Running, Seen, Target, json, moment};

/// Has what encodings trip over: a quote, a slash, a plus, a space, an ampersand, an angle bracket, a letter beyond ASCII.
const PASSWORD: &str = "canary-PW/\"7+ &<é>=%z";
const TOKEN: &str = "canary-TOKEN-4711/+==xyz";

const CASES: &str = "cases:
  - id: session
    title: A session is opened, used in every way, and closed
    capability: toy-all
    risk: write
    steps:
      - post: /toy/sessions
        json: {UserName: '${target.username}', Password: '${target.logins.main.password}'}
        expect:
          status: 201
          header: {X-Auth-Token: present}
          json: {$.UserName: operator, $.Password: '${target.logins.main.password}'}
        save: {token: \"${headers['x-auth-token']}\", link: '${headers.location}'}
        undo: [{delete: '${link}', as: {header: {name: x-auth-token, value: '${token}'}}, expect: {status: 204}}]
      - get: /toy/who
        as: {header: {name: x-auth-token, value: '${token}'}}
        expect:
          json: {$.token: '${token}', $.UserName: operator}
          that: ['body.token == token', 'secret_length(body.token) == 24', \"body.token != 'something else'\"]
      - get: /toy/form
        query: {token: '${token}', password: '${target.logins.main.password}'}
        expect: {status: 200}
      - post: /toy/form
        form: {token: '${token}', password: '${target.logins.main.password}'}
        expect: {status: 200}
      - post: /toy/text
        text: 'token ${token} and password ${target.logins.main.password} in a text'
        expect: {status: 200}
  - id: made
    title: A password that the harness made
    capability: toy-all
    risk: write
    steps:
      - let: {password: \"${secret('new')}\"}
      - post: /toy/accounts
        json: {Password: '${password}'}
        expect: {status: 201, json: {$.Password: '${password}'}}
        undo: [{delete: /toy/accounts/1, expect: {status: 204}}]
      - get: /toy/basic
        as: {basic: {username: someone, password: '${password}'}}
        expect: {status: 200}
  - id: told
    title: Everything that fails quotes what was there
    capability: toy-all
    steps:
      - get: /toy/echo
        soft: true
        expect: {json: {$.all: nothing, $.list: [1]}, text: {contains: not there}, header: {X-Echo: none}}
      - get: /toy/echo?second=1
        soft: true
        expect: {that: [\"body.all == 'x'\", 'body.list[0] == body.list[1]'], schema: {properties: {all: {const: x}}}}
      - get: /toy/echo?third=1
        expect: {object: {all: other}}
  - id: gap
    title: A reason may quote what was there
    capability: toy-all
    steps:
      - get: /toy/echo
      - gap: {when: 'true', reason: 'it says ${body.all}'}
      - get: /toy/echo
        expect: {status: 200}
";

/// The pieces of a Base64 text that a secret inside a longer text yields, whatever stands around it.
fn alignments(secret: &[u8], engine: &base64::engine::GeneralPurpose) -> Vec<String> {
    let piece = |shift: usize| {
        let text = engine.encode([vec![0; shift], secret.to_vec()].concat());
        let (start, end) = ((shift * 8).div_ceil(6), (shift + secret.len()) * 8 / 6);
        text[start..end].to_owned()
    };
    (0..3).map(piece).collect()
}

/// Spellings in which a secret must not be found.
fn spellings(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let quoted = serde_json::to_string(secret).unwrap();
    let escaped: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut all = vec![
        secret.to_owned(),
        quoted.trim_matches('"').to_owned(),
        serde_json::to_string(quoted.trim_matches('"')).unwrap().trim_matches('"').to_owned(),
        escaped,
        html,
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        hex.to_uppercase(),
        hex,
    ];
    all.extend(alignments(secret.as_bytes(), &BASE64_STANDARD));
    all.extend(alignments(secret.as_bytes(), &BASE64_URL_SAFE));
    all
}

/// Looks for the secrets in every file below `out` and in what was said.
fn assert_clean(bench: &Bench, ran: &Ran, secrets: &[String]) {
    let mut places: Vec<(String, Vec<u8>)> =
        vec![("stdout".to_owned(), ran.out.clone().into_bytes()), ("stderr".to_owned(), ran.err.clone().into_bytes())];
    places.extend(bench.files("out").into_iter().map(|(path, bytes)| (path.display().to_string(), bytes)));
    assert!(places.len() > 10, "the bundle is there");
    for secret in secrets {
        for spelling in spellings(secret) {
            for (place, bytes) in &places {
                let text = String::from_utf8_lossy(bytes);
                if let Some(at) = text.find(&spelling) {
                    let from = (0..=at.saturating_sub(80)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                    panic!("{place}: `{spelling}` in `{}…`", text[from..].chars().take(200).collect::<String>());
                }
            }
        }
    }
    for (place, bytes) in &places {
        let text = String::from_utf8_lossy(bytes);
        assert!(
            !text.contains("canary"),
            "{place}: a piece of a secret: {}",
            text.split("canary").nth(1).unwrap_or("")
        );
    }
}

/// The target says secrets back in every way it can think of.
fn echo(path: &str, seen: &Seen) -> Reply {
    let authorization = seen.header("authorization").unwrap_or_default();
    let (token, basic) = (TOKEN, authorization.trim_start_matches("Basic "));
    let mut all: Vec<String> = Vec::new();
    for secret in [token, PASSWORD, basic] {
        all.extend(spellings(secret));
        all.push(format!("around-{secret}-around"));
        for front in ["", "x", "xy"] {
            all.push(BASE64_STANDARD.encode(format!("{front}{secret}zzz")));
        }
    }
    let text = all.join(" | ");
    let body = serde_json::json!({"all": text, "list": all, "path": path, "line": seen.line, "seen": seen.body});
    // A header field cannot hold everything.
    let field = format!("x-echo: {TOKEN} {basic}\r\ncontent-type: application/json\r\n");
    Reply::Full(200, Box::leak(field.into_boxed_str()), body.to_string())
}

fn answer(seen: &Seen) -> Reply {
    let path = seen.what().split_once(' ').unwrap().1.to_owned();
    match seen.what() {
        ROOT => json(200, "{}"),
        "POST /toy/sessions" => {
            let asked: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!(asked["Password"], PASSWORD, "the real password was sent");
            let headers = "x-auth-token: canary-TOKEN-4711/+==xyz\r\nlocation: /toy/sessions/1\r\n\
                content-type: application/json\r\nset-cookie: sid=canary-COOKIE-99; Path=/\r\n";
            Reply::Full(201, headers, asked.to_string())
        }
        "GET /toy/who" => {
            let token = seen.header("x-auth-token").unwrap_or_default();
            json(200, &serde_json::json!({"token": token, "UserName": "operator"}).to_string())
        }
        "POST /toy/accounts" => json(201, &seen.body),
        what if what.starts_with("DELETE") => {
            assert!(what != "DELETE /toy/sessions/1" || seen.header("x-auth-token") == Some(TOKEN));
            json(204, "")
        }
        _ => echo(&path, seen),
    }
}

fn login(bench: &Bench) -> [&'static str; 4] {
    bench.write("pw", PASSWORD);
    ["-u", "operator", "--password-file", "pw"]
}

/// Passwords that the harness made: the target saw them.
fn made(target: &Target) -> Vec<String> {
    let accounts = target.seen().into_iter().filter(|seen| seen.what() == "POST /toy/accounts");
    let passwords = accounts.map(|seen| {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        body["Password"].as_str().unwrap().to_owned()
    });
    passwords.collect()
}

#[test]
fn no_file_and_no_word_holds_a_secret_and_checks_still_work() {
    let (bench, target) = (Bench::new(CASES), Target::start(answer));
    let ran = bench.run(&target.url(), &login(&bench)).expect(1);
    let outcomes = bench.outcomes();
    for (case, outcome) in [("session", "pass"), ("made", "pass"), ("told", "fail"), ("gap", "gap")] {
        assert_eq!(outcomes[&format!("ironic.s.{case}")], outcome, "{case}:\n{}", ran.out);
    }
    // What went out was real: form and query carry the password as it is.
    let form = target.seen().into_iter().find(|seen| seen.what() == "POST /toy/form").unwrap();
    let sent: Vec<(String, String)> = url::form_urlencoded::parse(form.body.as_bytes()).into_owned().collect();
    assert!(sent.contains(&("password".to_owned(), PASSWORD.to_owned())), "{}", form.body);
    let generated = made(&target);
    assert_eq!(generated.len(), 1);
    let basic = BASE64_STANDARD.encode(format!("operator:{PASSWORD}"));
    let mut secrets = vec![PASSWORD.to_owned(), TOKEN.to_owned(), basic, "canary-COOKIE-99".to_owned()];
    secrets.extend(generated);
    assert_clean(&bench, &ran, &secrets);
    assert!(bench.read("out/transcript.jsonl").contains("operator"), "a user name is no secret");
    let verified = bench.verify().expect(0);
    assert_clean(&bench, &verified, &secrets);
}

#[test]
fn a_secret_from_the_environment_and_a_token() {
    let (bench, target) = (Bench::new(CASES), Target::start(|seen| echo("/", seen)));
    let mut command = bench.run_command(&target.url(), &["--case", "told"]);
    command.env("ASSIZE_TOKEN", TOKEN);
    let ran = Running::start(command).end().expect(1);
    let sent = target.seen();
    assert!(sent.iter().all(|seen| seen.header("authorization") == Some(&format!("Bearer {TOKEN}"))));
    // This target also echoes a password that the harness was never told.
    for spelling in spellings(TOKEN) {
        for (path, bytes) in bench.files("out") {
            assert!(!String::from_utf8_lossy(&bytes).contains(&spelling), "{}: {spelling}", path.display());
        }
        assert!(!ran.out.contains(&spelling) && !ran.err.contains(&spelling), "{spelling}");
    }
    bench.verify().expect(0);
}

#[test]
fn a_run_that_is_killed_leaves_no_secret_either() {
    let bench = Bench::new(CASES);
    let (moment, hold) = moment();
    let hold = std::sync::Mutex::new(Some(hold));
    let target = Target::start(move |seen| {
        if seen.what().starts_with("POST /toy/text")
            && let Some(hold) = hold.lock().unwrap().take()
        {
            hold.here();
        }
        answer(seen)
    });
    let run = Running::start(bench.run_command(&target.url(), &login(&bench)));
    moment.wait(&run);
    run.signal("KILL");
    run.end();
    moment.pass();
    let mut found = 0;
    for (path, bytes) in bench.files("out") {
        found += 1;
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{}", path.display());
        for spelling in spellings(PASSWORD).into_iter().chain(spellings(TOKEN)) {
            assert!(!String::from_utf8_lossy(&bytes).contains(&spelling), "{}: {spelling}", path.display());
        }
    }
    assert!(found >= 4, "inputs, suites, transcript and journal");
}

#[test]
fn credentials_do_not_follow_to_another_host() {
    let cases = "cases:
  - id: away
    title: Away
    capability: toy-all
    steps:
      - get: /toy/link
        save: {link: $.link}
      - get: '${link}'
        expect: {status: 200}
";
    let bench = Bench::new(cases);
    let target = Target::start(|seen| match seen.what() {
        // The same machine under another name.
        "GET /toy/link" => json(200, r#"{"link": "http://localhost:9/elsewhere"}"#),
        _ => json(200, "{}"),
    });
    bench.run(&target.url(), &login(&bench)).expect(1);
    let case = bench.case("ironic.s.away");
    assert_eq!(case["result"]["outcome"], "error", "{case}");
    assert_eq!(case["result"]["exchanges"], 1, "nothing was sent there");
    bench.verify().expect(0);
}
