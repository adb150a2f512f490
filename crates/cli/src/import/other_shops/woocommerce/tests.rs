use expect_test::{Expect, expect};

use super::*;
use crate::import::other_shops::tests::{faults, lines, notes};

fn check(file: &str, expected: Expect) {
    expected.assert_eq(&lines(file));
}

const HEADER: &str = "ID,Type,SKU,Name,Published,Stock,Regular price,Parent,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s)";

fn with(rows: &str) -> String {
    format!("{HEADER}\n{rows}\n")
}

#[test]
fn an_export_in_english_is_read() {
    check(
        include_str!("../testdata/woocommerce.csv"),
        expect![[r#"
            3 {"attributes":{"catalog_visibility":"hidden","categories":"Uncategorized"},"category":"uncategorized","gtin":"4006381333931","name":"Voucher","price":{"amount":"25.00","currency":"EUR"},"shipped":false,"sku":"voucher","status":"inactive"}
            note 3 - uncounted
            note 4 Type left_out
            note 5 Attribute 1 name not_visible
            note 5 Sale price over
            5 {"attributes":{"categories":"Clothing > Hats"},"category":"hats","description":"Wool","name":"Cap, sold out","price":{"amount":"18.00","currency":"EUR"},"sku":"=1+1","status":"inactive","weight_grams":45}
            stock =1+1 0
            note 2 Is featured? not_taken
            note 2 Meta: _internal not_taken
            note 2 Images moved
            2 {"attributes":{"Fabric":"Cotton, Linen","categories":"Clothing > Tees, Sale","length_in":"24","more_images":"http://shop.example.com/old.jpg","short_description":"Soft.","variant_image":"tee-red=2"},"category":"tees","description":"Worn\ndaily, \\n.","images":[{"url":"https://shop.example.com/tee.jpg"},{"url":"https://shop.example.com/red.jpg"}],"name":"V-Neck Tee","options":[{"name":"Colour","values":["Blue","Red"]}],"status":"active","tags":["cotton","basics"],"variants":[{"options":{"Colour":"Red"},"price":{"amount":"20.00","currency":"EUR"},"sale":{"ends_at":"2026-12-24T08:30:00Z","price":{"amount":"15.00","currency":"EUR"},"starts_at":"2026-12-01T00:00:00Z"},"sku":"tee-red","weight_grams":227},{"options":{"Colour":"Blue"},"price":{"amount":"20.00","currency":"EUR"},"sku":"tee/Blue","weight_grams":454}]}
            stock tee-red 3
            stock tee/Blue 0
        "#]],
    );
}

#[test]
fn an_export_in_german_is_read() {
    check(
        include_str!("../testdata/woocommerce_de.csv"),
        expect![[r#"
        2 {"attributes":{"Herkunft":"Japan","categories":"Getränke","short_description":"Kurz"},"category":"getranke","description":"Lang","name":"Grüner Tee","price":{"amount":"1064.99","currency":"EUR"},"sku":"TEE-1","status":"active","tags":["Tee"],"weight_grams":250}
        stock TEE-1 5
    "#]],
    );
}

#[test]
fn variations_may_come_before_their_product_and_apart_from_it() {
    let rows = [
        "3,variation,R,,1,,5,tee,Colour,Red,,",
        "2,simple,hat,Hat,1,,5,,,,,",
        "4,variation,B,,1,,5,id:1,Colour,Blue,,",
        "1,variable,tee,Tee,1,,,,Colour,\"Blue, Red\",,",
        "5,variation,G,,1,,5,ID: 1,Colour,Green,,",
    ];
    let found = lines(&with(&rows.join("\n")));
    let tee = found.lines().find(|line| line.contains("\"Tee\"")).unwrap();
    for sku in ["\"R\"", "\"B\"", "\"G\""] {
        assert!(tee.contains(sku), "{tee}");
    }
    assert!(tee.contains(r#""values":["Blue","Red","Green"]"#), "{tee}");
}

#[test]
fn a_variation_without_its_product_is_a_fault() {
    let rows = "3,variation,R,,1,,5,tee,Colour,Red,,\n4,variation,B,,1,,5,,Colour,Blue,,";
    assert_eq!(
        faults(&with(rows)),
        ["3 Parent required", "2 Parent no_parent"]
    );
}

#[test]
fn a_variable_product_without_variations_is_a_fault() {
    let rows = "1,variable,tee,Tee,1,,,,Colour,Red,,\n2,variation,R,,0,,5,tee,Colour,Red,,";
    assert_eq!(faults(&with(rows)), ["2 - no_variations"]);
    assert!(notes(&with(rows)).contains(&"3 - left_out".to_owned()));
}

#[test]
fn a_variation_for_any_value_becomes_one_for_each_that_has_none_of_its_own() {
    let rows = [
        "1,variable,tee,Tee,1,,,,Colour,\"Blue, Red\",Size,\"S, M\\, L\"",
        "2,variation,R,,1,3,5,tee,Colour,Red,Size,",
        "3,variation,RS,,1,4,6,tee,Colour,Red,Size,S",
        "4,variation,B,,1,,7,tee,Colour,Blue,Size,S",
    ];
    let file = with(&rows.join("\n"));
    let found = lines(&file);
    for part in [r#""sku":"R/M, L""#, r#""sku":"RS""#, r#""sku":"B""#] {
        assert!(found.contains(part), "{found}");
    }
    assert!(!found.contains("\"R/S\""), "{found}");
    assert!(found.contains("stock R/M, L 0"), "{found}");
    assert!(notes(&file).contains(&"3 - any_value".to_owned()));
}

#[test]
fn what_does_not_fit_is_given_out_before_the_file_ends() {
    let header = "ID,Type,SKU,Name,Regular price,Parent";
    let mut rows = super::super::csv::Rows::new(header.as_bytes());
    let header = rows.next().unwrap().unwrap();
    let options = Options::new("EUR".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
    let mut reader = Reader::new(&header, &options);
    reader.families = Families::within(2000);
    let mut output = Output::new(options);
    let mut codes = Vec::new();
    for number in 0..20 {
        let text = format!(
            "{number},variable,P{number},P,,\n,variation,V{number},,1,P{number}\n,variation,,,1,P0"
        );
        for row in super::super::csv::Rows::new(text.as_bytes()) {
            reader.take(row.unwrap(), &mut output);
        }
        codes.extend(
            std::iter::from_fn(|| output.next())
                .map(|line| line.map_err(|fault| fault.code).is_ok()),
        );
    }
    assert!(!codes.is_empty());
    while reader.finish(&mut output) {}
    let last: Vec<_> = std::iter::from_fn(|| output.next())
        .filter_map(Result::err)
        .collect();
    assert!(
        last.iter().any(|fault| fault.code == "no_parent"),
        "{last:?}"
    );
}

#[test]
fn numbers_and_skus_are_there_once() {
    let rows = "1,simple,A,A,1,,5,,,,,\n1,simple,A,B,1,,5,,,,,";
    assert_eq!(faults(&with(rows)), ["3 ID repeated", "3 SKU repeated"]);
}

#[test]
fn prices_and_types_are_required() {
    let rows = "1,simple,A,A,1,,,,,,,\n2,,B,B,1,,5,,,,,\n3,simple,C,C,1,x,5,,,,,";
    let expected = [
        "2 Regular price required",
        "3 Type required",
        "4 Stock invalid",
    ];
    assert_eq!(faults(&with(rows)), expected);
}
