//! The settings of all functions: environment variables that `template.yaml` declares. Apart from the
//! variables that Lambda itself sets, nothing else reads the environment. A test compares this list with
//! the template.

use std::collections::BTreeMap;
use std::str::FromStr;

/// A setting that is missing or not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The variable is not set.
    #[error("the setting {0} is not set")]
    Missing(&'static str),
    /// The variable cannot be parsed.
    #[error("the setting {0} is not valid: {1:?}")]
    Invalid(&'static str, String),
}

macro_rules! settings {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A setting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Setting {
            $($(#[$doc])* $variant,)*
        }

        impl Setting {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The environment variable.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

settings! {
    /// Name of the event bus.
    BusName = "BUS_NAME",
    /// Seconds for which a process that keeps products does not ask what has changed.
    CacheCheckSeconds = "CACHE_CHECK_SECONDS",
    /// The most megabytes of products and lists that a process keeps.
    CacheMegabytes = "CACHE_MEGABYTES",
    /// Seconds for which a page of a list of products may be kept; 0 keeps none.
    CategoryCacheSeconds = "CATEGORY_CACHE_SECONDS",
    /// Name of the table of the log of what changed in the catalogue.
    ChangesTable = "CHANGES_TABLE",
    /// Name of the table of what is in collections by rule.
    CollectionsTable = "COLLECTIONS_TABLE",
    /// Name of the table of customers and their sign-ins.
    CustomersTable = "CUSTOMERS_TABLE",
    /// Seconds for which caches that many clients share may keep what strangers read of the catalogue; with 0, they ask
    /// each time.
    EdgeCacheSeconds = "EDGE_CACHE_SECONDS",
    /// Days after the deletion of an account until the addresses of its orders that are still on their way
    /// are erased; with 0 they are erased at once.
    ErasureDays = "ERASURE_DAYS",
    /// Name of the table of published events.
    EventLogTable = "EVENT_LOG_TABLE",
    /// Address of the queue of imports and exports that go on.
    FileJobQueueUrl = "FILE_JOB_QUEUE_URL",
    /// Name of the table of imports and exports.
    FileJobsTable = "FILE_JOBS_TABLE",
    /// Name of the bucket of their files.
    FilesBucket = "FILES_BUCKET",
    /// Name of the bucket of images of products.
    ImagesBucket = "IMAGES_BUCKET",
    /// Name of the table of audits and of what they found.
    IntegrityTable = "INTEGRITY_TABLE",
    /// Name of the table of stock and reservations.
    InventoryTable = "INVENTORY_TABLE",
    /// Name of the table of which gateways are left out; empty if there is only one.
    GatewaysTable = "GATEWAYS_TABLE",
    /// Name of the table of gift cards and what orders took from them.
    GiftCardsTable = "GIFT_CARDS_TABLE",
    /// Name of the table of the ledger's entries.
    LedgerTable = "LEDGER_TABLE",
    /// ARN of the secret that links in messages are signed with.
    LinkSecretArn = "LINK_SECRET_ARN",
    /// Name of the table of rate limits.
    LimitsTable = "LIMITS_TABLE",
    /// The lowest level that is logged: error, warn, info, debug or trace.
    LogLevel = "LOG_LEVEL",
    /// The most pieces of a product left on hand that are shown as low.
    LowStockLevel = "LOW_STOCK_LEVEL",
    /// The address that messages come from.
    MailFrom = "MAIL_FROM",
    /// Address of the queue of messages to customers.
    MessageQueueUrl = "MESSAGE_QUEUE_URL",
    /// Name of the table of messages to customers.
    MessagesTable = "MESSAGES_TABLE",
    /// The lowest credit score (300 to 850) with which a customer's orders are accepted; 0 accepts all.
    MinimumCreditScore = "MINIMUM_CREDIT_SCORE",
    /// The least that an order has to cost, in the shop's currency.
    MinimumOrderAmount = "MINIMUM_ORDER_AMOUNT",
    /// What is compared with the minimum: `total` or `goods`.
    MinimumOrderBasis = "MINIMUM_ORDER_BASIS",
    /// Seconds after which nothing new is begun for an order that is still pending.
    OrderDeadlineSeconds = "ORDER_DEADLINE_SECONDS",
    /// Name of the table of orders.
    OrdersTable = "ORDERS_TABLE",
    /// ARN of the order workflow's state machine.
    OrderWorkflowArn = "ORDER_WORKFLOW_ARN",
    /// When payments are captured: `at_once` or `at_shipment`.
    PaymentCapture = "PAYMENT_CAPTURE",
    /// Which payment gateway is used: `sandbox` or `stripe`.
    PaymentGateway = "PAYMENT_GATEWAY",
    /// The payment gateways between which payments are routed, such as `stripe:eu,stripe:us`; empty if there is only one.
    PaymentGateways = "PAYMENT_GATEWAYS",
    /// How payments are routed: `primary_with_fallback`, `round_robin`, `consistent_hash` or `weighted`.
    PaymentRouting = "PAYMENT_ROUTING",
    /// Name of the table of payments.
    PaymentsTable = "PAYMENTS_TABLE",
    /// Name of the table of discounts, tax rates and shipping methods.
    PricingTable = "PRICING_TABLE",
    /// Seconds for which a product may be kept; 0 keeps none.
    ProductCacheSeconds = "PRODUCT_CACHE_SECONDS",
    /// Name of the table of products.
    ProductsTable = "PRODUCTS_TABLE",
    /// Name of the table of what gateways have moved, and of how the ledger differs.
    ReconciliationTable = "RECONCILIATION_TABLE",
    /// Name of the table of refunds.
    RefundsTable = "REFUNDS_TABLE",
    /// How much each caller may send, in percent of the limits in [`crate::http::limits`]; 0 turns rate
    /// limiting off.
    RateLimitPercent = "RATE_LIMIT_PERCENT",
    /// Seconds after which an order that waits for a review fails.
    ReviewDeadlineSeconds = "REVIEW_DEADLINE_SECONDS",
    /// Name of the table of operators' rules.
    RulesTable = "RULES_TABLE",
    /// Name of the table that the sandbox gateway keeps its books in.
    SandboxTable = "SANDBOX_TABLE",
    /// Name of the bucket of the search index.
    SearchBucket = "SEARCH_BUCKET",
    /// Name of the table of sessions and of attempts to sign in.
    SessionsTable = "SESSIONS_TABLE",
    /// Address of the queue of changes whose events could not be published.
    SetAsideQueueUrl = "SET_ASIDE_QUEUE_URL",
    /// Address of the server in which processes keep products for each other (`redis://`, `rediss://`); empty for none.
    SharedCacheUrl = "SHARED_CACHE_URL",
    /// The shop's currency, an ISO 4217 code.
    ShopCurrency = "SHOP_CURRENCY",
    /// The shop's name, as messages give it.
    ShopName = "SHOP_NAME",
    /// The address of the shop's pages, to which links in messages lead, without a trailing slash.
    ShopUrl = "SHOP_URL",
    /// Whether it is shown how many of a product are left, if it is low: `true` or `false`.
    ShowStockQuantity = "SHOW_STOCK_QUANTITY",
    /// Address of the queue of imports of stock that go on.
    StockImportQueueUrl = "STOCK_IMPORT_QUEUE_URL",
    /// Name of the table of imports of stock.
    StockImportsTable = "STOCK_IMPORTS_TABLE",
    /// ARN of the secret with Stripe's API key; empty if Stripe is not used.
    StripeSecretArn = "STRIPE_SECRET_ARN",
    /// Name of the table of Stripe's identifiers; empty if Stripe is not used.
    StripeTable = "STRIPE_TABLE",
    /// Address of Stripe's API.
    StripeUrl = "STRIPE_URL",
    /// How access tokens are signed: `EdDSA` or `HS256`.
    TokenAlgorithm = "TOKEN_ALGORITHM",
    /// Whom access tokens are for (`aud`).
    TokenAudience = "TOKEN_AUDIENCE",
    /// Who issues access tokens (`iss`).
    TokenIssuer = "TOKEN_ISSUER",
    /// Seconds for which an access token is valid.
    TokenLifetimeSeconds = "TOKEN_LIFETIME_SECONDS",
    /// ARN of the secret that access tokens are signed with.
    TokenSecretArn = "TOKEN_SECRET_ARN",
}

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub enum Settings {
    /// This process's environment.
    #[default]
    Environment,
    /// These values, by [`Setting::name`]: for tests and for the command line.
    Given(BTreeMap<String, String>),
}

impl Settings {
    /// Returns the parsed value of `setting`.
    ///
    /// # Errors
    /// Returns [`SettingError`] if the setting is missing or cannot be parsed.
    pub fn read<T: FromStr>(&self, setting: Setting) -> Result<T, SettingError> {
        let name = setting.name();
        let text = match self {
            Self::Environment => std::env::var(name).ok(),
            Self::Given(values) => values.get(name).cloned(),
        };
        let text = text.ok_or(SettingError::Missing(name))?;
        text.parse().map_err(|_| SettingError::Invalid(name, text))
    }
}
