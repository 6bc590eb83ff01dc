//! How much a target is asked to bear: requests a second, and when to stop asking a dead one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Spaces requests evenly. It follows tokio's clock, so tests need not sleep.
#[derive(Debug)]
pub(super) struct Limiter {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Limiter {
    /// `rate` requests a second; `None` when that is not a positive number.
    pub(super) fn new(rate: f64) -> Option<Self> {
        let interval = Duration::try_from_secs_f64(1.0 / rate).ok().filter(|interval| !interval.is_zero())?;
        Some(Self { interval, next: Mutex::new(None) })
    }

    /// Waits for the next free slot.
    pub(super) async fn ready(&self) {
        let slot = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let slot = next.map_or(now, |next| next.max(now));
            *next = Some(slot + self.interval);
            slot
        };
        tokio::time::sleep_until(slot).await;
    }
}

/// Gives a run up when several cases in a row find nobody at home. It counts cases, not requests: a case that waits
/// for a reboot meets many refused connections and is no reason to stop.
#[derive(Debug)]
pub(super) struct Breaker {
    limit: usize,
    failed: Mutex<BTreeSet<String>>,
    open: AtomicBool,
    answered: AtomicBool,
}

impl Breaker {
    /// Opens after `limit` different cases without an answer in between; 0 never opens.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, failed: Mutex::default(), open: AtomicBool::new(false), answered: AtomicBool::new(false) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether the target ever answered.
    pub(super) fn answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    pub(super) fn success(&self) {
        self.answered.store(true, Ordering::Relaxed);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed.is_empty() {
            failed.clear();
        }
    }

    pub(super) fn failure(&self, case: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed.contains(case) {
            failed.insert(case.to_owned());
        }
        if self.limit > 0 && failed.len() >= self.limit {
            self.open.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced() {
        let limiter = Limiter::new(4.0).unwrap();
        let start = Instant::now();
        for _ in 0..5 {
            limiter.ready().await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(10)).await;
        let idle = Instant::now();
        limiter.ready().await;
        assert!(idle.elapsed() < Duration::from_millis(2), "an idle limiter lets the next request pass at once");
    }

    #[test]
    fn nonsense_rates_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Limiter::new(rate).is_none(), "{rate}");
        }
    }

    #[test]
    fn the_breaker_counts_cases_and_forgives() {
        let breaker = Breaker::new(3);
        for _ in 0..10 {
            breaker.failure("reboot");
        }
        breaker.failure("b");
        assert!(!breaker.is_open());
        breaker.success();
        breaker.failure("c");
        breaker.failure("d");
        assert!(!breaker.is_open());
        breaker.failure("e");
        assert!(breaker.is_open() && breaker.answered());
    }
}
