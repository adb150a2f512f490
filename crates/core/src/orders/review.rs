//! `POST /orders/{order_id}/review`: an admin approves or rejects an order that a rule holds.

use std::time::Duration;

use super::api;
use super::change::{self, Change};
use super::executions::OrderWorkflow;
use super::rules::review::{self, Decision, NotAwaitingReview};
use super::store::OrderStore;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::http::body::{Body, Json};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::id::OrderId;

/// What reviewing an order needs.
#[derive(Clone, Debug)]
pub struct Reviews {
    orders: OrderStore,
    workflow: OrderWorkflow,
    deadline: Duration,
}

impl Reviews {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let deadline_seconds = aws.settings().read(Setting::OrderDeadlineSeconds)?;
        Ok(Self {
            orders: OrderStore::new(aws)?,
            workflow: OrderWorkflow::new(aws)?,
            deadline: Duration::from_secs(deadline_seconds),
        })
    }
}

impl From<NotAwaitingReview> for Problem {
    fn from(error: NotAwaitingReview) -> Self {
        Self::Conflict(error.to_string())
    }
}

/// `POST /orders/{order_id}/review` `{decision, reason}`: `approve` lets the order go on to its payment, `reject` fails
/// it for the given reason. The same decision again returns the order unchanged.
///
/// # Errors
/// Returns a problem for a caller who is not an admin, [`Problem::NotFound`] if there is no such order, and
/// [`Problem::Conflict`] if the order does not await a review or the opposite was decided.
pub async fn review_order(reviews: &Reviews, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let id: OrderId = request.id("order_id", "order")?;
    let decision = request.json(decision)?;
    let decide = |order| {
        let decided = review::decide(order, &decision, reviews.deadline, request.now)?;
        Ok::<_, Problem>(decided)
    };
    let changed = change::apply(&reviews.orders, id, decide).await?;
    let order = changed.ok_or(Problem::NotFound("order"))?;
    // An earlier request may have decided it and died before it could start the run.
    let to_be_run = match &order {
        Change::Made(_) => true,
        Change::Unneeded(order) => order.due_at.is_some(),
    };
    let order = order.into_order();
    if to_be_run {
        api::start(&reviews.workflow, &order).await;
    }
    api::respond(order)
}

fn decision(body: &mut Body<'_>) -> Option<Decision> {
    let approve = body.required("decision", |json| {
        json.parsed("this must be approve or reject", |text| match text {
            "approve" => Ok(true),
            "reject" => Ok(false),
            _ => Err(()),
        })
    });
    let reason = body.optional("reason", |json: Json<'_>| json.line(1..=150));
    Some(if approve? {
        Decision::Approve
    } else {
        let reason = reason?.unwrap_or_else(|| "no reason was given".to_owned());
        Decision::Reject(format!("refused in a review: {reason}"))
    })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::{Value, json};

    use super::*;
    use crate::orders::fixtures::{Shop, after, json_of, order, request_about};
    use crate::orders::model::{Order, ReviewState};

    /// A shop whose order waits for a review.
    async fn shop() -> Shop {
        let patience = Duration::from_hours(72);
        let held = review::require(order(), "looks odd", patience, after(1));
        Shop::with(&held.unwrap().unwrap()).await
    }

    async fn decide(shop: &Shop, who: &str, body: Value) -> Result<Response, Problem> {
        let mut request = request_about(&order(), who, after(60));
        request.body = body.to_string().into_bytes();
        let json = "application/json".parse().unwrap();
        request.headers.insert(http::header::CONTENT_TYPE, json);
        review_order(&Reviews::new(&shop.aws).unwrap(), request).await
    }

    fn failure(order: &Order) -> &str {
        order
            .failure
            .as_ref()
            .map_or("", |failure| failure.detail.as_str())
    }

    #[tokio::test]
    async fn an_admin_approves_an_order_and_each_request_starts_its_run() {
        let shop = shop().await;
        for _ in 0..2 {
            let answer = decide(&shop, "admin", json!({"decision": "approve"}))
                .await
                .unwrap();
            assert_eq!(answer.status, StatusCode::OK);
            let review = json!({"state": "approved", "reasons": ""});
            assert_eq!(json_of(&answer)["review"], review);
            assert_eq!(shop.started(&order()), ["1"]);
        }
        assert_eq!(shop.stored(&order()).await.version, 3);
        let other = decide(&shop, "admin", json!({"decision": "reject"})).await;
        assert!(matches!(other, Err(Problem::Conflict(_))), "{other:?}");
    }

    #[tokio::test]
    async fn an_admin_rejects_an_order_with_a_reason() {
        for (body, detail) in [
            (
                json!({"decision": "reject"}),
                "refused in a review: no reason was given",
            ),
            (
                json!({"decision": "reject", "reason": "no such street"}),
                "refused in a review: no such street",
            ),
        ] {
            let shop = shop().await;
            let answer = decide(&shop, "admin", body).await.unwrap();
            assert_eq!(json_of(&answer)["status"], "failed");
            assert_eq!(failure(&shop.stored(&order()).await), detail);
            assert_eq!(shop.started(&order()), ["1"]);
        }
    }

    #[tokio::test]
    async fn of_two_decisions_at_once_the_first_counts() {
        for (quicker, late, state) in [
            ("approve", "reject", ReviewState::Approved),
            ("reject", "approve", ReviewState::Rejected),
        ] {
            let shop = shop().await;
            shop.meanwhile(async move |other: Shop| {
                let made = decide(&other, "admin", json!({"decision": quicker})).await;
                made.unwrap();
            });
            let refused = decide(&shop, "admin", json!({"decision": late})).await;
            assert!(matches!(refused, Err(Problem::Conflict(_))), "{refused:?}");
            let review = shop.stored(&order()).await.review.unwrap();
            assert_eq!(review.state, state);
            assert_eq!(shop.started(&order()), ["1"]);
        }
    }

    #[tokio::test]
    async fn only_admins_review_and_only_valid_decisions_count() {
        let shop = shop().await;
        let own = decide(&shop, "ana", json!({"decision": "approve"})).await;
        assert!(matches!(own, Err(Problem::Forbidden)), "{own:?}");
        for body in [
            json!({}),
            json!({"decision": "maybe"}),
            json!({"decision": "approve", "status": "confirmed"}),
            json!({"decision": "reject", "reason": "x".repeat(151)}),
        ] {
            let refused = decide(&shop, "admin", body).await;
            assert!(
                matches!(refused, Err(Problem::InvalidBody(_))),
                "{refused:?}"
            );
        }
        assert!(shop.stored(&order()).await.awaits_review());
        let unheld = Shop::with(&order()).await;
        let refused = decide(&unheld, "admin", json!({"decision": "approve"})).await;
        assert!(matches!(refused, Err(Problem::Conflict(_))), "{refused:?}");
    }
}
