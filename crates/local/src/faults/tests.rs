use super::*;
use crate::model::Function;

fn faults(texts: &[&str]) -> Result<Faults, FaultError> {
    let function = |binary: &str| Function {
        name: format!("shop-{binary}"),
        binary: binary.to_owned(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(1),
        memory_mib: 128,
        reserved_concurrency: None,
        async_retries: 0,
        async_on_failure: None,
    };
    let functions = [
        ("ReserveInventory".to_owned(), function("reserve-inventory")),
        ("PlaceOrder".to_owned(), function("place-order")),
    ];
    let faults = Faults::new(
        &Stack {
            functions: functions.into(),
            ..Stack::default()
        },
        7,
    );
    faults.set_text(texts).map(|()| faults)
}

/// What happens to so many calls of `ReserveInventory`.
fn modes(faults: &Faults, operation: &str, calls: usize) -> Vec<Option<Mode>> {
    let caller = Caller::function("ReserveInventory");
    (0..calls)
        .map(|_| faults.for_call(&caller, "dynamodb", operation).mode)
        .collect()
}

#[test]
fn a_fault_hits_only_the_call_that_it_names() {
    for name in ["reserve-inventory", "ReserveInventory", "*"] {
        let faults = faults(&[&format!("dynamodb:UpdateItem@{name}=throttle")]).unwrap();
        assert_eq!(modes(&faults, "UpdateItem", 1), [Some(Mode::Throttle)]);
        assert_eq!(modes(&faults, "PutItem", 1), [None]);
        let operator = faults.for_call(&Caller::operator(), "dynamodb", "UpdateItem");
        assert_eq!(operator, Decision::default());
    }
    let faults = faults(&["dynamodb:*@place-order=error"]).unwrap();
    assert_eq!(modes(&faults, "UpdateItem", 1), [None]);
}

#[test]
fn a_count_takes_the_first_calls_or_only_one() {
    let first = faults(&["dynamodb:*@*=throttle*2"]).unwrap();
    let hit = Some(Mode::Throttle);
    assert_eq!(modes(&first, "GetItem", 4), [hit, hit, None, None]);
    let only = faults(&["dynamodb:*@*=kill-after#3"]).unwrap();
    assert_eq!(
        modes(&only, "GetItem", 4),
        [None, None, Some(Mode::KillAfter), None]
    );
    let report = only.report();
    assert_eq!((report[0].matched, report[0].hit), (4, 1));
}

#[test]
fn a_probability_hits_about_as_often_and_the_same_with_the_same_seed() {
    let text = ["dynamodb:*@*=throttle:0.1"];
    let first = modes(&faults(&text).unwrap(), "GetItem", 10_000);
    assert_eq!(first, modes(&faults(&text).unwrap(), "GetItem", 10_000));
    let hits = first.iter().flatten().count();
    assert!((900..1100).contains(&hits), "{hits}");
}

#[test]
fn delays_add_up_and_one_other_mode_is_taken() {
    let faults = faults(&[
        "dynamodb:*@*=delay:20,error,throttle",
        "dynamodb:GetItem@*=delay:5",
    ])
    .unwrap();
    let decision = faults.for_call(&Caller::function("PlaceOrder"), "dynamodb", "GetItem");
    let expected = Decision {
        delay: Duration::from_millis(25),
        mode: Some(Mode::Error),
    };
    assert_eq!(decision, expected);
}

#[test]
fn a_mode_does_not_apply_to_calls_that_it_cannot_affect() {
    let conflicts = faults(&["dynamodb:*@*=conflict"]).unwrap();
    assert_eq!(modes(&conflicts, "GetItem", 1), [None]);
    assert_eq!(
        modes(&conflicts, "TransactWriteItems", 1),
        [Some(Mode::Conflict)]
    );
    let all = faults(&["events:*@*=duplicate", "lambda:*@place-order=kill"]).unwrap();
    assert!(all.duplicates("events", "PlaceOrder"));
    assert!(!all.duplicates("sqs", "PlaceOrder"));
    assert_eq!(
        all.for_invocation("PlaceOrder").mode,
        Some(Mode::KillBefore)
    );
    assert_eq!(all.for_invocation("ReserveInventory").mode, None);
}

#[test]
fn what_is_not_understood_is_an_error_that_names_it() {
    let cases = [
        ("dynamodb:UpdateItm@*=throttle", "UpdateItm"),
        ("dynamo:UpdateItem@*=throttle", "dynamo"),
        ("dynamodb:UpdateItem@nobody=throttle", "nobody"),
        ("dynamodb:UpdateItem@*=slow", "slow"),
        ("dynamodb:UpdateItem@*=delay", "delay"),
        ("dynamodb:UpdateItem@*=throttle:2", "probability"),
        ("dynamodb:UpdateItem@*=throttle:x", "probability"),
        ("dynamodb:UpdateItem@*=throttle*0", "0"),
        ("sqs:SendMessage@*=conflict", "never"),
        ("sqs:Poll@*=throttle", "never"),
        ("dynamodb:Expire@*=duplicate", "never"),
        ("dynamodb:GetItem@*=keep", "never"),
        ("sqs:Deliver@*=reorder", "never"),
        ("throttle", "form"),
    ];
    for (text, named) in cases {
        let error = faults(&[text]).unwrap_err().to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn faults_can_be_replaced_and_listeners_are_told() {
    let faults = faults(&["dynamodb:*@*=stale-read"]).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    faults.on_change(move |faults| keep.lock().unwrap().push(faults.len()));
    faults.set(Vec::new()).unwrap();
    assert_eq!(*told.lock().unwrap(), [1, 0]);
    assert!(faults.set_text(&["nothing"]).is_err());
    assert_eq!(modes(&faults, "GetItem", 1), [None]);
}
