//! The interface of a payment gateway, and its implementations.

pub mod configured;
pub mod routing;
pub mod sandbox;
pub mod signature;
pub mod statement;
pub mod stripe;

use super::model::disputes::Dispute;
use super::model::{Action, ChargeKey, Provider, RefundKey};
use crate::http::problem::Source;
use crate::values::clock::Time;
use crate::values::money::Money;
use signature::SignatureError;

/// The state of a charge at its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// The gateway has no such charge.
    NotFound,
    /// It goes on once the shopper has done this. Nothing is authorised yet.
    ActionRequired(Action),
    /// Authorised, not captured.
    Authorized {
        /// The amount authorised.
        amount: Money,
    },
    /// Authorised, and captured in part: the rest can still be captured.
    PartlyCaptured {
        /// The amount authorised.
        authorized: Money,
        /// The amount captured.
        captured: Money,
    },
    /// Captured, in full or in part: nothing more can be.
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
    /// Voided, or expired, before anything was captured. A later charge with this key is declined.
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

/// What an event of a gateway is about. What is true of it has to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Nothing that the shop needs to know.
    Irrelevant,
    /// Something may have become of this charge.
    Charge(ChargeKey),
    /// Something may have become of a dispute of this charge.
    Dispute {
        /// The charge.
        charge: ChargeKey,
        /// The gateway's identifier of the dispute.
        id: String,
    },
    /// Something may have become of a refund of this charge.
    Refund(RefundKey),
}

/// Why an event is not taken.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not signed by the provider, or not now.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is signed, but not an event.
    #[error("the body is not an event of this provider")]
    Malformed(#[source] Source),
    /// The gateway cannot be asked about it.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

impl EventError {
    /// Returns the error of an event that cannot be read because of `source`.
    pub fn malformed(source: impl Into<Source>) -> Self {
        Self::Malformed(source.into())
    }

    /// Returns the error of an event whose signature cannot be verified, because the secret cannot be read.
    #[must_use]
    pub fn secret(source: Source) -> Self {
        Self::Gateway(GatewayError::Busy(source))
    }
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

    /// Authorises `amount` from the payment method of `token`, to be captured later. A repeated call with the same key
    /// authorises nothing twice: it continues the charge that the first began, and returns its state.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn authorize(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Captures of the authorised charge with `key` until `total` is captured in all, and returns its state. A repeated call
    /// with the same total captures nothing twice. What is not captured then is released if this is the `last` capture;
    /// otherwise [`Self::captures_in_parts`] has to be true.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn capture(
        &self,
        key: &ChargeKey,
        total: Money,
        last: bool,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Returns whether a charge can be captured more than once.
    fn captures_in_parts(&self) -> bool;

    /// Returns the state of the charge with `key`, after every call that has returned.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn retrieve(
        &self,
        key: &ChargeKey,
    ) -> impl Future<Output = Result<Charge, GatewayError>> + Send;

    /// Voids the charge with `key` if nothing was captured, and returns its state: a captured one stays captured, and of one
    /// that is captured in part the rest is released. A key without a charge is voided, too, so that a charge that is on its way will be declined.
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

    /// Returns the dispute `id` of the charge with `key`, or `None` if there is none by which money was taken.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn retrieve_dispute(
        &self,
        key: &ChargeKey,
        id: &str,
    ) -> impl Future<Output = Result<Option<Dispute>, GatewayError>> + Send;

    /// Returns what the event `body` is about, which the provider sent with `signature` and the shop received at `now`.
    ///
    /// # Errors
    /// [`EventError`].
    fn take_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> impl Future<Output = Result<Notice, EventError>> + Send;

    /// Returns the state of the refund with `key`, after every call that has returned.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn retrieve_refund(
        &self,
        key: &RefundKey,
    ) -> impl Future<Output = Result<RefundState, GatewayError>> + Send;
}
