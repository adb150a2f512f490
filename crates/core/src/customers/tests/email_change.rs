//! Changing the email address.

use super::passwords::{link, shop_with_ana};
use super::*;
use crate::customers::email_change::{confirm_email_change, request_email_change};
use crate::customers::link::{Links, Purpose};
use crate::customers::messages::CustomerMessages;
use crate::customers::passwords::PasswordChange;
use crate::customers::rules;

const NEW: &str = "ana.new@example.com";

async fn ask(aws: &Aws, id: CustomerId, email: &str, password: &str) -> Result<Response, Problem> {
    ask_at(aws, id, email, password, now()).await
}

async fn ask_at(
    aws: &Aws,
    id: CustomerId,
    email: &str,
    password: &str,
    at: Time,
) -> Result<Response, Problem> {
    let body = json!({"email": email, "password": password});
    let mut request = request_of(id, 0, &body);
    request.now = at;
    let identity = request.identity.as_mut().unwrap();
    identity.expires_at_seconds = at.as_seconds() + 60;
    let passwords = PasswordChange::new(aws).unwrap();
    let messages = CustomerMessages::new(aws).unwrap();
    Box::pin(request_email_change(&passwords, &messages, request)).await
}

/// Confirms the change at the end that `purpose` is for, with the link that was mailed last.
async fn confirm(
    aws: &Aws,
    customers: &CustomerStore,
    id: CustomerId,
    purpose: Purpose,
) -> Result<Response, Problem> {
    let account = customers.account(id).await.unwrap().unwrap();
    let fingerprint = rules::email_change_fingerprint(&account).unwrap_or_default();
    let token = link(aws, purpose, id, &fingerprint).await;
    confirm_with(aws, &token, PASSWORD).await
}

async fn confirm_with(aws: &Aws, token: &str, password: &str) -> Result<Response, Problem> {
    let body = json!({"token": token, "password": password});
    let passwords = PasswordChange::new(aws).unwrap();
    let links = Links::new(aws).unwrap();
    Box::pin(confirm_email_change(
        &passwords,
        &links,
        request(&body, None),
    ))
    .await
}

async fn confirm_present_address(customers: &CustomerStore, id: CustomerId) {
    let account = customers.account(id).await.unwrap().unwrap();
    let (account, stamp) = rules::confirm_email(account, now()).unwrap();
    assert!(customers.replace(account, stamp).await.unwrap());
}

async fn address(customers: &CustomerStore, id: CustomerId) -> (String, bool) {
    let customer = customers.get(id).await.unwrap().unwrap();
    let confirmed = customer.email_confirmed_at.is_some();
    (customer.email.as_str().to_owned(), confirmed)
}

#[tokio::test]
async fn an_address_changes_when_both_ends_have_confirmed_in_any_order() {
    use Purpose::{ApproveEmail, ConfirmNewEmail};
    for ends in [
        [ApproveEmail, ConfirmNewEmail],
        [ConfirmNewEmail, ApproveEmail],
    ] {
        let (aws, _, customers, id, queued) = shop_with_ana().await;
        confirm_present_address(&customers, id).await;
        assert_eq!(ask(&aws, id, NEW, PASSWORD).await.unwrap().status, 202);
        let queued: Vec<Value> = std::mem::take(&mut queued.lock().unwrap());
        let templates: Vec<&str> = queued
            .iter()
            .map(|message| message["template"].as_str().unwrap())
            .collect();
        assert_eq!(templates, ["confirm_new_email", "approve_email"]);
        assert!(!json!(queued).to_string().contains('@'));
        assert_eq!(
            confirm(&aws, &customers, id, ends[0]).await.unwrap().status,
            204
        );
        // Using the link again changes nothing.
        assert_eq!(
            confirm(&aws, &customers, id, ends[0]).await.unwrap().status,
            204
        );
        assert_eq!(
            address(&customers, id).await,
            ("Ana@Example.com".to_owned(), true)
        );
        assert_eq!(
            confirm(&aws, &customers, id, ends[1]).await.unwrap().status,
            204
        );
        assert_eq!(address(&customers, id).await, (NEW.to_owned(), true));
        let by = async |email: &str| {
            let found = customers.account_with_email(&email.parse().unwrap()).await;
            found.unwrap().map(|account| account.customer.id)
        };
        assert_eq!(
            (by(NEW).await, by("ana@example.com").await),
            (Some(id), None)
        );
    }
}

#[tokio::test]
async fn an_address_that_was_never_confirmed_is_not_asked() {
    let (aws, _, customers, id, queued) = shop_with_ana().await;
    ask(&aws, id, NEW, PASSWORD).await.unwrap();
    let queued: Vec<Value> = std::mem::take(&mut queued.lock().unwrap());
    assert_eq!(queued.len(), 1);
    assert_eq!(queued[0]["template"], "confirm_new_email");
    confirm(&aws, &customers, id, Purpose::ConfirmNewEmail)
        .await
        .unwrap();
    assert_eq!(address(&customers, id).await, (NEW.to_owned(), true));
}

