//! HTTP clients of a target. Building one costs milliseconds, so there is one for each TLS policy and client certificate,
//! built when first needed; each keeps its own pool of connections. A server keeps who presented a certificate for as long
//! as the connection lasts, so connections are never shared between certificates.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::{Certificate, TargetError};
use crate::secret::{Secret, Vault};

/// A connection that is not established by then is a failure of class `connect`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Idle connections are dropped before common servers close them, because a request sent into a closing connection
/// fails although nothing is wrong with the target.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// How connections are made and certificates treated.
#[derive(Debug, Default)]
pub(super) struct Policy {
    /// PEM certificates to trust instead of those of the system.
    pub(super) ca_certs: Vec<Vec<u8>>,
    /// Accept any certificate.
    pub(super) insecure: bool,
    /// URL of a proxy.
    pub(super) proxy: Option<Secret>,
    /// The server has another name in TLS than in its URL.
    pub(super) server: Option<Server>,
}

impl Policy {
    /// Teaches the vault the credentials in the URL of the proxy.
    pub(super) fn teach(&self, vault: &Vault) {
        let Some(url) = self.proxy.as_ref().and_then(|proxy| Url::parse(proxy.expose()).ok()) else { return };
        if let Some(password) = url.password() {
            let plain = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
            vault.learn("proxy-password", &Secret::new(plain));
        }
    }
}

/// A server that is connected to at the host of its URL and named otherwise in TLS. Clients take the name from the URL
/// and ask for its address; so requests go to the name, and its address is that of the host.
#[derive(Debug, Clone)]
pub(super) struct Server {
    name: String,
    host: String,
    port: u16,
}

impl Server {
    pub(super) fn new(name: String, base: &Url) -> Result<Self, TargetError> {
        let mut probe = base.clone();
        if probe.set_host(Some(&name)).is_err() || probe.domain().is_none() {
            return Err(TargetError::ServerName("it must be a DNS name"));
        }
        let name = probe.domain().unwrap_or_default().to_owned();
        let host = base.host_str().unwrap_or_default().to_owned();
        Ok(Self { name, host, port: base.port_or_known_default().unwrap_or(443) })
    }

    pub(super) fn on_wire(&self, url: &Url) -> Option<(Url, String)> {
        let own = url.scheme() == "https"
            && url.host_str() == Some(self.host.as_str())
            && url.port_or_known_default() == Some(self.port);
        if !own {
            return None;
        }
        let mut wire = url.clone();
        wire.set_host(Some(&self.name)).ok()?;
        let field = url.port().map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host));
        Some((wire, field))
    }
}

impl Resolve for Server {
    fn resolve(&self, name: Name) -> Resolving {
        // An IPv6 address has brackets in a URL only.
        let host = if name.as_str() == self.name { self.host.as_str() } else { name.as_str() };
        let host = host.trim_matches(['[', ']']).to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What a client is for: whether with TLS, whether its connections become something else (which only HTTP/1.1 can), and
/// the digest of the client certificate.
type Purpose = (bool, bool, Option<String>);

/// The clients of one target.
#[derive(Debug)]
pub(super) struct Clients {
    policy: Policy,
    authorities: Vec<reqwest::Certificate>,
    built: Mutex<HashMap<Purpose, reqwest::Client>>,
}

impl Clients {
    pub(super) fn new(policy: Policy) -> Result<Self, TargetError> {
        let mut authorities = Vec::new();
        for pem in &policy.ca_certs {
            let what = "the CA certificate";
            let certs = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|e| TargetError::Pem { what, why: chain_text(&e) })?;
            if certs.is_empty() {
                return Err(TargetError::Pem { what, why: "no PEM block `CERTIFICATE` in it".to_owned() });
            }
            authorities.extend(certs);
        }
        Ok(Self { policy, authorities, built: Mutex::default() })
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn get(
        &self,
        tls: bool,
        certificate: Option<&Certificate>,
        upgrade: bool,
    ) -> Result<reqwest::Client, TargetError> {
        let certificate = certificate.filter(|_| tls);
        let purpose = (tls, upgrade, certificate.map(|certificate| certificate.digest().to_owned()));
        let mut clients = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&purpose) {
            return Ok(client.clone());
        }
        let client = self.build(tls, certificate, upgrade).map_err(|e| TargetError::Client(chain_text(&e)))?;
        clients.insert(purpose, client.clone());
        Ok(client)
    }

    fn build(&self, tls: bool, certificate: Option<&Certificate>, upgrade: bool) -> reqwest::Result<reqwest::Client> {
        install_provider();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // Its default retry stays: what a server says it has not processed, as it closes an HTTP/2 connection, goes out
            // again on another one (RFC 9113, 8.7). Kubernetes closes them behind every anonymous request.
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(TCP_KEEPALIVE)
            .tcp_nodelay(true)
            .tls_info(true);
        if let Some(proxy) = &self.policy.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.expose())?);
        }
        if upgrade {
            builder = builder.http1_only();
        }
        if !tls {
            // Without this the certificates of the system would be read, and their absence would be an error.
            builder = builder.tls_certs_only([]);
        } else if !self.authorities.is_empty() {
            builder = builder.tls_certs_only(self.authorities.iter().cloned());
        }
        if tls && let Some(server) = &self.policy.server {
            // HTTP/2 has no `host` field of its own: it would name the server as TLS does.
            builder = builder.dns_resolver(Arc::new(server.clone())).http1_only();
        }
        if tls && self.policy.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if let Some(certificate) = certificate {
            builder = builder.identity(certificate.identity().clone());
        }
        builder.build()
    }
}

/// rustls takes its cryptography from a process-wide provider, which must be chosen once.
pub(super) fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the embedding program chose one already; that one is used then.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// An error with its causes in one line.
pub(super) fn chain_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
