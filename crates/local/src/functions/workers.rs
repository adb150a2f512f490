//! What carries out invocations: processes, or in tests closures.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::error::InvokeError;
use super::pool::{Job, Pool};

/// A function that runs in this process: for tests of the services that invoke functions.
pub type Handler = Arc<dyn Fn(Bytes) -> Result<Bytes, InvokeError> + Send + Sync>;

/// All functions, by logical id.
pub(super) struct Workers {
    pools: BTreeMap<String, Arc<Pool>>,
    handlers: BTreeMap<String, Handler>,
}

impl Workers {
    pub(super) fn processes(pools: BTreeMap<String, Arc<Pool>>) -> Self {
        Self {
            pools,
            handlers: BTreeMap::new(),
        }
    }

    pub(super) fn in_process(handlers: BTreeMap<String, Handler>) -> Self {
        Self {
            pools: BTreeMap::new(),
            handlers,
        }
    }

    pub(super) fn pool(&self, function: &str) -> Option<&Arc<Pool>> {
        self.pools.get(function)
    }

    pub(super) fn pools(&self) -> impl Iterator<Item = (&String, &Arc<Pool>)> {
        self.pools.iter()
    }

    /// Invokes a function as it is.
    pub(super) async fn run(
        &self,
        function: &str,
        payload: Bytes,
        trace: Option<String>,
    ) -> Result<Bytes, InvokeError> {
        if let Some(handler) = self.handlers.get(function) {
            return handler(payload);
        }
        let unknown = || InvokeError::Unknown(function.to_owned());
        let pool = self.pools.get(function).ok_or_else(unknown)?;
        let (reply, answer) = oneshot::channel();
        Pool::submit(
            pool,
            Job::new(payload, trace.unwrap_or_else(new_trace), reply),
        )?;
        let lost = || InvokeError::Exited {
            status: "the process is gone".to_owned(),
        };
        answer.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// A trace id in X-Ray's form: <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html>
fn new_trace() -> String {
    let second = jiff::Timestamp::now().as_second();
    let random = uuid::Uuid::new_v4().simple().to_string();
    let (root, parent) = (&random[..24], &random[16..32]);
    format!("Root=1-{second:08x}-{root};Parent={parent};Sampled=0")
}
