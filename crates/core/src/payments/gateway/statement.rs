//! The statement of a gateway: what it moved, as its own books say.

use super::GatewayError;
use crate::http::page::Page;
use crate::payments::days::Span;
use crate::payments::model::{ChargeKey, GatewayName};
use crate::values::clock::Time;
use crate::values::id::RefundId;
use crate::values::money::Money;

/// What moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A customer has paid.
    Charge,
    /// Money went back to a customer.
    Refund,
    /// A refund came back to the shop.
    RefundReturned,
    /// A bank has taken a disputed amount.
    Dispute,
    /// The bank has given it back.
    DisputeWon,
    /// Something that is not between the shop and its customers, such as a payout.
    Other,
}

/// What a gateway took for its work. It may be in another currency than what moved, that of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fee {
    /// It kept so much, more than zero.
    Kept(Money),
    /// It gave so much back that it had kept, more than zero.
    Returned(Money),
}

/// A movement of money at a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The gateway's identifier of it.
    pub id: String,
    /// What moved.
    pub kind: Kind,
    /// The charge that it is about, if the shop made that.
    pub charge: Option<ChargeKey>,
    /// The refund that it is about, if the shop made that.
    pub refund: Option<RefundId>,
    /// How much, not less than zero, in the currency of the charge.
    pub amount: Money,
    /// What the gateway took for it, if it says so.
    pub fee: Option<Fee>,
    /// When.
    pub at: Time,
}

/// A gateway that says what it moved.
pub trait Statements: Sync {
    /// Returns the gateways of the shop.
    fn gateways(&self) -> Vec<GatewayName>;

    /// Returns a page of what `gateway` moved in `span`, in any order, from after the page whose `next` was `after`. A page
    /// may be empty and not the last.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn movements(
        &self,
        gateway: &GatewayName,
        span: Span,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Page<Movement>, GatewayError>> + Send;
}
