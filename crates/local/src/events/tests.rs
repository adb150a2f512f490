//! Events from `PutEvents` to their targets.

use std::sync::Mutex;

use super::*;
use crate::aws::Caller;
use crate::functions::Handler;
use crate::model::{StateMachine, TargetInput};

struct Bench {
    events: EventBridge,
    queues: Queues,
    bill: Bill,
    stack: Stack,
    seen: Arc<Mutex<Vec<Value>>>,
}

fn target(kind: TargetKind) -> model::Target {
    model::Target {
        id: "t".to_owned(),
        kind,
        input: TargetInput::Event,
        retries: 185,
        max_age: Duration::from_hours(24),
        dead_letter_queue: Some("Dead".to_owned()),
    }
}

/// A bus `shop` with one rule, for events of type `Wanted`, which has these targets. The function
/// `F`, the queue `Q` and the state machine `M` (which takes 256 KiB and no more) are there.
fn bench(targets: Vec<model::Target>) -> Result<Bench, RuleError> {
    let mut stack = Stack::default();
    let queue = |name: &str| model::Queue {
        name: name.to_owned(),
        visibility_timeout: Duration::from_secs(30),
        delay: Duration::ZERO,
        retention: Duration::from_hours(96),
        redrive: None,
    };
    stack.queues = [
        ("Q".to_owned(), queue("q")),
        ("Dead".to_owned(), queue("dead")),
    ]
    .into();
    let definition = json!({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}});
    let machine = StateMachine {
        name: "m".to_owned(),
        definition,
        express: false,
    };
    stack.state_machines.insert("M".to_owned(), machine);
    let function = model::Function {
        name: "f".to_owned(),
        binary: "f".to_owned(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(3),
        memory_mib: 128,
        reserved_concurrency: None,
        async_retries: 2,
        async_on_failure: None,
    };
    stack.functions.insert("F".to_owned(), function);
    stack.buses.insert("Bus".to_owned(), "shop".to_owned());
    let pattern = json!({"source": [{"prefix": "oxcart."}], "detail-type": ["Wanted"]});
    let rule = model::Rule {
        name: "rule".to_owned(),
        bus: "Bus".to_owned(),
        pattern,
        targets,
    };
    stack.rules.insert("Rule".to_owned(), rule);
    let clock = Clock::manual("2026-01-02T03:04:05.678Z".parse().unwrap());
    let (bill, arns) = (Bill::new(&stack), Arns::for_stack("eu-central-1", &stack));
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let handler: Handler = Arc::new({
        let seen = Arc::clone(&seen);
        move |payload| {
            seen.lock()
                .unwrap()
                .push(serde_json::from_slice(&payload).unwrap());
            Ok("null".into())
        }
    });
    let functions = Functions::in_process([("F".to_owned(), handler)].into(), clock.clone());
    let queues = Queues::new(
        &stack,
        clock.clone(),
        bill.clone(),
        arns.clone(),
        "http://localhost",
    );
    let machines = StateMachines::new(
        &stack,
        clock.clone(),
        bill.clone(),
        arns.clone(),
        functions.clone(),
    )
    .unwrap();
    let events = EventBridge::new(
        &stack,
        clock,
        bill.clone(),
        arns,
        functions,
        queues.clone(),
        machines,
    )?;
    Ok(Bench {
        events,
        queues,
        bill,
        stack,
        seen,
    })
}

fn entry(detail_type: &str) -> Value {
    json!({"Source": "oxcart.orders", "DetailType": detail_type, "Detail": "{\"id\":7}", "EventBusName": "shop"})
}

impl Bench {
    async fn put(&self, entries: Value) -> Result<Value, String> {
        let answer = self.events.call(
            &Caller::operator(),
            "PutEvents",
            json!({ "Entries": entries }),
        );
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        answer.map_err(|error| error.code)
    }

    async fn received(&self, queue: &str) -> Vec<Value> {
        let request = json!({
            "QueueUrl": format!("http://localhost/000000000000/{queue}"),
            "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"],
        });
        let answer = self
            .queues
            .call(&Caller::operator(), "ReceiveMessage", request)
            .await
            .unwrap();
        answer
            .get("Messages")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    }
}

#[tokio::test]
async fn a_matching_event_reaches_each_target_in_its_envelope() {
    let bench = bench(vec![
        target(TargetKind::Function("F".to_owned())),
        target(TargetKind::Queue("Q".to_owned())),
    ])
    .unwrap();
    let answer = bench
        .put(json!([entry("Wanted"), entry("Other")]))
        .await
        .unwrap();
    assert_eq!(answer["FailedEntryCount"], 0);
    let expected = json!({
        "version": "0", "id": answer["Entries"][0]["EventId"], "detail-type": "Wanted",
        "source": "oxcart.orders", "account": "000000000000", "time": "2026-01-02T03:04:05Z",
        "region": "eu-central-1", "resources": [], "detail": {"id": 7},
    });
    assert_eq!(
        bench.seen.lock().unwrap().as_slice(),
        std::slice::from_ref(&expected)
    );
    let messages = bench.received("q").await;
    assert_eq!(messages.len(), 1);
    assert_eq!(
        serde_json::from_str::<Value>(messages[0]["Body"].as_str().unwrap()).unwrap(),
        expected
    );
    assert_eq!(bench.bill.snapshot().totals.events, 2);
}

