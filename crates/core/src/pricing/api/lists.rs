//! `/price-lists`: the lists, which are read and replaced as a whole, and the prices of each.

use serde::Serialize;

use super::collections::{get, put};
use super::fields::{method_id, name};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt};
use crate::aws::settings::SettingError;
use crate::catalog::store::ProductStore;
use crate::http::address;
use crate::http::body::{Body, Json, currency, time};
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::pricing::cart::MOST_OF_ONE;
use crate::pricing::collection::Collection;
use crate::pricing::lists::{
    self, Break, ForCustomers, ListPrice, MOST_BREAKS, MOST_COUNTRIES, PriceList,
};
use crate::pricing::model::Group;
use crate::pricing::store::PricingStore;
use crate::values::clock::Time;
use crate::values::id::VariantId;
use crate::values::money::Currency;

/// The prices of a variant on the wire.
#[derive(Debug, Serialize)]
struct PriceBody {
    variant_id: VariantId,
    prices: Vec<Break>,
    version: u64,
    updated_at: Time,
}

impl From<ListPrice> for PriceBody {
    fn from(price: ListPrice) -> Self {
        Self {
            variant_id: price.variant_id,
            prices: price.breaks,
            version: price.version,
            updated_at: price.updated_at,
        }
    }
}

/// What setting prices needs.
#[derive(Clone, Debug)]
pub struct Prices {
    pricing: PricingStore,
    products: ProductStore,
}

impl Prices {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            pricing: PricingStore::new(aws)?,
            products: ProductStore::new(aws)?,
        })
    }
}

/// `GET /price-lists`: returns all price lists, without their prices.
///
/// # Errors
/// If the caller is not an admin.
pub async fn get_price_lists(
    pricing: &PricingStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    get::<PriceList>(pricing).await
}

/// `PUT /price-lists`: replaces all price lists. The prices of a list that is left out are kept, but not used.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, or `If-Match` is missing or stale.
pub async fn replace_price_lists(
    pricing: &PricingStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    put(pricing, &request, |json| price_list(json, currency)).await
}

/// `GET /price-lists/{price_list}/prices?limit=&cursor=`: returns the prices of a list, in the descending
/// order of the variants' identifiers.
///
/// # Errors
/// If the caller is not an admin or a parameter is invalid, and [`Problem::NotFound`] for an unknown list.
pub async fn list_prices(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(routes::LIST_PRICES.query)?;
    let page = PageRequest::read(&request, &query)?;
    let list = stored_list(pricing, &request).await?;
    let prices = pricing.prices_in(&list.id, &page).await?;
    prices.map(PriceBody::from).answer(&request)
}

/// `PUT /price-lists/{price_list}/prices/{variant_id}` `{prices}`: replaces the prices of a variant in a list; without any,
/// the list has no price for it.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, or `If-Match` is stale; and [`Problem::NotFound`] for an unknown list
/// or variant.
pub async fn set_list_price(prices: &Prices, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let variant: VariantId = request.id("variant_id", "variant")?;
    let expected = request.if_match_or_none()?;
    let list = stored_list(&prices.pricing, &request).await?;
    let breaks = request.json(|body| breaks(body, list.currency))?;
    if !is_there(&prices.products, variant).await? {
        return Err(Problem::NotFound("variant"));
    }
    dynamo::change("the price", || async {
        let stored = prices.pricing.list_price(&list.id, variant).await?;
        let tag = stored.as_ref().map_or(0, |price| price.version).to_string();
        if expected
            .as_ref()
            .is_some_and(|expected| !expected.allows(&tag))
        {
            return Err(Problem::PreconditionFailed);
        }
        let of = (list.id.as_str(), variant);
        let Some(mut next) = lists::set(stored.as_ref(), of, breaks.clone(), request.now) else {
            return respond(stored, variant, request.now).map(Attempt::Done);
        };
        next.event.traceparent = request.traceparent();
        if prices.pricing.replace_list_price(&next).await? {
            respond(Some(next), variant, request.now).map(Attempt::Done)
        } else {
            Ok(Attempt::Overtaken)
        }
    })
    .await
}

/// Returns the response with the price as it is stored; one that never was has version 0.
fn respond(price: Option<ListPrice>, variant: VariantId, now: Time) -> Result<Response, Problem> {
    let body = price.map_or(
        PriceBody {
            variant_id: variant,
            prices: Vec::new(),
            version: 0,
            updated_at: now,
        },
        PriceBody::from,
    );
    let tag = body.version.to_string();
    Ok(Response::ok(&body)?.etag(&tag))
}

/// Returns the list in the request's path.
async fn stored_list(pricing: &PricingStore, request: &Request) -> Result<PriceList, Problem> {
    let id: String = request.id("price_list", "price list")?;
    let lists: Collection<PriceList> = pricing.collection().await?;
    let mut lists = lists.entries.into_iter();
    let found = lists.find(|list| list.id == id);
    found.ok_or(Problem::NotFound("price list"))
}

async fn is_there(products: &ProductStore, variant: VariantId) -> Result<bool, Problem> {
    let of = products.products_of([variant]).await?;
    let found = products.get_many(of.into_values()).await?;
    Ok(found
        .iter()
        .any(|product| product.variant(variant).is_some()))
}

fn price_list(json: Json<'_>, shop_currency: Currency) -> Option<PriceList> {
    let place = json.clone();
    json.object(|body| {
        let id = body.required("id", method_id);
        let name = body.required("name", name);
        let currency = body.optional("currency", currency);
        let customer_group = body.optional("customer_group", for_customers);
        let countries = body.optional("countries", |json| {
            json.list(0..=MOST_COUNTRIES, address::country)
        });
        let starts_at = body.optional("starts_at", time);
        let ends_at = body.optional("ends_at", time);
        let (starts_at, ends_at) = (starts_at?, ends_at?);
        if let (Some(start), Some(end)) = (starts_at, ends_at)
            && end <= start
        {
            let detail = "this must be later than starts_at";
            return place.at("ends_at").fault("range", detail);
        }
        Some(PriceList {
            id: id?,
            name: name?,
            currency: currency?.unwrap_or(shop_currency),
            customer_group: customer_group?,
            countries: countries?.unwrap_or_default(),
            starts_at,
            ends_at,
        })
    })
}

/// Reads the customers that a list is for.
fn for_customers(json: Json<'_>) -> Option<ForCustomers> {
    let detail = "this must be guest, customer, or the name of a group: 1 to 50 of the characters a to z, 0 to 9 and -";
    json.parsed(detail, |text| match Group::from_name(text) {
        Some(kind) => Ok(ForCustomers::Kind(kind)),
        None => text.parse().map(ForCustomers::Group),
    })
}

/// Reads the prices of a variant, by ascending quantities.
fn breaks(body: &mut Body<'_>, currency: Currency) -> Option<Vec<Break>> {
    body.required("prices", |json| {
        let place = json.clone();
        let breaks = json.list(0..=MOST_BREAKS, |json| {
            json.object(|body| {
                let min_quantity =
                    body.optional("min_quantity", |json| json.integer(1..=MOST_OF_ONE));
                let price = body.required("price", |json| json.price(currency));
                Some(Break {
                    min_quantity: min_quantity?.unwrap_or(1),
                    price: price?,
                })
            })
        })?;
        let mut pairs = breaks.windows(2);
        if pairs.all(|pair| pair[0].min_quantity < pair[1].min_quantity) {
            Some(breaks)
        } else {
            place.fault(
                "order",
                "the prices must be in ascending order of min_quantity",
            )
        }
    })
}
