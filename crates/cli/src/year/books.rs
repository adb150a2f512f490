//! The books of the whole shop, read from its tables around the API, as an auditor would.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::shop::{self, Shop, units};
use crate::Error;

/// What one order has in all tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub(super) status: String,
    pub(super) failure: String,
    pub(super) cancelled_from: String,
    pub(super) total: u64,
    pub(super) is_over: bool,
    pub(super) payment_token: bool,
    pub(super) street: bool,
    pub(super) reservation: String,
    pub(super) captured: u64,
    pub(super) refunded: u64,
    /// What gift cards paid, less what has come back to them.
    pub(super) from_cards: u64,
    /// What open and lost disputes have taken.
    pub(super) disputed: u64,
    pub(super) payments: u64,
    /// What the entries of the shop's ledger add up to.
    pub(super) entered: Entered,
    /// What the gateway has in its own books.
    pub(super) taken: u64,
    pub(super) given_back: u64,
    /// How many messages about the order there are, by template and status.
    pub(super) messages: BTreeMap<String, u64>,
}

/// What entries of the shop's ledger add up to, in the smallest unit of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entered {
    /// Authorised, less released.
    pub(super) authorised: i128,
    pub(super) captured: i128,
    /// Refunded, less what was returned.
    pub(super) refunded: i128,
    /// Disputed, less what was won.
    pub(super) disputed: i128,
    pub(super) lost: i128,
    /// Redeemed from gift cards, less what was returned to them.
    pub(super) from_cards: i128,
}

impl Entered {
    /// Adds an entry of `amount` that says that so much was `of`.
    fn add(&mut self, of: &str, amount: i128) {
        match of {
            "authorised" => self.authorised += amount,
            "released" => self.authorised -= amount,
            "captured" => self.captured += amount,
            "refunded" => self.refunded += amount,
            "refund_returned" => self.refunded -= amount,
            "disputed" => self.disputed += amount,
            "dispute_won" => self.disputed -= amount,
            "dispute_lost" => self.lost += amount,
            "dispute_reopened" => self.lost -= amount,
            "gift_card_redeemed" => self.from_cards += amount,
            "gift_card_refunded" => self.from_cards -= amount,
            _ => {}
        }
    }
}

/// The books of the whole shop.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) orders: HashMap<String, Book>,
    /// Available and reserved, by product.
    pub(super) stock: HashMap<String, (u64, u64)>,
    /// The availability that is shown, by product.
    pub(super) shown: HashMap<String, String>,
    /// How many events there are of each type.
    pub(super) events: BTreeMap<String, u64>,
    /// Aggregates whose events are not numbered from 1 without a gap.
    pub(super) gaps: Vec<String>,
    /// What all gift cards were issued for, and what is left on them.
    pub(super) gift_cards: (u64, u64),
    /// How many uses of the limited discount are counted.
    pub(super) uses: u64,
    /// What each account of the ledger has on its debit side less its credit side, by its name and the currency.
    pub(super) accounts: BTreeMap<(String, String), i128>,
}

/// How the year ended, for the report.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Totals {
    /// Orders by status, with the reason for those that failed.
    pub(super) orders: BTreeMap<String, u64>,
    /// Events by type.
    pub(super) events: BTreeMap<String, u64>,
    pub(super) units_reserved: u64,
    pub(super) captured: u64,
    pub(super) refunded: u64,
}

