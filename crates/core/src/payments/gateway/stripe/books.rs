//! The identifiers of Stripe's intents by our own keys. Stripe finds an intent by its own identifier at once, but by our
//! metadata only later: its search lags by up to a minute, and in outages by an hour
//! (<https://docs.stripe.com/search#data-freshness>).
//!
//! An intent's identifier is stored before the intent is confirmed, so no money moves that cannot be found again. The
//! first item of a key counts: whatever comes later follows it.

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::payments::model::{ChargeKey, RefundKey};

/// The table that the setting `STRIPE_TABLE` names.
#[derive(Clone, Debug)]
pub(super) struct Books {
    table: Table,
}

/// What is stored of a charge. Without an intent and a decline, it was voided before it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChargeItem {
    charge_id: String,
    /// Stripe's identifier of the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) intent_id: Option<String>,
    /// How much of the intent its capture released, as far as Stripe counts that as refunded; absent if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) released: Option<u64>,
    /// The code of a decline that Stripe does not keep: there is no intent, or it is canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) decline: Option<String>,
}

/// What is stored of a refund that was refused. Others are found at Stripe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RefundItem {
    /// The refund's key, in the key attribute of charges.
    charge_id: String,
    code: String,
}

impl Books {
    /// Opens the table.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub(super) fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::StripeTable)?,
        })
    }

    /// Returns what is stored of the charge with `key`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn find(&self, key: &ChargeKey) -> Result<Option<ChargeItem>, StoreError> {
        self.table.get(item_key(key)).await
    }

    /// Stores that the charge with `key` has this intent. Refused if something is stored of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn begin(&self, key: &ChargeKey, intent: &str) -> Result<Written, StoreError> {
        self.create(key, Some(intent.to_owned()), None).await
    }

    /// Stores that the charge with `key` was declined before it had an intent. Refused if something is stored of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn decline(&self, key: &ChargeKey, code: &str) -> Result<Written, StoreError> {
        self.create(key, None, Some(code.to_owned())).await
    }

    /// Stores that the charge with `key` must not begin. Refused if something is stored of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn void(&self, key: &ChargeKey) -> Result<Written, StoreError> {
        self.create(key, None, None).await
    }

    async fn create(
        &self,
        key: &ChargeKey,
        intent_id: Option<String>,
        decline: Option<String>,
    ) -> Result<Written, StoreError> {
        let item = ChargeItem {
            charge_id: key.to_string(),
            intent_id,
            released: None,
            decline,
        };
        let write = self.table.put(&item)?;
        let write = write.when("attribute_not_exists(charge_id)");
        self.table.write(write).await
    }

    /// Stores why the intent of the charge with `key` was canceled. Refused if a reason is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn give_up(&self, key: &ChargeKey, code: &str) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(item_key(key), "SET decline = :code")
            .when("attribute_exists(intent_id) AND attribute_not_exists(decline)")
            .value(":code", &code)?;
        self.table.write(write).await
    }

    /// Stores how much the capture of the charge with `key` released.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn release(&self, key: &ChargeKey, units: u64) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(item_key(key), "SET released = :units")
            .when("attribute_exists(intent_id) AND attribute_not_exists(released)")
            .value(":units", &units)?;
        self.table.write(write).await
    }

    /// Returns the code with which the refund with `key` was refused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn refusal(&self, key: &RefundKey) -> Result<Option<String>, StoreError> {
        let item: Option<RefundItem> = self.table.get(item_key(key)).await?;
        Ok(item.map(|item| item.code))
    }

    /// Stores that the refund with `key` was refused. Refused if it is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn refuse(&self, key: &RefundKey, code: &str) -> Result<Written, StoreError> {
        let item = RefundItem {
            charge_id: key.to_string(),
            code: code.to_owned(),
        };
        let write = self.table.put(&item)?;
        let write = write.when("attribute_not_exists(charge_id)");
        self.table.write(write).await
    }
}

fn item_key(key: impl ToString) -> Key {
    Key::new("charge_id", key.to_string())
}
