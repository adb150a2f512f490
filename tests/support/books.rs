//! The books of a shop: what its tables hold, read around the API as an auditor would, and whether
//! stock and money are balanced.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::shop::{Shop, physical};

/// All tables of the shop, each as its items by their JSON, in a steady order.
pub(crate) type Tables = BTreeMap<&'static str, Vec<Value>>;

/// Tables whose items follow from those of others, a moment later.
const LATER: &[&str] = &["EventLogTable", "LedgerTable", "MessagesTable"];

const TABLES: &[&str] = &[
    "CustomersTable",
    "EventLogTable",
    "GiftCardsTable",
    "InventoryTable",
    "LedgerTable",
    "MessagesTable",
    "OrdersTable",
    "PaymentsTable",
    "PricingTable",
    "ProductsTable",
    "ReconciliationTable",
    "RefundsTable",
    "SandboxTable",
];

/// What one order has in all tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderBooks {
    pub(crate) header: Value,
    pub(crate) lines: Value,
    pub(crate) reservation: Value,
    pub(crate) payment: Value,
    /// What the gateway has in its own books, in cents: taken, and given back.
    pub(crate) taken: u64,
    pub(crate) given_back: u64,
    /// How many charges the gateway knows.
    pub(crate) charges: usize,
}

impl Shop {
    /// Every item of every table.
    pub(crate) async fn everything(&self) -> Vec<Value> {
        let tables = self.dynamodb("ListTables", &json!({})).await;
        let mut found = Vec::new();
        for table in tables["TableNames"].as_array().unwrap() {
            found.extend(self.items_of(table.as_str().unwrap()).await);
        }
        found
    }

    /// Every item of a table (logical id).
    pub(crate) async fn items(&self, table: &str) -> Vec<Value> {
        self.items_of(&physical(table)).await
    }

    async fn items_of(&self, table: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut request = json!({"TableName": table, "ConsistentRead": true});
        loop {
            let answer = self.dynamodb("Scan", &request).await;
            let items = answer["Items"].as_array().unwrap();
            found.extend(items.iter().map(plain_item));
            match answer.get("LastEvaluatedKey") {
                Some(last) if !last.is_null() => request["ExclusiveStartKey"] = last.clone(),
                Some(_) | None => return found,
            }
        }
    }

    /// All that the shop has stored.
    pub(crate) async fn tables(&self) -> Tables {
        let mut tables = Tables::new();
        for table in TABLES {
            let mut items = self.items(table).await;
            items.sort_by_key(ToString::to_string);
            tables.insert(table, items);
        }
        tables
    }

    /// All that the shop has stored but what follows from it a moment later.
    pub(crate) async fn first_hand(&self) -> Tables {
        let mut tables = self.tables().await;
        tables.retain(|table, _| !LATER.contains(table));
        tables
    }

    /// What every order has in the books, by order id.
    pub(crate) async fn order_books(&self) -> BTreeMap<String, OrderBooks> {
        let mut books: BTreeMap<String, OrderBooks> = BTreeMap::new();
        let mut book = |id: &Value, put: &dyn Fn(&mut OrderBooks)| {
            put(books.entry(text(id).to_owned()).or_default());
        };
        for item in self.items("OrdersTable").await {
            match text(&item["part"]) {
                "header" => book(&item["order_id"], &|book| book.header = item.clone()),
                "lines" => book(&item["order_id"], &|book| book.lines = item.clone()),
                // The counter of a discount's uses does not belong to an order.
                _ => {}
            }
        }
        for item in self.items("InventoryTable").await {
            if item["sk"] == "reservation" {
                book(&item["order_id"], &|book| book.reservation = item.clone());
            }
        }
        for item in self.items("PaymentsTable").await {
            book(&item["order_id"], &|book| {
                assert!(book.payment.is_null(), "two payments: {item}");
                book.payment = item.clone();
            });
        }
        for item in self.items("SandboxTable").await {
            // A refund, which its charge counts, or the mark of one of several gateways that it must not charge.
            let is_mark = text(&item["charge_id"]).contains('@') && item["currency"].is_null();
            if item["state"].is_null() || is_mark {
                continue;
            }
            let (order, _) = text(&item["charge_id"]).split_once(':').unwrap();
            book(&json!(order), &|book| {
                book.charges += 1;
                if item["state"] == "captured" {
                    // Absent unless it is captured in part.
                    let captured = item["captured"].as_u64();
                    book.taken += captured.unwrap_or_else(|| number(&item["amount"]));
                    book.given_back += number(&item["refunded"]);
                }
            });
        }
        books
    }

    /// The books of one order.
    pub(crate) async fn books_of(&self, order: &str) -> OrderBooks {
        self.order_books().await.remove(order).unwrap_or_default()
    }

