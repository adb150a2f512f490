//! What gets lost, what fails, and what Stripe documents and localstripe does not do.

use std::sync::Mutex;

use super::*;

/// Returns the body of an error.
fn error(code: &str, decline_code: Option<&str>, param: Option<&str>) -> String {
    let error = json!({
        "type": "invalid_request_error",
        "code": code,
        "decline_code": decline_code,
        "param": param,
        "message": "for people",
    });
    json!({"error": error}).to_string()
}

/// Returns the body of an intent with `status` and the given fields.
fn intent(status: &str, fields: serde_json::Value) -> String {
    let mut intent = json!({"id": "pi_1", "status": status, "amount": 4000, "currency": "eur"});
    let fields = fields.as_object().unwrap().clone();
    intent.as_object_mut().unwrap().extend(fields);
    intent.to_string()
}

#[tokio::test]
async fn a_lost_answer_charges_nothing_twice() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    for (line, said, found) in [
        (CREATE, "busy", "not found"),
        (CONFIRM, "unknown", "authorized 40.00 EUR"),
        (CAPTURE, "unknown", "captured 40.00 EUR"),
    ] {
        let shop = Shop::before(localstripe.port());
        let before = localstripe.intents().len();
        shop.proxy.treat_next(line, Treatment::LoseAnswer);
        assert_eq!(shop.charge("pm_card_visa").await, said, "{line}");
        assert_eq!(shop.retrieve().await, found, "{line}");
        assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
        assert_eq!(shop.retrieve().await, "captured 40.00 EUR", "{line}");
        let intents = localstripe.intents();
        let new = intents[before..].iter();
        let charged = new.filter(|intent| !intent["latest_charge"].is_null());
        assert_eq!(charged.count(), 1, "{line}");
        // At Stripe both creations would have made one intent.
        let sent = shop.proxy.sent().into_iter();
        let created: Vec<_> = sent.filter(|sent| sent.line == CREATE).collect();
        assert_eq!(created.len(), 1 + usize::from(line == CREATE));
        for creation in &created {
            assert_eq!(creation.form, created[0].form);
            let key = format!("idempotency-key: {}\r\n", key());
            assert!(creation.headers.contains(&key));
        }
    }
}

#[tokio::test]
async fn a_lost_request_is_made_again() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    for (line, said, found) in [
        (CREATE, "busy", "not found"),
        (CONFIRM, "unknown", "not found"),
        (CAPTURE, "unknown", "authorized 40.00 EUR"),
    ] {
        let shop = Shop::before(localstripe.port());
        shop.proxy.treat_next(line, Treatment::Lose);
        assert_eq!(shop.charge("pm_card_visa").await, said, "{line}");
        assert_eq!(shop.retrieve().await, found, "{line}");
        assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
    }
    assert_eq!(statuses(&localstripe), ["succeeded"; 3]);
}

#[tokio::test]
async fn a_busy_stripe_has_done_nothing_and_a_broken_one_may_have() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    for status in [409, 429, 500, 503] {
        let shop = Shop::before(localstripe.port());
        let broken = if status < 500 { "busy" } else { "unknown" };
        for (line, said) in [(CREATE, "busy"), (CONFIRM, broken), (CAPTURE, broken)] {
            let answer = Treatment::Answer(status, error("lock_timeout", None, None));
            shop.proxy.treat_next(line, answer);
            assert_eq!(shop.charge("pm_card_visa").await, said, "{status} {line}");
        }
        assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
        shop.proxy
            .treat_next(READ, Treatment::Answer(status, String::new()));
        assert_eq!(shop.retrieve().await, "busy", "{status}");
    }
}

#[tokio::test]
async fn a_void_whose_answer_is_lost_is_made_again() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    for treatment in [Treatment::Lose, Treatment::LoseAnswer] {
        let shop = Shop::before(localstripe.port());
        shop.proxy.treat_next(CAPTURE, Treatment::Lose);
        assert_eq!(shop.charge("pm_card_visa").await, "unknown");
        shop.proxy.treat_next(CANCEL, treatment);
        assert_eq!(shop.void().await, "busy");
        assert_eq!(shop.void().await, "voided");
        assert_eq!(shop.charge("pm_card_visa").await, "declined voided");
    }
}

#[tokio::test]
async fn a_declined_card_is_declined_with_what_its_bank_says() {
    for (decline_code, told) in [
        (Some("insufficient_funds"), "declined insufficient_funds"),
        (Some("stolen_card"), "declined generic_decline"),
        (None, "declined card_declined"),
    ] {
        let shop = Shop::before(0);
        shop.proxy.treat(move |sent| match &*sent.line {
            CREATE => Treatment::Answer(200, intent("requires_confirmation", json!({}))),
            CONFIRM => Treatment::Answer(402, error("card_declined", decline_code, None)),
            _ => {
                let failure = json!({"code": "card_declined", "decline_code": decline_code});
                let failed = json!({"last_payment_error": failure});
                Treatment::Answer(200, intent("requires_payment_method", failed))
            }
        });
        assert_eq!(shop.charge("pm_1").await, told);
        assert_eq!(shop.proxy.lines(), [CREATE, CONFIRM, READ]);
        assert_eq!(shop.charge("pm_1").await, told);
        assert_eq!(shop.proxy.lines(), [READ]);
        assert_eq!(shop.retrieve().await, told);
        assert_eq!(shop.void().await, told);
    }
}

