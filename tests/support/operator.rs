//! What an operator with AWS credentials does.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use oxcart_core::aws::Aws;
use oxcart_core::aws::settings::{Setting, Settings};
use oxcart_core::customers::model::Account;
use oxcart_core::customers::operator::grant_admin as grant;
use oxcart_core::customers::store::CustomerStore;
use oxcart_core::publisher::redrive::Redrive;
use oxcart_core::values::clock::Time;
use serde_json::json;

use super::shop::Shop;

/// Gives the customer with the address `email` the role admin.
pub(crate) async fn grant_admin(endpoint: &str, table: &str, email: &str) {
    let customers = customers(endpoint, table);
    let now = Time::from_millis(Timestamp::now().as_millisecond());
    let granted = grant(&customers, &email.parse().unwrap(), now).await;
    assert!(granted.unwrap(), "{email} was an admin already");
}

impl Shop {
    /// Has the reconciliation begin with the day of `begun`.
    pub(crate) async fn reconcile_from(&self, begun: Timestamp) {
        let scheduled = json!({"time": begun.to_string()});
        self.invoke("reconcile-ledger", &scheduled).await.unwrap();
    }

    /// Has the day of `begun` compared, as if it had ended, and the next one, in case the test has passed midnight.
    pub(crate) async fn reconcile(&self, begun: Timestamp) {
        let day = begun.to_zoned(TimeZone::UTC).start_of_day().unwrap();
        for hours in [26, 50] {
            let now = day.timestamp() + SignedDuration::from_hours(hours);
            self.reconcile_from(now).await;
        }
    }

    /// Publishes what was set aside. Returns how many events are published and how many are left.
    pub(crate) async fn redrive(&self) -> (usize, usize) {
        let environment = self.control("functions/publish-events/environment").await;
        let settings: BTreeMap<String, String> = serde_json::from_value(environment).unwrap();
        let redrive = Redrive::new(&aws(self.aws_url(), settings)).unwrap();
        let (mut published, mut left) = (0, 0);
        loop {
            let redriven = redrive.next().await.unwrap();
            if redriven.is_empty() {
                return (published, left);
            }
            let done = redriven.iter().filter(|change| change.outcome.is_ok());
            let done = done.count();
            published += done;
            left += redriven.len() - done;
        }
    }
}

/// The account `id`, as stored.
pub(crate) async fn account(endpoint: &str, table: &str, id: &str) -> Account {
    let customers = customers(endpoint, table);
    let account = customers.account(id.parse().unwrap()).await;
    account.unwrap().unwrap()
}

fn customers(endpoint: &str, table: &str) -> CustomerStore {
    let setting = Setting::CustomersTable.name().to_owned();
    let settings = BTreeMap::from([(setting, table.to_owned())]);
    CustomerStore::new(&aws(endpoint, settings)).unwrap()
}

fn aws(endpoint: &str, settings: BTreeMap<String, String>) -> Aws {
    let config = SdkConfig::builder()
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "operator", "local", None, None, "test",
        )))
        .endpoint_url(endpoint)
        .build();
    Aws::with(config, Settings::Given(settings))
}
