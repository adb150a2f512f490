use serde::{Deserialize, Serialize};

use super::*;
use crate::aws::settings::Setting;
use crate::testing::{self, Fault};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Message {
    message_id: String,
    count: u32,
}

fn message(count: u32) -> Message {
    Message {
        message_id: "m".to_owned(),
        count,
    }
}

#[tokio::test]
async fn a_condition_that_does_not_hold_stores_nothing() {
    let (aws, engine) = testing::aws();
    let table = Table::new(&aws, Setting::MessagesTable).unwrap();
    let create = |count| {
        table
            .put(&message(count))
            .unwrap()
            .when("attribute_not_exists(message_id)")
    };
    assert_eq!(table.write(create(1)).await.unwrap(), Written::Done);
    assert_eq!(
        table.write(create(2)).await.unwrap(),
        Written::Refused(vec![0])
    );
    assert_eq!(engine.items(Setting::MessagesTable).len(), 1);
    let stored: Option<Message> = table.get(Key::new("message_id", "m")).await.unwrap();
    assert_eq!(stored, Some(message(1)));
}

#[tokio::test]
async fn a_transaction_in_conflict_is_tried_again_and_then_tells_what_was_refused() {
    let (aws, engine) = testing::aws();
    let table = Table::new(&aws, Setting::MessagesTable).unwrap();
    engine.fail_next("TransactWriteItems", Fault::Conflict);
    let create = || {
        table
            .put(&message(1))
            .unwrap()
            .when("attribute_not_exists(message_id)")
    };
    assert_eq!(table.transact(vec![create()]).await.unwrap(), Written::Done);
    engine.fail_next("TransactWriteItems", Fault::Conflict);
    assert_eq!(
        table.transact(vec![create()]).await.unwrap(),
        Written::Refused(vec![0])
    );
}

#[tokio::test]
async fn a_transaction_whose_token_another_one_has_used_is_sent_with_a_new_token() {
    let (aws, engine) = testing::aws();
    let table = Table::new(&aws, Setting::MessagesTable).unwrap();
    engine.fail_next("TransactWriteItems", Fault::TokenUsed);
    let put = table.put(&message(1)).unwrap();
    assert_eq!(table.transact(vec![put]).await.unwrap(), Written::Done);
    assert_eq!(engine.items(Setting::MessagesTable).len(), 1);
}

#[tokio::test]
async fn throttling_that_stays_is_busy() {
    let (aws, engine) = testing::aws();
    let table = Table::new(&aws, Setting::MessagesTable).unwrap();
    for _ in 0..3 {
        engine.fail_next("PutItem", Fault::Throttled);
    }
    let written = table.write(table.put(&message(1)).unwrap()).await;
    assert!(matches!(written, Err(StoreError::Busy(_))), "{written:?}");
}

#[derive(Serialize, Deserialize)]
struct Row {
    product_id: String,
    status_shard: String,
    position: String,
}

#[tokio::test]
async fn the_first_of_several_queries_are_found_however_they_are_spread() {
    let (aws, _) = testing::aws();
    let table = Table::new(&aws, Setting::ProductsTable).unwrap();
    // Of 40 rows, the first 15 are in one shard, the others here and there; the third shard has none.
    let shard = |row: usize| if row < 15 { 0 } else { [0, 1, 3][row % 3] };
    for row in 0..40 {
        let row = Row {
            product_id: row.to_string(),
            status_shard: format!("active#{}", shard(row)),
            position: format!("{row:02}"),
        };
        table.write(table.put(&row).unwrap()).await.unwrap();
    }
    for descending in [true, false] {
        for most in [0, 1, 12, 21, 39, 40, 100] {
            let queries = (0..4).map(|shard| {
                let query = table.query("status_shard = :shard").index("by-status");
                let query = query.value(":shard", format!("active#{shard}"));
                if descending {
                    query.descending()
                } else {
                    query
                }
            });
            let position = |row: &Row| row.position.clone();
            let found = merged(queries.collect(), most, descending, position)
                .await
                .unwrap();
            let found: Vec<String> = found.iter().map(position).collect();
            let mut expected: Vec<String> = (0..40).map(|row| format!("{row:02}")).collect();
            if descending {
                expected.reverse();
            }
            expected.truncate(most);
            assert_eq!(found, expected, "descending: {descending}, most: {most}");
        }
    }
}

#[tokio::test]
async fn more_keys_than_a_batch_takes_are_all_read() {
    let (aws, engine) = testing::aws();
    let table = Table::new(&aws, Setting::MessagesTable).unwrap();
    let id = |number: u32| format!("m{number}");
    for count in 0..205 {
        let message = Message {
            message_id: id(count),
            count,
        };
        table.write(table.put(&message).unwrap()).await.unwrap();
    }
    engine.forget_calls();
    let keys = (0..250).map(|number| Key::new("message_id", id(number)));
    let found: Vec<Message> = table.get_many(keys.collect(), true).await.unwrap();
    let mut counts: Vec<u32> = found.iter().map(|message| message.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, (0..205).collect::<Vec<u32>>());
    assert_eq!(engine.calls(), ["BatchGetItem"; 3]);
    let none: Vec<Message> = table.get_many(Vec::new(), true).await.unwrap();
    assert!(none.is_empty());
    assert_eq!(engine.calls().len(), 3);
}

#[tokio::test]
async fn keys_that_are_left_unprocessed_are_read_again() {
    let (aws, engine) = testing::aws();
    let table = Table::new(&aws, Setting::MessagesTable).unwrap();
    table.write(table.put(&message(7)).unwrap()).await.unwrap();
    engine.fail_next("BatchGetItem", Fault::Unprocessed);
    let keys = vec![Key::new("message_id", "m")];
    let found: Vec<Message> = table.get_many(keys, true).await.unwrap();
    assert_eq!(found, [message(7)]);
    assert_eq!(engine.calls(), ["PutItem", "BatchGetItem", "BatchGetItem"]);
}
