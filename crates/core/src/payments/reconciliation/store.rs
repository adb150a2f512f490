//! The reconciliation in DynamoDB: the movements of the gateways for as long as entries may follow them, the differences by
//! day, and how far each gateway is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::model::{Difference, Moved, Pass, Progress};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written, minor_units, unreadable};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::Page;
use crate::payments::days::{self, Part, Span, date};
use crate::payments::model::GatewayName;
use crate::values::clock::Time;
use crate::values::id::{EntryId, OrderId, PaymentId, RefundId};
use crate::values::money::{Currency, Money};

/// The key of the items of how far gateways are.
const PROGRESS: &str = "progress";

/// How long a movement is kept: so much later its entry may be written.
const KEPT: Duration = Duration::from_hours(45 * 24);

/// The most movements of one payment that are read.
const MOST_MOVEMENTS: usize = 1000;

/// The table.
#[derive(Clone, Debug)]
pub struct ReconciliationStore {
    table: Table,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Amount {
    currency: Currency,
    /// In the currency's smallest unit.
    units: u64,
}

/// A movement as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct MovedItem {
    /// `payment#<payment_id>`.
    pk: String,
    /// `<gateway>#<movement>`.
    sk: String,
    movement_id: String,
    gateway: String,
    of: String,
    order_id: OrderId,
    payment_id: PaymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    amount: Amount,
    at: Time,
    /// In seconds, for DynamoDB to remove it.
    expires_at: i64,
}

/// A difference as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DifferenceItem {
    /// `differences#<date>`.
    pk: String,
    /// `<at>#<id>`.
    sk: String,
    difference_id: EntryId,
    kind: String,
    gateway: String,
    of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    movement_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gateway_amount: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger_amount: Option<Amount>,
    found_at: Time,
}

/// How far a gateway is, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProgressItem {
    /// [`PROGRESS`].
    pk: String,
    /// The gateway.
    sk: String,
    day: Time,
    in_ledger: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    differences: u64,
    version: u64,
}

impl Amount {
    fn new(amount: Money) -> Result<Self, serde_dynamo::Error> {
        Ok(Self {
            currency: amount.currency(),
            units: minor_units(amount)?,
        })
    }

    fn read(&self) -> Result<Money, serde_dynamo::Error> {
        Money::from_minor_units(self.units, self.currency).map_err(unreadable)
    }
}

impl MovedItem {
    fn new(moved: &Moved) -> Result<Self, serde_dynamo::Error> {
        Ok(Self {
            pk: of_payment(moved.payment_id),
            sk: format!("{}#{}", moved.gateway, moved.id),
            movement_id: moved.id.clone(),
            gateway: moved.gateway.to_string(),
            of: moved.of.as_str().to_owned(),
            order_id: moved.order_id,
            payment_id: moved.payment_id,
            refund_id: moved.refund_id,
            amount: Amount::new(moved.amount)?,
            at: moved.at,
            expires_at: moved.at.plus(KEPT).as_seconds(),
        })
    }

    fn into_moved(self) -> Result<Moved, serde_dynamo::Error> {
        Ok(Moved {
            id: self.movement_id,
            gateway: self.gateway.parse().map_err(unreadable)?,
            of: self.of.parse().map_err(unreadable)?,
            order_id: self.order_id,
            payment_id: self.payment_id,
            refund_id: self.refund_id,
            amount: self.amount.read()?,
            at: self.at,
        })
    }
}

impl DifferenceItem {
    fn new(difference: &Difference) -> Result<Self, serde_dynamo::Error> {
        Ok(Self {
            pk: of_day(difference.at),
            sk: position(difference),
            difference_id: difference.id,
            kind: difference.kind.as_str().to_owned(),
            gateway: difference.gateway.to_string(),
            of: difference.of.as_str().to_owned(),
            movement_id: difference.movement_id.clone(),
            order_id: difference.order_id,
            payment_id: difference.payment_id,
            refund_id: difference.refund_id,
            at: difference.at,
            gateway_amount: difference.gateway_amount.map(Amount::new).transpose()?,
            ledger_amount: difference.ledger_amount.map(Amount::new).transpose()?,
            found_at: difference.found_at,
        })
    }

