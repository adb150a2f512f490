//! What shoppers do about payments that have not succeeded at once.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::plan::Token;
use super::request::{Request, Who};
use super::seed::text;
use super::shop::Shop;
use crate::Error;

/// How often an order is looked at until its payment waits for the shopper.
const LOOKS: usize = 400;

/// Pays an order with another token, or confirms its payment at the bank, as its token asks for. Returns the token,
/// or that it was abandoned.
///
/// # Errors
/// If the shop responds with an unexpected status.
pub(super) async fn act(
    shop: &Shop,
    customer: &str,
    order: &str,
    token: Token,
) -> Result<Token, Error> {
    let wanted = match token {
        Token::Retried => "failed",
        Token::Confirmed => "requires_action",
        Token::Ok
        | Token::Unknown
        | Token::Declined
        | Token::InsufficientFunds
        | Token::Abandoned => return Ok(token),
    };
    for _ in 0..LOOKS {
        let read = Request::new("get-order", "GET", "/orders/{order_id}")
            .by(Who::Customer(customer))
            .parameter("order_id", order);
        let shown = shop.send(&read).await?.expect(&[200])?;
        if text(&shown, "status")? != "pending" {
            return Ok(token);
        }
        if text(&shown, "payment_status")? == wanted {
            if token == Token::Retried {
                retry(shop, customer, order).await?;
            } else {
                confirm(shop, order).await?;
            }
            return Ok(token);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    // A fault keeps the workflow from it: the order fails at its deadline.
    Ok(Token::Abandoned)
}

async fn retry(shop: &Shop, customer: &str, order: &str) -> Result<(), Error> {
    let retry = Request::new("retry-payment", "POST", "/orders/{order_id}/payments")
        .by(Who::Customer(customer))
        .parameter("order_id", order)
        .header("idempotency-key", order)
        .json(json!({"payment": {"token": "tok_ok"}}));
    // The order may have been cancelled meanwhile.
    shop.send(&retry).await?.expect(&[202, 409])?;
    Ok(())
}

/// Sends the sandbox's event that the shopper has confirmed the payment, twice.
async fn confirm(shop: &Shop, order: &str) -> Result<(), Error> {
    let event = json!({"type": "charge.confirmed", "charge": format!("{order}:1")});
    for _ in 0..2 {
        let request = signed(&event, shop.clock.now().as_second())?;
        shop.send(&request).await?.expect(&[204])?;
    }
    Ok(())
}

/// Returns the request with which the sandbox sends `event`.
pub(super) fn signed(event: &Value, seconds: i64) -> Result<Request<'static>, Error> {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"whsec_sandbox")?;
    mac.update(format!("{seconds}.{event}").as_bytes());
    let tag = mac.finalize().into_bytes();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    let request = Request::new(
        "receive-payment-event",
        "POST",
        "/webhooks/payments/{provider}",
    )
    .parameter("provider", "sandbox")
    .header("stripe-signature", format!("t={seconds},v1={hex}"))
    .json(event.clone());
    Ok(request)
}
