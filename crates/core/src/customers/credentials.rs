//! Who somebody is, by address and password.

use super::attempts::{Attempt, Attempts};
use super::model::{Account, CustomerError, Email};
use super::password;
use super::store::CustomerStore;
use crate::aws::settings::SettingError;
use crate::aws::{Aws, telemetry};
use crate::values::clock::Time;

/// What compares passwords, as slowly for those who guess as they deserve.
#[derive(Clone, Debug)]
pub struct PasswordCheck {
    customers: CustomerStore,
    attempts: Attempts,
}

/// A password that is to be proved, and who sent it. `Debug` does not show it.
#[derive(Clone)]
pub struct Given {
    /// The password.
    pub password: String,
    /// The IP address that it came from.
    pub source_ip: String,
    /// When.
    pub now: Time,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given(..)")
    }
}

impl PasswordCheck {
    /// The check of this function.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            customers: CustomerStore::new(aws)?,
            attempts: Attempts::new(aws)?,
        })
    }

    /// The account with the address `email`, if `given` is its password and it is not disabled.
    ///
    /// Reads, compares and writes the same whether the address is unknown, the password wrong or the
    /// account disabled. A hash weaker than today's is made anew, which never fails the sign-in.
    ///
    /// # Errors
    /// [`CustomerError::TooManyAttempts`] before anything is compared;
    /// [`CustomerError::WrongCredentials`].
    pub async fn by_address(&self, email: &Email, given: &Given) -> Result<Account, CustomerError> {
        let attempt = Attempt::new(email, &given.source_ip);
        let standing = self.attempts.permit(&attempt, given.now).await?;
        let account = self.customers.account_of(email).await?;
        let hash = account.as_ref().map(|account| &account.password_hash);
        let right = password::matches(&given.password, hash)?;
        let open = account.filter(|account| right && !account.customer.disabled);
        let Some(account) = open else {
            self.attempts.failed(&attempt, given.now).await?;
            return Err(CustomerError::WrongCredentials);
        };
        if standing.account_has_failures {
            self.attempts.succeeded(&attempt).await?;
        }
        if password::is_weak(&account.password_hash) {
            self.renew(&account, &given.password).await;
        }
        Ok(account)
    }

    /// Whether `given` is the password of `account`, of somebody who is signed in already: a stolen
    /// access token must not allow to guess either.
    ///
    /// # Errors
    /// As [`PasswordCheck::by_address`], but a wrong password is [`CustomerError::WrongPassword`]:
    /// the access token is in order.
    pub async fn of(&self, account: &Account, given: &Given) -> Result<(), CustomerError> {
        let attempt = Attempt::new(&account.customer.email, &given.source_ip);
        let standing = self.attempts.permit(&attempt, given.now).await?;
        if !password::matches(&given.password, Some(&account.password_hash))? {
            self.attempts.failed(&attempt, given.now).await?;
            return Err(CustomerError::WrongPassword);
        }
        if standing.account_has_failures {
            self.attempts.succeeded(&attempt).await?;
        }
        Ok(())
    }

    /// Forgets the failures on the account with the address `email`: its owner has shown who it is
    /// in another way.
    ///
    /// # Errors
    /// [`CustomerError::Store`].
    pub async fn forgive(&self, email: &Email) -> Result<(), CustomerError> {
        Ok(self.attempts.succeeded(&Attempt::new(email, "")).await?)
    }

    /// Hashes the password anew, with today's parameters.
    async fn renew(&self, account: &Account, given: &str) {
        let renewed = async {
            let hash = password::hash(given)?;
            self.customers.renew_hash(account, &hash).await?;
            Ok::<(), CustomerError>(())
        };
        if let Err(error) = renewed.await {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "a weak password hash was not renewed");
        }
    }
}
