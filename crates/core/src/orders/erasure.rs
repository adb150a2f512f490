//! What becomes of the orders of a customer who has gone: `CustomerDeleted`.
//!
//! An order that is over for good loses its address at once: recipient, street, town and phone; the
//! country stays for the books. One that is on its way keeps it, because a parcel needs it, and is
//! marked: whatever brings the order to its end erases it then ([`super::workflow::close_order`]).

use super::model::{Course, Order};
use super::rules;
use super::store::OrderStore;
use crate::dynamo::StoreError;
use crate::events::Delivered;
use crate::id::{CustomerId, NotAnId};
use crate::lambda::Message;
use crate::page::PageRequest;

/// Why a message is delivered again.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// It is no event.
    #[error("the message is no event")]
    Unreadable(#[from] serde_json::Error),
    /// It is another event.
    #[error("the event {0:?} is none of a deleted customer")]
    Type(String),
    /// It is of no customer.
    #[error("the event is of no customer")]
    NoCustomer(#[from] NotAnId),
    /// Some orders are just being closed; the next delivery finds them closed.
    #[error("{0} orders are being closed")]
    Closing(usize),
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes the addresses out of the customer's orders.
///
/// # Errors
/// [`ErasureError`]; the message is to be delivered again.
pub async fn on_customer_deleted(
    orders: &OrderStore,
    message: Message,
) -> Result<(), ErasureError> {
    let event = Delivered::parse(&message.body)?.detail;
    if event.event_type != "CustomerDeleted" {
        return Err(ErasureError::Type(event.event_type));
    }
    let customer: CustomerId = event.aggregate_id.parse()?;
    let mut page = PageRequest {
        limit: 100,
        after: None,
    };
    let mut closing = 0;
    loop {
        let found = orders.by_customer(customer, None, &page).await?;
        for order in found.items {
            closing += usize::from(!erase(orders, order).await?);
        }
        if found.next.is_none() {
            break;
        }
        page.after = found.next;
    }
    if closing == 0 {
        Ok(())
    } else {
        Err(ErasureError::Closing(closing))
    }
}

/// Erases the order's address now, or marks the order; `false` if it is just being closed, by a step
/// that may have read it before it was marked.
async fn erase(orders: &OrderStore, listed: Order) -> Result<bool, StoreError> {
    // The index was read, which lags.
    let Some(order) = orders.get(listed.id).await? else {
        return Ok(true);
    };
    if rules::is_over(&order) {
        orders.erase_address(&order).await?;
        return Ok(true);
    }
    if order.status.course() == Course::Closed {
        return Ok(false);
    }
    orders.erase_address_later(order.id).await?;
    let now = orders.get(order.id).await?;
    Ok(now.is_none_or(|order| order.status.course() != Course::Closed))
}

#[cfg(test)]
mod tests;
