//! Orders of products with several variants.

use super::*;
use crate::catalog::content::ContentChange;
use crate::catalog::model::Product;
use crate::catalog::rules::Sold;
use crate::catalog::variants::{ProductOption, VariantChange};
use crate::inventory::rules::first_stock;
use crate::inventory::store::InventoryStore;
use crate::orders::quotes::create_quote;
use crate::values::id::VariantId;

/// Returns a T-shirt in the sizes S and M, for 20.00 and 22.00, of which there are 10 of each.
async fn shirt(shop: &Shop, checkout: &Checkout) -> Product {
    let variant = |size: &str, price: &str, sku: &str| VariantChange {
        options: Some(BTreeMap::from([("size".to_owned(), size.to_owned())])),
        sku: Some(Some(sku.parse().unwrap())),
        price: Some(crate::orders::fixtures::eur(price)),
        ..VariantChange::default()
    };
    let options = vec![ProductOption {
        name: "size".to_owned(),
        values: vec!["S".to_owned(), "M".to_owned()],
    }];
    let variants = vec![variant("S", "20.00", "T-S"), variant("M", "22.00", "T-M")];
    let draft = ProductDraft {
        name: "T-shirt".to_owned(),
        description: String::new(),
        category: "shirts".parse().unwrap(),
        shipped: true,
        attributes: BTreeMap::new(),
        status: ProductStatus::Active,
        sold: Sold::Variants(options, variants),
        content: ContentChange::default(),
    };
    let shirt = create(product("shirt"), draft, None, placed_at()).unwrap();
    let (shirt, _) = checkout.totals.products.create(shirt).await.unwrap();
    let inventory = InventoryStore::new(&shop.aws).unwrap();
    for variant in &shirt.variants {
        let stock = first_stock(variant.id, 10.into(), placed_at());
        inventory.create_stock(&stock).await.unwrap();
    }
    shirt
}

fn of(items: Value) -> Value {
    let mut body = body();
    body["items"] = items;
    body
}

/// Returns the lines of the order or quote in `answer`: name, SKU, pieces and price of one.
fn lines_of(answer: &Response) -> Vec<String> {
    let body = json_of(answer);
    let lines = body["items"].as_array().unwrap().iter();
    let lines = lines.map(|line| {
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        let price = line["unit_price"]["amount"].as_str().unwrap();
        format!(
            "{} {} {} {price}",
            text("name"),
            text("sku"),
            line["quantity"]
        )
    });
    lines.collect()
}

#[tokio::test]
async fn an_order_names_variants_and_has_a_line_for_each() {
    let (shop, checkout) = shop().await;
    let shirt = shirt(&shop, &checkout).await;
    let [small, medium] = [0, 1].map(|at| shirt.variants[at].id);
    let items = json!([
        {"variant_id": medium, "quantity": 1},
        {"product_id": shirt.id, "variant_id": small, "quantity": 2},
        {"product_id": shirt.id, "variant_id": medium, "quantity": 3},
        {"variant_id": product("sencha"), "quantity": 1},
    ]);
    let answer = place(&checkout, placing("ana", "k", &of(items), placed_at())).await;
    let sencha = format!("sencha {} 1 12.90", product("sencha"));
    let expected = [
        "T-shirt (M) T-M 4 22.00",
        "T-shirt (S) T-S 2 20.00",
        &sencha,
    ];
    assert_eq!(lines_of(&answer), expected);
    let stored = stored(&shop, &answer).await;
    let variants: Vec<VariantId> = stored.lines.iter().map(|line| line.variant_id).collect();
    assert_eq!(variants, [medium, small, product("sencha").into()]);
    assert!(
        stored.lines[..2]
            .iter()
            .all(|line| line.product_id == shirt.id)
    );
}

#[tokio::test]
async fn what_is_not_a_variant_for_sale_is_refused() {
    let (shop, checkout) = shop().await;
    let shirt = shirt(&shop, &checkout).await;
    let small = shirt.variants[0].id;
    let cases = [
        (json!({"quantity": 1}), "/items/0/product_id required"),
        (
            json!({"product_id": shirt.id, "quantity": 1}),
            "/items/0/variant_id required",
        ),
        (
            json!({"variant_id": "x", "quantity": 1}),
            "/items/0/variant_id invalid",
        ),
        (
            json!({"variant_id": product("nobody"), "quantity": 1}),
            "/items/0/variant_id unknown_variant",
        ),
        (
            json!({"product_id": product("sencha"), "variant_id": small, "quantity": 1}),
            "/items/0/variant_id unknown_variant",
        ),
    ];
    for (item, fault) in cases {
        let request = placing("ana", "k", &of(json!([item])), placed_at());
        let Err(Problem::InvalidBody(faults)) = place_order(&checkout, request).await else {
            panic!("{item}");
        };
        let found = format!("{} {}", faults[0].pointer, faults[0].code);
        assert_eq!(found, fault, "{item}");
    }
    // The other item has the product read to which the variant belongs.
    let medium = shirt.variants[1].id;
    let items = json!([
        {"product_id": shirt.id, "variant_id": medium, "quantity": 1},
        {"product_id": product("sencha"), "variant_id": small, "quantity": 1},
    ]);
    let request = placing("ana", "k", &of(items), placed_at());
    let Err(Problem::InvalidBody(faults)) = place_order(&checkout, request).await else {
        panic!("the variant is of another product");
    };
    assert_eq!(faults[0].pointer, "/items/1/variant_id");
    assert_eq!(count(&shop), 0);
}

#[tokio::test]
async fn stock_is_that_of_the_variant() {
    let (shop, checkout) = shop().await;
    let shirt = shirt(&shop, &checkout).await;
    let [small, medium] = [0, 1].map(|at| shirt.variants[at].id);
    let items =
        json!([{"variant_id": small, "quantity": 10}, {"variant_id": medium, "quantity": 11}]);
    let request = placing("ana", "k", &of(items), placed_at());
    let Err(Problem::OutOfStock(faults)) = place_order(&checkout, request).await else {
        panic!("there are only ten");
    };
    let faults: Vec<(&str, &str)> = faults
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.detail.as_str()))
        .collect();
    let detail = "fewer of \"T-shirt (M)\" are left than you want";
    assert_eq!(faults, [("/items/1/quantity", detail)]);
}

#[tokio::test]
async fn a_quote_is_for_its_variants() {
    let (shop, checkout) = shop().await;
    shop.sign_links();
    let shirt = shirt(&shop, &checkout).await;
    let [small, medium] = [0, 1].map(|at| shirt.variants[at].id);
    let one = |variant| of(json!([{"variant_id": variant, "quantity": 1}]));
    let mut cart = one(small);
    cart.as_object_mut().unwrap().remove("payment");
    let cards = shop.preview();
    let quote = create_quote(
        &checkout.totals,
        &checkout.links,
        &cards,
        placing("ana", "-", &cart, placed_at()),
    );
    let quote = quote.await.unwrap();
    assert_eq!(lines_of(&quote), ["T-shirt (S) T-S 1 20.00"]);
    let quote = json_of(&quote)["quote"].clone();
    let with_quote = |variant| {
        let mut body = one(variant);
        body["quote"] = quote.clone();
        placing("ana", "k", &body, placed_at())
    };
    let other = place_order(&checkout, with_quote(medium)).await;
    assert!(
        matches!(&other, Err(Problem::InvalidBody(faults)) if faults[0].code == "other_order"),
        "{other:?}"
    );
    place(&checkout, with_quote(small)).await;
}
