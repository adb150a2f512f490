//! Transactions with a `ClientRequestToken`: carried out once in ten minutes.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::database::Database;
use crate::aws::AwsError;

/// How long DynamoDB remembers a token.
const KEPT: Duration = Duration::from_mins(10);

/// The transactions of the last ten minutes, by token.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    seen: HashMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    at: Timestamp,
    items: Value,
    /// What asking again costs: the written items are read.
    replay: Value,
}

/// `TransactWriteItems`: a token seen before with the same items answers without writing again.
///
/// # Errors
/// As DynamoDB; `IdempotentParameterMismatchException` for a token seen with other items. A failed
/// transaction leaves its token free.
pub(super) fn transact(
    tokens: &mut Tokens,
    database: &Database,
    mut body: Value,
    now: Timestamp,
) -> Result<Value, AwsError> {
    let token = match body
        .as_object_mut()
        .and_then(|body| body.remove("ClientRequestToken"))
    {
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
    tokens.seen.retain(|_, seen| {
        Duration::try_from(now.duration_since(seen.at)).is_ok_and(|age| age < KEPT)
    });
    let items = body["TransactItems"].clone();
    if let Some(seen) = tokens.seen.get(&token) {
        if seen.items != items {
            return Err(AwsError::client(
                "IdempotentParameterMismatchException",
                "The token was used with other parameters",
            ));
        }
        let wanted = body.get("ReturnConsumedCapacity").and_then(Value::as_str);
        return Ok(match wanted {
            None | Some("NONE") => json!({}),
            Some(_) => json!({ "ConsumedCapacity": seen.replay }),
        });
    }
    let answer = database.call("TransactWriteItems", body)?;
    let replay = replay_cost(database, &items);
    tokens.seen.insert(
        token,
        Seen {
            at: now,
            items,
            replay,
        },
    );
    Ok(answer)
}

/// Two read units for each 4 KB of each item, by table.
fn replay_cost(database: &Database, items: &Value) -> Value {
    let mut by_table: HashMap<String, u64> = HashMap::new();
    for action in items.as_array().into_iter().flatten() {
        for request in action
            .as_object()
            .into_iter()
            .flat_map(|action| action.values())
        {
            let table = request["TableName"].as_str().unwrap_or_default().to_owned();
            let size = item_size(database, &table, request);
            *by_table.entry(table).or_default() += 2 * size.div_ceil(4096).max(1);
        }
    }
    let units = |(table, units): (String, u64)| json!({"TableName": table, "CapacityUnits": units, "ReadCapacityUnits": units});
    by_table.into_iter().map(units).collect()
}

fn item_size(database: &Database, table: &str, request: &Value) -> u64 {
    let item = match (request.get("Item"), request.get("Key")) {
        (Some(item), _) => Some(item.clone()),
        (None, Some(key)) => {
            let get = json!({"TableName": table, "Key": key, "ConsistentRead": true});
            database
                .call("GetItem", get)
                .ok()
                .and_then(|answer| answer.get("Item").cloned())
        }
        (None, None) => None,
    };
    item.map_or(0, |item| super::capacity::item_size(&item))
}
