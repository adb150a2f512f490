//! The buckets of files that come from outside and go there: the adapter to S3.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use futures::future::BoxFuture;

use super::settings::{Setting, SettingError};
use super::{Aws, gate};
use crate::values::clock::Time;

/// How long a file can be uploaded to an address, or downloaded from it.
pub const ADDRESS_LIFETIME: Duration = Duration::from_hours(1);

/// The bucket did not carry out a request.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The file, or its upload, is not there any more, or another one is in its place.
    #[error("the file has been replaced or removed")]
    Changed,
    /// Whatever else.
    #[error("the bucket failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl BucketError {
    pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(error.into())
    }

    fn from_sdk<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match error.code() {
            Some(
                "PreconditionFailed"
                | "ConditionalRequestConflict"
                | "NoSuchKey"
                | "NoSuchUpload"
                | "InvalidPart"
                | "InvalidRange",
            ) => Self::Changed,
            Some(_) | None => Self::Failed(DisplayErrorContext(error).to_string().into()),
        }
    }
}

fn presigning(now: Time) -> Result<PresigningConfig, BucketError> {
    let config = PresigningConfig::builder()
        .start_time(SystemTime::from(now))
        .expires_in(ADDRESS_LIFETIME);
    config.build().map_err(BucketError::failed)
}

/// On what condition a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there.
    None,
    /// There is no such file.
    Absent,
    /// The file has this entity tag.
    Is(String),
}

