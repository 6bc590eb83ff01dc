use super::*;
use crate::text::SourceFile;

fn family(auth: &str) -> Family {
    Family {
        id: "demo".into(),
        title: "Demo".into(),
        path: "/api/v1/".into(),
        probe: None,
        sessions: std::collections::BTreeMap::new(),
        plan: Vec::new(),
        concurrency: 4,
        auth: auth.into(),
        headers: Vec::new(),
        guideline: "demo/1".into(),
    }
}

fn login(username: &str, password: &str) -> Login {
    Login { username: Some(username.into()), password: Some(Secret::new(password)), ..Login::default() }
}

#[test]
fn base_url_loses_the_family_path_and_the_slash() {
    let family = family("basic");
    for (given, base) in [
        ("https://bmc.example", "https://bmc.example"),
        ("https://bmc.example:8443/", "https://bmc.example:8443"),
        ("http://127.0.0.1:1/api/v1", "http://127.0.0.1:1"),
        ("https://h/prefix/api/v1/", "https://h/prefix"),
        ("https://h/identity", "https://h/identity"),
    ] {
        let target = Target::from_options(TargetOptions::new(&family, given)).unwrap();
        assert_eq!(target.base(), base);
    }
}

#[test]
fn unusable_urls_are_refused_without_showing_a_password() {
    let family = family("basic");
    for url in ["bmc.example", "ftp://h", "https://u:hunter2@h", "https://h/?a=1", "https://h/#f", "https://"] {
        let error = Target::from_options(TargetOptions::new(&family, url)).unwrap_err().to_string();
        assert!(error.contains("not a usable base URL"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn identities_become_headers() {
    let family = family("basic");
    let mut options = TargetOptions::new(&family, "https://h");
    options.login = login("Aladdin", "open sesame");
    options.identities.insert("alt".into(), Login { token: Some(Secret::new("tok")), ..Login::default() });
    let target = Target::from_options(options).unwrap();
    let value = |name: &str| match target.credential(name) {
        IdentityUse::Known(Proof { credential: Some(credential), .. }) => credential.value.expose().to_owned(),
        other => panic!("{other:?}"),
    };
    // The example of RFC 7617 §2.
    assert_eq!(value("main"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(value("alt"), "Bearer tok");
    assert!(matches!(target.credential("none"), IdentityUse::Anonymous));
    assert!(matches!(target.credential("admin"), IdentityUse::Unknown));
}

#[test]
fn incomplete_identities_are_refused() {
    let family = family("basic");
    let mut options = TargetOptions::new(&family, "https://h");
    options.login.username = Some("root".into());
    assert!(Target::from_options(options).unwrap_err().to_string().contains("a user name needs a password"));
    let mut options = TargetOptions::new(&family, "https://h");
    options.identities.insert("none".into(), login("a", "b"));
    assert!(Target::from_options(options).is_err());
}

#[test]
fn the_view_holds_tokens_and_no_secret() {
    let family = family("none");
    let mut options = TargetOptions::new(&family, "https://h/api/v1/");
    options.login = login("root", "canary-password-1");
    options.options.insert("system".into(), "/x".into());
    let target = Target::from_options(options).unwrap();
    let vault = Vault::with_key([7; 32]);
    target.teach(&vault);
    let view = target.view(&vault);
    assert!(!view.to_string().contains("canary-password-1"));
    assert_eq!(view["username"], "root");
    assert_eq!(view["base"], "https://h");
    assert_eq!(view["has_credentials"], true);
    assert_eq!(view["identities"], serde_json::json!(["main", "none"]));
    let token = view["logins"]["main"]["password"].as_str().unwrap();
    assert_eq!(vault.reveal(token), "canary-password-1");
}

#[test]
fn credentials_stay_at_home() {
    let family = family("basic");
    let mut options = TargetOptions::new(&family, "https://bmc.example:8443");
    options.services.insert("image".into(), "https://image.example".into());
    let target = Target::from_options(options).unwrap();
    let own = |url: &str| target.is_own(&Url::parse(url).unwrap());
    assert!(own("https://bmc.example:8443/x"));
    assert!(own("https://bmc.example/x"));
    assert!(own("https://image.example/x"));
    assert!(!own("http://bmc.example/x"), "no downgrade to clear text");
    assert!(!own("https://bmc.example.evil/x"));
}

#[test]
fn broken_certificates_are_refused_early() {
    let family = family("basic");
    let mut options = TargetOptions::new(&family, "https://h");
    options.ca_certs.push(b"not a certificate".to_vec());
    assert!(matches!(Target::from_options(options), Err(TargetError::Pem { .. })));
    let mut options = TargetOptions::new(&family, "https://h");
    options.client_identity = Some(Secret::new("nonsense"));
    assert!(matches!(Target::from_options(options), Err(TargetError::Pem { .. })));
}

const FILE: &str = "\
family: demo
url: https://bmc.example
username: root
password_file: secret.txt
insecure: true
rate: 5
options: {system: /x, count: 3}
identities:
  alt: {username: guest, password_env: GUEST}
";

#[test]
fn a_target_file_is_resolved_by_the_caller() {
    let file = TargetFile::parse(&SourceFile::new("target.yaml", FILE)).unwrap();
    let family = family("basic");
    let options = file
        .into_options(&family, &mut |place| match place {
            Place::File("secret.txt") => Ok(b"pw1\n".to_vec()),
            Place::Variable("GUEST") => Ok(b"pw2".to_vec()),
            other => Err(format!("{other:?}")),
        })
        .unwrap();
    assert!(options.insecure);
    assert_eq!(options.options["count"], "3");
    assert_eq!(options.login.password.as_ref().unwrap().expose(), "pw1");
    assert_eq!(options.identities["alt"].password.as_ref().unwrap().expose(), "pw2");
    assert_eq!(options.rate, Some(5.0));
    assert!(Target::from_options(options).is_ok());
}

#[test]
fn problems_of_a_target_file_are_reported_together() {
    let text =
        "family: [a]\npassword: hunter2\nusernam: x\npassword_file: a\npassword_env: b\nrate: -1\nauth: digest\n";
    let problems = TargetFile::parse(&SourceFile::new("target.yaml", text)).unwrap_err();
    let codes: BTreeSet<&str> = problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, BTreeSet::from(["T001", "T002", "T003", "T004"]));
    let shown = problems.to_string();
    assert!(shown.contains("did you mean `username`?"), "{shown}");
}

#[test]
fn an_unreadable_secret_is_a_diagnostic() {
    let file = TargetFile::parse(&SourceFile::new("target.yaml", FILE)).unwrap();
    let family = family("basic");
    let problems = file.into_options(&family, &mut |_| Err("no such file".into())).unwrap_err();
    assert_eq!(problems.len(), 2);
    assert!(problems.to_string().contains("no such file"));
}
