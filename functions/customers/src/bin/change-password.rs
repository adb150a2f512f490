//! `POST /customers/me/password`: changes the caller's password.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let passwords = customers::passwords::PasswordChange::new(&aws)?;
    runtime::serve_http(&aws, &routes::CHANGE_PASSWORD, |request| {
        customers::passwords::change_password(&passwords, request)
    })
    .await
}
