//! What Stripe answers, as far as it is read here.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A `PaymentIntent`: <https://docs.stripe.com/api/payment_intents/object>.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) status: IntentStatus,
    /// In the unit that Stripe counts the currency in, as are all amounts here.
    pub(super) amount: u64,
    /// What was captured.
    #[serde(default)]
    pub(super) amount_received: Option<u64>,
    /// In lower case.
    pub(super) currency: String,
    /// Why the last attempt to confirm it failed.
    #[serde(default)]
    pub(super) last_payment_error: Option<Failure>,
    #[serde(default)]
    pub(super) latest_charge: Option<LatestCharge>,
    /// What the shop gave it.
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
    /// What the shopper has to do.
    #[serde(default)]
    pub(super) next_action: Option<NextAction>,
    /// With which Stripe.js can act for the shopper on this intent.
    #[serde(default)]
    pub(super) client_secret: Option<String>,
}

/// What the shopper has to do. Without an address it is for Stripe.js.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct NextAction {
    #[serde(default)]
    pub(super) redirect_to_url: Option<RedirectToUrl>,
}

/// An address that the shopper has to open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RedirectToUrl {
    pub(super) url: String,
}

/// How far an intent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IntentStatus {
    /// Its payment method was declined, or it has none.
    RequiresPaymentMethod,
    RequiresConfirmation,
    /// The shopper has to authenticate at the bank.
    RequiresAction,
    Processing,
    /// Authorised.
    RequiresCapture,
    /// Captured.
    Succeeded,
    Canceled,
    /// One that Stripe added later.
    #[serde(other)]
    Other,
}

/// The charge of an intent: its id, or the charge if the request asked for it (`expand`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum LatestCharge {
    Expanded { amount_refunded: u64 },
    Id(String),
}

/// Why a payment method was declined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Failure {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
}

/// The body of an error: <https://docs.stripe.com/api/errors>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: ErrorDetail,
}

/// An error. Its message is not read, because it may quote what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorDetail {
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
    /// The parameter that it is about.
    #[serde(default)]
    pub(super) param: Option<String>,
}

/// A refund: <https://docs.stripe.com/api/refunds/object>.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

/// A page of refunds, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RefundPage {
    pub(super) data: Vec<Refund>,
    pub(super) has_more: bool,
}

/// A balance transaction: <https://docs.stripe.com/api/balance_transactions/object>.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Transaction {
    pub(super) id: String,
    /// What came in, or less than zero if it went out.
    pub(super) amount: i64,
    /// That of the account, in lower case.
    pub(super) currency: String,
    /// What Stripe kept of it, or less than zero if it gave a fee back.
    #[serde(default)]
    pub(super) fee: i64,
    /// In seconds.
    pub(super) created: i64,
    #[serde(default)]
    pub(super) reporting_category: Option<String>,
    #[serde(default)]
    pub(super) source: Option<SourceField>,
}

/// What a transaction is about: its id, or the object if the request asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum SourceField {
    Expanded(Source),
    Id(String),
}

/// A charge, a refund, a dispute or something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Source {
    #[serde(default)]
    pub(super) amount: Option<i64>,
    #[serde(default)]
    pub(super) currency: Option<String>,
    #[serde(default)]
    pub(super) payment_intent: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

/// A page of transactions, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct TransactionPage {
    pub(super) data: Vec<Transaction>,
    pub(super) has_more: bool,
}
