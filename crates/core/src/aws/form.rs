//! Forms with which anybody who has one uploads one file to a bucket. The SDK signs addresses for `PUT`, but no forms,
//! and only a form bounds how large the file may be.
//!
//! A form carries a policy, which says what its fields must be, and the signature of the policy. Every field is in the
//! policy, so none can be changed and none added.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde::Serialize;

use super::Aws;
use super::bucket::BucketError;
use super::settings::{Setting, SettingError};
use crate::values::clock::Time;

/// How long a form can be used.
const LIFETIME: Duration = Duration::from_mins(15);

/// The file that a form is for.
#[derive(Clone, Debug)]
pub struct Upload<'a> {
    /// Its key in the bucket.
    pub key: &'a str,
    /// Its media type, with which the bucket serves it.
    pub content_type: &'a str,
    /// The header `Cache-Control` with which the bucket serves it.
    pub cache_control: &'a str,
    /// The most bytes that it may have; the least is 1.
    pub most_bytes: u64,
}

/// A form: the file is sent after its fields, by `POST` as `multipart/form-data`.
///
/// Wire shape: `{"url": "https://...", "fields": {"key": "...", ...}}`.
#[derive(Clone, Debug, Serialize)]
pub struct Form {
    /// Where it is sent.
    pub url: String,
    /// Its fields by their names.
    pub fields: BTreeMap<&'static str, String>,
    /// Until when.
    #[serde(skip)]
    pub expires_at: Time,
}

/// What a form has to be.
#[derive(Serialize)]
struct Policy<'a> {
    expiration: Time,
    conditions: Vec<Condition<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Condition<'a> {
    /// The field has this value.
    Exact(BTreeMap<&'a str, &'a str>),
    /// `content-length-range`: the least and the most bytes of the file.
    Length(&'static str, u64, u64),
}

impl<'a> Condition<'a> {
    fn exact(name: &'a str, value: &'a str) -> Self {
        Self::Exact(BTreeMap::from([(name, value)]))
    }
}

/// What signs forms for the bucket of images.
#[derive(Clone, Debug)]
pub struct FormSigner {
    aws: Aws,
    bucket: String,
}

impl FormSigner {
    /// Returns what signs forms for the bucket of images, which the settings name (`IMAGES_BUCKET`).
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn of_images(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            bucket: aws.settings().read(Setting::ImagesBucket)?,
            aws: aws.clone(),
        })
    }

    /// Returns a form with which anybody who has it can upload the file, for a quarter of an hour from `now` on.
    ///
    /// # Errors
    /// [`BucketError::Failed`]. No call is made.
    pub async fn sign(&self, upload: &Upload<'_>, now: Time) -> Result<Form, BucketError> {
        let credentials = self.credentials().await?;
        let region = self.region()?;
        let expires_at = now.plus(LIFETIME);
        let mut fields = fields(upload, &credentials, region, now);
        let policy = self.policy(&fields, upload.most_bytes, expires_at)?;
        let secret = credentials.secret_access_key();
        let key = generate_signing_key(secret, SystemTime::from(now), region, "s3");
        let signature = calculate_signature(key, policy.as_bytes());
        fields.extend([("policy", policy), ("x-amz-signature", signature)]);
        Ok(Form {
            url: self.url(region).await?,
            fields,
            expires_at,
        })
    }

    /// Returns the policy of a form with `fields`, in Base64.
    fn policy(
        &self,
        fields: &BTreeMap<&'static str, String>,
        most_bytes: u64,
        expires_at: Time,
    ) -> Result<String, BucketError> {
        let mut conditions = vec![
            Condition::exact("bucket", &self.bucket),
            Condition::Length("content-length-range", 1, most_bytes),
        ];
        let exact = fields.iter();
        conditions.extend(exact.map(|(name, value)| Condition::exact(name, value)));
        let policy = Policy {
            expiration: expires_at,
            conditions,
        };
        let json = serde_json::to_vec(&policy).map_err(BucketError::failed)?;
        Ok(STANDARD.encode(json))
    }

    async fn credentials(&self) -> Result<Credentials, BucketError> {
        let provider = self.aws.config().credentials_provider();
        let provider = provider.ok_or_else(|| BucketError::Failed("no credentials".into()))?;
        let credentials = provider.provide_credentials().await;
        credentials.map_err(BucketError::failed)
    }

    fn region(&self) -> Result<&str, BucketError> {
        let region = self.aws.config().region();
        let region = region.ok_or_else(|| BucketError::Failed("no region".into()))?;
        Ok(region.as_ref())
    }

    /// Returns the address of the bucket, as the SDK finds it in every partition of AWS, with the bucket in the path as in
    /// the addresses of [`super::bucket::Bucket`].
    async fn url(&self, region: &str) -> Result<String, BucketError> {
        let params = Params::builder()
            .bucket(&self.bucket)
            .region(region)
            .set_endpoint(self.aws.config().endpoint_url().map(str::to_owned))
            .force_path_style(true)
            .build()
            .map_err(BucketError::failed)?;
        let endpoint = DefaultResolver::new().resolve_endpoint(&params).await;
        Ok(endpoint.map_err(BucketError::Failed)?.url().to_owned())
    }
}

/// Returns the fields of a form for `upload`, without the policy and its signature.
fn fields(
    upload: &Upload<'_>,
    credentials: &Credentials,
    region: &str,
    now: Time,
) -> BTreeMap<&'static str, String> {
    let date = now.basic();
    let (day, _) = date.split_at(8);
    let key_id = credentials.access_key_id();
    let mut fields = BTreeMap::from([
        ("key", upload.key.to_owned()),
        ("Content-Type", upload.content_type.to_owned()),
        ("Content-Disposition", "inline".to_owned()),
        ("Cache-Control", upload.cache_control.to_owned()),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
        (
            "x-amz-credential",
            format!("{key_id}/{day}/{region}/s3/aws4_request"),
        ),
    ]);
    // A function's credentials are temporary, and unknown without their token.
    if let Some(token) = credentials.session_token() {
        fields.insert("x-amz-security-token", token.to_owned());
    }
    fields.insert("x-amz-date", date);
    fields
}
