//! A context: cluster and user together; and the target options that it amounts to.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;

use super::cluster::{self, Cluster, Material};
use super::file::{Entry, Fields, Named, Place};
use super::plugin::Plugin;
use super::user::{self, User};
use super::{Kubeconfig, Machine, at};
use crate::secret::Secret;
use crate::suite::Family;
use crate::target::{Auth, Certificate, Fetch, Fresh, Login, Renewal, TargetOptions, clients, parse_base};
use crate::text::{Diagnostic, Diagnostics, did_you_mean};

/// How often a file with a token is read again.
const TOKEN_PERIOD: Duration = Duration::from_secs(60);
/// Where a pod finds its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A context that was chosen; files that it names are not yet read.
pub struct KubeContext {
    /// Its name.
    pub name: String,
    /// Name of its cluster.
    pub cluster: String,
    /// Name of its user; empty for nobody.
    pub user: String,
    /// The namespace that requests without one are for.
    pub namespace: Option<String>,
    /// What was not heeded.
    pub warnings: Diagnostics,
    place: Place,
    at: Cluster,
    who: User,
}

impl fmt::Debug for KubeContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeContext").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads a context with its cluster and user.
pub(super) fn resolve(config: &Kubeconfig, name: &str, entry: &Entry) -> Result<KubeContext, Diagnostics> {
    let mut problems = Diagnostics::new();
    let mut fields = Fields::new(entry, &mut problems);
    let cluster = fields.named("cluster");
    let user = fields.named("user");
    let namespace = fields.named("namespace").map(|namespace| namespace.text);
    if cluster.is_none() {
        let message = format!("the context `{name}` names no cluster");
        fields.report("T016", "cluster", message, "write `cluster: NAME` into it");
    }
    let found = cluster.as_ref().and_then(|named| find(&config.clusters, named, "cluster", &mut problems));
    let at = found.zip(cluster.as_ref()).and_then(|(entry, named)| cluster::read(&named.text, entry, &mut problems));
    let found = user.as_ref().and_then(|named| find(&config.users, named, "user", &mut problems));
    let who = match (found, user.as_ref()) {
        (Some(entry), Some(named)) => user::read(&named.text, entry, at.as_ref(), &mut problems),
        _ => User::default(),
    };
    match at {
        Some(at) if !problems.has_errors() => Ok(KubeContext {
            name: name.to_owned(),
            cluster: cluster.map_or_else(String::new, |named| named.text),
            user: user.map_or_else(String::new, |named| named.text),
            namespace,
            warnings: problems,
            place: entry.place.clone(),
            at,
            who,
        }),
        _ => Err(problems),
    }
}

fn find<'e>(
    entries: &'e BTreeMap<String, Entry>,
    named: &Named,
    kind: &str,
    problems: &mut Diagnostics,
) -> Option<&'e Entry> {
    let found = entries.get(&named.text);
    if found.is_none() {
        let help = match did_you_mean(&named.text, entries.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`kubectl config view` shows every {kind} there is"),
        };
        problems.push(at(&named.place, "T015", format!("there is no {kind} `{}`", named.text), help));
    }
    found
}

