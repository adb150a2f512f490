//! Files with columns.

use super::*;

/// Three products, the second of which has three variants.
pub(super) const FILE: &str = "\
name,description,category,status,shipped,brand,tags,slug,seo_title,seo_description,images,translations,\
attributes,attributes.origin,option1_name,option1_value,option2_name,option2_value,sku,gtin,price,sale_price,\
sale_ends_at,weight_grams
Sencha,\"Green, \"\"first\"\" flush
from Uji\",green-tea,active,true,Ippodo,green|loose,sencha,Sencha tea,,https://example.com/a.jpg|/images/0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.webp,\
\"{\"\"de\"\": {\"\"name\"\": \"\"Sencha-Tee\"\"}}\",\"{\"\"grade\"\": \"\"A\"\"}\",Uji,,,,,SEN,4006381333931,12.50,10.00,2026-01-01T00:00:00Z,100
Shirt,,clothes,,,,,,,,,,,,size,S,colour,red,SH-S-R,,20.00,,,
,,,,,,,,,,,,,,,M,,red,SH-M-R,,21.00,19.00,,250
,,,,,,,,,,,,,,,M,,'=blue,SH-M-B,,21.00,,,
Voucher,'+1 joy,gifts,inactive,FALSE,,,,,,,,,,,,,,V,,50.00,,,
";

#[tokio::test]
async fn the_cells_of_a_row_are_the_fields_of_its_product() {
    let shop = shop();
    let import = shop.import(1, Content::Products, FILE).await;
    assert_eq!((counts(&import), faults(&import)), ([3, 3, 3, 0], vec![]));
    let stored = shop.stored();
    let sencha = &stored[0];
    assert_eq!(sencha["description"], "Green, \"first\" flush\nfrom Uji");
    assert_eq!(sencha["attributes"], json!({"grade": "A", "origin": "Uji"}));
    let content = &sencha["content"];
    assert_eq!(content["tags"], json!(["green", "loose"]));
    let uploaded = "/images/0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.webp";
    assert_eq!(content["images"][1]["url"], uploaded);
    assert_eq!(content["translations"]["de"]["name"], "Sencha-Tee");
    assert_eq!(content["seo"]["title"], "Sencha tea");
    assert_eq!(
        (&sencha["gtin"], &sencha["weight_grams"]),
        (&json!("4006381333931"), &json!(100))
    );
    assert_eq!(sencha["sale"]["price"]["amount"], "10.00");
    let shirt = &stored[1];
    assert_eq!(
        shirt["options"],
        json!([{"name": "size", "values": ["S", "M"]}, {"name": "colour", "values": ["red", "=blue"]}])
    );
    assert_eq!(
        shirt["variants"][2]["values"],
        json!({"size": "M", "colour": "=blue"})
    );
    assert_eq!(shirt["variants"][1]["weight_grams"], 250);
    assert_eq!(shirt.get("attributes"), None);
    let voucher = &stored[2];
    assert_eq!(
        (&voucher["not_shipped"], &voucher["status"]),
        (&json!(true), &json!("inactive"))
    );
    assert_eq!(voucher["description"], "+1 joy");
    let again = shop.import(2, Content::Products, FILE).await;
    assert_eq!(counts(&again), [3, 3, 0, 0]);
}

#[tokio::test]
async fn a_fault_is_told_with_its_line_and_its_column() {
    let shop = shop();
    let file = "\
name;category;sku;price;sale_price;weight_grams;shipped;attributes;attributes.origin;option1_name;option1_value;gtin
Tea;Green tea;A;5,00;6.00;20kg;yes;[];Uji;;;1
Shirt;clothes;B;5.00;;;;;;size;S;
;;C;-1;;;;;;;M;
;;D;5.00;;0;;;;;M;
Short;row
Tea;tea;E;5.00;;;;;;;;
";
    let import = shop.import(1, Content::Products, file).await;
    assert_eq!(
        faults(&import),
        [
            "2 price /price/amount invalid",
            "2 weight_grams /weight_grams type",
            "2 gtin /gtin invalid",
            "2 category /category invalid",
            "2 shipped /shipped type",
            "2 attributes /attributes type",
            "4 price /variants/1/price range",
            "5 weight_grams /variants/2/weight_grams range",
            "6 -  columns",
        ]
    );
    assert_eq!(counts(&import), [4, 1, 1, 3]);
}

#[tokio::test]
async fn an_empty_cell_takes_away_what_a_product_need_not_have() {
    let shop = shop();
    shop.import(1, Content::Products, FILE).await;
    let file =
        "name,sku,brand,tags,sale_price,weight_grams,description,category\nSencha,SEN,,,,,,\n";
    let import = shop.import(2, Content::Products, file).await;
    assert_eq!((counts(&import), faults(&import)), ([1, 1, 1, 0], vec![]));
    let sencha = &shop.stored()[0];
    assert_eq!(sencha["content"].get("brand"), None);
    assert_eq!(
        (
            sencha.get("sale"),
            sencha.get("weight_grams"),
            sencha.get("description")
        ),
        (None, None, None)
    );
    assert_eq!(
        (&sencha["category"], &sencha["content"]["slug"]),
        (&json!("green-tea"), &json!("sencha"))
    );
}
