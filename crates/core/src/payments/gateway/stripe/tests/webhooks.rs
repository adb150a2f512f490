//! The events that localstripe sends.

use std::net::TcpListener;

use super::*;
use crate::payments::gateway::signature::{self, SignatureError};
use crate::values::clock::Time;

#[tokio::test]
async fn an_event_of_localstripe_is_believed() {
    let Some((shop, localstripe)) = Shop::start() else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    localstripe.send_events(&format!("http://127.0.0.1:{port}/"), "whsec_tests");
    assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
    let (stream, _) = listener.accept().unwrap();
    let (sent, _) = server::receive(&stream).unwrap();
    let event: serde_json::Value = serde_json::from_str(&sent.form).unwrap();
    assert_eq!(event["type"], "payment_intent.succeeded");
    assert_eq!(
        event["data"]["object"]["id"],
        localstripe.intents()[0]["id"]
    );
    let name = format!("{}: ", signature::HEADER);
    let header = sent
        .headers
        .lines()
        .find_map(|line| line.strip_prefix(&name));
    let created = Time::from_millis(event["created"].as_i64().unwrap() * 1000);
    let verify =
        |secret| signature::verify(header.unwrap(), sent.form.as_bytes(), &[secret], created);
    assert_eq!(verify("whsec_tests"), Ok(()));
    assert_eq!(verify("whsec_other"), Err(SignatureError::Forged));
}
