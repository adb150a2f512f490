//! Parallel and Map: several ways through states at once.

use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::{Run, Thread, details_of};
use crate::states::failure::{Failure, Stop};
use crate::states::machine::{Machine, MapWork};
use crate::states::path::Scope;

impl Run {
    pub(super) async fn parallel(
        &self,
        branches: &[Machine],
        input: &Value,
        thread: &mut Thread,
    ) -> Result<Value, Stop> {
        self.record(thread, "ParallelStateStarted", Value::Null);
        let threads = branches.iter().map(|branch| {
            let (event, item) = (thread.event, thread.item.clone());
            async move {
                self.branch(branch, input.clone(), &mut Thread { event, item })
                    .await
            }
        });
        let joined = try_join_all(threads).await;
        self.joined(joined, "Parallel", thread)
    }

    pub(super) async fn map(
        &self,
        each: &MapWork,
        scope: Scope<'_>,
        thread: &mut Thread,
    ) -> Result<Value, Stop> {
        let Value::Array(items) = each.items.apply(scope)? else {
            return Err(Failure::runtime("the items of a Map are not an array").into());
        };
        self.record(thread, "MapStateStarted", json!({"length": items.len()}));
        let event = thread.event;
        let work = items
            .into_iter()
            .enumerate()
            .map(|(index, value)| async move {
                let item = json!({"Item": {"Index": index, "Value": value}});
                let mut context = scope.context.clone();
                context["Map"] = item.clone();
                let input = match &each.selector {
                    None => value,
                    Some(selector) => selector.evaluate(Scope {
                        input: scope.input,
                        context: &context,
                    })?,
                };
                let mut thread = Thread {
                    event,
                    item: Some(item),
                };
                self.record(&mut thread, "MapIterationStarted", json!({"index": index}));
                let outcome = self.branch(&each.processor, input, &mut thread).await;
                let ended = if outcome.is_ok() {
                    "MapIterationSucceeded"
                } else {
                    "MapIterationFailed"
                };
                self.record(&mut thread, ended, json!({"index": index}));
                outcome
            });
        let joined = stream::iter(work)
            .buffered(each.concurrency)
            .try_collect()
            .await;
        self.joined(joined, "Map", thread)
    }

    /// Writes down how branches ended together.
    fn joined(
        &self,
        joined: Result<Vec<Value>, Stop>,
        kind: &str,
        thread: &mut Thread,
    ) -> Result<Value, Stop> {
        match &joined {
            Ok(_) => self.record(thread, format!("{kind}StateSucceeded"), Value::Null),
            Err(Stop::Failed(failure)) => {
                self.record(thread, format!("{kind}StateFailed"), details_of(failure));
            }
            Err(Stop::TimedOut) => {}
        }
        joined.map(Value::Array)
    }
}
