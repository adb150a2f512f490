//! The routes of `/products`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt};
use crate::customers::authorizer::Admins;
use crate::http::body::{Body, Json, time};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::stock::model::Availability;
use crate::values::clock::Time;
use crate::values::id::ProductId;
use crate::values::money::{Currency, Money};

use super::model::{
    Category, InvalidCategory, MAX_WEIGHT_GRAMS, Product, ProductError, Status, WEIGHT_ATTRIBUTE,
    weight_grams,
};
use super::rules::{self, Draft, Patch, SaleTerms, Viewer};
use super::store::ProductStore;

/// The most that all attributes of a product may have together, names and values, in bytes: a page
/// of 100 products stays far below the 6 MB that a Lambda function can return.
const ATTRIBUTES_LIMIT_BYTES: usize = 8 * 1024;

/// A product on the wire.
#[derive(Debug, Serialize)]
struct ProductBody {
    id: ProductId,
    name: String,
    description: String,
    price: Money,
    current_price: Money,
    sale: Option<SaleBody>,
    category: Category,
    weight_grams: Option<u32>,
    shipped: bool,
    attributes: BTreeMap<String, String>,
    status: Status,
    availability: Availability,
    available_quantity: Option<u64>,
    version: u64,
    created_at: Time,
    updated_at: Time,
}

/// A sale on the wire.
#[derive(Debug, Serialize)]
struct SaleBody {
    price: Money,
    starts_at: Time,
    ends_at: Option<Time>,
    lowest_price_before: Option<Money>,
}

