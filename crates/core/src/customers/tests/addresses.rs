//! `/customers/me/addresses`.

use super::*;
use crate::customers::addresses::MAX_ADDRESSES;
use crate::customers::addresses::api::{
    add_address, get_address, list_addresses, remove_address, replace_address,
};
use crate::customers::addresses::store::AddressStore;

fn home() -> Value {
    json!({
        "recipient": "Ana Li", "line1": "Hauptstraße 1", "city": "Wien", "postal_code": "1010",
        "country": "AT", "phone": "01 5885801",
    })
}

/// Registers Ana, whose book is empty.
async fn book() -> (Engine, CustomerStore, AddressStore, CustomerId) {
    let (aws, engine, customers) = shop();
    let id = registered(&aws).await;
    let addresses = AddressStore::new(&aws).unwrap();
    (engine, customers, addresses, id)
}

#[tokio::test]
async fn an_address_is_added_read_replaced_and_removed() {
    let (engine, customers, addresses, id) = book().await;
    let made = add_address(&customers, &addresses, request_of(id, 0, &home()))
        .await
        .unwrap();
    assert_eq!(
        (made.status, header(&made, "ETag")),
        (StatusCode::CREATED, Some("\"1\""))
    );
    let shown = body(&made);
    assert_eq!(shown["phone"], "+4315885801");
    let entry = shown["id"].as_str().unwrap();
    assert_eq!(
        header(&made, "Location"),
        Some(format!("/customers/me/addresses/{entry}").as_str())
    );
    let at = |seconds, body: &Value| request_of(id, seconds, body).at("address_id", entry);
    let read = get_address(&addresses, at(0, &json!({}))).await.unwrap();
    assert_eq!(body(&read), shown);

    let mut moved = home();
    moved["city"] = json!("Graz");
    moved["postal_code"] = json!("8010");
    let blind = replace_address(&addresses, at(5, &moved)).await;
    assert!(matches!(blind, Err(Problem::PreconditionRequired)));
    let stale = replace_address(&addresses, at(5, &moved).with("if-match", "\"7\"")).await;
    assert!(
        matches!(stale, Err(Problem::PreconditionFailed)),
        "{stale:?}"
    );
    for _ in 0..2 {
        // The second time, the address is already as it should be.
        let done = replace_address(&addresses, at(5, &moved).with("if-match", "\"1\"")).await;
        let done = done.unwrap();
        assert_eq!(
            (header(&done, "ETag"), &body(&done)["city"]),
            (Some("\"2\""), &json!("Graz"))
        );
    }
    let listed = list_addresses(&addresses, request_of(id, 5, &json!({})))
        .await
        .unwrap();
    assert_eq!(body(&listed)["items"].as_array().unwrap().len(), 1);
    engine.fail_next("PutItem", Fault::LostAnswer);
    let gone = remove_address(&addresses, at(6, &json!({}))).await.unwrap();
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let again = remove_address(&addresses, at(6, &json!({}))).await;
    assert!(matches!(again, Err(Problem::NotFound(_))), "{again:?}");
    let read = get_address(&addresses, at(7, &json!({}))).await;
    assert!(matches!(read, Err(Problem::NotFound(_))));
    assert_eq!(
        engine.items(Setting::CustomersTable).len(),
        3,
        "the whole book is one item"
    );
}

#[tokio::test]
async fn a_book_belongs_to_one_customer() {
    let (_, customers, addresses, id) = book().await;
    let made = body(
        &add_address(&customers, &addresses, request_of(id, 0, &home()))
            .await
            .unwrap(),
    );
    let eve = CustomerId::derived(&["eve"]);
    let foreign =
        |body: &Value| request_of(eve, 0, body).at("address_id", made["id"].as_str().unwrap());
    let read = get_address(&addresses, foreign(&json!({}))).await;
    assert!(matches!(read, Err(Problem::NotFound(_))), "{read:?}");
    let replaced = replace_address(&addresses, foreign(&home()).with("if-match", "*")).await;
    assert!(
        matches!(replaced, Err(Problem::NotFound(_))),
        "{replaced:?}"
    );
    let removed = remove_address(&addresses, foreign(&json!({}))).await;
    assert!(matches!(removed, Err(Problem::NotFound(_))), "{removed:?}");
    assert_eq!(addresses.get(id).await.unwrap().entries.len(), 1);
    let added = add_address(&customers, &addresses, request_of(eve, 0, &home())).await;
    assert!(
        matches!(added, Err(Problem::NotFound(_))),
        "an account that does not exist"
    );
}

#[test]
fn ten_addresses_added_at_once_are_all_there_and_of_one_key_there_is_one() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (_, customers, addresses, id) = runtime.block_on(book());
    let add = |key: Option<&'static str>| {
        let jobs = (0..5).map(|_| {
            let (customers, addresses) = (customers.clone(), addresses.clone());
            async move || {
                let request = request_of(id, 0, &home());
                let request = match key {
                    Some(key) => request.with("idempotency-key", key),
                    None => request,
                };
                add_address(&customers, &addresses, request).await.unwrap()
            }
        });
        testing::at_once(jobs)
    };
    add(None);
    let same = add(Some("once"));
    assert!(
        same.iter()
            .all(|answer| body(answer)["id"] == body(&same[0])["id"])
    );
    let book = runtime.block_on(addresses.get(id)).unwrap();
    assert_eq!(book.entries.len(), 6);
    let mut other = home();
    other["line1"] = json!("Hauptstraße 2");
    let other = request_of(id, 0, &other).with("idempotency-key", "once");
    let reused = runtime.block_on(add_address(&customers, &addresses, other));
    assert!(
        matches!(reused, Err(Problem::IdempotencyKeyReused)),
        "{reused:?}"
    );
}

#[tokio::test]
async fn a_book_has_fifty_addresses_at_most_and_each_is_valid() {
    let (_, customers, addresses, id) = book().await;
    for _ in 0..MAX_ADDRESSES {
        add_address(&customers, &addresses, request_of(id, 0, &home()))
            .await
            .unwrap();
    }
    let more = add_address(&customers, &addresses, request_of(id, 0, &home())).await;
    assert!(matches!(more, Err(Problem::Conflict(_))), "{more:?}");
    for (name, value) in [
        ("country", json!("XX")),
        ("id", json!("x")),
        ("version", json!(1)),
    ] {
        let mut wrong = home();
        wrong[name] = value;
        let answer = add_address(&customers, &addresses, request_of(id, 0, &wrong)).await;
        assert!(
            matches!(answer, Err(Problem::InvalidBody(_))),
            "{name}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn an_address_whose_response_was_lost_is_added_once() {
    let (engine, customers, addresses, id) = book().await;
    engine.fail_next("PutItem", Fault::LostAnswer);
    let made = add_address(&customers, &addresses, request_of(id, 0, &home()))
        .await
        .unwrap();
    assert_eq!(
        (made.status, header(&made, "Idempotent-Replayed")),
        (StatusCode::CREATED, None)
    );
    assert_eq!(addresses.get(id).await.unwrap().entries.len(), 1);
}
