//! Each outcome of an attempt to send, and which delivery continues.

use super::*;

fn requested() -> MessageRequest {
    MessageRequest {
        template: Template::OrderConfirmed,
        about: About::Order(OrderId::derived(&["order"])),
    }
}

impl Shop {
    /// Lets `message` be delivered to another function before the next record is stored.
    fn deliver_before_the_next_claim(&self, message: Message) {
        let messenger = self.messenger.clone();
        self.engine.before_next("PutItem", async move || {
            send_messages(&messenger, message).await.unwrap();
        });
    }

    async fn stored(&self) -> super::super::model::Message {
        let stored = self.messages.get(requested().message_id()).await;
        stored.unwrap().unwrap()
    }
}

#[tokio::test]
async fn of_two_deliveries_at_once_one_sends_the_message() {
    let shop = shop(&confirmed(), "en").await;
    shop.deliver_before_the_next_claim(delivery("2", 1));
    shop.deliver(delivery("1", 1)).await.unwrap();
    assert_eq!((shop.sent(), shop.status().await), (1, Some(Status::Sent)));
}

#[tokio::test]
async fn of_two_retries_at_once_one_sends_the_message() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::Refused]);
    assert!(shop.deliver(delivery("1", 1)).await.is_err());
    shop.deliver_before_the_next_claim(delivery("2", 1));
    shop.deliver(delivery("1", 2)).await.unwrap();
    assert_eq!((shop.sent(), shop.status().await), (1, Some(Status::Sent)));
}

#[tokio::test]
async fn a_retry_waits_for_one_that_was_quicker_and_is_still_sending() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::Refused, Ending::LostBefore]);
    assert!(shop.deliver(delivery("1", 1)).await.is_err());
    let messenger = shop.messenger.clone();
    shop.engine.before_next("PutItem", async move || {
        let ended = send_messages(&messenger, delivery("2", 1)).await;
        assert!(
            matches!(ended, Err(NotificationError::Unknown(_))),
            "{ended:?}"
        );
    });
    let ended = shop.deliver(delivery("3", 1)).await;
    assert!(
        matches!(ended, Err(NotificationError::InProgress)),
        "{ended:?}"
    );
    assert_eq!((shop.sent(), shop.stored().await.attempts), (0, 2));
}

#[tokio::test]
async fn a_message_whose_first_attempt_ends_late_is_not_sent_again() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::CrashBefore]);
    shop.deliver_and_die(delivery("1", 1)).await;
    let (messages, first) = (shop.messages.clone(), shop.stored().await);
    shop.engine.before_next("PutItem", async move || {
        messages.record_outcome(&first, Status::Sent).await.unwrap();
    });
    shop.deliver(delivery("1", 2)).await.unwrap();
    assert_eq!((shop.sent(), shop.status().await), (0, Some(Status::Sent)));
}

#[tokio::test]
async fn an_outcome_is_recorded_for_its_own_attempt_only_and_sent_is_final() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::LostBefore, Ending::LostBefore]);
    assert!(shop.deliver(delivery("1", 1)).await.is_err());
    let first = shop.stored().await;
    assert!(shop.deliver(delivery("1", 2)).await.is_err());
    let record = async |attempt, outcome| {
        let recorded = shop.messages.record_outcome(attempt, outcome).await;
        recorded.unwrap() == crate::aws::dynamo::Written::Done
    };
    assert!(!record(&first, Status::Failed).await);
    assert_eq!(shop.status().await, Some(Status::Sending));
    let second = shop.stored().await;
    assert!(record(&second, Status::Sent).await);
    assert!(!record(&second, Status::Failed).await);
    assert_eq!(shop.status().await, Some(Status::Sent));
}

#[tokio::test]
async fn a_message_that_ses_refused_is_sent_by_the_next_delivery() {
    for next in [delivery("1", 2), delivery("2", 1)] {
        let shop = shop(&confirmed(), "en").await;
        shop.ends([Ending::Refused]);
        let ended = shop.deliver(delivery("1", 1)).await;
        assert!(matches!(ended, Err(NotificationError::Refused(_))));
        assert_eq!(shop.status().await, Some(Status::Failed));
        shop.deliver(next).await.unwrap();
        assert_eq!((shop.sent(), shop.status().await), (1, Some(Status::Sent)));
    }
}

