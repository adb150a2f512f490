use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::aws::settings::Settings;
use crate::testing::{self, Engine, Fault};

/// When the first request comes.
fn start() -> Time {
    Time::from_millis(1_772_357_400_000)
}

/// A request that comes this long after the start.
fn request(after: Duration) -> Request {
    testing::request(start().plus(after), &json!({}))
}

fn limiter(class: Class) -> (Limiter, Engine) {
    let (aws, engine) = testing::aws();
    (Limiter::new(&aws, class).unwrap().unwrap(), engine)
}

async fn count(limiter: &Limiter, request: &Request) -> Result<(), Refused> {
    limiter.count(limiter.caller(request)).await
}

/// How many of `requests` requests at once come through.
async fn admitted(limiter: &Limiter, after: Duration, requests: u32) -> u32 {
    let mut admitted = 0;
    for _ in 0..requests {
        admitted += u32::from(count(limiter, &request(after)).await.is_ok());
    }
    admitted
}

#[tokio::test]
async fn a_burst_comes_through_and_then_as_much_as_the_time_gives() {
    let (limiter, _) = limiter(Class::Order);
    assert_eq!(admitted(&limiter, Duration::ZERO, 700).await, 600);
    // Ten per second.
    assert_eq!(admitted(&limiter, Duration::from_secs(1), 200).await, 10);
    assert_eq!(admitted(&limiter, Duration::from_secs(11), 200).await, 100);
    // And never more than the burst, after however long a pause.
    assert_eq!(admitted(&limiter, Duration::from_hours(1), 700).await, 600);
}

#[tokio::test]
async fn a_refused_caller_is_told_when_there_is_a_token_again() {
    let (limiter, _) = limiter(Class::SignIn);
    assert_eq!(admitted(&limiter, Duration::ZERO, 1200).await, 1200);
    let refused = count(&limiter, &request(Duration::ZERO)).await.unwrap_err();
    assert_eq!(refused.retry_after_seconds, 1);
    assert_eq!(admitted(&limiter, Duration::from_millis(49), 1).await, 0);
    assert_eq!(admitted(&limiter, Duration::from_millis(50), 2).await, 1);
}

#[tokio::test]
async fn each_caller_and_each_class_has_its_own_bucket() {
    let (aws, _) = testing::aws();
    let orders = Limiter::new(&aws, Class::Order).unwrap().unwrap();
    let writes = Limiter::new(&aws, Class::Write).unwrap().unwrap();
    assert_eq!(admitted(&orders, Duration::ZERO, 601).await, 600);
    assert!(count(&writes, &request(Duration::ZERO)).await.is_ok());
    let of = |address: &str| Request {
        identity: None,
        source_ip: address.to_owned(),
        ..request(Duration::ZERO)
    };
    for _ in 0..600 {
        assert!(count(&orders, &of("2001:db8::1")).await.is_ok());
    }
    // The other half of an IPv6 address is the client's own to choose.
    assert!(count(&orders, &of("2001:db8::ffff:1")).await.is_err());
    assert!(count(&orders, &of("2001:db8:0:1::1")).await.is_ok());
    assert!(count(&orders, &of("192.0.2.7")).await.is_ok());
}

#[tokio::test]
async fn sign_ins_count_against_the_address_even_of_a_caller_who_is_signed_in() {
    let (limiter, engine) = limiter(Class::SignIn);
    assert!(count(&limiter, &request(Duration::ZERO)).await.is_ok());
    let stored = &engine.items(Setting::LimitsTable)[0];
    assert_eq!(stored["pk"], "sign_in#192.0.2.1");
    // Full again in a twentieth of a second; kept for the minute that a bucket can take at most.
    assert_eq!(stored["expires_at"], start().as_seconds() + 60);
}

#[tokio::test]
async fn one_write_pays_for_twenty_reads() {
    let (limiter, engine) = limiter(Class::Read);
    let stored = || engine.items(Setting::LimitsTable)[0]["full_at_micros"].clone();
    assert_eq!(admitted(&limiter, Duration::ZERO, 20).await, 20);
    let first = stored();
    assert_eq!(first, start().as_millis() * 1000 + 20 * 10_000);
    assert_eq!(admitted(&limiter, Duration::from_millis(1), 1).await, 1);
    assert_eq!(stored(), start().as_millis() * 1000 + 40 * 10_000);
    // What is not spent within a minute is lost: the next is paid for anew.
    assert_eq!(admitted(&limiter, Duration::from_secs(61), 1).await, 1);
    let anew = start().plus(Duration::from_secs(61)).as_millis() * 1000 + 20 * 10_000;
    assert_eq!(stored(), anew);
}

