//! The adapter to SES.

use super::*;

#[tokio::test]
async fn ses_gets_one_mail_with_both_forms() {
    let (aws, engine) = testing::aws();
    let asked = Arc::new(Mutex::new(Value::Null));
    let noted = Arc::clone(&asked);
    // Calls of SES have no operation in a header: they are distinguished by their path.
    engine.answer_others("", move |request| {
        *noted.lock().unwrap() = request;
        (200, json!({"MessageId": "1"}))
    });
    let mail = Mail {
        subject: "Größe".to_owned(),
        text: "text".to_owned(),
        html: "<p>html</p>".to_owned(),
    };
    let to: Email = "ana@example.com".parse().unwrap();
    SesSender::new(&aws)
        .unwrap()
        .send(&to, &mail)
        .await
        .unwrap();
    let part = |text: &str| json!({"Charset": "UTF-8", "Data": text});
    let expected = json!({
        "FromEmailAddress": Setting::MailFrom.name(),
        "Destination": {"ToAddresses": ["ana@example.com"]},
        "Content": {"Simple": {
            "Subject": part("Größe"),
            "Body": {"Text": part("text"), "Html": part("<p>html</p>")},
        }},
    });
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[tokio::test]
async fn only_a_mail_that_ses_refuses_is_certainly_not_sent() {
    let (aws, engine) = testing::aws();
    let mail = Mail {
        subject: "s".to_owned(),
        text: "t".to_owned(),
        html: "h".to_owned(),
    };
    let to: Email = "ana@example.com".parse().unwrap();
    let sender = SesSender::new(&aws).unwrap();
    for (status, code, refused) in [
        (400, "MessageRejected", true),
        (400, "MailFromDomainNotVerifiedException", true),
        (429, "TooManyRequestsException", true),
        (500, "InternalServiceErrorException", false),
        (503, "", false),
    ] {
        engine.answer_others("", move |_| {
            let text = "Email address is not verified: ana@example.com";
            (status, json!({"__type": code, "message": text}))
        });
        let error = sender.send(&to, &mail).await.unwrap_err();
        assert_eq!(
            matches!(error, MailError::Refused(_)),
            refused,
            "{code}: {error:?}"
        );
        assert!(!format!("{error}{error:?}").contains("ana@"), "{error:?}");
    }
}
