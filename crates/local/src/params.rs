//! The parameters of an AWS call.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::aws::AwsError;

/// Reads the parameters of `operation`. `T` declares what is emulated (`deny_unknown_fields`), so
/// that anything else is refused by its name.
///
/// # Errors
/// `ValidationException` that names the operation and the parameter.
pub(crate) fn read<T: DeserializeOwned>(operation: &str, body: Value) -> Result<T, AwsError> {
    serde_json::from_value(body)
        .map_err(|error| AwsError::validation(format!("{operation} as emulated here: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Request {
        name: String,
    }

    #[test]
    fn an_unknown_parameter_is_refused_by_its_name() {
        let error = read::<Request>("GetThing", json!({"Name": "a", "Colour": "b"})).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        assert!(
            error.message.contains("GetThing") && error.message.contains("Colour"),
            "{error:?}"
        );
        assert_eq!(
            read::<Request>("GetThing", json!({"Name": "a"}))
                .unwrap()
                .name,
            "a"
        );
    }
}
