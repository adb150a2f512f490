//! Consumes `EmailConfirmed`: the orders that were placed as a guest with the confirmed address become the
//! account's.

use super::change;
use super::erasure::Erasure;
use super::events::{self, CustomerEvent};
use super::rules;
use crate::aws::dynamo::StoreError;
use crate::customers::store::CustomerStore;
use crate::runtime::{ConsumeError, Message};

/// How many orders are read from the index at a time, and how many times in one delivery.
const PAGE: usize = 100;
const MOST_PAGES: usize = 5;

/// Gives the customer who has confirmed an address the orders that were placed with it as a guest. A repeated
/// delivery changes nothing. An order that is placed as a guest later stays a guest's order, because its guest could
/// have signed in.
///
/// The account may be deleted while its orders are claimed, and the erasure that follows may have read the orders
/// before. So the account is read again after each page, and also before the first, because an earlier delivery may
/// have been cut off in between: if it is gone, its orders are erased as those of every deleted account.
///
/// # Errors
/// Returns [`ConsumeError`] if the message is to be delivered again.
pub async fn on_email_confirmed(
    erasure: &Erasure,
    customers: &CustomerStore,
    message: Message,
) -> Result<(), ConsumeError> {
    let CustomerEvent {
        customer: id, now, ..
    } = events::of_customer(&message, "EmailConfirmed")?;
    let orders = &erasure.orders;
    let mut after = None;
    for _ in 0..MOST_PAGES {
        let Some(customer) = customers.get(id).await? else {
            return Ok(erasure.begin(id, now, now).await?);
        };
        // Events carry no address. A customer who has been disabled since then claims nothing.
        if customer.email_confirmed_at.is_none() || customer.disabled {
            return Ok(());
        }
        let page = orders.guest_orders(&customer.email, after.as_deref(), PAGE);
        let page = page.await?;
        for order_id in page.items {
            let claim = |order| Ok::<_, StoreError>(rules::claim(order, id, now));
            change::apply(orders, order_id, claim).await?;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if customers.get(id).await?.is_none() {
        return Ok(erasure.begin(id, now, now).await?);
    }
    if after.is_none() {
        return Ok(());
    }
    // Claimed orders are no longer found, so the next delivery continues here.
    Err(StoreError::Busy("there are more orders of guests".into()).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::orders::fixtures::{Shop, account, after, customer, guests_order};
    use crate::orders::model::{Failure, FailureCode, Order, Status};
    use crate::testing::Fault;
    use crate::values::clock::Time;
    use crate::values::event::{DomainEvent, Stamp};
    use crate::values::id::OrderId;

    fn erasure(shop: &Shop) -> Erasure {
        Erasure::new(&shop.aws).unwrap()
    }

    fn delivery(event_type: &str, now: Time) -> Message {
        let id = customer("ana");
        let event = DomainEvent::new(id, Stamp::new(id, 2, event_type, now), json!({}));
        let body = json!({"time": now, "detail": event}).to_string();
        Message {
            id: "1".to_owned(),
            body,
            sent_at: now,
            receive_count: 1,
        }
    }

    async fn owner_after(confirmed: bool, disabled: bool) -> bool {
        let shop = Shop::open();
        let customers = account(&shop, confirmed, disabled).await;
        let order = guests_order("ana@example.COM");
        let others = guests_order("ana2@example.com");
        shop.orders.create(&order).await.unwrap();
        shop.orders.create(&others).await.unwrap();
        for _ in 0..2 {
            let message = delivery("EmailConfirmed", after(60));
            on_email_confirmed(&erasure(&shop), &customers, message)
                .await
                .unwrap();
        }
        assert_eq!(shop.stored(&others).await, others);
        let stored = shop.stored(&order).await;
        let claimed = stored.guest.is_none();
        assert_eq!(stored.customer_id == customer("ana"), claimed);
        assert_eq!(stored.version, if claimed { 2 } else { 1 });
        claimed
    }

    #[tokio::test]
    async fn a_confirmed_address_claims_its_guest_orders_in_upper_or_lower_case() {
        assert!(owner_after(true, false).await);
    }

    #[tokio::test]
    async fn an_unconfirmed_or_disabled_customer_claims_nothing() {
        assert!(!owner_after(false, false).await);
        assert!(!owner_after(true, true).await);
    }

    #[tokio::test]
    async fn a_guests_order_that_has_failed_stays_the_guests() {
        let shop = Shop::open();
        let customers = account(&shop, true, false).await;
        let failure = Failure::new(FailureCode::PaymentDeclined, "declined");
        let order = guests_order("ana@example.com");
        let order = rules::fail(order, failure, after(1)).unwrap().unwrap();
        shop.orders.create(&order).await.unwrap();
        let message = delivery("EmailConfirmed", after(60));
        on_email_confirmed(&erasure(&shop), &customers, message)
            .await
            .unwrap();
        assert_eq!(shop.stored(&order).await, order);
    }

    #[tokio::test]
    async fn a_message_that_is_not_a_confirmation_is_delivered_again() {
        let shop = Shop::open();
        let customers = CustomerStore::new(&shop.aws).unwrap();
        let other = delivery("CustomerRegistered", after(1));
        let ended = on_email_confirmed(&erasure(&shop), &customers, other).await;
        assert!(matches!(ended, Err(ConsumeError::OtherType(_))));
        let none = Message {
            body: "{}".to_owned(),
            ..delivery("EmailConfirmed", after(1))
        };
        let ended = on_email_confirmed(&erasure(&shop), &customers, none).await;
        assert!(matches!(ended, Err(ConsumeError::InvalidEvent(_))));
    }

    /// Deletes Ana's account.
    async fn delete(customers: &CustomerStore) {
        let account = customers.account(customer("ana")).await.unwrap().unwrap();
        let stamp = Stamp::new(customer("ana"), 3, "CustomerDeleted", after(30));
        assert!(customers.erase(&account, stamp).await.unwrap());
    }

    /// A guest's order that is over, so that its address can be erased at once.
    fn completed() -> Order {
        Order {
            status: Status::Completed,
            due_at: None,
            ..guests_order("ana@example.com")
        }
    }

    async fn assert_erased(shop: &Shop, order: &Order) {
        let stored = shop.stored(order).await;
        assert_eq!((stored.customer_id, stored.guest), (customer("ana"), None));
        assert_eq!(stored.shipping_address, order.shipping_address.erased());
    }

    #[tokio::test]
    async fn an_account_that_is_deleted_while_it_claims_keeps_no_address() {
        let shop = Shop::with(&completed()).await;
        let customers = account(&shop, true, false).await;
        // After the customer was read, and before the order is written.
        let meanwhile = customers.clone();
        shop.meanwhile(async move |_| delete(&meanwhile).await);
        let message = delivery("EmailConfirmed", after(60));
        on_email_confirmed(&erasure(&shop), &customers, message)
            .await
            .unwrap();
        assert_erased(&shop, &completed()).await;
    }

    #[tokio::test]
    async fn an_account_that_is_deleted_after_a_delivery_was_cut_off_keeps_no_address() {
        let shop = Shop::with(&completed()).await;
        let customers = account(&shop, true, false).await;
        // The order is claimed, and the customer cannot be read again.
        shop.engine.fail_next("GetItem", Fault::None);
        for _ in 0..3 {
            shop.engine.fail_next("GetItem", Fault::Failed);
        }
        let deliver = async || {
            let message = delivery("EmailConfirmed", after(60));
            on_email_confirmed(&erasure(&shop), &customers, message).await
        };
        assert!(deliver().await.is_err());
        shop.engine.clear_faults();
        assert_eq!(shop.stored(&completed()).await.guest, None);
        delete(&customers).await;
        deliver().await.unwrap();
        assert_erased(&shop, &completed()).await;
    }

    #[tokio::test]
    async fn a_delivery_claims_500_orders_and_the_next_one_the_rest() {
        let shop = Shop::open();
        let customers = account(&shop, true, false).await;
        let mut placed = Vec::new();
        for number in 0..520 {
            let order = Order {
                id: OrderId::derived(&[&number.to_string()]),
                number: None,
                ..guests_order("ana@example.com")
            };
            shop.store(&order).await;
            placed.push(order);
        }
        let left = async || {
            let email = "ana@example.com".parse().unwrap();
            let page = shop.orders.guest_orders(&email, None, 1_000).await.unwrap();
            page.items.len()
        };
        let deliver = async || {
            let message = delivery("EmailConfirmed", after(60));
            on_email_confirmed(&erasure(&shop), &customers, message).await
        };
        assert!(deliver().await.is_err(), "it has to be delivered again");
        assert_eq!(left().await, 20);
        deliver().await.unwrap();
        assert_eq!(left().await, 0);
        for order in &placed {
            let stored = shop.stored(order).await;
            assert_eq!((stored.customer_id, stored.version), (customer("ana"), 2));
        }
    }
}
