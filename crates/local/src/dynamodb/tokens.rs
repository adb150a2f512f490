//! Transactions with a `ClientRequestToken`: carried out once in ten minutes.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use dynoxide::Item;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::database::{self, Answer, Database};
use crate::aws::AwsError;

/// How long DynamoDB remembers a token.
const KEPT: Duration = Duration::from_mins(10);

/// The transactions of the last ten minutes, by token.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    seen: HashMap<String, Remembered>,
    /// When each was seen, oldest first.
    times: VecDeque<(Timestamp, String)>,
}

#[derive(Debug)]
struct Remembered {
    /// A hash of the items: as JSON values they would take tens of kilobytes for each transaction.
    items: [u8; 32],
    /// What asking again costs: the written items are read.
    replay: Value,
}

impl Tokens {
    /// Forgets the oldest, as far as their time has passed: most calls find none.
    fn forget_old(&mut self, now: Timestamp) {
        let is_kept = |at| Duration::try_from(now.duration_since(at)).is_ok_and(|age| age < KEPT);
        while self.times.front().is_some_and(|(at, _)| !is_kept(*at)) {
            if let Some((_, token)) = self.times.pop_front() {
                self.seen.remove(&token);
            }
        }
    }
}

/// `TransactWriteItems`: a token seen before with the same items succeeds without writing again.
///
/// # Errors
/// As DynamoDB; `IdempotentParameterMismatchException` for a token seen with other items. A failed
/// transaction leaves its token free.
pub(super) fn transact(
    tokens: &mut Tokens,
    database: &Database,
    body: &Value,
    now: Timestamp,
) -> Result<Answer, AwsError> {
    let token = match body.get("ClientRequestToken") {
        Some(Value::String(token)) => token,
        Some(_) => return Err(AwsError::validation("ClientRequestToken is not a string")),
        None => return database.call("TransactWriteItems", body),
    };
    if token.is_empty() || token.chars().count() > 36 {
        return Err(AwsError::validation(
            "1 validation error detected: Value at 'clientRequestToken' failed to satisfy \
             constraint: Member must have length between 1 and 36",
        ));
    }
    tokens.forget_old(now);
    let items = Sha256::digest(body["TransactItems"].to_string()).into();
    if let Some(seen) = tokens.seen.get(token) {
        if seen.items != items {
            return Err(AwsError::client(
                "IdempotentParameterMismatchException",
                "The token was used with other parameters",
            ));
        }
        let wanted = body.get("ReturnConsumedCapacity").and_then(Value::as_str);
        let asked = wanted.is_some_and(|wanted| wanted != "NONE");
        return Ok(Answer {
            body: Bytes::from_static(b"{}"),
            consumed: asked.then(|| seen.replay.clone()),
        });
    }
    let mut request: TransactWriteItemsRequest = database::request(body)?;
    request.client_request_token = None;
    let images = written_images(&request);
    let answer = database.transact_write(request)?;
    tokens.times.push_back((now, token.clone()));
    tokens.seen.insert(
        token.clone(),
        Remembered {
            items,
            replay: replay_cost(database, images),
        },
    );
    Ok(answer)
}

/// What is known of an item of a transaction before it is written.
enum Image {
    /// Its size.
    Whole(usize),
    Key(Item),
}

/// The items of a transaction, each with its table.
fn written_images(request: &TransactWriteItemsRequest) -> Vec<(String, Image)> {
    let mut images = Vec::with_capacity(request.transact_items.len());
    for action in &request.transact_items {
        if let Some(put) = &action.put {
            let size = dynoxide::types::item_size(&put.item);
            images.push((put.table_name.clone(), Image::Whole(size)));
        }
        let updated = action.update.as_ref().map(|a| (&a.table_name, &a.key));
        let deleted = action.delete.as_ref().map(|a| (&a.table_name, &a.key));
        let checked = action.condition_check.as_ref();
        let checked = checked.map(|a| (&a.table_name, &a.key));
        let keys = [updated, deleted, checked].into_iter().flatten();
        images.extend(keys.map(|(table, key)| (table.clone(), Image::Key(key.clone()))));
    }
    images
}

/// Two read units for each 4 KB of each item, by table.
fn replay_cost(database: &Database, images: Vec<(String, Image)>) -> Value {
    let mut by_table: HashMap<String, usize> = HashMap::new();
    for (table, image) in images {
        let size = match image {
            Image::Whole(size) => size,
            Image::Key(key) => database.item_size(&table, key),
        };
        *by_table.entry(table).or_default() += 2 * size.div_ceil(4096).max(1);
    }
    let units = |(table, units): (String, usize)| json!({"TableName": table, "CapacityUnits": units, "ReadCapacityUnits": units});
    by_table.into_iter().map(units).collect()
}
