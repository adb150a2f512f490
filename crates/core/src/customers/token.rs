//! Access tokens: JSON Web Tokens (RFC 7519) signed with HS256 and no other algorithm.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::model::{Customer, CustomerError, Role};
use crate::clock::Time;
use crate::id::{CustomerId, TokenId};
use crate::lambda::Aws;
use crate::settings::{Setting, SettingError};

/// How far the clocks of two API hosts may be apart, in seconds, before a token counts as not valid
/// yet.
const CLOCK_LEEWAY_SECONDS: i64 = 60;

/// A key that tokens are signed with. `Debug` shows its name only.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// The key's name, which is in the header of every token that it signed (`kid`).
    pub id: String,
    secret: Vec<u8>,
}

impl TokenKey {
    /// The key named `id` with the bytes of `secret`.
    #[must_use]
    pub fn new(id: String, secret: &str) -> Self {
        Self {
            id,
            secret: secret.as_bytes().to_vec(),
        }
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.id)
    }
}

/// Who issues tokens, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
}

impl Realm {
    /// What the settings `TOKEN_ISSUER` and `TOKEN_AUDIENCE` say.
    ///
    /// # Errors
    /// [`SettingError`] if one is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            issuer: aws.settings().read(Setting::TokenIssuer)?,
            audience: aws.settings().read(Setting::TokenAudience)?,
        })
    }
}

/// What a token says, as its wire shape: registered claims (RFC 7519 section 4.1) and the roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// Whose token it is.
    pub sub: CustomerId,
    iat: i64,
    nbf: i64,
    /// Until when it is good, in seconds since 1970.
    pub exp: i64,
    jti: String,
    /// The names of the customer's roles when the token was issued.
    pub roles: Vec<String>,
}

/// Signs a token for `customer`, good for `lifetime_seconds` from `now`.
///
/// # Errors
/// [`CustomerError::Credentials`] if it cannot be signed.
pub fn issue(
    customer: &Customer,
    realm: &Realm,
    key: &TokenKey,
    lifetime_seconds: u32,
    now: Time,
) -> Result<String, CustomerError> {
    let roles = customer.roles.iter().copied().map(Role::name);
    let claims = Claims {
        iss: realm.issuer.clone(),
        aud: realm.audience.clone(),
        sub: customer.id,
        iat: now.as_seconds(),
        nbf: now.as_seconds(),
        exp: now.as_seconds() + i64::from(lifetime_seconds),
        jti: TokenId::fresh(now).to_string(),
        roles: roles.map(str::to_owned).collect(),
    };
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.id.clone());
    let secret = EncodingKey::from_secret(&key.secret);
    jsonwebtoken::encode(&header, &claims, &secret)
        .map_err(|error| CustomerError::Credentials(error.into()))
}

/// The name of the key that `token` says it is signed with; `None` if it is no token at all, or one
/// of another algorithm.
#[must_use]
pub fn key_id(token: &str) -> Option<String> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    header.kid.filter(|_| header.alg == Algorithm::HS256)
}

