//! Admins, and the events of customers.

use super::*;

#[tokio::test]
async fn an_admin_is_made_once_and_recognised_from_the_next_sign_in_on() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let email = "ANA@example.com".parse().unwrap();
    let nobody = grant_admin(&customers, &email, now()).await;
    assert!(matches!(nobody, Err(CustomerError::NoSuchCustomer)));
    register(&customers, &ana(), None).await;
    assert!(grant_admin(&customers, &email, now()).await.unwrap());
    assert!(!grant_admin(&customers, &email, now()).await.unwrap());
    let stored = customers
        .account_of(&email)
        .await
        .unwrap()
        .unwrap()
        .customer;
    assert_eq!(
        (stored.version, stored.roles),
        (2, vec![Role::Customer, Role::Admin])
    );
    let verifier = TokenVerifier::new(&aws).unwrap();
    let answer = authorize(&verifier, &token(&aws, &customers).await, now()).await;
    assert_eq!(answer["context"]["roles"], "customer admin");
}

#[test]
fn an_admin_made_five_times_at_once_is_made_once() {
    let (_, engine, customers) = shop();
    testing::at_once([async || register(&customers, &ana(), None).await]);
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
    let (_, engine, customers) = shop();
    register(&customers, &ana(), None).await;
    let published = |engine: &Engine| -> Vec<Value> {
        let items = engine.items(Setting::CustomersTable);
        items
            .iter()
            .filter_map(|item| events::published(serde_dynamo::to_item(item).unwrap()).unwrap())
            .map(|event| serde_json::to_value(event).unwrap())
            .collect()
    };
    let made = published(&engine);
    assert_eq!(made.len(), 1, "the item of the address carries none");
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
