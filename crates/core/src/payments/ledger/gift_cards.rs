//! Pure rules: which entries follow from a change of a gift card.

use super::model::{Entry, Movement};
use crate::orders::gift_cards::image::GiftCardImage;
use crate::payments::model::Payment;
use crate::values::clock::Time;
use crate::values::id::{GiftCardId, OrderId};
use crate::values::money::{Money, MoneyError};

/// Returns the entries of the change of an item from `old` (`None` if it is new) to `new`: of a card that was issued, of what
/// an order took, and of what came back. The balance follows from these, so a change of it alone makes none.
///
/// # Errors
/// [`MoneyError`] if the amounts are in different currencies.
pub fn entries(old: Option<&GiftCardImage>, new: &GiftCardImage) -> Result<Vec<Entry>, MoneyError> {
    let entries = match (old, new) {
        (None, GiftCardImage::Card { id, issued, at }) => {
            vec![entry(Movement::GiftCardIssued, *id, None, 1, *issued, *at)]
        }
        (Some(_), GiftCardImage::Card { .. }) | (_, GiftCardImage::Code) => Vec::new(),
        (old, GiftCardImage::Redemption(new)) => {
            let (card, order) = (new.card, Some(new.order_id));
            let (took, returned) = match old {
                Some(GiftCardImage::Redemption(old)) => (true, old.returned),
                Some(GiftCardImage::Card { .. } | GiftCardImage::Code) | None => {
                    (false, Money::zero(new.amount.currency()))
                }
            };
            let made = |of, amount| entry(of, card, order, new.version, amount, new.at);
            let taken = (!took).then(|| made(Movement::GiftCardRedeemed, new.amount));
            let back = new.returned.minus(returned)?;
            let back = back
                .is_positive()
                .then(|| made(Movement::GiftCardRefunded, back));
            taken.into_iter().chain(back).collect()
        }
    };
    Ok(entries)
}

