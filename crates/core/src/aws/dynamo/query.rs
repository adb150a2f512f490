//! Queries of a table and of its indexes.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::table::Table;
use super::write::{Item, Terms};

/// A query of a table or of one of its indexes.
#[derive(Clone, Debug)]
pub struct Query {
    table: Table,
    index: Option<String>,
    condition: String,
    terms: Terms,
    descending: bool,
    consistent: bool,
}

impl Table {
    /// Returns a query whose key condition is `condition`, in ascending order, eventually consistent.
    #[must_use]
    pub fn query(&self, condition: &str) -> Query {
        Query {
            table: self.clone(),
            index: None,
            condition: condition.to_owned(),
            terms: Terms::default(),
            descending: false,
            consistent: false,
        }
    }

    /// Returns a query of the key `attribute` = `value` of `index`, whose sort key is `position`: newest first, and from
    /// after the position `after` on, if there is one.
    #[must_use]
    pub fn newest_first(
        &self,
        index: &str,
        attribute: &str,
        value: impl ToString,
        after: Option<&str>,
    ) -> Query {
        let order = SortKey {
            attribute: "position",
            descending: true,
        };
        self.sorted(index, &[(attribute, value.to_string())], order, after)
    }

    /// Returns a query of `index`, whose partition key consists of the attributes of `key` with their values (of up to four,
    /// DynamoDB's quota), in the order of its sort key, and from after the value `after` of it on, if there is one.
    #[must_use]
    pub fn sorted(
        &self,
        index: &str,
        key: &[(&str, String)],
        order: SortKey,
        after: Option<&str>,
    ) -> Query {
        let terms = (0..key.len()).map(|at| format!("#key{at} = :key{at}"));
        let from = match (after, order.descending) {
            (None, _) => None,
            (Some(_), true) => Some("#sort < :after".to_owned()),
            (Some(_), false) => Some("#sort > :after".to_owned()),
        };
        let condition: Vec<String> = terms.chain(from).collect();
        let mut query = self.query(&condition.join(" AND ")).index(index);
        for (at, (attribute, value)) in key.iter().enumerate() {
            query = query.name(&format!("#key{at}"), attribute);
            query = query.value(&format!(":key{at}"), value);
        }
        if let Some(after) = after {
            query = query.name("#sort", order.attribute).value(":after", after);
        }
        if order.descending {
            query.descending()
        } else {
            query
        }
    }
}

/// How a query is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The attribute that is the sort key.
    pub attribute: &'static str,
    /// Whether its highest value comes first.
    pub descending: bool,
}

impl Query {
    /// Queries the index `name` instead of the table.
    #[must_use]
    pub fn index(mut self, name: &str) -> Self {
        self.index = Some(name.to_owned());
        self
    }

    /// Gives the placeholder `:name` its value.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: impl ToString) -> Self {
        let value = AttributeValue::S(value.to_string());
        self.terms.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Gives the placeholder `#name` its attribute.
    #[must_use]
    pub fn name(mut self, placeholder: &str, attribute: &str) -> Self {
        self.terms
            .names
            .insert(placeholder.to_owned(), attribute.to_owned());
        self
    }

    /// Returns the highest sort key first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Reads consistently; not possible on an index.
    #[must_use]
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// Returns the first `most` items.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn first<T: DeserializeOwned>(&self, most: usize) -> Result<Vec<T>, StoreError> {
        let mut reader = Reader::new(self.clone());
        reader.read(most).await?;
        Ok(reader.items)
    }

    /// Reads at most `most` items from `start` on.
    fn page(
        &self,
        most: i32,
        start: Option<Item>,
    ) -> BoxFuture<'_, Result<QueryOutput, StoreError>> {
        let Self { table, terms, .. } = self;
        let request = table.client.query().table_name(&table.name);
        let request = request
            .set_index_name(self.index.clone())
            .key_condition_expression(&self.condition)
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .scan_index_forward(!self.descending)
            .consistent_read(self.consistent)
            .limit(most)
            .set_exclusive_start_key(start);
        Box::pin(async move { request.send().await.map_err(StoreError::from_sdk) })
    }

    /// Returns all items.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.first(usize::MAX).await
    }
}

/// The items of one query, read a piece at a time.
struct Reader<T> {
    query: Query,
    items: Vec<T>,
    /// Where to go on; `None` before the first read, and at the end.
    next: Option<Item>,
    ended: bool,
}

impl<T: DeserializeOwned> Reader<T> {
    fn new(query: Query) -> Self {
        Self {
            query,
            items: Vec::new(),
            next: None,
            ended: false,
        }
    }

    /// Reads up to `more` items beyond those that are read.
    async fn read(&mut self, more: usize) -> Result<(), StoreError> {
        let wanted = self.items.len().saturating_add(more);
        while !self.ended && self.items.len() < wanted {
            let left = i32::try_from(wanted - self.items.len()).unwrap_or(i32::MAX);
            let page = self.query.page(left, self.next.take()).await?;
            for item in page.items.unwrap_or_default() {
                self.items.push(serde_dynamo::from_item(item)?);
            }
            self.next = page.last_evaluated_key;
            self.ended = self.next.is_none();
        }
        Ok(())
    }
}

/// Items beyond its even share that each of several queries is asked for at first, so that most merges need one
/// read of each.
const SPARE: usize = 3;

/// How many reads of one merge are under way at the same time.
const READS_AT_ONCE: usize = 16;

/// Returns the first `most` items of several queries together, by `sort_key`: how an index whose key is split in shards is
/// read. All queries must have the direction `descending`. Each is read for its share of the items, and further only
/// where the next items may be.
///
/// # Errors
/// [`StoreError`].
pub async fn merged<T: DeserializeOwned>(
    queries: Vec<Query>,
    most: usize,
    descending: bool,
    sort_key: impl Fn(&T) -> String,
) -> Result<Vec<T>, StoreError> {
    let share = most.div_ceil(queries.len().max(1)).saturating_add(SPARE);
    let mut readers: Vec<Reader<T>> = queries.into_iter().map(Reader::new).collect();
    let is_before = |a: &str, b: &str| if descending { a > b } else { a < b };
    loop {
        let mut keys: Vec<String> = readers
            .iter()
            .flat_map(|reader| reader.items.iter().map(&sort_key))
            .collect();
        keys.sort_unstable();
        if descending {
            keys.reverse();
        }
        let last_wanted = most.checked_sub(1).and_then(|place| keys.get(place));
        let unfinished = readers.iter_mut().filter(|reader| {
            let last_read = reader.items.last().map(&sort_key);
            let may_hold_more = match (last_read, last_wanted) {
                (Some(read), Some(wanted)) => is_before(&read, wanted),
                (None, _) | (_, None) => true,
            };
            !reader.ended && may_hold_more
        });
        let reads: Vec<_> = unfinished.map(|reader| reader.read(share)).collect();
        if most == 0 || reads.is_empty() {
            break;
        }
        let reads = futures::stream::iter(reads).buffer_unordered(READS_AT_ONCE);
        reads.try_collect::<()>().await?;
    }
    let mut found: Vec<T> = readers
        .into_iter()
        .flat_map(|reader| reader.items)
        .collect();
    found.sort_by_cached_key(&sort_key);
    if descending {
        found.reverse();
    }
    found.truncate(most);
    Ok(found)
}
