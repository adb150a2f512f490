//! The stored shapes of gift cards. They live for years: a new attribute is optional, and no attribute changes its meaning.

use serde::{Deserialize, Serialize};

use super::model::GiftCard;
use crate::aws::dynamo::{minor_units, unreadable};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, GiftCardId, OrderId};
use crate::values::money::{Currency, Money};

/// The version of the shape of all items.
pub(super) const SCHEMA: u32 = 1;

/// The sort key of a card.
pub(super) const CARD: &str = "card";
/// The sort key of what leads from a code to its card.
pub(super) const CODE: &str = "code";

/// A card as stored; amounts are in the currency's smallest unit, so that write conditions can compare them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CardItem {
    pub(super) gift_card_id: GiftCardId,
    pub(super) part: String,
    pub(super) currency: Currency,
    pub(super) issued: u64,
    pub(super) balance: u64,
    pub(super) last_four: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customer_id: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Time>,
    pub(super) request_hash: String,
    pub(super) schema: u32,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
}

/// What leads from a code to its card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CodeItem {
    pub(super) gift_card_id: String,
    pub(super) part: String,
    pub(super) card: GiftCardId,
    pub(super) schema: u32,
}

/// What an order took from a card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RedemptionItem {
    pub(super) gift_card_id: GiftCardId,
    pub(super) part: String,
    pub(super) order_id: OrderId,
    pub(super) currency: Currency,
    pub(super) amount: u64,
    /// How much has come back.
    pub(super) returned: u64,
    /// Counts the changes, from 1.
    pub(super) version: u64,
    pub(super) schema: u32,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
}

impl CardItem {
    pub(super) fn new(card: &GiftCard) -> Result<Self, serde_dynamo::Error> {
        Ok(Self {
            gift_card_id: card.id,
            part: CARD.to_owned(),
            currency: card.issued.currency(),
            issued: minor_units(card.issued)?,
            balance: minor_units(card.balance)?,
            last_four: card.last_four.clone(),
            customer_id: card.customer_id,
            expires_at: card.expires_at,
            request_hash: card.request_hash.clone(),
            schema: SCHEMA,
            created_at: card.created_at,
            updated_at: card.updated_at,
        })
    }

    pub(super) fn into_card(self) -> Result<GiftCard, serde_dynamo::Error> {
        let money = |units| Money::from_minor_units(units, self.currency).map_err(unreadable);
        Ok(GiftCard {
            id: self.gift_card_id,
            issued: money(self.issued)?,
            balance: money(self.balance)?,
            last_four: self.last_four,
            customer_id: self.customer_id,
            expires_at: self.expires_at,
            request_hash: self.request_hash,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// An item in the partition of a card.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OfCardItem {
    Order(RedemptionItem),
    Card(CardItem),
}
