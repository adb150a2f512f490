use proptest::prelude::*;

use super::*;
use crate::payments::fixtures::after;

/// Returns `breaker` after what `next` makes of it, or as it was.
fn then(breaker: Breaker, next: impl FnOnce(&Breaker) -> Option<Breaker>) -> Breaker {
    next(&breaker).unwrap_or(breaker)
}

/// Returns a breaker after failures at these seconds.
fn failed_at(seconds: impl IntoIterator<Item = i64>) -> Breaker {
    seconds.into_iter().fold(Breaker::new(), |breaker, at| {
        then(breaker, |b| b.failed(after(at)))
    })
}

fn open(until: i64, openings: u32) -> Breaker {
    let until = after(until);
    Breaker {
        state: State::Open { until },
        openings,
    }
}

fn half_open(since: i64, openings: u32) -> Breaker {
    let since = after(since);
    Breaker {
        state: State::HalfOpen { since },
        openings,
    }
}

#[test]
fn the_fifth_failure_within_a_minute_leaves_the_gateway_out() {
    assert_eq!(failed_at([0, 1, 2, 3]).verdict(after(3)), Verdict::Use);
    assert_eq!(failed_at([0, 1, 2, 3, 4]), open(34, 1));
    assert_eq!(failed_at([0, 1, 2, 3, 59]), open(89, 1));
    // The first of them was too long ago.
    let later = failed_at([0, 1, 2, 3, 60]);
    assert_eq!(
        later.state,
        State::Closed {
            failures: 1,
            since: after(60)
        }
    );
    // A step that is repeated has an old time.
    assert_eq!(failed_at([10, 11, 12, 13, 2]), open(40, 1));
}

#[test]
fn an_answer_ends_the_count_of_failures() {
    let four = failed_at([0, 1, 2, 3]);
    let answered = four.answered(after(4)).unwrap();
    assert_eq!(answered, Breaker::new());
    assert_eq!(
        then(answered, |b| b.failed(after(5))).verdict(after(5)),
        Verdict::Use
    );
    assert_eq!(Breaker::new().answered(after(4)), None, "nothing to write");
}

#[test]
fn a_gateway_is_left_out_until_one_payment_may_try_it() {
    let breaker = open(30, 1);
    for seconds in [0, 29] {
        assert_eq!(breaker.verdict(after(seconds)), Verdict::LeaveOut);
    }
    assert_eq!(breaker.verdict(after(30)), Verdict::Try(half_open(30, 1)));
    // What was on its way when it opened changes nothing.
    assert_eq!(breaker.failed(after(31)), None);
    assert_eq!(breaker.answered(after(31)), None);
}

#[test]
fn while_one_payment_tries_a_gateway_no_other_does() {
    let breaker = half_open(30, 1);
    for seconds in [0, 30, 149] {
        assert_eq!(breaker.verdict(after(seconds)), Verdict::LeaveOut);
    }
    // Unless that payment's function has died.
    assert_eq!(breaker.verdict(after(150)), Verdict::Try(half_open(150, 1)));
}

#[test]
fn a_try_closes_the_breaker_or_opens_it_for_longer() {
    let breaker = half_open(30, 1);
    assert_eq!(breaker.answered(after(31)), Some(Breaker::new()));
    assert_eq!(breaker.failed(after(31)), Some(open(91, 2)));
    // Steps that began before say nothing of how the gateway is now.
    assert_eq!(breaker.answered(after(29)), None);
    assert_eq!(breaker.failed(after(29)), None);
    let pauses: Vec<i64> = (0..9)
        .map(|openings| half_open(0, openings).failed(after(0)).unwrap())
        .map(|breaker| match breaker.state {
            State::Open { until } => until.as_seconds() - after(0).as_seconds(),
            State::Closed { .. } | State::HalfOpen { .. } => panic!("{breaker:?}"),
        })
        .collect();
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 960, 960, 960]);
}

proptest! {
    /// Whatever happens, a gateway is never left out for longer than the longest pause, nor after fewer failures than five.
    #[test]
    fn a_gateway_is_left_out_for_a_bounded_time_and_only_after_failures(happens in prop::collection::vec((0_u8..3, 0_i64..200), 0..200)) {
        let (mut now, mut breaker, mut failures) = (0, Breaker::new(), 0);
        for (what, later) in happens {
            now += later;
            breaker = match what {
                0 => {
                    failures += 1;
                    then(breaker, |b| b.failed(after(now)))
                }
                1 => then(breaker, |b| b.answered(after(now))),
                _ => match breaker.verdict(after(now)) {
                    Verdict::Try(next) => next,
                    Verdict::Use | Verdict::LeaveOut => breaker,
                },
            };
            let left_out = breaker.verdict(after(now)) == Verdict::LeaveOut;
            prop_assert!(!left_out || failures >= MOST_FAILURES);
            prop_assert!(breaker.verdict(after(now + 960)) != Verdict::LeaveOut);
        }
    }
}
