//! Each way in which sending can end, and who goes on.

use super::*;

#[test]
fn what_is_asked_for_eight_times_at_once_is_sent_once() {
    let shop = testing::at_once([async || shop(&confirmed(), "en").await]).remove(0);
    let jobs = (0..8).map(|n| {
        let messenger = shop.messenger.clone();
        async move || send_messages(&messenger, delivery(&n.to_string(), 1)).await
    });
    let ended = testing::at_once(jobs);
    // Whoever finds the message being sent may also come again; nobody sends it a second time.
    let well = |ended: &Result<(), _>| matches!(ended, Ok(()) | Err(NotificationError::Elsewhere));
    assert!(ended.iter().all(well), "{ended:?}");
    assert_eq!(shop.sent(), 1);
}

#[tokio::test]
async fn what_ses_refuses_is_sent_by_the_next_delivery_whichever_it_is() {
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
async fn an_attempt_whose_end_is_unknown_is_made_again_by_its_own_delivery() {
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
        shop.deliver_to_the_dying(delivery("1", 1)).await;
        assert_eq!(shop.status().await, Some(Status::Sending), "{ending:?}");
        shop.deliver(delivery("1", 2)).await.unwrap();
        assert_eq!(shop.sent(), sent, "{ending:?}");
        assert_eq!(shop.status().await, Some(Status::Sent), "{ending:?}");
    }
}

#[tokio::test]
async fn another_delivery_takes_over_only_when_it_has_come_again() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::CrashBefore]);
    shop.deliver_to_the_dying(delivery("1", 1)).await;
    // The queue may hand out a message twice: the same count is no sign that the first is gone.
    for early in [delivery("2", 1), delivery("1", 1)] {
        let ended = shop.deliver(early).await;
        assert!(
            matches!(ended, Err(NotificationError::Elsewhere)),
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
    shop.deliver_to_the_dying(delivery("1", 1)).await;
    let wanted = Wanted {
        template: Template::OrderConfirmed,
        about: About::Order(OrderId::derived(&["order"])),
    };
    let first = shop
        .messages
        .get(wanted.message_id())
        .await
        .unwrap()
        .unwrap();
    shop.deliver(delivery("1", 2)).await.unwrap();
    shop.messages.end(&first, Status::Failed).await.unwrap();
    assert_eq!(shop.status().await, Some(Status::Sent));
}

#[tokio::test]
async fn what_is_sent_but_cannot_be_stored_as_sent_is_not_asked_for_again() {
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
async fn a_lost_answer_of_the_database_sends_nothing_twice() {
    for operation in ["PutItem", "UpdateItem"] {
        let shop = shop(&confirmed(), "en").await;
        shop.engine.fail_next(operation, Fault::LostAnswer);
        // The claim's lost answer looks like another delivery's claim, until this one comes again.
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
