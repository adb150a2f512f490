//! Plays the year: period by period, prices change, orders are placed in bursts, some are cancelled, and some customers
//! delete their accounts.

use std::time::Duration;

use futures::future::try_join;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::browse::{browse, check_collection, check_search, look};
use super::costs::{self, Costs};
use super::gift_cards::{self, Issued};
use super::imports::Imports;
use super::ledger::{self, Ledger};
use super::lists;
use super::plan::{Cancel, Code, Draft, Plan, Refund, Sizes, Token, is_scarce};
use super::progress::Progress;
use super::refunds;
use super::request::{Request, Response, Who};
use super::seed::{self, PASSWORD};
use super::shop::{Shop, units};
use super::shoppers;
use super::world::PLACES;
use crate::Error;

/// How many orders are placed before the clock moves.
const BURST: usize = 200;

/// How far the clock moves between two bursts.
const BETWEEN_BURSTS: Duration = Duration::from_mins(5);

/// How far the clock moves after the year: addresses of deleted customers' orders are erased after 30 days.
const AFTER_THE_YEAR: Duration = Duration::from_hours(40 * 24);

/// The year as it is played.
pub(super) struct Play<'a> {
    pub(super) shop: &'a Shop,
    pub(super) plan: Plan,
    pub(super) sizes: Sizes,
    pub(super) ledger: Ledger,
    pub(super) faults: Vec<String>,
    pub(super) at_once: usize,
    /// How long the year is.
    pub(super) weeks: u16,
    /// How many lists were read from their first page to their last.
    pub(super) browsed: usize,
    /// The files that are imported meanwhile.
    pub(super) imports: Imports,
    /// How many calls and invocations a fault has hit.
    pub(super) faults_hit: u64,
}

