//! Who may do what: the policies of a template, weighed as IAM weighs the policies of an identity.
//!
//! What no statement allows is denied. A caller that is not a function, such as a command line or
//! a test, may do everything: its credentials are its own. Statements that deny or have conditions
//! are not emulated, and are refused when the template is loaded.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::arn::Arns;
use crate::aws::{AwsError, Caller};
use crate::model::{ACCOUNT, Permission, Stack, Statement};

pub use permissions::needed;
pub use statements::allow;
pub(crate) use statements::like;
pub use usage::Usage;

mod permissions;
mod statements;
mod usage;

/// Lets calls through or not. Clones share the policies.
#[derive(Clone, Debug)]
pub struct Access {
    /// `None` lets everything through.
    policies: Option<Arc<Policies>>,
}

#[derive(Debug)]
struct Policies {
    arns: Arns,
    /// By logical id of a function.
    statements: BTreeMap<String, Vec<Statement>>,
    /// The physical names of the functions.
    names: BTreeMap<String, String>,
}

impl Access {
    /// Enforces the policies of `stack`.
    #[must_use]
    pub fn enforcing(stack: &Stack, arns: &Arns) -> Self {
        let names = stack.functions.iter();
        let policies = Policies {
            arns: arns.clone(),
            statements: stack.policies.clone(),
            names: names.map(|(id, f)| (id.clone(), f.name.clone())).collect(),
        };
        Self {
            policies: Some(Arc::new(policies)),
        }
    }

    /// Every caller may do everything.
    #[must_use]
    pub fn open() -> Self {
        Self { policies: None }
    }

    /// Lets a call through, or not.
    ///
    /// # Errors
    /// `AccessDeniedException` for the first permission that the call needs and the caller lacks.
    pub fn check(
        &self,
        caller: &Caller,
        service: &str,
        operation: &str,
        body: &Value,
    ) -> Result<(), AwsError> {
        let (Some(policies), Some(function)) = (&self.policies, &caller.function) else {
            return Ok(());
        };
        let statements = policies.statements.get(function);
        let missing = needed(&policies.arns, service, operation, body)
            .into_iter()
            .find(|permission| !statements.is_some_and(|all| allow(all, permission)));
        match missing {
            Some(permission) => Err(policies.denied(function, service, &permission)),
            None => Ok(()),
        }
    }
}

impl Policies {
    fn denied(&self, function: &str, service: &str, permission: &Permission) -> AwsError {
        let Permission { action, resource } = permission;
        let name = self.names.get(function).map_or(function, String::as_str);
        let error = AwsError::client(
            "AccessDeniedException",
            format!(
                "User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}Role/{name} is not authorized to \
                 perform: {action} on resource: {resource} because no identity-based policy allows \
                 the {action} action"
            ),
        );
        // In REST the status says it.
        let status = if service == "ses" { 403 } else { error.status };
        AwsError { status, ..error }
    }
}

#[cfg(test)]
mod tests;
