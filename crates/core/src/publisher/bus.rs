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

/// An entry that the bus did not take.
#[derive(Debug, thiserror::Error)]
#[error("entry {place} is not on the bus: {reason}")]
pub struct NotOnBus {
    /// Its place among the entries that were put, from 0.
    pub place: usize,
    /// The error code and message of the bus.
    pub reason: String,
    /// Whether the bus will never take it, because of what it contains.
    is_final: bool,
}

/// What became of entries that were put on the bus.
#[derive(Debug, Default)]
pub struct PutOutcome {
    /// The places of the entries that the bus will never take.
    pub rejected: Vec<usize>,
    /// The first entry that is not on the bus yet, after all attempts. Others may be on the bus.
    pub failed: Option<NotOnBus>,
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

    /// Puts `entries`, which must fit in one call, on the bus. Only the entries that the bus did not take yet are put
    /// again, after a pause.
    pub async fn put(&self, entries: &[&Entry]) -> PutOutcome {
        let mut outcome = PutOutcome::default();
        let mut remaining: Vec<usize> = (0..entries.len()).collect();
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let refused = match self.put_once(entries, &remaining).await {
                Ok(refused) => refused,
                // The SDK has tried it several times.
                Err(error) => {
                    outcome.failed = Some(error);
                    break;
                }
            };
            let (rejected, refused): (Vec<_>, Vec<_>) =
                refused.into_iter().partition(|entry| entry.is_final);
            outcome
                .rejected
                .extend(rejected.iter().map(|entry| entry.place));
            remaining = refused.iter().map(|entry| entry.place).collect();
            outcome.failed = refused.into_iter().next();
            if outcome.failed.is_none() || attempt == ATTEMPTS {
                break;
            }
            tokio::time::sleep(jittered(pause)).await;
            pause *= 2;
        }
        outcome
    }

    /// Puts the entries at `places`. Returns those that the bus did not take.
    ///
    /// # Errors
    /// Returns the first entry if the call fails as a whole.
    async fn put_once(
        &self,
        entries: &[&Entry],
        places: &[usize],
    ) -> Result<Vec<NotOnBus>, NotOnBus> {
        let wire = places
            .iter()
            .map(|place| self.wire(entries[*place]))
            .collect();
        let first = places.first().copied().unwrap_or_default();
        let request = self.client.put_events().set_entries(Some(wire));
        let response = request.send().await.map_err(|error| NotOnBus {
            place: first,
            reason: crate::aws::telemetry::chain(&error),
            is_final: false,
        })?;
        if response.failed_entry_count == 0 {
            return Ok(Vec::new());
        }
        let results = response.entries.unwrap_or_default();
        let refused = places.iter().zip(results).filter_map(|(place, result)| {
            let code = result.error_code?;
            let message = result.error_message.unwrap_or_default();
            Some(NotOnBus {
                place: *place,
                is_final: is_final(&code),
                reason: format!("{code}: {message}"),
            })
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

/// Whether the error `code` of an entry is about what the entry contains, so that the bus will never take it. Other
/// errors pass by themselves (`ThrottlingException`, `InternalFailure`), or once an operator has mended what the
/// function may do (`AccessDeniedException`, `NotAuthorizedForSourceException`).
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>
fn is_final(code: &str) -> bool {
    ["InvalidArgument", "MalformedDetail", "RedactionFailure"].contains(&code)
}

/// Returns a random duration between half of `pause` and `pause`, so that functions that failed at the same
/// moment do not retry at the same moment.
fn jittered(pause: Duration) -> Duration {
    let half = pause / 2;
    let span = half.as_micros().max(1);
    let part = uuid::Uuid::now_v7().as_u128() % span;
    half + Duration::from_micros(u64::try_from(part).unwrap_or_default())
}
