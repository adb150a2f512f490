//! What rules may know about an order besides the order itself: its products' categories, and its customer's account
//! and earlier orders. Each is read only if a rule asks for it.

use std::collections::HashMap;

use futures::future;

use super::credit::{LATEST, PastOrder};
use super::model::{Course, Order};
use super::store::OrderStore;
use super::today::{self, Day};
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::SettingError;
use crate::catalog::store::ProductStore;
use crate::customers::model::Customer;
use crate::customers::store::CustomerStore;
use crate::screening::cel::{Needs, Today};
use crate::screening::engine::EvaluationError;
use crate::screening::view::{CustomerView, Fact, Facts, LineView, OrderView, TotalsView, View};
use crate::values::id::ProductId;

/// Reads what rules may know about an order.
#[derive(Clone, Debug)]
pub struct Evidence {
    orders: OrderStore,
    products: ProductStore,
    customers: CustomerStore,
}

/// A customer's orders before the one in question. A guest has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlierOrders {
    /// The latest [`LATEST`], newest first.
    pub latest: Vec<PastOrder>,
    /// Those of the same day; absent if no rule asks for them.
    pub today: Fact<Day>,
}

impl Evidence {
    /// Opens the tables that the settings name.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            products: ProductStore::new(aws)?,
            customers: CustomerStore::new(aws)?,
        })
    }

    /// Reads what the credit score and expressions that need `needs` ask about `order`: the customer's orders before
    /// it, and the facts that expressions see.
    ///
    /// # Errors
    /// [`StoreError`]. Facts that cannot be made of what was read are [`EvaluationError`].
    pub async fn gather(
        &self,
        order: &Order,
        needs: Needs,
    ) -> Result<(EarlierOrders, Result<Facts, EvaluationError>), StoreError> {
        let (earlier, categories, account) = future::try_join3(
            self.earlier(order, needs),
            self.categories(order, needs),
            self.account(order, needs),
        )
        .await?;
        let customer = customer(order, &earlier, account);
        let view = view(order, &earlier.today, customer, &categories);
        let facts = view.and_then(|view| Ok(Facts::new(&view)?));
        Ok((earlier, facts))
    }

    /// Returns the orders of the customer of `order` before it, as far as `needs` and the credit score ask for
    /// them. A guest has none.
    async fn earlier(&self, order: &Order, needs: Needs) -> Result<EarlierOrders, StoreError> {
        if order.guest.is_some() {
            return Ok(EarlierOrders::default());
        }
        let asked = needs.today > Today::Nothing;
        let mut latest = self.orders.earlier_orders(order, asked).await?;
        let today = if asked {
            self.today(order, &latest, needs.today).await?
        } else {
            Fact::Absent
        };
        latest.truncate(LATEST);
        Ok(EarlierOrders { latest, today })
    }

    /// Returns what those of `earlier` come to that are of the day of `order`. Their lines are read only if a rule
    /// asks for them.
    async fn today(
        &self,
        order: &Order,
        earlier: &[PastOrder],
        asked: Today,
    ) -> Result<Fact<Day>, StoreError> {
        let Some(counted) = today::counted(order, earlier) else {
            let most = today::MOST_ORDERS;
            let why = format!("more than {most} orders were placed earlier that day");
            return Ok(Fact::Unknown(why));
        };
        let quantities = if asked == Today::Lines {
            let ids = counted.iter().map(|past| past.id);
            Fact::Known(self.orders.quantities(ids).await?)
        } else {
            Fact::Absent
        };
        Ok(Fact::Known(Day {
            orders: u32::try_from(counted.len()).unwrap_or(u32::MAX),
            spent: today::spent(order, &counted),
            quantities,
        }))
    }

    async fn categories(
        &self,
        order: &Order,
        needs: Needs,
    ) -> Result<HashMap<ProductId, String>, StoreError> {
        if !needs.categories {
            return Ok(HashMap::new());
        }
        let ids = order.lines.iter().map(|line| line.product_id);
        let products = self.products.get_many(ids).await?.into_iter();
        Ok(products
            .map(|product| (product.id, product.category.to_string()))
            .collect())
    }

    async fn account(&self, order: &Order, needs: Needs) -> Result<Option<Customer>, StoreError> {
        if !needs.account || order.guest.is_some() {
            return Ok(None);
        }
        self.customers.get(order.customer_id).await
    }
}

fn customer(order: &Order, earlier: &EarlierOrders, account: Option<Customer>) -> CustomerView {
    if order.guest.is_some() {
        return CustomerView {
            is_guest: true,
            ..CustomerView::default()
        };
    }
    let past = &earlier.latest;
    let confirmed = past
        .iter()
        .filter(|order| order.status.course() == Course::Confirmed);
    let count = |count: usize| u32::try_from(count).ok();
    CustomerView {
        id: Some(order.customer_id),
        is_guest: false,
        registered_at: account.as_ref().map(|account| account.created_at),
        roles: account.map(|account| {
            let roles = account.roles.iter();
            roles.map(|role| role.name().to_owned()).collect()
        }),
        orders_placed: count(past.len()),
        orders_confirmed: count(confirmed.count()),
        orders_today: earlier.today.and_then(|day| Fact::Known(day.orders)),
        spent_today: earlier.today.and_then(|day| day.spent.clone()),
    }
}

fn view(
    order: &Order,
    today: &Fact<Day>,
    customer: CustomerView,
    categories: &HashMap<ProductId, String>,
) -> Result<View, EvaluationError> {
    let lines = order.lines.iter().map(|line| {
        Ok(LineView {
            product_id: line.product_id,
            variant_id: line.variant_id,
            category: categories.get(&line.product_id).cloned(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            subtotal: line.subtotal()?,
            ordered_today: today.and_then(|day| day.ordered(line.product_id)),
        })
    });
    let address = &order.shipping_address;
    let totals = order.breakdown.check();
    let totals = totals.map_err(|error| EvaluationError(error.to_string()))?;
    Ok(View {
        order: OrderView {
            lines: lines.collect::<Result<_, EvaluationError>>()?,
            country: Some(address.country.clone()),
            region: address.region.clone(),
            postal_code: address.postal_code.clone(),
            created_at: order.created_at,
        },
        customer,
        totals: TotalsView {
            subtotal: totals.subtotal,
            discount: Some(totals.discount),
            shipping: Some(totals.shipping),
            tax: Some(totals.tax),
            total: totals.total,
        },
    })
}
