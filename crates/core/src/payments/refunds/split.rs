//! How a refund is split between the gateway and gift cards, so that it goes back where it came from.

use crate::payments::model::Payment;
use crate::values::money::{Money, MoneyError};

/// Returns how much of a refund of `amount` goes to gift cards: of all that refunds have taken together, the share that they
/// paid of the order, rounded down to the smallest unit. So refunds of everything, in whichever amounts, return to the
/// gateway and to the cards exactly what each paid. The one never gets what is the other's, except where a refund that
/// failed or a dispute has left too little of it.
///
/// # Errors
/// [`MoneyError`] if the amounts are in different currencies, or `amount` is more than is left.
pub fn to_gift_cards(payment: &Payment, amount: Money) -> Result<Money, MoneyError> {
    let part = payment.gift_cards;
    if part.amount.is_zero() {
        return Ok(Money::zero(amount.currency()));
    }
    let total = payment.amount.plus(part.amount)?;
    let taken = payment.refunding.plus(part.refunding)?.plus(amount)?;
    let share = share(part.amount, taken, total)?;
    // What the gateway has not, the cards have to return.
    let least = excess(amount, payment.left_at_gateway()?)?;
    let most = lesser(amount, part.left()?)?;
    let wanted = excess(share, part.refunding)?;
    lesser(
        if wanted.compare(least)?.is_lt() {
            least
        } else {
            wanted
        },
        most,
    )
}

/// Returns `part * taken / total`, rounded down to the smallest unit.
fn share(part: Money, taken: Money, total: Money) -> Result<Money, MoneyError> {
    let units = |money: Money| {
        money
            .minor_units()
            .ok_or(MoneyError::NoParts)
            .map(u128::from)
    };
    let share = units(part)? * units(taken)? / units(total)?.max(1);
    let share = u64::try_from(share).map_err(|_| MoneyError::TooLarge)?;
    Money::from_minor_units(share, part.currency())
}

/// Returns by how much `amount` is more than `other`, or zero.
fn excess(amount: Money, other: Money) -> Result<Money, MoneyError> {
    let more = amount.minus(other)?;
    let zero = Money::zero(amount.currency());
    Ok(if more.is_positive() { more } else { zero })
}

fn lesser(one: Money, other: Money) -> Result<Money, MoneyError> {
    Ok(if one.compare(other)?.is_lt() {
        one
    } else {
        other
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::orders::model::PaymentStatus;
    use crate::payments::fixtures;
    use crate::payments::model::{Amounts, Provider};

    fn money(units: u64) -> Money {
        Money::from_minor_units(units, "EUR".parse().unwrap()).unwrap()
    }

    /// Returns the payment of an order of which the gateway took `at_gateway`, and gift cards paid `by_cards`.
    fn paid(at_gateway: u64, by_cards: u64) -> Payment {
        let order = fixtures::order("tok_ok");
        let amount = money(at_gateway);
        let begun = Payment::begin(order.id, amount, Provider::Sandbox, order.created_at);
        Payment {
            status: PaymentStatus::Completed,
            amounts: Amounts::new(amount, amount, money(0)).unwrap(),
            ..begun.beside_gift_cards(money(by_cards))
        }
    }

    #[test]
    fn a_refund_is_split_by_what_each_paid() {
        let payment = paid(1000, 3000);
        assert_eq!(to_gift_cards(&payment, money(400)), Ok(money(300)));
        assert_eq!(to_gift_cards(&payment, money(1)), Ok(money(0)));
        assert_eq!(to_gift_cards(&paid(0, 3000), money(7)), Ok(money(7)));
        assert_eq!(to_gift_cards(&paid(3000, 0), money(7)), Ok(money(0)));
        let disputed = Payment {
            disputed: money(1000),
            ..payment
        };
        assert_eq!(to_gift_cards(&disputed, money(400)), Ok(money(400)));
    }

    proptest! {
        #[test]
        fn all_refunds_return_to_each_what_it_paid(
            at_gateway in 0_u64..100_000,
            by_cards in 0_u64..100_000,
            wanted in prop::collection::vec((1_u64..30_000, any::<bool>()), 0..20),
        ) {
            let mut payment = paid(at_gateway, by_cards);
            let mut failed = false;
            // At the end, all that is left.
            for (units, fails) in wanted.into_iter().chain([(u64::MAX, false)]) {
                let left = payment.left_to_refund().unwrap();
                let amount = money(units.min(left.minor_units().unwrap()));
                let cards = to_gift_cards(&payment, amount).unwrap();
                let gateway = amount.minus(cards).unwrap();
                let zero = money(0);
                prop_assert!(cards.compare(zero).unwrap().is_ge());
                prop_assert!(gateway.compare(zero).unwrap().is_ge());
                prop_assert!(cards.compare(payment.gift_cards.left().unwrap()).unwrap().is_le());
                prop_assert!(gateway.compare(payment.left_at_gateway().unwrap()).unwrap().is_le());
                if fails {
                    // What one took that fails is given back, after others have taken theirs.
                    failed = true;
                    continue;
                }
                payment.refunding = payment.refunding.plus(gateway).unwrap();
                payment.gift_cards.refunding = payment.gift_cards.refunding.plus(cards).unwrap();
                let taken = payment.refunding.plus(payment.gift_cards.refunding).unwrap();
                let total = money(at_gateway + by_cards);
                if !failed {
                    let exact = share(money(by_cards), taken, total).unwrap();
                    prop_assert_eq!(payment.gift_cards.refunding, exact);
                }
            }
            prop_assert_eq!(payment.refunding, money(at_gateway));
            prop_assert_eq!(payment.gift_cards.refunding, money(by_cards));
        }
    }
}
