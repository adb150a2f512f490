//! What an expression can read: the order, its customer and its totals.
//!
//! A caller fills a [`View`] with what it has read. An [`Option`] may be absent; an expression that
//! reads an absent field fails with [`EvaluationError::Absent`], unless it checks `has(...)` first.
//! [`Expression::needs`] says which of the optional fields the caller should read. A [`Fact`] may also
//! exist without being known; then `has(...)` fails as well.
//!
//! | part | absent |
//! |---|---|
//! | `order.country`, `postal_code` | in a quote without an address |
//! | `order.region` | also where the address has none |
//! | `line.category` | if the caller has not read the products |
//! | `customer.id` | in a quote for a caller who is not signed in, and for guests |
//! | `customer.roles`, `registered_at` | if the caller has not read the account, and for guests |
//! | `customer.orders_placed`, `orders_confirmed` | if the caller has not counted the orders, and for guests |
//! | `customer.orders_today`, `spent_today`, `line.ordered_today` | if the caller has not read the day's orders, and for guests |
//! | `totals.discount`, `shipping`, `tax` | before they are computed |
//!
//! [`EvaluationError::Absent`]: super::cel::EvaluationError::Absent
//! [`Expression::needs`]: super::cel::Expression::needs

use std::any::Any;
use std::sync::Arc;

use ::cel::ExecutionError;
use ::cel::common::traits::Indexer;
use ::cel::common::types::{CelBool, CelInt, CelList, CelString, Type as CelType};
use ::cel::common::value::{CowVal, StaticVal, Val};
use ::cel::context::VariableResolver;

use super::types::Record;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ProductId, VariantId};
use crate::values::money::{Currency, Money, MoneyError};

/// A value that may be absent, or exist without being known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fact<T> {
    /// There is no value: `has(...)` is false.
    #[default]
    Absent,
    /// There is a value, but it could not be determined, for this reason. An expression that reads it
    /// fails, and so does `has(...)`.
    Unknown(String),
    /// The value.
    Known(T),
}

impl<T> Fact<T> {
    /// Returns what `then` makes of the value, if it is known.
    pub fn and_then<U>(&self, then: impl FnOnce(&T) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Absent => Fact::Absent,
            Self::Unknown(why) => Fact::Unknown(why.clone()),
            Self::Known(value) => then(value),
        }
    }
}

impl<T> From<Option<T>> for Fact<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }
}

/// What an expression can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The order.
    pub order: OrderView,
    /// The customer.
    pub customer: CustomerView,
    /// The totals.
    pub totals: TotalsView,
}

/// The order; `item_count` is the sum of the lines' quantities, `total` that of the totals, and
/// `currency` the totals' code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// `lines`: one for each variant.
    pub lines: Vec<LineView>,
    /// `country`: two capital letters.
    pub country: Option<String>,
    /// `region`: state, province or county.
    pub region: Option<String>,
    /// `postal_code`, as it is written in the country.
    pub postal_code: Option<String>,
    /// `created_at`: when it was placed; for a quote, now.
    pub created_at: Time,
}

/// A line of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineView {
    /// `product_id`.
    pub product_id: ProductId,
    /// `variant_id`; that of the product if it is a product without variants.
    pub variant_id: VariantId,
    /// `category` of the product.
    pub category: Option<String>,
    /// `quantity`.
    pub quantity: u32,
    /// `unit_price`.
    pub unit_price: Money,
    /// `subtotal`: unit price times quantity.
    pub subtotal: Money,
    /// `ordered_today`: how many of the product the customer has ordered earlier on the day.
    pub ordered_today: Fact<u32>,
}

