//! How long and with which pauses a call that collided with others is retried.

use std::time::{Duration, Instant};

/// How long a transaction that conflicts with others is retried before it is given up.
pub(super) const CONFLICT_PATIENCE: Duration = Duration::from_millis(2_500);

/// Waits for a random part of a span that grows with the time already spent, so that callers that
/// collided once do not collide again.
pub(super) async fn pause(started: Instant) {
    let span = started.elapsed().as_millis().clamp(10, 400);
    let random = uuid::Uuid::now_v7().as_u128() % (span + 1);
    tokio::time::sleep(Duration::from_millis(u64::try_from(random).unwrap_or(10))).await;
}
