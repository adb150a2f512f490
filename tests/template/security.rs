//! What the template promises about security: encryption, transport, who may reach what.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_local::access;
use oxcart_local::model::{Permission, Stack};
use oxcart_local::template::Places;
use serde_yaml_ng::Value;

use super::read::{Template, list};
use crate::support::contract::contract;
use crate::support::root;

/// The resources of a type.
fn of_type<'a>(template: &'a Template, wanted: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = template.resources().into_iter();
    resources
        .filter(|(_, resource)| resource["Type"] == wanted)
        .map(|(id, resource)| (id, &resource["Properties"]))
        .collect()
}

/// The text of `!Ref X`, and the resource of `!GetAtt X.Arn`.
fn referred(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else {
        return None;
    };
    let text = tagged.value.as_str()?;
    Some(text.split('.').next().unwrap_or(text))
}

/// Whether a value is `!If [HasKmsKey, ...]`, or has one in it.
fn asks_for_the_key(value: &Value) -> bool {
    match value {
        Value::Tagged(tagged) if tagged.tag == "If" => tagged.value[0] == "HasKmsKey",
        Value::Tagged(tagged) => asks_for_the_key(&tagged.value),
        Value::Mapping(map) => map.values().any(asks_for_the_key),
        Value::Sequence(items) => items.iter().any(asks_for_the_key),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a policy denies whatever does not come encrypted.
fn wants_tls(policy: &Value) -> bool {
    list(&policy["PolicyDocument"]["Statement"])
        .into_iter()
        .any(|statement| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
        })
}

#[test]
fn no_authorisation_is_cached() {
    let template = Template::read();
    for (id, api) in of_type(&template, "AWS::Serverless::HttpApi") {
        let authorizers = api["Auth"]["Authorizers"].as_mapping().unwrap();
        for authorizer in authorizers.values() {
            assert_eq!(authorizer["Identity"]["ReauthorizeEvery"], 0, "{id}");
        }
    }
}

/// The headers of responses that scripts of other origins may read without being told
/// (<https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name>).
const SAFE_HEADERS: [&str; 7] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
];