/// The customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerView {
    /// `id`.
    pub id: Option<CustomerId>,
    /// `is_guest`: whether the order is, or would be, without an account.
    pub is_guest: bool,
    /// `roles`, as `"customer"` and `"admin"`.
    pub roles: Option<Vec<String>>,
    /// `registered_at`.
    pub registered_at: Option<Time>,
    /// `orders_placed` before this one.
    pub orders_placed: Option<u32>,
    /// `orders_confirmed` of those.
    pub orders_confirmed: Option<u32>,
    /// `orders_today`: how many orders the customer has placed earlier on the day.
    pub orders_today: Fact<u32>,
    /// `spent_today`: their totals together.
    pub spent_today: Fact<Money>,
}

/// The totals of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalsView {
    /// `subtotal`: the lines together.
    pub subtotal: Money,
    /// `discount`: as a positive amount.
    pub discount: Option<Money>,
    /// `shipping`.
    pub shipping: Option<Money>,
    /// `tax`.
    pub tax: Option<Money>,
    /// `total`: what is to be paid.
    pub total: Money,
}

/// A [`View`] in the form that expressions read: built once, for any number of expressions.
#[derive(Debug)]
pub struct Facts {
    pub(super) currency: Currency,
    pub(super) parts: Vec<Part>,
}

impl Facts {
    /// Returns the facts of `view`.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] if its amounts are not all in one currency, or
    /// [`MoneyError::TooLarge`].
    pub fn new(view: &View) -> Result<Self, MoneyError> {
        let currency = view.totals.total.currency();
        let parts = vec![
            order(view, currency)?,
            customer(&view.customer, currency)?,
            totals(&view.totals, currency)?,
        ];
        Ok(Self { currency, parts })
    }

    /// Returns the currency of the amounts.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }
}

impl VariableResolver for Facts {
    fn resolve<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>> {
        let mut parts = self.parts.iter();
        let part = parts.find(|part| part.record.name() == name);
        part.map(|part| CowVal::Borrowed(part))
    }
}

fn order(view: &View, currency: Currency) -> Result<Part, MoneyError> {
    let OrderView {
        lines,
        country,
        region,
        postal_code,
        created_at,
    } = &view.order;
    let items: i64 = lines.iter().map(|line| i64::from(line.quantity)).sum();
    let lines: Result<Vec<Box<dyn Val>>, MoneyError> = lines
        .iter()
        .map(|line| Ok(Box::new(self::line(line, currency)?) as Box<dyn Val>))
        .collect();
    Ok(Fields::default()
        .with("lines", CelList::from(lines?))
        .with("item_count", CelInt::from(items))
        .with("total", amount(view.totals.total, currency)?)
        .with("currency", CelString::from(currency.code()))
        .with_some("country", country.clone().map(CelString::from))
        .with_some("region", region.clone().map(CelString::from))
        .with_some("postal_code", postal_code.clone().map(CelString::from))
        .with("created_at", CelInt::from(created_at.as_millis()))
        .part(Record::Order))
}

fn line(line: &LineView, currency: Currency) -> Result<Part, MoneyError> {
    Ok(Fields::default()
        .with("product_id", CelString::from(line.product_id.to_string()))
        .with("variant_id", CelString::from(line.variant_id.to_string()))
        .with_some("category", line.category.clone().map(CelString::from))
        .with("quantity", CelInt::from(i64::from(line.quantity)))
        .with("unit_price", amount(line.unit_price, currency)?)
        .with("subtotal", amount(line.subtotal, currency)?)
        .with_fact("ordered_today", count(&line.ordered_today))
        .part(Record::Line))
}

fn number(number: u32) -> CelInt {
    CelInt::from(i64::from(number))
}

fn count(fact: &Fact<u32>) -> Fact<CelInt> {
    fact.and_then(|count| Fact::Known(number(*count)))
}

