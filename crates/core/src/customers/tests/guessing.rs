//! Guessing passwords, and the work that a sign-in takes.

use super::*;
use crate::customers::attempts::{Attempt, Attempts};
use crate::customers::password::COMPARED;

/// Returns the outcome of an attempt: "in", "wrong", or how long to wait.
fn outcome(answer: Result<Response, Problem>) -> String {
    match answer {
        Ok(_) => "in".to_owned(),
        Err(Problem::Unauthenticated(_)) => "wrong".to_owned(),
        Err(Problem::TooManyRequests {
            retry_after_seconds,
        }) => format!("wait {retry_after_seconds}"),
        Err(other) => panic!("{other:?}"),
    }
}

/// Tries to sign in with `email` and `password` from `source`, `seconds` later.
async fn guess(aws: &Aws, email: &str, password: &str, source: &str, seconds: u64) -> String {
    let credentials = json!({"email": email, "password": password});
    let mut request = request(&credentials, None);
    request.now = now().plus(Duration::from_secs(seconds));
    source.clone_into(&mut request.source_ip);
    outcome(Box::pin(login(&SignIn::new(aws).unwrap(), request)).await)
}

#[tokio::test]
async fn after_five_failures_each_attempt_waits_twice_as_long_known_or_not() {
    for email in ["Ana@example.com", "nobody@example.com"] {
        let (aws, engine, _) = shop();
        secret(&engine, "1", "a secret");
        register(&aws, &ana(), None).await;
        let at = async |seconds| guess(&aws, email, "wrong horse", "192.0.2.1", seconds).await;
        for _ in 0..5 {
            assert_eq!(at(0).await, "wrong");
        }
        COMPARED.take();
        assert_eq!(at(0).await, "wait 1");
        assert!(
            COMPARED.take().is_empty(),
            "nothing is compared before the wait is over"
        );
        assert_eq!(at(1).await, "wrong");
        assert_eq!(at(2).await, "wait 1");
        assert_eq!(at(3).await, "wrong");
        assert_eq!(at(3).await, "wait 4");
        // The same with the address in capitals.
        let capitals = guess(&aws, &email.to_uppercase(), PASSWORD, "192.0.2.1", 3).await;
        assert_eq!(capitals, "wait 4");
        let elsewhere = guess(&aws, email, "wrong horse", "198.51.100.7", 3).await;
        assert_eq!(elsewhere, "wrong", "each network has its own count");
    }
}

#[tokio::test]
async fn the_right_password_signs_in_after_the_wait_and_clears_the_count() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    register(&aws, &ana(), None).await;
    let at = async |password, seconds| {
        guess(&aws, "ana@example.com", password, "192.0.2.1", seconds).await
    };
    for _ in 0..5 {
        assert_eq!(at("wrong horse", 0).await, "wrong");
    }
    assert_eq!(at(PASSWORD, 0).await, "wait 1");
    assert_eq!(at(PASSWORD, 1).await, "in");
    for _ in 0..5 {
        assert_eq!(at("wrong horse", 1).await, "wrong");
    }
    assert_eq!(at("wrong horse", 1).await, "wait 1");
}