#[tokio::test]
async fn reads_of_strangers_are_counted_in_memory() {
    let (limiter, engine) = limiter(Class::Read);
    let stranger = |after| Request {
        identity: None,
        ..request(after)
    };
    for _ in 0..6000 {
        assert!(count(&limiter, &stranger(Duration::ZERO)).await.is_ok());
    }
    let refused = count(&limiter, &stranger(Duration::ZERO)).await;
    assert_eq!(refused.unwrap_err().retry_after_seconds, 1);
    let later = Duration::from_secs(1);
    for _ in 0..100 {
        assert!(count(&limiter, &stranger(later)).await.is_ok());
    }
    assert!(count(&limiter, &stranger(later)).await.is_err());
    assert!(engine.calls().is_empty(), "the table was asked");
}

#[tokio::test]
async fn processes_share_the_bucket() {
    let (aws, _) = testing::aws();
    let limiters: Vec<Limiter> = (0..4)
        .map(|_| Limiter::new(&aws, Class::Order).unwrap().unwrap())
        .collect();
    let mut total = 0;
    for round in 0..200 {
        for limiter in &limiters {
            let come = count(limiter, &request(Duration::from_micros(round))).await;
            total += u32::from(come.is_ok());
        }
    }
    assert_eq!(total, 600);
}

#[tokio::test]
async fn a_bucket_gives_the_tokens_that_are_stored_and_not_those_that_a_process_assumes() {
    let (limiter, engine) = limiter(Class::Order);
    let write = async |known, tokens, now| {
        let written = limiter.write("caller", known, tokens, now).await;
        matches!(written.unwrap(), Outcome::Done)
    };
    let (now, token) = (micros(start()), 100_000);
    assert!(write(0, 1, now).await, "a bucket that is missing is full");
    assert!(!write(0, 1, now).await, "it is not full any more");
    assert!(write(now + token, 599, now).await);
    assert!(!write(now + token, 1, now).await, "it is empty");
    let later = micros(start().plus(Duration::from_hours(1)));
    assert!(!write(later, 1, later).await, "tokens are not saved up");
    assert!(write(0, 600, later).await);
    let stored = &engine.items(Setting::LimitsTable)[0]["full_at_micros"];
    assert_eq!(*stored, later + 600 * token);
}

#[tokio::test]
async fn requests_are_admitted_while_the_table_of_limits_fails() {
    let (limiter, engine) = limiter(Class::Order);
    for _ in 0..3 {
        engine.fail_next("UpdateItem", Fault::Throttled);
    }
    assert!(count(&limiter, &request(Duration::ZERO)).await.is_ok());
    assert!(engine.items(Setting::LimitsTable).is_empty());
    for _ in 0..5 {
        engine.fail_next("UpdateItem", Fault::Refused);
    }
    assert!(count(&limiter, &request(Duration::ZERO)).await.is_ok());
}

#[tokio::test]
async fn nothing_is_counted_at_zero_percent() {
    let (aws, _) = testing::aws();
    assert!(Limiter::new(&aws, Class::Free).unwrap().is_none());
    let settings = [("RATE_LIMIT_PERCENT".to_owned(), "0".to_owned())];
    let config = aws_types::SdkConfig::builder().build();
    let aws = Aws::with(config, Settings::Given(settings.into()));
    assert!(Limiter::new(&aws, Class::Order).unwrap().is_none());
}

proptest! {
    // Each case starts a database.
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever the pauses and however many processes: within any stretch of time never more than the
    /// burst, and what the time since gives, with the minute that a lease lives.
    #[test]
    fn no_caller_gets_more_than_burst_and_rate(
        pauses in prop::collection::vec(0u64..3000, 1..30),
        processes in 1usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (aws, _) = testing::aws();
            let limiters: Vec<Limiter> = (0..processes)
                .map(|_| Limiter::new(&aws, Class::Order).unwrap().unwrap())
                .collect();
            let mut at = Duration::ZERO;
            let mut total = 0;
            for (turn, pause) in pauses.iter().enumerate() {
                at += Duration::from_millis(*pause);
                total += admitted(&limiters[turn % processes], at, 50).await;
            }
            let most = 600 + at.as_millis() / 100 + 1;
            assert!(u128::from(total) <= most, "{total} of {most}");
        });
    }
}
