//! `POST /auth/login`, and what the authoriser makes of the token.

use super::*;

#[tokio::test]
async fn signing_in_answers_a_token_in_the_shape_of_the_contract() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let issuer = TokenIssuer::new(&aws).unwrap();
    let credentials = json!({"email": "ANA@example.com", "password": PASSWORD});
    let answer = login(&customers, &issuer, request(&credentials, None))
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    let answer = body(&answer);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 900);
    assert!(answer["access_token"].as_str().unwrap().split('.').count() == 3);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let (aws, engine, customers) = shop();
    let reads = secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let issuer = TokenIssuer::new(&aws).unwrap();
    let mut answers = Vec::new();
    for (email, password) in [
        ("ana@example.com", "wrong horse"),
        ("bob@example.com", PASSWORD),
        ("bob@example.com", "wrong horse"),
    ] {
        let credentials = json!({"email": email, "password": password});
        let answer = login(&customers, &issuer, request(&credentials, None)).await;
        answers.push(Response::problem(&answer.unwrap_err(), "/auth/login"));
    }
    assert_eq!(answers[0].status, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(
        *reads.lock().unwrap(),
        0,
        "the key is of no use to strangers"
    );
}

#[tokio::test]
async fn whoever_signed_in_is_recognised_with_roles_and_expiry() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let answer = register(&customers, &ana(), None).await;
    let token = token(&aws, &customers).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let expected = json!({
        "isAuthorized": true,
        "context": {
            "sub": body(&answer)["id"],
            "roles": "customer",
            "exp": (now().as_seconds() + 900).to_string(),
        },
    });
    assert_eq!(authorize(&verifier, &token, now()).await, expected);
    // Also when it has expired: the handler compares.
    let later = now().plus(Duration::from_secs(5_000));
    assert_eq!(authorize(&verifier, &token, later).await, expected);
}

#[tokio::test]
async fn what_is_forged_is_refused() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let token = token(&aws, &customers).await;
    let refused = json!({"isAuthorized": false});
    let verifier = TokenVerifier::new(&aws).unwrap();
    for forged in [
        "",
        "x",
        "a.b.c",
        &token[..token.len() - 2],
        &token.replace('.', ""),
        &format!("{token} {token}"),
    ] {
        assert_eq!(
            authorize(&verifier, forged, now()).await,
            refused,
            "{forged}"
        );
    }
    for header in [
        json!(["Basic YTpi"]),
        json!([]),
        json!(null),
        json!([token]),
    ] {
        let event = json!({"identitySource": header, "requestContext": {"timeEpoch": 0}});
        let event = serde_json::from_value(event).unwrap();
        let answer = authorize_request(&verifier, event).await.unwrap();
        assert_eq!(serde_json::to_value(answer).unwrap(), refused, "{header}");
    }
    // Signed with another secret under the same name.
    let (other_aws, other_engine, others) = shop();
    secret(&other_engine, "1", "another secret");
    register(&others, &ana(), None).await;
    let other = self::token(&other_aws, &others).await;
    assert_eq!(authorize(&verifier, &other, now()).await, refused);
}

#[tokio::test]
async fn the_secret_is_read_again_for_an_unknown_key_at_most_once_a_minute() {
    let (aws, engine, customers) = shop();
    let reads = secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let old = token(&aws, &customers).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let authorized = async |token: &str, seconds: u64| {
        let answer = authorize(&verifier, token, now().plus(Duration::from_secs(seconds))).await;
        answer["isAuthorized"] == json!(true)
    };
    *reads.lock().unwrap() = 0;
    assert!(authorized(&old, 0).await);
    assert!(authorized(&old, 200).await);
    assert_eq!(*reads.lock().unwrap(), 1, "a known key is kept");

    let reads = secret(&engine, "2", "the next secret");
    let new = token(&aws, &customers).await;
    *reads.lock().unwrap() = 0;
    assert!(!authorized(&new, 30).await, "read less than a minute ago");
    assert_eq!(*reads.lock().unwrap(), 0);
    assert!(authorized(&new, 60).await);
    assert_eq!(*reads.lock().unwrap(), 1);
    assert!(!authorized(&old, 61).await, "the secret has it no longer");
    assert_eq!(*reads.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_an_error_and_asked_for_once_a_minute_too() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let old = token(&aws, &customers).await;
    secret(&engine, "2", "the next secret");
    let new = token(&aws, &customers).await;
    secret(&engine, "1", "a secret");
    let verifier = TokenVerifier::new(&aws).unwrap();
    authorize(&verifier, &old, now()).await;
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    engine.answer_others("GetSecretValue", move |_| {
        *counted.lock().unwrap() += 1;
        (
            400,
            json!({"__type": "AccessDeniedException", "message": "no"}),
        )
    });
    let ask = async |seconds: u64| {
        let event = json!({
            "identitySource": [format!("Bearer {new}")],
            "requestContext": {"timeEpoch": now().as_millis() + i64::try_from(seconds).unwrap() * 1000},
        });
        authorize_request(&verifier, serde_json::from_value(event).unwrap()).await
    };
    assert!(ask(60).await.is_err());
    assert!(ask(61).await.is_ok(), "not asked again");
    assert_eq!(*calls.lock().unwrap(), 1);
}

#[tokio::test]
async fn signing_in_follows_a_changed_secret_within_five_minutes() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let issuer = TokenIssuer::new(&aws).unwrap();
    let kid = async |seconds: u64| {
        let credentials = json!({"email": "ana@example.com", "password": PASSWORD});
        let mut request = request(&credentials, None);
        request.now = now().plus(Duration::from_secs(seconds));
        let answer = login(&customers, &issuer, request).await.unwrap();
        crate::customers::token::key_id(body(&answer)["access_token"].as_str().unwrap())
    };
    assert_eq!(kid(0).await.as_deref(), Some("1"));
    secret(&engine, "2", "the next secret");
    assert_eq!(kid(299).await.as_deref(), Some("1"));
    assert_eq!(kid(300).await.as_deref(), Some("2"));
}
