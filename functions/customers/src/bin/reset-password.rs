//! `POST /auth/password/reset`: set another password by a mailed link.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let passwords = customers::passwords::PasswordChange::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    lambda::serve(&aws, &routes::RESET_PASSWORD, |request| {
        customers::passwords::reset_password(&passwords, &links, request)
    })
    .await
}
