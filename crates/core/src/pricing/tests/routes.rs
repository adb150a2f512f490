//! `If-Match` of discounts and of tax rates, also while another admin writes at the same time.

use serde_json::{Value, json};

use super::{json_of, noon, store};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::pricing::api::{self, collections};
use crate::pricing::store::PricingStore;
use crate::testing::{self, Engine};
use crate::values::clock::Time;

/// Admins of a shop.
#[derive(Clone)]
struct Admins {
    pricing: PricingStore,
    engine: Engine,
}

type Outcome = Result<Response, Problem>;

fn admins() -> Admins {
    let (pricing, engine) = store();
    Admins { pricing, engine }
}

/// Returns the time so many seconds after noon.
fn later(seconds: i64) -> Time {
    Time::from_millis(noon().as_millis() + seconds * 1000)
}

fn status_of(outcome: Outcome) -> u16 {
    outcome
        .map_or_else(|problem| problem.status(), |response| response.status)
        .as_u16()
}

fn spring() -> Value {
    json!({"name": "Spring", "benefit": {"type": "percentage", "rate": "0.1"}, "code": "SPRING"})
}

/// The rate of a country, as the only one.
fn only(rate: &str) -> Value {
    let rate = json!({"name": "VAT", "country": "DE", "rate": rate, "included": true});
    json!({ "items": [rate] })
}

