//! What of an order's total is charged for each of its lines.

use super::{Breakdown, after_discounts};
use crate::pricing::tax::Tax;
use crate::values::money::{Money, MoneyError};

impl Breakdown {
    /// Returns what is charged for each line: its price after discounts, the taxes that are added to it, and its share of
    /// shipping in proportion to that (the largest remainder method). If no line costs anything, all have the same share.
    /// The charges add up to the total of [`Breakdown::totals`].
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts cannot be added.
    pub fn charges(&self) -> Result<Vec<Money>, MoneyError> {
        let goods = self.lines.iter().map(|line| {
            let added = Money::sum(self.currency, line.taxes.iter().map(Tax::added))?;
            after_discounts(line.subtotal, &line.discounts)?.plus(added)
        });
        let goods: Vec<Money> = goods.collect::<Result<_, _>>()?;
        let all_goods = Money::sum(self.currency, goods.iter().copied())?;
        let shipping = self.totals()?.total.minus(all_goods)?;
        let weights = if goods.iter().all(|goods| goods.is_zero()) {
            let one = Money::from_minor_units(1, self.currency)?;
            vec![one; goods.len()]
        } else {
            goods.clone()
        };
        let shares = shipping.split(&weights)?;
        let charges = goods.into_iter().zip(shares);
        charges.map(|(goods, share)| goods.plus(share)).collect()
    }
}
