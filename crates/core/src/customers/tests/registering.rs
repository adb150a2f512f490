//! `POST /customers`.

use super::*;

#[tokio::test]
async fn an_account_is_stored_as_it_is_returned() {
    let (aws, engine, customers) = shop();
    let answer = register(&aws, &ana(), None).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let shown = body(&answer);
    let id = shown["id"].as_str().unwrap();
    let expected = json!({
        "id": id,
        "email": "Ana@Example.com",
        "email_confirmed": false,
        "name": "Ana",
        "locale": "de-AT",
        "phone": null,
        "roles": ["customer"],
        "group": null,
        "disabled": false,
        "version": 1,
        "created_at": "2026-03-01T09:30:00.000Z",
        "updated_at": "2026-03-01T09:30:00.000Z",
    });
    assert_eq!(shown, expected);
    let stored: Customer = customers.get(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.email.as_str(), "Ana@Example.com");
    assert_eq!(stored.roles, [Role::Customer]);
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
}

#[tokio::test]
async fn a_password_is_stored_as_argon2id_and_nowhere_else() {
    let (aws, engine, _) = shop();
    register(&aws, &ana(), Some("k")).await;
    let stored = Value::from(engine.items(Setting::CustomersTable)).to_string();
    assert!(stored.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!stored.contains(PASSWORD));
    // It is not in the hash of the request either: with another password that hash is the same.
    let hash = |engine: &Engine| {
        let items = engine.items(Setting::CustomersTable);
        items
            .iter()
            .find_map(|item| item.get("request_hash").cloned())
    };
    let (other_aws, other_engine, _) = shop();
    let mut other = ana();
    other["password"] = json!("another password");
    register(&other_aws, &other, Some("k")).await;
    assert!(hash(&engine).is_some());
    assert_eq!(hash(&engine), hash(&other_engine));
}

#[test]
fn twenty_registrations_of_one_address_at_once_make_one_account() {
    let (aws, engine, _) = shop();
    let jobs = (0..20).map(|n| {
        let aws = aws.clone();
        async move || {
            let address = if n % 2 == 0 {
                "ana@example.com"
            } else {
                "ANA@example.COM"
            };
            let body = json!({"email": address, "password": PASSWORD, "name": "Ana"});
            register_customer(&Registering::new(&aws).unwrap(), request(&body, None)).await
        }
    });
    let answers = testing::at_once(jobs);
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    let taken = answers
        .iter()
        .filter(|answer| matches!(answer, Err(Problem::Conflict(_))))
        .count();
    assert_eq!((made, taken), (1, 19));
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
}

