//! `POST /auth/password/forgot`: ask for a link to another password.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    let messages = customers::messages::CustomerMessages::new(&aws)?;
    lambda::serve(&aws, &routes::FORGOT_PASSWORD, |request| {
        customers::passwords::forgot_password(&customers, &messages, request)
    })
    .await
}
