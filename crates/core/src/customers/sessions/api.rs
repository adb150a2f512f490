//! The routes that sign in, and that renew, list and end sessions.

use serde::Serialize;

use super::model::{NotARefreshToken, RefreshToken, Session, fresh_secret};
use super::store::SessionStore;
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::customers::api::{email, sent_password};
use crate::customers::credentials::PasswordCheck;
use crate::customers::issuer::TokenIssuer;
use crate::customers::model::{Account, CustomerError, Email};
use crate::customers::store::CustomerStore;
use crate::http::body::Body;
use crate::http::exchange::{Request, Response};
use crate::http::page::Page;
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::SessionId;

/// The longest text that is accepted as a refresh token, in characters. An access token fits, too.
const MAX_TOKEN_CHARACTERS: usize = 4096;

/// The resources that signing in needs.
#[derive(Clone, Debug)]
pub struct SignIn {
    check: PasswordCheck,
    sessions: SessionStore,
    tokens: TokenIssuer,
}

impl SignIn {
    /// Opens the resources of the function.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            check: PasswordCheck::new(aws)?,
            sessions: SessionStore::new(aws)?,
            tokens: TokenIssuer::new(aws)?,
        })
    }
}

/// The body of the responses to signing in and renewing (RFC 6749 section 5.1).
#[derive(Serialize)]
struct TokenBody {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    refresh_token: String,
}

/// Returns the response with both tokens, which no cache may keep.
fn token_response(
    tokens: &TokenIssuer,
    access_token: String,
    refresh_token: &RefreshToken,
) -> Result<Response, Problem> {
    let body = TokenBody {
        access_token,
        token_type: "Bearer",
        expires_in: tokens.lifetime_seconds,
        refresh_token: refresh_token.to_text(),
    };
    Ok(Response::ok(&body)?.header("Cache-Control", "no-store"))
}

/// `POST /auth/login`: signs a customer in, which begins a session.
///
/// # Errors
/// [`Problem::InvalidBody`]; [`Problem::Unauthenticated`] if the address or the password is wrong;
/// [`Problem::TooManyRequests`] after too many wrong passwords.
pub async fn login(sign_in: &SignIn, request: Request) -> Result<Response, Problem> {
    let (email, password) = request.json(credentials)?;
    let sent = sent_password(password, &request);
    let account = sign_in.check.authenticate(&email, &sent).await?;
    let access_token = sign_in.tokens.issue(&account, request.now).await?;
    let (session, refresh_token) = Session::begin(
        SessionId::fresh(request.now),
        &account,
        request.header("user-agent"),
        fresh_secret()?,
        request.now,
    );
    sign_in.sessions.begin(&session).await?;
    token_response(&sign_in.tokens, access_token, &refresh_token)
}

fn credentials(body: &mut Body) -> Option<(Email, String)> {
    let email = body.required("email", email);
    let password = body.required("password", |json| json.secret(1..=128));
    Some((email?, password?))
}

/// The resources that renewing a session needs.
#[derive(Clone, Debug)]
pub struct Renewal {
    customers: CustomerStore,
    sessions: SessionStore,
    tokens: TokenIssuer,
}

impl Renewal {
    /// Opens the resources of the function.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            customers: CustomerStore::new(aws)?,
            sessions: SessionStore::new(aws)?,
            tokens: TokenIssuer::new(aws)?,
        })
    }
}

/// A session as its customer sees it.
#[derive(Serialize)]
struct SessionBody {
    id: SessionId,
    user_agent: Option<String>,
    created_at: Time,
    last_used_at: Time,
    expires_at: Time,
}

impl From<Session> for SessionBody {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            user_agent: session.user_agent,
            created_at: session.created_at,
            last_used_at: session.used_at,
            expires_at: session.expires_at,
        }
    }
}