    fn into_difference(self) -> Result<Difference, serde_dynamo::Error> {
        let read = |amount: Option<Amount>| amount.map(|amount| amount.read()).transpose();
        Ok(Difference {
            id: self.difference_id,
            kind: self.kind.parse().map_err(unreadable)?,
            gateway: self.gateway.parse().map_err(unreadable)?,
            of: self.of.parse().map_err(unreadable)?,
            movement_id: self.movement_id,
            order_id: self.order_id,
            payment_id: self.payment_id,
            refund_id: self.refund_id,
            at: self.at,
            gateway_amount: read(self.gateway_amount)?,
            ledger_amount: read(self.ledger_amount)?,
            found_at: self.found_at,
        })
    }
}

fn of_payment(payment: PaymentId) -> String {
    format!("payment#{payment}")
}

fn of_day(at: Time) -> String {
    format!("differences#{}", date(at))
}

fn position(difference: &Difference) -> String {
    format!("{}#{}", difference.at, difference.id)
}

fn progress_key(gateway: &GatewayName) -> Key {
    Key::new("pk", PROGRESS).and("sk", gateway)
}

impl ReconciliationStore {
    /// Creates the store of the table that the setting `RECONCILIATION_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::ReconciliationTable)?,
        })
    }

    /// Stores a movement. Stored again, it is the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note(&self, moved: &Moved) -> Result<(), StoreError> {
        let put = self.table.put(&MovedItem::new(moved)?)?;
        self.table.write(put).await.map(drop)
    }

    /// Returns the movements of `payment`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_payment(&self, payment: PaymentId) -> Result<Vec<Moved>, StoreError> {
        let query = self.table.query("pk = :payment").consistent();
        let query = query.value(":payment", of_payment(payment));
        let found: Vec<MovedItem> = query.first(MOST_MOVEMENTS).await?;
        let found = found.into_iter().map(MovedItem::into_moved);
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Stores a difference, unless it is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn report(&self, difference: &Difference) -> Result<(), StoreError> {
        let put = self.table.put(&DifferenceItem::new(difference)?)?;
        let put = put.when("attribute_not_exists(pk)");
        self.table.write(put).await.map(drop)
    }

    /// Returns at most `limit` differences of `span`, in the order of time, from after the position `after` on. A page that is
    /// not full is not the last one if it has a `next`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn between(
        &self,
        span: Span,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<Difference>, StoreError> {
        days::page(span, limit, after, position, |part| self.of_day(part)).await
    }

    async fn of_day(&self, part: Part) -> Result<Vec<Difference>, StoreError> {
        let query = self
            .table
            .query("pk = :day AND sk BETWEEN :from AND :to")
            .value(":day", of_day(part.day))
            .value(":from", &part.from)
            .value(":to", &part.to);
        let found: Vec<DifferenceItem> = query.first(part.most).await?;
        let found = found.into_iter().map(DifferenceItem::into_difference);
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Returns how far `gateway` is, or `None` before the first run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn progress(&self, gateway: &GatewayName) -> Result<Option<Progress>, StoreError> {
        let found: Option<ProgressItem> = self.table.get(progress_key(gateway)).await?;
        Ok(found.map(|item| Progress {
            gateway: gateway.clone(),
            day: item.day,
            pass: if item.in_ledger {
                Pass::Ledger
            } else {
                Pass::Statement
            },
            after: item.after,
            differences: item.differences,
            version: item.version,
        }))
    }

    /// Stores how far a gateway is. Refused if another run has stored it since it was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advance(&self, next: &Progress) -> Result<Written, StoreError> {
        let put = self.table.put(&ProgressItem {
            pk: PROGRESS.to_owned(),
            sk: next.gateway.to_string(),
            day: next.day,
            in_ledger: next.pass == Pass::Ledger,
            after: next.after.clone(),
            differences: next.differences,
            version: next.version,
        })?;
        let put = put.when("attribute_not_exists(pk) OR version < :version");
        let put = put.value(":version", &next.version)?;
        match self.table.write(put).await? {
            // Our own write, whose response was lost.
            Written::Refused(_) if self.progress(&next.gateway).await?.as_ref() == Some(next) => {
                Ok(Written::Done)
            }
            written @ (Written::Done | Written::Refused(_)) => Ok(written),
        }
    }
}
