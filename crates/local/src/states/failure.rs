//! How a state fails, and which names in `ErrorEquals` that matches.

/// A failed state: what `Catch` sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: String,
    pub(super) cause: String,
}

/// Why a branch of the machine ends without output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A state failed, and nothing has caught it.
    Failed(Failure),
    /// The whole execution has taken longer than it may.
    TimedOut,
}

/// The reserved names that an `ErrorEquals` may have.
pub(super) const RESERVED: [&str; 14] = [
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.ResultPathMatchFailure",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
];

impl Failure {
    pub(super) fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            cause: cause.into(),
        }
    }

    /// A failure that nothing retries or catches.
    pub(super) fn runtime(cause: impl Into<String>) -> Self {
        Self::new("States.Runtime", cause)
    }

    /// Whether one of `names` matches. `States.Runtime` never is matched, `States.ALL` matches
    /// neither that nor `States.DataLimitExceeded`, and `States.TaskFailed` matches everything else
    /// but timeouts (Step Functions Developer Guide, "Handling errors").
    pub(super) fn matches(&self, names: &[String]) -> bool {
        let error = self.error.as_str();
        error != "States.Runtime"
            && names.iter().any(|name| match name.as_str() {
                "States.ALL" => error != "States.DataLimitExceeded",
                "States.TaskFailed" => !matches!(
                    error,
                    "States.Timeout" | "States.HeartbeatTimeout" | "States.DataLimitExceeded"
                ),
                name => name == error,
            })
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_what_the_guide_says() {
        let matches = |error: &str, name: &str| Failure::new(error, "").matches(&[name.to_owned()]);
        assert!(matches("Declined", "Declined"));
        assert!(matches("Declined", "States.TaskFailed"));
        assert!(matches("Declined", "States.ALL"));
        assert!(!matches("Declined", "declined"));
        assert!(matches("States.Timeout", "States.ALL"));
        assert!(!matches("States.Timeout", "States.TaskFailed"));
        assert!(matches(
            "States.DataLimitExceeded",
            "States.DataLimitExceeded"
        ));
        assert!(!matches("States.DataLimitExceeded", "States.ALL"));
        assert!(!matches("States.Runtime", "States.ALL"));
        assert!(!matches("States.Runtime", "States.Runtime"));
    }
}
