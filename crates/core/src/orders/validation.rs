//! The shop's rules for orders: each has a name and gives a verdict, and none hides another's.

use super::model::Order;
use crate::money::{Currency, Money, MoneyError};
use crate::pricing::breakdown::Broken;
use crate::settings::{Setting, SettingError, Settings};

/// What a rule says of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The rule's name.
    pub rule: &'static str,
    /// Whether the order passes.
    pub valid: bool,
    /// Why, for programs: `ok` if it passes.
    pub code: &'static str,
    /// Why, for people.
    pub message: String,
}

/// The rules, with what they are set to.
#[derive(Clone, Debug)]
pub struct Rules {
    minimum: Money,
}

/// A rule: what it says, or why it cannot say anything. One that cannot is not passed.
type Rule = fn(&Rules, &Order) -> Result<Result<(), Objection>, MoneyError>;

struct Objection {
    code: &'static str,
    message: String,
}

/// Every rule by its name.
const RULES: [(&str, Rule); 2] = [
    ("total_is_sum_of_lines", total_is_sum_of_lines),
    ("minimum_order_amount", minimum_order_amount),
];

impl Rules {
    /// Rules that ask for a total of at least `minimum`.
    #[must_use]
    pub fn new(minimum: Money) -> Self {
        Self { minimum }
    }

    /// Rules as `settings` have them.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing, or the least amount is none in the shop's currency.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let currency: Currency = settings.read(Setting::ShopCurrency)?;
        let amount: String = settings.read(Setting::MinimumOrderAmount)?;
        let minimum = Money::parse(&amount, currency)
            .map_err(|_| SettingError::Invalid(Setting::MinimumOrderAmount.name(), amount))?;
        Ok(Self::new(minimum))
    }

    /// What every rule says of `order`.
    #[must_use]
    pub fn verdicts(&self, order: &Order) -> Vec<Verdict> {
        let verdict = |(name, rule): (&'static str, Rule)| {
            let (valid, code, message) = match rule(self, order) {
                Ok(Ok(())) => (true, "ok", String::new()),
                Ok(Err(objection)) => (false, objection.code, objection.message),
                Err(error) => (
                    false,
                    "rule_broken",
                    format!("the rule {name} broke: {error}"),
                ),
            };
            Verdict {
                rule: name,
                valid,
                code,
                message,
            }
        };
        RULES.into_iter().map(verdict).collect()
    }

    /// What speaks against `order`, all at once.
    ///
    /// # Errors
    /// The messages of the rules that it does not pass.
    pub fn check(&self, order: &Order) -> Result<(), String> {
        let verdicts = self.verdicts(order).into_iter();
        let against: Vec<String> = verdicts
            .filter(|verdict| !verdict.valid)
            .map(|verdict| verdict.message)
            .collect();
        if against.is_empty() {
            Ok(())
        } else {
            Err(against.join("; "))
        }
    }
}

fn total_is_sum_of_lines(_: &Rules, order: &Order) -> Result<Result<(), Objection>, MoneyError> {
    let objection = |message| Objection {
        code: "total_differs",
        message,
    };
    let sum = super::lines::total(order.total.currency(), &order.lines)?;
    let totals = match order.breakdown.check() {
        Ok(totals) => totals,
        Err(Broken::Money(error)) => return Err(error),
        Err(error) => return Ok(Err(objection(error.to_string()))),
    };
    if (totals.subtotal, totals.total) == (sum, order.total) {
        return Ok(Ok(()));
    }
    let total = totals.total;
    let message = format!("the lines cost {total}, the order says {}", order.total);
    Ok(Err(objection(message)))
}

fn minimum_order_amount(rules: &Rules, order: &Order) -> Result<Result<(), Objection>, MoneyError> {
    if order.total.compare(rules.minimum)?.is_ge() {
        return Ok(Ok(()));
    }
    Ok(Err(Objection {
        code: "below_minimum",
        message: format!(
            "the total of {} is below the minimum of {}",
            order.total, rules.minimum
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::fixtures::{eur, order};

    fn codes(rules: &Rules, order: &Order) -> Vec<(&'static str, bool, &'static str)> {
        let verdicts = rules.verdicts(order).into_iter();
        verdicts
            .map(|verdict| (verdict.rule, verdict.valid, verdict.code))
            .collect()
    }

    #[test]
    fn the_least_amount_itself_is_enough() {
        assert_eq!(Rules::new(order().total).check(&order()), Ok(()));
        let more = Rules::new(order().total.plus(eur("0.01")).unwrap());
        assert_eq!(
            more.check(&order()),
            Err("the total of 51.60 EUR is below the minimum of 51.61 EUR".to_owned())
        );
    }

    #[test]
    fn no_rule_hides_another_and_one_that_breaks_is_not_passed() {
        let mut wrong = order();
        wrong.total = eur("1.00");
        assert_eq!(
            codes(&Rules::new(eur("10.00")), &wrong),
            [
                ("total_is_sum_of_lines", false, "total_differs"),
                ("minimum_order_amount", false, "below_minimum"),
            ]
        );
        let dollars = Money::parse("10.00", "USD".parse().unwrap()).unwrap();
        assert_eq!(
            codes(&Rules::new(dollars), &order()),
            [
                ("total_is_sum_of_lines", true, "ok"),
                ("minimum_order_amount", false, "rule_broken"),
            ]
        );
    }

    #[test]
    fn an_amount_that_is_none_is_a_setting_that_is_not_valid() {
        let given = |amount: &str| {
            let values = [("SHOP_CURRENCY", "EUR"), ("MINIMUM_ORDER_AMOUNT", amount)];
            let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Rules::read(&Settings::Given(values.into_iter().collect()))
        };
        assert!(given("10.00").is_ok());
        let invalid = SettingError::Invalid("MINIMUM_ORDER_AMOUNT", "1.001".to_owned());
        assert_eq!(given("1.001").unwrap_err(), invalid);
    }
}