#[tokio::test]
async fn an_attempt_with_an_unknown_outcome_is_repeated_by_its_own_delivery() {
    for (ending, sent) in [(Ending::LostBefore, 1), (Ending::LostAfter, 2)] {
        let shop = shop(&confirmed(), "en").await;
        shop.ends([ending]);
        let ended = shop.deliver(delivery("1", 1)).await;
        assert!(matches!(ended, Err(NotificationError::Unknown(_))));
        assert_eq!(shop.status().await, Some(Status::Sending));
        shop.deliver(delivery("1", 2)).await.unwrap();
        // Rather twice than not at all.
        assert_eq!(
            (shop.sent(), shop.status().await),
            (sent, Some(Status::Sent))
        );
    }
}

#[tokio::test]
async fn a_function_that_dies_while_sending_loses_no_message() {
    for (ending, sent) in [(Ending::CrashBefore, 1), (Ending::CrashAfter, 2)] {
        let shop = shop(&confirmed(), "en").await;
        shop.ends([ending]);
        shop.deliver_and_die(delivery("1", 1)).await;
        assert_eq!(shop.status().await, Some(Status::Sending), "{ending:?}");
        shop.deliver(delivery("1", 2)).await.unwrap();
        assert_eq!(shop.sent(), sent, "{ending:?}");
        assert_eq!(shop.status().await, Some(Status::Sent), "{ending:?}");
    }
}

#[tokio::test]
async fn another_delivery_takes_over_only_when_it_is_retried() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::CrashBefore]);
    shop.deliver_and_die(delivery("1", 1)).await;
    // The queue may deliver a request twice: the same count does not show that the first attempt is over.
    for early in [delivery("2", 1), delivery("1", 1)] {
        let ended = shop.deliver(early).await;
        assert!(
            matches!(ended, Err(NotificationError::InProgress)),
            "{ended:?}"
        );
        assert_eq!(shop.sent(), 0);
    }
    shop.deliver(delivery("2", 2)).await.unwrap();
    assert_eq!((shop.sent(), shop.status().await), (1, Some(Status::Sent)));
}

#[tokio::test]
async fn a_late_refusal_does_not_undo_what_another_attempt_sent() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::CrashBefore]);
    shop.deliver_and_die(delivery("1", 1)).await;
    let request = MessageRequest {
        template: Template::OrderConfirmed,
        about: About::Order(OrderId::derived(&["order"])),
    };
    let first = shop
        .messages
        .get(request.message_id())
        .await
        .unwrap()
        .unwrap();
    shop.deliver(delivery("1", 2)).await.unwrap();
    shop.messages
        .record_outcome(&first, Status::Failed)
        .await
        .unwrap();
    assert_eq!(shop.status().await, Some(Status::Sent));
}

#[tokio::test]
async fn a_message_that_was_sent_but_not_stored_as_sent_is_not_retried() {
    let shop = shop(&confirmed(), "en").await;
    // As often as the SDK tries.
    for _ in 0..3 {
        shop.engine.fail_next("UpdateItem", Fault::Failed);
    }
    shop.deliver(delivery("1", 1)).await.unwrap();
    assert_eq!(
        (shop.sent(), shop.status().await),
        (1, Some(Status::Sending))
    );
}

#[tokio::test]
async fn a_lost_response_of_the_database_sends_nothing_twice() {
    for operation in ["PutItem", "UpdateItem"] {
        let shop = shop(&confirmed(), "en").await;
        shop.engine.fail_next(operation, Fault::LostAnswer);
        // A claim whose response was lost looks like the claim of another delivery, until this one is retried.
        for receive_count in 1..=2 {
            let _ = shop.deliver(delivery("1", receive_count)).await;
        }
        assert_eq!(
            (shop.sent(), shop.status().await),
            (1, Some(Status::Sent)),
            "{operation}"
        );
    }
}
