//! The routes of `/collections`.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt};
use crate::catalog::content::Slug;
use crate::catalog::names::{NamesBody, names};
use crate::catalog::sort::{InvalidSort, Sort};
use crate::catalog::store::ProductStore;
use crate::http::body::{Body, Json};
use crate::http::exchange::{Request, Response};
use crate::http::page::escape;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::screening::cel::{Expression, SOURCE_CHARACTERS};
use crate::values::id::ProductId;
use crate::values::locale::Locale;
use crate::values::money::Currency;

use super::model::{
    Choice, Collection, CollectionError, Collections, Draft, DraftChoice, MOST_BY_HAND,
};
use super::rules;
use super::store::{ByHand, CollectionStore};

/// The collections on the wire.
#[derive(Debug, Serialize)]
struct CollectionsBody {
    items: Vec<CollectionBody>,
}

/// A collection on the wire, as everyone sees it.
#[derive(Debug, Serialize)]
struct CollectionBody {
    id: Slug,
    #[serde(flatten)]
    names: NamesBody,
}

/// A collection on the wire, as admins see it.
#[derive(Debug, Serialize)]
struct ChosenBody {
    #[serde(flatten)]
    collection: CollectionBody,
    products: Option<Vec<ProductId>>,
    rule: Option<String>,
    sort: Option<&'static str>,
    complete: bool,
}

impl CollectionBody {
    /// Returns the collection `id`, with its name in the language `locale`, or in the nearest that there is.
    fn new(id: &Slug, collection: &Collection, locale: Option<&Locale>) -> Self {
        Self {
            id: id.clone(),
            names: NamesBody::new(&collection.names, locale),
        }
    }
}

impl ChosenBody {
    fn new(id: &Slug, collection: &Collection, by_hand: Vec<ProductId>) -> Self {
        let (products, chosen) = match &collection.choice {
            Choice::Hand => (Some(by_hand), None),
            Choice::Rule(chosen) => (None, Some(chosen)),
        };
        Self {
            collection: CollectionBody::new(id, collection, None),
            products,
            rule: chosen.map(|chosen| chosen.rule.clone()),
            sort: chosen.map(|chosen| chosen.sort.as_str()),
            complete: chosen.is_none_or(super::model::Chosen::is_complete),
        }
    }
}

/// `GET /collections?locale=`: lists all collections by their identifiers. There are at most 100.
///
/// # Errors
/// [`Problem::InvalidParameters`].
pub async fn list_collections(
    collections: &CollectionStore,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::LIST_COLLECTIONS.query)?;
    let locale: Option<Locale> = Request::parameter(&query, "locale")?;
    let collections = collections.get_eventually().await?;
    let items = collections.all.iter();
    let items = items.map(|(id, collection)| CollectionBody::new(id, collection, locale.as_ref()));
    let body = CollectionsBody {
        items: items.collect(),
    };
    Ok(Response::ok(&body)?.etag(&collections.tag()))
}

/// `GET /collections/{collection}`: returns one collection, with how its products are chosen.
///
/// # Errors
/// For a caller who is not an admin, and [`Problem::NotFound`].
pub async fn get_collection(
    collections: &CollectionStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id = collection_of(&request)?;
    let all = collections.get().await?;
    let collection = all.all.get(&id).ok_or(CollectionError::NotFound)?;
    let by_hand = match collection.choice {
        Choice::Hand => collections.by_hand(&id).await?,
        Choice::Rule(_) => Vec::new(),
    };
    let body = ChosenBody::new(&id, collection, by_hand);
    Ok(Response::ok(&body)?.etag(&all.tag()))
}

