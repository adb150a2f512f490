//! Transactions: all of several writes, or none.

use std::time::Instant;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::error::StoreError;
use super::patience::{CONFLICT_PATIENCE, pause};
use super::table::Table;
use super::write::{Change, Write, Written};
use crate::aws::gate;

impl Table {
    /// Executes all of `writes` (at most 100) or none. A conflict with another transaction says nothing
    /// about the conditions, so it is retried with jitter for a while.
    ///
    /// The token that makes a repeated request harmless is a UUID with the operating system's randomness. The SDK's own
    /// tokens follow from 64 bits that are seeded with the time at which the process started.
    ///
    /// # Errors
    /// Returns [`StoreError::Busy`] if the conflict persists, or another [`StoreError`].
    #[must_use]
    pub fn transact(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<Written, StoreError>> {
        Box::pin(async move {
            gate::admitted().await;
            let items: Vec<TransactWriteItem> = writes
                .into_iter()
                .map(transact_item)
                .collect::<Result<_, _>>()?;
            let started = Instant::now();
            loop {
                let request = self.client.transact_write_items();
                let request = request
                    .set_transact_items(Some(items.clone()))
                    .client_request_token(Uuid::now_v7().to_string());
                let Err(error) = request.send().await else {
                    return Ok(Written::Done);
                };
                match reasons(&error) {
                    Some(Cancelled::Refused(places)) => return Ok(Written::Refused(places)),
                    Some(Cancelled::Contended) if started.elapsed() < CONFLICT_PATIENCE => {
                        pause(started).await;
                    }
                    Some(Cancelled::Contended) => return Err(StoreError::Busy(error.into())),
                    None => return Err(StoreError::from_sdk(error)),
                }
            }
        })
    }
}

enum Cancelled {
    /// The conditions of the writes at these places did not hold.
    Refused(Vec<usize>),
    /// There was a conflict with another write, throttling, or another transaction with the same token.
    Contended,
}

/// Why a transaction was cancelled; `None` for every other error.
fn reasons(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    let error = error.as_service_error()?;
    if error.is_idempotent_parameter_mismatch_exception() {
        return Some(Cancelled::Contended);
    }
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return None;
    };
    let codes: Vec<&str> = cancelled
        .cancellation_reasons()
        .iter()
        .map(|reason| reason.code().unwrap_or_default())
        .collect();
    let refused: Vec<usize> = codes
        .iter()
        .enumerate()
        .filter(|(_, code)| **code == "ConditionalCheckFailed")
        .map(|(place, _)| place)
        .collect();
    let contended = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    if codes.iter().any(|code| contended.contains(code)) {
        // A condition may have failed on a state that the other transaction is about to change.
        Some(Cancelled::Contended)
    } else if refused.is_empty() {
        None
    } else {
        Some(Cancelled::Refused(refused))
    }
}

fn transact_item(write: Write) -> Result<TransactWriteItem, StoreError> {
    let Write {
        table,
        change,
        condition,
        terms,
    } = write;
    let (names, values) = (terms.names(), terms.values());
    let none = Some(ReturnValuesOnConditionCheckFailure::None);
    let item = TransactWriteItem::builder();
    let item = match change {
        Change::Put(put) => Put::builder()
            .table_name(table)
            .set_item(Some(put))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure(none)
            .build()
            .map(|put| item.put(put)),
        Change::Update(key, expression) => Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure(none)
            .build()
            .map(|update| item.update(update)),
        Change::Delete(key) => Delete::builder()
            .table_name(table)
            .set_key(Some(key))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure(none)
            .build()
            .map(|delete| item.delete(delete)),
        Change::Check(key) => ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure(none)
            .build()
            .map(|check| item.condition_check(check)),
    };
    Ok(item
        .map_err(|error| StoreError::Failed(error.into()))?
        .build())
}
