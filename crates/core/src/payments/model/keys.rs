//! The idempotency keys of charges and refunds.

use std::fmt;
use std::str::FromStr;

use crate::payments::providers::GatewayName;
use crate::values::id::{OrderId, RefundId};

/// The idempotency key of one attempt to charge an order, `<order>:<attempt>`: the gateway charges once for each
/// key, however often it is called. It also says which gateway that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeKey {
    /// The order.
    pub order_id: OrderId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    gateway: Option<GatewayName>,
}

/// A text that is not the key of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the key of a charge")]
pub struct InvalidChargeKey;

impl FromStr for ChargeKey {
    type Err = InvalidChargeKey;

    fn from_str(text: &str) -> Result<Self, InvalidChargeKey> {
        let (order_id, attempt) = text.split_once(':').ok_or(InvalidChargeKey)?;
        let order_id = order_id.parse().map_err(|_| InvalidChargeKey)?;
        let attempt = attempt.parse().map_err(|_| InvalidChargeKey)?;
        Ok(Self::new(order_id, attempt))
    }
}

impl ChargeKey {
    /// Returns the key of attempt number `attempt`, at the only gateway of the shop.
    #[must_use]
    pub fn new(order_id: OrderId, attempt: u32) -> Self {
        Self {
            order_id,
            attempt,
            gateway: None,
        }
    }

    /// Returns this key at `gateway`.
    #[must_use]
    pub fn at(self, gateway: GatewayName) -> Self {
        Self {
            gateway: Some(gateway),
            ..self
        }
    }

    /// Returns the gateway, unless there is only one.
    #[must_use]
    pub fn gateway(&self) -> Option<&GatewayName> {
        self.gateway.as_ref()
    }

    /// Returns the name of the account at the gateway's provider, if it has one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.gateway.as_ref().and_then(GatewayName::account)
    }
}

impl fmt::Display for ChargeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.order_id, self.attempt)
    }
}

/// The idempotency key of a refund, `<order>:<attempt>:<refund>`: the gateway refunds once for each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundKey {
    /// The charge that is refunded.
    pub charge: ChargeKey,
    /// The refund.
    pub refund: RefundId,
}

impl fmt::Display for RefundKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.charge, self.refund)
    }
}
