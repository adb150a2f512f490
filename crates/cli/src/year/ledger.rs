//! What the generator did: its own books, which the shop's are compared with at the end.

use super::plan::{Line, Token, is_scarce};

/// Everything that was done to the shop.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) products: Vec<Product>,
    pub(super) customers: Vec<Customer>,
    pub(super) orders: Vec<Order>,
    /// How often a price was changed to another one.
    pub(super) price_changes: u64,
    /// How often an order with the limited discount code was refused because all uses were taken.
    pub(super) used_up: u64,
    /// What did not agree while the year was played.
    pub(super) disagreements: Vec<String>,
}

/// A product.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) id: String,
    /// The current price.
    pub(super) price_cents: u64,
    /// How many were put on hand, all together.
    pub(super) on_hand: u64,
}

/// A customer.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) deleted: bool,
}

/// An order that was placed.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) customer: usize,
    pub(super) lines: Vec<Line>,
    pub(super) token: Token,
    /// What it costs, as the shop said when it was placed.
    pub(super) total_cents: u64,
    /// Whether it has used the limited discount code.
    pub(super) limited: bool,
    /// Whether the shop has accepted its cancellation.
    pub(super) cancelled: bool,
    /// Whether its customer has deleted the account.
    pub(super) erased: bool,
}

impl Ledger {
    /// What these lines cost at today's prices, before discounts.
    pub(super) fn subtotal_cents(&self, lines: &[Line]) -> u64 {
        let prices = lines.iter().map(|line| {
            let product = self.products.get(line.product);
            product.map_or(0, |product| product.price_cents) * line.quantity
        });
        prices.sum()
    }
}

impl Order {
    /// Whether a product of the order may have been out of stock.
    pub(super) fn is_scarce(&self) -> bool {
        self.lines.iter().any(|line| is_scarce(line.product))
    }
}

/// Returns `cents` as the API writes them: `19.90`.
pub(super) fn euros(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Reads an amount as the API writes it, or `None` if it is something else.
pub(super) fn cents(amount: &str) -> Option<u64> {
    let (euros, cents) = amount.split_once('.').unwrap_or((amount, "00"));
    if cents.len() != 2 {
        return None;
    }
    format!("{euros}{cents}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_and_read_in_cents() {
        assert_eq!(euros(1_990), "19.90");
        assert_eq!(euros(5), "0.05");
        assert_eq!(cents("19.90"), Some(1_990));
        assert_eq!(cents("0.05"), Some(5));
        assert_eq!(cents("7"), Some(700));
        assert_eq!(cents("1.5"), None);
        assert_eq!(cents("free"), None);
    }
}
