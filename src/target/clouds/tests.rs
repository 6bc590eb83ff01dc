use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::*;
use crate::target::{Login, Place, Target, TargetOptions};
use crate::text::Severity;
use crate::text::yaml;

/// Stands in every file and variable of the table where a secret would.
const SECRET: &str = "s3cret";

fn cases() -> Vec<Json> {
    let source = SourceFile::new("cases.yaml", include_str!("cases.yaml"));
    yaml::parse(&source).unwrap().to_json().as_array().unwrap().clone()
}

fn settings(case: &Json) -> CloudSettings {
    let file = |key: &str| case[key].as_str().map(|text| SourceFile::new(format!("{key}.yaml"), text));
    let variables = case["variables"].as_object().cloned().unwrap_or_default();
    CloudSettings {
        clouds: file("clouds"),
        secure: file("secure"),
        profiles: file("profiles"),
        variables: variables.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
    }
}

fn chosen(case: &Json) -> Result<Cloud, Diagnostics> {
    Clouds::parse(&settings(case))?.choose(case["cloud"].as_str(), case["region"].as_str())
}

/// The body of the log-in that the session of the suites makes of a login.
fn body(login: &Login) -> Json {
    let field = |name: &str| login.fields.get(name).cloned();
    let domain = |of: &str| match (field(&format!("{of}_domain_id")), field(&format!("{of}_domain_name"))) {
        (Some(id), _) => json!({"id": id}),
        (None, name) => json!({"name": name.unwrap()}),
    };
    let user = || match field("user_id") {
        Some(id) => json!({"id": id}),
        None => json!({"name": login.username.as_ref().unwrap(), "domain": domain("user")}),
    };
    let with = |mut object: Json, name: &str, secret: &crate::secret::Secret| {
        object[name] = secret.expose().into();
        object
    };
    let (method, value) = match field("auth_type").unwrap().as_str() {
        "password" => ("password", json!({"user": with(user(), "password", login.password.as_ref().unwrap())})),
        "token" => ("token", with(json!({}), "id", login.token.as_ref().unwrap())),
        "application_credential" => {
            let whose = match field("application_credential_id") {
                Some(id) => json!({"id": id}),
                None => json!({"name": field("application_credential_name").unwrap(), "user": user()}),
            };
            ("application_credential", with(whose, "secret", &login.secrets["application_credential_secret"]))
        }
        other => panic!("{other}"),
    };
    let mut body = json!({"identity": {"methods": [method], method: value}});
    let scope = if let Some(id) = field("project_id") {
        json!({"project": {"id": id}})
    } else if let Some(name) = field("project_name") {
        json!({"project": {"name": name, "domain": domain("project")}})
    } else if let Some(id) = field("domain_id") {
        json!({"domain": {"id": id}})
    } else if let Some(name) = field("domain_name") {
        json!({"domain": {"name": name}})
    } else if field("system_scope").is_some() {
        json!({"system": {"all": true}})
    } else {
        return body;
    };
    body["scope"] = scope;
    body
}

fn family() -> crate::suite::Family {
    crate::suite::Family {
        id: "openstack".into(),
        title: "OpenStack".into(),
        path: "/v3".into(),
        probe: None,
        sessions: BTreeMap::new(),
        plan: Vec::new(),
        concurrency: 4,
        auth: "none".into(),
        headers: Vec::new(),
        guideline: String::new(),
    }
}

/// What came out, in the words of the table.
fn outcome(cloud: Cloud) -> Json {
    let family = family();
    let mut seen = Map::new();
    seen.insert("auth".into(), body(&cloud.login));
    let mut files = Vec::new();
    let mut read = |place: Place<'_>| match place {
        Place::File(path) => {
            files.push(path.to_owned());
            Ok(path.as_bytes().to_vec())
        }
        Place::Variable(_) => unreachable!(),
    };
    let options: TargetOptions<'_> = cloud.into_options(&family, Vec::new(), &mut read).unwrap();
    seen.insert("url".into(), options.base_url.clone().into());
    if let Some(region) = options.options.get("region") {
        seen.insert("region".into(), region.clone().into());
    }
    if options.options["interface"] != "public" {
        seen.insert("interface".into(), options.options["interface"].clone().into());
    }
    if !options.services.is_empty() {
        seen.insert("services".into(), json!(options.services));
    }
    if options.insecure {
        seen.insert("insecure".into(), true.into());
    }
    if let Some(authority) = options.ca_certs.first() {
        seen.insert("ca_cert".into(), String::from_utf8_lossy(authority).into());
    }
    if let Some(client) = &options.client_identity {
        seen.insert("client".into(), client.expose().split('\n').collect());
    }
    Json::Object(seen)
}

