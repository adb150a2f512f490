//! The workflow's steps, called one by one as the state machine calls them.

use serde_json::{Value, json};

use super::shop::Shop;

/// The steps that complete a pending order.
pub(crate) const STEPS: [&str; 6] = [
    "validate-order",
    "reserve-inventory",
    "process-payment",
    "confirm-order",
    "commit-inventory",
    "notify-order",
];

/// The steps that undo what a failed or cancelled order has.
pub(crate) const UNDOING: [&str; 3] = ["release-inventory", "void-payment", "close-order"];

/// The response of a step, or its error's name.
pub(crate) type StepResult = Result<Value, String>;

impl Shop {
    /// Runs one step for `order`; what ends in `Busy` is run again, as the state machine does.
    pub(crate) async fn step(&self, step: &str, order: &str) -> StepResult {
        self.step_with(step, order, json!({})).await
    }

    /// Runs one step for `order` with `more` in its input.
    pub(crate) async fn step_with(&self, step: &str, order: &str, more: Value) -> StepResult {
        let mut input = json!({"order_id": order, "now": self.now().await});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        for _ in 0..20 {
            let result = self.invoke(step, &input).await;
            if result != Err("Busy".to_owned()) {
                return result;
            }
        }
        panic!("{step} stays busy");
    }

    /// Runs one step for `order` once, whatever comes of it.
    pub(crate) async fn step_once(&self, step: &str, order: &str) -> StepResult {
        let input = json!({"order_id": order, "now": self.now().await});
        self.invoke(step, &input).await
    }

    /// Runs the steps that undo what a closed order has.
    pub(crate) async fn undo(&self, order: &str) {
        self.step("release-inventory", order).await.unwrap();
        let voided = self.step("void-payment", order).await.unwrap();
        let status = voided["payment_status"].clone();
        let more = json!({"payment_status": status});
        self.step_with("close-order", order, more).await.unwrap();
    }

    /// Fails the order as the workflow does after the error `error`.
    pub(crate) async fn fail(&self, order: &str, error: &str) -> StepResult {
        let cause = json!({"errorType": error, "errorMessage": "made by a test"}).to_string();
        let more = json!({"error": {"Error": error, "Cause": cause}});
        self.step_with("fail-order", order, more).await
    }
}
