//! What shoppers see of a variant's stock: it follows the stream of the inventory's table.
//!
//! Most orders take from plenty, which shows nothing new and costs nothing here. The order of the changes of one item is
//! kept by the stream, so that the last one is shown at the end. A change that is delivered again is shown again.

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::aws::settings::{Setting, SettingError};
use crate::aws::telemetry;
use crate::runtime::Error;
use crate::stock::model::{Availability, Place, Stock};
use crate::values::id::VariantId;
use crate::values::stream::{StreamBatch, StreamRecord, StreamResponse};

use super::store::ProductStore;
use super::variants::ShownStock;

/// What the shop shows of stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Display {
    /// At most so many left on hand are few.
    pub low_level: u64,
    /// Whether it is shown how many are left when few are.
    pub quantity: bool,
}

impl Display {
    /// Reads the settings `LOW_STOCK_LEVEL` and `SHOW_STOCK_QUANTITY`.
    ///
    /// # Errors
    /// [`SettingError`] if one is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            low_level: aws.settings().read(Setting::LowStockLevel)?,
            quantity: aws.settings().read(Setting::ShowStockQuantity)?,
        })
    }

    /// Returns what is shown of `stock`.
    #[must_use]
    pub fn shown(self, stock: &Stock) -> ShownStock {
        let availability = stock.availability(self.low_level);
        let is_low = availability == Availability::Low;
        ShownStock {
            availability,
            quantity: (self.quantity && is_low).then(|| stock.left_on_hand()),
        }
    }
}

/// How the stock of a variant changed in a batch.
struct Change<'a> {
    variant_id: VariantId,
    /// Where the batch goes on if this change cannot be shown.
    sequence_number: &'a str,
    before: Option<ShownStock>,
    after: ShownStock,
}

impl Change<'_> {
    /// Returns whether the variant may show something else now. Settings can have changed since it was last shown, which
    /// only matters when few are left.
    fn is_visible(&self) -> bool {
        let in_stock = |shown: ShownStock| shown.availability == Availability::InStock;
        !(self.before.is_some_and(in_stock) && in_stock(self.after))
    }
}

/// Shows the stock of the variants whose stock changed in `batch`. What is not stock of the main place, from which orders
/// are served, is passed over.
///
/// # Errors
/// A batch never fails as a whole: from where it has to be delivered again is named in the response.
pub async fn show_availability(
    products: &ProductStore,
    display: Display,
    batch: StreamBatch,
) -> Result<StreamResponse, Error> {
    for change in changes(&batch.records, display) {
        if let Err(error) = show(products, &change).await {
            let sequence_number = change.sequence_number;
            let error = telemetry::chain(&error);
            tracing::error!(variant_id = %change.variant_id, sequence_number, error, "availability not shown");
            return Ok(StreamResponse::retry_from(sequence_number));
        }
    }
    Ok(StreamResponse::all_done())
}

/// Returns one change for each variant, in the order in which they first changed, from what was before the batch to what
/// is after it.
fn changes(records: &[StreamRecord], display: Display) -> Vec<Change<'_>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    for record in records {
        let Some(after) = stock(record.new_image()) else {
            continue;
        };
        let shown = display.shown(&after);
        let variant_id = after.variant_id;
        let known = changes
            .iter_mut()
            .find(|known| known.variant_id == variant_id);
        if let Some(known) = known {
            known.after = shown;
            continue;
        }
        changes.push(Change {
            variant_id,
            sequence_number: record.sequence_number(),
            before: stock(record.old_image()).map(|before| display.shown(&before)),
            after: shown,
        });
    }
    changes
}

/// Returns the stock of the main place that `image` is, or `None` if it is something else.
fn stock(image: Option<&serde_dynamo::Item>) -> Option<Stock> {
    let stock = Stock::from_image(image?.clone()).ok()?;
    (stock.place == Place::main()).then_some(stock)
}

async fn show(products: &ProductStore, change: &Change<'_>) -> Result<(), StoreError> {
    if !change.is_visible() {
        return Ok(());
    }
    let id = change.variant_id;
    dynamo::change("the product", || async {
        // Stock can be set of what the catalogue does not know.
        let Some(product) = products.with_variant(id).await? else {
            return Ok(Attempt::Done(()));
        };
        let shown = product.variant(id).and_then(|variant| variant.stock);
        if shown == Some(change.after) {
            return Ok(Attempt::Done(()));
        }
        let written = products.show_stock(&product, id, change.after).await?;
        Ok(written.into())
    })
    .await
}
