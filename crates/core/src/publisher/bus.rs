//! The event bus: the adapter to EventBridge.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use super::rules::Entry;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};

/// How often an entry is put that the bus refuses, and the first pause between two attempts; each further
/// pause is twice as long.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The event bus whose name is the setting `BUS_NAME`.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
}

/// The first entry that the bus did not take after all attempts.
#[derive(Debug, thiserror::Error)]
#[error("entry {place} is not on the bus: {reason}")]
pub struct NotOnBus {
    /// Its place among the entries that were put, from 0.
    pub place: usize,
    /// The error code and message of the bus.
    pub reason: String,
}

impl Bus {
    /// Creates the client of this function's bus.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.eventbridge(),
            name: aws.settings().read(Setting::BusName)?,
        })
    }

    /// Puts `entries`, which must fit in one call, on the bus. Only the entries that are refused are put
    /// again, after a pause.
    ///
    /// # Errors
    /// Returns [`NotOnBus`] for the first entry that is still refused; others may be on the bus.
    pub async fn put(&self, entries: &[&Entry]) -> Result<(), NotOnBus> {
        let mut remaining: Vec<usize> = (0..entries.len()).collect();
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let refused = self.put_once(entries, &remaining).await?;
            let Some((place, reason)) = refused.first().cloned() else {
                return Ok(());
            };
            if attempt == ATTEMPTS {
                return Err(NotOnBus { place, reason });
            }
            remaining = refused.into_iter().map(|(place, _)| place).collect();
            tokio::time::sleep(jittered(pause)).await;
            pause *= 2;
        }
        Ok(())
    }

    /// Puts the entries at `places`. Returns the places of those that were refused, with the reasons.
    async fn put_once(
        &self,
        entries: &[&Entry],
        places: &[usize],
    ) -> Result<Vec<(usize, String)>, NotOnBus> {
        let wire = places
            .iter()
            .map(|place| self.wire(entries[*place]))
            .collect();
        let first = places.first().copied().unwrap_or_default();
        let request = self.client.put_events().set_entries(Some(wire));
        let response = request.send().await.map_err(|error| NotOnBus {
            place: first,
            reason: crate::aws::telemetry::chain(&error),
        })?;
        if response.failed_entry_count == 0 {
            return Ok(Vec::new());
        }
        let results = response.entries.unwrap_or_default();
        let refused = places.iter().zip(results).filter_map(|(place, result)| {
            let code = result.error_code?;
            let message = result.error_message.unwrap_or_default();
            Some((*place, format!("{code}: {message}")))
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

/// Returns a random duration between half of `pause` and `pause`, so that functions that failed at the same
/// moment do not retry at the same moment.
fn jittered(pause: Duration) -> Duration {
    let half = pause / 2;
    let span = half.as_micros().max(1);
    let part = uuid::Uuid::now_v7().as_u128() % span;
    half + Duration::from_micros(u64::try_from(part).unwrap_or_default())
}
