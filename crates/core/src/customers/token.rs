//! Access tokens: JSON Web Tokens (RFC 7519) that follow RFC 8725, whose points `tests` checks one by one.

use serde::{Deserialize, Serialize};

use super::key::{self, TokenKey};
use super::model::{Account, CustomerError, Role};
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, TokenId};

/// The type in an access token's header (RFC 9068 section 2.1), so that no other token is taken for one.
const KIND: &str = "at+jwt";

/// How far the clocks of two API hosts may differ, in seconds, before a token counts as not valid yet.
const CLOCK_LEEWAY_SECONDS: i64 = 60;

/// The issuer and the audience of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
}

impl Realm {
    /// Reads the settings `TOKEN_ISSUER` and `TOKEN_AUDIENCE`.
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

/// The claims of a token, in their wire shape: registered claims (RFC 7519 section 4.1) and the roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The customer.
    pub sub: CustomerId,
    iat: i64,
    nbf: i64,
    /// When the token expires, in seconds since 1970.
    pub exp: i64,
    jti: String,
    /// The number of the account's password when the token was issued, see [`Account::password_version`]. Tokens of
    /// earlier releases have none.
    #[serde(default)]
    pub pwv: u64,
    /// The names of the customer's roles when the token was issued: for other services. This shop reads the roles
    /// that are stored.
    roles: Vec<String>,
    /// What the token may be used for (RFC 9068 section 2.2.3), separated by spaces: `shop`, and
    /// `shop:manage` for an admin.
    scope: String,
}

/// Signs the token `id` for the customer of `account`, which is valid for `lifetime_seconds` from `now`. The same
/// arguments give the same token.
///
/// # Errors
/// [`CustomerError::Credentials`] if it cannot be signed.
pub fn issue(
    account: &Account,
    id: TokenId,
    realm: &Realm,
    key: &TokenKey,
    lifetime_seconds: u32,
    now: Time,
) -> Result<String, CustomerError> {
    let customer = &account.customer;
    let roles = customer.roles.iter().copied();
    let scopes: Vec<&str> = roles.clone().map(scope).collect();
    let claims = Claims {
        iss: realm.issuer.clone(),
        aud: realm.audience.clone(),
        sub: customer.id,
        iat: now.as_seconds(),
        nbf: now.as_seconds(),
        exp: now.as_seconds() + i64::from(lifetime_seconds),
        jti: id.to_string(),
        pwv: account.password_version,
        roles: roles.map(Role::name).map(str::to_owned).collect(),
        scope: scopes.join(" "),
    };
    key.sign(KIND, &claims)
}

fn scope(role: Role) -> &'static str {
    match role {
        Role::Customer => "shop",
        Role::Admin => "shop:manage",
    }
}

/// Returns the name of the key that signed `token` according to its header, or `None` if it is not an access
/// token.
#[must_use]
pub fn key_id(token: &str) -> Option<String> {
    key::key_id(token, KIND)
}

/// Returns the claims of `token`, or `None` if `key` did not sign it for `realm` or it is not valid yet at `now`.
/// An expired token is not refused here: the handler compares `exp` with the time of the request, because only
/// handlers respond with problem documents.
#[must_use]
pub fn verify(token: &str, realm: &Realm, key: &TokenKey, now: Time) -> Option<Claims> {
    let claims: Claims = key.verify(token, KIND, &realm.issuer, &realm.audience)?;
    let is_already_valid = claims.nbf <= now.as_seconds().saturating_add(CLOCK_LEEWAY_SECONDS);
    Some(claims).filter(|_| is_already_valid)
}

#[cfg(test)]
mod tests;
