//! What holds whatever happens, in whatever order.

use proptest::prelude::*;

use super::shop::Shop;
use super::wild::Happens;
use crate::testing::Fault;

/// What happens to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Process,
    ProcessTwice,
    ProcessAndVoid,
    Cancel,
    Arrive,
    Fail(&'static str, Fault),
}

fn acts() -> impl Strategy<Value = Act> {
    let operations = prop::sample::select(vec!["GetItem", "PutItem", "UpdateItem"]);
    let faults = prop::sample::select(vec![Fault::LostAnswer, Fault::Failed, Fault::Throttled]);
    prop_oneof![
        4 => Just(Act::Process),
        4 => Just(Act::ProcessTwice),
        1 => Just(Act::ProcessAndVoid),
        1 => Just(Act::Cancel),
        2 => Just(Act::Arrive),
        2 => (operations, faults).prop_map(|(operation, fault)| Act::Fail(operation, fault)),
    ]
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => Just(Happens::Well),
        5 => Just(Happens::Busy),
        1 => Just(Happens::Lost),
        1 => Just(Happens::LostBefore),
        2 => Just(Happens::Late),
        1 => Just(Happens::ArrivesBefore),
        1 => Just(Happens::CrashBefore),
        1 => Just(Happens::CrashAfter),
        2 => Just(Happens::CrashLate),
        3 => (1_u8..6).prop_map(Happens::Slowly),
    ]
}

/// Runs `acts`, then lets everything work and arrive, and checks what is left.
async fn check(token: &str, strategy: &str, acts: Vec<Act>, happens: Vec<Happens>) {
    let shop = Shop::with(token, strategy).await;
    shop.wild.let_happen(happens);
    let (mut seconds, mut cancelled) = (1, false);
    for act in acts {
        match act {
            Act::Process => drop(shop.process(seconds).await),
            Act::ProcessTwice => {
                futures::join!(shop.process(seconds), shop.process(seconds));
            }
            Act::ProcessAndVoid => {
                futures::join!(shop.process(seconds), shop.void(seconds));
            }
            Act::Cancel if !cancelled => {
                shop.engine.clear_faults();
                shop.cancel().await;
                cancelled = true;
            }
            Act::Cancel => {}
            Act::Arrive => shop.wild.arrive().await,
            Act::Fail(operation, fault) => {
                for _ in 0..3 {
                    shop.engine.fail_next(operation, fault);
                }
                continue;
            }
        }
        shop.engine.clear_faults();
        seconds += 7;
        assert!(shop.captured().len() <= 1, "{:?}", shop.books());
    }
    shop.engine.clear_faults();
    shop.wild.let_happen([]);
    for _ in 0..4 {
        shop.process(seconds).await;
        shop.wild.arrive().await;
        seconds += 7;
    }
    let end = if cancelled {
        shop.void(seconds).await
    } else {
        shop.process(seconds).await
    };
    let payment = shop.payment().await;
    let captured = shop.captured();
    let amounts = payment.amounts;
    if cancelled {
        assert!(
            ["voided", "refunded", "failed"].contains(&end.as_str()),
            "{end}"
        );
        assert_eq!(amounts.captured(), amounts.refunded());
        assert_eq!(
            captured.len(),
            usize::from(end == "refunded"),
            "{:?}",
            shop.books()
        );
    } else {
        assert_eq!(end, "completed", "{:?}", shop.books());
        let account = payment.gateway.account().unwrap();
        let place = format!("{}@{account} captured", payment.attempt);
        assert_eq!(captured, [place], "{:?}", shop.books());
    }
    // What is still on its way takes nothing.
    shop.wild.arrive().await;
    assert_eq!(shop.captured(), captured);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Lost answers, busy answers, crashes and late requests in any order, with other runs and cancellations at the same
    /// time: an order is charged at one gateway only, ever, and its payment says at which.
    #[test]
    fn an_order_is_charged_at_one_gateway_only(
        token in prop::sample::select(vec!["tok_ok", "tok_unknown", "tok_capture_later"]),
        strategy in prop::sample::select(vec!["primary_with_fallback", "round_robin", "consistent_hash", "weighted"]),
        acts in prop::collection::vec(acts(), 1..9),
        happens in prop::collection::vec(happens(), 0..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(check(token, strategy, acts, happens));
    }
}
