//! The rules by which discounts change: pure functions.

use super::model::{Code, Discount, DiscountError, Terms, Unlimited};
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::DiscountId;

/// Returns the entity tag of a discount: its version.
#[must_use]
pub fn tag(discount: &Discount) -> String {
    discount.version.to_string()
}

/// Returns the first version of a discount.
///
/// # Errors
/// Returns [`DiscountError::Window`] if `terms` end before they start.
pub fn create(
    id: DiscountId,
    code: Option<Code>,
    terms: Terms,
    request_hash: Option<String>,
    now: Time,
) -> Result<Discount, DiscountError> {
    let terms = check_window(terms)?;
    Ok(Discount {
        id,
        code,
        terms,
        ended: false,
        was_unlimited: Unlimited::default(),
        single_use_codes: false,
        version: 1,
        created_at: now,
        updated_at: now,
        request_hash,
        event: Stamp::new(id, 1, "DiscountCreated", now),
    })
}

/// Returns the next version of `discount`, which has `terms`; `None` if it has these terms already.
///
/// # Errors
/// Returns [`DiscountError::Stale`] if `expected` names another version, [`DiscountError::Ended`] if the
/// discount has ended, and [`DiscountError::Window`] if `terms` end before they start.
pub fn update(
    discount: &Discount,
    terms: Terms,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<Discount>, DiscountError> {
    if !expected.allows(&tag(discount)) {
        return Err(DiscountError::Stale);
    }
    if discount.ended {
        return Err(DiscountError::Ended);
    }
    let terms = check_window(terms)?;
    if terms == discount.terms {
        return Ok(None);
    }
    let has_code = discount.code.is_some() || discount.single_use_codes;
    let (before, was) = (&discount.terms, discount.was_unlimited);
    let was_unlimited = Unlimited {
        in_total: was.in_total || has_code && before.usage_limit.is_none(),
        per_customer: was.per_customer || has_code && before.limit_per_customer().is_none(),
    };
    let changed = Discount {
        terms,
        was_unlimited,
        ..discount.clone()
    };
    Ok(Some(next_version(changed, "DiscountChanged", now)))
}

/// Returns the next version of `discount`, which has ended; `None` if it has ended already, whatever
/// `expected` says, because the request has been carried out before (RFC 9110 section 13.1.1).
///
/// # Errors
/// Returns [`DiscountError::Stale`] if `expected` names another version.
pub fn end(
    discount: &Discount,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<Discount>, DiscountError> {
    if discount.ended {
        return Ok(None);
    }
    if !expected.allows(&tag(discount)) {
        return Err(DiscountError::Stale);
    }
    let ended = Discount {
        ended: true,
        ..discount.clone()
    };
    Ok(Some(next_version(ended, "DiscountEnded", now)))
}

/// Returns `terms` if they start before they end.
fn check_window(terms: Terms) -> Result<Terms, DiscountError> {
    match (terms.starts_at, terms.ends_at) {
        (Some(start), Some(end)) if start >= end => Err(DiscountError::Window),
        (Some(_) | None, Some(_) | None) => Ok(terms),
    }
}

/// Increments the version of `discount` and gives it the event of the change.
fn next_version(discount: Discount, event_type: &str, now: Time) -> Discount {
    let version = discount.version + 1;
    let updated_at = now.no_earlier_than(discount.updated_at);
    Discount {
        version,
        updated_at,
        event: Stamp::new(discount.id, version, event_type, updated_at),
        ..discount
    }
}
