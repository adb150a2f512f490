//! Lambda: a pool of processes for each function, invoked synchronously or asynchronously.
//!
//! Each process is the function's real binary, knows nothing but its declared environment, and asks
//! its own Runtime API for one invocation after the other. Processes are kept warm, and started one
//! more when an invocation finds none idle.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use tokio::sync::Semaphore;

use crate::arn::Arns;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::model::{Destination, Stack};

pub use error::InvokeError;
pub use log::Log;
pub use settings::{PAYLOAD_LIMIT, Settings};
pub use workers::Handler;

pub(crate) use environment::SECRET_ACCESS_KEY;

use asynchronous::Failure;
use pool::Pool;
use workers::Workers;

mod asynchronous;
mod child;
mod environment;
mod error;
mod faulty;
mod log;
mod pool;
mod process;
mod runtime_api;
mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod workers;

/// Takes what could not be delivered: where it goes, and the record as JSON.
pub type OnFailure = Box<dyn Fn(&Destination, String) + Send + Sync>;

/// The stack's functions. Clones share the processes.
#[derive(Clone)]
pub struct Functions {
    inner: Arc<Inner>,
}

struct Inner {
    workers: Workers,
    clock: Clock,
    on_failure: OnceLock<OnFailure>,
    faults: OnceLock<Faults>,
}

impl Functions {
    /// The functions of `stack`; no process starts before the first invocation.
    #[must_use]
    pub fn new(stack: &Stack, arns: &Arns, settings: Settings) -> Self {
        let clock = settings.clock.clone();
        let account = Arc::new(Semaphore::new(settings.concurrency as usize));
        let settings = Arc::new(settings);
        let pools = stack.functions.iter().map(|(id, function)| {
            let pool = Pool::new(
                id,
                function.clone(),
                arns,
                Arc::clone(&settings),
                child::launch,
                Arc::clone(&account),
            );
            (id.clone(), Arc::new(pool))
        });
        Self::with_workers(Workers::processes(pools.collect()), clock)
    }

    /// Functions that run in this process: for tests of the services that invoke functions.
    #[must_use]
    pub fn in_process(handlers: BTreeMap<String, Handler>, clock: Clock) -> Self {
        Self::with_workers(Workers::in_process(handlers), clock)
    }

