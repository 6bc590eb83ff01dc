//! A cluster of a kubeconfig: where it is and how its certificate is verified.

use base64::Engine as _;
use url::Url;

use super::file::{Entry, Fields, Named};
use crate::secret::Secret;
use crate::text::Diagnostics;

/// Schemes of proxies.
const PROXIES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// Bytes that stand in the file, or in another one.
#[derive(Debug, Clone)]
pub(super) enum Material {
    /// In the file, decoded.
    Data(Secret, super::Place),
    /// In another file.
    File(Named),
}

impl Material {
    pub(super) fn place(&self) -> &super::Place {
        match self {
            Self::Data(_, place) => place,
            Self::File(named) => &named.place,
        }
    }
}

/// A cluster.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) server: Named,
    pub(super) authority: Option<Material>,
    pub(super) insecure: bool,
    pub(super) server_name: Option<String>,
    pub(super) proxy: Option<Secret>,
    pub(super) disable_compression: bool,
    /// What a plugin is told beside this.
    pub(super) plugin_config: Option<serde_json::Value>,
}

/// Reads a cluster; problems are reported.
pub(super) fn read(name: &str, entry: &Entry, problems: &mut Diagnostics) -> Option<Cluster> {
    let mut fields = Fields::new(entry, problems);
    let server = fields.named("server");
    match &server {
        None => fields.report(
            "T016",
            "server",
            format!("the cluster `{name}` has no `server`"),
            "write `server: https://HOST:6443` into it",
        ),
        Some(server) => {
            if let Err(error) = crate::target::parse_base(&server.text, "") {
                let why = match error {
                    crate::target::TargetError::Url { why, .. } => why,
                    other => other.to_string(),
                };
                let help = "it looks like https://HOST:6443";
                fields.report("T018", "server", format!("`server` cannot be used: {why}"), help);
            }
        }
    }
    let authority = material(&mut fields, "certificate-authority");
    let insecure = fields.truth("insecure-skip-tls-verify");
    if let Some(authority) = authority.as_ref().filter(|_| insecure) {
        let problem = super::at(
            authority.place(),
            "T016",
            "a certificate authority stands beside `insecure-skip-tls-verify: true`",
            "remove `insecure-skip-tls-verify`, so that the certificate is verified",
        );
        fields.problems.push(problem);
    }
    let server_name = fields.named("tls-server-name").map(|name| name.text);
    let proxy = proxy(&mut fields);
    if proxy.is_some() && server_name.is_some() {
        fields.report(
            "T017",
            "tls-server-name",
            "`tls-server-name` together with `proxy-url` is not supported",
            "use a context without one of them",
        );
    }
    let disable_compression = fields.truth("disable-compression");
    let plugin_config = plugin_config(&mut fields);
    Some(Cluster { server: server?, authority, insecure, server_name, proxy, disable_compression, plugin_config })
}

/// `key-data`, else the file that `key` names.
pub(super) fn material(fields: &mut Fields<'_>, key: &str) -> Option<Material> {
    let data_key = format!("{key}-data");
    let file = fields.named(key);
    let Some(data) = fields.secret(&data_key) else { return file.map(Material::File) };
    if file.is_some() {
        fields.report("T016", key, format!("`{key}` and `{data_key}` are both given"), "keep one of them");
    }
    let text: String = data.expose().chars().filter(|c| !c.is_whitespace()).collect();
    let decoded = base64::prelude::BASE64_STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(decoded) = decoded else {
        let message = format!("`{data_key}` is not PEM in Base64");
        fields.report("T018", &data_key, message, format!("encode the file as one line, or name it with `{key}`"));
        return None;
    };
    Some(Material::Data(Secret::new(decoded), fields.place(&data_key)))
}

fn proxy(fields: &mut Fields<'_>) -> Option<Secret> {
    let text = fields.secret("proxy-url")?;
    let url = Url::parse(text.expose()).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    if url.is_none_or(|url| !PROXIES.contains(&url.scheme())) {
        let help = "it looks like http://HOST:3128 or socks5://HOST:1080; http, https and socks5 are known";
        fields.report("T018", "proxy-url", "`proxy-url` cannot be used", help);
    }
    Some(text)
}

/// The extension that is meant for credential plugins.
fn plugin_config(fields: &mut Fields<'_>) -> Option<serde_json::Value> {
    let extensions = fields.items("extensions");
    extensions.iter().find_map(|entry| {
        let mut fields = Fields::new(entry, fields.problems);
        let own = fields.named("name").is_some_and(|name| name.text == "client.authentication.k8s.io/exec");
        fields.json("extension").filter(|_| own)
    })
}
