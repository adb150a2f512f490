//! Hostile texts come back byte for byte, or are refused with the reason.

use reqwest::Url;
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{PASSWORD, order_of, product, unique};
use crate::support::run;
use crate::support::shop::{Shop, shared};

/// Texts that broke other programs: quotes, markup, templates, commands, formats, directions, joiners,
/// surrogates' neighbours, texts that look like numbers.
const TEXTS: &[&str] = &[
    "undefined",
    "null",
    "true",
    "NaN",
    "-1",
    "1e309",
    "0x7fffffffffffffff",
    "1/0",
    "'",
    "\"",
    "`",
    "\\",
    "'; DROP TABLE orders; --",
    "1 OR 1=1",
    "\" or \"\"=\"",
    "{\"$gt\": \"\"}",
    "attribute_exists(pk) OR :a = :a",
    "#name = :value",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "<!--#exec cmd=\"ls\"-->",
    "<![CDATA[x]]>",
    "&lt;b&gt; &amp; &#39;",
    "javascript:alert(1)",
    "${jndi:ldap://example.com/a}",
    "${AWS::AccountId}",
    "{{7*7}} {% raw %} <%= 7*7 %> #{7*7}",
    "States.Format('{}', $.order_id)",
    "$.order_id",
    "$(touch /tmp/x) `touch /tmp/x` ; | & > <",
    "%s %n %x %d %p",
    "%00 %0d%0a %2e%2e%2f",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "CON",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data/",
    "=1+1",
    "@SUM(1+1)",
    "+1-1",
    "Content-Type: text/html",
    "a%0d%0aSet-Cookie: x=y",
    "田中さんにあげて下さい",
    "표준 조선어",
    "ثم نفس سقطت",
    "שלום עולם",
    "Ω≈ç√∫˜µ≤≥÷",
    "åß∂ƒ©˙∆˚¬…æ",
    "¯\\_(ツ)_/¯",
    "👾 🙇 💁 🙅 🙆 🙋",
    "👩‍👩‍👧‍👦 🇩🇪 👋🏿 ❤️",
    "𝓣𝓱𝓮 𝔮𝔲𝔦𝔠𝔨 ｆｕｌｌ",
    "İıſﬀΐ",
    "\u{202e}txet sdrawkcab\u{202c}",
    "\u{2066}isolated\u{2069}",
    "zero\u{200b}width\u{200d}\u{feff}",
    "no\u{a0}break\u{2003}em\u{3000}wide",
    "line\u{2028}paragraph\u{2029}",
    "\u{e000}\u{f8ff}\u{fffd}\u{fffe}\u{ffff}",
    "\u{10ffff}\u{1f4a9}\u{e0001}",
    "e\u{301} decomposed",
    "Z\u{361}\u{34a}a\u{300}l\u{321}g\u{30c}o\u{489}",
    "\u{1}\u{7f}\u{9f}",
    "a\u{0}b",
    "tab\tline\nreturn\r",
    "\u{1b}[31mred\u{1b}[0m",
    "   ",
    "\u{feff}",
];

/// Returns whether the request with the text `given` was accepted.
///
/// # Panics
/// If it was neither accepted nor refused with a problem document.
#[track_caller]
fn is_accepted(answer: &Answer, given: &str) -> bool {
    match answer.status {
        200 | 201 => true,
        422 => {
            let problem = answer.json();
            assert_eq!(problem["type"], "urn:oxcart:problem:invalid-body");
            assert!(!problem["errors"].as_array().unwrap().is_empty());
            false
        }
        status => panic!("{given:?}: {status} {}", answer.text),
    }
}

/// Sends `body` to `path` with `text` in its `field`, and checks that it reads back. Returns whether it
/// was accepted.
async fn check(
    shop: &Shop,
    token: &str,
    path: &str,
    mut body: Value,
    field: &str,
    text: &str,
) -> bool {
    *body.pointer_mut(field).unwrap() = json!(text);
    let call = shop.post(path).bearer(token).key(&unique("hostile"));
    let made = call.json(&body).send().await;
    if !is_accepted(&made, text) {
        return false;
    }
    assert_eq!(made.json().pointer(field), Some(&json!(text)), "{field}");
    if let Some(location) = made.headers.get("location") {
        let path = location.to_str().unwrap();
        let read = shop.get(path).bearer(token).send().await.expect(200);
        assert_eq!(read.json().pointer(field), Some(&json!(text)), "{field}");
    }
    true
}

