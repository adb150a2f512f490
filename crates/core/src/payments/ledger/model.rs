//! Entries, and the accounts that they are between.

use std::fmt;
use std::str::FromStr;

use crate::values::clock::Time;
use crate::values::id::{EntryId, GiftCardId, OrderId, PaymentId, RefundId};
use crate::values::money::Money;

/// What moved, by its name on the wire and as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Movement {
    /// `authorised`: a gateway keeps an amount aside for an order.
    Authorised,
    /// `released`: an authorisation has ended, and this much of it was not captured.
    Released,
    /// `captured`: a customer has paid.
    Captured,
    /// `refunded`: money went back to the customer.
    Refunded,
    /// `refund_returned`: a refund had succeeded, and the money came back to the shop.
    RefundReturned,
    /// `fee`: a gateway has kept something for its work.
    Fee,
    /// `fee_returned`: it has given that back.
    FeeReturned,
    /// `disputed`: a customer has contested a charge, and the gateway holds the money back.
    Disputed,
    /// `dispute_won`: the gateway has given it back.
    DisputeWon,
    /// `dispute_lost`: the customer keeps it, and the shop writes it off.
    DisputeLost,
    /// `dispute_reopened`: a dispute that was lost is decided again.
    DisputeReopened,
    /// `gift_card_issued`: a gift card was issued, for money that came another way or for none.
    GiftCardIssued,
    /// `gift_card_redeemed`: an order was paid with one.
    GiftCardRedeemed,
    /// `gift_card_refunded`: money went back onto one.
    GiftCardRefunded,
}

impl Movement {
    /// Every movement.
    pub const ALL: [Self; 14] = [
        Self::Authorised,
        Self::Released,
        Self::Captured,
        Self::Refunded,
        Self::RefundReturned,
        Self::Fee,
        Self::FeeReturned,
        Self::Disputed,
        Self::DisputeWon,
        Self::DisputeLost,
        Self::DisputeReopened,
        Self::GiftCardIssued,
        Self::GiftCardRedeemed,
        Self::GiftCardRefunded,
    ];

    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "authorised",
            Self::Released => "released",
            Self::Captured => "captured",
            Self::Refunded => "refunded",
            Self::RefundReturned => "refund_returned",
            Self::Fee => "fee",
            Self::FeeReturned => "fee_returned",
            Self::Disputed => "disputed",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
            Self::DisputeReopened => "dispute_reopened",
            Self::GiftCardIssued => "gift_card_issued",
            Self::GiftCardRedeemed => "gift_card_redeemed",
            Self::GiftCardRefunded => "gift_card_refunded",
        }
    }

    /// Returns the account that is debited and the one that is credited when it happens at the gateway named `gateway`.
    #[must_use]
    pub fn accounts(self, gateway: &str) -> (Account, Account) {
        let authorizations = || Account(format!("authorizations:{gateway}"));
        let at_gateway = || Account(format!("gateway:{gateway}"));
        let named = |name: &str| Account(name.to_owned());
        match self {
            Self::Authorised => (authorizations(), named("authorized_orders")),
            Self::Released => (named("authorized_orders"), authorizations()),
            Self::Captured => (at_gateway(), named("sales")),
            Self::Refunded => (named("refunds"), at_gateway()),
            Self::RefundReturned => (at_gateway(), named("refunds")),
            Self::Fee => (named("fees"), at_gateway()),
            Self::FeeReturned => (at_gateway(), named("fees")),
            Self::Disputed => (named("disputes"), at_gateway()),
            Self::DisputeWon => (at_gateway(), named("disputes")),
            Self::DisputeLost => (named("dispute_losses"), named("disputes")),
            Self::DisputeReopened => (named("disputes"), named("dispute_losses")),
            Self::GiftCardIssued => (named("gift_cards_issued"), named("gift_cards")),
            Self::GiftCardRedeemed => (named("gift_cards"), named("sales")),
            Self::GiftCardRefunded => (named("refunds"), named("gift_cards")),
        }
    }
}

/// A text that is not the name of a movement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown movement {0:?}")]
pub struct UnknownMovement(String);

impl FromStr for Movement {
    type Err = UnknownMovement;

    fn from_str(text: &str) -> Result<Self, UnknownMovement> {
        let found = Self::ALL.into_iter().find(|of| of.as_str() == text);
        found.ok_or_else(|| UnknownMovement(text.to_owned()))
    }
}

/// An account, by its name on the wire and as stored; the [module](super) says what each is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account(pub(super) String);

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An entry: `amount` went from the account `credit` to the account `debit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The order, unless it is about a gift card that was issued.
    pub order_id: Option<OrderId>,
    /// Its payment.
    pub payment_id: Option<PaymentId>,
    /// The gift card, if it is about one.
    pub gift_card_id: Option<GiftCardId>,
    /// The version of the payment, or of what the order took from the gift card, that brought the entry about; 0 for a fee.
    pub version: u64,
    /// What moved.
    pub of: Movement,
    /// When that changed.
    pub at: Time,
    /// The account that is debited.
    pub debit: Account,
    /// The account that is credited.
    pub credit: Account,
    /// How much; more than zero.
    pub amount: Money,
    /// The refund, of an entry about one.
    pub refund_id: Option<RefundId>,
    /// The gateway's identifier of the movement, of an entry that its statement brought about.
    pub movement_id: Option<String>,
}

impl Entry {
    /// Returns its id, which follows from the payment or the gift card, its version, what moved, and the gateway's movement.
    #[must_use]
    pub fn id(&self) -> EntryId {
        let version = self.version.to_string();
        let payment = self.payment_id.map(|id| id.to_string());
        let payment = payment.unwrap_or_default();
        let mut parts = vec!["entry", &payment, &version, self.of.as_str()];
        let card = self.gift_card_id.map(|id| id.to_string());
        parts.extend(card.as_deref());
        parts.extend(self.movement_id.as_deref());
        EntryId::derived(&parts)
    }
}
