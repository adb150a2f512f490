//! Quotes: what an order would cost, as a signed promise that `POST /orders` honours once, until it expires. Nothing is
//! stored when a quote is made, because the quote itself carries everything that it promises; the order that uses it
//! stores that it is used.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{TryFutureExt as _, future};
use serde::{Deserialize, Serialize};

use super::api::PaidByBody;
use super::api::charges::TotalsBody;
use super::fields;
use super::gift_cards::payment;
use super::gift_cards::preview::{Asked, Preview};
use super::item::charges::{self, Charges, LineCharges};
use super::lines;
use super::minimum::Shortfall;
use super::model::Line;
use super::shortage;
use super::totals::{Offer, PricingRequest, Totals};
use super::uses::QuoteUse;
use crate::customers::link::{Links, Purpose, Sealed};
use crate::customers::model::Email;
use crate::http::body;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::pricing::batch;
use crate::pricing::model::Code;
use crate::pricing::tax::Destination;
use crate::pricing::tax::registry::Registry;
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::id::{CustomerId, ProductId, TokenId, VariantId};
use crate::values::money::{Currency, Money};

mod draft;

use draft::draft;

/// How long a quote is honoured.
pub const LIFETIME_SECONDS: u32 = 15 * 60;

/// The subject of a quote for a guest who has not said who it is for.
const GUEST: &str = "guest";

/// What a quote promises, as it is signed. The names and SKUs are not in it; they come from the catalogue.
#[derive(Debug, Serialize, Deserialize)]
struct Promise {
    /// Tells two quotes apart that promise the same. Quotes of earlier releases have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<TokenId>,
    currency: Currency,
    lines: Vec<PromisedLine>,
    #[serde(default, skip_serializing_if = "Charges::is_none")]
    charges: Charges,
    total: String,
    to: Destination,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    /// The codes beside `code`, which was the only one in earlier releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more_codes: Vec<Code>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PromisedLine {
    /// Product.
    p: ProductId,
    /// Variant, unless it has the product's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v: Option<VariantId>,
    /// Quantity.
    q: u32,
    /// Price of one piece.
    u: String,
    /// Price list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<String>,
    /// Discounts and tax.
    #[serde(default, skip_serializing_if = "LineCharges::is_none")]
    c: LineCharges,
}

/// A quote on the wire.
#[derive(Debug, Serialize)]
struct QuoteBody {
    #[serde(flatten)]
    totals: TotalsBody,
    #[serde(flatten)]
    paid_by: PaidByBody,
    /// What the order lacks to the shop's minimum, without which it is refused.
    below_minimum: Option<Shortfall>,
    expires_at: Time,
    quote: String,
}

/// `POST /quotes`: returns what an order of the caller would cost now, and what gift cards would pay of it. The quote
/// promises the price, and not what is left on the cards.
///
/// # Errors
/// Returns a problem for bad input, a method that does not ship the order, a code that gives no discount, and a gift card
/// that does not pay; [`Problem::OutOfStock`]; and [`Problem::TooManyRequests`] for too many codes of gift cards.
pub async fn create_quote<R: Registry>(
    totals: &Totals<R>,
    links: &Links,
    cards: &Preview,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let customer = caller.customer_id;
    let (choice, codes) = request.json(draft)?;
    let asked = cards.asked(&request, codes);
    let wanted = PricingRequest {
        group: caller.group,
        locale: caller.locale,
        ..choice.wanted(Some(customer), None, request.now)
    };
    let quoting = Quoting {
        totals,
        links,
        cards,
    };
    quoting.respond(wanted, asked, &customer.to_string()).await
}

