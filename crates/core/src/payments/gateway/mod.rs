//! The interface of a payment gateway, and its implementations.

pub mod configured;
pub mod routing;
pub mod sandbox;
pub mod stripe;

use super::model::{ChargeKey, Provider, RefundKey};
use crate::http::problem::Source;
use crate::values::money::Money;

/// The state of a charge at its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// The gateway has no such charge.
    NotFound,
    /// Authorised, not captured.
    Authorized {
        /// The amount authorised.
        amount: Money,
    },
    /// Captured.
    Captured {
        /// The amount captured.
        amount: Money,
    },
    /// Captured, and refunded in part or in full.
    Refunded {
        /// The amount captured.
        captured: Money,
        /// The total refunded.
        refunded: Money,
    },
    /// Declined for good: the key stays declined.
    Declined {
        /// The gateway's code for the reason, such as `insufficient_funds`.
        code: String,
    },
    /// Voided before anything was captured. A later charge with this key is declined.
    Voided,
}

/// The state of a refund at its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// The gateway has no such refund.
    NotFound,
    /// The gateway has accepted it; whether it succeeds is not known yet.
    Pending,
    /// The money is on its way back.
    Succeeded,
    /// It failed for good: the key stays failed.
    Failed {
        /// The gateway's code for the reason.
        code: String,
    },
}

/// Why a call to a gateway failed.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The response is lost: the request may have been carried out or not. Call [`Gateway::retrieve`] to find
    /// out.
    #[error("the gateway's response is lost")]
    Unknown(#[source] Source),
    /// The gateway did not accept the request, so nothing was done. Retry it.
    #[error("the gateway is busy")]
    Busy(#[source] Source),
}

/// A payment gateway. Every call may be made any number of times, also at the same time: the key names the charge,
/// and a call only ever brings that charge nearer to what was requested.
pub trait Gateway: Sync {
    /// Returns the provider behind it.
    fn provider(&self) -> Provider;

    /// Authorises and captures `amount` from the payment method of `token`. A repeated call with the same key
    /// charges nothing twice: it continues the charge that the first began, and returns its state.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn charge(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Returns the state of the charge with `key`, after every call that has returned.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn retrieve(
        &self,
        key: &ChargeKey,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Voids the charge with `key` if nothing was captured, and returns its state: a captured one stays captured.
    /// A key without a charge is voided, too, so that a charge that is on its way will be declined.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn void(&self, key: &ChargeKey) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Refunds `amount` of the charge, never more than what was captured and is not refunded. A repeated call with the
    /// same key refunds nothing twice: it returns the state of the refund that the first began.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn refund(
        &self,
        key: &RefundKey,
        amount: Money,
    ) -> impl Future<Output = Result<RefundState, GatewayError>> + Send;

    /// Returns the state of the refund with `key`, after every call that has returned.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn retrieve_refund(
        &self,
        key: &RefundKey,
    ) -> impl Future<Output = Result<RefundState, GatewayError>> + Send;
}
