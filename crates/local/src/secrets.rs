//! Secrets Manager: the template's secrets, with their current and previous versions.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::arn::Arns;
use crate::aws::{self, AwsError, Call, Caller, Service};
use crate::clock::Clock;
use crate::model::Stack;
use crate::params;

/// The file in the data directory that keeps the values.
const FILE: &str = "secrets.json";

/// The stack's secrets. Clones share them.
#[derive(Clone, Debug)]
pub struct Secrets {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    arns: Arns,
    clock: Clock,
    file: Option<PathBuf>,
    secrets: Mutex<BTreeMap<String, Secret>>,
}

/// A secret as it is stored. Its physical name is its key.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Secret {
    created_at: Timestamp,
    current: Version,
    previous: Option<Version>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Version {
    id: String,
    value: String,
    created_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct DescribeSecret {
    secret_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PutSecretValue {
    secret_id: String,
    secret_string: String,
    client_request_token: Option<String>,
}

impl Secrets {
    /// The secrets of `stack`. With a data directory, values outlive this process: those found
    /// there win over the template's, because a generated value is new at each start.
    ///
    /// # Errors
    /// When the file in the data directory cannot be read or written.
    pub fn new(stack: &Stack, clock: Clock, arns: Arns, data: Option<&Path>) -> io::Result<Self> {
        let file = data.map(|directory| directory.join(FILE));
        let mut secrets = file.as_deref().map_or_else(|| Ok(BTreeMap::new()), load)?;
        let now = clock.now();
        for secret in stack.secrets.values() {
            secrets
                .entry(secret.name.clone())
                .or_insert_with(|| Secret {
                    created_at: now,
                    current: Version::new(secret.value.clone(), None, now),
                    previous: None,
                });
        }
        let secrets = Self {
            inner: Arc::new(Inner {
                arns,
                clock,
                file,
                secrets: Mutex::new(secrets),
            }),
        };
        secrets.save(&secrets.lock())?;
        Ok(secrets)
    }

    /// One call of the Secrets Manager API.
    ///
    /// # Errors
    /// As the API's own; an operation or parameter that is not emulated is refused by name.
    pub fn call(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        match operation {
            "GetSecretValue" => self.get_value(params::read(operation, body)?),
            "DescribeSecret" => self.describe(&params::read(operation, body)?),
            "PutSecretValue" => self.put_value(params::read(operation, body)?),
            other => Err(AwsError::unknown_operation("secretsmanager", other)),
        }
    }

    fn get_value(&self, request: GetSecretValue) -> Result<Value, AwsError> {
        let secrets = self.lock();
        let (name, secret) = self.find(&secrets, &request.secret_id)?;
        let wanted = |version: &Version, stage: &str| {
            request
                .version_id
                .as_ref()
                .is_none_or(|id| *id == version.id)
                && request
                    .version_stage
                    .as_deref()
                    .is_none_or(|wanted| wanted == stage)
        };
        let any = request.version_id.is_some() || request.version_stage.is_some();
        let (version, stage) = [
            (Some(&secret.current), "AWSCURRENT"),
            (secret.previous.as_ref(), "AWSPREVIOUS"),
        ]
        .into_iter()
        .find_map(|(version, stage)| {
            version
                .filter(|version| {
                    if any {
                        wanted(version, stage)
                    } else {
                        stage == "AWSCURRENT"
                    }
                })
                .map(|version| (version, stage))
        })
        .ok_or_else(not_found)?;
        Ok(json!({
            "ARN": self.inner.arns.secret(name),
            "Name": name,
            "VersionId": version.id,
            "SecretString": version.value,
            "VersionStages": [stage],
            "CreatedDate": version.created_at.as_second(),
        }))
    }

    fn describe(&self, request: &DescribeSecret) -> Result<Value, AwsError> {
        let secrets = self.lock();
        let (name, secret) = self.find(&secrets, &request.secret_id)?;
        let mut stages = BTreeMap::from([(&secret.current.id, ["AWSCURRENT"])]);
        if let Some(previous) = &secret.previous {
            stages.insert(&previous.id, ["AWSPREVIOUS"]);
        }
        Ok(json!({
            "ARN": self.inner.arns.secret(name),
            "Name": name,
            "CreatedDate": secret.created_at.as_second(),
            "LastChangedDate": secret.current.created_at.as_second(),
            "VersionIdsToStages": stages,
        }))
    }

    fn put_value(&self, request: PutSecretValue) -> Result<Value, AwsError> {
        let mut secrets = self.lock();
        let name = self.find(&secrets, &request.secret_id)?.0.to_owned();
        let secret = secrets.get_mut(&name).ok_or_else(not_found)?;
        let token = request.client_request_token;
        let repeated = token
            .as_ref()
            .is_some_and(|token| *token == secret.current.id);
        if repeated && secret.current.value != request.secret_string {
            return Err(AwsError::client(
                "ResourceExistsException",
                "a version with this token and another value exists",
            ));
        }
        if !repeated {
            let version = Version::new(request.secret_string, token, self.inner.clock.now());
            secret.previous = Some(std::mem::replace(&mut secret.current, version));
        }
        let id = secret.current.id.clone();
        self.save(&secrets)
            .map_err(|error| AwsError::internal(format!("secrets not kept: {error}")))?;
        Ok(json!({
            "ARN": self.inner.arns.secret(&name),
            "Name": name,
            "VersionId": id,
            "VersionStages": ["AWSCURRENT"],
        }))
    }

    /// Finds a secret by name or ARN, also by the ARN without its random suffix.
    fn find<'a>(
        &self,
        secrets: &'a BTreeMap<String, Secret>,
        id: &str,
    ) -> Result<(&'a str, &'a Secret), AwsError> {
        secrets
            .iter()
            .find(|(name, _)| {
                let arn = self.inner.arns.secret(name);
                id == name.as_str()
                    || id == arn
                    || arn
                        .rsplit_once('-')
                        .is_some_and(|(partial, _)| partial == id)
            })
            .map(|(name, secret)| (name.as_str(), secret))
            .ok_or_else(not_found)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.inner
            .secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all values to the data directory, readable by its owner only.
    fn save(&self, secrets: &BTreeMap<String, Secret>) -> io::Result<()> {
        let Some(file) = &self.inner.file else {
            return Ok(());
        };
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        let fresh = file.with_extension("json.new");
        let mut out = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&fresh)?;
        out.write_all(&serde_json::to_vec_pretty(secrets)?)?;
        out.sync_all()?;
        fs::rename(fresh, file)
    }
}

impl Service for Secrets {
    fn call<'a>(&'a self, _: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(async move { Ok(aws::text(&self.call(operation, body)?)) })
    }
}

