//! Pure decisions about an intent: what it amounts to, and what brings it nearer to what was requested.

use super::amounts;
use super::wire::{Failure, Intent, IntentStatus, LatestCharge};
use crate::payments::gateway::{Charge, GatewayError};
use crate::payments::model::Action;
use crate::values::money::Money;

/// The code with which a charge is declined that was voided.
pub(super) const VOIDED: &str = "voided";

/// The code of a charge whose payment method is not one.
pub(super) const INVALID_TOKEN: &str = "invalid_token";

/// Reasons that a shopper must not be told, because the card may be in the wrong hands
/// (<https://docs.stripe.com/declines/codes>). Stripe's dashboard has them.
const KEPT_BACK: [&str; 4] = [
    "fraudulent",
    "lost_card",
    "merchant_blacklist",
    "stolen_card",
];

/// How far a charge is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Until its amount is authorised.
    Authorized,
    /// Until it is captured.
    Captured,
}

/// What a charge does next with its intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Confirm it, which authorises the amount.
    Confirm,
    /// Capture what is authorised.
    Capture,
    /// Cancel it: it cannot be completed, for the reason with this code.
    GiveUp(String),
    /// Nothing: this is the outcome.
    Done(Charge),
}

/// Decides what a charge does next to get to `goal`.
///
/// # Errors
/// [`GatewayError::Unknown`] if Stripe has not decided yet.
pub(super) fn next(intent: &Intent, goal: Goal) -> Result<Move, GatewayError> {
    Ok(match intent.status {
        IntentStatus::RequiresConfirmation => Move::Confirm,
        IntentStatus::RequiresCapture if goal == Goal::Captured => Move::Capture,
        IntentStatus::RequiresPaymentMethod if intent.last_payment_error.is_none() => {
            Move::GiveUp(INVALID_TOKEN.to_owned())
        }
        IntentStatus::Canceled => Move::Done(Charge::Declined {
            code: VOIDED.to_owned(),
        }),
        IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::Processing
        | IntentStatus::Succeeded
        | IntentStatus::Other => Move::Done(charge_of(intent)?),
    })
}

/// Returns the charge of `intent`. One that authorised nothing yet is none.
///
/// # Errors
/// [`GatewayError::Unknown`] if Stripe has not decided yet, or says something that cannot be.
pub(super) fn charge_of(intent: &Intent) -> Result<Charge, GatewayError> {
    Ok(match intent.status {
        IntentStatus::RequiresConfirmation => Charge::NotFound,
        IntentStatus::RequiresAction => Charge::ActionRequired(action(intent)?),
        IntentStatus::RequiresPaymentMethod => match &intent.last_payment_error {
            None => Charge::NotFound,
            Some(failure) => Charge::Declined {
                code: decline_code(failure),
            },
        },
        IntentStatus::RequiresCapture => Charge::Authorized {
            amount: money(intent, intent.amount)?,
        },
        IntentStatus::Succeeded => {
            let captured = money(intent, intent.amount_received.unwrap_or(intent.amount))?;
            match refunded(intent)? {
                0 => Charge::Captured { amount: captured },
                refunded => Charge::Refunded {
                    captured,
                    refunded: money(intent, refunded)?,
                },
            }
        }
        IntentStatus::Canceled => Charge::Voided,
        IntentStatus::Processing => return Err(unknown("the intent is still processed")),
        IntentStatus::Other => return Err(unknown("the intent has a status that is not known")),
    })
}

/// Returns what the shopper has to do: open the address that Stripe names, or else let Stripe.js ask them.
fn action(intent: &Intent) -> Result<Action, GatewayError> {
    let redirect = intent
        .next_action
        .as_ref()
        .and_then(|next| next.redirect_to_url.as_ref());
    match (redirect, &intent.client_secret) {
        (Some(redirect), _) => Ok(Action::Redirect {
            url: redirect.url.clone(),
        }),
        (None, Some(secret)) => Ok(Action::Script {
            client_secret: secret.clone(),
        }),
        (None, None) => Err(unknown(
            "the intent does not say what the shopper has to do",
        )),
    }
}