#[tokio::test]
async fn an_entrys_own_time_is_kept() {
    let bench = bench(vec![target(TargetKind::Function("F".to_owned()))]).unwrap();
    let mut entry = entry("Wanted");
    entry["Time"] = json!(1_700_000_000.9);
    bench.put(json!([entry])).await.unwrap();
    assert_eq!(
        bench.seen.lock().unwrap()[0]["time"],
        "2023-11-14T22:13:20Z"
    );
}

#[tokio::test]
async fn a_bad_entry_fails_alone() {
    let bench = bench(vec![target(TargetKind::Function("F".to_owned()))]).unwrap();
    let with = |name: &str, value: Value| {
        let mut entry = entry("Wanted");
        entry[name] = value;
        entry
    };
    let entries = json!([
        with("Detail", json!("[]")),
        with("Detail", json!("{")),
        with("Source", Value::Null),
        with("Source", json!("aws.ec2")),
        with("EventBusName", json!("none")),
        entry("Wanted"),
    ]);
    let answer = bench.put(entries).await.unwrap();
    let codes: Vec<&Value> = answer["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["ErrorCode"])
        .collect();
    assert_eq!(
        codes,
        [
            "MalformedDetail",
            "MalformedDetail",
            "InvalidArgument",
            "NotAuthorizedForSourceException",
            "ResourceNotFoundException",
            "",
        ]
        .map(|code| if code.is_empty() {
            Value::Null
        } else {
            code.into()
        })
        .iter()
        .collect::<Vec<_>>()
    );
    assert_eq!(answer["FailedEntryCount"], 5);
    assert_eq!(bench.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_has_its_limits() {
    let bench = bench(Vec::new()).unwrap();
    let refused = Err("ValidationException".to_owned());
    assert_eq!(bench.put(json!([])).await, refused);
    assert_eq!(bench.put(vec![entry("Wanted"); 11].into()).await, refused);
    let mut big = entry("Wanted");
    big["Detail"] = json!({"x": "x".repeat(256 * 1024)}).to_string().into();
    assert_eq!(bench.put(json!([big])).await, refused);
    let mut unknown = entry("Wanted");
    unknown["Colour"] = json!(1);
    assert_eq!(bench.put(json!([unknown])).await, refused);
    let refused = bench
        .events
        .call(&Caller::operator(), "PutRule", json!({}))
        .unwrap_err();
    assert!(refused.message.contains("PutRule"));
}

#[tokio::test]
async fn a_transformed_event_starts_a_state_machine() {
    let mut to_machine = target(TargetKind::StateMachine("M".to_owned()));
    let paths = [("id".to_owned(), "$.detail.id".to_owned())].into();
    to_machine.input = TargetInput::Transformer {
        paths,
        template: r#"{"order_id":<id>}"#.to_owned(),
    };
    let bench = bench(vec![to_machine]).unwrap();
    bench.put(json!([entry("Wanted")])).await.unwrap();
    let machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:m";
    let machines = &bench.events.inner.machines;
    let list = machines
        .call("ListExecutions", json!({"stateMachineArn": machine}))
        .unwrap();
    let name = list["executions"][0]["name"].as_str().unwrap();
    assert_eq!(
        machines.execution(name).unwrap()["input"],
        json!({"order_id": 7})
    );
}

#[tokio::test]
async fn what_a_target_refuses_for_good_is_a_dead_letter() {
    let mut to_machine = target(TargetKind::StateMachine("M".to_owned()));
    to_machine.input = TargetInput::Constant("x".repeat(256 * 1024).into());
    let bench = bench(vec![to_machine]).unwrap();
    bench.put(json!([entry("Wanted")])).await.unwrap();
    let dead = bench.received("dead").await;
    assert_eq!(dead.len(), 1);
    assert!(dead[0]["Body"].as_str().unwrap().contains("Wanted"));
    let attributes = &dead[0]["MessageAttributes"];
    assert_eq!(
        attributes["ERROR_CODE"]["StringValue"],
        "InvalidExecutionInput"
    );
    assert_eq!(
        attributes["RULE_ARN"]["StringValue"],
        "arn:aws:events:eu-central-1:000000000000:rule/shop/rule"
    );
    assert_eq!(attributes["RETRY_ATTEMPTS"]["StringValue"], "0");
}

#[tokio::test]
async fn a_duplicated_delivery_happens_twice() {
    let to_queue = target(TargetKind::Queue("Q".to_owned()));
    let bench = bench(vec![target(TargetKind::Function("F".to_owned())), to_queue]).unwrap();
    let faults = Faults::new(&bench.stack, 1);
    faults.set_text(&["events:Deliver@*=duplicate"]).unwrap();
    bench.events.set_faults(faults.clone());
    bench.events.inner.functions.set_faults(faults);
    bench.put(json!([entry("Wanted")])).await.unwrap();
    assert_eq!(bench.received("q").await.len(), 2);
    let seen = bench.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0]["id"], seen[1]["id"]);
}

#[test]
fn a_rule_that_is_not_understood_is_named() {
    let mut broken = target(TargetKind::Function("F".to_owned()));
    broken.input = TargetInput::Path("detail".to_owned());
    assert_eq!(bench(vec![broken]).err().unwrap().rule, "Rule");
    let missing = target(TargetKind::Function("G".to_owned()));
    assert!(
        bench(vec![missing])
            .err()
            .unwrap()
            .fault
            .contains("not there")
    );
}
