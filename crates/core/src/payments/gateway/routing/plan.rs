//! Which gateways a shop has, and how one of them is chosen for an order: pure functions of the settings, the order and its
//! customer.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::aws::settings::{Setting, SettingError, Settings};
use crate::payments::model::{GatewayName, Provider};
use crate::values::id::{CustomerId, OrderId};

/// The most gateways of a list.
const MOST_GATEWAYS: usize = 8;

/// The highest weight of a gateway.
const HIGHEST_WEIGHT: u32 = 100;

/// How the gateway of an order is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The first of the list, then the second, and so on.
    PrimaryWithFallback,
    /// Each takes the same share of the orders.
    RoundRobin,
    /// Each takes the same share of the customers, and a customer's orders stay at one gateway.
    ConsistentHash,
    /// Each takes a share of the orders in proportion to its weight.
    Weighted,
}

impl FromStr for Selection {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "primary_with_fallback" => Ok(Self::PrimaryWithFallback),
            "round_robin" => Ok(Self::RoundRobin),
            "consistent_hash" => Ok(Self::ConsistentHash),
            "weighted" => Ok(Self::Weighted),
            _ => Err(()),
        }
    }
}

/// What is wrong with a list of gateways.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An entry is not `provider`, `provider:account` or one of these with `=weight`.
    #[error(
        "{0:?} is not a gateway such as stripe:us, or stripe:us=30 with a weight up to {HIGHEST_WEIGHT}"
    )]
    Entry(String),
    /// It has one gateway, or too many.
    #[error("a list has from 2 to {MOST_GATEWAYS} gateways")]
    Length,
    /// A gateway is there twice.
    #[error("{0} is there twice")]
    Twice(GatewayName),
    /// A gateway is of another provider than `PAYMENT_GATEWAY` names.
    #[error("{0} is not of the provider that PAYMENT_GATEWAY names")]
    Provider(GatewayName),
    /// There are weights, but the strategy takes none.
    #[error("only the strategy weighted takes weights")]
    Weights,
    /// No gateway has a weight above zero.
    #[error("all weights are zero")]
    AllZero,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: GatewayName,
    weight: Option<u32>,
}

impl FromStr for Entry {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let wrong = || PlanError::Entry(text.to_owned());
        let (name, weight) = match text.split_once('=') {
            Some((name, weight)) => (name, Some(weight.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        if weight.is_some_and(|weight| weight > HIGHEST_WEIGHT) {
            return Err(wrong());
        }
        let name = name.parse().map_err(|_| wrong())?;
        Ok(Self { name, weight })
    }
}

/// Who pays for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer {
    /// The order.
    pub order_id: OrderId,
    /// The customer.
    pub customer_id: CustomerId,
}

/// The gateways of a shop, and how one is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    strategy: Selection,
    entries: Vec<Entry>,
}

impl Plan {
    /// Returns the plan of the settings `PAYMENT_GATEWAYS`, such as `stripe:eu=70,stripe:us=30`, and `PAYMENT_ROUTING`, or
    /// `None` if the list is empty: the shop has one gateway.
    ///
    /// # Errors
    /// [`SettingError`], which says what is wrong.
    pub fn of(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let list: String = settings.read(Setting::PaymentGateways)?;
        let strategy: Selection = settings.read(Setting::PaymentRouting)?;
        let provider = settings.read(Setting::PaymentGateway)?;
        if list.is_empty() {
            return Ok(None);
        }
        let plan = Self::parse(&list, strategy, provider);
        let invalid = |error: PlanError| {
            SettingError::Invalid(Setting::PaymentGateways.name(), format!("{list}: {error}"))
        };
        plan.map(Some).map_err(invalid)
    }

    fn parse(list: &str, strategy: Selection, provider: Provider) -> Result<Self, PlanError> {
        let entries: Vec<Entry> = list.split(',').map(str::parse).collect::<Result<_, _>>()?;
        if !(2..=MOST_GATEWAYS).contains(&entries.len()) {
            return Err(PlanError::Length);
        }
        for (at, Entry { name, .. }) in entries.iter().enumerate() {
            if name.provider() != provider {
                return Err(PlanError::Provider(name.clone()));
            }
            if entries.iter().take(at).any(|other| other.name == *name) {
                return Err(PlanError::Twice(name.clone()));
            }
        }
        match strategy {
            Selection::Weighted => {
                if entries.iter().all(|entry| entry.weight == Some(0)) {
                    return Err(PlanError::AllZero);
                }
            }
            Selection::PrimaryWithFallback | Selection::RoundRobin | Selection::ConsistentHash => {
                if entries.iter().any(|entry| entry.weight.is_some()) {
                    return Err(PlanError::Weights);
                }
            }
        }
        Ok(Self { strategy, entries })
    }

    /// Returns the gateways in the order in which they are to take the payment of `payer`. A gateway of weight zero is not
    /// among them. It depends on nothing else, so it is the same whenever it is asked for.
    ///
    /// Apart from the list's own order, this is rendezvous hashing (highest random weight): each gateway has a score for the
    /// order or the customer, which no other gateway changes. So a gateway that comes takes its share from all others, and
    /// those move nothing between them; one that goes gives its share to all others. A gateway of weight `w` has `w` scores,
    /// of which the highest counts: each of all scores is equally likely to be the highest, so its share is in proportion.
    #[must_use]
    pub fn ranking(&self, payer: Payer) -> Vec<&GatewayName> {
        let key = match self.strategy {
            Selection::PrimaryWithFallback => return self.names().collect(),
            Selection::RoundRobin | Selection::Weighted => payer.order_id.as_bytes(),
            Selection::ConsistentHash => payer.customer_id.as_bytes(),
        };
        let mut scored: Vec<(u64, &GatewayName)> = self
            .entries
            .iter()
            .filter_map(|Entry { name, weight }| {
                let scores = (0..weight.unwrap_or(1)).map(|place| score(name, place, key));
                Some((scores.max()?, name))
            })
            .collect();
        scored.sort_unstable_by(|one, other| other.cmp(one));
        scored.into_iter().map(|(_, name)| name).collect()
    }

    /// Returns the names of all gateways, in the list's order.
    pub fn names(&self) -> impl Iterator<Item = &GatewayName> {
        self.entries.iter().map(|entry| &entry.name)
    }
}

/// Returns one of the scores of a gateway for `key`. It must never change, or customers change their gateways.
fn score(name: &GatewayName, place: u32, key: &[u8; 16]) -> u64 {
    let digest = Sha256::new()
        .chain_update(key)
        .chain_update(place.to_be_bytes())
        .chain_update(name.to_string())
        .finalize();
    let first = digest.iter().take(8);
    first.fold(0, |score, byte| score << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests;
