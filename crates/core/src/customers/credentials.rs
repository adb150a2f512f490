//! Authentication by email address and password.

use super::attempts::{Attempt, Attempts};
use super::model::{Account, CustomerError, Email};
use super::password;
use super::store::CustomerStore;
use crate::aws::settings::SettingError;
use crate::aws::{Aws, telemetry};
use crate::values::clock::Time;

/// Compares passwords, and makes callers who guess wait.
#[derive(Clone, Debug)]
pub struct PasswordCheck {
    customers: CustomerStore,
    attempts: Attempts,
}

/// A password that a client has sent, and where it came from. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SentPassword {
    /// The password.
    pub password: String,
    /// The IP address that it came from.
    pub source_ip: String,
    /// When the request was received.
    pub now: Time,
}

impl std::fmt::Debug for SentPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SentPassword(..)")
    }
}

impl PasswordCheck {
    /// Opens the resources of the check.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            customers: CustomerStore::new(aws)?,
            attempts: Attempts::new(aws)?,
        })
    }

    /// Returns the account with the address `email`, if `sent` is its password and it is not disabled.
    ///
    /// Reads, compares and writes the same whether the address is unknown, the password is wrong or the account
    /// is disabled. A hash that is weaker than today's is renewed; if that fails, the sign-in succeeds
    /// nevertheless.
    ///
    /// # Errors
    /// [`CustomerError::TooManyAttempts`], before anything is compared; [`CustomerError::WrongCredentials`].
    pub async fn authenticate(
        &self,
        email: &Email,
        sent: &SentPassword,
    ) -> Result<Account, CustomerError> {
        let attempt = Attempt::new(email, &sent.source_ip);
        let standing = self.attempts.permit(&attempt, sent.now).await?;
        let account = self.customers.account_with_email(email).await?;
        let hash = account.as_ref().map(|account| &account.password_hash);
        let right = password::matches(&sent.password, hash)?;
        let open = account.filter(|account| right && !account.customer.disabled);
        let Some(account) = open else {
            self.attempts.record_failure(&attempt, sent.now).await?;
            return Err(CustomerError::WrongCredentials);
        };
        if standing.account_has_failures {
            self.attempts.clear_failures(&attempt).await?;
        }
        if !standing.is_known {
            self.attempts.remember(&attempt, sent.now).await?;
        }
        if password::is_weak(&account.password_hash) {
            self.renew(&account, &sent.password).await;
        }
        Ok(account)
    }

    /// Checks that `sent` is the password of `account`, whose owner is signed in. Attempts are counted here as
    /// well, so that a stolen access token does not allow guessing.
    ///
    /// # Errors
    /// [`CustomerError::TooManyAttempts`], before anything is compared; [`CustomerError::WrongPassword`].
    pub async fn reauthenticate(
        &self,
        account: &Account,
        sent: &SentPassword,
    ) -> Result<(), CustomerError> {
        let attempt = Attempt::new(&account.customer.email, &sent.source_ip);
        let standing = self.attempts.permit(&attempt, sent.now).await?;
        if !password::matches(&sent.password, Some(&account.password_hash))? {
            self.attempts.record_failure(&attempt, sent.now).await?;
            return Err(CustomerError::WrongPassword);
        }
        if standing.account_has_failures {
            self.attempts.clear_failures(&attempt).await?;
        }
        Ok(())
    }

    /// Clears the failures on the account with the address `email`, whose owner has proved the identity in
    /// another way, from the IP address `source_ip`.
    ///
    /// # Errors
    /// [`CustomerError::Store`].
    pub async fn clear_failures(
        &self,
        email: &Email,
        source_ip: &str,
    ) -> Result<(), CustomerError> {
        let attempt = Attempt::new(email, source_ip);
        Ok(self.attempts.clear_failures(&attempt).await?)
    }

    /// Replaces the password's hash by one with today's parameters.
    async fn renew(&self, account: &Account, password: &str) {
        let renewed = async {
            let hash = password::hash(password)?;
            self.customers.renew_hash(account, &hash).await?;
            Ok::<(), CustomerError>(())
        };
        if let Err(error) = renewed.await {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "a weak password hash was not renewed");
        }
    }
}
