//! The routes of `/products`.

use std::collections::HashMap;

use http::StatusCode;
use serde::Serialize;

use crate::aws::dynamo::{self, Attempt};
use crate::customers::authorizer::Admins;
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::page::{Page, PageRequest, encode, escape};
use crate::http::problem::Problem;
use crate::http::routes;
use crate::values::clock::Time;
use crate::values::id::ProductId;
use crate::values::locale::Locale;
use crate::values::money::Currency;

use self::body::{ProductBody, View, translate};
use super::cache::catalogue::PublicCatalogue;
use super::cache::local::Asked;
use super::chosen::Chosen;
use super::content::Slug;
use super::fields::{draft, patch};
use super::filter::Filter;
use super::lookup::{Found, MOST_NAMES, Names};
use super::model::{Category, Product, ProductError, Status};
use super::rules::{self, Viewer};
use super::search::api::Search;
use super::search::index::SearchIndex;
use super::sku::Sku;
use super::sort::Sort;
use super::store::ProductStore;
use super::store::lists::{List, Listed};

mod body;

/// The parameters that go with `ids`. All others choose or sort products.
const LOOKUP_PARAMETERS: [&str; 4] = ["ids", "locale", "limit", "cursor"];

/// What was found by names that lead to the same product.
#[derive(Debug, Serialize)]
struct FoundBody {
    product: Option<ProductBody>,
    not_found: Vec<Sku>,
}

/// What a page of a lookup has beside the products.
#[derive(Debug, Serialize)]
struct Missing {
    not_found: Vec<Sku>,
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
    let view = View::of_admin(&request);
    let tag = rules::tag(&product, view.viewer, view.now);
    let location = format!("/products/{}", product.id);
    let response = Response::created(location, &ProductBody::new(product, &view))?;
    Ok(response.etag(&tag).replayed(replayed))
}

/// `GET /products/{product_id}?locale=`: returns the product, which may also be named by its slug. One that it had before
/// leads to its address: 301.
///
/// # Errors
/// [`Problem::NotFound`], also for a product that is not public and a caller who is not an admin, and
/// [`Problem::InvalidParameters`].
pub async fn get_product(
    catalogue: &PublicCatalogue,
    admins: &Admins,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::GET_PRODUCT.query)?;
    let locale: Option<Locale> = Request::parameter(&query, "locale")?;
    let slug: Option<Slug> = request.id("product_id", "product").ok();
    let asked = Asked::by(&request);
    let product = if let Some(slug) = &slug {
        catalogue.with_slug(slug, &asked).await?
    } else {
        let id: ProductId = request.id("product_id", "product")?;
        catalogue.product(id, &asked).await?
    };
    let product = product.ok_or(ProductError::NotFound)?;
    let viewer = viewer(admins, &[&product], &request).await?;
    if !viewer.sees(&product) {
        return Err(ProductError::NotFound.into());
    }
    if slug.is_some() && slug != product.content.slug {
        return Ok(moved(&product, &request));
    }
    let now = request.now;
    respond(
        product,
        &View {
            viewer,
            now,
            locale,
        },
    )
}

/// Returns 301 to the address of `product`.
fn moved(product: &Product, request: &Request) -> Response {
    let slug = product.content.slug.as_ref();
    let name = slug.map_or_else(|| product.id.to_string(), ToString::to_string);
    let mut location = format!("/products/{}", escape(&name));
    if !request.query.is_empty() {
        let query = request.query.iter();
        let query = query.map(|(name, value)| (name.as_str(), value.as_str()));
        location = format!("{location}?{}", encode(query));
    }
    Response {
        status: StatusCode::MOVED_PERMANENTLY,
        ..Response::no_content()
    }
    .header("Location", location)
}

/// Returns who asks for `products`. That is only looked at where it makes a difference.
async fn viewer(
    admins: &Admins,
    products: &[&Product],
    request: &Request,
) -> Result<Viewer, Problem> {
    let now = request.now;
    let has_secrets = |product: &&Product| {
        let mut sales = product.variants.iter();
        let is_scheduled = sales.any(|variant| {
            let sale = variant.prices.sale_at(now);
            sale.is_some_and(|sale| !sale.is_on(now))
        });
        is_scheduled || !product.status.is_public()
    };
    if !products.iter().any(has_secrets) {
        return Ok(Viewer::Anyone);
    }
    match admins.admit(request).await {
        Ok(()) => Ok(Viewer::Admin),
        Err(Problem::Unauthenticated(_) | Problem::Forbidden) => Ok(Viewer::Anyone),
        Err(problem) => Err(problem),
    }
}

