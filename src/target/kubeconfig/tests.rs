use std::sync::Mutex;

use base64::Engine as _;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::secret::{Secret, Vault};
use crate::target::{IdentityUse, Target, TargetOptions};
use crate::text::yaml;

/// Stands in every file of the table where a secret would.
const SECRET: &str = "S3cret";
const CA: &str = include_str!("../../../tests/tls/ca.crt");
const CRT: &str = include_str!("../../../tests/tls/admin.crt");
const KEY: &str = include_str!("../../../tests/tls/admin.key");
const SHORT: [(&str, &str); 3] = [("CA", CA), ("CRT", CRT), ("KEY", KEY)];
const FOLDERS: [&str; 3] = ["/one", "/two", "/three"];

fn cases() -> Vec<Json> {
    let source = SourceFile::new("cases.yaml", include_str!("cases.yaml"));
    yaml::parse(&source).unwrap().to_json().as_array().unwrap().clone()
}

/// Puts real certificates in place of their short names.
fn spelled(text: &str) -> String {
    let mut text = text.to_owned();
    for (short, long) in SHORT {
        let coded = |text: &str| base64::prelude::BASE64_STANDARD.encode(text);
        text = text.replace(&coded(short), &coded(long));
    }
    text
}

fn long(short: &str) -> String {
    SHORT.iter().find(|(name, _)| *name == short).map_or(short, |(_, long)| long).to_owned()
}

struct Stage {
    files: BTreeMap<String, String>,
    answer: Option<String>,
    ran: Mutex<Vec<(String, String)>>,
}

impl Machine for Stage {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let found = self.files.get(&path.display().to_string());
        found.map(|text| text.clone().into_bytes()).ok_or_else(|| "not there".to_owned())
    }

    fn run(&self, plugin: &Plugin) -> Result<Vec<u8>, String> {
        let env = plugin.env.iter().map(|(name, value)| format!("{name}={}", value.expose()));
        let args = plugin.args.iter().map(|argument| argument.expose().to_owned());
        let line: Vec<_> = env.chain([plugin.command.clone()]).chain(args).collect();
        self.ran.lock().unwrap().push((line.join(" "), plugin.exec_info(false)));
        self.answer.clone().map(String::into_bytes).ok_or_else(|| "it said no".to_owned())
    }
}

fn stage(case: &Json) -> Arc<Stage> {
    let texts = case["read"].as_object().cloned().unwrap_or_default();
    let files = texts.iter().map(|(path, text)| (path.clone(), long(text.as_str().unwrap()))).collect();
    let mut answer = case["answer"].clone();
    for key in ["clientCertificateData", "clientKeyData"] {
        if let Some(value) = answer.pointer_mut(&format!("/status/{key}")) {
            *value = long(value.as_str().unwrap()).into();
        }
    }
    let answer = (!answer.is_null()).then(|| answer.to_string());
    Arc::new(Stage { files, answer, ran: Mutex::default() })
}

fn chosen(case: &Json, name: Option<&str>) -> Result<KubeContext, Diagnostics> {
    let texts = case["files"].as_array().unwrap().iter().zip(FOLDERS);
    let file = |(text, folder): (&Json, &str)| KubeFile {
        source: SourceFile::new(format!("{folder}/config"), spelled(text.as_str().unwrap())),
        folder: folder.into(),
    };
    Kubeconfig::parse(&texts.map(file).collect::<Vec<_>>())?.choose(name)
}

fn family() -> crate::suite::Family {
    crate::suite::Family {
        id: "kubernetes".into(),
        title: "Kubernetes".into(),
        path: "/api".into(),
        probe: None,
        sessions: BTreeMap::new(),
        plan: Vec::new(),
        concurrency: 4,
        auth: "bearer".into(),
        headers: Vec::new(),
        guideline: String::new(),
    }
}