#[tokio::test]
async fn a_payment_method_that_stripe_does_not_take_is_declined_for_good() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    // When the intent is created.
    let invalid = error("resource_missing", None, Some("payment_method"));
    let shop = Shop::before(localstripe.port());
    shop.proxy
        .treat_next(CREATE, Treatment::Answer(400, invalid));
    assert_eq!(
        shop.charge("pm_card_visa").await,
        "declined resource_missing"
    );
    assert_eq!(
        shop.charge("pm_card_visa").await,
        "declined resource_missing"
    );
    assert!(localstripe.intents().is_empty());
    // When it is confirmed: it is canceled, so that nothing can charge it later.
    let used = error(
        "payment_method_unexpected_state",
        None,
        Some("payment_method"),
    );
    let shop = Shop::before(localstripe.port());
    shop.proxy.treat_next(CONFIRM, Treatment::Answer(400, used));
    let declined = "declined payment_method_unexpected_state";
    assert_eq!(shop.charge("pm_card_visa").await, declined);
    assert_eq!(shop.proxy.lines(), [CREATE, CONFIRM, READ, CANCEL]);
    assert_eq!(shop.charge("pm_card_visa").await, declined);
    assert_eq!(shop.retrieve().await, declined);
    assert_eq!(shop.proxy.lines(), [""; 0]);
    assert_eq!(statuses(&localstripe), ["canceled"]);
}

#[tokio::test]
async fn a_refusal_that_is_not_about_the_payment_declines_nothing() {
    let Some((shop, _localstripe)) = Shop::start() else {
        return;
    };
    let taken = json!({"error": {"type": "idempotency_error"}}).to_string();
    for (status, body) in [
        (
            400,
            error("payment_method_types_no_longer_supported", None, None),
        ),
        (400, taken),
        (403, error("", None, None)),
    ] {
        shop.proxy
            .treat_next(CREATE, Treatment::Answer(status, body));
        assert_eq!(shop.charge("pm_card_visa").await, "busy", "{status}");
        assert_eq!(shop.retrieve().await, "not found", "{status}");
    }
    // An intent that is stored and not there, as in an account of another shop.
    assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
    let missing = error("resource_missing", None, Some("intent"));
    shop.proxy.treat_next(READ, Treatment::Answer(404, missing));
    assert_eq!(shop.retrieve().await, "unknown");
}

#[tokio::test]
async fn a_key_that_is_replaced_is_read_when_the_old_one_is_refused() {
    let Some((shop, localstripe)) = Shop::start() else {
        return;
    };
    let served = Arc::new(Mutex::new(Vec::from(["sk_new", "sk_old"])));
    let left = Arc::clone(&served);
    shop.engine.answer_others("GetSecretValue", move |_| {
        let api_key = left
            .lock()
            .unwrap()
            .pop()
            .expect("the secret is read twice");
        let secret = json!({"api_key": api_key}).to_string();
        (
            200,
            json!({"ARN": "STRIPE_SECRET_ARN", "SecretString": secret}),
        )
    });
    shop.proxy.treat(|sent| {
        if sent.headers.contains("bearer sk_old") {
            Treatment::Answer(401, error("api_key_expired", None, None))
        } else {
            Treatment::Pass
        }
    });
    // A process that has kept the old key for longer than a minute: it was read by another call.
    let long_ago = Instant::now().checked_sub(Duration::from_mins(2)).unwrap();
    shop.stripe.client.read_key_at(long_ago).await;
    assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
    assert_eq!(shop.proxy.lines(), [CREATE, CREATE, CONFIRM, CAPTURE]);
    assert!(served.lock().unwrap().is_empty());
    // A key that is refused and was just read.
    shop.proxy.treat(|_| Treatment::Answer(401, String::new()));
    assert_eq!(shop.retrieve().await, "busy");
    assert_eq!(shop.proxy.lines(), [READ]);
    assert_eq!(statuses(&localstripe), ["succeeded"]);
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_in_time_leaves_the_outcome_unknown() {
    let never = std::future::pending::<Result<Charge, GatewayError>>();
    assert_eq!(short(in_time(Duration::ZERO, never).await), "unknown");
    // Nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let (aws, engine) = testing::aws_with(&[("STRIPE_URL", &format!("http://127.0.0.1:{port}"))]);
    engine.answer_others("GetSecretValue", |_| {
        (
            200,
            json!({"ARN": "A", "SecretString": r#"{"api_key":"sk_tests"}"#}),
        )
    });
    let stripe = Stripe::new(&aws).unwrap();
    let charged = stripe.charge(&key(), eur("40.00"), "pm_card_visa").await;
    assert_eq!(short(charged), "busy");
}
