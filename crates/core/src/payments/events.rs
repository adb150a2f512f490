//! The events of payments.
//!
//! | event | when | data |
//! |---|---|---|
//! | `PaymentProcessed` | the status became processing, authorized, completed, voided or failed, or a part was captured | `order_id`, `amount`, `status`, `origin`; `capture`: `at_shipment`, and `captured`: the total that has been captured, if it is not captured at once |
//! | `PaymentDisputed` | a cardholder disputed the charge, or a dispute was decided | `order_id`, `dispute_id`, `amount`: what it is about, `status`: `opened`, `won` or `lost`, `reason` |
//! | `PaymentRefundReturned` | a refund came back, which had succeeded | as `PaymentRefunded`, of the refund that came back |
//! | `PaymentRefunded` | money was refunded | `order_id`, `amount`: the total that has been refunded; `gift_card_amount`: how much of it goes to gift cards, if the order took from any; `refund_id`, `refund_amount`: the refund that has succeeded; `restocked`: the pieces that refunds have brought back into stock so far; `capture` and `captured` as in `PaymentProcessed` |

use serde::Serialize;
use serde_dynamo::Item;

use crate::values::event::DomainEvent;
use crate::values::id::{OrderId, RefundId, VariantId};
use crate::values::money::Money;

use super::item::PaymentItem;
use super::model::{CaptureTime, DISPUTED, REFUND_RETURNED, REFUNDED};

/// What led to the change. An event of the provider starts the workflow, too, so there is only this.
const ORIGIN: &str = "workflow";

#[derive(Serialize)]
struct Processed {
    order_id: OrderId,
    /// The order's total, whether it was paid or not.
    amount: Money,
    status: String,
    origin: &'static str,
    /// Absent if it is captured at once.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    captured: Option<Captured>,
}

/// How far a payment is captured that is not captured at once.
#[derive(Serialize)]
struct Captured {
    capture: &'static str,
    captured: Money,
}

#[derive(Serialize)]
struct Disputed<'a> {
    order_id: OrderId,
    dispute_id: &'a str,
    amount: Money,
    status: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Refunded {
    order_id: OrderId,
    /// The total that has been refunded, to the gateway and to gift cards.
    amount: Money,
    /// How much of it went to gift cards; absent if the order took nothing from any.
    #[serde(skip_serializing_if = "Option::is_none")]
    gift_card_amount: Option<Money>,
    /// Absent if it is captured at once, and in events of earlier releases.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    captured: Option<Captured>,
    /// Absent in events of earlier releases.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    refund: Option<Last>,
    restocked: Vec<Restocked>,
}

/// The refund that the event is about.
#[derive(Serialize)]
struct Last {
    refund_id: RefundId,
    refund_amount: Money,
}

/// How many pieces of a variant have come back into stock by all refunds so far.
#[derive(Serialize)]
struct Restocked {
    variant_id: VariantId,
    quantity: u32,
}

/// Returns the last event of the payment whose item is `image`, or `None` before its first.
///
/// # Errors
/// If the image is not a payment.
pub fn published(image: Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let item: PaymentItem = serde_dynamo::from_item(image)?;
    let Some(stamp) = item.event.clone() else {
        return Ok(None);
    };
    let data = if stamp.event_type == DISPUTED {
        let (id, dispute) = item
            .last_dispute()
            .ok_or_else(|| serde::de::Error::custom("the dispute of an event is missing"))?;
        serde_json::to_value(Disputed {
            order_id: item.order_id,
            dispute_id: id,
            amount: item.money(dispute.amount)?,
            status: dispute.status.as_str(),
            reason: &dispute.reason,
        })
    } else if [REFUNDED, REFUND_RETURNED].contains(&stamp.event_type.as_str()) {
        let last = item.last_refund.as_ref();
        let last = last.map(|last| {
            Ok::<_, serde_dynamo::Error>(Last {
                refund_id: last.refund_id,
                refund_amount: item.money(last.amount)?,
            })
        });
        let to_cards = item.gift_cards_refunded;
        let restocked = item.restocked.iter();
        let restocked = restocked.map(|(variant_id, quantity)| Restocked {
            variant_id: *variant_id,
            quantity: *quantity,
        });
        serde_json::to_value(Refunded {
            order_id: item.order_id,
            amount: item.money(item.refunded + to_cards.unwrap_or(0))?,
            gift_card_amount: to_cards.map(|units| item.money(units)).transpose()?,
            captured: captured(&item)?,
            refund: last.transpose()?,
            restocked: restocked.collect(),
        })
    } else {
        serde_json::to_value(Processed {
            order_id: item.order_id,
            amount: item.money(item.amount + item.gift_cards.unwrap_or(0))?,
            status: item.status.clone(),
            origin: ORIGIN,
            captured: captured(&item)?,
        })
    };
    let data = data.map_err(serde::ser::Error::custom)?;
    Ok(Some(DomainEvent::new(item.payment_id, stamp, data)))
}

