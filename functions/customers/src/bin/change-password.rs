//! `POST /customers/me/password`: change the caller's password.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let passwords = customers::passwords::PasswordChange::new(&aws)?;
    lambda::serve(&aws, &routes::CHANGE_PASSWORD, |request| {
        customers::passwords::change_password(&passwords, request)
    })
    .await
}
