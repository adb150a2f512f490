//! What scheduled functions and lists cost, after so many orders: AWS units and time.

use std::time::{Duration, Instant};

use oxcart_core::payments::model::Payment;
use serde::Serialize;
use serde_json::{Value, json};

use super::audit;
use super::ledger::Ledger;
use super::request::{Request, Who};
use super::seed::COLLECTION;
use super::shop::{START, Shop};
use crate::Error;

/// How often each is invoked; the dearest counts for units, the fastest for time.
const TIMES: usize = 5;

/// The ledger is listed from [`START`] to this time.
const END_OF_FIRST_MONTH: &str = "2026-02-05T00:00:00Z";

/// The audit.
const AUDIT: &str = "audit-integrity";

/// From this number of orders on, costs must not grow any more: every page is full, the audit finds as many items as it
/// reads at most, and the customer who orders most has the thousand orders that a page by status looks at.
fn full_from(what: &str) -> usize {
    if [AUDIT, "GET /orders?status=failed"].contains(&what) {
        10_000
    } else {
        1_000
    }
}

/// What each function costs after so many orders.
#[derive(Debug, Serialize)]
pub(super) struct Costs {
    pub(super) orders: usize,
    pub(super) figures: Vec<Cost>,
}

/// What one invocation costs.
#[derive(Debug, Serialize)]
pub(super) struct Cost {
    /// The schedule or the route.
    pub(super) what: String,
    pub(super) read_units: Value,
    pub(super) write_units: Value,
    pub(super) micros: u64,
}

/// The lists, as the customer who orders most and as an admin see them.
fn lists<'a>(customer: &'a str, order: &str, payment: &str) -> Vec<Request<'a>> {
    let admin = |function, path| Request::new(function, "GET", path).by(Who::Admin);
    let own = |function, path| Request::new(function, "GET", path).by(Who::Customer(customer));
    // A request that names its caller is read from the table, and not from what a function has kept.
    let products = || {
        let list = Request::new("list-products", "GET", "/products");
        list.header("authorization", "Bearer none")
    };
    vec![
        products(),
        products().query("category", "category-1"),
        products().query("category", "all"),
        products()
            .query("category", "category-1")
            .query("sort", "name"),
        products().query("sort", "-price"),
        products().query("collection", COLLECTION),
        products().query("limit", "100"),
        admin("list-customers", "/customers"),
        own("list-orders", "/orders"),
        own("list-orders", "/orders").query("status", "failed"),
        admin("list-orders", "/orders").query("status", "confirmed"),
        admin("list-orders", "/orders").query("status", "cancelled"),
        admin("get-order-history", "/orders/{order_id}/history").parameter("order_id", order),
        admin("list-order-payments", "/orders/{order_id}/payments").parameter("order_id", order),
        admin("list-refunds", "/payments/{payment_id}/refunds").parameter("payment_id", payment),
        admin("list-ledger", "/ledger")
            .query("from", START)
            .query("to", END_OF_FIRST_MONTH),
        admin("list-ledger-differences", "/ledger/differences"),
        own("list-addresses", "/customers/me/addresses"),
        own("list-sessions", "/customers/me/sessions"),
        admin("list-discounts", "/discounts"),
        admin("list-rules", "/rules"),
        admin("get-integrity", "/integrity"),
    ]
}

/// Invokes each scheduled function and each list, and returns what they cost. What fails is told in `failures`.
///
/// # Errors
/// If the bill cannot be read.
pub(super) async fn measure(
    shop: &Shop,
    ledger: &Ledger,
    failures: &mut Vec<String>,
) -> Result<Costs, Error> {
    let customer = ledger.customers.first();
    let customer = customer.map_or("", |customer| customer.id.as_str());
    let order = ledger.orders.first().map_or("", |order| order.id.as_str());
    let payment = order.parse().map(Payment::id_of);
    let payment = payment.map_or(String::new(), |payment| payment.to_string());
    let mut figures = Vec::new();
    // What is measured is an audit after which nothing has happened.
    if let Err(error) = audit::catch_up(shop).await {
        failures.push(error.to_string());
    }
    let schedule = async |function: &'static str| {
        let invoke = async || shop.invoke(function, &scheduled(shop)).await.map(drop);
        let cost = measure_one(shop, function, function.to_owned(), invoke).await;
        (function, cost)
    };
    for (function, cost) in [
        schedule("run-due-orders").await,
        schedule("reconcile-payments").await,
        (AUDIT, measure_audits(shop).await),
    ] {
        match cost {
            Ok(cost) => figures.push(cost),
            Err(error) => failures.push(format!("{function} failed: {error}")),
        }
    }
    for request in lists(customer, order, &payment) {
        let send = async || shop.send(&request).await?.expect(&[200]).map(drop);
        match measure_one(shop, request.function(), request.name(), send).await {
            Ok(cost) => figures.push(cost),
            Err(error) => failures.push(format!("{} failed: {error}", request.name())),
        }
    }
    Ok(Costs {
        orders: ledger.orders.len(),
        figures,
    })
}

