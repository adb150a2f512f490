//! The tables whose items carry events, which audits read as a whole, a piece at a time.

use serde_dynamo::AttributeValue;

use super::model::Subject;
use super::store::FindingItem;
use crate::aws::Aws;
use crate::aws::dynamo::{Piece, StoreError, Table};
use crate::aws::settings::{Setting, SettingError};
use crate::inventory::model::order_of_reservation;
use crate::stock::model::variant_of_stock;
use crate::values::event::DomainEvent;
use crate::{catalog, customers, inventory, orders, payments, pricing, screening};

/// A table whose items carry events.
#[derive(Debug)]
pub struct Source {
    /// The `source` of its events on the bus.
    pub name: &'static str,
    setting: Setting,
    /// The attribute that names an item in the log.
    key: &'static str,
    /// The attributes that are read. An empty list stands for all of them.
    attributes: &'static [&'static str],
    published: fn(serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error>,
}

/// Every table whose items carry events, in the order in which they are read.
pub const SOURCES: [Source; 8] = [
    Source {
        name: "oxcart.orders",
        setting: Setting::OrdersTable,
        key: "order_id",
        attributes: &[],
        published: orders::events::published,
    },
    Source {
        name: "oxcart.inventory",
        setting: Setting::InventoryTable,
        key: "pk",
        attributes: &[],
        published: inventory::events::published,
    },
    Source {
        name: "oxcart.payments",
        setting: Setting::PaymentsTable,
        key: "payment_id",
        attributes: &[],
        published: payments::events::published,
    },
    Source {
        name: "oxcart.catalog",
        setting: Setting::ProductsTable,
        key: "product_id",
        attributes: &[],
        published: catalog::events::published,
    },
    // Without what is personal: an audit has no use for it.
    Source {
        name: "oxcart.customers",
        setting: Setting::CustomersTable,
        key: "pk",
        attributes: &["pk", "customer_id", "roles", "group", "event"],
        published: customers::events::published,
    },
    Source {
        name: "oxcart.pricing",
        setting: Setting::PricingTable,
        key: "pk",
        attributes: &[],
        published: pricing::events::published,
    },
    Source {
        name: "oxcart.rules",
        setting: Setting::RulesTable,
        key: "rule_name",
        attributes: &[],
        published: screening::events::published,
    },
    Source {
        name: "oxcart.integrity",
        setting: Setting::IntegrityTable,
        key: "sk",
        attributes: &[],
        published: of_finding,
    },
];

/// Returns the last event of a finding. Events that were brought back belong to other tables.
fn of_finding(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    match serde_dynamo::from_item::<_, FindingItem>(image.clone()) {
        Ok(item) if item.pk == "finding" => super::events::published(image),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The tables of [`SOURCES`], opened.
#[derive(Clone, Debug)]
pub struct Tables(Vec<Table>);

impl Tables {
    /// Opens the tables.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let tables = SOURCES.iter().map(|source| Table::new(aws, source.setting));
        tables.collect::<Result<_, _>>().map(Self)
    }

    /// Returns the last events of the next at most `most` items of table number `place`, from after the position `after`
    /// on. An item that cannot be read is logged; if it is a part of an order or is stock, the audit also has a finding
    /// of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(
        &self,
        place: usize,
        after: Option<&str>,
        most: i32,
    ) -> Result<Piece<DomainEvent>, StoreError> {
        let (Some(table), Some(source)) = (self.0.get(place), SOURCES.get(place)) else {
            return Ok(Piece {
                items: Vec::new(),
                next: None,
            });
        };
        let piece = table.scan(after, most, source.attributes).await?;
        let with_event = piece.items.into_iter();
        let with_event = with_event.filter(|item| item.contains_key("event"));
        let mut items = Vec::new();
        for item in with_event {
            let key = match item.get(source.key) {
                Some(AttributeValue::S(key)) => key.clone(),
                Some(_) | None => String::new(),
            };
            if let Ok(event) = (source.published)(item) {
                items.extend(event);
            } else {
                // The error is left out: it quotes the item, which may have personal data.
                tracing::error!(source = source.name, key, "item cannot be read");
            }
        }
        Ok(Piece {
            items,
            next: piece.next,
        })
    }
}

/// Returns the subject that is checked because `event` is the last of an item that was read; `None` if its order is read
/// anyway, or its events are all that could be checked.
#[must_use]
pub fn subject_of_item(source: &str, event: &DomainEvent) -> Option<Subject> {
    match source {
        "oxcart.orders" => event.aggregate_id.parse().ok().map(Subject::Order),
        "oxcart.inventory" => variant_of_stock(&event.aggregate_id).map(Subject::Stock),
        _ => None,
    }
}

/// Returns the subject to which an event that is not in the log belongs; `None` for the event of a finding, which would
/// become a finding of its own each time.
#[must_use]
pub fn subject_of_lost(source: &str, event: &DomainEvent) -> Option<Subject> {
    if source == "oxcart.integrity" {
        return None;
    }
    let subject = subject_of_item(source, event)
        .or_else(|| order_of_reservation(&event.aggregate_id).map(Subject::Order));
    Some(subject.unwrap_or_else(|| Subject::Aggregate(event.aggregate_id.clone())))
}
