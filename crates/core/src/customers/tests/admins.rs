//! Admins, and the events of customers.

use super::*;

#[tokio::test]
async fn an_admin_is_made_once_and_recognised_at_the_next_request() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let email = "ANA@example.com".parse().unwrap();
    let nobody = grant_admin(&customers, &email, now()).await;
    assert!(matches!(nobody, Err(CustomerError::NoSuchCustomer)));
    register(&aws, &ana(), None).await;
    let token = token(&aws).await;
    assert!(grant_admin(&customers, &email, now()).await.unwrap());
    assert!(!grant_admin(&customers, &email, now()).await.unwrap());
    let stored = customers
        .account_with_email(&email)
        .await
        .unwrap()
        .unwrap()
        .customer;
    assert_eq!(
        (stored.version, stored.roles),
        (2, vec![Role::Customer, Role::Admin])
    );
    let verifier = TokenVerifier::new(&aws).unwrap();
    let answer = authorize(&verifier, &token, now()).await;
    assert_eq!(answer["context"]["roles"], "customer admin");
}

#[test]
fn five_grants_at_once_make_one_admin_once() {
    let (aws, engine, customers) = shop();
    testing::at_once([async || register(&aws, &ana(), None).await]);
    let jobs = (0..5).map(|_| {
        let customers = customers.clone();
        async move || {
            let email = "ana@example.com".parse().unwrap();
            grant_admin(&customers, &email, now()).await.unwrap()
        }
    });
    let granted = testing::at_once(jobs);
    assert_eq!(granted.iter().filter(|changed| **changed).count(), 1);
    let items = engine.items(Setting::CustomersTable);
    let stored = items
        .iter()
        .find(|item| item.get("roles").is_some())
        .unwrap();
    assert_eq!(stored["version"], 2);
    assert_eq!(stored["roles"], json!(["customer", "admin"]));
}

#[tokio::test]
async fn events_of_customers_hold_no_personal_data() {
    let (aws, engine, customers) = shop();
    register(&aws, &ana(), None).await;
    let published = |engine: &Engine| -> Vec<Value> {
        let items = engine.items(Setting::CustomersTable);
        items
            .iter()
            .filter_map(|item| events::published(serde_dynamo::to_item(item).unwrap()).unwrap())
            .map(|event| serde_json::to_value(event).unwrap())
            .collect()
    };
    let made = published(&engine);
    assert_eq!(
        made.len(),
        1,
        "the item of the email address carries no event"
    );
    assert_eq!(made[0]["event_type"], "CustomerRegistered");
    assert_eq!(made[0]["data"], json!({}));
    grant_admin(&customers, &"ana@example.com".parse().unwrap(), now())
        .await
        .unwrap();
    let granted = published(&engine);
    assert_eq!(granted[0]["event_type"], "CustomerRolesChanged");
    assert_eq!(granted[0]["version"], 2);
    assert_eq!(granted[0]["data"], json!({"roles": ["customer", "admin"]}));
    let both = Value::from([made, granted].concat())
        .to_string()
        .to_lowercase();
    assert!(!both.contains("ana") && !both.contains("argon2"), "{both}");
}

use crate::customers::admin::{
    disable_customer, enable_customer, get_customer, list_customers, set_customer_group,
    set_customer_roles,
};
use crate::customers::sessions::store::SessionStore;
use crate::http::exchange::IfMatch;

fn admin(body: &Value) -> Request {
    testing::request(now(), body)
}

#[tokio::test]
async fn customers_are_listed_newest_first_page_by_page() {
    let (aws, _, customers) = shop();
    for number in 0..20 {
        let mut body = ana();
        body["email"] = json!(format!("ana{number}@example.com"));
        let mut request = request(&body, None);
        request.now = now().plus(Duration::from_secs(number));
        register_customer(&Registering::new(&aws).unwrap(), request)
            .await
            .unwrap();
    }
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut request = admin(&json!({})).with_query("limit", "1");
        if let Some(cursor) = &cursor {
            request = request.with_query("cursor", cursor);
        }
        let page = body(&list_customers(&customers, request).await.unwrap());
        for item in page["items"].as_array().unwrap() {
            seen.push(item["email"].as_str().unwrap().to_owned());
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..20)
        .rev()
        .map(|n| format!("ana{n}@example.com"))
        .collect();
    assert_eq!(seen, expected);
    let found = list_customers(
        &customers,
        admin(&json!({})).with_query("email", "ANA3@example.com"),
    );
    assert_eq!(
        body(&found.await.unwrap())["items"][0]["email"],
        "ana3@example.com"
    );
    let none = list_customers(
        &customers,
        admin(&json!({})).with_query("email", "eve@example.com"),
    );
    assert_eq!(body(&none.await.unwrap())["items"], json!([]));
    let bad = list_customers(&customers, admin(&json!({})).with_query("email", "eve")).await;
    assert!(matches!(bad, Err(Problem::InvalidParameters(_))));
}

