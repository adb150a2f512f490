//! Reads shipping methods.

use super::fields::{method_id, name, price};
use crate::http::address;
use crate::http::body::Json;
use crate::pricing::shipping::{Cost, FreeFromBasis, ShippingMethod, Step};
use crate::values::money::{Currency, Money};

/// The most steps of a shipping method's price scale.
const MAX_STEPS: usize = 50;

/// Reads a shipping method.
pub(super) fn method(json: Json<'_>, currency: Currency) -> Option<ShippingMethod> {
    json.object(|body| {
        let id = body.required("id", method_id);
        let name = body.required("name", name);
        let countries = body.optional("countries", |json| json.list(0..=250, address::country));
        let cost = body.required("cost", |json| cost(json, currency));
        let free_from = body.optional("free_from", |json| price(json, currency));
        Some(ShippingMethod {
            id: id?,
            name: name?,
            countries: countries?.unwrap_or_default(),
            zones: Vec::new(),
            not_for_products: Vec::new(),
            not_for_categories: Vec::new(),
            cost: cost?,
            free_from: free_from?,
            free_from_basis: FreeFromBasis::default(),
            delivery_days: None,
        })
    })
}

/// The `type` of a shipping method's cost.
enum CostType {
    Flat,
    ByWeight,
    ByAmount,
}

fn cost(json: Json<'_>, currency: Currency) -> Option<Cost> {
    json.object(|body| {
        let kind = body.required("type", |json| {
            json.parsed(
                "this must be flat, by_weight or by_amount",
                |text| match text {
                    "flat" => Ok(CostType::Flat),
                    "by_weight" => Ok(CostType::ByWeight),
                    "by_amount" => Ok(CostType::ByAmount),
                    _ => Err(()),
                },
            )
        });
        match kind? {
            CostType::Flat => {
                let price = body.required("price", |json| price(json, currency))?;
                Some(Cost::Flat { price })
            }
            CostType::ByWeight => {
                let grams = |json: Json<'_>| json.integer(1..=1_000_000_000);
                let steps = body.required("steps", |json| {
                    steps(json, currency, grams, |up_to| u64::from(*up_to))
                })?;
                Some(Cost::ByWeight { steps })
            }
            CostType::ByAmount => {
                let amount = |json: Json<'_>| price(json, currency);
                let steps = body.required("steps", |json| {
                    steps(json, currency, amount, |up_to: &Money| {
                        up_to.minor_units().unwrap_or(0)
                    })
                })?;
                Some(Cost::ByAmount { steps })
            }
        }
    })
}

/// Reads steps whose upper bounds ascend. Only the last step may have no bound.
fn steps<T>(
    json: Json<'_>,
    currency: Currency,
    bound: impl Fn(Json<'_>) -> Option<T>,
    units: impl Fn(&T) -> u64,
) -> Option<Vec<Step<T>>> {
    let place = json.clone();
    let steps = json.list(1..=MAX_STEPS, |json| {
        json.object(|body| {
            let up_to = body.optional("up_to", &bound);
            let price = body.required("price", |json| price(json, currency));
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
            (Some(lower), Some(upper)) => units(lower) < units(upper),
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
