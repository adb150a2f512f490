//! Stock balances whatever happens at the same time and in any order.

use proptest::prelude::*;

use super::shop;
use crate::inventory::model::ReservationStatus;
use crate::orders::model::Status;
use crate::testing;

#[tokio::test]
async fn simultaneous_runs_of_one_order_hold_its_stock_once() {
    let shop = shop();
    shop.stocked("tea", 4).await;
    shop.placed(1, &[("tea", 4)]).await;
    let shop = &shop;
    let ran = testing::at_once((0..8).map(|_| async move || shop.reserve(1).await));
    assert_eq!(ran, ["done"; 8]);
    assert_eq!(shop.counts("tea").await, (0, 4));

    shop.set_status(1, Status::Confirmed).await;
    let ran = testing::at_once((0..8).map(|_| async move || shop.commit(1).await));
    assert_eq!(ran, ["done"; 8]);
    shop.set_status(1, Status::Cancelled).await;
    let ran = testing::at_once((0..8).map(|_| async move || shop.release(1).await));
    assert_eq!(ran, ["done"; 8]);
    assert_eq!(shop.counts("tea").await, (4, 0));
}

#[tokio::test]
async fn no_more_is_held_than_is_available() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    for number in 0..24 {
        shop.placed(number, &[("tea", 1), ("tea", 1)]).await;
    }
    let shop = &shop;
    let ran = testing::at_once((0..24).map(|number| async move || shop.reserve(number).await));
    let count = |wanted| ran.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count("done"), count("OutOfStock")), (5, 19), "{ran:?}");
    assert_eq!(shop.counts("tea").await, (0, 10));
    shop.assert_balanced();
}

#[tokio::test]
async fn stock_that_is_set_while_orders_hold_it_is_on_hand() {
    let shop = shop();
    shop.stocked("tea", 100).await;
    for number in 0..12 {
        shop.placed(number, &[("tea", 2)]).await;
    }
    let shop = &shop;
    let ran = testing::at_once((0..16).map(|number| {
        async move || {
            if number < 12 {
                shop.reserve(number).await == "done"
            } else {
                shop.put("tea", 50, "*").await.0 == 200
            }
        }
    }));
    assert_eq!(ran, [true; 16]);
    assert_eq!(shop.counts("tea").await, (26, 24));
    shop.assert_balanced();
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Set(u64),
    Reserve(u32),
    Confirm(u32),
    Commit(u32),
    Close(u32),
    Release(u32),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let any = prop_oneof![
        (0_u64..12).prop_map(Move::Set),
        (0_u32..3).prop_map(Move::Reserve),
        (0_u32..3).prop_map(Move::Confirm),
        (0_u32..3).prop_map(Move::Commit),
        (0_u32..3).prop_map(Move::Close),
        (0_u32..3).prop_map(Move::Release),
    ];
    proptest::collection::vec(any, 1..25)
}

async fn play(moves: Vec<Move>) {
    let shop = shop();
    shop.stocked("tea", 6).await;
    shop.stocked("cup", 2).await;
    for number in 0..3 {
        shop.placed(number, &[("tea", number + 2), ("cup", 1)])
            .await;
    }
    let mut on_hand = 6;
    for next in moves {
        match next {
            Move::Set(wanted) => {
                let reserved = shop.counts("tea").await.1;
                let (status, _) = shop.put("tea", wanted, "*").await;
                assert_eq!(status == 200, wanted >= reserved);
                on_hand = if status == 200 { wanted } else { on_hand };
            }
            Move::Reserve(number) => drop(shop.reserve(number).await),
            Move::Confirm(number) => {
                // As in the workflow, only an order with held stock is confirmed.
                if shop.reservation(number).await == Some(ReservationStatus::Held) {
                    shop.set_status(number, Status::Confirmed).await;
                }
            }
            Move::Commit(number) => drop(shop.commit(number).await),
            Move::Close(number) => shop.set_status(number, Status::Cancelled).await,
            Move::Release(number) => drop(shop.release(number).await),
        }
        shop.assert_balanced();
        let (available, reserved) = shop.counts("tea").await;
        assert_eq!(available + reserved, on_hand, "{next:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn stock_balances_whatever_happens(moves in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(play(moves));
    }
}
