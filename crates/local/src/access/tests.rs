use serde_json::json;

use super::*;
use crate::model::Function;

const TABLE: &str = "arn:aws:dynamodb:eu-central-1:000000000000:table/orders";

fn statement(actions: &[&str], resources: &[&str]) -> Statement {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Statement {
        actions: owned(actions),
        resources: owned(resources),
    }
}

fn permission(action: &str, resource: &str) -> Permission {
    Permission {
        action: action.to_owned(),
        resource: resource.to_owned(),
    }
}

#[test]
fn a_statement_allows_what_its_patterns_match() {
    for (action, resource, allowed) in [
        ("dynamodb:PutItem", TABLE, true),
        ("DynamoDB:putitem", TABLE, true),
        ("dynamodb:PutItems", TABLE, false),
        ("dynamodb:PutItem", &TABLE.to_uppercase(), false),
        ("dynamodb:*Item", TABLE, true),
        ("dynamodb:???Item", TABLE, true),
        ("dynamodb:??Item", TABLE, false),
        ("dynamodb:*Get*Item", TABLE, false),
        ("*", "*", true),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/*", true),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/", false),
        ("dynamodb:PutItem", &format!("{TABLE}/index/*"), false),
    ] {
        let found =
            statement(&[action], &[resource]).allows(&permission("dynamodb:PutItem", TABLE));
        assert_eq!(found, allowed, "{action} on {resource}");
    }
    let two = [statement(&["a:B"], &["x"]), statement(&["c:D"], &["y"])];
    assert!(allow(&two, &permission("c:D", "y")));
    assert!(!allow(&two, &permission("a:B", "y")));
}

#[test]
fn a_call_needs_what_aws_documents() {
    let arns = Arns::new("eu-central-1");
    let check = |service: &str, operation: &str, body: Value, expected: &[(&str, &str)]| {
        let expected = expected
            .iter()
            .map(|(action, resource)| permission(action, resource))
            .collect();
        assert_eq!(needed(&arns, service, operation, &body), expected);
    };
    check(
        "dynamodb",
        "GetItem",
        json!({"TableName": "orders"}),
        &[("dynamodb:GetItem", TABLE)],
    );
    check(
        "dynamodb",
        "Query",
        json!({"TableName": TABLE, "IndexName": "by-due"}),
        &[("dynamodb:Query", &format!("{TABLE}/index/by-due"))],
    );
    check(
        "dynamodb",
        "BatchGetItem",
        json!({"RequestItems": {"orders": {}}}),
        &[("dynamodb:BatchGetItem", TABLE)],
    );
    let item = json!({"TableName": "orders"});
    check(
        "dynamodb",
        "TransactWriteItems",
        json!({"TransactItems": [
            {"Put": item}, {"Put": item}, {"Update": item}, {"Delete": item},
            {"ConditionCheck": item},
        ]}),
        &[
            ("dynamodb:ConditionCheckItem", TABLE),
            ("dynamodb:DeleteItem", TABLE),
            ("dynamodb:PutItem", TABLE),
            ("dynamodb:UpdateItem", TABLE),
        ],
    );
    check(
        "sqs",
        "SendMessageBatch",
        json!({"QueueUrl": "http://127.0.0.1:1/000000000000/outgoing"}),
        &[(
            "sqs:SendMessage",
            "arn:aws:sqs:eu-central-1:000000000000:outgoing",
        )],
    );
    check(
        "events",
        "PutEvents",
        json!({"Entries": [{"EventBusName": "shop"}, {}]}),
        &[
            (
                "events:PutEvents",
                "arn:aws:events:eu-central-1:000000000000:event-bus/shop",
            ),
            (
                "events:PutEvents",
                "arn:aws:events:eu-central-1:000000000000:event-bus/default",
            ),
        ],
    );
    check(
        "secretsmanager",
        "GetSecretValue",
        json!({"SecretId": "key"}),
        &[(
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-central-1:000000000000:secret:key-LoCaL1",
        )],
    );
    check(
        "ses",
        "SendEmail",
        json!({"FromEmailAddress": "Shop <shop@example.com>"}),
        &[(
            "ses:SendEmail",
            "arn:aws:ses:eu-central-1:000000000000:identity/shop@example.com",
        )],
    );
    check(
        "states",
        "StartExecution",
        json!({"stateMachineArn": "arn:m"}),
        &[("states:StartExecution", "arn:m")],
    );
    check(
        "dynamodb",
        "ListTables",
        json!({}),
        &[("dynamodb:ListTables", "*")],
    );
}

#[test]
fn a_call_of_s3_needs_the_permission_of_its_object_or_its_bucket() {
    let arns = Arns::new("eu-central-1");
    let body = json!({"Bucket": "b", "Key": "imports/1"});
    let object = "arn:aws:s3:::b/imports/1";
    for (operation, action, resource) in [
        ("GetObject", "s3:GetObject", object),
        ("HeadObject", "s3:GetObject", object),
        ("PostObject", "s3:PutObject", object),
        ("UploadPart", "s3:PutObject", object),
        ("CompleteMultipartUpload", "s3:PutObject", object),
        ("AbortMultipartUpload", "s3:AbortMultipartUpload", object),
        ("DeleteObject", "s3:DeleteObject", object),
        ("ListObjectsV2", "s3:ListBucket", "arn:aws:s3:::b"),
    ] {
        let needed = needed(&arns, "s3", operation, &body);
        assert_eq!(needed, [permission(action, resource)].into(), "{operation}");
    }
}

#[test]
fn a_denied_call_says_who_what_and_where() {
    let mut stack = Stack::default();
    stack.functions.insert(
        "PlaceOrder".to_owned(),
        Function {
            name: "shop-PlaceOrder".to_owned(),
            ..crate::functions::tests::echo()
        },
    );
    let statements = vec![statement(&["dynamodb:PutItem"], &[TABLE])];
    stack.policies.insert("PlaceOrder".to_owned(), statements);
    let arns = Arns::new("eu-central-1");
    let access = Access::enforcing(&stack, &arns);
    let (function, operator) = (Caller::function("PlaceOrder"), Caller::operator());
    let item = json!({"TableName": "orders"});
    assert_eq!(
        access.check(&function, "dynamodb", "PutItem", &item),
        Ok(())
    );
    // One part of a transaction is enough to have it denied.
    let transaction = json!({"TransactItems": [{"Put": item}, {"Delete": item}]});
    let denied = access.check(&function, "dynamodb", "TransactWriteItems", &transaction);
    let denied = denied.unwrap_err();
    assert_eq!(
        (denied.status, denied.code.as_str()),
        (400, "AccessDeniedException")
    );
    assert_eq!(
        denied.message,
        format!(
            "User: arn:aws:sts::000000000000:assumed-role/shop-PlaceOrderRole/shop-PlaceOrder is not \
             authorized to perform: dynamodb:DeleteItem on resource: {TABLE} because no \
             identity-based policy allows the dynamodb:DeleteItem action"
        )
    );
    let mail = json!({"FromEmailAddress": "shop@example.com"});
    let denied = access.check(&function, "ses", "SendEmail", &mail);
    assert_eq!(denied.unwrap_err().status, 403);
    // A function without a policy may do nothing; a caller that is not a function may do everything.
    let nobody = Caller::function("Nobody");
    assert!(access.check(&nobody, "dynamodb", "PutItem", &item).is_err());
    for caller in [&operator, &nobody] {
        let open = Access::open();
        assert_eq!(open.check(caller, "dynamodb", "DeleteItem", &item), Ok(()));
    }
    assert_eq!(
        access.check(&operator, "dynamodb", "DeleteItem", &item),
        Ok(())
    );
}
