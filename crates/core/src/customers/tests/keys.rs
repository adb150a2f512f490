//! The keys that tokens are signed with, and their exchange.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::customers::jwks::get_jwks;
use crate::customers::key::{self, Algorithm, TokenKey};
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

/// Returns the name of the key that the secrets of these tests call `kid`.
fn name(kid: &str) -> String {
    let key = TokenKey::new(kid.to_owned(), &long(kid), Algorithm::EdDsa).unwrap();
    key.id
}

/// Returns `token` as an earlier release would have issued it: with `kid` in its header, signed with `text`.
fn under_stored_name(token: &str, kid: &str, text: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(kid.to_owned());
    let private = key::key_pair(text).unwrap().to_pkcs8v1().unwrap();
    let key = jsonwebtoken::EncodingKey::from_ed_der(private.as_ref());
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
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
    assert_eq!(signer.signing(at(0)).await.unwrap().id, name("1"));
    serve_secret(&engine, keys("2", None, Some("1")));
    assert_eq!(signer.signing(at(299)).await.unwrap().id, name("1"));
    assert_eq!(signer.signing(at(300)).await.unwrap().id, name("2"));
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
    assert_eq!(kids, ["2", "3", "1"].map(name));
    let token = token_now(&aws).await;
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&name("2")).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["TOKEN_AUDIENCE"]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["scope"], "shop");
}

#[tokio::test]
async fn a_token_that_names_its_key_as_the_secret_does_is_accepted() {
    let (aws, engine, _) = shop();
    serve_secret(&engine, keys("1", None, None));
    register(&aws, &ana(), None).await;
    let token = token_now(&aws).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let old = under_stored_name(&token, "1", &long("1"));
    assert!(is_authorized(&verifier, &old, 0).await);
    let forged = under_stored_name(&token, "1", &long("2"));
    assert!(!is_authorized(&verifier, &forged, 0).await);
}

#[tokio::test]
async fn a_secret_that_is_generated_anew_is_taken_up_at_once() {
    let (aws, engine, _) = shop();
    serve_secret(&engine, keys("1", None, None));
    register(&aws, &ana(), None).await;
    let old = token_now(&aws).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    assert!(is_authorized(&verifier, &old, 0).await);
    // CloudFormation makes another key and calls it 1 again.
    serve_secret(&engine, json!({"kid": "1", "key": long("another")}));
    let new = token_now(&aws).await;
    assert!(
        is_authorized(&verifier, &new, 60).await,
        "its key has a name of its own"
    );
    assert!(!is_authorized(&verifier, &old, 61).await);
}
