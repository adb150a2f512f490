//! The checks that the ledger and the refunds say of a payment what it says itself. They are made of payments whose whole
//! life is in the ledger, not of those of earlier releases.

use super::model::OrderCase;
use crate::payments::ledger::rules::Sums;
use crate::payments::model::Payment;
use crate::payments::refunds::model::RefundStatus;
use crate::values::money::{Money, MoneyError};

/// Returns how the ledger's entries of `payment` differ from its amounts.
pub(super) fn ledger(payment: &Payment, case: &OrderCase) -> Vec<String> {
    let Some(entries) = &case.entries else {
        return Vec::new();
    };
    let expected = Sums::expected(payment);
    let found = match Sums::of(entries, payment.amount.currency()) {
        Ok(found) => found,
        Err(error) => return vec![format!("the entries cannot be added: {error}")],
    };
    let pairs = [
        ("authorised", expected.standing, found.standing),
        ("captured", expected.captured, found.captured),
        ("refunded", expected.refunded, found.refunded),
    ];
    let differing = pairs.into_iter().filter(|(_, is, says)| is != says);
    let faults =
        differing.map(|(what, is, says)| format!("{is} is {what}, but the ledger says {says}"));
    faults.collect()
}

/// Returns how the refunds of `payment` differ from what it says that they have taken and refunded.
pub(super) fn refunds(payment: &Payment, case: &OrderCase) -> Vec<String> {
    let Some(refunds) = &case.refunds else {
        return Vec::new();
    };
    let sum = |counts: &dyn Fn(RefundStatus) -> bool| -> Result<Money, MoneyError> {
        let counted = refunds.iter().filter(|refund| counts(refund.status));
        let zero = Money::zero(payment.amount.currency());
        counted
            .map(|refund| refund.amount)
            .try_fold(zero, Money::plus)
    };
    let succeeded = sum(&|status| status == RefundStatus::Succeeded);
    let taken = sum(&|status| status != RefundStatus::Failed);
    let (succeeded, taken) = match (succeeded, taken) {
        (Ok(succeeded), Ok(taken)) => (succeeded, taken),
        (Err(error), _) | (_, Err(error)) => {
            return vec![format!("the refunds cannot be added: {error}")];
        }
    };
    let cards = payment.gift_cards;
    let refunded = payment.amounts.refunded().plus(cards.refunded);
    let refunding = payment.refunding.plus(cards.refunding);
    let (refunded, refunding) = match (refunded, refunding) {
        (Ok(refunded), Ok(refunding)) => (refunded, refunding),
        (Err(error), _) | (_, Err(error)) => {
            return vec![format!("the amounts cannot be added: {error}")];
        }
    };
    let pairs = [
        ("refunded", refunded, succeeded),
        ("being refunded or refunded", refunding, taken),
    ];
    let differing = pairs.into_iter().filter(|(_, is, says)| is != says);
    let faults =
        differing.map(|(what, is, says)| format!("{is} is {what}, but the refunds say {says}"));
    faults.collect()
}
