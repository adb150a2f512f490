//! `POST /auth/password/reset`: resets the password with a mailed link.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let passwords = customers::passwords::PasswordChange::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    runtime::serve_http(&aws, &routes::RESET_PASSWORD, |request| {
        customers::passwords::reset_password(&passwords, &links, request)
    })
    .await
}
