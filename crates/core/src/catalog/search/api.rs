//! The parameters `q` and `brand` of `GET /products`.

use std::collections::{BTreeMap, HashMap};

use oxcart_search::facets::{self, Counts};
use serde::Serialize;

use super::documents::product_id;
use super::index::SearchIndex;
use super::store::IndexError;
use crate::catalog::filter::Filter;
use crate::catalog::model::Category;
use crate::http::exchange::Request;
use crate::http::page::{Page, PageRequest};
use crate::http::problem::Problem;
use crate::values::id::ProductId;
use crate::values::money::{Currency, Money};

/// The longest query, in characters.
const LONGEST: usize = 200;

/// The longest brand, in characters.
const LONGEST_BRAND: usize = 100;

/// The most products that are found: what comes after them is looked for with more words.
const MOST_FOUND: usize = 1_000;

/// How many products are suggested.
const SUGGESTED: usize = 8;

/// The most values of one kind that are counted in a response.
const MOST_COUNTED: usize = 20;

/// The parameters that go with a search.
const PARAMETERS: [&str; 6] = ["q", "category", "brand", "locale", "limit", "cursor"];

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Search {
    request: oxcart_search::Request,
    page: PageRequest,
}

/// How many of the products found have what.
#[derive(Clone, Debug, Serialize)]
pub struct Facets {
    /// How many products were found.
    total: u64,
    /// How many there are of each kind.
    facets: Kinds,
}

#[derive(Clone, Debug, Serialize)]
struct Kinds {
    categories: Vec<Count>,
    brands: Vec<Count>,
    attributes: BTreeMap<String, Vec<Count>>,
    prices: Vec<Range>,
}

#[derive(Clone, Debug, Serialize)]
struct Count {
    value: String,
    count: u64,
}

/// A range of prices.
#[derive(Clone, Debug, Serialize)]
struct Range {
    /// The lowest price in it.
    from: Money,
    /// The lowest price above it.
    below: Money,
    count: u64,
}

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Store(error) => error.into(),
            IndexError::Bucket(_)
            | IndexError::Manifest(_)
            | IndexError::Search(_)
            | IndexError::Busy
            | IndexError::Thread(_) => Self::internal(error),
        }
    }
}

/// A product that was found, and its place.
#[derive(Clone, Debug)]
pub struct Hit {
    /// How many were found before it, and itself.
    pub position: String,
    /// The product.
    pub id: ProductId,
}

impl Search {
    /// Reads the parameters of `request`, whose query is `query`, if it has `q` or
    /// `brand`.
    ///
    /// # Errors
    /// [`Problem::InvalidParameters`], also for parameters that do not go with them.
    pub fn read(
        request: &Request,
        query: &HashMap<&str, &str>,
        filter: &Filter,
    ) -> Result<Option<Self>, Problem> {
        let brand = query.get("brand").map(|brand| (*brand).to_owned());
        let text = query.get("q").copied();
        if text.is_none() && brand.is_none() {
            return Ok(None);
        }
        let text = text.unwrap_or_default();
        refuse_others(query)?;
        check_length(text)?;
        if brand
            .iter()
            .any(|brand| brand.chars().count() > LONGEST_BRAND)
        {
            let detail = "this must have at most 100 characters";
            return Err(Problem::parameter("?brand", detail));
        }
        let page = PageRequest::read(request, query)?;
        let offset = match &page.after {
            None => 0,
            Some(after) => {
                let after = after.parse().ok().filter(|after| *after < MOST_FOUND);
                let detail = "this must be a cursor that a list gave";
                after.ok_or_else(|| Problem::parameter("?cursor", detail))?
            }
        };
        let category: Option<Category> = Request::parameter(query, "category")?;
        let attributes = filter.attributes().iter();
        Ok(Some(Self {
            request: oxcart_search::Request {
                text: text.to_owned(),
                category: category.map(|category| category.to_string()),
                brand,
                attributes: attributes
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
                limit: page.limit + 1,
                offset,
            },
            page,
        }))
    }

    /// Reads `q` of `query`, which asks for the first few products.
    ///
    /// # Errors
    /// [`Problem::InvalidParameters`].
    pub fn suggest(query: &HashMap<&str, &str>) -> Result<Self, Problem> {
        let text = query.get("q").copied().unwrap_or_default();
        check_length(text)?;
        Ok(Self {
            request: oxcart_search::Request {
                text: text.to_owned(),
                limit: SUGGESTED,
                ..oxcart_search::Request::default()
            },
            page: PageRequest {
                limit: SUGGESTED,
                after: None,
            },
        })
    }

    /// Returns a page of what is found in `index`, and how much there is of each kind.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn find(&self, index: &SearchIndex) -> Result<(Page<Hit>, Facets), IndexError> {
        let found = index.search(self.request.clone()).await?;
        let numbered = (self.request.offset + 1..).zip(found.products);
        let hits = numbered.map(|(number, id)| Hit {
            position: number.to_string(),
            id: product_id(id),
        });
        let mut page = Page::cut(hits.collect(), self.page.limit, |hit: &Hit| {
            hit.position.clone()
        });
        if self.request.offset + self.page.limit >= MOST_FOUND {
            page.next = None;
        }
        Ok((page, Facets::new(found.counts, index.currency())))
    }
}

fn check_length(text: &str) -> Result<(), Problem> {
    if text.chars().count() > LONGEST {
        let detail = "this must have at most 200 characters";
        return Err(Problem::parameter("?q", detail));
    }
    Ok(())
}

fn refuse_others(query: &HashMap<&str, &str>) -> Result<(), Problem> {
    let goes = |name: &str| PARAMETERS.contains(&name) || name.starts_with("attributes[");
    let others = query.keys().copied().filter(|name| !goes(name));
    let detail = "a search finds active products and puts the best first";
    Problem::unexpected(others, "not_with_search", detail)
}

impl Facets {
    fn new(counts: Counts, currency: Currency) -> Self {
        let mut attributes: BTreeMap<String, HashMap<String, u64>> = BTreeMap::new();
        for (attribute, count) in counts.attributes {
            if let Some((name, value)) = attribute.split_once('\u{1f}') {
                let values = attributes.entry(name.to_owned()).or_default();
                values.insert(value.to_owned(), count);
            }
        }
        let attributes = attributes
            .into_iter()
            .map(|(name, values)| (name, sorted(values)));
        let prices = counts
            .prices
            .into_iter()
            .enumerate()
            .filter(|(_, count)| *count > 0);
        let begin = |number| Money::from_minor_units(facets::begin_of(number), currency).ok();
        let prices = prices.filter_map(|(number, count)| {
            Some(Range {
                from: begin(number)?,
                below: begin(number + 1)?,
                count,
            })
        });
        Self {
            total: counts.total,
            facets: Kinds {
                categories: sorted(counts.categories),
                brands: sorted(counts.brands),
                attributes: attributes.collect(),
                prices: prices.collect(),
            },
        }
    }
}

/// Returns the values that most products have, the most frequent first.
fn sorted(counts: HashMap<String, u64>) -> Vec<Count> {
    let counts = counts
        .into_iter()
        .map(|(value, count)| Count { value, count });
    let mut counts: Vec<Count> = counts.collect();
    counts.sort_unstable_by(|one, other| (other.count, &one.value).cmp(&(one.count, &other.value)));
    counts.truncate(MOST_COUNTED);
    counts
}
