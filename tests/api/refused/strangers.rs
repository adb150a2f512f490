//! Orders of other customers and unknown orders.

use expect_test::expect;

use super::Scene;
use crate::support::people::Person;
use crate::support::run_local;

#[test]
fn orders_of_others_and_unknown_orders_are_not_found() {
    run_local(async {
        let scene = Scene::new().await;
        let nobody = uuid::Uuid::nil();
        let get = |path: String, who: &Person| scene.shop.get(&path).bearer(&who.token);
        let (order, customer, stranger) = (&scene.order, &scene.customer, &scene.stranger);
        let cancel = scene.shop.post(&format!("/orders/{order}/cancel"));
        let cancel_nothing = scene.shop.post(&format!("/orders/{nobody}/cancel"));
        let calls = vec![
            ("another's order", get(format!("/orders/{order}"), stranger)),
            (
                "another's history",
                get(format!("/orders/{order}/history"), stranger),
            ),
            (
                "another's payments",
                get(format!("/orders/{order}/payments"), stranger),
            ),
            ("another's order to cancel", cancel.bearer(&stranger.token)),
            (
                "an unknown order",
                get(format!("/orders/{nobody}"), customer),
            ),
            (
                "an unknown history",
                get(format!("/orders/{nobody}/history"), customer),
            ),
            (
                "unknown payments",
                get(format!("/orders/{nobody}/payments"), customer),
            ),
            (
                "an unknown order to cancel",
                cancel_nothing.bearer(&customer.token),
            ),
            (
                "an order with an invalid id",
                get("/orders/mine".to_owned(), customer),
            ),
            (
                "an unknown status",
                get("/orders?status=lost".to_owned(), customer),
            ),
            (
                "somebody else's list",
                get(format!("/orders?customer_id={}", customer.id), stranger),
            ),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            another's order: 404 not-found
            another's history: 404 not-found
            another's payments: 404 not-found
            another's order to cancel: 404 not-found
            an unknown order: 404 not-found
            an unknown history: 404 not-found
            unknown payments: 404 not-found
            an unknown order to cancel: 404 not-found
            an order with an invalid id: 404 not-found
            an unknown status: 400 invalid-parameters ?status invalid
            somebody else's list: 400 invalid-parameters ?customer_id unknown_parameter
        "#]],
            )
            .await;
    });
}
