//! Refunds by an admin.

use oxcart_core::values::money::Currency;
use serde_json::json;

use super::ledger::Order;
use super::plan::Refund;
use super::request::{Request, Who};
use super::seed::text;
use super::shop::{Shop, amount, units};
use crate::Error;

/// Refunds something of an order, and notes what that was. Of an order that has failed or is cancelled, the shop refunds
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
    // Some orders are not in the shop's currency.
    let currency: Currency = text(&payment["captured"], "currency")?.parse()?;
    let payment = text(payment, "id")?;
    let body = match refund {
        Refund::No => return Ok(()),
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
