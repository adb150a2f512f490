//! Refresh tokens and sessions.

use super::*;
use crate::aws::dynamo::Table;
use crate::customers::admin::disable_customer;
use crate::customers::sessions::api::{
    Renewal, end_all_sessions, end_session, list_sessions, logout, refresh_session,
};
use crate::customers::sessions::model::{RefreshToken, Session, fresh_secret};
use crate::customers::sessions::store::{MOST_SESSIONS, SessionStore};
use crate::values::id::SessionId;

const DAY: u64 = 24 * 3600;

/// Registers Ana and signs her in; returns her first refresh token.
async fn signed_in() -> (Aws, Engine, CustomerStore, CustomerId, String) {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let id = registered(&aws).await;
    let refresh_token = refresh_token(&sign_in(&aws, PASSWORD, 0).await.unwrap());
    (aws, engine, customers, id, refresh_token)
}

/// Returns the only stored session.
fn session(engine: &Engine) -> Value {
    assert_eq!(stored_sessions(engine), 1);
    let items = engine.items(Setting::SessionsTable).into_iter();
    let mut sessions = items.filter(|item| item.get("session_id").is_some());
    sessions.next().unwrap()
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
    assert_eq!(stored_sessions(&engine), 1);
    let stored = Value::from(engine.items(Setting::SessionsTable)).to_string();
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
    assert_eq!(stored_sessions(&engine), 1);
    assert!(
        renew(&aws, &other, 6).await.is_ok(),
        "the session of another sign-in stays"
    );
}

/// Renews a session as another client.
async fn renew_elsewhere(aws: &Aws, token: &str, seconds: u64) -> Result<Response, Problem> {
    let request = request(&json!({"refresh_token": token}), None).with("user-agent", "Thief/1");
    let now = now().plus(Duration::from_secs(seconds));
    let request = Request { now, ..request };
    Box::pin(refresh_session(&Renewal::new(aws).unwrap(), request)).await
}

#[tokio::test]
async fn a_client_that_repeats_itself_within_ten_seconds_gets_the_same_token_again() {
    let (aws, engine, _, _, first) = signed_in().await;
    let renewed = renew(&aws, &first, 1).await.unwrap();
    for seconds in [1, 11, 0] {
        let again = renew(&aws, &first, seconds).await.unwrap();
        assert_eq!(body(&again), body(&renewed));
    }
    assert_eq!(session(&engine)["generation"], 1);
    over(renew(&aws, &first, 12).await);
    assert_eq!(stored_sessions(&engine), 0);
}

#[tokio::test]
async fn a_token_that_another_client_repeats_ends_its_session_at_once() {
    let (aws, engine, _, _, first) = signed_in().await;
    renew(&aws, &first, 1).await.unwrap();
    over(renew_elsewhere(&aws, &first, 1).await);
    assert_eq!(stored_sessions(&engine), 0);
}

#[tokio::test]
async fn two_requests_of_one_client_at_once_get_the_same_token() {
    let (aws, engine, _, _, first) = signed_in().await;
    let quicker = Arc::new(Mutex::new(String::new()));
    let (other, token, noted) = (aws.clone(), first.clone(), Arc::clone(&quicker));
    engine.before_next("PutItem", async move || {
        *noted.lock().unwrap() = refresh_token(&renew(&other, &token, 1).await.unwrap());
    });
    let slower = refresh_token(&renew(&aws, &first, 2).await.unwrap());
    assert_eq!(slower, *quicker.lock().unwrap());
    let stored = session(&engine);
    assert_eq!(
        (&stored["generation"], &stored["used_at"]),
        (&json!(1), &json!("2026-03-01T09:30:01.000Z")),
        "the second request has written nothing"
    );
    assert!(renew(&aws, &slower, 3).await.is_ok());
}

#[tokio::test]
async fn two_clients_with_one_token_at_once_end_the_session() {
    let (aws, engine, _, _, first) = signed_in().await;
    let (other, token) = (aws.clone(), first.clone());
    engine.before_next("PutItem", async move || {
        renew_elsewhere(&other, &token, 1).await.unwrap();
    });
    over(renew(&aws, &first, 1).await);
    assert_eq!(stored_sessions(&engine), 0);
}

#[tokio::test]
async fn a_session_that_ends_while_it_is_renewed_stays_over() {
    let (aws, engine, _, _, first) = signed_in().await;
    let (other, token) = (SessionStore::new(&aws).unwrap(), first.clone());
    engine.before_next("PutItem", async move || {
        let body = json!({"refresh_token": token});
        logout(&other, request(&body, None)).await.unwrap();
    });
    over(renew(&aws, &first, 1).await);
    assert_eq!(stored_sessions(&engine), 0);
}

