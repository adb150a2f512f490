//! `POST /auth/email`: confirms a change of the email address with a mailed link and the password.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let passwords = customers::passwords::PasswordChange::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    runtime::serve_http(&aws, &routes::CONFIRM_EMAIL_CHANGE, |request| {
        customers::email_change::confirm_email_change(&passwords, &links, request)
    })
    .await
}
