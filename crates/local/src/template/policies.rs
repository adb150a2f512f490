//! Policies of functions, state machines and roles. Only what the runner can weigh is read: what is
//! allowed, without conditions; the rest is refused by name.

use serde_json::Value;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::reader::Properties;
use super::resource_policies;
use crate::model::Statement;

/// `Policies` of a function or a state machine, as SAM reads them: one, or a list.
pub(super) fn of_sam(properties: &mut Properties) -> Result<Vec<Statement>, Refused> {
    let policies = match properties.take("Policies") {
        Some(Value::Array(policies)) => policies,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut statements = Vec::new();
    for (n, policy) in policies.into_iter().enumerate() {
        let at = format!("{}.Policies[{n}]", properties.at());
        if let Value::String(name) = &policy {
            let problem = format!("the managed policy {name} is not emulated locally");
            return Err(Refused::new(&at, problem));
        }
        statements.extend(document(Properties::new(at, policy)?)?);
    }
    Ok(statements)
}

/// `AWS::IAM::Role`.
pub(super) fn role(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id, mut properties, ..
    } = declared;
    resource_policies::of_role(builder, &id, &mut properties)?;
    let mut statements = Vec::new();
    for mut policy in properties.maps("Policies")? {
        policy.text("PolicyName")?;
        let content = policy.map("PolicyDocument")?;
        let content = content.ok_or_else(|| policy.refuse("PolicyDocument", "is missing"))?;
        statements.extend(document(content)?);
        policy.done("Role policy")?;
    }
    properties.take("RoleName");
    properties.done("AWS::IAM::Role")?;
    builder.allow(id, statements);
    Ok(())
}

/// `AWS::IAM::Policy`: the same statements for several roles of the stack.
pub(super) fn policy(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let mut properties = declared.properties;
    let content = properties.map("PolicyDocument")?;
    let content = content.ok_or_else(|| properties.refuse("PolicyDocument", "is missing"))?;
    let statements = document(content)?;
    for role in properties.one_or_more("Roles")? {
        let problem = || properties.refuse("Roles", format!("{role} is not a role of this stack"));
        let holder = builder.holder(&role).ok_or_else(problem)?;
        builder.allow(holder, statements.clone());
    }
    properties.take("PolicyName");
    properties.done("AWS::IAM::Policy")
}

fn document(mut document: Properties) -> Result<Vec<Statement>, Refused> {
    document.only("Version", &["2012-10-17"])?;
    let statements = document.some_maps("Statement")?;
    document.done("Policy")?;
    statements.into_iter().map(statement).collect()
}

fn statement(mut statement: Properties) -> Result<Statement, Refused> {
    statement.text("Sid")?;
    statement.only("Effect", &["Allow"])?;
    let read = Statement {
        actions: statement.one_or_more("Action")?,
        resources: statement.one_or_more("Resource")?,
    };
    statement.done("Statement")?;
    Ok(read)
}
