//! Who owns what, and who depends on whom, as the policies say.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect;

use oxcart_local::arn::Arns;
use oxcart_local::map::ServiceMap;
use oxcart_local::model::Stack;
use oxcart_local::template::Places;

use super::read::{Template, service_of, sources};
use crate::support::root;

/// Who owns each table: the only service that writes it.
const OWNERS: &[(&str, &str)] = &[
    ("ChangesTable", "catalog"),
    ("CollectionsTable", "catalog"),
    ("CustomersTable", "customers"),
    ("EventLogTable", "platform"),
    ("FileJobsTable", "catalog"),
    ("GatewaysTable", "payments"),
    ("GiftCardsTable", "orders"),
    ("IntegrityTable", "integrity"),
    ("InventoryTable", "inventory"),
    ("LedgerTable", "payments"),
    ("LimitsTable", "platform"),
    ("MessagesTable", "notifications"),
    ("OrdersTable", "orders"),
    ("PaymentsTable", "payments"),
    ("ReconciliationTable", "payments"),
    ("RefundsTable", "payments"),
    ("PricingTable", "pricing"),
    ("ProductsTable", "catalog"),
    ("RulesTable", "screening"),
    ("SandboxTable", "payments"),
    ("SessionsTable", "customers"),
    ("StockImportsTable", "inventory"),
    ("StripeTable", "payments"),
];

/// The one table that the functions of all services write, each through the guard of its route
/// (`oxcart_core::http::limits`), and in one way. Its name is a global
/// variable of the template.
const SHARED: (&str, &str) = ("LimitsTable", "dynamodb:UpdateItem");

/// What reads a table while somebody waits; streams are read behind everybody's back.
const READS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
];

/// The only functions that may read whole tables, a piece at a time and while nobody waits.
const SCANS: [&str; 4] = [
    "AuditIntegrity",
    "BuildCollections",
    "BuildSearchIndex",
    "RunFileJobs",
];

const STREAM_READS: &[&str] = &[
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

/// The files of oxcart-core, apart from each `store.rs`, that may know the SDKs: they speak to AWS
/// or turn its shapes into ours.
const ADAPTERS: &[&str] = &[
    "crates/core/src/aws/bucket.rs",
    "crates/core/src/aws/clients.rs",
    "crates/core/src/aws/dynamo/error.rs",
    "crates/core/src/aws/dynamo/query.rs",
    "crates/core/src/aws/dynamo/scan.rs",
    "crates/core/src/aws/dynamo/table.rs",
    "crates/core/src/aws/dynamo/transact.rs",
    "crates/core/src/aws/dynamo/write.rs",
    "crates/core/src/aws/form.rs",
    "crates/core/src/aws/queue.rs",
    "crates/core/src/customers/keys.rs",
    "crates/core/src/notifications/mail.rs",
    "crates/core/src/orders/executions.rs",
    "crates/core/src/payments/gateway/stripe/api_key.rs",
    "crates/core/src/payments/gateway/stripe/client.rs",
    "crates/core/src/publisher/bus.rs",
    "crates/core/src/testing.rs",
    "crates/core/src/testing/engine.rs",
];

fn owner(table: &str) -> Option<&'static str> {
    OWNERS
        .iter()
        .find(|(owned, _)| *owned == table)
        .map(|(_, owner)| *owner)
}

/// The map that `oxcart map` prints.
fn map() -> ServiceMap {
    let places = Places {
        region: "eu-central-1".to_owned(),
        stack_name: "oxcart".to_owned(),
        endpoint: "http://127.0.0.1:9".to_owned(),
        shop: "http://127.0.0.1:9".to_owned(),
    };
    let template = root().join("template.yaml");
    let stack = Stack::load(&template, &BTreeMap::new(), &places).unwrap();
    let arns = Arns::for_stack(&places.region, &stack);
    let functions = stack.functions.values();
    let services = functions
        .map(|function| {
            let binary = function.binary.clone();
            let service = service_of(&binary).unwrap();
            (binary, service)
        })
        .collect();
    ServiceMap::new(&stack, &arns, &services)
}

