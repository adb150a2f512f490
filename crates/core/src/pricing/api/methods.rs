//! Reads shipping methods.

use super::fields::{MAX_LISTED, boolean, category, method_id, name, postal_codes, product};
use crate::http::address;
use crate::http::body::{Body, Json, currency};
use crate::pricing::shipping::{Cost, DeliveryDays, FreeFromBasis, ShippingMethod, Step, Zone};
use crate::values::money::{Currency, Money};

/// The most steps of a shipping method's price scale.
const MAX_STEPS: usize = 50;

/// The most pieces that a step can have as its bound: more than an order can have.
const MAX_PIECES: u32 = 1_000_000;

/// The most zones of a shipping method.
const MAX_ZONES: usize = 100;

/// The most regions, and the most patterns of postal codes, of a zone.
const MAX_PARTS: usize = 200;

/// The most days of delivery.
const MAX_DAYS: u32 = 365;

/// Reads a shipping method. Its amounts are in its own currency, or in `shop_currency` if it names none.
pub(super) fn method(json: Json<'_>, shop_currency: Currency) -> Option<ShippingMethod> {
    json.object(|body| {
        let id = body.required("id", method_id);
        let name = body.required("name", name);
        let own_currency = body.optional("currency", currency);
        let currency = own_currency.flatten().unwrap_or(shop_currency);
        let countries = body.optional("countries", |json| json.list(0..=250, address::country));
        let zones = body.optional("zones", |json| {
            json.list(0..=MAX_ZONES, |json| zone(json, currency))
        });
        let products = body.optional("not_for_products", |json| {
            json.list(0..=MAX_LISTED, product)
        });
        let categories = body.optional("not_for_categories", |json| {
            json.list(0..=MAX_LISTED, category)
        });
        let cost = body.required("cost", |json| cost(json, currency));
        let free_from = body.optional("free_from", |json| json.money(currency));
        let free_from_basis = body.optional("free_from_basis", |json| {
            json.named(&[
                ("before_discounts", FreeFromBasis::BeforeDiscounts),
                ("after_discounts", FreeFromBasis::AfterDiscounts),
            ])
        });
        let delivery_days = body.optional("delivery_days", delivery_days);
        Some(ShippingMethod {
            id: id?,
            name: name?,
            currency: own_currency?,
            countries: countries?.unwrap_or_default(),
            zones: zones?.unwrap_or_default(),
            not_for_products: products?.unwrap_or_default(),
            not_for_categories: categories?.unwrap_or_default(),
            cost: cost?,
            free_from: free_from?,
            free_from_basis: free_from_basis?.unwrap_or_default(),
            delivery_days: delivery_days?,
        })
    })
}

fn zone(json: Json<'_>, currency: Currency) -> Option<Zone> {
    let place = json.clone();
    let zone = json.object(|body| {
        let country = body.required("country", address::country);
        let regions = body.optional("regions", |json| {
            json.list(0..=MAX_PARTS, |json| json.line(1..=100))
        });
        let postal_codes = body.optional("postal_codes", |json| {
            json.list(0..=MAX_PARTS, postal_codes)
        });
        let excluded = body.optional("excluded", boolean);
        let surcharge = body.optional("surcharge", |json| json.money(currency));
        Some(Zone {
            country: country?,
            regions: regions?.unwrap_or_default(),
            postal_codes: postal_codes?.unwrap_or_default(),
            excluded: excluded?.unwrap_or_default(),
            surcharge: surcharge?,
        })
    })?;
    if zone.excluded && zone.surcharge.is_some() {
        let detail = "an excluded zone has no surcharge, because the method does not ship there";
        return place.at("surcharge").fault("contradiction", detail);
    }
    Some(zone)
}

fn delivery_days(json: Json<'_>) -> Option<DeliveryDays> {
    let place = json.clone();
    let days = |body: &mut Body<'_>| {
        let min = body.required("min", |json| json.integer(0..=MAX_DAYS));
        let max = body.required("max", |json| json.integer(0..=MAX_DAYS));
        Some(DeliveryDays {
            min: min?,
            max: max?,
        })
    };
    let days = json.object(days)?;
    if days.min <= days.max {
        Some(days)
    } else {
        let detail = "this must not be less than min";
        place.at("max").fault("range", detail)
    }
}

/// The `type` of a shipping method's cost.
#[derive(Clone, Copy)]
enum CostType {
    Flat,
    ByWeight,
    ByAmount,
    ByQuantity,
}

fn cost(json: Json<'_>, currency: Currency) -> Option<Cost> {
    json.object(|body| {
        let kind = body.required("type", |json| {
            json.named(&[
                ("flat", CostType::Flat),
                ("by_weight", CostType::ByWeight),
                ("by_amount", CostType::ByAmount),
                ("by_quantity", CostType::ByQuantity),
            ])
        });
        match kind? {
            CostType::Flat => {
                let price = body.required("price", |json| json.money(currency))?;
                Some(Cost::Flat { price })
            }
            CostType::ByWeight => {
                let grams = |json: Json<'_>| json.integer(1..=1_000_000_000);
                let steps =
                    body.required("steps", |json| steps(json, currency, grams, |up_to| *up_to))?;
                Some(Cost::ByWeight { steps })
            }
            CostType::ByAmount => {
                let amount = |json: Json<'_>| json.money(currency);
                let steps = body.required("steps", |json| {
                    steps(json, currency, amount, |up_to: &Money| up_to.amount())
                })?;
                Some(Cost::ByAmount { steps })
            }
            CostType::ByQuantity => {
                let pieces = |json: Json<'_>| json.integer(1..=MAX_PIECES);
                let steps = body.required("steps", |json| {
                    steps(json, currency, pieces, |up_to| *up_to)
                })?;
                Some(Cost::ByQuantity { steps })
            }
        }
    })
}

/// Reads steps whose upper bounds ascend. Only the last step may have no bound.
fn steps<T, B: PartialOrd>(
    json: Json<'_>,
    currency: Currency,
    bound: impl Fn(Json<'_>) -> Option<T>,
    comparable: impl Fn(&T) -> B,
) -> Option<Vec<Step<T>>> {
    let place = json.clone();
    let steps = json.list(1..=MAX_STEPS, |json| {
        json.object(|body| {
            let up_to = body.optional("up_to", &bound);
            let price = body.required("price", |json| json.money(currency));
            Some(Step {
                up_to: up_to?,
                price: price?,
            })
        })
    })?;
    let ascending = steps
        .windows(2)
        .all(|pair| match (&pair[0].up_to, &pair[1].up_to) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(lower), Some(upper)) => comparable(lower) < comparable(upper),
        });
    if ascending {
        Some(steps)
    } else {
        place.fault(
            "order",
            "the steps must be in ascending order of up_to, and only the last may omit it",
        )
    }
}
