//! The event bus: the adapter to EventBridge.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use super::rules::Entry;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};

/// How often an entry is put that the bus refuses, and how long the first pause is; each further one
/// is twice as long.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The bus that the setting `BUS_NAME` names.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
}

/// The first entry that the bus did not take after all attempts.
#[derive(Debug, thiserror::Error)]
#[error("entry {at} is not on the bus: {reason}")]
pub struct NotOnBus {
    /// Its place among those that were put.
    pub at: usize,
    /// What the bus said.
    pub reason: String,
}

impl Bus {
    /// The bus of this function.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.eventbridge(),
            name: aws.settings().read(Setting::BusName)?,
        })
    }

    /// Puts `entries`, which one call takes, on the bus. Entries that are refused are put again,
    /// those alone, after a pause.
    ///
    /// # Errors
    /// [`NotOnBus`] for the first one that is still refused; others may be on the bus.
    pub async fn put(&self, entries: &[&Entry]) -> Result<(), NotOnBus> {
        let mut left: Vec<usize> = (0..entries.len()).collect();
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let refused = self.put_once(entries, &left).await?;
            let Some((at, reason)) = refused.first().cloned() else {
                return Ok(());
            };
            if attempt == ATTEMPTS {
                return Err(NotOnBus { at, reason });
            }
            left = refused.into_iter().map(|(at, _)| at).collect();
            tokio::time::sleep(jittered(pause)).await;
            pause *= 2;
        }
        Ok(())
    }

    /// Puts the entries at the places `which`, and answers those that were refused, with reasons.
    async fn put_once(
        &self,
        entries: &[&Entry],
        which: &[usize],
    ) -> Result<Vec<(usize, String)>, NotOnBus> {
        let wire = which.iter().map(|at| self.wire(entries[*at])).collect();
        let first = which.first().copied().unwrap_or_default();
        let request = self.client.put_events().set_entries(Some(wire));
        let answer = request.send().await.map_err(|error| NotOnBus {
            at: first,
            reason: crate::aws::telemetry::chain(&error),
        })?;
        if answer.failed_entry_count == 0 {
            return Ok(Vec::new());
        }
        let results = answer.entries.unwrap_or_default();
        let refused = which.iter().zip(results).filter_map(|(at, result)| {
            let code = result.error_code?;
            let message = result.error_message.unwrap_or_default();
            Some((*at, format!("{code}: {message}")))
        });
        Ok(refused.collect())
    }

    fn wire(&self, entry: &Entry) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(entry.source)
            .detail_type(&entry.event.event_type)
            .detail(&entry.detail)
            .time(DateTime::from_millis(entry.event.timestamp.as_millis()))
            .build()
    }
}

/// Between half of `pause` and all of it, so that those who failed together do not come together.
fn jittered(pause: Duration) -> Duration {
    let half = pause / 2;
    let span = half.as_micros().max(1);
    let part = uuid::Uuid::now_v7().as_u128() % span;
    half + Duration::from_micros(u64::try_from(part).unwrap_or_default())
}
