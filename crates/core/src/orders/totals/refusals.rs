//! The problems of orders that cannot be priced.

use crate::http::problem::Problem;
use crate::orders::model::Line;
use crate::pricing::shipping::{NotReached, NotShipped, ShippingMethod};
use crate::pricing::store::PriceBook;
use crate::pricing::tax::settings::UnknownPlace;
use crate::values::money::{Currency, MoneyError};

/// Returns the method with the identifier `wanted`, for an order in `currency`. In a shop that has shipping methods, an
/// order must name one.
pub(super) fn method<'a>(
    book: &'a PriceBook,
    wanted: Option<&str>,
    currency: Currency,
    shop_currency: Currency,
) -> Result<Option<&'a ShippingMethod>, Problem> {
    let refuse = |code, detail: &str| Err(Problem::field("/shipping_method", code, detail));
    let Some(wanted) = wanted else {
        return if book.methods.is_empty() {
            Ok(None)
        } else {
            refuse("required", "choose one of the shop's shipping methods")
        };
    };
    let Some(method) = book.methods.iter().find(|method| method.id == wanted) else {
        return refuse("unknown_method", "there is no such shipping method");
    };
    let of_method = method.currency.unwrap_or(shop_currency);
    if of_method == currency {
        Ok(Some(method))
    } else {
        let detail = format!("this method is for orders in {of_method}");
        refuse("other_currency", &detail)
    }
}

/// Returns the problem of a method that does not ship the `lines`.
pub(super) fn not_shipped(error: &NotShipped, lines: &[Line]) -> Problem {
    let address = |part, code| {
        let pointer = format!("/shipping_address/{part}");
        Problem::field(&pointer, code, error.to_string())
    };
    let (code, detail) = match error {
        NotShipped::Place(place) => match place {
            NotReached::RegionRequired => return address("region", "required"),
            NotReached::UnknownRegion => return address("region", "unknown_region"),
            NotReached::PostalCodeRequired => return address("postal_code", "required"),
            NotReached::Country => ("other_country", error.to_string()),
            NotReached::Area => ("outside_area", error.to_string()),
            NotReached::Money(error) => return not_totalled(*error),
        },
        NotShipped::Goods(at) => {
            let detail = format!("this method does not ship {}", names(lines, at));
            ("unsuitable_goods", detail)
        }
        NotShipped::UnknownWeight(at) => {
            let names = names(lines, at);
            let detail =
                format!("this method is priced by weight, and the weight of {names} is not known");
            ("unknown_weight", detail)
        }
        NotShipped::TooLarge => ("too_large", error.to_string()),
        NotShipped::Money(error) => return not_totalled(*error),
    };
    Problem::field("/shipping_method", code, detail)
}

/// Returns the quoted names of the lines at the places `at`.
pub(super) fn names(lines: &[Line], at: &[usize]) -> String {
    let lines = at.iter().filter_map(|at| lines.get(*at));
    let names: Vec<String> = lines.map(|line| format!("\"{}\"", line.name)).collect();
    names.join(", ")
}

pub(super) fn unknown_place(unknown: &UnknownPlace) -> Problem {
    let (field, code) = match unknown {
        UnknownPlace::RegionRequired(_) => ("region", "required"),
        UnknownPlace::UnknownRegion(_) => ("region", "unknown_region"),
        UnknownPlace::PostalCodeRequired => ("postal_code", "required"),
    };
    let pointer = format!("/shipping_address/{field}");
    Problem::field(&pointer, code, unknown.to_string())
}

pub(super) fn not_totalled(error: MoneyError) -> Problem {
    let detail = format!("the order cannot be totalled: {error}");
    Problem::field("/items", "total", detail)
}
