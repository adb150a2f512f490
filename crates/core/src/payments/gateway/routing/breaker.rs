//! The circuit breaker of a gateway: a pure state machine. Its time is that of the workflow's steps.
//!
//! | state | a call got an answer | a call failed | its pause is over |
//! |---|---|---|---|
//! | closed | no failures are counted any more | counted; the fifth within a minute opens it | |
//! | open | nothing | nothing | one payment may try: half-open |
//! | half-open | closed | open, for twice as long | another payment may try |
//!
//! A decline is an answer. In half-open, only what steps found that began with the try or later counts.

use std::time::Duration;

use crate::values::clock::Time;

/// How many failures, without an answer between them, open a breaker.
pub const MOST_FAILURES: u32 = 5;

/// How long after the first of them failures are counted together.
const WINDOW: Duration = Duration::from_mins(1);

/// How long a gateway is left out the first time.
pub const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// How often the pause doubles: at most to 16 minutes.
const MOST_DOUBLINGS: u32 = 5;

/// How long one payment has to try a gateway before another one may. A step takes 15 seconds, and is repeated three times.
const TRY: Duration = Duration::from_mins(2);

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The gateway is used.
    Closed {
        /// How many failures there were since the last answer.
        failures: u32,
        /// When the first of them was.
        since: Time,
    },
    /// The gateway is left out.
    Open {
        /// Until then.
        until: Time,
    },
    /// The gateway is left out, except for one payment that tries it.
    HalfOpen {
        /// Since then.
        since: Time,
    },
}

/// The breaker of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Its state.
    pub state: State,
    /// How often it has opened since it was closed the last time.
    pub openings: u32,
}

/// What a breaker says of its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Use it.
    Use,
    /// A payment may try it, once this is stored.
    Try(Breaker),
    /// It is left out.
    LeaveOut,
}

impl Breaker {
    /// Returns the breaker of a gateway of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::closed(0, Time::from_millis(0))
    }

    fn closed(failures: u32, since: Time) -> Self {
        Self {
            state: State::Closed { failures, since },
            openings: 0,
        }
    }

    /// Returns what is to be done with the gateway at `now`.
    #[must_use]
    pub fn verdict(&self, now: Time) -> Verdict {
        let over = match self.state {
            State::Closed { .. } => return Verdict::Use,
            State::Open { until } => until,
            State::HalfOpen { since } => since.plus(TRY),
        };
        if now < over {
            return Verdict::LeaveOut;
        }
        Verdict::Try(Self {
            state: State::HalfOpen { since: now },
            ..*self
        })
    }

    /// Returns the breaker after a call of a step of `now` got an answer, or `None` if that changes nothing.
    #[must_use]
    pub fn answered(&self, now: Time) -> Option<Self> {
        match self.state {
            State::Closed { failures: 0, .. } | State::Open { .. } => None,
            State::HalfOpen { since } if now < since => None,
            State::Closed { .. } | State::HalfOpen { .. } => Some(Self::new()),
        }
    }

    /// Returns the breaker after a call of a step of `now` failed, or `None` if that changes nothing.
    #[must_use]
    pub fn failed(&self, now: Time) -> Option<Self> {
        match self.state {
            State::Closed { failures, since } => {
                // Steps that are repeated have old times.
                let (failures, since) = if failures == 0 || since.plus(WINDOW) <= now {
                    (1, now)
                } else {
                    (failures + 1, since)
                };
                Some(if failures < MOST_FAILURES {
                    Self::closed(failures, since)
                } else {
                    self.open(now.no_earlier_than(since))
                })
            }
            State::Open { .. } => None,
            State::HalfOpen { since } if now < since => None,
            State::HalfOpen { .. } => Some(self.open(now)),
        }
    }

    fn open(&self, now: Time) -> Self {
        let pause = FIRST_PAUSE * 2_u32.pow(self.openings.min(MOST_DOUBLINGS));
        Self {
            state: State::Open {
                until: now.plus(pause),
            },
            openings: self.openings.saturating_add(1),
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
