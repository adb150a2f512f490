use serde_json::{Value, json};

use super::*;
use crate::orders::fixtures::{
    Shop, after, header, json_of, lines, order, order_of, placed_at, request, request_about, step,
};
use crate::orders::workflow;
use crate::values::clock::Time;

async fn get(shop: &Shop, name: &str) -> Result<Response, Problem> {
    get_order(&shop.orders, request_about(&order(), name, after(1))).await
}

async fn cancel(shop: &Shop, name: &str, now: Time) -> Result<Response, Problem> {
    let request = request_about(&order(), name, now);
    cancel_order(&shop.orders, &shop.workflow, request).await
}

async fn list(shop: &Shop, name: &str, query: &[(&str, &str)]) -> Result<Response, Problem> {
    let mut request = request(name, after(1));
    request.query = query
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    list_orders(&shop.orders, request).await
}

fn ids(answer: &Response) -> Vec<Value> {
    let body = json_of(answer);
    let items = body["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].clone()).collect()
}

fn is_not_found(answer: Result<Response, Problem>) -> bool {
    matches!(answer, Err(Problem::NotFound("order")))
}

#[tokio::test]
async fn an_order_is_shown_to_its_owner_and_to_admins() {
    let shop = Shop::with(&order()).await;
    for name in ["ana", "admin"] {
        let answer = get(&shop, name).await.unwrap();
        assert_eq!(json_of(&answer)["id"], order().id.to_string());
        assert_eq!(header(&answer, "ETag"), Some("\"1-pending\""));
        assert!(!String::from_utf8(answer.body).unwrap().contains("tok_ok"));
    }
    assert!(is_not_found(get(&shop, "ben").await));
    assert!(is_not_found(get(&Shop::open(), "ana").await));
    let mut malformed = request_about(&order(), "ana", after(1));
    malformed
        .path_parameters
        .insert("order_id".to_owned(), "1".to_owned());
    assert!(is_not_found(get_order(&shop.orders, malformed).await));
}

#[tokio::test]
async fn an_order_is_found_by_its_number_by_those_who_may_see_it() {
    let shop = Shop::with(&order()).await;
    let number = order().number.unwrap().to_string();
    let spaced = number.replace('-', " ");
    for (name, query, found) in [
        ("ana", vec![("number", number.as_str())], 1),
        ("admin", vec![("number", spaced.as_str())], 1),
        ("ana", vec![("number", &number), ("status", "pending")], 1),
        ("ana", vec![("number", &number), ("status", "failed")], 0),
        ("ben", vec![("number", &number)], 0),
        ("ana", vec![("number", "0000-0000-0000")], 0),
    ] {
        let page = list(&shop, name, &query).await.unwrap();
        assert_eq!(ids(&page).len(), found, "{name} {query:?}");
        assert_eq!(json_of(&page)["next_cursor"], Value::Null);
    }
    for wrong in ["", "1", "0000-0000-000a"] {
        let refused = list(&shop, "ana", &[("number", wrong)]).await;
        assert!(
            matches!(refused, Err(Problem::InvalidParameters(_))),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_page_of_large_orders_is_cut_and_the_next_continues() {
    let shop = Shop::open();
    let mut large = lines(50);
    for line in &mut large {
        line.name = "𝄞".repeat(255);
    }
    for second in 0..100 {
        shop.store(&order_of("ana", large.clone(), after(second)))
            .await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for page in 1.. {
        let mut query = vec![("limit", "100")];
        if page > 1 {
            query.push(("cursor", &cursor));
        }
        let answer = list(&shop, "ana", &query).await.unwrap();
        let body = String::from_utf8(answer.body.clone()).unwrap();
        let as_text = serde_json::to_string(&body).unwrap().len();
        assert!(as_text < 5_100_000, "{as_text}");
        seen.extend(ids(&answer));
        let Some(next) = json_of(&answer)["next_cursor"].as_str().map(str::to_owned) else {
            assert!(page > 1, "the test needs larger orders");
            break;
        };
        cursor = next;
    }
    seen.dedup();
    assert_eq!(seen.len(), 100);
}

#[tokio::test]
async fn another_customer_cannot_cancel_an_order_or_learn_that_it_exists() {
    let shop = Shop::with(&order()).await;
    assert!(is_not_found(cancel(&shop, "ben", after(1)).await));
    assert_eq!(shop.stored(&order()).await, order());
    assert_eq!(shop.started(&order()), [""; 0]);
    let log = EventLog::new(&shop.aws).unwrap();
    let history = request_about(&order(), "ben", after(1));
    assert!(is_not_found(
        get_order_history(&shop.orders, &log, history).await
    ));
}

#[tokio::test]
async fn a_cancelled_order_is_undone_by_a_new_run_and_stays_as_it_is() {
    let shop = Shop::with(&order()).await;
    workflow::confirm_order(&shop.orders, step(&order(), after(1)))
        .await
        .unwrap();
    let first = cancel(&shop, "ana", after(2)).await.unwrap();
    assert_eq!(json_of(&first)["status"], "cancelled");
    assert_eq!(header(&first, "ETag"), Some("\"3-completed\""));
    assert_eq!(shop.started(&order()), ["1"]);
    let again = cancel(&shop, "admin", after(3)).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(shop.started(&order()), ["1"], "the run may not have begun");
    workflow::close_order(&shop.orders, &shop.gift_cards, step(&order(), after(4)))
        .await
        .unwrap();
    let closed = cancel(&shop, "ana", after(5)).await.unwrap();
    assert_eq!(json_of(&closed)["version"], 3);
    assert_eq!(shop.started(&order()), [""; 0], "nothing is left to undo");
}

#[tokio::test]
async fn a_refused_cancellation_says_what_is_possible() {
    let failure =
        crate::orders::model::Failure::new(crate::orders::model::FailureCode::OutOfStock, "no");
    let failed = rules::fail(order(), failure, after(1)).unwrap().unwrap();
    let confirmed = rules::confirm(
        order(),
        crate::orders::model::PaymentStatus::Completed,
        after(1),
    )
    .unwrap()
    .unwrap();
    let shipped = Order {
        status: Status::Shipped,
        ..confirmed
    };
    for (order, possible) in [
        (failed, "A failed order cannot be cancelled."),
        (
            shipped,
            "A shipped order cannot be cancelled; it can only be delivered.",
        ),
    ] {
        let shop = Shop::with(&order).await;
        let refused = cancel(&shop, "ana", after(2)).await.unwrap_err();
        assert!(matches!(refused, Problem::Conflict(_)), "{refused:?}");
        assert!(refused.to_string().ends_with(possible), "{refused}");
        assert_eq!(shop.stored(&order).await, order);
    }
}

#[tokio::test]
async fn an_order_whose_undoing_could_not_be_started_is_cancelled_and_due() {
    let shop = Shop::with(&order()).await;
    shop.refuse_starts();
    let answer = cancel(&shop, "ana", after(100)).await.unwrap();
    assert_eq!(json_of(&answer)["status"], "cancelled");
    let due = shop.orders.due_orders(after(160), 100).await.unwrap();
    assert_eq!(due, [order().id]);
}

#[tokio::test]
async fn customers_see_their_own_orders_and_admins_those_of_all_by_status() {
    let shop = Shop::open();
    let mut placed = Vec::new();
    for (number, name) in ["ana", "ben", "admin", "ana"].into_iter().enumerate() {
        let order = order_of(name, lines(1), after(u64::try_from(number).unwrap()));
        shop.store(&order).await;
        placed.push(json!(order.id));
    }
    workflow::confirm_order(
        &shop.orders,
        step(&order_of("ana", lines(1), placed_at()), after(9)),
    )
    .await
    .unwrap();
    let of = |places: &[usize]| -> Vec<Value> {
        places.iter().map(|place| placed[*place].clone()).collect()
    };
    let found =
        async |name: &str, query: &[(&str, &str)]| ids(&list(&shop, name, query).await.unwrap());
    assert_eq!(found("ana", &[]).await, of(&[3, 0]));
    assert_eq!(found("ana", &[("status", "pending")]).await, of(&[3]));
    assert_eq!(found("admin", &[]).await, of(&[2]));
    assert_eq!(
        found("admin", &[("status", "pending")]).await,
        of(&[3, 2, 1])
    );
    assert_eq!(found("admin", &[("status", "confirmed")]).await, of(&[0]));
    assert_eq!(found("admin", &[("status", "returned")]).await, of(&[]));
}

#[tokio::test]
async fn a_list_goes_on_at_its_cursor() {
    let shop = Shop::open();
    for number in 0..3 {
        shop.store(&order_of("ana", lines(1), after(number))).await;
    }
    let first = list(&shop, "ana", &[("limit", "2")]).await.unwrap();
    assert_eq!(ids(&first).len(), 2);
    let cursor = json_of(&first)["next_cursor"].as_str().unwrap().to_owned();
    let query = [("limit", "2"), ("cursor", cursor.as_str())];
    let second = list(&shop, "ana", &query).await.unwrap();
    assert_eq!(ids(&second), [json!(order().id)]);
    assert_eq!(json_of(&second)["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_list_by_an_unknown_status_is_refused() {
    let shop = Shop::open();
    let refused = list(&shop, "ana", &[("status", "lost")]).await;
    assert!(matches!(refused, Err(Problem::InvalidParameters(_))));
    let refused = list(&shop, "ana", &[("customer_id", "x")]).await;
    assert!(matches!(refused, Err(Problem::InvalidParameters(_))));
}

#[tokio::test]
async fn the_history_is_the_orders_events_in_their_order() {
    let shop = Shop::with(&order()).await;
    let log = EventLog::new(&shop.aws).unwrap();
    let confirmed = rules::confirm(
        order(),
        crate::orders::model::PaymentStatus::Completed,
        after(1),
    )
    .unwrap()
    .unwrap();
    for order in [&confirmed, &order(), &confirmed] {
        let event = DomainEvent::new(order.id, order.event.clone(), json!({}));
        log.append(event).await.unwrap();
    }
    let request = request_about(&order(), "ana", after(2));
    let answer = get_order_history(&shop.orders, &log, request)
        .await
        .unwrap();
    let body = json_of(&answer);
    let items = body["items"].as_array().unwrap();
    let types: Vec<&Value> = items.iter().map(|event| &event["event_type"]).collect();
    assert_eq!(types, ["OrderCreated", "OrderConfirmed"]);
}

#[tokio::test]
async fn an_expired_token_opens_nothing() {
    let shop = Shop::with(&order()).await;
    let mut late = request_about(&order(), "ana", after(1));
    late.now = after(61);
    let refused = get_order(&shop.orders, late).await;
    assert!(matches!(refused, Err(Problem::Unauthenticated(_))));
}
