//! Fixtures of the payments' tests: an order in an embedded DynamoDB, and a sandbox gateway whose calls a test can
//! interrupt.

use crate::aws::Aws;
use crate::http::exchange::{Caller, Identity};
use crate::orders::details::Details;
use crate::orders::executions::OrderWorkflow;
use crate::orders::model::{Line, Order, PaymentStatus, Review, Status};
use crate::orders::store::OrderStore;
use crate::pricing::breakdown::Breakdown;
use crate::runtime::{Step, StepError};
use crate::testing::{self, Engine, Fault};
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, OrderId, ProductId, RefundId};
use crate::values::money::Money;

use super::gateway::sandbox::Sandbox;
use super::gateway::{Charge, Gateway as _, GatewayError};
use super::model::{CaptureTime, Change, ChargeKey, Payment, RefundKey};
use super::refunds::store::RefundStore;
use super::steps::{self, StepOutput};
use super::store::PaymentStore;
pub(super) use interrupted::{Interrupted, Moment};

mod interrupted;

/// The time at which the order is placed.
pub(super) const START: i64 = 1_772_357_400_000;

pub(super) fn eur(text: &str) -> Money {
    Money::parse(text, "EUR".parse().unwrap()).unwrap()
}

/// Returns the time `seconds` after the order was placed; its deadline is after 900.
pub(super) fn after(seconds: i64) -> Time {
    Time::from_millis(START + seconds * 1000)
}

pub(super) fn order_id() -> OrderId {
    OrderId::derived(&["order"])
}

pub(super) fn key() -> ChargeKey {
    ChargeKey::new(order_id(), 1)
}

pub(crate) fn order(token: &str) -> Order {
    let id = order_id();
    let lines = vec![Line {
        product_id: ProductId::derived(&["product"]),
        variant_id: ProductId::derived(&["product"]).into(),
        sku: None,
        name: "Kettle".to_owned(),
        quantity: 2,
        unit_price: eur("20.00"),
        price_list: None,
    }];
    Order {
        id,
        number: None,
        customer_id: CustomerId::derived(&["customer"]),
        guest: None,
        status: Status::Pending,
        payment_status: PaymentStatus::Pending,
        payment_version: 0,
        breakdown: Breakdown::plain(&lines),
        uses: Vec::new(),
        lines,
        total: eur("40.00"),
        is_shipped: true,
        shipping_address: Address {
            recipient: "Ada".to_owned(),
            company: None,
            line1: "1 Main Street".to_owned(),
            line2: None,
            city: "Graz".to_owned(),
            region: None,
            postal_code: Some("8010".to_owned()),
            country: "AT".to_owned(),
            phone: None,
            tax_number: None,
        },
        gift_cards: Vec::new(),
        details: Details::default(),
        erase_at: None,
        failure: None,
        review: None,
        version: 1,
        created_at: after(0),
        updated_at: after(0),
        deadline_at: after(900),
        payment_token: Some(token.to_owned()),
        cancelled_from: None,
        due_at: Some(after(60)),
        due_attempts: 0,
        run: 0,
        request_hash: "hash".to_owned(),
        revision: 1,
        event: Stamp::new(id, 1, "OrderCreated", after(0)),
    }
}

/// A shop with one order of 40.00 EUR, pending.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) orders: OrderStore,
    pub(super) payments: PaymentStore,
    pub(super) refunds: RefundStore,
    pub(super) gateway: Interrupted,
    pub(super) workflow: OrderWorkflow,
    pub(super) engine: Engine,
    pub(super) aws: Aws,
}

impl Shop {
    /// Creates a shop whose order is to be paid with `token`.
    pub(super) async fn with(token: &str) -> Self {
        Self::with_order(&order(token)).await
    }

    /// Creates a shop that captures at shipment.
    pub(super) async fn at_shipment(token: &str) -> Self {
        let mut shop = Self::with(token).await;
        shop.gateway.capture_time = CaptureTime::AtShipment;
        shop
    }

    /// Creates a shop with an order that costs nothing.
    pub(super) async fn giving_away() -> Self {
        let total = eur("0.00");
        let token = "tok_ok";
        Self::with_order(&Order {
            total,
            ..order(token)
        })
        .await
    }

    pub(super) async fn with_order(order: &Order) -> Self {
        let (aws, engine) = testing::aws();
        let orders = OrderStore::new(&aws).unwrap();
        orders.create(order).await.unwrap();
        Self {
            orders,
            payments: PaymentStore::new(&aws).unwrap(),
            refunds: RefundStore::new(&aws).unwrap(),
            gateway: Interrupted::new(Sandbox::new(&aws).unwrap()),
            workflow: OrderWorkflow::new(&aws).unwrap(),
            engine,
            aws,
        }
    }

    /// Creates a shop whose order waits for another token if `token` is declined.
    pub(super) async fn retryable(token: &str) -> Self {
        let details = Details {
            retryable: true,
            ..Details::default()
        };
        Self::with_order(&Order {
            details,
            ..order(token)
        })
        .await
    }

    /// Runs `interruption` at the next such moment.
    pub(super) fn at(
        &self,
        moment: Moment,
        interruption: impl Future<Output = ()> + Send + 'static,
    ) {
        let interruption = async move {
            interruption.await;
            Ok(())
        };
        self.gateway.interrupt(moment, interruption);
    }

    /// Makes the function crash at the next such moment: its step does nothing more.
    pub(super) fn crash_at(&self, moment: Moment) {
        let crash = async { Err(GatewayError::Busy("the function died".into())) };
        self.gateway.interrupt(moment, crash);
    }

