//! Changing, forgetting and resetting passwords, and confirming email addresses.

use super::*;
use crate::customers::link::{Link, Links, Purpose};
use crate::customers::messages::CustomerMessages;
use crate::customers::passwords::{
    PasswordChange, change_password, confirm_email, forgot_password, resend_confirmation,
    reset_password,
};

const NEW: &str = "battery staple";

/// Registers Ana, and records what is queued.
pub(super) async fn shop_with_ana() -> (
    Aws,
    Engine,
    CustomerStore,
    CustomerId,
    Arc<Mutex<Vec<Value>>>,
) {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = registered(&aws).await;
    let queued = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&queued);
    engine.answer_others("SendMessage", move |request| {
        let body = request["MessageBody"].as_str().unwrap();
        noted
            .lock()
            .unwrap()
            .push(serde_json::from_str(body).unwrap());
        (200, json!({"MessageId": "1"}))
    });
    (aws, engine, customers, id, queued)
}

/// Returns the token of the link that a message would contain.
pub(super) async fn link(aws: &Aws, purpose: Purpose, id: CustomerId, fingerprint: &str) -> String {
    let link = Link {
        subject: id.to_string(),
        fingerprint: fingerprint.to_owned(),
    };
    let links = Links::new(aws).unwrap();
    links.issue(purpose, link, 3600, now()).await.unwrap()
}

async fn reset(aws: &Aws, token: &str, seconds: u64) -> Result<Response, Problem> {
    let mut request = request(&json!({"token": token, "password": NEW}), None);
    request.now = now().plus(Duration::from_secs(seconds));
    let passwords = PasswordChange::new(aws).unwrap();
    Box::pin(reset_password(
        &passwords,
        &Links::new(aws).unwrap(),
        request,
    ))
    .await
}