/// Returns whether `intent` can be canceled: nothing is captured, and it can still be confirmed or captured.
pub(super) fn is_open(intent: &Intent) -> bool {
    match intent.status {
        IntentStatus::RequiresPaymentMethod => intent.last_payment_error.is_none(),
        IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture => true,
        IntentStatus::Processing
        | IntentStatus::Succeeded
        | IntentStatus::Canceled
        | IntentStatus::Other => false,
    }
}

/// Returns the most specific code of `failure` that a shopper may be told.
pub(super) fn decline_code(failure: &Failure) -> String {
    let code = failure.decline_code.as_deref();
    match code.or(failure.code.as_deref()) {
        Some(code) if KEPT_BACK.contains(&code) => "generic_decline",
        Some(code) => code,
        None => "declined",
    }
    .to_owned()
}

/// Returns how much of `intent` its capture released, as far as Stripe counts that as refunded, or `None` if all of it was
/// captured or nothing is. `wanted` is what was to be captured. Nothing can have been refunded yet.
pub(super) fn released(intent: &Intent, wanted: u64) -> Result<Option<u64>, GatewayError> {
    if intent.status != IntentStatus::Succeeded {
        return Ok(None);
    }
    let captured = intent.amount_received.unwrap_or(wanted);
    let rest = intent.amount.saturating_sub(captured);
    if rest == 0 {
        return Ok(None);
    }
    Ok(Some(refunded(intent)?.min(rest)))
}

/// Returns `intent` with what is captured and refunded of it, if its capture released `released` that Stripe counts as
/// refunded.
pub(super) fn without_release(mut intent: Intent, released: u64) -> Intent {
    if released == 0 {
        return intent;
    }
    let captured = intent.amount.saturating_sub(released);
    intent.amount_received = Some(intent.amount_received.unwrap_or(captured));
    if let Some(LatestCharge::Expanded { amount_refunded }) = &mut intent.latest_charge {
        *amount_refunded = amount_refunded.saturating_sub(released);
    }
    intent
}

/// Returns what can still be refunded of `intent`, or `None` if nothing was captured.
///
/// # Errors
/// As [`charge_of`].
pub(super) fn refundable(intent: &Intent) -> Result<Option<u64>, GatewayError> {
    if intent.status != IntentStatus::Succeeded {
        return Ok(None);
    }
    let captured = intent.amount_received.unwrap_or(intent.amount);
    Ok(Some(captured.saturating_sub(refunded(intent)?)))
}

fn refunded(intent: &Intent) -> Result<u64, GatewayError> {
    match &intent.latest_charge {
        Some(LatestCharge::Expanded { amount_refunded }) => Ok(*amount_refunded),
        Some(LatestCharge::Id(_)) | None => {
            Err(unknown("the charge of a captured intent is missing"))
        }
    }
}

fn money(intent: &Intent, units: u64) -> Result<Money, GatewayError> {
    amounts::from_stripe(units, &intent.currency)
        .map_err(|error| GatewayError::Unknown(error.into()))
}