/// `POST /guest/quotes`: returns what an order without an account would cost now. With an `email`, the quote serves
/// only an order with this address.
///
/// # Errors
/// As [`create_quote`].
pub async fn create_guest_quote<R: Registry>(
    totals: &Totals<R>,
    links: &Links,
    cards: &Preview,
    request: Request,
) -> Result<Response, Problem> {
    let (email, locale, (choice, codes)) = request.json(|body| {
        let email = body.optional("email", fields::email);
        let locale = body.optional("locale", body::locale);
        let draft = draft(body);
        Some((email?, locale?, draft?))
    })?;
    let asked = cards.asked(&request, codes);
    let subject = email
        .as_ref()
        .map_or_else(|| GUEST.to_owned(), guest_subject);
    let wanted = PricingRequest {
        locale,
        ..choice.wanted(None, email, request.now)
    };
    let quoting = Quoting {
        totals,
        links,
        cards,
    };
    quoting.respond(wanted, asked, &subject).await
}

/// What a quote is made with.
struct Quoting<'a, R> {
    totals: &'a Totals<R>,
    links: &'a Links,
    cards: &'a Preview,
}

impl<R: Registry> Quoting<'_, R> {
    async fn respond(
        &self,
        wanted: PricingRequest,
        asked: Asked,
        subject: &str,
    ) -> Result<Response, Problem> {
        let Self {
            totals,
            links,
            cards,
        } = self;
        let stored = future::try_join3(
            lines::products(&totals.products, &wanted.items),
            totals.prices(&wanted),
            totals.stock.glance(&wanted.items),
        );
        let stored = stored.err_into::<Problem>();
        let ((products, prices, seen), found) =
            future::try_join(stored, cards.look_up(asked)).await?;
        let offer = totals.price(&wanted, &products, &prices).await?;
        let short = totals.stock.shortage(&wanted.items, &offer.lines, &seen);
        shortage::refuse(short.await?)?;
        let from_cards = payment::redeem(&found, offer.total, wanted.customer, wanted.now)?;
        let quote = links
            .seal(
                Purpose::Quote,
                subject,
                &Promise::from_offer(&wanted, &offer),
                LIFETIME_SECONDS,
                wanted.now,
            )
            .await?;
        let expires = wanted.now.as_seconds() + i64::from(LIFETIME_SECONDS);
        Response::ok(&QuoteBody {
            totals: TotalsBody::new(&offer.lines, &offer.breakdown, offer.total)?,
            paid_by: PaidByBody::new(from_cards, offer.total)?,
            below_minimum: totals.shortfall(&offer)?,
            expires_at: Time::from_millis(expires * 1000),
            quote,
        })
    }
}

/// Returns the subject of a quote for the guest with the address `email`, a hash, because everybody can read a quote.
fn guest_subject(email: &Email) -> String {
    format!("{GUEST}#{}", sha256_hex(email.lowercase()))
}

/// Returns whether a quote for `subject` serves an order of `customer`, or of the guest with the address `guest`.
fn serves(subject: &str, customer: Option<CustomerId>, guest: Option<&Email>) -> bool {
    match (customer, guest) {
        (Some(customer), _) => subject == customer.to_string(),
        (None, Some(email)) => subject == GUEST || subject == guest_subject(email),
        (None, None) => subject == GUEST,
    }
}

impl PromisedLine {
    fn variant(&self) -> VariantId {
        self.v.unwrap_or(self.p.into())
    }
}

impl Promise {
    fn from_offer(wanted: &PricingRequest, offer: &Offer) -> Self {
        let (charges, all) = charges::to_stored(&offer.breakdown, &offer.uses);
        let lines = offer.lines.iter().zip(charges);
        let mut codes = wanted.codes.codes.iter().cloned();
        Self {
            id: Some(TokenId::fresh(wanted.now)),
            currency: offer.total.currency(),
            lines: lines
                .map(|(line, c)| PromisedLine {
                    p: line.product_id,
                    v: line.other_variant(),
                    q: line.quantity,
                    u: line.unit_price.amount().to_string(),
                    l: line.price_list.clone(),
                    c,
                })
                .collect(),
            charges: all,
            total: offer.total.amount().to_string(),
            to: wanted.destination.clone(),
            method: wanted.shipping_method.clone(),
            code: codes.next(),
            more_codes: codes.collect(),
        }
    }

