//! What happens in the year: everything that is drawn from the seed. The same seed and the same sizes make the same
//! year, in the same order; what the shop answers does not change what is drawn.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::PLACES;

/// The weeks of a year.
const WEEKS: usize = 52;

/// Fewer orders than this, and the weeks become longer: most of a small year would be waiting.
const ORDERS_PER_PERIOD: usize = 25;

/// The most lines of an order.
const MOST_LINES: usize = 50;

/// Every so many products there is one of which only a few are on hand.
const SCARCE_EVERY: usize = 50;

/// What is put on hand of all other products: enough for every year.
pub(super) const PLENTY: u64 = 10_000_000;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Orders that are placed.
    pub(super) orders: usize,
    /// Products that are sold.
    pub(super) products: usize,
    /// Customers who have an account.
    pub(super) customers: usize,
}

impl Sizes {
    /// A shop with ten orders per product and five per customer.
    pub(super) fn for_orders(orders: usize) -> Self {
        Self {
            orders,
            products: (orders / 10).max(MOST_LINES + 10),
            customers: (orders / 5).max(20),
        }
    }

    /// Into how many periods the year is divided: weeks, if there are enough orders for that.
    pub(super) fn periods(self) -> usize {
        (self.orders / ORDERS_PER_PERIOD).clamp(4, WEEKS)
    }
}

/// A payment token of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Pays.
    Ok,
    /// Pays, but the gateway's responses are lost: the next run of the workflow asks for the outcome.
    Unknown,
    /// Declined.
    Declined,
    /// Declined because of insufficient funds.
    InsufficientFunds,
    /// Declined, and then paid with another token.
    Retried,
    /// Pays once the shopper has confirmed the payment at the bank.
    Confirmed,
    /// One of the two before, of an order whose workflow did not come to the payment in time. It is never drawn.
    Abandoned,
}

impl Token {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "tok_ok",
            Self::Unknown => "tok_unknown",
            Self::Declined => "tok_declined",
            Self::InsufficientFunds | Self::Retried => "tok_insufficient_funds",
            Self::Confirmed | Self::Abandoned => "tok_requires_action",
        }
    }

    /// Whether the gateway takes the money in the end.
    pub(super) fn pays(self) -> bool {
        match self {
            Self::Ok | Self::Unknown | Self::Retried | Self::Confirmed => true,
            Self::Declined | Self::InsufficientFunds | Self::Abandoned => false,
        }
    }
}

/// A discount code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Can be used without a limit.
    Spring,
    /// Can be used a limited number of times.
    Limited,
}

impl Code {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Spring => "SPRING",
            Self::Limited => "LIMITED",
        }
    }
}

/// What gift cards pay of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GiftCard {
    No,
    /// A part, if it costs more than the card is worth.
    Part,
    Whole,
}

/// Whether and when the customer cancels the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    No,
    /// As soon as it is placed, at the same time as its workflow runs.
    AtOnce,
    /// At the end of the period.
    Later,
}

/// What an admin refunds of the order at the end of the period, or what becomes of a dispute of its payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refund {
    No,
    /// One piece of the first line, which comes back into stock.
    Piece,
    /// An amount of one smallest unit.
    Amount,
    /// The cardholder disputes the charge, and the bank decides for the shop.
    DisputeWon,
    /// The bank decides for the cardholder.
    DisputeLost,
}

/// One line of a basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The product's number.
    pub(super) product: usize,
    pub(super) quantity: u64,
}

/// An order that is to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// The customer's number.
    pub(super) customer: usize,
    /// The number of the place that it is shipped to.
    pub(super) place: usize,
    /// Each product at most once.
    pub(super) lines: Vec<Line>,
    pub(super) token: Token,
    pub(super) code: Option<Code>,
    pub(super) gift_card: GiftCard,
    pub(super) cancel: Cancel,
    pub(super) refund: Refund,
}

/// The generator.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    random: ChaCha8Rng,
    sizes: Sizes,
    products: LongTail,
    customers: LongTail,
    /// Whether each customer has deleted the account.
    deleted: Vec<bool>,
}

