//! Who sends a request: the header fields and the client certificate of an identity, and how they are had again before
//! they end. Where fresh credentials come from (a file, a program) is the caller's business: a closure.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::{Auth, Login, TargetError, basic_value, clients, learn_header};
use crate::canon::digest_bytes;
use crate::secret::{Secret, Vault};

/// Credentials are renewed when they have less than this left, or less than half their life.
const MARGIN_MS: i64 = 60_000;
/// Nothing is fetched more often.
const LEAST_MS: i64 = 5_000;
/// After a refusal, credentials that name no end are fetched again, but not more often than this.
const AFTER_REFUSAL_MS: i64 = 60_000;
const NEVER: i64 = i64::MAX;

/// One header field that carries credentials.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Field name, lower-case.
    pub name: String,
    /// Complete value, for instance `Basic ...`.
    pub value: Secret,
}

/// A client certificate with its key.
#[derive(Clone)]
pub struct Certificate {
    digest: String,
    identity: reqwest::Identity,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[client certificate]")
    }
}

impl Certificate {
    pub(super) fn from_pem(pem: &Secret) -> Result<Self, TargetError> {
        let identity = reqwest::Identity::from_pem(pem.expose().as_bytes())
            .map_err(|error| TargetError::Pem { what: "the client certificate", why: clients::chain_text(&error) })?;
        Ok(Self { digest: digest_bytes(pem.expose().as_bytes()).to_string(), identity })
    }

    /// Tells certificates with their keys apart.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn identity(&self) -> &reqwest::Identity {
        &self.identity
    }
}

/// What an identity proves itself with.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// Header field with the credential.
    pub credential: Option<Credential>,
    /// Further header fields, which hold no secret: whom the server shall take the sender for.
    pub headers: Vec<(String, String)>,
    /// Client certificate of this identity alone.
    pub certificate: Option<Certificate>,
}

/// What an identity amounts to.
#[derive(Debug, Clone)]
pub enum IdentityUse {
    /// Sends no credentials.
    Anonymous,
    /// Sends what it has.
    Known(Proof),
    /// Not defined.
    Unknown,
}

/// Credentials that were fetched.
#[derive(Debug, Clone, Default)]
pub struct Fresh {
    /// Bearer token.
    pub token: Option<Secret>,
    /// Client certificate and key, PEM.
    pub client_identity: Option<Secret>,
    /// When they end, in milliseconds since 1970, if they say so.
    pub expires_at_ms: Option<i64>,
}

/// Fetches credentials; an error is a reason in words, without secrets.
pub type Fetch = Arc<dyn Fn() -> Result<Fresh, String> + Send + Sync>;

/// Where the credentials of a login come from when they have to be had again.
#[derive(Clone)]
pub struct Renewal {
    /// Fetches them. May take as long as a person needs to log in.
    pub fetch: Fetch,
    /// How often they are looked at, even when they name no end.
    pub period: Option<Duration>,
    /// When those in the login end.
    pub expires_at_ms: Option<i64>,
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("period", &self.period).field("expires_at_ms", &self.expires_at_ms).finish()
    }
}

/// One identity of a target.
#[derive(Debug)]
pub(super) struct Identity {
    proof: RwLock<Proof>,
    renewing: Option<Renewing>,
}

#[derive(Debug)]
struct Renewing {
    renewal: Renewal,
    /// Wall clock from which on the credentials are fetched again.
    due_ms: AtomicI64,
    expires_ms: AtomicI64,
    fetched_ms: AtomicI64,
    /// Held while they are fetched, so that it happens once.
    busy: Mutex<()>,
}

impl Identity {
    pub(super) fn new(name: &str, login: &Login, chosen: Option<Auth>, default: Auth) -> Result<Self, TargetError> {
        let proof = Proof {
            credential: credential(name, login, chosen, default)?,
            headers: login.headers.clone(),
            certificate: login.client_identity.as_ref().map(Certificate::from_pem).transpose()?,
        };
        let renewing = login.renewal.clone().map(|renewal| {
            let now = now_ms();
            let due = due_ms(now, renewal.period, renewal.expires_at_ms);
            Renewing {
                expires_ms: AtomicI64::new(renewal.expires_at_ms.unwrap_or(NEVER)),
                renewal,
                due_ms: AtomicI64::new(due),
                fetched_ms: AtomicI64::new(now),
                busy: Mutex::default(),
            }
        });
        Ok(Self { proof: RwLock::new(proof), renewing })
    }