/// What `token` says, if `key` signed it for `realm` and it is valid already at `now`. A token that
/// has expired is not refused here: whoever uses the claims compares `exp` with the time of the
/// request, because an authoriser's answer is kept longer than a token may last.
#[must_use]
pub fn verify(token: &str, realm: &Realm, key: &TokenKey, now: Time) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
    validation.set_issuer(&[&realm.issuer]);
    validation.set_audience(&[&realm.audience]);
    // Both by the time of the request, not by this machine's.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let secret = DecodingKey::from_secret(&key.secret);
    let claims = jsonwebtoken::decode::<Claims>(token, &secret, &validation)
        .ok()?
        .claims;
    let valid_already = claims.nbf <= now.as_seconds().saturating_add(CLOCK_LEEWAY_SECONDS);
    Some(claims).filter(|_| valid_already)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    fn realm() -> Realm {
        Realm {
            issuer: "shop".to_owned(),
            audience: "shop-api".to_owned(),
        }
    }

    fn key() -> TokenKey {
        TokenKey::new("1".to_owned(), "a secret of the tests")
    }

    fn now() -> Time {
        "2026-03-01T09:30:00Z".parse().unwrap()
    }

    fn customer() -> Customer {
        Customer {
            id: CustomerId::derived(&["ana"]),
            email: "ana@example.com".parse().unwrap(),
            name: "Ana".to_owned(),
            locale: "en".parse().unwrap(),
            roles: vec![Role::Customer, Role::Admin],
            version: 1,
            created_at: now(),
            updated_at: now(),
        }
    }

    fn token() -> String {
        issue(&customer(), &realm(), &key(), 900, now()).unwrap()
    }

    /// A token of `claims` that is signed well, so that only the claims can be at fault.
    fn signed(header: &Header, claims: &Value, key: &TokenKey) -> String {
        let secret = EncodingKey::from_secret(&key.secret);
        jsonwebtoken::encode(header, claims, &secret).unwrap()
    }

    fn claims() -> Value {
        let body = token().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
    }

    #[test]
    fn a_token_says_who_until_when_and_which_roles() {
        let claims = verify(&token(), &realm(), &key(), now()).unwrap();
        assert_eq!(claims.sub, customer().id);
        assert_eq!(claims.exp, now().as_seconds() + 900);
        assert_eq!(claims.roles, ["customer", "admin"]);
        assert_eq!(key_id(&token()).as_deref(), Some("1"));
    }

    #[test]
    fn a_token_holds_no_personal_data() {
        let mut names: Vec<String> = claims().as_object().unwrap().keys().cloned().collect();
        names.sort();
        let expected = ["aud", "exp", "iat", "iss", "jti", "nbf", "roles", "sub"];
        assert_eq!(names, expected);
    }

    #[test]
    fn an_expired_token_is_told_apart_by_exp_not_refused() {
        let later = now().plus(std::time::Duration::from_secs(10_000));
        let claims = verify(&token(), &realm(), &key(), later).unwrap();
        assert!(claims.exp < later.as_seconds());
    }

    #[test]
    fn a_changed_claim_breaks_the_signature() {
        let token = token();
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims = claims();
        claims["roles"] = json!(["customer", "admin", "owner"]);
        let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
        let forged = format!("{}.{forged}.{}", parts[0], parts[2]);
        assert_eq!(verify(&forged, &realm(), &key(), now()), None);
    }

    #[test]
    fn no_algorithm_but_hs256_is_accepted() {
        let claims = URL_SAFE_NO_PAD.encode(claims().to_string());
        for algorithm in ["none", "None", "RS256"] {
            let header = json!({"alg": algorithm, "typ": "JWT", "kid": "1"}).to_string();
            let header = URL_SAFE_NO_PAD.encode(header);
            for signature in ["", "AAAA"] {
                let token = format!("{header}.{claims}.{signature}");
                assert_eq!(verify(&token, &realm(), &key(), now()), None, "{algorithm}");
                assert_eq!(key_id(&token), None, "{algorithm}");
            }
        }
        // Signed well, with the right secret, by another algorithm.
        let mut header = Header::new(Algorithm::HS512);
        header.kid = Some("1".to_owned());
        let token = signed(&header, &self::claims(), &key());
        assert_eq!(verify(&token, &realm(), &key(), now()), None);
        assert_eq!(key_id(&token), None);
    }

    #[test]
    fn another_key_issuer_or_audience_is_refused() {
        let other = TokenKey::new("1".to_owned(), "another secret");
        assert_eq!(verify(&token(), &realm(), &other, now()), None);
        for (issuer, audience) in [("mall", "shop-api"), ("shop", "mall-api")] {
            let realm = Realm {
                issuer: issuer.to_owned(),
                audience: audience.to_owned(),
            };
            assert_eq!(verify(&token(), &realm, &key(), now()), None);
        }
    }

    #[test]
    fn a_token_without_one_of_its_claims_is_refused() {
        let header = Header::new(Algorithm::HS256);
        assert!(verify(&signed(&header, &claims(), &key()), &realm(), &key(), now()).is_some());
        for name in ["iss", "aud", "sub", "nbf", "exp", "roles"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            let token = signed(&header, &claims, &key());
            assert_eq!(verify(&token, &realm(), &key(), now()), None, "{name}");
        }
    }

    #[test]
    fn a_token_of_the_future_is_not_valid_yet() {
        let earlier = Time::from_millis(now().as_millis() - 61_000);
        assert_eq!(verify(&token(), &realm(), &key(), earlier), None);
        let nearly = Time::from_millis(now().as_millis() - 60_000);
        assert!(verify(&token(), &realm(), &key(), nearly).is_some());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", ".", "..", "a.b.c", "Bearer x", "\u{1f6d2}.x.y"] {
            assert_eq!(verify(text, &realm(), &key(), now()), None, "{text:?}");
            assert_eq!(key_id(text), None, "{text:?}");
        }
    }
}
