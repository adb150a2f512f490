//! The time of the event that a function handles, for what stands in for other companies' systems: they have clocks of their
//! own, so no call passes the time to them.

use super::clock::Time;

tokio::task_local! {
    static NOW: Time;
}

/// Runs `work` at `now`.
pub async fn during<T>(now: Time, work: impl Future<Output = T>) -> T {
    NOW.scope(now, work).await
}

/// Returns the time at which this task's work runs, or `None` outside of [`during`].
#[must_use]
pub fn now() -> Option<Time> {
    NOW.try_with(|now| *now).ok()
}
