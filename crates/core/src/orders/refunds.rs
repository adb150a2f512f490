//! Orders follow the refunds of their payments, and the captures of those that are captured at shipment.

use serde::Deserialize;
use serde::de::Error as _;

use super::change;
use super::gift_cards::returns;
use super::gift_cards::store::GiftCardStore;
use super::model::PaymentStatus;
use super::rules::{self, Refunds};
use super::store::OrderStore;
use crate::aws::dynamo::StoreError;
use crate::runtime::{ConsumeError, Message};
use crate::values::event::Delivered;
use crate::values::id::{OrderId, PaymentId};
use crate::values::money::Money;

/// What `PaymentRefunded` and `PaymentRefundReturned` say.
#[derive(Deserialize)]
struct Refunded {
    order_id: OrderId,
    /// The total that is refunded.
    amount: Money,
    /// How much of it goes to gift cards.
    gift_card_amount: Option<Money>,
    /// What was captured, if that may be less than the order costs; absent in events of earlier releases.
    captured: Option<Money>,
}

/// What `PaymentProcessed` says.
#[derive(Deserialize)]
struct Processed {
    order_id: OrderId,
    status: String,
}

/// Shows on the order what of its payment has been captured or refunded, and returns to its gift cards what went to them:
/// `on-payment-refunded`. Late and repeated events change nothing.
///
/// # Errors
/// [`ConsumeError`]; the message has to be delivered again, also while the order has no outcome.
pub async fn on_payment_refunded(
    orders: &OrderStore,
    gift_cards: &GiftCardStore,
    message: Message,
) -> Result<(), ConsumeError> {
    let delivered = Delivered::parse(&message.body)?;
    let _: PaymentId = delivered.detail.aggregate_id.parse()?;
    let returned = match delivered.detail.event_type.as_str() {
        "PaymentProcessed" => return show_capture(orders, delivered).await,
        "PaymentRefundReturned" => true,
        "PaymentRefunded" => false,
        other => return Err(ConsumeError::OtherType(other.to_owned())),
    };
    let data: Refunded = serde_json::from_value(delivered.detail.data)?;
    let shown = Refunds {
        refunded: data.amount,
        captured: data.captured,
        returned,
        version: delivered.detail.version,
    };
    let decide = |order| {
        rules::show_refunds(order, shown, delivered.time)
            .map_err(|undecided| StoreError::Busy(undecided.into()))
    };
    let changed = change::apply(orders, data.order_id, decide).await?;
    if let (Some(changed), Some(total)) = (changed, data.gift_card_amount) {
        let order = changed.into_order();
        returns::bring_back(gift_cards, &order, total, delivered.time).await?;
    }
    Ok(())
}

async fn show_capture(orders: &OrderStore, delivered: Delivered) -> Result<(), ConsumeError> {
    let data: Processed = serde_json::from_value(delivered.detail.data)?;
    let status: PaymentStatus = data.status.parse().map_err(serde_json::Error::custom)?;
    let decide = |order| {
        rules::show_capture(order, status, delivered.time)
            .map_err(|undecided| StoreError::Busy(undecided.into()))
    };
    change::apply(orders, data.order_id, decide).await?;
    Ok(())
}
