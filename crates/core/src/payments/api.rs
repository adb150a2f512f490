//! The HTTP routes of payments.

use serde::Serialize;

use crate::http::exchange::{Request, Response};
use crate::http::page::{Page, PageRequest};
use crate::http::problem::Problem;
use crate::http::routes;
use crate::orders::store::OrderStore;
use crate::values::clock::Time;
use crate::values::id::{OrderId, PaymentId};
use crate::values::money::Money;

use super::captures::api::CaptureBody;
use super::model::{Action, Payment};
use super::rules::captures::capture_before;
use super::store::PaymentStore;

/// A payment in a response.
#[derive(Serialize)]
pub(super) struct PaymentBody {
    id: PaymentId,
    status: &'static str,
    gateway: String,
    authorized: Money,
    captured: Money,
    refunded: Money,
    gift_cards: GiftCardBody,
    /// When the authorisation ends, while it waits for captures.
    capture_before: Option<Time>,
    /// The captures, if it is not captured at once.
    captures: Vec<CaptureBody>,
    attempts: u32,
    /// The gateway's code for why the last attempt was declined.
    decline: Option<String>,
    /// What the shopper has to do before it goes on.
    action: Option<Action>,
    disputes: Vec<DisputeBody>,
}

/// What gift cards pay of the order, and how much of that refunds have returned to them.
#[derive(Serialize)]
struct GiftCardBody {
    amount: Money,
    refunded: Money,
}

#[derive(Serialize)]
struct DisputeBody {
    /// The gateway's identifier.
    id: String,
    status: &'static str,
    amount: Money,
    /// The gateway's code.
    reason: String,
}

impl From<Payment> for PaymentBody {
    fn from(payment: Payment) -> Self {
        let disputes = payment.disputes.iter();
        let disputes = disputes.map(|(id, dispute)| DisputeBody {
            id: id.clone(),
            status: dispute.status.as_str(),
            amount: dispute.amount,
            reason: dispute.reason.clone(),
        });
        let disputes = disputes.collect();
        Self {
            id: payment.id,
            status: payment.status.as_str(),
            gateway: payment.gateway.to_string(),
            authorized: payment.amounts.authorized(),
            captured: payment.amounts.captured(),
            refunded: payment.amounts.refunded(),
            gift_cards: GiftCardBody {
                amount: payment.gift_cards.amount,
                refunded: payment.gift_cards.refunded,
            },
            capture_before: capture_before(&payment),
            captures: CaptureBody::all(&payment),
            attempts: payment.attempt,
            decline: payment.decline,
            action: payment.action,
            disputes,
        }
    }
}

/// Returns the payments of an order, for its owner and for admins: `GET /orders/{order_id}/payments`.
///
/// # Errors
/// [`Problem::NotFound`] if there is no such order, or it is another customer's.
pub async fn list_order_payments(
    orders: &OrderStore,
    payments: &PaymentStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id: OrderId = request.id("order_id", "order")?;
    let query = request.query(routes::LIST_ORDER_PAYMENTS.query)?;
    // An order has one payment, so there is never a second page.
    PageRequest::read(&request, &query)?;
    let (order, payment) = futures::try_join!(orders.get(id), payments.of_order(id))?;
    let order = order.ok_or(Problem::NotFound("order"))?;
    if order.customer_id != caller.customer_id && !caller.admin {
        return Err(Problem::NotFound("order"));
    }
    let page = Page {
        items: payment.into_iter().map(PaymentBody::from).collect(),
        next: None,
    };
    page.answer(&request)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::payments::fixtures::{Shop, after, identity, order_id};

    fn request(customer: &str, admin: bool) -> Request {
        let order_id = order_id().to_string();
        Request {
            now: after(10),
            request_id: "MJy3ZgkZFiAEJ8Q=".to_owned(),
            path: format!("/orders/{order_id}/payments"),
            source_ip: "192.0.2.1".to_owned(),
            headers: http::HeaderMap::new(),
            body: Vec::new(),
            path_parameters: [("order_id".to_owned(), order_id)].into(),
            query: Vec::new(),
            identity: Some(identity(customer, admin)),
        }
    }

    async fn check(shop: &Shop, request: Request, expected: Expect) {
        let response = list_order_payments(&shop.orders, &shop.payments, request).await;
        let text = match response {
            Ok(response) => format!(
                "{} {}",
                response.status,
                String::from_utf8_lossy(&response.body)
            ),
            Err(problem) => format!("{} {problem}", problem.status()),
        };
        expected.assert_eq(&text);
    }

    #[tokio::test]
    async fn the_owner_and_admins_see_the_payment() {
        let shop = Shop::with("tok_ok").await;
        check(
            &shop,
            request("customer", false),
            expect![[r#"200 OK {"items":[],"next_cursor":null}"#]],
        )
        .await;
        shop.process().await;
        check(&shop, request("customer", false), expect![[r#"200 OK {"items":[{"id":"1edb0c52-cdc9-5a5e-b886-ddd2e13b4802","status":"completed","gateway":"sandbox","authorized":{"amount":"40.00","currency":"EUR"},"captured":{"amount":"40.00","currency":"EUR"},"refunded":{"amount":"0.00","currency":"EUR"},"gift_cards":{"amount":{"amount":"0.00","currency":"EUR"},"refunded":{"amount":"0.00","currency":"EUR"}},"capture_before":null,"captures":[],"attempts":1,"decline":null,"action":null,"disputes":[]}],"next_cursor":null}"#]]).await;
        check(&shop, request("boss", true), expect![[r#"200 OK {"items":[{"id":"1edb0c52-cdc9-5a5e-b886-ddd2e13b4802","status":"completed","gateway":"sandbox","authorized":{"amount":"40.00","currency":"EUR"},"captured":{"amount":"40.00","currency":"EUR"},"refunded":{"amount":"0.00","currency":"EUR"},"gift_cards":{"amount":{"amount":"0.00","currency":"EUR"},"refunded":{"amount":"0.00","currency":"EUR"}},"capture_before":null,"captures":[],"attempts":1,"decline":null,"action":null,"disputes":[]}],"next_cursor":null}"#]]).await;
    }

    #[tokio::test]
    async fn another_customers_order_is_not_found() {
        let shop = Shop::with("tok_ok").await;
        shop.process().await;
        check(
            &shop,
            request("stranger", false),
            expect!["404 Not Found there is no such order"],
        )
        .await;
        let mut unknown = request("customer", true);
        let other = OrderId::derived(&["other"]).to_string();
        unknown.path_parameters = [("order_id".to_owned(), other)].into();
        check(
            &shop,
            unknown,
            expect!["404 Not Found there is no such order"],
        )
        .await;
        let mut malformed = request("customer", true);
        malformed.path_parameters = [("order_id".to_owned(), "7".to_owned())].into();
        check(
            &shop,
            malformed,
            expect!["404 Not Found there is no such order"],
        )
        .await;
        let mut anonymous = request("customer", false);
        anonymous.identity = None;
        check(
            &shop,
            anonymous,
            expect!["401 Unauthorized sign in to do this"],
        )
        .await;
    }

    #[tokio::test]
    async fn unknown_parameters_are_refused() {
        let shop = Shop::with("tok_ok").await;
        let mut odd = request("customer", false);
        odd.query = vec![("page".to_owned(), "2".to_owned())];
        check(
            &shop,
            odd,
            expect!["400 Bad Request the request has parameters that are not valid"],
        )
        .await;
    }
}
