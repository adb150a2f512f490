//! The gateway against localstripe 1.15.10, and against what Stripe documents where localstripe does not do it.
//!
//! Where localstripe differs from Stripe's documents, as far as it matters here:
//!
//! - It ignores `Idempotency-Key` and `Stripe-Version`. So two creations with one key make two intents, as they do at
//!   Stripe when it has forgotten the key.
//! - `pm_card_visa_chargeDeclined` is charged: it only cannot be attached to a customer. Declined are
//!   `pm_card_chargeCustomerFail` and the cards with its number, and always with `card_declined`, without a
//!   `decline_code`, and as `invalid_request_error` instead of `card_error`.
//! - Errors of a state have no `code` (`payment_intent_unexpected_state`), and are 400; an unknown payment method is 404
//!   without a `param`, instead of 400 with `resource_missing`.
//! - A capture of a part makes a refund of the rest, without metadata, which the list of refunds has. A capture knows no
//!   `final_capture`, and an intent no `request_multicapture`.
//! - Intents have no `amount_received`; `latest_charge` is always the whole charge, and its captures and refunds are
//!   not bounded: more than was captured can be refunded. Listing or making refunds of an intent without a charge is
//!   500.
//! - It takes no parameters beyond those that it knows: no `error_on_requires_action`, `description`,
//!   `cancellation_reason`, `automatic_payment_methods` or `allowed_payment_method_types`.
//! - Any key that begins with `sk_` is taken; there are no limits of requests, and no search.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::*;
use crate::payments::fixtures::{eur, key, refund_key, short};
use crate::payments::model::Action;
use crate::testing::{self, Engine};
use server::{Localstripe, Proxy, Treatment};

mod captures;
mod charges;
mod faults;
mod refunding;
mod server;
mod statements;
mod webhooks;
mod workflow;

const CREATE: &str = "POST /v1/payment_intents";
const READ: &str = "GET /v1/payment_intents/pi";
const CONFIRM: &str = "POST /v1/payment_intents/pi/confirm";
const CAPTURE: &str = "POST /v1/payment_intents/pi/capture";
const CANCEL: &str = "POST /v1/payment_intents/pi/cancel";
const REFUND: &str = "POST /v1/refunds";
const REFUNDS: &str = "GET /v1/refunds";

/// A gateway whose requests pass through a proxy.
struct Shop {
    stripe: Stripe,
    proxy: Proxy,
    engine: Engine,
}

impl Shop {
    /// Returns one that reaches what listens at `port`.
    fn before(port: u16) -> Self {
        let proxy = Proxy::start(port);
        let (aws, engine) = testing::aws_with(&[("STRIPE_URL", &proxy.url())]);
        engine.answer_others("GetSecretValue", |_| {
            let secret = json!({"api_key": "sk_tests"}).to_string();
            (
                200,
                json!({"ARN": "STRIPE_SECRET_ARN", "SecretString": secret}),
            )
        });
        let stripe = Stripe::new(&aws).unwrap();
        Self {
            stripe,
            proxy,
            engine,
        }
    }

    /// Returns one with a localstripe, unless the test is skipped.
    fn start() -> Option<(Self, Localstripe)> {
        let localstripe = Localstripe::start()?;
        Some((Self::before(localstripe.port()), localstripe))
    }

    async fn charge(&self, token: &str) -> String {
        short(self.stripe.charge(&key(), eur("40.00"), token).await)
    }

    async fn authorize(&self, token: &str) -> String {
        short(self.stripe.authorize(&key(), eur("40.00"), token).await)
    }

    async fn capture(&self, total: &str, last: bool) -> String {
        short(self.stripe.capture(&key(), eur(total), last).await)
    }

    async fn retrieve(&self) -> String {
        short(self.stripe.retrieve(&key()).await)
    }

    async fn void(&self) -> String {
        short(self.stripe.void(&key()).await)
    }

    async fn refund(&self, name: &str, amount: &str) -> String {
        short_refund(self.stripe.refund(&refund_key(name), eur(amount)).await)
    }

    async fn retrieve_refund(&self, name: &str) -> String {
        short_refund(self.stripe.retrieve_refund(&refund_key(name)).await)
    }
}

fn short_refund(result: Result<RefundState, GatewayError>) -> String {
    match result {
        Ok(RefundState::NotFound) => "not found".to_owned(),
        Ok(RefundState::Pending) => "pending".to_owned(),
        Ok(RefundState::Succeeded) => "succeeded".to_owned(),
        Ok(RefundState::Failed { code }) => format!("failed {code}"),
        Err(GatewayError::Unknown(_)) => "unknown".to_owned(),
        Err(GatewayError::Busy(_)) => "busy".to_owned(),
    }
}

/// Returns the statuses of the intents of `localstripe`, sorted.
fn statuses(localstripe: &Localstripe) -> Vec<String> {
    let intents = localstripe.intents();
    let statuses = intents
        .iter()
        .map(|intent| intent["status"].as_str().unwrap().to_owned());
    let mut statuses: Vec<String> = statuses.collect();
    statuses.sort();
    statuses
}