#[test]
fn the_same_key_twenty_times_at_once_makes_one_account_and_returns_it_each_time() {
    let (aws, engine, _) = shop();
    let jobs = (0..20).map(|_| {
        let aws = aws.clone();
        async move || register(&aws, &ana(), Some("once")).await
    });
    let answers = testing::at_once(jobs);
    let first = body(&answers[0]);
    assert!(answers.iter().all(|answer| body(answer) == first));
    let replayed = answers
        .iter()
        .filter(|answer| header(answer, "Idempotent-Replayed") == Some("true"))
        .count();
    assert_eq!(replayed, 19);
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let (aws, _, _) = shop();
    register(&aws, &ana(), Some("once")).await;
    for (field, value) in [
        ("name", "Anna"),
        ("locale", "en"),
        ("password", "wrong horse"),
        ("email", "ana@example.com"),
    ] {
        let mut other = ana();
        other[field] = json!(value);
        let answer = register_customer(
            &Registering::new(&aws).unwrap(),
            request(&other, Some("once")),
        )
        .await;
        assert!(
            matches!(answer, Err(Problem::IdempotencyKeyReused)),
            "{field}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn an_address_stays_taken_under_another_key() {
    let (aws, _, _) = shop();
    register(&aws, &ana(), Some("one")).await;
    for key in [None, Some("two")] {
        let answer =
            register_customer(&Registering::new(&aws).unwrap(), request(&ana(), key)).await;
        assert!(matches!(answer, Err(Problem::Conflict(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn a_registration_whose_response_was_lost_is_found_by_its_key() {
    let (aws, engine, _) = shop();
    // As often as the SDK tries.
    for _ in 0..3 {
        engine.fail_next("TransactWriteItems", Fault::LostAnswer);
    }
    let lost = register_customer(
        &Registering::new(&aws).unwrap(),
        request(&ana(), Some("once")),
    )
    .await;
    assert!(matches!(lost, Err(Problem::Internal(_))), "{lost:?}");
    let answer = register(&aws, &ana(), Some("once")).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(header(&answer, "Idempotent-Replayed"), Some("true"));
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
}

#[tokio::test]
async fn every_fault_of_a_registration_is_reported_and_nothing_is_stored() {
    let (aws, engine, _) = shop();
    let long = "x".repeat(129);
    for (wrong, faults) in [
        (json!({}), vec!["/email", "/password", "/name"]),
        (
            json!({"email": "ana", "password": "short", "name": "", "locale": "_"}),
            vec!["/email", "/password", "/name", "/locale"],
        ),
        (
            json!({"email": 1, "password": 2, "name": 3}),
            vec!["/email", "/password", "/name"],
        ),
        (
            json!({"email": "a@b.de", "password": long, "name": "Ana\nBcc: eve"}),
            vec!["/password", "/name"],
        ),
        (
            json!({"email": "a@b.de", "password": PASSWORD, "name": "Ana", "roles": ["admin"]}),
            vec!["/roles"],
        ),
    ] {
        let answer =
            register_customer(&Registering::new(&aws).unwrap(), request(&wrong, None)).await;
        let Err(Problem::InvalidBody(found)) = answer else {
            panic!("{wrong}: {answer:?}");
        };
        let found: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(found, faults, "{wrong}");
    }
    assert!(engine.items(Setting::CustomersTable).is_empty());
}

#[tokio::test]
async fn the_event_of_a_registration_has_its_trace_context() {
    let (aws, engine, _) = shop();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = request(&ana(), None).with("traceparent", trace);
    register_customer(&Registering::new(&aws).unwrap(), traced)
        .await
        .unwrap();
    let items = engine.items(Setting::CustomersTable);
    let stored = items.iter().find_map(|item| item.get("event")).unwrap();
    assert_eq!(stored["traceparent"], trace);
}

#[tokio::test]
async fn a_registration_at_the_same_moment_takes_the_address() {
    let (aws, engine, customers) = shop();
    let other = aws.clone();
    engine.before_next("TransactWriteItems", async move || {
        register(&other, &ana(), None).await;
    });
    let late = register_customer(&Registering::new(&aws).unwrap(), request(&ana(), None)).await;
    assert!(matches!(late, Err(Problem::Conflict(_))), "{late:?}");
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
    let email = "ana@example.com".parse().unwrap();
    assert!(
        customers
            .account_with_email(&email)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_deleted_account_is_not_opened_again_with_its_key() {
    let (aws, _, customers) = shop();
    let made = body(&register(&aws, &ana(), Some("once")).await);
    let id: CustomerId = made["id"].as_str().unwrap().parse().unwrap();
    let account = customers.account(id).await.unwrap().unwrap();
    let stamp = rules::delete(&account, now());
    assert!(customers.erase(&account, stamp).await.unwrap());
    let registering = Registering::new(&aws).unwrap();
    let again = register_customer(&registering, request(&ana(), Some("once"))).await;
    assert!(matches!(again, Err(Problem::Conflict(_))), "{again:?}");
    assert!(customers.was_deleted(id).await.unwrap());
    register(&aws, &ana(), Some("another")).await;
}

#[tokio::test]
async fn registering_again_does_not_help_to_guess_a_password() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    register(&aws, &ana(), Some("once")).await;
    let again = async |password: &str| {
        let mut body = ana();
        body["password"] = json!(password);
        let registering = Registering::new(&aws).unwrap();
        Box::pin(register_customer(
            &registering,
            request(&body, Some("once")),
        ))
        .await
    };
    for _ in 0..5 {
        let answer = again("wrong horse").await;
        assert!(
            matches!(answer, Err(Problem::IdempotencyKeyReused)),
            "{answer:?}"
        );
    }
    for answer in [again(PASSWORD).await, sign_in(&aws, PASSWORD, 0).await] {
        let waits = matches!(answer, Err(Problem::TooManyRequests { .. }));
        assert!(waits, "{answer:?}");
    }
    assert!(sign_in(&aws, PASSWORD, 1).await.is_ok());
}
