//! `DELETE /customers/me`.

use super::*;
use crate::aws::dynamo::Attempt;
use crate::customers::addresses::api::add_address;
use crate::customers::addresses::store::AddressStore;
use crate::customers::deletion::{Deletion, delete_account};

fn home() -> Value {
    json!({
        "recipient": "Ana Li", "line1": "Hauptstraße 1", "city": "Wien", "postal_code": "1010",
        "country": "AT",
    })
}

async fn delete(aws: &Aws, id: CustomerId, password: &str) -> Result<Response, Problem> {
    let request = request_of(id, 60, &json!({"password": password}));
    Box::pin(delete_account(&Deletion::new(aws).unwrap(), request)).await
}

/// Registers Ana, with a phone number, an address and a session.
async fn ana_at_home() -> (Aws, Engine, CustomerStore, CustomerId) {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = registered(&aws).await;
    let addresses = AddressStore::new(&aws).unwrap();
    add_address(&customers, &addresses, request_of(id, 0, &home()))
        .await
        .unwrap();
    let phone = request_of(id, 0, &json!({"phone": "+43 1 5885801"})).with("if-match", "*");
    crate::customers::profile::update_account(&customers, phone)
        .await
        .unwrap();
    sign_in(&aws, PASSWORD, 0).await.unwrap();
    (aws, engine, customers, id)
}

#[tokio::test]
async fn personal_data_is_erased_and_the_email_address_may_register_again() {
    let (aws, engine, customers, id) = ana_at_home().await;
    let done = delete(&aws, id, PASSWORD).await.unwrap();
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    let items = engine.items(Setting::CustomersTable);
    let text = Value::from(items.clone()).to_string().to_lowercase();
    for personal in ["ana", "haupt", "5885801", "argon2", "wien"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
    let [book, account] = items.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(book["addresses"], json!([]));
    assert_eq!(
        (&account["disabled"], &account["version"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(stored_sessions(&engine), 0);
    let event = events::published(serde_dynamo::to_item(account).unwrap())
        .unwrap()
        .unwrap();
    assert_eq!(
        (event.event_type.as_str(), event.data),
        ("CustomerDeleted", json!({}))
    );
    assert!(customers.account(id).await.unwrap().is_none());
    assert!(customers.was_deleted(id).await.unwrap());
    assert!(sign_in(&aws, PASSWORD, 61).await.is_err());
    let again = delete(&aws, id, PASSWORD).await;
    assert!(matches!(again, Err(Problem::NotFound(_))), "{again:?}");
    let anew = registered(&aws).await;
    assert_ne!(anew, id);
    assert!(sign_in(&aws, PASSWORD, 62).await.is_ok());
    let admin = testing::request(now(), &json!({}));
    let listed = crate::customers::admin::list_customers(&customers, admin)
        .await
        .unwrap();
    assert_eq!(body(&listed)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn deleting_an_account_needs_its_password() {
    let (aws, engine, customers, id) = ana_at_home().await;
    let before = engine.items(Setting::CustomersTable).len();
    let wrong = delete(&aws, id, "wrong horse").await;
    assert!(matches!(wrong, Err(Problem::InvalidBody(_))), "{wrong:?}");
    assert_eq!(engine.items(Setting::CustomersTable).len(), before);
    assert!(customers.account(id).await.unwrap().is_some());
}

#[tokio::test]
async fn an_admin_cannot_delete_the_account_before_losing_the_role() {
    let (aws, _, customers, id) = ana_at_home().await;
    grant_admin(&customers, &"ana@example.com".parse().unwrap(), now())
        .await
        .unwrap();
    let refused = delete(&aws, id, PASSWORD).await;
    assert!(matches!(refused, Err(Problem::Conflict(_))), "{refused:?}");
    assert!(customers.account(id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_deletion_whose_response_was_lost_is_made_once() {
    let (aws, engine, customers, id) = ana_at_home().await;
    engine.fail_next("TransactWriteItems", Fault::LostAnswer);
    assert!(delete(&aws, id, PASSWORD).await.is_ok());
    assert!(customers.was_deleted(id).await.unwrap());
    assert_eq!(stored_sessions(&engine), 0);
}

#[tokio::test]
async fn a_deletion_that_was_not_made_is_not_reported_as_made() {
    let (aws, engine, customers, id) = ana_at_home().await;
    for fault in [Fault::Throttled, Fault::Failed] {
        // The SDK sends a call three times.
        for _ in 0..3 {
            engine.fail_next("TransactWriteItems", fault);
        }
        let answer = delete(&aws, id, PASSWORD).await;
        assert!(answer.is_err(), "{fault:?}: {answer:?}");
        assert!(customers.account(id).await.unwrap().is_some());
    }
    delete(&aws, id, PASSWORD).await.unwrap();
    let again = delete(&aws, id, PASSWORD).await;
    assert!(matches!(again, Err(Problem::NotFound(_))), "{again:?}");
}

#[tokio::test]
async fn no_address_is_added_while_the_account_is_deleted() {
    let ana_without_book = async || {
        let (aws, engine, customers) = shop();
        let id = registered(&aws).await;
        (aws, engine, customers, id)
    };
    for (aws, _, customers, id) in [ana_at_home().await, ana_without_book().await] {
        let addresses = AddressStore::new(&aws).unwrap();
        let book = addresses.get(id).await.unwrap();
        delete(&aws, id, PASSWORD).await.unwrap();
        assert_eq!(
            addresses.replace(id, book).await.unwrap(),
            Attempt::Overtaken
        );
        let late = add_address(&customers, &addresses, request_of(id, 61, &home())).await;
        assert!(matches!(late, Err(Problem::NotFound(_))), "{late:?}");
        assert!(addresses.get(id).await.unwrap().entries.is_empty());
    }
}

#[tokio::test]
async fn a_change_at_the_same_moment_comes_before_the_deletion() {
    let (aws, engine, customers, id) = ana_at_home().await;
    let others = customers.clone();
    engine.before_next("TransactWriteItems", async move || {
        let name = request_of(id, 60, &json!({"name": "Anna"})).with("if-match", "*");
        crate::customers::profile::update_account(&others, name)
            .await
            .unwrap();
    });
    delete(&aws, id, PASSWORD).await.unwrap();
    let stored = item_of(&engine, id);
    assert_eq!(
        (&stored["version"], &stored["event"]["type"]),
        (&json!(4), &json!("CustomerDeleted"))
    );
}
