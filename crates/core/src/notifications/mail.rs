//! Sending mail: the trait that stands for the other system, and the adapter to SES.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, telemetry};
use crate::customers::model::Email;

/// A mail as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The subject: one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why a mail was not sent, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The mail was certainly not sent.
    #[error("refused: {0}")]
    Refused(String),
    /// There was no response, or one that leaves it open whether the mail was sent.
    #[error("unknown: {0}")]
    Unknown(String),
}

/// Sends mail.
pub trait MailSender: Sync {
    /// Sends `mail` to `to`.
    ///
    /// # Errors
    /// [`MailError`], which says whether the mail may have been sent nevertheless.
    fn send(&self, to: &Email, mail: &Mail) -> impl Future<Output = Result<(), MailError>> + Send;
}

/// Sends mail through SES v2, from the address that the setting `MAIL_FROM` names.
#[derive(Clone, Debug)]
pub struct SesSender {
    client: Client,
    from: String,
}

impl SesSender {
    /// Opens the resources of the sender.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.ses(),
            from: aws.settings().read(Setting::MailFrom)?,
        })
    }
}

impl MailSender for SesSender {
    async fn send(&self, to: &Email, mail: &Mail) -> Result<(), MailError> {
        let body = Body::builder()
            .text(utf8(&mail.text)?)
            .html(utf8(&mail.html)?)
            .build();
        let message = Message::builder()
            .subject(utf8(&mail.subject)?)
            .body(body)
            .build();
        let request = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build());
        request
            .send()
            .await
            .map(drop)
            .map_err(|error| mail_error(&error))
    }
}

fn utf8(text: &str) -> Result<Content, MailError> {
    let content = Content::builder().charset("UTF-8").data(text).build();
    content.map_err(|error| MailError::Refused(error.to_string()))
}

/// Returns what an error of a call says about the mail. SES refuses mails with a status below 500; everything else
/// may have happened after SES had accepted the mail.
fn mail_error<E>(error: &SdkError<E>) -> MailError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let refused = match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(context) => context.raw().status().is_client_error(),
        SdkError::TimeoutError(_)
        | SdkError::DispatchFailure(_)
        | SdkError::ResponseError(_)
        | _ => false,
    };
    // The text of SES's error may quote the address, so only its code is reported.
    let reason = match error.code() {
        Some(code) => code.to_owned(),
        None => telemetry::chain(error),
    };
    if refused {
        MailError::Refused(reason)
    } else {
        MailError::Unknown(reason)
    }
}
