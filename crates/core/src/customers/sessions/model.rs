//! Sessions and their refresh tokens.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::customers::attempts::network;
use crate::customers::model::{Account, CustomerError};
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::id::{CustomerId, SessionId, TokenId};

/// How long a session lasts without being used.
const IDLE: Duration = Duration::from_hours(30 * 24);

/// How long a session lasts at most, however often it is used.
const LONGEST: Duration = Duration::from_hours(180 * 24);

/// How long after a renewal the same client gets the same token again for the one before: two tabs may renew at once,
/// and a response may be lost.
const GRACE: Duration = Duration::from_secs(10);

/// The most renewals that are followed from an earlier token to the latest one. A session that is renewed every
/// quarter of an hour has as many in 180 days.
const MOST_RENEWALS: u32 = 17_280;

/// The most characters of the `User-Agent` header that are stored.
const MAX_USER_AGENT_CHARACTERS: usize = 200;

/// A token that renews a session once.
///
/// Wire shape: base64url without padding of the customer's and the session's identifiers, the
/// generation (four bytes, big-endian) and 32 random bytes. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The customer.
    pub customer_id: CustomerId,
    /// The session.
    pub session_id: SessionId,
    /// The number of the token in its session, from 0.
    pub generation: u32,
    secret: [u8; 32],
}

/// The error for a text that is not a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token")]
pub struct InvalidRefreshToken;

/// A hash of a refresh token (SHA-256, base64url), which recognises the token but cannot replace it. The token is
/// random, so the hash need not be slow.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash(pub(super) String);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

impl RefreshToken {
    /// Returns the text that the client keeps.
    #[must_use]
    pub fn to_text(&self) -> String {
        let bytes: Vec<u8> = [
            self.customer_id.as_bytes().as_slice(),
            self.session_id.as_bytes(),
            &self.generation.to_be_bytes(),
            &self.secret,
        ]
        .concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the token that follows this one in a session with `salt`. The salt is stored and the token is not, so
    /// neither the reader of the table nor the thief of an old token can tell the next one.
    #[must_use]
    pub fn next(&self, salt: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"oxcart refresh token\n");
        hash.update(salt);
        hash.update(self.secret);
        Self {
            generation: self.generation.saturating_add(1),
            secret: hash.finalize().into(),
            ..self.clone()
        }
    }

    /// Returns the hash that is stored.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(URL_SAFE_NO_PAD.encode(Sha256::digest(self.to_text())))
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({}, ..)", self.session_id)
    }
}

impl FromStr for RefreshToken {
    type Err = InvalidRefreshToken;

    fn from_str(text: &str) -> Result<Self, InvalidRefreshToken> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| InvalidRefreshToken)?;
        let bytes: [u8; 68] = bytes.try_into().map_err(|_| InvalidRefreshToken)?;
        let (customer, rest) = bytes.split_first_chunk().ok_or(InvalidRefreshToken)?;
        let (session, rest) = rest.split_first_chunk().ok_or(InvalidRefreshToken)?;
        let (generation, secret) = rest.split_first_chunk().ok_or(InvalidRefreshToken)?;
        Ok(Self {
            customer_id: CustomerId::from_bytes(*customer),
            session_id: SessionId::from_bytes(*session),
            generation: u32::from_be_bytes(*generation),
            secret: secret.try_into().map_err(|_| InvalidRefreshToken)?,
        })
    }
}

/// Returns 32 bytes of cryptographic randomness.
///
/// # Errors
/// [`CustomerError::Credentials`] if the system has no randomness.
pub fn fresh_secret() -> Result<[u8; 32], CustomerError> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret)
        .map_err(|_| CustomerError::Credentials("the system has no randomness".into()))?;
    Ok(secret)
}

/// Who renews a session, as far as requests tell: a hash of the network and the `User-Agent` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client(pub(super) String);

impl Client {
    /// Returns the client at the IP address `source_ip` with this `User-Agent` header.
    #[must_use]
    pub fn new(source_ip: &str, user_agent: Option<&str>) -> Self {
        let network = network(source_ip);
        Self(sha256_hex(format!(
            "{network}\n{}",
            user_agent.unwrap_or_default()
        )))
    }
}

/// What a token is to the session that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The latest token, which has not been used.
    Latest,
    /// The token before the latest, which is this one.
    Previous(RefreshToken),
    /// An earlier token.
    Earlier,
    /// Not a token of the session: somebody knows its identifiers and not its secrets.
    Foreign,
}

/// A session, which begins with a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The identifier.
    pub id: SessionId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The hash of the latest refresh token.
    pub refresh_hash: TokenHash,
    /// The number of that token, from 0.
    pub generation: u32,
    /// What each token follows from, beside the one before. Sessions of earlier releases get one when they are renewed.
    pub salt: Option<[u8; 32]>,
    /// The client that last renewed it.
    pub renewed_by: Option<Client>,
    /// The number of the account's password when the session began; see [`Account::password_version`].
    pub password_version: u64,
    /// The `User-Agent` header of the sign-in, shortened.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Time,
    /// When it was last renewed.
    pub used_at: Time,
    /// When it expires, to the second.
    pub expires_at: Time,
}

