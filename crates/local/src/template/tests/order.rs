//! What needs what.

use super::*;

/// A template of functions with these properties or attributes, an API, and a policy of `A`'s role that exists only if
/// the stage is `prod`.
fn template(a: &str, b: &str, api: &str) -> String {
    format!(
        "Parameters:
  Stage: {{Type: String, Default: prod}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  A: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: a}}{a}}}
  B: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: b{b}}}}}
  Api: {{Type: AWS::Serverless::HttpApi{api}}}
  Use:
    Type: AWS::IAM::Policy
    Condition: IsProd
    Properties: {{PolicyName: use, PolicyDocument: {{}}, Roles: [!Ref ARole]}}
"
    )
}

#[test]
fn a_dependency_on_an_unknown_resource_is_refused() {
    for (depends_on, name) in [
        ("Nothing", "\"Nothing\""),
        ("[B, {Ref: B}]", "{\"Ref\":\"B\"}"),
    ] {
        check_refused(
            &template(&format!(", DependsOn: {depends_on}"), "", ""),
            &format!("Resources.A: DependsOn: there is no resource {name}"),
        );
    }
}

#[test]
fn metadata_that_refer_to_an_unknown_resource_are_refused() {
    check_refused(
        &template(", Metadata: {After: !Ref Nothing}", "", ""),
        "Resources.A.Metadata.After: there is no parameter or resource Nothing",
    );
}

#[test]
fn circular_dependencies_are_refused() {
    let variables = |value: &str| format!(", Environment: {{Variables: {{OTHER: {value}}}}}");
    let policies = |resource: &str| {
        format!(", Policies: {{Statement: {{Effect: Allow, Action: a, Resource: {resource}}}}}")
    };
    let route =
        ", Events: {E: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: /}}}";
    for (a, b, api, circle) in [
        (", DependsOn: A", String::new(), "", "A"),
        (", DependsOn: [B]", variables("!Ref A"), "", "A, B"),
        (", DependsOn: B", variables("!GetAtt A.Arn"), "", "A, B"),
        (", DependsOn: B", variables("!GetAtt [A, Arn]"), "", "A, B"),
        (", DependsOn: B", variables("!Sub 'x-${A.Arn}'"), "", "A, B"),
        (
            ", DependsOn: B",
            variables("!Sub ['${Own}', {Own: !Ref A}]"),
            "",
            "A, B",
        ),
        (
            ", DependsOn: B",
            variables("!If [IsProd, !Ref A, x]"),
            "",
            "A, B",
        ),
        (
            ", DependsOn: B",
            policies("!GetAtt A.Arn"),
            "",
            "A, B, BRole",
        ),
        // The API is made of its routes.
        ("", route.to_owned(), ", DependsOn: B", ""),
        (
            "",
            format!("{route}{}", variables("!Ref Api")),
            "",
            "Api, B",
        ),
        (
            ", Metadata: {After: !If [IsProd, !Ref Api, '']}",
            route.to_owned(),
            ", DependsOn: A",
            "A, Api",
        ),
    ] {
        let template = template(a, &b, api);
        if circle.is_empty() {
            load(&template);
        } else {
            let (first, _) = circle.split_once(',').unwrap_or((circle, ""));
            let expected = format!("Resources.{first}: circular dependency: {circle}");
            check_refused(&template, &expected);
        }
    }
}

#[test]
fn a_role_does_not_need_its_function() {
    let own = ", Policies: {Statement: {Effect: Allow, Action: a, Resource: !GetAtt A.Arn}}";
    for a in [
        ", DependsOn: Use",
        ", DependsOn: ARole",
        // CloudFormation follows only the branch that is taken.
        ", Metadata: {After: !If [IsProd, !Ref Use, !Ref A]}",
    ] {
        load(&template(a, own, ""));
    }
    let without = load_with(&template(", DependsOn: Use", "", ""), &[("Stage", "dev")]);
    assert!(without.is_ok(), "{without:?}");
}
