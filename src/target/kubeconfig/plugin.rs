//! Credential plugins: what one is told, and what it answers (`client.authentication.k8s.io/v1` and `v1beta1`).
//!
//! Running one is the caller's business.

use base64::Engine as _;
use serde_json::{Value as Json, json};

use super::cluster::Cluster;
use super::file::{Entry, Fields, Place};
use crate::secret::Secret;
use crate::target::Fresh;
use crate::text::{Diagnostics, SourceFile, did_you_mean, yaml};

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// Whether a plugin may ask a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginMode {
    /// It never gets the terminal.
    Never,
    /// It gets the terminal when there is one.
    IfAvailable,
    /// It cannot do without a terminal.
    Always,
}

impl PluginMode {
    const WORDS: [(&'static str, Self); 3] =
        [("Never", Self::Never), ("IfAvailable", Self::IfAvailable), ("Always", Self::Always)];
}

/// A program that gives credentials.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Name in `PATH`, or a path; one that is not absolute begins at the folder of the kubeconfig.
    pub command: String,
    /// Whether it may ask a person.
    pub mode: PluginMode,
    /// Its arguments. They may hold secrets.
    pub(crate) args: Vec<Secret>,
    /// Variables of its environment beside those of the caller. They may hold secrets.
    pub(crate) env: Vec<(String, Secret)>,
    /// What to do when it is not installed.
    pub(super) install_hint: Option<String>,
    pub(super) place: Place,
    version: String,
    /// The cluster, when the plugin wants to know it. Its certificate authority is added when it was read.
    cluster: Option<Json>,
}

impl Plugin {
    /// What the plugin finds in the variable `KUBERNETES_EXEC_INFO`.
    #[must_use]
    pub fn exec_info(&self, interactive: bool) -> String {
        let mut spec = json!({"interactive": interactive});
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        json!({"kind": "ExecCredential", "apiVersion": self.version, "spec": spec}).to_string()
    }

    /// Tells the plugin the certificate authority.
    pub(super) fn set_authority(&mut self, pem: &[u8]) {
        if let Some(cluster) = &mut self.cluster {
            cluster["certificate-authority-data"] = base64::prelude::BASE64_STANDARD.encode(pem).into();
        }
    }

