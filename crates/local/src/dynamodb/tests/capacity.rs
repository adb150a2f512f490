//! The numbers against AWS's published rules.

use super::*;

fn whole(read: u64, write: u64, index: u64) -> (Units, Units, Units) {
    (Units::whole(read), Units::whole(write), Units::whole(index))
}

fn item(pk: &str, kind: Option<&str>, name: &str, size: usize) -> Value {
    let mut item = json!({"pk": {"S": pk}, "name": {"S": name}, "text": {"S": "x".repeat(size)}});
    if let Some(kind) = kind {
        item["kind"] = json!({"S": kind});
    }
    item
}

async fn put(world: &World, item: Value) {
    world
        .call("PutItem", json!({"TableName": "things", "Item": item}))
        .await;
}

#[tokio::test]
async fn a_write_costs_a_unit_for_each_kilobyte_begun() {
    let world = World::new();
    // pk 2+1, name 4+1, text 4: twelve bytes beside the text itself.
    put(&world, item("a", None, "n", 1024 - 12)).await;
    assert_eq!(world.units(), whole(0, 1, 0));
    put(&world, item("a", None, "n", 1024 - 11)).await;
    assert_eq!(world.units(), whole(0, 2, 0));
    // The larger of the old and the new item counts.
    put(&world, item("a", None, "n", 0)).await;
    assert_eq!(world.units(), whole(0, 2, 0));
}

#[tokio::test]
async fn a_read_costs_a_unit_for_each_four_kilobytes_and_half_when_eventually_consistent() {
    let world = World::new();
    put(&world, item("a", None, "n", 4096)).await;
    world.units();
    let mut get = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}});
    world.call("GetItem", get.clone()).await;
    assert_eq!(world.units(), whole(1, 0, 0));
    get["ConsistentRead"] = json!(true);
    world.call("GetItem", get.clone()).await;
    assert_eq!(world.units(), whole(2, 0, 0));
    world
        .call(
            "TransactGetItems",
            json!({"TransactItems": [
                {"Get": {"TableName": "things", "Key": {"pk": {"S": "a"}}}},
            ]}),
        )
        .await;
    assert_eq!(world.units(), whole(4, 0, 0));
    let missing = json!({"TableName": "things", "Key": {"pk": {"S": "none"}}});
    world.call("GetItem", missing).await;
    assert_eq!(world.units(), (Units::halves(1), Units::ZERO, Units::ZERO));
}

#[tokio::test]
async fn a_query_costs_by_the_sum_of_what_it_reads() {
    let world = World::new();
    for pk in ["a", "b", "c"] {
        put(&world, item(pk, Some("k"), &"n".repeat(1500), 0)).await;
    }
    world.units();
    let query = json!({
        "TableName": "things",
        "IndexName": "by_kind",
        "KeyConditionExpression": "kind = :k",
        "ExpressionAttributeValues": {":k": {"S": "k"}},
    });
    world.call("Query", query).await;
    // 4.5 KB are two times 4 KB, eventually consistent.
    assert_eq!(world.units(), whole(1, 0, 0));
}

#[tokio::test]
async fn an_index_costs_by_what_changes_in_it() {
    let world = World::new();
    put(&world, item("a", None, "n", 0)).await;
    assert_eq!(world.units(), whole(0, 1, 0), "not in the index");
    put(&world, item("a", Some("k"), "n", 0)).await;
    assert_eq!(world.units(), whole(0, 1, 1), "put into it");
    put(&world, item("a", Some("k"), "n", 5)).await;
    assert_eq!(world.units(), whole(0, 1, 0), "nothing projected changes");
    put(&world, item("a", Some("k"), "m", 5)).await;
    assert_eq!(
        world.units(),
        whole(0, 1, 1),
        "a projected attribute changes"
    );
    put(&world, item("a", Some("l"), "m", 5)).await;
    assert_eq!(
        world.units(),
        whole(0, 1, 2),
        "its key changes: a delete and a put"
    );
    put(&world, item("a", None, "m", 5)).await;
    assert_eq!(world.units(), whole(0, 1, 1), "deleted from it");
}

#[tokio::test]
async fn a_transaction_doubles_the_tables_units_and_not_the_indexes() {
    let world = World::new();
    world
        .call(
            "TransactWriteItems",
            json!({"TransactItems": [
                {"Put": {"TableName": "things", "Item": item("a", Some("k"), "n", 0)}},
                {"ConditionCheck": {
                    "TableName": "others",
                    "Key": {"pk": {"S": "z"}},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }},
            ]}),
        )
        .await;
    let tables = world.bill.snapshot().tables;
    assert_eq!(tables["others"].write_units, Units::whole(2));
    assert_eq!(tables["things"].write_units, Units::whole(2));
    assert_eq!(tables["things"].index_write_units, Units::whole(1));
}

#[tokio::test]
async fn a_refused_write_costs_as_much_as_what_is_there() {
    let world = World::new();
    put(&world, item("a", None, "n", 1500)).await;
    world.units();
    let refused = json!({
        "TableName": "things",
        "Key": {"pk": {"S": "a"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    });
    world
        .try_call("DeleteItem", refused.clone())
        .await
        .unwrap_err();
    assert_eq!(world.units(), whole(0, 2, 0));
    let transaction = json!({"TransactItems": [{"Delete": refused}]});
    world
        .try_call("TransactWriteItems", transaction)
        .await
        .unwrap_err();
    assert_eq!(world.units(), whole(0, 4, 0));
}

#[tokio::test]
async fn a_bill_is_kept_by_function_and_by_table() {
    let world = World::new();
    put(&world, item("a", Some("k"), "n", 0)).await;
    world
        .db
        .call(&Caller::operator(), "Scan", json!({"TableName": "things"}))
        .unwrap();
    let bill = world.bill.snapshot();
    assert_eq!(bill.functions["on-change"].write_units, Units::whole(1));
    assert_eq!(bill.functions["on-change"].read_units, Units::ZERO);
    assert_eq!(bill.totals.read_units, Units::halves(1));
    assert_eq!(bill.tables["things"].read_units, Units::halves(1));
    assert_eq!(bill.tables["things"].index_write_units, Units::whole(1));
}
