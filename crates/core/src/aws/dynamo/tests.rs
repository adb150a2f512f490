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
async fn throttling_that_stays_is_busy() {
    let (aws, engine) = testing::aws();
    let table = Table::new(&aws, Setting::MessagesTable).unwrap();
    for _ in 0..3 {
        engine.fail_next("PutItem", Fault::Throttled);
    }
    let written = table.write(table.put(&message(1)).unwrap()).await;
    assert!(matches!(written, Err(StoreError::Busy(_))), "{written:?}");
}
