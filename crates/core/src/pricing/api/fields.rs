//! Reads discounts from request bodies.

use crate::catalog::model::{Category, InvalidCategory};
use crate::http::body::{Body, Json, currency, time};
use crate::pricing::conditions;
use crate::pricing::model::{
    Benefit, BuyXGetY, Code, Group, InvalidCode, InvalidRate, Rate, Terms,
};
use crate::pricing::postal_codes::PostalCodePattern;
use crate::pricing::shipping::is_slug;
use crate::values::clock::Time;
use crate::values::id::ProductId;
use crate::values::money::{Currency, Money};

/// The most products, and the most categories, that a discount or a shipping method can list.
pub(super) const MAX_LISTED: usize = 50;

/// The most characters of a condition.
const MAX_CONDITION_CHARACTERS: usize = 2_000;

/// The highest usage limit.
const MAX_USES: u32 = 1_000_000_000;

/// A patch of a discount's terms. Fields that are `None` stay as they are.
#[derive(Clone, Debug)]
#[expect(
    clippy::option_option,
    reason = "a merge patch leaves, clears or sets (RFC 7396)"
)]
pub(super) struct Patch {
    name: Option<String>,
    benefit: Option<Benefit>,
    products: Option<Vec<ProductId>>,
    categories: Option<Vec<Category>>,
    starts_at: Option<Option<Time>>,
    ends_at: Option<Option<Time>>,
    minimum_amount: Option<Option<Money>>,
    customer_group: Option<Option<Group>>,
    first_order: Option<bool>,
    condition: Option<Option<String>>,
    usage_limit: Option<Option<u32>>,
    usage_limit_per_customer: Option<Option<u32>>,
    priority: Option<u32>,
    stackable: Option<bool>,
    max_amount: Option<Option<Money>>,
}

impl Patch {
    /// Returns `terms` with the patch applied.
    pub(super) fn apply_to(self, terms: Terms) -> Terms {
        Terms {
            name: self.name.unwrap_or(terms.name),
            currency: terms.currency,
            benefit: self.benefit.unwrap_or(terms.benefit),
            products: self.products.unwrap_or(terms.products),
            categories: self.categories.unwrap_or(terms.categories),
            starts_at: self.starts_at.unwrap_or(terms.starts_at),
            ends_at: self.ends_at.unwrap_or(terms.ends_at),
            minimum_amount: self.minimum_amount.unwrap_or(terms.minimum_amount),
            customer_group: self.customer_group.unwrap_or(terms.customer_group),
            first_order: self.first_order.unwrap_or(terms.first_order),
            condition: self.condition.unwrap_or(terms.condition),
            usage_limit: self.usage_limit.unwrap_or(terms.usage_limit),
            usage_limit_per_customer: self
                .usage_limit_per_customer
                .unwrap_or(terms.usage_limit_per_customer),
            priority: self.priority.unwrap_or(terms.priority),
            stackable: self.stackable.unwrap_or(terms.stackable),
            max_amount: self.max_amount.unwrap_or(terms.max_amount),
        }
    }
}

/// Reads a new discount, for which `name` and `benefit` are required. Its amounts are in its own currency, or in
/// `shop_currency` if it names none.
pub(super) fn draft(
    body: &mut Body<'_>,
    shop_currency: Currency,
) -> Option<(Option<Code>, bool, Terms)> {
    let own_currency = body.optional("currency", currency);
    let currency = own_currency.flatten().unwrap_or(shop_currency);
    let name = body.required("name", name);
    let benefit = body.required("benefit", |json| benefit(json, currency));
    let code = body.optional("code", |json| {
        json.parsed(&InvalidCode.to_string(), str::parse::<Code>)
    });
    let has_code = matches!(code, Some(Some(_)));
    let single_use_codes = body.non_nullable("single_use_codes", |json| {
        let place = json.clone();
        match json.boolean()? {
            true if has_code => {
                place.fault("conflict", "a discount has a code or single-use codes")
            }
            wanted => Some(wanted),
        }
    });
    let patch = patch(body, currency);
    Some((
        code?,
        single_use_codes?.unwrap_or_default(),
        patch?.apply_to(super::default_terms(name?, own_currency?, benefit?)),
    ))
}

/// Reads a patch of a discount.
pub(super) fn patch(body: &mut Body<'_>, currency: Currency) -> Option<Patch> {
    let name = body.non_nullable("name", name);
    let benefit = body.non_nullable("benefit", |json| benefit(json, currency));
    let products = body.non_nullable("products", |json| json.list(0..=MAX_LISTED, product));
    let categories = body.non_nullable("categories", |json| json.list(0..=MAX_LISTED, category));
    let starts_at = body.nullable("starts_at", time);
    let ends_at = body.nullable("ends_at", time);
    let minimum_amount = body.nullable("minimum_amount", |json| amount(json, currency));
    let customer_group = body.nullable("customer_group", |json| {
        json.parsed("this must be guest or customer", |text| {
            Group::from_name(text).ok_or(())
        })
    });
    let first_order = body.non_nullable("first_order", boolean);
    let condition = body.nullable("condition", |json| condition(json, currency));
    let usage_limit = body.nullable("usage_limit", |json| json.integer(1..=MAX_USES));
    let per_customer = body.nullable("usage_limit_per_customer", |json| {
        json.integer(1..=MAX_USES)
    });
    let priority = body.non_nullable("priority", |json| json.integer(0..=1_000_000));
    let stackable = body.non_nullable("stackable", boolean);
    let max_amount = body.nullable("max_amount", |json| amount(json, currency));
    Some(Patch {
        name: name?,
        benefit: benefit?,
        products: products?,
        categories: categories?,
        starts_at: starts_at?,
        ends_at: ends_at?,
        minimum_amount: minimum_amount?,
        customer_group: customer_group?,
        first_order: first_order?,
        condition: condition?,
        usage_limit: usage_limit?,
        usage_limit_per_customer: per_customer?,
        priority: priority?,
        stackable: stackable?,
        max_amount: max_amount?,
    })
}