#[test]
fn every_case_of_the_table_holds() {
    let mut failed = Vec::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let mut expected = case["expect"].clone();
        match chosen(&case) {
            Ok(cloud) => {
                let warnings = cloud.warnings.render(false);
                let wanted = expected.as_object_mut().and_then(|map| map.remove("warns"));
                let warned = match wanted.as_ref().and_then(Json::as_str) {
                    Some(text) => warnings.contains(text),
                    None => warnings.is_empty(),
                };
                let seen = outcome(cloud);
                if seen != expected || !warned {
                    failed.push(format!("{name}: expected {expected}\n  but saw {seen}\n  {warnings}"));
                }
            }
            Err(problems) => {
                let text = problems.render(false);
                let error = &case["error"];
                let found = problems.iter().find(|problem| Some(problem.code) == error["code"].as_str());
                let line = found.and_then(|problem| problem.position()).map(|(line, _)| line as u64);
                let said = error["says"].as_str().is_some_and(|says| text.contains(says));
                if found.is_none() || !said || line != error["line"].as_u64() {
                    failed.push(format!("{name}: expected {error}{expected}\n  but saw line {line:?} of\n{text}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn errors_name_a_remedy_and_no_secret() {
    for case in cases() {
        let Err(problems) = chosen(&case) else { continue };
        let text = problems.render(false);
        assert!(!text.contains(SECRET), "{}\n{text}", case["name"]);
        for problem in &problems {
            assert_eq!(problem.severity, Severity::Error);
            assert!(problem.help.is_some(), "{}\n{text}", case["name"]);
        }
    }
}

#[test]
fn a_quoted_file_shows_keys_and_open_values_only() {
    let text = "# comment s3cret\nclouds:\n  one:\n    auth:\n      password: s3cret # s3cret\n      username: someone\n      \
                token: >\n        s3cret\n        s3cret: s3cret\n      auth_url: https://u:s3cret@host\n";
    let section = tree::read(&SourceFile::new("clouds.yaml", text)).unwrap();
    let Origin::File { source, .. } = &section["clouds"].origin else { panic!() };
    assert!(!source.text.contains(SECRET), "{}", source.text);
    assert!(source.text.contains("      username: someone\n"), "{}", source.text);
    assert_eq!(source.text.len(), text.len());
    assert!(!format!("{section:?}").contains(SECRET));
}

#[test]
fn the_login_reaches_the_suites() {
    let case = cases().into_iter().find(|case| case["name"] == "an application credential by id").unwrap();
    let cloud = chosen(&case).unwrap();
    let other = chosen(&case).unwrap();
    let family = family();
    let identities = vec![("alt".to_owned(), other)];
    let options = cloud.into_options(&family, identities, &mut |_| Err("no file".to_owned())).unwrap();
    let target = Target::from_options(options).unwrap();
    let view = target.view(&crate::secret::Vault::with_key([7; 32]));
    assert_eq!(view["base"], "https://one.example");
    assert_eq!(view["options"]["interface"], "public");
    assert_eq!(view["identities"], json!(["alt", "main", "none"]));
    for identity in ["main", "alt"] {
        let login = &view["logins"][identity];
        assert_eq!(login["auth_type"], "application_credential");
        assert_eq!(login["application_credential_id"], "aid");
        assert!(login["application_credential_secret"].as_str().is_some_and(|token| token.len() > 5));
    }
}

#[test]
fn identities_are_of_one_place() {
    let named = |name: &str| cases().into_iter().find(|case| case["name"] == name).unwrap();
    let (one, two) = (chosen(&named("a cloud by name")).unwrap(), chosen(&named("an unversioned URL")).unwrap());
    let family = family();
    let problems = one.into_options(&family, vec![("alt".to_owned(), two)], &mut |_| Err(String::new())).unwrap_err();
    assert!(problems.render(false).contains("identity `alt`: cloud `two` is at https://two.example:5000"));
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_place() {
    let case = cases().into_iter().find(|case| case["name"] == "verify names an authority").unwrap();
    let family = family();
    let read = &mut |_: Place<'_>| Err("no such file".to_owned());
    let problems = chosen(&case).unwrap().into_options(&family, Vec::new(), read).unwrap_err();
    let text = problems.render(false);
    assert!(text.contains("T012") && text.contains("`/pem/ca`") && text.contains("clouds.yaml:1:"), "{text}");
    let mut cloud = chosen(&case).unwrap();
    cloud.without_ca_cert();
    assert!(cloud.into_options(&family, Vec::new(), read).is_ok());
}

#[test]
fn folders_are_searched_in_order() {
    let folders = |pairs: &'static [(&str, &str)]| {
        let find = move |name: &str| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        let folders = config_folders(Path::new("/here"), &find);
        folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>()
    };
    if cfg!(target_os = "macos") {
        return;
    }
    assert_eq!(
        folders(&[("HOME", "/home/u")]),
        ["/here", "/home/u/.config/openstack", "/home/u/.config/openstack", "/etc/xdg/openstack", "/etc/openstack"]
    );
    assert_eq!(
        folders(&[
            ("HOME", "/home/u"),
            ("XDG_CONFIG_HOME", "/x"),
            ("XDG_CONFIG_DIRS", "/a:/b"),
            ("SNAP_REAL_HOME", "/s")
        ]),
        ["/here", "/x/openstack", "/s/.config/openstack", "/a/openstack", "/b/openstack", "/etc/openstack"]
    );
    assert_eq!(folders(&[]), ["/here", "/etc/xdg/openstack", "/etc/openstack"]);
}
