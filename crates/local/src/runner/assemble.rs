//! Builds the services, and connects and starts them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::task::JoinSet;

use super::error::Error;
use super::options::{Options, Urls};
use super::ports::Ports;
use crate::access::Access;
use crate::arn::Arns;
use crate::bill::Bill;
use crate::buckets::Buckets;
use crate::calls::CallLog;
use crate::clock::Clock;
use crate::control::{self, Control};
use crate::dynamodb::DynamoDb;
use crate::dynamodb::streams::{Deliver, Destinations};
use crate::endpoint::Endpoint;
use crate::events::EventBridge;
use crate::faults::Faults;
use crate::functions::{Functions, Settings};
use crate::gateway::Gateway;
use crate::mail::Mail;
use crate::model::{Api, Destination, Stack};
use crate::queues::Queues;
use crate::record::Record;
use crate::s3::S3;
use crate::schedule;
use crate::secrets::Secrets;
use crate::states::StateMachines;

/// The services that are only behind the AWS endpoint.
pub(super) struct Services {
    access: Access,
    arns: Arns,
    calls: Option<CallLog>,
    events: EventBridge,
    record: Record,
    secrets: Secrets,
    pub(super) tables: DynamoDb,
}

/// What every service stands on.
struct SharedParts {
    arns: Arns,
    bill: Bill,
    clock: Clock,
    faults: Faults,
    record: Record,
}

impl SharedParts {
    fn new(options: &Options, stack: &Stack) -> Result<Self, Error> {
        let arns = Arns::for_stack(&options.region, stack);
        let record = match &options.record {
            Some(path) => {
                Record::to_file(path, stack, &arns).map_err(|source| cannot_use(path, source))?
            }
            None => Record::none(&arns),
        };
        let faults = Faults::new(stack, options.fault_seed);
        let texts: Vec<String> = options.faults.iter().map(ToString::to_string).collect();
        faults.set_text(&texts)?;
        let (bill, clock) = (Bill::new(stack), options.clock.clone());
        Ok(Self {
            arns,
            bill,
            clock,
            faults,
            record,
        })
    }

    fn functions(&self, options: &Options, stack: &Stack, endpoint: &str) -> Functions {
        let settings = Settings {
            binaries: options.binaries.clone(),
            endpoint: endpoint.to_owned(),
            clock: self.clock.clone(),
            log: options.log.clone(),
            bill: self.bill.clone(),
            concurrency: options.concurrency,
        };
        let functions = Functions::new(stack, &self.arns, settings);
        functions.set_faults(self.faults.clone());
        functions
    }
}

/// Builds every service; nothing runs yet.
pub(super) fn assemble(
    options: &Options,
    stack: &Stack,
    urls: &Urls,
) -> Result<(Services, Control), Error> {
    let data = options.data.as_deref();
    if let Some(folder) = data {
        std::fs::create_dir_all(folder).map_err(|source| cannot_use(folder, source))?;
    }
    let parts = SharedParts::new(options, stack)?;
    let functions = parts.functions(options, stack, &urls.aws);
    let SharedParts {
        arns,
        bill,
        clock,
        faults,
        record,
    } = parts;
    let tables = DynamoDb::start(stack, &arns, &clock, &bill, &record, data)?;
    tables.follow(&faults);
    let shared = || (clock.clone(), bill.clone(), arns.clone());
    let (time, costs, names) = shared();
    let queues = Queues::new(stack, time, costs, names, &urls.aws);
    let (time, costs, names) = shared();
    let machines = StateMachines::new(stack, time, costs, names, functions.clone())?;
    let (time, costs, names) = shared();
    let targets = (functions.clone(), queues.clone(), machines.clone());
    let events = EventBridge::new(stack, time, costs, names, targets.0, targets.1, targets.2)?;
    events.set_faults(faults.clone());
    let unusable = |source| cannot_use(data.unwrap_or(Path::new("")), source);
    let secrets = Secrets::new(stack, clock.clone(), arns.clone(), data).map_err(unusable)?;
    let control = Control {
        bill,
        buckets: Buckets::open(stack, &clock, data).map_err(unusable)?,
        mail: Mail::new(clock.clone()),
        clock,
        faults,
        functions,
        machines,
        queues,
        shop: urls.shop.clone(),
        ready: OnceLock::new(),
    };
    let access = if options.policies {
        Access::enforcing(stack, &arns)
    } else {
        Access::open()
    };
    Ok((
        Services {
            access,
            arns,
            calls: options.calls.clone(),
            events,
            record,
            secrets,
            tables,
        },
        control,
    ))
}

/// Starts to serve and to feed functions. Everything ends when the returned sets are dropped.
pub(super) fn run(
    ports: Ports,
    stack: &Stack,
    services: Services,
    control: &Arc<Control>,
) -> Result<Vec<JoinSet<()>>, Error> {
    let Services {
        access,
        arns,
        calls,
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
        .guarded(access)
        .timed(calls)
        .with_s3(S3::new(
            stack,
            control.buckets.clone(),
            queues.clone(),
            arns.clone(),
        ))
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
    // The functions hold this, and the control port holds them: this one only weakly, so that both
    // are dropped.
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
                    .put_failure(bucket, &who_failed(&record), now, &record);
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
