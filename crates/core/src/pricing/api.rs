//! `/discounts`. Tax rates and shipping methods are in [`collections`], price lists in [`lists`], and what is decided
//! about all discounts is in [`settings`].

use serde::Serialize;

use super::model::{Benefit, Code, Discount, DiscountError, Group, Terms};
use super::rules;
use super::store::PricingStore;
use crate::aws::dynamo::{self, Attempt};
use crate::catalog::model::Category;
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::values::clock::Time;
use crate::values::id::{DiscountId, ProductId};
use crate::values::money::{Currency, Money};

pub mod collections;
mod fields;
pub mod lists;
mod methods;
pub mod settings;

/// A discount on the wire.
#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field that clients read"
)]
struct DiscountBody {
    id: DiscountId,
    code: Option<Code>,
    single_use_codes: bool,
    name: String,
    currency: Option<Currency>,
    benefit: Benefit,
    products: Vec<ProductId>,
    categories: Vec<Category>,
    starts_at: Option<Time>,
    ends_at: Option<Time>,
    minimum_amount: Option<Money>,
    customer_group: Option<Group>,
    first_order: bool,
    condition: Option<String>,
    usage_limit: Option<u32>,
    usage_limit_per_customer: Option<u32>,
    priority: u32,
    stackable: bool,
    max_amount: Option<Money>,
    ended: bool,
    version: u64,
    created_at: Time,
    updated_at: Time,
}

impl From<Discount> for DiscountBody {
    fn from(discount: Discount) -> Self {
        let terms = discount.terms;
        Self {
            id: discount.id,
            code: discount.code,
            single_use_codes: discount.single_use_codes,
            name: terms.name,
            currency: terms.currency,
            benefit: terms.benefit,
            products: terms.products,
            categories: terms.categories,
            starts_at: terms.starts_at,
            ends_at: terms.ends_at,
            minimum_amount: terms.minimum_amount,
            customer_group: terms.customer_group,
            first_order: terms.first_order,
            condition: terms.condition,
            usage_limit: terms.usage_limit,
            usage_limit_per_customer: terms.usage_limit_per_customer,
            priority: terms.priority,
            stackable: terms.stackable,
            max_amount: terms.max_amount,
            ended: discount.ended,
            version: discount.version,
            created_at: discount.created_at,
            updated_at: discount.updated_at,
        }
    }
}

/// `POST /discounts`: creates a discount and returns it with 201 and its `Location`.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, another discount has the code, or the idempotency
/// key was used with another body.
pub async fn create_discount(
    pricing: &PricingStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?;
    let key = request.idempotency_key()?;
    let (code, single_use_codes, terms) = request.json(|body| fields::draft(body, currency))?;
    let id = key.map_or_else(
        || DiscountId::fresh(request.now),
        |key| DiscountId::derived(&["create-discount", &caller.customer_id.to_string(), key]),
    );
    let hash = key.map(|_| request.body_hash());
    let mut discount = rules::create(id, code, terms, hash, request.now)?;
    discount.single_use_codes = single_use_codes;
    discount.event.traceparent = request.traceparent();
    let (discount, replayed) = pricing.create(discount).await?;
    let tag = rules::tag(&discount);
    let location = format!("/discounts/{}", discount.id);
    let response = Response::created(location, &DiscountBody::from(discount))?;
    Ok(response.etag(&tag).replayed(replayed))
}

/// `GET /discounts?limit=&cursor=`: returns all discounts, ended ones too, newest first.
///
/// # Errors
/// If the caller is not an admin or a parameter is invalid.
pub async fn list_discounts(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(routes::LIST_DISCOUNTS.query)?;
    let page = PageRequest::read(&request, &query)?;
    let discounts = pricing.list(&page).await?;
    discounts.map(DiscountBody::from).answer(&request)
}

/// `GET /discounts/{discount_id}`: returns a discount.
///
/// # Errors
/// If the caller is not an admin, and [`Problem::NotFound`] if there is no such discount.
pub async fn get_discount(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    respond(stored(pricing, &request).await?)
}

/// `PATCH /discounts/{discount_id}`: changes a discount. Fields that are not sent stay as they are, and
/// null clears an optional field. The code and the currency never change.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, `If-Match` is missing or stale, or the discount has
/// ended.
pub async fn update_discount(
    pricing: &PricingStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    change(pricing, &request, &expected, |discount| {
        let currency = discount.terms.currency.unwrap_or(currency);
        let patch = request.json(|body| fields::patch(body, currency))?;
        let terms = patch.apply_to(discount.terms.clone());
        let updated = rules::update(discount, terms, &expected, request.now);
        Ok(updated?)
    })
    .await
}

/// `DELETE /discounts/{discount_id}`: ends a discount permanently and returns it. Another discount can then
/// have its code.
///
/// # Errors
/// If the caller is not an admin, or `If-Match` is missing or stale.
pub async fn end_discount(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    change(pricing, &request, &expected, |discount| {
        Ok(rules::end(discount, &expected, request.now)?)
    })
    .await
}

/// Changes the discount as `decide` says and returns it. If another writer changes it in between, this
/// decides again if `expected` is `*`, and returns [`Problem::PreconditionFailed`] otherwise.
async fn change(
    pricing: &PricingStore,
    request: &Request,
    expected: &IfMatch,
    decide: impl Fn(&Discount) -> Result<Option<Discount>, Problem>,
) -> Result<Response, Problem> {
    dynamo::change("the discount", || async {
        let discount = stored(pricing, request).await?;
        let Some(mut next) = decide(&discount)? else {
            return respond(discount).map(Attempt::Done);
        };
        next.event.traceparent = request.traceparent();
        match pricing.replace(next).await {
            Err(DiscountError::Stale) if *expected == IfMatch::Any => Ok(Attempt::Overtaken),
            replaced => respond(replaced?).map(Attempt::Done),
        }
    })
    .await
}

async fn stored(pricing: &PricingStore, request: &Request) -> Result<Discount, Problem> {
    let id: DiscountId = request.id("discount_id", "discount")?;
    Ok(pricing.get(id).await?.ok_or(DiscountError::NotFound)?)
}

fn respond(discount: Discount) -> Result<Response, Problem> {
    let tag = rules::tag(&discount);
    Ok(Response::ok(&DiscountBody::from(discount))?.etag(&tag))
}

/// Returns terms in which everything but `name`, `currency` and `benefit` has its default.
fn default_terms(name: String, currency: Option<Currency>, benefit: Benefit) -> Terms {
    Terms {
        name,
        currency,
        benefit,
        products: Vec::new(),
        categories: Vec::new(),
        starts_at: None,
        ends_at: None,
        minimum_amount: None,
        customer_group: None,
        first_order: false,
        condition: None,
        usage_limit: None,
        usage_limit_per_customer: None,
        priority: 100,
        stackable: true,
        max_amount: None,
    }
}