fn unknown(what: &'static str) -> GatewayError {
    GatewayError::Unknown(what.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns the intent of 40.00 EUR with `status`, declined as `last_payment_error` says.
    fn intent(status: &str, last_payment_error: serde_json::Value) -> Intent {
        let intent = json!({
            "id": "pi_1",
            "status": status,
            "amount": 4000,
            "currency": "eur",
            "last_payment_error": last_payment_error,
            "client_secret": "pi_1_secret",
            "latest_charge": {"id": "ch_1", "amount_refunded": 0},
        });
        serde_json::from_value(intent).unwrap()
    }

    fn short(charge: Result<Charge, GatewayError>) -> String {
        charge.map_or("unknown".to_owned(), |charge| format!("{charge:?}"))
    }

    #[test]
    fn each_status_has_its_next_move_and_its_charge() {
        let none = || json!(null);
        let short_of_funds = json!({"code": "card_declined", "decline_code": "insufficient_funds"});
        for (status, error, wanted, found, open) in [
            ("requires_confirmation", none(), "Confirm", "NotFound", true),
            ("requires_capture", none(), "Capture", "Authorized", true),
            (
                "requires_action",
                none(),
                r#"Done(ActionRequired(Script { client_secret: "pi_1_secret" }))"#,
                "ActionRequired(Script",
                true,
            ),
            (
                "requires_payment_method",
                none(),
                r#"GiveUp("invalid_token")"#,
                "NotFound",
                true,
            ),
            (
                "requires_payment_method",
                short_of_funds,
                r#"Done(Declined { code: "insufficient_funds" })"#,
                r#"Declined { code: "insufficient_funds" }"#,
                false,
            ),
            ("succeeded", none(), "Done(Captured", "Captured", false),
            (
                "canceled",
                none(),
                r#"Done(Declined { code: "voided" })"#,
                "Voided",
                false,
            ),
            ("processing", none(), "unknown", "unknown", false),
            ("requires_a_miracle", none(), "unknown", "unknown", false),
        ] {
            let intent = intent(status, error);
            let next = next(&intent, Goal::Captured);
            let next = next.map_or("unknown".to_owned(), |next| format!("{next:?}"));
            assert!(next.starts_with(wanted), "{status}: {next}");
            let charge = short(charge_of(&intent));
            assert!(charge.starts_with(found), "{status}: {charge}");
            assert_eq!(is_open(&intent), open, "{status}");
        }
    }

    #[test]
    fn what_the_shopper_has_to_do_is_what_stripe_says() {
        let mut intent = intent("requires_action", json!(null));
        let redirect = json!({"redirect_to_url": {"url": "https://bank.example/1"}});
        intent.next_action = serde_json::from_value(redirect).unwrap();
        let url = "https://bank.example/1".to_owned();
        let expected = Charge::ActionRequired(Action::Redirect { url });
        assert_eq!(charge_of(&intent).unwrap(), expected);
        let script = json!({"type": "use_stripe_sdk", "use_stripe_sdk": {}});
        intent.next_action = serde_json::from_value(script).unwrap();
        let client_secret = "pi_1_secret".to_owned();
        let expected = Charge::ActionRequired(Action::Script { client_secret });
        assert_eq!(charge_of(&intent).unwrap(), expected);
        intent.client_secret = None;
        assert!(charge_of(&intent).is_err());
    }

    #[test]
    fn a_shopper_is_not_told_that_a_card_is_stolen() {
        for (code, decline_code, told) in [
            (
                Some("card_declined"),
                Some("stolen_card"),
                "generic_decline",
            ),
            (Some("card_declined"), Some("do_not_honor"), "do_not_honor"),
            (Some("expired_card"), None, "expired_card"),
            (None, None, "declined"),
        ] {
            let failure = Failure {
                code: code.map(str::to_owned),
                decline_code: decline_code.map(str::to_owned),
            };
            assert_eq!(super::decline_code(&failure), told);
        }
    }

    #[test]
    fn what_is_refunded_has_to_be_known() {
        let mut succeeded = intent("succeeded", json!(null));
        assert_eq!(refundable(&succeeded).unwrap(), Some(4000));
        succeeded.latest_charge = Some(LatestCharge::Expanded {
            amount_refunded: 1500,
        });
        assert_eq!(refundable(&succeeded).unwrap(), Some(2500));
        assert!(matches!(charge_of(&succeeded), Ok(Charge::Refunded { .. })));
        succeeded.latest_charge = Some(LatestCharge::Id("ch_1".to_owned()));
        assert!(charge_of(&succeeded).is_err());
        assert!(refundable(&succeeded).is_err());
        assert_eq!(refundable(&intent("canceled", json!(null))).unwrap(), None);
    }

    #[test]
    fn what_a_capture_released_is_not_refunded_whether_stripe_counts_it_so_or_not() {
        for (received, counted, released, then) in [
            // As Stripe does, and as localstripe does.
            (Some(1500), 2500, Some(2500), "15.00 EUR"),
            (None, 2500, Some(2500), "15.00 EUR"),
            // If Stripe counts only refunds.
            (Some(1500), 0, Some(0), "15.00 EUR"),
            (Some(4000), 0, None, "40.00 EUR"),
        ] {
            let mut intent = intent("succeeded", json!(null));
            intent.amount_received = received;
            let amount_refunded = counted;
            intent.latest_charge = Some(LatestCharge::Expanded { amount_refunded });
            assert_eq!(super::released(&intent, 1500).unwrap(), released);
            let intent = without_release(intent, released.unwrap_or(0));
            let Charge::Captured { amount } = charge_of(&intent).unwrap() else {
                panic!("{intent:?}");
            };
            assert_eq!(amount.to_string(), then);
        }
    }
}
