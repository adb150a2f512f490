//! Disputes at Stripe: <https://docs.stripe.com/api/disputes/object>. The stand-in of the tests has none, so only what follows
//! from a dispute as Stripe documents it is tested.

use serde::Deserialize;

use super::client::{Call, Loss};
use super::{Stripe, amounts};
use crate::payments::gateway::GatewayError;
use crate::payments::model::ChargeKey;
use crate::payments::model::disputes::{Dispute, DisputeStatus};

/// A dispute, as far as it is read here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct DisputeBody {
    /// In the unit that Stripe counts the currency in.
    amount: u64,
    currency: String,
    reason: String,
    status: String,
    /// The intent whose charge is disputed.
    #[serde(default)]
    payment_intent: Option<String>,
}

impl Stripe {
    /// Returns the dispute `id`, if it is one of the charge with `key`.
    pub(super) async fn find_dispute(
        &self,
        key: &ChargeKey,
        id: &str,
    ) -> Result<Option<Dispute>, GatewayError> {
        let item = self.books.find(key).await?;
        let Some(intent_id) = item.and_then(|item| item.intent_id) else {
            return Ok(None);
        };
        let call = Call::get(format!("/v1/disputes/{id}"));
        match self.client.send::<DisputeBody>(&call).await? {
            Ok(body) if body.payment_intent.as_ref() != Some(&intent_id) => Ok(None),
            Ok(body) => dispute(body),
            Err(refusal) if refusal.status == 404 => Ok(None),
            Err(refusal) => Err(refusal.into_error(Loss::Harmless)),
        }
    }
}

/// Returns the dispute, or `None` for an inquiry, by which no money is taken.
fn dispute(body: DisputeBody) -> Result<Option<Dispute>, GatewayError> {
    let status = match body.status.as_str() {
        "won" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        status if status.starts_with("warning_") => return Ok(None),
        // `needs_response`, `under_review`, or what Stripe adds.
        _ => DisputeStatus::Opened,
    };
    let amount = amounts::from_stripe(body.amount, &body.currency);
    Ok(Some(Dispute {
        status,
        amount: amount.map_err(|error| GatewayError::Unknown(error.into()))?,
        reason: body.reason,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::payments::fixtures::eur;

    #[test]
    fn a_dispute_is_what_stripe_says_and_an_inquiry_is_none() {
        for (status, expected) in [
            ("needs_response", Some(DisputeStatus::Opened)),
            ("under_review", Some(DisputeStatus::Opened)),
            ("won", Some(DisputeStatus::Won)),
            ("lost", Some(DisputeStatus::Lost)),
            ("warning_needs_response", None),
            ("warning_under_review", None),
            ("warning_closed", None),
        ] {
            let body = json!({
                "id": "du_1", "object": "dispute", "amount": 4000, "currency": "eur",
                "payment_intent": "pi_1", "reason": "fraudulent", "status": status,
            });
            let found = dispute(serde_json::from_value(body).unwrap()).unwrap();
            let expected = expected.map(|status| Dispute {
                status,
                amount: eur("40.00"),
                reason: "fraudulent".to_owned(),
            });
            assert_eq!(found, expected, "{status}");
        }
    }
}
