//! What gift cards would pay for an order that is not placed: quotes show it.

use super::code::GiftCardCode;
use super::model::GiftCard;
use super::payment;
use super::store::GiftCardStore;
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::http::body::Body;
use crate::http::exchange::Request;
use crate::http::limits::{Counted, Limiter};
use crate::http::problem::Problem;
use crate::http::routes::Class;

/// Looks gift cards up by codes that a caller may be guessing. Each code counts as a read by itself, beside the request, so
/// nobody can try more codes in a quote than by asking for balances.
#[derive(Clone, Debug)]
pub struct Preview {
    cards: GiftCardStore,
    limiter: Option<Limiter>,
}

/// The codes of a request, and whose request it is.
#[derive(Debug)]
pub(in crate::orders) struct Asked {
    codes: Vec<GiftCardCode>,
    caller: Option<Counted>,
}

impl Preview {
    /// Opens the table, and reads how much a caller may try.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            cards: GiftCardStore::new(aws)?,
            limiter: Limiter::new(aws, Class::Read)?,
        })
    }

    /// Returns the question of `request` for the cards with `codes`.
    pub(in crate::orders) fn asked(&self, request: &Request, codes: Vec<GiftCardCode>) -> Asked {
        let caller = self.limiter.as_ref();
        Asked {
            codes,
            caller: caller.map(|limiter| limiter.caller(request)),
        }
    }

    /// Returns the card of each code, read consistently; `None` for a code that no card has.
    ///
    /// # Errors
    /// [`Problem::TooManyRequests`] for a caller who has tried too many codes.
    pub(in crate::orders) async fn look_up(
        &self,
        asked: Asked,
    ) -> Result<Vec<Option<GiftCard>>, Problem> {
        if asked.codes.is_empty() {
            return Ok(Vec::new());
        }
        if let (Some(limiter), Some(caller)) = (&self.limiter, asked.caller) {
            for _ in &asked.codes {
                let counted = limiter.count(caller.clone()).await;
                counted.map_err(|refused| Problem::TooManyRequests {
                    retry_after_seconds: refused.retry_after_seconds,
                })?;
            }
        }
        Ok(self.cards.by_codes(&asked.codes).await?)
    }
}

/// Reads the object `payment` of a quote, which has the codes of an order's, and no token.
pub(in crate::orders) fn read(body: &mut Body<'_>) -> Option<Vec<GiftCardCode>> {
    let codes = body.optional("gift_card_codes", payment::codes);
    Some(codes?.unwrap_or_default())
}