#[tokio::test]
async fn failures_expire_after_an_hour_even_if_their_items_are_still_stored() {
    let (aws, engine, _) = shop();
    register(&aws, &ana(), None).await;
    let at =
        async |seconds| guess(&aws, "ana@example.com", "wrong horse", "192.0.2.1", seconds).await;
    for _ in 0..5 {
        at(0).await;
    }
    for _ in 0..5 {
        assert_eq!(at(3600).await, "wrong");
    }
    assert_eq!(at(3600).await, "wait 1");
    for item in engine.items(Setting::SessionsTable) {
        assert_eq!(item["expires_at"], now().as_seconds() + 7200);
        let text = item.to_string();
        assert!(
            !text.contains("ana") && !text.contains("192.0.2.1"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn five_hundred_failures_from_one_ip_address_slow_it_down_for_every_account() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    register(&aws, &ana(), None).await;
    let attempts = Attempts::new(&aws).unwrap();
    for number in 0..500 {
        let email = format!("nobody{number}@example.com").parse().unwrap();
        let attempt = Attempt::new(&email, "192.0.2.1");
        attempts.permit(&attempt, now()).await.unwrap();
        attempts.record_failure(&attempt, now()).await.unwrap();
    }
    let at = async |source| guess(&aws, "ana@example.com", PASSWORD, source, 0).await;
    assert_eq!(at("192.0.2.1").await, "wait 1");
    assert_eq!(at("192.0.2.2").await, "in");
}

#[tokio::test]
async fn failures_of_strangers_do_not_lock_out_the_owners_device() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    register(&aws, &ana(), None).await;
    let at =
        async |source, seconds| guess(&aws, "ana@example.com", PASSWORD, source, seconds).await;
    assert_eq!(at("192.0.2.1", 0).await, "in");
    let email = "ana@example.com".parse().unwrap();
    let attempts = Attempts::new(&aws).unwrap();
    let flood = async |seconds| {
        for network in 0..112 {
            let attempt = Attempt::new(&email, &format!("203.0.113.{network}"));
            let then = now().plus(Duration::from_secs(seconds));
            attempts.record_failure(&attempt, then).await.unwrap();
        }
    };
    flood(1).await;
    // A network that the owner never signed in from has to wait, however few failures come from it.
    assert_eq!(at("198.51.100.7", 1).await, "wait 900");
    assert_eq!(at("192.0.2.1", 1).await, "in");
    assert_eq!(
        at("198.51.100.7", 1).await,
        "in",
        "the owner's sign-in clears the count"
    );
    // Ninety days after the last sign-in, the network is not known any more.
    let quarter = 90 * 24 * 3600;
    flood(quarter - 1).await;
    assert_eq!(at("192.0.2.1", quarter - 1).await, "in");
    flood(quarter).await;
    assert_eq!(at("192.0.2.1", quarter).await, "wait 900");
}

#[tokio::test]
async fn failures_that_find_an_expired_counter_at_once_are_both_counted() {
    let (aws, engine, _) = shop();
    let attempts = Attempts::new(&aws).unwrap();
    let attempt = Attempt::new(&"ana@example.com".parse().unwrap(), "192.0.2.1");
    attempts.record_failure(&attempt, now()).await.unwrap();
    let later = now().plus(Duration::from_hours(2));
    for _ in 0..3 {
        engine.before_next("UpdateItem", async || {});
    }
    let (others, same) = (attempts.clone(), attempt.clone());
    engine.before_next("UpdateItem", async move || {
        others.record_failure(&same, later).await.unwrap();
    });
    attempts.record_failure(&attempt, later).await.unwrap();
    let items = engine.items(Setting::SessionsTable);
    let counts: Vec<&Value> = items.iter().map(|item| &item["failures"]).collect();
    assert_eq!(counts, [2, 2, 2]);
}

#[tokio::test]
async fn a_hash_is_not_renewed_over_a_new_password() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = imported(&aws, &customers, &weak_hashes()[1]).await;
    let others = customers.clone();
    engine.before_next("UpdateItem", async move || {
        let account = others.account(id).await.unwrap().unwrap();
        let hash = PasswordHash("new".to_owned());
        let (next, stamp) = rules::change_password(account, hash, now());
        assert!(others.replace(next, stamp).await.unwrap());
    });
    assert!(sign_in(&aws, PASSWORD, 0).await.is_ok());
    let stored = customers.account(id).await.unwrap().unwrap();
    assert_eq!(stored.password_hash.0, "new");
}

#[test]
fn failures_at_once_are_all_counted() {
    let (aws, engine, _) = shop();
    let jobs = (0..12).map(|_| {
        let aws = aws.clone();
        async move || guess(&aws, "ana@example.com", "wrong horse", "192.0.2.1", 0).await
    });
    let wrong = testing::at_once(jobs)
        .into_iter()
        .filter(|outcome| outcome == "wrong")
        .count();
    for item in engine.items(Setting::SessionsTable) {
        assert_eq!(item["failures"], wrong);
    }
}

#[tokio::test]
async fn every_failed_sign_in_costs_the_same_reads_writes_and_hashes() {
    let (aws, engine, customers) = shop();
    let id = registered(&aws).await;
    let mut bob = ana();
    bob["email"] = json!("bob@example.com");
    register(&aws, &bob, None).await;
    let account = customers.account(id).await.unwrap().unwrap();
    let admin = CustomerId::derived(&["admin"]);
    let (shut, stamp) = rules::disable(account, admin, now()).unwrap().unwrap();
    customers.replace(shut, stamp).await.unwrap();
    let mut works = Vec::new();
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        ("bob@example.com", "wrong horse"),
        ("ana@example.com", PASSWORD),
        ("ana@example.com", "wrong horse"),
    ] {
        COMPARED.take();
        engine.forget_calls();
        assert_eq!(guess(&aws, email, password, "192.0.2.1", 0).await, "wrong");
        works.push((engine.calls(), COMPARED.take()));
    }
    let expected = [
        "BatchGetItem",
        "GetItem",
        "GetItem",
        "UpdateItem",
        "UpdateItem",
        "UpdateItem",
    ];
    assert_eq!(works[0].0, expected);
    assert_eq!(works[0].1, ["$argon2id$v=19$m=19456,t=2,p=1"]);
    assert!(works.iter().all(|work| *work == works[0]), "{works:?}");
}

