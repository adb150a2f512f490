//! How a charge is begun, and goes on to its end.

use super::books::ChargeItem;
use super::client::{Call, Loss, Refusal};
use super::moves::{self, Goal, Move};
use super::wire::Intent;
use super::{EXPAND, Stripe, amounts};
use crate::aws::dynamo::{self, Attempt, Written};
use crate::payments::gateway::{Charge, GatewayError};
use crate::payments::model::ChargeKey;
use crate::values::money::Money;

/// The most moves of one charge. Confirming and capturing are enough, unless somebody else is at it.
const MOST_MOVES: usize = 6;

/// What a charge starts from.
enum Start {
    /// It has ended.
    Ended(Charge),
    /// It has this intent.
    Begun(Box<Intent>),
}

impl Stripe {
    /// Takes the charge with `key` to its `goal`, from wherever it stands.
    pub(super) async fn begin_or_go_on(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
        goal: Goal,
    ) -> Result<Charge, GatewayError> {
        let mut intent = match self.start(key, amount, token).await? {
            Start::Ended(charge) => return Ok(charge),
            Start::Begun(intent) => *intent,
        };
        for _ in 0..MOST_MOVES {
            intent = match moves::next(&intent, goal)? {
                Move::Done(charge) => return Ok(charge),
                Move::Confirm => match self.act(&intent, "confirm", Loss::MovesMoney).await? {
                    Ok(next) => next,
                    Err(refusal) => {
                        let next = self.read(&intent.id).await?;
                        if next.status == intent.status {
                            let code = moves::decline_code(&refusal.failure);
                            return self.give_up(key, &next, code).await;
                        }
                        next
                    }
                },
                Move::Capture => match self.act(&intent, "capture", Loss::MovesMoney).await? {
                    Ok(next) => next,
                    Err(refusal) => {
                        let next = self.read(&intent.id).await?;
                        if next.status == intent.status {
                            return Err(refusal.into_error(Loss::MovesMoney));
                        }
                        next
                    }
                },
                Move::GiveUp(code) => return self.give_up(key, &intent, code).await,
            };
        }
        Err(GatewayError::Unknown("the charge makes no progress".into()))
    }

    /// Returns what is there of the charge with `key`, or begins it.
    async fn start(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Start, GatewayError> {
        dynamo::change("the charge", || async {
            if let Some(item) = self.books.find(key).await? {
                return self.start_from(item).await.map(Attempt::Done);
            }
            let intent = match self.create(key, amount, token).await? {
                Ok(intent) => intent,
                Err(code) => {
                    return Ok(match self.books.decline(key, &code).await? {
                        Written::Done => Attempt::Done(Start::Ended(Charge::Declined { code })),
                        Written::Refused(_) => Attempt::Overtaken,
                    });
                }
            };
            if self.books.begin(key, &intent.id).await? == Written::Done {
                return Ok(Attempt::Done(Start::Begun(Box::new(intent))));
            }
            // Something was stored meanwhile, and counts. Of two charges at once, both have the same intent.
            let item = self.books.find(key).await?;
            let stored = item.and_then(|item| item.intent_id);
            if stored.as_ref() != Some(&intent.id) {
                self.drop_unused(&intent).await;
            }
            Ok(Attempt::Overtaken)
        })
        .await
    }

    async fn start_from(&self, item: ChargeItem) -> Result<Start, GatewayError> {
        match (item.intent_id, item.decline) {
            (_, Some(code)) => Ok(Start::Ended(Charge::Declined { code })),
            (None, None) => Ok(Start::Ended(Charge::Declined {
                code: moves::VOIDED.to_owned(),
            })),
            (Some(id), None) => {
                let intent = self.read_released(&id, item.released).await?;
                Ok(Start::Begun(Box::new(intent)))
            }
        }
    }

    /// Creates the intent of the charge with `key`, or returns the code with which it is declined for good.
    async fn create(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Result<Intent, String>, GatewayError> {
        if amount.minor_units().is_none() {
            return Err(GatewayError::Unknown("the amount is negative".into()));
        }
        let Some(units) = amounts::to_stripe(amount) else {
            return Ok(Err("invalid_charge_amount".to_owned()));
        };
        // Cards of customers from before there were payment methods are payment methods, too.
        let kinds = ["pm_", "card_", "src_"];
        if !kinds.iter().any(|kind| token.starts_with(kind)) {
            return Ok(Err(moves::INVALID_TOKEN.to_owned()));
        }
        let units = units.to_string();
        let (order_id, attempt) = (key.order_id.to_string(), key.attempt.to_string());
        let fields = [
            ("amount", &*units),
            ("currency", &amount.currency().code().to_ascii_lowercase()),
            ("payment_method", token),
            ("payment_method_types[]", "card"),
            ("capture_method", "manual"),
            ("metadata[order_id]", &order_id),
            ("metadata[attempt]", &attempt),
            EXPAND,
        ];
        let call = Call::post("/v1/payment_intents".to_owned(), &fields, Loss::Harmless);
        match self.client.send(&call.keyed(key.to_string())).await? {
            Ok(intent) => Ok(Ok(intent)),
            Err(refusal) => {
                if let Some(code) = declined_at_once(&refusal) {
                    return Ok(Err(code));
                }
                tracing::error!(
                    code = refusal.failure.code,
                    "Stripe refuses to create intents"
                );
                Err(refusal.into_error(Loss::Harmless))
            }
        }
    }

    /// Cancels an intent that is not stored. It moves no money, so it does not matter if that fails.
    async fn drop_unused(&self, intent: &Intent) {
        let canceled = self.act(intent, "cancel", Loss::Harmless).await;
        if !matches!(canceled, Ok(Ok(_))) {
            tracing::warn!(intent = intent.id, "an intent that is not used stays open");
        }
    }

    /// Cancels an intent that cannot be completed, and stores why. If it turns out to be captured, it stays so.
    async fn give_up(
        &self,
        key: &ChargeKey,
        intent: &Intent,
        code: String,
    ) -> Result<Charge, GatewayError> {
        let ended = self.cancel(intent).await?;
        if moves::charge_of(&ended)? != Charge::Voided {
            return moves::charge_of(&ended);
        }
        self.books.give_up(key, &code).await?;
        Ok(Charge::Declined { code })
    }
}

/// Returns the code of a charge that Stripe will never take, or `None` if it may with another key or setting.
fn declined_at_once(refusal: &Refusal) -> Option<String> {
    let code = || moves::decline_code(&refusal.failure);
    let coded = refusal.failure.code.is_some();
    match refusal.param.as_deref() {
        Some("payment_method") if !coded => Some(moves::INVALID_TOKEN.to_owned()),
        Some("amount") if !coded => Some("invalid_charge_amount".to_owned()),
        Some("payment_method" | "amount" | "currency") => Some(code()),
        _ if refusal.status == 402 => Some(code()),
        _ if refusal.status == 404 && !coded => Some(moves::INVALID_TOKEN.to_owned()),
        _ => None,
    }
}
