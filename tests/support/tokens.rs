//! Access tokens that the shop has not issued, as an attacker might send them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oxcart_core::customers::key::{Algorithm, TokenKey};
use oxcart_core::customers::keys::SecretBody;
use oxcart_core::customers::model::Account;
use oxcart_core::customers::token::{self, Realm};
use oxcart_core::values::clock::Time;
use oxcart_core::values::id::TokenId;
use serde_json::json;

use super::people::Person;
use super::shop::{Shop, physical};
use super::{operator, shop};

/// How long a token of the shop lasts.
const LIFETIME_SECONDS: u32 = 900;

/// Forges tokens with the shop's own secret, or one close to it.
pub(crate) struct Forger {
    account: Account,
    secret: SecretBody,
    now: Time,
}

impl Forger {
    /// Returns a forger of tokens of `person`.
    pub(crate) async fn of(shop: &Shop, person: &Person) -> Self {
        let table = physical("CustomersTable");
        Self {
            account: operator::account(shop.aws_url(), &table, &person.id).await,
            secret: shop.secret(&physical("TokenSecret")).await,
            now: Time::from_millis(jiff::Timestamp::now().as_millisecond()),
        }
    }

    fn made(&self, audience: &str, key: &str, algorithm: Algorithm, age_seconds: i64) -> String {
        let realm = Realm {
            issuer: shop::STACK.to_owned(),
            audience: audience.to_owned(),
        };
        let key = TokenKey::new(self.secret.kid.clone(), key, algorithm).unwrap();
        let then = Time::from_millis((self.now.as_seconds() - age_seconds) * 1000);
        token::issue(
            &self.account,
            TokenId::fresh(then),
            &realm,
            &key,
            LIFETIME_SECONDS,
            then,
        )
        .unwrap()
    }

    fn of_age(&self, age_seconds: i64) -> String {
        let audience = format!("{}-api", shop::STACK);
        self.made(&audience, &self.secret.key, Algorithm::EdDsa, age_seconds)
    }

    /// As the shop gives it: shows that the others are refused for what is wrong with them alone.
    pub(crate) fn genuine(&self) -> String {
        self.of_age(0)
    }

    /// One that has expired.
    pub(crate) fn expired(&self) -> String {
        self.of_age(i64::from(LIFETIME_SECONDS))
    }

    /// One for another API.
    pub(crate) fn of_another_audience(&self) -> String {
        self.made("another-api", &self.secret.key, Algorithm::EdDsa, 0)
    }

    /// One that names the shop's key, with a signature of another one.
    pub(crate) fn of_another_key(&self) -> String {
        let audience = format!("{}-api", shop::STACK);
        let key = "a text of more than thirty-two characters";
        let other = self.made(&audience, key, Algorithm::EdDsa, 0);
        let genuine = self.genuine();
        let (signed, _) = genuine.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        format!("{signed}.{signature}")
    }

    /// One that says that it needs no signature.
    pub(crate) fn unsigned(&self) -> String {
        let genuine = self.genuine();
        let claims = genuine.split('.').nth(1).unwrap();
        let header = json!({"alg": "none", "typ": "at+jwt", "kid": self.secret.kid});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        format!("{header}.{claims}.")
    }
}
