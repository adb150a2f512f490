//! What a process knows of the changes of the catalogue.

mod law;

use crate::values::clock::Time;

fn second(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 1000)
}
