use std::borrow::Cow;

use serde_json::json;

use super::*;

fn vault(secrets: &[(&str, &str)]) -> Vault {
    let vault = Vault::with_key([7; 32]);
    for (label, secret) in secrets {
        vault.learn(label, &Secret::from(*secret));
    }
    vault
}

/// The text with each token cut down to `<label>` or `<label:form>`.
fn short(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("{{secret:") {
        let (token, after) = tail.split_once("}}").unwrap();
        let fields: Vec<&str> = token.split(':').collect();
        assert_eq!(fields[1].len(), 32);
        out.push_str(before);
        match fields.get(3) {
            Some(form) => out.push_str(&format!("<{}:{form}>", fields[0])),
            None => out.push_str(&format!("<{}>", fields[0])),
        }
        rest = after;
    }
    out + rest
}

fn redacted(secrets: &[(&str, &str)], text: &str) -> String {
    short(&vault(secrets).redact(text))
}

#[test]
fn a_secret_never_prints() {
    let secret = Secret::new("hunter22");
    assert_eq!(format!("{secret} {secret:?}"), "[secret] [secret]");
    let read: Secret = serde_json::from_str("\"hunter22\"").unwrap();
    assert!(read == secret && !read.is_empty());
    assert_eq!(format!("{:?}", vault(&[("a", "hunter22")])), "Vault(1 secrets)");
}

#[test]
fn tokens_are_stable_and_tell_label_and_length() {
    let own = vault(&[]);
    let token = own.learn("Admin Password!", &"pässwörd".into());
    assert!(token.starts_with("{{secret:admin-password:") && token.ends_with(":8}}"), "{token}");
    assert_eq!(own.learn("other", &"pässwörd".into()), token, "the first label stays");
    assert_ne!(own.learn("other", &"passwords".into()), token);
    assert_eq!(vault(&[]).learn("admin-password", &"pässwörd".into()), token, "same key");
    assert_ne!(Vault::new().learn("admin-password", &"pässwörd".into()), token, "another key");
    assert!(own.learn("token hunter22", &"hunter22".into()).starts_with("{{secret:value:"));
    assert!(own.learn("", &"another-one".into()).starts_with("{{secret:value:"));
}

#[test]
fn text_without_secrets_is_borrowed() {
    let vault = vault(&[("a", "hunter22")]);
    assert!(matches!(vault.redact("nothing \\u0041 %41 &amp; here"), Cow::Borrowed(_)));
    assert!(matches!(vault.redact_bytes(&[0xff, 0, 1]), Cow::Borrowed(_)));
    assert!(matches!(Vault::new().redact("anything"), Cow::Borrowed(_)));
    assert!(matches!(vault.reveal("{{secret:x:1}} {{secret:"), Cow::Borrowed(_)));
}

