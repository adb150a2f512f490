//! What an order would cost now: by the catalogue, the discounts, the shipping methods and the tax rates.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future;

use super::lines::{self, Item};
use super::model::Line;
use super::store::OrderStore;
use super::uses::{self, Use};
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::model::Product;
use crate::catalog::store::ProductStore;
use crate::http::problem::Problem;
use crate::pricing::breakdown::{Breakdown, Cart, Priced, calculate};
use crate::pricing::cart::CartLine;
use crate::pricing::conditions;
use crate::pricing::discounts::{Shopper, allow};
use crate::pricing::model::{Code, Discount, Group, Refusal};
use crate::pricing::shipping::{NotShipped, ShippingMethod};
use crate::pricing::store::{PriceBook, PricingStore};
use crate::pricing::tax::Destination;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ProductId};
use crate::values::money::{Currency, Money};

/// The attribute of a product that says what one weighs, in grams.
pub const WEIGHT: &str = "weight_grams";

/// What totals are made with.
#[derive(Clone, Debug)]
pub struct Totals {
    orders: OrderStore,
    pub(super) products: ProductStore,
    pricing: PricingStore,
    pub(super) currency: Currency,
}

/// What an order is priced by, beside its products.
#[derive(Clone, Debug)]
pub struct Prices {
    book: Arc<PriceBook>,
    /// The discount that has the code which is given.
    coded: Option<Discount>,
}

/// What is to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What is asked for.
    pub items: Vec<Item>,
    /// Where it goes.
    pub destination: Destination,
    /// How it is shipped.
    pub shipping_method: Option<String>,
    /// The discount code that is given.
    pub code: Option<Code>,
    /// Whose account it is; `None` without one.
    pub customer: Option<CustomerId>,
    /// When.
    pub now: Time,
}

/// What it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// One line for each product.
    pub lines: Vec<Line>,
    /// What they cost, part by part.
    pub breakdown: Breakdown,
    /// The uses of discounts that an order takes.
    pub uses: Vec<Use>,
    /// What is charged.
    pub total: Money,
}

impl Totals {
    /// With what the settings name.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            products: ProductStore::new(aws)?,
            pricing: PricingStore::new(aws)?,
            currency: aws.settings().read(Setting::ShopCurrency)?,
        })
    }

    /// Reads the prices that an order of `wanted` may depend on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prices(&self, wanted: &Wanted) -> Result<Prices, StoreError> {
        let coded = async {
            match &wanted.code {
                Some(code) => self.pricing.by_code(code).await,
                None => Ok(None),
            }
        };
        let (book, coded) = future::try_join(self.pricing.current(), coded).await?;
        Ok(Prices { book, coded })
    }

    /// Returns what `wanted` costs, its products being `products`, by `prices`.
    ///
    /// # Errors
    /// [`Problem::InvalidBody`] for products that cannot be bought, a method that does not ship the
    /// order, and a code that gives nothing.
    pub async fn price(
        &self,
        wanted: &Wanted,
        products: Vec<Product>,
        Prices { book, coded }: &Prices,
    ) -> Result<Offer, Problem> {
        let cart_lines = Known::of(&products);
        let (lines, _) =
            lines::price(&wanted.items, products, self.currency).map_err(Problem::InvalidBody)?;
        let cart_lines: Vec<CartLine> = cart_lines.lines(&lines)?;
        let shipping = method(book, wanted.shipping_method.as_deref())?;
        if wanted.code.is_some() && coded.is_none() {
            return Err(refused(Refusal::UnknownCode));
        }
        let candidates = book.automatic.iter().chain(coded);
        let allowed = self
            .allowed(wanted, &cart_lines, candidates, coded.as_ref())
            .await?;
        let cart = Cart {
            currency: self.currency,
            lines: &cart_lines,
            destination: &wanted.destination,
            shipping,
            taxes: &book.taxes,
        };
        let Priced {
            breakdown,
            passed_over,
        } = calculate(&cart, &allowed).map_err(not_shipped)?;
        let of_code = |id| coded.as_ref().is_some_and(|coded| coded.id == id);
        if let Some((_, refusal)) = passed_over.iter().find(|(id, _)| of_code(*id)) {
            return Err(refused(*refusal));
        }
        let total = breakdown.totals().map_err(too_much)?.total;
        let applied = |discount: &&Discount| {
            let mut applied = breakdown.discounts.iter();
            applied.any(|applied| applied.id == discount.id)
        };
        let uses = allowed.iter().filter(applied);
        let uses = uses.flat_map(|discount| uses::of(discount, wanted.customer));
        Ok(Offer {
            uses: uses.collect(),
            lines,
            breakdown,
            total,
        })
    }

    /// Those of `candidates` that the order may have; the one that came by a code must be among them.
    async fn allowed<'a>(
        &self,
        wanted: &Wanted,
        lines: &[CartLine],
        candidates: impl Iterator<Item = &'a Discount> + Clone,
        coded: Option<&Discount>,
    ) -> Result<Vec<Discount>, Problem> {
        let asks = candidates
            .clone()
            .any(|discount| discount.terms.first_order);
        let first_order = match wanted.customer {
            Some(customer) if asks => !self.orders.has_ordered(customer).await?,
            Some(_) | None => false,
        };
        let shopper = Shopper {
            group: match wanted.customer {
                Some(_) => Group::Customer,
                None => Group::Guest,
            },
            first_order,
        };
        let (to, now) = (&wanted.destination, wanted.now);
        let facts = conditions::facts(lines, to, wanted.customer, self.currency, now);
        let facts = facts.map_err(too_much)?;
        let mut allowed = Vec::new();
        for discount in candidates {
            let allows = allow(discount, lines, shopper, now);
            match allows.and_then(|()| conditions::met(discount, &facts)) {
                Ok(()) => allowed.push(discount.clone()),
                Err(refusal) if is(coded, discount) => return Err(refused(refusal)),
                Err(_) => {}
            }
        }
        let counted: Vec<Use> = allowed
            .iter()
            .flat_map(|discount| uses::of(discount, wanted.customer))
            .collect();
        let used_up = self.orders.used_up(&counted).await?;
        let is_used_up =
            |discount: &Discount| used_up.iter().any(|taken| taken.discount_id == discount.id);
        if coded.is_some_and(is_used_up) {
            return Err(refused(Refusal::UsedUp));
        }
        allowed.retain(|discount| !is_used_up(discount));
        Ok(allowed)
    }
}

