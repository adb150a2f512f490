use super::*;

fn faults(json: &str) -> Vec<(String, &'static str)> {
    let read = read(json.as_bytes(), |body| {
        let name = body.required("name", |json| json.text(1..=5));
        let price = body.required("price", |json| json.money("EUR".parse().unwrap()));
        let lines = body.optional("lines", |json| {
            json.list(1..=2, |json| {
                json.object(|line| line.required("quantity", |json| json.integer(1..=9)))
            })
        });
        Some((name?, price?, lines?))
    });
    match read {
        Err(Problem::InvalidBody(faults)) => faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_is_reported_with_its_pointer() {
    let found = faults(
        r#"{"price":{"amount":"1.999","currency":"USD","x":1},
            "lines":[{"quantity":0},{"quantity":1.5}],"a/b":1}"#,
    );
    let expected = [
        ("/name", "required"),
        ("/price/amount", "decimals"),
        ("/price/currency", "currency"),
        ("/price/x", "unknown_field"),
        ("/lines/0/quantity", "range"),
        ("/lines/1/quantity", "type"),
        ("/a~1b", "unknown_field"),
    ];
    assert_eq!(
        found,
        expected.map(|(pointer, code)| (pointer.to_owned(), code))
    );
}

#[test]
fn no_amount_is_negative() {
    let faults = |amount: &str| {
        let json = format!(r#"{{"price":{{"amount":"{amount}","currency":"EUR"}}}}"#);
        let read = read(json.as_bytes(), |body| {
            body.required("price", |json| json.money("EUR".parse().unwrap()))
        });
        match read {
            Ok(price) => price.to_string(),
            Err(Problem::InvalidBody(faults)) => {
                format!("{} {}", faults[0].pointer, faults[0].code)
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    for (amount, expected) in [
        ("0", "0.00 EUR"),
        ("0.01", "0.01 EUR"),
        ("-0.01", "/price range"),
        ("-0", "/price range"),
    ] {
        assert_eq!(faults(amount), expected, "{amount}");
    }
}

#[test]
fn a_whole_number_is_whole_however_it_is_written() {
    let quantity = |text: &str| {
        let json = format!(
            r#"{{"name":"a","price":{{"amount":"1.00","currency":"EUR"}},"lines":[{{"quantity":{text}}}]}}"#
        );
        let read = read(json.as_bytes(), |body| {
            body.optional("name", |json| json.text(1..=5));
            body.optional("price", |json| json.money("EUR".parse().unwrap()));
            body.required("lines", |json| {
                json.list(1..=2, |json| {
                    json.object(|line| line.required("quantity", |json| json.integer(1..=900)))
                })
            })
        });
        match read {
            Ok(quantities) => quantities[0].to_string(),
            Err(Problem::InvalidBody(faults)) => faults[0].code.to_owned(),
            Err(other) => panic!("{other:?}"),
        }
    };
    for (text, expected) in [
        ("2", "2"),
        ("2.0", "2"),
        ("2.000", "2"),
        ("2e2", "200"),
        ("0.2e1", "2"),
        ("2.5", "type"),
        ("\"2\"", "type"),
        ("true", "type"),
        ("0.0", "range"),
        ("-0.0", "range"),
        ("-2", "range"),
        ("901.0", "range"),
        ("1e300", "range"),
        ("18446744073709551615", "range"),
    ] {
        assert_eq!(quantity(text), expected, "{text}");
    }
}

#[test]
fn texts_are_bounded_and_printable() {
    let price = r#""price":{"amount":"1.00","currency":"EUR"}"#;
    for (name, code) in [
        ("", "length"),
        ("abcdef", "length"),
        ("  ", "blank"),
        ("a\\u0000", "control_character"),
        ("a\\u0085", "control_character"),
    ] {
        assert_eq!(
            faults(&format!(r#"{{"name":"{name}",{price}}}"#))[0].1,
            code,
            "{name:?}"
        );
    }
}

#[test]
fn text_is_taken_as_it_is_given() {
    for text in [
        "<b>&amp;</b>",
        "\u{202e}abc",
        "\u{200b}\u{feff}",
        "'; --",
        "\u{1f469}\u{200d}\u{1f4bb}",
        // Letters as keyboards for Bengali, Punjabi and Hindi send them, which NFC takes apart, and a decomposed é.
        "\u{9b0}\u{9be}\u{9df}",
        "\u{a36}",
        "\u{958}",
        "e\u{301}",
    ] {
        let json = serde_json::json!({ "name": text }).to_string();
        let read = read(json.as_bytes(), |body| {
            body.required("name", |json| json.text(1..=99))
        });
        assert_eq!(read.unwrap(), text);
    }
}

#[test]
fn names_of_texts_are_texts_too() {
    for (name, code) in [
        (String::new(), "length"),
        ("a".repeat(101), "length"),
        ("a\u{7}".to_owned(), "control_character"),
    ] {
        let json = serde_json::json!({"texts": {name: "x"}}).to_string();
        let read = read(json.as_bytes(), |body| {
            body.required("texts", |json| json.texts(5, 1..=100, 0..=1000))
        });
        let Err(Problem::InvalidBody(faults)) = read else {
            panic!("{json} was taken");
        };
        assert_eq!(
            (faults[0].pointer.as_str(), faults[0].code),
            ("/texts", code)
        );
    }
}

#[test]
fn what_is_nested_deeply_is_malformed_and_a_flood_of_faults_is_cut_off() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let answer = read(deep.as_bytes(), |_| Some(()));
    assert!(matches!(answer, Err(Problem::Malformed(_))));
    let fields: Vec<String> = (0..5_000).map(|field| format!("\"{field}\":1")).collect();
    let flood = format!("{{{}}}", fields.join(","));
    let Err(Problem::InvalidBody(faults)) = read(flood.as_bytes(), |_| Some(())) else {
        panic!("it was taken");
    };
    assert_eq!(faults.len(), 100);
}

#[test]
fn a_body_that_is_not_an_object_is_malformed() {
    for json in ["", "{", "[]", "1", "{\"a\":1}{"] {
        let read = read(json.as_bytes(), |_| Some(()));
        assert!(matches!(read, Err(Problem::Malformed(_))), "{json:?}");
    }
}
