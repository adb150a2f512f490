//! Puts everything together: one template, running on this machine.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::arn::Arns;
use crate::aws::Endpoint;
use crate::bill::Bill;
use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::control::{self, Control};
use crate::dynamodb::{Deliver, Destinations, DynamoDb, OpenError};
use crate::events::{EventBridge, RuleError};
use crate::faults::{Fault, FaultError, Faults};
use crate::functions::{Functions, Log, Settings};
use crate::gateway::Gateway;
use crate::mail::Mail;
use crate::model::{Api, Destination, Stack};
use crate::queues::{MappingError, Queues};
use crate::record::Record;
use crate::schedule;
use crate::secrets::Secrets;
use crate::states::{DefinitionError, StateMachines};
use crate::template::{Places, TemplateError};

#[cfg(test)]
mod tests;

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The template.
    pub template: PathBuf,
    /// Values for the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// The directory of the functions' binaries.
    pub binaries: PathBuf,
    /// The port of the HTTP API; 0 for any free one.
    pub port: u16,
    /// The port of `/_local/...`; 0 for any free one.
    pub control_port: u16,
    /// The port of the AWS APIs; 0 for any free one.
    pub aws_port: u16,
    /// Where tables, buckets and secrets are kept; `None` for nowhere.
    pub data: Option<PathBuf>,
    /// The time.
    pub clock: Clock,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What the faults' chances are drawn from.
    pub fault_seed: u64,
    /// Where the functions' AWS calls are recorded.
    pub record: Option<PathBuf>,
    /// The region.
    pub region: String,
    /// The stack's name.
    pub stack_name: String,
    /// Where the functions' output goes.
    pub log: Log,
}

impl Options {
    /// A template and its binaries on any free ports, nothing kept, by the machine's time.
    #[must_use]
    pub fn new(template: impl Into<PathBuf>, binaries: impl Into<PathBuf>) -> Self {
        Self {
            template: template.into(),
            parameters: BTreeMap::new(),
            binaries: binaries.into(),
            port: 0,
            control_port: 0,
            aws_port: 0,
            data: None,
            clock: Clock::system(),
            faults: Vec::new(),
            fault_seed: 1,
            record: None,
            region: "eu-central-1".to_owned(),
            stack_name: "local".to_owned(),
            log: Log::Stderr,
        }
    }
}

/// Where everything is served.
#[derive(Clone, Debug)]
pub struct Urls {
    /// The HTTP API.
    pub shop: String,
    /// `/_local/...`.
    pub control: String,
    /// The AWS APIs.
    pub aws: String,
}

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

/// The services that are behind the AWS endpoint or feed functions.
struct Services {
    arns: Arns,
    events: EventBridge,
    record: Record,
    secrets: Secrets,
    tables: DynamoDb,
}

