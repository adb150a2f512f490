//! Discount conditions: expressions over an order before discounts, shipping and tax.

use super::cart::CartLine;
use super::model::{Discount, Refusal};
use super::tax::Destination;
use crate::screening::cel::{CompileError, Expression};
use crate::screening::view::{CustomerView, Fact, Facts, LineView, OrderView, TotalsView, View};
use crate::values::clock::Time;
use crate::values::id::CustomerId;
use crate::values::money::{Currency, Money, MoneyError};

/// Compiles the condition `source`, whose amounts are in `currency`.
///
/// # Errors
/// Returns [`CompileError`] if `source` is not a valid expression, or reads a fact that is not known when
/// an order is priced.
pub fn compile(source: &str, currency: Currency) -> Result<Expression, CompileError> {
    Expression::compile_priced(source, currency)
}

/// Returns the facts that conditions can read: the lines, the destination, the customer, and what the
/// lines cost as the totals.
///
/// # Errors
/// Returns [`MoneyError`] if the sum of the lines exceeds what [`Money`] can hold.
pub fn facts(
    lines: &[CartLine],
    destination: &Destination,
    customer: Option<CustomerId>,
    currency: Currency,
    now: Time,
) -> Result<Facts, MoneyError> {
    let viewed = lines.iter().map(|line| {
        Ok(LineView {
            product_id: line.product_id,
            variant_id: line.variant_id,
            category: Some(line.category.to_string()),
            quantity: line.quantity,
            unit_price: line.unit_price,
            subtotal: line.subtotal()?,
            ordered_today: Fact::Absent,
        })
    });
    let viewed: Vec<LineView> = viewed.collect::<Result<_, MoneyError>>()?;
    let subtotal = Money::sum(currency, viewed.iter().map(|line| line.subtotal))?;
    Facts::new(&View {
        order: OrderView {
            lines: viewed,
            country: Some(destination.country.clone()),
            region: destination.region.clone(),
            postal_code: None,
            created_at: now,
        },
        customer: CustomerView {
            id: customer,
            is_guest: customer.is_none(),
            ..CustomerView::default()
        },
        totals: TotalsView {
            subtotal,
            discount: None,
            shipping: None,
            tax: None,
            total: subtotal,
        },
    })
}

/// Checks that the order with `facts` meets the condition of `discount`, if it has one. Its amounts are in the discount's
/// currency, or in `shop_currency` if it names none. A condition that cannot be evaluated is not met, such as one with
/// amounts in another currency than the order's.
///
/// # Errors
/// Returns [`Refusal::ConditionNotMet`] if it does not.
pub fn met(discount: &Discount, facts: &Facts, shop_currency: Currency) -> Result<(), Refusal> {
    let Some(source) = &discount.terms.condition else {
        return Ok(());
    };
    let currency = discount.terms.currency.unwrap_or(shop_currency);
    let holds = compile(source, currency).map(|condition| condition.holds(facts));
    match holds {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false) | Err(_)) | Err(_) => Err(Refusal::ConditionNotMet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::fixtures::{discount, line, noon, percent};

    #[test]
    fn a_condition_sees_the_order_before_discounts() {
        let lines = [line("tea", 3, "5.00"), line("cup", 1, "10.00")];
        let destination = Destination {
            country: "AT".to_owned(),
            region: None,
            postal_code: None,
            tax_number: None,
        };
        let euro = "EUR".parse().unwrap();
        let facts = facts(&lines, &destination, None, euro, noon()).unwrap();
        for (condition, expected) in [
            ("order.country == 'AT'", Ok(())),
            ("order.item_count == 4 && customer.is_guest", Ok(())),
            ("totals.subtotal == money('25.00')", Ok(())),
            ("order.lines.exists(line, line.category == 'tea')", Ok(())),
            ("order.country == 'DE'", Err(Refusal::ConditionNotMet)),
            // A condition that reads an absent fact, or that no longer compiles, is not met.
            ("order.region == 'Wien'", Err(Refusal::ConditionNotMet)),
            ("order.colour == 'red'", Err(Refusal::ConditionNotMet)),
        ] {
            let mut conditional = discount("conditional", percent("0.1"));
            conditional.terms.condition = Some(condition.to_owned());
            assert_eq!(met(&conditional, &facts, euro), expected, "{condition}");
        }
    }

    #[test]
    fn a_condition_with_amounts_is_for_orders_in_their_currency() {
        let [euro, yen] = ["EUR", "JPY"].map(|code| code.parse().unwrap());
        let to = Destination {
            country: "JP".to_owned(),
            region: None,
            postal_code: None,
            tax_number: None,
        };
        let facts = facts(&[line("tea", 1, "5000.00")], &to, None, euro, noon()).unwrap();
        let mut conditional = discount("conditional", percent("0.1"));
        for (condition, own, shop, is_met) in [
            ("totals.subtotal >= money('5000')", None, euro, true),
            ("totals.subtotal >= money('5000')", None, yen, false),
            ("totals.subtotal >= money('5000')", Some(euro), yen, true),
            ("totals.subtotal >= money('5000')", Some(yen), euro, false),
            ("order.country == 'JP'", None, yen, true),
            ("totals.subtotal == order.total", None, yen, true),
        ] {
            conditional.terms.condition = Some(condition.to_owned());
            conditional.terms.currency = own;
            let met = met(&conditional, &facts, shop).is_ok();
            assert_eq!(met, is_met, "{condition} {own:?} {shop}");
        }
    }

    #[test]
    fn a_condition_reads_only_facts_that_are_known_when_an_order_is_priced() {
        let euro = "EUR".parse().unwrap();
        assert!(compile("order.item_count > 2", euro).is_ok());
        for (source, place) in [
            (
                "customer.orders_placed == 0",
                "column 9: customer.orders_placed",
            ),
            ("'admin' in customer.roles", "column 20: customer.roles"),
            (
                "has(customer.registered_at)",
                "column 4: customer.registered_at",
            ),
            (
                "customer.orders_today == 0",
                "column 9: customer.orders_today",
            ),
            (
                "customer.is_guest || customer.spent_today < money('50')",
                "column 30: customer.spent_today",
            ),
            (
                "order.lines.all(line, !has(line.ordered_today))",
                "column 27: line.ordered_today",
            ),
            ("order.postal_code == '1070'", "column 6: order.postal_code"),
            ("totals.discount > money('1')", "column 7: totals.discount"),
            ("totals.shipping > money('1')", "column 7: totals.shipping"),
            ("totals.tax > money('1')", "column 7: totals.tax"),
        ] {
            let refused = compile(source, euro).unwrap_err().to_string();
            let expected = format!("line 1, {place} is not known when an order is priced");
            assert_eq!(refused, expected);
            assert!(Expression::compile(source, euro).is_ok(), "{source}");
        }
        let broken = compile("order.item_count >", euro);
        assert!(broken.is_err());
    }
}
