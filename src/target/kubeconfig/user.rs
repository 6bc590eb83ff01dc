//! A user of a kubeconfig: how to log in, and as whom to act.

use std::fmt::Write as _;

use super::cluster::{self, Cluster, Material};
use super::file::{Entry, Fields, Named};
use super::plugin::{self, Plugin};
use crate::secret::Secret;
use crate::text::{Diagnostic, Diagnostics};

/// A user.
#[derive(Debug, Clone, Default)]
pub(super) struct User {
    pub(super) token: Option<Secret>,
    /// Counts more than the token.
    pub(super) token_file: Option<Named>,
    pub(super) basic: Option<(String, Secret)>,
    /// Certificate and key.
    pub(super) certificate: Option<(Material, Material)>,
    pub(super) plugin: Option<Plugin>,
    /// Header fields that ask the server to take the user for another one.
    pub(super) headers: Vec<(String, String)>,
}

/// Reads a user; problems are reported.
pub(super) fn read(name: &str, entry: &Entry, cluster: Option<&Cluster>, problems: &mut Diagnostics) -> User {
    let mut fields = Fields::new(entry, problems);
    let mut user = User {
        token: fields.secret("token"),
        token_file: fields.named("tokenFile"),
        basic: basic(&mut fields),
        certificate: certificate(name, &mut fields),
        plugin: None,
        headers: impersonation(&mut fields),
    };
    if let Some(provider) = fields.inner("auth-provider") {
        let mut inner = Fields::new(&provider, fields.problems);
        let which = inner.named("name").map_or_else(String::new, |name| format!(" `{}`", name.text));
        fields.report(
            "T017",
            "auth-provider",
            format!("the auth provider{which} is not supported; kubectl dropped these in 1.26"),
            "use the credential plugin of the provider (`exec:`), such as gke-gcloud-auth-plugin, kubelogin or oidc-login",
        );
    }
    let has_token = user.token.is_some() || user.token_file.is_some();
    if has_token && user.basic.is_some() {
        let help = "keep one of them";
        fields.report("T016", "username", format!("the user `{name}` has a token and a password"), help);
    }
    if let Some(exec) = fields.inner("exec") {
        let given = has_token || user.basic.is_some() || user.certificate.is_some();
        if given {
            let problem =
                Diagnostic::warning("T020", "the plugin is not run: the user has other credentials beside it")
                    .help("kubectl does the same; remove `exec` or the other credentials");
            fields.problems.push(exec.place.mark(problem, "here"));
        } else {
            user.plugin = plugin::read(name, &exec, cluster, fields.problems);
        }
    }
    user
}

fn basic(fields: &mut Fields<'_>) -> Option<(String, Secret)> {
    let username = fields.named("username").map(|name| name.text);
    let password = fields.secret("password");
    match (username, password) {
        (None, None) => None,
        (Some(username), Some(password)) => Some((username, password)),
        (username, _) => {
            let (there, missing) = if username.is_some() { ("username", "password") } else { ("password", "username") };
            fields.report("T016", there, format!("`{there}` without `{missing}`"), "give both, or another credential");
            None
        }
    }
}

fn certificate(name: &str, fields: &mut Fields<'_>) -> Option<(Material, Material)> {
    let certificate = cluster::material(fields, "client-certificate")?;
    let key = cluster::material(fields, "client-key");
    if key.is_none() && !fields.problems.has_errors() {
        let problem = super::at(
            certificate.place(),
            "T016",
            format!("the user `{name}` has a client certificate without a key"),
            "add `client-key` or `client-key-data`",
        );
        fields.problems.push(problem);
    }
    Some((certificate, key?))
}

fn impersonation(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let user = fields.named("as").map(|name| name.text);
    let uid = fields.named("as-uid").map(|name| name.text);
    let groups = fields.texts("as-groups");
    let mut extra = Vec::new();
    if let Some(entry) = fields.inner("as-user-extra") {
        let mut inner = Fields::new(&entry, fields.problems);
        for key in inner.keys() {
            let field = format!("impersonate-extra-{}", escaped(&key));
            extra.extend(inner.texts(&key).into_iter().map(|value| (field.clone(), value)));
        }
    }
    if user.is_none() {
        let first =
            [("as-uid", uid.is_some()), ("as-groups", !groups.is_empty()), ("as-user-extra", !extra.is_empty())];
        if let Some((key, _)) = first.into_iter().find(|(_, given)| *given) {
            fields.report("T016", key, format!("`{key}` without `as`"), "say with `as` who shall be impersonated");
        }
    }
    headers.extend(user.map(|user| ("impersonate-user".to_owned(), user)));
    headers.extend(uid.map(|uid| ("impersonate-uid".to_owned(), uid)));
    headers.extend(groups.into_iter().map(|group| ("impersonate-group".to_owned(), group)));
    headers.extend(extra);
    headers
}

/// A key as a part of a field name: what RFC 9110 does not allow there is percent-encoded.
fn escaped(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for byte in key.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
        if plain {
            name.push(char::from(byte.to_ascii_lowercase()));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_of_extra_become_field_names() {
        assert_eq!(super::escaped("scopes"), "scopes");
        assert_eq!(super::escaped("acme.com/Project %"), "acme.com%2fproject%20%25");
    }
}