#[tokio::test]
async fn the_identifiers_of_a_session_neither_renew_nor_end_it() {
    let (aws, engine, _, _, first) = signed_in().await;
    let second = refresh_token(&renew(&aws, &first, 1).await.unwrap());
    let before = session(&engine);
    let store = SessionStore::new(&aws).unwrap();
    let genuine: RefreshToken = second.parse().unwrap();
    for generation in [0, 1, 2, u32::MAX] {
        let mut forged = genuine.next(&[0; 32]);
        forged.generation = generation;
        over(renew(&aws, &forged.to_text(), 2).await);
        let body = json!({"refresh_token": forged.to_text()});
        let answer = logout(&store, request(&body, None)).await;
        assert_eq!(answer.unwrap().status, StatusCode::NO_CONTENT);
        assert_eq!(session(&engine), before);
    }
    // An earlier token of the session does end it.
    let body = json!({"refresh_token": first});
    logout(&store, request(&body, None)).await.unwrap();
    assert_eq!(stored_sessions(&engine), 0);
}

#[tokio::test]
async fn a_session_of_an_earlier_release_is_renewed() {
    let (aws, engine, _, id, first) = signed_in().await;
    let store = SessionStore::new(&aws).unwrap();
    let token: RefreshToken = first.parse().unwrap();
    let stored = store.get(id, token.session_id).await.unwrap().unwrap();
    let earlier = Session {
        salt: None,
        ..stored
    };
    store.begin(&earlier).await.unwrap();
    assert!(session(&engine).get("salt").is_none());
    let second = refresh_token(&renew(&aws, &first, 1).await.unwrap());
    let again = refresh_token(&renew(&aws, &first, 2).await.unwrap());
    assert_eq!(second, again);
    assert!(renew(&aws, &second, 3).await.is_ok());
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
        session(&engine)["expires_at"],
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
    assert_eq!(stored_sessions(&engine), 0, "all sessions end");
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
    assert_eq!(stored_sessions(&engine), 0);
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
    assert_eq!(stored_sessions(&engine), 0);
    drop(customers);
}

/// Stores `count` sessions of Ana, the first of which began at the second `from`.
async fn begun(sessions: &SessionStore, customers: &CustomerStore, from: u64, count: u64) {
    let ana = "ana@example.com".parse().unwrap();
    let account = customers.account_with_email(&ana).await.unwrap().unwrap();
    for second in from..from + count {
        let at = now().plus(Duration::from_secs(second));
        let (id, secrets) = (
            SessionId::fresh(at),
            [(); 2].map(|()| fresh_secret().unwrap()),
        );
        let (session, _) = Session::begin(id, &account, None, secrets, at);
        sessions.begin(&session).await.unwrap();
    }
}

#[tokio::test]
async fn an_account_has_twenty_sessions_at_most_and_the_oldest_ends() {
    let (aws, engine, customers, _, first) = signed_in().await;
    let sessions = SessionStore::new(&aws).unwrap();
    begun(&sessions, &customers, 1, 19).await;
    let stored = || stored_sessions(&engine);
    assert_eq!(stored(), MOST_SESSIONS);
    assert!(
        renew(&aws, &first, 30).await.is_ok(),
        "there is room for it"
    );
    begun(&sessions, &customers, 40, 1).await;
    assert_eq!(stored(), MOST_SESSIONS);
    over(renew(&aws, &first, 41).await);
}

#[tokio::test]
async fn an_account_with_hundreds_of_earlier_sessions_is_listed_cut_back_and_signed_out() {
    let (aws, engine, customers, id, _) = signed_in().await;
    let sessions = SessionStore::new(&aws).unwrap();
    begun(&sessions, &customers, 1, 19).await;
    // Sessions from before there was a cap.
    let items = engine.items(Setting::SessionsTable).into_iter();
    let mut items = items.filter(|item| item.get("session_id").is_some());
    let template = items.next().unwrap();
    let table = Table::new(&aws, Setting::SessionsTable).unwrap();
    for second in 0..230 {
        let mut item = template.clone();
        let id = SessionId::fresh(now().plus(Duration::from_secs(100 + second)));
        item["session_id"] = json!(id);
        item["sk"] = json!(format!("session#{id}"));
        table.write(table.put(&item).unwrap()).await.unwrap();
    }
    assert_eq!(stored_sessions(&engine), 250);
    assert_eq!(sessions.list(id, now()).await.unwrap().len(), 100);
    begun(&sessions, &customers, 1000, 1).await;
    assert_eq!(stored_sessions(&engine), 170);
    sessions.end_all(id).await.unwrap();
    assert_eq!(stored_sessions(&engine), 0);
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
