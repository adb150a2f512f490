//! Codes of a discount that one order each can use.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{order_of, unique};
use crate::support::prices::{money, percentage};
use crate::support::run;
use crate::support::shop::{Setup, Shop};

/// Makes `count` codes.
async fn make(shop: &Shop, discount: &str, key: &str, count: u32) -> Answer {
    let call = shop.post(&format!("{discount}/codes")).key(key);
    let call = call.bearer(&shop.admin().await.token);
    call.json(&json!({ "count": count })).send().await
}

/// Returns all pages of the codes, as `media_type`.
async fn pages(shop: &Shop, discount: &str, media_type: &str) -> Vec<Answer> {
    let mut pages: Vec<Answer> = Vec::new();
    let mut path = format!("{discount}/codes?limit=100");
    loop {
        let call = shop.get(&path).header("accept", media_type);
        let page = call.bearer(&shop.admin().await.token).send().await;
        let page = page.expect(200);
        let link = page.header("link").map(|link| {
            let (target, _) = link.split_once(';').unwrap();
            target.trim_matches(['<', '>']).to_owned()
        });
        pages.push(page);
        match link {
            Some(next) => path = next,
            None => return pages,
        }
    }
}

fn codes_of(made: &Answer) -> Vec<String> {
    let body = made.json();
    let codes = body["codes"].as_array().unwrap().iter();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

/// Returns the codes on `pages` of JSON, and whether each is used.
fn listed(pages: &[Answer]) -> Vec<(String, bool)> {
    let bodies: Vec<Value> = pages.iter().map(Answer::json).collect();
    let items = bodies
        .iter()
        .flat_map(|body| body["items"].as_array().unwrap());
    items
        .map(|item| {
            let code = item["code"].as_str().unwrap().to_owned();
            (code, item["used"].as_bool().unwrap())
        })
        .collect()
}

#[test]
fn generated_codes_are_exported_by_pages_as_json_and_as_csv() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        let single = json!({"single_use_codes": true});
        let discount = shop.discount(percentage("Spring", "0.10"), single).await;
        let (one, other) = (unique("codes"), unique("codes"));
        let first = make(&shop, &discount, &one, 120).await.expect(201);
        let again = make(&shop, &discount, &one, 120).await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.json(), first.json());
        let second = make(&shop, &discount, &other, 60).await.expect(201);
        assert_eq!(
            (&first.json()["total"], &second.json()["total"]),
            (&json!(120), &json!(180))
        );
        let made: BTreeSet<String> = [codes_of(&first), codes_of(&second)]
            .concat()
            .into_iter()
            .collect();
        assert_eq!(made.len(), 180);
        let found = pages(&shop, &discount, "application/json").await;
        assert_eq!(found.len(), 2);
        let found = listed(&found);
        assert_eq!(found.len(), 180);
        let codes: BTreeSet<String> = found.iter().map(|(code, _)| code.clone()).collect();
        assert_eq!(codes, made);
        let sheet = pages(&shop, &discount, "text/csv").await;
        let sheet: String = sheet.iter().map(|page| page.text.as_str()).collect();
        let lines = found
            .iter()
            .map(|(code, used)| format!("{code},{used}\r\n"));
        assert_eq!(sheet, format!("code,used\r\n{}", lines.collect::<String>()));
        let plain = shop.discount(
            percentage("Plain", "0.10"),
            json!({"code": unique("PLAIN")}),
        );
        make(&shop, &plain.await, &one, 1).await.expect(409);
    });
}

#[test]
fn a_generated_code_serves_one_order_and_comes_back_if_the_order_ends() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("20.00", 100).await;
        let single = json!({"single_use_codes": true});
        let discount = shop.discount(percentage("Spring", "0.10"), single).await;
        let made = make(&shop, &discount, &unique("codes"), 2)
            .await
            .expect(201);
        let codes = codes_of(&made);
        let order = |code: &str, token: &str| {
            let mut order = order_of(&[(&product, 1)], token);
            order["discount_code"] = json!(code);
            order
        };
        // Ten customers at once: one order is placed.
        let people = futures::future::join_all((0..10).map(|_| shop.customer())).await;
        let wanted = order(&codes[0], "tok_ok");
        let placed = people.iter().map(|person| shop.place(person, &wanted));
        let placed = futures::future::join_all(placed).await;
        let winners: Vec<usize> = (0..10).filter(|at| placed[*at].status == 202).collect();
        let [winner] = winners[..] else {
            panic!("{placed:?}");
        };
        for answer in placed.iter().filter(|answer| answer.status != 202) {
            assert_eq!(answer.json()["errors"][0]["code"], "used_up");
        }
        let used = async || {
            let mut used = listed(&pages(&shop, &discount, "application/json").await);
            used.retain(|(_, used)| *used);
            used.into_iter().map(|(code, _)| code).collect::<Vec<_>>()
        };
        assert_eq!(used().await, codes[..1]);
        let id = placed[winner].json()["id"].as_str().unwrap().to_owned();
        shop.cancel(&people[winner], &id).await.expect(200);
        assert!(used().await.is_empty());
        // An order that fails gives it back, too.
        let person = &people[0];
        let failing = shop.place(person, &order(&codes[0], "tok_declined")).await;
        let id = failing.expect(202).json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        shop.until_settled(&id).await;
        assert!(used().await.is_empty());
        // It is typed in small letters and in groups; quote and order show it as it was made.
        let [one, two] = [&codes[0][..8], &codes[0][8..]].map(str::to_lowercase);
        let mut quoted = order(&format!(" {one}-{two} "), "tok_ok");
        quoted.as_object_mut().unwrap().remove("payment");
        let call = shop.post("/quotes").bearer(&person.token).json(&quoted);
        let quoted = call.send().await.expect(200).json();
        let mut order = order(&format!("{one} {two}"), "tok_ok");
        order["quote"] = quoted["quote"].clone();
        let placed = shop.place(person, &order).await.expect(202).json();
        for shown in [quoted, placed] {
            assert_eq!(shown["discounts"][0]["code"], codes[0]);
            assert_eq!(shown["total_amount"], money("18.00"));
        }
    });
}
