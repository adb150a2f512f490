//! Refresh tokens and sessions.

use super::*;
use crate::customers::admin::disable_customer;
use crate::customers::sessions::api::{
    Renewal, end_all_sessions, end_session, list_sessions, logout, refresh_session,
};
use crate::customers::sessions::store::SessionStore;

const DAY: u64 = 24 * 3600;

/// Registers Ana and signs her in; returns her first refresh token.
async fn signed_in() -> (Aws, Engine, CustomerStore, CustomerId, String) {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = registered(&customers).await;
    let refresh_token = refresh_token(&sign_in(&aws, PASSWORD, 0).await.unwrap());
    (aws, engine, customers, id, refresh_token)
}

fn refresh_token(answer: &Response) -> String {
    body(answer)["refresh_token"].as_str().unwrap().to_owned()
}

async fn renew(aws: &Aws, token: &str, seconds: u64) -> Result<Response, Problem> {
    let mut request = request(&json!({"refresh_token": token}), None);
    request.now = now().plus(Duration::from_secs(seconds));
    Box::pin(refresh_session(&Renewal::new(aws).unwrap(), request)).await
}

#[track_caller]
fn over(answer: Result<Response, Problem>) {
    assert!(
        matches!(answer, Err(Problem::Unauthenticated(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_refresh_token_returns_the_next_one_and_an_access_token() {
    let (aws, engine, _, id, first) = signed_in().await;
    let answer = renew(&aws, &first, 60).await.unwrap();
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    let verifier = TokenVerifier::new(&aws).unwrap();
    let access_token = body(&answer)["access_token"].as_str().unwrap().to_owned();
    let known = authorize(&verifier, &access_token, now().plus(Duration::from_mins(1))).await;
    assert_eq!(known["context"]["sub"], json!(id));
    let second = refresh_token(&answer);
    assert_ne!(first, second);
    assert_eq!(
        renew(&aws, &second, 61).await.unwrap().status,
        StatusCode::OK
    );
    let items = engine.items(Setting::SessionsTable);
    assert_eq!(items.len(), 1);
    let stored = items[0].to_string();
    assert!(
        !stored.contains(&first) && !stored.contains(&second),
        "{stored}"
    );
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session() {
    let (aws, engine, _, _, first) = signed_in().await;
    let second = refresh_token(&renew(&aws, &first, 1).await.unwrap());
    let third = refresh_token(&renew(&aws, &second, 2).await.unwrap());
    let other = refresh_token(&sign_in(&aws, PASSWORD, 3).await.unwrap());
    over(renew(&aws, &first, 4).await);
    over(renew(&aws, &third, 5).await);
    assert_eq!(engine.items(Setting::SessionsTable).len(), 1);
    assert!(
        renew(&aws, &other, 6).await.is_ok(),
        "the session of another sign-in stays"
    );
}

#[test]
fn a_refresh_token_sent_ten_times_at_once_is_accepted_once_at_most() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (aws, engine, _, _, first) = runtime.block_on(signed_in());
    let jobs = (0..10).map(|_| {
        let (aws, first) = (aws.clone(), first.clone());
        async move || renew(&aws, &first, 1).await
    });
    let answers = testing::at_once(jobs);
    let taken: Vec<_> = answers.into_iter().flatten().collect();
    assert!(taken.len() <= 1, "{taken:?}");
    assert!(
        engine.items(Setting::SessionsTable).is_empty(),
        "the session has ended"
    );
}

#[tokio::test]
async fn a_renewal_whose_response_was_lost_is_made_once() {
    let (aws, engine, _, _, first) = signed_in().await;
    engine.fail_next("PutItem", Fault::LostAnswer);
    let second = refresh_token(&renew(&aws, &first, 1).await.unwrap());
    assert!(renew(&aws, &second, 2).await.is_ok());
}

#[tokio::test]
async fn a_token_that_cannot_be_signed_costs_no_refresh_token() {
    let (aws, engine, _, _, first) = signed_in().await;
    engine.answer_others("GetSecretValue", |_| {
        (
            400,
            json!({"__type": "AccessDeniedException", "message": "no"}),
        )
    });
    let answer = renew(&aws, &first, 1).await;
    assert!(matches!(answer, Err(Problem::Internal(_))), "{answer:?}");
    secret(&engine, "1", "a secret");
    assert!(renew(&aws, &first, 2).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_thirty_days_after_its_last_use_even_if_its_item_is_still_stored() {
    let (aws, engine, _, id, first) = signed_in().await;
    let second = refresh_token(&renew(&aws, &first, 30 * DAY - 1).await.unwrap());
    let at = 60 * DAY - 1;
    assert_eq!(
        engine.items(Setting::SessionsTable)[0]["expires_at"],
        now().as_seconds() + i64::try_from(at).unwrap()
    );
    over(renew(&aws, &second, at).await);
    let sessions = SessionStore::new(&aws).unwrap();
    let listed = list_sessions(&sessions, request_of(id, at, &json!({})))
        .await
        .unwrap();
    assert_eq!(body(&listed)["items"], json!([]));
    assert!(renew(&aws, &second, at - 1).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_after_180_days_however_often_it_is_used() {
    let (aws, _, _, _, first) = signed_in().await;
    let mut token = first;
    for day in 1..180 {
        token = refresh_token(&renew(&aws, &token, day * DAY).await.unwrap());
    }
    over(renew(&aws, &token, 180 * DAY).await);
}

#[tokio::test]
async fn a_renewal_reads_the_roles_again_and_refuses_a_disabled_account() {
    let (aws, engine, customers, id, first) = signed_in().await;
    grant_admin(&customers, &"ana@example.com".parse().unwrap(), now())
        .await
        .unwrap();
    let answer = body(&renew(&aws, &first, 1).await.unwrap());
    let verifier = TokenVerifier::new(&aws).unwrap();
    let known = authorize(&verifier, answer["access_token"].as_str().unwrap(), now()).await;
    assert_eq!(known["context"]["roles"], "customer admin");

    let sessions = SessionStore::new(&aws).unwrap();
    with_admin(&customers).await;
    let admin = testing::request(now(), &json!({})).at("customer_id", id);
    disable_customer(&customers, &sessions, admin)
        .await
        .unwrap();
    assert!(
        engine.items(Setting::SessionsTable).is_empty(),
        "all sessions end"
    );
    over(renew(&aws, answer["refresh_token"].as_str().unwrap(), 2).await);
}

#[tokio::test]
async fn a_session_that_began_while_its_account_was_disabled_is_not_renewed() {
    let (aws, engine, customers, id, first) = signed_in().await;
    let account = customers.account(id).await.unwrap().unwrap();
    let admin = CustomerId::derived(&["admin"]);
    let (next, stamp) = rules::disable(account, admin, now()).unwrap().unwrap();
    customers.replace(next, stamp).await.unwrap();
    over(renew(&aws, &first, 1).await);
    assert!(engine.items(Setting::SessionsTable).is_empty());
}

#[tokio::test]
async fn a_session_begun_with_an_earlier_password_is_not_renewed() {
    let (aws, _, customers, id, first) = signed_in().await;
    let account = customers.account(id).await.unwrap().unwrap();
    let hash = account.password_hash.clone();
    let (next, stamp) = rules::change_password(account, hash, now());
    customers.replace(next, stamp).await.unwrap();
    over(renew(&aws, &first, 1).await);
}

#[tokio::test]
async fn signing_out_succeeds_however_often() {
    let (aws, _, _, _, first) = signed_in().await;
    let sessions = SessionStore::new(&aws).unwrap();
    let second = refresh_token(&renew(&aws, &first, 1).await.unwrap());
    for token in [second.as_str(), &second, &first, "nonsense"] {
        let answer = logout(&sessions, request(&json!({"refresh_token": token}), None)).await;
        assert_eq!(answer.unwrap().status, StatusCode::NO_CONTENT);
    }
    over(renew(&aws, &second, 2).await);
}

#[tokio::test]
async fn customers_see_and_end_their_own_sessions_only() {
    let (aws, engine, customers, id, first) = signed_in().await;
    let sessions = SessionStore::new(&aws).unwrap();
    let eve = CustomerId::derived(&["eve"]);
    let phone = json!({"email": "ana@example.com", "password": PASSWORD});
    let phone = request(&phone, None).with("user-agent", "Phone/1");
    login(&SignIn::new(&aws).unwrap(), phone).await.unwrap();
    let list = async |id, seconds| {
        let answer = list_sessions(&sessions, request_of(id, seconds, &json!({})))
            .await
            .unwrap();
        body(&answer)["items"].as_array().unwrap().clone()
    };
    renew(&aws, &first, 5).await.unwrap();
    let mine = list(id, 5).await;
    assert_eq!(mine.len(), 2);
    assert_eq!(
        mine[0]["last_used_at"], "2026-03-01T09:30:05.000Z",
        "latest use first"
    );
    assert_eq!(mine[1]["user_agent"], "Phone/1");
    assert!(list(eve, 5).await.is_empty());

    let on_phone = mine[1]["id"].as_str().unwrap();
    let foreign = end_session(
        &sessions,
        request_of(eve, 6, &json!({})).at("session_id", on_phone),
    )
    .await;
    assert!(matches!(foreign, Err(Problem::NotFound(_))), "{foreign:?}");
    end_session(
        &sessions,
        request_of(id, 6, &json!({})).at("session_id", on_phone),
    )
    .await
    .unwrap();
    assert_eq!(list(id, 6).await.len(), 1);

    end_all_sessions(&sessions, request_of(eve, 7, &json!({})))
        .await
        .unwrap();
    assert_eq!(list(id, 7).await.len(), 1);
    end_all_sessions(&sessions, request_of(id, 7, &json!({})))
        .await
        .unwrap();
    assert!(engine.items(Setting::SessionsTable).is_empty());
    drop(customers);
}

#[tokio::test]
async fn a_refresh_token_does_not_work_as_an_access_token() {
    let (aws, _, _, _, first) = signed_in().await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    assert_eq!(
        authorize(&verifier, &first, now()).await,
        json!({"isAuthorized": false})
    );
}
