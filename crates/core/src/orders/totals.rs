//! What an order would cost now, by the catalogue, the discounts, the shipping methods and the tax rates.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future;

use super::lines::{self, Item};
use super::model::Line;
use super::store::OrderStore;
use super::uses::{self, QuoteUse, Use};
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
use crate::pricing::tax::sheet::UnknownPlace;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ProductId};
use crate::values::money::{Currency, Money};

/// Prices orders by what the shop has stored.
#[derive(Clone, Debug)]
pub struct Totals {
    orders: OrderStore,
    pub(super) products: ProductStore,
    pricing: PricingStore,
    pub(super) currency: Currency,
}

/// What an order is priced by, besides its products.
#[derive(Clone, Debug)]
pub struct Prices {
    book: Arc<PriceBook>,
    /// The discount with the code that was given.
    coded: Option<Discount>,
}

/// What is to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The products and their quantities.
    pub items: Vec<Item>,
    /// Where the order goes.
    pub destination: Destination,
    /// The identifier of the shipping method.
    pub shipping_method: Option<String>,
    /// The discount code.
    pub code: Option<Code>,
    /// The customer; `None` for a guest.
    pub customer: Option<CustomerId>,
    /// The time of the request.
    pub now: Time,
}

/// What an order costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// One line for each product.
    pub lines: Vec<Line>,
    /// The parts of the total.
    pub breakdown: Breakdown,
    /// The uses of discounts that the order takes.
    pub uses: Vec<Use>,
    /// What is charged.
    pub total: Money,
    /// The quote that promises it.
    pub quote: Option<QuoteUse>,
}

impl Totals {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
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
    /// Returns [`StoreError`] if a request to DynamoDB fails.
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
    /// Returns [`Problem::InvalidBody`] for products that are not for sale, a method that does not ship the order, and
    /// a code that gives no discount.
    pub async fn price(
        &self,
        wanted: &Wanted,
        products: Vec<Product>,
        Prices { book, coded }: &Prices,
    ) -> Result<Offer, Problem> {
        let facts = ProductFacts::from_products(&products);
        let (mut lines, _) =
            lines::price(&wanted.items, products, self.currency).map_err(Problem::InvalidBody)?;
        let place = book.taxes.place(&wanted.destination);
        let place = place.map_err(|unknown| unknown_place(&unknown))?;
        for line in &mut lines {
            let category = facts.category(line)?.to_string();
            let price = place.price(line.unit_price, &category);
            line.unit_price = price.map_err(not_totalled)?;
        }
        let cart_lines: Vec<CartLine> = facts.cart_lines(&lines)?;
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
            taxes: &place,
        };
        let Priced {
            breakdown,
            passed_over,
        } = calculate(&cart, &allowed).map_err(not_shipped)?;
        let of_code = |id| coded.as_ref().is_some_and(|coded| coded.id == id);
        if let Some((_, refusal)) = passed_over.iter().find(|(id, _)| of_code(*id)) {
            return Err(refused(*refusal));
        }
        let total = breakdown.totals().map_err(not_totalled)?.total;
        let applied = |discount: &&Discount| {
            let mut applied = breakdown.discounts.iter();
            applied.any(|applied| applied.id == discount.id)
        };
        let uses = allowed.iter().filter(applied);
        let uses = uses.flat_map(|discount| uses::taken_with(discount, wanted.customer));
        Ok(Offer {
            uses: uses.collect(),
            lines,
            breakdown,
            total,
            quote: None,
        })
    }

    /// Returns those of `candidates` that the order may have. The one with a code must be among them.
    async fn allowed<'a>(
        &self,
        wanted: &Wanted,
        lines: &[CartLine],
        candidates: impl Iterator<Item = &'a Discount> + Clone,
        coded: Option<&Discount>,
    ) -> Result<Vec<Discount>, Problem> {
        let is_asked = candidates
            .clone()
            .any(|discount| discount.terms.first_order);
        let first_order = match wanted.customer {
            Some(customer) if is_asked => !self.orders.has_ordered(customer).await?,
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
        let facts = facts.map_err(not_totalled)?;
        let is_coded = |discount: &Discount| coded.is_some_and(|coded| coded.id == discount.id);
        let mut allowed = Vec::new();
        for discount in candidates {
            let allows = allow(discount, lines, shopper, now);
            match allows.and_then(|()| conditions::met(discount, &facts)) {
                Ok(()) => allowed.push(discount.clone()),
                Err(refusal) if is_coded(discount) => return Err(refused(refusal)),
                Err(_) => {}
            }
        }
        let counted: Vec<Use> = allowed
            .iter()
            .flat_map(|discount| uses::taken_with(discount, wanted.customer))
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

/// Returns the problem of a code that gives no discount.
pub(super) fn refused(refusal: Refusal) -> Problem {
    Problem::field("/discount_code", refusal.code(), refusal.to_string())
}

/// Returns the method with the identifier `wanted`. In a shop that has shipping methods, an order must name one.
fn method<'a>(
    book: &'a PriceBook,
    wanted: Option<&str>,
) -> Result<Option<&'a ShippingMethod>, Problem> {
    let refuse = |code, detail| Err(Problem::field("/shipping_method", code, detail));
    match wanted {
        None if book.methods.is_empty() => Ok(None),
        None => refuse("required", "choose one of the shop's shipping methods"),
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
        NotShipped::UnknownWeight(_) => "unknown_weight",
        NotShipped::Money(error) => return not_totalled(error),
    };
    Problem::field("/shipping_method", code, error.to_string())
}

fn unknown_place(unknown: &UnknownPlace) -> Problem {
    let (field, code) = match unknown {
        UnknownPlace::RegionRequired(_) => ("region", "required"),
        UnknownPlace::UnknownRegion(_) => ("region", "unknown_region"),
        UnknownPlace::PostalCodeRequired => ("postal_code", "required"),
    };
    let pointer = format!("/shipping_address/{field}");
    Problem::field(&pointer, code, unknown.to_string())
}

fn not_totalled(error: crate::values::money::MoneyError) -> Problem {
    let detail = format!("the order cannot be totalled: {error}");
    Problem::field("/items", "total", detail)
}

/// What pricing needs to know about products that lines do not hold.
struct ProductFacts(HashMap<ProductId, (crate::catalog::model::Category, Option<u32>)>);

impl ProductFacts {
    fn from_products(products: &[Product]) -> Self {
        let facts = products.iter().map(|product| {
            let facts = (product.category.clone(), product.weight_grams);
            (product.id, facts)
        });
        Self(facts.collect())
    }

    fn category(&self, line: &Line) -> Result<&crate::catalog::model::Category, Problem> {
        let facts = self.0.get(&line.product_id);
        let facts = facts.ok_or_else(|| Problem::internal("a line has no product"))?;
        Ok(&facts.0)
    }

    fn cart_lines(mut self, lines: &[Line]) -> Result<Vec<CartLine>, Problem> {
        let line = |line: &Line| {
            let facts = self.0.remove(&line.product_id);
            let (category, weight_grams) =
                facts.ok_or_else(|| Problem::internal("a line has no product"))?;
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
