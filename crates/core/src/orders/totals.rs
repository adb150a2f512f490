//! What an order would cost now, by the catalogue, the discounts, the shipping methods and the tax rates.

use std::sync::Arc;

use futures::future;

use super::fields::Codes;
use super::lines::{self, Item};
use super::minimum::{MinimumOrder, Shortfall};
use super::model::Line;
use super::shortage::StockCheck;
use super::store::OrderStore;
use super::uses::{self, Earlier, QuoteUse, Taker, Use};
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::model::Product;
use crate::catalog::store::ProductStore;
use crate::customers::model::Email;
use crate::http::problem::Problem;
use crate::pricing::breakdown::{Breakdown, Cart, Priced, calculate, calculate_lowest};
use crate::pricing::cart::CartLine;
use crate::pricing::conditions;
use crate::pricing::discounts::{Shopper, allow};
use crate::pricing::lists::ListedFor;
use crate::pricing::model::{Discount, Exclusive, Group, Refusal};
use crate::pricing::store::{PriceBook, PricingStore};
use crate::pricing::tax::Destination;
use crate::pricing::tax::registry::{Check, NoRegistry, Registry};
use crate::values::clock::Time;
use crate::values::group::CustomerGroup;
use crate::values::id::{CustomerId, DiscountId};
use crate::values::locale::Locale;
use crate::values::money::{Currency, Money};

mod facts;
mod listed;
mod refusals;

use facts::Facts;
use refusals::{method, not_shipped, not_totalled, unknown_place};

/// Prices orders by what the shop has stored.
#[derive(Clone, Debug)]
pub struct Totals<R = NoRegistry> {
    orders: OrderStore,
    pub(super) products: ProductStore,
    pub(super) stock: StockCheck,
    pricing: PricingStore,
    shop_currency: Currency,
    minimum: MinimumOrder,
    registry: R,
}

/// What an order is priced by, besides its products.
#[derive(Clone, Debug)]
pub struct Prices {
    book: Arc<PriceBook>,
    /// The discounts with the codes that were given, in their order.
    coded: Vec<Option<Discount>>,
}

/// What is to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricingRequest {
    /// The products and their quantities.
    pub items: Vec<Item>,
    /// The currency of the prices; `None` for the shop's.
    pub currency: Option<Currency>,
    /// Where the order goes.
    pub destination: Destination,
    /// Where in the request the destination's tax number is, as a JSON pointer.
    pub tax_number_at: &'static str,
    /// The identifier of the shipping method.
    pub shipping_method: Option<String>,
    /// The discount codes.
    pub codes: Codes,
    /// The customer; `None` for a guest.
    pub customer: Option<CustomerId>,
    /// The group whose prices the customer has.
    pub group: Option<CustomerGroup>,
    /// The language in which the names of the products are shown.
    pub locale: Option<Locale>,
    /// The email address of a guest, if it is known.
    pub guest: Option<Email>,
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

impl PricingRequest {
    fn kind(&self) -> Group {
        match self.customer {
            Some(_) => Group::Customer,
            None => Group::Guest,
        }
    }

    /// Returns the lines that are wanted, at the prices of their `products`.
    pub(super) fn lines(&self, products: &[Product]) -> Result<Vec<Line>, Problem> {
        let lines = lines::price(&self.items, products, self.locale.as_ref(), self.now);
        lines.map_err(Problem::InvalidBody)
    }

    /// Returns the customer or guest for whom uses are counted.
    fn taker(&self) -> Taker<'_> {
        match (self.customer, &self.guest) {
            (Some(customer), _) => Taker::Customer(customer),
            (None, Some(email)) => Taker::Guest(email),
            (None, None) => Taker::Unknown,
        }
    }
}

impl Totals {
    /// Reads the settings. No registry is asked about tax numbers.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Self::with(aws, NoRegistry)
    }
}