fn captured(item: &PaymentItem) -> Result<Option<Captured>, serde_dynamo::Error> {
    let captured = item.captured_at_shipment()?;
    Ok(captured.map(|captured| Captured {
        capture: CaptureTime::AtShipment.as_str(),
        captured,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::settings::Setting;
    use crate::orders::model::Status;
    use crate::payments::fixtures::{Moment, Shop, after, order_id};
    use crate::payments::model::PROCESSED;

    fn stored(shop: &Shop) -> Value {
        shop.engine.items(Setting::PaymentsTable).remove(0)
    }

    /// Returns the last event of the stored payment.
    fn event(shop: &Shop) -> Option<DomainEvent> {
        published(serde_dynamo::to_item(stored(shop)).unwrap()).unwrap()
    }

    fn processed(status: &str) -> Value {
        json!({
            "order_id": order_id(),
            "amount": {"amount": "40.00", "currency": "EUR"},
            "status": status,
            "origin": "workflow",
        })
    }

    #[tokio::test]
    async fn an_outcome_and_a_refund_have_their_events() {
        let shop = Shop::with("tok_ok").await;
        shop.crash_at(Moment::BeforeCharge);
        shop.process().await;
        assert_eq!(event(&shop), None, "the gateway has not been called");
        shop.process().await;
        let paid = event(&shop).unwrap();
        assert_eq!((paid.event_type.as_str(), paid.version), (PROCESSED, 1));
        assert_eq!(paid.timestamp, after(1));
        assert_eq!(paid.data, processed("completed"));
        shop.order_becomes(Status::Cancelled).await;
        shop.void().await;
        let returned = event(&shop).unwrap();
        assert_eq!(
            (returned.event_type.as_str(), returned.version),
            (REFUNDED, 2)
        );
        let data = json!({
            "order_id": order_id(),
            "amount": {"amount": "40.00", "currency": "EUR"},
            "refund_id": shop.payment().await.last_refund_id(),
            "refund_amount": {"amount": "40.00", "currency": "EUR"},
            "restocked": [],
        });
        assert_eq!(returned.data, data);
        assert_eq!(returned.aggregate_id, paid.aggregate_id);
        assert_ne!(returned.event_id, paid.event_id);
    }

    #[tokio::test]
    async fn an_unknown_declined_or_voided_payment_has_its_event() {
        for (token, status) in [("tok_unknown", "processing"), ("tok_declined", "failed")] {
            let shop = Shop::with(token).await;
            shop.process().await;
            assert_eq!(event(&shop).unwrap().data, processed(status));
        }
        let shop = Shop::with("tok_ok").await;
        shop.order_becomes(Status::Failed).await;
        shop.void().await;
        assert_eq!(event(&shop).unwrap().data, processed("voided"));
    }

    #[tokio::test]
    async fn a_request_to_void_makes_no_event() {
        let shop = Shop::with("tok_ok").await;
        shop.process().await;
        let before = event(&shop);
        let payment = shop.payment().await;
        shop.payments.request_void(&payment).await.unwrap();
        assert_eq!(event(&shop), before);
        assert_eq!(stored(&shop)["version"], payment.version);
    }
}