    fn with_workers(workers: Workers, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                workers,
                clock,
                on_failure: OnceLock::new(),
                faults: OnceLock::new(),
            }),
        }
    }

    /// Says who takes the records of asynchronous invocations that failed for good. The first call
    /// counts.
    pub fn set_on_failure(&self, deliver: OnFailure) {
        // A second one would have no way to win; the runner sets it once.
        let _ = self.inner.on_failure.set(deliver);
    }

    /// Lets faults of `lambda:Invoke` happen. The first call counts.
    pub fn set_faults(&self, faults: Faults) {
        // As above.
        let _ = self.inner.faults.set(faults);
    }

    /// The logical id of a function, by that, its physical name or the name of its binary.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        let is_it = |(id, pool): &(&String, &Arc<Pool>)| {
            let function = pool.function();
            [id.as_str(), &function.name, &function.binary].contains(&name)
        };
        let mut pools = self.inner.workers.pools();
        pools.find(is_it).map(|(id, _)| id.as_str())
    }

    /// Invokes a function (logical id) and waits for its response. Counts in the bill.
    ///
    /// # Errors
    /// [`InvokeError`] for every way in which there is no response.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        self.invoke_traced(function, payload, None).await
    }

    /// The same as part of a trace: the value of `X-Amzn-Trace-Id`.
    ///
    /// # Errors
    /// [`InvokeError`] for every way in which there is no response.
    pub async fn invoke_traced(
        &self,
        function: &str,
        payload: Bytes,
        trace: Option<String>,
    ) -> Result<Bytes, InvokeError> {
        match self.inner.faults.get() {
            None => self.inner.workers.run(function, payload, trace).await,
            Some(faults) => {
                faulty::invoke(&self.inner.workers, faults, function, payload, trace).await
            }
        }
    }

    /// Invokes a function (logical id) asynchronously: returns at once. A failed invocation is
    /// tried again as the template says, after one and then two minutes of the clock, and goes to
    /// the on-failure destination in the end.
    ///
    /// Must be called within a tokio runtime.
    pub fn invoke_async(&self, function: &str, payload: Bytes) {
        let (functions, function) = (self.clone(), function.to_owned());
        tokio::spawn(async move {
            let pool = functions.inner.workers.pool(&function);
            let retries = pool.map_or(2, |pool| pool.function().async_retries as usize);
            let invoke = || functions.invoke(&function, payload.clone());
            let clock = &functions.inner.clock;
            if let Err(failure) = asynchronous::run(clock, retries, &function, invoke).await {
                functions.deliver(&function, &payload, &failure);
            }
        });
    }

    /// Invokes a function (logical id) with what a service (named as in faults) hands to it on its
    /// own, as [`Functions::invoke`]; twice when a fault of `service:Deliver` duplicates it.
    ///
    /// # Errors
    /// [`InvokeError`] for every way in which there is no response; of two invocations, the
    /// second's.
    pub async fn invoke_from(
        &self,
        service: &str,
        function: &str,
        payload: Bytes,
    ) -> Result<Bytes, InvokeError> {
        if self.duplicates(service, function) {
            // As if the response to the first had been lost.
            let _ = self.invoke(function, payload.clone()).await;
        }
        self.invoke(function, payload).await
    }

    /// The same asynchronously, as [`Functions::invoke_async`].
    ///
    /// Must be called within a tokio runtime.
    pub fn invoke_async_from(&self, service: &str, function: &str, payload: Bytes) {
        if self.duplicates(service, function) {
            self.invoke_async(function, payload.clone());
        }
        self.invoke_async(function, payload);
    }

    fn duplicates(&self, service: &str, function: &str) -> bool {
        let faults = self.inner.faults.get();
        faults.is_some_and(|faults| faults.duplicates(service, function))
    }

    /// The order in which a function (logical id) is to get the messages of its queue: a fault's seed, or `None` for that
    /// in which they came.
    #[must_use]
    pub fn order(&self, function: &str) -> Option<u64> {
        self.inner.faults.get()?.order(function)
    }

    /// How many invocations are in progress or wait for a process. While there is none, nothing
    /// happens until there is a call or the clock moves.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.pools().map(|pool| pool.under_way()).sum()
    }

    /// Kills the process that was started with this `AWS_SESSION_TOKEN`. Returns whether there was
    /// one.
    #[must_use]
    pub fn kill_process(&self, token: &str) -> bool {
        self.pools().any(|pool| pool.kill(token))
    }

    /// The id of the invocation that the process with this `AWS_SESSION_TOKEN` is working on.
    #[must_use]
    pub fn invocation_of(&self, token: &str) -> Option<String> {
        self.pools().find_map(|pool| pool.invocation_of(token))
    }

    /// The whole environment that a function (logical id) runs with; there is nothing at the
    /// Runtime API that it names.
    #[must_use]
    pub fn environment(&self, function: &str) -> Option<BTreeMap<String, String>> {
        let pool = self.inner.workers.pool(function)?;
        Some(environment::environment(
            pool,
            &format!("{function}-by-hand"),
            "127.0.0.1:9001",
        ))
    }

    /// Kills every process soon, and starts no more.
    pub fn close(&self) {
        for pool in self.pools() {
            pool.close();
        }
    }

    /// Ends every process, and starts no more.
    pub async fn stop(&self) {
        self.close();
        for pool in self.pools() {
            pool.emptied().await;
        }
    }

    fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.inner.workers.pools().map(|(_, pool)| pool)
    }

    fn deliver(&self, function: &str, payload: &[u8], failure: &Failure) {
        let inner = &self.inner;
        let error = &failure.error;
        tracing::warn!(function, %error, "asynchronous invocation failed for good");
        let Some(pool) = inner.workers.pool(function) else {
            return;
        };
        let destination = pool.function().async_on_failure.as_ref();
        if let (Some(to), Some(deliver)) = (destination, inner.on_failure.get()) {
            deliver(to, failure.record(inner.clock.now(), pool.arn(), payload));
        }
    }
}