#[test]
fn texts_of_products_come_back_as_they_were_given_or_are_refused() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let mut kite = product("Kite", "18.50");
        kite["description"] = json!("");
        kite["attributes"] = json!({"note": ""});
        let mut taken = 0;
        for text in TEXTS {
            for field in ["/name", "/description", "/attributes/note", "/category"] {
                let kite = kite.clone();
                if check(shop, &admin.token, "/products", kite, field, text).await {
                    taken += 1;
                }
            }
            let mut kite = kite.clone();
            kite["attributes"] = json!({*text: "x"});
            let call = shop.post("/products").bearer(&admin.token).json(&kite);
            let made = call.send().await;
            if is_accepted(&made, text) {
                assert_eq!(made.json()["attributes"], json!({*text: "x"}));
            }
        }
        // Most of them are valid texts.
        assert!(taken > TEXTS.len() * 2, "{taken}");
    });
}

#[test]
fn texts_of_orders_come_back_as_they_were_given_or_are_refused() {
    run(async {
        let shop = shared().await;
        let product = shop.product("20.00", 1_000).await;
        let customer = shop.customer().await;
        let mut order = order_of(&[(&product, 1)], "tok_ok");
        order["shipping_address"]["line2"] = json!("");
        for (at, text) in TEXTS.iter().enumerate() {
            // Each text is tried in one field, and each field with some texts.
            let fields = ["recipient", "line1", "line2", "city"];
            let field = format!("/shipping_address/{}", fields[at % fields.len()]);
            let mut order = order.clone();
            *order.pointer_mut(&field).unwrap() = json!(text);
            let call = shop.post("/orders").bearer(&customer.token);
            let made = call.key(&unique("hostile")).json(&order).send().await;
            if made.status == 202 {
                assert_eq!(made.json().pointer(&field), Some(&json!(text)));
            } else {
                assert!(!is_accepted(&made, text));
            }
        }
        for text in TEXTS {
            for field in ["postal_code", "country", "phone"] {
                let mut order = order.clone();
                order["shipping_address"][field] = json!(text);
                let call = shop.post("/orders").bearer(&customer.token);
                let made = call.key(&unique("hostile")).json(&order).send().await;
                assert_eq!(made.status, 422, "{field}: {text:?}: {}", made.text);
            }
        }
    });
}

#[test]
fn texts_of_accounts_come_back_as_they_were_given_or_are_refused() {
    run(async {
        let shop = shared().await;
        for text in TEXTS {
            let email = format!("{}@example.com", unique("hostile"));
            let body = json!({"email": email, "password": PASSWORD, "name": text});
            let made = shop.post("/customers").json(&body).send().await;
            if is_accepted(&made, text) {
                assert_eq!(made.json()["name"], json!(text));
            }
            let body = json!({"email": text, "password": PASSWORD, "name": "Eve"});
            let made = shop.post("/customers").json(&body).send().await;
            assert_eq!(made.status, 422, "{text:?}: {}", made.text);
            let body = json!({"email": email, "password": text});
            let answer = shop.post("/auth/login").json(&body).send().await;
            assert!(
                [401, 422].contains(&answer.status),
                "{text:?}: {}",
                answer.text
            );
        }
    });
}

#[test]
fn hostile_texts_in_paths_queries_and_headers_break_nothing() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let status = async |path: &str, query: Option<&str>, text: &str| {
            let mut url: Url = "http://shop".parse().unwrap();
            url.path_segments_mut().unwrap().push(path);
            match query {
                Some(name) => drop(url.query_pairs_mut().append_pair(name, text)),
                None => drop(url.path_segments_mut().unwrap().push(text)),
            }
            let path = &url.as_str()["http://shop".len()..];
            let call = shop.get(path).bearer(&customer.token);
            call.send().await.status
        };
        for text in TEXTS {
            for path in ["products", "orders"] {
                let found = status(path, None, text).await;
                assert!([400, 403, 404].contains(&found), "{path}/{text:?}: {found}");
            }
            for name in ["category", "status", "cursor", "limit", text] {
                let found = status("products", Some(name), text).await;
                assert!([200, 400].contains(&found), "{name}={text:?}: {found}");
            }
            let header = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
            if header {
                let call = shop.post("/orders").bearer(&customer.token).key(text);
                let found = call.json(&json!({})).send().await.status;
                assert!([400, 422].contains(&found), "{text:?}: {found}");
            }
        }
    });
}
