//! Gateways of which each call can go wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::payments::gateway::configured::ConfiguredGateway;
use crate::payments::gateway::routing::plan::Payer;
use crate::payments::gateway::routing::routes::Routes;
use crate::payments::gateway::{Charge, EventError, Gateway, GatewayError, Notice, RefundState};
use crate::payments::model::disputes::Dispute;
use crate::payments::model::{ChargeKey, GatewayName, Provider, RefundKey};
use crate::values::clock::Time;
use crate::values::money::Money;

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happens {
    /// Nothing else.
    Well,
    /// Other runs go on for a while before it.
    Slowly(u8),
    /// The gateway refuses it; nothing is done.
    Busy,
    /// It is carried out, and the response lost.
    Lost,
    /// It is lost itself.
    LostBefore,
    /// A charge is on its way for long, and its response lost; other calls are lost.
    Late,
    /// All charges that are on their way arrive before it.
    ArrivesBefore,
    /// The function dies before it.
    CrashBefore,
    /// The function dies after it.
    CrashAfter,
    /// The function dies, and a charge is still on its way.
    CrashLate,
}

/// A charge that is on its way.
type Late = (ChargeKey, Money, String);

/// The gateways of a shop, as one run of a function sees them. Clones share what happens.
#[derive(Clone)]
pub(super) struct Wild {
    gateways: ConfiguredGateway,
    happens: Arc<Mutex<VecDeque<Happens>>>,
    late: Arc<Mutex<Vec<Late>>>,
    crashed: Arc<Notify>,
}

impl Wild {
    pub(super) fn new(gateways: ConfiguredGateway) -> Self {
        Self {
            gateways,
            happens: Arc::default(),
            late: Arc::default(),
            crashed: Arc::default(),
        }
    }

    /// Returns the gateways for a run, which crashes alone.
    pub(super) fn in_a_run(&self) -> Self {
        Self {
            crashed: Arc::default(),
            ..self.clone()
        }
    }

    /// Lets these things happen at the next calls, one at each; nothing after them.
    pub(super) fn let_happen(&self, happens: impl IntoIterator<Item = Happens>) {
        *self.happens.lock().unwrap() = happens.into_iter().collect();
    }

    /// Returns what `step` returns, or `None` if its function died.
    pub(super) async fn unless_crashed<T>(&self, step: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.crashed.notified() => None,
            done = step => Some(done),
        }
    }

    /// Lets all charges arrive that are on their way.
    pub(super) async fn arrive(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for (key, amount, token) in late {
            // Nobody waits for the response.
            let _ = self.gateways.charge(&key, amount, &token).await;
        }
    }

    async fn crash(&self) -> ! {
        self.crashed.notify_one();
        loop {
            std::future::pending::<()>().await;
        }
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, GatewayError>>,
        late: Option<Late>,
    ) -> Result<T, GatewayError> {
        let lost = || Err(GatewayError::Unknown("lost".into()));
        let happens = self.happens.lock().unwrap().pop_front();
        let on_its_way = || self.late.lock().unwrap().extend(late);
        match happens.unwrap_or(Happens::Well) {
            Happens::Well => call.await,
            Happens::Slowly(times) => {
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
                call.await
            }
            Happens::Busy => Err(GatewayError::Busy("busy".into())),
            Happens::Lost => {
                call.await?;
                lost()
            }
            Happens::LostBefore => lost(),
            Happens::Late => {
                on_its_way();
                lost()
            }
            Happens::ArrivesBefore => {
                self.arrive().await;
                call.await
            }
            Happens::CrashBefore => self.crash().await,
            Happens::CrashAfter => {
                let _ = call.await;
                self.crash().await
            }
            Happens::CrashLate => {
                on_its_way();
                self.crash().await
            }
        }
    }
}

impl Gateway for Wild {
    fn provider(&self) -> Provider {
        self.gateways.provider()
    }

    async fn charge(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        let late = (key.clone(), amount, token.to_owned());
        self.call(self.gateways.charge(key, amount, token), Some(late))
            .await
    }

    async fn authorize(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        let late = (key.clone(), amount, token.to_owned());
        self.call(self.gateways.authorize(key, amount, token), Some(late))
            .await
    }

    async fn capture(
        &self,
        key: &ChargeKey,
        total: Money,
        last: bool,
    ) -> Result<Charge, GatewayError> {
        self.call(self.gateways.capture(key, total, last), None)
            .await
    }

    fn captures_in_parts(&self) -> bool {
        self.gateways.captures_in_parts()
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        self.call(self.gateways.retrieve(key), None).await
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        self.call(self.gateways.void(key), None).await
    }

    async fn refund(&self, key: &RefundKey, amount: Money) -> Result<RefundState, GatewayError> {
        self.call(self.gateways.refund(key, amount), None).await
    }

    async fn retrieve_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        self.call(self.gateways.retrieve_refund(key), None).await
    }

    async fn retrieve_dispute(
        &self,
        key: &ChargeKey,
        id: &str,
    ) -> Result<Option<Dispute>, GatewayError> {
        self.call(self.gateways.retrieve_dispute(key, id), None)
            .await
    }

    async fn take_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> Result<Notice, EventError> {
        self.gateways.take_event(signature, body, now).await
    }
}

impl Routes for Wild {
    async fn choose(&self, payer: Payer, tried: &[GatewayName], now: Time) -> Option<GatewayName> {
        self.gateways.choose(payer, tried, now).await
    }

    async fn note(&self, gateway: &GatewayName, answered: bool, now: Time) {
        self.gateways.note(gateway, answered, now).await;
    }
}