fn customer(customer: &CustomerView, currency: Currency) -> Result<Part, MoneyError> {
    let text = |text: &String| Box::new(CelString::from(text.clone())) as Box<dyn Val>;
    let roles = customer.roles.as_ref();
    let roles = roles.map(|roles| roles.iter().map(text).collect::<Vec<_>>());
    let spent_today = match &customer.spent_today {
        Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
        Fact::Known(spent) => Fact::Known(amount(*spent, currency)?),
    };
    let id = customer.id.map(|id| CelString::from(id.to_string()));
    let registered_at = customer.registered_at.map(Time::as_millis);
    Ok(Fields::default()
        .with_some("id", id)
        .with("is_guest", CelBool::from(customer.is_guest))
        .with_some("roles", roles.map(CelList::from))
        .with_some("registered_at", registered_at.map(CelInt::from))
        .with_some("orders_placed", customer.orders_placed.map(number))
        .with_some("orders_confirmed", customer.orders_confirmed.map(number))
        .with_fact("orders_today", count(&customer.orders_today))
        .with_fact("spent_today", spent_today)
        .part(Record::Customer))
}

fn totals(totals: &TotalsView, currency: Currency) -> Result<Part, MoneyError> {
    let optional = |money: Option<Money>| money.map(|money| amount(money, currency)).transpose();
    Ok(Fields::default()
        .with("subtotal", amount(totals.subtotal, currency)?)
        .with_some("discount", optional(totals.discount)?)
        .with_some("shipping", optional(totals.shipping)?)
        .with_some("tax", optional(totals.tax)?)
        .with("total", amount(totals.total, currency)?)
        .part(Record::Totals))
}

/// Returns the amount in the smallest unit of its currency.
pub(super) fn minor_units(money: Money) -> Option<i64> {
    i64::try_from(money.amount().mantissa()).ok()
}

pub(super) fn amount(money: Money, currency: Currency) -> Result<CelInt, MoneyError> {
    if money.currency() != currency {
        return Err(MoneyError::CurrencyMismatch);
    }
    let units = minor_units(money).ok_or(MoneyError::TooLarge)?;
    Ok(CelInt::from(units))
}

/// A field's value, or why it is not known.
type Field = Result<Box<dyn Val>, String>;

/// Collects the fields of a part.
#[derive(Default)]
pub(super) struct Fields(Vec<(&'static str, Field)>);

impl Fields {
    pub(super) fn with(mut self, name: &'static str, value: impl Val + 'static) -> Self {
        self.0.push((name, Ok(Box::new(value))));
        self
    }

    pub(super) fn with_some(self, name: &'static str, value: Option<impl Val + 'static>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn with_fact(mut self, name: &'static str, value: Fact<impl Val + 'static>) -> Self {
        match value {
            Fact::Absent => {}
            Fact::Unknown(why) => self.0.push((name, Err(why))),
            Fact::Known(value) => self.0.push((name, Ok(Box::new(value)))),
        }
        self
    }

    pub(super) fn part(self, record: Record) -> Part {
        Part {
            record,
            fields: Arc::new(self.0),
        }
    }
}

/// A value with named fields, which its clones share.
#[derive(Clone, Debug)]
pub(super) struct Part {
    record: Record,
    fields: Arc<Vec<(&'static str, Field)>>,
}

/// The type of such values for the evaluator, which has no functions for it.
static PART: CelType = CelType::new_unspecified_type("record");

impl Val for Part {
    fn get_type(&self) -> &CelType {
        &PART
    }

    fn cel_type() -> &'static CelType {
        &PART
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Part {}

impl Part {
    fn field(&self, key: &dyn Val) -> Result<&(dyn Val + 'static), ExecutionError> {
        let name = key.downcast_ref::<CelString>().map_or("", CelString::inner);
        let full = || format!("{}.{name}", self.record.name());
        let mut fields = self.fields.iter();
        match fields.find(|(field, _)| *field == name) {
            Some((_, Ok(value))) => Ok(value.as_ref()),
            Some((_, Err(why))) => Err(ExecutionError::function_error(&full(), why)),
            None => Err(ExecutionError::no_such_key(&full())),
        }
    }
}

impl Indexer for Part {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.field(key).map(CowVal::Borrowed)
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(self.field(key)?.clone_as_boxed())
    }
}
