//! Transactions with a `ClientRequestToken`: carried out once in ten minutes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
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

/// The transactions of the last ten minutes, by a hash of their tokens. There may be hundreds of thousands, so each
/// takes little more than a hundred bytes.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    seen: HashMap<Hash, Remembered>,
    /// When each was seen, oldest first.
    times: VecDeque<(Timestamp, Hash)>,
    /// The names of the tables in `seen`.
    tables: HashSet<Arc<str>>,
}

/// The first half of a SHA-256.
type Hash = [u8; 16];

#[derive(Debug)]
struct Remembered {
    /// A hash of the items.
    items: Hash,
    /// What asking again costs: the written items are read. Read units by table.
    replay: Box<[(Arc<str>, usize)]>,
}

/// Returns a hash of `text`.
fn hash(text: &str) -> Hash {
    let mut hash = Hash::default();
    hash.iter_mut()
        .zip(Sha256::digest(text))
        .for_each(|(to, from)| *to = from);
    hash
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

impl Tokens {
    /// The one copy of a table's name.
    fn table(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.tables.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        self.tables.insert(new.clone());
        new
    }
}

impl Remembered {
    /// What the API says of the cost of asking again.
    fn consumed(&self) -> Value {
        let units = |(table, units): &(Arc<str>, usize)| json!({"TableName": table.as_ref(), "CapacityUnits": units, "ReadCapacityUnits": units});
        self.replay.iter().map(units).collect()
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
    let (token, items) = (hash(token), hash(&body["TransactItems"].to_string()));
    if let Some(seen) = tokens.seen.get(&token) {
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
            consumed: asked.then(|| seen.consumed()),
        });
    }
    let mut request: TransactWriteItemsRequest = database::request(body)?;
    request.client_request_token = None;
    let images = written_images(&request);
    let answer = database.transact_write(request)?;
    let replay = replay_cost(database, images).into_iter();
    let replay = replay.map(|(table, units)| (tokens.table(&table), units));
    let replay = replay.collect();
    tokens.times.push_back((now, token));
    tokens.seen.insert(token, Remembered { items, replay });
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
fn replay_cost(database: &Database, images: Vec<(String, Image)>) -> HashMap<String, usize> {
    let mut by_table: HashMap<String, usize> = HashMap::new();
    for (table, image) in images {
        let size = match image {
            Image::Whole(size) => size,
            Image::Key(key) => database.item_size(&table, key),
        };
        *by_table.entry(table).or_default() += 2 * size.div_ceil(4096).max(1);
    }
    by_table
}
