//! The message queue: send the messages that it asks for.

use oxcart_function::{lambda, notifications};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let mail = notifications::SesSender::new(&aws)?;
    let messenger = notifications::Messenger::new(&aws, mail)?;
    lambda::serve_queue(|message| notifications::send::send_messages(&messenger, message)).await
}
