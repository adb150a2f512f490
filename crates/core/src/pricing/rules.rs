//! What may happen to a discount: pure decisions.

use super::model::{Code, Discount, DiscountError, Terms};
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::DiscountId;

/// The entity tag of a discount: its version.
#[must_use]
pub fn tag(discount: &Discount) -> String {
    discount.version.to_string()
}

/// The first version of a discount.
///
/// # Errors
/// [`DiscountError::Window`].
pub fn create(
    id: DiscountId,
    code: Option<Code>,
    terms: Terms,
    request_hash: Option<String>,
    now: Time,
) -> Result<Discount, DiscountError> {
    let terms = whole(terms)?;
    Ok(Discount {
        id,
        code,
        terms,
        ended: false,
        version: 1,
        created_at: now,
        updated_at: now,
        request_hash,
        event: Stamp::new(id, 1, "DiscountCreated", now),
    })
}

/// The version after `discount` with `terms`; `None` if those are its own.
///
/// # Errors
/// [`DiscountError::Stale`] if `expected` is another version, [`DiscountError::Ended`],
/// [`DiscountError::Window`].
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
    let terms = whole(terms)?;
    if terms == discount.terms {
        return Ok(None);
    }
    let changed = Discount {
        terms,
        ..discount.clone()
    };
    Ok(Some(next(changed, "DiscountChanged", now)))
}

/// `discount` over for good; `None` if it is so already, whatever was expected: the request has been
/// carried out before (RFC 9110 section 13.1.1).
///
/// # Errors
/// [`DiscountError::Stale`] if `expected` is another version.
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
    Ok(Some(next(ended, "DiscountEnded", now)))
}

/// Terms whose window is open at some time.
fn whole(terms: Terms) -> Result<Terms, DiscountError> {
    match (terms.starts_at, terms.ends_at) {
        (Some(start), Some(end)) if start >= end => Err(DiscountError::Window),
        (Some(_) | None, Some(_) | None) => Ok(terms),
    }
}

fn next(discount: Discount, event_type: &str, now: Time) -> Discount {
    let version = discount.version + 1;
    let updated_at = now.no_earlier_than(discount.updated_at);
    Discount {
        version,
        updated_at,
        event: Stamp::new(discount.id, version, event_type, updated_at),
        ..discount
    }
}