/// `GET /products?category=&collection=&status=&attributes[name]=&sort=&locale=&limit=&cursor=`: lists products, newest first
/// unless `sort` or the collection says otherwise; those of a category with those of all below it; without `status` the
/// active ones. Only admins may list those that are not public. With `ids=`, they are looked up instead.
///
/// # Errors
/// [`Problem::InvalidParameters`], [`Problem::NotFound`] for a collection that is not there, and for a status that is not
/// public as [`Admins::admit`].
pub async fn list_products(
    catalogue: &PublicCatalogue,
    chosen: &Chosen,
    index: &SearchIndex,
    admins: &Admins,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::LIST_PRODUCTS.query)?;
    let names: Option<Names> = Request::parameter(&query, "ids")?;
    if let Some(names) = names {
        return look_up(catalogue, admins, &names, &query, &request).await;
    }
    let category: Option<Category> = Request::parameter(&query, "category")?;
    let collection: Option<Slug> = Request::parameter(&query, "collection")?;
    let status: Option<Status> = Request::parameter(&query, "status")?;
    let sort: Option<Sort> = Request::parameter(&query, "sort")?;
    let locale: Option<Locale> = Request::parameter(&query, "locale")?;
    let filter = Filter::read(&query)?;
    if let Some(search) = Search::read(&request, &query, &filter)? {
        return found(catalogue, index, &search, locale, &request).await;
    }
    let page = PageRequest::read(&request, &query)?;
    let status = status.unwrap_or(Status::Active);
    if !status.is_public() {
        admins.admit(&request).await?;
    }
    let asked = Asked::by(&request);
    let of = chosen.by((catalogue, &asked), category, collection, status, sort);
    let (of, sort) = of.await?;
    let list = List {
        of,
        status,
        filter,
        sort,
    };
    let listed = catalogue.list(&list, &page, &asked).await?;
    let listed = shown(listed, locale, request.now)?;
    Ok(listed.answer(&request)?.tagged())
}

/// Returns `page` as anyone sees it at `now`, with as many of its products as fit in a response.
fn shown(
    page: Page<Listed>,
    locale: Option<Locale>,
    now: Time,
) -> Result<Page<ProductBody>, Problem> {
    let view = View {
        viewer: Viewer::Anyone,
        now,
        locale,
    };
    let position = |listed: &Listed| listed.position.clone();
    page.fitting(position, |listed| {
        Ok(ProductBody::new(listed.product, &view))
    })
}

/// `GET /products?q=&category=&brand=&attributes[name]=&locale=&limit=&cursor=`: returns the active products that are found
/// by `search`, best first, and how many there are of each kind. A product that has changed within the last seconds may be
/// found as it was; it is shown as it is, or not at all.
async fn found(
    catalogue: &PublicCatalogue,
    index: &SearchIndex,
    search: &Search,
    locale: Option<Locale>,
    request: &Request,
) -> Result<Response, Problem> {
    let (hits, facets) = search.find(index).await?;
    let ids = hits.items.iter().map(|hit| hit.id);
    let mut stored = catalogue.found(ids).await?;
    let items = hits.items.into_iter().filter_map(|hit| {
        let product = stored.remove(&hit.id)?;
        let position = hit.position;
        (product.status == Status::Active).then_some(Listed { position, product })
    });
    let page = Page {
        items: items.collect(),
        next: hits.next,
    };
    let page = shown(page, locale, request.now)?;
    Ok(page.answer_beside(facets, request)?.tagged())
}

/// A product on the wire, while somebody types.
#[derive(Debug, Serialize)]
struct SuggestionBody {
    id: ProductId,
    name: String,
    slug: Option<Slug>,
}

/// What is suggested.
#[derive(Debug, Serialize)]
struct SuggestionsBody {
    items: Vec<SuggestionBody>,
}

