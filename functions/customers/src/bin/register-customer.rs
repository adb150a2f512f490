//! `POST /customers`: opens an account.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let registering = customers::api::Registering::new(&aws)?;
    runtime::serve_http(&aws, &routes::REGISTER_CUSTOMER, |request| {
        customers::api::register_customer(&registering, request)
    })
    .await
}
