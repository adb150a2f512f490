//! What the payment tokens of the sandbox gateway stand for. Those that begin with `pm_` are Stripe's test payment methods,
//! with the outcomes that Stripe documents for them (<https://docs.stripe.com/testing>).

use serde::{Deserialize, Serialize};

/// How tokens begin that make an account busy; its name follows.
const BUSY: &str = "tok_busy_at_";

/// The state of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// The shopper has to confirm it at the bank.
    ActionRequired,
    Authorized,
    Captured,
    Declined,
    Voided,
}

impl State {
    /// Returns whether nothing is captured yet and something can be.
    pub(super) fn is_open(self) -> bool {
        match self {
            Self::ActionRequired | Self::Authorized => true,
            Self::Captured | Self::Declined | Self::Voided => false,
        }
    }
}

/// What happens to the refunds of a charge, if they do not just succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refunding {
    /// They are pending until they are retrieved.
    Pending,
    /// They fail.
    Fails,
    /// They succeed, and the response is lost.
    LosesResponses,
}

/// What happens when a charge is captured that was authorised before, if that does not just succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Capturing {
    /// It is captured, and the response is lost.
    LosesResponses,
    /// The authorisation has expired.
    Expired,
}

/// What happens to a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behaviour {
    pub(super) state: State,
    /// Why it is declined.
    pub(super) code: Option<&'static str>,
    pub(super) loses_responses: bool,
    pub(super) capturing: Option<Capturing>,
    pub(super) refunding: Option<Refunding>,
    /// Whether the sandbox keeps a fee of what is captured.
    pub(super) keeps_fee: bool,
}

impl Behaviour {
    /// Returns what happens to a charge that is to be captured later.
    pub(super) fn authorized(self) -> Self {
        let state = match self.state {
            State::Captured => State::Authorized,
            state @ (State::ActionRequired
            | State::Authorized
            | State::Declined
            | State::Voided) => state,
        };
        Self { state, ..self }
    }
}

/// Returns whether `token` asks the account with this name to refuse charges as one that is busy does, without doing
/// anything: `tok_busy_at_us`. At others, it is as `tok_ok`.
pub(super) fn is_busy(token: &str, account: Option<&str>) -> bool {
    let busy = token.strip_prefix(BUSY);
    busy.is_some() && busy == account
}

/// Returns what happens to a charge with `token`.
pub(super) fn behaviour(token: &str) -> Behaviour {
    let captured = Behaviour {
        state: State::Captured,
        code: None,
        loses_responses: false,
        capturing: None,
        refunding: None,
        keeps_fee: false,
    };
    let capturing = |how| Behaviour {
        capturing: Some(how),
        ..captured
    };
    let refunding = |how| Behaviour {
        refunding: Some(how),
        ..captured
    };
    let declined = |code| Behaviour {
        state: State::Declined,
        code: Some(code),
        ..captured
    };
    match token {
        "tok_ok" | "pm_card_visa" | "pm_card_mastercard" | "pm_card_amex" => captured,
        "tok_fee" => Behaviour {
            keeps_fee: true,
            ..captured
        },
        "tok_unknown" => Behaviour {
            loses_responses: true,
            ..captured
        },
        "tok_capture_later" => Behaviour {
            state: State::Authorized,
            ..captured
        },
        "tok_capture_unknown" => capturing(Capturing::LosesResponses),
        "tok_authorization_expires" => capturing(Capturing::Expired),
        "tok_refund_pending" | "pm_card_pendingRefund" => refunding(Refunding::Pending),
        "tok_refund_fails" | "pm_card_refundFail" => refunding(Refunding::Fails),
        "tok_refund_unknown" => refunding(Refunding::LosesResponses),
        "tok_declined" => declined("declined"),
        "tok_insufficient_funds" | "pm_card_visa_chargeDeclinedInsufficientFunds" => {
            declined("insufficient_funds")
        }
        "tok_requires_action" | "pm_card_authenticationRequired" => Behaviour {
            state: State::ActionRequired,
            ..captured
        },
        "pm_card_visa_chargeDeclined" => declined("generic_decline"),
        "pm_card_visa_chargeDeclinedLostCard" => declined("lost_card"),
        "pm_card_visa_chargeDeclinedStolenCard" => declined("stolen_card"),
        "pm_card_chargeDeclinedExpiredCard" => declined("expired_card"),
        "pm_card_chargeDeclinedIncorrectCvc" => declined("incorrect_cvc"),
        "pm_card_chargeDeclinedProcessingError" => declined("processing_error"),
        "pm_card_visa_chargeDeclinedVelocityLimitExceeded" => declined("card_velocity_exceeded"),
        busy if busy.starts_with(BUSY) => captured,
        _ => declined("invalid_token"),
    }
}
