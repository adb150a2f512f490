//! Published: `StockAdjusted` (`{variant_id, product_id, location, on_hand, backorder}`) of the aggregate
//! `stock#<variant_id>#<location>#<shard>`; `InventoryReserved`, `InventoryCommitted` and
//! `InventoryReleased` (`{order_id, lines: [{product_id, quantity}]}`) of the aggregate `reservation#<order_id>`.
//! `product_id` is the variant's identifier in all of them: earlier releases knew only products, and a second name for it in
//! each of fifty lines would cost up to two write units of the event log for each event.
//! `InventoryRestocked` has the same data; its lines have `restocked`, the pieces that refunds have brought back so far.
//! Consumed: `ProductCreated`, `PaymentRefunded`.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{self, Attempt};
use crate::runtime::{ConsumeError, Message};
use crate::stock::model::stock_aggregate;
use crate::values::event::{Delivered, DomainEvent};
use crate::values::id::{OrderId, PaymentId, ProductId, VariantId};

use super::item::{self, StoredItem};
use super::model::reservation_aggregate;
use super::rules::{self, Level};
use super::store::InventoryStore;

#[derive(Serialize)]
struct StockData {
    variant_id: VariantId,
    product_id: VariantId,
    location: String,
    on_hand: u64,
    backorder: u64,
}

#[derive(Serialize)]
struct ReservationData {
    order_id: OrderId,
    lines: Vec<LineData>,
}

#[derive(Serialize)]
struct LineData {
    product_id: VariantId,
    quantity: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    restocked: Option<u64>,
}

/// Returns the last event of the stock or reservation whose item is `image`.
///
/// # Errors
/// If `image` is neither stock nor a reservation.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let (aggregate, stamp, data) = match item::parse_item(image)? {
        StoredItem::Stock(stock) => {
            let data = serde_json::to_value(StockData {
                variant_id: stock.variant_id,
                product_id: stock.variant_id,
                location: stock.place.location.clone(),
                on_hand: stock.on_hand(),
                backorder: stock.backorder,
            });
            let aggregate = stock_aggregate(stock.variant_id, &stock.place);
            (aggregate, stock.event, data)
        }
        StoredItem::Reservation(reservation) => {
            let lines = reservation.lines.into_iter().map(|line| LineData {
                product_id: line.variant_id,
                quantity: line.quantity,
                restocked: Some(line.restocked).filter(|restocked| *restocked > 0),
            });
            let data = serde_json::to_value(ReservationData {
                order_id: reservation.order_id,
                lines: lines.collect(),
            });
            let aggregate = reservation_aggregate(reservation.order_id);
            (aggregate, reservation.event, data)
        }
    };
    let data = data.map_err(serde_dynamo::Error::custom)?;
    Ok(Some(DomainEvent::new(aggregate, stamp, data)))
}

/// The variants in the data of `ProductCreated`; none for a product whose only variant has its identifier.
#[derive(Deserialize)]
struct ProductData {
    #[serde(default)]
    variants: Vec<CreatedVariant>,
}

#[derive(Deserialize)]
struct CreatedVariant {
    id: VariantId,
}

/// Creates the stock of the variants of a new product, at zero, unless they have stock: repeated deliveries change nothing.
///
/// # Errors
/// [`ConsumeError`]; the message has to be delivered again.
pub async fn on_product_created(
    inventory: &InventoryStore,
    message: Message,
) -> Result<(), ConsumeError> {
    let (delivered, product): (Delivered, ProductId) = message.event("ProductCreated")?;
    let Delivered { time, detail } = delivered;
    let data: ProductData = serde_json::from_value(detail.data)?;
    let mut variants: Vec<VariantId> = data.variants.iter().map(|variant| variant.id).collect();
    if variants.is_empty() {
        variants.push(product.into());
    }
    for variant in variants {
        let mut stock = rules::first_stock(variant, Level::default(), time);
        stock.event.traceparent = detail.traceparent.clone();
        inventory.create_stock(&stock).await?;
    }
    Ok(())
}

/// What `PaymentRefunded` says.
#[derive(Deserialize)]
struct RefundedData {
    order_id: OrderId,
    /// Events of earlier releases have none.
    #[serde(default)]
    restocked: Vec<RestockedVariant>,
}

#[derive(Deserialize)]
struct RestockedVariant {
    variant_id: VariantId,
    quantity: u64,
}

/// Brings the pieces back into stock that a refund is to restock: `restock-inventory`. The event says how many of each
/// variant all refunds of the order have restocked, so repeated and late events change nothing.
///
/// # Errors
/// [`ConsumeError`]; the message has to be delivered again.
pub async fn restock_inventory(
    inventory: &InventoryStore,
    message: Message,
) -> Result<(), ConsumeError> {
    let (delivered, _): (Delivered, PaymentId) = message.event("PaymentRefunded")?;
    let data: RefundedData = serde_json::from_value(delivered.detail.data)?;
    let restocked = data.restocked.iter();
    let restocked = restocked
        .map(|variant| (variant.variant_id, variant.quantity))
        .collect();
    let now = delivered.time;
    dynamo::change("the reservation", || async {
        let reservation = inventory.reservation(data.order_id).await?;
        let restock = reservation.and_then(|found| rules::restock(&found, &restocked, now));
        let Some(mut restock) = restock else {
            return Ok(Attempt::Done(()));
        };
        restock.reservation.event.traceparent = delivered.detail.traceparent.clone();
        Ok::<_, ConsumeError>(inventory.restock(&restock).await?.into())
    })
    .await
}