impl Plan {
    pub(super) fn new(seed: u64, sizes: Sizes) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            sizes,
            products: LongTail::new(sizes.products),
            customers: LongTail::new(sizes.customers),
            deleted: vec![false; sizes.customers],
        }
    }

    /// Returns the number of orders of each period. December has twice and one week in November four times as many as
    /// the others.
    pub(super) fn orders_by_period(&self) -> Vec<usize> {
        let periods = self.sizes.periods();
        let weight = |period: usize| match period * WEEKS / periods {
            46 => 4,
            47..=50 => 2,
            _ => 1,
        };
        let whole: usize = (0..periods).map(weight).sum();
        let mut before = 0;
        let mut placed = 0;
        let orders = (0..periods).map(|period| {
            before += weight(period);
            let until = self.sizes.orders * before / whole;
            let orders = until - placed;
            placed = until;
            orders
        });
        orders.collect()
    }

    /// Returns a price from 1,200 to 29,999 of the currency's smallest units; low prices are more frequent.
    pub(super) fn price(&mut self) -> u64 {
        let highest = self.random.random_range(1_300..=29_999);
        self.random.random_range(1_200..=highest)
    }

    /// Returns how many of a product are put on hand.
    pub(super) fn on_hand(&mut self, product: usize) -> u64 {
        if is_scarce(product) {
            self.random.random_range(1..=10)
        } else {
            PLENTY
        }
    }

    /// Returns the products whose price changes in a period, one in a hundred, each with its new price.
    pub(super) fn price_changes(&mut self) -> Vec<(usize, u64)> {
        let changes = 0..self.sizes.products.div_ceil(100);
        changes
            .map(|_| (self.products.draw(&mut self.random), self.price()))
            .collect()
    }

    /// Returns a scarce product that gets new stock, and how much.
    pub(super) fn restock(&mut self) -> (usize, u64) {
        let scarce = self.sizes.products / SCARCE_EVERY;
        let product = self.random.random_range(1..=scarce) * SCARCE_EVERY - 1;
        (product, self.random.random_range(1..=5))
    }

    /// Returns the customers who delete their accounts at the end of a period: one percent of them in the year.
    /// The first customers, who order most, stay.
    pub(super) fn deletions(&mut self) -> Vec<usize> {
        let customers = self.sizes.customers;
        let in_year = (customers / 100).max(2);
        let deletions = 0..in_year.div_ceil(self.sizes.periods());
        let drawn = deletions.map(|_| self.random.random_range(customers / 10..customers));
        let mut drawn: Vec<usize> = drawn.collect();
        drawn.retain(|&customer| !std::mem::replace(&mut self.deleted[customer], true));
        drawn
    }

    /// Returns the next order.
    pub(super) fn order(&mut self) -> Draft {
        let customer = loop {
            let customer = self.customers.draw(&mut self.random);
            if !self.deleted[customer] {
                break customer;
            }
        };
        Draft {
            customer,
            place: match self.random.random_range(0..3) {
                0 => 0,
                _ => self.random.random_range(0..PLACES.len()),
            },
            lines: self.basket(),
            token: match self.random.random_range(0..100) {
                0..=3 => Token::Declined,
                4..=5 => Token::InsufficientFunds,
                6..=7 => Token::Unknown,
                8..=9 => Token::Retried,
                10..=11 => Token::Confirmed,
                _ => Token::Ok,
            },
            code: match self.random.random_range(0..100) {
                0..=7 => Some(Code::Spring),
                8..=9 => Some(Code::Limited),
                _ => None,
            },
            gift_card: match self.random.random_range(0..100) {
                0..=2 => GiftCard::Part,
                3 => GiftCard::Whole,
                _ => GiftCard::No,
            },
            cancel: match self.random.random_range(0..100) {
                0..=1 => Cancel::AtOnce,
                2..=4 => Cancel::Later,
                _ => Cancel::No,
            },
            refund: match self.random.random_range(0..100) {
                0..=3 => Refund::Piece,
                4..=5 => Refund::Amount,
                6 => Refund::DisputeWon,
                7 => Refund::DisputeLost,
                _ => Refund::No,
            },
        }
    }

    fn basket(&mut self) -> Vec<Line> {
        let count = match self.random.random_range(0..1000) {
            0..=599 => 1,
            600..=799 => 2,
            800..=899 => 3,
            900..=979 => self.random.random_range(4..=10),
            980..=994 => self.random.random_range(11..MOST_LINES),
            _ => MOST_LINES,
        };
        let mut lines: Vec<Line> = Vec::with_capacity(count);
        while lines.len() < count {
            let product = self.products.draw(&mut self.random);
            if lines.iter().all(|line| line.product != product) {
                let quantity = match self.random.random_range(0..100) {
                    0..=79 => 1,
                    80..=97 => self.random.random_range(2..=3),
                    _ => 10,
                };
                lines.push(Line { product, quantity });
            }
        }
        lines
    }
}

