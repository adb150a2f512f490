//! What audits leave for the next: `pk` = `run`, `sk` = `latest`, `reading` or `sweep`.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::IntegrityStore;
use crate::aws::dynamo::{Key, StoreError, Written};
use crate::integrity::progress::{Reading, Round, Run, Sum, Sweep};
use crate::inventory::store::OpenPosition;
use crate::stock::model::Place;
use crate::values::clock::Time;
use crate::values::id::VariantId;

/// The version of the shape of the items that are written now.
const SCHEMA: u32 = 1;

const PARTITION: &str = "run";

#[derive(Debug, Serialize, Deserialize)]
struct RunItem {
    pk: String,
    sk: String,
    at: Time,
    until: Time,
    checked: u64,
    #[serde(default)]
    restored: u64,
    unsettled: Vec<String>,
    open: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    findings_after: Option<String>,
    #[serde(default)]
    findings_open: u64,
    #[serde(default)]
    version: u64,
    schema: u32,
}

impl From<&Run> for RunItem {
    fn from(run: &Run) -> Self {
        Self {
            pk: PARTITION.to_owned(),
            sk: "latest".to_owned(),
            at: run.at,
            until: run.until,
            checked: run.checked,
            restored: run.restored,
            unsettled: run.unsettled.iter().map(ToString::to_string).collect(),
            open: run.open,
            findings_after: run.findings_after.clone(),
            findings_open: run.findings_open,
            version: run.version,
            schema: SCHEMA,
        }
    }
}

impl TryFrom<RunItem> for Run {
    type Error = serde_dynamo::Error;

    fn try_from(item: RunItem) -> Result<Self, serde_dynamo::Error> {
        let unsettled = item.unsettled.iter().map(|subject| subject.parse());
        let unsettled: Result<_, _> = unsettled.collect();
        Ok(Self {
            at: item.at,
            until: item.until,
            checked: item.checked,
            restored: item.restored,
            unsettled: unsettled.map_err(serde_dynamo::Error::custom)?,
            open: item.open,
            findings_after: item.findings_after,
            findings_open: item.findings_open,
            version: item.version,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ReadingItem {
    pk: String,
    sk: String,
    table: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    began_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_round: Option<RoundItem>,
    schema: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct RoundItem {
    began_at: Time,
    ended_at: Time,
}

impl From<&Reading> for ReadingItem {
    fn from(reading: &Reading) -> Self {
        Self {
            pk: PARTITION.to_owned(),
            sk: "reading".to_owned(),
            table: reading.table,
            after: reading.after.clone(),
            began_at: reading.began_at,
            last_round: reading.last_round.map(|round| RoundItem {
                began_at: round.began_at,
                ended_at: round.ended_at,
            }),
            schema: SCHEMA,
        }
    }
}

impl From<ReadingItem> for Reading {
    fn from(item: ReadingItem) -> Self {
        Self {
            table: item.table,
            after: item.after,
            began_at: item.began_at,
            last_round: item.last_round.map(|round| Round {
                began_at: round.began_at,
                ended_at: round.ended_at,
            }),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct SweepItem {
    pk: String,
    sk: String,
    sums: Vec<SumItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<OpenPosition>,
    second: bool,
    schema: u32,
}

/// The names are short, because there may be thousands of these.
#[derive(Debug, Serialize, Deserialize)]
struct SumItem {
    /// Product.
    p: VariantId,
    /// Place.
    l: String,
    /// Available.
    a: u64,
    /// Reserved.
    r: u64,
    /// Held.
    h: u64,
}

impl From<&Sweep> for SweepItem {
    fn from(sweep: &Sweep) -> Self {
        let sums = sweep.sums.iter().map(|((product, place), sum)| SumItem {
            p: *product,
            l: place.to_string(),
            a: sum.available,
            r: sum.reserved,
            h: sum.held,
        });
        Self {
            pk: PARTITION.to_owned(),
            sk: "sweep".to_owned(),
            sums: sums.collect(),
            after: sweep.after.clone(),
            second: sweep.second,
            schema: SCHEMA,
        }
    }
}

impl TryFrom<SweepItem> for Sweep {
    type Error = serde_dynamo::Error;

    fn try_from(item: SweepItem) -> Result<Self, serde_dynamo::Error> {
        let sums = item.sums.into_iter().map(|sum| {
            let place: Place = sum.l.parse().map_err(serde_dynamo::Error::custom)?;
            let (available, reserved, held) = (sum.a, sum.r, sum.h);
            let sum = (
                (sum.p, place),
                Sum {
                    available,
                    reserved,
                    held,
                },
            );
            Ok(sum)
        });
        Ok(Self {
            sums: sums.collect::<Result<_, serde_dynamo::Error>>()?,
            after: item.after,
            second: item.second,
        })
    }
}

impl IntegrityStore {
    /// Returns the record of the latest audit, or `None` before the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_run(&self) -> Result<Option<Run>, StoreError> {
        let item: Option<RunItem> = self.table.get(key("latest")).await?;
        Ok(item.map(Run::try_from).transpose()?)
    }

    /// Stores `run` as the latest and raises its version, together with how far a comparison of stock has got, if that
    /// is given (one without sums has ended). Refused if another audit has stored a run since this one was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn store_run(
        &self,
        run: &mut Run,
        sweep: Option<&Sweep>,
    ) -> Result<Written, StoreError> {
        let version = run.version.saturating_add(1);
        let item = RunItem {
            version,
            ..RunItem::from(&*run)
        };
        let write = self.table.put(&item)?;
        // Runs of earlier releases have no version.
        let write = write.when("attribute_not_exists(#version) OR #version = :read");
        let write = write
            .name("#version", "version")
            .value(":read", &run.version)?;
        let written = match sweep {
            None => self.table.write(write).await?,
            Some(sweep) => {
                let sweep = self.table.put(&SweepItem::from(sweep))?;
                self.table.transact(vec![write, sweep]).await?
            }
        };
        if written == Written::Done {
            run.version = version;
        }
        Ok(written)
    }

    /// Returns where the reading of all tables has got, or `None` before the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reading(&self) -> Result<Option<Reading>, StoreError> {
        let item: Option<ReadingItem> = self.table.get(key("reading")).await?;
        Ok(item.map(Reading::from))
    }

    /// Stores where the reading of all tables has got.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn store_reading(&self, reading: &Reading) -> Result<(), StoreError> {
        let write = self.table.put(&ReadingItem::from(reading))?;
        self.table.write(write).await.map(drop)
    }

    /// Returns the comparison of stock that an earlier audit has not finished, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self) -> Result<Option<Sweep>, StoreError> {
        let item: Option<SweepItem> = self.table.get(key("sweep")).await?;
        let sweep: Option<Sweep> = item.map(Sweep::try_from).transpose()?;
        Ok(sweep.filter(|sweep| !sweep.sums.is_empty()))
    }
}

fn key(sort_key: &str) -> Key {
    Key::new("pk", PARTITION).and("sk", sort_key)
}