pub(super) fn name(json: Json<'_>) -> Option<String> {
    json.line(1..=100)
}

pub(super) fn boolean(json: Json<'_>) -> Option<bool> {
    json.boolean()
}

pub(super) fn product(json: Json<'_>) -> Option<ProductId> {
    json.parsed("this must be the id of a product", str::parse)
}

pub(super) fn category(json: Json<'_>) -> Option<Category> {
    json.parsed(&InvalidCategory.to_string(), str::parse)
}

/// Reads a condition, which must compile and read only facts that are known when an order is priced.
fn condition(json: Json<'_>, currency: Currency) -> Option<String> {
    let place = json.clone();
    let source = json.text(1..=MAX_CONDITION_CHARACTERS)?;
    match conditions::compile(&source, currency) {
        Ok(_) => Some(source),
        Err(error) => place.fault("expression", error.to_string()),
    }
}

pub(super) fn rate(json: Json<'_>) -> Option<Rate> {
    json.parsed(&InvalidRate.to_string(), str::parse)
}

/// Reads the identifier of a shipping method.
pub(super) fn method_id(json: Json<'_>) -> Option<String> {
    json.parsed(
        "this must be 1 to 40 of the characters a to z, 0 to 9 and -",
        |text| is_slug(text).then(|| text.to_owned()).ok_or(()),
    )
}

/// Reads a pattern of postal codes.
pub(super) fn postal_codes(json: Json<'_>) -> Option<PostalCodePattern> {
    let place = json.clone();
    let text = json.line(1..=30)?;
    match text.parse::<PostalCodePattern>() {
        Ok(pattern) => Some(pattern),
        Err(invalid) => place.fault("invalid", invalid.to_string()),
    }
}

/// Reads an amount greater than zero.
fn amount(json: Json<'_>, currency: Currency) -> Option<Money> {
    let place = json.clone();
    let amount = json.money(currency)?;
    if amount.is_positive() {
        Some(amount)
    } else {
        place.fault("range", "this must be greater than zero")
    }
}

fn benefit(json: Json<'_>, currency: Currency) -> Option<Benefit> {
    json.object(|body| {
        let kind = body.required("type", |json| {
            json.parsed(
                "this must be percentage, amount, fixed_price, buy_x_get_y or free_shipping",
                |text| benefit_type(text).ok_or(()),
            )
        });
        match kind? {
            BenefitType::Percentage => {
                let rate = body.required("rate", rate)?;
                Some(Benefit::Percentage { rate })
            }
            BenefitType::Amount => {
                let amount = body.required("amount", |json| amount(json, currency))?;
                Some(Benefit::Amount { amount })
            }
            BenefitType::FixedPrice => {
                let price = body.required("price", |json| json.money(currency))?;
                Some(Benefit::FixedPrice { price })
            }
            BenefitType::BuyXGetY => {
                let buy = body.required("buy", |json| json.integer(1..=999));
                let get = body.required("get", |json| json.integer(1..=999));
                let rate = body.optional("rate", rate);
                let of_products =
                    body.optional("of_products", |json| json.list(0..=MAX_LISTED, product));
                let of_categories =
                    body.optional("of_categories", |json| json.list(0..=MAX_LISTED, category));
                Some(Benefit::BuyXGetY(BuyXGetY {
                    buy: buy?,
                    get: get?,
                    rate: rate?,
                    of_products: of_products?.unwrap_or_default(),
                    of_categories: of_categories?.unwrap_or_default(),
                }))
            }
            BenefitType::FreeShipping => {
                let methods = body.optional("methods", |json| json.list(0..=MAX_LISTED, method_id));
                let rate = body.optional("rate", rate);
                Some(Benefit::FreeShipping {
                    methods: methods?.unwrap_or_default(),
                    rate: rate?,
                })
            }
        }
    })
}

/// The `type` of a benefit.
enum BenefitType {
    Percentage,
    Amount,
    FixedPrice,
    BuyXGetY,
    FreeShipping,
}

fn benefit_type(text: &str) -> Option<BenefitType> {
    match text {
        "percentage" => Some(BenefitType::Percentage),
        "amount" => Some(BenefitType::Amount),
        "fixed_price" => Some(BenefitType::FixedPrice),
        "buy_x_get_y" => Some(BenefitType::BuyXGetY),
        "free_shipping" => Some(BenefitType::FreeShipping),
        _ => None,
    }
}
