//! What rules may know of an order beside the order: its products' categories, its customer's account
//! and earlier orders. Each is read only if somebody asks for it.

use std::collections::HashMap;

use super::credit::Past;
use super::model::{Course, Order};
use super::store::OrderStore;
use crate::catalog::ProductStore;
use crate::customers::CustomerStore;
use crate::dynamo::StoreError;
use crate::id::ProductId;
use crate::lambda::Aws;
use crate::rules::cel::Needs;
use crate::rules::engine::Broken;
use crate::rules::view::{CustomerView, Facts, LineView, OrderView, TotalsView, View};
use crate::settings::SettingError;

/// Where all that is read.
#[derive(Clone, Debug)]
pub struct Evidence {
    orders: OrderStore,
    products: ProductStore,
    customers: CustomerStore,
}

/// What was read.
#[derive(Clone, Debug, Default)]
struct Found {
    categories: HashMap<ProductId, String>,
    customer: CustomerView,
}

impl Evidence {
    /// With what the settings name.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            products: ProductStore::new(aws)?,
            customers: CustomerStore::new(aws)?,
        })
    }

    /// The latest orders of the customer of `order` before it; none of a guest, who has no other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn past(&self, order: &Order) -> Result<Vec<Past>, StoreError> {
        if order.guest.is_some() {
            return Ok(Vec::new());
        }
        self.orders.before(order).await
    }

    /// What expressions that need `needs` see of `order`, whose customer has the orders `past` behind
    /// them.
    ///
    /// # Errors
    /// [`StoreError`]. Facts that cannot be made of what was read are [`Broken`].
    pub async fn facts(
        &self,
        order: &Order,
        past: &[Past],
        needs: Needs,
    ) -> Result<Result<Facts, Broken>, StoreError> {
        let mut found = Found {
            categories: HashMap::new(),
            customer: customer(order, past),
        };
        if needs.categories {
            let ids = order.lines.iter().map(|line| line.product_id);
            let products = self.products.get_many(ids).await?.into_iter();
            found.categories = products
                .map(|product| (product.id, product.category.to_string()))
                .collect();
        }
        if needs.account && order.guest.is_none() {
            let account = self.customers.get(order.customer_id).await?;
            if let Some(account) = account {
                let roles = account.roles.iter().map(|role| role.name().to_owned());
                found.customer.roles = Some(roles.collect());
                found.customer.registered_at = Some(account.created_at);
            }
        }
        Ok(view(order, found).and_then(|view| Ok(Facts::of(&view)?)))
    }
}

fn customer(order: &Order, past: &[Past]) -> CustomerView {
    if order.guest.is_some() {
        return CustomerView {
            is_guest: true,
            ..CustomerView::default()
        };
    }
    let confirmed = past
        .iter()
        .filter(|order| order.status.course() == Course::Confirmed);
    let count = |count: usize| u32::try_from(count).ok();
    CustomerView {
        id: Some(order.customer_id),
        is_guest: false,
        roles: None,
        registered_at: None,
        orders_placed: count(past.len()),
        orders_confirmed: count(confirmed.count()),
    }
}

fn view(order: &Order, mut found: Found) -> Result<View, Broken> {
    let lines = order.lines.iter().map(|line| {
        Ok(LineView {
            product_id: line.product_id,
            category: found.categories.remove(&line.product_id),
            quantity: line.quantity,
            unit_price: line.unit_price,
            subtotal: line.subtotal()?,
        })
    });
    let address = &order.shipping_address;
    let totals = order.breakdown.check();
    let totals = totals.map_err(|error| Broken(error.to_string()))?;
    Ok(View {
        order: OrderView {
            lines: lines.collect::<Result<_, Broken>>()?,
            country: Some(address.country.clone()),
            region: address.region.clone(),
            postal_code: Some(address.postal_code.clone()),
            created_at: order.created_at,
        },
        customer: found.customer,
        totals: TotalsView {
            subtotal: totals.subtotal,
            discount: Some(totals.discount),
            shipping: Some(totals.shipping),
            tax: Some(totals.tax),
            total: totals.total,
        },
    })
}
