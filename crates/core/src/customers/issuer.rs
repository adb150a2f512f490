//! Issues access tokens.

use super::keys::TokenKeys;
use super::model::{Account, CustomerError};
use super::token::{self, Realm};
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::id::TokenId;

/// The keys, the realm and the lifetime of access tokens.
#[derive(Clone, Debug)]
pub struct TokenIssuer {
    keys: TokenKeys,
    realm: Realm,
    pub(super) lifetime_seconds: u32,
}

impl TokenIssuer {
    /// Returns the issuer that the settings `TOKEN_*` describe.
    ///
    /// # Errors
    /// [`SettingError`] if one is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            keys: TokenKeys::new(aws)?,
            realm: Realm::new(aws)?,
            lifetime_seconds: aws.settings().read(Setting::TokenLifetimeSeconds)?,
        })
    }

    /// Issues the access token `id` for the customer of `account`.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the key cannot be read.
    pub(super) async fn issue(
        &self,
        account: &Account,
        id: TokenId,
        now: Time,
    ) -> Result<String, CustomerError> {
        let key = self.keys.signing(now).await?;
        let lifetime_seconds = self.lifetime_seconds;
        token::issue(account, id, &self.realm, &key, lifetime_seconds, now)
    }
}
