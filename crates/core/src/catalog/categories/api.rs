//! The routes of `/categories`.

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt};
use crate::catalog::fields::category;
use crate::catalog::model::Category;
use crate::catalog::names::{NamesBody, names};
use crate::http::body::Body;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::http::routes;
use crate::values::locale::Locale;

use super::model::{CategoryError, MOST_POSITION, Node};
use super::rules;
use super::store::CategoryStore;

/// The categories on the wire.
#[derive(Debug, Serialize)]
struct TreeBody {
    items: Vec<CategoryBody>,
}

/// A category on the wire.
#[derive(Debug, Serialize)]
struct CategoryBody {
    id: Category,
    #[serde(flatten)]
    names: NamesBody,
    parent: Option<Category>,
    position: u32,
}

impl CategoryBody {
    /// Returns the category `id`, with its name in the language `locale`, or in the nearest that there is.
    fn new(id: &Category, node: &Node, locale: Option<&Locale>) -> Self {
        Self {
            id: id.clone(),
            names: NamesBody::new(&node.names, locale),
            parent: node.parent.clone(),
            position: node.position,
        }
    }
}

/// `GET /categories?locale=`: lists all categories, each before those below it. There are at most 1,000.
///
/// # Errors
/// [`Problem::InvalidParameters`].
pub async fn list_categories(
    categories: &CategoryStore,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::LIST_CATEGORIES.query)?;
    let locale: Option<Locale> = Request::parameter(&query, "locale")?;
    let tree = categories.get_eventually().await?;
    let nodes = tree.in_order().into_iter();
    let nodes = nodes.filter_map(|id| Some((id, tree.nodes.get(id)?)));
    let items = nodes.map(|(id, node)| CategoryBody::new(id, node, locale.as_ref()));
    let body = TreeBody {
        items: items.collect(),
    };
    Ok(Response::ok(&body)?.etag(&tree.tag()))
}

/// `GET /categories/{category}?locale=`: returns one category.
///
/// # Errors
/// [`Problem::NotFound`] and [`Problem::InvalidParameters`].
pub async fn get_category(
    categories: &CategoryStore,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::GET_CATEGORY.query)?;
    let locale: Option<Locale> = Request::parameter(&query, "locale")?;
    let id = category_of(&request)?;
    let tree = categories.get_eventually().await?;
    let node = tree.nodes.get(&id).ok_or(CategoryError::NotFound)?;
    let body = CategoryBody::new(&id, node, locale.as_ref());
    Ok(Response::ok(&body)?.etag(&tree.tag()))
}

/// `PUT /categories/{category}`: creates the category, or changes what it is called and where it stands, with all that
/// is below it. Responds 201 with a new category, or 200 with a changed one.
///
/// # Errors
/// For a caller who is not an admin, for bad input, for a category that is there without `If-Match` or with a stale one,
/// and for a parent that is not there or below the category.
pub async fn put_category(
    categories: &CategoryStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id = category_of(&request)?;
    let expected = request.if_match_or_none()?;
    let node = request.json(node)?;
    dynamo::change("the categories", || async {
        let tree = categories.get().await?;
        let body = CategoryBody::new(&id, &node, None);
        let next = rules::put(&tree, &id, node.clone(), expected.as_ref(), request.now)?;
        let Some(next) = next else {
            return Ok(Attempt::Done(Response::ok(&body)?.etag(&tree.tag())));
        };
        let traceparent = request.traceparent();
        match categories.replace(&next, &id, traceparent).await? {
            Attempt::Overtaken => Ok(Attempt::Overtaken),
            Attempt::Done(()) => {
                let response = if tree.nodes.contains_key(&id) {
                    Response::ok(&body)?
                } else {
                    Response::created(format!("/categories/{id}"), &body)?
                };
                Ok(Attempt::Done(response.etag(&next.tag())))
            }
        }
    })
    .await
}

/// `DELETE /categories/{category}`: removes a category that has none below it, and responds 204. Products that name it
/// stay in it.
///
/// # Errors
/// For a caller who is not an admin, without `If-Match` or with a stale one, and for a category with others below it.
pub async fn remove_category(
    categories: &CategoryStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id = category_of(&request)?;
    let expected = request.if_match()?;
    dynamo::change("the categories", || async {
        let tree = categories.get().await?;
        let next = rules::remove(&tree, &id, &expected, request.now)?;
        categories.replace(&next, &id, request.traceparent()).await
    })
    .await?;
    Ok(Response::no_content())
}

fn category_of(request: &Request) -> Result<Category, Problem> {
    request.id("category", "category")
}

fn node(body: &mut Body<'_>) -> Option<Node> {
    let names = names(body);
    let parent = body.optional("parent", category);
    let position = body.optional("position", |json| json.integer(0..=MOST_POSITION));
    Some(Node {
        names: names?,
        parent: parent?,
        position: position?.unwrap_or_default(),
    })
}