impl Books {
    /// Reads all tables.
    ///
    /// # Errors
    /// If one cannot be read.
    pub(super) fn read(shop: &Shop) -> Result<Self, Error> {
        let mut books = Self::default();
        shop.scan("OrdersTable", |item| books.add_order_item(item))?;
        shop.scan("InventoryTable", |item| books.add_inventory_item(item))?;
        shop.scan("ProductsTable", |item| {
            let shown = text(&item["stock"]["M"], "availability");
            books.shown.insert(text(item, "product_id"), shown);
            let variants = item["variant_stock"]["M"].as_object();
            for (id, shown) in variants.into_iter().flatten() {
                let shown = text(&shown["M"], "availability");
                books.shown.insert(id.clone(), shown);
            }
        })?;
        shop.scan("PaymentsTable", |item| {
            let book = books.orders.entry(text(item, "order_id")).or_default();
            book.payments += 1;
            book.captured += number(item, "captured");
            book.refunded += number(item, "refunded");
            book.disputed += number(item, "disputed");
        })?;
        shop.scan("GiftCardsTable", |item| {
            if text(item, "part") == "card" {
                books.gift_cards.0 += number(item, "issued");
                books.gift_cards.1 += number(item, "balance");
            } else if text(item, "part").starts_with("order#") {
                let book = books.orders.entry(text(item, "order_id")).or_default();
                book.from_cards += number(item, "amount") - number(item, "returned");
            }
        })?;
        shop.scan("LedgerTable", |item| {
            let amount = number(item, "amount").into();
            // A gift card is issued for no order.
            if item.get("order_id").is_some() {
                let book = books.orders.entry(text(item, "order_id")).or_default();
                book.entered.add(&text(item, "of"), amount);
            }
            for (side, sign) in [("debit", 1), ("credit", -1)] {
                let account = (text(item, side), text(item, "currency"));
                *books.accounts.entry(account).or_default() += sign * amount;
            }
        })?;
        shop.scan("SandboxTable", |item| {
            let charge = text(item, "charge_id");
            let order = charge.split(':').next().unwrap_or_default();
            let book = books.orders.entry(order.to_owned()).or_default();
            if text(item, "state") == "captured" {
                book.taken += number(item, "amount");
                book.given_back += number(item, "refunded");
            }
        })?;
        shop.scan("MessagesTable", |item| {
            let order = text(item, "order_id");
            if !order.is_empty() {
                let book = books.orders.entry(order).or_default();
                let message = format!("{} {}", text(item, "template"), text(item, "status"));
                *book.messages.entry(message).or_default() += 1;
            }
        })?;
        books.read_events(shop)?;
        Ok(books)
    }

    fn add_order_item(&mut self, item: &Value) {
        let id = text(item, "order_id");
        match text(item, "part").as_str() {
            "header" => {
                let book = self.orders.entry(id).or_default();
                book.status = text(item, "status");
                book.failure = text(&item["failure"]["M"], "code");
                book.cancelled_from = text(item, "cancelled_from");
                let currency = text(item, "currency").parse().ok();
                let total = currency.and_then(|currency| units(&text(item, "total"), currency));
                book.total = total.unwrap_or(0);
                book.is_over = shop::is_over(item) && item.get("due_at").is_none();
            }
            "lines" => {
                let book = self.orders.entry(id).or_default();
                book.payment_token = item.get("payment_token").is_some();
                book.street = !text(&item["address"]["M"], "line1").is_empty();
            }
            "total" if id.starts_with("discount-uses#") => self.uses += number(item, "uses"),
            _ => {}
        }
    }

    fn add_inventory_item(&mut self, item: &Value) {
        if text(item, "sk") == "reservation" {
            let book = self.orders.entry(text(item, "order_id")).or_default();
            book.reservation = text(item, "status");
        } else if let Some(product) = text(item, "pk").strip_prefix("stock#") {
            let stock = self.stock.entry(product.to_owned()).or_default();
            stock.0 += number(item, "available");
            stock.1 += number(item, "reserved");
        }
    }

    fn read_events(&mut self, shop: &Shop) -> Result<(), Error> {
        // The number of events of each aggregate, and the highest version.
        let mut versions: HashMap<String, (u64, u64)> = HashMap::new();
        shop.scan("EventLogTable", |item| {
            *self.events.entry(text(item, "event_type")).or_default() += 1;
            let seen = versions.entry(text(item, "aggregate_id")).or_default();
            seen.0 += 1;
            seen.1 = seen.1.max(text(item, "version").parse().unwrap_or(0));
        })?;
        let gaps = versions
            .into_iter()
            .filter(|(_, (count, last))| count != last);
        self.gaps = gaps
            .map(|(id, (count, last))| {
                format!("{id} has {count} events, the last of which is number {last}")
            })
            .collect();
        self.gaps.sort_unstable();
        Ok(())
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals {
            events: self.events.clone(),
            units_reserved: self.stock.values().map(|stock| stock.1).sum(),
            ..Totals::default()
        };
        for book in self.orders.values() {
            let name = match book.failure.as_str() {
                "" => book.status.clone(),
                failure => format!("{} ({failure})", book.status),
            };
            *totals.orders.entry(name).or_default() += 1;
            totals.captured += book.captured;
            totals.refunded += book.refunded;
        }
        totals
    }
}

fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}

fn number(item: &Value, name: &str) -> u64 {
    let number = item[name]["N"].as_str();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