impl KubeContext {
    /// Base URL of the API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.at.server.text
    }

    /// Leaves the certificate authority of the cluster out: the caller has another one.
    pub fn without_authority(&mut self) {
        self.at.authority = None;
    }

    /// Makes target options; `identities` are further contexts of the same cluster.
    ///
    /// # Errors
    /// When a file cannot be read, a plugin fails, or an identity is of another cluster.
    pub fn into_options<'f>(
        self,
        family: &'f Family,
        identities: Vec<(String, Self)>,
        machine: &Arc<dyn Machine>,
    ) -> Result<TargetOptions<'f>, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut options = TargetOptions::new(family, self.server());
        let mut take =
            |found: Result<Login, Diagnostics>| found.map_err(|found| problems.extend(found)).unwrap_or_default();
        let authority = self.authority(&**machine);
        let pem = authority.as_ref().ok().and_then(Option::as_ref).cloned();
        options.login = take(self.login(pem.as_deref(), machine));
        for (name, context) in &identities {
            let login = if same_place(context.server(), self.server()) {
                context.login(pem.as_deref(), machine)
            } else {
                let message = format!(
                    "identity `{name}`: the context `{}` is at {}, `{}` is at {}",
                    context.name,
                    context.server(),
                    self.name,
                    self.server()
                );
                Err(at(&context.at.server.place, "T016", message, "all identities of a run are of one cluster").into())
            };
            options.identities.insert(name.clone(), take(login));
        }
        match authority {
            Ok(pem) => options.ca_certs.extend(pem),
            Err(problem) => problems.push(problem),
        }
        if problems.has_errors() {
            return Err(problems);
        }
        options.insecure = self.at.insecure;
        options.server_name = self.at.server_name;
        // The proxy looks the name up, as with kubectl.
        let proxy = |url: Secret| match url.expose().strip_prefix("socks5:") {
            Some(rest) => Secret::new(format!("socks5h:{rest}")),
            None => url,
        };
        options.proxy = self.at.proxy.map(proxy);
        Ok(options)
    }

    fn authority(&self, machine: &dyn Machine) -> Result<Option<Vec<u8>>, Diagnostic> {
        let Some(material) = &self.at.authority else { return Ok(None) };
        let pem = bytes(material, "the certificate authority", machine)?;
        match reqwest::Certificate::from_pem_bundle(&pem) {
            Ok(certificates) if !certificates.is_empty() => Ok(Some(pem)),
            found => {
                let why = found.err().map_or_else(|| "no certificate is in it".to_owned(), |e| clients::chain_text(&e));
                let message = format!("the certificate authority cannot be used: {why}");
                Err(at(material.place(), "T018", message, "it must be PEM, with `BEGIN CERTIFICATE`"))
            }
        }
    }

    /// Who the context logs in.
    fn login(&self, authority: Option<&[u8]>, machine: &Arc<dyn Machine>) -> Result<Login, Diagnostics> {
        let mut login = Login { headers: self.who.headers.clone(), ..Login::default() };
        let mut tell = |name: &str, value: &str| login.fields.insert(name.to_owned(), value.to_owned());
        tell("context", &self.name);
        tell("cluster", &self.cluster);
        tell("user", &self.user);
        if let Some(namespace) = &self.namespace {
            tell("namespace", namespace);
        }
        if !self.server().starts_with("https:") {
            // kubectl sends none there either, see `withheld`.
            return Ok(login);
        }
        if let Some((certificate, key)) = &self.who.certificate {
            login.client_identity = Some(pair(certificate, key, &**machine)?);
        }
        if let Some((username, password)) = &self.who.basic {
            login.username = Some(username.clone());
            login.password = Some(password.clone());
            login.auth = Some(Auth::Basic);
        }
        login.token = self.who.token.clone();
        if let Some(file) = &self.who.token_file {
            let fetch = token_file(&file.path(), machine);
            match (fetch(), &login.token) {
                (Ok(fresh), _) => login.token = fresh.token,
                (Err(_), Some(_)) => {}
                (Err(why), None) => {
                    let message = format!("the token in `{}` cannot be read: {why}", file.path().display());
                    return Err(at(&file.place, "T019", message, "name a file that holds a token").into());
                }
            }
            login.renewal = Some(Renewal { fetch, period: Some(TOKEN_PERIOD), expires_at_ms: None });
        }
        if let Some(plugin) = &self.who.plugin {
            let mut plugin = plugin.clone();
            if let Some(pem) = authority {
                plugin.set_authority(pem);
            }
            let fetch = plugin_run(plugin.clone(), machine);
            let fresh = fetch().map_err(|why| failed(&plugin, why))?;
            check(&fresh).map_err(|why| failed(&plugin, why))?;
            login.token = fresh.token;
            login.client_identity = fresh.client_identity;
            login.renewal = Some(Renewal { fetch, period: None, expires_at_ms: fresh.expires_at_ms });
        }
        Ok(login)
    }

    /// What is not heeded because of the scheme of the server.
    #[must_use]
    pub fn withheld(&self) -> Option<Diagnostic> {
        let who = &self.who;
        let has = who.token.is_some()
            || who.token_file.is_some()
            || who.basic.is_some()
            || who.certificate.is_some()
            || who.plugin.is_some();
        let withheld = has && !self.server().starts_with("https:");
        withheld.then(|| {
            let problem =
                Diagnostic::warning("T020", format!("the credentials of `{}` are not sent over http", self.user))
                    .help("kubectl does the same; write https:// into `server`");
            self.at.server.place.mark(problem, "here")
        })
    }

    /// Where the context stands, for a diagnostic about it.
    #[must_use]
    pub fn mark(&self, problem: Diagnostic) -> Diagnostic {
        self.place.mark(problem, "this context")
    }
}

