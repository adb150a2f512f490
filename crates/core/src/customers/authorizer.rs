//! The Lambda authoriser of the HTTP API: tells who is signed in, and refuses what is forged.
//!
//! It only authenticates; whose account is disabled is nobody. Roles and expiry go on in its answer's
//! context, and handlers decide about them: API Gateway keeps the answer for minutes, and only handlers
//! answer with problem documents.

use serde::{Deserialize, Serialize};

use super::keys::TokenKeys;
use super::store::CustomerStore;
use super::token::{self, Claims, Realm};
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::runtime::Error;
use crate::values::clock::Time;

/// What verifies access tokens.
#[derive(Clone, Debug)]
pub struct TokenVerifier {
    keys: TokenKeys,
    realm: Realm,
    customers: CustomerStore,
}

impl TokenVerifier {
    /// The verifier that the settings `TOKEN_*` describe.
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

/// What API Gateway asks (payload format 2.0): the part of it that is used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationRequest {
    /// The values that the answer is kept under: the `Authorization` header alone.
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

/// What API Gateway is told: the simple response.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    is_authorized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

/// What goes on to the handlers, all texts: `requestContext.authorizer.lambda`.
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

impl From<Claims> for Authorization {
    fn from(claims: Claims) -> Self {
        let context = Context {
            sub: claims.sub.to_string(),
            roles: claims.roles.join(" "),
            exp: claims.exp.to_string(),
        };
        Self {
            is_authorized: true,
            context: Some(context),
        }
    }
}

/// Tells who sent a request: refuses what is no access token of this shop, and one of an account that
/// is disabled or gone. A token that has expired passes with its `exp`, which the handler compares.
///
/// # Errors
/// If the keys that tokens are signed with, or the account, cannot be read.
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
    let customer = tokens.customers.get(claims.sub).await?;
    let active = customer.is_some_and(|customer| !customer.disabled);
    Ok(if active {
        claims.into()
    } else {
        Authorization::REFUSED
    })
}

/// The token of an `Authorization` header (RFC 6750 section 2.1; the scheme in any case).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
