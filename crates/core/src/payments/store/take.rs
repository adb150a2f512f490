//! Writes by which refunds take a part of a payment, and give it back.

use super::{PaymentStore, payment_key};
use crate::aws::dynamo::{StoreError, Write, minor_units, unreadable};
use crate::payments::model::{Payment, Units};
use crate::values::money::Money;

impl PaymentStore {
    /// Returns the write that takes an amount at the gateway, one of gift cards, and the pieces `units` for a refund of
    /// `payment`. It is refused if that is more than is left, if voiding has begun, or if other pieces were taken since
    /// `payment` was read; beside gift cards, also if anything else was.
    pub(in crate::payments) fn take_write(
        &self,
        payment: &Payment,
        (amount, from_cards): (Money, Money),
        units: &Units,
    ) -> Result<Write, StoreError> {
        let captured = payment.amounts.captured();
        let left = captured.minus(payment.disputed).map_err(unreadable)?;
        let most = left.minus(amount).map_err(unreadable)?;
        let has_cards = payment.gift_cards.amount.is_positive();
        let (and_cards, cards_are_same) = if has_cards {
            // How a refund is split depends on what others have taken.
            (
                ", gift_cards_refunding = gift_cards_refunding + :cards",
                " AND gift_cards_refunding = :cards_taken AND (refunding = :taken OR (attribute_not_exists(refunding) AND refunded = :taken))",
            )
        } else {
            ("", "")
        };
        let write = self.units_write(
            payment,
            &format!("refunding = if_not_exists(refunding, refunded) + :amount{and_cards}"),
            units,
            &format!(" AND (attribute_not_exists(void_requested) OR attribute_exists(reopened)) AND (disputed = :disputed OR (attribute_not_exists(disputed) AND :disputed = :none)) AND (refunding <= :most OR (attribute_not_exists(refunding) AND refunded <= :most)){cards_are_same}"),
        )?;
        let write = if has_cards {
            write
                .value(":cards", &minor_units(from_cards)?)?
                .value(":cards_taken", &minor_units(payment.gift_cards.refunding)?)?
                .value(":taken", &minor_units(payment.refunding)?)?
        } else {
            write
        };
        write
            .value(":amount", &minor_units(amount)?)?
            .value(":disputed", &minor_units(payment.disputed)?)?
            .value(":none", &0)?
            .value(":most", &minor_units(most)?)
    }

    /// Returns the write that gives back what a refund of `payment` took that has failed. It is refused if other pieces were
    /// taken since `payment` was read.
    pub(in crate::payments) fn give_back_write(
        &self,
        payment: &Payment,
        (amount, from_cards): (Money, Money),
        units: &Units,
    ) -> Result<Write, StoreError> {
        let set = "refunding = refunding - :amount";
        let write = if from_cards.is_positive() {
            let set = format!("{set}, gift_cards_refunding = gift_cards_refunding - :cards");
            let write = self.units_write(payment, &set, units, "")?;
            write.value(":cards", &minor_units(from_cards)?)?
        } else {
            self.units_write(payment, set, units, "")?
        };
        write.value(":amount", &minor_units(amount)?)
    }

    /// Returns a write that sets how many pieces are taken to `units`, if that changes anything.
    fn units_write(
        &self,
        payment: &Payment,
        set: &str,
        units: &Units,
        condition: &str,
    ) -> Result<Write, StoreError> {
        let key = payment_key(payment.id);
        let is = "attribute_exists(payment_id)";
        if *units == payment.refunded_units {
            let write = self.table.update(key, &format!("SET {set}"));
            return Ok(write.when(&format!("{is}{condition}")));
        }
        let same = if payment.refunded_units.is_empty() {
            "(attribute_not_exists(refunded_units) OR refunded_units = :were)"
        } else {
            "refunded_units = :were"
        };
        let write = self
            .table
            .update(key, &format!("SET {set}, refunded_units = :units"));
        write
            .when(&format!("{is} AND {same}{condition}"))
            .value(":units", units)?
            .value(":were", &payment.refunded_units)
    }
}
