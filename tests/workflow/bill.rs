//! What an order costs in the units that AWS bills.

use expect_test::expect;

use crate::support::people::{order_of, unique};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, physical};

/// The tables whose write units are bounded.
const BOUNDED: [&str; 3] = ["OrdersTable", "InventoryTable", "PaymentsTable"];

#[test]
fn the_bill_of_an_order_is_known() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let mut shown = String::new();
        for lines in [1_usize, 5, 10, 50] {
            let mut products = Vec::new();
            for _ in 0..lines {
                products.push(
                    shop.named_product("Ceramic Pour-Over Dripper", "26.50", 10)
                        .await,
                );
            }
            let items: Vec<(&str, u32)> = products.iter().map(|id| (id.as_str(), 1)).collect();
            let order = order_of(&items, "tok_ok");
            shop.quiet().await;
            shop.reset_bill().await;
            let placed = shop
                .place_with_key(&customer, &order, &unique("order"))
                .await;
            let id = placed.expect(202).json()["id"].as_str().unwrap().to_owned();
            shop.until_settled(&id).await;
            shop.quiet().await;
            let bill = shop.bill().await;
            let units = |table: &str, kind: &str| {
                let units = &bill["tables"][physical(table)][kind];
                units.as_u64().unwrap_or(0)
            };
            let bounded: u64 = BOUNDED
                .iter()
                .map(|table| units(table, "write_units"))
                .sum();
            let per_line = if lines <= 5 { 2 } else { 3 };
            let bound = 12 + per_line * lines as u64;
            assert!(
                bounded <= bound,
                "{lines} lines: {bounded} of {bound} write units: {bill:#}"
            );
            let transitions = bill["totals"]["state_transitions"].as_u64().unwrap();
            assert!(transitions <= 8, "{transitions} transitions");
            let by_table: Vec<String> = BOUNDED
                .iter()
                .map(|table| format!("{} {}", table, units(table, "write_units")))
                .collect();
            let others: Vec<String> = [
                "EventLogTable",
                "LimitsTable",
                "MessagesTable",
                "SandboxTable",
            ]
            .iter()
            .map(|table| format!("{} {}", table, units(table, "write_units")))
            .collect();
            shown += &format!(
                "{lines} lines: {bounded} write units of {bound} ({}); beside it: {}, indexes {}; {transitions} transitions\n",
                by_table.join(", "),
                others.join(", "),
                bill["totals"]["index_write_units"],
            );
        }
        expect![[r#"
            1 lines: 14 write units of 14 (OrdersTable 7, InventoryTable 5, PaymentsTable 2); beside it: EventLogTable 5, LimitsTable 1, MessagesTable 2, SandboxTable 1, indexes 9; 7 transitions
            5 lines: 22 write units of 22 (OrdersTable 7, InventoryTable 13, PaymentsTable 2); beside it: EventLogTable 5, LimitsTable 1, MessagesTable 2, SandboxTable 1, indexes 9; 7 transitions
            10 lines: 35 write units of 42 (OrdersTable 7, InventoryTable 26, PaymentsTable 2); beside it: EventLogTable 5, LimitsTable 1, MessagesTable 2, SandboxTable 1, indexes 9; 7 transitions
            50 lines: 136 write units of 162 (OrdersTable 19, InventoryTable 115, PaymentsTable 2); beside it: EventLogTable 11, LimitsTable 1, MessagesTable 2, SandboxTable 1, indexes 9; 7 transitions
        "#]].assert_eq(&shown);
    });
}
