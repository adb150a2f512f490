//! What resources let services do, and what services have to be allowed.

use crate::access::like;
use crate::model::{Permission, Statement};

/// EventBridge.
pub(super) const EVENTS: &str = "events.amazonaws.com";
/// S3.
pub(super) const S3: &str = "s3.amazonaws.com";
/// API Gateway.
pub(super) const API: &str = "apigateway.amazonaws.com";
/// What invokes a function.
pub(super) const INVOKE: &str = "lambda:InvokeFunction";

/// What a resource lets services do.
#[derive(Clone)]
pub(super) struct Grant {
    /// The services, or `*`.
    pub(super) services: Vec<String>,
    pub(super) statement: Statement,
    /// In each of these lists, one has to be like the ARN in whose name the service acts.
    pub(super) sources: Vec<Vec<String>>,
}

/// What a service has to be allowed.
pub(super) struct RequiredGrant {
    /// What makes it necessary.
    pub(super) at: String,
    pub(super) service: &'static str,
    pub(super) permission: Permission,
    /// The ARN in whose name it acts.
    pub(super) source: String,
}

impl Grant {
    /// What SAM grants by itself.
    pub(super) fn by_sam(required: &RequiredGrant) -> Self {
        let Permission { action, resource } = required.permission.clone();
        Self {
            services: vec![required.service.to_owned()],
            statement: Statement {
                actions: vec![action],
                resources: vec![resource],
            },
            sources: vec![vec![required.source.clone()]],
        }
    }

    /// Whether this grant alone allows what is asked.
    pub(super) fn allows(&self, required: &RequiredGrant) -> bool {
        let mut services = self.services.iter();
        let source =
            |patterns: &Vec<String>| patterns.iter().any(|one| like(one, &required.source));
        services.any(|service| service == "*" || service == required.service)
            && self.statement.allows(&required.permission)
            && self.sources.iter().all(source)
    }
}
