//! Looking up many products by their names.

use std::collections::BTreeMap;

use crate::aws::dynamo::StoreError;
use crate::catalog::item::{sku_lead, variant_lead};
use crate::catalog::lookup::{Found, Names};
use crate::catalog::sku::Sku;
use crate::http::page::{Page, PageRequest};
use crate::values::id::{ProductId, VariantId};

use super::ProductStore;

/// What is asked for by names that lead to the same product.
struct Wanted {
    /// The place of the first of the names.
    place: usize,
    names: Vec<Sku>,
    /// Where they lead.
    product: Option<ProductId>,
}

/// Returns the key of what leads from `name` to its product.
fn lead(name: &Sku) -> String {
    name.variant().map_or_else(|| sku_lead(name), variant_lead)
}

/// Groups `names` by the product that they lead to, in the order of their first ones.
fn wanted(names: &Names, leads: &BTreeMap<String, ProductId>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for (place, name) in names.as_slice().iter().enumerate() {
        let own = || name.variant().map(VariantId::as_product);
        let product = leads.get(&lead(name)).copied().or_else(own);
        let same = wanted
            .iter_mut()
            .find(|wanted| product.is_some() && wanted.product == product);
        match same {
            Some(same) => same.names.push(name.clone()),
            None => wanted.push(Wanted {
                place,
                names: vec![name.clone()],
                product,
            }),
        }
    }
    wanted
}

impl ProductStore {
    /// Returns a page of what `names` lead to, each product once, in the order of the names. It is read in two calls in a row:
    /// what leads from the names, and the products of the page; for N names half a unit each, and half a unit for each
    /// 4 KB of a product.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_up(
        &self,
        names: &Names,
        page: &PageRequest,
    ) -> Result<Page<Found>, StoreError> {
        let leads = self.leads(names.as_slice().iter().map(lead), false).await?;
        let mut wanted = wanted(names, &leads);
        if let Some(after) = &page.after {
            let after = after.parse().unwrap_or(usize::MAX);
            wanted.retain(|wanted| wanted.place > after);
        }
        let page = Page::cut(wanted, page.limit, |wanted| wanted.place.to_string());
        let ids = page.items.iter().filter_map(|wanted| wanted.product);
        let mut products = self.get_many_eventually(ids).await?;
        Ok(page.map(|wanted| {
            let product = wanted.product.and_then(|id| products.remove(&id));
            Found::new(wanted.place.to_string(), wanted.names, product)
        }))
    }
}
