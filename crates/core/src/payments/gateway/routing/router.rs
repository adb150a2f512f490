//! The router of a shop that has several gateways.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::breaker::{Breaker, State, Verdict};
use super::plan::{Payer, Plan};
use super::store::{BreakerStore, Stored};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, StoreError, Written};
use crate::aws::settings::SettingError;
use crate::aws::telemetry;
use crate::payments::model::GatewayName;
use crate::values::clock::Time;

/// How long the table may take, by the machine's clock, before a payment goes on without it.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a process uses what it has read of the breakers.
const KEPT: Duration = Duration::from_secs(5);

type Breakers = BTreeMap<GatewayName, Stored>;

/// Chooses the gateways of payments. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Router {
    plan: Plan,
    store: BreakerStore,
    seen: Arc<Mutex<Seen>>,
}

/// The breakers as this process has seen them.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// The time of the step that read them.
    at: Option<Time>,
    breakers: Breakers,
}

impl Router {
    /// Returns the router of the settings, or `None` if the shop has one gateway.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing, or not valid.
    pub fn new(aws: &Aws) -> Result<Option<Self>, SettingError> {
        let Some(plan) = Plan::of(aws.settings())? else {
            return Ok(None);
        };
        Ok(Some(Self {
            plan,
            store: BreakerStore::new(aws)?,
            seen: Arc::default(),
        }))
    }

    /// Returns the gateway that is to take a payment of `payer` at `now`: the first of its ranking that is not left out, and
    /// none of `tried`. If all are left out, that says more about the breakers than about the gateways, and the first takes
    /// it; but no payment moves to a gateway that is left out.
    pub async fn choose(
        &self,
        payer: Payer,
        tried: &[GatewayName],
        now: Time,
    ) -> Option<GatewayName> {
        let ranking = self.plan.ranking(payer);
        let breakers = self.breakers(now).await;
        for name in &ranking {
            if tried.contains(name) {
                continue;
            }
            let stored = breakers.get(name).copied().unwrap_or_default();
            let takes_it = match stored.breaker.verdict(now) {
                Verdict::Use => true,
                Verdict::Try(next) => self.replace(name, stored, next).await == Some(Written::Done),
                Verdict::LeaveOut => false,
            };
            if takes_it {
                return Some((*name).clone());
            }
        }
        let first = ranking.first().filter(|_| tried.is_empty());
        first.map(|name| (*name).clone())
    }

    /// Takes note of whether `gateway` gave an answer, in a step of `now`. Nothing is read or written for an answer of a
    /// gateway whose breaker this process knows to be closed, without failures.
    pub async fn note(&self, gateway: &GatewayName, answered: bool, now: Time) {
        let known = self.lock().breakers.get(gateway).copied();
        let known = known.unwrap_or_default().breaker;
        let is_listed = self.plan.names().any(|name| name == gateway);
        if !is_listed || answered && known.answered(now).is_none() {
            return;
        }
        let change = dynamo::change("the breaker", || async {
            let stored = self.store.get(gateway).await?;
            let next = if answered {
                stored.breaker.answered(now)
            } else {
                stored.breaker.failed(now)
            };
            let Some(next) = next else {
                self.remember(gateway, stored);
                return Ok::<_, StoreError>(Attempt::Done(None));
            };
            Ok(match self.store.replace(gateway, stored, next).await? {
                Written::Done => {
                    let version = stored.version + 1;
                    let breaker = next;
                    self.remember(gateway, Stored { breaker, version });
                    Attempt::Done(Some(next))
                }
                Written::Refused(_) => Attempt::Overtaken,
            })
        });
        if let Some(Some(next)) = in_time(change).await {
            tell(gateway, next.state, now);
        }
    }

    /// Returns what is stored, or what this process has seen in the last seconds.
    async fn breakers(&self, now: Time) -> Breakers {
        let seen = self.lock().clone();
        if seen.at.is_some_and(|at| now < at.plus(KEPT)) {
            return seen.breakers;
        }
        match in_time(self.store.get_all(self.plan.names())).await {
            Some(breakers) => {
                *self.lock() = Seen {
                    at: Some(now),
                    breakers: breakers.clone(),
                };
                breakers
            }
            None => seen.breakers,
        }
    }

    async fn replace(
        &self,
        gateway: &GatewayName,
        stored: Stored,
        breaker: Breaker,
    ) -> Option<Written> {
        let written = in_time(self.store.replace(gateway, stored, breaker)).await?;
        match written {
            Written::Done => {
                let version = stored.version + 1;
                self.remember(gateway, Stored { breaker, version });
                tracing::info!(%gateway, "a gateway is tried again");
            }
            // Another payment tries it: read again what is stored.
            Written::Refused(_) => self.lock().at = None,
        }
        Some(written)
    }

    fn remember(&self, gateway: &GatewayName, stored: Stored) {
        self.lock().breakers.insert(gateway.clone(), stored);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Logs what a breaker has become.
fn tell(gateway: &GatewayName, state: State, now: Time) {
    match state {
        // A metric filter in template.yaml reads `left_out_seconds` for an alarm.
        State::Open { until } => {
            let left_out_seconds = until.since(now).as_secs();
            tracing::error!(%gateway, left_out_seconds, "a gateway fails and is left out");
        }
        State::Closed { failures: 0, .. } => tracing::info!(%gateway, "a gateway works again"),
        State::Closed { failures, .. } => tracing::warn!(%gateway, failures, "a gateway failed"),
        State::HalfOpen { .. } => {}
    }
}

/// Returns what `call` returns, or `None` if the table fails or takes too long: payments must not depend on it.
async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    let error = match tokio::time::timeout(PATIENCE, Box::pin(call)).await {
        Ok(Ok(done)) => return Some(done),
        Ok(Err(error)) => telemetry::chain(&error),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(error, "the state of the gateways is not known");
    None
}

#[cfg(test)]
mod tests;
