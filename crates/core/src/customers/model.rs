//! Customers, and the errors of operations on them.

use std::fmt;

use crate::aws::dynamo::StoreError;
use crate::http::problem::{Problem, Source};
use crate::values::clock::Time;
use crate::values::group::CustomerGroup;
use crate::values::id::CustomerId;
use crate::values::locale::Locale;

mod email;

pub use email::{Email, InvalidEmail};

/// What a customer may do beyond shopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Shops. Every customer has this role.
    Customer,
    /// Runs the shop.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: &[Self] = &[Self::Customer, Self::Admin];

    /// Returns the name of the role in tokens and bodies.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Admin => "admin",
        }
    }
}

/// A customer, without what is needed only to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The identifier.
    pub id: CustomerId,
    /// The email address, as it was entered.
    pub email: Email,
    /// The name: one line.
    pub name: String,
    /// The language of messages to the customer.
    pub locale: Locale,
    /// The phone number, in international form.
    pub phone: Option<String>,
    /// When the email address was confirmed; `None` until then.
    pub email_confirmed_at: Option<Time>,
    /// Whether an admin has disabled the account.
    pub disabled: bool,
    /// The roles; the first is always [`Role::Customer`].
    pub roles: Vec<Role>,
    /// The group whose prices the customer has, if any.
    pub group: Option<CustomerGroup>,
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

/// A change of the email address that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailChange {
    /// The new address.
    pub email: Email,
    /// When it was requested.
    pub requested_at: Time,
    /// Whether the reader of the present address has approved it, or never confirmed that address.
    pub is_approved: bool,
    /// Whether the reader of the new address has confirmed it.
    pub is_confirmed: bool,
}

/// A customer, with what proves the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The customer.
    pub customer: Customer,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// Counts the customer's passwords, from 0. A session that began with an earlier password is over, even if
    /// it was stored after the change. Another hash of the same password does not count.
    pub password_version: u64,
    /// The email address that the account is to get, while that is not confirmed at both ends.
    pub email_change: Option<EmailChange>,
    /// A hash of the request that created the account, without the password; `None` if that request had no
    /// idempotency key.
    pub request_hash: Option<String>,
}

/// Why an operation on a customer failed.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// Another customer has this address.
    #[error("There is already an account with this email address. Sign in, or reset its password.")]
    EmailTaken,
    /// The idempotency key was used with another registration.
    #[error("the idempotency key was used with another registration")]
    KeyReused,
    /// No account has this address and password. The client does not learn which of the two is wrong.
    #[error("the email address or the password is wrong")]
    WrongCredentials,
    /// A caller who is signed in sent a wrong password.
    #[error("the password is wrong")]
    WrongPassword,
    /// The customer has no session with this identifier.
    #[error("the customer has no such session")]
    NoSuchSession,
    /// No customer has this address or identifier.
    #[error("no customer has this address or identifier")]
    NoSuchCustomer,
    /// Other requests changed the customer at the same time. Nothing is stored.
    #[error(
        "The customer was changed by another request at the same time. Send the request again."
    )]
    Changed,
    /// The stored customer does not have the version that the client has read.
    #[error("the customer has changed since it was read")]
    Stale,
    /// Too many wrong passwords. This attempt was not made.
    #[error("too many attempts: try again in {retry_after_seconds} s")]
    TooManyAttempts {
        /// When the next attempt may be made, in seconds from now.
        retry_after_seconds: u64,
    },
    /// The session has ended, or the refresh token is not the session's latest.
    #[error("the session has ended")]
    SessionOver,
    /// Admins cannot do this to their own account, so that the shop always has one. The text says what to do
    /// instead.
    #[error("{0}")]
    OwnAccount(&'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed or a token could not be signed.
    #[error("a password or a token could not be processed")]
    Credentials(#[source] Source),
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::EmailTaken | CustomerError::Changed => Self::Conflict(error.to_string()),
            CustomerError::KeyReused => Self::IdempotencyKeyReused,
            CustomerError::WrongCredentials => {
                Self::Unauthenticated("The email address or the password is wrong.")
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
                Self::Unauthenticated("The session has ended. Sign in again.")
            }
            CustomerError::OwnAccount(detail) => Self::Conflict(detail.to_owned()),
            CustomerError::Store(error) => error.into(),
            CustomerError::Credentials(_) => Self::internal(error),
        }
    }
}
