//! `GET /discounts/{discount_id}/codes`: lists the codes of a discount that one order each can use.

use serde::Serialize;

use super::store::OrderStore;
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::http::sheet;
use crate::pricing::model::{Code, DiscountError};
use crate::pricing::store::PricingStore;
use crate::values::id::DiscountId;

/// A code on the wire.
#[derive(Serialize)]
struct CodeBody {
    code: Code,
    used: bool,
}

/// Returns a page of the codes of a discount, newest first, and whether an order has used each: as JSON, or as CSV
/// (RFC 4180) for a client that accepts `text/csv`. The pages of the latter, one after another, are one sheet.
///
/// # Errors
/// If the caller is not an admin or a parameter is invalid, and [`Problem::NotFound`] if there is no such discount.
pub async fn list_discount_codes(
    pricing: &PricingStore,
    orders: &OrderStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id: DiscountId = request.id("discount_id", "discount")?;
    let query = request.query(routes::LIST_DISCOUNT_CODES.query)?;
    let page = PageRequest::read(&request, &query)?;
    pricing.get(id).await?.ok_or(DiscountError::NotFound)?;
    let codes = pricing.codes(id, &page).await?;
    let used = orders.used_codes(id, &codes.items).await?;
    let codes = codes.map(|code| CodeBody {
        used: used.contains(&code),
        code,
    });
    if sheet::is_wanted(&request) {
        let titles: &[&str] = &["code", "used"];
        let rows = codes.items.iter();
        let rows = rows.map(|CodeBody { code, used }| [code.to_string(), used.to_string()]);
        let sheet = sheet::sheet(page.after.is_none().then_some(titles), rows)?;
        Ok(codes.linked(sheet, &request))
    } else {
        codes.answer(&request)
    }
}
