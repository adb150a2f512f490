//! Stream records in the engine's file, and how far each mapping has read.

use dynoxide::DynoxideError;
use dynoxide::actions::get_records::{self, GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::encode_shard_iterator;
use dynoxide::streams::shard_id;
use futures::FutureExt;

use super::engine::Engine;

/// What the engine adds to a sequence number to show it.
const SEQUENCE_OFFSET: u128 = 100_000_000_000_000_000_000;

/// How long DynamoDB keeps a stream record, in seconds: 24 hours.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// How far `mapping` has read; 0 at first.
pub(super) fn position(engine: &Engine, mapping: &str) -> Result<i64, DynoxideError> {
    let inner = engine.lock();
    let mut found = inner
        .database
        .storage
        .conn()
        .prepare_cached("SELECT position FROM _stream_positions WHERE mapping = ?1")?;
    Ok(found
        .query_map([mapping], |row| row.get(0))?
        .next()
        .transpose()?
        .unwrap_or(0))
}

/// Remembers that `mapping` has read its table up to `position`, and forgets the records of the
/// table that all `mappings` of it have passed; the last one stays, because sequence numbers go on
/// from it.
pub(super) fn advance(
    engine: &Engine,
    table: &str,
    mapping: &str,
    mappings: &[String],
    position: i64,
) -> Result<(), DynoxideError> {
    let inner = engine.lock();
    let connection = inner.database.storage.conn();
    let transaction = connection.unchecked_transaction()?;
    transaction
        .prepare_cached(
            "INSERT INTO _stream_positions (mapping, position) VALUES (?1, ?2)
             ON CONFLICT (mapping) DO UPDATE SET position = ?2",
        )?
        .execute((mapping, position))?;
    let mut passed = position;
    for other in mappings {
        let mut found = transaction
            .prepare_cached("SELECT position FROM _stream_positions WHERE mapping = ?1")?;
        let other: Option<i64> = found
            .query_map([other], |row| row.get(0))?
            .next()
            .transpose()?;
        passed = passed.min(other.unwrap_or(0));
    }
    transaction
        .prepare_cached(
            "DELETE FROM _stream_records
             WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) < ?2",
        )?
        .execute((table, passed))?;
    transaction.commit()?;
    Ok(())
}

/// The records of a table after `position`, in order, each with its own position.
pub(super) fn records(
    engine: &Engine,
    table: &str,
    position: i64,
    limit: usize,
) -> Result<Vec<(i64, Record)>, DynoxideError> {
    let inner = engine.lock();
    let request = GetRecordsRequest {
        shard_iterator: encode_shard_iterator(table, &shard_id(table), position),
        limit: Some(limit),
    };
    // The engine's futures never wait.
    let answer = get_records::execute(&inner.database.storage, request).now_or_never();
    let records = answer
        .transpose()?
        .map(|answer| answer.records)
        .unwrap_or_default();
    Ok(records
        .into_iter()
        .map(|record| (position_of(&record), record))
        .collect())
}

/// Forgets records that are older than DynamoDB keeps them, except each table's last.
pub(super) fn forget_old(engine: &Engine, now: i64) -> Result<(), DynoxideError> {
    let inner = engine.lock();
    inner.database.storage.conn().execute(
        "DELETE FROM _stream_records WHERE created_at < ?1
         AND id NOT IN (SELECT MAX(id) FROM _stream_records GROUP BY table_name)",
        [now.saturating_sub(KEPT_SECONDS)],
    )?;
    Ok(())
}

fn position_of(record: &Record) -> i64 {
    let shown: u128 = record
        .dynamodb
        .sequence_number
        .parse()
        .unwrap_or(SEQUENCE_OFFSET);
    i64::try_from(shown.saturating_sub(SEQUENCE_OFFSET)).unwrap_or(i64::MAX)
}