/// Registers Ana with this hash, as an import does.
async fn imported(aws: &Aws, customers: &CustomerStore, hash: &str) -> CustomerId {
    let id = registered(aws).await;
    let account = customers.account(id).await.unwrap().unwrap();
    customers
        .renew_hash(&account, &PasswordHash(hash.to_owned()))
        .await
        .unwrap();
    id
}

/// Returns hashes of `correct horse` with bcrypt's lowest cost and with weak Argon2id.
fn weak_hashes() -> [String; 2] {
    use argon2::password_hash::PasswordHasher;
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash: argon2::PasswordHash = argon2.hash_password(PASSWORD.as_bytes()).unwrap();
    [bcrypt::hash(PASSWORD, 4).unwrap(), hash.to_string()]
}

#[tokio::test]
async fn a_weak_hash_is_renewed_at_the_first_sign_in() {
    for weak in weak_hashes() {
        let (aws, engine, customers) = shop();
        secret(&engine, "1", "a secret");
        let id = imported(&aws, &customers, &weak).await;
        let stored = async || customers.account(id).await.unwrap().unwrap();
        assert!(sign_in(&aws, "wrong horse", 0).await.is_err());
        assert_eq!(stored().await.password_hash.0, weak);
        assert!(sign_in(&aws, PASSWORD, 0).await.is_ok());
        let renewed = stored().await;
        assert!(
            renewed
                .password_hash
                .0
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
        assert_eq!((renewed.customer.version, renewed.password_version), (1, 0));
        assert!(sign_in(&aws, PASSWORD, 0).await.is_ok());
        assert_eq!(stored().await, renewed, "once is enough");
    }
}

#[tokio::test]
async fn a_hash_that_cannot_be_renewed_does_not_prevent_a_sign_in() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    imported(&aws, &customers, &weak_hashes()[1]).await;
    for _ in 0..3 {
        engine.fail_next("UpdateItem", Fault::Throttled);
    }
    assert!(sign_in(&aws, PASSWORD, 0).await.is_ok());
    engine.fail_next("UpdateItem", Fault::Refused);
    assert!(sign_in(&aws, PASSWORD, 0).await.is_ok());
}
