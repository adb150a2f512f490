//! `/discounts`. Rates and shipping methods are in [`sheets`].

use serde::Serialize;

use super::model::{Benefit, Code, Discount, DiscountError, Group, Terms};
use super::rules;
use super::store::PricingStore;
use crate::aws::dynamo::{self, Attempt};
use crate::catalog::model::Category;
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::{DiscountId, ProductId};
use crate::values::money::{Currency, Money};

mod fields;
pub mod sheets;

/// A discount on the wire.
#[derive(Debug, Serialize)]
struct DiscountBody {
    id: DiscountId,
    code: Option<Code>,
    name: String,
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
            name: terms.name,
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

/// `POST /discounts`: 201 with the discount and its `Location`.
///
/// # Errors
/// For whoever is no admin, for bad input, for a code that another discount has, and for a key that was
/// used with another body.
pub async fn create_discount(
    pricing: &PricingStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?;
    let key = request.idempotency_key()?;
    let (code, terms) = request.json(|body| fields::draft(body, currency))?;
    let id = key.map_or_else(
        || DiscountId::fresh(request.now),
        |key| DiscountId::derived(&["create-discount", &caller.customer_id.to_string(), key]),
    );
    let hash = key.map(|_| request.body_hash());
    let mut discount = rules::create(id, code, terms, hash, request.now)?;
    discount.event.traceparent = request.traceparent();
    let (discount, replayed) = pricing.create(discount).await?;
    let tag = rules::tag(&discount);
    let location = format!("/discounts/{}", discount.id);
    let answer = Response::created(location, &DiscountBody::from(discount))?;
    Ok(answer.etag(&tag).replayed(replayed))
}

/// `GET /discounts?limit=&cursor=`: newest first, those that are ended too.
///
/// # Errors
/// For whoever is no admin, and for bad parameters.
pub async fn list_discounts(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(&["limit", "cursor"])?;
    let page = PageRequest::read(&query)?;
    let found = pricing.list(&page).await?;
    found.map(DiscountBody::from).answer(&request)
}

/// `GET /discounts/{discount_id}`.
///
/// # Errors
/// For whoever is no admin; [`Problem::NotFound`].
pub async fn get_discount(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    answer(stored(pricing, &request).await?)
}

/// `PATCH /discounts/{discount_id}`: what is not sent stays; null clears what may be absent. The code
/// never changes.
///
/// # Errors
/// For whoever is no admin, for bad input, without `If-Match` or with a stale one, and for a discount
/// that is ended.
pub async fn update_discount(
    pricing: &PricingStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    let patch = request.json(|body| fields::patch(body, currency))?;
    change(pricing, &request, &expected, |discount| {
        let terms = patch.clone().onto(discount.terms.clone());
        rules::update(discount, terms, &expected, request.now)
    })
    .await
}

/// `DELETE /discounts/{discount_id}`: ends it for good and answers it; its code is free for another.
///
/// # Errors
/// For whoever is no admin, without `If-Match` or with a stale one.
pub async fn end_discount(pricing: &PricingStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    change(pricing, &request, &expected, |discount| {
        rules::end(discount, &expected, request.now)
    })
    .await
}

/// Changes the discount as `decide` says, and returns it. If it changed in between, decides again if `expected` is
/// `*`, and refuses otherwise.
async fn change(
    pricing: &PricingStore,
    request: &Request,
    expected: &IfMatch,
    decide: impl Fn(&Discount) -> Result<Option<Discount>, DiscountError>,
) -> Result<Response, Problem> {
    dynamo::change("the discount", || async {
        let discount = stored(pricing, request).await?;
        let Some(mut next) = decide(&discount)? else {
            return answer(discount).map(Attempt::Done);
        };
        next.event.traceparent = request.traceparent();
        match pricing.replace(next).await {
            Err(DiscountError::Stale) if *expected == IfMatch::Any => Ok(Attempt::Overtaken),
            replaced => answer(replaced?).map(Attempt::Done),
        }
    })
    .await
}

async fn stored(pricing: &PricingStore, request: &Request) -> Result<Discount, Problem> {
    let id: DiscountId = request.id("discount_id", "discount")?;
    Ok(pricing.get(id).await?.ok_or(DiscountError::NotFound)?)
}

fn answer(discount: Discount) -> Result<Response, Problem> {
    let tag = rules::tag(&discount);
    Ok(Response::ok(&DiscountBody::from(discount))?.etag(&tag))
}

/// What a discount is before anybody says otherwise.
fn ordinary(name: String, benefit: Benefit) -> Terms {
    Terms {
        name,
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
