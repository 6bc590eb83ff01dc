//! Log-ins that run out. A session is a fixture; when its `expires_at_ms` is near, the next request that needs it logs in
//! again, and the transcript says which log-in a case relies on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::shared::Shared;
use crate::expr::Json;
use crate::judge::FixtureState;

/// A session is renewed when it has less than this left: long enough for the longest single wait of a case.
const MARGIN_MS: i64 = 300_000;

/// The log-ins in use.
#[derive(Default)]
pub(super) struct Logins(Mutex<HashMap<String, Login>>);

#[derive(Clone, Copy)]
struct Login {
    number: u32,
    /// Wall clock from which on it is not used any more, milliseconds since 1970.
    until_ms: i64,
}

impl Shared {
    /// The state of a fixture and, for a session, which log-in it is; a session that is about to end is opened again.
    pub(super) async fn current(self: &Arc<Self>, id: &str, chain: &[String]) -> (Arc<FixtureState>, u32) {
        if !self.env.sessions.values().any(|session| session == id) {
            return (self.fixture(id, 1, chain).await, 1);
        }
        let number = self.logins.number(id, self.clock.now_ms());
        let began_ms = self.clock.now_ms();
        let state = self.fixture(id, number, chain).await;
        // Replayed targets do not age.
        if !self.clock.is_virtual()
            && let Some(expires_ms) = state.outputs.get("expires_at_ms").and_then(Json::as_i64)
        {
            self.logins.note(id, number, began_ms, expires_ms);
        }
        (state, number)
    }
}

impl Logins {
    /// Which log-in to use now.
    fn number(&self, id: &str, now_ms: i64) -> u32 {
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match logins.get_mut(id) {
            None => 1,
            Some(login) => {
                if now_ms >= login.until_ms {
                    // Others that ask meanwhile wait for the same new log-in.
                    *login = Login { number: login.number.saturating_add(1), until_ms: i64::MAX };
                }
                login.number
            }
        }
    }

    /// Remembers how long a new log-in can be used. A short one is used for half its time at least, or the harness would
    /// do nothing but log in.
    fn note(&self, id: &str, number: u32, began_ms: i64, expires_ms: i64) {
        let half = expires_ms.saturating_sub(began_ms) / 2;
        let until_ms = expires_ms.saturating_sub(MARGIN_MS.min(half.max(0)));
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let login = logins.entry(id.to_owned()).or_insert(Login { number, until_ms: i64::MAX });
        if login.number == number && login.until_ms == i64::MAX {
            login.until_ms = until_ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Logins;

    #[test]
    fn a_session_is_renewed_once_before_it_ends() {
        let logins = Logins::default();
        assert_eq!(logins.number("s", 0), 1);
        logins.note("s", 1, 0, 3_600_000);
        assert_eq!(logins.number("s", 3_299_999), 1);
        assert_eq!(logins.number("s", 3_300_000), 2);
        assert_eq!(logins.number("s", 9_999_999), 2, "the second log-in is under way");
        // What comes late about the first one does not shorten the second.
        logins.note("s", 1, 0, 3_600_000);
        logins.note("s", 2, 3_300_000, 3_300_100);
        assert_eq!(logins.number("s", 3_300_049), 2);
        assert_eq!(logins.number("s", 3_300_050), 3);
    }
}
