use serde_json::json;

use super::*;

#[test]
fn the_weight_of_an_item_of_earlier_releases_is_read() {
    let item = |weight: &str| -> Product {
        let item = json!({
            "product_id": "0197f0a0-0000-7000-8000-000000000001", "name": "Tea", "category": "tea",
            "price": {"amount": "1.00", "currency": "EUR"}, "attributes": {"weight_grams": weight},
            "status": "active", "category_shard": "tea#0", "status_shard": "active#0", "position": "p",
            "version": 1, "schema": 1, "created_at": "2026-03-01T12:00:00Z",
            "updated_at": "2026-03-01T12:00:00Z",
            "event": Stamp::new("p", 1, "ProductCreated", Time::from_millis(0)),
        });
        let item: ProductItem = serde_json::from_value(item).unwrap();
        item.into()
    };
    let weighed = item("250");
    assert_eq!(
        (weighed.variants[0].weight_grams, weighed.attributes.len()),
        (Some(250), 0)
    );
    let unclear = item("20kg");
    assert_eq!(
        (unclear.variants[0].weight_grams, unclear.attributes.len()),
        (None, 1)
    );
}

#[test]
fn a_product_of_the_first_release_has_one_variant_and_is_stored_as_it_was() {
    let stored = json!({
        "product_id": "0197f0a0-0000-7000-8000-000000000001", "name": "Sencha", "description": "From Uji.",
        "price": {"amount": "12.50", "currency": "EUR"}, "category": "green-tea",
        "attributes": {"name_de": "Sencha-Tee"}, "status": "active",
        "category_shard": "green-tea#1", "status_shard": "active#1",
        "position": "2026-03-01T12:00:00.000Z#0197f0a0-0000-7000-8000-000000000001",
        "request_hash": "h", "version": 3, "schema": 1,
        "created_at": "2026-03-01T12:00:00.000Z", "updated_at": "2026-03-02T12:00:00.000Z",
        "event": Stamp::new("p", 3, "ProductUpdated", Time::from_millis(0)),
    });
    let item: ProductItem = serde_json::from_value(stored.clone()).unwrap();
    let product = Product::from(item);
    assert!(product.is_plain());
    let only = product.only_variant().unwrap();
    assert_eq!((only.id, only.sku.as_ref()), (product.id.into(), None));
    assert_eq!(only.prices.regular.amount().to_string(), "12.50");
    let mut written = serde_json::to_value(ProductItem::new(&product).unwrap()).unwrap();
    // What later releases have added: since when the price is as it is, and places in lists.
    assert_eq!(written["priced_at"], stored["updated_at"]);
    let place = "00000000000000001250#0197f0a0-0000-7000-8000-000000000001";
    assert_eq!(written["price_position"], place);
    let fields = written.as_object_mut().unwrap();
    for added in ["priced_at", "name_position", "price_position"] {
        fields.remove(added).unwrap();
    }
    for shard in ["category_shard", "status_shard"] {
        fields.insert(shard.to_owned(), stored[shard].clone());
    }
    assert_eq!(written, stored);
}