impl Session {
    /// Begins the session `id` of `account` at `now`. Returns it with its first token, made from the first of
    /// `secrets`; the other one becomes the salt.
    #[must_use]
    pub fn begin(
        id: SessionId,
        account: &Account,
        user_agent: Option<&str>,
        [secret, salt]: [[u8; 32]; 2],
        now: Time,
    ) -> (Self, RefreshToken) {
        let token = RefreshToken {
            customer_id: account.customer.id,
            session_id: id,
            generation: 0,
            secret,
        };
        let session = Self {
            id,
            customer_id: account.customer.id,
            refresh_hash: token.hash(),
            generation: 0,
            salt: Some(salt),
            renewed_by: None,
            password_version: account.password_version,
            user_agent: user_agent.map(shortened),
            created_at: now,
            used_at: now,
            expires_at: now.plus(IDLE),
        };
        (session, token)
    }

    /// Returns what `sent` is to the session.
    #[must_use]
    pub fn standing(&self, sent: &RefreshToken) -> Standing {
        if sent.hash() == self.refresh_hash {
            return Standing::Latest;
        }
        match self.latest_after(sent) {
            Some(latest) if sent.generation.saturating_add(1) == self.generation => {
                Standing::Previous(latest)
            }
            Some(_) => Standing::Earlier,
            None => Standing::Foreign,
        }
    }

    /// Returns the latest token if it follows from `sent`.
    fn latest_after(&self, sent: &RefreshToken) -> Option<RefreshToken> {
        let salt = self.salt?;
        let renewals = self.generation.checked_sub(sent.generation)?;
        if renewals > MOST_RENEWALS {
            return None;
        }
        let latest = (0..renewals).fold(sent.clone(), |token, _| token.next(&salt));
        (latest.hash() == self.refresh_hash).then_some(latest)
    }

    /// Returns whether `client` renewed the session a moment before `now`.
    #[must_use]
    pub fn was_just_renewed_by(&self, client: &Client, now: Time) -> bool {
        self.renewed_by.as_ref() == Some(client) && now <= self.used_at.plus(GRACE)
    }

    /// Renews the session at `now` for `client`, who sent the latest token `sent`. Returns it with its next token.
    /// `salt` becomes the session's if it has none.
    #[must_use]
    pub fn renewed(
        &self,
        sent: &RefreshToken,
        client: Client,
        salt: [u8; 32],
        now: Time,
    ) -> (Self, RefreshToken) {
        let salt = self.salt.unwrap_or(salt);
        let token = sent.next(&salt);
        let session = Self {
            refresh_hash: token.hash(),
            generation: token.generation,
            salt: Some(salt),
            renewed_by: Some(client),
            used_at: now.no_earlier_than(self.used_at),
            expires_at: now.plus(IDLE).min(self.created_at.plus(LONGEST)),
            ..self.clone()
        };
        (session, token)
    }

    /// Returns the identifier of the access token that comes with the latest refresh token.
    #[must_use]
    pub fn access_token_id(&self) -> TokenId {
        let (id, generation) = (self.id.to_string(), self.generation.to_string());
        TokenId::derived(&["access token", &id, &generation])
    }

    /// Returns whether the session has expired at `now`.
    #[must_use]
    pub fn is_over(&self, now: Time) -> bool {
        now.as_seconds() >= self.expires_at.as_seconds()
    }
}

fn shortened(user_agent: &str) -> String {
    let visible = user_agent.chars().filter(|letter| !letter.is_control());
    visible.take(MAX_USER_AGENT_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> RefreshToken {
        RefreshToken {
            customer_id: CustomerId::derived(&["ana"]),
            session_id: SessionId::derived(&["session"]),
            generation: 7,
            secret: [9; 32],
        }
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let text = token().to_text();
        assert_eq!(text.len(), 91);
        assert_eq!(text.parse::<RefreshToken>(), Ok(token()));
        for wrong in ["", "x", &text[1..], &format!("{text}A"), "a.b.c"] {
            assert_eq!(wrong.parse::<RefreshToken>(), Err(InvalidRefreshToken));
        }
    }

    #[test]
    fn the_hash_depends_on_every_part_of_a_token_and_debug_shows_neither() {
        let next = RefreshToken {
            generation: 8,
            ..token()
        };
        let other = RefreshToken {
            secret: [8; 32],
            ..token()
        };
        assert_ne!(token().hash(), next.hash());
        assert_ne!(token().hash(), other.hash());
        assert!(!token().to_text().contains(&token().hash().0));
        assert_eq!(format!("{:?}", token().hash()), "TokenHash(..)");
        assert!(
            !format!("{:?}", token()).contains('9') || !format!("{:?}", token()).contains("secret")
        );
    }

    #[test]
    fn each_fresh_secret_differs() {
        assert_ne!(fresh_secret().unwrap(), fresh_secret().unwrap());
    }
}
