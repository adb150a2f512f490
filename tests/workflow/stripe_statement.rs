//! The ledger against the balance transactions of localstripe.

use serde_json::json;

use super::stripe::refund;
use crate::support::prices::money;
use crate::support::run_in_euros;
use crate::support::shop::Setup;
use crate::support::stripe::Localstripe;

#[test]
fn what_stripe_has_moved_and_the_ledger_does_not_know_is_listed() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = stripe.shop(Setup::default()).await;
        let begun: jiff::Timestamp = shop.now().await.parse().unwrap();
        shop.reconcile_from(begun).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let refused = "pm_card_chargeCustomerFail";
        let mut orders = Vec::new();
        for token in ["pm_card_visa", "pm_card_visa", refused] {
            let order = shop.order(&customer, &product, token).await;
            shop.until_settled(&order).await;
            orders.push(order);
        }
        let payment = shop.payment_of(&orders[0]).await;
        refund(&shop, &payment, &json!({"amount": money("10.00")})).await;
        shop.cancel(&customer, &orders[1]).await.expect(200);
        shop.until_settled(&orders[1]).await;
        // Another program uses the account.
        stripe.charge(700).await;
        shop.quiet().await;
        // What is listed is listed once.
        for _ in 0..2 {
            shop.reconcile(begun).await;
            let until = begun + jiff::SignedDuration::from_hours(24);
            let call = shop.get(&format!("/ledger/differences?from={begun}&to={until}"));
            let call = call.bearer(&shop.admin().await.token);
            let page = call.send().await.expect(200).json();
            let [found] = page["items"].as_array().unwrap().as_slice() else {
                let moved = stripe.balance_transactions().await;
                panic!("{page} from {begun} on, of {moved:?}");
            };
            assert_eq!(found["kind"], "missing_in_ledger", "{found}");
            assert_eq!(found["gateway"], "stripe", "{found}");
            assert_eq!(found["gateway_amount"], money("7.00"), "{found}");
            assert!(found["order_id"].is_null(), "{found}");
        }
    });
}
