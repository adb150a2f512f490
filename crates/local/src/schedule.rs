//! Schedules: functions that are invoked at a rate.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::arn::Arns;
use crate::clock::Clock;
use crate::functions::Functions;
use crate::model::{ACCOUNT, Schedule, Stack};

/// When the clock jumps past more ticks than this, only the last of them happens.
const MAX_MISSED: i64 = 120;

/// Starts the schedules of `stack` for as long as the returned set lives. Each fires first after one
/// period, and then on the clock; when that jumps, every tick on the way happens in its turn, with
/// its own time. Needs a Tokio runtime to run in.
#[must_use]
pub fn start(stack: &Stack, clock: &Clock, functions: &Functions, arns: &Arns) -> JoinSet<()> {
    let mut running = JoinSet::new();
    let begun = clock.now();
    for (id, schedule) in stack
        .schedules
        .iter()
        .filter(|(_, schedule)| schedule.enabled)
    {
        let (schedule, clock) = (schedule.clone(), clock.clone());
        let (functions, rule) = (functions.clone(), arns.rule("default", id));
        let region = arns.region().to_owned();
        running.spawn(async move {
            let mut last = begun;
            loop {
                let Some(next) = after(last, schedule.every) else {
                    return;
                };
                clock.sleep_until(next).await;
                let due = ticks(last, clock.now(), schedule.every);
                for tick in &due {
                    let payload = payload(&schedule, *tick, &rule, &region);
                    functions.invoke_async(&schedule.function, payload.to_string().into());
                }
                last = due.last().copied().unwrap_or(next);
            }
        });
    }
    running
}

fn after(at: Timestamp, every: Duration) -> Option<Timestamp> {
    at.checked_add(SignedDuration::try_from(every).ok()?).ok()
}

/// The ticks after `last` up to `now`.
fn ticks(last: Timestamp, now: Timestamp, every: Duration) -> Vec<Timestamp> {
    let period_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let count = (now.as_millisecond() - last.as_millisecond()) / period_ms;
    let first = if count > MAX_MISSED { count } else { 1 };
    let tick = |n: i64| {
        last.checked_add(SignedDuration::from_millis(period_ms.saturating_mul(n)))
            .ok()
    };
    (first..=count).filter_map(tick).collect()
}

/// What the function is given: the constant input, with the scheduler's own attributes put in, or
/// the scheduled event.
fn payload(schedule: &Schedule, tick: Timestamp, rule: &str, region: &str) -> Value {
    let id = Uuid::new_v4().to_string();
    let time = Timestamp::from_second(tick.as_second())
        .unwrap_or(tick)
        .to_string();
    let Some(input) = &schedule.input else {
        return json!({
            "version": "0",
            "id": id,
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": time,
            "region": region,
            "resources": [rule],
            "detail": {},
        });
    };
    let text = input
        .to_string()
        .replace("<aws.scheduler.scheduled-time>", &time)
        .replace("<aws.scheduler.execution-id>", &id)
        .replace("<aws.scheduler.schedule-arn>", rule)
        .replace("<aws.scheduler.attempt-number>", "1");
    serde_json::from_str(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    use crate::functions::Handler;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Runs a schedule of one minute from the epoch on, and returns what it has invoked after each
    /// of the steps, which are in seconds.
    async fn run(input: Option<Value>, enabled: bool, steps: &[u64]) -> Vec<Vec<Value>> {
        let clock = Clock::manual(at(0));
        let mut stack = Stack::default();
        let schedule = Schedule {
            function: "F".to_owned(),
            every: MINUTE,
            input,
            enabled,
        };
        stack.schedules.insert("Sweep".to_owned(), schedule);
        let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
        let handler: Handler = Arc::new({
            let seen = Arc::clone(&seen);
            move |payload| {
                seen.lock()
                    .unwrap()
                    .push(serde_json::from_slice(&payload).unwrap());
                Ok("null".into())
            }
        });
        let functions = Functions::in_process([("F".to_owned(), handler)].into(), clock.clone());
        let _running = start(
            &stack,
            &clock,
            &functions,
            &Arns::for_stack("eu-central-1", &stack),
        );
        let mut found = Vec::new();
        for step in steps {
            tokio::task::yield_now().await;
            let _ = clock.advance(Duration::from_secs(*step));
            for _ in 0..500 {
                tokio::task::yield_now().await;
            }
            found.push(std::mem::take(&mut *seen.lock().unwrap()));
        }
        found
    }

    fn times(events: &[Value]) -> Vec<&str> {
        events
            .iter()
            .map(|event| event["time"].as_str().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_schedule_fires_after_each_period() {
        let found = run(None, true, &[59, 1, 60]).await;
        assert!(found[0].is_empty());
        assert_eq!(times(&found[1]), ["1970-01-01T00:01:00Z"]);
        assert_eq!(times(&found[2]), ["1970-01-01T00:02:00Z"]);
        let event = &found[1][0];
        assert_eq!(
            (&event["detail-type"], &event["source"]),
            (&json!("Scheduled Event"), &json!("aws.events"))
        );
        assert_eq!(
            event["resources"],
            json!(["arn:aws:events:eu-central-1:000000000000:rule/Sweep"])
        );
    }

    #[tokio::test]
    async fn a_jump_of_the_clock_fires_every_tick_on_its_way() {
        let found = run(None, true, &[190, 50]).await;
        let mut missed = times(&found[0]);
        missed.sort_unstable();
        assert_eq!(
            missed,
            [
                "1970-01-01T00:01:00Z",
                "1970-01-01T00:02:00Z",
                "1970-01-01T00:03:00Z"
            ]
        );
        assert_eq!(times(&found[1]), ["1970-01-01T00:04:00Z"]);
    }

    #[test]
    fn a_very_long_jump_fires_the_last_tick_alone() {
        assert_eq!(ticks(at(0), at(120 * 60), MINUTE).len(), 120);
        assert_eq!(ticks(at(0), at(121 * 60 + 5), MINUTE), [at(121 * 60)]);
    }

    #[tokio::test]
    async fn a_constant_input_takes_the_schedulers_attributes() {
        let input = json!({"now": "<aws.scheduler.scheduled-time>", "n": 1});
        let found = run(Some(input), true, &[60]).await;
        assert_eq!(found[0], [json!({"now": "1970-01-01T00:01:00Z", "n": 1})]);
    }

    #[tokio::test]
    async fn a_disabled_schedule_does_nothing() {
        assert!(run(None, false, &[600]).await[0].is_empty());
    }
}
