//! Whatever happens in whatever order, nothing is used that changed before what the process knows.

use proptest::prelude::*;

use super::super::changes::{Log, MOST_TAGS};
use super::super::known::{Known, Moment, Position};
use super::super::tag::Tag;
use super::second;
use crate::values::id::ProductId;

/// What happens to a few things, and to a process that keeps them.
#[derive(Clone, Debug)]
enum Step {
    /// One of the things changes, and the log says so.
    Change(usize),
    /// Very many other things change.
    Flood(usize),
    /// The process reads the log.
    Ask,
    /// The process reads the log from a replica that lags behind.
    AskLate,
    /// The process reads the thing and keeps it.
    Keep(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize).prop_map(Step::Change),
        1 => (1..2 * MOST_TAGS).prop_map(Step::Flood),
        4 => Just(Step::Ask),
        1 => Just(Step::AskLate),
        4 => (0..4_usize).prop_map(Step::Keep),
    ]
}

fn tag(number: usize) -> Tag {
    Tag::product(ProductId::derived(&[&number.to_string()]))
}

fn changed(log: &mut Log, tag: Tag) {
    log.begun = "1".to_owned();
    log.sequence += 1;
    log.tags.push(tag);
    if log.tags.len() > MOST_TAGS {
        log.tags.remove(0);
    }
}

proptest! {
    #[test]
    fn nothing_is_used_that_changed_before_the_last_known_change(steps in prop::collection::vec(step(), 1..60)) {
        let mut log = Log::default();
        let mut late = log.clone();
        let mut known: Option<Known> = None;
        // The number of the last change of each thing, and what is kept of it: the change that it shows, and the position.
        let mut truth = [0_u64; 4];
        let mut kept: [Option<(u64, Position)>; 4] = [const { None }; 4];
        for step in steps {
            match step {
                Step::Change(thing) => {
                    late = log.clone();
                    changed(&mut log, tag(thing));
                    truth[thing] = log.sequence;
                }
                Step::Flood(number) => (0..number).for_each(|at| changed(&mut log, tag(100 + at))),
                Step::Ask | Step::AskLate => {
                    let read = if matches!(step, Step::Ask) { &log } else { &late };
                    match &mut known {
                        Some(known) => known.learn(read, Moment::of(second(0))),
                        None => known = Some(Known::new(read, Moment::of(second(0)))),
                    }
                }
                Step::Keep(thing) => {
                    kept[thing] = known.as_ref().map(|known| (truth[thing], known.last().clone()));
                }
            }
            let Some(known) = &known else { continue };
            for (thing, kept) in kept.iter().enumerate() {
                let Some((shows, position)) = kept else { continue };
                let is_used = known.is_current(position, &[tag(thing)]);
                let is_old = *shows < truth[thing] && truth[thing] <= known.last().sequence;
                prop_assert!(!(is_used && is_old), "{thing} shows {shows} of {}", truth[thing]);
            }
        }
    }
}
