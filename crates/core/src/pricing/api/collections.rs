//! `/tax-rates` and `/shipping-methods`: collections that are read and replaced as a whole.

use serde::Serialize;

use super::fields::{boolean, category, name, postal_codes, rate};
use super::methods::method;
use crate::aws::dynamo::{self, Attempt};
use crate::http::address;
use crate::http::body::{Body, Json};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::pricing::collection::{self, Collection, Entry, NoTerms};
use crate::pricing::shipping::ShippingMethod;
use crate::pricing::store::PricingStore;
use crate::pricing::tax::settings::{
    self, Home, InvalidTerms, PricesElsewhere, Rounding, ShippingTax, TaxRate, TaxSettings,
    TaxTerms,
};
use crate::values::money::{Currency, RoundingMode};

/// The most patterns of postal codes of a tax rate.
const MAX_POSTAL_CODES: usize = 50;

/// A collection on the wire.
#[derive(Debug, Serialize)]
struct CollectionBody<T: Entry> {
    #[serde(flatten)]
    terms: T::Terms,
    items: Vec<T>,
    version: u64,
}

/// `GET /tax-rates`: returns all tax rates.
///
/// # Errors
/// If the caller is not an admin.
pub async fn get_tax_rates(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    get::<TaxRate>(pricing).await
}

/// `PUT /tax-rates`: replaces all tax rates. Without any rate there is no tax.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, or `If-Match` is missing or stale.
pub async fn replace_tax_rates(
    pricing: &PricingStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    let (terms, entries) = request.json(|body| {
        let entries = read_entries(body, tax_rate);
        let terms = tax_terms(body);
        Some((terms?, entries?))
    })?;
    if let Some((at, earlier)) = settings::find_ambiguous(&entries) {
        let detail = format!(
            "this rate is for a part of the place of the rate \"{earlier}\", or the other way round; give them different \
             components if both are charged, and the same component if the more specific one replaces the other"
        );
        let pointer = format!("/items/{at}/component");
        return Err(Problem::field(&pointer, "ambiguous", detail));
    }
    let settings = TaxSettings {
        rates: entries,
        terms,
    };
    settings.check().map_err(|invalid| {
        let (pointer, code) = match &invalid {
            InvalidTerms::HomeRequired => ("/home", "required"),
            InvalidTerms::HomeRegion(_) => ("/home/region", "unknown_region"),
        };
        Problem::field(pointer, code, invalid.to_string())
    })?;
    replace(pricing, &request, &expected, settings.terms, settings.rates).await
}

/// `GET /shipping-methods`: returns all shipping methods, to any caller.
///
/// # Errors
/// If the database cannot be read.
pub async fn get_shipping_methods(pricing: &PricingStore, _: Request) -> Result<Response, Problem> {
    get::<ShippingMethod>(pricing).await
}

/// `PUT /shipping-methods`: replaces all shipping methods. Without any method shipping is free.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, or `If-Match` is missing or stale.
pub async fn replace_shipping_methods(
    pricing: &PricingStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    put(pricing, &request, |json| method(json, currency)).await
}

/// Returns a collection.
pub(super) async fn get<T: Entry>(pricing: &PricingStore) -> Result<Response, Problem> {
    respond(pricing.collection::<T>().await?)
}