#[tokio::test]
async fn a_change_needs_the_password_at_the_beginning_and_at_both_ends() {
    let (aws, _, customers, id, queued) = shop_with_ana().await;
    confirm_present_address(&customers, id).await;
    let wrong = ask(&aws, id, NEW, "wrong").await;
    assert!(matches!(wrong, Err(Problem::InvalidBody(faults)) if faults[0].pointer == "/password"));
    assert!(queued.lock().unwrap().is_empty());
    ask(&aws, id, NEW, PASSWORD).await.unwrap();
    let account = customers.account(id).await.unwrap().unwrap();
    let fingerprint = rules::email_change_fingerprint(&account).unwrap();
    for purpose in [Purpose::ApproveEmail, Purpose::ConfirmNewEmail] {
        let token = link(&aws, purpose, id, &fingerprint).await;
        let wrong = confirm_with(&aws, &token, "wrong").await;
        assert!(
            matches!(wrong, Err(Problem::InvalidBody(faults)) if faults[0].pointer == "/password")
        );
    }
    assert_eq!(customers.account(id).await.unwrap().unwrap(), account);
}

#[tokio::test]
async fn the_links_of_an_earlier_change_and_of_other_things_are_refused() {
    let (aws, _, customers, id, _) = shop_with_ana().await;
    ask(&aws, id, "first@example.com", PASSWORD).await.unwrap();
    let account = customers.account(id).await.unwrap().unwrap();
    let first = rules::email_change_fingerprint(&account).unwrap();
    ask(&aws, id, NEW, PASSWORD).await.unwrap();
    let account = customers.account(id).await.unwrap().unwrap();
    let second = rules::email_change_fingerprint(&account).unwrap();
    for (purpose, fingerprint) in [
        (Purpose::ConfirmNewEmail, first.as_str()),
        (Purpose::ConfirmNewEmail, ""),
        (Purpose::ConfirmEmail, second.as_str()),
        (Purpose::ReadOrder, second.as_str()),
    ] {
        let token = link(&aws, purpose, id, fingerprint).await;
        let refused = confirm_with(&aws, &token, PASSWORD).await;
        assert!(
            matches!(refused, Err(Problem::InvalidBody(faults)) if faults[0].code == "bad_link")
        );
    }
    assert_eq!(address(&customers, id).await.0, "Ana@Example.com");
}

#[tokio::test]
async fn a_request_is_the_same_one_for_three_days_and_then_another() {
    let (aws, _, customers, id, queued) = shop_with_ana().await;
    let later = |hours| now().plus(Duration::from_hours(hours));
    let fingerprint = async || {
        let account = customers.account(id).await.unwrap().unwrap();
        rules::email_change_fingerprint(&account).unwrap()
    };
    let mailed = || std::mem::take(&mut *queued.lock().unwrap());
    ask(&aws, id, NEW, PASSWORD).await.unwrap();
    let (first, mails) = (fingerprint().await, mailed());
    ask_at(&aws, id, NEW, PASSWORD, later(71)).await.unwrap();
    assert_eq!(
        (fingerprint().await, mailed()),
        (first.clone(), mails.clone())
    );
    // The first links have expired, so a request for the same address begins anew, with other links.
    ask_at(&aws, id, NEW, PASSWORD, later(72)).await.unwrap();
    assert_ne!(fingerprint().await, first);
    assert_ne!(mailed(), mails);
    let token = link(&aws, Purpose::ConfirmNewEmail, id, &first).await;
    let refused = confirm_with(&aws, &token, PASSWORD).await;
    assert!(matches!(refused, Err(Problem::InvalidBody(faults)) if faults[0].code == "bad_link"));
}

#[tokio::test]
async fn a_link_does_not_confirm_a_change_that_was_requested_while_it_is_used() {
    let (aws, engine, customers, id, _) = shop_with_ana().await;
    ask(&aws, id, NEW, PASSWORD).await.unwrap();
    let racing = aws.clone();
    engine.before_next("TransactWriteItems", async move || {
        let other = ask(&racing, id, "other@example.com", PASSWORD);
        other.await.unwrap();
    });
    let overtaken = confirm(&aws, &customers, id, Purpose::ConfirmNewEmail).await;
    assert!(
        matches!(overtaken, Err(Problem::Conflict(_))),
        "{overtaken:?}"
    );
    let account = customers.account(id).await.unwrap().unwrap();
    assert_eq!(account.customer.email.as_str(), "Ana@Example.com");
    let change = account.email_change.unwrap();
    assert_eq!(
        (change.email.as_str(), change.is_confirmed),
        ("other@example.com", false)
    );
}

#[tokio::test]
async fn an_address_that_is_taken_meanwhile_is_not_taken_away() {
    let (aws, _, customers, id, _) = shop_with_ana().await;
    let same = ask(&aws, id, "ANA@example.com", PASSWORD).await;
    assert!(matches!(same, Err(Problem::InvalidBody(faults)) if faults[0].code == "same"));
    ask(&aws, id, "admin@EXAMPLE.com", PASSWORD).await.unwrap();
    let other = with_admin(&customers).await;
    let taken = confirm(&aws, &customers, id, Purpose::ConfirmNewEmail).await;
    assert!(matches!(taken, Err(Problem::Conflict(_))));
    let taken = ask(&aws, id, "admin@example.com", PASSWORD).await;
    assert!(matches!(taken, Err(Problem::Conflict(_))));
    assert_eq!(address(&customers, id).await.0, "Ana@Example.com");
    assert_eq!(
        customers.account(other.customer.id).await.unwrap(),
        Some(other)
    );
}
