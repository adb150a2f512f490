//! Orders and their parts.

use crate::catalog::sku::Sku;
use crate::customers::model::Email;
use crate::orders::details::Details;
use crate::orders::number::OrderNumber;
use crate::orders::redemptions::{self, Redemption};
use crate::orders::uses::Use;
use crate::pricing::breakdown::Breakdown;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, OrderId, ProductId, VariantId};
use crate::values::locale::Locale;
use crate::values::money::{Money, MoneyError};

mod status;

pub use status::{
    Course, Event, FailureCode, IllegalTransition, PaymentStatus, ReviewState, Status, UnknownName,
};

/// Why an order failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub code: FailureCode,
    /// For people; at most [`Failure::DETAIL_BYTES`] bytes, because it is stored in the header.
    pub detail: String,
}

impl Failure {
    /// The most bytes that a detail may have, so that the header stays within one write unit (1 KB).
    pub const DETAIL_BYTES: usize = 196;

    /// Returns a failure with `detail`, cut to [`Failure::DETAIL_BYTES`].
    #[must_use]
    pub fn new(code: FailureCode, detail: &str) -> Self {
        let detail = cut(detail);
        Self { code, detail }
    }
}

impl Review {
    /// Returns a review that is wanted because of `reasons`, cut to [`Failure::DETAIL_BYTES`].
    #[must_use]
    pub fn wanted(reasons: &str) -> Self {
        let reasons = cut(reasons);
        Self {
            state: ReviewState::Wanted,
            reasons,
        }
    }

    /// Returns a review that was decided as `state`.
    #[must_use]
    pub fn decided(state: ReviewState) -> Self {
        let reasons = String::new();
        Self { state, reasons }
    }
}

/// Cuts `text` to what the header has room for.
fn cut(text: &str) -> String {
    if text.len() <= Failure::DETAIL_BYTES {
        return text.to_owned();
    }
    let ellipsis = '…';
    let end = text.floor_char_boundary(Failure::DETAIL_BYTES - ellipsis.len_utf8());
    format!("{}{ellipsis}", &text[..end])
}

/// A review of an order: a rule asks an admin to look at the order before it is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Whether it is decided, and how.
    pub state: ReviewState,
    /// The messages of the rules, for people; cut as a [`Failure`]'s detail. Empty once it is decided.
    pub reasons: String,
}

/// A person who orders without an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The address for messages about the order.
    pub email: Email,
    /// The language of these messages.
    pub locale: Locale,
}

/// A variant in an order; an order has one line for each of its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Its SKU when the order was placed, if it was given one.
    pub sku: Option<Sku>,
    /// The product's name when the order was placed, with what tells the variant from others.
    pub name: String,
    /// The number of pieces.
    pub quantity: u32,
    /// The price of one piece when the order was placed.
    pub unit_price: Money,
    /// The price list that gave it, if it is not the product's own price.
    pub price_list: Option<String>,
}

impl Line {
    /// Returns the SKU: the variant's own, or else its identifier.
    #[must_use]
    pub fn sku(&self) -> Sku {
        Sku::of_variant(self.sku.as_ref(), self.variant_id)
    }

    /// Returns the variant, unless it has the product's identifier: what is stored beside the product.
    #[must_use]
    pub fn other_variant(&self) -> Option<VariantId> {
        Some(self.variant_id).filter(|variant| *variant != self.product_id.into())
    }

    /// Returns the price of the line, before discounts and tax.
    ///
    /// # Errors
    /// Returns [`MoneyError::TooLarge`] if [`Money`] cannot hold it.
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// An order, header and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its identifier.
    pub id: OrderId,
    /// Its number for people. Orders of earlier releases have none.
    pub number: Option<OrderNumber>,
    /// The customer; for a guest, an identifier that is made for this one order.
    pub customer_id: CustomerId,
    /// The guest who placed it, until an account claims it.
    pub guest: Option<Guest>,
    /// Its status.
    pub status: Status,
    /// The status of its payment.
    pub payment_status: PaymentStatus,
    /// The version of the payment whose refunds `payment_status` shows; 0 before the first.
    pub payment_version: u64,
    /// One line for each variant.
    pub lines: Vec<Line>,
    /// The parts of its total, with one entry for each line.
    pub breakdown: Breakdown,
    /// The uses of discounts that it took, and gives back when it fails or is cancelled.
    pub uses: Vec<Use>,
    /// What it costs.
    pub total: Money,
    /// What it takes from gift cards; the rest is charged.
    pub gift_cards: Vec<Redemption>,
    /// The address that it is shipped to, or that of the buyer if nothing is shipped.
    pub shipping_address: Address,
    /// What its customer tells about it.
    pub details: Details,
    /// Whether any of its goods are shipped. Orders of earlier releases count as shipped.
    pub is_shipped: bool,
    /// When its address is erased at the latest, if its customer was deleted.
    pub erase_at: Option<Time>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// Its review, if a rule asked for one.
    pub review: Option<Review>,
    /// The number of its events.
    pub version: u64,
    /// When it was placed.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// After this time nothing new is begun for it while it is pending.
    pub deadline_at: Time,
    /// The token that the gateway charges; `None` once the payment is settled. It must never be logged.
    pub payment_token: Option<String>,
    /// Its status before it was cancelled.
    pub cancelled_from: Option<Status>,
    /// When the workflow is run again; `None` once everything that the status demands is done.
    pub due_at: Option<Time>,
    /// How often `run-due-orders` has run it since its status changed.
    pub due_attempts: u32,
    /// How often the workflow was started anew; part of the execution's name.
    pub run: u32,
    /// Hash of the request that placed it.
    pub request_hash: String,
    /// Counts all writes of the header, with and without an event: every write is conditional on it.
    pub revision: u64,
    /// The last event.
    pub event: Stamp,
}

impl Order {
    /// Returns what gift cards pay of it.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn paid_by_gift_cards(&self) -> Result<Money, MoneyError> {
        redemptions::total(&self.gift_cards, self.total.currency())
    }

    /// Returns what the gateway charges for it.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn amount_due(&self) -> Result<Money, MoneyError> {
        redemptions::due(&self.gift_cards, self.total)
    }

    /// Returns the entity tag: `<version>-<payment status>`, and `-erased` once the address is erased, because both
    /// change without an event of the order.
    #[must_use]
    pub fn tag(&self) -> String {
        let erased = if self.is_erased() { "-erased" } else { "" };
        format!("{}-{}{erased}", self.version, self.payment_status.as_str())
    }

    /// Returns the order without what is personal in its lines: address, and what its customer told.
    #[must_use]
    pub fn with_erased_lines(&self) -> Self {
        Self {
            shipping_address: self.shipping_address.erased(),
            details: Details::default(),
            ..self.clone()
        }
    }

    /// Returns whether nothing personal is left of the order, or was ever given.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.guest.is_none()
            && self.shipping_address.is_erased()
            && self.details == Details::default()
    }

    /// Returns the sort key of lists of orders: the time, then the identifier.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}#{}", self.created_at, self.id)
    }

    /// Returns whether an admin has to review it before it is paid.
    #[must_use]
    pub fn awaits_review(&self) -> bool {
        let state = self.review.as_ref().map(|review| review.state);
        state == Some(ReviewState::Wanted)
    }

    /// Returns whether its deadline has passed at `now`.
    #[must_use]
    pub fn is_past_deadline(&self, now: Time) -> bool {
        now > self.deadline_at
    }
}
