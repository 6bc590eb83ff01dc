//! Time as cases see it: the system's, or a virtual one in which pauses take no time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Which time a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The system's time; pauses sleep.
    #[default]
    System,
    /// Time begins at `start_ms` (milliseconds since 1970); pauses only advance it. For replayed targets.
    Virtual {
        /// Wall clock at the start of the run.
        start_ms: i64,
    },
}

/// The clock of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunClock {
    is_virtual: bool,
    origin: Instant,
    origin_ms: i64,
}

impl RunClock {
    pub(super) fn start(clock: Clock) -> Self {
        let (is_virtual, origin_ms) = match clock {
            Clock::Virtual { start_ms } => (true, start_ms),
            Clock::System => {
                (false, SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| millis(since) as i64))
            }
        };
        Self { is_virtual, origin: Instant::now(), origin_ms }
    }

    pub(super) fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.origin_ms.saturating_add_unsigned(millis(self.origin.elapsed()))
    }

    pub(super) fn case(&self) -> CaseClock {
        CaseClock {
            start: Instant::now(),
            start_ms: self.now_ms(),
            is_virtual: self.is_virtual,
            skipped: Duration::ZERO,
        }
    }
}

/// The clock of one attempt of one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct CaseClock {
    start: Instant,
    start_ms: i64,
    is_virtual: bool,
    skipped: Duration,
}

impl CaseClock {
    pub(super) fn start_ms(&self) -> i64 {
        self.start_ms
    }

    /// Time since the case began, skipped pauses included.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed() + self.skipped
    }

    pub(super) fn elapsed_ms(&self) -> u64 {
        millis(self.elapsed())
    }

    pub(super) fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// Time since the case began at that instant, skipped pauses included.
    pub(super) fn elapsed_ms_at(&self, instant: Instant) -> u64 {
        millis(instant.saturating_duration_since(self.start) + self.skipped)
    }

    /// Wall clock.
    pub(super) fn at_ms(&self) -> i64 {
        self.start_ms.saturating_add_unsigned(self.elapsed_ms())
    }

    /// Pretends that this time passed; does nothing where time is real.
    pub(super) fn skip(&mut self, time: Duration) {
        if self.is_virtual {
            self.skipped += time;
        }
    }

    /// Waits, or pretends to.
    pub(super) async fn pause(&mut self, pause: Duration) {
        if self.is_virtual {
            self.skipped += pause;
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(pause).await;
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
