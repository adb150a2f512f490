//! The routes of `/gift-cards`.

use http::StatusCode;
use serde::Serialize;

use super::code::GiftCardCode;
use super::model::GiftCard;
use super::store::GiftCardStore;
use crate::aws::dynamo::Written;
use crate::customers::store::CustomerStore;
use crate::http::body::{self, Body, Json};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, GiftCardId};
use crate::values::money::{Currency, Money};

/// A gift card on the wire, as admins see it.
#[derive(Debug, Serialize)]
struct GiftCardBody {
    id: GiftCardId,
    last_four: String,
    issued: Money,
    balance: Money,
    customer_id: Option<CustomerId>,
    expires_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

/// A gift card that was issued.
#[derive(Debug, Serialize)]
struct IssuedBody {
    /// The code, in the response to the request that issued the card and in no other.
    code: Option<String>,
    #[serde(flatten)]
    card: GiftCardBody,
}

/// A gift card, for somebody who has its code.
#[derive(Debug, Serialize)]
struct BalanceBody {
    last_four: String,
    balance: Money,
    expires_at: Option<Time>,
}

impl From<GiftCard> for GiftCardBody {
    fn from(card: GiftCard) -> Self {
        Self {
            id: card.id,
            last_four: card.last_four,
            issued: card.issued,
            balance: card.balance,
            customer_id: card.customer_id,
            expires_at: card.expires_at,
            created_at: card.created_at,
            updated_at: card.updated_at,
        }
    }
}

/// What is to be issued.
struct Draft {
    amount: Money,
    customer_id: Option<CustomerId>,
    expires_at: Option<Time>,
}

/// `POST /gift-cards`: issues a gift card, or store credit if it is for one customer. Responds 201 with the card and its
/// code. The same request again responds with the same card, without the code, which is not stored.
///
/// # Errors
/// For a caller who is not an admin, for bad input or a customer that does not exist, and without an `Idempotency-Key` or
/// with one that was used with another body.
pub async fn issue_gift_card(
    cards: &GiftCardStore,
    customers: &CustomerStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?;
    let key = request.idempotency_key()?;
    let key = key.ok_or(Problem::IdempotencyKeyRequired)?;
    let draft = request.json(|body| draft(body, currency, request.now))?;
    let code = GiftCardCode::random()?;
    let card = GiftCard {
        id: GiftCardId::derived(&["issue-gift-card", &caller.customer_id.to_string(), key]),
        last_four: code.last_four(),
        issued: draft.amount,
        balance: draft.amount,
        customer_id: draft.customer_id,
        expires_at: draft.expires_at,
        request_hash: request.body_hash(),
        created_at: request.now,
        updated_at: request.now,
    };
    let is_redeemable = match draft.customer_id {
        Some(id) => customers.get(id).await?.is_some(),
        None => true,
    };
    if is_redeemable && cards.create(&card, &code).await? == Written::Done {
        return created(card, Some(&code));
    }
    // Two codes of 100 random bits are never the same, so it is the id that exists, if it was tried.
    match cards.get(card.id).await? {
        Some(stored) if stored.request_hash == card.request_hash => {
            Ok(created(stored, None)?.replayed(true))
        }
        Some(_) => Err(Problem::IdempotencyKeyReused),
        None if is_redeemable => Err(Problem::internal("a refused gift card does not exist")),
        None => {
            let detail = "there is no such customer";
            Err(Problem::field("/customer_id", "unknown", detail))
        }
    }
}

fn created(card: GiftCard, code: Option<&GiftCardCode>) -> Result<Response, Problem> {
    let location = format!("/gift-cards/{}", card.id);
    let body = IssuedBody {
        code: code.map(GiftCardCode::reveal),
        card: GiftCardBody::from(card),
    };
    let response = Response::json(StatusCode::CREATED, &body)?;
    Ok(response.header("Location", location))
}

/// `GET /gift-cards/{gift_card_id}`: returns the gift card, without its code.
///
/// # Errors
/// For a caller who is not an admin, and [`Problem::NotFound`].
pub async fn get_gift_card(cards: &GiftCardStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let id: GiftCardId = request.id("gift_card_id", "gift card")?;
    let card = cards.get(id).await?.ok_or(Problem::NotFound("gift card"))?;
    Response::ok(&GiftCardBody::from(card))
}

/// `POST /gift-cards/balance`: returns what is left on the gift card whose `code` is in the body, which is a secret and so
/// not in the path.
///
/// # Errors
/// [`Problem::NotFound`] if no card has the code, and for bad input.
pub async fn get_gift_card_balance(
    cards: &GiftCardStore,
    request: Request,
) -> Result<Response, Problem> {
    let code = request.json(|body| body.required("code", code))?;
    let card = cards.by_codes(&[code]).await?.into_iter().flatten().next();
    let card = card.ok_or(Problem::NotFound("gift card"))?;
    Response::ok(&BalanceBody {
        last_four: card.last_four,
        balance: card.balance,
        expires_at: card.expires_at,
    })
}

/// Reads what is to be issued in the shop's `currency`.
fn draft(body: &mut Body<'_>, currency: Currency, now: Time) -> Option<Draft> {
    let amount = body.required("amount", |json| json.price(currency));
    let customer_id = body.optional("customer_id", |json| {
        json.parsed("this must be a customer's id", str::parse::<CustomerId>)
    });
    let expires_at = body.optional("expires_at", |json| {
        let place = json.clone();
        let time = body::time(json)?;
        if time > now {
            Some(time)
        } else {
            place.fault("range", "this must be in the future")
        }
    });
    Some(Draft {
        amount: amount?,
        customer_id: customer_id?,
        expires_at: expires_at?,
    })
}

/// Reads the code of a gift card.
pub(in crate::orders) fn code(json: Json<'_>) -> Option<GiftCardCode> {
    use super::code::InvalidGiftCardCode;
    json.parsed(&InvalidGiftCardCode.to_string(), str::parse::<GiftCardCode>)
}
