//! Waiting for what a shop does in the background.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::people::Person;
use super::shop::{Shop, physical};
use super::{PATIENCE, until};

impl Shop {
    /// Waits until all that the order's status demands is done.
    pub(crate) async fn until_settled(&self, order: &str) {
        until("the order is settled", async || self.settled(order).await).await;
    }

    async fn settled(&self, order: &str) -> Result<(), String> {
        let key = json!({"order_id": {"S": order}, "part": {"S": "header"}});
        let request =
            json!({"TableName": physical("OrdersTable"), "Key": key, "ConsistentRead": true});
        let item = self.dynamodb("GetItem", &request).await["Item"].clone();
        let done = !item.is_null() && item["status"]["S"] != "pending" && item["due_at"].is_null();
        if done { Ok(()) } else { Err(item.to_string()) }
    }

    /// Waits until the order's first run has succeeded: until then the run writes the order.
    pub(crate) async fn until_run_ended(&self, order: &str) {
        until("the run has ended", async || {
            let execution = self.execution(&format!("{order}-0")).await;
            let ended = execution["status"] == "SUCCEEDED";
            ended.then_some(()).ok_or(execution.to_string())
        })
        .await;
    }

    /// Moves a manual clock on, step by step and each time that nothing moves without it, until `ask`
    /// returns a result.
    pub(crate) async fn run_until<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<T, String>,
    ) -> T {
        let begun = Instant::now();
        loop {
            self.still().await;
            match ask().await {
                Ok(answer) => return answer,
                Err(refusal) => {
                    let overdue = begun.elapsed() > 2 * PATIENCE;
                    assert!(!overdue, "{what}: {refusal}, log in {}", self.log.display());
                }
            }
            self.advance(10).await;
        }
    }

    /// Moves a manual clock two hours on, two minutes at a time: as often as Lambda and queues try again, at least. The
    /// fault in force is hit again and again.
    pub(crate) async fn bear_faults_for_two_hours(&self) {
        for _ in 0..60 {
            self.still().await;
            self.advance(120).await;
        }
        assert!(self.fault_hits().await > 50);
    }

    /// Waits until no function is at work: until then the clock would run away from it.
    pub(crate) async fn still(&self) {
        let begun = Instant::now();
        let mut seen = 0;
        // What follows from what, as one step from another, takes a moment without a function.
        while seen < 3 {
            let working = self.runner().functions().under_way() > 0;
            seen = if working { 0 } else { seen + 1 };
            assert!(
                begun.elapsed() < PATIENCE,
                "some function is always at work"
            );
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    }

    /// Moves a manual clock on until all that the order's status demands is done.
    pub(crate) async fn run_until_settled(&self, order: &str) {
        self.run_until("the order is settled", async || self.settled(order).await)
            .await;
    }

    /// Moves a manual clock on by `seconds`, with time for what is under way to go on.
    pub(crate) async fn advance_in_steps(&self, seconds: u64) {
        for _ in 0..seconds.div_ceil(20) {
            self.still().await;
            self.advance(20).await;
        }
        self.still().await;
    }

    /// Moves a manual clock on until the order's history is `events`, and returns it.
    pub(crate) async fn run_until_history(
        &self,
        person: &Person,
        order: &str,
        events: &[&str],
    ) -> Value {
        self.run_until("history", async || {
            self.history_is(person, order, events).await
        })
        .await
    }

    /// Moves a manual clock on until as many messages about orders were sent to `email`, and nothing more is on
    /// its way; returns them.
    pub(crate) async fn run_until_mail(&self, email: &str, count: usize) -> Vec<Value> {
        let sent = async || -> Vec<Value> {
            let mail = self.order_mail().await.into_iter();
            mail.filter(|message| message["to"] == email).collect()
        };
        self.run_until("mail", async || match sent().await {
            messages if messages.len() >= count => Ok(()),
            messages => Err(format!("{messages:?}")),
        })
        .await;
        self.run_until_quiet().await;
        sent().await
    }

    /// Moves a manual clock on until nothing is on its way through streams and queues: what failed to be delivered comes
    /// again only as time passes.
    pub(crate) async fn run_until_quiet(&self) {
        self.run_until("quiet", async || self.is_quiet().await)
            .await;
    }

    /// Waits until nothing is on its way through streams and queues, apart from the search index: what follows in batches of
    /// two seconds by the runner's clock would wait for a clock that nobody moves.
    pub(crate) async fn quiet(&self) {
        until("quiet", async || self.is_quiet().await).await;
    }

    /// Waits until each stream is read to its end.
    pub(crate) async fn until_streams_idle(&self) {
        until("idle streams", async || self.streams_idle().await).await;
    }

    async fn is_quiet(&self) -> Result<(), String> {
        self.streams_idle().await?;
        let queues = self.control("queues").await;
        let queues = queues["queues"].as_object().unwrap();
        for (name, queue) in queues {
            let count = |what: &str| queue[what].as_u64().unwrap();
            let waiting = count("visible") + count("in_flight") + count("delayed");
            let is_late = name == "ProductChangedQueue" || name.ends_with("DeadLetters");
            if waiting > 0 && !is_late {
                return Err(format!("{name}: {queue}"));
            }
        }
        // What a queue's consumer has written may be on a stream by now.
        self.streams_idle().await
    }

    async fn streams_idle(&self) -> Result<(), String> {
        let idle = self.runner().tables().streams_idle();
        let waited = tokio::time::timeout(Duration::from_millis(100), idle).await;
        waited.map_err(|_| "a stream is not read to its end".to_owned())
    }
}
