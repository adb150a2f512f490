//! The runner's time: the machine's, or one that moves only when told to.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// The time that schedules, waits, timeouts of messages and events go by. Clones share one time.
#[derive(Clone, Debug)]
pub struct Clock {
    manual: Option<Arc<watch::Sender<Timestamp>>>,
}

impl Clock {
    /// The machine's own time.
    #[must_use]
    pub fn system() -> Self {
        Self { manual: None }
    }

    /// A time that stands at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self {
            manual: Some(Arc::new(watch::Sender::new(start))),
        }
    }

    /// Whether time moves only by [`Clock::advance`].
    #[must_use]
    pub fn is_manual(&self) -> bool {
        self.manual.is_some()
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.manual
            .as_ref()
            .map_or_else(Timestamp::now, |now| *now.borrow())
    }

    /// Moves a manual clock forward and returns the new time; nothing else moves it. A system clock
    /// returns `None`.
    #[must_use]
    pub fn advance(&self, by: Duration) -> Option<Timestamp> {
        let now = self.manual.as_ref()?;
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        now.send_modify(|at| *at = at.saturating_add(by).unwrap_or(Timestamp::MAX));
        Some(*now.borrow())
    }

    /// Resolves once this clock has reached `at`; at once if it already has.
    pub async fn sleep_until(&self, at: Timestamp) {
        if let Some(now) = &self.manual {
            let mut changes = now.subscribe();
            // The sender lives as long as `self`, so waiting cannot end early.
            let _ = changes.wait_for(|now| *now >= at).await;
        } else if let Ok(left) = Duration::try_from(at.duration_since(Timestamp::now())) {
            tokio::time::sleep(left).await;
        }
    }

    /// Resolves once this clock has moved on by `duration`.
    pub async fn sleep(&self, duration: Duration) {
        let by = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.sleep_until(self.now().saturating_add(by).unwrap_or(Timestamp::MAX))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_every_sleeper_whose_time_has_come() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_mins(1)).await;
                clock.now()
            }
        });
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        while !sleeper.is_finished() {
            let _ = clock.advance(Duration::from_secs(30));
            tokio::task::yield_now().await;
        }
        assert!(sleeper.await.unwrap() >= Timestamp::from_second(60).unwrap());
    }
}