#[tokio::test]
async fn an_account_is_disabled_and_enabled_again() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = registered(&aws).await;
    with_admin(&customers).await;
    let sessions = SessionStore::new(&aws).unwrap();
    let at = |body: &Value| admin(body).at("customer_id", id);
    for _ in 0..2 {
        let shut = disable_customer(&customers, &sessions, at(&json!({})))
            .await
            .unwrap();
        assert_eq!(
            (&body(&shut)["disabled"], &body(&shut)["version"]),
            (&json!(true), &json!(2))
        );
    }
    let stored = item_of(&engine, id);
    assert_eq!(
        stored["disabled"], true,
        "the attribute that the authoriser reads"
    );
    assert_eq!(stored["event"]["type"], "CustomerDisabled");
    let refused = sign_in(&aws, PASSWORD, 0).await;
    assert!(
        matches!(refused, Err(Problem::Unauthenticated(_))),
        "{refused:?}"
    );
    let open = enable_customer(&customers, at(&json!({}))).await.unwrap();
    assert_eq!(
        (&body(&open)["disabled"], &body(&open)["version"]),
        (&json!(false), &json!(3))
    );
    assert!(sign_in(&aws, PASSWORD, 0).await.is_ok());
}

#[tokio::test]
async fn roles_are_set_with_the_version_that_was_read() {
    let (aws, engine, customers) = shop();
    let id = registered(&aws).await;
    with_admin(&customers).await;
    let set = async |etag: &str, roles: Value| {
        let request = admin(&json!({"roles": roles})).at("customer_id", id);
        set_customer_roles(&customers, request.with("if-match", etag)).await
    };
    let made = set("\"1\"", json!(["admin"])).await.unwrap();
    assert_eq!(
        body(&made)["roles"],
        json!(["customer", "admin"]),
        "everybody is a customer"
    );
    let stale = set("\"1\"", json!(["customer"])).await;
    assert!(matches!(stale, Err(Problem::PreconditionFailed)));
    let taken = set("\"2\"", json!(["customer"])).await.unwrap();
    assert_eq!(body(&taken)["roles"], json!(["customer"]));
    let stored = item_of(&engine, id)["event"].clone();
    assert_eq!(stored["type"], "CustomerRolesChanged");
    for wrong in [
        json!([]),
        json!(["owner"]),
        json!("admin"),
        json!([1]),
        json!(["admin", "admin", "admin"]),
    ] {
        let answer = set("*", wrong.clone()).await;
        assert!(
            matches!(answer, Err(Problem::InvalidBody(_))),
            "{wrong}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_customer_is_put_into_a_group_and_out_of_it() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = registered(&aws).await;
    let token = token(&aws).await;
    with_admin(&customers).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let set = async |etag: &str, body: Value| {
        let request = admin(&body).at("customer_id", id);
        set_customer_group(&customers, request.with("if-match", etag)).await
    };
    let made = set("\"1\"", json!({"group": "wholesale"})).await.unwrap();
    assert_eq!(body(&made)["group"], "wholesale");
    let stored = item_of(&engine, id);
    let event = events::published(serde_dynamo::to_item(&stored).unwrap());
    let event = serde_json::to_value(event.unwrap().unwrap()).unwrap();
    assert_eq!(event["event_type"], "CustomerGroupChanged");
    assert_eq!(event["data"], json!({"group": "wholesale"}));
    let answer = authorize(&verifier, &token, now()).await;
    assert_eq!(answer["context"]["group"], "wholesale");
    let again = set("\"2\"", json!({"group": "wholesale"})).await.unwrap();
    assert_eq!(body(&again)["version"], 2, "nothing has changed");
    let stale = set("\"1\"", json!({"group": null})).await;
    assert!(matches!(stale, Err(Problem::PreconditionFailed)));
    for wrong in [
        json!({}),
        json!({"group": "guest"}),
        json!({"group": "B2B"}),
        json!({"group": 1}),
    ] {
        let answer = set("*", wrong.clone()).await;
        assert!(matches!(answer, Err(Problem::InvalidBody(_))), "{wrong}");
    }
    let none = set("*", json!({"group": null})).await.unwrap();
    assert_eq!(body(&none)["group"], Value::Null);
    let answer = authorize(&verifier, &token, now()).await;
    assert_eq!(answer["context"].get("group"), None);
}

#[tokio::test]
async fn admins_can_neither_disable_nor_demote_themselves() {
    let (aws, _, customers) = shop();
    let id = registered(&aws).await;
    grant_admin(&customers, &"ana@example.com".parse().unwrap(), now())
        .await
        .unwrap();
    let own = |body: &Value| {
        let mut request = admin(body).at("customer_id", id).with("if-match", "*");
        request.identity.as_mut().unwrap().caller.customer_id = id;
        request
    };
    let sessions = SessionStore::new(&aws).unwrap();
    let shut = disable_customer(&customers, &sessions, own(&json!({}))).await;
    assert!(matches!(shut, Err(Problem::Conflict(_))), "{shut:?}");
    let less = set_customer_roles(&customers, own(&json!({"roles": ["customer"]}))).await;
    assert!(matches!(less, Err(Problem::Conflict(_))), "{less:?}");
    let stored = customers.get(id).await.unwrap().unwrap();
    assert_eq!(
        (stored.disabled, stored.roles.len(), stored.version),
        (false, 2, 2)
    );
}

#[tokio::test]
async fn an_admin_who_was_demoted_or_disabled_cannot_undo_it() {
    let (aws, _, customers) = shop();
    let id = registered(&aws).await;
    let sessions = SessionStore::new(&aws).unwrap();
    let refused = async |on: CustomerId| {
        let at = || {
            let request = admin(&json!({"roles": ["customer", "admin"]}));
            request.at("customer_id", on).with("if-match", "*")
        };
        let answers = [
            set_customer_roles(&customers, at()).await,
            disable_customer(&customers, &sessions, at()).await,
            enable_customer(&customers, at()).await,
        ];
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, Err(Problem::Forbidden)));
        refused.count()
    };
    assert_eq!(refused(id).await, 3, "there is no such admin");
    let account = with_admin(&customers).await;
    let own = account.customer.id;
    assert_eq!(refused(id).await, 0);
    let demoted = rules::set_roles(account.clone(), &[Role::Customer], id, &IfMatch::Any, now());
    let disabled = rules::disable(account, id, now());
    for changed in [demoted, disabled] {
        let (mut next, stamp) = changed.unwrap().unwrap();
        let stored = customers.get(own).await.unwrap().unwrap();
        next.customer.version = stored.version + 1;
        assert!(customers.replace(next.clone(), stamp).await.unwrap());
        assert_eq!((refused(id).await, refused(own).await), (3, 3));
        assert_eq!(customers.account(own).await.unwrap().unwrap(), next);
    }
}

#[tokio::test]
async fn only_admins_see_and_change_others() {
    let (aws, _, customers) = shop();
    let id = registered(&aws).await;
    let sessions = SessionStore::new(&aws).unwrap();
    let plain = || {
        admin(&json!({"roles": ["admin"]}))
            .at("customer_id", id)
            .with("if-match", "*")
            .of_customer()
    };
    let answers = [
        list_customers(&customers, plain()).await,
        get_customer(&customers, plain()).await,
        disable_customer(&customers, &sessions, plain()).await,
        enable_customer(&customers, plain()).await,
        set_customer_roles(&customers, plain()).await,
    ];
    for answer in answers {
        assert!(matches!(answer, Err(Problem::Forbidden)), "{answer:?}");
    }
    let seen = get_customer(&customers, admin(&json!({})).at("customer_id", id))
        .await
        .unwrap();
    assert_eq!(body(&seen)["id"], json!(id));
    let unknown = get_customer(
        &customers,
        admin(&json!({})).at("customer_id", CustomerId::derived(&["x"])),
    );
    assert!(matches!(unknown.await, Err(Problem::NotFound(_))));
}