/// What came out, in the words of the table, and the warnings.
fn outcome(case: &Json) -> Result<(Json, String), Diagnostics> {
    let family = family();
    let stage = stage(case);
    let machine: Arc<dyn Machine> = stage.clone();
    let main = chosen(case, case["context"].as_str())?;
    let mut warnings = main.warnings.clone();
    warnings.extend(main.withheld());
    let mut identities = Vec::new();
    if let Some(name) = case["identity"].as_str() {
        identities.push(("alt".to_owned(), chosen(case, Some(name))?));
    }
    let options = main.into_options(&family, identities, &machine)?;
    let mut seen = seen(&options);
    let renewal = options.login.renewal.as_ref();
    if let Some(renewal) = renewal {
        let end = renewal.expires_at_ms.map(|ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string());
        seen.insert("renewed".into(), end.map_or(Json::Bool(true), Json::String));
    }
    if let Some((line, info)) = stage.ran.lock().unwrap().first() {
        seen.insert("ran".into(), line.clone().into());
        let mut told: Json = serde_json::from_str(info).unwrap();
        if let Some(pem) = told.pointer_mut("/spec/cluster/certificate-authority-data") {
            assert_eq!(pem.as_str().unwrap(), base64::prelude::BASE64_STANDARD.encode(CA));
            *pem = "CA".into();
        }
        seen.insert("told".into(), told["spec"].clone());
    }
    // Nothing of it may be refused later on.
    let target = Target::from_options(options).unwrap();
    assert_eq!(target.base(), seen["base"]);
    Ok((Json::Object(seen), warnings.render(false)))
}

fn seen(options: &TargetOptions<'_>) -> Map<String, Json> {
    let mut seen = Map::new();
    let mut see = |key: &str, value: Json| seen.insert(key.to_owned(), value);
    let show = |secret: &Secret| Json::from(secret.expose());
    see("base", options.base_url.trim_end_matches('/').into());
    see("fields", json!(options.login.fields));
    if let Some(pem) = options.ca_certs.first() {
        assert_eq!(pem, CA.as_bytes());
        see("authority", "CA".into());
    }
    if options.insecure {
        see("insecure", true.into());
    }
    if let Some(name) = &options.server_name {
        see("server_name", name.as_str().into());
    }
    if let Some(proxy) = &options.proxy {
        see("proxy", show(proxy));
    }
    if let Some(token) = &options.login.token {
        see("token", show(token));
    }
    if let (Some(name), Some(password)) = (&options.login.username, &options.login.password) {
        see("basic", format!("{name}:{}", password.expose()).into());
    }
    if let Some(pem) = &options.login.client_identity {
        assert!(pem.expose().contains(CRT.trim()) && pem.expose().contains(KEY.trim()));
        see("client", true.into());
    }
    if !options.login.headers.is_empty() {
        let lines = options.login.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        see("headers", lines.collect());
    }
    if let Some(alt) = options.identities.get("alt") {
        see("alt", alt.token.as_ref().map(show).into());
    }
    seen
}

