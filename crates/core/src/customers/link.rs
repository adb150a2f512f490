//! Links in messages: tokens that let the reader of a mailbox do one thing.
//!
//! A link is signed, not stored. Its fingerprint identifies the state that it was made for, such as the password
//! that it replaces: once that has changed, the link no longer works.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key::{self, TokenKey};
use super::keys::TokenKeys;
use super::model::CustomerError;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::id::OrderId;

/// The type in a link token's header, so that the token is never taken for an access token.
const KIND: &str = "oxcart-link+jwt";

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To confirm an email address.
    ConfirmEmail,
    /// To approve, at the present address, that an account gets another one.
    ApproveEmail,
    /// To confirm the new email address of an account.
    ConfirmNewEmail,
    /// To reset a password.
    ResetPassword,
    /// To read an order that was placed without an account.
    ReadOrder,
    /// To see and to erase what the shop knows about a guest.
    GuestAccess,
    /// To place an order at the quoted price.
    Quote,
}

impl Purpose {
    /// Returns the audience of the tokens (`aud`).
    fn audience(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm-email",
            Self::ApproveEmail => "approve-email",
            Self::ConfirmNewEmail => "confirm-new-email",
            Self::ResetPassword => "reset-password",
            Self::ReadOrder => "read-order",
            Self::GuestAccess => "guest-access",
            Self::Quote => "quote",
        }
    }
}

/// Signs and verifies links.
#[derive(Clone, Debug)]
pub struct Links {
    keys: TokenKeys,
    issuer: String,
}

/// The contents of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The identifier of the customer or the order.
    pub subject: String,
    /// The state that the link was made for, as it was passed to [`Links::issue`].
    pub fingerprint: String,
}

impl Link {
    /// Returns a link to the order `id`, which does not depend on the order's state.
    #[must_use]
    pub fn to_order(id: OrderId) -> Self {
        Self {
            subject: id.to_string(),
            fingerprint: String::new(),
        }
    }
}

/// The contents of a token made by [`Links::seal`], which may have expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<C> {
    /// The subject.
    pub subject: String,
    /// When the token expires, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// The content.
    pub content: C,
}

#[derive(Serialize, Deserialize)]
struct SealedClaims<C> {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    content: C,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    fpr: String,
}

impl Links {
    /// Opens the keys of links, which the settings `LINK_SECRET_ARN` and `TOKEN_ISSUER` describe.
    ///
    /// # Errors
    /// [`SettingError`] if one is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            keys: TokenKeys::for_links(aws)?,
            issuer: aws.settings().read(Setting::TokenIssuer)?,
        })
    }

    /// Issues the token of a link for `purpose` that is valid for `lifetime_seconds` from `now`. Everybody who
    /// has the token can read the link's subject and fingerprint, so neither may be secret or personal.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the key cannot be read.
    pub async fn issue(
        &self,
        purpose: Purpose,
        link: Link,
        lifetime_seconds: u32,
        now: Time,
    ) -> Result<String, CustomerError> {
        let key = self.keys.signing(now).await?;
        sign(&key, &self.issuer, purpose, link, lifetime_seconds, now)
    }

    /// Returns the contents of the link `token`, or `None` if it is not for `purpose` or has expired at `now`.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the keys cannot be read.
    pub async fn verify(
        &self,
        purpose: Purpose,
        token: &str,
        now: Time,
    ) -> Result<Option<Link>, CustomerError> {
        let Some(id) = key::key_id(token, KIND) else {
            return Ok(None);
        };
        let key = self.keys.named(&id, now).await?;
        Ok(key.and_then(|key| verify(&key, &self.issuer, purpose, token, now)))
    }

    /// Issues a token for `purpose` that contains `content` and is valid for `lifetime_seconds` from `now`.
    /// Everybody who has the token can read the content.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the key cannot be read.
    pub async fn seal<C: Serialize>(
        &self,
        purpose: Purpose,
        subject: &str,
        content: &C,
        lifetime_seconds: u32,
        now: Time,
    ) -> Result<String, CustomerError> {
        let key = self.keys.signing(now).await?;
        let claims = SealedClaims {
            iss: self.issuer.clone(),
            aud: purpose.audience().to_owned(),
            sub: subject.to_owned(),
            exp: now.as_seconds() + i64::from(lifetime_seconds),
            content,
        };
        key.sign(KIND, &claims)
    }

    /// Returns the contents of `token`, or `None` if it is not for `purpose`. The caller has to check whether it
    /// has expired.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the keys cannot be read.
    pub async fn open<C: DeserializeOwned>(
        &self,
        purpose: Purpose,
        token: &str,
        now: Time,
    ) -> Result<Option<Sealed<C>>, CustomerError> {
        let Some(id) = key::key_id(token, KIND) else {
            return Ok(None);
        };
        let Some(key) = self.keys.named(&id, now).await? else {
            return Ok(None);
        };
        let claims = key.verify(token, KIND, &self.issuer, purpose.audience());
        Ok(claims.map(|claims: SealedClaims<C>| Sealed {
            subject: claims.sub,
            expires_at_seconds: claims.exp,
            content: claims.content,
        }))
    }
}

fn sign(
    key: &TokenKey,
    issuer: &str,
    purpose: Purpose,
    link: Link,
    lifetime_seconds: u32,
    now: Time,
) -> Result<String, CustomerError> {
    let claims = Claims {
        iss: issuer.to_owned(),
        aud: purpose.audience().to_owned(),
        sub: link.subject,
        exp: now.as_seconds() + i64::from(lifetime_seconds),
        fpr: link.fingerprint,
    };
    key.sign(KIND, &claims)
}

fn verify(key: &TokenKey, issuer: &str, purpose: Purpose, token: &str, now: Time) -> Option<Link> {
    let claims: Claims = key.verify(token, KIND, issuer, purpose.audience())?;
    (now.as_seconds() < claims.exp).then_some(Link {
        subject: claims.sub,
        fingerprint: claims.fpr,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::key::Algorithm;
    use super::*;

    fn key(id: &str, text: &str) -> TokenKey {
        TokenKey::new(id.to_owned(), text, Algorithm::Hs256).unwrap()
    }

    fn now() -> Time {
        "2026-03-01T09:30:00Z".parse().unwrap()
    }

    fn link() -> Link {
        Link {
            subject: "ana".to_owned(),
            fingerprint: "0a1b".to_owned(),
        }
    }

    #[test]
    fn a_link_works_for_its_purpose_until_it_expires() {
        let key = key("1", "a text of the tests that is long enough");
        let token = sign(&key, "shop", Purpose::ConfirmEmail, link(), 60, now()).unwrap();
        let read = |purpose, seconds| {
            let now = now().plus(Duration::from_secs(seconds));
            verify(&key, "shop", purpose, &token, now)
        };
        assert_eq!(read(Purpose::ConfirmEmail, 59), Some(link()));
        assert_eq!(read(Purpose::ConfirmEmail, 60), None);
        assert_eq!(read(Purpose::ResetPassword, 0), None);
        assert_eq!(read(Purpose::ReadOrder, 0), None);
    }

    #[test]
    fn a_link_of_another_shop_or_key_is_refused() {
        let key = key("1", "a text of the tests that is long enough");
        let token = sign(&key, "shop", Purpose::ConfirmEmail, link(), 60, now()).unwrap();
        assert_eq!(
            verify(&key, "mall", Purpose::ConfirmEmail, &token, now()),
            None
        );
        let other = self::key("1", "another text of the tests that is long enough");
        assert_eq!(
            verify(&other, "shop", Purpose::ConfirmEmail, &token, now()),
            None
        );
    }
}