impl<R: Registry> Totals<R> {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn with(aws: &Aws, registry: R) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            products: ProductStore::new(aws)?,
            stock: StockCheck::new(aws)?,
            pricing: PricingStore::new(aws)?,
            shop_currency: aws.settings().read(Setting::ShopCurrency)?,
            minimum: MinimumOrder::read(aws.settings())?,
            registry,
        })
    }

    /// Reads the prices that an order of `wanted` may depend on.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn prices(&self, wanted: &PricingRequest) -> Result<Prices, StoreError> {
        let coded = wanted
            .codes
            .codes
            .iter()
            .map(|code| self.pricing.by_code(code));
        let coded = future::try_join_all(coded);
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
        wanted: &PricingRequest,
        products: &[Product],
        Prices { book, coded }: &Prices,
    ) -> Result<Offer, Problem> {
        let currency = listed::currency(wanted.currency, self.shop_currency, &book.lists)?;
        let facts = Facts::of_products(products);
        let mut lines = wanted.lines(products)?;
        let order = ListedFor {
            currency,
            kind: wanted.kind(),
            group: wanted.group.as_ref(),
            country: &wanted.destination.country,
            now: wanted.now,
        };
        listed::apply(&self.pricing, &book.lists, &order, &mut lines).await?;
        listed::check(&lines, &wanted.items, currency)?;
        let place = book.taxes.place(&wanted.destination);
        let place = place.map_err(|unknown| unknown_place(&unknown))?;
        let cart_lines = facts.cart_lines(&mut lines, &place)?;
        let is_shipped = cart_lines.iter().any(|line| line.shipped);
        let shipping = if is_shipped {
            let wanted = wanted.shipping_method.as_deref();
            method(book, wanted, currency, self.shop_currency)?
        } else {
            None
        };
        let coded = Coded::new(&wanted.codes, coded)?;
        let candidates = book.automatic.iter().chain(coded.discounts.iter().copied());
        let allowed = self
            .allowed(wanted, currency, &cart_lines, candidates, &coded)
            .await?;
        let cart = Cart {
            currency,
            lines: &cart_lines,
            destination: &wanted.destination,
            shipping,
            taxes: &place,
        };
        let priced = match book.settings.exclusive {
            Exclusive::Priority => calculate(&cart, &allowed.discounts),
            Exclusive::Best => calculate_lowest(&cart, &allowed.discounts),
        };
        let Priced {
            mut breakdown,
            passed_over,
        } = priced.map_err(|error| not_shipped(&error, &lines))?;
        for (id, refusal) in passed_over {
            coded.check(id, Err(refusal))?;
        }
        breakdown.tax_number_check = self.checked(wanted).await?;
        let total = breakdown.totals().map_err(not_totalled)?.total;
        let applied = |taken: &Use| {
            let mut applied = breakdown.discounts.iter();
            applied.any(|applied| applied.id == taken.discount_id)
        };
        Ok(Offer {
            uses: allowed.uses.into_iter().filter(applied).collect(),
            lines,
            breakdown,
            total,
            quote: None,
        })
    }

    /// Returns what the order of `offer` lacks to the shop's minimum.
    pub(super) fn shortfall(&self, offer: &Offer) -> Result<Option<Shortfall>, Problem> {
        let shortfall = self.minimum.shortfall(&offer.breakdown, offer.total);
        shortfall.map_err(not_totalled)
    }

    /// Returns what the registry says of the tax number, if there is one.
    ///
    /// # Errors
    /// Returns [`Problem::InvalidBody`] for a number that the registry does not know: the buyer may have mistyped it, and
    /// has to say whether to pay the tax instead.
    async fn checked(&self, wanted: &PricingRequest) -> Result<Option<Check>, Problem> {
        let Some(number) = &wanted.destination.tax_number else {
            return Ok(None);
        };
        match self.registry.check(number).await {
            Check::Invalid => Err(Problem::field(
                wanted.tax_number_at,
                "not_registered",
                "this tax number is not registered: correct it, or leave it out to pay the tax",
            )),
            check @ (Check::NotChecked | Check::Valid | Check::Unavailable) => Ok(Some(check)),
        }
    }

    /// Returns those of `candidates` that the order may have. Those with a code must be among them.
    async fn allowed<'a>(
        &self,
        wanted: &PricingRequest,
        currency: Currency,
        lines: &[CartLine],
        candidates: impl Iterator<Item = &'a Discount> + Clone,
        coded: &Coded<'_>,
    ) -> Result<Allowed, Problem> {
        let is_asked = candidates
            .clone()
            .any(|discount| discount.terms.first_order);
        let shopper = self.shopper(wanted, is_asked).await?;
        let (to, now) = (&wanted.destination, wanted.now);
        let facts = conditions::facts(lines, to, wanted.customer, currency, now);
        let facts = facts.map_err(not_totalled)?;
        let mut allowed = Allowed::default();
        for discount in candidates {
            let allows = allow(discount, lines, shopper, now);
            let allows =
                allows.and_then(|()| conditions::met(discount, &facts, self.shop_currency));
            if coded.check(discount.id, allows)? {
                allowed.discounts.push(discount.clone());
                allowed.uses.extend(self.uses(wanted, discount).await?);
            }
        }
        let used_up = self.orders.used_up(&allowed.uses).await?;
        let has_use_left = |id: DiscountId| !used_up.iter().any(|taken| taken.discount_id == id);
        for taken in &used_up {
            coded.check(taken.discount_id, Err(Refusal::UsedUp))?;
        }
        allowed
            .discounts
            .retain(|discount| has_use_left(discount.id));
        allowed.uses.retain(|taken| has_use_left(taken.discount_id));
        Ok(allowed)
    }

    /// Returns the facts about the shopper; whether it is the first order only if that is `asked`.
    async fn shopper(&self, wanted: &PricingRequest, asked: bool) -> Result<Shopper, StoreError> {
        let has_ordered = match wanted.taker() {
            Taker::Unknown => true,
            taker @ (Taker::Customer(_) | Taker::Guest(_)) => {
                !asked || self.orders.has_ordered(taker).await?
            }
        };
        Ok(Shopper {
            group: wanted.kind(),
            is_known: wanted.customer.is_some() || wanted.guest.is_some(),
            first_order: !has_ordered,
        })
    }

    /// Returns the uses that an order of `wanted` with `discount` takes.
    async fn uses(
        &self,
        wanted: &PricingRequest,
        discount: &Discount,
    ) -> Result<Vec<Use>, StoreError> {
        let (terms, taker) = (&discount.terms, wanted.taker());
        let mut earlier = Earlier::default();
        if terms.usage_limit.is_some() && discount.was_unlimited.in_total {
            earlier.all = self.orders.unlimited_uses(discount.id).await?;
        }
        if terms.limit_per_customer().is_some() && discount.was_unlimited.per_customer {
            earlier.own = self.orders.uncounted_uses(taker, discount.id).await?;
        }
        let shard = wanted.now.as_millis().unsigned_abs() % u64::from(uses::SHARDS);
        let shard = u32::try_from(shard).unwrap_or_default();
        Ok(uses::taken_with(discount, taker, earlier, shard))
    }
}

