//! The types of expressions, and the fields that they can read.

use std::fmt;

/// The most lines of an order, which bounds its lists.
pub(super) const LINES: u64 = 50;

/// The most roles of a customer that an expression sees.
const ROLES: u64 = 10;

/// The most tags of a product, and the most attributes.
const TEXTS: u64 = 50;

/// The type of a value without fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A text.
    Text,
    /// An amount, counted in the smallest unit of the shop's currency.
    Money,
    /// A point in time, counted in milliseconds since 1970.
    Time,
    /// A length of time, counted in milliseconds.
    Span,
}

/// The type of a value with named fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The order.
    Order,
    /// One of its lines.
    Line,
    /// Its customer.
    Customer,
    /// Its totals.
    Totals,
    /// A product of the catalogue.
    Product,
}

/// The type of the elements of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Values without fields.
    Scalar(Scalar),
    /// Values with named fields.
    Record(Record),
}

/// The type of a part of an expression. There are no lists of lists, so no list grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// The type of a value without fields.
    Scalar(Scalar),
    /// The type of a value with named fields.
    Record(Record),
    /// A list of at most so many elements.
    List(Element, u64),
}

impl Type {
    pub(super) const BOOL: Self = Self::Scalar(Scalar::Bool);
    pub(super) const INT: Self = Self::Scalar(Scalar::Int);
    pub(super) const TEXT: Self = Self::Scalar(Scalar::Text);
    pub(super) const MONEY: Self = Self::Scalar(Scalar::Money);
    pub(super) const TIME: Self = Self::Scalar(Scalar::Time);
    pub(super) const SPAN: Self = Self::Scalar(Scalar::Span);
}

impl From<Element> for Type {
    fn from(element: Element) -> Self {
        match element {
            Element::Scalar(scalar) => Self::Scalar(scalar),
            Element::Record(record) => Self::Record(record),
        }
    }
}

impl Record {
    /// Returns its name in expressions and errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Line => "line",
            Self::Customer => "customer",
            Self::Totals => "totals",
            Self::Product => "product",
        }
    }

    /// Returns those of its fields that are not known yet when an order is priced.
    pub(super) fn unpriced(self) -> &'static [&'static str] {
        match self {
            Self::Order => &["postal_code"],
            Self::Line => &["ordered_today"],
            Self::Customer => &[
                "roles",
                "registered_at",
                "orders_placed",
                "orders_confirmed",
                "orders_today",
                "spent_today",
            ],
            Self::Totals => &["discount", "shipping", "tax"],
            Self::Product => &[],
        }
    }

    /// Returns its fields, some of which may be absent (see [`super::view`]).
    pub(super) fn fields(self) -> &'static [(&'static str, Type)] {
        match self {
            Self::Order => &[
                ("lines", Type::List(Element::Record(Self::Line), LINES)),
                ("item_count", Type::INT),
                ("total", Type::MONEY),
                ("currency", Type::TEXT),
                ("country", Type::TEXT),
                ("region", Type::TEXT),
                ("postal_code", Type::TEXT),
                ("created_at", Type::TIME),
            ],
            Self::Line => &[
                ("product_id", Type::TEXT),
                ("variant_id", Type::TEXT),
                ("category", Type::TEXT),
                ("quantity", Type::INT),
                ("unit_price", Type::MONEY),
                ("subtotal", Type::MONEY),
                ("ordered_today", Type::INT),
            ],
            Self::Customer => &[
                ("id", Type::TEXT),
                ("is_guest", Type::BOOL),
                ("roles", Type::List(Element::Scalar(Scalar::Text), ROLES)),
                ("registered_at", Type::TIME),
                ("orders_placed", Type::INT),
                ("orders_confirmed", Type::INT),
                ("orders_today", Type::INT),
                ("spent_today", Type::MONEY),
            ],
            Self::Totals => &[
                ("subtotal", Type::MONEY),
                ("discount", Type::MONEY),
                ("shipping", Type::MONEY),
                ("tax", Type::MONEY),
                ("total", Type::MONEY),
            ],
            Self::Product => &[
                ("id", Type::TEXT),
                ("name", Type::TEXT),
                ("brand", Type::TEXT),
                ("category", Type::TEXT),
                ("price", Type::MONEY),
                ("shipped", Type::BOOL),
                ("created_at", Type::TIME),
                ("tags", Type::List(Element::Scalar(Scalar::Text), TEXTS)),
                (
                    "attributes",
                    Type::List(Element::Scalar(Scalar::Text), TEXTS),
                ),
            ],
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Text => "a text",
            Self::Money => "an amount",
            Self::Time => "a time",
            Self::Span => "a duration",
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => scalar.fmt(f),
            Self::Record(record) => write!(f, "the whole {}", record.name()),
            Self::List(..) => f.write_str("a list"),
        }
    }
}