impl Runner {
    /// Starts everything; the functions' processes start when they are invoked.
    ///
    /// # Errors
    /// [`Error`], when a port is taken or the template asks for what is not emulated.
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
        let (services, control) = assemble(&options, &stack, &urls)?;
        let control = Arc::new(control);
        let tables = services.tables.clone();
        let tasks = run(ports, &stack, services, &control)?;
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

/// Builds every service; nothing runs yet.
fn assemble(options: &Options, stack: &Stack, urls: &Urls) -> Result<(Services, Control), Error> {
    let data = options.data.as_deref();
    if let Some(folder) = data {
        std::fs::create_dir_all(folder).map_err(|source| cannot_use(folder, source))?;
    }
    let clock = options.clock.clone();
    let arns = Arns::of(&options.region, stack);
    let bill = Bill::new(stack);
    let record = match &options.record {
        Some(path) => {
            Record::to_file(path, stack, &arns).map_err(|source| cannot_use(path, source))?
        }
        None => Record::none(&arns),
    };
    let faults = Faults::new(stack, options.fault_seed);
    let texts: Vec<String> = options.faults.iter().map(ToString::to_string).collect();
    faults.set_text(&texts)?;
    let tables = DynamoDb::start(stack, &arns, &clock, &bill, &record, data)?;
    tables.follow(&faults);
    let settings = Settings {
        binaries: options.binaries.clone(),
        endpoint: urls.aws.clone(),
        clock: clock.clone(),
        log: options.log.clone(),
        bill: bill.clone(),
    };
    let functions = Functions::new(stack, &arns, settings);
    functions.set_faults(faults.clone());
    let queues = Queues::new(stack, clock.clone(), bill.clone(), arns.clone(), &urls.aws);
    let machines = StateMachines::new(
        stack,
        clock.clone(),
        bill.clone(),
        arns.clone(),
        functions.clone(),
    )?;
    let events = EventBridge::new(
        stack,
        clock.clone(),
        bill.clone(),
        arns.clone(),
        functions.clone(),
        queues.clone(),
        machines.clone(),
    )?;
    events.set_faults(faults.clone());
    let unusable = |source| cannot_use(data.unwrap_or(Path::new("")), source);
    let secrets = Secrets::new(stack, clock.clone(), arns.clone(), data).map_err(unusable)?;
    let services = Services {
        arns,
        events,
        record,
        secrets,
        tables,
    };
    let control = Control {
        bill,
        buckets: Buckets::new(stack, data),
        mail: Mail::new(clock.clone()),
        clock,
        faults,
        functions,
        machines,
        queues,
        shop: urls.shop.clone(),
        ready: OnceLock::new(),
    };
    Ok((services, control))
}

/// Starts to serve and to feed functions. Everything ends when the answer is dropped.
fn run(
    ports: Ports,
    stack: &Stack,
    services: Services,
    control: &Arc<Control>,
) -> Result<Vec<JoinSet<()>>, Error> {
    let Services {
        arns,
        events,
        record,
        secrets,
        tables,
    } = services;
    let Control {
        clock,
        faults,
        functions,
        machines,
        mail,
        queues,
        ..
    } = &**control;
    let deliver = deliver(control);
    functions.set_on_failure(Box::new({
        let deliver = Arc::clone(&deliver);
        move |to, record| deliver(to, record)
    }));
    let endpoint = Endpoint::new(stack, faults, &record, functions)
        .with("dynamodb", tables.clone())
        .with("events", events)
        .with("secretsmanager", secrets)
        .with("ses", mail.clone())
        .with("sqs", queues.clone())
        .with("states", machines.clone());
    let api = stack.api.clone().unwrap_or(Api {
        routes: Vec::new(),
        authorizers: BTreeMap::new(),
        cors: None,
    });
    let gateway = Gateway::new(api, functions.clone(), clock.clone(), arns.clone());
    let mut servers = JoinSet::new();
    servers.spawn(until_failed("AWS endpoint", endpoint.serve(ports.aws)));
    servers.spawn(until_failed("HTTP API", gateway.serve(ports.shop)));
    servers.spawn(until_failed(
        "control port",
        control::serve(ports.control, Arc::clone(control)),
    ));
    servers.spawn(tables.clone().keep_sweeping());
    let destinations = Destinations {
        functions: functions.clone(),
        deliver,
    };
    Ok(vec![
        servers,
        tables
            .start_streams(stack, &destinations)
            .map_err(Error::Stream)?,
        queues.start_mappings(stack, functions)?,
        schedule::start(stack, clock, functions, &arns),
    ])
}

async fn until_failed(what: &str, serving: impl Future<Output = io::Result<()>>) {
    if let Err(error) = serving.await {
        tracing::error!(%error, "the {what} has ended");
    }
}

/// Takes what has failed for good to its queue or bucket.
fn deliver(control: &Arc<Control>) -> Deliver {
    // The functions hold this, and the control port holds them: not both for ever.
    let control = Arc::downgrade(control);
    Arc::new(move |to, record| {
        let Some(control) = control.upgrade() else {
            return;
        };
        match to {
            Destination::Queue(queue) => {
                control.queues.send(queue, record, Value::Null, None);
            }
            Destination::Bucket(bucket) => {
                let now = control.clock.now();
                control
                    .buckets
                    .put_failure(bucket, &who_failed(&record), now, record);
            }
        }
    })
}

/// The name of the function that a record is about.
fn who_failed(record: &str) -> String {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    let arn = record
        .pointer("/requestContext/functionArn")
        .and_then(Value::as_str);
    let name = arn.and_then(|arn| arn.split(':').nth(6));
    name.unwrap_or("unknown").to_owned()
}

fn cannot_use(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}
