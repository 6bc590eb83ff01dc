//! The endpoint under test: where it is, who may log in, how its certificate is verified.
//!
//! A [`Target`] is built once and shared. It reads no file and no environment variable (the caller passes contents)
//! and performs no request; `engine::client` uses the HTTP clients made here. Start reading at
//! [`Target::from_options`].

mod clients;
mod clouds;
mod file;
mod identity;
mod kubeconfig;
mod quote;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde_json::json;
use url::Url;

use crate::expr::Json;
use crate::secret::{Secret, Vault};
use crate::suite::Family;
use identity::Identity;

pub use clouds::{Cloud, CloudFile, CloudSettings, Clouds, config_folders};
pub use file::{LoginFile, Place, TargetFile};
pub use identity::{Certificate, Credential, Fetch, Fresh, IdentityUse, Proof, Renewal};
pub use kubeconfig::{KubeContext, KubeFile, Kubeconfig, Machine, Plugin, PluginMode, in_cluster, kubeconfig_files};

/// Name of the identity that requests have unless they say otherwise.
pub const MAIN: &str = "main";
/// Name of the identity without credentials.
pub const NONE: &str = "none";

/// How an identity proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// HTTP Basic (RFC 7617).
    Basic,
    /// A bearer token (RFC 6750).
    Bearer,
    /// No header; cases log in on their own, or a client certificate does it.
    None,
}

impl Auth {
    /// Reads the word used in family and target files.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "basic" => Some(Self::Basic),
            "bearer" => Some(Self::Bearer),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// Credentials of one identity.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Bearer token.
    pub token: Option<Secret>,
    /// What else a log-in needs and may be seen, by the names that suites use: `project_name`.
    pub fields: BTreeMap<String, String>,
    /// What else it needs and nobody may see: `application_credential_secret`.
    pub secrets: BTreeMap<String, Secret>,
    /// How user name, password and token are sent, when the target does not say it for all.
    pub auth: Option<Auth>,
    /// Client certificate and key of this identity alone, PEM.
    pub client_identity: Option<Secret>,
    /// Header fields without secrets that go with every request of the identity.
    pub headers: Vec<(String, String)>,
    /// How token and certificate are had again.
    pub renewal: Option<Renewal>,
}

impl Login {
    fn has_no_secret(&self) -> bool {
        self.username.is_none() && self.password.is_none() && self.token.is_none() && self.secrets.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.has_no_secret() && self.client_identity.is_none() && self.headers.is_empty()
    }
}

/// Everything an operator says about a target, already resolved to values.
#[derive(Debug)]
pub struct TargetOptions<'f> {
    /// Family of the target.
    pub family: &'f Family,
    /// Base URL; the family's path at its end is cut off.
    pub base_url: String,
    /// Credentials of the identity `main`.
    pub login: Login,
    /// Credentials of other identities: `alt`, `admin`.
    pub identities: BTreeMap<String, Login>,
    /// How credentials are sent; `None` is what the family says (a token without user name is always a bearer token).
    pub auth: Option<Auth>,
    /// PEM certificates to trust instead of those of the system.
    pub ca_certs: Vec<Vec<u8>>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Client certificate and key, PEM, that every identity but `none` presents.
    pub client_identity: Option<Secret>,
    /// Name that certificates are verified for and that is asked for (SNI), instead of the host of the base URL.
    pub server_name: Option<String>,
    /// URL of a proxy (http, https, socks5, socks5h), perhaps with credentials.
    pub proxy: Option<Secret>,
    /// Base URLs of services by name.
    pub services: BTreeMap<String, String>,
    /// Further hosts that credentials may be sent to.
    pub trusted_hosts: BTreeSet<String>,
    /// What cases may ask for by name (`--set key=value`).
    pub options: BTreeMap<String, String>,
    /// Requests a second at most.
    pub rate: Option<f64>,
}

