//! `POST /auth/login`, and how the authoriser treats the token.

use super::*;

#[tokio::test]
async fn signing_in_returns_tokens_in_the_documented_shape() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    register(&aws, &ana(), None).await;
    let sign_in = SignIn::new(&aws).unwrap();
    let credentials = json!({"email": "ANA@example.com", "password": PASSWORD});
    let answer = login(&sign_in, request(&credentials, None)).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    let answer = body(&answer);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 900);
    assert!(answer["access_token"].as_str().unwrap().split('.').count() == 3);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_response() {
    let (aws, engine, _) = shop();
    let reads = secret(&engine, "1", "a secret");
    register(&aws, &ana(), None).await;
    let sign_in = SignIn::new(&aws).unwrap();
    let mut answers = Vec::new();
    for (email, password) in [
        ("ana@example.com", "wrong horse"),
        ("bob@example.com", PASSWORD),
        ("bob@example.com", "wrong horse"),
    ] {
        let credentials = json!({"email": email, "password": password});
        let answer = login(&sign_in, request(&credentials, None)).await;
        answers.push(Response::problem(&answer.unwrap_err(), "MJy3ZgkZFiAEJ8Q="));
    }
    assert_eq!(answers[0].status, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(
        *reads.lock().unwrap(),
        0,
        "the key is not read before the password is right"
    );
}

#[tokio::test]
async fn a_caller_who_signed_in_is_identified_with_roles_and_expiry() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    let answer = register(&aws, &ana(), None).await;
    let token = token(&aws).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let expected = json!({
        "isAuthorized": true,
        "context": {
            "sub": body(&answer)["id"],
            "roles": "customer",
            "locale": "de-AT",
            "exp": (now().as_seconds() + 900).to_string(),
        },
    });
    assert_eq!(authorize(&verifier, &token, now()).await, expected);
    // The same when the token has expired: the handler compares.
    let later = now().plus(Duration::from_secs(5_000));
    assert_eq!(authorize(&verifier, &token, later).await, expected);
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    register(&aws, &ana(), None).await;
    let token = token(&aws).await;
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
    let (other_aws, other_engine, _) = shop();
    secret(&other_engine, "1", "another secret");
    register(&other_aws, &ana(), None).await;
    let other = self::token(&other_aws).await;
    assert_eq!(authorize(&verifier, &other, now()).await, refused);
}

#[tokio::test]
async fn a_password_may_be_typed_on_any_system() {
    let (aws, engine, _) = shop();
    secret(&engine, "1", "a secret");
    let mut zoe = ana();
    zoe["password"] = json!("Zoe\u{308} an der Ku\u{308}ste");
    register(&aws, &zoe, None).await;
    assert!(sign_in(&aws, "Zo\u{eb} an der K\u{fc}ste", 0).await.is_ok());
}

#[tokio::test]
async fn a_token_of_a_disabled_or_unknown_account_or_an_earlier_password_is_refused() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = registered(&aws).await;
    let token = token(&aws).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let authorized = async || authorize(&verifier, &token, now()).await["isAuthorized"].clone();
    assert_eq!(authorized().await, json!(true));
    let mut account = customers.account(id).await.unwrap().unwrap();
    account.customer.disabled = true;
    account.customer.version += 1;
    let stamp = crate::values::event::Stamp::new(id, 2, "CustomerDisabled", now());
    customers.replace(account, stamp).await.unwrap();
    assert_eq!(authorized().await, json!(false));
    // Issued before the password changed.
    let account = customers.account(id).await.unwrap().unwrap();
    let enabled = rules::enable(account, now()).unwrap();
    let hash = enabled.0.password_hash.clone();
    assert!(
        customers
            .replace(enabled.0.clone(), enabled.1)
            .await
            .unwrap()
    );
    assert_eq!(authorized().await, json!(true));
    let (changed, stamp) = rules::change_password(enabled.0, hash, now());
    assert!(customers.replace(changed, stamp).await.unwrap());
    assert_eq!(authorized().await, json!(false));
    let later = self::token(&aws).await;
    let answer = authorize(&verifier, &later, now()).await;
    assert_eq!(answer["isAuthorized"], json!(true));
    // Signed with the shop's own key, but for an account that it does not know.
    let (other_aws, other_engine, _) = shop();
    secret(&other_engine, "1", "a secret");
    register(&other_aws, &ana(), None).await;
    let token = self::token(&other_aws).await;
    let refused = json!({"isAuthorized": false});
    assert_eq!(authorize(&verifier, &token, now()).await, refused);
}