/// `POST /auth/refresh`: returns new tokens for a refresh token that has not been used. A token that has been used
/// ends its session, and so does the token of an account that is disabled or has another password.
///
/// # Errors
/// [`Problem::Unauthenticated`] for everything but the latest token of a session.
pub async fn refresh_session(renewal: &Renewal, request: Request) -> Result<Response, Problem> {
    let now = request.now;
    let sent = request
        .json(refresh_token)?
        .map_err(|_| CustomerError::SessionOver)?;
    let stored = renewal.sessions.get(sent.customer_id, sent.session_id);
    let session = stored
        .await?
        .filter(|session| !session.is_over(now))
        .ok_or(CustomerError::SessionOver)?;
    let Some(account) = renewable_account(renewal, &session, &sent).await? else {
        return Err(end(renewal, &session).await?.into());
    };
    // Signed first: a token that cannot be signed must not cost the client its refresh token.
    let access_token = renewal.tokens.issue(&account, now).await?;
    let (next, refresh_token) = session.renewed(fresh_secret()?, now);
    if !renewal.sessions.renew(&session, &next).await? {
        return Err(end(renewal, &session).await?.into());
    }
    token_response(&renewal.tokens, access_token, &refresh_token)
}

/// Returns the account of `session`, or `None` if `sent` is not the session's latest token or the account no longer
/// allows the session.
async fn renewable_account(
    renewal: &Renewal,
    session: &Session,
    sent: &RefreshToken,
) -> Result<Option<Account>, Problem> {
    if session.refresh_hash != sent.hash() {
        let session_id = session.id.to_string();
        tracing::warn!(session.id = session_id, "a refresh token was used twice");
        return Ok(None);
    }
    let account = renewal.customers.account(session.customer_id).await?;
    Ok(account.filter(|account| {
        !account.customer.disabled && account.password_version == session.password_version
    }))
}

/// Ends `session`, and returns the error to respond with.
async fn end(renewal: &Renewal, session: &Session) -> Result<CustomerError, Problem> {
    let ended = renewal.sessions.end(session.customer_id, session.id);
    ended.await?;
    Ok(CustomerError::SessionOver)
}

/// `POST /auth/logout`: ends the session of a refresh token, which may be an earlier one, and returns 204, even if
/// there is no such session.
///
/// # Errors
/// [`Problem::InvalidBody`].
pub async fn logout(sessions: &SessionStore, request: Request) -> Result<Response, Problem> {
    if let Ok(sent) = request.json(refresh_token)? {
        sessions.end(sent.customer_id, sent.session_id).await?;
    }
    Ok(Response::no_content())
}

/// `GET /customers/me/sessions`: returns the caller's sessions, the most recently used first.
///
/// # Errors
/// [`Problem::Unauthenticated`].
pub async fn list_sessions(sessions: &SessionStore, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let items = sessions.list(caller.customer_id, request.now).await?;
    Page { items, next: None }
        .map(SessionBody::from)
        .answer(&request)
}

/// `DELETE /customers/me/sessions/{session_id}`: ends one of the caller's sessions. An access token that it has
/// issued works until it expires.
///
/// # Errors
/// [`Problem::NotFound`] if the caller has no such session.
pub async fn end_session(sessions: &SessionStore, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id: SessionId = request.id("session_id", "session")?;
    let stored = sessions.get(caller.customer_id, id).await?;
    let session = stored.filter(|session| !session.is_over(request.now));
    let session = session.ok_or(CustomerError::NoSuchSession)?;
    sessions.end(session.customer_id, session.id).await?;
    Ok(Response::no_content())
}

/// `DELETE /customers/me/sessions`: ends all of the caller's sessions.
///
/// # Errors
/// [`Problem::Unauthenticated`].
pub async fn end_all_sessions(
    sessions: &SessionStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    sessions.end_all(caller.customer_id).await?;
    Ok(Response::no_content())
}

/// Reads the token in `{refresh_token}`. A text that is not a refresh token is not a fault of the body: the client
/// gets the same response as for a session that has ended.
fn refresh_token(body: &mut Body) -> Option<Result<RefreshToken, NotARefreshToken>> {
    let text = body.required("refresh_token", |json| json.text(1..=MAX_TOKEN_CHARACTERS))?;
    Some(text.parse())
}
