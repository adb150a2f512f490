//! What the shop asks of a payment gateway, and the gateways that it knows.

pub mod configured;
pub mod sandbox;

use super::model::{ChargeKey, Provider};
use crate::http::problem::Source;
use crate::values::money::Money;

/// A charge as its gateway tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// The gateway has never heard of it.
    NotFound,
    /// Set aside, not taken.
    Authorized {
        /// How much.
        amount: Money,
    },
    /// Taken.
    Captured {
        /// How much.
        amount: Money,
    },
    /// Taken, and given back in part or whole.
    Refunded {
        /// How much was taken.
        captured: Money,
        /// How much of it was given back, in all.
        refunded: Money,
    },
    /// Not taken, for good: the key stays declined.
    Declined {
        /// Why, in the gateway's own word: `insufficient_funds` and the like.
        code: String,
    },
    /// Ended before anything was taken; a charge with this key that comes later is declined.
    Voided,
}

/// Why a gateway gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The answer is lost: what was asked for may have been done or not. Only
    /// [`Gateway::retrieve`] tells.
    #[error("the gateway's answer is lost")]
    Unknown(#[source] Source),
    /// The gateway took no request; nothing was done. It may be tried again at once.
    #[error("the gateway is busy")]
    Busy(#[source] Source),
}

/// A payment gateway. Every call may be made any number of times, also at once: the key decides what
/// charge is meant, and a call only ever brings that charge nearer to what is asked.
pub trait Gateway: Sync {
    /// Which one it is.
    fn provider(&self) -> Provider;

    /// Authorises and captures `amount` from what `token` stands for. Called again with the same
    /// key it takes nothing twice: it goes on with what the key has begun and tells where that is.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn charge(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Where the charge with `key` is, and every call that had been answered is counted in.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn retrieve(
        &self,
        key: &ChargeKey,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Ends the charge with `key` if nothing has been taken, and tells where it is: a captured one
    /// stays captured. A key never heard of is ended too: a charge on its way will be declined.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn void(&self, key: &ChargeKey) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Gives back until `total` has been given back in all, and tells where the charge is. Never
    /// more than was captured.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn refund(
        &self,
        key: &ChargeKey,
        total: Money,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;
}
