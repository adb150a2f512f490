//! The table of an order's transitions.

use crate::orders::model::{Event, IllegalTransition, Status};

/// Returns the status that `event` leads to from `status`.
///
/// # Errors
/// Returns [`IllegalTransition`], with the events that `status` allows, if it does not allow `event`.
pub fn next_status(status: Status, event: Event) -> Result<Status, IllegalTransition> {
    target(status, event).ok_or_else(|| IllegalTransition {
        from: status,
        event,
        legal: legal(status),
    })
}

/// Returns the events that `status` allows.
#[must_use]
pub fn legal(status: Status) -> Vec<Event> {
    let events = Event::ALL.iter().copied();
    events
        .filter(|event| target(status, *event).is_some())
        .collect()
}

fn target(status: Status, event: Event) -> Option<Status> {
    match (status, event) {
        (Status::Pending, Event::Confirm) => Some(Status::Confirmed),
        (Status::Pending, Event::Fail) => Some(Status::Failed),
        (Status::Pending | Status::Confirmed, Event::Cancel) => Some(Status::Cancelled),
        (Status::Confirmed, Event::Process) => Some(Status::Processing),
        (Status::Processing, Event::Ship) => Some(Status::Shipped),
        (Status::Shipped, Event::Deliver) => Some(Status::Delivered),
        (Status::Delivered, Event::Complete) => Some(Status::Completed),
        (Status::Delivered | Status::Completed, Event::Return) => Some(Status::Returned),
        (
            Status::Pending
            | Status::Confirmed
            | Status::Processing
            | Status::Shipped
            | Status::Delivered
            | Status::Completed
            | Status::Returned
            | Status::Cancelled
            | Status::Failed,
            Event::Confirm
            | Event::Fail
            | Event::Cancel
            | Event::Process
            | Event::Ship
            | Event::Deliver
            | Event::Complete
            | Event::Return,
        ) => None,
    }
}
