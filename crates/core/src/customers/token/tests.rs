//! Access tokens, and RFC 8725 (JSON Web Token Best Current Practices) point by point: the tests are named after
//! its sections.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::super::key::Algorithm;
use super::super::model::{Customer, PasswordHash};
use super::*;

const TEXT: &str = "a text of the tests that is long enough";

fn realm() -> Realm {
    Realm {
        issuer: "shop".to_owned(),
        audience: "shop-api".to_owned(),
    }
}

fn key_of(id: &str, text: &str, algorithm: Algorithm) -> TokenKey {
    TokenKey::new(id.to_owned(), text, algorithm).unwrap()
}

fn key() -> TokenKey {
    key_of("1", TEXT, Algorithm::EdDsa)
}

fn now() -> Time {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

fn account() -> Account {
    let customer = Customer {
        id: CustomerId::derived(&["ana"]),
        email: "ana@example.com".parse().unwrap(),
        name: "Ana".to_owned(),
        locale: "en".parse().unwrap(),
        phone: None,
        email_confirmed_at: None,
        disabled: false,
        roles: vec![Role::Customer, Role::Admin],
        group: None,
        version: 1,
        created_at: now(),
        updated_at: now(),
    };
    Account {
        customer,
        password_hash: PasswordHash(String::new()),
        password_version: 3,
        email_change: None,
        request_hash: None,
    }
}

fn token() -> String {
    issue(
        &account(),
        TokenId::derived(&["token"]),
        &realm(),
        &key(),
        900,
        now(),
    )
    .unwrap()
}

fn part(number: usize) -> Value {
    let part = token().split('.').nth(number).unwrap().to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn claims() -> Value {
    part(1)
}

fn is_accepted(token: &str) -> bool {
    verify(token, &realm(), &key(), now()).is_some()
}

/// Returns a token with these parts and this signature.
fn assembled(header: &Value, claims: &Value, signature: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.{signature}")
}

/// Returns a token with a valid signature, so that only header or claims can be refused.
fn signed(header: &Value, claims: &Value) -> String {
    use aws_lc_rs::signature::Ed25519KeyPair;
    let pair: Ed25519KeyPair = super::super::key::key_pair(TEXT).unwrap();
    let message = assembled(header, claims, "");
    let message = message.trim_end_matches('.');
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn with(mut value: Value, name: &str, to: impl Into<Value>) -> Value {
    value[name] = to.into();
    value
}

#[test]
fn a_token_states_subject_expiry_roles_and_scope() {
    let claims = verify(&token(), &realm(), &key(), now()).unwrap();
    assert_eq!((claims.sub, claims.pwv), (account().customer.id, 3));
    assert_eq!(claims.exp, now().as_seconds() + 900);
    assert_eq!(claims.roles, ["customer", "admin"]);
    assert_eq!(claims.scope, "shop shop:manage");
    assert_eq!(key_id(&token()), Some(key().id));
    assert_eq!(
        part(0),
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": key().id})
    );
}

#[test]
fn a_token_contains_no_personal_data() {
    let mut names: Vec<String> = claims().as_object().unwrap().keys().cloned().collect();
    names.sort();
    let expected = [
        "aud", "exp", "iat", "iss", "jti", "nbf", "pwv", "roles", "scope", "sub",
    ];
    assert_eq!(names, expected);
}

#[test]
fn an_expired_token_is_verified_with_its_expiry() {
    let later = now().plus(std::time::Duration::from_secs(10_000));
    let claims = verify(&token(), &realm(), &key(), later).unwrap();
    assert!(claims.exp < later.as_seconds());
}

#[test]
fn a_shop_may_sign_with_a_shared_secret_instead() {
    let shared = key_of("1", TEXT, Algorithm::Hs256);
    let token = issue(
        &account(),
        TokenId::derived(&["token"]),
        &realm(),
        &shared,
        900,
        now(),
    )
    .unwrap();
    assert!(verify(&token, &realm(), &shared, now()).is_some());
    assert!(
        !is_accepted(&token),
        "where keys are pairs, it is not a token"
    );
}

#[test]
fn rfc_8725_3_1_and_3_2_the_algorithm_is_ours_and_not_the_tokens() {
    assert!(is_accepted(&signed(&part(0), &claims())), "as it should be");
    for algorithm in [
        "none", "None", "NONE", "nOnE", "RS256", "ES256", "HS256", "HS512", "",
    ] {
        let header = with(part(0), "alg", algorithm);
        let signature = token().split('.').nth(2).unwrap().to_owned();
        for token in [
            assembled(&header, &claims(), ""),
            assembled(&header, &claims(), &signature),
            signed(&header, &claims()),
        ] {
            assert!(!is_accepted(&token), "{algorithm}");
        }
    }
    // The classic confusion of algorithms: an HMAC whose secret is the public key, which everybody knows.
    let public = serde_json::to_value(key().public()).unwrap();
    let x = public["x"].as_str().unwrap().to_owned();
    for secret in [
        x.as_bytes(),
        &URL_SAFE_NO_PAD.decode(&x).unwrap(),
        TEXT.as_bytes(),
    ] {
        let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
        header.typ = Some(KIND.to_owned());
        header.kid = Some("1".to_owned());
        let secret = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
        assert!(!is_accepted(&token));
    }
}

#[test]
fn rfc_8725_3_3_every_bit_of_the_signature_is_checked() {
    let token = token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = URL_SAFE_NO_PAD.encode(changed);
        assert!(!is_accepted(&format!("{signed}.{changed}")), "bit {bit}");
    }
    let forged = with(claims(), "roles", json!(["customer", "admin", "owner"]));
    assert!(!is_accepted(&assembled(&part(0), &forged, signature)));
}

#[test]
fn rfc_8725_3_4_and_3_7_a_text_that_is_not_a_token_is_refused() {
    let odd = [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer x",
        "\u{1f6d2}.x.y",
        "eyJ.eyJ.eyJ",
        "{}.{}.{}",
    ];
    for text in odd {
        assert!(!is_accepted(text), "{text:?}");
        assert_eq!(key_id(text), None, "{text:?}");
    }
    let token = token();
    for end in 0..token.len() {
        assert!(!is_accepted(&token[..end]), "cut off at {end}");
    }
    // Claims that are not UTF-8.
    let header = URL_SAFE_NO_PAD.encode(part(0).to_string());
    let claims = URL_SAFE_NO_PAD.encode(b"{\"sub\":\"\xff\"}");
    assert!(!is_accepted(&format!("{header}.{claims}.AAAA")));
}

#[test]
fn rfc_8725_3_5_a_key_that_could_be_guessed_is_refused() {
    for text in ["", "secret", "a password of a person"] {
        assert!(TokenKey::new("1".to_owned(), text, Algorithm::EdDsa).is_err());
        assert!(TokenKey::new("1".to_owned(), text, Algorithm::Hs256).is_err());
    }
}

#[test]
fn rfc_8725_3_6_compressed_and_encrypted_tokens_and_unknown_extensions_are_refused() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
    ] {
        let header = with(part(0), name, value);
        assert!(!is_accepted(&signed(&header, &claims())), "{header}");
    }
    let encrypted = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIiwiemlwIjoiREVGIn0..AAAA.AAAA.AAAA";
    assert!(!is_accepted(encrypted));
}