/// Replaces a collection for which nothing is set as a whole by what the body has, each entry as `read` reads it.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, or `If-Match` is missing or stale.
pub(super) async fn put<T: Entry<Terms = NoTerms>>(
    pricing: &PricingStore,
    request: &Request,
    read: impl FnMut(Json<'_>) -> Option<T>,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    let entries = request.json(|body| read_entries(body, read))?;
    replace(pricing, request, &expected, NoTerms {}, entries).await
}

/// Replaces the entries of a collection and returns it. If another writer changes it in between, this
/// decides again if `expected` is `*`, and returns [`Problem::PreconditionFailed`] otherwise.
async fn replace<T: Entry>(
    pricing: &PricingStore,
    request: &Request,
    expected: &IfMatch,
    terms: T::Terms,
    entries: Vec<T>,
) -> Result<Response, Problem> {
    if let Some(at) = collection::find_repeated(&entries) {
        let detail = T::REPEATED;
        return Err(Problem::field(&format!("/items/{at}"), "repeated", detail));
    }
    dynamo::change("the collection", || async {
        let stored: Collection<T> = pricing.collection().await?;
        let (terms, entries) = (terms.clone(), entries.clone());
        let replaced = collection::replace(&stored, terms, entries, expected, request.now);
        let Some((next, mut event)) = replaced.map_err(|_| Problem::PreconditionFailed)? else {
            return respond(stored).map(Attempt::Done);
        };
        event.traceparent = request.traceparent();
        match pricing.replace_collection(next, event).await? {
            Some(replaced) => respond(replaced).map(Attempt::Done),
            None if *expected == IfMatch::Any => Ok(Attempt::Overtaken),
            None => Err(Problem::PreconditionFailed),
        }
    })
    .await
}

fn respond<T: Entry>(collection: Collection<T>) -> Result<Response, Problem> {
    let tag = collection::tag(&collection);
    let body = CollectionBody {
        terms: collection.terms,
        items: collection.entries,
        version: collection.version,
    };
    Ok(Response::ok(&body)?.etag(&tag))
}

fn read_entries<T: Entry>(
    body: &mut Body<'_>,
    entry: impl FnMut(Json<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    body.required("items", |json| json.list(0..=T::MOST, entry))
}

fn tax_rate(json: Json<'_>) -> Option<TaxRate> {
    json.object(|body| {
        let name = body.required("name", name);
        let country = body.required("country", address::country);
        let region = body.optional("region", |json| json.line(1..=100));
        let postal_codes = body.optional("postal_codes", |json| {
            json.list(0..=MAX_POSTAL_CODES, postal_codes)
        });
        let category = body.optional("category", category);
        let component = body.optional("component", |json| json.line(1..=40));
        let compound = body.optional("compound", boolean);
        let rate = body.required("rate", rate);
        let included = body.required("included", boolean);
        Some(TaxRate {
            name: name?,
            country: country?,
            region: region?,
            postal_codes: postal_codes?.unwrap_or_default(),
            category: category?,
            component: component?,
            compound: compound?.unwrap_or_default(),
            rate: rate?,
            included: included?,
        })
    })
}

/// Reads the terms of the tax settings. What is not given has its default.
fn tax_terms(body: &mut Body<'_>) -> Option<TaxTerms> {
    let rounding = body.optional("rounding", |json| {
        json.named(&[("line", Rounding::Line), ("order", Rounding::Order)])
    });
    let rounding_mode = body.optional("rounding_mode", |json| {
        json.named(&[
            ("half_even", RoundingMode::HalfEven),
            ("half_up", RoundingMode::HalfUp),
            ("down", RoundingMode::Down),
        ])
    });
    let shipping_tax = body.optional("shipping_tax", |json| {
        json.named(&[
            ("own", ShippingTax::Own),
            ("highest", ShippingTax::Highest),
            ("proportional", ShippingTax::Proportional),
            ("none", ShippingTax::None),
        ])
    });
    let home = body.optional("home", |json| {
        json.object(|home| {
            let country = home.required("country", address::country);
            let region = home.optional("region", |json| json.line(1..=100));
            Some(Home {
                country: country?,
                region: region?,
            })
        })
    });
    let prices_elsewhere = body.optional("prices_elsewhere", |json| {
        json.named(&[
            ("keep", PricesElsewhere::Keep),
            ("net", PricesElsewhere::Net),
        ])
    });
    let reverse_charge = body.optional("reverse_charge", boolean);
    Some(TaxTerms {
        rounding: rounding?.unwrap_or_default(),
        rounding_mode: rounding_mode?.unwrap_or_default(),
        shipping_tax: shipping_tax?.unwrap_or_default(),
        home: home?,
        prices_elsewhere: prices_elsewhere?.unwrap_or_default(),
        reverse_charge: reverse_charge?.unwrap_or_default(),
    })
}
