//! Routes in the `DefinitionBody` of an API.

use super::*;
use crate::model::Route;

const SHOP: &str = r#"
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token:
            FunctionArn: !GetAtt Authorise.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
      RouteSettings:
        GET /orders/{order_id}: {ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20}
      DefinitionBody:
        openapi: 3.0.1
        info: {title: Shop, version: "1.0"}
        paths:
          /orders/{order_id}:
            parameters: [{name: order_id, in: path, required: true}]
            get:
              responses: {}
              x-amazon-apigateway-integration:
                {type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0", credentials: !GetAtt Caller.Arn,
                uri: !Sub "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Get.Arn}/invocations"}
          /health:
            x-amazon-apigateway-any-method:
              security: [{NONE: []}]
              responses: {}
              x-amazon-apigateway-integration:
                {type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0", credentials: !GetAtt Caller.Arn,
                uri: !Sub "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Get.Arn}/invocations"}
  Authorise:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: target/lambda/authorise/}
  Get:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: target/lambda/get/}
  Caller:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: call
          PolicyDocument:
            Statement: [{Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Get.Arn}]
"#;

#[test]
fn routes_stand_in_the_document() {
    let stack = load(SHOP);
    let route = |method: &str, path: &str, authorizer: Option<&str>| Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: "Get".to_owned(),
        authorizer: authorizer.map(str::to_owned),
    };
    let expected = [
        route("ANY", "/health", None),
        route("GET", "/orders/{order_id}", Some("Token")),
    ];
    assert_eq!(stack.api.unwrap().routes, expected);
}

/// What stands in the template, what takes its place, and the error.
const CASES: &[(&str, &str, &str)] = &[
    (
        "openapi: 3.0.1",
        "swagger: 2",
        "Resources.Api.Properties.DefinitionBody.swagger: is not emulated locally",
    ),
    (
        "name: order_id",
        "name: id",
        "/orders/{order_id}.parameters: id is not in both the path and its parameters",
    ),
    (
        "/orders/{order_id}:\n",
        "/orders:\n",
        "/orders.parameters: order_id is not in both the path and its parameters",
    ),
    (
        "in: path",
        "in: query",
        "/orders/{order_id}.parameters[0].in: query is not emulated locally, only path",
    ),
    (
        "security: [{NONE: []}]",
        "security: [{Key: []}]",
        "/health.x-amazon-apigateway-any-method.security[0]: there is no authorizer Key",
    ),
    (
        "security: [{NONE: []}]",
        "security: [{Token: [read]}]",
        "/health.x-amazon-apigateway-any-method.security[0].Token: scopes are not emulated locally",
    ),
    (
        "security: [{NONE: []}]",
        "security: [{Token: []}, {NONE: []}]",
        "/health.x-amazon-apigateway-any-method.security: more than one is not emulated locally",
    ),
    (
        "            get:\n",
        "            trace:\n",
        "/orders/{order_id}.trace: is not emulated locally",
    ),
    (
        "get:\n              responses",
        "get:\n              operationId: x\n              responses",
        "/orders/{order_id}.get.operationId: is not emulated locally",
    ),
    (
        "{type: aws_proxy",
        "{type: http_proxy",
        "/orders/{order_id}.get.x-amazon-apigateway-integration.type: http_proxy is not emulated locally, only aws_proxy",
    ),
    (
        "functions/${Get.Arn}/invocations",
        "functions/other/invocations",
        "/orders/{order_id}.get.x-amazon-apigateway-integration.uri: \
         arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/other/invocations calls no function of this stack",
    ),
    (
        "credentials: !GetAtt Caller.Arn",
        "credentials: x",
        "/orders/{order_id}.get.x-amazon-apigateway-integration.credentials: x is not a role of this stack",
    ),
    (
        "credentials: !GetAtt Caller.Arn,",
        "",
        "/orders/{order_id}.get.x-amazon-apigateway-integration.credentials: is missing",
    ),
    (
        "apigateway.amazonaws.com",
        "events.amazonaws.com",
        "/health.x-amazon-apigateway-any-method.x-amazon-apigateway-integration: \
         no policy of Caller lets apigateway.amazonaws.com do sts:AssumeRole",
    ),
    (
        "Resource: !GetAtt Get.Arn",
        "Resource: !GetAtt Authorise.Arn",
        "Resources.Caller.Properties.Policies: lambda:InvokeFunction on \
         arn:aws:lambda:eu-central-1:000000000000:function:shop-Get is not allowed, and AWS has to do it",
    ),
    (
        "/health:\n",
        "/orders/{id}:\n            parameters: [{name: id, in: path, required: true}]\n            get: {responses: {}, \
         x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, payloadFormatVersion: '2.0', \
         credentials: !GetAtt Caller.Arn, uri: !Sub \"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/${Get.Arn}/invocations\"}}\n          /health:\n",
        "/orders/{order_id}.Path: GET /orders/{order_id} is GET /orders/{id}",
    ),
    (
        "GET /orders/{order_id}:",
        "GET /orders:",
        "Resources.Api.Properties.RouteSettings: there is no route GET /orders",
    ),
    (
        "CodeUri: target/lambda/get/",
        "CodeUri: target/lambda/get/, Events: {It: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /x}}}",
        "Resources.Get.Properties.Events.It.Properties.ApiId: \
         the API has a DefinitionBody, which has to have its routes",
    ),
];

#[test]
fn what_is_not_emulated_is_refused() {
    for (given, instead, expected) in CASES {
        assert!(SHOP.contains(given), "{given}");
        let place = if expected.starts_with("Resources.") {
            String::new()
        } else {
            "Resources.Api.Properties.DefinitionBody.paths.".to_owned()
        };
        check_refused(
            &SHOP.replacen(given, instead, 1),
            &format!("{place}{expected}"),
        );
    }
}
