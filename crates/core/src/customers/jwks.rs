//! `GET /.well-known/jwks.json`: the keys that verify access tokens (RFC 7517).

use serde::Serialize;

use super::key::PublicKey;
use super::keys::TokenKeys;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;

/// How long clients may cache the keys, in seconds. An operator waits this long between `oxcart keys prepare`,
/// which publishes a key, and `oxcart keys promote`, after which it signs.
pub const CACHE_SECONDS: u32 = 600;

#[derive(Serialize)]
struct KeySet {
    keys: Vec<PublicKey>,
}

/// Returns the keys that access tokens may be signed with now: the one that signs, the next and the previous
/// one; none if the shop signs with a shared secret.
///
/// # Errors
/// [`Problem::Internal`] if the keys cannot be read.
pub async fn get_jwks(keys: &TokenKeys, request: Request) -> Result<Response, Problem> {
    let keys = keys.public(request.now).await?;
    let response = Response::ok(&KeySet { keys })?;
    Ok(response.header("Cache-Control", format!("public, max-age={CACHE_SECONDS}")))
}
