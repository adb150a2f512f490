//! How a stored item changes: it is read, a decision is made, and what was decided is written on the condition
//! that nobody else wrote in between; if somebody did, all of it is done again.

use super::error::StoreError;
use super::write::Written;

/// How often a decision is made that other writers keep overtaking.
const ATTEMPTS: u32 = 10;

/// How one attempt to change an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt<T> {
    /// The item is as it should be.
    Done(T),
    /// Another writer changed it after it was read: nothing is written.
    Overtaken,
}

impl From<Written> for Attempt<()> {
    /// A write whose condition compares what was read is refused if another writer was quicker.
    fn from(written: Written) -> Self {
        match written {
            Written::Done => Self::Done(()),
            Written::Refused(_) => Self::Overtaken,
        }
    }
}

/// Makes `attempt`, which reads, decides and writes, until no other writer overtakes it.
///
/// # Errors
/// Those of `attempt`, and [`StoreError::Busy`] if it is overtaken ten times; `what` names the item then.
pub async fn change<T, E: From<StoreError>, F>(what: &str, attempt: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<Attempt<T>, E>>,
{
    let busy = || StoreError::Busy(format!("{what} keeps changing").into());
    change_or(|| busy().into(), attempt).await
}

/// Makes `attempt` as [`change`] does, for callers who have an error of their own for an item that keeps changing.
///
/// # Errors
/// Those of `attempt`, and that of `overtaken` if it is overtaken ten times.
pub async fn change_or<T, E, F>(
    overtaken: impl FnOnce() -> E,
    attempt: impl Fn() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<Attempt<T>, E>>,
{
    for _ in 0..ATTEMPTS {
        // Boxed: what an attempt awaits would make every handler's future kilobytes larger.
        match Box::pin(attempt()).await? {
            Attempt::Done(done) => return Ok(done),
            Attempt::Overtaken => {}
        }
    }
    Err(overtaken())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn an_attempt_that_is_overtaken_is_made_again_and_not_for_ever() {
        let attempts = Cell::new(0);
        let third = change("it", || async {
            attempts.set(attempts.get() + 1);
            Ok::<_, StoreError>(match attempts.get() {
                3 => Attempt::Done("written"),
                _ => Attempt::Overtaken,
            })
        });
        assert_eq!(third.await.unwrap(), "written");
        assert_eq!(attempts.get(), 3);
        let never = change("it", || async {
            attempts.set(attempts.get() + 1);
            Ok::<Attempt<()>, StoreError>(Attempt::Overtaken)
        });
        assert!(matches!(never.await, Err(StoreError::Busy(_))));
        assert_eq!(attempts.get(), 13);
    }
}