async fn measure_one(
    shop: &Shop,
    function: &str,
    what: String,
    invoke: impl AsyncFn() -> Result<(), Error>,
) -> Result<Cost, Error> {
    let mut measured = Cost::of(what);
    for _ in 0..TIMES {
        measured.add(shop, function, &invoke).await?;
    }
    Ok(measured)
}

/// Audits until all tables have been read from beginning to end, because each audit goes on where the one before stopped, and
/// what it finds there costs more or less.
async fn measure_audits(shop: &Shop) -> Result<Cost, Error> {
    let mut measured = Cost::of(AUDIT.to_owned());
    let begun = shop.clock.now();
    for _ in 0..audit::MOST {
        let _ = shop.clock.advance(Duration::from_secs(1));
        // The units of an audit that failed do not count: the next one begins with an empty bill.
        let once = async || audit::once(shop).await.map(drop);
        audit::retried(async || measured.add(shop, AUDIT, once).await).await?;
        if audit::has_read_everything(shop, begun).await? {
            return Ok(measured);
        }
    }
    Err("it does not come to an end".into())
}

impl Cost {
    fn of(what: String) -> Self {
        Self {
            what,
            read_units: json!(0),
            write_units: json!(0),
            micros: u64::MAX,
        }
    }

    /// Counts one invocation more.
    async fn add(
        &mut self,
        shop: &Shop,
        function: &str,
        invoke: impl AsyncFn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        shop.reset_bill().await?;
        let begun = Instant::now();
        invoke().await?;
        self.micros = self.micros.min(micros(begun));
        let bill = shop.control("bill").await?;
        let row = &bill["functions"][function];
        self.read_units = dearer(&row["read_units"], self.read_units.take());
        self.write_units = dearer(&row["write_units"], self.write_units.take());
        Ok(())
    }
}

fn dearer(units: &Value, before: Value) -> Value {
    if halves(units) > halves(&before) {
        units.clone()
    } else {
        before
    }
}

/// The event of a schedule.
pub(super) fn scheduled(shop: &Shop) -> Value {
    let now = shop.clock.now();
    json!({"time": now.to_string()})
}

fn micros(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Returns a sentence for each function whose units grow with the number of orders.
pub(super) fn growing(costs: &[Costs]) -> Vec<String> {
    let Some(after) = costs.last() else {
        return Vec::new();
    };
    let figures = after.figures.iter().filter_map(|other| {
        let full = |costs: &&Costs| costs.orders >= full_from(&other.what);
        let before = costs.iter().find(full)?;
        let one = before.find(&other.what)?;
        let grows = halves(&other.read_units) > 2 * halves(&one.read_units) + 4;
        grows.then(|| {
            format!(
                "{} reads {} units after {} orders and {} after {}",
                one.what, one.read_units, before.orders, other.read_units, after.orders
            )
        })
    });
    figures.collect()
}

/// Returns how many half units these `units` of the bill are: they are whole numbers or halves.
pub(crate) fn halves(units: &Value) -> u64 {
    let text = units.to_string();
    let (whole, half) = text.split_once('.').unwrap_or((&text, "0"));
    2 * whole.parse::<u64>().unwrap_or(0) + u64::from(half != "0")
}

impl Costs {
    fn find(&self, what: &str) -> Option<&Cost> {
        self.figures.iter().find(|cost| cost.what == what)
    }
}

/// Prints the figures side by side.
pub(super) fn print(costs: &[Costs]) {
    let Some(last) = costs.last() else {
        return;
    };
    println!("\nRead units, write units and milliseconds of one invocation, after so many orders.");
    let columns = costs.iter().map(|costs| format!("{:>22}", costs.orders));
    println!("{:<40}{}", "", columns.collect::<String>());
    for figure in &last.figures {
        let cells = costs.iter().map(|costs| cell(costs.find(&figure.what)));
        println!("{:<40}{}", figure.what, cells.collect::<String>());
    }
}

fn cell(cost: Option<&Cost>) -> String {
    let Some(cost) = cost else {
        return format!("{:>22}", "failed");
    };
    let (reads, writes) = (cost.read_units.to_string(), cost.write_units.to_string());
    let tenths = cost.micros / 100;
    format!("{reads:>8}{writes:>6}{:>6}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(orders: usize, read_units: Value) -> Costs {
        let figures = vec![Cost {
            what: "GET /orders".to_owned(),
            read_units,
            write_units: json!(0),
            micros: 1,
        }];
        Costs { orders, figures }
    }

    #[test]
    fn costs_that_grow_with_the_orders_are_named() {
        let flat = [
            costs(100, json!(1)),
            costs(1_000, json!(10.5)),
            costs(10_000, json!(21)),
        ];
        assert_eq!(growing(&flat), Vec::<String>::new());
        let grows = [costs(1_000, json!(10.5)), costs(10_000, json!(24))];
        assert_eq!(
            growing(&grows),
            ["GET /orders reads 10.5 units after 1000 orders and 24 after 10000"]
        );
        assert_eq!(growing(&[costs(1_000, json!(1))]), Vec::<String>::new());
    }
}