/// The service account of the pod in which this runs.
///
/// # Errors
/// When its files cannot be read.
pub fn in_cluster<'f>(
    family: &'f Family,
    host: &str,
    port: &str,
    machine: &Arc<dyn Machine>,
) -> Result<TargetOptions<'f>, Diagnostics> {
    let place = |name: &str| Path::new(ACCOUNT).join(name);
    let lost = |name: &str, why: String| {
        let message = format!("`{}` cannot be read: {why}", place(name).display());
        let help =
            "mount the service account into the pod (`automountServiceAccountToken: true`), or give --kubeconfig";
        Diagnostics::from(Diagnostic::error("T019", message).help(help))
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut options = TargetOptions::new(family, format!("https://{host}:{port}"));
    options.ca_certs.push(machine.read(&place("ca.crt")).map_err(|why| lost("ca.crt", why))?);
    let fetch = token_file(&place("token"), machine);
    options.login.token = fetch().map_err(|why| lost("token", why))?.token;
    let user = options.login.token.as_ref().and_then(subject);
    options.login.fields.extend(user.map(|user| ("user".to_owned(), user)));
    options.login.renewal = Some(Renewal { fetch, period: Some(TOKEN_PERIOD), expires_at_ms: None });
    // Older kubelets do not say it.
    if let Ok(namespace) = machine.read(&place("namespace")) {
        let namespace = String::from_utf8_lossy(&namespace).trim().to_owned();
        options.login.fields.insert("namespace".to_owned(), namespace);
    }
    Ok(options)
}

/// Whose token a JWT says it is (RFC 7519 §4.1.2). Only to be shown; the server decides.
fn subject(token: &Secret) -> Option<String> {
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(token.expose().split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}

fn same_place(one: &str, other: &str) -> bool {
    let base = |url: &str| parse_base(url, "").ok().map(|url| url.as_str().trim_end_matches('/').to_owned());
    base(one) == base(other)
}

fn bytes(material: &Material, what: &str, machine: &dyn Machine) -> Result<Vec<u8>, Diagnostic> {
    match material {
        Material::Data(data, _) => Ok(data.expose().as_bytes().to_vec()),
        Material::File(named) => machine.read(&named.path()).map_err(|why| {
            let message = format!("{what} `{}` cannot be read: {why}", named.path().display());
            at(&named.place, "T019", message, "a relative path begins at the folder of the kubeconfig")
        }),
    }
}

/// Certificate and key as one text.
fn pair(certificate: &Material, key: &Material, machine: &dyn Machine) -> Result<Secret, Diagnostic> {
    let mut pem = bytes(certificate, "the client certificate", machine)?;
    pem.push(b'\n');
    pem.extend(bytes(key, "the key of the client certificate", machine)?);
    let pem = Secret::new(String::from_utf8_lossy(&pem).into_owned());
    match Certificate::from_pem(&pem) {
        Ok(_) => Ok(pem),
        Err(error) => {
            let help = "both must be PEM, and the key must not be encrypted";
            Err(at(certificate.place(), "T018", error.to_string(), help))
        }
    }
}

fn check(fresh: &Fresh) -> Result<(), String> {
    let pem = fresh.client_identity.as_ref();
    pem.map_or(Ok(()), |pem| Certificate::from_pem(pem).map(|_| ()).map_err(|error| error.to_string()))
}

fn failed(plugin: &Plugin, why: String) -> Diagnostics {
    let help = match &plugin.install_hint {
        Some(hint) => hint.trim().to_owned(),
        None => "run it by hand to see what it needs".to_owned(),
    };
    at(&plugin.place, "T021", format!("the credential plugin `{}` failed: {why}", plugin.command), help).into()
}

fn plugin_run(plugin: Plugin, machine: &Arc<dyn Machine>) -> Fetch {
    let machine = Arc::clone(machine);
    Arc::new(move || machine.run(&plugin).and_then(|answer| plugin.credentials(&answer)))
}

fn token_file(path: &Path, machine: &Arc<dyn Machine>) -> Fetch {
    let (path, machine) = (path.to_owned(), Arc::clone(machine));
    Arc::new(move || {
        let text = String::from_utf8(machine.read(&path)?).map_err(|_| "it is not text".to_owned())?;
        match text.trim() {
            "" => Err("it is empty".to_owned()),
            token => Ok(Fresh { token: Some(Secret::new(token)), ..Fresh::default() }),
        }
    })
}