#[test]
fn each_spelling_is_found() {
    let secret = [("pw", "p@ss \"w/ö&d")];
    assert_eq!(redacted(&secret, "x p@ss \"w/ö&d y"), "x <pw> y");
    assert_eq!(redacted(&secret, r#"{"p": "p@ss \"w/ö&d"}"#), r#"{"p": "<pw:json>"}"#);
    assert_eq!(redacted(&secret, r#"["p\u0040ss \u0022w\/\u00F6&d"]"#), r#"["<pw:json>"]"#);
    assert_eq!(redacted(&secret, "?p=p%40ss%20%22w%2F%C3%B6%26d&q"), "?p=<pw:url>&q");
    assert_eq!(redacted(&secret, "?p=p%40ss%20%22w%2f%c3%b6%26d&q"), "?p=<pw:url>&q");
    assert_eq!(redacted(&secret, "p=p%40ss+%22w%2F%C3%B6%26d"), "p=<pw:form>");
    assert_eq!(redacted(&secret, "<p>p@ss &quot;w/ö&amp;d</p>"), "<p><pw:html></p>");
    assert_eq!(redacted(&secret, "<p>p&#64;ss &#x22;w/&#xF6;&#38;d</p>"), "<p><pw:html></p>");
    let every: String = "p@ss \"w/ö&d".bytes().map(|b| format!("%{b:02x}")).collect();
    assert_eq!(redacted(&secret, &every), "<pw:url>");
}

#[test]
fn base64_and_hex_are_found() {
    let secret = [("pw", "hunter22")];
    assert_eq!(redacted(&secret, "x=aHVudGVyMjI= y"), "x=<pw:b64> y");
    assert_eq!(redacted(&secret, "aHVudGVyMjI"), "<pw:b64n>");
    assert_eq!(redacted(&secret, "68756e7465723232 68756E7465723232"), "<pw:hex> <pw:hexu>");
    // Basic credentials with user names of all three lengths, and more text behind.
    for (text, clean) in [
        ("Basic YWJjOmh1bnRlcjIy", "Basic YWJjO<pw:part>"),
        ("Basic YWI6aHVudGVyMjI=", "Basic YWI6<pw:part>="),
        ("Basic YTpodW50ZXIyMg==", "Basic YT<pw:part>=="),
    ] {
        assert_eq!(redacted(&secret, text), clean);
    }
    let odd = [("pw", "???>>>~~~")];
    assert_eq!(redacted(&odd, "Pz8/Pj4+fn5+ Pz8_Pj4-fn5-"), "<pw:b64> <pw:b64u>");
    let four = [("pw", "abcd")];
    assert_eq!(redacted(&four, "YWJjZA== YWJjZA abcd 61626364"), "<pw:b64> <pw:b64n> <pw> <pw:hex>");
}

#[test]
fn encodings_on_top_of_each_other_are_found() {
    let secret = [("pw", "pa\"ss/word")];
    let vault = vault(&secret);
    let inner = json!({"p": "pa\"ss/word"}).to_string();
    let outer = json!({ "body": inner }).to_string();
    assert_eq!(short(&vault.redact(&outer)), r#"{"body":"{\"p\":\"<pw:part>\"}"}"#);
    let base64 = token::encode("pa\"ss/word", token::Form::B64).unwrap();
    assert!(base64.ends_with('='));
    let url = format!("?h={}", base64.replace('=', "%3D"));
    assert_eq!(short(&vault.redact(&url)), "?h=<pw:part>");
    assert!(vault.contains_secret(b"%2570a%22ss/word"), "percent twice");
    // Base64 of a JSON document with the secret in it, as container registries take it.
    let auth = token::encode(&inner, token::Form::B64u).unwrap();
    assert!(vault.contains_secret(auth.as_bytes()));
}

#[test]
fn nested_and_overlapping_secrets_leave_nothing() {
    let secrets = [("a", "password"), ("b", "password123"), ("c", "my-password")];
    assert_eq!(redacted(&secrets, "password password123 my-password"), "<a> <b> <c>");
    assert_eq!(redacted(&secrets, "my-password123"), "<c><b:skip8>");
    let own = vault(&secrets);
    for text in ["my-password123", "x my-password123my-password y", "passwordpassword123"] {
        assert_eq!(own.reveal(&own.redact(text)), text);
    }
    let own = vault(&[("a", "ababab")]);
    let clean = own.redact("xababababy");
    assert_eq!(short(&clean), "x<a><a:skip4>y");
    assert_eq!(own.reveal(&clean), "xababababy");
}

#[test]
fn own_tokens_are_left_alone_and_others_are_not_trusted() {
    // A password that is a word of the token itself.
    let own = vault(&[("the-secret", "secret"), ("b", "x{{secret"), ("c", "key:")]);
    let text = "a secret and x{{secret";
    let once = own.redact(text).into_owned();
    assert_eq!(short(&once), "a <value> and <b>");
    assert_eq!(own.redact(&once), once.as_str());
    assert!(!own.contains_secret(once.as_bytes()));
    assert_eq!(own.reveal(&once), text);
    let forged = format!("{{{{secret:hunter22:{}:8}}}}", "0".repeat(32));
    let own = vault(&[("pw", "hunter22")]);
    assert!(own.redact(&forged).contains("{{secret:{{secret:pw:"));
    assert_eq!(own.reveal(&forged), forged);
    let token = own.learn("pw", &"hunter22".into());
    let relabelled = token.replace(":pw:", ":hunter22:");
    assert!(!own.redact(&relabelled).contains("hunter22"), "a known HMAC is not enough");
}

#[test]
fn reveal_gives_the_form_back() {
    let secret = "p@ss \"w/ö&d";
    let own = vault(&[("pw", secret)]);
    for form in [
        token::Form::Raw,
        token::Form::Json,
        token::Form::Url,
        token::Form::Plus,
        token::Form::Html,
        token::Form::B64,
        token::Form::B64n,
        token::Form::B64u,
        token::Form::B64un,
        token::Form::Hex,
        token::Form::HexU,
    ] {
        let text = format!("<{}>", token::encode(secret, form).unwrap());
        let clean = own.redact(&text).into_owned();
        assert_ne!(clean, text, "{form:?}");
        assert_eq!(own.reveal(&clean), text, "{form:?}");
    }
    let part = own.redact("YTpodW50ZXIyMg==").into_owned();
    assert_eq!(own.reveal(&part), part);
    let bytes = [b"\xff".as_slice(), secret.as_bytes(), b"\xfe"].concat();
    assert_eq!(*own.reveal_bytes(&own.redact_bytes(&bytes)), *bytes);
}

#[test]
fn short_secrets_are_replaced_only_as_whole_values() {
    let own = vault(&[("pin", "abc"), ("none", ""), ("long", "long-enough")]);
    assert_eq!(own.weak(), ["pin", "none"]);
    assert_eq!(short(&own.redact("abc")), "<pin>");
    assert_eq!(short(&own.redact("abcd abc")), "abcd abc");
    assert_eq!(
        short(&own.redact(r#"{"abc": "abc", "x": ["abc","abcd"]}"#)),
        r#"{"abc": "<pin>", "x": ["<pin>","abcd"]}"#
    );
    assert_eq!(own.redact(""), "");
    assert!(own.contains_secret(b"abc") && !own.contains_secret(b"abcd"));
    let token = own.learn("pin", &"abc".into());
    assert_eq!(own.reveal(&token), "abc");
}

#[test]
fn sealed_values_hold_no_secret() {
    let own = vault(&[("pw", "hunter22"), ("pin", "12345678")]);
    let value = json!({"hunter22": ["xhunter22", {"n": 12345678, "m": 7, "t": true}], "none": null});
    let sealed = own.seal(value);
    let text = serde_json::to_string(&sealed).unwrap();
    assert_eq!(short(&text), r#"{"<pw>":["x<pw>",{"n":"<pin>","m":7,"t":true}],"none":null}"#);
    assert!(sealed["none"].is_null(), "reads like the value");
    let headers = own.seal(vec![("Authorization".to_string(), "Bearer hunter22".to_string())]);
    assert_eq!(short(&headers[0].1), "Bearer <pw>");
    assert_eq!(headers.clone().into_inner().len(), 1);
    let body = own.seal(bytes::Bytes::from_static(b"\xffhunter22"));
    assert!(!own.contains_secret(&body));
    assert_eq!(*Redacted::from_evidence("as read"), "as read");
    let map = own.seal(std::collections::BTreeMap::from([("k".to_string(), Some("hunter22".to_string()))]));
    assert_eq!(short(map["k"].as_deref().unwrap()), "<pw>");
}

#[test]
fn many_secrets_are_all_found() {
    let own = Vault::with_key([1; 32]);
    let secret = |n: usize| format!("token-{n:04}-{}", "x".repeat(n % 40));
    for n in 0..120 {
        own.learn("token", &secret(n).into());
    }
    let text: String = (0..120).map(|n| format!("<{}>", secret(n))).collect();
    let clean = own.redact(&text);
    assert!(!own.contains_secret(clean.as_bytes()) && !clean.contains("token-0"));
    assert_eq!(own.reveal(&clean), text);
}

#[test]
fn a_vault_is_shared_between_threads() {
    let own = Vault::with_key([1; 32]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let own = &own;
            scope.spawn(move || {
                for n in 0..20 {
                    let secret = format!("secret-number-{}", n + thread % 2);
                    let token = own.learn("n", &secret.as_str().into());
                    assert_eq!(own.redact(&secret), token);
                }
            });
        }
    });
}

/// Not a check but a measurement: `cargo test --release --lib throughput -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn throughput() {
    let own = Vault::with_key([1; 32]);
    for n in 0..10 {
        own.learn("token", &format!("gAAAAABl{n:04}{}", "Zx9".repeat(50)).as_str().into());
    }
    let plain =
        "{\"id\": \"3f2a7c1e-77aa-4a53-9c5e-0c1a2b3c4d5e\", \"name\": \"server\", \"links\": []},\n".repeat(100_000);
    let escaped = plain.replace("links", "li\\/nks");
    for (name, text) in [("plain", plain), ("escaped", escaped)] {
        let start = std::time::Instant::now();
        assert!(!own.contains_secret(text.as_bytes()));
        let rate = text.len() as f64 / start.elapsed().as_secs_f64() / 1e6;
        println!("{name}: {rate:.0} MB/s");
    }
}