    /// Returns whether the promise is for `wanted`, whose items are `lines`. The currency, the method and the codes need not
    /// be named again.
    fn is_for(&self, wanted: &PricingRequest, lines: &[Line]) -> bool {
        let lines = lines.iter().map(|line| (line.variant_id, line.quantity));
        let quantities: BTreeMap<VariantId, u32> = lines.collect();
        let promised = self.lines.iter().map(|line| (line.variant(), line.q));
        let promised = promised.collect();
        let wanted_codes = &wanted.codes.codes;
        let codes: Vec<&Code> = self.code.iter().chain(&self.more_codes).collect();
        let same = |one: &Code, other: &Code| {
            one == other || batch::joined(one).is_some_and(|one| Some(one) == batch::joined(other))
        };
        let promised_too = |code: &Code| codes.iter().any(|other| same(code, other));
        let same_codes = codes.len() == wanted_codes.len() && wanted_codes.iter().all(promised_too);
        quantities == promised
            && wanted.currency.is_none_or(|wanted| wanted == self.currency)
            && self.to.covers(&wanted.destination)
            && (wanted.shipping_method.is_none() || wanted.shipping_method == self.method)
            && (wanted_codes.is_empty() || same_codes)
    }

    /// Returns the offer, with the names that `today` has for the lines.
    fn offer(self, today: &[Line]) -> Result<Offer, Problem> {
        let money = |text: &str| Money::parse(text, self.currency).map_err(Problem::internal);
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut priced = Vec::with_capacity(self.lines.len());
        for promised in self.lines {
            let variant = promised.variant();
            let line = today.iter().find(|line| line.variant_id == variant);
            let line = line.ok_or_else(|| Problem::internal("a quoted line is missing"))?;
            let line = Line {
                unit_price: money(&promised.u)?,
                price_list: promised.l,
                ..line.clone()
            };
            let subtotal = line.subtotal().map_err(Problem::internal)?;
            priced.push((subtotal, promised.c));
            lines.push(line);
        }
        let total = money(&self.total)?;
        let (breakdown, uses) = charges::from_stored(self.currency, priced, self.charges)?;
        Ok(Offer {
            lines,
            breakdown,
            uses,
            total,
            quote: None,
        })
    }
}

/// Returns what `quote` promises for `wanted` of the customer or of the `guest`, whose items are these lines by the
/// catalogue of `today`.
///
/// # Errors
/// Returns [`Problem::QuoteExpired`], and [`Problem::InvalidBody`] for a text that is not a quote of this shop or a
/// quote for another customer or another order.
pub(super) async fn honour(
    links: &Links,
    quote: &str,
    wanted: &PricingRequest,
    guest: Option<&Email>,
    today: &[Line],
) -> Result<Offer, Problem> {
    let refuse = |code, detail| Problem::field("/quote", code, detail);
    let sealed: Option<Sealed<Promise>> = links.open(Purpose::Quote, quote, wanted.now).await?;
    let sealed =
        sealed.ok_or_else(|| refuse("unknown_quote", "this is not a quote of this shop"))?;
    let same = serves(&sealed.subject, wanted.customer, guest);
    if !(same && sealed.content.is_for(wanted, today)) {
        let detail = "the quote was made for another customer, other items, another currency, another \
                      address, another shipping method or another code; ask for a new one";
        return Err(refuse("other_order", detail));
    }
    if wanted.now >= sealed.expires_at() {
        return Err(Problem::QuoteExpired);
    }
    // What is signed, without the signature, which may be written in more than one way.
    let signed = quote.rsplit_once('.').map_or(quote, |(signed, _)| signed);
    let used = QuoteUse {
        hash: sha256_hex(signed),
        expires_at_seconds: sealed.expires_at_seconds,
    };
    Ok(Offer {
        quote: Some(used),
        ..sealed.content.offer(today)?
    })
}

impl<C> Sealed<C> {
    /// Returns the time from which on it is not honoured.
    fn expires_at(&self) -> Time {
        Time::from_millis(0).plus(Duration::from_secs(
            self.expires_at_seconds.max(0).unsigned_abs(),
        ))
    }
}

#[cfg(test)]
mod tests;
