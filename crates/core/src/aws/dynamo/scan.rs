//! Reading a whole table, a piece at a time: for what nobody waits for.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::error::StoreError;
use super::table::Table;
use super::write::Item;

/// A piece of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<T> {
    /// Its items.
    pub items: Vec<T>,
    /// The position after which the next piece begins, or `None` at the table's end.
    pub next: Option<String>,
}

impl Table {
    /// Returns the next at most `most` items of the table, in no meaningful order, from after the position `after` on,
    /// from an eventually consistent read. With `attributes`, the items have only those.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Shape`] also if `after` is not a position.
    pub async fn scan(
        &self,
        after: Option<&str>,
        most: i32,
        attributes: &[&str],
    ) -> Result<Piece<serde_dynamo::Item>, StoreError> {
        self.scan_piece(after, most, attributes, false).await
    }

    /// As [`Table::scan`], with all attributes, from a consistent read.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub async fn scan_consistently(
        &self,
        after: Option<&str>,
        most: i32,
    ) -> Result<Piece<serde_dynamo::Item>, StoreError> {
        self.scan_piece(after, most, &[], true).await
    }

    async fn scan_piece(
        &self,
        after: Option<&str>,
        most: i32,
        attributes: &[&str],
        consistent: bool,
    ) -> Result<Piece<serde_dynamo::Item>, StoreError> {
        let names = attributes.iter().enumerate();
        let names: Vec<(String, String)> = names
            .map(|(place, name)| (format!("#a{place}"), (*name).to_owned()))
            .collect();
        let projection: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let projection = Some(projection.join(", ")).filter(|text| !text.is_empty());
        let request = self
            .client
            .scan()
            .table_name(&self.name)
            .limit(most)
            .consistent_read(consistent)
            .set_exclusive_start_key(after.map(key_at).transpose()?)
            .set_projection_expression(projection)
            .set_expression_attribute_names(
                (!names.is_empty()).then(|| names.into_iter().collect()),
            );
        let page = Box::pin(request.send())
            .await
            .map_err(StoreError::from_sdk)?;
        let items = page.items.unwrap_or_default().into_iter();
        Ok(Piece {
            items: items.map(Into::into).collect(),
            next: page.last_evaluated_key.map(position_of).transpose()?,
        })
    }
}

/// Returns the position of the item with `key`, as JSON. All our keys are texts.
fn position_of(key: Item) -> Result<String, StoreError> {
    let texts: BTreeMap<String, String> = serde_dynamo::from_item(key)?;
    serde_json::to_string(&texts).map_err(StoreError::unreadable)
}

fn key_at(position: &str) -> Result<Item, StoreError> {
    let texts: BTreeMap<String, String> =
        serde_json::from_str(position).map_err(StoreError::unreadable)?;
    let texts = texts.into_iter();
    Ok(texts
        .map(|(name, text)| (name, AttributeValue::S(text)))
        .collect())
}