/// `GET /products/suggest?q=&locale=`: returns the names of the first products that are found by what somebody has typed so
/// far, the last word of which may be a beginning.
///
/// # Errors
/// [`Problem::InvalidParameters`].
pub async fn suggest_products(
    products: &ProductStore,
    index: &SearchIndex,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::SUGGEST_PRODUCTS.query)?;
    let locale: Option<Locale> = Request::parameter(&query, "locale")?;
    let hits = Search::suggest(&query)?.find(index).await?.0.items;
    let mut stored = products
        .get_many_eventually(hits.iter().map(|hit| hit.id))
        .await?;
    let found = hits.iter().filter_map(|hit| stored.remove(&hit.id));
    let items = found.filter(|product| product.status == Status::Active);
    let items = items.map(|mut product| {
        translate(&mut product, locale.as_ref());
        SuggestionBody {
            id: product.id,
            name: product.name,
            slug: product.content.slug,
        }
    });
    let items = items.collect();
    Response::ok(&SuggestionsBody { items })
}

/// `GET /products?ids=&locale=&limit=&cursor=`: returns the products with these `names`, in their order, each once, and which
/// of the names no product has that the caller may see. There are all of them on one page unless `limit` or the size of a
/// response says otherwise.
///
/// # Errors
/// [`Problem::InvalidParameters`], also for parameters that choose or sort products.
async fn look_up(
    catalogue: &PublicCatalogue,
    admins: &Admins,
    names: &Names,
    query: &HashMap<&str, &str>,
    request: &Request,
) -> Result<Response, Problem> {
    refuse_others(query)?;
    let locale: Option<Locale> = Request::parameter(query, "locale")?;
    let mut page = PageRequest::read(request, query)?;
    if !query.contains_key("limit") {
        page.limit = MOST_NAMES;
    }
    let mut found = catalogue.look_up(names, &page).await?;
    let seen = found.items.iter();
    let seen: Vec<&Product> = seen.filter_map(|found| found.product.as_ref()).collect();
    let viewer = viewer(admins, &seen, request).await?;
    for found in &mut found.items {
        found.product.take_if(|product| !viewer.sees(product));
    }
    let view = View {
        viewer,
        now: request.now,
        locale,
    };
    let position = |found: &Found| found.position.clone();
    let body = |found: Found| {
        let not_found = found.missing().cloned().collect();
        let product = found.product;
        let product = product.map(|product| ProductBody::new(product, &view));
        Ok::<_, Problem>(FoundBody { product, not_found })
    };
    let found = found.fitting(position, body)?;
    let (mut items, mut not_found) = (Vec::new(), Vec::new());
    for found in found.items {
        items.extend(found.product);
        not_found.extend(found.not_found);
    }
    let next = found.next;
    let page = Page { items, next };
    Ok(page.answer_beside(Missing { not_found }, request)?.tagged())
}

/// Refuses parameters that do not go with `ids`.
fn refuse_others(query: &HashMap<&str, &str>) -> Result<(), Problem> {
    let names = query.keys().copied();
    let others = names.filter(|name| !LOOKUP_PARAMETERS.contains(name));
    let detail = "this chooses or sorts products, which \"ids\" does already";
    Problem::unexpected(others, "not_with_ids", detail)
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
            return respond(product, &View::of_admin(request)).map(Attempt::Done);
        };
        next.event.traceparent = request.traceparent();
        match products.replace(&product, next).await {
            Err(ProductError::Stale) if *expected == IfMatch::Any => Ok(Attempt::Overtaken),
            Err(ProductError::StockMoved) => Ok(Attempt::Overtaken),
            replaced => respond(replaced?, &View::of_admin(request)).map(Attempt::Done),
        }
    })
    .await
}

async fn stored(products: &ProductStore, request: &Request) -> Result<Product, Problem> {
    let id: ProductId = request.id("product_id", "product")?;
    Ok(products.get(id).await?.ok_or(ProductError::NotFound)?)
}

fn respond(product: Product, view: &View) -> Result<Response, Problem> {
    let tag = rules::tag(&product, view.viewer, view.now);
    Ok(Response::ok(&ProductBody::new(product, view))?.etag(&tag))
}
