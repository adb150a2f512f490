//! AWS calls of an invocation, how many of them are made one after another, and connections of a
//! process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use oxcart_local::calls::{CallLog, TimedCall, in_a_row};
use serde::Serialize;

use super::clients::{self, Bounds};
use super::numbers::median;
use super::requests::Kind;
use super::shop::Shop;
use crate::Error;

/// How long every AWS call takes at least. Without that, a call could end before the function has
/// sent another one that does not wait for it.
const CALL: Duration = Duration::from_millis(20);

/// How many requests of each kind are sent, one after another.
const REQUESTS: u64 = 10;

/// The most time that this takes.
const TIME: Duration = Duration::from_mins(2);

/// The requests.
const KINDS: [Kind; 4] = [
    Kind::Health,
    Kind::Product,
    Kind::List,
    Kind::Order { wait: false },
];

/// What the invocations of one function ask of AWS.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct CallCosts {
    function: String,
    invocations: usize,
    /// AWS calls of an invocation.
    calls_median: usize,
    calls_most: usize,
    /// The longest chain of AWS calls of an invocation in which each began after the one before had
    /// ended.
    in_a_row_median: usize,
    in_a_row_most: usize,
    /// Processes that made calls.
    processes: usize,
    /// The most connections to AWS that one process opened and used.
    connections_most: usize,
}

/// Starts a shop in which AWS calls take longer, and returns what each function in use asks of AWS.
///
/// # Errors
/// If the shop does not start or come to rest, or a request fails.
pub(super) async fn run() -> Result<Vec<CallCosts>, Error> {
    let log = CallLog::default();
    let shop = Shop::start(Some(log.clone())).await?;
    let counted = count(&shop, &log).await;
    shop.stop().await;
    let costs = counted?;
    print(&costs);
    Ok(costs)
}

async fn count(shop: &Shop, log: &CallLog) -> Result<Vec<CallCosts>, Error> {
    shop.delay_calls(CALL).await?;
    shop.reset_invocations().await?;
    // Those of the demo.
    drop(log.take());
    let bounds = Bounds {
        requests: REQUESTS,
        time: TIME,
    };
    for kind in KINDS {
        let outcome = clients::drive(shop.target("calls"), kind, 1, bounds).await?;
        if let Some(failure) = outcome.first_failure {
            return Err(format!("a request of {} failed: {failure}", kind.name()).into());
        }
    }
    shop.settle().await?;
    let calls = log.take();
    let mut costs = Vec::new();
    for (name, invocations) in shop.invocations().await? {
        let id = shop.logical_id(&name);
        let own = calls
            .iter()
            .filter(|call| Some(call.function.as_str()) == id);
        let own: Vec<&TimedCall> = own.collect();
        costs.push(CallCosts::new(&name, usize::try_from(invocations)?, &own));
    }
    Ok(costs)
}

impl CallCosts {
    /// The function.
    pub(super) fn function(&self) -> &str {
        &self.function
    }

    /// Those of the function `name`, which made these calls in so many invocations.
    fn new(name: &str, invocations: usize, calls: &[&TimedCall]) -> Self {
        let mut by_invocation: BTreeMap<&str, Vec<(Duration, Duration)>> = BTreeMap::new();
        let mut connections: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
        for call in calls {
            if let Some(invocation) = &call.invocation {
                let times = by_invocation.entry(invocation).or_default();
                times.push((call.started, call.ended));
            }
            connections
                .entry(&call.process)
                .or_default()
                .insert(call.connection);
        }
        // An invocation that made no call is not in the log.
        let silent = invocations.saturating_sub(by_invocation.len());
        let with_silent = |mut counts: Vec<usize>| {
            counts.extend(std::iter::repeat_n(0, silent));
            let most = counts.iter().copied().max().unwrap_or(0);
            (median(counts).unwrap_or(0), most)
        };
        let (calls_median, calls_most) =
            with_silent(by_invocation.values().map(Vec::len).collect());
        let rows = by_invocation.into_values().map(in_a_row).collect();
        let (in_a_row_median, in_a_row_most) = with_silent(rows);
        Self {
            function: name.to_owned(),
            invocations,
            calls_median,
            calls_most,
            in_a_row_median,
            in_a_row_most,
            processes: connections.len(),
            connections_most: connections.values().map(BTreeSet::len).max().unwrap_or(0),
        }
    }
}

fn print(costs: &[CallCosts]) {
    println!(
        "\nAWS calls of an invocation, the median and the most; connections of a process, the most."
    );
    println!(
        "{:<22} {:>11} {:>7} {:>5} {:>10} {:>5} {:>10} {:>12}",
        "function", "invocations", "calls", "most", "in a row", "most", "processes", "connections"
    );
    for cost in costs {
        println!(
            "{:<22} {:>11} {:>7} {:>5} {:>10} {:>5} {:>10} {:>12}",
            cost.function,
            cost.invocations,
            cost.calls_median,
            cost.calls_most,
            cost.in_a_row_median,
            cost.in_a_row_most,
            cost.processes,
            cost.connections_most,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(process: &str, invocation: Option<&str>, port: u16, times: (u64, u64)) -> TimedCall {
        TimedCall {
            function: "ListProducts".to_owned(),
            process: process.to_owned(),
            invocation: invocation.map(str::to_owned),
            connection: ([127, 0, 0, 1], port).into(),
            action: "dynamodb:Query".to_owned(),
            started: Duration::from_millis(times.0),
            ended: Duration::from_millis(times.1),
        }
    }

    #[test]
    fn invocations_without_calls_count_and_calls_between_invocations_do_not() {
        let calls = [
            call("ListProducts-1", None, 1, (0, 10)),
            call("ListProducts-1", Some("a"), 1, (20, 40)),
            call("ListProducts-1", Some("a"), 2, (20, 41)),
            call("ListProducts-1", Some("a"), 2, (42, 62)),
            call("ListProducts-2", Some("b"), 3, (20, 40)),
        ];
        let costs = CallCosts {
            function: "list-products".to_owned(),
            invocations: 5,
            calls_median: 0,
            calls_most: 3,
            in_a_row_median: 0,
            in_a_row_most: 2,
            processes: 2,
            connections_most: 2,
        };
        let calls: Vec<&TimedCall> = calls.iter().collect();
        assert_eq!(CallCosts::new("list-products", 5, &calls), costs);
        let two = CallCosts::new("list-products", 2, &calls);
        assert_eq!((two.calls_median, two.in_a_row_median), (1, 1));
    }
}
