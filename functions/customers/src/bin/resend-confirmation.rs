//! `POST /customers/me/confirmation`: mails the link that confirms the email address again.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    let messages = customers::messages::CustomerMessages::new(&aws)?;
    runtime::serve_http(&aws, &routes::RESEND_CONFIRMATION, |request| {
        customers::passwords::resend_confirmation(&customers, &messages, request)
    })
    .await
}
