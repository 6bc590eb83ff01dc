//! HTTP clients of a target. Building one costs milliseconds, so there is one for each TLS policy, built when first
//! needed; each keeps its own pool of connections.

use std::sync::{Once, OnceLock};
use std::time::Duration;

use super::TargetError;
use crate::secret::Secret;

/// A connection that is not established by then is a failure of class `connect`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Idle connections are dropped before common servers close them, because a request sent into a closing connection
/// fails although nothing is wrong with the target.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// How certificates are treated.
#[derive(Debug, Default)]
pub struct Policy {
    /// PEM certificates to trust instead of those of the system.
    pub ca_certs: Vec<Vec<u8>>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Client certificate and key, PEM.
    pub client_identity: Option<Secret>,
}

/// The clients of one target.
#[derive(Debug)]
pub(super) struct Clients {
    policy: Policy,
    authorities: Vec<reqwest::Certificate>,
    identity: Option<reqwest::Identity>,
    /// Without TLS, TLS, TLS with client certificate.
    built: [OnceLock<Result<reqwest::Client, String>>; 3],
    /// The same for connections that become something else, which only HTTP/1.1 can.
    upgrading: [OnceLock<Result<reqwest::Client, String>>; 3],
}

impl Clients {
    pub(super) fn new(policy: Policy) -> Result<Self, TargetError> {
        install_provider();
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
        let identity = match &policy.client_identity {
            None => None,
            Some(pem) => Some(
                reqwest::Identity::from_pem(pem.expose().as_bytes())
                    .map_err(|e| TargetError::Pem { what: "the client certificate", why: chain_text(&e) })?,
            ),
        };
        let (built, upgrading) = ([const { OnceLock::new() }; 3], [const { OnceLock::new() }; 3]);
        Ok(Self { policy, authorities, identity, built, upgrading })
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn get(&self, tls: bool, certificate: bool, upgrade: bool) -> Result<&reqwest::Client, TargetError> {
        let certificate = certificate && self.identity.is_some();
        let [plain, secure, certified] = if upgrade { &self.upgrading } else { &self.built };
        let slot = match (tls, certificate) {
            (false, _) => plain,
            (true, false) => secure,
            (true, true) => certified,
        };
        slot.get_or_init(|| self.build(tls, certificate, upgrade).map_err(|e| chain_text(&e)))
            .as_ref()
            .map_err(|why| TargetError::Client(why.clone()))
    }

    fn build(&self, tls: bool, certificate: bool, upgrade: bool) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(TCP_KEEPALIVE)
            .tcp_nodelay(true)
            .tls_info(true);
        if upgrade {
            builder = builder.http1_only();
        }
        if !tls {
            // Without this the certificates of the system would be read, and their absence would be an error.
            builder = builder.tls_certs_only([]);
        } else if !self.authorities.is_empty() {
            builder = builder.tls_certs_only(self.authorities.iter().cloned());
        }
        if tls && self.policy.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if certificate && let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder.build()
    }
}

/// rustls takes its cryptography from a process-wide provider, which must be chosen once.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the embedding program chose one already; that one is used then.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// An error with its causes in one line.
fn chain_text(error: &dyn std::error::Error) -> String {
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
