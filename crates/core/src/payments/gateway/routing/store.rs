//! The breakers in DynamoDB: one small item for each gateway, which is read and written only if the shop has several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::breaker::{Breaker, State};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::payments::model::GatewayName;
use crate::values::clock::Time;

/// The version of the shape of [`BreakerItem`].
const SCHEMA: u32 = 1;

/// The table that the setting `GATEWAYS_TABLE` names.
#[derive(Clone, Debug)]
pub struct BreakerStore {
    table: Table,
}

/// A breaker as it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The breaker.
    pub breaker: Breaker,
    /// How often it was written; zero if there is no item.
    pub version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateName {
    Closed,
    Open,
    HalfOpen,
}

#[derive(Debug, Serialize, Deserialize)]
struct BreakerItem {
    gateway: String,
    state: StateName,
    /// When the state ends if it is open; when it began otherwise.
    at: Time,
    failures: u32,
    openings: u32,
    version: u64,
    schema: u32,
}

impl BreakerItem {
    fn new(gateway: &GatewayName, breaker: Breaker, version: u64) -> Self {
        let (state, at, failures) = match breaker.state {
            State::Closed { failures, since } => (StateName::Closed, since, failures),
            State::Open { until } => (StateName::Open, until, 0),
            State::HalfOpen { since } => (StateName::HalfOpen, since, 0),
        };
        Self {
            gateway: gateway.to_string(),
            state,
            at,
            failures,
            openings: breaker.openings,
            version,
            schema: SCHEMA,
        }
    }
}

impl From<BreakerItem> for Stored {
    fn from(item: BreakerItem) -> Self {
        let state = match item.state {
            StateName::Closed => State::Closed {
                failures: item.failures,
                since: item.at,
            },
            StateName::Open => State::Open { until: item.at },
            StateName::HalfOpen => State::HalfOpen { since: item.at },
        };
        Self {
            breaker: Breaker {
                state,
                openings: item.openings,
            },
            version: item.version,
        }
    }
}

fn item_key(gateway: impl ToString) -> Key {
    Key::new("gateway", gateway)
}

impl BreakerStore {
    /// Creates the store.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::GatewaysTable)?,
        })
    }

    /// Returns the breaker of `gateway`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, gateway: &GatewayName) -> Result<Stored, StoreError> {
        let item: Option<BreakerItem> = self.table.get(item_key(gateway)).await?;
        Ok(item.map(Stored::from).unwrap_or_default())
    }

    /// Returns the breakers of `gateways` that are stored, by name, as they were a moment ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_all(
        &self,
        gateways: impl Iterator<Item = &GatewayName>,
    ) -> Result<BTreeMap<GatewayName, Stored>, StoreError> {
        let keys = gateways.map(item_key).collect();
        let items: Vec<BreakerItem> = self.table.get_many(keys, false).await?;
        let breakers = items.into_iter().map(|item| {
            let name = item.gateway.parse().map_err(StoreError::unreadable)?;
            Ok((name, Stored::from(item)))
        });
        breakers.collect()
    }

    /// Stores `next` in the place of `stored`. Refused if that is not what is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace(
        &self,
        gateway: &GatewayName,
        stored: Stored,
        next: Breaker,
    ) -> Result<Written, StoreError> {
        let item = BreakerItem::new(gateway, next, stored.version + 1);
        let write = self.table.put(&item)?;
        let write = if stored.version == 0 {
            write.when("attribute_not_exists(gateway)")
        } else {
            write
                .when("version = :read")
                .value(":read", &stored.version)?
        };
        self.table.write(write).await
    }
}
