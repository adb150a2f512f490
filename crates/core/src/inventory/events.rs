//! Published: `StockAdjusted` (`{product_id, location, on_hand, backorder}`) of the aggregate
//! `stock#<product_id>#<location>#<shard>`; `InventoryReserved`, `InventoryCommitted` and
//! `InventoryReleased` (`{order_id, lines: [{product_id, quantity}]}`) of the aggregate
//! `reservation#<order_id>`. Consumed: `ProductCreated`.

use serde::Serialize;
use serde::de::Error as _;

use crate::runtime::{ConsumeError, Message};
use crate::stock::model::stock_aggregate;
use crate::values::event::{Delivered, DomainEvent};
use crate::values::id::{OrderId, ProductId};

use super::item::{self, StoredItem};
use super::model::reservation_aggregate;
use super::rules::{self, Level};
use super::store::InventoryStore;

#[derive(Serialize)]
struct StockData {
    product_id: ProductId,
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
    product_id: ProductId,
    quantity: u64,
}

/// Returns the last event of the stock or reservation whose item is `image`.
///
/// # Errors
/// If `image` is neither stock nor a reservation.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let (aggregate, stamp, data) = match item::parse_item(image)? {
        StoredItem::Stock(stock) => {
            let data = serde_json::to_value(StockData {
                product_id: stock.product_id,
                location: stock.place.location.clone(),
                on_hand: stock.on_hand(),
                backorder: stock.backorder,
            });
            let aggregate = stock_aggregate(stock.product_id, &stock.place);
            (aggregate, stock.event, data)
        }
        StoredItem::Reservation(reservation) => {
            let lines = reservation.lines.into_iter().map(|line| LineData {
                product_id: line.product_id,
                quantity: line.quantity,
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

/// Creates the stock of a new product, at zero, unless it has stock: repeated deliveries change nothing.
///
/// # Errors
/// [`ConsumeError`]; the message has to be delivered again.
pub async fn on_product_created(
    inventory: &InventoryStore,
    message: Message,
) -> Result<(), ConsumeError> {
    let (Delivered { time, detail }, product_id) = message.event("ProductCreated")?;
    let mut stock = rules::first_stock(product_id, Level::default(), time);
    stock.event.traceparent = detail.traceparent;
    inventory.create_stock(&stock).await?;
    Ok(())
}