impl Play<'_> {
    /// Plays the whole year, and returns what the functions cost after ten to the power of n orders.
    ///
    /// # Errors
    /// If the shop fails or does not come to rest.
    pub(super) async fn play(&mut self) -> Result<Vec<Costs>, Error> {
        self.shop.set_faults(&self.faults).await?;
        let begun = self.shop.clock.now();
        let mut progress = Progress::new("orders", self.sizes.orders);
        let mut costs = Vec::new();
        let mut mark = 100;
        let by_period = self.plan.orders_by_period();
        let periods = by_period.len();
        for (period, orders) in by_period.into_iter().enumerate() {
            self.change_prices().await?;
            let first = self.ledger.orders.len();
            let last = first + orders;
            let (mut later, mut refunds) = (Vec::new(), Vec::new());
            while self.ledger.orders.len() < last {
                let placed = self.ledger.orders.len();
                let burst = BURST.min(last - placed).min(mark - placed);
                let burst = self.burst(burst).await?;
                later.extend(burst.cancelled_later);
                refunds.extend(burst.refunds);
                progress.show(self.ledger.orders.len());
                if self.ledger.orders.len() == mark {
                    costs.push(self.measure().await?);
                    mark *= 10;
                }
                let _ = self.shop.clock.advance(BETWEEN_BURSTS);
            }
            self.refund(&refunds).await?;
            self.cancel(later).await?;
            self.delete_accounts().await?;
            self.jump(self.end_of(begun, period + 1, periods)?);
        }
        self.settle_from(self.ledger.orders.len()).await?;
        let later = self.shop.clock.now().checked_add(AFTER_THE_YEAR)?;
        self.jump(later);
        self.end_faults().await?;
        self.settle_from(0).await?;
        let disagreement = check_collection(self.shop, &self.ledger).await?;
        self.ledger.disagreements.extend(disagreement);
        let wrong = check_search(self.shop).await?;
        self.ledger.disagreements.extend(wrong);
        let wrong = self.imports.check(self.shop, &self.ledger).await?;
        self.ledger.disagreements.extend(wrong);
        Ok(costs)
    }

    /// When a period ends.
    fn end_of(&self, begun: Timestamp, period: usize, periods: usize) -> Result<Timestamp, Error> {
        let hours = usize::from(self.weeks) * 7 * 24 * period / periods;
        Ok(begun.checked_add(SignedDuration::from_hours(i64::try_from(hours)?))?)
    }

    /// Moves the clock to `at`.
    fn jump(&self, at: Timestamp) {
        let left = at.duration_since(self.shop.clock.now());
        let left = Duration::try_from(left).unwrap_or_default();
        let _ = self.shop.clock.advance(left);
    }

    /// Waits until the orders from this number on are over, and nothing is on its way.
    async fn settle_from(&self, first: usize) -> Result<(), Error> {
        let orders = self.ledger.orders.iter().skip(first);
        self.shop
            .settle(orders.map(|order| order.id.as_str()))
            .await
    }

    /// Measures what the functions cost, without faults.
    async fn measure(&mut self) -> Result<Costs, Error> {
        self.end_faults().await?;
        let mut failures = Vec::new();
        let costs = costs::measure(self.shop, &self.ledger, &mut failures).await?;
        self.ledger.disagreements.extend(failures);
        self.shop.set_faults(&self.faults).await?;
        Ok(costs)
    }

    /// Ends all faults, and counts what they have hit.
    async fn end_faults(&mut self) -> Result<(), Error> {
        let faults = self.shop.control("faults").await?;
        let hits = faults.as_array().into_iter().flatten();
        self.faults_hit += hits.filter_map(|fault| fault["hit"].as_u64()).sum::<u64>();
        self.shop.set_faults(&[]).await
    }

    /// Changes the prices of some products, and puts new stock in of one that is scarce.
    async fn change_prices(&mut self) -> Result<(), Error> {
        for (number, price) in self.plan.price_changes() {
            let Some(product) = self.ledger.products.get_mut(number) else {
                continue;
            };
            if product.price == price {
                continue;
            }
            let change = Request::new("update-product", "PATCH", "/products/{product_id}")
                .by(Who::Admin)
                .parameter("product_id", &product.parent)
                .header("if-match", "*")
                .json(product.at_price(&self.shop.amount(price)?));
            self.shop.send(&change).await?.expect(&[200])?;
            product.price = price;
            self.ledger.price_changes += 1;
        }
        let (number, more) = self.plan.restock();
        if let Some(product) = self.ledger.products.get_mut(number) {
            let on_hand = product.on_hand + more;
            seed::set_stock(self.shop, &product.id, on_hand).await?;
            product.on_hand = on_hand;
        }
        self.shop.settle([]).await
    }

    /// Places some orders at once and waits until they are over. Returns what is to happen to them at the end of the period.
    async fn burst(&mut self, orders: usize) -> Result<Burst, Error> {
        let first = self.ledger.orders.len();
        let drafts: Vec<Draft> = (0..orders).map(|_| self.plan.order()).collect();
        let plans: Vec<(Cancel, Refund)> = drafts
            .iter()
            .map(|draft| (draft.cancel, draft.refund))
            .collect();
        self.imports.begin(self.shop, &mut self.ledger).await?;
        let (shop, ledger, baskets) = (self.shop, &self.ledger, self.ledger.baskets());
        let baskets_looked_at = drafts.iter().map(|draft| {
            let lines = draft.lines.iter();
            lines.map(|line| line.product).collect::<Vec<usize>>()
        });
        let looked_at: Vec<Vec<usize>> = baskets_looked_at.collect();
        stream::iter(&looked_at)
            .map(|products| look(shop, ledger, products))
            .buffered(self.at_once)
            .try_collect::<()>()
            .await?;
        let placed = stream::iter(drafts.into_iter().enumerate())
            .map(|(at, draft)| place(shop, ledger, baskets + at, draft))
            .buffered(self.at_once)
            .try_collect();
        let browsed = browse(shop, ledger, self.browsed);
        let (placed, disagreement): (Vec<Placed>, _) = try_join(placed, browsed).await?;
        self.browsed += 1;
        self.ledger.disagreements.extend(disagreement);
        let mut burst = Burst::default();
        for (placed, (cancel, refund)) in placed.into_iter().zip(plans) {
            self.ledger.used_up += u64::from(placed.used_up);
            self.ledger.gift_cards += placed.gift_card;
            self.ledger.disagreements.extend(placed.disagreement);
            let Some(order) = placed.order else {
                self.ledger.sold_out += 1;
                continue;
            };
            if cancel == Cancel::Later {
                burst.cancelled_later.push(self.ledger.orders.len());
            }
            if refund != Refund::No {
                burst.refunds.push((self.ledger.orders.len(), refund));
            }
            self.ledger.orders.push(order);
        }
        self.settle_from(first).await?;
        let disagreement = self.imports.end(self.shop).await?;
        self.ledger.disagreements.extend(disagreement);
        Ok(burst)
    }

    /// Lets an admin refund something of these orders, which have long been decided.
    async fn refund(&mut self, refunds: &[(usize, Refund)]) -> Result<(), Error> {
        for (number, refund) in refunds {
            if let Some(order) = self.ledger.orders.get_mut(*number) {
                refunds::refund(self.shop, order, *refund).await?;
            }
        }
        self.shop.settle([]).await
    }

    /// Cancels these orders, which have long been decided.
    async fn cancel(&mut self, orders: Vec<usize>) -> Result<(), Error> {
        for number in orders {
            if let Some(order) = self.ledger.orders.get_mut(number) {
                let customer = self.ledger.customers.get(order.customer);
                let customer = customer.map_or("", |customer| customer.id.as_str());
                order.cancelled |= cancel(self.shop, customer, &order.id).await?;
            }
        }
        self.shop.settle([]).await
    }

    /// Lets some customers delete their accounts.
    async fn delete_accounts(&mut self) -> Result<(), Error> {
        for number in self.plan.deletions() {
            let Some(customer) = self.ledger.customers.get_mut(number) else {
                continue;
            };
            let delete = Request::new("delete-account", "DELETE", "/customers/me")
                .by(Who::Customer(&customer.id))
                .json(json!({"password": PASSWORD}));
            // The account is not found if the response to the request was lost, and it was sent again.
            self.shop.send(&delete).await?.expect(&[204, 404])?;
            customer.deleted = true;
            let theirs = self.ledger.orders.iter_mut();
            theirs
                .filter(|order| order.customer == number)
                .for_each(|order| order.erased = true);
        }
        self.shop.settle([]).await
    }
}

