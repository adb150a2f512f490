//! The items of gift cards, as an image of their table's stream has them.

use serde_dynamo::AttributeValue;

use super::item::{CARD, CODE, CardItem, RedemptionItem};
use crate::aws::dynamo::unreadable;
use crate::values::clock::Time;
use crate::values::id::{GiftCardId, OrderId};
use crate::values::money::Money;

/// An item of the table of gift cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GiftCardImage {
    /// A card.
    Card {
        /// Its id.
        id: GiftCardId,
        /// What it was issued with.
        issued: Money,
        /// When it was issued.
        at: Time,
    },
    /// What leads from a code to its card.
    Code,
    /// What an order took from a card.
    Redemption(RedemptionImage),
}

/// What an order took from a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionImage {
    /// The card.
    pub card: GiftCardId,
    /// The order.
    pub order_id: OrderId,
    /// How much it took.
    pub amount: Money,
    /// How much of that has come back.
    pub returned: Money,
    /// Counts the changes, from 1.
    pub version: u64,
    /// When it last changed.
    pub at: Time,
}

impl GiftCardImage {
    /// Reads `image`.
    ///
    /// # Errors
    /// If it is not an item of the table.
    pub fn read(image: serde_dynamo::Item) -> Result<Self, serde_dynamo::Error> {
        let part = match image.get("part") {
            Some(AttributeValue::S(part)) => part.clone(),
            Some(_) | None => return Err(unreadable("an item has no part")),
        };
        match part.as_str() {
            CARD => {
                let card: CardItem = serde_dynamo::from_item(image)?;
                let card = card.into_card()?;
                Ok(Self::Card {
                    id: card.id,
                    issued: card.issued,
                    at: card.created_at,
                })
            }
            CODE => Ok(Self::Code),
            _ => {
                let item: RedemptionItem = serde_dynamo::from_item(image)?;
                RedemptionImage::of(item).map(Self::Redemption)
            }
        }
    }
}

impl RedemptionImage {
    /// Returns what `item` says.
    pub(super) fn of(item: RedemptionItem) -> Result<Self, serde_dynamo::Error> {
        let money = |units| Money::from_minor_units(units, item.currency).map_err(unreadable);
        Ok(Self {
            card: item.gift_card_id,
            order_id: item.order_id,
            amount: money(item.amount)?,
            returned: money(item.returned)?,
            version: item.version,
            at: item.updated_at,
        })
    }
}
