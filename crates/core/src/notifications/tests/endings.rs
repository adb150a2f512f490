//! Each outcome of an attempt to send, and which delivery continues.

use super::*;

#[test]
fn a_message_requested_eight_times_at_once_is_sent_once() {
    let shop = testing::at_once([async || shop(&confirmed(), "en").await]).remove(0);
    let jobs = (0..8).map(|n| {
        let messenger = shop.messenger.clone();
        async move || send_messages(&messenger, delivery(&n.to_string(), 1)).await
    });
    let ended = testing::at_once(jobs);
    // A delivery that finds the message being sent may be retried; none sends it a second time.
    let well = |ended: &Result<(), _>| matches!(ended, Ok(()) | Err(NotificationError::InProgress));
    assert!(ended.iter().all(well), "{ended:?}");
    assert_eq!(shop.sent(), 1);
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
