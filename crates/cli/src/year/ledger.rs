//! What the generator did: its own books, which the shop's are compared with at the end. Amounts are in the smallest unit
//! of their currency: cents, yen, fils.

use serde_json::{Value, json};

use super::lists;
use super::plan::{Line, Refund, Token, is_scarce};

/// Everything that was done to the shop.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) products: Vec<Product>,
    pub(super) customers: Vec<Customer>,
    pub(super) orders: Vec<Order>,
    /// What gift cards were issued for, in the shop's currency.
    pub(super) gift_cards: u64,
    /// How many products were imported while the year was played.
    pub(super) imported: u64,
    /// How often a price was changed to another one.
    pub(super) price_changes: u64,
    /// How often an order with the limited discount code was refused because all uses were taken.
    pub(super) used_up: u64,
    /// How many baskets were refused because a product was out of stock.
    pub(super) sold_out: usize,
    /// What did not agree while the year was played.
    pub(super) disagreements: Vec<String>,
}

/// A product, or one of the two variants of one.
#[derive(Debug)]
pub(super) struct Product {
    /// The identifier of what is sold.
    pub(super) id: String,
    /// The identifier of the product, which is another one for variants.
    pub(super) parent: String,
    /// The identifiers of all variants of the product; empty if it has none.
    pub(super) variants: Vec<String>,
    /// The current price.
    pub(super) price: u64,
    /// The price at the beginning of the year.
    pub(super) first_price: u64,
    /// How many were put on hand, all together.
    pub(super) on_hand: u64,
}

impl Product {
    /// Returns the patch with which it costs `price`.
    pub(super) fn at_price(&self, price: &Value) -> Value {
        if self.variants.is_empty() {
            return json!({"price": price});
        }
        let variants = self.variants.iter().map(|id| {
            if *id == self.id {
                json!({"id": id, "price": price})
            } else {
                json!({"id": id})
            }
        });
        json!({"variants": variants.collect::<Value>()})
    }
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
    pub(super) total: u64,
    /// Whether it has used the limited discount code.
    pub(super) limited: bool,
    /// Whether the shop has accepted its cancellation.
    pub(super) cancelled: bool,
    /// Whether its customer has deleted the account.
    pub(super) erased: bool,
    /// What was refunded while it stood.
    pub(super) refunded: u64,
    /// How the dispute of its payment was decided, if there was one.
    pub(super) dispute: Option<Refund>,
    /// How many pieces of its first line have come back into stock by that.
    pub(super) restocked: u64,
}

impl Ledger {
    /// How many baskets were sent as orders.
    pub(super) fn baskets(&self) -> usize {
        self.orders.len() + self.sold_out
    }

    /// What these lines cost at today's prices in an order to `place`, before discounts.
    pub(super) fn subtotal(&self, lines: &[Line], place: usize) -> u64 {
        let prices = lines.iter().map(|line| {
            let product = self.products.get(line.product);
            let price = product.map_or(0, |product| {
                let first = product.first_price;
                let listed = lists::price(line.product, first, line.quantity, place);
                listed.unwrap_or(product.price)
            });
            price * line.quantity
        });
        prices.sum()
    }
}

impl Order {
    /// Whether the shop has lost the dispute of its payment.
    pub(super) fn is_lost(&self) -> bool {
        self.dispute == Some(Refund::DisputeLost)
    }

    /// Whether a product of the order may have been out of stock.
    pub(super) fn is_scarce(&self) -> bool {
        self.lines.iter().any(|line| is_scarce(line.product))
    }
}