#[test]
fn every_table_has_an_owner() {
    let owned: BTreeSet<String> = OWNERS
        .iter()
        .map(|(table, _)| (*table).to_owned())
        .collect();
    assert_eq!(Template::read().tables(), owned);
    for (table, writers) in map().writers {
        if table == SHARED.0 {
            continue;
        }
        let writers: Vec<&str> = writers.iter().map(String::as_str).collect();
        assert_eq!(writers, [owner(&table).unwrap()], "{table}");
    }
}

#[test]
fn no_service_writes_a_table_of_another() {
    for function in Template::read().functions() {
        let service = service_of(&function.binary).unwrap();
        for (action, resource) in &function.grants {
            let foreign = owner(resource).is_some_and(|owner| owner != service);
            let reads = READS.contains(&action.as_str()) || STREAM_READS.contains(&action.as_str());
            let shared = (resource.as_str(), action.as_str()) == SHARED;
            assert!(
                !foreign || reads || shared,
                "{} of {service} has {action} on {resource}",
                function.id
            );
        }
    }
}

#[test]
fn no_function_may_do_everything_anywhere() {
    for function in Template::read().functions() {
        for (action, resource) in &function.grants {
            assert!(!action.contains('*'), "{}: {action}", function.id);
            // Listing streams knows no resources.
            let any = resource == "*" && action != "dynamodb:ListStreams";
            assert!(!any, "{}: {action} on anything", function.id);
        }
    }
}

#[test]
fn only_two_functions_on_a_schedule_read_whole_tables() {
    for function in Template::read().functions() {
        for (action, resource) in &function.grants {
            let scans = action == "dynamodb:Scan" && !SCANS.contains(&function.id.as_str());
            assert!(!scans, "{} scans {resource}", function.id);
        }
    }
}

#[test]
fn functions_may_poll_only_their_own_sources() {
    for function in Template::read().functions() {
        let by_sam = ["DynamoDB", "SQS"];
        let sources = function.sources.iter();
        let mut wide = sources.filter(|source| by_sam.contains(&source.as_str()));
        // SAM attaches a managed policy for all of the account's; a mapping of its own has none.
        assert_eq!(wide.next(), None, "{}", function.id);
    }
}

#[test]
fn a_function_is_told_the_names_of_the_tables_that_it_may_use_and_of_no_others() {
    // Which rows come from whom is told by the table in a record's ARN.
    let told_all = ["PublishEvents"];
    for function in Template::read().functions() {
        let granted: BTreeSet<String> = function
            .grants
            .iter()
            .filter(|(action, _)| !STREAM_READS.contains(&action.as_str()))
            .map(|(_, resource)| resource.split('/').next().unwrap())
            .filter(|table| owner(table).is_some() && *table != SHARED.0)
            .map(str::to_owned)
            .collect();
        let told: BTreeSet<String> = function
            .variables
            .iter()
            .filter_map(|variable| variable.strip_suffix("_TABLE"))
            .map(|name| {
                let words = name.split('_');
                let words = words.map(|word| word[..1].to_owned() + &word[1..].to_lowercase());
                words.collect::<String>() + "Table"
            })
            .collect();
        if !told_all.contains(&function.id.as_str()) {
            assert_eq!(told, granted, "{}", function.id);
        }
    }
}

