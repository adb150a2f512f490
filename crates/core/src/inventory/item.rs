//! The stored shape of reservations, and what the table's items are.

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use super::model::{Reservation, ReservationStatus, ReservedLine, reservation_aggregate};
use crate::stock::model::{Place, Stock};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, VariantId};

/// The version of the shape of the items that are written now.
const SCHEMA: u32 = 1;

/// The number of shards of the index of open reservations.
pub(super) const OPEN_SHARDS: u32 = 4;

/// The sort key of every reservation.
pub(super) const RESERVATION_SORT_KEY: &str = "reservation";

/// A reservation as stored. Five lines fit in one write unit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReservationItem {
    pk: String,
    sk: String,
    order_id: OrderId,
    status: ReservationStatus,
    lines: Vec<LineItem>,
    version: u64,
    schema: u32,
    created_at: Time,
    updated_at: Time,
    event: Stamp,
    /// The key of the index of open reservations, absent once the reservation is not open any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open_shard: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineItem {
    /// The name is that of earlier releases, in which products had no variants.
    #[serde(rename = "product_id")]
    variant_id: VariantId,
    location: String,
    shard: u32,
    quantity: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    restocked: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(quantity: &u64) -> bool {
    *quantity == 0
}

impl ReservationItem {
    pub(super) fn new(reservation: &Reservation) -> Self {
        let lines = reservation.lines.iter().map(|line| LineItem {
            variant_id: line.variant_id,
            location: line.place.location.clone(),
            shard: line.place.shard,
            quantity: line.quantity,
            restocked: line.restocked,
        });
        Self {
            pk: reservation_aggregate(reservation.order_id),
            sk: RESERVATION_SORT_KEY.to_owned(),
            order_id: reservation.order_id,
            status: reservation.status,
            lines: lines.collect(),
            version: reservation.version,
            schema: SCHEMA,
            created_at: reservation.created_at,
            updated_at: reservation.updated_at,
            event: reservation.event.clone(),
            open_shard: reservation.status.is_open().then(|| {
                let shard = reservation.order_id.shard(OPEN_SHARDS);
                shard.to_string()
            }),
        }
    }
}

impl From<LineItem> for ReservedLine {
    fn from(item: LineItem) -> Self {
        Self {
            variant_id: item.variant_id,
            place: Place {
                location: item.location,
                shard: item.shard,
            },
            quantity: item.quantity,
            restocked: item.restocked,
        }
    }
}

impl From<ReservationItem> for Reservation {
    fn from(item: ReservationItem) -> Self {
        let lines = item.lines.into_iter().map(ReservedLine::from);
        Self {
            order_id: item.order_id,
            status: item.status,
            lines: lines.collect(),
            version: item.version,
            created_at: item.created_at,
            updated_at: item.updated_at,
            event: item.event,
        }
    }
}

/// An item of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StoredItem {
    /// Stock at one place.
    Stock(Stock),
    /// A reservation.
    Reservation(Reservation),
}

/// Reads the item `image`.
///
/// # Errors
/// If it is neither stock nor a reservation.
pub(super) fn parse_item(image: serde_dynamo::Item) -> Result<StoredItem, serde_dynamo::Error> {
    let reservation = AttributeValue::S(RESERVATION_SORT_KEY.to_owned());
    if image.get("sk") == Some(&reservation) {
        let item: ReservationItem = serde_dynamo::from_item(image)?;
        return Ok(StoredItem::Reservation(item.into()));
    }
    Ok(StoredItem::Stock(Stock::from_image(image)?))
}
