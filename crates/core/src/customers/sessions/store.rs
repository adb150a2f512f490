//! Sessions in DynamoDB: `pk` = `customer#<id>`, `sk` = `session#<id>`. The table's time to live deletes sessions
//! some time after they have expired.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};

use super::model::{Client, Session, TokenHash};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, Query, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, SessionId};

/// The version of the shape of [`SessionItem`]. All earlier versions can still be read.
const SCHEMA: u32 = 1;

/// The most sessions that an account has.
pub const MOST_SESSIONS: usize = 20;

/// How many sessions one query reads. An account from before there was a cap may have more than [`MOST_SESSIONS`].
const PAGE: usize = 100;

/// How many sessions are ended at the same time.
const AT_ONCE: usize = 8;

/// The sessions that are stored.
#[derive(Clone, Debug)]
pub struct SessionStore {
    table: Table,
}

impl SessionStore {
    /// Opens the store in the table that the setting `SESSIONS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::SessionsTable)?;
        Ok(Self { table })
    }

    /// Returns the session `id` of the customer, even if it has expired, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(
        &self,
        customer: CustomerId,
        id: SessionId,
    ) -> Result<Option<Session>, StoreError> {
        let item: Option<SessionItem> = self.table.get(key(customer, id)).await?;
        Ok(item.map(Session::from))
    }

    /// Returns the customer's sessions that have not expired at `now`, the most recently used first. Of an account that
    /// has more than `PAGE`, these are the latest that began.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, customer: CustomerId, now: Time) -> Result<Vec<Session>, StoreError> {
        let items: Vec<SessionItem> = self
            .sessions_query(customer)
            .descending()
            .first(PAGE)
            .await?;
        let mut sessions: Vec<Session> = items.into_iter().map(Session::from).collect();
        sessions.retain(|session| !session.is_over(now));
        sessions.sort_by_key(|session| std::cmp::Reverse((session.used_at, session.id)));
        Ok(sessions)
    }

    /// Returns the query of the customer's sessions, the oldest first: their identifiers are ordered by time.
    fn sessions_query(&self, customer: CustomerId) -> Query {
        self.table
            .query("pk = :customer AND begins_with(sk, :session)")
            .value(":customer", pk(customer))
            .value(":session", "session#")
            .consistent()
    }

    /// Stores a new session, and ends the oldest of an account that has more than [`MOST_SESSIONS`] then. Its identifier
    /// is random, so it replaces nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin(&self, session: &Session) -> Result<(), StoreError> {
        let write = self.table.put(&SessionItem::from(session))?;
        let earlier = self.sessions_query(session.customer_id);
        let (_, mut earlier) = futures::try_join!(
            Box::pin(self.table.write(write)),
            Box::pin(earlier.first::<SessionItem>(PAGE))
        )?;
        earlier.retain(|item| item.session_id != session.id);
        let surplus = (earlier.len() + 1).saturating_sub(MOST_SESSIONS);
        self.end_each(earlier.into_iter().take(surplus)).await
    }

    /// Stores `next`, which renews the session `read`. Returns `false` if the token of `read` is no longer the
    /// session's latest: it has been used, or the session has ended. Read again and decide again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew(&self, read: &Session, next: &Session) -> Result<bool, StoreError> {
        let write = self
            .table
            .put(&SessionItem::from(next))?
            .when("refresh_hash = :given")
            .value(":given", &read.refresh_hash.0)?;
        match self.table.write(write).await? {
            Written::Done => return Ok(true),
            Written::Refused(_) => {}
        }
        // The refused write may be our own, whose response was lost, or the same of the same client.
        Ok(self.get(next.customer_id, next.id).await?.as_ref() == Some(next))
    }

    /// Ends the session `id` of the customer, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end(&self, customer: CustomerId, id: SessionId) -> Result<(), StoreError> {
        let write = self.table.delete(key(customer, id));
        self.table.write(write).await.map(drop)
    }

    /// Ends all sessions of the customer.
    ///
    /// # Errors
    /// [`StoreError`]: some may have ended.
    pub async fn end_all(&self, customer: CustomerId) -> Result<(), StoreError> {
        loop {
            let sessions: Vec<SessionItem> = self.sessions_query(customer).first(PAGE).await?;
            if sessions.is_empty() {
                return Ok(());
            }
            self.end_each(sessions.into_iter()).await?;
        }
    }

    async fn end_each(
        &self,
        sessions: impl Iterator<Item = SessionItem>,
    ) -> Result<(), StoreError> {
        let ends = sessions.map(|item| Box::pin(self.end(item.customer_id, item.session_id)));
        let ends = futures::stream::iter(ends).buffer_unordered(AT_ONCE);
        ends.try_collect().await
    }
}

fn pk(customer: CustomerId) -> String {
    format!("customer#{customer}")
}

fn key(customer: CustomerId, id: SessionId) -> Key {
    Key::new("pk", pk(customer)).and("sk", sk(id))
}

fn sk(id: SessionId) -> String {
    format!("session#{id}")
}

/// A session as it is stored.
#[derive(Serialize, Deserialize)]
struct SessionItem {
    pk: String,
    sk: String,
    session_id: SessionId,
    customer_id: CustomerId,
    refresh_hash: String,
    generation: u32,
    /// In base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renewed_by: Option<String>,
    password_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    schema: u32,
    created_at: Time,
    used_at: Time,
    /// In seconds since 1970, as DynamoDB's time to live wants it.
    expires_at: i64,
}

impl From<&Session> for SessionItem {
    fn from(session: &Session) -> Self {
        Self {
            pk: pk(session.customer_id),
            sk: sk(session.id),
            session_id: session.id,
            customer_id: session.customer_id,
            refresh_hash: session.refresh_hash.0.clone(),
            generation: session.generation,
            salt: session.salt.map(|salt| URL_SAFE_NO_PAD.encode(salt)),
            renewed_by: session.renewed_by.clone().map(|client| client.0),
            password_version: session.password_version,
            user_agent: session.user_agent.clone(),
            schema: SCHEMA,
            created_at: session.created_at,
            used_at: session.used_at,
            expires_at: session.expires_at.as_seconds(),
        }
    }
}

impl From<SessionItem> for Session {
    fn from(item: SessionItem) -> Self {
        Self {
            id: item.session_id,
            customer_id: item.customer_id,
            refresh_hash: TokenHash(item.refresh_hash),
            generation: item.generation,
            salt: item.salt.and_then(|salt| {
                let salt = URL_SAFE_NO_PAD.decode(salt).ok()?;
                salt.try_into().ok()
            }),
            renewed_by: item.renewed_by.map(Client),
            password_version: item.password_version,
            user_agent: item.user_agent,
            created_at: item.created_at,
            used_at: item.used_at,
            expires_at: Time::from_millis(item.expires_at.saturating_mul(1000)),
        }
    }
}
