//! The check that gift cards have what their orders say.

use super::model::{GiftCardCase, OrderCase};
use crate::orders::gift_cards::image::RedemptionImage;
use crate::orders::model::Course;
use crate::orders::redemptions::Redemption;
use crate::values::money::{Money, MoneyError};

/// Returns how the gift cards of a settled order differ from what it says, and from what all their orders say.
pub(super) fn faults(case: &OrderCase) -> Vec<String> {
    match differences(case) {
        Ok(faults) => faults,
        Err(error) => vec![format!("the gift cards cannot be added: {error}")],
    }
}

fn differences(case: &OrderCase) -> Result<Vec<String>, MoneyError> {
    let mut faults = Vec::new();
    let zero = Money::zero(case.order.total.currency());
    let (mut returned, mut are_known) = (zero, true);
    for redemption in &case.order.gift_cards {
        let (card, took) = (redemption.card, redemption.amount);
        let Some(found) = of(case, redemption) else {
            faults.push(format!("gift card {card} is missing"));
            are_known = false;
            continue;
        };
        let Some(orders) = &found.orders else {
            are_known = false;
            continue;
        };
        faults.extend(balance_differs(found, orders)?);
        if let Some(taken) = orders.iter().find(|taken| taken.order_id == case.order.id) {
            returned = returned.plus(taken.returned)?;
            if taken.amount != took {
                let says = taken.amount;
                faults.push(format!(
                    "{took} is taken from gift card {card}, which says {says}"
                ));
            }
        } else {
            faults.push(format!(
                "gift card {card} does not know that {took} is taken"
            ));
            are_known = false;
        }
    }
    let expected = match (case.order.status.course(), &case.payment) {
        (Course::Closed, _) => case.order.paid_by_gift_cards()?,
        (Course::Confirmed, Some(payment)) => payment.gift_cards.refunded,
        (Course::Confirmed, None) | (Course::Undecided, _) => returned,
    };
    if are_known && returned != expected {
        faults.push(format!(
            "{returned} has come back to gift cards, but {expected} should have"
        ));
    }
    Ok(faults)
}

fn of<'a>(case: &'a OrderCase, redemption: &Redemption) -> Option<&'a GiftCardCase> {
    let mut cards = case.gift_cards.iter();
    cards.find(|found| found.card.id == redemption.card)
}

/// Returns how the balance of a card differs from what is left of it after `orders`, all that took from it.
fn balance_differs(
    found: &GiftCardCase,
    orders: &[RedemptionImage],
) -> Result<Option<String>, MoneyError> {
    let mut left = found.card.issued;
    for taken in orders {
        left = left.minus(taken.amount)?.plus(taken.returned)?;
    }
    let (id, balance) = (found.card.id, found.card.balance);
    Ok((left != balance).then(|| {
        format!("the balance of gift card {id} is {balance}, but its orders leave {left}")
    }))
}