#[track_caller]
fn refused_link(answer: Result<Response, Problem>) {
    let Err(Problem::InvalidBody(faults)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(faults[0].pointer, "/token");
}

#[tokio::test]
async fn a_reset_link_works_once_and_ends_all_sessions() {
    let (aws, engine, customers, id, _) = shop_with_ana().await;
    sign_in(&aws, PASSWORD, 0).await.unwrap();
    let token = link(&aws, Purpose::ResetPassword, id, "0").await;
    let done = reset(&aws, &token, 10).await.unwrap();
    assert_eq!((done.status, done.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(stored_sessions(&engine), 0);
    assert!(sign_in(&aws, PASSWORD, 11).await.is_err());
    assert!(sign_in(&aws, NEW, 11).await.is_ok());
    let stored = customers.account(id).await.unwrap().unwrap();
    assert_eq!((stored.password_version, stored.customer.version), (1, 2));
    refused_link(reset(&aws, &token, 12).await);
    let items = engine.items(Setting::CustomersTable);
    let event = items.iter().find_map(|item| item.get("event")).unwrap();
    assert_eq!(event["type"], "CustomerPasswordChanged");
}

#[tokio::test]
async fn of_two_resets_with_one_link_at_once_one_is_made() {
    let (aws, engine, customers, id, _) = shop_with_ana().await;
    let token = link(&aws, Purpose::ResetPassword, id, "0").await;
    let (other, same) = (aws.clone(), token.clone());
    engine.before_next("PutItem", async move || {
        reset(&other, &same, 1).await.unwrap();
    });
    refused_link(reset(&aws, &token, 1).await);
    let stored = customers.account(id).await.unwrap().unwrap();
    assert_eq!((stored.password_version, stored.customer.version), (1, 2));
}

#[tokio::test]
async fn an_expired_or_foreign_link_changes_nothing() {
    let (aws, _, customers, id, _) = shop_with_ana().await;
    let nobody = CustomerId::derived(&["nobody"]);
    for (token, seconds) in [
        (link(&aws, Purpose::ResetPassword, id, "0").await, 3600),
        (link(&aws, Purpose::ResetPassword, id, "1").await, 0),
        (link(&aws, Purpose::ConfirmEmail, id, "0").await, 0),
        (link(&aws, Purpose::ReadOrder, id, "0").await, 0),
        (link(&aws, Purpose::ResetPassword, nobody, "0").await, 0),
        (self::token(&aws).await, 0),
        ("nonsense".to_owned(), 0),
    ] {
        refused_link(reset(&aws, &token, seconds).await);
    }
    let account = customers.account(id).await.unwrap().unwrap();
    let (shut, stamp) = rules::disable(account, nobody, now()).unwrap().unwrap();
    customers.replace(shut, stamp).await.unwrap();
    let token = link(&aws, Purpose::ResetPassword, id, "0").await;
    refused_link(reset(&aws, &token, 0).await);
    assert_eq!(
        customers
            .account(id)
            .await
            .unwrap()
            .unwrap()
            .password_version,
        0
    );
}

#[tokio::test]
async fn a_reset_whose_response_was_lost_is_made_once() {
    let (aws, engine, customers, id, _) = shop_with_ana().await;
    let token = link(&aws, Purpose::ResetPassword, id, "0").await;
    engine.fail_next("PutItem", Fault::LostAnswer);
    assert!(reset(&aws, &token, 0).await.is_ok());
    assert_eq!(
        customers
            .account(id)
            .await
            .unwrap()
            .unwrap()
            .password_version,
        1
    );
}

#[tokio::test]
async fn a_reset_ends_the_wait_after_wrong_passwords() {
    let (aws, _, _, id, _) = shop_with_ana().await;
    for _ in 0..6 {
        let _ = sign_in(&aws, "wrong horse", 0).await;
    }
    let waits = sign_in(&aws, PASSWORD, 0).await;
    assert!(
        matches!(waits, Err(Problem::TooManyRequests { .. })),
        "{waits:?}"
    );
    let token = link(&aws, Purpose::ResetPassword, id, "0").await;
    reset(&aws, &token, 0).await.unwrap();
    assert!(sign_in(&aws, NEW, 0).await.is_ok());
}

#[tokio::test]
async fn forgetting_a_password_reads_and_queues_the_same_for_every_address() {
    let (aws, engine, customers, id, queued) = shop_with_ana().await;
    let messages = CustomerMessages::new(&aws).unwrap();
    let forget = async |email: &str, seconds: u64| {
        let mut request = request(&json!({"email": email}), None);
        request.now = now().plus(Duration::from_secs(seconds));
        engine.forget_calls();
        let answer = forgot_password(&customers, &messages, request)
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.body.len()),
            (StatusCode::ACCEPTED, 0)
        );
        (engine.calls(), queued.lock().unwrap().pop().unwrap())
    };
    let (known_calls, known) = forget("ANA@example.com", 0).await;
    let (unknown_calls, unknown) = forget("nobody@example.com", 0).await;
    assert_eq!(known_calls, unknown_calls);
    assert_eq!(known["customer_id"], json!(id));
    assert_eq!(known["template"], unknown["template"]);
    assert_eq!(known.to_string().len(), unknown.to_string().len());
    assert!(!known.to_string().contains('@'));
    // There is one message within five minutes, and another one afterwards.
    let (_, again) = forget("ana@example.com", 1).await;
    assert_eq!(again, known);
    let (_, later) = forget("ana@example.com", 300).await;
    assert_ne!(later, known);
}

#[tokio::test]
async fn changing_a_password_needs_the_current_one_and_ends_all_sessions() {
    let (aws, engine, customers, id, _) = shop_with_ana().await;
    sign_in(&aws, PASSWORD, 0).await.unwrap();
    let passwords = PasswordChange::new(&aws).unwrap();
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        Box::pin(change_password(&passwords, request_of(id, 1, &body))).await
    };
    let wrong = change("wrong horse", NEW).await;
    let Err(Problem::InvalidBody(faults)) = wrong else {
        panic!("{wrong:?}");
    };
    assert_eq!(
        (faults[0].pointer.as_str(), faults[0].code),
        ("/current_password", "wrong")
    );
    assert!(matches!(
        change(PASSWORD, "short").await,
        Err(Problem::InvalidBody(_))
    ));
    assert_eq!(
        change(PASSWORD, NEW).await.unwrap().status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(stored_sessions(&engine), 0);
    assert!(sign_in(&aws, PASSWORD, 2).await.is_err());
    assert!(sign_in(&aws, NEW, 2).await.is_ok());
    assert_eq!(
        customers
            .account(id)
            .await
            .unwrap()
            .unwrap()
            .password_version,
        1
    );
    for _ in 0..5 {
        let _ = change("wrong horse", NEW).await;
    }
    let slow = change(NEW, PASSWORD).await;
    assert!(
        matches!(slow, Err(Problem::TooManyRequests { .. })),
        "{slow:?}"
    );
}

#[tokio::test]
async fn an_email_address_is_confirmed_by_its_link() {
    let (aws, engine, customers, id, queued) = shop_with_ana().await;
    let links = Links::new(&aws).unwrap();
    let messages = CustomerMessages::new(&aws).unwrap();
    let passwords = PasswordChange::new(&aws).unwrap();
    let confirm = async |token: &str, password: &str| {
        let body = json!({"token": token, "password": password});
        Box::pin(confirm_email(&passwords, &links, request(&body, None))).await
    };
    let resend = async || {
        resend_confirmation(&customers, &messages, request_of(id, 0, &json!({})))
            .await
            .unwrap()
            .status
    };
    assert_eq!(resend().await, StatusCode::ACCEPTED);
    assert_eq!(
        queued.lock().unwrap().pop().unwrap()["template"],
        "confirm_email"
    );
    let account = customers.account(id).await.unwrap().unwrap();
    let fingerprint = rules::email_fingerprint(&account);
    refused_link(
        confirm(
            &link(&aws, Purpose::ConfirmEmail, id, "another").await,
            PASSWORD,
        )
        .await,
    );
    refused_link(
        confirm(
            &link(&aws, Purpose::ResetPassword, id, &fingerprint).await,
            PASSWORD,
        )
        .await,
    );
    let token = link(&aws, Purpose::ConfirmEmail, id, &fingerprint).await;
    for _ in 0..2 {
        assert_eq!(
            confirm(&token, PASSWORD).await.unwrap().status,
            StatusCode::NO_CONTENT
        );
        let stored = customers.get(id).await.unwrap().unwrap();
        assert_eq!(
            (stored.email_confirmed_at, stored.version),
            (Some(now()), 2)
        );
    }
    let items = engine.items(Setting::CustomersTable);
    let event = items.iter().find_map(|item| item.get("event")).unwrap();
    assert_eq!(event["type"], "EmailConfirmed");
    assert_eq!(resend().await, StatusCode::ACCEPTED);
    assert!(
        queued.lock().unwrap().is_empty(),
        "there is nothing to confirm"
    );
}

/// Asks to confirm Ana's address with `password`.
async fn confirm(aws: &Aws, token: &str, password: &str) -> Result<Response, Problem> {
    let body = json!({"token": token, "password": password});
    let passwords = PasswordChange::new(aws).unwrap();
    let links = Links::new(aws).unwrap();
    Box::pin(confirm_email(&passwords, &links, request(&body, None))).await
}

async fn confirmation(aws: &Aws, customers: &CustomerStore, id: CustomerId) -> String {
    let account = customers.account(id).await.unwrap().unwrap();
    let fingerprint = rules::email_fingerprint(&account);
    link(aws, Purpose::ConfirmEmail, id, &fingerprint).await
}

#[tokio::test]
async fn the_owner_of_a_mailbox_does_not_confirm_an_account_that_another_person_opened() {
    let (aws, _, customers, id, _) = shop_with_ana().await;
    let token = confirmation(&aws, &customers, id).await;
    for _ in 0..5 {
        let Err(Problem::InvalidBody(faults)) = confirm(&aws, &token, "wrong horse").await else {
            panic!("it was confirmed");
        };
        assert_eq!(
            (faults[0].pointer.as_str(), faults[0].code),
            ("/password", "wrong")
        );
    }
    let guessed = confirm(&aws, &token, PASSWORD).await;
    assert!(
        matches!(guessed, Err(Problem::TooManyRequests { .. })),
        "{guessed:?}"
    );
    let stored = customers.get(id).await.unwrap().unwrap();
    assert_eq!((stored.email_confirmed_at, stored.version), (None, 1));
}

#[tokio::test]
async fn a_password_that_is_replaced_at_the_same_moment_confirms_nothing() {
    let (aws, engine, customers, id, _) = shop_with_ana().await;
    let token = confirmation(&aws, &customers, id).await;
    let other = aws.clone();
    let reset_link = link(&aws, Purpose::ResetPassword, id, "0").await;
    engine.before_next("PutItem", async move || {
        reset(&other, &reset_link, 0).await.unwrap();
    });
    let overtaken = confirm(&aws, &token, PASSWORD).await;
    assert!(
        matches!(overtaken, Err(Problem::Conflict(_))),
        "{overtaken:?}"
    );
    let stored = customers.get(id).await.unwrap().unwrap();
    assert_eq!((stored.email_confirmed_at, stored.version), (None, 2));
    assert!(confirm(&aws, &token, NEW).await.is_ok());
}
