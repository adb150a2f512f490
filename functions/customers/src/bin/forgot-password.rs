//! `POST /auth/password/forgot`: mails a link that resets the password.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    let messages = customers::messages::CustomerMessages::new(&aws)?;
    runtime::serve_http(&aws, &routes::FORGOT_PASSWORD, |request| {
        customers::passwords::forgot_password(&customers, &messages, request)
    })
    .await
}
