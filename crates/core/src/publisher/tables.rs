//! Which service owns which table, and how each service reads an event from a changed item.

use serde_dynamo::Item;

use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::event::DomainEvent;
use crate::{catalog, customers, integrity, inventory, orders, payments, pricing, screening};

/// A service that publishes events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Products.
    Catalog,
    /// Customers.
    Customers,
    /// Findings of audits.
    Integrity,
    /// Stock and reservations.
    Inventory,
    /// Orders.
    Orders,
    /// Payments.
    Payments,
    /// Discounts, tax rates and shipping methods.
    Pricing,
    /// Operators' rules.
    Rules,
}

impl Service {
    pub(super) const ALL: &[Self] = &[
        Self::Catalog,
        Self::Customers,
        Self::Integrity,
        Self::Inventory,
        Self::Orders,
        Self::Payments,
        Self::Rules,
        Self::Pricing,
    ];

    /// Returns the `source` of its events.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::Catalog => "oxcart.catalog",
            Self::Customers => "oxcart.customers",
            Self::Integrity => "oxcart.integrity",
            Self::Inventory => "oxcart.inventory",
            Self::Orders => "oxcart.orders",
            Self::Payments => "oxcart.payments",
            Self::Rules => "oxcart.rules",
            Self::Pricing => "oxcart.pricing",
        }
    }

    /// Returns the setting that names its table.
    pub(super) fn table(self) -> Setting {
        match self {
            Self::Catalog => Setting::ProductsTable,
            Self::Customers => Setting::CustomersTable,
            Self::Integrity => Setting::IntegrityTable,
            Self::Inventory => Setting::InventoryTable,
            Self::Orders => Setting::OrdersTable,
            Self::Payments => Setting::PaymentsTable,
            Self::Rules => Setting::RulesTable,
            Self::Pricing => Setting::PricingTable,
        }
    }

    /// Returns the `source` of the event of the item `image`: its own, unless the item brings an event of another service
    /// back.
    pub(super) fn source_of(self, image: &Item) -> &'static str {
        let lost = match self {
            Self::Integrity => integrity::events::source_of_lost(image),
            Self::Catalog
            | Self::Customers
            | Self::Inventory
            | Self::Orders
            | Self::Payments
            | Self::Pricing
            | Self::Rules => None,
        };
        let mut sources = Self::ALL.iter().map(|service| service.source());
        let source = sources.find(|source| Some(*source) == lost);
        source.unwrap_or(self.source())
    }

    pub(super) fn published(self, image: Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
        match self {
            Self::Catalog => catalog::events::published(image),
            Self::Customers => customers::events::published(image),
            Self::Integrity => integrity::events::published(image),
            Self::Inventory => inventory::events::published(image),
            Self::Orders => orders::events::published(image),
            Self::Payments => payments::events::published(image),
            Self::Rules => screening::events::published(image),
            Self::Pricing => pricing::events::published(image),
        }
    }
}

/// The names of the tables and the services that own them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables(Vec<(String, Service)>);

impl Tables {
    /// Reads the names of the tables from the settings.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let tables = Service::ALL
            .iter()
            .map(|service| Ok((aws.settings().read(service.table())?, *service)));
        tables.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn owner(&self, table: &str) -> Option<Service> {
        let found = self.0.iter().find(|(name, _)| name == table);
        found.map(|(_, service)| *service)
    }
}
