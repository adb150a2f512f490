use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::bill::Units;
use crate::model::{Function, Table};

mod capacity;
mod engine;
mod streams;

/// A table with the partition key `pk` and one index over `kind` that projects `name`.
fn table(name: &str) -> Table {
    let create = json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "kind", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by_kind",
            "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]},
        }],
    });
    Table {
        name: name.to_owned(),
        create,
        ttl_attribute: Some("expires".to_owned()),
        stream: true,
    }
}

fn stack() -> Stack {
    let function = Function {
        name: "shop-on-change".into(),
        binary: "on-change".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(1),
        memory_mib: 128,
        reserved_concurrency: None,
        async_retries: 0,
        async_on_failure: None,
    };
    Stack {
        tables: [
            ("Things".to_owned(), table("things")),
            ("Others".to_owned(), table("others")),
        ]
        .into(),
        functions: [("OnChange".to_owned(), function)].into(),
        ..Stack::default()
    }
}

fn arns() -> Arns {
    Arns::for_stack("eu-central-1", &stack())
}

/// A database, its clock and its bill.
struct World {
    db: DynamoDb,
    clock: Clock,
    bill: Bill,
}

impl World {
    fn new() -> Self {
        Self::of(&stack(), None)
    }

    fn of(stack: &Stack, data: Option<&Path>) -> Self {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let bill = Bill::new(stack);
        let arns = arns();
        let record = Record::none(&arns);
        let db = DynamoDb::start(stack, &arns, &clock, &bill, &record, data).unwrap();
        Self { db, clock, bill }
    }

    fn try_call(&self, operation: &str, body: Value) -> Ready<Result<Value, AwsError>> {
        let answer = self.db.call(&Caller::function("OnChange"), operation, body);
        ready(answer.map(|answer| serde_json::from_slice(&answer).unwrap()))
    }

    async fn call(&self, operation: &str, body: Value) -> Value {
        self.try_call(operation, body).await.unwrap()
    }

    async fn put(&self, pk: &str, name: &str) {
        let item = json!({"pk": {"S": pk}, "kind": {"S": "k"}, "name": {"S": name}});
        self.call("PutItem", json!({"TableName": "things", "Item": item}))
            .await;
    }

    async fn get(&self, pk: &str) -> Value {
        let key = json!({"TableName": "things", "Key": {"pk": {"S": pk}}});
        self.call("GetItem", key).await["Item"].clone()
    }

    /// Read, write and index write units since the last look.
    fn units(&self) -> (Units, Units, Units) {
        let totals = self.bill.snapshot().totals;
        self.bill.reset();
        (
            totals.read_units,
            totals.write_units,
            totals.index_write_units,
        )
    }
}
