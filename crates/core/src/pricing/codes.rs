//! `POST /discounts/{discount_id}/codes`: makes codes of a discount that one order each can use.
//!
//! All codes of a request follow from one random seed, which is stored before them, and the batch says how many are
//! stored already. So the same request returns the same codes, and continues where an earlier attempt stopped.

use http::StatusCode;
use serde::Serialize;

use super::batch::Batch;
use super::model::{Code, DiscountError};
use super::store::PricingStore;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::digest::sha256_hex;
use crate::values::id::DiscountId;

/// The most codes of one request: a function stores them in about a second.
const MOST_CODES: u32 = 1_000;

/// Codes on the wire.
#[derive(Serialize)]
struct CodesBody {
    codes: Vec<Code>,
    total: u32,
}

/// Makes `count` codes and returns them with 201, and how many codes the discount has by then. The same request again
/// returns the same codes.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, the `Idempotency-Key` is missing or was used with another body,
/// or the discount has ended or was created without `single_use_codes`.
pub async fn create_discount_codes(
    pricing: &PricingStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?.customer_id.to_string();
    let key = request.idempotency_key()?;
    let key = key.ok_or(Problem::IdempotencyKeyRequired)?;
    let discount_id: DiscountId = request.id("discount_id", "discount")?;
    let count = request.json(|body| body.required("count", |json| json.integer(1..=MOST_CODES)))?;
    let discount = pricing.get(discount_id).await?;
    let discount = discount.ok_or(DiscountError::NotFound)?;
    if discount.ended {
        return Err(DiscountError::Ended.into());
    }
    if !discount.single_use_codes {
        return Err(DiscountError::NoSingleUseCodes.into());
    }
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(Problem::internal)?;
    let batch = Batch {
        name: sha256_hex(format!("{caller}#{key}")),
        discount_id,
        seed: sha256_hex(seed),
        count,
        stored: 0,
        request_hash: request.body_hash(),
        created_at: request.now,
    };
    let (batch, replayed) = pricing.begin_batch(batch).await?;
    let codes = batch.codes().map_err(Problem::internal)?;
    pricing.store_codes(&batch, &codes).await?;
    let total = pricing.number_of_codes(discount_id).await?;
    let response = Response::json(StatusCode::CREATED, &CodesBody { codes, total })?;
    Ok(response.replayed(replayed))
}
