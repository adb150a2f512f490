use expect_test::expect;
use serde_json::json;

use super::*;
use crate::model::Function;

fn stack() -> Stack {
    let function = Function {
        name: "shop-place-order".into(),
        binary: "place-order".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(1),
        memory_mib: 256,
        reserved_concurrency: None,
        async_retries: 2,
        async_on_failure: None,
    };
    Stack {
        functions: [("PlaceOrder".into(), function)].into(),
        ..Stack::default()
    }
}

#[test]
fn a_bill_has_the_documented_shape() {
    let bill = Bill::new(&stack());
    let caller = Caller::function("PlaceOrder");
    bill.invocation("PlaceOrder", Duration::from_micros(1500), 256);
    bill.units(
        &caller,
        "orders",
        Units::halves(3),
        Units::whole(4),
        Units::whole(1),
    );
    bill.events(&caller, 1);
    bill.queue_requests("the bus", 1);
    bill.state_transitions("OrderWorkflow", 7);
    expect![[r#"
        {
          "totals": {
            "invocations": 1,
            "gb_seconds": 0.0005,
            "read_units": 1.5,
            "write_units": 4,
            "index_write_units": 1,
            "state_transitions": 7,
            "events": 1,
            "queue_requests": 1,
            "dollars": 0.000179919
          },
          "functions": {
            "place-order": {
              "invocations": 1,
              "gb_seconds": 0.0005,
              "read_units": 1.5,
              "write_units": 4,
              "index_write_units": 1,
              "state_transitions": 0,
              "events": 1,
              "queue_requests": 0,
              "dollars": 4.519e-6
            }
          },
          "tables": {
            "orders": {
              "read_units": 1.5,
              "write_units": 4,
              "index_write_units": 1,
              "dollars": 3.312e-6
            }
          },
          "state_machines": {
            "OrderWorkflow": {
              "invocations": 0,
              "gb_seconds": 0,
              "read_units": 0,
              "write_units": 0,
              "index_write_units": 0,
              "state_transitions": 7,
              "events": 0,
              "queue_requests": 0,
              "dollars": 0.000175
            }
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&bill.snapshot()).unwrap());
}

#[test]
fn a_reset_bill_is_empty() {
    let bill = Bill::new(&stack());
    bill.state_transitions("OrderWorkflow", 1);
    bill.reset();
    assert_eq!(bill.snapshot(), BillReport::default());
}

#[test]
fn an_express_execution_is_billed_by_tenths_of_a_second() {
    let bill = Bill::new(&stack());
    bill.express_execution("OrderWorkflow", Duration::from_millis(101));
    let row = bill.snapshot().totals;
    assert_eq!(row.express_memory, MemoryTime::new(64, 200));
    // 1 request, and 64 MiB for 200 ms at 16.67 millionths per GB-second.
    assert_eq!(row.dollars, Dollars::pico(1_000_000 + 208_375));
    assert_eq!(
        serde_json::to_value(row.dollars).unwrap(),
        json!(0.000_001_208)
    );
}
