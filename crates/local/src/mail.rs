//! SES v2: takes mail and keeps it for reading.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::aws::{self, AwsError, Call, Caller, Service};
use crate::clock::Clock;
use crate::params;

/// How many messages are kept; older ones are forgotten.
const KEPT: usize = 10_000;

/// A message may have so many recipients (SES quota).
const RECIPIENTS: usize = 50;

/// The mail that was sent. Clones share it.
#[derive(Clone, Debug)]
pub struct Mail {
    clock: Clock,
    sent: Arc<Mutex<VecDeque<Message>>>,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    /// All recipients, separated by `, `.
    to: String,
    from: String,
    subject: String,
    text: Option<String>,
    html: Option<String>,
    sent_at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    destination: Option<Destination>,
    content: Content,
    #[serde(rename = "ReplyToAddresses")]
    _reply_to: Option<Vec<String>>,
    /// Tags and configuration sets only feed metrics.
    #[serde(rename = "EmailTags")]
    _tags: Option<Value>,
    #[serde(rename = "ConfigurationSetName")]
    _configuration_set: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    bcc: Vec<String>,
}

/// `Raw` and `Template` are not emulated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Simple {
    subject: Part,
    body: Body,
    #[serde(rename = "Headers")]
    _headers: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Body {
    text: Option<Part>,
    html: Option<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Part {
    data: String,
    #[serde(rename = "Charset")]
    _charset: Option<String>,
}

impl Mail {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            sent: Arc::default(),
        }
    }

    /// One call of the SES v2 API.
    ///
    /// # Errors
    /// As the API's own; an operation or parameter that is not emulated is refused by name.
    pub fn call(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        match operation {
            "SendEmail" => self.send(params::read(operation, body)?),
            other => Err(AwsError::unknown_operation("ses", other)),
        }
    }

    /// What was sent, oldest first: `{messages:[{to,from,subject,text,html,sent_at}]}`.
    #[must_use]
    pub fn messages(&self) -> Value {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        json!({ "messages": *sent })
    }

    fn send(&self, request: SendEmail) -> Result<Value, AwsError> {
        let from = request
            .from_email_address
            .filter(|from| is_address(from))
            .ok_or_else(|| bad_request("FromEmailAddress is missing or no address"))?;
        let destination = request.destination.unwrap_or_default();
        let to = [destination.to, destination.cc, destination.bcc].concat();
        if to.is_empty() || to.len() > RECIPIENTS {
            return Err(bad_request("a message has 1 to 50 recipients"));
        }
        if let Some(bad) = to.iter().find(|address| !is_address(address)) {
            return Err(bad_request(format!("{bad} is not an address")));
        }
        let Simple { subject, body, .. } = request.content.simple;
        let text = body.text.map(|part| part.data);
        let html = body.html.map(|part| part.data);
        if [&text, &html].into_iter().flatten().all(String::is_empty) {
            return Err(AwsError::client("MessageRejected", "Email body is empty"));
        }
        let message = Message {
            to: to.join(", "),
            from,
            subject: subject.data,
            text,
            html,
            sent_at: self.clock.now().to_string(),
        };
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() >= KEPT {
            sent.pop_front();
        }
        sent.push_back(message);
        Ok(json!({ "MessageId": Uuid::new_v4().to_string() }))
    }
}

impl Service for Mail {
    fn call<'a>(&'a self, _: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(async move { Ok(aws::text(&self.call(operation, body)?)) })
    }
}

/// An address, alone or as `Name <address>`. What is between `@` and the ends is the receiver's.
fn is_address(text: &str) -> bool {
    let address = text
        .split_once('<')
        .map_or(text, |(_, rest)| rest.trim_end_matches('>'));
    let parts = address.rsplit_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !address.contains(char::is_whitespace)
}

fn bad_request(message: impl Into<String>) -> AwsError {
    AwsError::client("BadRequestException", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn email(body: Value) -> Value {
        json!({
            "FromEmailAddress": "Shop <shop@example.com>",
            "Destination": {"ToAddresses": ["ada@example.com"]},
            "Content": {"Simple": {"Subject": {"Data": "Thanks"}, "Body": body}},
        })
    }

    #[test]
    fn sent_mail_is_kept_in_order() {
        let mail = Mail::new(Clock::manual(Timestamp::UNIX_EPOCH));
        for text in ["one", "two"] {
            let answer = mail
                .call("SendEmail", email(json!({"Text": {"Data": text}})))
                .unwrap();
            assert!(answer["MessageId"].is_string());
        }
        let messages = mail.messages();
        assert_eq!(messages["messages"][0]["text"], "one");
        assert_eq!(
            messages["messages"][1],
            json!({
                "to": "ada@example.com", "from": "Shop <shop@example.com>", "subject": "Thanks",
                "text": "two", "html": null, "sent_at": "1970-01-01T00:00:00Z",
            })
        );
    }

    #[test]
    fn an_empty_body_or_a_bad_address_is_refused() {
        let mail = Mail::new(Clock::system());
        let refused = |request| mail.call("SendEmail", request).unwrap_err().code;
        assert_eq!(
            refused(email(json!({"Text": {"Data": ""}}))),
            "MessageRejected"
        );
        assert_eq!(refused(email(json!({}))), "MessageRejected");
        let mut nobody = email(json!({"Text": {"Data": "hello"}}));
        nobody["Destination"]["ToAddresses"] = json!([]);
        assert_eq!(refused(nobody.clone()), "BadRequestException");
        nobody["Destination"]["ToAddresses"] = json!(["nobody"]);
        assert_eq!(refused(nobody), "BadRequestException");
        assert_eq!(mail.messages(), json!({"messages": []}));
    }

    #[test]
    fn raw_mail_is_refused_by_name() {
        let mail = Mail::new(Clock::system());
        let mut raw = email(json!({}));
        raw["Content"] = json!({"Raw": {"Data": ""}});
        assert!(
            mail.call("SendEmail", raw)
                .unwrap_err()
                .message
                .contains("Raw")
        );
    }
}
