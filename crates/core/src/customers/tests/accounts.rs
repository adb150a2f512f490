//! `/customers/me`.

use super::*;
use crate::customers::profile::{get_account, update_account};

#[tokio::test]
async fn customers_see_their_own_account() {
    let (aws, _, customers) = shop();
    let id = registered(&aws).await;
    let answer = get_account(&customers, request_of(id, 0, &json!({})))
        .await
        .unwrap();
    assert_eq!(header(&answer, "ETag"), Some("\"1\""));
    assert_eq!(body(&answer)["email"], "Ana@Example.com");
    let nobody = get_account(&customers, request(&json!({}), None)).await;
    assert!(matches!(nobody, Err(Problem::Unauthenticated(_))));
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_removes_the_phone() {
    let (aws, engine, customers) = shop();
    let id = registered(&aws).await;
    let patch = async |etag: &str, patch: Value| {
        let request = request_of(id, 5, &patch).with("if-match", etag);
        update_account(&customers, request).await
    };
    let changed = patch("\"1\"", json!({"phone": "+43 1 5885801", "name": "Ana Li"}))
        .await
        .unwrap();
    assert_eq!(header(&changed, "ETag"), Some("\"2\""));
    let shown = body(&changed);
    assert_eq!(
        (&shown["name"], &shown["phone"], &shown["locale"]),
        (&json!("Ana Li"), &json!("+4315885801"), &json!("de-AT"))
    );
    assert_eq!(shown["updated_at"], "2026-03-01T09:30:05.000Z");
    let event = engine
        .items(Setting::CustomersTable)
        .into_iter()
        .find_map(|item| item.get("event").cloned());
    assert_eq!(event.unwrap()["type"], "CustomerUpdated");

    let same = patch("\"2\"", json!({"name": "Ana Li"})).await.unwrap();
    assert_eq!(header(&same, "ETag"), Some("\"2\""), "nothing has changed");
    let cleared = patch("*", json!({"phone": null, "locale": "fr"}))
        .await
        .unwrap();
    assert_eq!(
        (&body(&cleared)["phone"], &body(&cleared)["locale"]),
        (&json!(null), &json!("fr"))
    );
    for (name, value) in [
        ("name", json!(null)),
        ("locale", json!(null)),
        ("email", json!("eve@example.com")),
        ("roles", json!(["admin"])),
        ("disabled", json!(true)),
        ("id", json!("x")),
        ("password", json!("new password")),
        ("phone", json!("")),
        ("version", json!(9)),
        ("email_confirmed", json!(true)),
    ] {
        let refused = patch("*", json!({name: value})).await;
        assert!(
            matches!(refused, Err(Problem::InvalidBody(_))),
            "{name}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_patch_of_an_outdated_version_is_refused() {
    let (aws, _, customers) = shop();
    let id = registered(&aws).await;
    let without = update_account(&customers, request_of(id, 0, &json!({"name": "A"}))).await;
    assert!(matches!(without, Err(Problem::PreconditionRequired)));
    let request = request_of(id, 0, &json!({"name": "A"})).with("if-match", "\"7\"");
    let stale = update_account(&customers, request).await;
    assert!(
        matches!(stale, Err(Problem::PreconditionFailed)),
        "{stale:?}"
    );
}

#[test]
fn of_ten_patches_of_one_version_one_is_made() {
    let (aws, _, customers) = shop();
    let id = testing::at_once([async || registered(&aws).await])[0];
    let patches = |etag: &'static str| {
        let jobs = (0..10).map(|number| {
            let customers = customers.clone();
            async move || {
                let patch = json!({"name": format!("{etag} {number}")});
                update_account(&customers, request_of(id, 0, &patch).with("if-match", etag)).await
            }
        });
        testing::at_once(jobs).into_iter().flatten().count()
    };
    assert_eq!(patches("\"1\""), 1);
}

#[tokio::test]
async fn a_patch_whose_response_was_lost_is_made_once() {
    let (aws, engine, customers) = shop();
    let id = registered(&aws).await;
    engine.fail_next("PutItem", Fault::LostAnswer);
    let request = request_of(id, 0, &json!({"name": "Ana Li"})).with("if-match", "\"1\"");
    let answer = update_account(&customers, request).await.unwrap();
    assert_eq!(header(&answer, "ETag"), Some("\"2\""));
}
