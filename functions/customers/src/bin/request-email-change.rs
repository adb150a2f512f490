//! `POST /customers/me/email`: requests another email address.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let passwords = customers::passwords::PasswordChange::new(&aws)?;
    let messages = customers::messages::CustomerMessages::new(&aws)?;
    runtime::serve_http(&aws, &routes::REQUEST_EMAIL_CHANGE, |request| {
        customers::email_change::request_email_change(&passwords, &messages, request)
    })
    .await
}