impl Admins {
    /// Creates a discount and returns its identifier.
    async fn created(&self) -> String {
        let request = testing::request(noon(), &spring());
        let created = api::create_discount(&self.pricing, "EUR".parse().unwrap(), request).await;
        json_of(&created.unwrap())["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Gives the discount a priority.
    async fn rank(&self, id: &str, priority: u32, tag: &str) -> Outcome {
        let request = testing::request(noon(), &json!({"priority": priority}));
        let request = request.at("discount_id", id).with("if-match", tag);
        api::update_discount(&self.pricing, "EUR".parse().unwrap(), request).await
    }

    async fn end(&self, id: &str, tag: &str) -> Outcome {
        let request = testing::request(noon(), &json!({})).at("discount_id", id);
        api::end_discount(&self.pricing, request.with("if-match", tag)).await
    }

    /// Returns the version and the priority of the discount, and whether it has ended.
    async fn stored(&self, id: &str) -> (u64, u32, bool) {
        let stored = self.pricing.get(id.parse().unwrap()).await.unwrap();
        let stored = stored.unwrap();
        (stored.version, stored.terms.priority, stored.ended)
    }

    /// Replaces all tax rates, so many seconds after noon.
    async fn tax(&self, rate: &str, tag: &str, seconds: i64) -> Outcome {
        let request = testing::request(later(seconds), &only(rate)).with("if-match", tag);
        collections::replace_tax_rates(&self.pricing, request).await
    }

    /// Returns the tax rates as an admin reads them.
    async fn taxes(&self) -> Value {
        let request: Request = testing::request(noon(), &json!({}));
        json_of(
            &collections::get_tax_rates(&self.pricing, request)
                .await
                .unwrap(),
        )
    }

    /// Lets `job` run between what the next request reads and what it writes.
    fn meanwhile(&self, job: impl AsyncFnOnce(Self) + Send + 'static) {
        let admins = self.clone();
        self.engine
            .before_next("TransactWriteItems", async move || job(admins).await);
    }
}

#[tokio::test]
async fn a_discount_is_changed_and_ended_with_its_current_tag_or_a_star() {
    let admins = admins();
    let id = admins.created().await;
    assert_eq!(status_of(admins.rank(&id, 7, "\"2\"").await), 412);
    assert_eq!(status_of(admins.end(&id, "\"2\"").await), 412);
    assert_eq!(admins.stored(&id).await, (1, 100, false));
    assert_eq!(status_of(admins.rank(&id, 7, "\"1\"").await), 200);
    assert_eq!(status_of(admins.rank(&id, 8, "*").await), 200);
    assert_eq!(admins.stored(&id).await, (3, 8, false));
    // A request to end it that is repeated with the tag of before.
    for _ in 0..2 {
        assert_eq!(status_of(admins.end(&id, "\"3\"").await), 200);
        assert_eq!(admins.stored(&id).await, (4, 8, true));
    }
    assert_eq!(status_of(admins.rank(&id, 9, "*").await), 409);
    assert_eq!(admins.stored(&id).await, (4, 8, true));
}

#[tokio::test]
async fn a_discount_that_was_changed_meanwhile_is_not_overwritten() {
    for (tag, status, stored) in [("\"1\"", 412, (2, 7, false)), ("*", 200, (3, 8, false))] {
        let admins = admins();
        let id = admins.created().await;
        let same = id.clone();
        admins.meanwhile(async move |other: Admins| {
            other.rank(&same, 7, "*").await.unwrap();
        });
        let ended = status_of(admins.rank(&id, 8, tag).await);
        assert_eq!((ended, admins.stored(&id).await), (status, stored), "{tag}");
    }
}

#[tokio::test]
async fn a_discount_that_ended_meanwhile_is_not_changed() {
    for (tag, status) in [("\"1\"", 412), ("*", 409)] {
        let admins = admins();
        let id = admins.created().await;
        let same = id.clone();
        admins.meanwhile(async move |other: Admins| {
            other.end(&same, "*").await.unwrap();
        });
        assert_eq!(status_of(admins.rank(&id, 8, tag).await), status, "{tag}");
        assert_eq!(admins.stored(&id).await, (2, 100, true), "{tag}");
    }
}

#[tokio::test]
async fn a_discount_that_was_changed_meanwhile_ends_only_with_a_star() {
    for (tag, status, stored) in [("\"1\"", 412, (2, 7, false)), ("*", 200, (3, 7, true))] {
        let admins = admins();
        let id = admins.created().await;
        let same = id.clone();
        admins.meanwhile(async move |other: Admins| {
            other.rank(&same, 7, "*").await.unwrap();
        });
        let ended = status_of(admins.end(&id, tag).await);
        assert_eq!((ended, admins.stored(&id).await), (status, stored), "{tag}");
    }
}

#[tokio::test]
async fn an_idempotency_key_creates_one_discount() {
    let admins = admins();
    let create = async |body: Value| {
        let request = testing::request(noon(), &body).with("idempotency-key", "k");
        api::create_discount(&admins.pricing, "EUR".parse().unwrap(), request).await
    };
    let first = json_of(&create(spring()).await.unwrap());
    assert_eq!(json_of(&create(spring()).await.unwrap()), first);
    let mut other = spring();
    other["code"] = json!("SUMMER");
    let refused = create(other).await;
    assert!(
        matches!(refused, Err(Problem::IdempotencyKeyReused)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn rates_are_replaced_with_their_current_tag_or_a_star() {
    let admins = admins();
    for (rate, tag, status) in [
        ("0.1", "\"1\"", 412),
        ("0.1", "\"0\"", 200),
        ("0.2", "\"0\"", 412),
        ("0.3", "\"1\"", 200),
        ("0.4", "*", 200),
    ] {
        assert_eq!(status_of(admins.tax(rate, tag, 0).await), status, "{rate}");
    }
    let taxes = admins.taxes().await;
    assert_eq!(
        (&taxes["version"], &taxes["items"][0]["rate"]),
        (&json!(3), &json!("0.4"))
    );
}

#[tokio::test]
async fn rates_that_another_admin_replaced_meanwhile_stay_unless_with_a_star() {
    for (others, tag, status, version, rate) in [
        ("0.2", "\"1\"", 412, 2, "0.2"),
        ("0.2", "*", 200, 3, "0.3"),
        // The same rates, but not by this request.
        ("0.3", "\"1\"", 412, 2, "0.3"),
        ("0.3", "*", 200, 2, "0.3"),
    ] {
        let admins = admins();
        admins.tax("0.1", "*", 0).await.unwrap();
        admins.meanwhile(async move |other: Admins| {
            other.tax(others, "*", 1).await.unwrap();
        });
        let ended = status_of(admins.tax("0.3", tag, 2).await);
        assert_eq!(ended, status, "{others} {tag}");
        let taxes = admins.taxes().await;
        let stored = (&taxes["version"], &taxes["items"][0]["rate"]);
        assert_eq!(stored, (&json!(version), &json!(rate)), "{others} {tag}");
    }
}
