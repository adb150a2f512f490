//! What both steps read first, and what both return.

use serde::Serialize;

use crate::aws::telemetry;
use crate::orders::model::{Order, PaymentStatus};
use crate::orders::store::OrderStore;
use crate::payments::gateway::GatewayError;
use crate::payments::model::{Payment, PaymentError};
use crate::payments::store::PaymentStore;
use crate::runtime::{Step, StepError};

/// The output of a payment step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepOutput {
    /// The payment's status.
    pub payment_status: &'static str,
}

impl From<PaymentStatus> for StepOutput {
    fn from(status: PaymentStatus) -> Self {
        Self {
            payment_status: status.as_str(),
        }
    }
}

impl From<GatewayError> for StepError {
    fn from(error: GatewayError) -> Self {
        let name = match error {
            GatewayError::Unknown(_) => "PaymentUnknown",
            GatewayError::Busy(_) => "Busy",
        };
        Self::new(name, telemetry::chain(&error))
    }
}

impl From<PaymentError> for StepError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Store(error) => error.into(),
            PaymentError::Undecided => Self::new("Busy", telemetry::chain(&error)),
            PaymentError::Amounts(_)
            | PaymentError::Money(_)
            | PaymentError::Contradiction { .. } => {
                tracing::error!(
                    error = telemetry::chain(&error),
                    "a payment has to be looked at by a person"
                );
                Self::new("Failed", telemetry::chain(&error))
            }
        }
    }
}

/// Reads the order and its payment at the same time.
pub(super) async fn read_order_and_payment(
    orders: &OrderStore,
    payments: &PaymentStore,
    step: &Step,
) -> Result<(Order, Option<Payment>), StepError> {
    let (order, payment) =
        futures::try_join!(orders.get(step.order_id), payments.of_order(step.order_id),)?;
    let order = order.ok_or_else(|| StepError::new("OrderNotFound", "there is no such order"))?;
    Ok((order, payment))
}

pub(super) fn already_confirmed() -> StepError {
    StepError::new("AlreadyConfirmed", "the order is confirmed")
}
