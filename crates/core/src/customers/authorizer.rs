//! The Lambda authoriser of the HTTP API: identifies the caller, and refuses forged tokens.
//!
//! It refuses tokens of accounts that are disabled or deleted, and tokens that were issued before the account's
//! password changed. The roles that are stored, not those in the token, the group, the language and the expiry are passed on in the context
//! of its response, and handlers decide about them, because only handlers respond with problem documents. API Gateway
//! keeps no response, so what is stored decides about every request
//! (`docs/decisions/0026-no-authorisation-is-cached.md`).

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::keys::TokenKeys;
use super::model::{Account, CustomerError, Role};
use super::store::CustomerStore;
use super::token::{self, Realm};
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::http::exchange::{Caller, Identity, Request};
use crate::http::problem::Problem;
use crate::runtime::Error;
use crate::values::clock::Time;
use crate::values::group::CustomerGroup;

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
    locale: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<CustomerGroup>,
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
            locale: account.customer.locale.as_str().to_owned(),
            group: account.customer.group.clone(),
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
    let found = tokens.account(header, now).await?;
    Ok(found.map_or(Authorization::REFUSED, |(account, exp)| {
        Authorization::granted(&account, exp)
    }))
}

impl TokenVerifier {
    /// Returns the account whose access token an `Authorization` header has, and when the token expires.
    async fn account(
        &self,
        header: &str,
        now: Time,
    ) -> Result<Option<(Account, i64)>, CustomerError> {
        let Some(token) = bearer(header) else {
            return Ok(None);
        };
        let Some(key_id) = token::key_id(token) else {
            return Ok(None);
        };
        let Some(key) = self.keys.named(&key_id, now).await? else {
            return Ok(None);
        };
        let Some(claims) = token::verify(token, &self.realm, &key, now) else {
            return Ok(None);
        };
        let account = self.customers.account(claims.sub).await?;
        let active = account
            .filter(|account| !account.customer.disabled && account.password_version == claims.pwv);
        Ok(active.map(|account| (account, claims.exp)))
    }
}

/// Recognises admins on routes that anyone may use, for which API Gateway does not call the authoriser.
#[derive(Debug)]
pub struct Admins {
    aws: Aws,
    /// Made when the first token is verified: most requests for what is public have none.
    tokens: OnceLock<TokenVerifier>,
}

impl Admins {
    /// Returns what recognises the admins of the shop.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self {
            aws: aws.clone(),
            tokens: OnceLock::new(),
        }
    }

    /// Admits `request` if its access token is that of an admin.
    ///
    /// # Errors
    /// As [`Request::admin`], and if the keys or the account cannot be read.
    pub async fn admit(&self, request: &Request) -> Result<(), Problem> {
        let identity = match (&request.identity, request.header("authorization")) {
            (None, Some(header)) => self.identify(header, request.now).await?,
            (given, _) => given.clone(),
        };
        Identity::admin(identity.as_ref(), request.now).map(drop)
    }

    async fn identify(&self, header: &str, now: Time) -> Result<Option<Identity>, Problem> {
        let tokens = if let Some(tokens) = self.tokens.get() {
            tokens
        } else {
            let tokens = TokenVerifier::new(&self.aws).map_err(Problem::internal)?;
            self.tokens.get_or_init(|| tokens)
        };
        let found = tokens.account(header, now).await?;
        Ok(found.map(|(account, expires_at_seconds)| Identity {
            caller: Caller {
                customer_id: account.customer.id,
                admin: account.customer.roles.contains(&Role::Admin),
                group: account.customer.group,
                locale: Some(account.customer.locale),
            },
            expires_at_seconds,
        }))
    }
}

/// Returns the token of an `Authorization` header (RFC 6750 section 2.1), whose scheme may be in any case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
