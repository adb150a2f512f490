//! `POST /customers/me/confirmation`: mail the link that confirms the address again.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    let messages = customers::messages::CustomerMessages::new(&aws)?;
    lambda::serve(&aws, &routes::RESEND_CONFIRMATION, |request| {
        customers::passwords::resend_confirmation(&customers, &messages, request)
    })
    .await
}
