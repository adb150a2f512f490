//! Customers, and what may go wrong with them.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};

use crate::aws::dynamo::StoreError;
use crate::http::problem::{Problem, Source};
use crate::values::clock::Time;
use crate::values::id::CustomerId;

/// The most characters of an email address (RFC 5321 section 4.5.3.1.3: a path of 256 octets, two of
/// which are angle brackets).
const EMAIL_MOST_CHARACTERS: usize = 254;

/// An email address, as it was given.
///
/// `Debug` does not show it: an address is in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// A text that is no email address with a domain that has a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct NotAnEmail;

impl Email {
    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case: two addresses with the same one are one customer's.
    #[must_use]
    pub fn lowercase(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let options = Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        // SES takes ASCII alone: a domain of other letters in its `xn--` form, and no such mailbox.
        if text.len() > EMAIL_MOST_CHARACTERS || !text.is_ascii() {
            return Err(NotAnEmail);
        }
        EmailAddress::parse_with_options(text, options)
            .map(|address| Self(address.into()))
            .map_err(|_| NotAnEmail)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

/// The language that a customer is written to in: a language tag such as `en`, `de-AT` or
/// `zh-Hant-TW` (RFC 5646, of which the form is checked and not the registry).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

/// A text that has not the form of a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a language tag such as \"en\" or \"de-AT\"")]
pub struct NotALocale;

impl Locale {
    /// The whole tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone, in lower case: `de` of `de-AT`.
    #[must_use]
    pub fn language(&self) -> String {
        let language = self.0.split('-').next().unwrap_or_default();
        language.to_ascii_lowercase()
    }
}

impl Default for Locale {
    /// English.
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl FromStr for Locale {
    type Err = NotALocale;

    fn from_str(text: &str) -> Result<Self, NotALocale> {
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        let language_fits = (2..=3).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_alphabetic());
        let rest_fits = parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if language_fits && rest_fits && text.len() <= 35 {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotALocale)
        }
    }
}

/// What a customer may do beyond shopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Shops; everybody who is registered.
    Customer,
    /// Runs the shop.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Customer, Self::Admin];

    /// The name that tokens and items give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Admin => "admin",
        }
    }
}

/// A customer, without what only signing in needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The customer's identifier.
    pub id: CustomerId,
    /// The address, as it was given.
    pub email: Email,
    /// How the customer wants to be called: one line.
    pub name: String,
    /// The language that the customer is written to in.
    pub locale: Locale,
    /// Where the customer can be called.
    pub phone: Option<String>,
    /// When the customer showed that the address is theirs; `None` until then.
    pub email_confirmed_at: Option<Time>,
    /// Whether an admin has shut the account.
    pub disabled: bool,
    /// What the customer may do; always [`Role::Customer`] first.
    pub roles: Vec<Role>,
    /// Counts the customer's events, from 1.
    pub version: u64,
    /// When the customer registered.
    pub created_at: Time,
    /// When the customer last changed.
    pub updated_at: Time,
}

/// A password hash, as a PHC string (`$argon2id$v=19$m=19456,t=2,p=1$...`).
///
/// `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(super) String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A customer with what proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The customer.
    pub customer: Customer,
    /// The hash of the customer's password.
    pub password_hash: PasswordHash,
    /// Counts the customer's passwords, from 0: a session that was begun with an earlier one is over,
    /// also if it was stored after the change. Another hash of the same password is the same one.
    pub password_version: u64,
    /// A hash of the request that made the account, without the password; `None` if that request had
    /// no idempotency key.
    pub request_hash: Option<String>,
}

/// Why something about a customer was not done.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// Another customer has this address.
    #[error("there is an account with this email address already")]
    EmailTaken,
    /// The idempotency key was used with another registration.
    #[error("the idempotency key was used with another registration")]
    KeyReused,
    /// No account with this address and password; which of both is wrong is not told.
    #[error("the email address or the password is wrong")]
    WrongCredentials,
    /// The password of somebody who is signed in already is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// There is no session with this identifier.
    #[error("there is no such session")]
    NoSuchSession,
    /// There is no customer with this address or identifier.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// The stored customer is not at the expected version: read again and decide again.
    #[error("the customer has changed meanwhile")]
    Changed,
    /// The customer is not the one that the client has read.
    #[error("the customer has changed since it was read")]
    Stale,
    /// Too many attempts to guess a password; this one was not made.
    #[error("too many attempts: try again in {retry_after_seconds} s")]
    TooManyAttempts {
        /// When the next may be made, in seconds from now.
        retry_after_seconds: u64,
    },
    /// The session has ended, or the refresh token was not its latest.
    #[error("the session has ended")]
    SessionOver,
    /// An admin would lock itself out, and perhaps everybody.
    #[error("{0}")]
    OwnAccount(&'static str),
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed, or a token not be signed.
    #[error("credentials could not be handled")]
    Credentials(#[source] Source),
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::EmailTaken | CustomerError::Changed => Self::Conflict(error.to_string()),
            CustomerError::KeyReused => Self::IdempotencyKeyReused,
            CustomerError::WrongCredentials => {
                Self::Unauthenticated("the email address or the password is wrong")
            }
            CustomerError::NoSuchCustomer => Self::NotFound("customer"),
            CustomerError::WrongPassword => {
                Self::field("/password", "wrong", "this is not your password")
            }
            CustomerError::NoSuchSession => Self::NotFound("session"),
            CustomerError::Stale => Self::PreconditionFailed,
            CustomerError::TooManyAttempts {
                retry_after_seconds,
            } => Self::TooManyRequests {
                retry_after_seconds,
            },
            CustomerError::SessionOver => {
                Self::Unauthenticated("the session has ended: sign in again")
            }
            CustomerError::OwnAccount(detail) => Self::Conflict(detail.to_owned()),
            CustomerError::Store(error) => error.into(),
            CustomerError::Credentials(_) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_mailbox_at_a_domain() {
        for text in ["ana@example.com", "Ana.Li+shop@sub.example.co.uk"] {
            assert_eq!(text.parse::<Email>().unwrap().as_str(), text);
        }
        let long = format!("{}@{}.com", "a".repeat(60), "b".repeat(200));
        for text in [
            "",
            "ana",
            "ana@",
            "@example.com",
            "ana@localhost",
            "ana@[127.0.0.1]",
            "Ana <ana@example.com>",
            "ana@example.com\r\nBcc: eve@example.com",
            "a b@example.com",
            "j\u{fc}rgen@example.com",
            "ana@b\u{fc}cher.example",
            &long,
        ] {
            assert_eq!(text.parse::<Email>(), Err(NotAnEmail), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_compared_in_lower_case_and_never_shown() {
        let email: Email = "Ana@Example.COM".parse().unwrap();
        assert_eq!(email.lowercase(), "ana@example.com");
        assert!(!format!("{email:?}").to_lowercase().contains("ana"));
    }

    #[test]
    fn a_locale_has_the_form_of_a_language_tag() {
        for (text, language) in [("en", "en"), ("de-AT", "de"), ("zh-Hant-TW", "zh")] {
            assert_eq!(text.parse::<Locale>().unwrap().language(), language);
        }
        for text in [
            "",
            "e",
            "english",
            "e1",
            "en-",
            "en_US",
            "en-verylongpart",
            "../x",
        ] {
            assert_eq!(text.parse::<Locale>(), Err(NotALocale), "{text:?}");
        }
    }
}