#[test]
fn scripts_of_allowed_origins_may_use_every_header_that_is_documented() {
    let template = Template::read();
    let resources: BTreeMap<&str, &Value> = template.resources().into_iter().collect();
    let cors = &resources["Api"]["Properties"]["CorsConfiguration"];
    let listed = |name: &str| -> BTreeSet<String> {
        let names = cors[name].as_sequence().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let (allowed, mut exposed) = (listed("AllowHeaders"), listed("ExposeHeaders"));
    exposed.extend(SAFE_HEADERS.map(str::to_owned));
    let components = &contract().document["components"];
    let parameters = components["parameters"].as_object().unwrap().values();
    let sent = parameters.filter(|parameter| parameter["in"] == "header");
    let sent = sent.map(|parameter| parameter["name"].as_str().unwrap().to_lowercase());
    let sent = sent.chain(["authorization".to_owned(), "content-type".to_owned()]);
    let missing: Vec<String> = sent.filter(|name| !allowed.contains(name)).collect();
    assert_eq!(missing, [""; 0], "AllowHeaders");
    let returned = components["headers"].as_object().unwrap().keys();
    let returned = returned.map(|name| name.to_lowercase());
    let missing: Vec<String> = returned.filter(|name| !exposed.contains(name)).collect();
    assert_eq!(missing, [""; 0], "ExposeHeaders");
    assert!(
        exposed.contains("apigw-requestid"),
        "API Gateway's own responses"
    );
}

#[test]
fn whatever_keeps_data_is_encrypted_with_the_shops_key() {
    let template = Template::read();
    for (resource_type, property) in [
        ("AWS::DynamoDB::Table", "SSESpecification"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::SecretsManager::Secret", "KmsKeyId"),
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
    ] {
        let found = of_type(&template, resource_type);
        assert!(!found.is_empty(), "{resource_type}");
        for (id, properties) in found {
            assert!(asks_for_the_key(&properties[property]), "{id}: {property}");
        }
    }
    let globals = template.globals("Function");
    assert!(asks_for_the_key(&globals["KmsKeyArn"]));
}

#[test]
fn roles_that_use_encrypted_resources_may_use_the_key() {
    let template = Template::read();
    let roles = |policy: &str| -> BTreeSet<String> {
        let policies = of_type(&template, "AWS::IAM::Policy");
        let (_, policy) = policies.into_iter().find(|(id, _)| *id == policy).unwrap();
        let roles = list(&policy["Roles"]).into_iter();
        let roles = roles.map(|role| referred(role).unwrap().strip_suffix("Role").unwrap());
        roles.map(str::to_owned).collect()
    };
    let functions = template.functions();
    let all: BTreeSet<String> = functions
        .iter()
        .map(|function| function.id.clone())
        .collect();
    // The environment is encrypted too.
    assert_eq!(roles("DecryptWithKey"), all);
    let buckets = of_type(&template, "AWS::S3::Bucket").into_iter();
    let buckets: BTreeSet<&str> = buckets
        .filter(|(_, bucket)| asks_for_the_key(&bucket["BucketEncryption"]))
        .map(|(id, _)| id)
        .collect();
    let encrypts = |(action, resource): &(String, String)| match action.as_str() {
        "sqs:SendMessage" => true,
        "s3:PutObject" => buckets.contains(resource.as_str()),
        _ => false,
    };
    let sending: BTreeSet<String> = functions
        .iter()
        .filter(|function| function.grants.iter().any(encrypts))
        .map(|function| function.id.clone())
        .collect();
    assert_eq!(roles("EncryptWithKey"), sending);
}

#[test]
fn triggers_of_functions_wait_for_the_policies_of_the_key() {
    let template = Template::read();
    let resources = template.resources();
    let (_, policies) = resources
        .iter()
        .find(|(id, _)| *id == "KeyPolicies")
        .unwrap();
    let awaited = list(&policies["Metadata"]["Policies"]).into_iter();
    let awaited = awaited.map(|policy| {
        assert!(asks_for_the_key(policy));
        let Value::Tagged(tagged) = policy else {
            panic!("{policy:?} is not conditional");
        };
        referred(&tagged.value[1]).unwrap()
    });
    let awaited: Vec<_> = awaited.collect();
    assert_eq!(awaited, ["DecryptWithKey", "EncryptWithKey"]);
    let mut waiting = BTreeSet::new();
    for (id, resource) in resources {
        let runs = match resource["Type"].as_str().unwrap() {
            "AWS::Serverless::HttpApi" | "AWS::Lambda::EventSourceMapping" => true,
            "AWS::Serverless::Function" | "AWS::Serverless::StateMachine" => {
                let events = resource["Properties"]["Events"].as_mapping();
                events.is_some_and(|events| !events.is_empty())
            }
            "AWS::Events::Rule" => {
                let targets = list(&resource["Properties"]["Targets"]).into_iter();
                let mut targets = targets.map(|target| referred(&target["Arn"]).unwrap());
                targets.any(|target| !target.ends_with("Queue"))
            }
            _ => false,
        };
        if runs {
            assert_eq!(resource["DependsOn"], "KeyPolicies", "{id}");
            waiting.insert(id);
        }
    }
    assert!(waiting.contains("Api") && waiting.contains("RunDueOrders"));
}

#[test]
fn queues_and_buckets_take_nothing_that_is_not_encrypted_on_its_way() {
    let template = Template::read();
    for (resource_type, policy_type, property) in [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
    ] {
        let policies = of_type(&template, policy_type);
        for (id, _) in of_type(&template, resource_type) {
            let own = policies.iter().filter(|(_, policy)| {
                let of = list(&policy[property]);
                of.into_iter().any(|of| referred(of) == Some(id))
            });
            // A second policy would take the first one's place.
            let own: Vec<_> = own.collect();
            assert_eq!(own.len(), 1, "{id}: policies");
            let (name, policy) = own[0];
            assert!(wants_tls(policy), "{name} takes what comes in the open");
        }
    }
}

#[test]
fn nobody_outside_reaches_a_function_or_a_queue() {
    let template = Template::read();
    assert!(of_type(&template, "AWS::Lambda::Url").is_empty());
    for (id, properties) in of_type(&template, "AWS::Serverless::Function") {
        assert!(properties["FunctionUrlConfig"].is_null(), "{id}");
    }
    for (id, permission) in of_type(&template, "AWS::Lambda::Permission") {
        let source = &permission["SourceArn"];
        assert!(!source.is_null(), "{id} is open to every source");
        assert_ne!(permission["Principal"], "*", "{id}");
    }
    for (id, policy) in of_type(&template, "AWS::SQS::QueuePolicy") {
        let statements = list(&policy["PolicyDocument"]["Statement"]).into_iter();
        for statement in statements.filter(|statement| statement["Effect"] == "Allow") {
            let condition = &statement["Condition"];
            match statement["Principal"]["Service"].as_str() {
                Some("events.amazonaws.com") => {
                    let sources = list(&condition["ArnEquals"]["aws:SourceArn"]);
                    assert!(!sources.is_empty(), "{id} takes messages from any rule");
                }
                // A bucket is created after the policy that it needs, so it has no name yet.
                Some("s3.amazonaws.com") => {
                    let account = &condition["StringEquals"]["aws:SourceAccount"];
                    assert!(
                        !account.is_null(),
                        "{id} takes messages from any account's buckets"
                    );
                }
                other => panic!("{id} takes messages from {other:?}"),
            }
        }
    }
    for (id, bucket) in of_type(&template, "AWS::S3::Bucket") {
        let block = bucket["PublicAccessBlockConfiguration"]
            .as_mapping()
            .unwrap();
        assert_eq!(block.len(), 4, "{id}");
        assert!(block.values().all(|blocked| *blocked == true), "{id}");
    }
}

#[test]
fn every_function_and_the_workflow_are_traced() {
    let template = Template::read();
    assert_eq!(template.globals("Function")["Tracing"], "Active");
    for (id, properties) in of_type(&template, "AWS::Serverless::Function") {
        assert!(properties["Tracing"].is_null(), "{id} has its own");
    }
    for (id, machine) in of_type(&template, "AWS::Serverless::StateMachine") {
        assert_eq!(machine["Tracing"]["Enabled"], true, "{id}");
        // What a step is given and answers is not logged.
        assert_eq!(machine["Logging"]["IncludeExecutionData"], false, "{id}");
    }
}

#[test]
fn the_shop_runs_with_a_key_of_its_own() {
    const KEY: &str = "arn:aws:kms:eu-central-1:000000000000:key/its-own";
    let parameters = [("KmsKeyArn", KEY), ("AuthorizerConcurrency", "20")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let places = Places {
        region: "eu-central-1".to_owned(),
        stack_name: "oxcart".to_owned(),
        endpoint: "http://127.0.0.1:9".to_owned(),
        shop: "http://127.0.0.1:9".to_owned(),
    };
    let template = root().join("template.yaml");
    let stack = Stack::load(&template, &parameters.into(), &places).unwrap();
    for id in stack.functions.keys() {
        let permission = Permission {
            action: "kms:Decrypt".to_owned(),
            resource: KEY.to_owned(),
        };
        assert!(access::allow(&stack.policies[id], &permission), "{id}");
    }
    let authoriser = &stack.functions["AuthorizeRequest"];
    assert_eq!(authoriser.reserved_concurrency, Some(20));
}

/// What a caller with a token gets is kept for nobody else, and nothing is kept for longer than the shop says.
#[test]
fn the_edge_tells_callers_apart() {
    let text = std::fs::read_to_string(root().join("infra/edge.yaml")).unwrap();
    let edge: Value = serde_yaml_ng::from_str(&text).unwrap();
    let policy = &edge["Resources"]["CataloguePolicy"]["Properties"]["CachePolicyConfig"];
    assert_eq!(policy["MinTTL"], 0);
    assert_eq!(policy["DefaultTTL"], 0);
    let key = &policy["ParametersInCacheKeyAndForwardedToOrigin"];
    let headers = list(&key["HeadersConfig"]["Headers"]);
    assert_eq!(headers, ["Authorization", "Origin"]);
    assert_eq!(key["QueryStringsConfig"]["QueryStringBehavior"], "all");
    let template = Template::read();
    let longest = &template.parameter("EdgeCacheSeconds")["MaxValue"];
    assert_eq!(&policy["MaxTTL"], longest);
}