fn entry(
    of: Movement,
    card: GiftCardId,
    order_id: Option<OrderId>,
    version: u64,
    amount: Money,
    at: Time,
) -> Entry {
    // None of these is at a gateway.
    let (debit, credit) = of.accounts("");
    Entry {
        order_id,
        payment_id: order_id.map(Payment::id_of),
        gift_card_id: Some(card),
        movement_id: None,
        version,
        of,
        at,
        debit,
        credit,
        amount,
        refund_id: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::settings::Setting;
    use crate::orders::gift_cards::code::GiftCardCode;
    use crate::orders::gift_cards::image::RedemptionImage;
    use crate::orders::gift_cards::model::GiftCard;
    use crate::orders::gift_cards::store::GiftCardStore;
    use crate::orders::redemptions::Redemption;
    use crate::payments::fixtures::{after, eur, order_id};
    use crate::payments::ledger::record::record_ledger;
    use crate::payments::ledger::store::LedgerStore;
    use crate::testing::{self, Engine};
    use crate::values::stream::StreamBatch;

    /// Returns the change from the items `before` to those `after`, as the stream delivers them.
    fn changes(before: &[Value], after: &[Value]) -> StreamBatch {
        let typed = |item: &Value| serde_dynamo::to_item::<_, serde_dynamo::Item>(item).unwrap();
        let key = |item: &Value| json!([item["gift_card_id"], item["part"]]);
        let changed = after.iter().filter(|item| !before.contains(item));
        let records: Vec<Value> = changed
            .map(|item| {
                let was = before.iter().find(|was| key(was) == key(item));
                let keys = json!({"gift_card_id": item["gift_card_id"], "part": item["part"]});
                json!({
                    "eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/GIFT_CARDS/stream/x",
                    "dynamodb": {
                        "SequenceNumber": "1",
                        "Keys": typed(&keys),
                        "NewImage": typed(item),
                        "OldImage": was.map(typed),
                    },
                })
            })
            .collect();
        serde_json::from_value(json!({"Records": records})).unwrap()
    }

    /// Returns what is recorded, in the order of time.
    fn recorded(engine: &Engine) -> Vec<String> {
        let mut items = engine.items(Setting::LedgerTable);
        items.sort_by_key(|item| item["position"].to_string());
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let line = |item: &Value| {
            format!(
                "{} {} <- {} {} {}",
                text(&item["of"]),
                text(&item["debit"]),
                text(&item["credit"]),
                item["amount"],
                item["order_id"].is_string(),
            )
        };
        items.iter().map(line).collect()
    }

    #[tokio::test]
    async fn what_is_issued_taken_and_returned_is_recorded_once() {
        let (aws, engine) = testing::aws();
        let (cards, ledger) = (
            GiftCardStore::new(&aws).unwrap(),
            LedgerStore::new(&aws).unwrap(),
        );
        let code = GiftCardCode::random().unwrap();
        let card = GiftCard {
            id: GiftCardId::derived(&["card"]),
            last_four: code.last_four(),
            issued: eur("50.00"),
            balance: eur("50.00"),
            customer_id: None,
            expires_at: None,
            request_hash: "hash".to_owned(),
            created_at: after(0),
            updated_at: after(0),
        };
        let redemption = Redemption {
            card: card.id,
            last_four: card.last_four.clone(),
            amount: eur("30.00"),
        };
        let items = || engine.items(Setting::GiftCardsTable);
        let mut seen = vec![Vec::new()];
        cards.create(&card, &code).await.unwrap();
        seen.push(items());
        let taken = cards.take(order_id(), &redemption, after(1)).unwrap();
        cards.write_all(taken.into()).await;
        seen.push(items());
        for (seconds, total) in [(2, "10.00"), (3, "30.00")] {
            let back = cards.bring_back(card.id, order_id(), eur(total), after(seconds));
            back.await.unwrap();
            seen.push(items());
        }
        // Every change is delivered twice, and the last one again at the end.
        let again = seen.windows(2).rev().take(1);
        for pair in seen.windows(2).flat_map(|pair| [pair, pair]).chain(again) {
            let batch = changes(&pair[0], &pair[1]);
            let response = record_ledger(&ledger, batch).await.unwrap();
            let response = serde_json::to_value(response).unwrap();
            assert_eq!(response, json!({"batchItemFailures": []}));
        }
        let expected = [
            "gift_card_issued gift_cards_issued <- gift_cards 5000 false",
            "gift_card_redeemed gift_cards <- sales 3000 true",
            "gift_card_refunded refunds <- gift_cards 1000 true",
            "gift_card_refunded refunds <- gift_cards 2000 true",
        ];
        assert_eq!(recorded(&engine), expected);
    }

    fn money(units: u64) -> Money {
        Money::from_minor_units(units, "EUR".parse().unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn the_account_of_gift_cards_is_what_is_left_on_them(
            issued in prop::collection::vec(1_u64..100_000, 1..4),
            orders in prop::collection::vec(
                (any::<prop::sample::Index>(), 1_u64..50_000, prop::collection::vec(0_u64..50_000, 0..4)),
                0..8,
            ),
        ) {
            let card = |at: usize| GiftCardId::derived(&["card", &at.to_string()]);
            let mut left: Vec<u64> = issued.clone();
            let mut made: Vec<Entry> = Vec::new();
            for (at, units) in issued.iter().enumerate() {
                let new = GiftCardImage::Card { id: card(at), issued: money(*units), at: after(0) };
                made.extend(entries(None, &new).unwrap());
                // Its balance changes.
                prop_assert_eq!(entries(Some(&new), &new), Ok(Vec::new()));
            }
            for (number, (at, wanted, returns)) in orders.into_iter().enumerate() {
                let at = at.index(issued.len());
                let took = wanted.min(left[at]);
                if took == 0 {
                    continue;
                }
                left[at] -= took;
                let mut image = RedemptionImage {
                    card: card(at),
                    order_id: OrderId::derived(&[&number.to_string()]),
                    amount: money(took),
                    returned: money(0),
                    version: 1,
                    at: after(1),
                };
                let taken = entries(None, &GiftCardImage::Redemption(image.clone()));
                made.extend(taken.unwrap());
                let mut returned = 0;
                for total in returns {
                    let total = total.min(took);
                    if total <= returned {
                        continue;
                    }
                    left[at] += total - returned;
                    returned = total;
                    let before = GiftCardImage::Redemption(image.clone());
                    image.returned = money(total);
                    image.version += 1;
                    let now = GiftCardImage::Redemption(image.clone());
                    made.extend(entries(Some(&before), &now).unwrap());
                }
            }
            let ids: std::collections::BTreeSet<_> = made.iter().map(Entry::id).collect();
            prop_assert_eq!(ids.len(), made.len());
            let mut accounts: BTreeMap<String, i128> = BTreeMap::new();
            for entry in &made {
                let units = i128::from(entry.amount.minor_units().unwrap());
                *accounts.entry(entry.debit.to_string()).or_default() += units;
                *accounts.entry(entry.credit.to_string()).or_default() -= units;
            }
            prop_assert_eq!(accounts.values().sum::<i128>(), 0);
            let liability: u64 = left.iter().sum();
            prop_assert_eq!(accounts["gift_cards"], -i128::from(liability));
        }
    }
}
