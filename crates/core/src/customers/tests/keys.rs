//! The keys that tokens are signed with, and their exchange.

use super::*;
use crate::customers::jwks::get_jwks;
use crate::customers::keys::TokenKeys;

/// Returns the secret in which the key `kid` signs, with these other keys.
fn keys(kid: &str, next: Option<&str>, previous: Option<&str>) -> Value {
    let key = |kid: &str| json!({"kid": kid, "key": long(kid)});
    let mut secret = key(kid);
    if let Some(next) = next {
        secret["next"] = key(next);
    }
    if let Some(previous) = previous {
        secret["previous"] = key(previous);
    }
    secret
}

fn at(seconds: u64) -> Time {
    now().plus(Duration::from_secs(seconds))
}

async fn is_authorized(verifier: &TokenVerifier, token: &str, seconds: u64) -> bool {
    authorize(verifier, token, at(seconds)).await["isAuthorized"] == json!(true)
}

/// Signs in with a fresh process, which reads the keys as they are now.
async fn token_now(aws: &Aws) -> String {
    token(aws).await
}

#[tokio::test]
async fn an_exchange_of_keys_refuses_no_valid_token() {
    let (aws, engine, _) = shop();
    serve_secret(&engine, keys("1", None, None));
    register(&aws, &ana(), None).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let old = token_now(&aws).await;
    assert!(is_authorized(&verifier, &old, 0).await);

    serve_secret(&engine, keys("1", Some("2"), None));
    assert!(is_authorized(&verifier, &old, 400).await);
    serve_secret(&engine, keys("2", None, Some("1")));
    let new = token_now(&aws).await;
    // The verifier knew the new key before it signed.
    assert!(is_authorized(&verifier, &new, 401).await);
    assert!(is_authorized(&verifier, &old, 401).await);
    assert!(
        is_authorized(&verifier, &old, 800).await,
        "it was signed by the previous key"
    );
    serve_secret(&engine, keys("2", None, None));
    assert!(
        !is_authorized(&verifier, &old, 1_200).await,
        "the key has been withdrawn"
    );
    assert!(is_authorized(&verifier, &new, 1_200).await);
}

#[tokio::test]
async fn the_secret_is_read_for_an_unknown_key_at_most_once_a_minute() {
    let (aws, engine, _) = shop();
    let reads = serve_secret(&engine, keys("1", None, None));
    register(&aws, &ana(), None).await;
    let old = token_now(&aws).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    *reads.lock().unwrap() = 0;
    assert!(is_authorized(&verifier, &old, 0).await);
    assert!(is_authorized(&verifier, &old, 299).await);
    assert_eq!(*reads.lock().unwrap(), 1, "a known key is cached");
    assert!(is_authorized(&verifier, &old, 300).await);
    assert_eq!(*reads.lock().unwrap(), 2, "for five minutes");

    let reads = serve_secret(&engine, keys("2", None, None));
    let new = token_now(&aws).await;
    *reads.lock().unwrap() = 0;
    assert!(!is_authorized(&verifier, &new, 359).await);
    assert_eq!(
        *reads.lock().unwrap(),
        0,
        "the secret was read less than a minute ago"
    );
    assert!(is_authorized(&verifier, &new, 360).await);
    assert!(!is_authorized(&verifier, &old, 361).await);
    assert_eq!(*reads.lock().unwrap(), 1);
}

#[tokio::test]
async fn cached_keys_stay_in_use_while_the_secret_cannot_be_read() {
    let (aws, engine, _) = shop();
    serve_secret(&engine, keys("1", None, None));
    register(&aws, &ana(), None).await;
    let known = token_now(&aws).await;
    serve_secret(&engine, keys("2", None, None));
    let unknown = token_now(&aws).await;
    serve_secret(&engine, keys("1", None, None));
    let verifier = TokenVerifier::new(&aws).unwrap();
    assert!(is_authorized(&verifier, &known, 0).await);
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    engine.answer_others("GetSecretValue", move |_| {
        *counted.lock().unwrap() += 1;
        let error = json!({"__type": "AccessDeniedException", "message": "no"});
        (400, error)
    });
    assert!(is_authorized(&verifier, &known, 300).await);
    assert!(is_authorized(&verifier, &known, 301).await);
    assert_eq!(
        *calls.lock().unwrap(),
        1,
        "the secret is read once in five minutes"
    );
    assert!(!is_authorized(&verifier, &unknown, 302).await);
    assert_eq!(
        *calls.lock().unwrap(),
        1,
        "the secret was read less than a minute ago"
    );
    // A process without any key cannot verify the token: that is an error, not a refusal.
    let verifier = TokenVerifier::new(&aws).unwrap();
    let event = json!({
        "identitySource": [format!("Bearer {known}")],
        "requestContext": {"timeEpoch": now().as_millis()},
    });
    let event = serde_json::from_value(event).unwrap();
    assert!(authorize_request(&verifier, event).await.is_err());
}

#[tokio::test]
async fn signing_in_takes_up_a_promoted_key_within_five_minutes() {
    let (aws, engine, _) = shop();
    serve_secret(&engine, keys("1", None, None));
    register(&aws, &ana(), None).await;
    let signer = TokenKeys::new(&aws).unwrap();
    assert_eq!(signer.signing(at(0)).await.unwrap().id, "1");
    serve_secret(&engine, keys("2", None, Some("1")));
    assert_eq!(signer.signing(at(299)).await.unwrap().id, "1");
    assert_eq!(signer.signing(at(300)).await.unwrap().id, "2");
}

#[tokio::test]
async fn a_client_with_the_key_set_can_verify_our_tokens() {
    let (aws, engine, _) = shop();
    serve_secret(&engine, keys("2", Some("3"), Some("1")));
    register(&aws, &ana(), None).await;
    let answer = get_jwks(&TokenKeys::new(&aws).unwrap(), request(&json!({}), None))
        .await
        .unwrap();
    assert_eq!(
        header(&answer, "Cache-Control"),
        Some("public, max-age=600")
    );
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(
        !text.contains(&long("2")) && !text.contains("\"d\""),
        "{text}"
    );
    // As another service does, with a library and without our code.
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&answer.body).unwrap();
    let kids: Vec<_> = set
        .keys
        .iter()
        .map(|key| key.common.key_id.clone().unwrap())
        .collect();
    assert_eq!(kids, ["2", "3", "1"]);
    let token = token_now(&aws).await;
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find("2").unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["TOKEN_AUDIENCE"]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["scope"], "shop");
}