    /// Holds the order for review for an hour.
    pub(super) async fn hold_for_review(&self) {
        let order = self.orders.get(order_id()).await.unwrap().unwrap();
        let held = Order {
            review: Some(Review::wanted("odd")),
            deadline_at: after(3600),
            ..order
        };
        assert!(self.orders.replace(held, &[]).await.unwrap().is_some());
    }

    /// Runs `PaymentProcessing`, `seconds` after the order was placed. Returns its status or its error's name.
    pub(super) async fn process_at(&self, seconds: i64) -> String {
        let step = step(seconds);
        let result = steps::process_payment(&self.orders, &self.payments, &self.gateway, step);
        name(result.await)
    }

    /// Runs `PaymentProcessing` in time.
    pub(super) async fn process(&self) -> String {
        self.process_at(1).await
    }

    /// Runs `VoidPayment`. Returns its status or its error's name.
    pub(super) async fn void(&self) -> String {
        let step = step(2);
        let result = steps::void_payment(&self.orders, &self.refunds, &self.gateway, step);
        name(result.await)
    }

    /// Gives the order `status`, as its own service would.
    pub(super) async fn order_becomes(&self, status: Status) {
        let order = self.orders.get(order_id()).await.unwrap().unwrap();
        let changed = Order { status, ..order };
        assert!(self.orders.replace(changed, &[]).await.unwrap().is_some());
    }

    /// Returns the order's status.
    pub(super) async fn order_status(&self) -> Status {
        self.orders.get(order_id()).await.unwrap().unwrap().status
    }

    /// Returns the stored payment.
    pub(super) async fn payment(&self) -> Payment {
        let found = self.payments.of_order(order_id()).await.unwrap();
        found.expect("a payment is stored")
    }

    /// Returns the payment's status, the amounts authorised, captured and refunded, and its version.
    pub(super) async fn books(&self) -> String {
        let payment = self.payment().await;
        format!(
            "{} {} {} {} v{}",
            payment.status,
            payment.amounts.authorized().amount(),
            payment.amounts.captured().amount(),
            payment.amounts.refunded().amount(),
            payment.version
        )
    }

    /// Returns the charge at the gateway.
    pub(super) async fn charge(&self) -> Charge {
        self.gateway.sandbox.retrieve(&key()).await.unwrap()
    }

    /// Charges as a run would that began before everything else.
    pub(super) async fn late_charge(&self) {
        let sandbox = &self.gateway.sandbox;
        // The outcome does not matter to such a run.
        let _ = sandbox.charge(&key(), eur("40.00"), "tok_ok").await;
    }

    /// Returns the calls to the gateway so far.
    pub(super) fn calls(&self) -> String {
        self.gateway.calls()
    }
}

/// Returns the change that the total of all refunds is `total`, by the one of all that was left.
pub(super) fn all_refunds(total: &str) -> Change {
    let total = eur(total);
    let by = RefundId::derived(&["rest", &Payment::id_of(order_id()).to_string()]);
    Change::Refunded { total, by }
}

/// Returns a charge of the order's total that is captured.
pub(super) fn captured() -> Charge {
    Charge::Captured {
        amount: eur("40.00"),
    }
}

/// Returns a charge of the order's total that is refunded.
pub(super) fn all_refunded() -> Charge {
    Charge::Refunded {
        captured: eur("40.00"),
        refunded: eur("40.00"),
    }
}

/// Makes the next write of the gateway's books fail, as often as the SDK tries.
pub(super) fn fail_puts(shop: &Shop) -> impl Future<Output = ()> + Send + 'static {
    let engine = shop.engine.clone();
    async move {
        for _ in 0..3 {
            engine.fail_next("PutItem", Fault::Failed);
        }
    }
}

fn step(seconds: i64) -> Step {
    let step = serde_json::json!({"order_id": order_id(), "now": after(seconds)});
    serde_json::from_value(step).unwrap()
}

fn name(result: Result<StepOutput, StepError>) -> String {
    match result {
        Ok(result) => result.payment_status.to_owned(),
        Err(error) => error.name.to_owned(),
    }
}

/// Returns the key of a refund of the order's charge.
pub(super) fn refund_key(name: &str) -> RefundKey {
    RefundKey {
        charge: key(),
        refund: RefundId::derived(&[name]),
    }
}

/// Returns what a gateway says of a charge, in short.
pub(super) fn short(result: Result<Charge, GatewayError>) -> String {
    match result {
        Ok(Charge::NotFound) => "not found".to_owned(),
        Ok(Charge::ActionRequired(_)) => "action required".to_owned(),
        Ok(Charge::Authorized { amount }) => format!("authorized {amount}"),
        Ok(Charge::PartlyCaptured {
            authorized,
            captured,
        }) => format!("captured {captured} of {authorized}"),
        Ok(Charge::Captured { amount }) => format!("captured {amount}"),
        Ok(Charge::Refunded { captured, refunded }) => {
            format!("refunded {refunded} of {captured}")
        }
        Ok(Charge::Declined { code }) => format!("declined {code}"),
        Ok(Charge::Voided) => "voided".to_owned(),
        Err(GatewayError::Unknown(_)) => "unknown".to_owned(),
        Err(GatewayError::Busy(_)) => "busy".to_owned(),
    }
}

/// Returns the identity of `customer`, which is valid for a quarter of an hour after [`START`].
pub(super) fn identity(customer: &str, admin: bool) -> Identity {
    Identity {
        caller: Caller {
            customer_id: CustomerId::derived(&[customer]),
            admin,
            group: None,
            locale: None,
        },
        expires_at_seconds: START / 1000 + 900,
    }
}
