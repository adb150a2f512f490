//! Refunds by an admin, and disputes.

use oxcart_core::values::money::Currency;
use serde_json::json;

use super::ledger::Order;
use super::plan::Refund;
use super::request::{Request, Who};
use super::seed::text;
use super::shop::{Shop, amount, units};
use super::shoppers::signed;
use crate::Error;

/// Refunds something of an order, or has its cardholder dispute the payment, and notes what that was. Of an order that has failed or is cancelled, the shop refunds
/// nothing.
///
/// # Errors
/// If the shop responds with an unexpected status.
pub(super) async fn refund(shop: &Shop, order: &mut Order, refund: Refund) -> Result<(), Error> {
    let payments = Request::new("list-order-payments", "GET", "/orders/{order_id}/payments")
        .by(Who::Admin)
        .parameter("order_id", &order.id);
    let payments = shop.send(&payments).await?.expect(&[200])?;
    let payment = &payments["items"][0];
    let attempt = payment["attempts"].as_u64().unwrap_or(0);
    // Some orders are not in the shop's currency.
    let currency: Currency = text(&payment["captured"], "currency")?.parse()?;
    let payment = text(payment, "id")?;
    let body = match refund {
        Refund::No => return Ok(()),
        Refund::DisputeWon | Refund::DisputeLost => {
            return dispute(shop, order, attempt, refund).await;
        }
        Refund::Amount => json!({"amount": amount(1, currency)?}),
        Refund::Piece => {
            let shown = Request::new("get-order", "GET", "/orders/{order_id}")
                .by(Who::Admin)
                .parameter("order_id", &order.id);
            let shown = shop.send(&shown).await?.expect(&[200])?;
            let variant = text(&shown["items"][0], "variant_id")?;
            json!({"lines": [{"variant_id": variant, "quantity": 1}], "restock": true})
        }
    };
    let request = Request::new("create-refund", "POST", "/payments/{payment_id}/refunds")
        .by(Who::Admin)
        .parameter("payment_id", &payment)
        .header("idempotency-key", &order.id)
        .json(body);
    let response = shop.send(&request).await?;
    let accepted = response.status == 201;
    let body = response.expect(&[201, 409])?;
    if accepted {
        let refunded = text(&body["amount"], "amount")?;
        order.refunded = units(&refunded, currency).ok_or("the refund has no amount")?;
        order.restocked = u64::from(refund == Refund::Piece);
    }
    Ok(())
}

/// Tells the shop of a dispute of the charge number `attempt` of an order, and that it was decided, each twice.
async fn dispute(
    shop: &Shop,
    order: &mut Order,
    attempt: u64,
    decision: Refund,
) -> Result<(), Error> {
    let decided = if decision == Refund::DisputeLost {
        "lost"
    } else {
        "won"
    };
    for kind in ["opened", decided] {
        let kind = format!("dispute.{kind}");
        let charge = format!("{}:{attempt}", order.id);
        let event = json!({"type": kind, "charge": charge, "dispute": "dp_1"});
        for _ in 0..2 {
            let request = signed(&event, shop.clock.now().as_second())?;
            shop.send(&request).await?.expect(&[204])?;
        }
    }
    let payments = Request::new("list-order-payments", "GET", "/orders/{order_id}/payments")
        .by(Who::Admin)
        .parameter("order_id", &order.id);
    let payments = shop.send(&payments).await?.expect(&[200])?;
    // Of a payment that was not captured, there is no dispute.
    let dispute = &payments["items"][0]["disputes"][0];
    if dispute["status"] == decided {
        order.dispute = Some(decision);
    }
    Ok(())
}
