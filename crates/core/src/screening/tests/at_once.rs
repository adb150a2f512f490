//! Two admins at once: the other comes between what a request reads and what it writes.

use super::{Shop, about, json_of, shop, small, status_of};

#[tokio::test]
async fn of_two_creations_of_a_rule_at_once_one_succeeds() {
    let shop = shop();
    shop.meanwhile(async |other: Shop| {
        other.made("small", 1, &small("1.00")).await;
    });
    let late = shop.put(about("small", 2, &small("2.00"))).await;
    assert_eq!(status_of(late), 428);
    let first = "an order is at most 1.00 EUR".to_owned();
    assert_eq!((shop.small().await, shop.count()), (Some((1, first)), 1));
}

#[tokio::test]
async fn a_rule_goes_on_from_the_version_of_a_removal_meanwhile() {
    let shop = shop();
    // The first time, no tombstone is there when the request reads; the second time, an older one.
    for version in [3, 7] {
        shop.meanwhile(async |other: Shop| {
            other.made("small", 1, &small("1.00")).await;
            other.remove("small", "*").await.unwrap();
        });
        let made = shop.made("small", 2, &small("2.00")).await;
        let made = (made.status.as_u16(), json_of(&made)["version"].as_u64());
        assert_eq!(made, (201, Some(version)));
        shop.remove("small", "*").await.unwrap();
    }
    assert_eq!(shop.count(), 0);
}

#[tokio::test]
async fn a_rule_that_was_changed_meanwhile_is_not_overwritten() {
    for (tag, ended, left) in [
        ("\"1\"", 412, (2, "an order is at most 2.00 EUR")),
        ("*", 200, (3, "an order is at most 3.00 EUR")),
    ] {
        let shop = shop();
        shop.made("small", 1, &small("1.00")).await;
        shop.meanwhile(async |other: Shop| {
            let request = about("small", 2, &small("2.00")).with("if-match", "*");
            other.put(request).await.unwrap();
        });
        let request = about("small", 3, &small("3.00")).with("if-match", tag);
        assert_eq!(status_of(shop.put(request).await), ended, "{tag}");
        assert_eq!(shop.small().await, Some((left.0, left.1.to_owned())));
    }
}

#[tokio::test]
async fn a_rule_that_was_removed_meanwhile_is_made_anew_or_stays_removed() {
    let latest = "an order is at most 3.00 EUR".to_owned();
    for (tag, ended, left) in [("\"1\"", 412, None), ("*", 201, Some((3, latest)))] {
        let shop = shop();
        shop.made("small", 1, &small("1.00")).await;
        shop.meanwhile(async |other: Shop| {
            other.remove("small", "*").await.unwrap();
        });
        let request = about("small", 3, &small("3.00")).with("if-match", tag);
        assert_eq!(status_of(shop.put(request).await), ended, "{tag}");
        assert_eq!(shop.count(), i64::from(left.is_some()));
        assert_eq!(shop.small().await, left, "{tag}");
    }
}

#[tokio::test]
async fn a_removal_does_not_remove_what_was_changed_meanwhile() {
    let changed = "an order is at most 2.00 EUR".to_owned();
    for (tag, ended, left) in [("\"1\"", 412, Some((2, changed))), ("*", 204, None)] {
        let shop = shop();
        shop.made("small", 1, &small("1.00")).await;
        shop.meanwhile(async |other: Shop| {
            let request = about("small", 2, &small("2.00")).with("if-match", "*");
            other.put(request).await.unwrap();
        });
        assert_eq!(status_of(shop.remove("small", tag).await), ended, "{tag}");
        assert_eq!(shop.count(), i64::from(left.is_some()));
        assert_eq!(shop.small().await, left, "{tag}");
    }
}

#[tokio::test]
async fn two_removals_at_once_remove_one_rule() {
    let shop = shop();
    shop.made("small", 1, &small("1.00")).await;
    shop.made("large", 1, &small("9.00")).await;
    shop.meanwhile(async |other: Shop| {
        other.remove("small", "*").await.unwrap();
    });
    assert_eq!(status_of(shop.remove("small", "\"1\"").await), 204);
    assert_eq!((shop.small().await, shop.count()), (None, 1));
}
