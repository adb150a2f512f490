//! The steps of the workflow with this gateway: an order is paid and its money returned, whatever gets lost.

use super::*;
use crate::orders::model::Status;
use crate::payments::fixtures::{self, after, order_id};
use crate::payments::steps::{self, StepOutput};
use crate::runtime::{Step, StepError};

/// An order of 40.00 EUR, and the gateway that it is paid with.
struct Order {
    order: fixtures::Shop,
    shop: Shop,
}

impl Order {
    async fn with(token: &str, localstripe: &Localstripe) -> Self {
        Self {
            order: fixtures::Shop::with(token).await,
            shop: Shop::before(localstripe.port()),
        }
    }

    async fn process(&self) -> String {
        let Self { order, shop } = self;
        name(steps::process_payment(&order.orders, &order.payments, &shop.stripe, step()).await)
    }

    async fn void(&self) -> String {
        let Self { order, shop } = self;
        name(steps::void_payment(&order.orders, &order.refunds, &shop.stripe, step()).await)
    }
}

fn step() -> Step {
    let step = json!({"order_id": order_id(), "now": after(1)});
    serde_json::from_value(step).unwrap()
}

fn name(result: Result<StepOutput, StepError>) -> String {
    match result {
        Ok(result) => result.payment_status.to_owned(),
        Err(error) => error.name.to_owned(),
    }
}

#[tokio::test]
async fn an_order_is_paid_once_and_its_money_returned_once() {
    let Some(localstripe) = Localstripe::start() else {
        return;
    };
    for (lost, first) in [
        (None, "completed"),
        (Some(CREATE), "Busy"),
        (Some(CONFIRM), "PaymentUnknown"),
        (Some(CAPTURE), "PaymentUnknown"),
    ] {
        let before = localstripe.refunds().len();
        let paid = Order::with("pm_card_visa", &localstripe).await;
        if let Some(line) = lost {
            paid.shop.proxy.treat_next(line, Treatment::LoseAnswer);
        }
        assert_eq!(paid.process().await, first, "{lost:?}");
        assert_eq!(paid.process().await, "completed", "{lost:?}");
        let payment = paid.order.payment().await;
        assert_eq!(payment.gateway, Provider::Stripe.into());
        assert_eq!(payment.amounts.captured(), eur("40.00"));
        paid.order.order_becomes(Status::Cancelled).await;
        paid.shop.proxy.treat_next(REFUND, Treatment::LoseAnswer);
        assert_eq!(paid.void().await, "PaymentUnknown");
        assert_eq!(paid.void().await, "refunded");
        assert_eq!(paid.void().await, "refunded");
        assert_eq!(paid.order.payment().await.amounts.refunded(), eur("40.00"));
        assert_eq!(localstripe.refunds().len(), before + 1, "{lost:?}");
    }
    let statuses = statuses(&localstripe);
    let captured = statuses.iter().filter(|status| *status == "succeeded");
    assert_eq!(captured.count(), 4, "{statuses:?}");
}

#[tokio::test]
async fn an_order_that_ends_while_it_is_paid_costs_nothing() {
    let Some(localstripe) = Localstripe::start() else {
        return;
    };
    for lost in [CONFIRM, CAPTURE] {
        let ended = Order::with("pm_card_visa", &localstripe).await;
        ended.shop.proxy.treat_next(lost, Treatment::Lose);
        assert_eq!(ended.process().await, "PaymentUnknown", "{lost}");
        ended.order.order_becomes(Status::Cancelled).await;
        assert_eq!(ended.void().await, "voided", "{lost}");
        // A run that began before the order ended.
        assert_eq!(ended.shop.charge("pm_card_visa").await, "declined voided");
    }
    let declined = Order::with("pm_card_chargeCustomerFail", &localstripe).await;
    assert_eq!(declined.process().await, "PaymentDeclined");
    declined.order.order_becomes(Status::Failed).await;
    assert_eq!(declined.void().await, "failed");
    assert_eq!(
        statuses(&localstripe),
        ["canceled", "canceled", "requires_payment_method"]
    );
    assert!(localstripe.refunds().is_empty());
}
