use super::*;

#[tokio::test]
async fn an_unknown_operation_is_refused_by_its_name() {
    let error = World::new()
        .try_call("ExecuteStatement", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.code, "UnknownOperationException");
    assert!(error.message.contains("ExecuteStatement"), "{error}");
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_by_its_name_even_inside_a_transaction() {
    let world = World::new();
    let put = json!({"TableName": "things", "Item": {"pk": {"S": "a"}}, "Expected": {}});
    let error = world.try_call("PutItem", put.clone()).await.unwrap_err();
    assert!(error.message.contains("Expected"), "{error}");
    let transaction = json!({"TransactItems": [{"Put": put}]});
    let error = world
        .try_call("TransactWriteItems", transaction)
        .await
        .unwrap_err();
    assert!(error.message.contains("Expected"), "{error}");
    assert_eq!(world.get("a").await, Value::Null);
}

#[tokio::test]
async fn an_answer_tells_the_capacity_only_when_asked() {
    let world = World::new();
    let mut put = json!({"TableName": "things", "Item": {"pk": {"S": "a"}, "kind": {"S": "k"}}});
    assert_eq!(world.call("PutItem", put.clone()).await, json!({}));
    put["Item"]["kind"] = json!({"S": "other"});
    put["ReturnConsumedCapacity"] = json!("TOTAL");
    let answer = world.call("PutItem", put).await;
    assert_eq!(
        answer,
        json!({"ConsumedCapacity": {"TableName": "things", "CapacityUnits": 3.0}})
    );
}

#[tokio::test]
async fn a_refused_condition_tells_the_item_only_when_asked() {
    let world = World::new();
    world.put("a", "one").await;
    let mut put = json!({
        "TableName": "things",
        "Item": {"pk": {"S": "a"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    });
    let error = world.try_call("PutItem", put.clone()).await.unwrap_err();
    assert_eq!(error.code, "ConditionalCheckFailedException");
    assert!(error.fields.is_empty(), "{error:?}");
    put["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let error = world.try_call("PutItem", put).await.unwrap_err();
    assert_eq!(error.fields["Item"]["name"], json!({"S": "one"}));
}

#[tokio::test]
async fn a_cancelled_transaction_tells_its_reasons() {
    let world = World::new();
    world.put("a", "one").await;
    let put = |pk: &str| {
        json!({"Put": {
            "TableName": "things",
            "Item": {"pk": {"S": pk}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }})
    };
    let body = json!({"TransactItems": [put("b"), put("a")]});
    let error = world
        .try_call("TransactWriteItems", body)
        .await
        .unwrap_err();
    assert_eq!(error.code, "TransactionCanceledException");
    let reasons = &error.fields["CancellationReasons"];
    assert_eq!(reasons[0]["Code"], "None");
    assert_eq!(reasons[1]["Code"], "ConditionalCheckFailed");
    assert_eq!(reasons[1].get("Item"), None);
    assert_eq!(world.get("b").await, Value::Null);
}

#[tokio::test]
async fn a_transaction_with_a_known_token_is_not_carried_out_again() {
    let world = World::new();
    world
        .call(
            "PutItem",
            json!({"TableName": "things", "Item": {"pk": {"S": "a"}, "n": {"N": "0"}}}),
        )
        .await;
    let add = |by: &str| {
        json!({"ClientRequestToken": "token", "TransactItems": [{"Update": {
            "TableName": "things",
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "ADD n :by",
            "ExpressionAttributeValues": {":by": {"N": by}},
        }}]})
    };
    world.call("TransactWriteItems", add("1")).await;
    world.units();
    world.call("TransactWriteItems", add("1")).await;
    assert_eq!(world.units(), (Units::whole(2), Units::ZERO, Units::ZERO));
    assert_eq!(world.get("a").await["n"], json!({"N": "1"}));
    let other = world
        .try_call("TransactWriteItems", add("2"))
        .await
        .unwrap_err();
    assert_eq!(other.code, "IdempotentParameterMismatchException");
    let _ = world.clock.advance(Duration::from_secs(601));
    world.call("TransactWriteItems", add("1")).await;
    assert_eq!(world.get("a").await["n"], json!({"N": "2"}));
}

#[tokio::test]
async fn items_go_when_their_time_to_live_is_over() {
    let world = World::new();
    let expires = (world.clock.now().as_second() + 60).to_string();
    let item = json!({"pk": {"S": "a"}, "expires": {"N": expires}});
    world
        .call("PutItem", json!({"TableName": "things", "Item": item}))
        .await;
    world.db.sweep().await;
    assert_ne!(world.get("a").await, Value::Null);
    let _ = world.clock.advance(Duration::from_secs(61));
    world.db.sweep().await;
    assert_eq!(world.get("a").await, Value::Null);
}

#[tokio::test]
async fn a_fault_keeps_expired_items() {
    let world = World::new();
    let faults = Faults::new(&stack(), 0);
    world.db.follow(&faults);
    faults.set_text(&["dynamodb:Expire@*=keep"]).unwrap();
    let expires = world.clock.now().as_second().to_string();
    let item = json!({"pk": {"S": "a"}, "expires": {"N": expires}});
    world
        .call("PutItem", json!({"TableName": "things", "Item": item}))
        .await;
    let _ = world.clock.advance(Duration::from_hours(48));
    world.db.sweep().await;
    assert_ne!(world.get("a").await, Value::Null);
    faults.set(Vec::new()).unwrap();
    world.db.sweep().await;
    assert_eq!(world.get("a").await, Value::Null);
}

#[tokio::test]
async fn a_stale_read_sees_the_table_before_its_last_write() {
    let world = World::new();
    let faults = Faults::new(&stack(), 0);
    world.db.follow(&faults);
    faults.set_text(&["dynamodb:*@*=stale-read"]).unwrap();
    world.put("a", "one").await;
    world.put("a", "two").await;
    let other = json!({"TableName": "others", "Item": {"pk": {"S": "a"}}});
    world.call("PutItem", other).await;
    let stale = |operation: &str, body: Value| -> Value {
        let answer = world
            .db
            .call_stale(&Caller::operator(), operation, body)
            .unwrap();
        serde_json::from_slice(&answer).unwrap()
    };
    let mut get = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}});
    assert_eq!(
        stale("GetItem", get.clone())["Item"]["name"],
        json!({"S": "one"})
    );
    let query = json!({
        "TableName": "things",
        "IndexName": "by_kind",
        "KeyConditionExpression": "kind = :k",
        "ExpressionAttributeValues": {":k": {"S": "k"}},
    });
    assert_eq!(
        stale("Query", query)["Items"][0]["name"],
        json!({"S": "one"})
    );
    get["ConsistentRead"] = json!(true);
    assert_eq!(stale("GetItem", get)["Item"]["name"], json!({"S": "two"}));
    for (consistent, expected) in [(false, "one"), (true, "two")] {
        let keys = json!({"Keys": [{"pk": {"S": "a"}}], "ConsistentRead": consistent});
        let batch = json!({"RequestItems": {"things": keys}});
        let read = stale("BatchGetItem", batch);
        assert_eq!(
            read["Responses"]["things"][0]["name"],
            json!({"S": expected})
        );
    }
}

#[tokio::test]
async fn a_folder_keeps_tables_and_refuses_another_schema() {
    let data = tempfile::tempdir().unwrap();
    let first = World::of(&stack(), Some(data.path()));
    first.put("a", "one").await;
    drop(first);
    let again = World::of(&stack(), Some(data.path()));
    assert_eq!(again.get("a").await["name"], json!({"S": "one"}));
    drop(again);
    let mut other = stack();
    let table = other.tables.get_mut("Things").unwrap();
    table.create["GlobalSecondaryIndexes"][0]["IndexName"] = json!("by_colour");
    let clock = Clock::system();
    let (bill, record) = (Bill::new(&other), Record::none(&arns()));
    let error = DynamoDb::start(&other, &arns(), &clock, &bill, &record, Some(data.path()));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("things") && error.contains("by_colour"),
        "{error}"
    );
}

#[tokio::test]
async fn a_temporary_file_goes_with_its_engine() {
    let engine = Engine::temporary(&Clock::system()).unwrap();
    let path = format!("{engine:?}")
        .split('"')
        .nth(1)
        .map(std::path::PathBuf::from)
        .unwrap();
    assert!(path.exists());
    drop(engine);
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_description_carries_the_runners_names() {
    let world = World::new();
    let answer = world
        .call("DescribeTable", json!({"TableName": "things"}))
        .await;
    let table = &answer["Table"];
    assert_eq!(table["TableArn"], json!(arns().table("things")));
    assert_eq!(table["LatestStreamArn"], json!(arns().stream("things")));
    assert!(!table.to_string().contains("dynoxide"), "{table}");
}

#[tokio::test]
async fn a_wrong_value_is_refused_as_dynamodb_does() {
    let world = World::new();
    let put = json!({"TableName": "things", "Item": {"pk": {"N": "1"}}});
    assert_eq!(
        world.try_call("PutItem", put).await.unwrap_err().code,
        "ValidationException"
    );
    let put = json!({"TableName": "nothing", "Item": {"pk": {"S": "1"}}});
    assert_eq!(
        world.try_call("PutItem", put).await.unwrap_err().code,
        "ResourceNotFoundException"
    );
    let put = json!({"TableName": "things", "Item": {"pk": {"S": 1}}});
    let error = world.try_call("PutItem", put).await.unwrap_err();
    assert_eq!(error.code, "SerializationException", "{error}");
}
