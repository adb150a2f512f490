//! The law of refunds: all pieces of an order are worth what was captured.

use proptest::prelude::*;

use super::{Case, case, config, priced};
use crate::orders::lines::Item;
use crate::orders::model::{Line, Order, PaymentStatus};
use crate::payments::fixtures;
use crate::payments::model::{Amounts, Payment, Provider};
use crate::payments::refunds::model::RefundError;
use crate::payments::refunds::rules::{Draft, Wanted, take};

/// Returns the order of a case. Its lines are of variants of their own.
fn order(case: &Case) -> Order {
    let breakdown = priced(case, &case.discounts, &case.taxes);
    let lines = case.lines.iter().enumerate().map(|(at, line)| Line {
        product_id: line.product_id,
        variant_id: crate::values::id::VariantId::derived(&[&at.to_string()]),
        sku: None,
        name: "Kettle".to_owned(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        price_list: None,
    });
    Order {
        lines: lines.collect(),
        total: breakdown.totals().unwrap().total,
        breakdown,
        ..fixtures::order("tok_ok")
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn refunding_all_pieces_in_any_order_gives_back_what_was_captured(
        case in prop_oneof![case(true), case(false)],
        picks in prop::collection::vec((any::<prop::sample::Index>(), 1_u32..400), 60),
    ) {
        let order = order(&case);
        let total = order.total;
        let now = order.created_at;
        let mut payment = Payment {
            status: PaymentStatus::Completed,
            amounts: Amounts::new(total, total, total.minus(total).unwrap()).unwrap(),
            ..Payment::begin(order.id, total, Provider::Sandbox, now)
        };
        // Some pieces, and then line by line what is left.
        let all = (0..order.lines.len()).map(|at| (at, u32::MAX));
        let picks = picks.iter().map(|(at, quantity)| (at.index(order.lines.len()), *quantity));
        for (at, quantity) in picks.chain(all) {
            let line = &order.lines[at];
            let taken = payment.refunded_units.get(&line.variant_id).copied().unwrap_or(0);
            let quantity = quantity.min(line.quantity - taken);
            if quantity == 0 {
                continue;
            }
            let item = Item { product_id: None, variant_id: Some(line.variant_id), quantity };
            let draft = Draft { wanted: Wanted::Lines(vec![item]), reason: None, restock: false };
            match take(&payment, &order, &draft) {
                Ok(taken) => {
                    payment.refunding = payment.refunding.plus(taken.amount).unwrap();
                    *payment.refunded_units.entry(line.variant_id).or_default() += quantity;
                }
                Err(RefundError::Worthless) => {}
                Err(other) => panic!("{other}"),
            }
        }
        prop_assert_eq!(payment.refunding, total);
    }
}