/// What is to happen to orders at the end of their period, by their numbers.
#[derive(Debug, Default)]
struct Burst {
    cancelled_later: Vec<usize>,
    refunds: Vec<(usize, Refund)>,
}

/// An order that was placed, and what happened on the way.
struct Placed {
    /// `None` if it was refused because a product was out of stock.
    order: Option<ledger::Order>,
    used_up: bool,
    /// What a gift card was issued for.
    gift_card: u64,
    disagreement: Option<String>,
}

/// Places the order of basket `number`, and cancels it if that is to happen at once.
async fn place(shop: &Shop, ledger: &Ledger, number: usize, draft: Draft) -> Result<Placed, Error> {
    let customer = ledger.customers.get(draft.customer);
    let customer = customer.map_or("", |customer| customer.id.as_str());
    let card = gift_cards::issue(shop, number, &draft).await?;
    let (body, used_up) = place_with(shop, ledger, customer, number, &draft, &card).await?;
    let limited = draft.code == Some(Code::Limited) && !used_up;
    let discounted = draft.code == Some(Code::Spring) || limited;
    if is_sold_out(&body) {
        let disagreement = (!draft.lines.iter().any(|line| is_scarce(line.product)))
            .then(|| format!("basket {number} has no scarce product: {body}"));
        return Ok(Placed {
            order: None,
            used_up,
            gift_card: card.amount,
            disagreement,
        });
    }
    let id = seed::text(&body, "id")?;
    let cancelled = draft.cancel == Cancel::AtOnce && cancel(shop, customer, &id).await?;
    let currency = lists::currency(draft.place, shop.currency).unwrap_or(shop.currency);
    let token = if gift_cards::pay_for_all(&body, currency)? {
        Token::Ok
    } else {
        shoppers::act(shop, customer, &id, draft.token).await?
    };
    let (total, disagreement) = check_total(shop, ledger, &draft, discounted, &body);
    Ok(Placed {
        order: Some(ledger::Order {
            id,
            customer: draft.customer,
            lines: draft.lines,
            token,
            total,
            limited,
            cancelled,
            erased: false,
            refunded: 0,
            dispute: None,
            restocked: 0,
        }),
        used_up,
        gift_card: card.amount,
        disagreement: disagreement.map(|detail| format!("basket {number}: {detail}: {body}")),
    })
}

