//! What a customer tells about an order that changes neither its price nor where it goes.

use std::collections::BTreeMap;

use crate::http::address;
use crate::http::body::Body;
use crate::values::address::Address;

/// The most pairs of [`Details::metadata`].
const MOST_PAIRS: usize = 20;

/// What a customer tells about an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Who pays, if that is not who receives the parcel.
    pub billing_address: Option<Address>,
    /// For the shop, such as where to leave the parcel: 1 to 1,000 characters.
    pub note: Option<String>,
    /// For the client that placed the order: at most 20 texts by name.
    pub metadata: BTreeMap<String, String>,
    /// Whether the order waits for another token if its payment is declined.
    pub retryable: bool,
}

/// Reads the fields `billing_address`, `note` and `metadata`.
pub(super) fn read(body: &mut Body<'_>) -> Option<Details> {
    let billing_address = body.optional("billing_address", |json| json.object(address::read));
    let note = body.optional("note", |json| json.text(1..=1000));
    let metadata = body.optional("metadata", |json| json.texts(MOST_PAIRS, 1..=40, 0..=255));
    Some(Details {
        billing_address: billing_address?,
        note: note?,
        metadata: metadata?.unwrap_or_default(),
        retryable: false,
    })
}