    pub(super) fn proof(&self) -> Proof {
        self.proof.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_due(&self) -> bool {
        self.renewing.as_ref().is_some_and(|renewing| now_ms() >= renewing.due_ms.load(Ordering::Acquire))
    }

    /// The server did not accept the credentials: what names no end may have ended.
    pub(super) fn refused(&self) {
        let Some(renewing) = &self.renewing else { return };
        let now = now_ms();
        if now - renewing.fetched_ms.load(Ordering::Acquire) >= AFTER_REFUSAL_MS {
            renewing.due_ms.fetch_min(now, Ordering::AcqRel);
        }
    }

    /// Fetches the credentials if they are due. New ones are known to the vault before they are used.
    pub(super) fn renew(&self, name: &str, vault: &Vault) -> Result<(), String> {
        let Some(renewing) = &self.renewing else { return Ok(()) };
        let _busy = renewing.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_due() {
            return Ok(());
        }
        let taken = (renewing.renewal.fetch)().and_then(|fresh| self.take(name, fresh, vault));
        let now = now_ms();
        match taken {
            Ok(expires) => {
                renewing.fetched_ms.store(now, Ordering::Release);
                renewing.expires_ms.store(expires.unwrap_or(NEVER), Ordering::Release);
                renewing.due_ms.store(due_ms(now, renewing.renewal.period, expires), Ordering::Release);
                Ok(())
            }
            // What has not ended may still be good: a file is about to be written, an issuer is away for a moment.
            Err(_) if renewing.expires_ms.load(Ordering::Acquire) > now => {
                renewing.due_ms.store(now + LEAST_MS, Ordering::Release);
                Ok(())
            }
            Err(why) => Err(format!("the credentials of `{name}` have ended and cannot be renewed: {why}")),
        }
    }

    fn take(&self, name: &str, fresh: Fresh, vault: &Vault) -> Result<Option<i64>, String> {
        let certificate = match &fresh.client_identity {
            None => None,
            Some(pem) => Some(Certificate::from_pem(pem).map_err(|error| error.to_string())?),
        };
        let credential = fresh.token.as_ref().map(bearer);
        if let (Some(token), Some(credential)) = (&fresh.token, &credential) {
            vault.learn(&format!("{name}-token"), token);
            learn_header(&format!("{name}-login"), credential.value.expose(), vault);
        }
        let mut proof = self.proof.write().unwrap_or_else(PoisonError::into_inner);
        proof.credential = credential.or_else(|| proof.credential.take());
        proof.certificate = certificate.or_else(|| proof.certificate.take());
        Ok(fresh.expires_at_ms)
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// When credentials that were fetched now are fetched again.
fn due_ms(now: i64, period: Option<Duration>, expires: Option<i64>) -> i64 {
    let by_period = period.map_or(NEVER, |period| now + i64::try_from(period.as_millis()).unwrap_or(NEVER - now));
    let by_end = expires.map_or(NEVER, |end| {
        let left = end.saturating_sub(now).max(0);
        // What comes without any life left is not asked for again at every request.
        end.saturating_sub(MARGIN_MS.min(left / 2)).max(now + LEAST_MS)
    });
    by_period.min(by_end)
}

fn bearer(token: &Secret) -> Credential {
    let value = format!("Bearer {}", token.expose());
    Credential { name: "authorization".to_owned(), value: Secret::new(value) }
}

fn credential(
    name: &str,
    login: &Login,
    chosen: Option<Auth>,
    default: Auth,
) -> Result<Option<Credential>, TargetError> {
    let wrong = |why| TargetError::Login { identity: name.to_owned(), why };
    if login.has_no_secret() {
        return Ok(None);
    }
    let auth = chosen.or(login.auth).unwrap_or(if login.token.is_some() { Auth::Bearer } else { default });
    match auth {
        Auth::None => Ok(None),
        Auth::Bearer => {
            let token = login.token.as_ref().ok_or_else(|| wrong("bearer authentication needs a token"))?;
            Ok(Some(bearer(token)))
        }
        Auth::Basic => {
            let user = login.username.as_deref().ok_or_else(|| wrong("a password needs a user name"))?;
            let password = login.password.as_ref().ok_or_else(|| wrong("a user name needs a password"))?;
            if user.contains(':') {
                return Err(wrong("a user name with a colon cannot be sent by HTTP Basic"));
            }
            let value = basic_value(user, password.expose());
            Ok(Some(Credential { name: "authorization".to_owned(), value: Secret::new(value) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_fetched_before_they_end_but_not_all_the_time() {
        let minute = Duration::from_secs(60);
        assert_eq!(due_ms(1000, None, None), NEVER);
        assert_eq!(due_ms(1000, Some(minute), None), 61_000);
        assert_eq!(due_ms(0, None, Some(3_600_000)), 3_540_000);
        assert_eq!(due_ms(0, None, Some(60_000)), 30_000, "half of a short life");
        assert_eq!(due_ms(100_000, None, Some(50_000)), 100_000 + LEAST_MS, "it came too late");
        assert_eq!(due_ms(0, Some(minute), Some(3_600_000)), 60_000);
    }

    fn identity(expires_at_ms: Option<i64>, fetch: Fetch) -> Identity {
        let renewal = Renewal { fetch, period: None, expires_at_ms };
        let login = Login { token: Some("first-token".into()), renewal: Some(renewal), ..Login::default() };
        let identity = Identity::new("main", &login, None, Auth::Bearer).unwrap();
        identity.renewing.as_ref().unwrap().due_ms.store(0, Ordering::Release);
        identity
    }

    fn sent(identity: &Identity) -> String {
        identity.proof().credential.unwrap().value.expose().to_owned()
    }

    #[test]
    fn what_is_due_is_fetched_once_and_known_to_the_vault() {
        let fetched = Arc::new(AtomicI64::new(0));
        let count = Arc::clone(&fetched);
        let identity = identity(
            Some(0),
            Arc::new(move || {
                count.fetch_add(1, Ordering::AcqRel);
                Ok(Fresh { token: Some("second-token".into()), ..Fresh::default() })
            }),
        );
        let vault = Vault::with_key([1; 32]);
        assert!(identity.is_due());
        identity.renew("main", &vault).unwrap();
        assert!(!identity.is_due());
        identity.renew("main", &vault).unwrap();
        assert_eq!(fetched.load(Ordering::Acquire), 1);
        assert_eq!(sent(&identity), "Bearer second-token");
        assert!(!vault.redact("x second-token y").contains("second-token"));
    }

    #[test]
    fn what_cannot_be_renewed_is_used_until_it_ends() {
        let fail: Fetch = Arc::new(|| Err("the issuer is away".to_owned()));
        let vault = Vault::with_key([1; 32]);
        let good = identity(Some(NEVER), Arc::clone(&fail));
        good.renew("main", &vault).unwrap();
        assert_eq!(sent(&good), "Bearer first-token");
        let ended = identity(Some(1), fail);
        let why = ended.renew("main", &vault).unwrap_err();
        assert!(why.contains("`main`") && why.contains("the issuer is away"), "{why}");
        assert!(ended.is_due(), "the next request tries again");
    }

    #[test]
    fn a_refusal_makes_what_names_no_end_due() {
        let identity = identity(None, Arc::new(|| Ok(Fresh::default())));
        let renewing = identity.renewing.as_ref().unwrap();
        renewing.due_ms.store(NEVER, Ordering::Release);
        identity.refused();
        assert!(!identity.is_due(), "it was fetched a moment ago");
        renewing.fetched_ms.store(0, Ordering::Release);
        identity.refused();
        assert!(identity.is_due());
    }
}
