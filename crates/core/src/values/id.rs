//! Identifiers: UUIDs, each kind its own type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::fmt::Hyphenated;
use uuid::{ContextV7, Timestamp, Uuid};

use crate::values::clock::Time;

/// The namespace of every derived (version 5) identifier: a random UUID chosen once for Oxcart.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f78_6361_7274_4d5b_9c1e_20fa_77e1_3b90);

/// A text that is not a UUID in the usual form with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct InvalidId;

/// Reads the usual spelling with hyphens, in any case (RFC 9562 section 4). It is always written in lower case, so a key
/// is never written in two ways.
fn parse(text: &str) -> Result<Uuid, InvalidId> {
    if text.len() != Hyphenated::LENGTH {
        return Err(InvalidId);
    }
    Uuid::try_parse(text).map_err(|_| InvalidId)
}

fn fresh(now: Time) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let nanos = u32::try_from((millis % 1000) * 1_000_000).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(ContextV7::new(), millis / 1000, nanos))
}

fn derived(parts: &[&str]) -> Uuid {
    // Lengths keep ["ab", "c"] and ["a", "bc"] apart.
    let name: String = parts
        .iter()
        .map(|part| format!("{}:{part}\n", part.len()))
        .collect();
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// Returns a new identifier (UUID version 7, RFC 9562) that sorts by `now`.
            #[must_use]
            pub fn fresh(now: Time) -> Self {
                Self(fresh(now))
            }

            /// Returns the identifier that follows from `parts` (UUID version 5): for creates with an
            /// idempotency key, and for things of which another thing has exactly one.
            #[must_use]
            pub fn derived(parts: &[&str]) -> Self {
                Self(derived(parts))
            }

            /// Returns the sixteen bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Returns the identifier with these bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Returns the shard, of `shards` (at least 1), that this identifier always belongs to.
            #[must_use]
            pub fn shard(self, shards: u32) -> u32 {
                stable_shard(self.0.as_bytes(), shards)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

identifiers! {
    /// An address in a customer's book.
    AddressId
    /// A customer.
    CustomerId
    /// A discount.
    DiscountId
    /// An entry in the ledger.
    EntryId
    /// A domain event; the same for every delivery of the same event.
    EventId
    /// An export of products or prices.
    ExportId
    /// A gift card.
    GiftCardId
    /// An image that is uploaded.
    ImageId
    /// An import of products or prices.
    ImportId
    /// A message to a customer.
    MessageId
    /// An order.
    OrderId
    /// A payment; one per order.
    PaymentId
    /// A product.
    ProductId
    /// A refund of a payment.
    RefundId
    /// A capture of a part of a payment.
    CaptureId
    /// An attempt to pay an order again.
    AttemptId
    /// A session: what lasts from a sign-in to the end of its refresh tokens.
    SessionId
    /// An access token.
    TokenId
    /// A variant of a product: what is sold, priced and stocked. The only variant of a product has the product's
    /// identifier.
    VariantId
}

impl From<ProductId> for VariantId {
    /// The only variant of a product.
    fn from(product: ProductId) -> Self {
        Self(product.0)
    }
}

impl VariantId {
    /// Returns the product that has the same identifier, if there is such a product.
    #[must_use]
    pub fn as_product(self) -> ProductId {
        ProductId(self.0)
    }
}

/// FNV-1a (32 bits), a hash that no release changes, reduced to `0..shards`.
fn stable_shard(bytes: &[u8], shards: u32) -> u32 {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    hash % shards.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_give_the_same_identifier_and_others_another() {
        assert_eq!(
            OrderId::derived(&["ab", "c"]),
            OrderId::derived(&["ab", "c"])
        );
        assert_ne!(
            OrderId::derived(&["ab", "c"]),
            OrderId::derived(&["a", "bc"])
        );
    }

    #[test]
    fn fresh_identifiers_sort_by_their_time() {
        let earlier = ProductId::fresh(Time::from_millis(1_000));
        let later = ProductId::fresh(Time::from_millis(1_001));
        assert!(earlier.to_string() < later.to_string());
        assert_ne!(ProductId::fresh(Time::from_millis(1_000)), earlier);
    }

    #[test]
    fn the_usual_spelling_is_accepted_in_any_case() {
        let id = OrderId::derived(&["x"]).to_string();
        assert!(id.parse::<OrderId>().is_ok());
        let upper: OrderId = id.to_uppercase().parse().unwrap();
        assert_eq!(upper.to_string(), id);
        for other in [
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
        ] {
            assert!(other.parse::<OrderId>().is_err(), "{other}");
        }
    }

    #[test]
    fn a_shard_is_stable_and_in_range() {
        let id = OrderId::derived(&["x"]);
        assert_eq!(id.shard(4), id.shard(4));
        assert!((0..100).all(|n| OrderId::derived(&[&n.to_string()]).shard(4) < 4));
        assert_eq!(id.shard(0), 0);
    }
}