impl ProductBody {
    /// Returns `product` as `viewer` sees it at `now`.
    fn new(product: Product, viewer: Viewer, now: Time) -> Self {
        let sale = rules::shown_sale(&product, viewer, now);
        let sale = sale.map(|sale| SaleBody {
            price: sale.price,
            starts_at: sale.starts_at,
            ends_at: sale.ends_at,
            lowest_price_before: product.prices.lowest_before(&sale),
        });
        Self {
            current_price: product.price_at(now),
            availability: product.availability(),
            available_quantity: product.available_quantity(),
            id: product.id,
            name: product.name,
            description: product.description,
            price: product.prices.regular,
            sale,
            category: product.category,
            weight_grams: product.weight_grams,
            shipped: product.shipped,
            attributes: product.attributes,
            status: product.status,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

/// `POST /products`: creates a product and responds 201 with it and its `Location`.
///
/// # Errors
/// For a caller who is not an admin, for bad input, and for an idempotency key that was used with
/// another body.
pub async fn create_product(
    products: &ProductStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?;
    let key = request.idempotency_key()?;
    let draft = request.json(|body| draft(body, currency))?;
    let id = key.map_or_else(
        || ProductId::fresh(request.now),
        |key| ProductId::derived(&["create-product", &caller.customer_id.to_string(), key]),
    );
    let hash = key.map(|_| request.body_hash());
    let product = rules::create(id, draft, hash, request.now);
    let mut product = product.map_err(ProductError::from)?;
    product.event.traceparent = request.traceparent();
    let (product, replayed) = products.create(product).await?;
    let (viewer, now) = (Viewer::Admin, request.now);
    let tag = rules::tag(&product, viewer, now);
    let location = format!("/products/{}", product.id);
    let response = Response::created(location, &ProductBody::new(product, viewer, now))?;
    Ok(response.etag(&tag).replayed(replayed))
}

/// `GET /products/{product_id}`: returns the product.
///
/// # Errors
/// [`Problem::NotFound`], also for a product that is not public and a caller who is not an admin.
pub async fn get_product(
    products: &ProductStore,
    admins: &Admins,
    request: Request,
) -> Result<Response, Problem> {
    let product = stored(products, &request).await?;
    let viewer = viewer(admins, &product, &request).await?;
    if viewer == Viewer::Anyone && !product.status.is_public() {
        return Err(ProductError::NotFound.into());
    }
    respond(product, viewer, request.now)
}

/// Returns who asks for `product`. That is only looked at where it makes a difference.
async fn viewer(admins: &Admins, product: &Product, request: &Request) -> Result<Viewer, Problem> {
    let sale = product.sale(request.now);
    let is_scheduled = sale.is_some_and(|sale| !sale.is_on(request.now));
    if product.status.is_public() && !is_scheduled {
        return Ok(Viewer::Anyone);
    }
    match admins.admit(request).await {
        Ok(()) => Ok(Viewer::Admin),
        Err(Problem::Unauthenticated(_) | Problem::Forbidden) => Ok(Viewer::Anyone),
        Err(problem) => Err(problem),
    }
}

/// `GET /products?category=&status=&limit=&cursor=`: lists products, newest first; without `status`
/// the active ones. Only admins may list those that are not public.
///
/// # Errors
/// [`Problem::InvalidParameters`], and for a status that is not public as [`Admins::admit`].
pub async fn list_products(
    products: &ProductStore,
    admins: &Admins,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::LIST_PRODUCTS.query)?;
    let category: Option<Category> = Request::parameter(&query, "category")?;
    let status: Option<Status> = Request::parameter(&query, "status")?;
    let page = PageRequest::read(&request, &query)?;
    let status = status.unwrap_or(Status::Active);
    if !status.is_public() {
        admins.admit(&request).await?;
    }
    let listed = products.list(category.as_ref(), status, &page).await?;
    let body = |product| ProductBody::new(product, Viewer::Anyone, request.now);
    listed.map(body).answer(&request)
}

/// `PATCH /products/{product_id}`: changes the fields that are sent; `attributes` are replaced as
/// a whole.
///
/// # Errors
/// For a caller who is not an admin, for bad input, without `If-Match` or with a stale one, and for a
/// discontinued product.
pub async fn update_product(
    products: &ProductStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    let patch = request.json(|body| patch(body, currency))?;
    change(products, &request, &expected, |product| {
        rules::update(product, patch.clone(), &expected, request.now)
    })
    .await
}

/// `DELETE /products/{product_id}`: discontinues the product and returns it.
///
/// # Errors
/// For a caller who is not an admin, without `If-Match` or with a stale one.
pub async fn discontinue_product(
    products: &ProductStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    change(products, &request, &expected, |product| {
        rules::discontinue(product, &expected, request.now)
    })
    .await
}

/// Changes the product as `decide` says, and returns it. If another request changed it in the meantime,
/// decides again if `expected` is `*`, and fails otherwise.
async fn change(
    products: &ProductStore,
    request: &Request,
    expected: &IfMatch,
    decide: impl Fn(&Product) -> Result<Option<Product>, ProductError>,
) -> Result<Response, Problem> {
    dynamo::change("the product", || async {
        let product = stored(products, request).await?;
        let Some(mut next) = decide(&product)? else {
            return respond(product, Viewer::Admin, request.now).map(Attempt::Done);
        };
        next.event.traceparent = request.traceparent();
        match products.replace(next).await {
            Err(ProductError::Stale) if *expected == IfMatch::Any => Ok(Attempt::Overtaken),
            Err(ProductError::StockMoved) => Ok(Attempt::Overtaken),
            replaced => respond(replaced?, Viewer::Admin, request.now).map(Attempt::Done),
        }
    })
    .await
}

async fn stored(products: &ProductStore, request: &Request) -> Result<Product, Problem> {
    let id: ProductId = request.id("product_id", "product")?;
    Ok(products.get(id).await?.ok_or(ProductError::NotFound)?)
}

fn respond(product: Product, viewer: Viewer, now: Time) -> Result<Response, Problem> {
    let tag = rules::tag(&product, viewer, now);
    Ok(Response::ok(&ProductBody::new(product, viewer, now))?.etag(&tag))
}

fn draft(body: &mut Body<'_>, currency: Currency) -> Option<Draft> {
    let name = body.required("name", |json| json.line(1..=255));
    let description = body.optional("description", |json| json.text(0..=1000));
    let price = body.required("price", |json| self::price(json, currency));
    let sale = body.optional("sale", |json| self::sale(json, currency));
    let category = body.required("category", category);
    let weight_grams = body.optional("weight_grams", weight);
    let shipped = body.optional("shipped", boolean);
    let attributes = body.optional("attributes", |json| {
        attributes(json, |grams| {
            weight_grams.flatten().is_some_and(|weight| weight != grams)
        })
    });
    let status = body.optional("status", status);
    let attributes = attributes?.unwrap_or_default();
    Some(Draft {
        name: name?,
        description: description?.unwrap_or_default(),
        price: price?,
        sale: sale?,
        category: category?,
        weight_grams: weight_grams?.or(attributes.weight_grams),
        shipped: shipped?.unwrap_or(true),
        attributes: attributes.texts,
        status: status?.unwrap_or(Status::Active),
    })
}

fn patch(body: &mut Body<'_>, currency: Currency) -> Option<Patch> {
    let name = body.non_nullable("name", |json| json.line(1..=255));
    let description = body.non_nullable("description", |json| json.text(0..=1000));
    let price = body.non_nullable("price", |json| self::price(json, currency));
    let sale = body.nullable("sale", |json| self::sale(json, currency));
    let category = body.non_nullable("category", category);
    let weight_grams = body.nullable("weight_grams", weight);
    let shipped = body.non_nullable("shipped", boolean);
    let attributes = body.non_nullable("attributes", |json| {
        attributes(json, |grams| {
            weight_grams
                .flatten()
                .is_some_and(|weight| weight != Some(grams))
        })
    });
    let status = body.non_nullable("status", status);
    let attributes = attributes?;
    let among_attributes = attributes
        .as_ref()
        .and_then(|attributes| attributes.weight_grams);
    Some(Patch {
        name: name?,
        description: description?,
        price: price?,
        sale: sale?,
        category: category?,
        weight_grams: weight_grams?.or(among_attributes.map(Some)),
        shipped: shipped?,
        attributes: attributes.map(|attributes| attributes.texts),
        status: status?,
    })
}

fn price(json: Json<'_>, currency: Currency) -> Option<Money> {
    let place = json.clone();
    let price = json.money(currency)?;
    if price.is_positive() {
        Some(price)
    } else {
        place.fault("range", "this must be more than zero")
    }
}

fn sale(json: Json<'_>, currency: Currency) -> Option<SaleTerms> {
    json.object(|sale| {
        let price = sale.required("price", |json| self::price(json, currency));
        let starts_at = sale.optional("starts_at", time);
        let ends_at = sale.optional("ends_at", time);
        Some(SaleTerms {
            price: price?,
            starts_at: starts_at?,
            ends_at: ends_at?,
        })
    })
}

fn boolean(json: Json<'_>) -> Option<bool> {
    json.boolean()
}

fn category(json: Json<'_>) -> Option<Category> {
    let detail = InvalidCategory.to_string();
    json.parsed(&detail, str::parse)
}

fn weight(json: Json<'_>) -> Option<u32> {
    json.integer(1..=MAX_WEIGHT_GRAMS)
}

/// The attributes of a request.
#[derive(Default)]
struct Attributes {
    texts: BTreeMap<String, String>,
    /// The weight, which clients of earlier releases send among them.
    weight_grams: Option<u32>,
}

/// Reads attributes. A weight among them must not be one that the field `contradicts`.
fn attributes(json: Json<'_>, contradicts: impl FnOnce(u32) -> bool) -> Option<Attributes> {
    let place = json.clone();
    let mut texts = json.texts(50, 1..=100, 0..=1000)?;
    let weight = texts.remove(WEIGHT_ATTRIBUTE);
    let weight_grams = weight.as_deref().and_then(weight_grams);
    if weight.is_some() && weight_grams.is_none() {
        let detail = "this must be a whole number of grams from 1 to 1000000000, such as \"250\"; \
                      better send it as the product's weight_grams, a number";
        return place.at(WEIGHT_ATTRIBUTE).fault("invalid", detail);
    }
    if weight_grams.is_some_and(contradicts) {
        let detail = "the field weight_grams says otherwise; leave this attribute out";
        return place.at(WEIGHT_ATTRIBUTE).fault("contradiction", detail);
    }
    let bytes: usize = texts
        .iter()
        .map(|(name, text)| name.len() + text.len())
        .sum();
    if bytes <= ATTRIBUTES_LIMIT_BYTES {
        Some(Attributes {
            texts,
            weight_grams,
        })
    } else {
        place.fault(
            "length",
            "all attributes together must have at most 8192 bytes",
        )
    }
}

/// Reads any status but `discontinued`, which only `DELETE` sets.
fn status(json: Json<'_>) -> Option<Status> {
    json.parsed(
        "this must be active, inactive or out_of_stock; DELETE makes a product discontinued",
        |text| match text.parse() {
            Ok(status @ (Status::Active | Status::Inactive | Status::OutOfStock)) => Ok(status),
            Ok(Status::Discontinued) | Err(_) => Err(()),
        },
    )
}
