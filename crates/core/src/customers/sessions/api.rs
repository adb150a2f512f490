//! Signing in, which begins a session; renewing, listing and ending sessions.

use serde::Serialize;

use super::model::{NotARefreshToken, RefreshToken, Session, fresh_secret};
use super::store::SessionStore;
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::customers::api::{email, given};
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

/// The most characters of what is sent as a refresh token; an access token fits, too.
const MOST_CHARACTERS: usize = 4096;

/// What a sign-in needs: whose password it is, how to sign a token, where the session goes.
#[derive(Clone, Debug)]
pub struct SignIn {
    check: PasswordCheck,
    sessions: SessionStore,
    tokens: TokenIssuer,
}

impl SignIn {
    /// The resources of this function.
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

/// What signing in and renewing answer (RFC 6749 section 5.1).
#[derive(Serialize)]
struct TokenBody {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    refresh_token: String,
}

/// What the client is told: both tokens, which no cache may keep.
fn answer(
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
/// [`Problem`]: a body that is not valid, [`Problem::Unauthenticated`] whichever of address and
/// password is wrong, [`Problem::TooManyRequests`] for who guesses.
pub async fn login(sign_in: &SignIn, request: Request) -> Result<Response, Problem> {
    let (email, password) = request.json(credentials)?;
    let given = given(password, &request);
    let account = sign_in.check.by_address(&email, &given).await?;
    let access_token = sign_in.tokens.issue(&account.customer, request.now).await?;
    let (session, refresh_token) = Session::begin(
        SessionId::fresh(request.now),
        &account,
        request.header("user-agent"),
        fresh_secret()?,
        request.now,
    );
    sign_in.sessions.begin(&session).await?;
    answer(&sign_in.tokens, access_token, &refresh_token)
}

fn credentials(body: &mut Body) -> Option<(Email, String)> {
    let email = body.required("email", email);
    let password = body.required("password", |json| json.secret(1..=128));
    Some((email?, password?))
}

/// What renewing a session needs.
#[derive(Clone, Debug)]
pub struct Renewal {
    customers: CustomerStore,
    sessions: SessionStore,
    tokens: TokenIssuer,
}

impl Renewal {
    /// The resources of this function.
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

/// `POST /auth/refresh`: both tokens anew, for a refresh token that was never used. One that was
/// ends its session, and so does one of an account that is disabled or has another password.
///
/// # Errors
/// [`Problem::Unauthenticated`] for whatever is not the latest token of a session.
pub async fn refresh_session(renewal: &Renewal, request: Request) -> Result<Response, Problem> {
    let now = request.now;
    let given = request
        .json(refresh_token)?
        .map_err(|_| CustomerError::SessionOver)?;
    let stored = renewal.sessions.get(given.customer_id, given.session_id);
    let session = stored
        .await?
        .filter(|session| !session.is_over(now))
        .ok_or(CustomerError::SessionOver)?;
    let Some(account) = renewable(renewal, &session, &given).await? else {
        return Err(end(renewal, &session).await?.into());
    };
    // Signed first: a token that cannot be signed must not cost the client its refresh token.
    let access_token = renewal.tokens.issue(&account.customer, now).await?;
    let (next, refresh_token) = session.renewed(fresh_secret()?, now);
    if !renewal.sessions.renew(&session, &next).await? {
        return Err(end(renewal, &session).await?.into());
    }
    answer(&renewal.tokens, access_token, &refresh_token)
}

/// The account of `session` as it is now, if `given` is the session's latest token and the account
/// still lets it go on.
async fn renewable(
    renewal: &Renewal,
    session: &Session,
    given: &RefreshToken,
) -> Result<Option<Account>, Problem> {
    if session.refresh_hash != given.hash() {
        let session_id = session.id.to_string();
        tracing::warn!(session.id = session_id, "a refresh token was used twice");
        return Ok(None);
    }
    let account = renewal.customers.account(session.customer_id).await?;
    Ok(account.filter(|account| {
        !account.customer.disabled && account.password_version == session.password_version
    }))
}

/// Ends `session`; what to answer.
async fn end(renewal: &Renewal, session: &Session) -> Result<CustomerError, Problem> {
    let ended = renewal.sessions.end(session.customer_id, session.id);
    ended.await?;
    Ok(CustomerError::SessionOver)
}

/// `POST /auth/logout`: ends the session of a refresh token, its latest or an earlier one. 204 also
/// if there is none: whoever signs out is signed out.
///
/// # Errors
/// For a body that is not valid.
pub async fn logout(sessions: &SessionStore, request: Request) -> Result<Response, Problem> {
    if let Ok(given) = request.json(refresh_token)? {
        sessions.end(given.customer_id, given.session_id).await?;
    }
    Ok(Response::no_content())
}

/// `GET /customers/me/sessions`: where the caller is signed in, latest use first.
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

/// `DELETE /customers/me/sessions/{session_id}`: ends one of the caller's sessions. The access token
/// that it gave last lasts until it expires.
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

/// The token in `{refresh_token}`, or a text that is none: to the client there is no difference
/// between what never was and what has ended.
fn refresh_token(body: &mut Body) -> Option<Result<RefreshToken, NotARefreshToken>> {
    let text = body.required("refresh_token", |json| json.text(1..=MOST_CHARACTERS))?;
    Some(text.parse())
}