/// Returns the number of the first of two variants of one product, of which `number` is one. Of `products` numbers, two of
/// ten belong together so.
pub(super) fn first_variant(number: usize, products: usize) -> Option<usize> {
    match number % 10 {
        4 if number + 1 < products => Some(number),
        5 => Some(number - 1),
        _ => None,
    }
}

/// Whether only a few of the product are on hand, so that orders for it fail.
pub(super) fn is_scarce(product: usize) -> bool {
    product % SCARCE_EVERY == SCARCE_EVERY - 1
}

/// Draws numbers from 0, the second half as often as the first, the third a third as often (Zipf's law).
#[derive(Clone, Debug)]
struct LongTail {
    /// For each number, its weight and those of all before it.
    cumulated: Vec<u64>,
}

impl LongTail {
    fn new(count: usize) -> Self {
        let weights = (1..=count as u64).map(|rank| 1_000_000_000 / rank);
        let cumulated = weights.scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self {
            cumulated: cumulated.collect(),
        }
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> usize {
        let whole = self.cumulated.last().copied().unwrap_or(1);
        let drawn = random.random_range(0..whole);
        self.cumulated.partition_point(|sum| *sum <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts(seed: u64, orders: usize) -> Vec<Draft> {
        let mut plan = Plan::new(seed, Sizes::for_orders(orders));
        (0..orders).map(|_| plan.order()).collect()
    }

    #[test]
    fn a_seed_makes_one_year() {
        assert_eq!(drafts(7, 100), drafts(7, 100));
        assert_ne!(drafts(7, 100), drafts(8, 100));
    }

    #[test]
    fn every_order_belongs_to_a_period() {
        for (orders, periods) in [(1, 4), (100, 4), (1_000, 40), (100_000, 52)] {
            let by_period = Plan::new(1, Sizes::for_orders(orders)).orders_by_period();
            assert_eq!(by_period.len(), periods);
            assert_eq!(by_period.iter().sum::<usize>(), orders);
        }
        let by_week = Plan::new(1, Sizes::for_orders(100_000)).orders_by_period();
        assert!(by_week[46] > 3 * by_week[0]);
    }

    #[test]
    fn baskets_are_mostly_small_and_sometimes_full() {
        let drafts = drafts(1, 10_000);
        let with = |lines| {
            drafts
                .iter()
                .filter(|draft| draft.lines.len() == lines)
                .count()
        };
        assert!((5_500..6_500).contains(&with(1)));
        assert!((20..100).contains(&with(MOST_LINES)));
    }

    #[test]
    fn two_of_ten_products_are_variants_of_one() {
        let firsts = (0..15).map(|number| first_variant(number, 15));
        let pairs: Vec<(usize, usize)> = firsts
            .enumerate()
            .filter_map(|(number, first)| Some((number, first?)))
            .collect();
        // The last number of an odd one out is a product of its own.
        assert_eq!(pairs, [(4, 4), (5, 4)]);
        assert_eq!(first_variant(14, 16), Some(14));
    }

    #[test]
    fn few_products_make_up_most_of_the_sales() {
        let sizes = Sizes::for_orders(10_000);
        let drafts = drafts(1, sizes.orders);
        let sold: Vec<usize> = drafts
            .iter()
            .flat_map(|draft| draft.lines.iter().map(|line| line.product))
            .collect();
        let popular = sold
            .iter()
            .filter(|product| **product < sizes.products / 10);
        assert!(popular.count() > sold.len() / 2);
        assert!(
            sold.iter()
                .any(|product| *product > sizes.products * 9 / 10)
        );
        assert!(sold.iter().all(|product| *product < sizes.products));
    }

    #[test]
    fn nobody_orders_after_deleting_the_account() {
        let mut plan = Plan::new(1, Sizes::for_orders(1_000));
        let mut deleted = Vec::new();
        for _ in 0..40 {
            deleted.extend(plan.deletions());
            let customer = plan.order().customer;
            assert!(!deleted.contains(&customer));
        }
        let count = deleted.len();
        deleted.sort_unstable();
        deleted.dedup();
        assert_eq!(deleted.len(), count);
    }
}