/// Places an order; without its discount code, if all uses of that are taken. Returns the order, or the problem of what is
/// sold out, and whether they were.
async fn place_with(
    shop: &Shop,
    ledger: &Ledger,
    customer: &str,
    number: usize,
    draft: &Draft,
    card: &Issued,
) -> Result<(Value, bool), Error> {
    let items = draft.lines.iter().map(|line| {
        let product = ledger.products.get(line.product);
        let has_variants = product.is_some_and(|product| !product.variants.is_empty());
        let name = if has_variants {
            "variant_id"
        } else {
            "product_id"
        };
        json!({(name): product.map(|product| &product.id), "quantity": line.quantity})
    });
    let mut body = json!({
        "items": items.collect::<Vec<Value>>(),
        "shipping_address": PLACES[draft.place].address(&format!("Customer {}", draft.customer)),
        "payment": {
            "token": draft.token.as_str(),
            "retryable": draft.token == Token::Retried,
        },
    });
    if let Some(code) = &card.code {
        body["payment"]["gift_card_codes"] = json!([code]);
    }
    if let Some(currency) = lists::currency(draft.place, shop.currency) {
        body["currency"] = currency.code().into();
    }
    let request = |key: String, body: &Value| {
        Request::new("place-order", "POST", "/orders")
            .by(Who::Customer(customer))
            .header("idempotency-key", key)
            .json(body.clone())
    };
    if let Some(code) = draft.code {
        body["discount_code"] = code.as_str().into();
        let response = shop
            .send(&request(format!("order-{number}-{}", code.as_str()), &body))
            .await?;
        if response.status != 422 {
            return Ok((placed_or_sold_out(response)?, false));
        }
        if response.body["errors"][0]["code"] != "used_up" {
            return Err(format!("a discount code was refused: {}", response.body).into());
        }
        if let Some(body) = body.as_object_mut() {
            body.remove("discount_code");
        }
    }
    let response = shop
        .send(&request(format!("order-{number}"), &body))
        .await?;
    Ok((placed_or_sold_out(response)?, draft.code.is_some()))
}

/// Returns the body of `response`, which has to be an order or say that something is sold out.
fn placed_or_sold_out(response: Response) -> Result<Value, Error> {
    if is_sold_out(&response.body) {
        return Ok(response.body);
    }
    response.expect(&[201, 202])
}

fn is_sold_out(body: &Value) -> bool {
    body["type"] == "urn:oxcart:problem:out-of-stock"
}

/// Returns the total of a placed order, and what does not agree with the generator's prices and taxes.
fn check_total(
    shop: &Shop,
    ledger: &Ledger,
    draft: &Draft,
    discounted: bool,
    body: &Value,
) -> (u64, Option<String>) {
    let currency = lists::currency(draft.place, shop.currency).unwrap_or(shop.currency);
    let amount = |field: &str| {
        let amount = &body[field];
        let units = units(amount["amount"].as_str()?, currency);
        units.filter(|_| amount["currency"] == currency.code())
    };
    let amounts = (
        amount("subtotal"),
        amount("discount"),
        amount("tax"),
        amount("total_amount"),
    );
    let (Some(subtotal), Some(discount), Some(tax), Some(total)) = amounts else {
        return (0, Some("an order without its amounts".to_owned()));
    };
    let expected = ledger.subtotal(&draft.lines, draft.place);
    let net = subtotal - discount.min(subtotal);
    let expected_tax = PLACES[draft.place].tax(net);
    let disagreement = if subtotal != expected {
        Some(format!("its lines cost {subtotal} and not {expected}"))
    } else if discounted != (discount > 0) {
        Some(format!("its discount is {discount}"))
    } else if tax != expected_tax {
        Some(format!("its tax is {tax} and not {expected_tax}"))
    } else if net + tax != total {
        Some(format!(
            "its total of {total} is not the subtotal less the discount with the tax"
        ))
    } else {
        None
    };
    (total, disagreement)
}

/// Cancels an order. Returns whether the shop has accepted that: an order that has failed cannot be cancelled.
async fn cancel(shop: &Shop, customer: &str, order: &str) -> Result<bool, Error> {
    let request = Request::new("cancel-order", "POST", "/orders/{order_id}/cancel")
        .by(Who::Customer(customer))
        .parameter("order_id", order)
        .json(json!({}));
    let response = shop.send(&request).await?;
    let accepted = response.status == 200;
    response.expect(&[200, 409])?;
    Ok(accepted)
}