/// The discounts that an order may have, and the uses that it takes with them.
#[derive(Default)]
struct Allowed {
    discounts: Vec<Discount>,
    uses: Vec<Use>,
}

/// The discounts with the codes of a request, in the order of the codes.
struct Coded<'a> {
    codes: &'a Codes,
    discounts: Vec<&'a Discount>,
}

impl<'a> Coded<'a> {
    /// Returns the `found` discounts with `codes`.
    ///
    /// # Errors
    /// Returns [`Problem::InvalidBody`] if there is no discount for a code, or another of the codes has it.
    fn new(codes: &'a Codes, found: &'a [Option<Discount>]) -> Result<Self, Problem> {
        let mut named = Self {
            codes,
            discounts: Vec::new(),
        };
        for (at, discount) in found.iter().enumerate() {
            let discount = discount.as_ref().ok_or(Refusal::UnknownCode);
            let discount = discount.map_err(|refusal| named.refused(at, refusal))?;
            if named.discounts.iter().any(|other| other.id == discount.id) {
                return Err(named.refused(at, Refusal::NotCombinable));
            }
            named.discounts.push(discount);
        }
        Ok(named)
    }

    /// Returns whether the order may have the discount `id`.
    ///
    /// # Errors
    /// Returns [`Problem::InvalidBody`] if it may not, and the discount has one of the codes.
    fn check(&self, id: DiscountId, allows: Result<(), Refusal>) -> Result<bool, Problem> {
        let Err(refusal) = allows else {
            return Ok(true);
        };
        match self.discounts.iter().position(|coded| coded.id == id) {
            Some(at) => Err(self.refused(at, refusal)),
            None => Ok(false),
        }
    }

    /// Returns the problem of the code at the place `at`, which gives no discount.
    fn refused(&self, at: usize, refusal: Refusal) -> Problem {
        Problem::field(&self.codes.pointer(at), refusal.code(), refusal.to_string())
    }
}

#[cfg(test)]
mod tests;