/// `PUT /collections/{collection}`: creates the collection, or changes what it is called and how its products are chosen.
/// Responds 201 with a new collection, or 200 with a changed one.
///
/// # Errors
/// For a caller who is not an admin, for bad input, among it products that do not exist and a rule that is not valid, and for
/// a collection that is there without `If-Match` or with a stale one.
pub async fn put_collection(
    collections: &CollectionStore,
    products: &ProductStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id = collection_of(&request)?;
    let expected = request.if_match_or_none()?;
    let draft = request.json(draft)?;
    let by_hand = match &draft.choice {
        DraftChoice::Hand(wanted) => {
            exist(products, wanted).await?;
            wanted.clone()
        }
        DraftChoice::Rule(rule, _) => {
            Expression::compile_listed(rule, currency).map_err(CollectionError::from)?;
            Vec::new()
        }
    };
    dynamo::change("the collections", || async {
        let all = collections.get().await?;
        // Perhaps because this request was made before, and its response was lost.
        let is_as_wanted = expected.is_some()
            && rules::is_as_wanted(&all, &id, &draft)
            && collections.by_hand(&id).await? == by_hand;
        if is_as_wanted {
            return respond(&all, &all, &id, by_hand.clone()).map(Attempt::Done);
        }
        let next = rules::put(&all, &id, &draft, expected.as_ref(), request.now)?;
        let hand = match draft.choice {
            DraftChoice::Hand(_) => ByHand::Products(&by_hand),
            DraftChoice::Rule(..) => ByHand::None,
        };
        let traceparent = request.traceparent();
        match collections.replace(&next, &id, hand, traceparent).await? {
            Attempt::Overtaken => Ok(Attempt::Overtaken),
            Attempt::Done(()) => respond(&all, &next, &id, by_hand.clone()).map(Attempt::Done),
        }
    })
    .await
}

/// Returns the response about the collection `id`, which is new if `before` does not have it.
fn respond(
    before: &Collections,
    now: &Collections,
    id: &Slug,
    by_hand: Vec<ProductId>,
) -> Result<Response, Problem> {
    let collection = now.all.get(id).ok_or(CollectionError::NotFound)?;
    let body = ChosenBody::new(id, collection, by_hand);
    let response = if before.all.contains_key(id) {
        Response::ok(&body)?
    } else {
        let location = format!("/collections/{}", escape(id.as_str()));
        Response::created(location, &body)?
    };
    Ok(response.etag(&now.tag()))
}

/// `DELETE /collections/{collection}`: removes a collection, and no product, and responds 204.
///
/// # Errors
/// For a caller who is not an admin, without `If-Match` or with a stale one, and [`Problem::NotFound`].
pub async fn remove_collection(
    collections: &CollectionStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id = collection_of(&request)?;
    let expected = request.if_match()?;
    dynamo::change("the collections", || async {
        let all = collections.get().await?;
        let next = rules::remove(&all, &id, &expected, request.now)?;
        let traceparent = request.traceparent();
        collections
            .replace(&next, &id, ByHand::None, traceparent)
            .await
    })
    .await?;
    Ok(Response::no_content())
}

fn collection_of(request: &Request) -> Result<Slug, Problem> {
    request.id("collection", "collection")
}

/// Refuses products that do not exist.
async fn exist(products: &ProductStore, wanted: &[ProductId]) -> Result<(), Problem> {
    let found = products.get_many(wanted.iter().copied()).await?;
    let found: BTreeSet<ProductId> = found.into_iter().map(|product| product.id).collect();
    match wanted.iter().position(|id| !found.contains(id)) {
        None => Ok(()),
        Some(at) => Err(Problem::field(
            &format!("/products/{at}"),
            "unknown",
            "there is no product with this identifier",
        )),
    }
}

fn draft(body: &mut Body<'_>) -> Option<Draft> {
    let names = names(body);
    let is_by_rule = body.has("rule");
    let choice = if is_by_rule {
        let rule = body.required("rule", |json| json.text(1..=SOURCE_CHARACTERS));
        let sort = body.optional("sort", |json| {
            json.parsed(&InvalidSort.to_string(), str::parse::<Sort>)
        });
        let detail = "a collection has either a rule or products";
        let products = body.non_nullable("products", |json| json.fault::<()>("either", detail));
        products.and_then(|_| Some(DraftChoice::Rule(rule?, sort?.unwrap_or_default())))
    } else {
        let detail = "products that are chosen by hand keep the order in which you send them";
        let sort = body.non_nullable("sort", |json| json.fault::<()>("either", detail));
        let products = body.required("products", products);
        sort.and_then(|_| products.map(DraftChoice::Hand))
    };
    Some(Draft {
        names: names?,
        choice: choice?,
    })
}

/// Reads identifiers of products, no two of which are the same.
fn products(json: Json<'_>) -> Option<Vec<ProductId>> {
    let mut seen = BTreeSet::new();
    json.list(0..=MOST_BY_HAND, |json| {
        let place = json.clone();
        let id = json.parsed("this must be a product's id", str::parse::<ProductId>)?;
        if seen.insert(id) {
            Some(id)
        } else {
            place.fault("repeated", "an earlier one is the same")
        }
    })
}
