//! The message queue: sends the messages that it requests.

use oxcart_function::{aws, notifications, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let mail = notifications::mail::SesSender::new(&aws)?;
    let messenger = notifications::send::Messenger::new(&aws, mail)?;
    runtime::serve_queue(&aws, |message| {
        notifications::send::send_messages(&messenger, message)
    })
    .await
}
