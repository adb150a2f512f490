//! Gift cards in DynamoDB.
//!
//! Items, by `gift_card_id` and `part`: `<id>`, `card` is the card with its balance; `<id>`, `order#<order_id>` is what an
//! order took from it, and how much of that has come back; `code#<hash of the code>`, `code` leads from a code to its card,
//! in a consistent read. None of them is ever deleted.

use std::collections::HashMap;

use super::code::GiftCardCode;
use super::image::RedemptionImage;
use super::item::{CARD, CODE, CardItem, CodeItem, OfCardItem, RedemptionItem, SCHEMA};
use super::model::GiftCard;
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Key, StoreError, Table, Write, Written, minor_units};
use crate::aws::settings::{Setting, SettingError};
use crate::orders::redemptions::Redemption;
use crate::values::clock::Time;
use crate::values::id::{GiftCardId, OrderId};
use crate::values::money::Money;

/// The table of gift cards.
#[derive(Clone, Debug)]
pub struct GiftCardStore {
    table: Table,
}

fn card_key(id: GiftCardId) -> Key {
    Key::new("gift_card_id", id).and("part", CARD)
}

fn order_part(order: OrderId) -> String {
    format!("order#{order}")
}

fn order_key(id: GiftCardId, order: OrderId) -> Key {
    Key::new("gift_card_id", id).and("part", order_part(order))
}

/// Returns the partition key of what leads from `code` to its card.
fn code_partition(code: &GiftCardCode) -> String {
    format!("code#{}", code.hash())
}

impl GiftCardStore {
    /// Opens the table that the setting `GIFT_CARDS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::GiftCardsTable)?,
        })
    }

    /// Stores a new `card` that has `code`. Refused if there is a card with its id or its code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(
        &self,
        card: &GiftCard,
        code: &GiftCardCode,
    ) -> Result<Written, StoreError> {
        let absent = "attribute_not_exists(gift_card_id)";
        let of_code = CodeItem {
            gift_card_id: code_partition(code),
            part: CODE.to_owned(),
            card: card.id,
            schema: SCHEMA,
        };
        let card = self.table.put(&CardItem::new(card)?)?.when(absent);
        let of_code = self.table.put(&of_code)?.when(absent);
        self.table.transact(vec![card, of_code]).await
    }

    /// Returns the card with `id`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: GiftCardId) -> Result<Option<GiftCard>, StoreError> {
        let found: Option<CardItem> = self.table.get(card_key(id)).await?;
        Ok(found.map(CardItem::into_card).transpose()?)
    }

    /// Returns the card of each of `codes`, read consistently; `None` for a code that no card has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_codes(
        &self,
        codes: &[GiftCardCode],
    ) -> Result<Vec<Option<GiftCard>>, StoreError> {
        let keys = codes
            .iter()
            .map(|code| Key::new("gift_card_id", code_partition(code)).and("part", CODE));
        let leads: Vec<CodeItem> = self.table.get_many(keys.collect(), true).await?;
        let keys = leads.iter().map(|lead| card_key(lead.card));
        let items: Vec<CardItem> = self.table.get_many(keys.collect(), true).await?;
        let mut cards = HashMap::new();
        for item in items {
            let card = item.into_card()?;
            cards.insert(card.id, card);
        }
        let by_code: HashMap<String, GiftCardId> = leads
            .into_iter()
            .map(|lead| (lead.gift_card_id, lead.card))
            .collect();
        let found = codes.iter().map(|code| {
            let id = by_code.get(&code_partition(code))?;
            cards.get(id).cloned()
        });
        Ok(found.collect())
    }

    /// Returns the card with `id` and what orders took from it, read consistently; the orders are `None` if there are more than
    /// `most`. Returns `None` if there is no such card.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn with_orders(
        &self,
        id: GiftCardId,
        most: usize,
    ) -> Result<Option<(GiftCard, Option<Vec<RedemptionImage>>)>, StoreError> {
        let query = self.table.query("gift_card_id = :card").value(":card", id);
        // The card is one of them.
        let items: Vec<OfCardItem> = query.consistent().first(most + 2).await?;
        let are_all = items.len() < most + 2;
        let mut card = None;
        let mut orders = Vec::new();
        for item in items {
            match item {
                OfCardItem::Card(item) => card = Some(item.into_card()?),
                OfCardItem::Order(item) => orders.push(RedemptionImage::of(item)?),
            }
        }
        Ok(card.map(|card| (card, are_all.then_some(orders))))
    }

    /// Returns the writes by which `order` takes `redemption` at `now`: they are refused if less than that is left on the
    /// card, or the order has taken from it before.
    ///
    /// # Errors
    /// [`StoreError::Shape`] if the amount is less than zero.
    pub fn take(
        &self,
        order: OrderId,
        redemption: &Redemption,
        now: Time,
    ) -> Result<[Write; 2], StoreError> {
        let amount = minor_units(redemption.amount)?;
        let record = RedemptionItem {
            gift_card_id: redemption.card,
            part: order_part(order),
            order_id: order,
            currency: redemption.amount.currency(),
            amount,
            returned: 0,
            version: 1,
            schema: SCHEMA,
            created_at: now,
            updated_at: now,
        };
        let record = self.table.put(&record)?;
        let record = record.when("attribute_not_exists(gift_card_id)");
        let set = "SET balance = balance - :amount, updated_at = :now";
        let card = self.table.update(card_key(redemption.card), set);
        let card = card.when("balance >= :amount");
        let card = card.value(":amount", &amount)?.value(":now", &now)?;
        Ok([card, record])
    }

    /// Brings what has come back of what `order` took from `card` up to `total`. If that much has come back, nothing
    /// changes; so however often and in whichever order this is called, the most counts.
    ///
    /// # Errors
    /// [`StoreError`], also if the order took nothing from the card.
    pub async fn bring_back(
        &self,
        card: GiftCardId,
        order: OrderId,
        total: Money,
        now: Time,
    ) -> Result<(), StoreError> {
        let total = minor_units(total)?;
        dynamo::change("the gift card", || async {
            let key = order_key(card, order);
            let stored: Option<RedemptionItem> = self.table.get(key.clone()).await?;
            let stored = stored.ok_or_else(|| {
                StoreError::unreadable("what an order took from a gift card is missing")
            })?;
            let total = total.min(stored.amount);
            let Some(more) = total.checked_sub(stored.returned).filter(|more| *more > 0) else {
                return Ok(Attempt::Done(()));
            };
            let record = self
                .table
                .update(
                    key,
                    "SET returned = :total, version = :next, updated_at = :now",
                )
                .when("version = :read")
                .value(":total", &total)?
                .value(":next", &(stored.version + 1))?
                .value(":now", &now.no_earlier_than(stored.updated_at))?
                .value(":read", &stored.version)?;
            let balance = self
                .table
                .update(
                    card_key(card),
                    "SET balance = balance + :more, updated_at = :now",
                )
                .when("attribute_exists(gift_card_id)")
                .value(":more", &more)?
                .value(":now", &now)?;
            let written = self.table.transact(vec![record, balance]).await?;
            Ok::<_, StoreError>(Attempt::from(written))
        })
        .await
    }
}

#[cfg(test)]
impl GiftCardStore {
    /// Makes `writes` as the transaction that stores an order would.
    pub(crate) async fn write_all(&self, writes: Vec<Write>) {
        assert_eq!(self.table.transact(writes).await.unwrap(), Written::Done);
    }
}
