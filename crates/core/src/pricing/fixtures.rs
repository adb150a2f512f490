//! Values for tests of prices.

use super::breakdown::{Breakdown, PricedLine};
use super::cart::CartLine;
use super::model::{Benefit, Discount, Terms, Unlimited};
use super::shipping::{Cost, FreeFromBasis, ShippingMethod};
use super::tax::settings::{TaxRate, TaxSettings, TaxTerms};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{DiscountId, ProductId};
use crate::values::money::Money;

pub(crate) fn eur(amount: &str) -> Money {
    Money::parse(amount, "EUR".parse().unwrap()).unwrap()
}

pub(crate) fn noon() -> Time {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// Returns a line of the product `name` in the category of the same name.
pub(crate) fn line(name: &str, quantity: u32, price: &str) -> CartLine {
    CartLine {
        product_id: ProductId::derived(&[name]),
        variant_id: ProductId::derived(&[name]).into(),
        category: name.parse().unwrap(),
        quantity,
        unit_price: eur(price),
        weight_grams: None,
        shipped: true,
    }
}

/// Returns an automatic, stackable discount without conditions.
pub(crate) fn discount(name: &str, benefit: Benefit) -> Discount {
    let id = DiscountId::derived(&[name]);
    Discount {
        id,
        code: None,
        terms: Terms {
            name: name.to_owned(),
            currency: None,
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
        },
        ended: false,
        was_unlimited: Unlimited::default(),
        single_use_codes: false,
        version: 1,
        created_at: noon(),
        updated_at: noon(),
        request_hash: None,
        event: Stamp::new(id, 1, "DiscountCreated", noon()),
    }
}

pub(crate) fn percent(rate: &str) -> Benefit {
    Benefit::Percentage {
        rate: rate.parse().unwrap(),
    }
}

pub(crate) fn method(id: &str, cost: Cost) -> ShippingMethod {
    ShippingMethod {
        id: id.to_owned(),
        name: id.to_owned(),
        currency: None,
        countries: Vec::new(),
        zones: Vec::new(),
        not_for_products: Vec::new(),
        not_for_categories: Vec::new(),
        cost,
        free_from: None,
        free_from_basis: FreeFromBasis::default(),
        delivery_days: None,
    }
}

pub(crate) fn tax(
    country: &str,
    region: Option<&str>,
    category: Option<&str>,
    rate: &str,
    included: bool,
) -> TaxRate {
    TaxRate {
        name: "VAT".to_owned(),
        country: country.to_owned(),
        region: region.map(str::to_owned),
        postal_codes: Vec::new(),
        category: category.map(|category| category.parse().unwrap()),
        component: None,
        compound: false,
        rate: rate.parse().unwrap(),
        included,
    }
}

/// Returns the tax settings with `rates` and the default terms.
pub(crate) fn tax_settings(rates: &[TaxRate]) -> TaxSettings {
    TaxSettings {
        rates: rates.to_vec(),
        terms: TaxTerms::default(),
    }
}

impl Breakdown {
    /// Returns the price of `lines` without discounts, shipping and tax.
    pub(crate) fn plain(lines: &[crate::orders::model::Line]) -> Self {
        let priced = lines.iter().map(|line| PricedLine {
            subtotal: line.subtotal().unwrap(),
            discounts: Vec::new(),
            taxes: Vec::new(),
        });
        Self {
            currency: lines[0].unit_price.currency(),
            lines: priced.collect(),
            discounts: Vec::new(),
            shipping: None,
            reverse_charge: false,
            tax_number_check: None,
        }
    }
}
