//! What must be right again after something went wrong.
//!
//! The seven points of the order workflow each have their tests here: `status` (1), `due` (2),
//! `holds` (3), `asleep` (4 and 5), `conflicts` (6), `token` (7). `twice`, `killed`, `failing`,
//! `cancelled` and `duplicates` cover all steps; `published` covers the events, `crowded` an account with few
//! invocations, `reordered` the order of messages, `kept` what has outlived its time to live.

mod asleep;
mod cancelled;
mod conflicts;
mod crowded;
mod due;
mod duplicates;
mod failing;
mod holds;
mod kept;
mod killed;
mod published;
mod reordered;
mod status;
mod token;
mod twice;

use crate::support::people::Person;
use crate::support::shop::{Setup, Shop};

/// The workflow is not started: the test calls its steps.
const NO_WORKFLOW: &str = "states:StartExecution@*=error";

/// Starts a shop whose time stands still and whose workflow is not started.
async fn still_shop() -> Shop {
    let shop = Shop::start(Setup {
        manual_clock: true,
        ..Setup::default()
    })
    .await;
    shop.fault(NO_WORKFLOW).await;
    shop
}

/// Creates a customer, a product at 19.90 with ten in stock, and the customer's order of two.
async fn order(shop: &Shop, token: &str) -> (Person, String, String) {
    let customer = shop.customer().await;
    let product = shop.product("19.90", 10).await;
    let order = shop.order(&customer, &product, token).await;
    (customer, product, order)
}
