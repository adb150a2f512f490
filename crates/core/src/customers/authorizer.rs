//! The Lambda authoriser of the HTTP API: identifies the caller, and refuses forged tokens.
//!
//! It refuses tokens of accounts that are disabled or deleted, and tokens that were issued before the account's
//! password changed. The roles that are stored, not those in the token, and the expiry are passed on in the context
//! of its response, and handlers decide about them, because only handlers respond with problem documents. API Gateway
//! keeps no response, so what is stored decides about every request
//! (`docs/decisions/0026-no-authorisation-is-cached.md`).

use serde::{Deserialize, Serialize};

use super::keys::TokenKeys;
use super::model::{Account, Role};
use super::store::CustomerStore;
use super::token::{self, Realm};
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::runtime::Error;
use crate::values::clock::Time;

/// Verifies access tokens.
#[derive(Clone, Debug)]
pub struct TokenVerifier {
    keys: TokenKeys,
    realm: Realm,
    customers: CustomerStore,
}

impl TokenVerifier {
    /// Returns the verifier that the settings `TOKEN_*` describe.
    ///
    /// # Errors
    /// [`SettingError`] if one is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            keys: TokenKeys::new(aws)?,
            realm: Realm::new(aws)?,
            customers: CustomerStore::new(aws)?,
        })
    }
}

/// The request of API Gateway (payload format 2.0), as far as it is used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationRequest {
    /// What identifies the caller: the `Authorization` header alone.
    #[serde(default)]
    identity_source: Option<Vec<String>>,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    /// When the API received the request, in milliseconds since 1970: the authoriser's now.
    time_epoch: i64,
}

/// The response to API Gateway, in its simple form.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    is_authorized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

/// The context that is passed on to the handlers as `requestContext.authorizer.lambda`, all of it text.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Context {
    sub: String,
    /// Separated by spaces.
    roles: String,
    /// In seconds since 1970.
    exp: String,
}

impl Authorization {
    const REFUSED: Self = Self {
        is_authorized: false,
        context: None,
    };
}

impl Authorization {
    fn granted(account: &Account, exp: i64) -> Self {
        let roles = account.customer.roles.iter().copied().map(Role::name);
        let context = Context {
            sub: account.customer.id.to_string(),
            roles: roles.collect::<Vec<_>>().join(" "),
            exp: exp.to_string(),
        };
        Self {
            is_authorized: true,
            context: Some(context),
        }
    }
}

/// Identifies who sent a request. Refuses whatever is not an access token of this shop, tokens of accounts that are
/// disabled or deleted, and tokens from before the last change of the password. An expired token passes with its
/// `exp`, which the handler compares.
///
/// # Errors
/// Returns an error if the keys or the account cannot be read.
pub async fn authorize_request(
    tokens: &TokenVerifier,
    request: AuthorizationRequest,
) -> Result<Authorization, Error> {
    let now = Time::from_millis(request.request_context.time_epoch);
    let sources = request.identity_source.unwrap_or_default();
    let [header] = sources.as_slice() else {
        return Ok(Authorization::REFUSED);
    };
    let Some(token) = bearer(header) else {
        return Ok(Authorization::REFUSED);
    };
    let Some(key_id) = token::key_id(token) else {
        return Ok(Authorization::REFUSED);
    };
    let Some(key) = tokens.keys.named(&key_id, now).await? else {
        return Ok(Authorization::REFUSED);
    };
    let Some(claims) = token::verify(token, &tokens.realm, &key, now) else {
        return Ok(Authorization::REFUSED);
    };
    let account = tokens.customers.account(claims.sub).await?;
    let active = account
        .filter(|account| !account.customer.disabled && account.password_version == claims.pwv);
    Ok(active.map_or(Authorization::REFUSED, |account| {
        Authorization::granted(&account, claims.exp)
    }))
}

/// Returns the token of an `Authorization` header (RFC 6750 section 2.1), whose scheme may be in any case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
