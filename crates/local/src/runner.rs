//! Puts everything together: one template, running on this machine.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::control::Control;
use crate::dynamodb::{DynamoDb, OpenError};
use crate::events::RuleError;
use crate::faults::FaultError;
use crate::functions::Functions;
use crate::model::Stack;
use crate::queues::MappingError;
use crate::states::DefinitionError;
use crate::template::{Places, TemplateError};

pub use options::{Options, Urls};

mod assemble;
mod options;
#[cfg(test)]
mod tests;

/// Why a template does not run.
#[derive(Debug, Error)]
pub enum Error {
    /// A port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The template cannot be loaded.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A table cannot be made or opened.
    #[error(transparent)]
    Tables(#[from] OpenError),
    /// A rule is not emulated.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A state machine is not emulated.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The mapping of a queue is not emulated.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The mapping of a stream is not emulated.
    #[error("{0}")]
    Stream(String),
    /// A fault is not understood.
    #[error(transparent)]
    Fault(#[from] FaultError),
}

/// A running template. It ends with [`Runner::stop`], or when dropped.
pub struct Runner {
    urls: Urls,
    control: Arc<Control>,
    tables: DynamoDb,
    tasks: Vec<JoinSet<()>>,
}

/// The three ports.
struct Ports {
    shop: TcpListener,
    control: TcpListener,
    aws: TcpListener,
    urls: Urls,
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
        // Ready is ready.
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

impl Ports {
    async fn bind(options: &Options) -> Result<Self, Error> {
        let (shop, shop_url) = listen(options.port).await?;
        let (control, control_url) = listen(options.control_port).await?;
        let (aws, aws_url) = listen(options.aws_port).await?;
        let urls = Urls {
            shop: shop_url,
            control: control_url,
            aws: aws_url,
        };
        Ok(Self {
            shop,
            control,
            aws,
            urls,
        })
    }
}

/// A listener on loopback, and its URL.
async fn listen(port: u16) -> Result<(TcpListener, String), Error> {
    let failed = |source| Error::Port { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, format!("http://{address}")))
}
