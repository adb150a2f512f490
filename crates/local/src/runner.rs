//! Puts everything together: one template, running on this machine.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::control::Control;
use crate::dynamodb::DynamoDb;
use crate::functions::Functions;
use crate::model::Stack;
use crate::template::Places;

pub use error::Error;
pub use options::{Options, Urls};

use ports::Ports;

mod assemble;
mod error;
mod options;
mod ports;
#[cfg(test)]
mod tests;

/// A running template. It ends with [`Runner::stop`], or when dropped.
pub struct Runner {
    urls: Urls,
    control: Arc<Control>,
    tables: DynamoDb,
    tasks: Vec<JoinSet<()>>,
}

impl Runner {
    /// Starts everything; the functions' processes start when they are invoked.
    ///
    /// # Errors
    /// [`enum@Error`], when a port is taken or the template asks for what is not emulated.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let ports = Ports::bind(&options).await?;
        let urls = ports.urls.clone();
        let places = Places {
            region: options.region.clone(),
            stack_name: options.stack_name.clone(),
            endpoint: urls.aws.clone(),
            shop: urls.shop.clone(),
        };
        let stack = Stack::load(&options.template, &options.parameters, &places)?;
        let (services, control) = assemble::assemble(&options, &stack, &urls)?;
        let control = Arc::new(control);
        let tables = services.tables.clone();
        let tasks = assemble::run(ports, &stack, services, &control)?;
        Ok(Self {
            urls,
            control,
            tables,
            tasks,
        })
    }

    /// Where everything is served.
    #[must_use]
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// The functions, to invoke them from outside.
    #[must_use]
    pub fn functions(&self) -> &Functions {
        &self.control.functions
    }

    /// The tables, to wait for their streams.
    #[must_use]
    pub fn tables(&self) -> &DynamoDb {
        &self.tables
    }

    /// Makes `/_local/ready` say yes, with these users to try the application as. The first call
    /// counts.
    pub fn set_ready(&self, users: Value) {
        // A later call changes nothing.
        let _ = self.control.ready.set(users);
    }

    /// Ends everything: services first, then every process.
    pub async fn stop(mut self) {
        self.tasks.clear();
        self.control.functions.stop().await;
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.control.functions.close();
    }
}
