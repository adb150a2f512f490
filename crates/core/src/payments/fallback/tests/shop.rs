//! A shop with three gateways.

use serde_json::json;

use super::wild::Wild;
use crate::aws::Aws;
use crate::aws::settings::Setting;
use crate::orders::model::{Order, Status};
use crate::orders::store::OrderStore;
use crate::payments::fixtures::{after, order, order_id};
use crate::payments::gateway::configured::ConfiguredGateway;
use crate::payments::model::Payment;
use crate::payments::refunds::store::RefundStore;
use crate::payments::steps::{self, StepOutput};
use crate::payments::store::PaymentStore;
use crate::runtime::{Step, StepError};
use crate::testing::{self, Engine};

const LIST: &str = "sandbox:a,sandbox:b,sandbox:c";

/// A shop with one order of 40.00 EUR, and the function that takes its money.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) aws: Aws,
    pub(super) engine: Engine,
    pub(super) orders: OrderStore,
    pub(super) payments: PaymentStore,
    pub(super) refunds: RefundStore,
    pub(super) wild: Wild,
}

impl Shop {
    pub(super) async fn with(token: &str, strategy: &str) -> Self {
        Self::routing(LIST, token, strategy).await
    }

    pub(super) async fn routing(list: &str, token: &str, strategy: &str) -> Self {
        let changed = [("PAYMENT_GATEWAYS", list), ("PAYMENT_ROUTING", strategy)];
        let (aws, engine) = testing::aws_with(&changed);
        let orders = OrderStore::new(&aws).unwrap();
        orders.create(&order(token)).await.unwrap();
        Self {
            orders,
            payments: PaymentStore::new(&aws).unwrap(),
            refunds: RefundStore::new(&aws).unwrap(),
            wild: Wild::new(ConfiguredGateway::routed(&aws).unwrap()),
            aws,
            engine,
        }
    }

    /// Runs `PaymentProcessing`. Returns its status or its error's name, or `crashed`.
    pub(super) async fn process(&self, seconds: i64) -> String {
        let wild = self.wild.in_a_run();
        let step = steps::process_payment(&self.orders, &self.payments, &wild, step(seconds));
        name(wild.unless_crashed(step).await)
    }

    /// Runs `VoidPayment`.
    pub(super) async fn void(&self, seconds: i64) -> String {
        let wild = self.wild.in_a_run();
        let step = steps::void_payment(&self.orders, &self.refunds, &wild, step(seconds));
        name(wild.unless_crashed(step).await)
    }

    pub(super) async fn cancel(&self) {
        let order = self.orders.get(order_id()).await.unwrap().unwrap();
        let cancelled = Order {
            status: Status::Cancelled,
            ..order
        };
        assert!(self.orders.replace(cancelled, &[]).await.unwrap().is_some());
    }

    pub(super) async fn payment(&self) -> Payment {
        self.payments.of_order(order_id()).await.unwrap().unwrap()
    }

    /// Returns the payment's status, gateway and attempt.
    pub(super) async fn place(&self) -> String {
        let payment = self.payment().await;
        let leaving = if payment.leaving { " leaving" } else { "" };
        format!(
            "{} {} {}{leaving}",
            payment.status, payment.gateway, payment.attempt
        )
    }

    /// Returns what the gateways' books have of charges, such as `1@a voided`.
    pub(super) fn books(&self) -> Vec<String> {
        let items = self.engine.items(Setting::SandboxTable);
        let charges = items.iter().filter(|item| item["state"].is_string());
        let mut charges: Vec<String> = charges
            .map(|item| {
                let id = item["charge_id"].as_str().unwrap();
                let (_, attempt) = id.split_once(':').unwrap();
                format!("{attempt} {}", item["state"].as_str().unwrap())
            })
            .collect();
        charges.sort();
        charges
    }

    /// Returns the charges that were captured, also if they are refunded.
    pub(super) fn captured(&self) -> Vec<String> {
        let mut books = self.books();
        books.retain(|charge| charge.ends_with(" captured"));
        books
    }
}

pub(super) fn step(seconds: i64) -> Step {
    let step = json!({"order_id": order_id(), "now": after(seconds)});
    serde_json::from_value(step).unwrap()
}

fn name(result: Option<Result<StepOutput, StepError>>) -> String {
    match result {
        Some(Ok(result)) => result.payment_status.to_owned(),
        Some(Err(error)) => error.name.to_owned(),
        None => "crashed".to_owned(),
    }
}