#[test]
fn every_case_of_the_table_holds() {
    let mut failed = Vec::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        match outcome(&case) {
            Ok((seen, warnings)) => {
                let warned = match case["warns"].as_str() {
                    Some(text) => warnings.contains(text),
                    None => warnings.is_empty(),
                };
                if seen != case["expect"] || !warned {
                    failed.push(format!("{name}: expected {}\n  but saw {seen}\n  {warnings}", case["expect"]));
                }
            }
            Err(problems) => {
                let text = problems.render(false);
                let error = &case["error"];
                let holds = |problem: &Diagnostic| {
                    let says = |key: &str, text: &str| error[key].as_str().is_none_or(|part| text.contains(part));
                    let line = problem.position().map(|(line, _)| line as u64);
                    let told = format!("{}\n{}", problem.message, problem.help.as_deref().unwrap_or_default());
                    error["code"] == problem.code
                        && says("says", &told)
                        && says("help", &told)
                        && (error["line"].is_null() || error["line"].as_u64() == line)
                };
                if !problems.iter().any(holds) {
                    failed.push(format!("{name}: expected {}\n  but was told\n{text}", case["error"]));
                }
                if text.contains(SECRET) {
                    failed.push(format!("{name}: shows a secret\n{text}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn files_are_those_of_the_variable_or_that_of_the_home_folder() {
    let files = |variable, home| kubeconfig_files(variable, home);
    assert_eq!(files(None, Some("/home/u")), [PathBuf::from("/home/u/.kube/config")]);
    assert_eq!(files(Some(""), Some("/home/u")), [PathBuf::from("/home/u/.kube/config")]);
    assert!(files(None, None).is_empty());
    if cfg!(unix) {
        let named = files(Some("/a::b:/a"), Some("/home/u"));
        assert_eq!(named, [PathBuf::from("/a"), PathBuf::from("b")]);
    }
}

#[test]
fn a_service_account_is_the_one_of_the_pod() {
    let place = |name: &str| format!("/var/run/secrets/kubernetes.io/serviceaccount/{name}");
    // The claims are `{"sub":"system:serviceaccount:team:default"}`.
    let token = "S3cret-head.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6dGVhbTpkZWZhdWx0In0.S3cret-seal";
    let line = format!("{token}\n");
    let all = [("ca.crt", CA), ("token", &line), ("namespace", "team")];
    let with = |names: &[&str]| -> Arc<dyn Machine> {
        let files = all.iter().filter(|(name, _)| names.contains(name));
        let files = files.map(|(name, text)| (place(name), (*text).to_owned())).collect();
        Arc::new(Stage { files, answer: None, ran: Mutex::default() })
    };
    let family = family();
    let options = in_cluster(&family, "fd00::1", "443", &with(&["ca.crt", "token", "namespace"])).unwrap();
    assert_eq!(options.base_url, "https://[fd00::1]:443");
    assert_eq!(options.login.fields["namespace"], "team");
    assert_eq!(options.login.fields["user"], "system:serviceaccount:team:default");
    assert!(options.options.is_empty(), "a namespace is only taken when the operator says so");
    assert!(options.login.renewal.is_some(), "kubelet renews the token");
    let target = Target::from_options(options).unwrap();
    let IdentityUse::Known(proof) = target.credential("main") else { panic!("no credentials") };
    assert_eq!(proof.credential.unwrap().value.expose(), format!("Bearer {token}"));
    let lost = in_cluster(&family, "h", "443", &with(&["ca.crt"])).unwrap_err().render(false);
    assert!(lost.contains("T019") && lost.contains("token` cannot be read"), "{lost}");
}

#[test]
fn a_token_that_changes_is_sent_from_then_on() {
    struct Changing(Mutex<u32>);
    impl Machine for Changing {
        fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
            Err("not there".to_owned())
        }
        fn run(&self, _: &Plugin) -> Result<Vec<u8>, String> {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            // It has ended already, so it is had again as soon as that is allowed.
            Ok(json!({
                "kind": "ExecCredential",
                "apiVersion": "client.authentication.k8s.io/v1beta1",
                "status": {"token": format!("S3cret-{count}"), "expirationTimestamp": "2001-01-01T00:00:00Z"},
            })
            .to_string()
            .into_bytes())
        }
    }
    let text = "current-context: a\nclusters: [{name: c, cluster: {server: 'https://x.example'}}]\n\
                contexts: [{name: a, context: {cluster: c, user: u}}]\n\
                users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}}}]\n";
    let file = KubeFile { source: SourceFile::new("config", text), folder: PathBuf::new() };
    let machine: Arc<dyn Machine> = Arc::new(Changing(Mutex::new(0)));
    let family = family();
    let context = Kubeconfig::parse(&[file]).unwrap().choose(None).unwrap();
    let target = Target::from_options(context.into_options(&family, Vec::new(), &machine).unwrap()).unwrap();
    assert!(!target.is_due("main"), "it is not asked for at every request");
    let vault = Vault::with_key([7; 32]);
    target.teach(&vault);
    assert!(!vault.redact("a S3cret-1 b").contains("S3cret-1"));
    target.renew("main", &vault).unwrap();
    let IdentityUse::Known(proof) = target.credential("main") else { panic!("no credentials") };
    assert_eq!(proof.credential.unwrap().value.expose(), "Bearer S3cret-1", "not yet due");
}
