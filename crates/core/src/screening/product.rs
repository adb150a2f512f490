//! What an expression over a product can read. `product.brand` is absent where there is none.

use ::cel::common::types::{CelBool, CelInt, CelList, CelString};
use ::cel::common::value::Val;

use super::types::Record;
use super::view::{Facts, Fields, amount};
use crate::values::clock::Time;
use crate::values::id::ProductId;
use crate::values::money::{Money, MoneyError};

/// A product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductView {
    /// `id`.
    pub id: ProductId,
    /// `name`.
    pub name: String,
    /// `brand`.
    pub brand: Option<String>,
    /// `category`.
    pub category: String,
    /// `price`: without a sale, of several variants the lowest.
    pub price: Money,
    /// `shipped`.
    pub shipped: bool,
    /// `created_at`.
    pub created_at: Time,
    /// `tags`.
    pub tags: Vec<String>,
    /// `attributes`, each as `name=value`.
    pub attributes: Vec<String>,
}

impl Facts {
    /// Returns the facts of `product`.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn of_product(product: ProductView) -> Result<Self, MoneyError> {
        let currency = product.price.currency();
        let list = |texts: Vec<String>| {
            let texts = texts.into_iter();
            let texts = texts.map(|text| Box::new(CelString::from(text)) as Box<dyn Val>);
            CelList::from(texts.collect::<Vec<_>>())
        };
        let part = Fields::default()
            .with("id", CelString::from(product.id.to_string()))
            .with("name", CelString::from(product.name))
            .with_some("brand", product.brand.map(CelString::from))
            .with("category", CelString::from(product.category))
            .with("price", amount(product.price, currency)?)
            .with("shipped", CelBool::from(product.shipped))
            .with("created_at", CelInt::from(product.created_at.as_millis()))
            .with("tags", list(product.tags))
            .with("attributes", list(product.attributes))
            .part(Record::Product);
        Ok(Self {
            currency,
            parts: vec![part],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screening::cel::{CompileError, Expression};
    use crate::values::money::Currency;

    fn euro() -> Currency {
        "EUR".parse().unwrap()
    }

    fn tea() -> ProductView {
        ProductView {
            id: ProductId::derived(&["tea"]),
            name: "Sencha".to_owned(),
            brand: None,
            category: "green-tea".to_owned(),
            price: Money::from_minor_units(1250, euro()).unwrap(),
            shipped: true,
            created_at: Time::from_millis(1_750_000_000_000),
            tags: vec!["organic".to_owned(), "新茶".to_owned()],
            attributes: vec!["origin=Uji".to_owned()],
        }
    }

    #[test]
    fn an_expression_reads_every_field_of_a_product() {
        let facts = Facts::of_product(tea()).unwrap();
        for (source, expected) in [
            (
                "product.price < money(\"12.51\") && product.shipped",
                Some(true),
            ),
            (
                "product.name.startsWith(\"Sen\") && product.category == \"green-tea\"",
                Some(true),
            ),
            (
                "\"新茶\" in product.tags && !(\"Uji\" in product.attributes)",
                Some(true),
            ),
            (
                "product.attributes.exists(a, a.startsWith(\"origin=\"))",
                Some(true),
            ),
            (
                "has(product.brand) && product.brand == \"Ito\"",
                Some(false),
            ),
            ("product.brand == \"Ito\"", None),
            (
                "product.created_at > timestamp(\"2025-06-15T00:00:00Z\")",
                Some(true),
            ),
            ("product.id == \"\"", Some(false)),
        ] {
            let expression = Expression::compile_listed(source, euro()).unwrap();
            assert_eq!(expression.holds(&facts).ok(), expected, "{source}");
        }
    }

    #[test]
    fn orders_and_products_are_not_mixed_up() {
        let fault = |compiled: Result<Expression, CompileError>| compiled.unwrap_err().to_string();
        assert_eq!(
            fault(Expression::compile_listed(
                "order.total > money(\"1.00\")",
                euro()
            )),
            "line 1, column 1: there is no \"order\"; there is product"
        );
        assert_eq!(
            fault(Expression::compile("product.shipped", euro())),
            "line 1, column 1: there is no \"product\"; there are order, customer and totals"
        );
        assert_eq!(
            fault(Expression::compile_listed("product.stock > 1", euro())),
            "line 1, column 8: product has no field \"stock\"; it has id, name, brand, category, price, \
             shipped, created_at, tags, attributes"
        );
    }
}
