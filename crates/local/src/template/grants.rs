//! What resources let services do, and what services have to be allowed.

use crate::access::like;
use crate::model::{Permission, Statement};

/// EventBridge.
pub(super) const EVENTS: &str = "events.amazonaws.com";
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
pub(super) struct Ask {
    /// What makes it necessary.
    pub(super) at: String,
    pub(super) service: &'static str,
    pub(super) permission: Permission,
    /// The ARN in whose name it acts.
    pub(super) source: String,
}

impl Grant {
    /// What SAM grants by itself.
    pub(super) fn by_sam(ask: &Ask) -> Self {
        let Permission { action, resource } = ask.permission.clone();
        Self {
            services: vec![ask.service.to_owned()],
            statement: Statement {
                actions: vec![action],
                resources: vec![resource],
            },
            sources: vec![vec![ask.source.clone()]],
        }
    }

    /// Whether this grant alone allows what is asked.
    pub(super) fn allows(&self, ask: &Ask) -> bool {
        let mut services = self.services.iter();
        let source = |patterns: &Vec<String>| patterns.iter().any(|one| like(one, &ask.source));
        services.any(|service| service == "*" || service == ask.service)
            && self.statement.allows(&ask.permission)
            && self.sources.iter().all(source)
    }
}