#[test]
fn rfc_8725_3_8_and_3_9_issuer_subject_and_audience_are_ours() {
    for (issuer, audience) in [("mall", "shop-api"), ("shop", "mall-api")] {
        let realm = Realm {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        };
        assert_eq!(verify(&token(), &realm, &key(), now()), None);
    }
    for (name, value) in [
        ("sub", json!("ana")),
        ("sub", json!(7)),
        ("sub", json!(["ana"])),
        ("iss", json!(["mall", "pub"])),
        ("aud", json!(["mall-api"])),
        ("aud", json!([])),
    ] {
        let token = signed(&part(0), &with(claims(), name, value.clone()));
        assert!(!is_accepted(&token), "{name}: {value}");
    }
    for name in [
        "iss", "aud", "sub", "nbf", "iat", "exp", "jti", "roles", "scope",
    ] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        assert!(!is_accepted(&signed(&part(0), &claims)), "without {name}");
    }
}

#[test]
fn rfc_8725_3_10_what_a_header_claims_is_not_followed() {
    // The forger's own key, in the header or at an address: neither is used.
    let forger = key_of(
        "1",
        "the text of a forger that is long enough",
        Algorithm::EdDsa,
    );
    let token = issue(
        &account(),
        TokenId::derived(&["token"]),
        &realm(),
        &forger,
        900,
        now(),
    )
    .unwrap();
    assert!(!is_accepted(&token));
    let jwk = serde_json::to_value(forger.public()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let claims: &str = message.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://forger.example/jwks.json")),
        ("x5u", json!("https://forger.example/chain.pem")),
    ] {
        let header = with(part(0), name, value);
        assert!(
            !is_accepted(&assembled(&header, &claims, signature)),
            "{name}"
        );
    }
    for id in ["", "2", "../1", "1'; DROP TABLE keys", "1\u{0}"] {
        let token = signed(&with(part(0), "kid", id), &self::claims());
        assert!(!is_accepted(&token), "{id:?}");
    }
}

#[test]
fn rfc_8725_3_11_and_3_12_no_other_type_of_token_is_accepted() {
    for kind in ["JWT", "oxcart-link+jwt", "id+jwt", "AT+JWT2", ""] {
        let token = signed(&with(part(0), "typ", kind), &claims());
        assert!(!is_accepted(&token), "{kind}");
        assert_eq!(key_id(&token), None, "{kind}");
    }
    let mut header = part(0);
    header.as_object_mut().unwrap().remove("typ");
    assert!(!is_accepted(&signed(&header, &claims())));
}

#[test]
fn a_token_of_the_future_is_not_valid_yet() {
    let earlier = Time::from_millis(now().as_millis() - 61_000);
    assert_eq!(verify(&token(), &realm(), &key(), earlier), None);
    let nearly = Time::from_millis(now().as_millis() - 60_000);
    assert!(verify(&token(), &realm(), &key(), nearly).is_some());
}
