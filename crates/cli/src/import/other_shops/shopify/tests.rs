use expect_test::{Expect, expect};

use crate::import::other_shops::tests::{faults, lines, notes};

fn check(file: &str, expected: Expect) {
    expected.assert_eq(&lines(file));
}

const HEADER: &str = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Price,Status";

fn with(rows: &str) -> String {
    format!("{HEADER}\n{rows}\n")
}

#[test]
fn an_export_of_2019_is_read() {
    check(
        include_str!("../testdata/shopify_2019.csv"),
        expect![[r#"
        note 2 Cost per item not_taken
        note 4 Variant Inventory Qty negative
        note 5 Variant Inventory Policy not_taken
        note 5 Variant Compare At Price not_higher
        2 {"attributes":{"google_mpn":"MPN-1","google_product_category":"Apparel","type":"Women's Shirts","variant_image":"LS-S-W=4\nLS-M-W=4"},"brand":"Tuchwerk","category":"womens-shirts","description":"Cool in summer & warm.\n\n- Linen\n- Wooden buttons","images":[{"alt":"Front","url":"https://cdn.example.com/linen-1.jpg"},{"alt":"Back","url":"https://cdn.example.com/linen-2.jpg"},{"url":"https://cdn.example.com/linen-3.jpg"},{"url":"https://cdn.example.com/linen-white.jpg"}],"name":"Linen Shirt","options":[{"name":"Size","values":["S","M"]},{"name":"Colour","values":["White","Blue"]}],"seo":{"description":"A cool shirt.","title":"Linen shirt"},"slug":"linen-shirt","status":"active","tags":["linen","summer"],"variants":[{"gtin":"4006381333931","options":{"Colour":"White","Size":"S"},"price":{"amount":"60.00","currency":"EUR"},"sale":{"price":{"amount":"49.00","currency":"EUR"}},"sku":"LS-S-W","weight_grams":210},{"options":{"Colour":"White","Size":"M"},"price":{"amount":"49.00","currency":"EUR"},"sku":"LS-M-W","weight_grams":220},{"options":{"Colour":"Blue","Size":"M"},"price":{"amount":"52.00","currency":"EUR"},"sku":"linen-shirt/M/Blue","weight_grams":220}]}
        stock LS-S-W 4
        stock LS-M-W 0
        note 5 - uncounted
        note 7 Variant Barcode gtin
        7 {"attributes":{"barcode":"12345"},"brand":"Tuchwerk","category":"uncategorised","description":"Plain text","name":"Gift Box","price":{"amount":"5.00","currency":"EUR"},"shipped":false,"sku":"gift-box","slug":"gift-box","status":"inactive"}
        stock gift-box 12
    "#]],
    );
}

#[test]
fn an_export_with_the_headers_of_2025_is_read() {
    check(
        include_str!("../testdata/shopify_2025.csv"),
        expect![[r#"
        note 2 Cost per item not_taken
        note 2 Roast (product.metafields.coffee.roast) not_taken
        note 2 URL handle slug
        2 {"attributes":{"handle":"House_Espresso","imported_status":"archived","product_category":"Food > Beverages > Coffee Beans"},"brand":"Rösterei Süd","category":"coffee-beans","description":"Dark.","images":[{"url":"https://cdn.example.com/espresso.jpg"}],"name":"House Espresso","options":[{"name":"Weight","values":["250 g","1 kg"]}],"slug":"house-espresso","status":"inactive","tags":["coffee"],"variants":[{"options":{"Weight":"250 g"},"price":{"amount":"8.90","currency":"EUR"},"sku":"HE-250","weight_grams":250},{"options":{"Weight":"1 kg"},"price":{"amount":"29.90","currency":"EUR"},"sku":"HE-1000","weight_grams":1000}]}
        stock HE-250 40
        stock HE-1000 7
    "#]],
    );
}

#[test]
fn a_handle_that_comes_again_is_a_fault() {
    let file = with("a,A,,,,,,1,\nb,B,,,,,,2,\na,A,,,,,,3,\n");
    assert_eq!(faults(&file), ["4 Handle split"]);
}

#[test]
fn a_row_without_a_handle_is_a_fault_and_an_empty_row_is_none() {
    let file = with("a,A,,,,,,1,\n,,,,,,,,\n,B,,,,,,2,");
    assert_eq!(faults(&file), ["4 Handle required"]);
}

#[test]
fn prices_must_be_more_than_zero_and_there() {
    let file = with("a,A,,,,,,0.00,\nb,B,,,,,,,\nc,C,,,,,,free,");
    let expected = [
        "2 Variant Price range",
        "3 Variant Price required",
        "4 Variant Price invalid",
    ];
    assert_eq!(faults(&file), expected);
}

#[test]
fn variants_differ_in_values_and_skus() {
    let rows = "a,A,Size,S,,,X,1,\na,,,S,,,Y,1,\na,,,M,,,X,1,\na,,,,,,Z,1,\na,,,L,,red,V,1,";
    let expected = [
        "4 Variant SKU repeated",
        "6 Option2 Value required",
        "3 - repeated",
        "5 Option1 Name required",
    ];
    let mut found = faults(&with(rows));
    found.sort_unstable();
    let mut expected = expected.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn variants_without_options_are_refused() {
    assert_eq!(faults(&with("a,A,,,,,X,1,\na,,,,,,Y,1,")), ["3 - repeated"]);
}

#[test]
fn a_row_with_fields_too_few_or_too_many_is_a_fault() {
    assert_eq!(faults(&with("a,A,,,,,,1")), ["2 - columns"]);
    assert_eq!(faults(&with("a,A,,,,,,1,,x")), ["2 - columns"]);
    assert_eq!(faults(&with("a,A,,,,,,1,,,")), [""; 0]);
}

#[test]
fn a_product_of_too_many_variants_or_rows_is_a_fault() {
    let rows = |count: usize| {
        let rows = (0..count).map(|n| format!("a,A,Size,{n},,,,1,"));
        with(&rows.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(faults(&rows(98)), [""; 0]);
    assert_eq!(faults(&rows(99)), ["2 - too_many"]);
    assert_eq!(faults(&rows(5000)), ["2502 - too_many", "2 - too_many"]);
}

#[test]
fn unknown_statuses_are_faults() {
    let file = with("a,A,,,,,,1,ACTIVE\nb,B,,,,,,1,sold");
    assert_eq!(faults(&file), ["3 Status invalid"]);
}

#[test]
fn what_is_left_out_is_noted_once_for_each_column() {
    let file = "Handle,Title,Variant Price,Cost per item,Price / Japan,Colour (product.metafields.my.colour)\n\
                a,A,1,2,,\nb,B,1,3,4,red\n";
    let expected = [
        "2 Cost per item not_taken",
        "2 - uncounted",
        "3 Price / Japan not_taken",
        "3 Colour (product.metafields.my.colour) not_taken",
    ];
    assert_eq!(notes(file), expected);
}