#[test]
fn services_depend_on_each_other_in_one_direction() {
    let dependencies = map().reads;
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = dependencies
        .iter()
        .map(|(from, to)| (from.as_str(), to.iter().map(String::as_str).collect()))
        .collect();
    // Whatever is reached through what is reached, until nothing is new.
    loop {
        let further: Vec<(&str, &str)> = reached
            .iter()
            .flat_map(|(from, to)| to.iter().map(move |via| (*from, *via)))
            .flat_map(|(from, via)| {
                let next = reached.get(via).into_iter().flatten();
                next.map(move |to| (from, *to))
            })
            .filter(|(from, to)| !reached[from].contains(to))
            .collect();
        if further.is_empty() {
            break;
        }
        for (from, to) in further {
            reached.entry(from).or_default().insert(to);
        }
    }
    for (service, reached) in &reached {
        assert!(
            !reached.contains(service),
            "{service} depends on itself: {dependencies:?}"
        );
    }
    expect![[r#"
        catalog -> customers
        integrity -> catalog, customers, inventory, orders, payments, platform, pricing, screening
        inventory -> catalog
        notifications -> customers, orders
        orders -> catalog, customers, inventory, platform, pricing, screening
        payments -> orders
        pricing -> catalog
    "#]]
    .assert_eq(&lines(&dependencies));
}

/// Returns each of `dependencies` in a line.
fn lines(dependencies: &BTreeMap<String, BTreeSet<String>>) -> String {
    let line = |(from, to): (&String, &BTreeSet<String>)| {
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        format!("{from} -> {}\n", to.join(", "))
    };
    dependencies.iter().map(line).collect()
}

#[test]
fn what_only_steps_read_is_the_workflows() {
    expect![[r#"
        inventory -> orders
        orders -> catalog, customers, screening
        payments -> orders
    "#]]
    .assert_eq(&lines(&map().step_reads));
}

#[test]
fn the_map_shows_reads_and_events_between_services() {
    expect![[r#"
        flowchart LR
          catalog["catalog<br/>reads 1, read by 4"]
          customers["customers<br/>reads 0, read by 4"]
          integrity["integrity<br/>reads 8, read by 0"]
          inventory["inventory<br/>reads 1, read by 2"]
          notifications["notifications<br/>reads 2, read by 0"]
          orders["orders<br/>reads 6, read by 3"]
          payments["payments<br/>reads 1, read by 1"]
          platform["platform<br/>reads 0, read by 2"]
          pricing["pricing<br/>reads 1, read by 2"]
          screening["screening<br/>reads 0, read by 2"]
          OrderWorkflow{{OrderWorkflow}}
          catalog -->|reads| customers
          integrity -->|reads| catalog
          integrity -->|reads| customers
          integrity -->|reads| inventory
          integrity -->|reads| orders
          integrity -->|reads| payments
          integrity -->|reads| platform
          integrity -->|reads| pricing
          integrity -->|reads| screening
          inventory -->|reads| catalog
          notifications -->|reads| customers
          notifications -->|reads| orders
          orders -->|reads| catalog
          orders -->|reads| customers
          orders -->|reads| inventory
          orders -->|reads| platform
          orders -->|reads| pricing
          orders -->|reads| screening
          payments -->|reads| orders
          pricing -->|reads| catalog
          catalog -.->|ProductCreated| inventory
          catalog -.->|changes| platform
          customers -.->|CustomerPasswordChanged, CustomerRegistered, MessageQueue| notifications
          customers -.->|CustomerDeleted, EmailConfirmed| orders
          customers -.->|changes| platform
          integrity -.->|changes| platform
          inventory -.->|FileJobQueue, changes| catalog
          inventory -.->|changes| platform
          orders -.->|MessageQueue, OrderCancelled, OrderFailed| notifications
          orders -.->|changes| payments
          orders -.->|changes| platform
          payments -.->|PaymentRefunded| inventory
          payments -.->|PaymentRefunded| notifications
          payments -.->|PaymentProcessed, PaymentRefundReturned, PaymentRefunded| orders
          payments -.->|changes| platform
          pricing -.->|changes| platform
          screening -.->|changes| platform
          orders ==>|starts| OrderWorkflow
          payments ==>|starts| OrderWorkflow
          OrderWorkflow ==>|calls| inventory
          OrderWorkflow ==>|calls| orders
          OrderWorkflow ==>|calls| payments
          inventory ==>|reads in a step| orders
          orders ==>|reads in a step| catalog
          orders ==>|reads in a step| customers
          orders ==>|reads in a step| screening
          payments ==>|reads in a step| orders
    "#]]
    .assert_eq(&map().mermaid());
}

#[test]
fn the_sdks_stay_in_the_stores_and_the_adapters() {
    let marks = ["aws_sdk_", "aws_smithy_", "aws_types::"];
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (path, text) in sources("crates/core/src") {
        let path = path.to_str().unwrap().to_owned();
        if path.ends_with("/tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let mut marked = code.filter(|line| marks.iter().any(|mark| line.contains(mark)));
        let Some(line) = marked.next() else { continue };
        let allowed = path.ends_with("/store.rs") || ADAPTERS.contains(&path.as_str());
        assert!(allowed, "{path} speaks of an SDK: {line}");
        used.insert(path);
    }
    for adapter in ADAPTERS {
        assert!(used.contains(*adapter), "{adapter} needs no exception");
    }
}