impl<'f> TargetOptions<'f> {
    /// A target without credentials.
    #[must_use]
    pub fn new(family: &'f Family, base_url: impl Into<String>) -> Self {
        Self {
            family,
            base_url: base_url.into(),
            login: Login::default(),
            identities: BTreeMap::new(),
            auth: None,
            ca_certs: Vec::new(),
            insecure: false,
            client_identity: None,
            server_name: None,
            proxy: None,
            services: BTreeMap::new(),
            trusted_hosts: BTreeSet::new(),
            options: BTreeMap::new(),
            rate: None,
        }
    }
}

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not an absolute http(s) URL.
    #[error("`{url}` is not a usable base URL: {why}")]
    Url {
        /// What was given, without credentials.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The identity has no or contradictory credentials.
    #[error("identity `{identity}`: {why}")]
    Login {
        /// Its name.
        identity: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The family names an unknown kind of credentials.
    #[error("family `{family}` has the unknown auth kind `{auth}`; known: basic, bearer, none")]
    FamilyAuth {
        /// The family.
        family: String,
        /// The word.
        auth: String,
    },
    /// A PEM file is unusable.
    #[error("{what} cannot be used: {why}")]
    Pem {
        /// Which one.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The name of the server cannot be used.
    #[error("the TLS server name cannot be used: {0}")]
    ServerName(&'static str),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
    /// The rate is not a positive number.
    #[error("the rate limit must be a positive number of requests a second")]
    Rate,
}

/// An endpoint under test.
#[derive(Debug)]
pub struct Target {
    family: String,
    base: Url,
    base_text: String,
    login: Login,
    /// By name.
    identities: BTreeMap<String, Identity>,
    /// The client certificate of all identities but `none`.
    shared: Option<Certificate>,
    logins: BTreeMap<String, Login>,
    services: BTreeMap<String, String>,
    hosts: BTreeSet<String>,
    options: BTreeMap<String, String>,
    rate: Option<f64>,
    clients: clients::Clients,
}

impl Target {
    /// Checks the options and makes a target of them. No request is sent.
    ///
    /// # Errors
    /// When the URL, an identity, a certificate or the rate cannot be used.
    pub fn from_options(options: TargetOptions<'_>) -> Result<Self, TargetError> {
        let base = parse_base(&options.base_url, &options.family.path)?;
        let default_auth = match options.auth {
            Some(auth) => auth,
            None => Auth::from_word(&options.family.auth).ok_or_else(|| TargetError::FamilyAuth {
                family: options.family.id.clone(),
                auth: options.family.auth.clone(),
            })?,
        };
        if options.rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            return Err(TargetError::Rate);
        }
        let mut identities = BTreeMap::new();
        let identity = |name: &str, login: &Login| Identity::new(name, login, options.auth, default_auth);
        if !options.login.is_empty() || options.client_identity.is_some() {
            identities.insert(MAIN.to_owned(), identity(MAIN, &options.login)?);
        }
        for (name, login) in &options.identities {
            if name == MAIN || name == NONE {
                return Err(TargetError::Login { identity: name.clone(), why: "this name has a fixed meaning" });
            }
            if login.is_empty() {
                return Err(TargetError::Login { identity: name.clone(), why: "no credentials are given" });
            }
            identities.insert(name.clone(), identity(name, login)?);
        }
        let mut hosts = options.trusted_hosts.iter().map(|h| h.to_ascii_lowercase()).collect::<BTreeSet<_>>();
        hosts.extend(base.host_str().map(str::to_owned));
        let mut services = BTreeMap::new();
        for (name, url) in &options.services {
            let url = parse_base(url, "")?;
            hosts.extend(url.host_str().map(str::to_owned));
            services.insert(name.clone(), without_slash(&url));
        }
        let shared = options.client_identity.as_ref().map(Certificate::from_pem).transpose()?;
        let server_name = options.server_name.filter(|_| base.scheme() == "https");
        if options.proxy.is_some() && server_name.is_some() {
            return Err(TargetError::ServerName("it cannot go together with a proxy"));
        }
        let policy = clients::Policy {
            ca_certs: options.ca_certs,
            insecure: options.insecure,
            proxy: options.proxy,
            server: server_name.map(|name| clients::Server::new(name, &base)).transpose()?,
        };
        Ok(Self {
            family: options.family.id.clone(),
            base_text: without_slash(&base),
            base,
            login: options.login,
            shared,
            identities,
            logins: options.identities,
            services,
            hosts,
            options: options.options,
            rate: options.rate,
            clients: clients::Clients::new(policy)?,
        })
    }

    /// Base URL without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base_text
    }

    /// Family id.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Requests a second at most, when the operator said so.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Whether certificates are verified (true also for a target without TLS: nothing is switched off).
    #[must_use]
    pub fn verifies_certificates(&self) -> bool {
        !self.clients.policy().insecure
    }

    /// The variable `target` of expressions. Holds no secret; `password` members are tokens of the vault, so that a
    /// case can log in on its own.
    #[must_use]
    pub fn view(&self, vault: &Vault) -> Json {
        let mut identities: Vec<&str> = self.identities.keys().map(String::as_str).collect();
        identities.push(NONE);
        let mut logins = serde_json::Map::new();
        for (name, login) in self.all_logins() {
            logins.insert(name.to_owned(), login_view(name, login, vault));
        }
        json!({
            "base": self.base_text,
            "scheme": self.base.scheme(),
            "host": self.base.host_str().unwrap_or_default(),
            "family": self.family,
            "username": self.login.username.as_deref().unwrap_or_default(),
            "has_credentials": self.identities.contains_key(MAIN),
            "identities": identities,
            "logins": logins,
            "services": self.services,
            "options": self.options,
            "tls_verified": self.base.scheme() == "https" && self.verifies_certificates(),
        })
    }

    /// Teaches the vault every secret of the target, in each form in which it goes over the wire.
    pub fn teach(&self, vault: &Vault) {
        for (name, login) in self.all_logins() {
            learn_login(name, login, vault);
        }
        for (name, identity) in &self.identities {
            let Some(credential) = identity.proof().credential else { continue };
            learn_header(&format!("{name}-login"), credential.value.expose(), vault);
        }
        self.clients.policy().teach(vault);
    }

    fn all_logins(&self) -> impl Iterator<Item = (&str, &Login)> {
        std::iter::once((MAIN, &self.login)).chain(self.logins.iter().map(|(name, login)| (name.as_str(), login)))
    }

    /// What the identity of that name sends.
    #[must_use]
    pub fn credential(&self, identity: &str) -> IdentityUse {
        if identity == NONE {
            return IdentityUse::Anonymous;
        }
        match self.identities.get(identity) {
            Some(identity) => IdentityUse::Known(identity.proof()),
            None if identity == MAIN => IdentityUse::Anonymous,
            None => IdentityUse::Unknown,
        }
    }

    /// Whether the credentials of an identity are about to end, so that [`Target::renew`] should come first.
    #[must_use]
    pub fn is_due(&self, identity: &str) -> bool {
        self.identities.get(identity).is_some_and(Identity::is_due)
    }

    /// Fetches the credentials of an identity again if they are about to end. Takes as long as their source does. The
    /// vault learns them.
    ///
    /// # Errors
    /// Why they cannot be had, when the old ones have ended.
    pub fn renew(&self, identity: &str, vault: &Vault) -> Result<(), String> {
        self.identities.get(identity).map_or(Ok(()), |known| known.renew(identity, vault))
    }

    /// The server did not accept the credentials of an identity.
    pub fn refused(&self, identity: &str) {
        if let Some(identity) = self.identities.get(identity) {
            identity.refused();
        }
    }

    /// Whether credentials may be sent there: a host of the target, and not in the clear when the target uses TLS.
    #[must_use]
    pub fn is_own(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        self.hosts.contains(host) && self.is_private(url)
    }

    /// Whether what is sent there is protected as well as it is at the base URL: not in the clear when the target uses
    /// TLS.
    #[must_use]
    pub fn is_private(&self, url: &Url) -> bool {
        url.scheme() == "https" || self.base.scheme() == "http"
    }

    /// The client for a URL. `certificate` is that of the identity; `anonymous` says that none at all is presented.
    ///
    /// # Errors
    /// When the client cannot be built; the first call for a certificate builds it.
    pub fn client(
        &self,
        url: &Url,
        certificate: Option<&Certificate>,
        anonymous: bool,
    ) -> Result<reqwest::Client, TargetError> {
        self.client_for(url, certificate, anonymous, false)
    }

    /// The client for a request that asks for an upgrade of its connection (RFC 9110 §7.8), such as to a WebSocket.
    ///
    /// # Errors
    /// As [`client`](Target::client).
    pub fn upgrade_client(
        &self,
        url: &Url,
        certificate: Option<&Certificate>,
        anonymous: bool,
    ) -> Result<reqwest::Client, TargetError> {
        self.client_for(url, certificate, anonymous, true)
    }

    fn client_for(
        &self,
        url: &Url,
        certificate: Option<&Certificate>,
        anonymous: bool,
        upgrade: bool,
    ) -> Result<reqwest::Client, TargetError> {
        let shared = self.shared.as_ref().filter(|_| !anonymous);
        self.clients.get(url.scheme() == "https", certificate.or(shared), upgrade)
    }

    /// The URL to connect to and the `host` field to send, when they differ from the URL of a request.
    #[must_use]
    pub fn on_wire(&self, url: &Url) -> Option<(Url, String)> {
        let server = self.clients.policy().server.as_ref()?;
        server.on_wire(url)
    }

    /// Builds the client of the base URL now, so that its errors show before the first case.
    ///
    /// # Errors
    /// When a client cannot be built.
    pub fn warm_up(&self) -> Result<(), TargetError> {
        for identity in self.identities.values() {
            self.client(&self.base, identity.proof().certificate.as_ref(), false)?;
        }
        self.client(&self.base, None, false).map(|_| ())
    }
}

/// Tokens of the secrets of a login, by name.
fn learn_login(name: &str, login: &Login, vault: &Vault) -> BTreeMap<String, String> {
    let own = [("password", &login.password), ("token", &login.token)];
    let own = own.into_iter().filter_map(|(what, secret)| Some((what, secret.as_ref()?)));
    let further = login.secrets.iter().map(|(what, secret)| (what.as_str(), secret));
    own.chain(further).map(|(what, secret)| (what.to_owned(), vault.learn(&format!("{name}-{what}"), secret))).collect()
}

/// Learns the value of an `authorization` field, and what stands behind the scheme in it.
pub(crate) fn learn_header(label: &str, value: &str, vault: &Vault) {
    vault.learn(label, &Secret::new(value));
    if let Some((_, bare)) = value.split_once(' ') {
        vault.learn(label, &Secret::new(bare));
    }
}

fn login_view(name: &str, login: &Login, vault: &Vault) -> Json {
    let tokens = learn_login(name, login, vault);
    let mut view = serde_json::Map::new();
    view.extend(login.fields.iter().map(|(field, value)| (field.clone(), json!(value))));
    view.insert("username".to_owned(), json!(login.username.as_deref().unwrap_or_default()));
    view.insert("password".to_owned(), Json::Null);
    view.insert("token".to_owned(), Json::Null);
    view.extend(tokens.into_iter().map(|(what, token)| (what, Json::String(token))));
    Json::Object(view)
}

/// Value of the `authorization` field of HTTP Basic (RFC 7617 §2).
pub(crate) fn basic_value(username: &str, password: &str) -> String {
    let encoded = base64::prelude::BASE64_STANDARD.encode(format!("{username}:{password}"));
    format!("Basic {encoded}")
}

fn without_slash(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn parse_base(text: &str, family_path: &str) -> Result<Url, TargetError> {
    let wrong = |why: &str| {
        // What stands before an `@` may be a password.
        let shown = text.rsplit_once('@').map_or(text, |(_, host)| host);
        TargetError::Url { url: shown.to_owned(), why: why.to_owned() }
    };
    if !text.contains("://") {
        return Err(wrong("it has no scheme; write for instance `https://` in front of it"));
    }
    let mut url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("only http and https are known"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("credentials do not belong into the URL"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment"));
    }
    let family_path = family_path.trim_end_matches('/');
    let path = url.path().trim_end_matches('/').to_owned();
    if !family_path.is_empty()
        && let Some(front) = path.strip_suffix(family_path)
    {
        url.set_path(front);
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
