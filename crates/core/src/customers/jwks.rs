//! `GET /.well-known/jwks.json`: what other services verify access tokens with (RFC 7517).

use serde::Serialize;

use super::key::PublicKey;
use super::keys::TokenKeys;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;

/// For how long the keys may be kept, in seconds: `oxcart keys prepare` publishes a key this long
/// before it signs.
pub const KEPT_SECONDS: u32 = 600;

#[derive(Serialize)]
struct KeySet {
    keys: Vec<PublicKey>,
}

/// The keys that access tokens may be signed with now: the one that signs, the next and the previous
/// one. None when the shop signs with a shared secret.
///
/// # Errors
/// [`Problem::Internal`] if they cannot be read.
pub async fn get_jwks(keys: &TokenKeys, request: Request) -> Result<Response, Problem> {
    let keys = keys.public(request.now).await?;
    let answer = Response::ok(&KeySet { keys })?;
    Ok(answer.header("Cache-Control", format!("public, max-age={KEPT_SECONDS}")))
}