impl Version {
    fn new(value: String, id: Option<String>, created_at: Timestamp) -> Self {
        Self {
            id: id.unwrap_or_else(|| Uuid::new_v4().to_string()),
            value,
            created_at,
        }
    }
}

fn load(file: &Path) -> io::Result<BTreeMap<String, Secret>> {
    match fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

fn not_found() -> AwsError {
    AwsError::client(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn secrets(value: &str, data: Option<&Path>) -> Secrets {
        let mut stack = Stack::default();
        let secret = crate::model::Secret {
            name: "shop-key".to_owned(),
            value: value.to_owned(),
        };
        stack.secrets.insert("Key".to_owned(), secret);
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        Secrets::new(&stack, clock, Arns::for_stack("eu-central-1", &stack), data).unwrap()
    }

    fn value(secrets: &Secrets, request: Value) -> Result<String, String> {
        let answer = secrets
            .call("GetSecretValue", request)
            .map_err(|error| error.code)?;
        Ok(answer["SecretString"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_secret_is_found_by_name_and_by_arn() {
        let secrets = secrets("one", None);
        let arn = secrets.inner.arns.secret("shop-key");
        assert_eq!(
            value(&secrets, json!({"SecretId": "shop-key"})),
            Ok("one".to_owned())
        );
        assert_eq!(
            value(&secrets, json!({"SecretId": arn})),
            Ok("one".to_owned())
        );
        let missing = value(&secrets, json!({"SecretId": "shop"}));
        assert_eq!(missing, Err("ResourceNotFoundException".to_owned()));
    }

    #[test]
    fn a_new_value_makes_the_old_one_previous() {
        let secrets = secrets("one", None);
        secrets
            .call(
                "PutSecretValue",
                json!({"SecretId": "shop-key", "SecretString": "two"}),
            )
            .unwrap();
        let previous = json!({"SecretId": "shop-key", "VersionStage": "AWSPREVIOUS"});
        assert_eq!(
            value(&secrets, json!({"SecretId": "shop-key"})),
            Ok("two".to_owned())
        );
        assert_eq!(value(&secrets, previous), Ok("one".to_owned()));
        let described = secrets
            .call("DescribeSecret", json!({"SecretId": "shop-key"}))
            .unwrap();
        assert_eq!(
            described["VersionIdsToStages"].as_object().unwrap().len(),
            2
        );
    }

    #[test]
    fn the_same_request_token_stores_a_value_once() {
        let secrets = secrets("one", None);
        let put = |value| {
            let token = "0123456789012345678901234567890123";
            secrets.call(
                "PutSecretValue",
                json!({"SecretId": "shop-key", "SecretString": value, "ClientRequestToken": token}),
            )
        };
        assert_eq!(put("two").unwrap(), put("two").unwrap());
        assert_eq!(put("three").unwrap_err().code, "ResourceExistsException");
        let previous = json!({"SecretId": "shop-key", "VersionStage": "AWSPREVIOUS"});
        assert_eq!(value(&secrets, previous), Ok("one".to_owned()));
    }

    #[test]
    fn a_data_directory_keeps_the_first_value_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        drop(secrets("generated", Some(directory.path())));
        let again = secrets("another", Some(directory.path()));
        assert_eq!(
            value(&again, json!({"SecretId": "shop-key"})),
            Ok("generated".to_owned())
        );
        let mode = fs::metadata(directory.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_not_emulated_is_refused_by_name() {
        let secrets = secrets("one", None);
        let error = secrets.call("RotateSecret", json!({})).unwrap_err();
        assert!(error.message.contains("RotateSecret"), "{error:?}");
        let error = secrets
            .call("GetSecretValue", json!({"SecretId": "shop-key", "X": 1}))
            .unwrap_err();
        assert!(error.message.contains('X'), "{error:?}");
    }
}