fn is(coded: Option<&Discount>, discount: &Discount) -> bool {
    coded.is_some_and(|coded| coded.id == discount.id)
}

/// The answer to a code that gives nothing.
pub(super) fn refused(refusal: Refusal) -> Problem {
    Problem::field("/discount_code", refusal.code(), refusal.to_string())
}

/// The method with the identifier `wanted`. A shop that has methods wants one of them named.
fn method<'a>(
    book: &'a PriceBook,
    wanted: Option<&str>,
) -> Result<Option<&'a ShippingMethod>, Problem> {
    let refuse = |code, detail| Err(Problem::field("/shipping_method", code, detail));
    match wanted {
        None if book.methods.is_empty() => Ok(None),
        None => refuse("required", "name one of the shop's shipping methods"),
        Some(wanted) => match book.methods.iter().find(|method| method.id == wanted) {
            Some(method) => Ok(Some(method)),
            None => refuse("unknown_method", "there is no such shipping method"),
        },
    }
}

fn not_shipped(error: NotShipped) -> Problem {
    let code = match error {
        NotShipped::Country => "other_country",
        NotShipped::TooLarge => "too_large",
        NotShipped::Money(error) => return too_much(error),
    };
    Problem::field("/shipping_method", code, error.to_string())
}

fn too_much(error: crate::values::money::MoneyError) -> Problem {
    let detail = format!("the order cannot be totalled: {error}");
    Problem::field("/items", "total", detail)
}

/// What prices ask of products beside what lines keep of them.
struct Known(HashMap<ProductId, (crate::catalog::model::Category, Option<u32>)>);

impl Known {
    fn of(products: &[Product]) -> Self {
        let known = products.iter().map(|product| {
            let weight = product.attributes.get(WEIGHT);
            let weight = weight.and_then(|text| text.parse().ok());
            (product.id, (product.category.clone(), weight))
        });
        Self(known.collect())
    }

    fn lines(mut self, lines: &[Line]) -> Result<Vec<CartLine>, Problem> {
        let line = |line: &Line| {
            let known = self.0.remove(&line.product_id);
            let (category, weight_grams) =
                known.ok_or_else(|| Problem::internal("a line has no product"))?;
            Ok(CartLine {
                product_id: line.product_id,
                category,
                quantity: line.quantity,
                unit_price: line.unit_price,
                weight_grams,
            })
        };
        lines.iter().map(line).collect()
    }
}