    /// Reads the answer. A message never holds a part of it: it is a secret.
    pub(super) fn credentials(&self, answer: &[u8]) -> Result<Fresh, String> {
        let text = String::from_utf8(answer.to_vec()).map_err(|_| "its answer is not text".to_owned())?;
        if text.trim().is_empty() {
            return Err("it answered nothing".to_owned());
        }
        // JSON is YAML, and client-go takes both.
        let answer: Json = yaml::parse(&SourceFile::new("", text))
            .map_err(|_| "its answer is neither JSON nor YAML".to_owned())?
            .to_json();
        if answer["kind"] != "ExecCredential" {
            return Err("its answer is not an ExecCredential".to_owned());
        }
        if answer["apiVersion"] != self.version.as_str() {
            return Err(format!("its answer is not of the version {} that the kubeconfig names", self.version));
        }
        let field = |name: &str| match &answer["status"][name] {
            Json::Null => Ok(None),
            Json::String(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            _ => Err(format!("`status.{name}` of its answer is not text")),
        };
        let token = field("token")?.map(Secret::new);
        let client_identity = match (field("clientCertificateData")?, field("clientKeyData")?) {
            (Some(certificate), Some(key)) => Some(Secret::new(format!("{certificate}\n{key}"))),
            (None, None) => None,
            (Some(_), None) => return Err("its answer has a certificate without a key".to_owned()),
            (None, Some(_)) => return Err("its answer has a key without a certificate".to_owned()),
        };
        if token.is_none() && client_identity.is_none() {
            return Err("its answer has neither a token nor a certificate".to_owned());
        }
        let expires_at_ms = match field("expirationTimestamp")? {
            None => None,
            Some(time) => {
                let time: jiff::Timestamp = time
                    .parse()
                    .map_err(|_| "`status.expirationTimestamp` of its answer is not a time (RFC 3339)".to_owned())?;
                Some(time.as_millisecond())
            }
        };
        Ok(Fresh { token, client_identity, expires_at_ms })
    }
}

/// Reads `exec`; problems are reported.
pub(super) fn read(user: &str, entry: &Entry, cluster: Option<&Cluster>, problems: &mut Diagnostics) -> Option<Plugin> {
    let mut fields = Fields::new(entry, problems);
    let missing = |fields: &mut Fields<'_>, key: &str, help: &str| {
        fields.report("T016", key, format!("the plugin of the user `{user}` has no `{key}`"), help);
    };
    let command = fields.named("command");
    if command.is_none() {
        missing(&mut fields, "command", "name the program that gives the credentials");
    }
    let version = fields.named("apiVersion").map(|version| version.text);
    match version.as_deref() {
        Some(V1 | V1BETA1) => {}
        None => missing(&mut fields, "apiVersion", "write `apiVersion: client.authentication.k8s.io/v1`"),
        Some(other) => {
            let help = "client.authentication.k8s.io/v1 and v1beta1 are known; renew the plugin and its kubeconfig";
            let message = format!("the version `{other}` of credential plugins is not supported");
            fields.report("T017", "apiVersion", message, help);
        }
    }
    let mode = match fields.named("interactiveMode") {
        Some(word) => {
            let known = PluginMode::WORDS.iter().find(|(name, _)| *name == word.text);
            if known.is_none() {
                let words = PluginMode::WORDS.map(|(name, _)| name);
                let help = match did_you_mean(&word.text, words) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known: {}", words.join(", ")),
                };
                let message = format!("`interactiveMode` cannot be `{}`", word.text);
                fields.report("T018", "interactiveMode", message, help);
            }
            known.map(|(_, mode)| *mode)
        }
        None if version.as_deref() == Some(V1) => {
            missing(&mut fields, "interactiveMode", "write `interactiveMode: IfAvailable`");
            None
        }
        None => Some(PluginMode::IfAvailable),
    };
    let args = fields.texts("args").into_iter().map(Secret::new).collect();
    let env = environment(&mut fields);
    let told = fields.truth("provideClusterInfo");
    let install_hint = fields.named("installHint").map(|hint| hint.text);
    let place = fields.place("command");
    let command = command?;
    // Only a name is looked up in PATH.
    let path = command.text.contains(['/', '\\']).then(|| command.path().to_string_lossy().into_owned());
    Some(Plugin {
        command: path.unwrap_or(command.text),
        mode: mode?,
        args,
        env,
        install_hint,
        place,
        version: version?,
        cluster: cluster.filter(|_| told).map(told_cluster),
    })
}

fn environment(fields: &mut Fields<'_>) -> Vec<(String, Secret)> {
    let mut env = Vec::new();
    for entry in fields.items("env") {
        let mut inner = Fields::new(&entry, fields.problems);
        let value = inner.secret("value").unwrap_or_else(|| Secret::new(""));
        match inner.named("name") {
            Some(name) => env.push((name.text, value)),
            None => inner.report("T016", "name", "a variable of a plugin has no `name`", "give it one, or remove it"),
        }
    }
    env
}

fn told_cluster(cluster: &Cluster) -> Json {
    let mut told = json!({"server": cluster.server.text});
    let mut tell = |key: &str, value: Json| told[key] = value;
    if let Some(name) = &cluster.server_name {
        tell("tls-server-name", json!(name));
    }
    if cluster.insecure {
        tell("insecure-skip-tls-verify", json!(true));
    }
    if let Some(proxy) = &cluster.proxy {
        tell("proxy-url", json!(proxy.expose()));
    }
    if cluster.disable_compression {
        tell("disable-compression", json!(true));
    }
    if let Some(config) = &cluster.plugin_config {
        tell("config", config.clone());
    }
    told
}