    /// Checks that stock and money are balanced: every unit that is reserved is reserved for an
    /// order, and for every order what was taken less what was given back is what its status says.
    /// Returns the first fault.
    pub(crate) async fn balanced(&self) -> Result<(), String> {
        let books = self.order_books().await;
        let mut reserved: BTreeMap<String, u64> = BTreeMap::new();
        for book in books.values() {
            let open = ["held", "committed"].contains(&text(&book.reservation["status"]));
            let lines = book.reservation["lines"].as_array();
            for line in lines.into_iter().flatten().filter(|_| open) {
                *reserved
                    .entry(text(&line["product_id"]).to_owned())
                    .or_default() += number(&line["quantity"]);
            }
        }
        for stock in self.items("InventoryTable").await {
            let Some(product) = text(&stock["pk"]).strip_prefix("stock#") else {
                continue;
            };
            let expected = reserved.remove(product).unwrap_or(0);
            let on_hand = self.on_hand(product);
            let (found, available) = (number(&stock["reserved"]), number(&stock["available"]));
            if found != expected {
                return Err(format!(
                    "{expected} of {product} are held by orders: {stock}"
                ));
            }
            if on_hand.is_some_and(|on_hand| on_hand != found + available) {
                return Err(format!("{on_hand:?} of {product} were put in: {stock}"));
            }
        }
        if !reserved.is_empty() {
            return Err(format!("held without any stock: {reserved:?}"));
        }
        books.values().try_for_each(OrderBooks::balanced)
    }
}

impl Shop {
    /// Lets the shop audit everything as it will be in two minutes, when all that happened is long in the
    /// log; returns the outcome.
    pub(crate) async fn audit(&self) -> Value {
        self.quiet().await;
        let now: jiff::Timestamp = self.now().await.parse().unwrap();
        let later = now + jiff::SignedDuration::from_mins(2);
        let since = now - jiff::SignedDuration::from_hours(2);
        let event = json!({"time": later.to_string(), "since": since.to_string()});
        self.invoke("audit-integrity", &event).await.unwrap()
    }

    /// Checks that an audit finds nothing.
    pub(crate) async fn audited(&self) -> Result<(), String> {
        match self.audit().await {
            outcome if outcome["open_findings"] == 0 => Ok(()),
            outcome => Err(format!(
                "{outcome}: {:#?}",
                self.items("IntegrityTable").await
            )),
        }
    }
}

impl OrderBooks {
    /// Where the order stands.
    pub(crate) fn status(&self) -> &str {
        text(&self.header["status"])
    }

    /// Whether all that the order's status demands is done.
    pub(crate) fn settled(&self) -> bool {
        self.header["due_at"].is_null()
    }

    fn balanced(&self) -> Result<(), String> {
        let fault = |what: &str| Err(format!("{what}: {self:#?}"));
        let total = minor_units(text(&self.header["total"]));
        let payment = |name: &str| number(&self.payment[name]);
        let (captured, refunded) = (payment("captured"), payment("refunded"));
        let reservation = text(&self.reservation["status"]);
        let closed = ["failed", "cancelled"].contains(&self.status());
        if self.header.is_null() || self.lines.is_null() {
            return fault("an order without its header or its lines");
        }
        if self.charges > 1 || self.taken > total || self.given_back > self.taken {
            return fault("charged more than once, or more given back than taken");
        }
        if captured > payment("authorized") || refunded > captured {
            return fault("amounts out of order");
        }
        if self.status() == "pending" {
            return Ok(());
        }
        if closed && self.settled() {
            if self.taken != self.given_back || captured != refunded {
                return fault("money of a closed order was kept");
            }
            if reservation != "released" {
                return fault("stock of a closed order was kept");
            }
        }
        if !closed {
            if self.taken != total || self.given_back != 0 || captured != total || refunded != 0 {
                return fault("a confirmed order is not paid");
            }
            let committed = reservation == "committed";
            if !committed && (self.settled() || reservation != "held") {
                return fault("a confirmed order does not hold its stock");
            }
        }
        if self.settled() && (captured != self.taken || refunded != self.given_back) {
            return fault("our books and the gateway's differ");
        }
        if self.settled() && !self.lines["payment_token"].is_null() {
            return fault("the payment token of a settled order is kept");
        }
        Ok(())
    }
}

/// The text of a JSON string; empty for anything else.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// An amount in minor units: `19.90` is 1990. Amounts are stored with all decimals of their currency.
fn minor_units(amount: &str) -> u64 {
    amount.replace('.', "").parse().unwrap()
}

fn plain_item(item: &Value) -> Value {
    let fields = item.as_object().unwrap().iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
    )
}

/// The plain JSON of a DynamoDB value.
fn plain(value: &Value) -> Value {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" | "BOOL" => value.clone(),
        "N" => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        "NULL" => Value::Null,
        "M" => plain_item(value),
        "L" => value.as_array().unwrap().iter().map(plain).collect(),
        other => panic!("the shop stores no {other}"),
    }
}
