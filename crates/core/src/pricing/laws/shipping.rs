//! Laws of the price of shipping.

use super::*;
use crate::pricing::breakdown::PricedShipping;
use crate::pricing::shipping::FreeFromBasis;

/// Returns shipping as it is priced in `case`, if any of the goods are shipped.
fn shipping(case: &Case, discounts: &[Discount]) -> Option<PricedShipping> {
    priced(case, discounts, &case.taxes).shipping
}

fn stackable(case: &Case) -> Vec<Discount> {
    let discounts = case.discounts.iter();
    let discounts = discounts.filter(|discount| discount.terms.stackable);
    discounts.cloned().collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_not_shipped_does_not_change_the_price_of_shipping(case in case(false)) {
        let mut parcel = case.clone();
        parcel.lines.retain(|line| line.shipped);
        let with = shipping(&case, &[]).map(|part| part.price);
        let without = shipping(&parcel, &[]).map(|part| part.price);
        prop_assert_eq!(with, without);
        prop_assert_eq!(with.is_some(), !parcel.lines.is_empty());
    }

    #[test]
    fn shipping_is_free_if_and_only_if_the_goods_cost_enough(
        case in case(false),
        units in 0_u64..=5_000_000,
        after in any::<bool>(),
    ) {
        let mut case = case;
        let full = shipping(&case, &[]).map(|part| part.price);
        let discounts = if after { stackable(&case) } else { case.discounts.clone() };
        let breakdown = priced(&case, &discounts, &case.taxes);
        let lines = case.lines.iter().zip(&breakdown.lines).filter(|(line, _)| line.shipped);
        let left = lines.map(|(_, priced)| {
            let off = Money::sum(case.currency, priced.discounts.iter().map(|share| share.amount));
            let off = if after { off.unwrap() } else { Money::zero(case.currency) };
            priced.subtotal.minus(off).unwrap()
        });
        let left = Money::sum(case.currency, left).unwrap();
        let from = money(units, case.currency);
        case.shipping.free_from = Some(from);
        case.shipping.free_from_basis = if after {
            FreeFromBasis::AfterDiscounts
        } else {
            FreeFromBasis::BeforeDiscounts
        };
        let price = shipping(&case, &discounts).map(|part| part.price);
        let is_free = left.compare(from).unwrap().is_ge();
        let expected = full.map(|full| if is_free { Money::zero(case.currency) } else { full });
        prop_assert_eq!(price, expected);
    }

    #[test]
    fn the_order_of_the_zones_does_not_matter(case in case(false), by in 0_usize..4) {
        let mut other = case.clone();
        let count = other.shipping.zones.len().max(1);
        other.shipping.zones.rotate_left(by % count);
        prop_assert_eq!(shipping(&case, &case.discounts), shipping(&other, &case.discounts));
    }
}