/// A file, for somebody who may know it already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latest {
    /// It is not there.
    Absent,
    /// It is as it was.
    Same,
    /// It is new, or another one.
    Changed {
        /// All of it.
        bytes: Vec<u8>,
        /// Its entity tag.
        etag: String,
    },
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// Returns the bucket of files of imports and exports, which the settings name (`FILES_BUCKET`).
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Self::named(aws, Setting::FilesBucket)
    }

    /// Returns the bucket of images, which the settings name (`IMAGES_BUCKET`).
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn of_images(aws: &Aws) -> Result<Self, SettingError> {
        Self::named(aws, Setting::ImagesBucket)
    }

    /// Returns the bucket of the search index, which the settings name (`SEARCH_BUCKET`).
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn of_search(aws: &Aws) -> Result<Self, SettingError> {
        Self::named(aws, Setting::SearchBucket)
    }

    fn named(aws: &Aws, setting: Setting) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.s3(),
            name: aws.settings().read(setting)?,
        })
    }

    /// Returns an address to which anybody can upload the file `key` by `PUT`, for an hour from `now` on.
    ///
    /// # Errors
    /// [`BucketError::Failed`]. No call is made.
    pub async fn upload_url(&self, key: &str, now: Time) -> Result<String, BucketError> {
        let config = presigning(now)?;
        let request = self.client.put_object().bucket(&self.name).key(key);
        let presigned = Box::pin(request.presigned(config)).await;
        Ok(presigned.map_err(BucketError::from_sdk)?.uri().to_owned())
    }

    /// Returns an address from which anybody can download the file `key`, for an hour from `now` on.
    ///
    /// # Errors
    /// [`BucketError::Failed`]. No call is made.
    pub async fn download_url(&self, key: &str, now: Time) -> Result<String, BucketError> {
        let config = presigning(now)?;
        let request = self.client.get_object().bucket(&self.name).key(key);
        let presigned = Box::pin(request.presigned(config)).await;
        Ok(presigned.map_err(BucketError::from_sdk)?.uri().to_owned())
    }

    /// Begins to upload the file `key` in parts. Returns what the upload is called.
    ///
    /// # Errors
    /// [`BucketError::Failed`].
    pub async fn begin(&self, key: &str) -> Result<String, BucketError> {
        gate::admitted().await;
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .key(key);
        let begun = Box::pin(request.send())
            .await
            .map_err(BucketError::from_sdk)?;
        begun
            .upload_id
            .ok_or_else(|| BucketError::Failed("the upload has no identifier".into()))
    }

    /// Uploads the part `number`, from 1, of the file `key`. Returns its entity tag.
    ///
    /// # Errors
    /// [`BucketError::Changed`] if the upload is not there any more.
    pub async fn put_part(
        &self,
        key: &str,
        upload_id: &str,
        number: usize,
        bytes: Vec<u8>,
    ) -> Result<String, BucketError> {
        gate::admitted().await;
        let number = i32::try_from(number).map_err(BucketError::failed)?;
        let request = self.client.upload_part().bucket(&self.name).key(key);
        let request = request
            .upload_id(upload_id)
            .part_number(number)
            .body(bytes.into());
        let part = Box::pin(request.send())
            .await
            .map_err(BucketError::from_sdk)?;
        part.e_tag
            .ok_or_else(|| BucketError::Failed("the part has no entity tag".into()))
    }

    /// Makes the file `key` of its `parts`.
    ///
    /// # Errors
    /// [`BucketError::Changed`] if the upload is not there any more, or has other parts.
    pub async fn complete(
        &self,
        key: &str,
        upload_id: &str,
        parts: &[String],
    ) -> Result<(), BucketError> {
        gate::admitted().await;
        let numbered = (1_i32..).zip(parts);
        let parts = numbered.map(|(number, etag)| {
            CompletedPart::builder()
                .part_number(number)
                .e_tag(etag)
                .build()
        });
        let upload = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.name)
            .key(key);
        let request = request.upload_id(upload_id).multipart_upload(upload);
        Box::pin(request.send())
            .await
            .map_err(BucketError::from_sdk)?;
        Ok(())
    }

    /// Returns whether the file `key` is there.
    ///
    /// # Errors
    /// [`BucketError::Failed`].
    pub async fn has(&self, key: &str) -> Result<bool, BucketError> {
        gate::admitted().await;
        let request = self
            .client
            .get_object()
            .bucket(&self.name)
            .key(key)
            .range("bytes=0-0");
        match Box::pin(request.send())
            .await
            .map_err(BucketError::from_sdk)
        {
            Ok(_) => Ok(true),
            Err(BucketError::Changed) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns at most `most` bytes of the file `key` from its byte `from` on, if it still has `etag`.
    ///
    /// # Errors
    /// [`BucketError`].
    #[must_use]
    pub fn read<'a>(
        &'a self,
        key: &'a str,
        etag: &'a str,
        from: u64,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, BucketError>> {
        Box::pin(async move {
            gate::admitted().await;
            let last = from.saturating_add(u64::try_from(most).unwrap_or(u64::MAX)) - 1;
            let request = self.client.get_object().bucket(&self.name).key(key);
            let request = request.if_match(etag).range(format!("bytes={from}-{last}"));
            let file = request.send().await.map_err(BucketError::from_sdk)?;
            let bytes = file.body.collect().await.map_err(BucketError::failed)?;
            Ok(bytes.to_vec())
        })
    }

    /// Returns the file `key`, unless it still has the entity tag `known`.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn latest(&self, key: &str, known: Option<&str>) -> Result<Latest, BucketError> {
        let request = self.client.get_object().bucket(&self.name).key(key);
        let request = request.set_if_none_match(known.map(str::to_owned));
        let file = match Box::pin(request.send()).await {
            Ok(file) => file,
            Err(error) => {
                let status = error
                    .raw_response()
                    .map(|response| response.status().as_u16());
                return match (status, error.code()) {
                    (Some(304), _) => Ok(Latest::Same),
                    // S3 tells only those who may list the bucket that a file is not there. Nothing depends on which of
                    // both it is, because what is written next is written on condition.
                    (_, Some("NoSuchKey" | "AccessDenied")) => Ok(Latest::Absent),
                    _ => Err(BucketError::from_sdk(error)),
                };
            }
        };
        let etag = file.e_tag.clone();
        let etag = etag.ok_or_else(|| BucketError::Failed("the file has no entity tag".into()))?;
        let bytes = file.body.collect().await.map_err(BucketError::failed)?;
        let bytes = bytes.to_vec();
        Ok(Latest::Changed { bytes, etag })
    }

    /// Returns `bytes` of the file `key`, or fewer if it ends before.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn read_range(&self, key: &str, bytes: Range<u64>) -> Result<Vec<u8>, BucketError> {
        let request = self.client.get_object().bucket(&self.name).key(key);
        let last = bytes.end.saturating_sub(1);
        let request = request.range(format!("bytes={}-{last}", bytes.start));
        let file = Box::pin(request.send())
            .await
            .map_err(BucketError::from_sdk)?;
        let bytes = file.body.collect().await.map_err(BucketError::failed)?;
        Ok(bytes.to_vec())
    }

    /// Writes the file `key`.
    ///
    /// # Errors
    /// [`BucketError::Changed`] if the condition does not hold.
    pub async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<(), BucketError> {
        gate::admitted().await;
        let request = self.client.put_object().bucket(&self.name).key(key);
        let request = match condition {
            Condition::None => request,
            Condition::Absent => request.if_none_match("*"),
            Condition::Is(etag) => request.if_match(etag),
        };
        let request = request.body(bytes.into());
        Box::pin(request.send())
            .await
            .map_err(BucketError::from_sdk)?;
        Ok(())
    }

    /// Removes the file `key`, if it is there.
    ///
    /// # Errors
    /// [`BucketError::Failed`].
    pub async fn remove(&self, key: &str) -> Result<(), BucketError> {
        gate::admitted().await;
        let request = self.client.delete_object().bucket(&self.name).key(key);
        Box::pin(request.send())
            .await
            .map_err(BucketError::from_sdk)?;
        Ok(())
    }
}
