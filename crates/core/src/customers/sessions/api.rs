//! The routes that sign in, and that renew, list and end sessions.

use serde::Serialize;

use super::model::{Client, InvalidRefreshToken, RefreshToken, Session, Standing, fresh_secret};
use super::store::SessionStore;
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::customers::api::{email, sent_password};
use crate::customers::credentials::PasswordCheck;
use crate::customers::issuer::TokenIssuer;
use crate::customers::model::{CustomerError, Email};
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
    let (session, refresh_token) = Session::begin(
        SessionId::fresh(request.now),
        &account,
        request.header("user-agent"),
        [fresh_secret()?, fresh_secret()?],
        request.now,
    );
    let id = session.access_token_id();
    let access_token = sign_in.tokens.issue(&account, id, request.now).await?;
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
pub(crate) struct SessionBody {
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

/// How often a renewal that another one overtakes is decided again.
const TRIES: u32 = 3;

/// `POST /auth/refresh`: returns new tokens for the latest refresh token of a session. The same client gets the same
/// tokens again if it repeats the one before within a few seconds. Otherwise a token that has been used ends its
/// session, and so does the token of an account that is disabled or has another password. A token that names a session
/// and does not belong to it changes nothing.
///
/// # Errors
/// [`Problem::Unauthenticated`] for every other token.
pub async fn refresh_session(renewal: &Renewal, request: Request) -> Result<Response, Problem> {
    let sent = request
        .json(refresh_token)?
        .map_err(|_| CustomerError::SessionOver)?;
    for _ in 0..TRIES {
        let stored = renewal.sessions.get(sent.customer_id, sent.session_id);
        let session = stored
            .await?
            .filter(|session| !session.is_over(request.now))
            .ok_or(CustomerError::SessionOver)?;
        if let Some(response) = renew(renewal, &session, &sent, &request).await? {
            return Ok(response);
        }
    }
    Err(CustomerError::SessionOver.into())
}

/// Renews `session` with the token `sent`. Returns `None` if another request has renewed or ended it in the meantime.
async fn renew(
    renewal: &Renewal,
    session: &Session,
    sent: &RefreshToken,
    request: &Request,
) -> Result<Option<Response>, Problem> {
    let client = Client::new(&request.source_ip, request.header("user-agent"));
    let (next, latest) = match session.standing(sent) {
        Standing::Latest => session.renewed(sent, client, fresh_secret()?, request.now),
        Standing::Previous(latest) if session.was_just_renewed_by(&client, request.now) => {
            (session.clone(), latest)
        }
        Standing::Previous(_) | Standing::Earlier => {
            tracing::warn!("a refresh token was used twice");
            return Err(end(renewal, session).await?.into());
        }
        Standing::Foreign => return Err(CustomerError::SessionOver.into()),
    };
    let account = renewal.customers.account(session.customer_id).await?;
    let account = account.filter(|account| {
        !account.customer.disabled && account.password_version == session.password_version
    });
    let Some(account) = account else {
        return Err(end(renewal, session).await?.into());
    };
    // Signed first: a token that cannot be signed must not cost the client its refresh token. A repeated renewal gets
    // the same access token, because everything in it follows from the session.
    let (tokens, id) = (&renewal.tokens, next.access_token_id());
    let access_token = tokens.issue(&account, id, next.used_at).await?;
    if next != *session && !renewal.sessions.renew(session, &next).await? {
        return Ok(None);
    }
    token_response(&renewal.tokens, access_token, &latest).map(Some)
}

/// Ends `session`, and returns the error to respond with.
async fn end(renewal: &Renewal, session: &Session) -> Result<CustomerError, Problem> {
    let ended = renewal.sessions.end(session.customer_id, session.id);
    ended.await?;
    Ok(CustomerError::SessionOver)
}

/// `POST /auth/logout`: ends the session of a refresh token, which may be an earlier one, and returns 204, even if
/// there is no such session or the token does not belong to it.
///
/// # Errors
/// [`Problem::InvalidBody`].
pub async fn logout(sessions: &SessionStore, request: Request) -> Result<Response, Problem> {
    if let Ok(sent) = request.json(refresh_token)? {
        let stored = sessions.get(sent.customer_id, sent.session_id).await?;
        let own = stored.filter(|session| session.standing(&sent) != Standing::Foreign);
        if let Some(session) = own {
            sessions.end(session.customer_id, session.id).await?;
        }
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
fn refresh_token(body: &mut Body) -> Option<Result<RefreshToken, InvalidRefreshToken>> {
    let text = body.required("refresh_token", |json| json.text(1..=MAX_TOKEN_CHARACTERS))?;
    Some(text.parse())
}
